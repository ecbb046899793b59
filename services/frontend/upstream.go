package frontend

import (
	"net/http"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/host"
)

// upstream is a service that requests are forwarded to.
type upstream struct {
	name string
	// transport alone is used of the service's client: a redirect is the caller's business, and an answer may last.
	transport http.RoundTripper
}

// answer lets the service answer the caller. The error says that it has not been reached, and nothing is written.
func (u upstream) answer(rep *reply, r *http.Request) error {
	rep.header = make(http.Header, 8)
	err := host.Forward(u.transport, rep, r)
	switch {
	case err == nil && rep.status == 0:
		rep.WriteHeader(http.StatusOK)
	case err == nil:
	case rep.status == 0:
		return unreachable(err)
	default:
		if r.Context().Err() == nil {
			edge.LoggerOf(r.Context()).WarnContext(r.Context(), "answer broke off", "upstream", u.name, "error", err)
		}
		panic(http.ErrAbortHandler) // the status is sent: all that is left is to cut the connection
	}
	return nil
}

// reply is the answer to a caller as a service writes it. Of the service's headers it passes on those for the outside.
type reply struct {
	http.ResponseWriter
	header   http.Header
	status   int              // the service's; 0 before it has one
	before   func(status int) // called before the status is sent; may be nil
	again    bool             // a 401 is withheld: the request is going to be tried again
	withheld bool
}

// Header implements [http.ResponseWriter].
func (a *reply) Header() http.Header { return a.header }

// WriteHeader implements [http.ResponseWriter].
func (a *reply) WriteHeader(status int) {
	if a.status != 0 || status < http.StatusOK && status != http.StatusSwitchingProtocols {
		return
	}
	a.status = status
	if a.before != nil {
		a.before(status)
	}
	if a.withheld = a.again && status == http.StatusUnauthorized; a.withheld {
		return
	}
	a.passHeader()
	a.ResponseWriter.WriteHeader(status)
}

// passHeader leaves out what is the door's own to say, or the runtime's.
func (a *reply) passHeader() {
	h := a.ResponseWriter.Header()
	for name, values := range a.header {
		if name != "Server" && name != "Date" && name != "X-Request-Id" && !edge.SidecarHeader(name) {
			h[name] = values
		}
	}
	if _, set := h["Cache-Control"]; !set {
		h["Cache-Control"] = noStore
		if _, versioned := h["Etag"]; versioned {
			h["Cache-Control"] = privateCheck
		}
	}
	if a.status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", "Bearer")
	}
}

// Write implements [http.ResponseWriter].
func (a *reply) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK) // unless it has a status
	if a.withheld {
		return len(p), nil
	}
	return a.ResponseWriter.Write(p)
}

// Unwrap serves http.ResponseController.
func (a *reply) Unwrap() http.ResponseWriter { return a.ResponseWriter }
