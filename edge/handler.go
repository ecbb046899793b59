package edge

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// HandlerOptions names the service that [Handler] observes. Only Service is required.
type HandlerOptions struct {
	Service string
	Logger  *slog.Logger
	Metrics *prometheus.Registry
}

// Handler wraps a service's routes: it recovers from panics, gives each request a traceparent (kept where the
// caller sent one) and the answer its trace id as X-Request-Id, logs the request by route pattern (never its
// path or query), measures it, and turns the mux's own 404 and 405 answers into [Problem]s.
func Handler(o HandlerOptions, mux http.Handler) http.Handler {
	log := o.Logger
	if log == nil {
		log = slog.Default()
	}
	s := &served{service: o.Service, log: log, next: mux}
	if o.Metrics != nil {
		s.metrics = newRequestMetrics(o.Metrics, o.Service)
	}
	return s
}

type served struct {
	service string
	log     *slog.Logger
	metrics *requestMetrics
	next    http.Handler
}

func (s *served) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	trace := r.Header.Get(traceHeader)
	if !validTrace(trace) {
		trace = NewTrace()
	}
	span, trace := serverSpan(r, trace)
	rec := &record{trace: trace, log: s.log}
	ctx := context.WithValue(r.Context(), recordKey{}, rec)
	r = r.WithContext(ctx)
	r.Pattern = "" // of a mux outside; the one inside notes its own
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = body{r.Body}
	}
	w.Header().Set("X-Request-Id", TraceID(trace))
	aw := &answer{ResponseWriter: w, r: r}
	defer func() {
		cause := recover()
		if cause != nil && cause != http.ErrAbortHandler {
			s.log.ErrorContext(ctx, "panic", "cause", cause, "stack", string(debug.Stack()))
			if !aw.wrote {
				internalProblem().write(aw)
				cause = nil
			}
		}
		status := s.observe(r, aw, rec, time.Since(start))
		endServerSpan(span, s.service, knownMethod(r.Method), r.Pattern, status)
		if cause != nil {
			panic(http.ErrAbortHandler) // the answer is incomplete: let the connection show it
		}
	}()
	s.next.ServeHTTP(aw, r)
}

// errBody marks that a request's body did not arrive: whoever sends it is gone, or too slow, or the server is closing.
var errBody = errors.New("the request body did not arrive")

// body marks the errors of its connection, which are not the service's.
type body struct{ io.ReadCloser }

func (b body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if _, tooBig := errors.AsType[*http.MaxBytesError](err); err != nil && err != io.EOF && !tooBig {
		err = fmt.Errorf("%w: %w", errBody, err)
	}
	return n, err
}

// observe counts and logs a finished request. Its route is the pattern the mux has noted in the request, "" for
// none; a path is never used, since anybody can make up as many of them as they like.
func (s *served) observe(r *http.Request, aw *answer, rec *record, took time.Duration) (status int) {
	status = aw.status
	if status == 0 {
		status = http.StatusOK
		if r.Context().Err() != nil {
			status = StatusClientGone
		}
	}
	if s.metrics != nil {
		s.metrics.observer(r.Pattern, r.Method, status).Observe(took.Seconds())
	}
	level := slog.LevelInfo
	if status == http.StatusInternalServerError { // other failures are logged with their cause where they happen, and once
		level = slog.LevelError
	}
	if !s.log.Enabled(r.Context(), level) {
		return status
	}
	attrs := [5]slog.Attr{
		slog.String("method", knownMethod(r.Method)), slog.String("route", r.Pattern), slog.Int("status", status),
		slog.Float64("ms", float64(took.Microseconds())/1000), slog.String("user_id", rec.principal.UserID),
	}
	s.log.LogAttrs(r.Context(), level, "request", attrs[:]...)
	return status
}

// answer notes the status of an answer and replaces the mux's plain-text ones.
type answer struct {
	http.ResponseWriter
	r       *http.Request
	status  int
	wrote   bool
	replace bool // the body that follows is the mux's; a problem has been sent instead
}

func (a *answer) WriteHeader(status int) {
	if a.wrote {
		return
	}
	if status >= 100 && status < 200 && status != http.StatusSwitchingProtocols {
		a.ResponseWriter.WriteHeader(status) // informational: the answer is still to come
		return
	}
	a.wrote, a.status = true, status
	if a.fromMux(status) {
		a.replace = true
		muxProblem(status).write(a.ResponseWriter)
		return
	}
	a.ResponseWriter.WriteHeader(status)
}

// fromMux tells an answer of http.ServeMux itself, made when no pattern matched, from one of a handler.
func (a *answer) fromMux(status int) bool {
	return (status == http.StatusNotFound || status == http.StatusMethodNotAllowed) && a.r.Pattern == "" &&
		strings.HasPrefix(a.Header().Get("Content-Type"), "text/plain")
}

func muxProblem(status int) *Problem {
	if status == http.StatusMethodNotAllowed {
		return NewProblem(status, "", "this path exists, but not for this method; see Allow")
	}
	return NewProblem(status, "", "there is nothing at this path")
}

func (a *answer) Write(b []byte) (int, error) {
	if !a.wrote {
		a.WriteHeader(http.StatusOK)
	}
	if a.replace {
		return len(b), nil
	}
	return a.ResponseWriter.Write(b)
}

// Unwrap serves http.ResponseController.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// Flush implements http.Flusher.
func (a *answer) Flush() {
	if !a.wrote {
		a.WriteHeader(http.StatusOK)
	}
	_ = http.NewResponseController(a.ResponseWriter).Flush() // a writer that cannot flush sends at the end
}

// Hijack implements http.Hijacker, for WebSockets.
func (a *answer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(a.ResponseWriter).Hijack()
	if err == nil && !a.wrote {
		a.wrote, a.status = true, http.StatusSwitchingProtocols
	}
	return conn, rw, err
}
