package hosttest

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/docket-tasks/docket/host"
)

// forward has r, made for a test, answered through the client of a service.
func forward(client *http.Client, ctx context.Context, method, path string, body io.Reader) (*httptest.ResponseRecorder, error) {
	r := httptest.NewRequestWithContext(ctx, method, "http://server"+path, body)
	r.RequestURI = ""
	w := httptest.NewRecorder()
	return w, host.Forward(client.Transport, w, r)
}

func forwardWhole(t *testing.T, c Cluster) {
	client := serve(t, c, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Header().Set("X-Asked", r.Method+" "+r.URL.EscapedPath()+"?"+r.URL.RawQuery)
		w.Header()["X-Many"] = []string{"1", "2"}
		w.WriteHeader(http.StatusTeapot)
		_, _ = w.Write(body)
	}), nil)
	big := strings.Repeat("0123456789abcdef", 1<<16) // 1 MiB
	w, err := forward(client, t.Context(), http.MethodPatch, "/a%2Fb?q=1&q=2", strings.NewReader(big))
	if err != nil {
		t.Fatal(err)
	}
	if w.Code != http.StatusTeapot || w.Header().Get("X-Asked") != "PATCH /a%2Fb?q=1&q=2" || len(w.Header()["X-Many"]) != 2 {
		t.Errorf("answered %d with %v", w.Code, w.Header())
	}
	if !bytes.Equal(w.Body.Bytes(), []byte(big)) {
		t.Errorf("%d bytes came back changed as %d", len(big), w.Body.Len())
	}
}

func forwardBrokenOff(t *testing.T, c Cluster) {
	client := serve(t, c, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "half of it") // the caller sees the rest missing
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}), nil)
	if w, err := forward(client, t.Context(), http.MethodGet, "/some", nil); err == nil && w.Code < 500 {
		t.Errorf("%d with %q passed for a whole answer", w.Code, w.Body)
	}
}

func forwardCancellation(t *testing.T, c Cluster) {
	began, ended := make(chan struct{}), make(chan struct{})
	client := serve(t, c, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(began)
		<-r.Context().Done()
		close(ended)
	}), nil)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { _, _ = forward(client, ctx, http.MethodGet, "/wait", nil) }() // nobody is left to hear how it ended
	await(t, began, "the handler")
	cancel()
	await(t, ended, "the handler's end")
}

func forwardUnknown(t *testing.T, c Cluster) {
	c.Start(t, host.Service{Name: "caller"})
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://nobody/api", nil)
	r.RequestURI = ""
	w := httptest.NewRecorder()
	if err := host.Forward(c.Host("caller").Client("nobody").Transport, w, r); err == nil && w.Code < 500 {
		t.Errorf("a service that does not exist answered %d", w.Code)
	}
}
