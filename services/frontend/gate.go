package frontend

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/docket-tasks/docket/edge"
)

const (
	// maxBatch bounds POST /api/tasks/batch: 200 changes of 20 KiB each on average.
	maxBatch  = 4 << 20
	batchPath = "/api/tasks/batch"
	// sessionPath signs in (POST, without an identity) and out (DELETE, with one).
	sessionPath = "/api/session"
	// accountsPath makes an account (POST), which signs in as well.
	accountsPath = "/api/accounts"
	// startPath and finishPath sign in by way of an OpenID provider (POST); finishPath is shown the cookie of the first.
	startPath  = "/api/session/openid/start"
	finishPath = "/api/session/openid/finish"
	// passkeyStartPath and passkeyFinishPath sign in by a passkey, in the same way.
	passkeyStartPath  = "/api/session/passkey/start"
	passkeyFinishPath = "/api/session/passkey/finish"
	// resetPath sets a new password (POST), which ends all sessions.
	resetPath = "/api/password/reset"
	// forgottenPath has a link to do so sent (POST).
	forgottenPath = "/api/password/forgotten"
	// usersPath has the users that administrators manage: what they do there may end others' sessions.
	usersPath = "/api/users/"
	// mePath deletes an account (DELETE), with all that it can be reached by.
	mePath = "/api/me"
	// tokensPath revokes an API token: DELETE, with its id behind.
	tokensPath = "/api/tokens/"
	// sessionsPath ends sessions: DELETE, all others or the one whose id is behind.
	sessionsPath = "/api/sessions"
	// passwordPath changes the password (PUT), which ends all other sessions.
	passwordPath = "/api/me/password"
)

// gate authenticates requests and forwards them.
type gate struct {
	client     func(service string) *http.Client
	identities *exchange
	origins    *http.CrossOriginProtection
	limits     *limits
	tls, trust bool
	hops       int
}

func newGate(cfg Config, client func(string) *http.Client) *gate {
	return &gate{
		client: client, identities: newExchange(client("backend"), cfg.Now),
		origins: http.NewCrossOriginProtection(), tls: cfg.TLS, trust: cfg.TrustForwarded, hops: max(1, cfg.ProxyHops),
		limits: newLimits(cfg.RateLimit, cfg.Now, cfg.Metrics),
	}
}

// to returns the handler that forwards to a service with the caller's identity.
func (g *gate) to(service string) http.Handler {
	up := upstream{service, g.client(service).Transport}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		cred, err := g.admit(r)
		if err == nil {
			err = g.forward(w, r, up, cred)
		}
		if err != nil {
			refuse(w, r, err)
		}
	})
}

// open returns the handler for what callers without an identity may ask: it is how they get one.
func (g *gate) open() http.Handler {
	up := upstream{"backend", g.client("backend").Transport}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if g.origins.Check(r) != nil { // another site must not sign a browser in as somebody else
			refuse(w, r, crossOrigin())
			return
		}
		out, err := g.request(w, r, up)
		if err == nil {
			if cookie, err := r.Cookie(g.attemptCookie(r)); err == nil {
				out.AddCookie(&http.Cookie{Name: cookie.Name, Value: cookie.Value})
			}
			err = up.answer(&reply{ResponseWriter: w, before: func(status int) { g.ended(r, credential{}, status) }}, out)
		}
		if err != nil {
			refuse(w, r, err)
		}
	})
}

// forward sends the request on with the caller's identity. Where a service refuses an identity that was kept from
// before (its signing key is gone, say), a request without a body is tried once more with a fresh one: what was
// refused has not been carried out. The error says why there is no answer.
func (g *gate) forward(w http.ResponseWriter, r *http.Request, up upstream, cred credential) error {
	for again := empty(r); ; again = false {
		id, known, err := g.identities.identify(r.Context(), cred)
		if err != nil {
			return err
		}
		if err := meant(r, id); err != nil {
			return err
		}
		if g.limited(r) {
			if err := g.limits.admit(cred, id.user); err != nil {
				return err
			}
		}
		out, err := g.request(w, r, up)
		if err != nil {
			return err
		}
		out.Header["Authorization"] = id.authorization
		rep := &reply{ResponseWriter: w, again: again && known, before: func(status int) { g.ended(r, cred, status) }}
		if err := up.answer(rep, out); err != nil || !rep.withheld {
			return err
		}
	}
}

// ended forgets the identities that a request has ended, before its caller learns that it has: they are gone on this replica at
// once, on others within a minute. Where other credentials than the caller's end, those are not known here; all are
// forgotten, for it is rare.
func (g *gate) ended(r *http.Request, cred credential, status int) {
	switch {
	case status == http.StatusUnauthorized:
		g.identities.forget(cred)
	case status >= http.StatusMultipleChoices:
	case r.Method == http.MethodDelete && r.URL.Path == sessionPath:
		g.identities.forget(cred)
	case r.Method == http.MethodDelete && (strings.HasPrefix(r.URL.Path, tokensPath) || strings.HasPrefix(r.URL.Path, sessionsPath)),
		r.Method == http.MethodDelete && r.URL.Path == mePath,
		r.Method == http.MethodPut && r.URL.Path == passwordPath, r.URL.Path == resetPath, strings.HasPrefix(r.URL.Path, usersPath) && r.Method != http.MethodGet:
		g.identities.known.Clear()
	}
}

// userHeader names the user that a request is made for. It gives no right: it lets a page whose browser is signed in as
// somebody else by now learn that, before what one user did is done for another.
const userHeader = "Docket-User"

// meant refuses a request that is made for another user than the one whose credential it shows.
func meant(r *http.Request, id identity) error {
	if user := r.Header.Get(userHeader); user != "" && id.user != "" && user != id.user {
		return edge.NewProblem(http.StatusUnauthorized, "other_user", "this browser is signed in as another user by now; sign in again")
	}
	return nil
}

// admit returns the credential of a request that may go on to be identified. A cookie comes along with requests
// that other sites make a browser send, so an unsafe one has to come from this site.
func (g *gate) admit(r *http.Request) (credential, error) {
	cred, err := credentialOf(r, g.cookie(r))
	switch {
	case err != nil:
		return cred, err
	case cred == credential{}:
		return cred, refused("sign in, or send an API token in the header Authorization: Bearer <token>")
	case cred.session != "" && g.origins.Check(r) != nil:
		return cred, crossOrigin()
	}
	return cred, nil
}

func crossOrigin() *edge.Problem {
	return edge.NewProblem(http.StatusForbidden, "cross_origin", "changes with a session cookie are accepted from this site's own pages only")
}

// cookie names the session cookie, which is another one over TLS; backend decides by the X-Forwarded-Proto we send.
func (g *gate) cookie(r *http.Request) string {
	if g.proto(r) == "https" {
		return hostCookie
	}
	return plainCookie
}

// attemptCookie names the cookie that a request shows of what it finishes, or is empty.
func (g *gate) attemptCookie(r *http.Request) string {
	name := attemptCookies[r.URL.Path]
	if name != "" && g.proto(r) == "https" {
		return hostPrefix + name
	}
	return name
}

// forwarded are the request headers that services get to see; all others stay here.
var forwarded = []string{
	"Accept", "Accept-Language", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match", "Last-Event-Id", "Prefer", "User-Agent",
}

var identityEncoding = []string{"identity"} // services do not compress; without it http.Transport asks for gzip

// request returns the request as the service gets it. Its path is plain, since guard lets no other pass.
func (g *gate) request(w http.ResponseWriter, r *http.Request, up upstream) (*http.Request, error) {
	out := r.WithContext(r.Context())
	out.URL = &url.URL{Scheme: "http", Host: up.name, Path: r.URL.Path, RawQuery: r.URL.RawQuery}
	out.Host, out.RequestURI, out.Pattern, out.Close = up.name, "", "", false
	out.Header = make(http.Header, 16)
	for _, name := range forwarded {
		if values, ok := r.Header[name]; ok {
			out.Header[name] = values
		}
	}
	out.Header["Accept-Encoding"] = identityEncoding
	own := [4]string{g.proto(r), r.Host, g.caller(r), edge.Trace(r.Context())}
	out.Header["X-Forwarded-Proto"] = own[0:1:1]
	out.Header["X-Forwarded-Host"] = own[1:2:2]
	out.Header["X-Forwarded-For"] = own[2:3:3]
	out.Header["Traceparent"] = own[3:4:4]

	if empty(r) {
		out.Body = http.NoBody
		return out, nil
	}
	limit := int64(edge.MaxBody)
	if r.URL.Path == batchPath {
		limit = maxBatch
	}
	if r.ContentLength > limit {
		return nil, &http.MaxBytesError{Limit: limit}
	}
	out.Body = http.MaxBytesReader(w, r.Body, limit)
	return out, nil
}

// empty tells whether the request certainly has no body.
func empty(r *http.Request) bool { return r.Body == nil || r.Body == http.NoBody }

// proto returns the protocol by which the caller came.
func (g *gate) proto(r *http.Request) string {
	if g.tls || r.TLS != nil || g.trust && edge.ForwardedTLS(r.Header) {
		return "https"
	}
	return "http"
}

// caller returns the address from which the caller came; with a proxy of ours in front, after the ones it names.
func (g *gate) caller(r *http.Request) string {
	client, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		client = r.RemoteAddr
	}
	if before := r.Header.Get("X-Forwarded-For"); g.trust && before != "" {
		return before + ", " + client
	}
	return client
}

var errUnreachable = errors.New("service cannot be reached")

func unreachable(err error) error { return fmt.Errorf("%w: %w", errUnreachable, err) }

// refuse answers a request that could not be forwarded.
func refuse(w http.ResponseWriter, r *http.Request, err error) {
	if p, ok := errors.AsType[*edge.Problem](err); ok && p.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	_, tooBig := errors.AsType[*http.MaxBytesError](err)
	if !tooBig && errors.Is(err, errUnreachable) && r.Context().Err() == nil {
		edge.LoggerOf(r.Context()).WarnContext(r.Context(), "cannot forward", "error", err)
		err = edge.NewProblem(http.StatusServiceUnavailable, "unavailable", "this part of docket cannot be reached just now, try again").After(time.Second)
	}
	edge.WriteProblem(w, r, err)
}
