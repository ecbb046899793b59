package account

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/host/embedded"
)

// clock is a time that a test moves.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)} }

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

var quiet = slog.New(slog.DiscardHandler)

// openNode opens the embedded host on dir.
func openNode(t testing.TB, dir string) *embedded.Node {
	t.Helper()
	node, err := embedded.Open(t.Context(), embedded.Options{Dir: dir, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := node.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return node
}

// site is a store behind its HTTP routes, as backend serves them, reached the way the door from outside does: a
// credential is exchanged for a JWT, and the request goes on with that.
type site struct {
	t        testing.TB
	store    *Store
	clock    *clock
	host     host.Host
	public   http.Handler
	internal http.Handler
}

func newSite(t testing.TB) *site {
	t.Helper()
	return siteOn(t, openNode(t, t.TempDir()).Host("backend"), newClock())
}

func siteOn(t testing.TB, h host.Host, c *clock) *site {
	t.Helper()
	s := New(Config{Now: c.now, Logger: quiet, SignUp: SignUpOpen}, h.State, h.Secrets)
	t.Cleanup(func() { s.Drain(context.WithoutCancel(t.Context())) })
	internal := http.NewServeMux()
	s.Internal(internal)
	st := &site{t: t, store: s, clock: c, host: h, internal: internal}

	private, open := http.NewServeMux(), http.NewServeMux()
	s.Routes(edge.NewAPI(private, "private"))
	s.OpenRoutes(edge.NewAPI(open, "open"))
	root := http.NewServeMux()
	root.Handle("/", st.verifier().Require(private))
	for _, pattern := range OpenPatterns {
		root.Handle(pattern, open)
	}
	st.public = edge.Handler(edge.HandlerOptions{Service: "backend", Logger: quiet}, root)
	return st
}

// verifier knows the keys that identities are signed with.
func (st *site) verifier() *edge.Verifier {
	return edge.NewVerifier(func(context.Context) (keys edge.PublicKeys, err error) {
		res := st.serve(st.internal, http.MethodGet, "/internal/keys", nil, "")
		return keys, json.Unmarshal(res.body, &keys)
	}, st.clock.now)
}

type response struct {
	status int
	header http.Header
	body   []byte
	cookie *http.Cookie
}

func (st *site) serve(h http.Handler, method, path string, header http.Header, body string) response {
	st.t.Helper()
	req := httptest.NewRequestWithContext(st.t.Context(), method, path, strings.NewReader(body))
	for name, values := range header {
		req.Header[name] = values
	}
	if body != "" && req.Header.Get("Content-Type") == "" {
		req.Header.Set("Content-Type", "application/json")
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, req)
	res := rec.Result()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		st.t.Fatal(err)
	}
	r := response{status: res.StatusCode, header: res.Header, body: bytes.TrimSpace(b)}
	if cookies := res.Cookies(); len(cookies) > 0 {
		r.cookie = cookies[0]
	}
	return r
}

// exchange asks for an identity; ok is false where that is refused with 401.
func (st *site) exchange(id edge.IdentityRequest) (jwt string, ok bool) {
	st.t.Helper()
	body, err := json.Marshal(id)
	if err != nil {
		st.t.Fatal(err)
	}
	res := st.serve(st.internal, http.MethodPost, "/internal/identity", nil, string(body))
	if res.status == http.StatusUnauthorized {
		return "", false
	}
	var answer edge.IdentityAnswer
	res.want(st.t, http.StatusOK, &answer)
	return answer.JWT, true
}

// call makes a request with a credential.
func (st *site) call(id edge.IdentityRequest, method, path, body string, header ...string) response {
	st.t.Helper()
	h := http.Header{}
	for i := 0; i < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	jwt, ok := st.exchange(id)
	if !ok {
		return response{status: http.StatusUnauthorized}
	}
	h.Set("Authorization", "Bearer "+jwt)
	return st.serve(st.public, method, path, h, body)
}

// want checks the status and decodes the body into v, unless that is nil.
func (r response) want(t testing.TB, status int, v any) {
	t.Helper()
	if r.status != status {
		t.Fatalf("status %d, want %d: %s", r.status, status, r.body)
	}
	if v == nil {
		return
	}
	if err := json.Unmarshal(r.body, v); err != nil {
		t.Fatalf("decode %s: %v", r.body, err)
	}
}

// wantProblem checks the status and code of a problem, and the field it names first, unless that is "".
func (r response) wantProblem(t testing.TB, status int, code, field string) {
	t.Helper()
	var p edge.Problem
	r.want(t, status, &p)
	if p.Code != code {
		t.Errorf("code %q, want %q: %s", p.Code, code, r.body)
	}
	if field != "" && (len(p.Errors) == 0 || p.Errors[0].Field != field) {
		t.Errorf("problem does not name %q: %s", field, r.body)
	}
}

// first makes the first user and returns it with its token.
func (st *site) first() (User, edge.IdentityRequest) {
	st.t.Helper()
	u, token, created, err := st.store.Bootstrap(st.t.Context(), "Me", "")
	if err != nil || !created {
		st.t.Fatalf("created %v, error %v", created, err)
	}
	return u, edge.IdentityRequest{Token: token}
}

// signIn makes a session of the user.
func (st *site) signIn(userID string) edge.IdentityRequest {
	st.t.Helper()
	code, err := st.store.NewSignInCode(st.t.Context(), userID)
	if err != nil {
		st.t.Fatal(err)
	}
	_, secret, err := st.store.SignIn(st.t.Context(), code, Browser{})
	if err != nil {
		st.t.Fatal(err)
	}
	return edge.IdentityRequest{Session: secret}
}

// withoutPassword makes a user as an administrator does, who has no password, and signs in as them.
func (st *site) withoutPassword(name string) (id string, session edge.IdentityRequest) {
	st.t.Helper()
	u, err := st.store.newUser(name)
	if err != nil {
		st.t.Fatal(err)
	}
	if _, err := st.store.createUser(st.t.Context(), u); err != nil {
		st.t.Fatal(err)
	}
	return u.ID, st.signIn(u.ID)
}

// item reads a row as it is.
func (st *site) item(key string) host.Item {
	st.t.Helper()
	it, err := st.host.State.Get(st.t.Context(), key)
	if err != nil {
		st.t.Fatal(err)
	}
	return it
}

// drain waits for the last uses being noted.
func (st *site) drain() { st.store.background.Wait() }

// atOnce runs do(0) to do(n-1), which start together, and waits for them.
func atOnce(n int, do func(i int)) {
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-start
			do(i)
		})
	}
	close(start)
	wg.Wait()
}

// replicas returns n more sites on the same state.
func (st *site) replicas(n int) []*site {
	st.t.Helper()
	sites := make([]*site, n)
	for i := range sites {
		sites[i] = siteOn(st.t, st.host, st.clock)
		sites[i].store.publicURL, sites[i].store.providers = st.store.publicURL, st.store.providers
	}
	return sites
}
