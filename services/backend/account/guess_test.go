package account

import (
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/docket-tasks/docket/edge"
)

// Whoever is signed in does not find the password out by trying, wherever it is asked for; the right one, and signing in, count
// for nothing.
func TestGuessesOfPasswordsAreLimited(t *testing.T) {
	st := newSite(t)
	_, here := st.account("Ada")
	for range 2 * maxMisses {
		st.call(here, http.MethodPost, "/api/me/second-factor", `{"password":"`+goodPassword+`"}`).want(t, http.StatusCreated, nil)
	}
	ways := [][3]string{
		{http.MethodPut, "/api/me/password", password(otherPassword, "wrong-one")},
		{http.MethodPost, "/api/me/second-factor", `{"password":"wrong-one"}`},
		{http.MethodDelete, "/api/me", `{"password":"wrong-one"}`},
	}
	for i := range maxMisses {
		w := ways[i%len(ways)]
		st.call(here, w[0], w[1], w[2]).wantProblem(t, http.StatusBadRequest, "validation_failed", "")
	}
	for _, w := range ways {
		res := st.call(here, w[0], w[1], w[2])
		res.wantProblem(t, http.StatusTooManyRequests, "rate_limited", "")
		if res.header.Get("Retry-After") == "" {
			t.Error("it does not say for how long")
		}
	}
	st.call(here, http.MethodDelete, "/api/me", `{"password":"`+goodPassword+`"}`).wantProblem(t, http.StatusTooManyRequests, "rate_limited", "")
	if _, res := st.enter("Ada", goodPassword); res.status != http.StatusCreated {
		t.Errorf("signing in answers %d", res.status)
	}
	st.clock.advance(missTime)
	st.call(here, http.MethodPut, "/api/me/password", password(otherPassword, goodPassword)).want(t, http.StatusNoContent, nil)
}

// Of many guesses at once, on several replicas, no more are answered.
func TestGuessesAtOnceAreLimited(t *testing.T) {
	st := newSite(t)
	ada, _ := st.account("Ada")
	var answered atomic.Int32
	sites := st.replicas(2 * maxMisses)
	atOnce(len(sites), func(i int) {
		_, err := sites[i].store.checkOwnPassword(t.Context(), ada.ID, "password", "wrong-one")
		if _, ok := err.(invalid); ok {
			answered.Add(1)
		}
	})
	if answered.Load() != maxMisses {
		t.Errorf("%d guesses were answered, want %d", answered.Load(), maxMisses)
	}
}

// A token does not change the address that links for a new password go to, unless the password is shown with it.
func TestTokensDoNotChangeTheAddress(t *testing.T) {
	st := newSite(t)
	ada, _ := st.account("Ada")
	_, secret, err := st.store.NewToken(t.Context(), ada.ID, TokenRequest{Name: "x", Scope: edge.ScopeWrite})
	if err != nil {
		t.Fatal(err)
	}
	token := edge.IdentityRequest{Token: secret}
	st.call(token, http.MethodPatch, "/api/me", `{"email":"eve@example.org"}`).wantProblem(t, http.StatusForbidden, "password_needed", "password")
	st.call(token, http.MethodPatch, "/api/me", `{"email":"eve@example.org","password":"wrong-one"}`).wantProblem(t, http.StatusBadRequest, "validation_failed", "password")
	st.call(token, http.MethodPatch, "/api/me", `{"email":"","locale":"de"}`).want(t, http.StatusOK, nil) // as it is
	var u User
	st.call(token, http.MethodPatch, "/api/me", `{"email":"ada@example.org","password":"`+goodPassword+`"}`).want(t, http.StatusOK, &u)
	if u.Email != "ada@example.org" {
		t.Errorf("%+v", u)
	}
	if _, res := st.enter("Ada", goodPassword); res.status != http.StatusCreated {
		t.Error("the password was changed by it")
	}
}

// Neither does a session; taking the address away is changing it, and a wrong password counts as a guess.
func TestSessionsDoNotChangeTheAddress(t *testing.T) {
	st := newSite(t)
	ada, here := st.account("Ada")
	change := func(email, password string) response {
		return st.call(here, http.MethodPatch, "/api/me", string(encode(map[string]any{"email": email, "locale": "de", "password": password})))
	}
	change("ada@example.org", goodPassword).want(t, http.StatusOK, &ada)
	if ada.Email != "ada@example.org" {
		t.Errorf("%+v", ada)
	}
	for _, email := range []string{`"eve@example.org"`, `""`, `null`} {
		st.call(here, http.MethodPatch, "/api/me", `{"name":"Eve","email":`+email+`}`).wantProblem(t, http.StatusForbidden, "password_needed", "password")
	}
	for range maxMisses {
		change("eve@example.org", "wrong-one").wantProblem(t, http.StatusBadRequest, "validation_failed", "password")
	}
	change("eve@example.org", goodPassword).wantProblem(t, http.StatusTooManyRequests, "rate_limited", "")
	if u, err := st.store.User(t.Context(), ada.ID); err != nil || u.Version != ada.Version {
		t.Errorf("what was refused has made %+v, error %v", u, err)
	}
	st.call(here, http.MethodPatch, "/api/me", `{"email":"ada@example.org","locale":"fr"}`).want(t, http.StatusOK, nil) // as it is
	st.clock.advance(missTime)
	change("", goodPassword).want(t, http.StatusOK, &ada)
	if ada.Email != "" {
		t.Errorf("%+v", ada)
	}
}

// Where there is no password, no link to set one is sent, and a session has none to show; a token changes the address no more than
// elsewhere.
func TestAddressWithoutPassword(t *testing.T) {
	p := newProvided(t)
	here := p.member("Ada")
	for _, body := range []string{`{"email":"ada@example.org"}`, `{"email":"new@example.org","password":"none-there-is"}`, `{"email":null}`} {
		p.call(here, http.MethodPatch, "/api/me", body).want(t, http.StatusOK, nil)
	}
	var u User
	p.call(here, http.MethodGet, "/api/me", "").want(t, http.StatusOK, &u)
	if u.Email != "" || u.Version != 4 {
		t.Errorf("%+v", u)
	}
	_, secret, err := p.store.NewToken(t.Context(), u.ID, TokenRequest{Name: "x", Scope: edge.ScopeWrite})
	if err != nil {
		t.Fatal(err)
	}
	token := edge.IdentityRequest{Token: secret}
	p.call(token, http.MethodPatch, "/api/me", `{"email":"eve@example.org"}`).wantProblem(t, http.StatusForbidden, "password_needed", "password")
	p.call(token, http.MethodPatch, "/api/me", `{"email":"eve@example.org","password":"none-there-is"}`).wantProblem(t, http.StatusConflict, "no_password", "")
}
