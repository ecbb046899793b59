package edge_test

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"github.com/docket-tasks/docket/edge"
)

func newKey(t testing.TB, kid string) edge.SigningKey {
	t.Helper()
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return edge.SigningKey{KID: kid, Private: private}
}

// backend publishes the keys of an issuer that tests replace, and counts how often it is asked.
type backend struct {
	issuer  atomic.Pointer[edge.Issuer]
	failing atomic.Bool
	asked   atomic.Int64
	at      atomic.Int64 // seconds since start
}

var start = time.Date(2026, 3, 31, 9, 0, 0, 0, time.UTC)

func newBackend(keys ...edge.SigningKey) *backend {
	b := &backend{}
	b.use(keys...)
	return b
}

func (b *backend) now() time.Time              { return start.Add(time.Duration(b.at.Load()) * time.Second) }
func (b *backend) use(keys ...edge.SigningKey) { b.issuer.Store(edge.NewIssuer(keys, b.now)) }

func (b *backend) keys(context.Context) (edge.PublicKeys, error) {
	b.asked.Add(1)
	if b.failing.Load() {
		return edge.PublicKeys{}, errors.New("connection refused")
	}
	return b.issuer.Load().PublicKeys(), nil
}

func (b *backend) issue(t testing.TB, p edge.Principal) string {
	t.Helper()
	token, _, err := b.issuer.Load().Issue(p)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

var ann = edge.Principal{
	UserID: "ann", Actor: edge.Actor{Kind: "token", ID: "t1", Name: "laptop"}, Admin: true, Scope: edge.ScopeWrite, Session: "t1",
}

// TestIdentityGoesRound issues, verifies and reads back every field, over the keys as JSON.
func TestIdentityGoesRound(t *testing.T) {
	b := newBackend(newKey(t, "one"))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(b.issuer.Load().PublicKeys())
	}))
	defer server.Close()
	client := &http.Client{Transport: redirectTo(server)}
	token, expires, err := b.issuer.Load().Issue(ann)
	if err != nil || expires != start.Add(time.Minute) {
		t.Fatalf("Issue expires %v, %v; want a minute from now", expires, err)
	}
	got, err := edge.NewVerifier(edge.BackendKeys(client), b.now).Verify(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(ann, got); diff != "" {
		t.Errorf("principal differs (-want +got):\n%s", diff)
	}
}

// redirectTo sends every request to server, whatever host it names.
func redirectTo(server *httptest.Server) http.RoundTripper {
	return roundTrip(func(r *http.Request) (*http.Response, error) {
		r = r.Clone(r.Context())
		r.URL.Host = server.Listener.Addr().String()
		return http.DefaultTransport.RoundTrip(r)
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestForgedTokens signs, or does not sign, what an attacker might.
func TestForgedTokens(t *testing.T) {
	key := newKey(t, "one")
	b := newBackend(key)
	good := b.issue(t, ann)
	valid := func() jwt.MapClaims {
		return jwt.MapClaims{"iss": "docket", "aud": "docket", "sub": "ann", "scope": "write", "exp": start.Unix() + 30, "nbf": start.Unix()}
	}
	sign := func(method jwt.SigningMethod, secret any, kid string, change jwt.MapClaims) string {
		c := valid()
		maps.Copy(c, change)
		token := jwt.NewWithClaims(method, c)
		token.Header["kid"] = kid
		s, err := token.SignedString(secret)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	ours := func(change jwt.MapClaims) string { return sign(jwt.SigningMethodEdDSA, key.Private, "one", change) }
	public := []byte(key.Private.Public().(ed25519.PublicKey))
	parts := strings.Split(good, ".")
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","kid":"one"}`))
	tokens := map[string]string{
		"alg none":             sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, "one", nil),
		"alg none, signature":  none + "." + parts[1] + "." + parts[2],
		"HS256 by public key":  sign(jwt.SigningMethodHS256, public, "one", nil),
		"HS256 by JWK's x":     sign(jwt.SigningMethodHS256, []byte(base64.RawURLEncoding.EncodeToString(public)), "one", nil),
		"another key":          sign(jwt.SigningMethodEdDSA, newKey(t, "one").Private, "one", nil),
		"unknown kid":          sign(jwt.SigningMethodEdDSA, key.Private, "two", nil),
		"empty kid":            sign(jwt.SigningMethodEdDSA, key.Private, "", nil),
		"expired":              ours(jwt.MapClaims{"exp": start.Unix() - 35}),
		"not yet valid":        ours(jwt.MapClaims{"nbf": start.Unix() + 36}),
		"no expiry":            ours(jwt.MapClaims{"exp": nil}),
		"an hour":              ours(jwt.MapClaims{"exp": start.Unix() + 3600}),
		"other issuer":         ours(jwt.MapClaims{"iss": "docked"}),
		"other audience":       ours(jwt.MapClaims{"aud": "elsewhere"}),
		"nobody":               ours(jwt.MapClaims{"sub": ""}),
		"no scope":             ours(jwt.MapClaims{"scope": ""}),
		"made-up scope":        ours(jwt.MapClaims{"scope": "all"}),
		"wrong types":          ours(jwt.MapClaims{"sub": 7}),
		"changed claims":       parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"bob","scope":"write","exp":4102444800}`)) + "." + parts[2],
		"no signature":         parts[0] + "." + parts[1] + ".",
		"two parts":            parts[0] + "." + parts[1],
		"a fourth part":        good + ".x",
		"a trailing character": good + "=",
		"nothing":              "",
		"garbage":              "\x00\xff..",
		"long":                 strings.Repeat("a", 1<<20),
	}
	v := edge.NewVerifier(b.keys, b.now)
	if _, err := v.Verify(t.Context(), ours(nil)); err != nil {
		t.Fatalf("the token that the others are made from: %v", err)
	}
	for name, token := range tokens {
		p, err := v.Verify(t.Context(), token)
		if problem, ok := errors.AsType[*edge.Problem](err); !ok || problem.Status != http.StatusUnauthorized {
			t.Errorf("%s: principal %v, error %v; want a 401", name, p, err)
		}
	}
}

// TestVerifiedTokensExpire accepts a token until the second in which it has expired by every clock that may be.
func TestVerifiedTokensExpire(t *testing.T) {
	b := newBackend(newKey(t, "one"))
	v := edge.NewVerifier(b.keys, b.now)
	token := b.issue(t, ann)
	for _, at := range []int64{0, 30, 59, 94} {
		b.at.Store(at)
		if _, err := v.Verify(t.Context(), token); err != nil {
			t.Errorf("after %d s: %v", at, err)
		}
	}
	b.at.Store(95)
	if _, err := v.Verify(t.Context(), token); err == nil {
		t.Error("after 95 s it was still accepted")
	}
}

// TestRotation replaces keys in the way Issuer describes, and without notice.
func TestRotation(t *testing.T) {
	one, two, three := newKey(t, "one"), newKey(t, "two"), newKey(t, "three")
	b := newBackend(one)
	v := edge.NewVerifier(b.keys, b.now)
	accept := func(what, token string, want bool) {
		t.Helper()
		if _, err := v.Verify(t.Context(), token); (err == nil) != want {
			t.Errorf("%s: error %v, want accepted %v", what, err, want)
		}
	}
	accept("first key", b.issue(t, ann), true)
	b.use(one, two)
	b.at.Add(10)
	b.use(two, one)
	accept("second key, unknown so far", b.issue(t, ann), true)
	if n := b.asked.Load(); n != 2 {
		t.Errorf("keys were fetched %d times, want 2", n)
	}
	b.use(three)
	accept("third key, a moment later", b.issue(t, ann), false)
	b.at.Add(2)
	accept("third key", b.issue(t, ann), true)
	b.use(one)
	lost := b.issue(t, ann)
	b.use(three)
	b.at.Add(2)
	accept("a withdrawn key", lost, false)
}

// TestMadeUpKeysDoNotFlood counts what tokens naming random keys cost the backend.
func TestMadeUpKeysDoNotFlood(t *testing.T) {
	b := newBackend(newKey(t, "one"))
	v := edge.NewVerifier(b.keys, b.now)
	for i := range 500 {
		forged := newBackend(newKey(t, fmt.Sprint("made-up-", i)))
		if _, err := v.Verify(t.Context(), forged.issue(t, ann)); err == nil {
			t.Fatal("a made-up key was accepted")
		}
	}
	if n := b.asked.Load(); n != 1 {
		t.Errorf("the backend was asked %d times within a second, want once", n)
	}
}

// TestKeysAway distinguishes not knowing (503, try again) from a refusal (401), and recovers.
func TestKeysAway(t *testing.T) {
	b := newBackend(newKey(t, "one"))
	b.failing.Store(true)
	v := edge.NewVerifier(b.keys, b.now)
	_, err := v.Verify(t.Context(), b.issue(t, ann))
	p, ok := errors.AsType[*edge.Problem](err)
	if !ok || p.Status != http.StatusServiceUnavailable || p.GetHeaders().Get("Retry-After") == "" || strings.Contains(p.Detail, "refused") {
		t.Errorf("error = %v, want a 503 with Retry-After that does not tell the cause", err)
	}
	b.failing.Store(false)
	b.at.Add(2)
	if _, err := v.Verify(t.Context(), b.issue(t, ann)); err != nil {
		t.Errorf("after the outage: %v", err)
	}
}

// TestIssueRefuses signs no incomplete identity, and nothing without a key.
func TestIssueRefuses(t *testing.T) {
	now := func() time.Time { return start }
	for name, c := range map[string]struct {
		keys []edge.SigningKey
		p    edge.Principal
	}{
		"no key":    {nil, ann},
		"short key": {[]edge.SigningKey{{KID: "one", Private: ed25519.PrivateKey("short")}}, ann},
		"nobody":    {[]edge.SigningKey{newKey(t, "one")}, edge.Principal{Scope: "read"}},
		"no scope":  {[]edge.SigningKey{newKey(t, "one")}, edge.Principal{UserID: "ann"}},
	} {
		if token, _, err := edge.NewIssuer(c.keys, now).Issue(c.p); err == nil {
			t.Errorf("%s: issued %s", name, token)
		}
	}
}

// TestRequire lets through whom it should, with the principal in the context, whether or not a Handler is in front.
func TestRequire(t *testing.T) {
	b := newBackend(newKey(t, "one"))
	v := edge.NewVerifier(b.keys, b.now)
	bare := v.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, ok := edge.PrincipalOf(r.Context())
		if !ok {
			t.Error("no principal in the context")
		}
		_, _ = fmt.Fprint(w, p.UserID)
	}))
	reader := ann
	reader.Scope = edge.ScopeRead
	write, read := "Bearer "+b.issue(t, ann), "Bearer "+b.issue(t, reader)
	for name, h := range map[string]http.Handler{"bare": bare, "behind Handler": edge.Handler(edge.HandlerOptions{Service: "x", Logger: slog.New(slog.DiscardHandler)}, bare)} {
		for _, tt := range []struct {
			method, header string
			status         int
		}{
			{"GET", write, 200}, {"POST", write, 200}, {"GET", read, 200}, {"HEAD", read, 200},
			{"POST", read, 403}, {"PUT", read, 403}, {"PATCH", read, 403}, {"DELETE", read, 403}, {"PROPFIND", read, 403},
			{"GET", "", 401}, {"GET", "Bearer x", 401}, {"GET", strings.TrimPrefix(write, "Bearer "), 401}, {"GET", "Basic " + write[7:], 401},
		} {
			res := send(h, tt.method, "/", "", "Authorization", tt.header)
			if res.StatusCode != tt.status {
				t.Errorf("%s: %s with %.9q = %d, want %d", name, tt.method, tt.header, res.StatusCode, tt.status)
			}
			if tt.status != 200 {
				problem(t, res)
			}
		}
	}
}

// TestPrincipalIsNotInherited calls one service from another in the same process, with the caller's context.
func TestPrincipalIsNotInherited(t *testing.T) {
	callee := edge.Handler(edge.HandlerOptions{Service: "callee", Logger: slog.New(slog.DiscardHandler)}, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if p, ok := edge.PrincipalOf(r.Context()); ok {
			t.Errorf("the callee sees the caller's principal %v", p)
		}
	}))
	r := httptest.NewRequest("GET", "/internal/x", nil)
	callee.ServeHTTP(httptest.NewRecorder(), r.WithContext(edge.WithPrincipal(t.Context(), ann)))
}

// FuzzVerify feeds anything as a token: none is accepted, none crashes.
func FuzzVerify(f *testing.F) {
	b := newBackend(newKey(f, "one"))
	good := b.issue(f, ann)
	f.Add(good + "x")
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Add("..")
	f.Add(strings.Replace(good, ".", "..", 1))
	v := edge.NewVerifier(b.keys, b.now)
	f.Fuzz(func(t *testing.T, token string) {
		if p, err := v.Verify(t.Context(), token); err == nil && token != good {
			t.Errorf("%q was accepted for %v", token, p)
		}
	})
}

func BenchmarkVerifyKnown(b *testing.B) {
	k := newBackend(newKey(b, "one"))
	v := edge.NewVerifier(k.keys, k.now)
	token := k.issue(b, ann)
	for b.Loop() {
		if _, err := v.Verify(b.Context(), token); err != nil {
			b.Fatal(err)
		}
	}
}
