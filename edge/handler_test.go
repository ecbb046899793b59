package edge_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/docket-tasks/docket/edge"
)

// lines decodes a JSON log.
func lines(t *testing.T, log string) []map[string]any {
	t.Helper()
	var all []map[string]any
	for line := range strings.Lines(log) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatalf("log line %q: %v", line, err)
		}
		all = append(all, fields)
	}
	return all
}

// TestRequestLog checks the one line of a request: its pattern, never its path, query or body.
//
// [Task]: T022
func TestRequestLog(t *testing.T) {
	h, log := notes(t)
	send(h, "PUT", "/notes/secret-id?limit=7&tag=secret-tag", `{"title":"secret-title"}`, "Authorization", "Bearer secret-token")
	send(h, "PUT", "/notes/secret-id", `{"title":"secret"}`)
	all := lines(t, log.String())
	if len(all) != 3 {
		t.Fatalf("%d log lines, want the two requests and the cause of the 500:\n%s", len(all), log)
	}
	ok, cause, failed := all[0], all[1], all[2]
	for _, fields := range all {
		if fields["service"] != "notes" || len(fmt.Sprint(fields["trace_id"])) != 32 {
			t.Errorf("service or trace_id is missing: %v", fields)
		}
	}
	want := map[string]any{"level": "INFO", "msg": "request", "method": "PUT", "route": "PUT /notes/{id}", "status": 200.0, "user_id": "", "service": "notes"}
	delete(ok, "time")
	delete(ok, "trace_id")
	if ms, is := ok["ms"].(float64); !is || ms < 0 {
		t.Errorf("ms = %v", ok["ms"])
	}
	delete(ok, "ms")
	if diff := cmp.Diff(want, ok); diff != "" {
		t.Errorf("line differs (-want +got):\n%s", diff)
	}
	if cause["trace_id"] != failed["trace_id"] || cause["error"] != "password hunter2 was refused" || failed["level"] != "ERROR" {
		t.Errorf("the cause of a 500 is not in the log beside it:\n%v\n%v", cause, failed)
	}
	for _, secret := range []string{"secret-id", "secret-tag", "secret-title", "secret-token"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("%s is in the log", secret)
		}
	}
}

// TestPanic answers what can still be answered, cuts the connection otherwise, and logs both.
func TestPanic(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/before", func(http.ResponseWriter, *http.Request) { panic("boom") })
	mux.HandleFunc("/after", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "half")
		w.(http.Flusher).Flush()
		panic("boom")
	})
	var log strings.Builder
	server := httptest.NewServer(edge.Handler(edge.HandlerOptions{Service: "x", Logger: edge.NewLogger(&log, "x", "info", "json")}, mux))
	res, err := http.Get(server.URL + "/before")
	if err != nil {
		t.Fatal(err)
	}
	if p := problem(t, res); p.Code != "internal" || strings.Contains(p.Detail, "boom") {
		t.Errorf("problem = %+v", p)
	}
	_ = res.Body.Close()
	res, err = http.Get(server.URL + "/after")
	if err == nil {
		_, err = io.ReadAll(res.Body)
		_ = res.Body.Close()
	}
	if err == nil {
		t.Error("half an answer looked complete")
	}
	server.Close()
	if n := strings.Count(log.String(), `"cause":"boom"`); n != 2 {
		t.Errorf("%d panics in the log, want 2:\n%s", n, log.String())
	}
}

// TestBrokenBody: a caller who goes away in the middle of a body is no failure of the service.
func TestBrokenBody(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /notes", func(w http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(r.Body)
		edge.WriteProblem(w, r, err)
	})
	var log strings.Builder
	handler := edge.Handler(edge.HandlerOptions{Service: "x", Logger: edge.NewLogger(&log, "x", "warn", "json")}, mux)
	for _, cause := range []error{net.ErrClosed, os.ErrDeadlineExceeded, io.ErrUnexpectedEOF} {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest("POST", "/notes", iotest.ErrReader(cause)))
		if w.Code != http.StatusBadRequest {
			t.Errorf("%v: %d %s", cause, w.Code, w.Body)
		}
	}
	if log.Len() > 0 {
		t.Errorf("logged as a failure:\n%s", log.String())
	}
}

// TestTrace keeps a valid traceparent, replaces any other, and sends it on to the next service.
func TestTrace(t *testing.T) {
	const sent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	var inside, next string
	client := edge.Traced(&http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		next = r.Header.Get("Traceparent")
		return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
	})})
	h := edge.Handler(edge.HandlerOptions{Service: "x", Logger: slog.New(slog.DiscardHandler)}, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		inside = edge.Trace(r.Context())
		req, err := http.NewRequestWithContext(r.Context(), "GET", "http://audit/", nil)
		if err != nil {
			t.Error(err)
			return
		}
		if res, err := client.Do(req); err != nil {
			t.Error(err)
		} else {
			_ = res.Body.Close()
		}
	}))
	res := send(h, "GET", "/", "", "Traceparent", sent)
	if inside != sent || next != sent || res.Header.Get("X-Request-Id") != sent[3:35] {
		t.Errorf("inside %q, sent on %q, request id %q; want %q", inside, next, res.Header.Get("X-Request-Id"), sent)
	}
	for _, bad := range []string{
		"", "x", sent[:54], sent + "0", "ff" + sent[2:], strings.ToUpper(sent), strings.Replace(sent, "0af7651916cd43dd8448eb211c80319c", strings.Repeat("0", 32), 1),
		strings.Replace(sent, "b7ad6b7169203331", strings.Repeat("0", 16), 1), strings.Replace(sent, "-", "_", 1), sent[:53] + "\n1",
	} {
		send(h, "GET", "/", "", "Traceparent", bad)
		if inside == bad || len(inside) != 55 || next != inside {
			t.Errorf("for %q: inside %q, sent on %q; want a fresh one", bad, inside, next)
		}
		if got := edge.Trace(edge.WithTrace(t.Context(), inside)); got != inside {
			t.Errorf("NewTrace makes %q, which is not valid", inside)
		}
		if got := edge.Trace(edge.WithTrace(t.Context(), bad)); got != "" {
			t.Errorf("WithTrace took %q", bad)
		}
	}
	kept := edge.WithTrace(edge.WithPrincipal(t.Context(), ann), sent)
	if p, ok := edge.PrincipalOf(kept); !ok || p.UserID != "ann" {
		t.Error("WithTrace lost the principal")
	}
}

// TestMetrics counts by pattern, and not by anything that a caller can make up.
func TestMetrics(t *testing.T) {
	reg := prometheus.NewRegistry()
	mux := http.NewServeMux()
	notesAPI(mux)
	edge.Health(mux, edge.HealthOptions{Metrics: reg})
	options := edge.HandlerOptions{Service: "notes", Metrics: reg, Logger: slog.New(slog.DiscardHandler)}
	h := edge.Handler(options, mux)
	edge.Handler(options, mux) // a second service of the process shares the registry
	for i := range 20 {
		send(h, "PUT", fmt.Sprint("/notes/", i), `{"title":"x"}`)
		send(h, "GET", fmt.Sprint("/nowhere/", i), "")
		send(h, fmt.Sprint("METHOD", i), "/nowhere", "")
	}
	text, err := io.ReadAll(send(h, "GET", "/metrics", "").Body)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "docket_http_request_duration_seconds_count") {
			got = append(got, strings.TrimSpace(strings.TrimPrefix(line, "docket_http_request_duration_seconds_count")))
		}
	}
	want := []string{
		`{method="GET",route="",service="notes",status="404"} 20`,
		`{method="PUT",route="PUT /notes/{id}",service="notes",status="200"} 20`,
		`{method="other",route="",service="notes",status="404"} 20`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("counts differ (-want +got):\n%s", diff)
	}
}

// TestReadiness names the first check that fails, without its error, and the shutting down.
//
// [Task]: T023
func TestReadiness(t *testing.T) {
	var draining atomic.Bool
	var failure error
	mux := http.NewServeMux()
	edge.Health(mux, edge.HealthOptions{Draining: &draining, Checks: []edge.HealthCheck{
		{Name: "fine", Check: func(context.Context) error { return nil }},
		{Name: "state", Check: func(context.Context) error { return failure }},
	}})
	h := edge.Handler(edge.HandlerOptions{Service: "x", Logger: slog.New(slog.DiscardHandler)}, mux)
	ready := func(status int, code, detail string) {
		t.Helper()
		if live := send(h, "GET", "/healthz", ""); live.StatusCode != 200 {
			t.Errorf("healthz = %d", live.StatusCode)
		}
		res := send(h, "GET", "/readyz", "")
		if res.StatusCode != status {
			t.Errorf("readyz = %d, want %d", res.StatusCode, status)
		}
		if status == 503 {
			if p := problem(t, res); p.Code != code || p.Detail != detail || res.Header.Get("Retry-After") == "" {
				t.Errorf("problem = %+v", p)
			}
		}
	}
	ready(200, "", "")
	failure = errors.New("dial 10.0.0.7: refused")
	ready(503, "not_ready", "state cannot be reached")
	failure = context.DeadlineExceeded
	ready(503, "not_ready", "state does not answer in time")
	failure = nil
	draining.Store(true)
	ready(503, "draining", "the service is shutting down")
}

// TestLogger checks levels, formats, and what becomes of a level or format that does not exist.
//
// [Task]: T022, T089, T090, T091
func TestLogger(t *testing.T) {
	write := func(level, format string) string {
		var b strings.Builder
		log := edge.NewLogger(&b, "audit", level, format).With("event_id", "e1")
		ctx := edge.WithTrace(t.Context(), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
		log.DebugContext(ctx, "low")
		log.WarnContext(ctx, "high")
		return b.String()
	}
	got := lines(t, write("warn", "json"))
	if len(got) != 1 || got[0]["msg"] != "high" || got[0]["service"] != "audit" || got[0]["event_id"] != "e1" || got[0]["trace_id"] != "0af7651916cd43dd8448eb211c80319c" {
		t.Errorf("at warn: %v", got)
	}
	if n := len(lines(t, write("DEBUG", "json"))); n != 2 {
		t.Errorf("at debug: %d lines, want 2", n)
	}
	if text := write("info", "text"); !strings.Contains(text, "msg=high service=audit event_id=e1 trace_id=0af7") || strings.Contains(text, "low") {
		t.Errorf("as text: %s", text)
	}
	if got := lines(t, write("loud", "xml")); len(got) != 3 || got[0]["level"] != "WARN" || got[0]["given"] != "loud" || got[1]["given"] != "xml" {
		t.Errorf("with a level and format that do not exist: %v", got)
	}
}

// TestHijack upgrades through the handler, as a WebSocket does.
func TestHijack(t *testing.T) {
	server := httptest.NewServer(edge.Handler(edge.HandlerOptions{Service: "x", Logger: slog.New(slog.DiscardHandler)},
		http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			conn, rw, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nhello\n")
			_ = rw.Flush()
			_ = conn.Close()
		})))
	defer server.Close()
	req, err := http.NewRequestWithContext(t.Context(), "GET", server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Connection", "Upgrade")
	req.Header.Set("Upgrade", "x")
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if line, err := bufio.NewReader(res.Body).ReadString('\n'); res.StatusCode != 101 || line != "hello\n" {
		t.Errorf("status %d, line %q, %v", res.StatusCode, line, err)
	}
}

// BenchmarkRequest is what edge adds to a request with a known token: log line switched off by level, metrics on.
func BenchmarkRequest(b *testing.B) {
	k := newBackend(newKey(b, "one"))
	v := edge.NewVerifier(k.keys, k.now)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /notes/{id}", func(http.ResponseWriter, *http.Request) {})
	r := httptest.NewRequest("GET", "/notes/7", nil)
	r.Header.Set("Authorization", "Bearer "+k.issue(b, ann))
	options := edge.HandlerOptions{Service: "notes", Metrics: prometheus.NewRegistry()}
	for name, level := range map[string]string{"logged": "info", "quiet": "error"} {
		options.Logger = edge.NewLogger(io.Discard, "notes", level, "json")
		h := edge.Handler(options, v.Require(mux))
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				h.ServeHTTP(httptest.NewRecorder(), r)
			}
		})
	}
	b.Run("bare", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			mux.ServeHTTP(httptest.NewRecorder(), r)
		}
	})
}
