// Package openid lets people prove who they are at an OpenID provider (OpenID Connect Core 1.0): the code flow with PKCE
// (RFC 7636), state and nonce; or at GitHub, which has that flow (RFC 6749) but no ID tokens. It knows nothing of docket's users;
// package account says whom a [Person] is.
//
// Nothing of a provider is fetched before somebody signs in with it: what is not used costs nothing, and a provider that is
// away keeps nobody from starting docket or from signing in another way.
//
// [Task]: T021
package openid

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"time"

	"golang.org/x/oauth2"
)

// patience bounds one question to a provider.
const patience = 10 * time.Second

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
	secret func(context.Context) (string, error)
	client *http.Client
	flow   flow
}

// flow is how a kind of provider is asked.
type flow interface {
	// config is that of the code flow, without the client secret. [ErrUnavailable].
	config(ctx context.Context) (oauth2.Config, error)
	// options go into the address at which the attempt begins.
	options(a Attempt) []oauth2.AuthCodeOption
	// person reads who it is from what came for the code of the attempt. [ErrUnavailable], [ErrRefused].
	person(ctx context.Context, a Attempt, token *oauth2.Token) (Person, error)
}

// New returns the provider. publicURL is where browsers reach docket; secret returns the client secret when it is needed.
func New(set Settings, publicURL string, secret func(context.Context) (string, error), now func() time.Time) *Provider {
	client := oauth2.Config{ClientID: set.ClientID, RedirectURL: publicURL + "/signin/callback/" + set.ID}
	p := &Provider{Settings: set, secret: secret, client: &http.Client{Timeout: patience}}
	if set.Kind == GitHub {
		p.flow = newGitHub(set.Issuer, client)
	} else {
		p.flow = &connect{issuer: set.Issuer, client: client, now: now}
	}
	return p
}

// Begin returns an attempt, and the address to send the browser to. [ErrUnavailable].
func (p *Provider) Begin(ctx context.Context) (Attempt, string, error) {
	config, err := p.flow.config(p.asking(ctx))
	if err != nil {
		return Attempt{}, "", err
	}
	a := Attempt{State: random(), Nonce: random(), Verifier: oauth2.GenerateVerifier()}
	return a, config.AuthCodeURL(a.State, append(p.flow.options(a), oauth2.S256ChallengeOption(a.Verifier))...), nil
}

// Finish redeems the code that the browser came back with. [ErrUnavailable], [ErrRefused].
func (p *Provider) Finish(ctx context.Context, a Attempt, code string) (Person, error) {
	ctx = p.asking(ctx)
	config, err := p.flow.config(ctx)
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
	return p.flow.person(ctx, a, token)
}

// asking is the context in which the provider is asked.
func (p *Provider) asking(ctx context.Context) context.Context {
	return context.WithValue(ctx, oauth2.HTTPClient, p.client)
}

// exchangeError tells a code that is no good from a provider that is away or does not accept docket's own credentials.
func exchangeError(err error) error {
	if e, ok := errors.AsType[*oauth2.RetrieveError](err); ok && (e.ErrorCode == "invalid_grant" || e.ErrorCode == badCode) { // RFC 6749 section 5.2
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return fmt.Errorf("%w: redeem its code: %w", ErrUnavailable, err)
}

// random returns 256 random bits as base64url.
func random() string {
	var b [32]byte
	rand.Read(b[:]) // never fails (crypto/rand since Go 1.24)
	return base64.RawURLEncoding.EncodeToString(b[:])
}
