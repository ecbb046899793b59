package passkey

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/docket-tasks/docket/test/securitykey"
)

var (
	here = Site{ID: "docket.test", Origin: "https://docket.test"}
	ada  = Holder{ID: "0190b1f4-0000-7000-8000-000000000001", Name: "Ada Ü"}
)

// made makes a passkey of Ada's.
func made(t testing.TB, device *securitykey.Authenticator) Key {
	t.Helper()
	challenge, options := here.Create(ada, nil)
	response, err := device.Create(options)
	if err != nil {
		t.Fatal(err)
	}
	k, err := here.Created(challenge, response)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// signed is a challenge, and the answer to it.
func signed(t testing.TB, device *securitykey.Authenticator) (challenge string, response []byte) {
	t.Helper()
	challenge, options := here.Request()
	response, err := device.Get(options)
	if err != nil {
		t.Fatal(err)
	}
	return challenge, response
}

// signIn has the key's owner sign in.
func signIn(t testing.TB, device *securitykey.Authenticator, k Key) (Key, error) {
	t.Helper()
	challenge, response := signed(t, device)
	a, err := Read(response)
	if err != nil {
		t.Fatal(err)
	}
	return here.Verify(challenge, a, k)
}

func TestCeremonies(t *testing.T) {
	device := securitykey.New(here.Origin)
	k := made(t, device)
	if !bytes.Equal(k.ID, device.Last().ID) || k.Counter != 0 || k.Synced {
		t.Errorf("%+v", k)
	}
	challenge, response := signed(t, device)
	a, err := Read(response)
	if err != nil || !bytes.Equal(a.KeyID, k.ID) || a.Holder != ada.ID {
		t.Fatalf("%+v, %v", a, err)
	}
	if again, err := here.Verify(challenge, a, k); err != nil || again.Counter != 0 {
		t.Errorf("%+v, %v", again, err)
	}
	other := made(t, securitykey.New(here.Origin))
	if _, err := here.Verify(challenge, a, other); !errors.Is(err, ErrRefused) {
		t.Errorf("another key's signature: %v", err)
	}
	if again, _ := here.Request(); again == challenge || len(again) != 43 {
		t.Errorf("challenges %q and %q", challenge, again)
	}
}

// What is asked for says that the authenticator is to know its user, and to check that it is them.
func TestOptions(t *testing.T) {
	device := securitykey.New(here.Origin)
	k := made(t, device)
	_, options := here.Create(ada, []Key{k})
	for _, want := range []string{`"rp":{"name":"docket","id":"docket.test"}`, `"name":"Ada Ü"`, `"residentKey":"required"`, `"userVerification":"required"`, `"attestation":"none"`} {
		if !strings.Contains(string(options), want) {
			t.Errorf("no %s in %s", want, options)
		}
	}
	if _, err := device.Create(options); !errors.Is(err, securitykey.ErrExcluded) {
		t.Errorf("a second passkey on one authenticator: %v", err)
	}
	_, options = here.Request()
	if s := string(options); !strings.Contains(s, `"rpId":"docket.test"`) || !strings.Contains(s, `"userVerification":"required"`) || strings.Contains(s, "allowCredentials") {
		t.Error(s)
	}
}

func TestCreatedRefuses(t *testing.T) {
	for what, change := range map[string]func(*securitykey.Authenticator){
		"another origin":     func(a *securitykey.Authenticator) { a.Origin = "https://docket.test.evil.example" },
		"the origin's http":  func(a *securitykey.Authenticator) { a.Origin = "http://docket.test" },
		"another port":       func(a *securitykey.Authenticator) { a.Origin = "https://docket.test:8443" },
		"another site":       func(a *securitykey.Authenticator) { a.RPID = "evil.example" },
		"no PIN":             func(a *securitykey.Authenticator) { a.Flags = securitykey.Present },
		"nobody there":       func(a *securitykey.Authenticator) { a.Flags = securitykey.Verified },
		"copies that cannot": func(a *securitykey.Authenticator) { a.Flags |= securitykey.BackedUp },
	} {
		device := securitykey.New(here.Origin)
		change(device)
		challenge, options := here.Create(ada, nil)
		response, err := device.Create(options)
		if err != nil {
			t.Fatal(err)
		}
		if k, err := here.Created(challenge, response); !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %+v, %v", what, k, err)
		}
	}
	device := securitykey.New(here.Origin)
	_, options := here.Create(ada, nil)
	response, err := device.Create(options)
	if err != nil {
		t.Fatal(err)
	}
	other, _ := here.Create(ada, nil)
	if _, err := here.Created(other, response); !errors.Is(err, ErrRefused) {
		t.Errorf("another challenge: %v", err)
	}
}

func TestVerifyRefuses(t *testing.T) {
	for what, change := range map[string]func(*securitykey.Authenticator){
		"another origin":    func(a *securitykey.Authenticator) { a.Origin = "https://evil.example" },
		"another site":      func(a *securitykey.Authenticator) { a.RPID = "evil.example" },
		"no PIN":            func(a *securitykey.Authenticator) { a.Flags &^= securitykey.Verified },
		"nobody there":      func(a *securitykey.Authenticator) { a.Flags &^= securitykey.Present },
		"copies, by now":    func(a *securitykey.Authenticator) { a.Flags |= securitykey.BackupEligible },
		"copies in secret":  func(a *securitykey.Authenticator) { a.Flags |= securitykey.BackedUp },
		"nothing but that…": nil,
	} {
		device := securitykey.New(here.Origin)
		k := made(t, device)
		if change == nil {
			if _, err := signIn(t, device, k); err != nil {
				t.Errorf("%s: %v", what, err)
			}
			continue
		}
		change(device)
		if _, err := signIn(t, device, k); !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %v", what, err)
		}
	}
	device := securitykey.New(here.Origin)
	k := made(t, device)
	_, response := signed(t, device)
	a, err := Read(response)
	if err != nil {
		t.Fatal(err)
	}
	other, _ := here.Request()
	if _, err := here.Verify(other, a, k); !errors.Is(err, ErrRefused) {
		t.Errorf("another challenge: %v", err)
	}
	challenge, options := here.Create(ada, nil)
	if response, err = device.Copy().Create(options); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(response); !errors.Is(err, ErrRefused) {
		t.Errorf("what makes a passkey (for %s) signs in: %v", challenge, err)
	}
}

// A counter that has not grown is that of a copy; one that stays 0 counts nothing (section 6.1.1).
func TestCounter(t *testing.T) {
	device := securitykey.New(here.Origin)
	device.Counter = 5
	k := made(t, device)
	thief := device.Copy()
	for want := uint32(6); want < 8; want++ {
		var err error
		if k, err = signIn(t, device, k); err != nil || k.Counter != want {
			t.Fatalf("%+v, %v", k, err)
		}
	}
	if _, err := signIn(t, thief, k); !errors.Is(err, ErrCopied) {
		t.Errorf("a counter that goes back: %v", err)
	}
	if _, err := signIn(t, thief, k); !errors.Is(err, ErrCopied) {
		t.Errorf("a counter that stays: %v", err)
	}
	thief.Counter = 0
	if _, err := signIn(t, thief, k); !errors.Is(err, ErrCopied) {
		t.Errorf("a counter that is there no more: %v", err)
	}
	if k, err := signIn(t, device, k); err != nil || k.Counter != 8 {
		t.Errorf("%+v, %v", k, err)
	}
}

func TestSite(t *testing.T) {
	for _, c := range []struct {
		public, scheme, host string
		want                 Site
		err                  error
	}{
		{"https://tasks.example.org", "https", "tasks.example.org", Site{"tasks.example.org", "https://tasks.example.org"}, nil},
		{"https://Tasks.example.org:443", "http", "10.0.0.1:8080", Site{"tasks.example.org", "https://tasks.example.org"}, nil},
		{"https://tasks.example.org:8443/docket", "https", "evil.example", Site{"tasks.example.org", "https://tasks.example.org:8443"}, nil},
		{"", "http", "localhost:8080", Site{"localhost", "http://localhost:8080"}, nil},
		{"", "http", "localhost:80", Site{"localhost", "http://localhost"}, nil},
		{"http://localhost:8080", "http", "localhost:8080", Site{"localhost", "http://localhost:8080"}, nil},
		{"", "http", "127.0.0.1:8080", Site{"localhost", "http://localhost:8080"}, ErrElsewhere},
		{"", "http", "[::1]:8080", Site{"localhost", "http://localhost:8080"}, ErrElsewhere},
		{"http://127.0.0.1:8080", "http", "127.0.0.1:8080", Site{"localhost", "http://localhost:8080"}, ErrElsewhere},
		{"", "https", "tasks.example.org", Site{}, ErrNowhere}, // which may have been written by anybody
		{"", "http", "", Site{}, ErrNowhere},
		{"", "http", "%", Site{}, ErrNowhere},
		{"%", "http", "localhost", Site{}, ErrNowhere},
		{"http://tasks.example.org", "http", "localhost", Site{}, ErrNowhere},
		{"https://192.168.1.4", "https", "192.168.1.4", Site{}, ErrNowhere},
		{"https://[fd00::1]:8443", "https", "[fd00::1]:8443", Site{}, ErrNowhere},
		{"ftp://localhost", "http", "localhost", Site{}, ErrNowhere},
	} {
		got, err := SiteOf(c.public, c.scheme, c.host)
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%q, asked at %s://%s: %+v, %v", c.public, c.scheme, c.host, got, err)
		}
	}
}

// FuzzResponse changes what a browser sends in any way: it is refused, or signed as it was.
func FuzzResponse(f *testing.F) {
	device := securitykey.New(here.Origin)
	creation, options := here.Create(ada, nil)
	creating, err := device.Create(options)
	if err != nil {
		f.Fatal(err)
	}
	k, err := here.Created(creation, creating)
	if err != nil {
		f.Fatal(err)
	}
	challenge, signing := signed(f, device)
	for _, seed := range []string{string(creating), string(signing), "{}", "[]", "null", `{"id":"AA","rawId":"AA","type":"public-key","response":{}}`} {
		f.Add([]byte(seed))
	}
	signs, err := Read(signing)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, response []byte) {
		if got, err := here.Created(creation, response); err == nil && len(got.ID) == 0 {
			t.Errorf("a passkey without a name: %q", response)
		}
		a, err := Read(response)
		if err != nil {
			return
		}
		if _, err := here.Verify(challenge, a, k); err == nil && !bytes.Equal(a.data.Response.Signature, signs.data.Response.Signature) {
			t.Errorf("signs in: %q", response)
		}
	})
}
