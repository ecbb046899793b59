package edge

import (
	"context"
	"crypto/ed25519"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/sync/singleflight"
)

const (
	verifiedTokens = 20_000
	maxToken       = 4 << 10
	// keysAge is after which time the keys are fetched again in passing, so that a key published ahead of its
	// use is known by then and a withdrawn one is forgotten.
	keysAge = 5 * time.Minute
	// keysPause is the least time between two fetches: tokens naming made-up keys must not become a flood of them.
	keysPause = time.Second
	keysWait  = 5 * time.Second
)

// KeySource fetches the keys that may sign tokens.
type KeySource func(ctx context.Context) (PublicKeys, error)

// BackendKeys returns a source that asks backend, through the client for it.
func BackendKeys(client *http.Client) KeySource {
	return func(ctx context.Context) (PublicKeys, error) {
		var doc PublicKeys
		_, err := Invoke(ctx, client, http.MethodGet, "http://backend/internal/keys", nil, &doc)
		return doc, err
	}
}

// Verifier checks the JWTs that the door from outside sends along. It is safe for concurrent use.
type Verifier struct {
	src    KeySource
	now    func() time.Time
	parser *jwt.Parser
	tokens *Cache[string, Principal]
	flight singleflight.Group

	mu      sync.Mutex
	keys    map[string]ed25519.PublicKey
	tried   time.Time // when the last fetch began
	failure error     // what came of it
}

// NewVerifier returns a verifier for tokens signed with one of src's keys.
func NewVerifier(src KeySource, now func() time.Time) *Verifier {
	return &Verifier{
		src: src, now: now, tokens: NewCache[string, Principal](verifiedTokens),
		parser: jwt.NewParser(jwt.WithValidMethods([]string{jwt.SigningMethodEdDSA.Alg()}), jwt.WithTimeFunc(now), jwt.WithLeeway(clockSkew),
			jwt.WithExpirationRequired(), jwt.WithIssuer(issuer), jwt.WithAudience(issuer)),
	}
}

// Verify returns whom token speaks for. The error is a [Problem]: 401 for a token that is not valid, 503 while
// the keys cannot be fetched. A verified token is remembered until it expires: the check costs 50 µs.
func (v *Verifier) Verify(ctx context.Context, token string) (Principal, error) {
	if p, ok := v.tokens.Get(token, v.now()); ok {
		return p, nil
	}
	if len(token) > maxToken {
		return Principal{}, unauthorized("the token is too long")
	}
	var c claims
	_, err := v.parser.ParseWithClaims(token, &c, func(t *jwt.Token) (any, error) {
		kid, _ := t.Header["kid"].(string)
		return v.key(ctx, kid)
	})
	if p, ok := errors.AsType[*Problem](err); ok {
		return Principal{}, p
	}
	if err != nil || c.Subject == "" || c.Scope != ScopeRead && c.Scope != ScopeWrite ||
		c.ExpiresAt.After(v.now().Add(tokenLife+clockSkew)) {
		return Principal{}, unauthorized("the token is not valid or has expired")
	}
	p := c.principal()
	v.tokens.Put(token, p, c.ExpiresAt.Time)
	return p, nil
}

func unauthorized(detail string) *Problem {
	return NewProblem(http.StatusUnauthorized, "unauthorized", detail).with("WWW-Authenticate", `Bearer error="invalid_token"`)
}

// key returns the key named kid, fetching the keys where it is not among those known.
func (v *Verifier) key(ctx context.Context, kid string) (ed25519.PublicKey, error) {
	key, known, stale := v.lookup(kid)
	if known {
		if stale {
			v.refresh(ctx)
		}
		return key, nil
	}
	select {
	case <-v.refresh(ctx):
	case <-ctx.Done():
		return nil, NewProblem(http.StatusServiceUnavailable, "keys_unavailable", "the request was cancelled").After(keysPause)
	}
	if key, known, _ = v.lookup(kid); known {
		return key, nil
	}
	v.mu.Lock()
	failure := v.failure
	v.mu.Unlock()
	if failure != nil {
		LoggerOf(ctx).WarnContext(ctx, "cannot verify a token", "error", failure)
		return nil, NewProblem(http.StatusServiceUnavailable, "keys_unavailable", "identities cannot be verified just now, try again").After(keysPause)
	}
	return nil, errors.New("unknown key")
}

func (v *Verifier) lookup(kid string) (key ed25519.PublicKey, known, stale bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	key, known = v.keys[kid]
	return key, known, v.now().Sub(v.tried) > keysAge
}

// refresh fetches the keys unless that was tried a moment ago; callers at the same time share one fetch. What
// is returned is ready when it is over. It outlives its first caller, whom the others do not depend on.
func (v *Verifier) refresh(ctx context.Context) <-chan singleflight.Result {
	ctx = context.WithoutCancel(ctx)
	return v.flight.DoChan("", func() (any, error) {
		v.mu.Lock()
		soon := v.now().Sub(v.tried) < keysPause
		if !soon {
			v.tried = v.now()
		}
		v.mu.Unlock()
		if soon {
			return nil, nil
		}
		ctx, cancel := context.WithTimeout(ctx, keysWait)
		defer cancel()
		doc, err := v.src(ctx)
		var keys map[string]ed25519.PublicKey
		if err == nil {
			keys, err = doc.byKID()
		}
		v.mu.Lock()
		defer v.mu.Unlock()
		if v.failure = err; err == nil {
			v.keys = keys
		}
		return nil, nil
	})
}

// Require lets requests through that carry a valid "Authorization: Bearer <JWT>", with their [Principal] in the
// context. Others get a 401 [Problem]; an unsafe method with [ScopeRead] gets a 403.
func (v *Verifier) Require(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, ok := BearerToken(r.Header)
		if !ok {
			WriteProblem(w, r, NewProblem(http.StatusUnauthorized, "unauthorized", "a bearer token is required").with("WWW-Authenticate", "Bearer"))
			return
		}
		p, err := v.Verify(r.Context(), token)
		if err != nil {
			WriteProblem(w, r, err)
			return
		}
		if p.Scope == ScopeRead && !SafeMethod(r.Method) {
			WriteProblem(w, r, NewProblem(http.StatusForbidden, "read_only", "this token may only read; use one with the scope write"))
			return
		}
		if rec := recordOf(r.Context()); rec != nil && !rec.known {
			rec.principal, rec.known = p, true // the request's own record: saves copying context and request
		} else {
			r = r.WithContext(WithPrincipal(r.Context(), p))
		}
		next.ServeHTTP(w, r)
	})
}

// BearerToken returns the token of the one Authorization header, if it is a bearer token (RFC 6750 section 2.1).
func BearerToken(h http.Header) (string, bool) {
	values := h["Authorization"]
	if len(values) != 1 {
		return "", false
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	token = strings.Trim(token, " ")
	return token, token != "" && strings.EqualFold(scheme, "Bearer")
}

// SafeMethod tells whether the method only reads (RFC 9110 section 9.2.1).
func SafeMethod(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	return false
}
