package account

import (
	"context"
	"crypto/subtle"
	"errors"

	"github.com/docket-tasks/docket/services/backend/openid"
)

// ErrNoProvider means that there is no provider of that id.
var ErrNoProvider = errors.New("no such provider")

// openIDAttempt is what is kept of somebody who was sent to a provider.
type openIDAttempt struct {
	openid.Attempt
	Provider string `json:"provider"`
	// Session is the one that wants to be connected; empty: somebody wants to sign in.
	Session string `json:"session,omitempty"`
	// Invitation is the id of one that is used up where an account is made.
	Invitation string `json:"invitation,omitempty"`
	TimeZone   string `json:"time_zone,omitempty"`
}

// begin returns the address at the provider, and the secret for the browser, which is not kept.
func (s *Store) begin(ctx context.Context, provider string, a openIDAttempt) (url, secret string, err error) {
	p, err := s.provider(provider)
	if err != nil {
		return "", "", err
	}
	a.Provider = provider
	if a.Attempt, url, err = p.Begin(ctx); err != nil {
		s.log.WarnContext(ctx, "OpenID provider cannot be used", "provider", p.ID, "error", err)
		return "", "", err
	}
	secret, err = s.keepAttempt(ctx, openIDAttempts, a)
	return url, secret, err
}

// cameBack is takeAttempt for who comes back from the provider with that state.
func (s *Store) cameBack(ctx context.Context, secret, provider, state string) (openIDAttempt, error) {
	var a openIDAttempt
	if err := s.takeAttempt(ctx, openIDAttempts, secret, &a); err != nil {
		return openIDAttempt{}, err
	}
	if a.Provider != provider || subtle.ConstantTimeCompare([]byte(a.State), []byte(state)) != 1 {
		return openIDAttempt{}, ErrNoAttempt
	}
	return a, nil
}

// finish redeems the code that the browser has come back with.
func (s *Store) finish(ctx context.Context, a openIDAttempt, code string, b Browser) (u User, session string, err error) {
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
