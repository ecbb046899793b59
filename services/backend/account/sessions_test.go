package account

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/docket-tasks/docket/edge"
)

func (st *site) sessions(id edge.IdentityRequest) (list []Session) {
	st.t.Helper()
	st.call(id, http.MethodGet, "/api/sessions", "").want(st.t, http.StatusOK, &list)
	return list
}

func TestSessionList(t *testing.T) {
	st := newSite(t)
	u, token := st.first()
	if list := st.sessions(token); list == nil || len(list) != 0 {
		t.Errorf("%+v", list)
	}
	st.call(token, http.MethodPut, "/api/me/password", password(goodPassword, "")).want(t, http.StatusNoContent, nil)
	made := st.clock.now()
	first, _ := st.enter(u.Name, goodPassword)
	st.clock.advance(2 * time.Hour)
	second := st.signIn(u.ID)
	st.exchange(first) // used
	st.drain()
	list := st.sessions(second)
	if len(list) != 2 || list[0].Client != "Firefox on Linux" || list[0].Current || !list[1].Current || list[1].Client != "" {
		t.Fatalf("%+v", list)
	}
	if !list[0].CreatedAt.Equal(made) || !list[0].LastUsedAt.Equal(st.clock.now()) {
		t.Errorf("%+v", list[0])
	}
	if list := st.sessions(token); len(list) != 2 || list[0].Current || list[1].Current {
		t.Errorf("to a token: %+v", list)
	}

	var ended []string
	st.store.OnSignOut(func(id string) { ended = append(ended, id) })
	st.call(second, http.MethodDelete, "/api/sessions/"+list[0].ID, "").want(t, http.StatusNoContent, nil)
	if _, ok := st.exchange(first); ok || len(ended) != 1 || ended[0] != list[0].ID {
		t.Errorf("the ended session is exchanged: %v; told to end %v", ok, ended)
	}
	st.call(second, http.MethodDelete, "/api/sessions/"+list[0].ID, "").wantProblem(t, http.StatusNotFound, "not_found", "")
	st.call(second, http.MethodDelete, "/api/sessions/x", "").wantProblem(t, http.StatusBadRequest, "validation_failed", "")
	if list := st.sessions(second); len(list) != 1 || !list[0].Current {
		t.Errorf("%+v", list)
	}
	st.clock.advance(SessionLife)
	if list := st.sessions(token); len(list) != 0 {
		t.Errorf("over, and listed: %+v", list)
	}
}

// Another's session is not there for anybody else.
func TestSessionsAreTheirOwners(t *testing.T) {
	st := newSite(t)
	u, me := st.first()
	var made NewUserAnswer
	st.call(me, http.MethodPost, "/api/users", `{"name":"Bob"}`).want(t, http.StatusCreated, &made)
	bob := edge.IdentityRequest{Token: made.Token}
	mine := st.signIn(u.ID)
	id := hash(mine.Session)
	st.call(bob, http.MethodDelete, "/api/sessions/"+id, "").wantProblem(t, http.StatusNotFound, "not_found", "")
	st.call(bob, http.MethodDelete, "/api/sessions", "").want(t, http.StatusNoContent, nil)
	st.call(mine, http.MethodGet, "/api/me", "").want(t, http.StatusOK, nil)
	if list := st.sessions(bob); len(list) != 0 {
		t.Errorf("%+v", list)
	}
}

func TestEndOtherSessions(t *testing.T) {
	st := newSite(t)
	u, token := st.first()
	first, second := st.signIn(u.ID), st.signIn(u.ID)
	st.clock.advance(time.Second)
	st.call(first, http.MethodDelete, "/api/sessions", "").want(t, http.StatusNoContent, nil)
	if _, ok := st.exchange(second); ok {
		t.Error("the other session is still good")
	}
	if list := st.sessions(first); len(list) != 1 || !list[0].Current {
		t.Errorf("%+v", list)
	}
	st.call(token, http.MethodDelete, "/api/sessions", "").want(t, http.StatusNoContent, nil)
	if _, ok := st.exchange(first); ok {
		t.Error("a session outlives the end of all")
	}
	third := st.signIn(u.ID)
	if list := st.sessions(third); len(list) != 1 {
		t.Errorf("%+v", list)
	}
}

// One session too many ends the oldest; sign-ins at once on several replicas are all listed.
func TestSessionLimit(t *testing.T) {
	st := newSite(t)
	u, token := st.first()
	oldest := st.signIn(u.ID)
	sites := st.replicas(4)
	atOnce(len(sites), func(i int) {
		for range MaxSessions / len(sites) {
			sites[i].signIn(u.ID)
		}
	})
	if _, ok := st.exchange(oldest); ok {
		t.Error("the oldest is still good")
	}
	if list := st.sessions(token); len(list) != MaxSessions {
		t.Errorf("%d listed, want %d", len(list), MaxSessions)
	}
}

func TestClientOf(t *testing.T) {
	for agent, want := range map[string]string{
		"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0":                                                                  "Firefox on Linux",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36":                         "Chrome on Windows",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0":           "Edge on Windows",
		"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36":                         "Chrome on Android",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1": "Safari on iOS",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15":                   "Safari on macOS",
		"curl/8.0": "", "": "", strings.Repeat("<script>", 9): "", "something on Linux": "Linux",
	} {
		if got := clientOf(agent); got != want {
			t.Errorf("clientOf(%q) = %q, want %q", agent, got, want)
		}
	}
}
