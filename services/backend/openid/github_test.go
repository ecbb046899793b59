package openid_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/docket-tasks/docket/services/backend/openid"
)

// octocat answers as GitHub documents that it does: it has no program of its own that a test could run.
type octocat struct {
	challenges map[string]string // by code, which works once
	user       string
	emails     string
	down       bool
}

func (o *octocat) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer := func(status int, body string) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
	switch known := r.Header.Get("Authorization") == "Bearer gho_1"; {
	case o.down:
		answer(http.StatusServiceUnavailable, `{"message":"Service unavailable"}`)
	case r.Method == http.MethodPost && r.URL.Path == "/login/oauth/access_token":
		challenge, ok := o.challenges[r.PostFormValue("code")]
		delete(o.challenges, r.PostFormValue("code"))
		switch {
		case r.PostFormValue("client_id") != "docket" || r.PostFormValue("client_secret") != "secret":
			answer(http.StatusOK, `{"error":"incorrect_client_credentials"}`)
		case !ok || oauth2.S256ChallengeFromVerifier(r.PostFormValue("code_verifier")) != challenge:
			answer(http.StatusOK, `{"error":"bad_verification_code"}`)
		default:
			answer(http.StatusOK, `{"access_token":"gho_1","scope":"read:user,user:email","token_type":"bearer"}`)
		}
	case known && r.URL.Path == "/api/v3/user":
		answer(http.StatusOK, o.user)
	case known && r.URL.Path == "/api/v3/user/emails":
		answer(http.StatusOK, o.emails)
	default:
		answer(http.StatusNotFound, `{"message":"Not Found"}`)
	}
}

// visit is docket and a GitHub Enterprise Server that knows it.
type visit struct {
	*testing.T
	there  *octocat
	here   *openid.Provider
	issuer string
	secret string
}

func newVisit(t *testing.T) *visit {
	t.Helper()
	v := &visit{T: t, secret: "secret", there: &octocat{
		challenges: map[string]string{}, user: `{"login":"ada","id":583231,"name":"Ada Lovelace"}`,
		emails: `[{"email":"old@example.org","primary":false,"verified":true},{"email":"ada@example.org","primary":true,"verified":true}]`,
	}}
	server := httptest.NewServer(v.there)
	t.Cleanup(server.Close)
	v.issuer = server.URL
	set := openid.Settings{ID: "github", Name: "GitHub", Kind: openid.GitHub, Issuer: server.URL + "/", ClientID: "docket"}
	v.here = openid.New(set, public, func(context.Context) (string, error) { return v.secret, nil }, time.Now)
	return v
}

// begin goes there and comes back with a code.
func (v *visit) begin() (a openid.Attempt, code string) {
	v.Helper()
	a, address, err := v.here.Begin(v.Context())
	if err != nil {
		v.Fatal(err)
	}
	to, err := url.Parse(address)
	if err != nil {
		v.Fatal(err)
	}
	q := to.Query()
	want := url.Values{
		"client_id": {"docket"}, "redirect_uri": {public + "/signin/callback/github"}, "response_type": {"code"}, "scope": {"read:user user:email"},
		"state": {a.State}, "code_challenge": {oauth2.S256ChallengeFromVerifier(a.Verifier)}, "code_challenge_method": {"S256"},
	}
	if q.Encode() != want.Encode() || to.Path != "/login/oauth/authorize" {
		v.Fatalf("sent to %s, want the query %s", to, want.Encode())
	}
	code = "code-" + a.State
	v.there.challenges[code] = q.Get("code_challenge")
	return a, code
}

func (v *visit) finish(a openid.Attempt, code string) (openid.Person, error) {
	return v.here.Finish(v.Context(), a, code)
}

// [Task]: T021
func TestGitHub(t *testing.T) {
	v := newVisit(t)
	want := openid.Person{Issuer: v.issuer, Subject: "583231", Email: "ada@example.org", Name: "Ada Lovelace"}
	if who, err := v.finish(v.begin()); err != nil || who != want {
		t.Errorf("%+v, %v; want %+v", who, err, want)
	}
	v.there.user, v.there.emails = `{"login":"ada","id":583231,"name":null}`, `[{"email":"ada@example.org","primary":true,"verified":false}]`
	want.Name, want.Email = "ada", ""
	if who, err := v.finish(v.begin()); err != nil || who != want {
		t.Errorf("without a name and a verified address: %+v, %v; want %+v", who, err, want)
	}
}

func TestGitHubVouchesForNobody(t *testing.T) {
	v := newVisit(t)
	refused := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, openid.ErrRefused) || errors.Is(err, openid.ErrUnavailable) {
			t.Errorf("%s: %v", what, err)
		}
	}
	a, code := v.begin()
	if _, err := v.finish(a, code); err != nil {
		t.Fatal(err)
	}
	_, err := v.finish(a, code)
	refused("a code that was used", err)
	_, code = v.begin()
	_, err = v.finish(a, code)
	refused("the code of another attempt", err)
	v.there.user = `{}`
	_, err = v.finish(v.begin())
	refused("nobody", err)
}

func TestGitHubCannotBeAsked(t *testing.T) {
	for what, breaking := range map[string]func(*visit){
		"its secret is wrong":    func(v *visit) { v.secret = "old" },
		"it is down":             func(v *visit) { v.there.down = true },
		"it answers with a page": func(v *visit) { v.there.user = "<html>" },
		"it hides the addresses": func(v *visit) { v.there.emails = `{"message":"Not Found"}` },
	} {
		v := newVisit(t)
		a, code := v.begin()
		breaking(v)
		if _, err := v.finish(a, code); !errors.Is(err, openid.ErrUnavailable) || errors.Is(err, openid.ErrRefused) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
