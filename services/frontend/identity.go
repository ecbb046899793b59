package frontend

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/docket-tasks/docket/edge"
)

const (
	plainCookie = "docket_session"
	// hostCookie can be set by this very host over TLS only (RFC 6265bis section 4.1.3.2).
	hostCookie = hostPrefix + plainCookie
	hostPrefix = "__Host-"

	maxCredential = 512
	identities    = 20_000
	// expiryMargin is how long before its end an identity is fetched anew: it has to outlive the request.
	expiryMargin = 10 * time.Second
	exchangeWait = 5 * time.Second
)

// attemptCookies are those of who has begun to sign in, the only ones that a service gets to see, by where that is finished;
// over TLS with hostPrefix.
var attemptCookies = map[string]string{finishPath: "docket_openid", passkeyFinishPath: "docket_passkey"}

// credential is what a caller shows: an API token or the value of a session cookie.
type credential struct {
	token, session string
}

// key stands for the credential in memory, where it is not kept itself.
func (c credential) key() [sha256.Size]byte {
	if c.token != "" {
		return sha256.Sum256([]byte("t" + c.token))
	}
	return sha256.Sum256([]byte("s" + c.session))
}

// credentialOf finds the caller's credential; an Authorization header goes before a cookie, whatever is in it.
// It is no error to have none. A credential that cannot be one of ours is a 401.
func credentialOf(r *http.Request, cookie string) (credential, error) {
	if _, given := r.Header["Authorization"]; given {
		token, ok := edge.BearerToken(r.Header)
		if !ok || !plausible(token) {
			return credential{}, refused("Authorization must be one header: Bearer, a space and an API token")
		}
		return credential{token: token}, nil
	}
	if _, given := r.Header["Cookie"]; !given {
		return credential{}, nil
	}
	switch cookies := r.CookiesNamed(cookie); {
	case len(cookies) == 0:
		return credential{}, nil
	case len(cookies) > 1 || !plausible(cookies[0].Value):
		return credential{}, refused("the session cookie is not valid; sign in again")
	default:
		return credential{session: cookies[0].Value}, nil
	}
}

// plausible accepts the characters that tokens and session ids consist of (b64token, RFC 6750 section 2.1).
func plausible(secret string) bool {
	if secret == "" || len(secret) > maxCredential {
		return false
	}
	for i := range len(secret) {
		c := secret[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '-', c == '_', c == '.', c == '~', c == '+', c == '/', c == '=':
		default:
			return false
		}
	}
	return true
}

func refused(detail string) *edge.Problem {
	return edge.NewProblem(http.StatusUnauthorized, "unauthorized", detail)
}

// identity is what a credential stands for.
type identity struct {
	authorization []string // the header that services accept
	user          string   // the user's id; empty from a backend of an older version
}

// exchange turns credentials into identities.
type exchange struct {
	backend *http.Client
	now     func() time.Time
	known   *edge.Cache[[sha256.Size]byte, identity]
	flight  singleflight.Group
}

func newExchange(backend *http.Client, now func() time.Time) *exchange {
	return &exchange{backend: edge.Traced(backend), now: now, known: edge.NewCache[[sha256.Size]byte, identity](identities)}
}

// identify returns whom c stands for, and whether that was known already. Requests that miss at the same
// time share one call, which does not depend on the first of them staying.
func (e *exchange) identify(ctx context.Context, c credential) (id identity, known bool, err error) {
	key := c.key()
	if id, known = e.known.Get(key, e.now()); known {
		return id, true, nil
	}
	shared := context.WithoutCancel(ctx)
	answer := e.flight.DoChan(string(key[:]), func() (any, error) {
		ctx, cancel := context.WithTimeout(shared, exchangeWait)
		defer cancel()
		got, err := e.ask(ctx, c)
		if err != nil {
			return nil, err
		}
		id := identity{authorization: []string{"Bearer " + got.JWT}, user: got.UserID}
		e.known.Put(key, id, got.Expires.Add(-expiryMargin))
		return id, nil
	})
	select {
	case a := <-answer:
		if a.Err != nil {
			return identity{}, false, a.Err
		}
		return a.Val.(identity), false, nil
	case <-ctx.Done():
		return identity{}, false, ctx.Err()
	}
}

func (e *exchange) forget(c credential) { e.known.Drop(c.key()) }

func (e *exchange) ask(ctx context.Context, c credential) (edge.IdentityAnswer, error) {
	var answer edge.IdentityAnswer
	body, err := json.Marshal(edge.IdentityRequest{Token: c.token, Session: c.session})
	if err != nil {
		return answer, fmt.Errorf("exchange credential: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://backend/internal/identity", bytes.NewReader(body))
	if err != nil {
		return answer, fmt.Errorf("exchange credential: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := e.backend.Do(req)
	if err != nil {
		return answer, unreachable(fmt.Errorf("exchange credential: %w", err))
	}
	defer func() { _ = res.Body.Close() }()
	switch res.StatusCode {
	case http.StatusOK:
	case http.StatusUnauthorized:
		return answer, refused("this token or session is not, or no longer, valid; sign in again or make a new token")
	default:
		return answer, unreachable(fmt.Errorf("exchange credential: backend answered %d", res.StatusCode))
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, 64<<10)).Decode(&answer); err != nil {
		return answer, unreachable(fmt.Errorf("exchange credential: answer of backend: %w", err))
	}
	return answer, nil
}
