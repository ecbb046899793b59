// Package openidprovider runs a real OpenID provider, that of github.com/zitadel/oidc, for docket to be tested against: it
// signs with keys of its own, checks PKCE and the client's secret, and takes a code once. What it adds is people to sign in
// as, keys that change, and the one lie that a test needs.
//
// [Task]: T021
package openidprovider

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// What docket is called at the provider.
const (
	ClientID     = "docket"
	ClientSecret = "the client's secret"
)

// Provider is one that listens.
type Provider struct {
	*storage.Storage
	// Issuer is its address.
	Issuer string
	server *http.Server

	mu    sync.Mutex
	users map[string]*storage.User
	key   signingKey
	nonce string
}

// Start has a provider listen, which sends browsers back to one of the addresses and nowhere else.
func Start(address string, redirects ...string) (*Provider, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen for the provider: %w", err)
	}
	p := &Provider{Issuer: "http://" + listener.Addr().String(), users: map[string]*storage.User{}}
	p.Storage = storage.NewStorageWithClients(people{p}, map[string]*storage.Client{ClientID: storage.WebClient(ClientID, ClientSecret, redirects...)})
	p.Rotate()
	handler, err := p.handler()
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	p.server = &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	go func() { _ = p.server.Serve(listener) }() // until Close
	return p, nil
}

// Close has it listen no more.
func (p *Provider) Close() error { return p.server.Close() }

func (p *Provider) handler() (http.Handler, error) {
	config := &op.Config{CodeMethodS256: true, AuthMethodPost: true}
	if _, err := rand.Read(config.CryptoKey[:]); err != nil {
		return nil, err
	}
	provider, err := op.NewProvider(config, p, op.StaticIssuer(p.Issuer), op.WithAllowInsecure(), op.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		return nil, fmt.Errorf("make the provider: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("/", provider)
	back := op.AuthCallbackURL(provider)
	mux.Handle("POST /login/username", op.NewIssuerInterceptor(provider.IssuerFromRequest).HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.FormValue("authRequestID")
		if err := p.CheckUsernamePassword(r.FormValue("username"), "", id); err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		http.Redirect(w, r, back(r.Context(), id), http.StatusFound)
	}))
	mux.HandleFunc("GET /login/username", func(w http.ResponseWriter, r *http.Request) {
		_ = page.Execute(w, r.FormValue("authRequestID")) // fails where the browser has gone
	})
	return mux, nil
}

var page = template.Must(template.New("").Parse(`<!doctype html><html lang="en"><title>Provider</title>
<form method="post"><input type="hidden" name="authRequestID" value="{{.}}">
<label>User <input name="username"></label> <button>Go on</button></form></html>`))

// Add lets somebody sign in by that name, without a password: whom the provider lets in is not what is tested.
func (p *Provider) Add(subject, name, email string, verified bool) {
	first, last, _ := strings.Cut(name, " ")
	p.mu.Lock()
	defer p.mu.Unlock()
	p.users[subject] = &storage.User{ID: subject, Username: subject, FirstName: first, LastName: last, Email: email, EmailVerified: verified}
}

// SignIn does what a browser does that follows address, where its user is subject: it returns where that is sent in the end.
func (p *Provider) SignIn(ctx context.Context, address, subject string) (*url.URL, error) {
	client := http.Client{CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), p.Issuer+"/") {
			return nil
		}
		return http.ErrUseLastResponse
	}}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	asked, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = asked.Body.Close() }()
	if asked.StatusCode != http.StatusOK || asked.Request.URL.Path != "/login/username" {
		return nil, fmt.Errorf("the provider answers %d at %s", asked.StatusCode, asked.Request.URL.Path)
	}
	form := url.Values{"username": {subject}, "authRequestID": {asked.Request.URL.Query().Get("authRequestID")}}
	r, err = http.NewRequestWithContext(ctx, http.MethodPost, p.Issuer+"/login/username", strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	sent, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = sent.Body.Close() }()
	return sent.Location()
}

// Lie has it put another nonce into its ID tokens from now on.
func (p *Provider) Lie(nonce string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.nonce = nonce
}

// Rotate gives it a new key; nothing is left of the one before.
func (p *Provider) Rotate() {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err) // crypto/rand does not fail
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.key = signingKey{uuid.NewString(), key}
}

// SigningKey implements [op.Storage].
func (p *Provider) SigningKey(context.Context) (op.SigningKey, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.key, nil
}

// KeySet implements [op.Storage].
func (p *Provider) KeySet(context.Context) ([]op.Key, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return []op.Key{publicKey(p.key)}, nil
}

// AuthRequestByCode implements [op.Storage].
func (p *Provider) AuthRequestByCode(ctx context.Context, code string) (op.AuthRequest, error) {
	r, err := p.Storage.AuthRequestByCode(ctx, code)
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil || p.nonce == "" {
		return r, err
	}
	return lying{r, p.nonce}, nil
}

type lying struct {
	op.AuthRequest
	nonce string
}

func (l lying) GetNonce() string { return l.nonce }

type signingKey struct {
	id  string
	key *rsa.PrivateKey
}

func (k signingKey) ID() string                                  { return k.id }
func (k signingKey) Key() any                                    { return k.key }
func (k signingKey) SignatureAlgorithm() jose.SignatureAlgorithm { return jose.RS256 }

type publicKey signingKey

func (k publicKey) ID() string                         { return k.id }
func (k publicKey) Key() any                           { return &k.key.PublicKey }
func (k publicKey) Algorithm() jose.SignatureAlgorithm { return jose.RS256 }
func (k publicKey) Use() string                        { return oidc.KeyUseSignature }

// people implements [storage.UserStore].
type people struct{ p *Provider }

// GetUserByID returns the user with that subject, or nil.
func (s people) GetUserByID(subject string) *storage.User {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	return s.p.users[subject]
}

// GetUserByUsername returns the user of that name, which is the subject, or nil.
func (s people) GetUserByUsername(name string) *storage.User { return s.GetUserByID(name) }

// ExampleClientID names a client that does not exist.
func (people) ExampleClientID() string { return "nobody" }
