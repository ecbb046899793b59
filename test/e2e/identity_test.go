package e2e

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

// routesOfOne are the ways to reach one task; each is tried by somebody who must not.
func routesOfOne(id string) [][2]string {
	path := "/api/tasks/" + id
	return [][2]string{
		{"GET", path}, {"PATCH", path}, {"DELETE", path}, {"PUT", path + "/tags"}, {"GET", path + "/reminders"}, {"GET", path + "/history"},
		{"POST", path + "/complete"}, {"POST", path + "/reopen"}, {"POST", path + "/restore"},
	}
}

// bodyFor is a body that would be accepted from the owner.
func bodyFor(method, path string) any {
	switch {
	case method == "PATCH":
		return object{"title": "Taken"}
	case strings.HasSuffix(path, "/tags"):
		return object{"tags": []string{"taken"}}
	}
	return nil
}

// Nobody gets in without a credential that holds, and nobody learns of what is another's.
func TestStrangers(t *testing.T) {
	scenario(t, func(t *testing.T, w *world) {
		ada, bob := w.user("Ada", "Europe/Berlin"), w.user("Bob", "UTC")
		task := ada.create(object{"title": "Secret", "due_date": "2020-01-01"})
		ada.audited(1)
		entry := ada.notified(task)
		for name, token := range map[string]string{"nobody": "", "a wrong token": "dkt_" + strings.Repeat("A", 43), "no token at all": "x"} {
			stranger := ada.as(token)
			for _, r := range append(routesOfOne(task.ID), [2]string{"GET", "/api/tasks"}, [2]string{"GET", "/api/audit"}, [2]string{"GET", "/api/notifications"},
				[2]string{"GET", "/api/me"}, [2]string{"GET", "/api/tokens"}, [2]string{"POST", "/api/session/link"}, [2]string{"DELETE", "/api/session"}) {
				if a := stranger.do(r[0], r[1], bodyFor(r[0], r[1])); a.status != 401 || a.header.Get("WWW-Authenticate") == "" {
					t.Errorf("%s, %s: %d %s", name, a.what, a.status, a.body)
				}
			}
			if status := stranger.refused("", nil); status != 401 {
				t.Errorf("%s: the WebSocket answers %d", name, status)
			}
		}
		for _, r := range routesOfOne(task.ID) {
			a := bob.do(r[0], r[1], bodyFor(r[0], r[1])).want(404)
			a.problem()
			if none := bob.do(r[0], strings.Replace(r[1], task.ID, "01a00000-0000-7000-8000-000000000000", 1), bodyFor(r[0], r[1])).want(404); string(none.body) != string(a.body) {
				t.Errorf("%s: another's task answers %s, one that is not there %s", a.what, a.body, none.body)
			}
		}
		bob.post("/api/notifications/"+entry.ID+"/read", nil).want(404)
		bob.post("/api/notifications/"+entry.ID+"/snooze", object{"minutes": 5}).want(404)
		for _, op := range []string{"update", "tags", "complete", "reopen", "delete", "restore"} {
			change := object{"op": op, "id": task.ID}
			if op == "update" || op == "tags" {
				change["body"] = object{"title": "Taken"}
			}
			if op == "tags" {
				change["body"] = object{"tags": []string{}}
			}
			if a := bob.post("/api/tasks/batch", object{"changes": []object{change}}).want(200); !strings.Contains(string(a.body), `"status":404`) {
				t.Errorf("batch %s of another's task: %s", op, a.body)
			}
		}
		if got := bob.get("/api/audit?task_id=" + task.ID).want(200); strings.TrimSpace(string(got.body)) != "[]" {
			t.Errorf("another's events: %s", got.body)
		}
		bob.post("/api/users", object{"name": "Eve"}).want(403).problem()
		if got := ada.task(task.ID); got.Version != 1 {
			t.Errorf("after all that: %+v", got)
		}
	})
}

// However many requests are refused, nobody else is: behind Dapr a circuit breaker would count them as failures of the service.
func TestStrangersShutNobodyOut(t *testing.T) {
	scenario(t, func(t *testing.T, w *world) {
		ada := w.user("Ada", "UTC")
		statuses := map[int]int{}
		for n := range 700 {
			statuses[ada.as(fmt.Sprintf("dkt_%043d", n)).do("GET", "/api/tasks?limit=1", nil).status]++
		}
		if statuses[401] != 700 {
			t.Errorf("wrong tokens are answered %v", statuses)
		}
		ada.get("/api/tasks?limit=1").want(200)
	})
}

// Which version is running can be asked by anybody.
func TestAbout(t *testing.T) {
	scenario(t, func(t *testing.T, w *world) {
		var build struct {
			Version string `json:"version"`
			Go      string `json:"go"`
		}
		w.owner.as("").get("/api/about").want(200).into(&build)
		if build.Version == "" || !strings.HasPrefix(build.Go, "go1.") {
			t.Errorf("%+v", build)
		}
	})
}

// A token does what its scope says for as long as it is there, and no longer.
func TestTokens(t *testing.T) {
	scenario(t, func(t *testing.T, w *world) {
		c := w.user("Ada", "Europe/Berlin")
		task := c.create(object{"title": "Mine"})
		c.audited(1)
		token := func(scope string) (id string, as *client) {
			var made struct {
				ID     string `json:"id"`
				Secret string `json:"token"`
			}
			c.post("/api/tokens", object{"name": scope, "scope": scope}).want(201).into(&made)
			return made.ID, c.as(made.Secret)
		}
		_, reader := token("read")
		for _, r := range append(routesOfOne(task.ID), [2]string{"POST", "/api/tasks"}, [2]string{"POST", "/api/tokens"}, [2]string{"PATCH", "/api/me"}) {
			want := 403
			if r[0] == "GET" {
				want = 200
			}
			if a := reader.do(r[0], r[1], bodyFor(r[0], r[1])); a.status != want {
				t.Errorf("read-only, %s: %d, want %d", a.what, a.status, want)
			}
		}
		reader.listen("")
		if got := c.task(task.ID); got.Version != 1 {
			t.Errorf("changed by a reader: %+v", got)
		}

		id, writer := token("write")
		live := writer.listen("")
		writer.get("/api/tasks").want(200)
		if got := string(c.get("/api/tokens").want(200).body); !strings.Contains(got, id) || strings.Contains(got, writer.token) {
			t.Errorf("tokens: %s", got)
		}
		c.do("DELETE", "/api/tokens/"+id, nil).want(204)
		c.do("DELETE", "/api/tokens/"+id, nil).want(404)
		if code := live.closed(); code != websocket.StatusPolicyViolation {
			t.Errorf("the socket of a revoked token closed with %v", code)
		}
		if status := writer.refused("", nil); status != 401 {
			t.Errorf("the socket of a revoked token: %d", status)
		}
		eventually(t, "every replica to know that the token is revoked", func() bool { return writer.get("/api/tasks").status == 401 })
		for _, s := range reader.sockets {
			_ = s.conn.CloseNow()
		}
	})
}

// A sign-in code works once; the cookie it brings works everywhere, until its owner signs out.
func TestSession(t *testing.T) {
	scenario(t, func(t *testing.T, w *world) {
		c := w.user("Ada", "Europe/Berlin")
		var link struct {
			Code string `json:"code"`
		}
		c.post("/api/session/link", nil).want(201).into(&link)
		browser := c.as("")
		signIn := browser.post("/api/session", object{"code": link.Code, "time_zone": "Asia/Tokyo"}).want(201)
		cookies := (&http.Response{Header: signIn.header}).Cookies()
		if len(cookies) != 1 || !cookies[0].HttpOnly || cookies[0].SameSite != http.SameSiteLaxMode || cookies[0].Path != "/" {
			t.Fatalf("cookies %+v", cookies)
		}
		browser.post("/api/session", object{"code": link.Code}).want(400).problem()
		browser.session = cookies[0].Name + "=" + cookies[0].Value

		if me := browser.me(); me.ID != c.id || me.TimeZone != "Europe/Berlin" { // chosen before: the browser's does not count
			t.Errorf("signed in as %+v", me)
		}
		task := browser.create(object{"title": "From the browser"})
		if h := c.history(task.ID, 1); h[0].Actor.Kind != "user" || h[0].Actor.Name != c.name {
			t.Errorf("made by %+v", h[0].Actor)
		}
		live := browser.listen("")
		browser.post("/api/tasks", object{"title": "Forged"}, "Origin", "https://elsewhere.example").want(403).problem()
		browser.post("/api/tasks", object{"title": "Forged"}, "Sec-Fetch-Site", "cross-site").want(403).problem()
		if status := browser.refused("", http.Header{"Origin": {"https://elsewhere.example"}}); status != 403 {
			t.Errorf("another site's page opens the WebSocket: %d", status)
		}
		c.do("DELETE", "/api/session", nil).want(400).problem() // a token is no session

		out := browser.do("DELETE", "/api/session", nil).want(204)
		if gone := (&http.Response{Header: out.header}).Cookies(); len(gone) != 1 || gone[0].MaxAge >= 0 {
			t.Errorf("signing out leaves the cookies %+v", gone)
		}
		if code := live.closed(); code != websocket.StatusPolicyViolation {
			t.Errorf("signing out closes the socket with %v", code)
		}
		browser.get("/api/me").want(401)
		if status := browser.refused("", nil); status != 401 {
			t.Errorf("signed out, the WebSocket answers %d", status)
		}
	})
}

// A password signs in wherever it is typed, until it is changed: then every other session ends, its sockets too.
func TestPassword(t *testing.T) {
	scenario(t, func(t *testing.T, w *world) {
		c := w.user("Ada", "Europe/Berlin")
		const before, after = "marble-otter-quiet-lantern", "under-the-blue-bridge"
		c.do("PUT", "/api/me/password", object{"password": "baseball"}).want(400).problem()
		c.do("PUT", "/api/me/password", object{"password": before}).want(204)
		enter := func(password string) *client {
			browser := c.as("")
			signIn := browser.post("/api/session", object{"name": c.name, "password": password}).want(201)
			cookies := (&http.Response{Header: signIn.header}).Cookies()
			if len(cookies) != 1 {
				t.Fatalf("cookies %+v", cookies)
			}
			browser.session = cookies[0].Name + "=" + cookies[0].Value
			return browser
		}
		here, there, lost := enter(before), enter(before), enter(before)
		var sessions []struct {
			ID      string `json:"id"`
			Current bool   `json:"current"`
		}
		lost.get("/api/sessions").want(200).into(&sessions)
		if len(sessions) != 3 || sessions[0].Current || !sessions[2].Current {
			t.Fatalf("%+v", sessions)
		}
		live, other := there.listen(""), lost.listen("")
		w.user("Bob", "UTC").do("DELETE", "/api/sessions/"+sessions[2].ID, nil).want(404).problem()
		here.do("DELETE", "/api/sessions/"+sessions[2].ID, nil).want(204)
		if code := other.closed(); code != websocket.StatusPolicyViolation {
			t.Errorf("ending the session closes its socket with %v", code)
		}
		eventually(t, "the session to have ended", func() bool { return lost.get("/api/me").status == 401 })

		here.do("PUT", "/api/me/password", object{"password": after}).want(400).problem()
		here.do("PUT", "/api/me/password", object{"password": after, "old_password": before}).want(204)
		if code := live.closed(); code != websocket.StatusPolicyViolation {
			t.Errorf("changing the password closes the socket with %v", code)
		}
		eventually(t, "the other session to have ended", func() bool { return there.get("/api/me").status == 401 })
		here.get("/api/me").want(200)
		c.get("/api/me").want(200)
		c.as("").post("/api/session", object{"name": c.name, "password": before}).want(400).problem()
		last := enter(after)
		last.do("DELETE", "/api/sessions", nil).want(204)
		eventually(t, "all other sessions to have ended", func() bool { return here.get("/api/me").status == 401 })
		last.do("DELETE", "/api/session", nil).want(204)
	})
}

// What is for the runtime and the other services cannot be reached from outside, however its path is written.
func TestRuntimeRoutesAreClosed(t *testing.T) {
	scenario(t, func(t *testing.T, w *world) {
		inside := []string{
			"/internal/identity", "/internal/keys", "/internal/users/" + w.owner.id, "/internal/occurrences", "/internal/reminders",
			"/job/r-1", "/api/jobs/trigger", "/api/internal/keys", "/dapr/subscribe", "/dapr/config", "/events/task-events",
			"//internal/keys", "/./internal/keys", "/api/../internal/keys", "/api/tasks/../../internal/keys", "/%69nternal/keys", "/internal%2Fkeys",
			"/api/%2e%2e/internal/keys", "/api/tasks/%2e%2e/%2e%2e/internal/keys", "/api/tasks/..%2f..%2finternal%2fkeys", "/api/jobs%2ftrigger", "/api/%6aobs/trigger",
			"/api//jobs/trigger", "/api/tasks/../jobs/trigger", "/INTERNAL/keys", "/internal/keys;x", "/api/tasks/%252e%252e/jobs/trigger", "\\internal\\keys",
		}
		for _, target := range inside {
			for _, method := range []string{"GET", "POST"} {
				status, body := w.raw(t, method, target)
				if to := redirected.FindSubmatch(body); status/100 == 3 && to != nil { // to the same path, written plainly
					status, body = w.raw(t, method, string(to[1]))
				}
				if status/100 != 4 {
					t.Errorf("%s %s: %d %s", method, target, status, short(body))
				}
			}
		}
	})
}

var redirected = regexp.MustCompile(`(?m)^Location: (/\S*)`)

// raw sends a request whose target is not made any cleaner than it is written, as the owner.
func (w *world) raw(t *testing.T, method, target string) (int, []byte) {
	t.Helper()
	gateway, err := url.Parse(w.gateway())
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", gateway.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close() //nolint:errcheck // read to its end
	if _, err := fmt.Fprintf(conn, "%s %s HTTP/1.0\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n%s",
		method, target, gateway.Host, w.owner.token, `{"name": "r-1"}`); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	var status int
	if _, err := fmt.Sscanf(string(answer), "HTTP/1.%d %d", new(int), &status); err != nil {
		t.Fatalf("%s %s: %v in %s", method, target, err, short(answer))
	}
	return status, answer
}
