package account

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/services/backend/openid"
)

// leave deletes the caller's account.
func (st *site) leave(as edge.IdentityRequest, password, factor string) response {
	st.t.Helper()
	return st.call(as, http.MethodDelete, "/api/me", string(encode(map[string]string{"password": password, "second_factor": factor})))
}

// rows are all that an account has, as far as the id of its user tells.
func (st *site) rows(user string) (there []string) {
	st.t.Helper()
	for _, key := range []string{
		UserKey(user), passwordKey(user), factorKey(user), accessKey(user), tokensKey(user), sessionsKey(user), connectionsKey(user), passkeysKey(user),
	} {
		if st.item(key).Exists() {
			there = append(there, key)
		}
	}
	return there
}

// Deleting asks for what signing in asks for, ends every credential at once, and leaves the name to somebody else, who is
// another user.
func TestDeleteAccount(t *testing.T) {
	st := newSite(t)
	ada, here := st.account("Ada")
	there := st.signIn(ada.ID)
	var token NewTokenAnswer
	st.call(here, http.MethodPost, "/api/tokens", `{"name":"phone","scope":"write"}`).want(t, http.StatusCreated, &token)
	code, err := st.store.NewSignInCode(t.Context(), ada.ID)
	if err != nil {
		t.Fatal(err)
	}
	reset, _, err := st.store.NewResetCode(t.Context(), ada.ID)
	if err != nil {
		t.Fatal(err)
	}
	provider, who := &openid.Provider{Settings: openid.Settings{ID: "p", Name: "P"}}, openid.Person{Issuer: "https://p.example", Subject: "1", Email: "ada@example.org"}
	if err := st.store.Connect(t.Context(), ada.ID, provider, who); err != nil {
		t.Fatal(err)
	}
	made, app := st.enrol(here)
	var shown struct {
		RecoveryCodes []string `json:"recovery_codes"`
	}
	st.confirm(here, made.ID, app.code(0)).want(t, http.StatusOK, &shown)
	recovery := shown.RecoveryCodes

	st.leave(here, "", "").wantProblem(t, http.StatusBadRequest, "validation_failed", "password")
	st.leave(here, otherPassword, "").wantProblem(t, http.StatusBadRequest, "validation_failed", "password")
	st.leave(here, goodPassword, "").wantProblem(t, http.StatusBadRequest, "second_factor_needed", "second_factor")
	st.leave(here, goodPassword, "nonsense").wantProblem(t, http.StatusBadRequest, "wrong_code", "")
	st.call(here, http.MethodDelete, "/api/me", "").want(t, http.StatusBadRequest, nil)
	st.call(there, http.MethodGet, "/api/me", "").want(t, http.StatusOK, nil) // nothing has happened yet
	var ended []string
	st.store.OnSignOut(func(id string) { ended = append(ended, id) })
	st.leave(here, goodPassword, recovery[0]).want(t, http.StatusNoContent, nil)

	if len(ended) != 3 { // two sessions and a token
		t.Errorf("%q are told to be over", ended)
	}
	for name, id := range map[string]edge.IdentityRequest{"the session": here, "another session": there, "the token": {Token: token.Secret}} {
		if _, ok := st.exchange(id); ok {
			t.Errorf("%s outlives the account", name)
		}
	}
	if left := st.rows(ada.ID); left != nil {
		t.Errorf("%q are left", left)
	}
	st.serve(st.public, http.MethodPost, "/api/session", nil, `{"code":"`+code+`"}`).wantProblem(t, http.StatusBadRequest, "invalid_code", "")
	st.reset(reset, otherPassword).wantProblem(t, http.StatusBadRequest, "invalid_code", "code")
	st.prove("Ada", goodPassword, recovery[1]).wantProblem(t, http.StatusBadRequest, "wrong_password", "")

	again, _ := st.account("Ada")
	if again.ID == ada.ID {
		t.Error("whoever has the name next is the same user")
	}
	if _, _, err := st.store.SignInAs(t.Context(), provider, who, "", Browser{}); err != nil { // as a new user: signing up is open
		t.Error(err)
	}
	if joined, err := st.store.Connections(t.Context(), ada.ID); err != nil || len(joined) != 0 {
		t.Errorf("the deleted user has the connections %v, %v", joined, err)
	}
}

// An administrator deletes others, and not the first user, by whom the server is run.
func TestAdministratorsDeleteUsers(t *testing.T) {
	st := newSite(t)
	me, admin := st.first()
	ada, here := st.account("Ada")
	if !me.First || ada.First {
		t.Errorf("first: %v and %v", me.First, ada.First)
	}
	_, bob := st.account("Bob")
	st.call(bob, http.MethodDelete, "/api/users/"+ada.ID, "").wantProblem(t, http.StatusForbidden, "forbidden", "")
	st.call(admin, http.MethodDelete, "/api/users/01a00000-0000-7000-8000-000000000000", "").wantProblem(t, http.StatusNotFound, "not_found", "")
	own := st.call(admin, http.MethodDelete, "/api/users/"+me.ID, "")
	own.wantProblem(t, http.StatusConflict, "own_account", "")
	for _, way := range []string{"settings", "`docket me delete`", "DELETE /api/me"} {
		if !strings.Contains(string(own.body), way) {
			t.Errorf("%s is not told: %s", way, own.body)
		}
	}
	st.leave(admin, "", "").wantProblem(t, http.StatusConflict, "first_user", "")
	st.call(admin, http.MethodDelete, "/api/users/"+ada.ID, "").want(t, http.StatusNoContent, nil)
	if _, ok := st.exchange(here); ok {
		t.Error("a session outlives the account")
	}
	st.call(admin, http.MethodDelete, "/api/users/"+ada.ID, "").wantProblem(t, http.StatusNotFound, "not_found", "")

	var boss NewUserAnswer
	st.call(admin, http.MethodPost, "/api/users", `{"name":"Boss","admin":true}`).want(t, http.StatusCreated, &boss)
	st.call(edge.IdentityRequest{Token: boss.Token}, http.MethodDelete, "/api/users/"+me.ID, "").wantProblem(t, http.StatusConflict, "first_user", "")
	var lesser NewTokenAnswer
	st.call(edge.IdentityRequest{Token: boss.Token}, http.MethodPost, "/api/tokens", `{"name":"x","scope":"write"}`).want(t, http.StatusCreated, &lesser)
	st.leave(edge.IdentityRequest{Token: lesser.Secret}, "", "").wantProblem(t, http.StatusForbidden, "forbidden", "")
	st.leave(edge.IdentityRequest{Token: boss.Token}, "", "").want(t, http.StatusNoContent, nil) // who has no password has nothing to show
}

// An identity that was made before is refused, and what was written by it all the same is erased.
func TestIdentityOutlivesNothing(t *testing.T) {
	st := newSite(t)
	ada, here := st.account("Ada")
	jwt, _ := st.exchange(here)
	reached := false
	known := edge.Handler(edge.HandlerOptions{Service: "backend", Logger: quiet},
		st.verifier().Require(st.store.Known(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))))
	ask := func() int {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/filters", nil)
		r.Header.Set("Authorization", "Bearer "+jwt)
		w := httptest.NewRecorder()
		known.ServeHTTP(w, r)
		return w.Code
	}
	if ask(); !reached {
		t.Fatal("the identity is not known")
	}
	st.leave(here, goodPassword, "").want(t, http.StatusNoContent, nil)
	reached = false
	if status := ask(); status != http.StatusUnauthorized || reached {
		t.Errorf("%d, reached %v", status, reached)
	}
	late := []host.Op{host.Create(accessKey(ada.ID), encode([]Access{})), host.Create(passwordKey(ada.ID), encode(passwordRow{}))}
	if err := st.host.State.Commit(t.Context(), host.Tx{Ops: late}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := st.store.NewToken(t.Context(), ada.ID, TokenRequest{Name: "late", Scope: edge.ScopeWrite}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := st.store.Erase(t.Context(), ada.ID); err != nil {
			t.Fatal(err)
		}
	}
	if left := st.rows(ada.ID); left != nil {
		t.Errorf("%q are left", left)
	}
}

// Of two who delete an account one does; and a sign-in at the same moment leaves no way in.
func TestDeletionAtOnce(t *testing.T) {
	st := newSite(t)
	ada, here := st.account("Ada")
	st.clock.advance(time.Second)
	sites := st.replicas(4)
	jwts := make([]string, len(sites))
	for i := range sites {
		jwts[i], _ = sites[i].exchange(here)
	}
	status := make([]int, len(sites))
	atOnce(len(sites), func(i int) {
		if i == 0 {
			_, res := sites[0].enter("Ada", goodPassword)
			status[0] = res.status
			return
		}
		h := http.Header{"Authorization": {"Bearer " + jwts[i]}}
		status[i] = sites[i].serve(sites[i].public, http.MethodDelete, "/api/me", h, `{"password":"`+goodPassword+`"}`).status
	})
	gone := 0
	for _, s := range status[1:] {
		if s == http.StatusNoContent {
			gone++
		} else if s != http.StatusUnauthorized {
			t.Errorf("of two who delete the account one gets %d", s)
		}
	}
	if gone != 1 || status[0] != http.StatusCreated && status[0] != http.StatusBadRequest {
		t.Errorf("answers %v", status)
	}
	if _, err := st.store.User(t.Context(), ada.ID); err == nil {
		t.Error("the user is there")
	}
}
