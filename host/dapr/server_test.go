package dapr

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/docket-tasks/docket/host"
)

// Who may reach what at the sidecar's port: nobody without the app token, no other service the events and jobs, and
// nothing but another service the rest.
//
// [Task]: T048
func TestRuntimeRoutesKnowTheirCaller(t *testing.T) {
	n := &Node{Options: Options{Service: "audit", AppToken: "secret", Logger: slog.New(slog.NewTextHandler(io.Discard, nil))}}
	n.bus, n.jobs = newBus(n), &jobs{node: n}
	n.metrics, _ = newMetrics(nil, nil)
	says := func(what string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, what, " ", r.URL.EscapedPath()) })
	}
	h := n.routes(host.Service{Public: says("public"), Runtime: says("runtime")})
	for _, c := range []struct {
		name, method, path, token, caller string
		status                            int
		body                              string
	}{
		{"no token", "GET", "/api/tasks", "", "frontend", 401, ""},
		{"a wrong token", "GET", "/api/tasks", "secre", "frontend", 401, ""},
		{"a user's request", "GET", "/api/tasks", "secret", "frontend", 200, "public /api/tasks"},
		{"a service's request", "GET", "/internal/keys", "secret", "frontend", 200, "runtime /internal/keys"},
		{"a request by no service", "GET", "/internal/keys", "secret", "", 403, ""},
		{"a user's request by no service", "GET", "/api/tasks", "secret", "", 403, ""},
		{"a job by another service", "POST", "/job/r-1~x", "secret", "frontend", 403, ""},
		{"an event by another service", "POST", "/events/pubsub/task-events", "secret", "frontend", 403, ""},
		{"a broadcast, but not in bulk", "POST", "/events/broadcast/task-updates", "secret", "", 503, ""},
		{"events, but not in bulk", "POST", "/events/pubsub/task-events", "secret", "", 503, ""}, // a 404 or a success would be the end of them
		{"events to nowhere", "POST", "/events/task-events", "secret", "", 503, ""},
		{"a job that is not ours", "POST", "/job/backup", "secret", "", 200, ""},
		{"the subscriptions", "GET", "/dapr/subscribe", "secret", "", 200, "[]"},
	} {
		r := httptest.NewRequestWithContext(context.Background(), c.method, c.path, strings.NewReader(`{"specversion":"1.0"}`))
		r.Header.Set(apiTokenHeader, c.token)
		r.Header.Set(callerHeader, c.caller)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != c.status || c.body != "" && w.Body.String() != c.body {
			t.Errorf("%s: %d %q, want %d %q", c.name, w.Code, w.Body, c.status, c.body)
		}
	}
}

// A path that was escaped before the sidecars decoded it is restored; one that does not fit what they have judged is not.
func TestEscapedPath(t *testing.T) {
	n := &Node{Options: Options{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))}}
	n.bus, n.jobs = newBus(n), &jobs{node: n}
	path := ""
	note := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { path = r.URL.EscapedPath() })
	h := n.routes(host.Service{Public: note, Runtime: http.NotFoundHandler()})
	for sent, want := range map[string]string{"/api/a%2Fb": "/api/a%2Fb", "/internal/keys": "/api/a/b", "": "/api/a/b"} {
		r := httptest.NewRequestWithContext(context.Background(), "GET", "/api/a/b", nil)
		r.Header.Set(callerHeader, "frontend")
		r.Header.Set(pathHeader, sent)
		h.ServeHTTP(httptest.NewRecorder(), r)
		if path != want {
			t.Errorf("%q arrives as %s, want %s", sent, path, want)
		}
	}
}

// Requests on one connection are all answered, also after one whose handler has not read its body to the end: what a JSON
// decoder leaves of a body in chunks, and what a refusal leaves of any.
func TestRequestsAfterABodyNotReadToItsEnd(t *testing.T) {
	n := &Node{Options: Options{Logger: slog.New(slog.DiscardHandler)}}
	n.bus, n.jobs = newBus(n), &jobs{node: n}
	n.metrics, _ = newMetrics(nil, nil)
	decodes := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var v any
		if err := json.NewDecoder(r.Body).Decode(&v); err != nil {
			t.Errorf("decode the request: %v", err)
		}
	})
	refuses := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusForbidden) })
	server := httptest.NewServer(n.routes(host.Service{Runtime: decodes, Public: refuses}))
	defer server.Close()
	client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}}
	defer client.CloseIdleConnections()
	for i := range 200 {
		path, want := "/internal/x", http.StatusOK
		switch i % 3 {
		case 1:
			path, want = "/api/x", http.StatusForbidden
		case 2:
			path = "/job/backup"
		}
		body := io.MultiReader(strings.NewReader(`{"a":1}`)) // of a length nobody knows
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+path, body)
		if err != nil {
			t.Fatal(err)
		}
		if path != "/job/backup" {
			r.Header.Set(callerHeader, "frontend")
		}
		res, err := client.Do(r)
		if err != nil {
			t.Fatalf("request %d: %v", i, err)
		}
		_, err = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
		if err != nil || res.StatusCode != want {
			t.Fatalf("request %d: %d, %v, want %d", i, res.StatusCode, err, want)
		}
	}
}
