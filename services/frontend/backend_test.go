package frontend_test

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/services/frontend"
)

// inside plays the services behind the door over real HTTP: backend's identity exchange and keys, and for every
// other path a handler that verifies the JWT as every service does and then runs answer.
type inside struct {
	server   *httptest.Server
	answer   http.HandlerFunc // may be replaced before a request
	now      func() time.Time
	mu       sync.Mutex
	issuer   *edge.Issuer
	valid    map[string]string // credential → user id
	down     bool              // the exchange answers 503
	exchange int               // calls of the exchange
	verifier *edge.Verifier
	wait     chan struct{} // if set, the exchange waits for it
}

func newInside(t testing.TB, now func() time.Time) *inside {
	t.Helper()
	s := &inside{now: now, valid: map[string]string{"good-token": "ann", "good-session": "ann"}}
	s.rotate(t, "one")
	s.answer = func(w http.ResponseWriter, r *http.Request) {
		seen := echo{Service: r.Host, Method: r.Method, Path: r.URL.EscapedPath(), Query: r.URL.RawQuery, Header: r.Header}
		if p, ok := edge.PrincipalOf(r.Context()); ok {
			seen.User = p.UserID
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			edge.WriteProblem(w, r, err)
			return
		}
		seen.Body = len(body)
		_ = json.NewEncoder(w).Encode(seen)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /internal/identity", s.identity)
	mux.HandleFunc("GET /internal/keys", func(w http.ResponseWriter, _ *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		_ = json.NewEncoder(w).Encode(s.issuer.PublicKeys())
	})
	for _, open := range []string{"POST /api/session", "GET /api/session/options", "POST /api/accounts", "POST /api/password/reset",
		"POST /api/session/openid/start", "POST /api/session/openid/finish", "POST /api/session/passkey/start", "POST /api/session/passkey/finish"} {
		mux.HandleFunc(open, func(w http.ResponseWriter, r *http.Request) { s.answer(w, r) })
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.verifier.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.answer(w, r) })).ServeHTTP(w, r)
	})
	s.server = httptest.NewServer(mux)
	t.Cleanup(s.server.Close)
	s.verifier = edge.NewVerifier(edge.BackendKeys(s.client("backend")), now)
	return s
}

// echo is what a service saw of a request.
type echo struct {
	Service, Method, Path, Query, User string
	Header                             http.Header
	Body                               int
}

func (s *inside) identity(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.exchange++
	wait := s.wait
	s.mu.Unlock()
	if wait != nil {
		<-wait
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var req edge.IdentityRequest
	if err := json.NewDecoder(r.Body).Decode(&req); err != nil || s.down {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	user, ok := s.valid[req.Token+req.Session]
	if !ok {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	scope := edge.ScopeWrite
	if strings.HasPrefix(req.Token, "read-") {
		scope = edge.ScopeRead
	}
	token, expires, err := s.issuer.Issue(edge.Principal{UserID: user, Scope: scope})
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	_ = json.NewEncoder(w).Encode(edge.IdentityAnswer{JWT: token, Expires: expires, UserID: user})
}

// rotate replaces the signing key at once, as a lost key would be.
func (s *inside) rotate(t testing.TB, kid string) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.issuer = edge.NewIssuer([]edge.SigningKey{{KID: kid, Private: private}}, s.now)
}

func (s *inside) revoke(credential string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.valid, credential)
}

func (s *inside) exchanges() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.exchange
}

// client reaches the server whatever service the address names, as a host's does.
func (s *inside) client(string) *http.Client {
	var d net.Dialer
	t := &http.Transport{MaxIdleConnsPerHost: 64}
	t.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return d.DialContext(ctx, network, s.server.Listener.Addr().String())
	}
	return &http.Client{Transport: t}
}

// door returns the service's handler in front of s.
func (s *inside) door(t testing.TB, change ...func(*frontend.Config)) http.Handler {
	t.Helper()
	cfg := frontend.Config{Now: s.now, Logger: slog.New(slog.DiscardHandler), Build: frontend.Build{Version: "1.2.3", Commit: "c0ffee", Go: "go1.26.4"}, Static: fstest.MapFS{
		"index.html":       {Data: []byte("<!doctype html><title>docket</title>")},
		"assets/app-1a.js": {Data: []byte(strings.Repeat("console.log(1)\n", 200))},
		"sw.js":            {Data: []byte("self.addEventListener('push', () => {})")}, "icon-192.png": {Data: []byte("\x89PNG\r\n")},
		"manifest.webmanifest": {Data: []byte(`{"start_url":"/today"}`)},
	}}
	for _, c := range change {
		c(&cfg)
	}
	service, err := frontend.New(cfg, host.Host{Client: s.client})
	if err != nil {
		t.Fatal(err)
	}
	return service.Public
}

// clock is a time that tests move by hand.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Date(2026, 3, 31, 9, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// send makes a request; header holds names and values in turn.
func send(h http.Handler, method, target, body string, header ...string) *http.Response {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if body == "" {
		r = httptest.NewRequest(method, target, nil)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func seen(t *testing.T, res *http.Response) echo {
	t.Helper()
	if res.StatusCode != http.StatusOK {
		t.Fatalf("status = %d, want 200: %s", res.StatusCode, read(t, res))
	}
	var e echo
	if err := json.NewDecoder(res.Body).Decode(&e); err != nil {
		t.Fatal(err)
	}
	return e
}

func read(t *testing.T, res *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// code returns the code of the problem that res holds.
func code(t *testing.T, res *http.Response) string {
	t.Helper()
	body := read(t, res)
	var p edge.Problem
	if err := json.Unmarshal([]byte(body), &p); err != nil || res.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("answer %d is no problem: %q", res.StatusCode, body)
	}
	return p.Code
}

const bearer = "Bearer good-token"
