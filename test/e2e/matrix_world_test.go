package e2e

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	endian "encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/docket-tasks/docket/test/pushservice"
	"github.com/docket-tasks/docket/test/securitykey"
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
	// goneToken and goneSession are of an account that was deleted.
	goneToken, goneSession *client
	late                   item   // whose reminder has come
	told                   string // the notification of that
	push                   *pushservice.Service
	origin, key            string
	phone                  object
	made                   int
	device                 *securitykey.Authenticator // the owner's
	cookie                 string                     // that the next request shows besides
}

func newMatrix(t *testing.T, w *world) *matrix {
	t.Helper()
	m := &matrix{t: t, w: w, ada: w.user("Ada", "UTC"), bob: w.user("Bob", "UTC"), push: new(pushservice.Service), device: securitykey.New(publicURL)}
	server := httptest.NewServer(m.push)
	t.Cleanup(server.Close)
	m.origin = server.URL
	var key struct {
		Key string `json:"key"`
	}
	m.ada.get("/api/push/key").want(200).into(&key)
	m.key = key.Key

	for _, c := range []*client{m.ada, m.bob, w.admin} {
		c.do("PUT", "/api/me/password", newPassword).want(204)
	}
	_, m.expired = m.ada.mint("write", object{"expires_at": inASecond()})
	id, deleted := m.ada.mint("write", nil)
	m.deleted = deleted
	m.ada.do("DELETE", "/api/tokens/"+id, nil).want(204)
	m.revoked = m.ada.signIn()
	m.revoked.do("DELETE", "/api/session", nil).want(204)
	_, token := m.guest()
	m.goneToken = m.ada.as(token)
	m.goneSession = m.goneToken.signIn()
	m.goneSession.do("DELETE", "/api/me", object{}).want(204)
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

// guest makes a user that nothing is expected of.
func (m *matrix) guest() (id, token string) {
	m.t.Helper()
	var made struct {
		User  user   `json:"user"`
		Token string `json:"token"`
	}
	m.w.admin.post("/api/users", object{"name": fmt.Sprintf("visitor %d", m.next())}).want(201).into(&made)
	return made.User.ID, made.Token
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

// invited is the code of an invitation.
func (m *matrix) invited() string {
	m.t.Helper()
	_, code := m.invitation()
	return code
}

// comeBack is a browser that returns from the provider it was sent to, as somebody new there.
func (m *matrix) comeBack(begun *answer) object {
	m.t.Helper()
	var to struct {
		URL string `json:"url"`
	}
	begun.want(200).into(&to)
	m.shows(begun)
	subject := fmt.Sprintf("somebody %d", m.next())
	there := provider()
	there.Add(subject, "Somebody", "", false)
	back, err := there.SignIn(m.t.Context(), to.URL, subject)
	if err != nil {
		m.t.Fatal(err)
	}
	return object{"provider": "there", "state": back.Query().Get("state"), "code": back.Query().Get("code")}
}

// connection is one of the owner's, made where there is none.
func (m *matrix) connection() string {
	m.t.Helper()
	var all []struct {
		ID string `json:"id"`
	}
	if m.ada.get("/api/me/connections").want(200).into(&all); len(all) == 0 {
		ada := m.ada.signIn()
		body := m.comeBack(ada.post("/api/me/connections", object{"provider": "there"}))
		ada.post("/api/session/openid/finish", body, m.shown(ada)...).want(201)
		ada.get("/api/me/connections").want(200).into(&all)
	}
	return all[0].ID
}

// passkey is one of the owner's, made where there is none.
func (m *matrix) passkey() string {
	m.t.Helper()
	var all []struct {
		ID string `json:"id"`
	}
	if m.ada.get("/api/me/passkeys").want(200).into(&all); len(all) == 0 {
		m.unguard()
		ada := m.ada.signIn()
		var begun struct {
			Attempt   string          `json:"attempt"`
			PublicKey json.RawMessage `json:"public_key"`
		}
		ada.post("/api/me/passkeys/start", object{"password": newPassword["password"]}).want(200).into(&begun)
		credential, err := m.device.Create(begun.PublicKey)
		if err != nil {
			m.t.Fatal(err)
		}
		ada.post("/api/me/passkeys", object{"attempt": begun.Attempt, "credential": json.RawMessage(credential), "name": marker}).want(201)
		ada.get("/api/me/passkeys").want(200).into(&all)
	}
	return all[0].ID
}

// touch is a browser whose user has used the owner's passkey.
func (m *matrix) touch() object {
	m.t.Helper()
	m.passkey()
	begun := m.ada.as("").post("/api/session/passkey/start", nil).want(200)
	m.shows(begun)
	var asked struct {
		PublicKey json.RawMessage `json:"public_key"`
	}
	begun.into(&asked)
	credential, err := m.device.Get(asked.PublicKey)
	if err != nil {
		m.t.Fatal(err)
	}
	return object{"credential": json.RawMessage(credential)}
}

// shows has the next request show the cookie that an answer has set.
func (m *matrix) shows(a *answer) {
	cookie := (&http.Response{Header: a.header}).Cookies()[0]
	m.cookie = cookie.Name + "=" + cookie.Value
}

// shown is the header that shows the cookie, once.
func (m *matrix) shown(c *client) (header []string) {
	if m.cookie != "" {
		header = []string{"Cookie", strings.TrimPrefix(c.session+"; "+m.cookie, "; ")}
	}
	m.cookie = ""
	return header
}

// unguard takes the owner's second factor away, if there is one.
func (m *matrix) unguard() {
	m.t.Helper()
	m.w.admin.do("DELETE", "/api/users/"+m.ada.id+"/second-factor", nil).want(204)
}

// enrol sets up a second factor of the owner's, and returns the code that confirms it (RFC 6238).
func (m *matrix) enrol() (id, code string) {
	m.t.Helper()
	m.unguard()
	var made struct {
		ID     string `json:"id"`
		Secret string `json:"secret"`
	}
	m.ada.post("/api/me/second-factor", object{"password": newPassword["password"]}).want(201).into(&made)
	secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(made.Secret)
	if err != nil {
		m.t.Fatal(err)
	}
	mac := hmac.New(sha1.New, secret)
	mac.Write(endian.BigEndian.AppendUint64(nil, uint64(time.Now().Unix()/30)))
	sum := mac.Sum(nil)
	n := endian.BigEndian.Uint32(sum[sum[19]&0xf:]) & 0x7fffffff
	return made.ID, fmt.Sprintf("%06d", n%1_000_000)
}

// recoveryCode switches a second factor of the owner's on.
func (m *matrix) recoveryCode() string {
	m.t.Helper()
	id, code := m.enrol()
	var shown struct {
		RecoveryCodes []string `json:"recovery_codes"`
	}
	m.ada.post("/api/me/second-factor/"+id+"/confirm", object{"code": code}).want(200).into(&shown)
	return shown.RecoveryCodes[0]
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
