package frontend_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/services/frontend"
)

// TestPages checks which file a path shows and how long a browser may keep it.
func TestPages(t *testing.T) {
	door := newInside(t, newClock().now).door(t)
	tests := []struct {
		method, path       string
		status             int
		caching, contains  string
		kind, encodingWant string
	}{
		{"GET", "/", 200, "no-cache", "<title>docket", "text/html; charset=utf-8", ""},
		{"GET", "/signin", 200, "no-cache", "<title>docket", "text/html; charset=utf-8", ""},
		{"GET", "/lists/7/tasks", 200, "no-cache", "<title>docket", "text/html; charset=utf-8", ""},
		{"GET", "/assets/app-1a.js", 200, "public, max-age=31536000, immutable", "console.log(1)", "text/javascript; charset=utf-8", "gzip"},
		{"GET", "/sw.js", 200, "no-cache", "addEventListener", "text/javascript; charset=utf-8", ""},
		{"GET", "/manifest.webmanifest", 200, "no-cache", "start_url", "application/manifest+json", ""},
		{"GET", "/icon-192.png", 200, "no-cache", "PNG", "image/png", ""},
		{"HEAD", "/signin", 200, "no-cache", "", "text/html; charset=utf-8", ""},
		{"GET", "/assets/old-2b.js", 404, "no-store", "not_found", "application/problem+json", ""},
		{"GET", "/assets/none", 404, "no-store", "not_found", "application/problem+json", ""},
		{"GET", "/favicon.ico", 404, "no-store", "not_found", "application/problem+json", ""},
		{"GET", "/Internal/keys", 404, "no-store", "not_found", "application/problem+json", ""},
		{"POST", "/", 405, "no-store", "method_not_allowed", "application/problem+json", ""},
		{"OPTIONS", "/api/tasks", 405, "no-store", "method_not_allowed", "application/problem+json", ""},
		{"TRACE", "/", 405, "no-store", "method_not_allowed", "application/problem+json", ""},
		{"GET", "/today", 200, "no-cache", "<title>docket", "text/html; charset=utf-8", ""},
		{"GET", "/tasks/018f2c5e-6a00-7b11-8c22-9d33e44f5566", 200, "no-cache", "<title>docket", "text/html; charset=utf-8", ""},
		{"GET", "/api/today", 404, "no-store", "not_found", "application/problem+json", ""},
		{"GET", "/api/about", 200, "no-store", `{"version":"1.2.3","commit":"c0ffee","go":"go1.26.4"}`, "application/json", ""},
		{"POST", "/api/about", 404, "no-store", "not_found", "application/problem+json", ""},
	}
	for _, tt := range tests {
		t.Run(tt.method+" "+tt.path, func(t *testing.T) {
			res := send(door, tt.method, tt.path, "", "Accept-Encoding", "br;q=1.0, gzip;q=0.8")
			if res.StatusCode != tt.status || res.Header.Get("Content-Type") != tt.kind || res.Header.Get("Cache-Control") != tt.caching ||
				res.Header.Get("Content-Encoding") != tt.encodingWant {
				t.Errorf("answer = %d %v", res.StatusCode, res.Header)
			}
			body := io.Reader(res.Body)
			if tt.encodingWant == "gzip" {
				z, err := gzip.NewReader(res.Body)
				if err != nil {
					t.Fatal(err)
				}
				body = z
			}
			text, err := io.ReadAll(body)
			if err != nil || !strings.Contains(string(text), tt.contains) {
				t.Errorf("body = %q, %v; want %q in it", text, err, tt.contains)
			}
			if policy := res.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "frame-ancestors 'none'") || strings.Contains(policy, "unsafe") {
				t.Errorf("Content-Security-Policy = %q", policy)
			}
		})
	}
}

// A page may do what the client needs, by the policy it comes with: run a service worker, be installed, open the
// WebSocket and call the API of its own site, all of which fall back on default-src (CSP 3 section 6.7), and no other.
func TestPagePolicy(t *testing.T) {
	policy := send(newInside(t, newClock().now).door(t), "GET", "/", "").Header.Get("Content-Security-Policy")
	if !strings.HasPrefix(policy, "default-src 'self';") {
		t.Errorf("policy %q", policy)
	}
	for _, directive := range []string{"worker-src", "manifest-src", "connect-src", "script-src", "child-src"} {
		if strings.Contains(policy, directive) {
			t.Errorf("policy %q narrows %s", policy, directive)
		}
	}
}

// TestPageIsNotSentAgain revalidates by ETag, which differs between the plain and the compressed form.
func TestPageIsNotSentAgain(t *testing.T) {
	door := newInside(t, newClock().now).door(t)
	plain := send(door, "GET", "/assets/app-1a.js", "").Header.Get("ETag")
	zipped := send(door, "GET", "/assets/app-1a.js", "", "Accept-Encoding", "gzip").Header.Get("ETag")
	if refused := send(door, "GET", "/assets/app-1a.js", "", "Accept-Encoding", "gzip;q=0").Header.Get("ETag"); refused != plain || plain == zipped || plain == "" {
		t.Errorf("ETags: plain %q, gzip %q, gzip refused %q", plain, zipped, refused)
	}
	if res := send(door, "GET", "/assets/app-1a.js", "", "If-None-Match", plain); res.StatusCode != http.StatusNotModified {
		t.Errorf("status = %d, want 304", res.StatusCode)
	}
}

// TestIncompleteConfig refuses to start without a page to show.
func TestIncompleteConfig(t *testing.T) {
	s := newInside(t, newClock().now)
	for name, cfg := range map[string]frontend.Config{
		"no index": {Now: s.now, Static: fstest.MapFS{"app.js": {}}}, "no files": {Now: s.now},
	} {
		if _, err := frontend.New(cfg, host.Host{Client: s.client}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestWebSocketRoute hands /ws over only where it is set, and the runtime's routes to nobody outside.
func TestWebSocketRoute(t *testing.T) {
	s := newInside(t, newClock().now)
	door := s.door(t, func(c *frontend.Config) {
		c.WS = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	})
	if res := send(door, "GET", "/ws?since=3", ""); res.StatusCode != http.StatusTeapot {
		t.Errorf("GET /ws = %d, want the handler's 418", res.StatusCode)
	}
	if res := send(door, "POST", "/ws", ""); res.StatusCode != http.StatusNotFound {
		t.Errorf("POST /ws = %d, want 404", res.StatusCode)
	}
}

// TestDrain turns the service unready, and only that, when it is told to shut down.
func TestDrain(t *testing.T) {
	s := newInside(t, newClock().now)
	service, err := frontend.New(frontend.Config{Now: s.now, Static: fstest.MapFS{"index.html": {}}}, host.Host{Client: s.client})
	if err != nil {
		t.Fatal(err)
	}
	status := func(path string) int { return send(service.Runtime, "GET", path, "").StatusCode }
	if live, ready := status("/healthz"), status("/readyz"); live != 200 || ready != 200 {
		t.Errorf("before: healthz %d, readyz %d", live, ready)
	}
	service.Drain(t.Context())
	if live, ready := status("/healthz"), status("/readyz"); live != 200 || ready != 503 {
		t.Errorf("draining: healthz %d, readyz %d", live, ready)
	}
}
