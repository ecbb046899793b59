package account

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/docket-tasks/docket/edge"
)

// join signs up and returns the session.
func (st *site) join(name, invitation string) (edge.IdentityRequest, response) {
	st.t.Helper()
	body := map[string]string{"name": name, "password": goodPassword, "time_zone": "Asia/Tokyo"}
	if invitation != "" {
		body["invitation"] = invitation
	}
	res := st.serve(st.public, http.MethodPost, "/api/accounts", nil, string(encode(body)))
	if res.cookie == nil {
		return edge.IdentityRequest{}, res
	}
	return edge.IdentityRequest{Session: res.cookie.Value}, res
}

// invite makes an invitation as the administrator does.
func (st *site) invite(admin edge.IdentityRequest, body string) (made NewInvitationAnswer) {
	st.t.Helper()
	st.call(admin, http.MethodPost, "/api/invitations", body).want(st.t, http.StatusCreated, &made)
	return made
}

func (st *site) invitations(admin edge.IdentityRequest) (list []Invitation) {
	st.t.Helper()
	st.call(admin, http.MethodGet, "/api/invitations", "").want(st.t, http.StatusOK, &list)
	return list
}

func TestSignUp(t *testing.T) {
	st := newSite(t)
	st.first()
	here, res := st.join("Ada", "")
	var made struct{ User User }
	res.want(t, http.StatusCreated, &made)
	if u := made.User; u.Name != "Ada" || u.Admin || u.TimeZone != "Asia/Tokyo" || u.Version != 1 {
		t.Errorf("%+v", u)
	}
	var me User
	st.call(here, http.MethodGet, "/api/me", "").want(t, http.StatusOK, &me)
	var tokens []Token
	st.call(here, http.MethodGet, "/api/tokens", "").want(t, http.StatusOK, &tokens)
	var sessions []Session
	st.call(here, http.MethodGet, "/api/sessions", "").want(t, http.StatusOK, &sessions)
	if me.ID != made.User.ID || len(tokens) != 0 || len(sessions) != 1 {
		t.Errorf("%+v, %d tokens, %d sessions", me, len(tokens), len(sessions))
	}
	_, res = st.enter("ada", goodPassword)
	res.want(t, http.StatusCreated, nil)
	_, res = st.join("ADA", "")
	res.wantProblem(t, http.StatusConflict, "conflict", "name")
	for body, field := range map[string]string{
		`{"name":"x","password":"Short-7"}`:                                             "password",
		`{"name":"x","password":"baseball"}`:                                            "password",
		`{"name":" x","password":"` + goodPassword + `"}`:                               "name",
		`{"name":"x","password":"` + goodPassword + `","email":"x"}`:                    "email",
		`{"name":"x","password":"` + goodPassword + `","admin":true}`:                   "admin",
		`{"name":"` + strings.Repeat("x", 101) + `","password":"` + goodPassword + `"}`: "name",
	} {
		st.serve(st.public, http.MethodPost, "/api/accounts", nil, body).wantProblem(t, http.StatusBadRequest, "validation_failed", field)
	}
}

func TestSignUpIsASetting(t *testing.T) {
	st := newSite(t)
	_, admin := st.first()
	open := st.invite(admin, `{}`)
	for _, mode := range []SignUp{SignUpOpen, SignUpInvitation, SignUpClosed} {
		st.store.signUp = mode
		var o Options
		st.serve(st.public, http.MethodGet, "/api/session/options", nil, "").want(t, http.StatusOK, &o)
		if o.SignUp != mode {
			t.Errorf("offers %q, want %q", o.SignUp, mode)
		}
	}
	_, res := st.join("Ada", open.Code)
	res.wantProblem(t, http.StatusForbidden, "sign_up_closed", "")
	st.call(admin, http.MethodPost, "/api/invitations", `{}`).wantProblem(t, http.StatusConflict, "sign_up_closed", "")
	if list := st.invitations(admin); len(list) != 1 {
		t.Errorf("%d invitations, want the one made before", len(list))
	}
	if New(Config{Now: st.clock.now, Logger: quiet}, st.host.State, st.host.Secrets).signUp != SignUpClosed {
		t.Error("who says nothing lets people sign up")
	}
}

// An invitation makes one account, and one that is no longer good tells nothing of names.
func TestInvitation(t *testing.T) {
	st := newSite(t)
	st.store.signUp = SignUpInvitation
	u, admin := st.first()
	_, res := st.join("Ada", "")
	res.wantProblem(t, http.StatusBadRequest, "validation_failed", "invitation")
	made := st.invite(admin, `{"note":"for Ada"}`)
	if made.ID == made.Code || made.Note != "for Ada" || !made.ExpiresAt.Equal(st.clock.now().Add(InvitationLife)) {
		t.Errorf("%+v", made.Invitation)
	}
	_, res = st.join(u.Name, made.Code) // does not use it up
	res.wantProblem(t, http.StatusConflict, "conflict", "name")
	if list := st.invitations(admin); len(list) != 1 || list[0] != made.Invitation {
		t.Errorf("%+v", list)
	}
	ada, res := st.join("Ada", made.Code)
	res.want(t, http.StatusCreated, nil)
	if list := st.invitations(admin); len(list) != 0 {
		t.Errorf("the used one is listed: %+v", list)
	}
	short := st.invite(admin, `{"expires_at":"2026-03-01T10:00:00Z"}`)
	revoked := st.invite(admin, `{}`)
	st.call(admin, http.MethodDelete, "/api/invitations/"+revoked.ID, "").want(t, http.StatusNoContent, nil)
	st.call(admin, http.MethodDelete, "/api/invitations/"+revoked.ID, "").wantProblem(t, http.StatusNotFound, "not_found", "")
	st.clock.advance(time.Hour)
	before := st.store.hasher.runs.Load()
	for what, code := range map[string]string{"unknown": "x", "used": made.Code, "expired": short.Code, "revoked": revoked.Code, "its id": made.ID} {
		_, res = st.join(u.Name, code)
		res.wantProblem(t, http.StatusBadRequest, "invalid_invitation", "invitation")
		if st.store.hasher.runs.Load() != before {
			t.Errorf("%s: a password was hashed", what)
		}
	}
	for _, r := range [][2]string{{"GET", ""}, {"POST", ""}, {"DELETE", "/" + made.ID}} {
		body := ""
		if r[0] == "POST" {
			body = "{}"
		}
		st.call(ada, r[0], "/api/invitations"+r[1], body).wantProblem(t, http.StatusForbidden, "forbidden", "")
	}
	for body, field := range map[string]string{
		`{"expires_at":"2026-03-01T09:00:00Z"}`: "expires_at", `{"expires_at":"2027-03-01T09:00:00Z"}`: "expires_at",
		`{"note":" x"}`: "note", `{"admin":true}`: "admin",
	} {
		st.call(admin, http.MethodPost, "/api/invitations", body).wantProblem(t, http.StatusBadRequest, "validation_failed", field)
	}
}

// Of those who use one invitation at once, or take one name, on whichever replica, one gets in.
func TestSignUpsAtOnce(t *testing.T) {
	st := newSite(t)
	st.store.signUp = SignUpInvitation
	_, admin := st.first()
	made := st.invite(admin, `{}`)
	sites := st.replicas(4)
	var in, refused atomic.Int32
	count := func(res response, code string) {
		if res.status == http.StatusCreated {
			in.Add(1)
			return
		}
		refused.Add(1)
		res.wantProblem(t, res.status, code, "")
	}
	names := []string{"a", "b", "c", "d"}
	atOnce(len(sites), func(i int) {
		_, res := sites[i].join(names[i], made.Code)
		count(res, "invalid_invitation")
	})
	atOnce(len(sites), func(i int) {
		_, res := sites[i].join("the same", "")
		count(res, "conflict")
	})
	if in.Load() != 2 || refused.Load() != 6 {
		t.Errorf("%d let in, %d refused", in.Load(), refused.Load())
	}
}

func TestInvitationLimit(t *testing.T) {
	st := newSite(t)
	_, admin := st.first()
	end := st.clock.now().Add(time.Hour)
	var last Invitation
	for range MaxInvitations {
		var err error
		if last, _, err = st.store.Invite(t.Context(), "", end); err != nil {
			t.Fatal(err)
		}
	}
	st.call(admin, http.MethodPost, "/api/invitations", `{}`).wantProblem(t, http.StatusConflict, "too_many_invitations", "")
	st.call(admin, http.MethodDelete, "/api/invitations/"+last.ID, "").want(t, http.StatusNoContent, nil)
	st.invite(admin, `{}`)
}
