package account

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/host"
)

func TestTokens(t *testing.T) {
	st := newSite(t)
	_, me := st.first()
	var made NewTokenAnswer
	st.call(me, http.MethodPost, "/api/tokens", `{"name":"phone","scope":"read"}`).want(t, http.StatusCreated, &made)
	if !strings.HasPrefix(made.Secret, "dkt_") || len(made.Secret) != 4+43 {
		t.Errorf("token %d characters long", len(made.Secret))
	}
	phone := edge.IdentityRequest{Token: made.Secret}
	st.call(phone, http.MethodGet, "/api/me", "").want(t, http.StatusOK, nil)
	st.call(phone, http.MethodPost, "/api/tokens", `{"name":"more","scope":"write"}`).want(t, http.StatusForbidden, nil)
	p, err := st.store.Principal(t.Context(), phone)
	if err != nil {
		t.Fatal(err)
	}
	if p.Actor != (edge.Actor{Kind: "token", ID: made.ID, Name: "phone"}) || p.Session != made.ID || p.Scope != edge.ScopeRead {
		t.Errorf("%+v", p)
	}
	st.drain()
	var list []Token
	st.call(me, http.MethodGet, "/api/tokens", "").want(t, http.StatusOK, &list)
	if len(list) != 2 || list[1].Name != "phone" || list[1].LastUsedAt == nil || !list[1].LastUsedAt.Equal(st.clock.now()) {
		t.Errorf("%+v", list)
	}

	var ended []string
	st.store.OnSignOut(func(id string) { ended = append(ended, id) })
	st.call(me, http.MethodDelete, "/api/tokens/"+made.ID, "").want(t, http.StatusNoContent, nil)
	if _, ok := st.exchange(phone); ok {
		t.Error("a revoked token is exchanged")
	}
	if len(ended) != 1 || ended[0] != made.ID {
		t.Errorf("told to end %v", ended)
	}
	st.call(me, http.MethodDelete, "/api/tokens/"+made.ID, "").wantProblem(t, http.StatusNotFound, "not_found", "")
	st.call(me, http.MethodDelete, "/api/tokens/"+list[0].ID, "").want(t, http.StatusNoContent, nil) // the one in use
	if _, ok := st.exchange(me); ok {
		t.Error("the token that revoked itself is exchanged")
	}
}

func TestTokenRequestIsChecked(t *testing.T) {
	st := newSite(t)
	_, me := st.first()
	for body, field := range map[string]string{
		`{"scope":"read"}`:                                                     "name",
		`{"name":"","scope":"read"}`:                                           "name",
		`{"name":"x "}`:                                                        "scope",
		`{"name":"x ","scope":"read"}`:                                         "name",
		`{"name":"x","scope":"all"}`:                                           "scope",
		`{"name":"x","scope":"read","id":"y"}`:                                 "id",
		`{"name":"x","scope":"read","expires_at":"soon"}`:                      "expires_at",
		`{"name":"x","scope":"read","expires_at":"2026-03-01T09:00:00Z"}`:      "expires_at",
		`{"name":"x","scope":"read","expires_at":"9999-12-31T23:59:59-01:00"}`: "expires_at",
	} {
		st.call(me, http.MethodPost, "/api/tokens", body).wantProblem(t, http.StatusBadRequest, "validation_failed", field)
	}
}

func TestTokenExpires(t *testing.T) {
	st := newSite(t)
	_, me := st.first()
	var made NewTokenAnswer
	st.call(me, http.MethodPost, "/api/tokens", `{"name":"short","scope":"write","expires_at":"2026-03-01T10:00:00+00:00"}`).want(t, http.StatusCreated, &made)
	short := edge.IdentityRequest{Token: made.Secret}
	st.clock.advance(time.Hour - time.Millisecond)
	if _, ok := st.exchange(short); !ok {
		t.Error("refused before it expires")
	}
	st.clock.advance(time.Millisecond)
	if _, ok := st.exchange(short); ok {
		t.Error("exchanged when it has expired")
	}
	var list []Token
	st.call(me, http.MethodGet, "/api/tokens", "").want(t, http.StatusOK, &list)
	if len(list) != 1 {
		t.Errorf("%d tokens listed, want the one that has not expired", len(list))
	}
}

// Tokens made at once on several replicas all count, and the limit holds.
func TestTokenLimit(t *testing.T) {
	st := newSite(t)
	u, me := st.first()
	var made atomic.Int32
	workers := st.replicas(4)
	atOnce(len(workers), func(worker int) {
		for i := range 30 {
			_, _, err := workers[worker].store.NewToken(t.Context(), u.ID, TokenRequest{Name: fmt.Sprintf("%d-%d", worker, i), Scope: edge.ScopeRead})
			switch {
			case err == nil:
				made.Add(1)
			case !errors.Is(err, ErrTooManyTokens):
				t.Error(err)
			}
		}
	})
	if made.Load() != MaxTokens-1 {
		t.Errorf("made %d tokens beside the first, want %d", made.Load(), MaxTokens-1)
	}
	var list []Token
	st.call(me, http.MethodGet, "/api/tokens", "").want(t, http.StatusOK, &list)
	if len(list) != MaxTokens {
		t.Errorf("%d tokens listed, want %d", len(list), MaxTokens)
	}
	st.call(me, http.MethodPost, "/api/tokens", `{"name":"one more","scope":"read"}`).wantProblem(t, http.StatusConflict, "too_many_tokens", "")
}

// The last use is written at most once an hour, and never brings back what was revoked meanwhile.
func TestLastUseIsCoarse(t *testing.T) {
	st := newSite(t)
	u, me := st.first()
	key := tokenKey(hash(me.Token))
	use := func() host.Item {
		t.Helper()
		if _, ok := st.exchange(me); !ok {
			t.Fatal("refused")
		}
		st.drain()
		return st.item(key)
	}
	first := use()
	st.clock.advance(touchEvery - time.Second)
	if second := use(); second.ETag != first.ETag {
		t.Error("written twice in an hour")
	}
	st.clock.advance(time.Second)
	third := use()
	if third.ETag == first.ETag {
		t.Error("not written after an hour")
	}
	list, err := st.store.Tokens(t.Context(), u.ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := st.store.DeleteToken(t.Context(), u.ID, list[0].ID); err != nil {
		t.Fatal(err)
	}
	st.store.touch(t.Context(), host.Replace(key, third.Value, third.ETag))
	st.drain()
	if st.item(key).Exists() {
		t.Error("noting a use brought a revoked token back")
	}
}

// Of several who redeem one code at once, on several replicas, one is signed in.
func TestCodeWorksOnce(t *testing.T) {
	st := newSite(t)
	u, _ := st.first()
	code, err := st.store.NewSignInCode(t.Context(), u.ID)
	if err != nil {
		t.Fatal(err)
	}
	var in, refused atomic.Int32
	browsers := st.replicas(8)
	atOnce(len(browsers), func(i int) {
		// No zone is sent: the code is all that could conflict.
		switch res := browsers[i].serve(browsers[i].public, http.MethodPost, "/api/session", nil, `{"code":"`+code+`"}`); res.status {
		case http.StatusCreated:
			in.Add(1)
		case http.StatusBadRequest:
			refused.Add(1)
		default:
			t.Errorf("%d %s", res.status, res.body)
		}
	})
	if in.Load() != 1 || refused.Load() != 7 {
		t.Errorf("%d signed in, %d refused", in.Load(), refused.Load())
	}
}

func TestCodeExpires(t *testing.T) {
	st := newSite(t)
	u, _ := st.first()
	for _, c := range []struct {
		after time.Duration
		want  error
	}{{CodeLife - time.Millisecond, nil}, {CodeLife, ErrBadCode}} {
		code, err := st.store.NewSignInCode(t.Context(), u.ID)
		if err != nil {
			t.Fatal(err)
		}
		st.clock.advance(c.after)
		if _, _, err := st.store.SignIn(t.Context(), code, Browser{}); !errors.Is(err, c.want) {
			t.Errorf("after %v: %v, want %v", c.after, err, c.want)
		}
	}
	st.serve(st.public, http.MethodPost, "/api/session", nil, `{"code":"made up"}`).wantProblem(t, http.StatusBadRequest, "invalid_code", "")
	if _, err := st.store.NewSignInCode(t.Context(), "nobody"); !errors.Is(err, ErrNoUser) {
		t.Errorf("a code for nobody: %v", err)
	}
}

// The browser's zone is taken at the first sign-in, and leaves alone what somebody chose.
func TestSignInBringsTheZone(t *testing.T) {
	st := newSite(t)
	u, me := st.first()
	for _, step := range []struct{ browser, chosen, want string }{
		{browser: "Mars/Olympus", want: "UTC"},
		{browser: "Europe/Rome", want: "Europe/Rome"},
		{browser: "Asia/Tokyo", want: "Europe/Rome"},
		{browser: "Asia/Tokyo", chosen: "UTC", want: "UTC"},
	} {
		if step.chosen != "" {
			st.call(me, http.MethodPatch, "/api/me", `{"time_zone":"`+step.chosen+`"}`).want(t, http.StatusOK, nil)
		}
		code, err := st.store.NewSignInCode(t.Context(), u.ID)
		if err != nil {
			t.Fatal(err)
		}
		var answer struct{ User User }
		body := `{"code":"` + code + `","time_zone":"` + step.browser + `"}`
		st.serve(st.public, http.MethodPost, "/api/session", nil, body).want(t, http.StatusCreated, &answer)
		if answer.User.TimeZone != step.want {
			t.Errorf("%+v: zone %s", step, answer.User.TimeZone)
		}
	}
}

func TestSession(t *testing.T) {
	for _, c := range []struct {
		proto, name string
		secure      bool
	}{{"", PlainCookie, false}, {"http", PlainCookie, false}, {"https", SecureCookie, true}, {"HTTPS, http", SecureCookie, true}} {
		st := newSite(t)
		_, me := st.first()
		var link SignInCode
		st.call(me, http.MethodPost, "/api/session/link", "").want(t, http.StatusCreated, &link)
		if !link.ExpiresAt.Equal(st.clock.now().Add(CodeLife)) {
			t.Errorf("code expires at %v", link.ExpiresAt)
		}
		res := st.serve(st.public, http.MethodPost, "/api/session", http.Header{"X-Forwarded-Proto": {c.proto}}, `{"code":"`+link.Code+`"}`)
		res.want(t, http.StatusCreated, nil)
		k := res.cookie
		if k.Name != c.name || k.Secure != c.secure || !k.HttpOnly || k.SameSite != http.SameSiteLaxMode || k.Path != "/" || k.Domain != "" || k.MaxAge < 30*24*3600 {
			t.Errorf("%q: cookie %s", c.proto, k)
		}
		req := &http.Request{Header: http.Header{"X-Forwarded-Proto": {c.proto}}}
		req.AddCookie(k)
		browser := edge.IdentityRequest{Session: SessionCookie(req)}
		p, err := st.store.Principal(t.Context(), browser)
		if err != nil {
			t.Fatal(err)
		}
		if p.Actor != (edge.Actor{Kind: "user", ID: p.UserID, Name: "Me"}) || !p.Admin {
			t.Errorf("%+v", p)
		}

		var ended []string
		st.store.OnSignOut(func(id string) { ended = append(ended, id) })
		out := st.call(browser, http.MethodDelete, "/api/session", "", "X-Forwarded-Proto", c.proto)
		out.want(t, http.StatusNoContent, nil)
		if out.cookie.Name != c.name || out.cookie.MaxAge >= 0 || out.cookie.Value != "" {
			t.Errorf("%q: sign-out sets %s", c.proto, out.cookie)
		}
		if len(ended) != 1 || ended[0] != p.Session {
			t.Errorf("told to end %v, want %s", ended, p.Session)
		}
		if _, ok := st.exchange(browser); ok {
			t.Error("a session signed out is exchanged")
		}
		st.call(me, http.MethodDelete, "/api/session", "").wantProblem(t, http.StatusBadRequest, "no_session", "")
	}
}

// A planted cookie without the prefix does not count where the browser speaks TLS.
func TestPlainCookieDoesNotCountOverTLS(t *testing.T) {
	req := &http.Request{Header: http.Header{"X-Forwarded-Proto": {"https"}, "Cookie": {PlainCookie + "=planted"}}}
	if got := SessionCookie(req); got != "" {
		t.Errorf("took %q", got)
	}
	req.Header.Add("Cookie", SecureCookie+"=own")
	for _, proto := range []string{"https", "http", ""} { // which a proxy that ends TLS may not tell
		req.Header.Set("X-Forwarded-Proto", proto)
		if got := SessionCookie(req); got != "own" {
			t.Errorf("proto %q: took %q", proto, got)
		}
	}
}

// A session lasts thirty days from when it was last used.
func TestSessionRolls(t *testing.T) {
	st := newSite(t)
	u, _ := st.first()
	browser := st.signIn(u.ID)
	for range 3 {
		st.clock.advance(29 * 24 * time.Hour)
		if _, ok := st.exchange(browser); !ok {
			t.Fatal("a session in use has ended")
		}
		st.drain()
	}
	st.clock.advance(SessionLife)
	if _, ok := st.exchange(browser); ok {
		t.Error("a session unused for thirty days is exchanged")
	}
}

func TestNoIdentity(t *testing.T) {
	st := newSite(t)
	u, me := st.first()
	browser := st.signIn(u.ID)
	for _, id := range []edge.IdentityRequest{
		{}, {Token: "x"}, {Token: "dkt_x"}, {Session: "x"}, {Token: browser.Session}, {Session: me.Token},
		{Token: "dkt_x", Session: browser.Session}, {Session: hash(browser.Session)}, {Token: "dkt_" + hash(me.Token)},
	} {
		if _, err := st.store.Principal(t.Context(), id); !errors.Is(err, ErrNoIdentity) {
			t.Errorf("%v: %v", id, err)
		}
	}
	for body, status := range map[string]int{
		`{`: 400, `[]`: 400, `{"token":1}`: 400, `{"token":"x","token":"y"}`: 400, "{\"token\":\"\xff\"}": 400, `{}`: 401,
		`{"token":"` + strings.Repeat("x", maxIdentityRequest) + `"}`: 413,
	} {
		st.serve(st.internal, http.MethodPost, "/internal/identity", nil, body).want(t, status, nil)
	}
	st.serve(st.public, http.MethodGet, "/api/me", nil, "").want(t, http.StatusUnauthorized, nil)
}

// What signs webhooks is not shown to a token that may only read.
func TestReadTokenDoesNotSeeSecrets(t *testing.T) {
	st := newSite(t)
	u, me := st.first()
	st.call(me, http.MethodPatch, "/api/me", `{"channels":{"webhook":{"url":"https://example.org/"}}}`).want(t, http.StatusOK, nil)
	_, secret, err := st.store.NewToken(t.Context(), u.ID, TokenRequest{Name: "r", Scope: edge.ScopeRead})
	if err != nil {
		t.Fatal(err)
	}
	res := st.call(edge.IdentityRequest{Token: secret}, http.MethodGet, "/api/me", "")
	res.want(t, http.StatusOK, nil)
	if !bytes.Contains(res.body, []byte("https://example.org/")) || bytes.Contains(res.body, []byte(webhookSecretPrefix)) {
		t.Errorf("%s", res.body)
	}
	var full User
	st.call(me, http.MethodGet, "/api/me", "").want(t, http.StatusOK, &full)
	if checkWebhookSecret(full.Channels.Webhook.Secret) != nil {
		t.Error("the owner does not see the secret")
	}
}

// No credential can be read from the disk.
func TestCredentialsAreNotStored(t *testing.T) {
	dir := t.TempDir()
	st := siteOn(t, openNode(t, dir).Host("backend"), newClock())
	u, me := st.first()
	code, err := st.store.NewSignInCode(t.Context(), u.ID)
	if err != nil {
		t.Fatal(err)
	}
	browser := st.signIn(u.ID)
	_, token, err := st.store.NewToken(t.Context(), u.ID, TokenRequest{Name: "t", Scope: edge.ScopeWrite})
	if err != nil {
		t.Fatal(err)
	}
	var disk []byte
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		disk = append(disk, b...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, secret := range map[string]string{"first token": me.Token, "token": token, "code": code, "session": browser.Session} {
		if !bytes.Contains(disk, []byte(hash(secret))) {
			t.Errorf("the hash of the %s is not on the disk: the test does not see the data", name)
		}
		if bytes.Contains(disk, []byte(strings.TrimPrefix(secret, tokenPrefix))) {
			t.Errorf("the %s is on the disk in clear", name)
		}
	}
}
