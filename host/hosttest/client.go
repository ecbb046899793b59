package hosttest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/docket-tasks/docket/host"
)

// serve starts a service "server" with the handlers and returns a client for it, as "caller" has it.
func serve(t *testing.T, c Cluster, public, runtime http.Handler) *http.Client {
	t.Helper()
	c.Start(t, host.Service{Name: "caller"}, host.Service{Name: "server", Public: public, Runtime: runtime})
	return c.Host("caller").Client("server")
}

func request(t *testing.T, client *http.Client, ctx context.Context, method, path string, body io.Reader) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, method, "http://server"+path, body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Sent", "yes")
	resp, err := client.Do(r)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

func readAll(t *testing.T, r io.Reader) string {
	t.Helper()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatalf("read body: %v", err)
	}
	return string(b)
}

func says(who string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "%s %s", who, r.URL.Path) })
}

func clientRoutes(t *testing.T, c Cluster) {
	client := serve(t, c, says("public"), says("runtime"))
	for path, want := range map[string]string{
		"/api/tasks": "public /api/tasks", "/internal/occurrences": "runtime /internal/occurrences", "/internalize": "public /internalize",
	} {
		if got := readAll(t, request(t, client, t.Context(), "GET", path, nil).Body); got != want {
			t.Errorf("GET %s answered %q, want %q", path, got, want)
		}
	}
}

func clientRequest(t *testing.T, c Cluster) {
	client := serve(t, c, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		r.Header.Set("X-Sent", "changed by the handler")
		w.Header().Set("X-Path", r.URL.EscapedPath()+"?"+r.URL.RawQuery)
		w.Header()["X-Many"] = []string{"1", "2"}
		w.WriteHeader(http.StatusTeapot)
		w.Header().Set("X-Late", "after the status")
		fmt.Fprintf(w, "%s %s", r.Method, body)
	}), nil)
	r, err := http.NewRequestWithContext(t.Context(), "PATCH", "http://server/a%2Fb?q=1&q=2", strings.NewReader("the body"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Sent", "yes")
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got := readAll(t, resp.Body); got != "PATCH the body" || resp.StatusCode != http.StatusTeapot {
		t.Errorf("answered %d %q", resp.StatusCode, got)
	}
	if resp.Header.Get("X-Path") != "/a%2Fb?q=1&q=2" || len(resp.Header["X-Many"]) != 2 || resp.Header.Get("X-Late") != "" {
		t.Errorf("headers %v", resp.Header)
	}
	if r.Header.Get("X-Sent") != "yes" {
		t.Error("the handler changed the caller's headers")
	}
}

func clientStreams(t *testing.T, c Cluster) {
	next := make(chan struct{})
	client := serve(t, c, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for i := range 3 {
			fmt.Fprintf(w, "line %d\n", i)
			if err := http.NewResponseController(w).Flush(); err != nil {
				t.Error(err)
			}
			select {
			case <-next:
			case <-r.Context().Done():
				return
			}
		}
	}), nil)
	lines := bufio.NewReader(request(t, client, t.Context(), "GET", "/stream", nil).Body)
	for i := range 3 { // each line arrives before the handler goes on
		line, err := lines.ReadString('\n')
		if want := fmt.Sprintf("line %d\n", i); err != nil || line != want {
			t.Fatalf("read %q, %v, want %q", line, err, want)
		}
		next <- struct{}{}
	}
	if rest, err := lines.ReadString('\n'); !errors.Is(err, io.EOF) {
		t.Errorf("after the end: %q, %v", rest, err)
	}
}

func clientLargeBodies(t *testing.T, c Cluster) {
	client := serve(t, c, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(w, r.Body); err != nil {
			t.Error(err)
		}
	}), nil)
	big := bytes.Repeat([]byte("0123456789abcdef"), 1<<16) // 1 MiB
	if got := readAll(t, request(t, client, t.Context(), "POST", "/echo", bytes.NewReader(big)).Body); got != string(big) {
		t.Errorf("%d bytes came back changed as %d", len(big), len(got))
	}
}

func clientCancellation(t *testing.T, c Cluster) {
	began, ended := make(chan struct{}, 1), make(chan struct{})
	client := serve(t, c, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		began <- struct{}{}
		<-r.Context().Done()
		close(ended)
	}), nil)
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, "GET", "http://server/wait", nil)
	if err != nil {
		t.Fatal(err)
	}
	failed := make(chan error, 1)
	go func() {
		resp, err := client.Do(r)
		if err == nil {
			err = resp.Body.Close()
		}
		failed <- err
	}()
	await(t, began, "the handler")
	cancel()
	wantErr(t, await(t, failed, "the call's end"), context.Canceled)
	await(t, ended, "the handler's end")
}

func clientCloses(t *testing.T, c Cluster) {
	ended := make(chan struct{})
	client := serve(t, c, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(ended)
		for r.Context().Err() == nil {
			if _, err := io.WriteString(w, "more\n"); err != nil {
				return
			}
			_ = http.NewResponseController(w).Flush()
		}
	}), nil)
	resp := request(t, client, t.Context(), "GET", "/endless", nil)
	if _, err := io.ReadFull(resp.Body, make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil {
		t.Fatal(err)
	}
	await(t, ended, "the handler's end")
}

// The caller has left before the response began; the handler must not write into the void for ever.
func clientLeaves(t *testing.T, c Cluster) {
	began, ended := make(chan struct{}), make(chan struct{})
	client := serve(t, c, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(ended)
		close(began)
		<-r.Context().Done()
		for range 1 << 10 { // more than any buffer between the two holds
			if _, err := w.Write(make([]byte, 64<<10)); err != nil {
				return
			}
		}
	}), nil)
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, "GET", "http://server/late", nil)
	if err != nil {
		t.Fatal(err)
	}
	failed := make(chan error, 1)
	go func() {
		resp, err := client.Do(r)
		if err == nil {
			err = resp.Body.Close()
		}
		failed <- err
	}()
	await(t, began, "the handler")
	cancel()
	wantErr(t, await(t, failed, "the call's end"), context.Canceled)
	await(t, ended, "the handler's end")
}

func clientPanic(t *testing.T, c Cluster) {
	client := serve(t, c, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Half", "done")
		panic("on purpose")
	}), nil)
	if resp := request(t, client, t.Context(), "GET", "/", nil); resp.StatusCode < 500 {
		t.Errorf("status %d", resp.StatusCode)
	}
}

// clientBrokenOff has an answer end before it is whole, as where its service is killed.
func clientBrokenOff(t *testing.T, c Cluster) {
	client := serve(t, c, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "1000")
		w.WriteHeader(http.StatusOK)
		if r.URL.Path == "/some" {
			_, _ = io.WriteString(w, "half of it") // the client sees it missing
		}
		_ = http.NewResponseController(w).Flush() // likewise
		panic(http.ErrAbortHandler)
	}), nil)
	for _, path := range []string{"/none", "/some"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://server"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.Do(r)
		if err != nil {
			continue
		}
		body, err := io.ReadAll(resp.Body)
		if closed := resp.Body.Close(); err == nil && closed == nil && resp.StatusCode < 500 {
			t.Errorf("%s: %d with %q passed for a whole answer", path, resp.StatusCode, body)
		}
	}
}

func clientUnknown(t *testing.T, c Cluster) {
	c.Start(t, host.Service{Name: "caller"})
	resp, err := c.Host("caller").Client("nobody").Get("http://nobody/api")
	if err != nil {
		return
	}
	defer resp.Body.Close()
	if resp.StatusCode < 500 {
		t.Errorf("a service that does not exist answered %d", resp.StatusCode)
	}
}
