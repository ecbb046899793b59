package edge

import (
	"context"
	"io"
	"log/slog"
)

// NewLogger returns the structured log of a service. Level is debug, info, warn or error, format json or text;
// something else means info and json, and is itself logged. Each line names the service, if one is given, and the trace_id of the
// request or event where the context has one.
func NewLogger(w io.Writer, service, level, format string) *slog.Logger {
	var min slog.Level
	badLevel := level != "" && min.UnmarshalText([]byte(level)) != nil
	options := &slog.HandlerOptions{Level: min}
	var h slog.Handler = slog.NewJSONHandler(w, options)
	if format == "text" {
		h = slog.NewTextHandler(w, options)
	}
	log := slog.New(traced{h})
	if service != "" {
		log = log.With("service", service)
	}
	if badLevel {
		log.Warn("unknown log level, using info", "given", level)
	}
	if format != "" && format != "json" && format != "text" {
		log.Warn("unknown log format, using json", "given", format)
	}
	return log
}

// traced adds the trace_id of the context to each line.
type traced struct{ slog.Handler }

func (h traced) Handle(ctx context.Context, r slog.Record) error {
	if id := TraceID(Trace(ctx)); id != "" {
		r.AddAttrs(slog.String("trace_id", id))
	}
	return h.Handler.Handle(ctx, r)
}

func (h traced) WithAttrs(attrs []slog.Attr) slog.Handler { return traced{h.Handler.WithAttrs(attrs)} }
func (h traced) WithGroup(name string) slog.Handler       { return traced{h.Handler.WithGroup(name)} }
