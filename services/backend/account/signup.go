package account

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/task"
)

// SignUp says who may make an account without an administrator. It is a setting of the server.
type SignUp string

// The ways to sign up.
const (
	// SignUpOpen lets anybody make an account.
	SignUpOpen SignUp = "open"
	// SignUpInvitation lets in who has an invitation.
	SignUpInvitation SignUp = "invitation"
	// SignUpClosed leaves it to administrators: they make users, and nobody signs up.
	SignUpClosed SignUp = "closed"
)

// Valid tells whether it is one of the three.
func (m SignUp) Valid() bool {
	return m == SignUpOpen || m == SignUpInvitation || m == SignUpClosed
}

// ErrSignUpClosed means that nobody may sign up here.
var ErrSignUpClosed = errors.New("signing up is closed")

// Options are what a page for those who are not signed in may offer.
type Options struct {
	SignUp SignUp `json:"sign_up" enum:"open,invitation,closed" doc:"Who may make an account: anybody, who has an invitation, or nobody"`
	// ResetByMail is where there is a mail server, and an address that browsers reach this one at.
	ResetByMail bool     `json:"reset_by_mail" doc:"Whether a forgotten password can be set anew by e-mail: see POST /api/password/forgotten"`
	Methods     []string `json:"methods" nullable:"false" enum:"password,code" doc:"How one signs in: by name and password, or by a one-time code (the link that docket prints)"`
	// Passkeys is empty where there can be none.
	Passkeys string `json:"passkeys" doc:"The origin of the pages where passkeys work, such as https://tasks.example.org; empty: nowhere, as docket has not been told an address with a name"`
	// Providers are those of the settings.
	Providers []ProviderName `json:"providers" nullable:"false" doc:"OpenID providers by which one signs in besides: see POST /api/session/openid/start"`
}

// ProviderName is an OpenID provider as a page offers it.
type ProviderName struct {
	ID   string `json:"id"`
	Name string `json:"name" doc:"For the button"`
}

type optionsAnswer struct{ Body Options }

func (s *Store) optionsRoute(api huma.API) {
	o := open(op("get-sign-in-options", http.MethodGet, "/api/session/options", "How one signs in and signs up here; needs no credential", http.StatusOK))
	register(api, o, func(_ context.Context, in *struct{ scheme }) (*optionsAnswer, error) {
		site, _ := s.site(in.scheme) // which is where they work, also where that is elsewhere
		return &optionsAnswer{Options{
			SignUp: s.signUp, ResetByMail: s.resetsByMail(), Methods: []string{"password", "code"}, Passkeys: site.Origin, Providers: s.providerNames(),
		}}, nil
	})
}

type signUpInput struct {
	scheme
	Body struct {
		Name       string `json:"name" minLength:"1" maxLength:"100" doc:"Unique on this server, upper and lower case being the same"`
		Password   string `json:"password" minLength:"8" maxLength:"256" doc:"Not one of the 10,000 most common"`
		Email      string `json:"email,omitempty" maxLength:"254"`
		Invitation string `json:"invitation,omitempty" maxLength:"100" doc:"The code of an invitation; needed where sign_up is invitation"`
		TimeZone   string `json:"time_zone,omitempty" maxLength:"64" doc:"The browser's; taken where the server knows it"`
	}
}

func (s *Store) signUpRoute(api huma.API) {
	o := open(op("sign-up", http.MethodPost, "/api/accounts", "Make an account and sign in: sets the session's cookie", http.StatusCreated, 400, 403, 409))
	o.Description = "Who may is a setting of the server: see GET /api/session/options."
	register(api, o, s.postAccount)
}

func (s *Store) postAccount(ctx context.Context, in *signUpInput) (*signInAnswer, error) {
	if s.signUp == SignUpClosed {
		return nil, ErrSignUpClosed
	}
	b := in.Body
	var faults invalid
	faults.check("name", checkName(b.Name))
	faults.check("password", checkPassword(b.Password))
	faults.check("email", checkEmail(b.Email))
	if s.signUp == SignUpInvitation && b.Invitation == "" {
		faults.check("invitation", errors.New("is needed to make an account here: ask whoever runs this server for one"))
	}
	if err := faults.err(); err != nil {
		return nil, err
	}
	u, err := s.newUser(b.Name)
	if err != nil {
		return nil, err
	}
	u.Email = b.Email
	if checkZone(b.TimeZone) == nil {
		u.TimeZone, u.ZoneChosen = b.TimeZone, true
	}
	secret, err := s.makeAccountWithPassword(ctx, u, b.Password, invitationID(b.Invitation), Browser{Client: in.client})
	if err != nil {
		return nil, err
	}
	out := &signInAnswer{SetCookie: sessionCookie(secret, in.secure)}
	out.Body.User = u.User
	return out, nil
}

// makeAccountWithPassword is makeAccount for one who signs in by password. [ErrBadInvitation], or [ErrNameTaken]: to find
// that out of a name takes an invitation that is good, where one is needed, and the time of hashing a password.
func (s *Store) makeAccountWithPassword(ctx context.Context, u storedUser, password, invitation string, b Browser) (session string, err error) {
	if _, err := s.redeem(ctx, invitation); err != nil {
		return "", err
	}
	hashed, err := s.hasher.hash(ctx, password)
	if err != nil {
		return "", err
	}
	row := encode(passwordRow{Hash: hashed, ChangedAt: task.At(s.now())})
	return s.makeAccount(ctx, u, invitation, b, host.Create(passwordKey(u.ID), row))
}

// makeAccount makes u, whose fields must be valid, in one commit with ops, and returns the secret of a first session. The
// invitation, an id which is empty where none is needed, is used up by it. [ErrBadInvitation], [ErrNameTaken].
func (s *Store) makeAccount(ctx context.Context, u storedUser, invitation string, b Browser, ops ...host.Op) (session string, err error) {
	session, opened, err := s.newSession(ctx, u.ID, b, openSessions{})
	if err != nil {
		return "", err
	}
	note, err := s.noting(ctx, u.ID, accessSignedIn, b.by())
	if err != nil {
		return "", err
	}
	ops = slices.Concat(ops, opened, []host.Op{note, host.Create(UserKey(u.ID), encode(u)), host.Create(nameKey(u.Name), encode(u.ID))})
	err = host.Retry(ctx, func() error {
		used, err := s.redeem(ctx, invitation)
		if err != nil {
			return err
		}
		if err := s.nameFree(ctx, u); err != nil {
			return err
		}
		found, err := s.addressing(ctx, u.ID, "", u.Email)
		if err != nil {
			return err
		}
		return s.state.Commit(ctx, host.Tx{Ops: slices.Concat(ops, used, found)})
	})
	if err != nil {
		return "", fmt.Errorf("make account: %w", err)
	}
	return session, nil
}
