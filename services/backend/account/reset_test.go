package account

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/docket-tasks/docket/edge"
)

func (st *site) reset(code, password string) response {
	st.t.Helper()
	return st.serve(st.public, http.MethodPost, "/api/password/reset", nil, string(encode(map[string]string{"code": code, "password": password})))
}

// resetCode makes a code as the administrator does.
func (st *site) resetCode(admin edge.IdentityRequest, user string) (made ResetCode) {
	st.t.Helper()
	st.call(admin, http.MethodPost, "/api/users/"+user+"/password-reset", "").want(st.t, http.StatusCreated, &made)
	return made
}

// account makes one with goodPassword.
func (st *site) account(name string) (User, edge.IdentityRequest) {
	st.t.Helper()
	session, res := st.join(name, "")
	var made struct{ User User }
	res.want(st.t, http.StatusCreated, &made)
	return made.User, session
}

func TestPasswordReset(t *testing.T) {
	st := newSite(t)
	_, admin := st.first()
	ada, here := st.account("Ada")
	st.clock.advance(time.Second)
	signIn, err := st.store.NewSignInCode(t.Context(), ada.ID)
	if err != nil {
		t.Fatal(err)
	}
	made, second := st.resetCode(admin, ada.ID), st.resetCode(admin, ada.ID)
	if !made.ExpiresAt.Equal(st.clock.now().Add(CodeLife)) {
		t.Errorf("%+v", made)
	}
	st.clock.advance(time.Second)
	st.reset(made.Code, "baseball").wantProblem(t, http.StatusBadRequest, "validation_failed", "password") // does not use it up
	st.reset("x", otherPassword).wantProblem(t, http.StatusBadRequest, "invalid_code", "code")
	st.call(here, http.MethodGet, "/api/me", "").want(t, http.StatusOK, nil)

	res := st.reset(made.Code, otherPassword)
	res.want(t, http.StatusNoContent, nil)
	if res.cookie != nil {
		t.Error("the code signs in")
	}
	if _, ok := st.exchange(here); ok {
		t.Error("a session outlives the reset")
	}
	st.serve(st.public, http.MethodPost, "/api/session", nil, `{"code":"`+signIn+`"}`).wantProblem(t, http.StatusBadRequest, "invalid_code", "")
	_, res = st.enter("Ada", goodPassword)
	res.wantProblem(t, http.StatusBadRequest, "wrong_password", "")
	_, res = st.enter("Ada", otherPassword)
	res.want(t, http.StatusCreated, nil)
	st.reset(made.Code, goodPassword).wantProblem(t, http.StatusBadRequest, "invalid_code", "code")
	st.reset(second.Code, goodPassword).wantProblem(t, http.StatusBadRequest, "invalid_code", "code") // made before the change

	late := st.resetCode(admin, ada.ID)
	st.clock.advance(CodeLife)
	st.reset(late.Code, goodPassword).wantProblem(t, http.StatusBadRequest, "invalid_code", "code")
}

func TestResetCodeWorksOnce(t *testing.T) {
	st := newSite(t)
	_, admin := st.first()
	ada, _ := st.account("Ada")
	st.clock.advance(time.Second)
	code := st.resetCode(admin, ada.ID).Code
	var worked atomic.Int32
	sites := st.replicas(4)
	atOnce(len(sites), func(i int) {
		if sites[i].reset(code, otherPassword).status == http.StatusNoContent {
			worked.Add(1)
		}
	})
	if worked.Load() != 1 {
		t.Errorf("worked %d times", worked.Load())
	}
}

func TestAdministratorsManageUsers(t *testing.T) {
	st := newSite(t)
	me, admin := st.first()
	ada, here := st.account("Ada")
	var found []UserSummary
	st.call(admin, http.MethodGet, "/api/users?name=ADA", "").want(t, http.StatusOK, &found)
	if len(found) != 1 || found[0].ID != ada.ID || found[0].Name != "Ada" || found[0].Admin {
		t.Errorf("%+v", found)
	}
	st.call(admin, http.MethodGet, "/api/users?name=Bob", "").want(t, http.StatusOK, &found)
	if len(found) != 0 {
		t.Errorf("%+v", found)
	}
	to := "/api/users/" + ada.ID
	st.call(admin, http.MethodPut, to+"/password", password("baseball", "")).wantProblem(t, http.StatusBadRequest, "validation_failed", "password")
	st.call(admin, http.MethodPut, to+"/password", password(otherPassword, "")).want(t, http.StatusNoContent, nil)
	if _, ok := st.exchange(here); ok {
		t.Error("a session outlives it")
	}
	here, res := st.enter("Ada", otherPassword)
	res.want(t, http.StatusCreated, nil)
	nobody := "/api/users/01a00000-0000-7000-8000-000000000000"
	st.call(admin, http.MethodPut, nobody+"/password", password(otherPassword, "")).wantProblem(t, http.StatusNotFound, "not_found", "")
	st.call(admin, http.MethodPost, nobody+"/password-reset", "").wantProblem(t, http.StatusNotFound, "not_found", "")
	st.call(here, http.MethodPut, "/api/users/"+me.ID+"/password", password(otherPassword, "")).wantProblem(t, http.StatusForbidden, "forbidden", "")
	st.call(here, http.MethodPost, "/api/users/"+me.ID+"/password-reset", "").wantProblem(t, http.StatusForbidden, "forbidden", "")
	st.call(here, http.MethodGet, "/api/users?name=me", "").wantProblem(t, http.StatusForbidden, "forbidden", "")
}
