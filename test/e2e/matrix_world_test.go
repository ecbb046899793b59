package e2e

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/docket-tasks/docket/test/pushservice"
)

// marker is in everything of the owner's that has a text.
const marker = "nobody else's"

// matrix is what the callers meet: Ada is the owner.
type matrix struct {
	t        *testing.T
	w        *world
	ada, bob *client
	// what else there is to identify by; expired, deleted and revoked were Ada's.
	read, adminWrite, expired, deleted, revoked *client
	late                                        item   // whose reminder has come
	told                                        string // the notification of that
	push                                        *pushservice.Service
	origin, key                                 string
	phone                                       object
	made                                        int
}

func newMatrix(t *testing.T, w *world) *matrix {
	t.Helper()
	m := &matrix{t: t, w: w, ada: w.user("Ada", "UTC"), bob: w.user("Bob", "UTC"), push: new(pushservice.Service)}
	server := httptest.NewServer(m.push)
	t.Cleanup(server.Close)
	m.origin = server.URL
	var key struct {
		Key string `json:"key"`
	}
	m.ada.get("/api/push/key").want(200).into(&key)
	m.key = key.Key

	_, m.expired = m.ada.mint("write", object{"expires_at": inASecond()})
	id, deleted := m.ada.mint("write", nil)
	m.deleted = deleted
	m.ada.do("DELETE", "/api/tokens/"+id, nil).want(204)
	m.revoked = m.ada.signIn()
	m.revoked.do("DELETE", "/api/session", nil).want(204)
	_, m.read = m.ada.mint("read", nil)
	_, m.adminWrite = w.admin.mint("write", nil)

	m.late = m.ada.create(object{"title": marker, "due_date": "2020-01-01"})
	m.told = m.ada.notified(m.late).ID
	m.ada.audited(1)
	m.phone = m.browser()
	eventually(t, "the token to expire", func() bool { // which is not tried: that would keep its identity for a minute
		return !strings.Contains(string(m.ada.get("/api/tokens").want(200).body), `"expires_at":"`)
	})
	return m
}

// next numbers what is made, for names that are used once.
func (m *matrix) next() int {
	m.made++
	return m.made
}

// task makes a task of the owner.
func (m *matrix) task() item {
	m.t.Helper()
	return m.ada.create(object{"title": marker})
}

func (m *matrix) filterBody() object {
	return object{"name": fmt.Sprintf("%s %d", marker, m.next()), "query": object{"tag": []string{"home"}}}
}

// browser is the subscription of one that has not subscribed before.
func (m *matrix) browser() object {
	m.t.Helper()
	s, err := m.push.Subscribe(m.origin, m.key)
	if err != nil {
		m.t.Fatal(err)
	}
	return object{"endpoint": s.Endpoint, "keys": s.Keys, "name": "browser"}
}

// lastUse is noted some time after a token was used.
var lastUse = regexp.MustCompile(`"last_used_at":("[^"]*"|null)`)

// state is all that the owner has; every change of a task raises the version of the list.
func (m *matrix) state() string {
	m.t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "list at version %d\n", m.ada.listVersion())
	for _, path := range []string{"/api/filters", "/api/me", "/api/tokens", "/api/push/subscriptions", "/api/notifications"} {
		b.Write(m.ada.get(path).want(200).body)
	}
	return lastUse.ReplaceAllString(b.String(), "")
}

// tells tells whether the answer has something of the owner's in it.
func (m *matrix) tells(a *answer) bool {
	return strings.Contains(string(a.body), marker) || a.status >= 400 && strings.Contains(string(a.body), m.ada.id)
}

// inASecond is the end of a token that is to expire.
func inASecond() string { return time.Now().Add(time.Second).UTC().Format(time.RFC3339Nano) }

// mint makes a token of the scope, and returns its id and who shows it.
func (c *client) mint(scope string, more object) (id string, as *client) {
	c.t.Helper()
	body := object{"name": "minted", "scope": scope}
	maps.Copy(body, more)
	var made struct {
		ID     string `json:"id"`
		Secret string `json:"token"`
	}
	c.post("/api/tokens", body).want(http.StatusCreated).into(&made)
	return made.ID, c.as(made.Secret)
}

// invitation makes an invitation.
func (m *matrix) invitation() (id, code string) {
	m.t.Helper()
	var made struct {
		ID   string `json:"id"`
		Code string `json:"code"`
	}
	m.w.admin.post("/api/invitations", object{"note": "a friend"}).want(http.StatusCreated).into(&made)
	return made.ID, made.Code
}

// code makes a sign-in code.
func (c *client) code() string {
	c.t.Helper()
	var link struct {
		Code string `json:"code"`
	}
	c.post("/api/session/link", nil).want(http.StatusCreated).into(&link)
	return link.Code
}

// signIn returns the user in a browser.
func (c *client) signIn() *client {
	c.t.Helper()
	browser := c.as("")
	a := browser.post("/api/session", object{"code": c.code()}).want(http.StatusCreated)
	cookie := (&http.Response{Header: a.header}).Cookies()[0]
	browser.session = cookie.Name + "=" + cookie.Value
	return browser
}
