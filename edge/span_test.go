package edge_test

import (
	"log/slog"
	"net/http"
	"testing"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/docket-tasks/docket/edge"
)

// A request's span is a child of its caller's, an event's of the request's that caused it, and all are one trace.
func TestSpans(t *testing.T) {
	spans := tracetest.NewSpanRecorder()
	edge.TraceTo(sdk.NewTracerProvider(sdk.WithSpanProcessor(spans)))
	t.Cleanup(func() { edge.TraceTo(nil) })
	mux := http.NewServeMux()
	mux.HandleFunc("POST /tasks/{id}", func(w http.ResponseWriter, r *http.Request) {
		ctx, handled := edge.Span(t.Context(), "keep", edge.Trace(r.Context()))
		if edge.TraceID(edge.Trace(ctx)) != "0af7651916cd43dd8448eb211c80319c" {
			t.Errorf("the event's trace is %s", edge.Trace(ctx))
		}
		handled(nil)
		w.WriteHeader(http.StatusBadGateway)
	})
	h := edge.Handler(edge.HandlerOptions{Service: "backend", Logger: slog.New(slog.DiscardHandler)}, mux)
	send(h, "POST", "/tasks/secret", "", "Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")

	ended := spans.Ended()
	if len(ended) != 2 {
		t.Fatalf("%d spans, want the event's and the request's", len(ended))
	}
	event, request := ended[0], ended[1]
	if request.Parent().SpanID().String() != "b7ad6b7169203331" || event.Parent().SpanID() != request.SpanContext().SpanID() {
		t.Errorf("parents %s and %s", request.Parent().SpanID(), event.Parent().SpanID())
	}
	if request.Name() != "POST /tasks/{id}" || event.Name() != "keep" || request.Status().Code.String() != "Error" {
		t.Errorf("spans %q (%v) and %q", request.Name(), request.Status(), event.Name())
	}
}
