package dapr

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// What may change something is sent so that a sidecar cannot repeat it; what only reads is not.
func TestChangesAreNotRepeatable(t *testing.T) {
	var length int64
	var body string
	sidecarAddress(t, func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		length, body = r.ContentLength, string(b)
	}, func(client *http.Client) {
		for _, c := range []struct {
			method, body string
			length       int64
		}{{"POST", "x", -1}, {"POST", "", -1}, {"PATCH", "{}", -1}, {"PUT", "{}", -1}, {"DELETE", "", 0}, {"GET", "", 0}, {"HEAD", "", 0}} {
			req, err := http.NewRequestWithContext(t.Context(), c.method, "http://backend/api/tasks", nil)
			if err != nil {
				t.Fatal(err)
			}
			if c.body != "" {
				req.Body, req.ContentLength = io.NopCloser(strings.NewReader(c.body)), int64(len(c.body))
			}
			res, err := client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			_ = res.Body.Close()
			if length != c.length || body != c.body {
				t.Errorf("%s of %q came with length %d and body %q, want %d", c.method, c.body, length, body, c.length)
			}
		}
	})
}

// The sidecar's own errors become a 503 of one form, those of services come as they are.
func TestSidecarErrors(t *testing.T) {
	for _, c := range []struct {
		kind, body string
		status     int
		failed     bool
	}{
		{"application/json", `{"errorCode":"ERR_DIRECT_INVOKE","message":"failed to invoke, id: backend"}`, 500, true},
		{"application/json; charset=utf-8", `{"errorCode":"ERR_DIRECT_INVOKE","message":"denied"}`, 403, true},
		{"application/problem+json", `{"status":503}`, 503, false},
		{"application/json", `{"error":"a service's"}`, 500, false},
		{"application/json", `[]`, 200, true}, // not marked as the service's: it was lost on the way
		{"", ``, 200, true},
		{"", ``, 404, false},
	} {
		sidecarAddress(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", c.kind)
			w.WriteHeader(c.status)
			_, _ = io.WriteString(w, c.body)
		}, func(client *http.Client) {
			res, err := client.Get("http://backend/")
			if err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(res.Body)
			if c.failed {
				if res.StatusCode != 503 || !strings.Contains(string(b), `"code":"unavailable"`) || strings.Contains(string(b), "ERR_") {
					t.Errorf("%d %s came as %d %s", c.status, c.body, res.StatusCode, b)
				}
			} else if err != nil || string(b) != c.body || res.StatusCode != c.status {
				t.Errorf("%d %s came as %d %s (%v)", c.status, c.body, res.StatusCode, b, err)
			}
			_ = res.Body.Close()
		})
	}
}

// sidecarAddress runs try with a client that invokes through what answers at the sidecar's address.
func sidecarAddress(t *testing.T, answer http.HandlerFunc, try func(*http.Client)) {
	t.Helper()
	server := httptest.NewServer(answer)
	defer server.Close()
	base, err := server.Client().Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	_ = base.Body.Close()
	try(&http.Client{Transport: invocation{&sidecar{Options: Options{Logger: slog.New(slog.DiscardHandler)}, base: base.Request.URL}, http.DefaultTransport}})
}
