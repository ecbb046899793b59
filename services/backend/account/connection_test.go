package account

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/services/backend/openid"
	"github.com/docket-tasks/docket/test/openidprovider"
)

// provided is a site with two real providers: "there" is trusted to verify addresses, "elsewhere" is not.
type provided struct {
	*site
	there, elsewhere *openidprovider.Provider
}

func newProvided(t *testing.T) *provided {
	t.Helper()
	p := &provided{site: newSite(t)}
	p.there = p.add("there", true)
	p.elsewhere = p.add("elsewhere", false)
	return p
}

func (p *provided) add(id string, link bool) *openidprovider.Provider {
	p.t.Helper()
	const public = "https://docket.test"
	running, err := openidprovider.Start("127.0.0.1:0", public+"/signin/callback/"+id)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = running.Close() })
	running.Add("ada", "Ada", "ada@example.org", true)
	running.Add("bob", "Bob", "ada@example.org", false)
	set := openid.Settings{ID: id, Name: strings.ToUpper(id), Issuer: running.Issuer, ClientID: openidprovider.ClientID, LinkByEmail: link}
	secret := func(context.Context) (string, error) { return openidprovider.ClientSecret, nil }
	p.store.providers = append(p.store.providers, openid.New(set, public, secret, time.Now))
	return running
}

var overTLS = http.Header{"X-Forwarded-Proto": {"https"}}

// visit is a browser that has been to a provider and comes back.
type visit struct {
	provider, cookie string
	back             url.Values
}

// goTo sends a browser from where start has answered.
func (p *provided) goTo(provider *openidprovider.Provider, id, subject string, start response) visit {
	p.t.Helper()
	var to struct{ URL string }
	start.want(p.t, http.StatusOK, &to)
	back, err := provider.SignIn(p.t.Context(), to.URL, subject)
	if err != nil {
		p.t.Fatal(err)
	}
	return visit{provider: id, cookie: start.cookie.Name + "=" + start.cookie.Value, back: back.Query()}
}

func (p *provided) start(body string) response {
	p.t.Helper()
	return p.serve(p.public, http.MethodPost, "/api/session/openid/start", overTLS, body)
}

// visit goes to "there" without more.
func (p *provided) visit(subject string) visit {
	p.t.Helper()
	return p.goTo(p.there, "there", subject, p.start(`{"provider":"there","time_zone":"Asia/Tokyo"}`))
}

func (p *provided) finish(v visit) response {
	p.t.Helper()
	header := overTLS.Clone()
	header.Set("Cookie", v.cookie)
	header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
	body := map[string]string{"provider": v.provider, "state": v.back.Get("state"), "code": v.back.Get("code")}
	return p.serve(p.public, http.MethodPost, "/api/session/openid/finish", header, string(encode(body)))
}

// enters finishes, and returns who is signed in, and the session.
func (p *provided) enters(v visit) (User, edge.IdentityRequest) {
	p.t.Helper()
	res := p.finish(v)
	var out struct {
		User      User
		Connected bool
	}
	res.want(p.t, http.StatusCreated, &out)
	for _, c := range (&http.Response{Header: res.header}).Cookies() {
		if c.Name == SecureCookie && !out.Connected {
			return out.User, edge.IdentityRequest{Session: c.Value}
		}
	}
	p.t.Fatalf("no session: %s", res.body)
	return User{}, edge.IdentityRequest{}
}

// connect connects the caller with the subject at the provider.
func (p *provided) connect(as edge.IdentityRequest, provider *openidprovider.Provider, id, subject string) response {
	p.t.Helper()
	begun := p.call(as, http.MethodPost, "/api/me/connections", `{"provider":"`+id+`"}`, "X-Forwarded-Proto", "https")
	return p.finish(p.goTo(provider, id, subject, begun))
}

// member is a user who is signed in, without a password: that would take its time.
func (p *provided) member(name string) edge.IdentityRequest {
	p.t.Helper()
	u, err := p.store.newUser(name)
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := p.store.createUser(p.t.Context(), u); err != nil {
		p.t.Fatal(err)
	}
	return p.signIn(u.ID)
}

func (p *provided) connections(as edge.IdentityRequest) (list []Connection) {
	p.t.Helper()
	p.call(as, http.MethodGet, "/api/me/connections", "").want(p.t, http.StatusOK, &list)
	return list
}

// [Task]: T021
func TestSignUpByProvider(t *testing.T) {
	p := newProvided(t)
	p.member("Ada") // so that the name is taken
	u, session := p.enters(p.visit("ada"))
	if u.Name != "Ada 2" || u.Email != "ada@example.org" || u.TimeZone != "Asia/Tokyo" || u.Admin {
		t.Errorf("%+v", u)
	}
	again, _ := p.enters(p.visit("ada"))
	if again.ID != u.ID {
		t.Error("the same person is another user the next time")
	}
	if list := p.connections(session); len(list) != 1 || list[0].Provider != "there" || list[0].Email != "ada@example.org" {
		t.Errorf("%+v", list)
	}
	var seen []Access
	p.call(session, http.MethodGet, "/api/me/access", "").want(t, http.StatusOK, &seen)
	if len(seen) != 2 || seen[0].Kind != accessSignedIn || seen[0].With != "Firefox on Linux, THERE" {
		t.Errorf("%+v", seen)
	}
	bob, _ := p.enters(p.visit("bob"))
	if bob.ID == u.ID || bob.Email != "" {
		t.Errorf("%+v: an address that is not verified is nobody's", bob)
	}
}

func TestSignUpByProviderIsASetting(t *testing.T) {
	p := newProvided(t)
	_, admin := p.first()
	p.store.signUp = SignUpInvitation
	invited := p.invite(admin, `{}`)
	p.start(`{"provider":"there","invitation":"unknown"}`).wantProblem(t, http.StatusBadRequest, "invalid_invitation", "invitation")
	p.finish(p.visit("ada")).wantProblem(t, http.StatusForbidden, "no_account", "")
	v := p.goTo(p.there, "there", "ada", p.start(`{"provider":"there","invitation":"`+invited.Code+`"}`))
	late := p.goTo(p.there, "there", "bob", p.start(`{"provider":"there","invitation":"`+invited.Code+`"}`))
	ada, _ := p.enters(v)
	p.finish(late).wantProblem(t, http.StatusBadRequest, "invalid_invitation", "invitation")
	p.store.signUp = SignUpClosed
	if again, _ := p.enters(p.visit("ada")); again.ID != ada.ID {
		t.Error("who is known gets in though signing up is closed")
	}
	p.finish(p.visit("bob")).wantProblem(t, http.StatusForbidden, "no_account", "")
}

// What a user has typed as their address says nothing: whoever has it really must not get their account, nor they another's.
func TestUnverifiedAddressesConnectNobody(t *testing.T) {
	p := newProvided(t)
	victim := p.member("victim")
	p.call(victim, http.MethodPatch, "/api/me", `{"email":"ada@example.org"}`).want(t, http.StatusOK, nil)
	if u, _ := p.enters(p.visit("ada")); u.Name == "victim" {
		t.Error("an address that was typed has let somebody in")
	}
	if u, _ := p.enters(p.visit("bob")); u.Name != "Bob" { // the provider says of this one that it is not verified
		t.Errorf("got in as %s", u.Name)
	}
}

// An address that one provider has verified connects the account with another, where that is trusted with addresses.
func TestVerifiedAddressConnects(t *testing.T) {
	p := newProvided(t)
	here := p.member("Ada")
	p.connect(here, p.elsewhere, "elsewhere", "ada").want(t, http.StatusCreated, nil)
	u, session := p.enters(p.visit("ada"))
	if u.Name != "Ada" || len(p.connections(session)) != 2 {
		t.Errorf("%+v, %+v", u, p.connections(session))
	}
}

func TestVerifiedAddressDoesNotGetAround(t *testing.T) {
	p := newProvided(t)
	u, session := p.enters(p.visit("ada"))
	elsewhere := func() visit {
		return p.goTo(p.elsewhere, "elsewhere", "ada", p.start(`{"provider":"elsewhere"}`))
	}
	p.finish(elsewhere()).wantProblem(t, http.StatusForbidden, "connect_first", "") // it is not trusted with addresses

	for _, c := range p.connections(session) {
		p.call(session, http.MethodPut, "/api/me/password", `{"password":"`+goodPassword+`"}`).want(t, http.StatusNoContent, nil)
		p.call(session, http.MethodDelete, "/api/me/connections/"+c.ID, "").want(t, http.StatusNoContent, nil)
	}
	p.connect(session, p.elsewhere, "elsewhere", "ada").want(t, http.StatusCreated, nil)
	now := p.clock.now()
	id, secret, err := p.store.Enrol(t.Context(), u.ID, goodPassword)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.store.Confirm(t.Context(), u.ID, id, hotp(secret, now.Unix()/30, 6)); err != nil {
		t.Fatal(err)
	}
	p.finish(p.visit("ada")).wantProblem(t, http.StatusForbidden, "connect_first", "") // there is a second factor
	if in, _ := p.enters(elsewhere()); in.ID != u.ID {
		t.Error("who is connected does not get in")
	}
}

func TestConnect(t *testing.T) {
	p := newProvided(t)
	ada := p.member("Ada")
	eve := p.member("Eve")
	p.connect(ada, p.there, "there", "ada").want(t, http.StatusCreated, nil)
	p.connect(ada, p.there, "there", "ada").want(t, http.StatusCreated, nil)
	p.connect(eve, p.there, "there", "ada").wantProblem(t, http.StatusConflict, "connection_taken", "")
	list := p.connections(ada)
	if len(list) != 1 || list[0].Name != "THERE" || len(p.connections(eve)) != 0 {
		t.Errorf("%+v", list)
	}
	if u, _ := p.enters(p.visit("ada")); u.Name != "Ada" {
		t.Errorf("got in as %s", u.Name)
	}
	p.call(eve, http.MethodDelete, "/api/me/connections/"+list[0].ID, "").wantProblem(t, http.StatusNotFound, "not_found", "")
	p.connect(ada, p.elsewhere, "elsewhere", "bob").want(t, http.StatusCreated, nil) // another way in
	p.call(ada, http.MethodDelete, "/api/me/connections/"+list[0].ID, "").want(t, http.StatusNoContent, nil)
	if u, _ := p.enters(p.visit("ada")); u.Name == "Ada" {
		t.Error("got in by a connection that is gone")
	}
	var seen []Access
	p.call(ada, http.MethodGet, "/api/me/access", "").want(t, http.StatusOK, &seen)
	if seen[0].Kind != accessDisconnected || seen[0].With != "THERE" || seen[1].Kind != accessConnected || seen[1].With != "ELSEWHERE" {
		t.Errorf("%+v", seen)
	}
}

func TestLastWayInStays(t *testing.T) {
	p := newProvided(t)
	_, session := p.enters(p.visit("ada"))
	path := "/api/me/connections/" + p.connections(session)[0].ID
	p.call(session, http.MethodDelete, path, "").wantProblem(t, http.StatusConflict, "last_way_in", "")
	p.call(session, http.MethodPut, "/api/me/password", `{"password":"`+goodPassword+`"}`).want(t, http.StatusNoContent, nil)
	p.call(session, http.MethodDelete, path, "").want(t, http.StatusNoContent, nil)
}

// A connection with a provider that the settings have no more is no way in beside which another can be given up.
func TestConnectionOfNoProvider(t *testing.T) {
	p := newProvided(t)
	_, session := p.enters(p.visit("ada"))
	ada, err := p.store.Principal(t.Context(), session)
	if err != nil {
		t.Fatal(err)
	}
	gone := &openid.Provider{Settings: openid.Settings{ID: "gone", Name: "Gone"}}
	if err := p.store.Connect(t.Context(), ada.UserID, gone, openid.Person{Issuer: "https://gone.example", Subject: "1"}); err != nil {
		t.Fatal(err)
	}
	list := p.connections(session)
	if len(list) != 2 {
		t.Fatalf("%+v", list)
	}
	p.call(session, http.MethodDelete, "/api/me/connections/"+list[0].ID, "").wantProblem(t, http.StatusConflict, "last_way_in", "")
	p.call(session, http.MethodDelete, "/api/me/connections/"+list[1].ID, "").want(t, http.StatusNoContent, nil)
}

// Whoever signs out wants nobody to stay: also not by a connection that was begun before.
func TestSignOutEndsWhatWasBegun(t *testing.T) {
	p := newProvided(t)
	ada := p.member("Ada")
	begun := p.call(ada, http.MethodPost, "/api/me/connections", `{"provider":"there"}`, "X-Forwarded-Proto", "https")
	v := p.goTo(p.there, "there", "ada", begun)
	p.call(ada, http.MethodDelete, "/api/session", "").want(t, http.StatusNoContent, nil)
	p.finish(v).wantProblem(t, http.StatusBadRequest, "invalid_attempt", "")
}

// What comes back counts once, in the browser that began, for ten minutes, and with the state that it took along.
func TestAttemptIsBound(t *testing.T) {
	p := newProvided(t)
	other := p.visit("ada")
	for what, change := range map[string]func(*visit){
		"another state":      func(v *visit) { v.back.Set("state", other.back.Get("state")) },
		"no state":           func(v *visit) { v.back.Set("state", "x") },
		"another browser":    func(v *visit) { v.cookie = other.cookie },
		"no cookie":          func(v *visit) { v.cookie = "" },
		"another provider":   func(v *visit) { v.provider = "elsewhere" },
		"the cookie without": func(v *visit) { v.cookie = strings.TrimPrefix(v.cookie, "__Host-") },
	} {
		v := p.visit("ada")
		change(&v)
		if res := p.finish(v); res.status != http.StatusBadRequest || !strings.Contains(string(res.body), "invalid_attempt") || res.cookie != nil {
			t.Errorf("%s: %d %s", what, res.status, res.body)
		}
		other = p.visit("ada")
	}
	v := p.visit("ada")
	p.enters(v)
	p.finish(v).wantProblem(t, http.StatusBadRequest, "invalid_attempt", "")
	v = p.visit("ada")
	p.clock.advance(attemptLife)
	p.finish(v).wantProblem(t, http.StatusBadRequest, "invalid_attempt", "")
	v = p.visit("ada")
	v.back.Del("code") // the person has said no there
	p.finish(v).wantProblem(t, http.StatusBadRequest, "provider_refused", "")
}

func TestAttemptCookie(t *testing.T) {
	p := newProvided(t)
	c := p.start(`{"provider":"there"}`).cookie
	if c.Name != "__Host-docket_openid" || !c.Secure || !c.HttpOnly || c.Path != "/" || c.Domain != "" || c.SameSite != http.SameSiteStrictMode || c.MaxAge != 600 {
		t.Errorf("%+v", c)
	}
	v := p.visit("ada")
	gone := p.finish(v).cookie
	if gone.Name != c.Name || gone.MaxAge >= 0 {
		t.Errorf("it stays: %+v", gone)
	}
	if item := p.item(openIDAttempts.rows + hash(c.Value)); !item.Exists() || strings.Contains(string(item.Value), c.Value) {
		t.Errorf("what is kept holds what the cookie does: %s", item.Value)
	}
}

// Where a provider is away, everything else goes on.
func TestProviderIsAway(t *testing.T) {
	p := newProvided(t)
	p.join("Ada", "")
	v := p.visit("ada")
	if err := p.there.Close(); err != nil {
		t.Fatal(err)
	}
	res := p.finish(v)
	res.wantProblem(t, http.StatusServiceUnavailable, "provider_unavailable", "")
	if res.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	_, res = p.enter("ada", goodPassword)
	res.want(t, http.StatusCreated, nil)
	p.start(`{"provider":"nobody"}`).wantProblem(t, http.StatusNotFound, "not_found", "")
	var o Options
	p.serve(p.public, http.MethodGet, "/api/session/options", nil, "").want(t, http.StatusOK, &o)
	if len(o.Providers) != 2 || o.Providers[0] != (ProviderName{"there", "THERE"}) {
		t.Errorf("%+v", o.Providers)
	}
}

func TestNameOf(t *testing.T) {
	for want, who := range map[string]openid.Person{
		"Ada Lovelace":          {Name: " Ada\x00 Lovelace "},
		"ada":                   {Email: "ada@example.org"},
		"user":                  {Name: "\x07"},
		strings.Repeat("ä", 96): {Name: strings.Repeat("ä", 200)},
	} {
		if got := nameOf(who); got != want || checkName(got) != nil {
			t.Errorf("%+v is called %q, want %q", who, got, want)
		}
	}
}
