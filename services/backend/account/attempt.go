package account

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"time"

	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/services/backend/openid"
	"github.com/docket-tasks/docket/task"
)

// attemptLife is how long somebody may take at a provider, or with a passkey.
const attemptLife = 10 * time.Minute

// attemptKind is what somebody tries; one of one kind is never finished as one of another.
type attemptKind struct {
	rows   string // how the keys of its rows begin
	cookie string
}

var (
	openIDAttempt  = attemptKind{"openid-attempt/", "docket_openid"}
	passkeyAttempt = attemptKind{"passkey-attempt/", "docket_passkey"}
)

var (
	// ErrNoProvider means that there is no provider of that id.
	ErrNoProvider = errors.New("no such provider")
	// ErrNoAttempt means that nothing was begun in this browser that could be finished by what it shows.
	ErrNoAttempt = errors.New("no such attempt")
)

// attempt is the row at openid-attempt/<hash> or passkey-attempt/<hash>, where the hash is of a secret that only the browser
// which began it has: so nobody can be made to finish what another has begun.
type attempt struct {
	openid.Attempt
	Provider  string    `json:"provider"`
	ExpiresAt task.Time `json:"expires_at"`
	// Challenge is what a passkey is to sign; there is no provider then.
	Challenge string `json:"challenge,omitempty"`
	// Session is the one that wants to be connected, or to have a passkey; empty: somebody wants to sign in.
	Session string `json:"session,omitempty"`
	// Invitation is the id of one that is used up where an account is made.
	Invitation string `json:"invitation,omitempty"`
	TimeZone   string `json:"time_zone,omitempty"`
}

// begin returns the address at the provider, and the secret for the browser, which is not kept.
func (s *Store) begin(ctx context.Context, provider string, a attempt) (url, secret string, err error) {
	p, err := s.provider(provider)
	if err != nil {
		return "", "", err
	}
	a.Provider = provider
	if a.Attempt, url, err = p.Begin(ctx); err != nil {
		s.log.WarnContext(ctx, "OpenID provider cannot be used", "provider", p.ID, "error", err)
		return "", "", err
	}
	secret, err = s.keepAttempt(ctx, openIDAttempt, a)
	return url, secret, err
}

// keepAttempt keeps an attempt, in one commit with ops, and returns the secret for the browser, which is not kept.
func (s *Store) keepAttempt(ctx context.Context, kind attemptKind, a attempt, ops ...host.Op) (secret string, err error) {
	secret, a.ExpiresAt = newSecret(""), task.At(s.now().Add(attemptLife))
	ops = append(ops, expiring(host.Create(kind.rows+hash(secret), encode(a)), &a.ExpiresAt, s.now()))
	if err := s.state.Commit(ctx, host.Tx{Ops: ops}); err != nil {
		return "", fmt.Errorf("store attempt: %w", err)
	}
	return secret, nil
}

// takeAttempt returns the attempt of the browser with that secret, which is over with that: it can be tried once, whatever
// comes of it. [ErrNoAttempt].
func (s *Store) takeAttempt(ctx context.Context, kind attemptKind, secret string) (a attempt, err error) {
	err = host.Retry(ctx, func() error {
		a = attempt{}
		key := kind.rows + hash(secret)
		etag, err := s.load(ctx, key, &a)
		if err != nil {
			return err
		}
		if etag == "" || expired(&a.ExpiresAt, s.now()) {
			return ErrNoAttempt
		}
		return s.state.Commit(ctx, host.Tx{Ops: []host.Op{host.Remove(key, etag)}})
	})
	if err != nil {
		return attempt{}, fmt.Errorf("take attempt: %w", err)
	}
	return a, nil
}

// cameBack is takeAttempt for who comes back from the provider with that state.
func (s *Store) cameBack(ctx context.Context, secret, provider, state string) (attempt, error) {
	a, err := s.takeAttempt(ctx, openIDAttempt, secret)
	if err != nil {
		return attempt{}, err
	}
	if a.Provider != provider || subtle.ConstantTimeCompare([]byte(a.State), []byte(state)) != 1 {
		return attempt{}, ErrNoAttempt
	}
	return a, nil
}

// finish redeems the code that the browser has come back with.
func (s *Store) finish(ctx context.Context, a attempt, code string, b Browser) (u User, session string, err error) {
	p, err := s.provider(a.Provider)
	if err != nil {
		return User{}, "", err
	}
	who, err := p.Finish(ctx, a.Attempt, code)
	if err != nil {
		s.log.WarnContext(ctx, "OpenID sign-in failed", "provider", p.ID, "error", err)
		return User{}, "", err
	}
	if a.Session == "" {
		b.TimeZone, b.Means = a.TimeZone, p.Name
		return s.SignInAs(ctx, p, who, a.Invitation, b)
	}
	caller, err := s.sessionOf(ctx, a.Session)
	if errors.Is(err, ErrNoIdentity) { // signed out since: whoever did that wants nobody to stay
		err = ErrNoAttempt
	}
	if err != nil {
		return User{}, "", err
	}
	if err := s.Connect(ctx, caller.UserID, p, who); err != nil {
		return User{}, "", err
	}
	u, err = s.User(ctx, caller.UserID)
	return u, "", err
}
