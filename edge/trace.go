package edge

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"net/http"
)

const traceHeader = "Traceparent"

// Trace returns the W3C traceparent of the request or event being handled, "" where there is none.
func Trace(ctx context.Context) string {
	if rec := recordOf(ctx); rec != nil {
		return rec.trace
	}
	return ""
}

// WithTrace returns a context that carries traceparent; one that is not valid is left out.
func WithTrace(ctx context.Context, traceparent string) context.Context {
	if !validTrace(traceparent) {
		return ctx
	}
	return with(ctx, func(rec *record) { rec.trace = traceparent })
}

// NewTrace returns a fresh, sampled traceparent (W3C Trace Context, version 00).
func NewTrace() string {
	var id [24]byte
	binary.BigEndian.PutUint64(id[0:], rand.Uint64())
	binary.BigEndian.PutUint64(id[8:], rand.Uint64()|1) // an id of zeros is not valid
	binary.BigEndian.PutUint64(id[16:], rand.Uint64()|1)
	out := make([]byte, 0, 55)
	out = append(out, "00-"...)
	out = hex.AppendEncode(out, id[:16])
	out = append(out, '-')
	out = hex.AppendEncode(out, id[16:])
	return string(append(out, "-01"...))
}

// TraceID returns the 32 hexadecimal digits that all services' logs of one request share.
func TraceID(traceparent string) string {
	if len(traceparent) < 35 {
		return ""
	}
	return traceparent[3:35]
}

// validTrace accepts version 00 of the header: 00-<32 hex>-<16 hex>-<2 hex>, lower case, ids not zero.
func validTrace(t string) bool {
	if len(t) != 55 || t[:3] != "00-" || t[35] != '-' || t[52] != '-' {
		return false
	}
	return lowerHex(t[3:35], true) && lowerHex(t[36:52], true) && lowerHex(t[53:], false)
}

func lowerHex(s string, notZero bool) bool {
	zero := true
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
		zero = zero && c == '0'
	}
	return !notZero || !zero
}

// Traced returns a client like c whose requests carry the traceparent of their context.
func Traced(c *http.Client) *http.Client {
	traced := *c
	traced.Transport = tracing{next: c.Transport}
	return &traced
}

type tracing struct{ next http.RoundTripper }

func (t tracing) RoundTrip(r *http.Request) (*http.Response, error) {
	next := t.next
	if next == nil {
		next = http.DefaultTransport
	}
	if trace := Trace(r.Context()); trace != "" && r.Header.Get(traceHeader) == "" {
		r = r.Clone(r.Context()) // a RoundTripper must not change the request it was given
		r.Header.Set(traceHeader, trace)
	}
	return next.RoundTrip(r)
}
