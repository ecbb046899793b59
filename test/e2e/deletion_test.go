package e2e

import (
	"bytes"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/docket-tasks/docket/deploy/local"
	host "github.com/docket-tasks/docket/host/embedded"
)

// erased is how many entries of the history audit has taken the contents out of, on any of its replicas.
func (w *world) erased() (n int) {
	w.t.Helper()
	for _, address := range w.figures() {
		res, err := http.Get(address)
		if err != nil {
			w.t.Fatal(err)
		}
		b, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err != nil {
			w.t.Fatal(err)
		}
		for _, m := range erasedTotal.FindAllSubmatch(b, -1) {
			count, err := strconv.ParseFloat(string(m[1]), 64)
			if err != nil {
				w.t.Fatal(err)
			}
			n += int(count)
		}
	}
	return n
}

var erasedTotal = regexp.MustCompile(`(?m)^docket_audit_erased_total (\S+)$`)

// leave deletes the account; no history of it is held to anything in the end.
func (w *world) leave(c *client, body object) {
	w.t.Helper()
	c.do("DELETE", "/api/me", body).want(204)
	var rest []*client
	for _, u := range w.users {
		if u != c {
			rest = append(rest, u)
		}
	}
	w.users = rest
}

// An account that is deleted is gone at once, from every service, and comes back for nobody: not by its tokens, its sessions
// and its socket, nor for somebody else who takes the name. The contents of its history are erased.
func TestDeletedAccount(t *testing.T) {
	scenario(t, func(t *testing.T, w *world) {
		before := w.erased()
		ada := w.user("Ada", "UTC")
		task := ada.create(object{"title": "Secret", "due_date": "2020-01-01", "recurrence_pattern": "daily"})
		ada.notified(task)
		ada.step(task, "complete") // continues the series
		eventually(t, "the next occurrence", func() bool { return len(ada.list("status=pending")) == 1 })
		ada.post("/api/filters", object{"name": "Secret", "query": object{}}).want(201)
		ada.do("PATCH", "/api/me", object{"channels": object{"webhook": object{"url": "https://example.org/hook"}}}).want(200)
		ada.do("PUT", "/api/me/password", newPassword).want(204)
		events := ada.listVersion()
		ada.audited(events)
		live, browser := ada.listen(""), ada.signIn()

		ada.do("DELETE", "/api/me", object{}).want(400).problem()
		if p := ada.do("DELETE", "/api/me", object{"password": "nobody's"}).want(400).problem(); !p.names("password") {
			t.Errorf("the problem is %+v", p)
		}
		w.leave(ada, object{"password": newPassword["password"]})
		live.closed()
		for _, c := range []*client{ada, browser} {
			for _, path := range []string{"/api/me", "/api/tasks", task.path(), "/api/audit", "/api/notifications", "/api/filters", "/api/tokens", "/api/me/export"} {
				c.get(path).want(401).problem()
			}
			c.post("/api/tasks", object{"title": "Late"}).want(401).problem()
			if status := c.refused("", nil); status != 401 {
				t.Errorf("the WebSocket answers %d", status)
			}
		}
		eventually(t, "the history to be erased", func() bool { return w.erased() == before+int(events) })

		again := newClient(t, w.deployment, "")
		var made struct {
			User  user   `json:"user"`
			Token string `json:"token"`
		}
		w.admin.post("/api/users", object{"name": ada.name}).want(201).into(&made)
		again.token, again.id = made.Token, made.User.ID
		w.users = append(w.users, again)
		if again.id == ada.id {
			t.Error("the next of that name is the same user")
		}
		for _, path := range []string{"/api/tasks?status=deleted", "/api/tasks", "/api/audit", "/api/notifications", "/api/filters", "/api/push/subscriptions"} {
			if a := again.get(path).want(200); strings.TrimSpace(string(a.body)) != "[]" {
				t.Errorf("the next of that name sees in %s: %s", path, a.body)
			}
		}
		if got := again.me(); got.Channels.Webhook != nil {
			t.Errorf("the next of that name has %+v", got)
		}
		again.get(task.path()).want(404)
		again.get(task.path() + "/history").want(404)
		if version := again.create(object{"title": "Mine"}).Version; version != 1 || again.listVersion() != 1 {
			t.Errorf("the first task is at version %d, the list at %d", version, again.listVersion())
		}
	})
}

// A deletion that was acknowledged is finished whatever happens: docket is killed in the middle of it, twice.
func TestDeletionOutlivesACrash(t *testing.T) {
	if err := prepare(); err != nil {
		t.Fatal(err)
	}
	t.Parallel()
	d := &embedded{dir: t.TempDir()}
	runOn(t, d, func(t *testing.T, w *world) {
		ada := w.user("Ada", "UTC")
		many := make([]object, 200)
		for i := range many {
			many[i] = object{"op": "create", "body": object{"title": "Secret", "due_date": "2036-04-01"}}
		}
		for range 3 {
			ada.post("/api/tasks/batch", object{"changes": many}).want(200)
		}
		ada.audited(600)
		w.leave(ada, object{})
		for range 2 {
			w.kill(t)
			w.check(t) // as it was left
			w.start(t)
		}
		ada.get("/api/tasks").want(401).problem()
		eventually(t, "the erasing to be finished", func() bool { return len(d.holding(t, "Secret")) == 0 })
	})
}

// holding are the keys of all rows in which a text occurs, whichever service they are of.
func (e *embedded) holding(t *testing.T, text string) (keys []string) {
	t.Helper()
	r, err := host.OpenReader(t.Context(), e.data())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close() //nolint:errcheck // it only reads
	for _, service := range local.Services {
		if err := r.Scan(service, "", func(key string, value []byte) error {
			if bytes.Contains(value, []byte(text)) {
				keys = append(keys, service+"/"+key)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	return keys
}
