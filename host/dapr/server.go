package dapr

import (
	"crypto/subtle"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/docket-tasks/docket/host"
)

// The headers between an app and its sidecar.
const (
	apiTokenHeader = "dapr-api-token" // both ways
	appIDHeader    = "dapr-app-id"    // whom a request is for
	callerHeader   = "dapr-caller-app-id"
	idHeader       = "docket-id" // of a message, escaped as in a query
	keyHeader      = "docket-key"
	pathHeader     = "docket-escaped-path" // the path before the sidecars decoded it
)

// routes is what the sidecar finds at the app's port. All of it is behind the app token; that is in every request
// of the sidecar's, invocations by other services included, so the caller's name tells those apart.
func (n *Node) routes(s host.Service) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /dapr/subscribe", func(w http.ResponseWriter, _ *http.Request) { // declared in deploy/dapr/subscriptions.yaml
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte("[]"))
	})
	mux.HandleFunc("GET /dapr/config", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) })
	mux.Handle("POST /events/{component}/{topic}", own(n.bus))
	mux.Handle("POST /job/{name}", own(n.jobs))
	mux.Handle("/events/", own(http.HandlerFunc(deliverAgain))) // no 404: see bus.serveBatch
	mux.Handle("/job/", own(http.NotFoundHandler()))
	routed := func(w http.ResponseWriter, r *http.Request) {
		r.URL.RawPath = r.Header.Get(pathHeader) // which counts only if it is an encoding of the path that the sidecars have judged
		switch path := r.URL.Path; {
		case strings.HasPrefix(path, "/dapr/"), strings.HasPrefix(path, "/events/"), strings.HasPrefix(path, "/job/"):
			mux.ServeHTTP(w, r)
		case strings.HasPrefix(path, "/internal/"):
			called(duplex(framing(orNotFound(s.Runtime)))).ServeHTTP(w, r)
		default:
			called(duplex(framing(orNotFound(s.Public)))).ServeHTTP(w, r)
		}
	}
	return n.tokened(n.admitted(http.HandlerFunc(routed)))
}

// leftover is how much of a request's body is read for its handler at most, as much as net/http reads itself.
const leftover = 256 << 10

// duplex lets a handler answer before it has read the whole request, as between services in one process.
//
// What it leaves of the body is read here. At full duplex net/http does that only after it has stopped its look-out for the
// end of the connection; reaching the end of the body then starts that anew, the next request on the connection meets it,
// and is dropped without an answer. A body in chunks has its end left by every JSON decoder.
func duplex(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := http.NewResponseController(w)
		if answer.EnableFullDuplex() != nil { // only a test's recorder cannot
			next.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
		_ = answer.Flush() // who still sends may wait for it
		_, _ = io.CopyN(io.Discard, r.Body, leftover)
	})
}

func orNotFound(h http.Handler) http.Handler {
	if h == nil {
		return http.NotFoundHandler()
	}
	return h
}

// tokened refuses whoever is not the sidecar.
func (n *Node) tokened(next http.Handler) http.Handler {
	want := []byte(n.AppToken)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(want) > 0 && subtle.ConstantTimeCompare([]byte(r.Header.Get(apiTokenHeader)), want) != 1 {
			n.Logger.Warn("a request at the sidecar's port without the app token is refused", "path", r.URL.Path)
			http.Error(w, "this port is for the sidecar", http.StatusUnauthorized)
			return
		}
		r.Header.Del(apiTokenHeader)
		next.ServeHTTP(w, r)
	})
}

// own refuses invocations by other services: events and jobs come from the sidecar itself.
func own(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get(callerHeader) != "" {
			http.Error(w, "not for other services", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// called refuses what is no invocation by a service.
func called(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get(callerHeader) == "" {
			http.Error(w, "only for other services, by invocation", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func secretOf(name string) (string, bool) {
	return os.LookupEnv("DOCKET_SECRET_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_")))
}
