// Package openid lets people prove who they are at an OpenID provider (OpenID Connect Core 1.0): the code flow with PKCE
// (RFC 7636), state and nonce. It knows nothing of docket's users; package account says whom a [Person] is.
//
// Nothing of a provider is fetched before somebody signs in with it: what is not used costs nothing, and a provider that is
// away keeps nobody from starting docket or from signing in another way.
//
// [Task]: T021
package openid

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/sync/singleflight"
)

const (
	// patience bounds one question to a provider.
	patience = 10 * time.Second
	// discoveryLife is how long what a provider says of itself is believed. Keys are fetched whenever an unknown one is used.
	discoveryLife = time.Hour
)

var (
	// ErrUnavailable means that the provider cannot be asked, or does not know docket: nothing its user could mend.
	ErrUnavailable = errors.New("the provider cannot be asked")
	// ErrRefused means that the provider does not vouch for anybody: its code is unknown, used or expired, or what it says
	// is not for this attempt.
	ErrRefused = errors.New("the provider does not confirm who this is")
)

// Person is whom a provider vouches for. Issuer and Subject together never change and are nobody else's (OpenID Connect
// Core section 5.7); everything else may.
type Person struct {
	Issuer, Subject string
	// Email is empty where the provider does not say that it is verified.
	Email string
	// Name is what the person is called there; it may be empty.
	Name string
}

// Attempt is what has to be remembered between sending somebody to a provider and their coming back.
type Attempt struct {
	State    string `json:"state"`
	Nonce    string `json:"nonce"`
	Verifier string `json:"verifier"`
}

// Provider is one provider as this server uses it. It may be used concurrently.
type Provider struct {
	Settings
	redirect string
	secret   func(context.Context) (string, error)
	now      func() time.Time
	client   *http.Client

	flight singleflight.Group
	found  atomic.Pointer[discovery]
}

// discovery is what a provider said of itself, and when.
type discovery struct {
	*oidc.Provider
	at time.Time
}

// New returns the provider. publicURL is where browsers reach docket; secret returns the client secret when it is needed.
func New(set Settings, publicURL string, secret func(context.Context) (string, error), now func() time.Time) *Provider {
	return &Provider{
		Settings: set, redirect: publicURL + "/signin/callback/" + set.ID,
		secret: secret, now: now, client: &http.Client{Timeout: patience},
	}
}

// Begin returns an attempt, and the address to send the browser to. [ErrUnavailable].
func (p *Provider) Begin(ctx context.Context) (Attempt, string, error) {
	_, config, err := p.discover(p.asking(ctx))
	if err != nil {
		return Attempt{}, "", err
	}
	a := Attempt{State: random(), Nonce: random(), Verifier: oauth2.GenerateVerifier()}
	return a, config.AuthCodeURL(a.State, oidc.Nonce(a.Nonce), oauth2.S256ChallengeOption(a.Verifier)), nil
}

// Finish redeems the code that the browser came back with. [ErrUnavailable], [ErrRefused].
func (p *Provider) Finish(ctx context.Context, a Attempt, code string) (Person, error) {
	ctx = p.asking(ctx)
	provider, config, err := p.discover(ctx)
	if err != nil {
		return Person{}, err
	}
	if config.ClientSecret, err = p.secret(ctx); err != nil {
		return Person{}, fmt.Errorf("%w: its client secret: %w", ErrUnavailable, err)
	}
	token, err := config.Exchange(ctx, code, oauth2.VerifierOption(a.Verifier))
	if err != nil {
		return Person{}, exchangeError(err)
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := provider.VerifierContext(ctx, &oidc.Config{ClientID: p.ClientID, Now: p.now}).Verify(ctx, raw)
	if err != nil {
		return Person{}, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	var said claims
	if err := id.Claims(&said); err != nil {
		return Person{}, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if err := said.check(a, p.ClientID); err != nil {
		return Person{}, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if said.Email == "" && provider.UserInfoEndpoint() != "" {
		if err := said.complete(ctx, provider, token); err != nil {
			return Person{}, fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
	}
	return said.person(p.Issuer), nil
}

// asking is the context in which the provider is asked.
func (p *Provider) asking(ctx context.Context) context.Context {
	return oidc.ClientContext(ctx, p.client)
}

// discover returns what the provider says of itself (OpenID Connect Discovery 1.0), which is kept for a while. Those who ask
// at once share one question, which does not depend on the first of them staying.
func (p *Provider) discover(ctx context.Context) (*oidc.Provider, oauth2.Config, error) {
	d := p.found.Load()
	if d == nil || p.now().Sub(d.at) >= discoveryLife {
		asked, err, _ := p.flight.Do("", func() (any, error) {
			found, err := oidc.NewProvider(context.WithoutCancel(ctx), p.Issuer)
			return &discovery{found, p.now()}, err
		})
		if err != nil {
			return nil, oauth2.Config{}, fmt.Errorf("%w: discover %s: %w", ErrUnavailable, p.Issuer, err)
		}
		d = asked.(*discovery)
		p.found.Store(d)
	}
	return d.Provider, oauth2.Config{
		ClientID: p.ClientID, RedirectURL: p.redirect, Endpoint: d.Endpoint(),
		Scopes: []string{oidc.ScopeOpenID, "profile", "email"},
	}, nil
}

// exchangeError tells a code that is no good from a provider that is away or does not accept docket's own credentials.
func exchangeError(err error) error {
	if e, ok := errors.AsType[*oauth2.RetrieveError](err); ok && e.ErrorCode == "invalid_grant" { // RFC 6749 section 5.2
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return fmt.Errorf("%w: redeem its code: %w", ErrUnavailable, err)
}

// claims are those of an ID token and of UserInfo that docket reads.
type claims struct {
	Subject    string `json:"sub"`
	Nonce      string `json:"nonce"`
	Audience   any    `json:"aud"`
	Authorized string `json:"azp"`
	Email      string `json:"email"`
	Verified   any    `json:"email_verified"` // some providers write a string
	Name       string `json:"name"`
	Preferred  string `json:"preferred_username"`
}

// check does what OpenID Connect Core section 3.1.3.7 leaves to do once signature, issuer, audience and time are right.
func (c *claims) check(a Attempt, clientID string) error {
	if c.Subject == "" {
		return errors.New("the ID token names nobody")
	}
	if c.Nonce == "" || c.Nonce != a.Nonce {
		return errors.New("the ID token is for another attempt (nonce)")
	}
	if several, _ := c.Audience.([]any); c.Authorized != clientID && (c.Authorized != "" || len(several) > 1) {
		return errors.New("the ID token was made for another client (azp)")
	}
	return nil
}

// complete asks UserInfo for what the ID token does not say.
func (c *claims) complete(ctx context.Context, p *oidc.Provider, t *oauth2.Token) error {
	info, err := p.UserInfo(ctx, oauth2.StaticTokenSource(t))
	if err != nil {
		return fmt.Errorf("read UserInfo: %w", err)
	}
	var more claims
	if err := info.Claims(&more); err != nil {
		return fmt.Errorf("read UserInfo: %w", err)
	}
	if more.Subject != c.Subject { // OpenID Connect Core section 5.3.2
		return errors.New("read UserInfo: it is about somebody else")
	}
	c.Email, c.Verified = more.Email, more.Verified
	c.Name, c.Preferred = cmp.Or(c.Name, more.Name), cmp.Or(c.Preferred, more.Preferred)
	return nil
}

func (c *claims) person(issuer string) Person {
	who := Person{Issuer: issuer, Subject: c.Subject, Name: cmp.Or(c.Name, c.Preferred)}
	if slices.Contains([]any{true, "true"}, c.Verified) {
		who.Email = c.Email
	}
	return who
}

// random returns 256 random bits as base64url.
func random() string {
	var b [32]byte
	rand.Read(b[:]) // never fails (crypto/rand since Go 1.24)
	return base64.RawURLEncoding.EncodeToString(b[:])
}
