package account

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/services/backend/openid"
)

// providerPause is how long to wait before a provider that is away is asked again.
const providerPause = 30 * time.Second

// named is the cookie's name at a door that speaks TLS, or not; see [SecureCookie] for why there are two.
func (k attemptKind) named(secure bool) string {
	if secure {
		return "__Host-" + k.cookie
	}
	return k.cookie
}

// given is the cookie with an attempt's secret, and gone takes it away.
func (k attemptKind) given(secret string, secure bool) http.Cookie {
	return k.holding(secret, secure, attemptLife)
}

func (k attemptKind) gone(secure bool) http.Cookie { return k.holding("", secure, -time.Second) }

func (k attemptKind) holding(secret string, secure bool, life time.Duration) http.Cookie {
	return http.Cookie{
		Name: k.named(secure), Value: secret, Path: "/", MaxAge: int(life / time.Second),
		HttpOnly: true, Secure: secure, SameSite: http.SameSiteStrictMode, // the page that comes back is ours, and asks by itself
	}
}

// openIDRoutes adds the way in by way of a provider.
func (s *Store) openIDRoutes(api huma.API) {
	o := open(op("start-openid", http.MethodPost, "/api/session/openid/start", "Begin to sign in with an OpenID provider: go to the address that is answered", http.StatusOK, 400, 404))
	o.Description = "The browser comes back to /signin/callback/ and the provider's id, with a code and a state for POST /api/session/openid/finish. A cookie binds the two to one browser."
	register(api, o, s.postStart)
	o = open(op("finish-openid", http.MethodPost, "/api/session/openid/finish", "Come back from an OpenID provider: signs in, or connects the account of who is signed in", http.StatusCreated, 400, 403, 404, 409))
	o.Description = "Who is not known yet gets an account where signing up is open, or with an invitation. The second factor of docket is not asked for: the provider has its own."
	register(api, o, s.postFinish)
}

// connectionRoutes adds what users do about their connections.
func (s *Store) connectionRoutes(api huma.API) {
	register(api, op("list-connections", http.MethodGet, "/api/me/connections", "The accounts at OpenID providers by which the user signs in, oldest first", http.StatusOK), s.listConnections)
	o := op("create-connection", http.MethodPost, "/api/me/connections", "Begin to connect an account at an OpenID provider, for who is signed in: go to the address that is answered", http.StatusOK, 400, 403, 404)
	register(api, o, s.postConnection)
	register(api, op("delete-connection", http.MethodDelete, "/api/me/connections/{id}", "Remove a connection: nobody signs in by it any more; sessions stay", http.StatusNoContent, 403, 404, 409), s.deleteConnection)
}

type startInput struct {
	scheme
	Body struct {
		Provider   string `json:"provider" minLength:"1" maxLength:"32" doc:"An id of GET /api/session/options"`
		Invitation string `json:"invitation,omitempty" maxLength:"100" doc:"The code of an invitation; needed for a new account where sign_up is invitation"`
		TimeZone   string `json:"time_zone,omitempty" maxLength:"64" doc:"The browser's; taken where the user has chosen none and the server knows it"`
	}
}

type startAnswer struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
	Body      struct {
		URL string `json:"url" format:"uri" doc:"At the provider"`
	}
}

func (s *Store) postStart(ctx context.Context, in *startInput) (*startAnswer, error) {
	id := invitationID(in.Body.Invitation)
	if s.signUp == SignUpInvitation {
		if _, err := s.redeem(ctx, id); err != nil { // better now than after the way to the provider
			return nil, err
		}
	}
	return s.started(ctx, in.Body.Provider, openIDAttempt{Invitation: id, TimeZone: in.Body.TimeZone}, in.secure)
}

func (s *Store) started(ctx context.Context, provider string, a openIDAttempt, secure bool) (*startAnswer, error) {
	url, secret, err := s.begin(ctx, provider, a)
	if err != nil {
		return nil, err
	}
	out := &startAnswer{SetCookie: openIDAttempts.given(secret, secure)}
	out.Body.URL = url
	return out, nil
}

type connectionInput struct {
	scheme
	Body struct {
		Provider string `json:"provider" minLength:"1" maxLength:"32" doc:"An id of GET /api/session/options"`
	}
}

func (s *Store) postConnection(ctx context.Context, in *connectionInput) (*startAnswer, error) {
	p, err := inBrowser(ctx)
	if err != nil {
		return nil, err
	}
	return s.started(ctx, in.Body.Provider, openIDAttempt{Session: p.Session}, in.secure)
}

// comeBack is a browser that shows the cookie of its attempt.
type comeBack struct {
	scheme
	cookies string
}

// Resolve implements huma.Resolver.
func (c *comeBack) Resolve(ctx huma.Context) []error {
	c.cookies = ctx.Header("Cookie")
	return c.scheme.Resolve(ctx)
}

// attempt is the secret of an attempt that the browser has, or empty.
func (c *comeBack) attempt(kind attemptKind) string {
	r := http.Request{Header: http.Header{"Cookie": {c.cookies}}}
	cookie, err := r.Cookie(kind.named(c.secure))
	if err != nil {
		return ""
	}
	return cookie.Value
}

type finishInput struct {
	comeBack
	Body struct {
		Provider string `json:"provider" minLength:"1" maxLength:"32" doc:"The end of the path that the browser came back to"`
		State    string `json:"state" minLength:"1" maxLength:"100" doc:"As it came back"`
		Code     string `json:"code,omitempty" maxLength:"4096" doc:"As it came back; absent where the provider has sent an error"`
	}
}

type finishAnswer struct {
	SetCookie []http.Cookie `header:"Set-Cookie"`
	Body      struct {
		User      User `json:"user"`
		Connected bool `json:"connected" doc:"The user was signed in, and is connected now"`
	}
}

func (s *Store) postFinish(ctx context.Context, in *finishInput) (*finishAnswer, error) {
	a, err := s.cameBack(ctx, in.attempt(openIDAttempts), in.Body.Provider, in.Body.State)
	if err != nil {
		return nil, err
	}
	if in.Body.Code == "" {
		return nil, openid.ErrRefused
	}
	u, session, err := s.finish(ctx, a, in.Body.Code, Browser{Client: in.client})
	if err != nil {
		return nil, err
	}
	out := &finishAnswer{SetCookie: []http.Cookie{openIDAttempts.gone(in.secure)}}
	if session != "" {
		out.SetCookie = append(out.SetCookie, sessionCookie(session, in.secure))
	}
	out.Body.User, out.Body.Connected = u, session == ""
	return out, nil
}

type connectionsAnswer struct {
	Body []Connection `nullable:"false"`
}

func (s *Store) listConnections(ctx context.Context, _ *struct{}) (*connectionsAnswer, error) {
	p, err := edge.Caller(ctx)
	if err != nil {
		return nil, err
	}
	list, err := s.Connections(ctx, p.UserID)
	return &connectionsAnswer{list}, err
}

type connectionPath struct {
	ID string `path:"id" minLength:"43" maxLength:"43" pattern:"^[A-Za-z0-9_-]*$"`
}

func (s *Store) deleteConnection(ctx context.Context, in *connectionPath) (*struct{}, error) {
	u, err := s.ownAccount(ctx)
	if err != nil {
		return nil, err
	}
	return nil, s.Disconnect(ctx, u.ID, in.ID)
}

// connectionProblem does what problem does, for the errors about providers and connections.
func connectionProblem(err error) error {
	switch {
	case errors.Is(err, openid.ErrUnavailable):
		return edge.NewProblem(http.StatusServiceUnavailable, "provider_unavailable", "that provider cannot be asked just now: try again later, or sign in another way").After(providerPause)
	case errors.Is(err, openid.ErrRefused):
		return edge.NewProblem(http.StatusBadRequest, "provider_refused", "the provider does not confirm who you are: start again")
	case errors.Is(err, ErrNoProvider):
		return edge.NewProblem(http.StatusNotFound, "not_found", "there is no such provider: see GET /api/session/options")
	case errors.Is(err, ErrNoAttempt):
		return edge.NewProblem(http.StatusBadRequest, "invalid_attempt", "this sign-in was not begun in this browser, has taken too long, or is over already: start again")
	case errors.Is(err, ErrNoAccount):
		return edge.NewProblem(http.StatusForbidden, "no_account", "nobody here is connected to that account: sign in another way and connect it, or ask whoever runs this server for an invitation")
	case errors.Is(err, ErrConnectFirst):
		return edge.NewProblem(http.StatusForbidden, "connect_first", "there is an account with that address already: sign in to it another way, and connect it there")
	case errors.Is(err, ErrConnectionTaken):
		return edge.NewProblem(http.StatusConflict, "connection_taken", "that account is connected to another user already")
	case errors.Is(err, ErrTooManyConnections):
		return edge.NewProblem(http.StatusConflict, "too_many_connections", fmt.Sprintf("you have %d connections already: remove one first", MaxConnections))
	case errors.Is(err, ErrNoConnection):
		return edge.NewProblem(http.StatusNotFound, "not_found", "you have no such connection")
	case errors.Is(err, ErrLastWayIn):
		return edge.NewProblem(http.StatusConflict, "last_way_in", "this is the only way in that you have: set a password first")
	}
	return passkeyProblem(err)
}
