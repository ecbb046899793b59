package frontend_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/services/frontend"
)

// TestHeaders sends every header that a service might believe and checks which of them arrive, and with what in them.
func TestHeaders(t *testing.T) {
	s := newInside(t, newClock().now)
	got := seen(t, send(s.door(t), "POST", "/api/tasks", "{}",
		"Authorization", bearer, "Cookie", "docket_session=good-session; other=1", "Content-Type", "application/json",
		"Idempotency-Key", "k1", "If-Match", `"3"`, "If-None-Match", `"4"`, "Accept-Language", "de",
		"X-Forwarded-For", "6.6.6.6", "X-Forwarded-Proto", "https", "X-Forwarded-Host", "evil.test", "Forwarded", "for=6.6.6.6", "X-Real-Ip", "6.6.6.6",
		"Dapr-Caller-App-Id", "backend", "Dapr-Api-Token", "x", "Dapr-App-Id", "audit", "X-User-Id", "bob", "X-Http-Method-Override", "DELETE",
		"Connection", "Authorization, X-Forwarded-Proto", "Upgrade", "websocket", "Te", "trailers", "Proxy-Authorization", "Basic x",
		"Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"))
	want := map[string]string{
		"Content-Type": "application/json", "Idempotency-Key": "k1", "If-Match": `"3"`, "If-None-Match": `"4"`, "Accept-Language": "de",
		"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "http", "X-Forwarded-Host": "example.com", "Accept-Encoding": "identity",
		"Traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "Content-Length": "2",
	}
	for name, value := range want {
		if v := strings.Join(got.Header[name], "|"); v != value {
			t.Errorf("%s = %q, want %q", name, v, value)
		}
	}
	for name, values := range got.Header {
		if _, ok := want[name]; !ok && name != "Authorization" && name != "User-Agent" {
			t.Errorf("%s: %q was forwarded", name, values)
		}
	}
	if len(got.Header["Authorization"]) != 1 || got.Header.Get("Authorization") == bearer || got.User != "ann" {
		t.Errorf("Authorization = %q for user %q, want one JWT for ann", got.Header["Authorization"], got.User)
	}
}

// Of the cookies, one is passed on to each of two paths: that of who comes back from an OpenID provider, or with a passkey.
func TestAttemptCookie(t *testing.T) {
	s := newInside(t, newClock().now)
	const cookies = "docket_session=good-session; docket_openid=plain; __Host-docket_openid=host; docket_passkey=p; __Host-docket_passkey=h; other=1"
	for _, c := range []struct {
		path, want string
		tls        bool
	}{
		{"/api/session/openid/finish", "__Host-docket_openid=host", true},
		{"/api/session/openid/finish", "docket_openid=plain", false},
		{"/api/session/openid/start", "", true},
		{"/api/session/passkey/finish", "__Host-docket_passkey=h", true},
		{"/api/session/passkey/finish", "docket_passkey=p", false},
		{"/api/session/passkey/start", "", true},
		{"/api/session", "", true},
	} {
		door := s.door(t, func(f *frontend.Config) { f.TLS = c.tls })
		got := seen(t, send(door, "POST", c.path, "{}", "Cookie", cookies, "Content-Type", "application/json"))
		if v := strings.Join(got.Header["Cookie"], "|"); v != c.want || got.Header.Get("Authorization") != "" {
			t.Errorf("%s (TLS %t) is shown %q, want %q", c.path, c.tls, v, c.want)
		}
		res := send(door, "POST", c.path, "{}", "Cookie", cookies, "Sec-Fetch-Site", "cross-site")
		if res.StatusCode != http.StatusForbidden {
			t.Errorf("%s from another site: %d", c.path, res.StatusCode)
		}
	}
}

// TestTrustedProxy believes a proxy of ours about the caller, and nobody else.
func TestTrustedProxy(t *testing.T) {
	s := newInside(t, newClock().now)
	door := s.door(t, func(c *frontend.Config) { c.TrustForwarded = true })
	got := seen(t, send(door, "GET", "/api/me", "", "Authorization", bearer, "X-Forwarded-For", "6.6.6.6", "X-Forwarded-Proto", "https"))
	if f, p := got.Header.Get("X-Forwarded-For"), got.Header.Get("X-Forwarded-Proto"); f != "6.6.6.6, 192.0.2.1" || p != "https" {
		t.Errorf("X-Forwarded-For = %q, -Proto = %q", f, p)
	}
	if res := send(door, "GET", "/api/me", "", "Cookie", "__Host-docket_session=good-session", "X-Forwarded-Proto", "https"); res.StatusCode != http.StatusOK {
		t.Errorf("the cookie that backend sets for https = %d, want 200", res.StatusCode)
	}
	got = seen(t, send(door, "GET", "/api/me", "", "Authorization", bearer, "X-Forwarded-Proto", "HTTPS, http")) // two proxies
	if p := got.Header.Get("X-Forwarded-Proto"); p != "https" {
		t.Errorf("X-Forwarded-Proto = %q, want https", p)
	}
	got = seen(t, send(door, "GET", "/api/me", "", "Authorization", bearer, "X-Forwarded-Proto", "gopher"))
	if p := got.Header.Get("X-Forwarded-Proto"); p != "http" {
		t.Errorf("X-Forwarded-Proto = %q, want http", p)
	}
}

// TestCredentials goes through what a caller may show.
func TestCredentials(t *testing.T) {
	tests := []struct {
		name, method string
		tls          bool
		header       []string
		status       int
	}{
		{"nothing", "GET", false, nil, 401},
		{"token", "GET", false, []string{"Authorization", bearer}, 200},
		{"token, scheme in lower case", "GET", false, []string{"Authorization", "bearer good-token"}, 200},
		{"unknown token", "GET", false, []string{"Authorization", "Bearer bad-token"}, 401},
		{"no scheme", "GET", false, []string{"Authorization", "good-token"}, 401},
		{"basic", "GET", false, []string{"Authorization", "Basic good-token"}, 401},
		{"two tokens", "GET", false, []string{"Authorization", bearer, "Authorization", bearer}, 401},
		{"empty token", "GET", false, []string{"Authorization", "Bearer "}, 401},
		{"token with a space", "GET", false, []string{"Authorization", "Bearer good token"}, 401},
		{"long token", "GET", false, []string{"Authorization", "Bearer " + strings.Repeat("a", 513)}, 401},
		{"bad token and good cookie", "GET", false, []string{"Authorization", "Bearer bad-token", "Cookie", "docket_session=good-session"}, 401},
		{"session", "GET", false, []string{"Cookie", "a=b; docket_session=good-session"}, 200},
		{"token as a session", "GET", false, []string{"Cookie", "docket_session=bad-token"}, 401},
		{"two sessions", "GET", false, []string{"Cookie", "docket_session=good-session; docket_session=x"}, 401},
		{"host cookie without TLS", "GET", false, []string{"Cookie", "__Host-docket_session=good-session"}, 401},
		{"plain cookie with TLS", "GET", true, []string{"Cookie", "docket_session=good-session"}, 401},
		{"host cookie with TLS", "GET", true, []string{"Cookie", "__Host-docket_session=good-session"}, 200},
		{"a JWT from outside", "GET", false, []string{"Authorization", "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4ifQ."}, 401},
		{"change from this site", "POST", false, []string{"Cookie", "docket_session=good-session", "Sec-Fetch-Site", "same-origin"}, 200},
		{"change from this origin", "POST", false, []string{"Cookie", "docket_session=good-session", "Origin", "http://example.com"}, 200},
		{"change from another site", "POST", false, []string{"Cookie", "docket_session=good-session", "Sec-Fetch-Site", "cross-site"}, 403},
		{"change from a sister site", "DELETE", false, []string{"Cookie", "docket_session=good-session", "Sec-Fetch-Site", "same-site"}, 403},
		{"change from another origin", "PATCH", false, []string{"Cookie", "docket_session=good-session", "Origin", "http://evil.test"}, 403},
		{"reading from another site", "GET", false, []string{"Cookie", "docket_session=good-session", "Sec-Fetch-Site", "cross-site"}, 200},
		{"change by token from anywhere", "POST", false, []string{"Authorization", bearer, "Origin", "http://evil.test"}, 200},
		{"reading with a reading token", "GET", false, []string{"Authorization", "Bearer read-token"}, 200},
		{"change with a reading token", "POST", false, []string{"Authorization", "Bearer read-token"}, 403},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newInside(t, newClock().now)
			s.valid["read-token"] = "ann"
			res := send(s.door(t, func(c *frontend.Config) { c.TLS = tt.tls }), tt.method, "/api/tasks", "", tt.header...)
			if res.StatusCode != tt.status {
				t.Fatalf("status = %d, want %d: %s", res.StatusCode, tt.status, read(t, res))
			}
			if challenge := res.Header.Get("WWW-Authenticate"); (tt.status == 401) != (challenge == "Bearer") {
				t.Errorf("WWW-Authenticate = %q", challenge)
			}
			if tt.status != 200 {
				code(t, res)
			}
		})
	}
}

// TestSession lets callers without an identity sign in, from this site only, and forgets one who has signed out.
func TestSession(t *testing.T) {
	s := newInside(t, newClock().now)
	door := s.door(t)
	for _, open := range []string{"POST /api/session", "GET /api/session/options", "POST /api/accounts", "POST /api/password/reset"} {
		method, path, _ := strings.Cut(open, " ")
		got := seen(t, send(door, method, path, `{"code":"1"}`, "Authorization", bearer, "Cookie", "docket_session=old"))
		if got.Service != "backend" || got.User != "" || got.Header.Get("Authorization") != "" || got.Header.Get("Cookie") != "" {
			t.Errorf("%s carried an identity: %v", open, got)
		}
		if res := send(door, method, path, `{"code":"1"}`, "Origin", "http://evil.test"); method == "POST" && res.StatusCode != http.StatusForbidden {
			t.Errorf("%s by another site = %d, want 403", open, res.StatusCode)
		}
	}
	for _, other := range []string{"GET /api/session", "DELETE /api/session", "POST /api/session/link", "POST /api/session/options", "POST /api/invitations"} {
		method, path, _ := strings.Cut(other, " ")
		if res := send(door, method, path, ""); res.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s without an identity = %d, want 401", other, res.StatusCode)
		}
	}
	cookie := []string{"Cookie", "docket_session=good-session"}
	seen(t, send(door, "GET", "/api/tasks", "", cookie...))
	s.revoke("good-session")
	if got := seen(t, send(door, "DELETE", "/api/session", "", cookie...)); got.User != "ann" {
		t.Errorf("signed out as %q, want ann", got.User)
	}
	if res := send(door, "GET", "/api/tasks", "", cookie...); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("after signing out = %d, want 401", res.StatusCode)
	}
}

// TestOthersSessionsEnd forgets all identities where a request may have ended sessions that are not known here.
func TestOthersSessionsEnd(t *testing.T) {
	for _, ends := range []string{"POST /api/password/reset", "PUT /api/me/password", "PUT /api/users/7/password", "DELETE /api/sessions", "DELETE /api/sessions/7", "DELETE /api/tokens/7"} {
		s := newInside(t, newClock().now)
		door := s.door(t)
		cookie := []string{"Cookie", "docket_session=good-session"}
		seen(t, send(door, "GET", "/api/tasks", "", cookie...))
		s.revoke("good-session")
		seen(t, send(door, "GET", "/api/tasks", "", cookie...)) // is known for a minute
		method, path, _ := strings.Cut(ends, " ")
		seen(t, send(door, method, path, `{}`, "Authorization", bearer))
		if res := send(door, "GET", "/api/tasks", "", cookie...); res.StatusCode != http.StatusUnauthorized {
			t.Errorf("after %s = %d, want 401", ends, res.StatusCode)
		}
	}
}

// TestOtherUser refuses what is meant for another user than the one who is signed in, and carries nothing of it out.
func TestOtherUser(t *testing.T) {
	s := newInside(t, newClock().now)
	door := s.door(t)
	carried := 0
	answer := s.answer
	s.answer = func(w http.ResponseWriter, r *http.Request) { carried++; answer(w, r) }
	for _, test := range []struct {
		user string
		want int
	}{{"", http.StatusOK}, {"ann", http.StatusOK}, {"bob", http.StatusUnauthorized}} {
		carried = 0
		res := send(door, "POST", "/api/tasks", `{"title":"mine"}`, "Cookie", "docket_session=good-session", "Docket-User", test.user)
		if res.StatusCode != test.want || (carried == 1) != (test.want == http.StatusOK) {
			t.Errorf("for %q = %d, carried out %d times; want %d", test.user, res.StatusCode, carried, test.want)
		}
	}
}

// TestIdentitiesAreKept exchanges a credential once for its life, and again in time before the JWT expires.
func TestIdentitiesAreKept(t *testing.T) {
	c := newClock()
	s := newInside(t, c.now)
	door := s.door(t)
	for range 5 {
		seen(t, send(door, "GET", "/api/tasks", "", "Authorization", bearer))
	}
	seen(t, send(door, "GET", "/api/tasks", "", "Cookie", "docket_session=good-session"))
	if n := s.exchanges(); n != 2 {
		t.Errorf("%d exchanges for two credentials, want 2", n)
	}
	for range 20 {
		c.advance(7 * time.Second)
		seen(t, send(door, "POST", "/api/tasks", "{}", "Authorization", bearer))
	}
	if n := s.exchanges(); n > 6 {
		t.Errorf("%d exchanges in 140 s, want one in about 50 s", n)
	}
}

// TestConcurrentMissesShareOneExchange holds the exchange until all callers are waiting for it.
func TestConcurrentMissesShareOneExchange(t *testing.T) {
	s := newInside(t, newClock().now)
	s.wait = make(chan struct{})
	door := s.door(t)
	var started, done sync.WaitGroup
	gone, leave := context.WithCancel(t.Context())
	for i := range 16 {
		started.Add(1)
		done.Go(func() {
			r := httptest.NewRequest("GET", "/api/tasks", nil)
			if i == 0 {
				r = r.WithContext(gone)
			}
			r.Header.Set("Authorization", bearer)
			w := httptest.NewRecorder()
			started.Done()
			door.ServeHTTP(w, r)
			if i != 0 && w.Code != http.StatusOK {
				t.Errorf("status = %d, want 200", w.Code)
			}
		})
	}
	started.Wait()
	leave() // one caller's leaving must not fail the others
	close(s.wait)
	done.Wait()
	if n := s.exchanges(); n > 2 {
		t.Errorf("%d exchanges for 16 requests at once", n)
	}
}

// TestKeyLoss replaces the signing key without notice: a kept identity is refused by the services, and renewed.
func TestKeyLoss(t *testing.T) {
	c := newClock()
	s := newInside(t, c.now)
	door := s.door(t)
	seen(t, send(door, "GET", "/api/tasks", "", "Authorization", bearer))
	s.rotate(t, "two")
	s.verifier = edge.NewVerifier(edge.BackendKeys(s.client("backend")), c.now) // the service has started anew
	seen(t, send(door, "GET", "/api/tasks", "", "Authorization", bearer))
	if n := s.exchanges(); n != 2 {
		t.Errorf("%d exchanges, want 2", n)
	}
	s.rotate(t, "three")
	s.verifier = edge.NewVerifier(edge.BackendKeys(s.client("backend")), c.now)
	if res := send(door, "POST", "/api/tasks", "{}", "Authorization", bearer); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("a change with a body = %d, want 401: its body cannot be sent twice", res.StatusCode)
	}
	seen(t, send(door, "POST", "/api/tasks", "{}", "Authorization", bearer))
}

// TestOutage asks for a 503 and Retry-After where the exchange or the service fails, and none of the cause.
func TestOutage(t *testing.T) {
	s := newInside(t, newClock().now)
	door := s.door(t)
	s.down = true
	outage := func(what string) {
		t.Helper()
		res := send(door, "GET", "/api/tasks", "", "Authorization", bearer)
		if res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" {
			t.Errorf("%s: %d with Retry-After %q, want 503 with one", what, res.StatusCode, res.Header.Get("Retry-After"))
		}
		if body := read(t, res); strings.Contains(body, "127.0.0.1") || !strings.Contains(body, `"code":"unavailable"`) {
			t.Errorf("%s: body %s", what, body)
		}
	}
	outage("exchange down")
	s.down = false
	seen(t, send(door, "GET", "/api/tasks", "", "Authorization", bearer))
	s.server.Close()
	outage("service down")
}

// TestBodyLimits holds every path to 64 KiB but the batch, with and without a declared length.
func TestBodyLimits(t *testing.T) {
	s := newInside(t, newClock().now)
	server := httptest.NewServer(s.door(t))
	defer server.Close()
	post := func(path string, size int, declared bool) *http.Response {
		t.Helper()
		var body io.Reader = strings.NewReader(strings.Repeat("x", size))
		if !declared {
			body = io.MultiReader(body)
		}
		req, err := http.NewRequestWithContext(t.Context(), "POST", server.URL+path, body)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", bearer)
		res, err := server.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = res.Body.Close() })
		return res
	}
	for _, declared := range []bool{true, false} {
		for path, limit := range map[string]int{"/api/tasks": 64 << 10, "/api/tasks/batch": 4 << 20} {
			if got := seen(t, post(path, limit, declared)); got.Body != limit {
				t.Errorf("%s: %d bytes arrived, want %d", path, got.Body, limit)
			}
			res := post(path, limit+1, declared)
			if res.StatusCode != http.StatusRequestEntityTooLarge || code(t, res) != "body_too_large" {
				t.Errorf("%s with %d bytes (declared: %v) = %d, want a 413 problem", path, limit+1, declared, res.StatusCode)
			}
		}
	}
}

// TestAnswers checks what is passed on of an answer and what is added.
func TestAnswers(t *testing.T) {
	s := newInside(t, newClock().now)
	door := s.door(t, func(c *frontend.Config) { c.TLS = true })
	get := func(set ...string) http.Header {
		t.Helper()
		s.answer = func(w http.ResponseWriter, _ *http.Request) {
			for i := 0; i+1 < len(set); i += 2 {
				w.Header().Add(set[i], set[i+1])
			}
			w.WriteHeader(http.StatusCreated)
		}
		res := send(door, "GET", "/api/tasks", "", "Authorization", bearer)
		if res.StatusCode != http.StatusCreated {
			t.Fatalf("status = %d, want 201", res.StatusCode)
		}
		return res.Header
	}
	h := get("Link", `</x>; rel="next"`, "Link", "</y>", "X-Total-Count", "7", "List-Version", "9", "Set-Cookie", "a=b", "Set-Cookie", "c=d",
		"Dapr-Version", "1", "Connection", "X-Inside", "X-Inside", "1", "Keep-Alive", "3", "Server", "x")
	for name, want := range map[string]string{
		"Link": `</x>; rel="next"|</y>`, "X-Total-Count": "7", "List-Version": "9", "Set-Cookie": "a=b|c=d", "Cache-Control": "no-store",
		"Dapr-Version": "", "X-Inside": "", "Keep-Alive": "", "Server": "", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin",
		"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'", "Strict-Transport-Security": "max-age=31536000",
	} {
		if got := strings.Join(h[name], "|"); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	if got := get("ETag", `"3"`).Get("Cache-Control"); got != "private, no-cache" {
		t.Errorf("Cache-Control with an ETag = %q", got)
	}
	if got := get("Cache-Control", "private, max-age=60").Get("Cache-Control"); got != "private, max-age=60" {
		t.Errorf("Cache-Control set by the service = %q", got)
	}
}

// TestBrokenAnswer expects an answer that breaks off inside to break off outside: half of one must not look whole.
func TestBrokenAnswer(t *testing.T) {
	s := newInside(t, newClock().now)
	s.answer = func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("x", 64<<10))
		panic(http.ErrAbortHandler)
	}
	server := httptest.NewServer(s.door(t))
	defer server.Close()
	req, err := http.NewRequestWithContext(t.Context(), "GET", server.URL+"/api/tasks", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", bearer)
	res, err := server.Client().Do(req)
	if err == nil {
		_, err = io.ReadAll(res.Body)
		_ = res.Body.Close()
	}
	if err == nil {
		t.Error("the answer looked complete")
	}
}
