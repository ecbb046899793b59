package account

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/services/backend/openid"
	"github.com/docket-tasks/docket/test/securitykey"
)

// keyed is a site at an address that passkeys are for.
func keyed(t testing.TB) *site {
	t.Helper()
	st := newSite(t)
	st.store.publicURL = "https://docket.test"
	return st
}

// knows adds a provider to the settings.
func (st *site) knows(id string) *openid.Provider {
	p := &openid.Provider{Settings: openid.Settings{ID: id, Name: strings.ToUpper(id)}}
	st.store.providers = append(st.store.providers, p)
	return p
}

// device is an authenticator before the site's pages.
func device() *securitykey.Authenticator { return securitykey.New("https://docket.test") }

var firefoxOverTLS = []string{"X-Forwarded-Proto", "https", "User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}

// begun is a passkey that is to be made, or asked for.
type begun struct {
	Attempt   string          `json:"attempt"`
	PublicKey json.RawMessage `json:"public_key"`
	cookie    string
}

// beginPasskey asks for one more passkey.
func (st *site) beginPasskey(as edge.IdentityRequest, password, factor string) response {
	st.t.Helper()
	return st.call(as, http.MethodPost, "/api/me/passkeys/start", string(encode(map[string]string{"password": password, "second_factor": factor})), firefoxOverTLS...)
}

// made has the device make what was begun, and adds it.
func (st *site) made(as edge.IdentityRequest, b begun, d *securitykey.Authenticator, name string) response {
	st.t.Helper()
	credential, err := d.Create(b.PublicKey)
	if err != nil {
		st.t.Fatal(err)
	}
	return st.addPasskey(as, b.Attempt, name, credential)
}

func (st *site) addPasskey(as edge.IdentityRequest, attempt, name string, credential []byte) response {
	st.t.Helper()
	body := map[string]any{"attempt": attempt, "credential": json.RawMessage(credential)}
	if name != "" {
		body["name"] = name
	}
	return st.call(as, http.MethodPost, "/api/me/passkeys", string(encode(body)), firefoxOverTLS...)
}

// passkeyOn adds a passkey of an account whose password is goodPassword, or that has none.
func (st *site) passkeyOn(as edge.IdentityRequest, d *securitykey.Authenticator, name string) (made Passkey) {
	st.t.Helper()
	var b begun
	st.beginPasskey(as, goodPassword, "").want(st.t, http.StatusOK, &b)
	st.made(as, b, d, name).want(st.t, http.StatusCreated, &made)
	return made
}

// knock begins to sign in.
func (st *site) knock() (b begun) {
	st.t.Helper()
	res := st.serve(st.public, http.MethodPost, "/api/session/passkey/start", overTLS, "")
	res.want(st.t, http.StatusOK, &b)
	b.cookie = res.cookie.Name + "=" + res.cookie.Value
	return b
}

// show signs in by what the device has signed.
func (st *site) show(cookie string, credential []byte) response {
	st.t.Helper()
	h := http.Header{}
	for i := 0; i < len(firefoxOverTLS); i += 2 {
		h.Set(firefoxOverTLS[i], firefoxOverTLS[i+1])
	}
	h.Set("Cookie", cookie)
	body := encode(map[string]any{"credential": json.RawMessage(credential), "time_zone": "Asia/Tokyo"})
	return st.serve(st.public, http.MethodPost, "/api/session/passkey/finish", h, string(body))
}

// signed has the device sign what was begun.
func (st *site) signed(b begun, d *securitykey.Authenticator) []byte {
	st.t.Helper()
	credential, err := d.Get(b.PublicKey)
	if err != nil {
		st.t.Fatal(err)
	}
	return credential
}

// touch signs in by the device's passkey.
func (st *site) touch(d *securitykey.Authenticator) response {
	st.t.Helper()
	b := st.knock()
	return st.show(b.cookie, st.signed(b, d))
}

// session is that of a response which signs in.
func (st *site) session(res response) (User, edge.IdentityRequest) {
	st.t.Helper()
	var in struct{ User User }
	res.want(st.t, http.StatusCreated, &in)
	for _, c := range (&http.Response{Header: res.header}).Cookies() {
		if c.Name == SecureCookie {
			return in.User, edge.IdentityRequest{Session: c.Value}
		}
	}
	st.t.Fatal("no session")
	return User{}, edge.IdentityRequest{}
}

func (st *site) passkeysOf(as edge.IdentityRequest) (list []Passkey) {
	st.t.Helper()
	st.call(as, http.MethodGet, "/api/me/passkeys", "").want(st.t, http.StatusOK, &list)
	return list
}

func TestPasskey(t *testing.T) {
	st := keyed(t)
	ada, here := st.account("Ada")
	phone := device()
	phone.Flags |= securitykey.BackupEligible | securitykey.BackedUp
	made := st.passkeyOn(here, phone, "")
	if made.Name != "Firefox on Linux" || made.Host != "docket.test" || !made.Synced || made.LastUsedAt != nil || !made.CreatedAt.Equal(st.clock.now()) {
		t.Errorf("%+v", made)
	}
	stick := device()
	st.passkeyOn(here, stick, "stick")
	st.clock.advance(time.Minute)
	u, there := st.session(st.touch(phone))
	if u.ID != ada.ID || u.TimeZone != "Asia/Tokyo" {
		t.Errorf("%+v", u)
	}
	list := st.passkeysOf(there)
	if len(list) != 2 || list[0].ID != made.ID || list[0].LastUsedAt == nil || !list[0].LastUsedAt.Equal(st.clock.now()) || list[1].LastUsedAt != nil || list[1].Synced {
		t.Errorf("%+v", list)
	}
	path := "/api/me/passkeys/" + made.ID
	var named Passkey
	st.call(there, http.MethodPatch, path, `{"name":"phone"}`).want(t, http.StatusOK, &named)
	if named.Name != "phone" || named.ID != made.ID {
		t.Errorf("%+v", named)
	}
	st.call(there, http.MethodPatch, path, `{"name":"phone "}`).wantProblem(t, http.StatusBadRequest, "validation_failed", "name")
	st.session(st.touch(phone))
	st.call(there, http.MethodDelete, path, "").want(t, http.StatusNoContent, nil)
	st.call(there, http.MethodDelete, path, "").wantProblem(t, http.StatusNotFound, "not_found", "")
	st.call(there, http.MethodPatch, path, `{"name":"x"}`).wantProblem(t, http.StatusNotFound, "not_found", "")
	st.touch(phone).wantProblem(t, http.StatusBadRequest, "unknown_passkey", "")
	st.session(st.touch(stick))
	want := []string{"signed_in Firefox on Linux, stick 1", "passkey_removed phone 1", "signed_in Firefox on Linux, phone 1",
		"signed_in Firefox on Linux, Firefox on Linux 1", "passkey_added stick 1", "passkey_added Firefox on Linux 1", "signed_in  1"}
	if _, told := st.accesses(there); told != strings.Join(want, "\n") {
		t.Error(told)
	}
	if row := string(st.item(passkeysKey(ada.ID)).Value); !strings.Contains(row, `"public"`) || strings.Contains(row, "attempt") {
		t.Error(row)
	}
}

// A passkey takes what signing in takes: else whoever has got hold of a session, or of the password alone, would stay by one.
func TestPasskeyTakesTheOwner(t *testing.T) {
	st := keyed(t)
	first, me := st.first()
	_, here, app, recovery := st.guarded("Ada")
	st.beginPasskey(here, "", "").wantProblem(t, http.StatusBadRequest, "validation_failed", "password")
	st.beginPasskey(here, "wrong-"+goodPassword, "").wantProblem(t, http.StatusBadRequest, "validation_failed", "password")
	st.beginPasskey(here, goodPassword, "").wantProblem(t, http.StatusBadRequest, "second_factor_needed", "second_factor")
	st.beginPasskey(here, goodPassword, "000000").wantProblem(t, http.StatusBadRequest, "wrong_code", "")
	st.beginPasskey(here, goodPassword, recovery[0]).want(t, http.StatusOK, nil)
	st.beginPasskey(here, goodPassword, recovery[0]).wantProblem(t, http.StatusBadRequest, "wrong_code", "") // it is used up
	st.clock.advance(totpPeriod)
	var b begun
	st.beginPasskey(here, goodPassword, app.code(0)).want(t, http.StatusOK, &b)
	phone := device()
	st.made(here, b, phone, "phone").want(t, http.StatusCreated, nil)
	u, _ := st.session(st.touch(phone)) // which is two factors by itself
	if u.Name != "Ada" {
		t.Errorf("%+v", u)
	}
	for range maxMisses - 1 { // and one before
		st.beginPasskey(here, "wrong-"+goodPassword, "").want(t, http.StatusBadRequest, nil)
	}
	st.beginPasskey(here, goodPassword, recovery[1]).wantProblem(t, http.StatusTooManyRequests, "rate_limited", "")

	st.beginPasskey(me, "", "").wantProblem(t, http.StatusBadRequest, "no_session", "") // a token has no browser
	st.passkeyOn(st.signIn(first.ID), device(), "who has no password shows none")
}

// What was begun counts once, in the browser and session that began it, for ten minutes, and for what it was begun for.
func TestPasskeyAttemptIsBound(t *testing.T) {
	st := keyed(t)
	ada, here := st.account("Ada")
	phone := device()
	st.passkeyOn(here, phone, "phone")
	for what, cookie := range map[string]func(b begun) string{
		"no cookie":          func(begun) string { return "" },
		"another browser":    func(begun) string { return st.knock().cookie },
		"the cookie without": func(b begun) string { return strings.TrimPrefix(b.cookie, "__Host-") },
		"another kind":       func(b begun) string { return strings.Replace(b.cookie, "passkey", "openid", 1) },
	} {
		b := st.knock()
		res := st.show(cookie(b), st.signed(b, phone))
		if want := "invalid_attempt"; res.status != http.StatusBadRequest || res.cookie != nil || !strings.Contains(string(res.body), want) && what != "another browser" {
			t.Errorf("%s: %d %s", what, res.status, res.body)
		}
	}
	b := st.knock()
	credential := st.signed(b, phone)
	st.show(b.cookie, credential).want(t, http.StatusCreated, nil)
	st.show(b.cookie, credential).wantProblem(t, http.StatusBadRequest, "invalid_attempt", "")
	st.show(st.knock().cookie, credential).wantProblem(t, http.StatusBadRequest, "passkey_refused", "") // the challenge of another attempt
	b = st.knock()
	st.clock.advance(attemptLife)
	st.show(b.cookie, st.signed(b, phone)).wantProblem(t, http.StatusBadRequest, "invalid_attempt", "")

	begin := func() (b begun) {
		st.beginPasskey(here, goodPassword, "").want(t, http.StatusOK, &b)
		return b
	}
	there := st.signIn(ada.ID)
	st.made(there, begin(), device(), "x").wantProblem(t, http.StatusBadRequest, "invalid_attempt", "")
	b = begin()
	tablet := device()
	st.made(here, b, tablet, "tablet").want(t, http.StatusCreated, nil)
	st.made(here, b, device(), "x").wantProblem(t, http.StatusBadRequest, "invalid_attempt", "")
	b = begin()
	st.clock.advance(attemptLife)
	st.made(here, b, device(), "x").wantProblem(t, http.StatusBadRequest, "invalid_attempt", "")
	signIn := st.knock()
	_, secret, _ := strings.Cut(signIn.cookie, "=")
	made, err := device().Create(begin().PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	st.addPasskey(here, secret, "x", made).wantProblem(t, http.StatusBadRequest, "invalid_attempt", "") // it was to sign in
	b = begin()
	st.show("__Host-docket_passkey="+b.Attempt, st.signed(st.knock(), phone)).wantProblem(t, http.StatusBadRequest, "invalid_attempt", "")
	if list := st.passkeysOf(here); len(list) != 2 {
		t.Errorf("%+v", list)
	}
}

func TestPasskeyCookie(t *testing.T) {
	st := keyed(t)
	res := st.serve(st.public, http.MethodPost, "/api/session/passkey/start", overTLS, "")
	c := res.cookie
	if c.Name != "__Host-docket_passkey" || !c.Secure || !c.HttpOnly || c.Path != "/" || c.Domain != "" || c.SameSite != http.SameSiteStrictMode || c.MaxAge != 600 {
		t.Errorf("%+v", c)
	}
	if item := st.item(passkeyAttempts.rows + hash(c.Value)); !item.Exists() || strings.Contains(string(item.Value), c.Value) {
		t.Errorf("what is kept holds what the cookie does: %s", item.Value)
	}
	_, here := st.account("Ada")
	phone := device()
	st.passkeyOn(here, phone, "phone")
	if gone := st.touch(phone).cookie; gone.Name != c.Name || gone.MaxAge >= 0 {
		t.Errorf("it stays: %+v", gone)
	}
}

// Whoever holds no passkey of the account does not get in, and leaves a trace there.
func TestPasskeyRefuses(t *testing.T) {
	st := keyed(t)
	_, here := st.account("Ada")
	eve, evil := st.account("Eve")
	phone := device()
	st.passkeyOn(here, phone, "phone")
	hers := device()
	st.passkeyOn(evil, hers, "hers")
	for what, change := range map[string]func(*securitykey.Authenticator){
		"another origin": func(a *securitykey.Authenticator) { a.Origin = "https://evil.example" },
		"another site":   func(a *securitykey.Authenticator) { a.RPID = "evil.example" },
		"no PIN":         func(a *securitykey.Authenticator) { a.Flags = securitykey.Present },
	} {
		copied := phone.Copy()
		change(copied)
		if res := st.touch(copied); res.status != http.StatusBadRequest || !strings.Contains(string(res.body), "passkey_refused") || res.cookie != nil {
			t.Errorf("%s: %d %s", what, res.status, res.body)
		}
		st.drain()
	}
	b := st.knock() // the id of Ada's passkey, signed by Eve's
	var mixed map[string]any
	if err := json.Unmarshal(st.signed(b, hers), &mixed); err != nil {
		t.Fatal(err)
	}
	var adas map[string]any
	if err := json.Unmarshal(st.signed(b, phone), &adas); err != nil {
		t.Fatal(err)
	}
	mixed["id"], mixed["rawId"] = adas["id"], adas["rawId"]
	st.show(b.cookie, encode(mixed)).wantProblem(t, http.StatusBadRequest, "passkey_refused", "") // and Eve's user
	b = st.knock()
	st.drain()
	if err := json.Unmarshal(st.signed(b, phone), &adas); err != nil {
		t.Fatal(err)
	}
	adas["response"].(map[string]any)["userHandle"] = mixed["response"].(map[string]any)["userHandle"]
	st.show(b.cookie, encode(adas)).wantProblem(t, http.StatusBadRequest, "passkey_refused", "")
	st.drain()
	for _, credential := range []string{`{}`, `[]`, `null`, `"x"`, `{"id":"AA","rawId":"AA","type":"public-key","response":{}}`} {
		st.show(st.knock().cookie, []byte(credential)).wantProblem(t, http.StatusBadRequest, "passkey_refused", "")
	}
	if _, told := st.accesses(here); !strings.HasPrefix(told, "sign_in_failed Firefox on Linux, phone 5\n") {
		t.Error(told)
	}
	if u, _ := st.session(st.touch(hers)); u.ID != eve.ID {
		t.Errorf("%+v", u)
	}
	path := "/api/me/passkeys/" + st.passkeysOf(here)[0].ID
	st.call(evil, http.MethodPatch, path, `{"name":"x"}`).wantProblem(t, http.StatusNotFound, "not_found", "")
	st.call(evil, http.MethodDelete, path, "").wantProblem(t, http.StatusNotFound, "not_found", "")
	var eves begun
	st.beginPasskey(evil, goodPassword, "").want(t, http.StatusOK, &eves)
	wrong := device()
	wrong.Origin = "https://evil.example"
	st.made(evil, eves, wrong, "x").wantProblem(t, http.StatusBadRequest, "passkey_refused", "")
}

// Of an authenticator and its copy, whichever counts behind is refused, and its owner learns of it.
func TestCopiedPasskey(t *testing.T) {
	st := keyed(t)
	_, here := st.account("Ada")
	stick := device()
	stick.Counter = 1
	st.passkeyOn(here, stick, "stick")
	thief := stick.Copy()
	st.session(st.touch(stick))
	st.session(st.touch(stick))
	for range 2 {
		res := st.touch(thief)
		res.wantProblem(t, http.StatusBadRequest, "passkey_copied", "")
		if res.cookie != nil {
			t.Error("it signs in")
		}
		st.drain()
	}
	if _, told := st.accesses(here); !strings.HasPrefix(told, "passkey_refused Firefox on Linux, stick 2\n") {
		t.Error(told)
	}
	thief.Counter = 9
	st.session(st.touch(thief)) // nothing tells it from the other
	st.touch(stick).wantProblem(t, http.StatusBadRequest, "passkey_copied", "")
}

func TestPasskeysAreBounded(t *testing.T) {
	st := keyed(t)
	me, _ := st.first() // who has no password to show
	here := st.signIn(me.ID)
	var late begun
	st.beginPasskey(here, goodPassword, "").want(t, http.StatusOK, &late)
	for range MaxPasskeys {
		st.passkeyOn(here, device(), "x")
	}
	st.beginPasskey(here, goodPassword, "").wantProblem(t, http.StatusConflict, "too_many_passkeys", "")
	st.made(here, late, device(), "late").wantProblem(t, http.StatusConflict, "too_many_passkeys", "")
	if list := st.passkeysOf(here); len(list) != MaxPasskeys {
		t.Errorf("%d passkeys", len(list))
	}
}

// One passkey is one user's: not even whoever has made it can give it to another.
func TestPasskeyIsOneUsers(t *testing.T) {
	st := keyed(t)
	ada, here := st.account("Ada")
	_, evil := st.account("Eve")
	phone := device()
	made := st.passkeyOn(here, phone, "phone")
	var b begun
	st.beginPasskey(evil, goodPassword, "").want(t, http.StatusOK, &b)
	credential, err := device().Create(b.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	if err := st.store.state.Commit(t.Context(), host.Tx{Ops: []host.Op{host.Create(passkeyKey(idOf(t, credential)), encode(ada.ID))}}); err != nil {
		t.Fatal(err)
	}
	st.addPasskey(evil, b.Attempt, "x", credential).wantProblem(t, http.StatusConflict, "passkey_taken", "")
	var again begun
	st.beginPasskey(here, goodPassword, "").want(t, http.StatusOK, &again)
	if _, err := phone.Create(again.PublicKey); err == nil {
		t.Errorf("an authenticator that has %s makes another", made.ID)
	}
}

// idOf is that of the passkey in what a browser sends.
func idOf(t *testing.T, credential []byte) string {
	t.Helper()
	var c struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(credential, &c); err != nil {
		t.Fatal(err)
	}
	id, err := base64.RawURLEncoding.DecodeString(c.ID)
	if err != nil {
		t.Fatal(err)
	}
	return digest(string(id))
}

// A passkey is a way in as a connection is: of the last two, one stays, also where both are given up at once.
func TestLastPasskeyStays(t *testing.T) {
	st := keyed(t)
	id, here := st.withoutPassword("Ada")
	made := st.passkeyOn(here, device(), "phone")
	path := "/api/me/passkeys/" + made.ID
	st.call(here, http.MethodDelete, path, "").wantProblem(t, http.StatusConflict, "last_way_in", "")
	provider, who := st.knows("p"), openid.Person{Issuer: "https://p.example", Subject: "1"}
	if err := st.store.Connect(t.Context(), id, provider, who); err != nil {
		t.Fatal(err)
	}
	connection := connectionID(who)
	sites := st.replicas(2)
	var left atomic.Int32
	atOnce(len(sites), func(i int) {
		var err error
		if i == 0 {
			err = sites[i].store.RemovePasskey(t.Context(), id, made.ID)
		} else {
			err = sites[i].store.Disconnect(t.Context(), id, connection)
		}
		if err != nil {
			left.Add(1)
		}
	})
	connections, err := st.store.Connections(t.Context(), id)
	if ways := len(st.passkeysOf(here)) + len(connections); ways != 1 || left.Load() != 1 || err != nil {
		t.Errorf("%d ways in are left, %d stayed, %v", ways, left.Load(), err)
	}
	st.call(here, http.MethodPut, "/api/me/password", `{"password":"`+goodPassword+`"}`).want(t, http.StatusNoContent, nil)
	for _, p := range st.passkeysOf(here) {
		st.call(here, http.MethodDelete, "/api/me/passkeys/"+p.ID, "").want(t, http.StatusNoContent, nil)
	}
}

// A new password leaves passkeys, which an administrator sees, and can remove.
func TestPasskeysOutliveThePassword(t *testing.T) {
	st := keyed(t)
	_, admin := st.first()
	ada, here := st.account("Ada")
	phone := device()
	st.passkeyOn(here, phone, "phone")
	st.passkeyOn(here, device(), "stick")
	st.clock.advance(time.Second)
	st.reset(st.resetCode(admin, ada.ID).Code, otherPassword).want(t, http.StatusNoContent, nil)
	_, here = st.session(st.touch(phone))
	var found []UserSummary
	st.call(admin, http.MethodGet, "/api/users?name=ada", "").want(t, http.StatusOK, &found)
	if len(found) != 1 || found[0].Passkeys != 2 {
		t.Errorf("%+v", found)
	}
	to := "/api/users/" + ada.ID + "/passkeys"
	st.call(here, http.MethodDelete, to, "").wantProblem(t, http.StatusForbidden, "forbidden", "")
	st.call(admin, http.MethodDelete, "/api/users/01a00000-0000-7000-8000-000000000000/passkeys", "").wantProblem(t, http.StatusNotFound, "not_found", "")
	for range 2 {
		st.call(admin, http.MethodDelete, to, "").want(t, http.StatusNoContent, nil)
	}
	st.touch(phone).wantProblem(t, http.StatusBadRequest, "unknown_passkey", "")
	if _, told := st.accesses(here); !strings.HasPrefix(told, "passkey_removed  1\n") || len(st.passkeysOf(here)) != 0 {
		t.Error(told)
	}
}

func TestDeletedAccountHasNoPasskeys(t *testing.T) {
	st := keyed(t)
	ada, here := st.account("Ada")
	phone := device()
	made := st.passkeyOn(here, phone, "phone")
	b := st.knock()
	st.leave(here, goodPassword, "").want(t, http.StatusNoContent, nil)
	st.show(b.cookie, st.signed(b, phone)).wantProblem(t, http.StatusBadRequest, "unknown_passkey", "")
	if left := st.rows(ada.ID); left != nil || st.item(passkeyKey(made.ID)).Exists() {
		t.Errorf("%q are left, and the passkey: %v", left, st.item(passkeyKey(made.ID)).Exists())
	}
}

// Passkeys are for an address with a name, which a request does not say.
func TestWherePasskeysWork(t *testing.T) {
	st := newSite(t)
	_, here := st.account("Ada")
	for _, c := range []struct{ public, host, origin, code string }{
		{"", "localhost:8080", "http://localhost:8080", ""},
		{"", "127.0.0.1:8080", "http://localhost:8080", "passkeys_elsewhere"},
		{"", "tasks.example.org", "", "passkeys_unavailable"},
		{"https://tasks.example.org", "evil.example", "https://tasks.example.org", ""},
		{"https://10.0.0.1", "10.0.0.1", "", "passkeys_unavailable"},
	} {
		st.store.publicURL = c.public
		at := []string{"X-Forwarded-Host", c.host}
		var o Options
		st.serve(st.public, http.MethodGet, "/api/session/options", http.Header{at[0]: at[1:]}, "").want(t, http.StatusOK, &o)
		if o.Passkeys != c.origin {
			t.Errorf("%+v: they work at %q", c, o.Passkeys)
		}
		for what, res := range map[string]response{
			"to sign in": st.serve(st.public, http.MethodPost, "/api/session/passkey/start", http.Header{at[0]: at[1:]}, ""),
			"to add one": st.call(here, http.MethodPost, "/api/me/passkeys/start", `{"password":"`+goodPassword+`"}`, at...),
		} {
			if c.code == "" {
				res.want(t, http.StatusOK, nil)
				continue
			}
			if res.wantProblem(t, http.StatusBadRequest, c.code, ""); !strings.Contains(string(res.body), c.origin) {
				t.Errorf("%+v, %s: %s", c, what, res.body)
			}
		}
	}
}
