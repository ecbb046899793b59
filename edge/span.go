package edge

import (
	"context"
	"encoding/hex"
	"net/http"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// tracer makes the process's spans; nil where nobody collects them.
var tracer atomic.Pointer[trace.Tracer]

// TraceTo has every request and event handled from now on noted as a span of its trace (OpenTelemetry); nil ends that. Traces go
// through events and requests all the same: spans only tell where the time went.
func TraceTo(p trace.TracerProvider) {
	if p == nil {
		tracer.Store(nil)
		return
	}
	t := p.Tracer("github.com/docket-tasks/docket")
	tracer.Store(&t)
}

// Span returns a context for handling an event that carries traceparent, and what is to be called, with the error, when
// it has been handled. The span is named after what is done.
func Span(ctx context.Context, name, traceparent string) (context.Context, func(error)) {
	ctx = WithTrace(ctx, traceparent)
	t := tracer.Load()
	if t == nil {
		return ctx, func(error) {}
	}
	_, span := (*t).Start(parent(ctx, Trace(ctx)), name, trace.WithSpanKind(trace.SpanKindConsumer))
	return WithTrace(ctx, traceparentOf(span)), func(err error) {
		if err != nil {
			span.SetStatus(codes.Error, "failed")
		}
		span.End()
	}
}

// serverSpan begins the span of a request and returns the traceparent that everything it causes belongs to.
func serverSpan(r *http.Request, traceparent string) (trace.Span, string) {
	t := tracer.Load()
	if t == nil {
		return nil, traceparent
	}
	_, span := (*t).Start(parent(r.Context(), traceparent), knownMethod(r.Method), trace.WithSpanKind(trace.SpanKindServer))
	return span, traceparentOf(span)
}

// endServerSpan ends it. As in the log there is a route and never a path.
func endServerSpan(span trace.Span, service, method, route string, status int) {
	if span == nil {
		return
	}
	if route != "" {
		span.SetName(route)
	}
	span.SetAttributes(attribute.String("docket.service", service), attribute.String("http.request.method", method),
		attribute.String("http.route", route), attribute.Int("http.response.status_code", status))
	if status >= http.StatusInternalServerError {
		span.SetStatus(codes.Error, http.StatusText(status))
	}
	span.End()
}

// parent is ctx as a part of the trace.
func parent(ctx context.Context, traceparent string) context.Context {
	if !validTrace(traceparent) {
		return ctx
	}
	var c trace.SpanContextConfig
	_, _ = hex.Decode(c.TraceID[:], []byte(traceparent[3:35])) // valid, as it has just been seen
	_, _ = hex.Decode(c.SpanID[:], []byte(traceparent[36:52]))
	var flags [1]byte
	_, _ = hex.Decode(flags[:], []byte(traceparent[53:]))
	c.TraceFlags, c.Remote = trace.TraceFlags(flags[0]), true
	return trace.ContextWithRemoteSpanContext(ctx, trace.NewSpanContext(c))
}

func traceparentOf(span trace.Span) string {
	c := span.SpanContext()
	return "00-" + c.TraceID().String() + "-" + c.SpanID().String() + "-" + c.TraceFlags().String()
}
