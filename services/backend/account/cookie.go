package account

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/docket-tasks/docket/edge"
)

// Names of the session's cookie. A browser takes the first only over TLS, for this host and all its paths
// (RFC 6265bis section 4.1.3.2), so that no other host of the domain can plant one.
const (
	SecureCookie = "__Host-docket_session"
	PlainCookie  = "docket_session"
)

// cookieLife is the longest a browser keeps a cookie (RFC 6265bis section 5.5). The session behind it ends by
// itself SessionLife after it was last used, which is what counts: so it rolls on without the cookie being set
// anew by every answer.
const cookieLife = 400 * 24 * time.Hour

// SessionCookie returns the session's secret in the request's cookies, or "". The cookie that nobody else can have
// planted counts first, also where a proxy does not say that the browser speaks TLS; over TLS no other does.
func SessionCookie(r *http.Request) string {
	c, err := r.Cookie(SecureCookie)
	if err != nil && r.TLS == nil && !edge.ForwardedTLS(r.Header) {
		c, err = r.Cookie(PlainCookie)
	}
	if err != nil {
		return ""
	}
	return c.Value
}

func cookieName(secure bool) string {
	if secure {
		return SecureCookie
	}
	return PlainCookie
}

func sessionCookie(secret string, secure bool) http.Cookie {
	return http.Cookie{
		Name: cookieName(secure), Value: secret, Path: "/", MaxAge: int(cookieLife / time.Second),
		HttpOnly: true, Secure: secure, SameSite: http.SameSiteLaxMode,
	}
}

// scheme notes whether the browser speaks TLS, at whichever door that ends, for which host it asks, and what it is.
type scheme struct {
	secure bool
	host   string
	client string
}

// Resolve implements huma.Resolver.
func (s *scheme) Resolve(ctx huma.Context) []error {
	s.secure = ctx.TLS() != nil || edge.ForwardedTLS(http.Header{"X-Forwarded-Proto": {ctx.Header("X-Forwarded-Proto")}})
	s.host = ctx.Header("X-Forwarded-Host")
	s.client = clientOf(ctx.Header("User-Agent"))
	return nil
}

type signInInput struct {
	scheme
	Body struct {
		Code     string `json:"code,omitempty" minLength:"1" maxLength:"100" doc:"One-time sign-in code"`
		Name     string `json:"name,omitempty" minLength:"1" maxLength:"100" doc:"With password, instead of code"`
		Password string `json:"password,omitempty" minLength:"1" maxLength:"256"`
		Factor   string `json:"second_factor,omitempty" maxLength:"100" doc:"A code of the authenticator, or a recovery code; asked for by 400 second_factor_needed"`
		TimeZone string `json:"time_zone,omitempty" maxLength:"64" doc:"The browser's; taken where the user has chosen none and the server knows it"`
	}
}

type signInAnswer struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
	Body      struct {
		User User `json:"user"`
	}
}

// signInRoute adds the way in.
func (s *Store) signInRoute(api huma.API) {
	register(api, open(op("sign-in", http.MethodPost, "/api/session", "Sign in with a name and a password, or with a one-time code: sets the session's cookie", http.StatusCreated, 400, 429)), s.postSession)
}

func (s *Store) postSession(ctx context.Context, in *signInInput) (*signInAnswer, error) {
	u, secret, err := s.admit(ctx, in)
	if err != nil {
		return nil, err
	}
	out := &signInAnswer{SetCookie: sessionCookie(secret, in.secure)}
	out.Body.User = u
	return out, nil
}

// admit signs in with whichever of the two proofs is given.
func (s *Store) admit(ctx context.Context, in *signInInput) (User, string, error) {
	b, browser := in.Body, Browser{TimeZone: in.Body.TimeZone, Client: in.client}
	if b.Code != "" {
		if b.Name != "" || b.Password != "" || b.Factor != "" {
			return User{}, "", invalid{{Field: "code", Detail: "must not be given together with name and password"}}
		}
		return s.SignIn(ctx, b.Code, browser)
	}
	var faults invalid
	if b.Name == "" {
		faults.check("name", errors.New("is needed with password, or else code"))
	}
	if b.Password == "" {
		faults.check("password", errors.New("is needed with name, or else code"))
	}
	if err := faults.err(); err != nil {
		return User{}, "", err
	}
	return s.SignInByPassword(ctx, b.Name, b.Password, b.Factor, browser)
}

type signOutAnswer struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
}

func (s *Store) deleteSession(ctx context.Context, in *struct{ scheme }) (*signOutAnswer, error) {
	p, err := edge.Caller(ctx)
	if err != nil {
		return nil, err
	}
	if p.Actor.Kind != "user" {
		return nil, edge.NewProblem(http.StatusBadRequest, "no_session", "this request is not made with a session; to revoke an API token delete it")
	}
	if err := s.SignOut(ctx, p.Session); err != nil {
		return nil, err
	}
	gone := sessionCookie("", in.secure)
	gone.MaxAge = -1
	return &signOutAnswer{gone}, nil
}
