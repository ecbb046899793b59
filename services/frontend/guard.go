package frontend

import (
	"net/http"
	"strings"

	"github.com/docket-tasks/docket/edge"
)

// Header values that never change; shared, so that setting them costs no allocation.
var (
	noSniff       = []string{"nosniff"}
	noReferrer    = []string{"same-origin"}
	sameOrigin    = []string{"same-origin"}
	noStore       = []string{"no-store"}
	privateCheck  = []string{"private, no-cache"}
	apiPolicy     = []string{"default-src 'none'; frame-ancestors 'none'"}
	pagePolicy    = []string{"default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"}
	strictTLS     = []string{"max-age=31536000"}
	methodsServed = "GET, HEAD, POST, PUT, PATCH, DELETE"
)

// guard stands before all routes: it sets the security headers, and refuses what could be read in two ways
// and whoever asks too often.
func (g *gate) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h["X-Content-Type-Options"] = noSniff
		h["Referrer-Policy"] = noReferrer
		h["Cross-Origin-Opener-Policy"] = sameOrigin
		h["Cross-Origin-Resource-Policy"] = sameOrigin
		h["Content-Security-Policy"] = apiPolicy
		if g.tls {
			h["Strict-Transport-Security"] = strictTLS
		}
		if !plainPath(r) {
			nowhere(w, r)
			return
		}
		if !served(r.Method) {
			h.Set("Allow", methodsServed)
			edge.WriteProblem(w, r, edge.NewProblem(http.StatusMethodNotAllowed, "", "this method is not served; see Allow"))
			return
		}
		if g.limited(r) {
			if err := g.limits.knock(g.address(r), r); err != nil {
				refuse(w, r, err)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

func served(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
		return true
	}
	return false
}

// plainPath tells whether the path is written in the one plain way: segments of unreserved characters (RFC 3986
// section 2.3), none of them empty, "." or "..", nothing escaped. All paths of ours are; so no service can see
// another path than the one the allow-list was asked about.
func plainPath(r *http.Request) bool {
	path := r.URL.Path
	if r.URL.RawPath != "" || r.URL.Opaque != "" || path == "" || path[0] != '/' {
		return false
	}
	for i := 1; i < len(path); i++ {
		c := path[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '~':
		case c == '/':
			if path[i-1] == '/' {
				return false
			}
		case c == '.':
			if path[i-1] == '/' && dotSegment(path[i:]) {
				return false
			}
		default:
			return false
		}
	}
	return true
}

func dotSegment(rest string) bool {
	segment, _, _ := strings.Cut(rest, "/")
	return segment == "." || segment == ".."
}
