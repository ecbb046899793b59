package edge

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/docket-tasks/docket/host"
)

const problemType = "application/problem+json"

// FieldError says what is wrong with one field or parameter. It is an error so that a huma resolver may return it.
type FieldError struct {
	Field  string `json:"field" doc:"Name of the field or parameter"`
	Detail string `json:"detail" doc:"What is wrong with it"`
}

func (e FieldError) Error() string { return e.Field + ": " + e.Detail }

// Problem is an error as its caller sees it (RFC 9457). Everything in it is meant for the caller.
type Problem struct {
	Type   string       `json:"type" doc:"Kind of problem, a URI" example:"about:blank"`
	Title  string       `json:"title" doc:"The status in words" example:"Bad Request"`
	Status int          `json:"status" doc:"HTTP status" example:"400"`
	Detail string       `json:"detail,omitempty" doc:"What went wrong this time, and what to do"`
	Code   string       `json:"code" doc:"Kind of problem, for programs" example:"validation_failed"`
	Errors []FieldError `json:"errors,omitempty" doc:"What is wrong with which field"`

	header http.Header
}

// NewProblem returns a problem; an empty code is made from the status ("not_found").
func NewProblem(status int, code, detail string, fields ...FieldError) *Problem {
	title := http.StatusText(status)
	if code == "" {
		code = strings.ReplaceAll(strings.ToLower(title), " ", "_")
	}
	return &Problem{Type: "about:blank", Title: title, Status: status, Detail: detail, Code: code, Errors: fields}
}

// After returns the problem with a Retry-After header: d in whole seconds, rounded up, at least 1.
func (p *Problem) After(d time.Duration) *Problem {
	seconds := max(1, int(math.Ceil(d.Seconds())))
	return p.with("Retry-After", strconv.Itoa(seconds))
}

func (p *Problem) with(name, value string) *Problem {
	next := *p
	next.header = p.header.Clone()
	if next.header == nil {
		next.header = http.Header{}
	}
	next.header.Set(name, value)
	return &next
}

// Error returns the code and the detail, for logs.
func (p *Problem) Error() string { return p.Code + ": " + p.Detail }

// GetStatus implements huma.StatusError.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders implements huma.HeadersError.
func (p *Problem) GetHeaders() http.Header { return p.header }

// ContentType implements huma.ContentTypeFilter.
func (p *Problem) ContentType(string) string { return problemType }

// WriteProblem answers with the [Problem] in err. The host's outages, which are logged, conflicts that do not end and
// deadlines become a 503 with Retry-After; any other error is logged and becomes a 500 that does not repeat its text.
func WriteProblem(w http.ResponseWriter, r *http.Request, err error) {
	p := ProblemOf(r.Context(), err)
	h := w.Header()
	for name, values := range p.header {
		h[name] = values
	}
	p.write(w)
}

func (p *Problem) write(w http.ResponseWriter) {
	body, err := json.Marshal(p)
	if err != nil { // cannot happen: the fields are strings and an int
		body = []byte("{}")
	}
	h := w.Header()
	h.Del("Content-Length")
	h.Del("ETag")
	h.Set("Content-Type", problemType)
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	_, _ = w.Write(append(body, '\n'))
}

// StatusClientGone is logged and counted for a request whose client left before the answer (nginx's 499).
const StatusClientGone = 499

// ProblemOf returns the [Problem] that an error is to its caller: see [WriteProblem].
func ProblemOf(ctx context.Context, err error) *Problem {
	if p, ok := errors.AsType[*Problem](err); ok {
		return p
	}
	if big, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return tooLarge(big.Limit)
	}
	switch {
	case errors.Is(err, host.ErrUnavailable):
		logOutage(ctx, err)
		return NewProblem(http.StatusServiceUnavailable, "unavailable", "storage cannot be reached; nothing has changed, try again").After(time.Second)
	case errors.Is(err, host.ErrUnknown):
		logOutage(ctx, err)
		return NewProblem(http.StatusServiceUnavailable, "outcome_unknown", "storage cannot be reached; whether the change was made is not known yet").After(2 * time.Second)
	case errors.Is(err, host.ErrConflict): // met again and again
		return NewProblem(http.StatusServiceUnavailable, "busy", "others are changing the same thing; nothing has changed, try again").After(time.Second)
	case errors.Is(err, host.ErrTooLarge):
		return NewProblem(http.StatusRequestEntityTooLarge, "too_large", "the change is too large to be stored")
	case errors.Is(err, errBody), errors.Is(err, io.ErrUnexpectedEOF):
		return NewProblem(http.StatusBadRequest, "incomplete_body", "the request body ended too early")
	case ctx.Err() != nil:
		return NewProblem(StatusClientGone, "client_gone", "the request was cancelled")
	case errors.Is(err, context.DeadlineExceeded): // a limit of ours
		return NewProblem(http.StatusServiceUnavailable, "timeout", "storage does not answer in time, try again").After(time.Second)
	}
	LoggerOf(ctx).ErrorContext(ctx, "request failed", "error", err)
	return internalProblem()
}

// logOutage logs why the store could not be used, unless it is that the caller has left.
func logOutage(ctx context.Context, err error) {
	if ctx.Err() == nil {
		LoggerOf(ctx).ErrorContext(ctx, "storage unavailable", "error", err)
	}
}

func internalProblem() *Problem {
	return NewProblem(http.StatusInternalServerError, "internal", "something went wrong here; it has been logged")
}

func tooLarge(limit int64) *Problem {
	return NewProblem(http.StatusRequestEntityTooLarge, "body_too_large",
		"the request body is larger than "+strconv.FormatInt(limit, 10)+" bytes")
}
