package account

import (
	"net/http"
	"strings"
	"testing"

	"github.com/docket-tasks/docket/services/backend/openid"
	"github.com/docket-tasks/docket/test/securitykey"
)

// A passkey for a host that docket has no more is told to be useless, is no way in, and can go; it is one again where the host is
// back.
func TestPasskeyOfAnotherHost(t *testing.T) {
	st := keyed(t)
	id, here := st.withoutPassword("Ada")
	_, admin := st.first()
	old := st.passkeyOn(here, device(), "old")
	if !old.Works {
		t.Errorf("a new passkey: %+v", old)
	}
	provider, who := st.knows("p"), openid.Person{Issuer: "https://p.example", Subject: "1"}
	if err := st.store.Connect(t.Context(), id, provider, who); err != nil {
		t.Fatal(err)
	}
	connection := "/api/me/connections/" + connectionID(who)
	shown := func(works bool, signsIn string) {
		t.Helper()
		if list := st.passkeysOf(here); len(list) != 1 || list[0].Works != works || list[0].Host != "docket.test" {
			t.Errorf("shown as %+v", list)
		}
		res := st.call(admin, http.MethodGet, "/api/users?name=Ada", "")
		if res.want(t, http.StatusOK, nil); !strings.Contains(string(res.body), `"passkeys":`+signsIn+`,`) {
			t.Errorf("an administrator sees %s", res.body)
		}
	}
	shown(true, "1")
	st.store.publicURL = "https://elsewhere.test"
	shown(false, "0")
	st.call(here, http.MethodDelete, connection, "").wantProblem(t, http.StatusConflict, "last_way_in", "")
	st.store.publicURL = "https://docket.test:8443" // another port is the same host
	shown(true, "1")
	st.store.publicURL = ""
	shown(false, "0")
	st.call(here, http.MethodDelete, "/api/me/passkeys/"+old.ID, "").want(t, http.StatusNoContent, nil)
	st.call(here, http.MethodDelete, connection, "").wantProblem(t, http.StatusConflict, "last_way_in", "")
}

// Beside useless ones, the last passkey that works stays.
func TestLastPasskeyThatWorksStays(t *testing.T) {
	st := keyed(t)
	_, here := st.withoutPassword("Ada")
	old := st.passkeyOn(here, device(), "old")
	st.store.publicURL = "https://elsewhere.test"
	fresh := st.passkeyOn(here, securitykey.New("https://elsewhere.test"), "fresh")
	st.call(here, http.MethodDelete, "/api/me/passkeys/"+fresh.ID, "").wantProblem(t, http.StatusConflict, "last_way_in", "")
	st.call(here, http.MethodDelete, "/api/me/passkeys/"+old.ID, "").want(t, http.StatusNoContent, nil)
}
