package openid_test

import (
	"context"
	"errors"
	"net/url"
	"testing"
	"time"

	"github.com/docket-tasks/docket/services/backend/openid"
	"github.com/docket-tasks/docket/test/openidprovider"
)

const public = "https://docket.test"

// between is docket and a provider that knows it.
type between struct {
	t       *testing.T
	there   *openidprovider.Provider
	here    *openid.Provider
	secret  string
	advance time.Duration
}

func newBetween(t *testing.T) *between {
	t.Helper()
	there, err := openidprovider.Start("127.0.0.1:0", public+"/signin/callback/there")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = there.Close() })
	there.Add("ada", "Ada Lovelace", "ada@example.org", true)
	there.Add("bob", "Bob Bauer", "bob@example.org", false)
	b := &between{t: t, there: there, secret: openidprovider.ClientSecret}
	set := openid.Settings{ID: "there", Name: "There", Issuer: there.Issuer, ClientID: openidprovider.ClientID}
	b.here = openid.New(set, public, func(context.Context) (string, error) { return b.secret, nil }, func() time.Time { return time.Now().Add(b.advance) })
	return b
}

// begin goes there as subject, and returns what comes back.
func (b *between) begin(subject string) (a openid.Attempt, back url.Values) {
	b.t.Helper()
	a, address, err := b.here.Begin(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	to, err := b.there.SignIn(b.t.Context(), address, subject)
	if err != nil {
		b.t.Fatal(err)
	}
	if to.Scheme+"://"+to.Host+to.Path != public+"/signin/callback/there" || to.Query().Get("state") != a.State {
		b.t.Fatalf("sent to %s", to)
	}
	return a, to.Query()
}

func (b *between) finish(a openid.Attempt, back url.Values) (openid.Person, error) {
	return b.here.Finish(b.t.Context(), a, back.Get("code"))
}

// wantRefused fails unless the error says that the provider vouches for nobody.
func (b *between) wantRefused(what string, err error) {
	b.t.Helper()
	if !errors.Is(err, openid.ErrRefused) || errors.Is(err, openid.ErrUnavailable) {
		b.t.Errorf("%s: %v", what, err)
	}
}

// [Task]: T021
func TestSignIn(t *testing.T) {
	b := newBetween(t)
	who, err := b.finish(b.begin("ada"))
	if want := (openid.Person{Issuer: b.there.Issuer, Subject: "ada", Email: "ada@example.org", Name: "Ada Lovelace"}); err != nil || who != want {
		t.Errorf("%+v, %v; want %+v", who, err, want)
	}
	who, err = b.finish(b.begin("bob"))
	if err != nil || who.Subject != "bob" || who.Email != "" {
		t.Errorf("%+v, %v: an address that is not verified is none", who, err)
	}
}

// The address carries what the specifications ask for, and nothing of it twice.
func TestAddress(t *testing.T) {
	b := newBetween(t)
	seen := map[string]bool{}
	for range 2 {
		_, address, err := b.here.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		q := u.Query()
		if q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256" || q.Get("scope") != "openid profile email" {
			t.Errorf("%s", address)
		}
		for _, name := range []string{"state", "nonce", "code_challenge"} {
			if v := q.Get(name); len(v) != 43 || seen[v] {
				t.Errorf("%s is %q: want 256 bits, and others each time", name, v)
			}
			seen[q.Get(name)] = true
		}
	}
}

func TestCodeWorksOnce(t *testing.T) {
	b := newBetween(t)
	a, back := b.begin("ada")
	if _, err := b.finish(a, back); err != nil {
		t.Fatal(err)
	}
	_, err := b.finish(a, back)
	b.wantRefused("a code again", err)
	_, err = b.here.Finish(t.Context(), a, "invented")
	b.wantRefused("a code that is none", err)
}

// A code that was stolen on its way is of no use without the verifier (RFC 7636), nor in another attempt.
func TestCodeIsBoundToItsAttempt(t *testing.T) {
	b := newBetween(t)
	stolen, back := b.begin("ada")
	stolen.Verifier += "x"
	_, err := b.finish(stolen, back)
	b.wantRefused("another verifier", err)
	other, _ := b.begin("ada")
	_, back = b.begin("ada")
	_, err = b.finish(other, back)
	b.wantRefused("another's code", err)
}

func TestNonce(t *testing.T) {
	b := newBetween(t)
	b.there.Lie("not what was asked")
	_, err := b.finish(b.begin("ada"))
	b.wantRefused("another nonce", err)
}

func TestKeysRotate(t *testing.T) {
	b := newBetween(t)
	for range 3 {
		if _, err := b.finish(b.begin("ada")); err != nil {
			t.Fatal(err)
		}
		b.there.Rotate()
	}
	a, back := b.begin("ada")
	if _, err := b.finish(a, back); err != nil {
		t.Fatal(err)
	}
}

func TestIDTokenExpires(t *testing.T) {
	b := newBetween(t)
	b.advance = 2 * time.Hour // the provider's are good for one
	_, err := b.finish(b.begin("ada"))
	b.wantRefused("a token that is over", err)
}

// What its user cannot mend is told from what they can.
func TestUnavailable(t *testing.T) {
	b := newBetween(t)
	a, back := b.begin("ada")
	b.secret = "wrong"
	if _, err := b.finish(a, back); !errors.Is(err, openid.ErrUnavailable) {
		t.Errorf("with a wrong client secret: %v", err)
	}
	if err := b.there.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := b.finish(a, back); !errors.Is(err, openid.ErrUnavailable) {
		t.Errorf("away when the code is redeemed: %v", err)
	}
	away := openid.New(openid.Settings{ID: "away", Issuer: b.there.Issuer}, public, nil, time.Now)
	if _, _, err := away.Begin(t.Context()); !errors.Is(err, openid.ErrUnavailable) {
		t.Errorf("away from the start: %v", err)
	}
}
