package openid

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/sync/singleflight"
)

// discoveryLife is how long what a provider says of itself is believed. Keys are fetched whenever an unknown one is used.
const discoveryLife = time.Hour

// connect is OpenID Connect.
type connect struct {
	issuer string
	client oauth2.Config
	now    func() time.Time

	flight singleflight.Group
	found  atomic.Pointer[discovery]
}

// discovery is what a provider said of itself, and when.
type discovery struct {
	*oidc.Provider
	at time.Time
}

// discover returns what the provider says of itself (OpenID Connect Discovery 1.0), which is kept for a while. Those who ask
// at once share one question, which does not depend on the first of them staying.
func (c *connect) discover(ctx context.Context) (*oidc.Provider, error) {
	d := c.found.Load()
	if d == nil || c.now().Sub(d.at) >= discoveryLife {
		asked, err, _ := c.flight.Do("", func() (any, error) {
			found, err := oidc.NewProvider(context.WithoutCancel(ctx), c.issuer)
			return &discovery{found, c.now()}, err
		})
		if err != nil {
			return nil, fmt.Errorf("%w: discover %s: %w", ErrUnavailable, c.issuer, err)
		}
		d = asked.(*discovery)
		c.found.Store(d)
	}
	return d.Provider, nil
}

func (c *connect) config(ctx context.Context) (oauth2.Config, error) {
	provider, err := c.discover(ctx)
	if err != nil {
		return oauth2.Config{}, err
	}
	config := c.client
	config.Endpoint, config.Scopes = provider.Endpoint(), []string{oidc.ScopeOpenID, "profile", "email"}
	return config, nil
}

func (c *connect) options(a Attempt) []oauth2.AuthCodeOption {
	return []oauth2.AuthCodeOption{oidc.Nonce(a.Nonce)}
}

func (c *connect) person(ctx context.Context, a Attempt, token *oauth2.Token) (Person, error) {
	provider, err := c.discover(ctx)
	if err != nil {
		return Person{}, err
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := provider.VerifierContext(ctx, &oidc.Config{ClientID: c.client.ClientID, Now: c.now}).Verify(ctx, raw)
	if err != nil {
		return Person{}, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	var said claims
	if err := id.Claims(&said); err != nil {
		return Person{}, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if err := said.check(a, c.client.ClientID); err != nil {
		return Person{}, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if said.Email == "" && provider.UserInfoEndpoint() != "" {
		if err := said.complete(ctx, provider, token); err != nil {
			return Person{}, fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
	}
	return said.person(c.issuer), nil
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
