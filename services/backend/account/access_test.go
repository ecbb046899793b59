package account

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/task"
)

// accesses returns the kinds and what they were with, newest first.
func (st *site) accesses(as edge.IdentityRequest) (list []Access, told string) {
	st.t.Helper()
	st.drain()
	st.call(as, http.MethodGet, "/api/me/access", "").want(st.t, http.StatusOK, &list)
	var kinds []string
	for _, a := range list {
		kinds = append(kinds, fmt.Sprintf("%s %s %d", a.Kind, a.With, a.Times))
	}
	return list, strings.Join(kinds, "\n")
}

func TestAccessIsKept(t *testing.T) {
	st := newSite(t)
	st.first()
	_, ada := st.account("Ada")
	if list, told := st.accesses(ada); told != "signed_in  1" || !list[0].At.Equal(st.clock.now()) {
		t.Errorf("%s, %+v", told, list)
	}
	st.enter("Ada", "wrong-"+goodPassword)
	st.drain()
	st.enter("ada", "wrong-"+goodPassword)
	st.enter("Nobody", goodPassword)
	st.drain()
	st.enter("Ada", goodPassword)
	var made NewTokenAnswer
	st.call(ada, http.MethodPost, "/api/tokens", `{"name":"phone","scope":"read"}`).want(t, http.StatusCreated, &made)
	for range 2 {
		st.call(edge.IdentityRequest{Token: made.Secret}, http.MethodGet, "/api/me", "").want(t, http.StatusOK, nil)
		st.drain()
	}
	st.call(ada, http.MethodDelete, "/api/tokens/"+made.ID, "").want(t, http.StatusNoContent, nil)
	st.call(ada, http.MethodPut, "/api/me/password", password(otherPassword, goodPassword)).want(t, http.StatusNoContent, nil)
	st.call(ada, http.MethodPut, "/api/me/password", password(goodPassword, otherPassword)).want(t, http.StatusNoContent, nil)
	enrolled, phone := st.enrol(ada)
	st.confirm(ada, enrolled.ID, phone.code(0)).want(t, http.StatusOK, nil)
	st.prove("Ada", goodPassword, "").want(t, http.StatusBadRequest, nil) // asks for the code: nobody has failed
	st.prove("Ada", goodPassword, "000000").want(t, http.StatusBadRequest, nil)
	st.drain()
	st.call(ada, http.MethodPost, "/api/me/second-factor/disable", `{"password":"`+goodPassword+`","code":"`+phone.code(1)+`"}`).want(t, http.StatusNoContent, nil)
	want := []string{"second_factor_off  1", "sign_in_failed  1", "second_factor_on  1", "password_changed  1", "password_changed  1", "token_revoked phone 1",
		"token_first_used phone 1", "token_created phone 1", "signed_in Firefox on Linux 1", "sign_in_failed Firefox on Linux 2", "signed_in  1"}
	if _, told := st.accesses(ada); told != strings.Join(want, "\n") {
		t.Errorf("%s", told)
	}
}

// However much happens, what is kept is bounded, and guessing does not push everything else out.
func TestAccessIsBounded(t *testing.T) {
	now := newClock().t
	at := func(d time.Duration, kind string) Access {
		return Access{At: task.At(now.Add(d)), Kind: kind, Times: 1}
	}
	list := []Access{at(0, accessSignedIn)}
	for i := range 1000 {
		list = noted(list, at(time.Duration(i)*time.Second, accessFailed))
	}
	if len(list) != 2 || list[1].Times != 1000 {
		t.Errorf("%+v", list)
	}
	list = noted(list, at(1000*time.Second+sameAccess, accessFailed))
	if len(list) != 3 || list[2].Times != 1 {
		t.Errorf("%+v", list)
	}
	for i := range 2 * maxAccess {
		list = noted(list, at(2*sameAccess+time.Duration(i), accessSignedIn))
	}
	if len(list) != maxAccess || list[0].Kind != accessSignedIn {
		t.Errorf("%d entries, the first %+v", len(list), list[0])
	}
	if list = noted(list, at(accessLife+3*sameAccess, accessSignedIn)); len(list) != 1 {
		t.Errorf("%d entries after 90 days", len(list))
	}
}
