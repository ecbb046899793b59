package dapr

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/docket-tasks/docket/host"
)

// A request that nobody has begun is sent again, whole, and one that somebody may have carried out is not.
//
// [Task]: T088
func TestOnlyWhatNobodyHasBegunIsSentAgain(t *testing.T) {
	said := func(message string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = io.WriteString(w, `{"errorCode":"ERR_DIRECT_INVOKE","message":"failed to invoke, id: backend, err: `+message+`"}`)
		}
	}
	for name, c := range map[string]struct {
		first func(http.ResponseWriter)
		body  string
		calls int
	}{
		"a replica is stopping": {func(w http.ResponseWriter) { w.Header().Set(elsewhereHeader, "1"); w.WriteHeader(503) }, "all of it", 3},
		"the other sidecar is gone": {said(`rpc error: code = Unavailable desc = connection error: desc = \"transport: Error while dialing: dial tcp 10.0.0.7:50002: ` +
			`connect: connection refused\"`), "all of it", 3},
		"its service is gone":      {said(`rpc error: code = Internal desc = error invoking app channel: Post \"http://127.0.0.1:3000/\": dial tcp 127.0.0.1:3000: connect: connection refused`), "", 1},
		"the connection broke off": {said(`rpc error: code = Unavailable desc = error reading from server: EOF`), "all of it", 1},
		"nobody knows":             {func(http.ResponseWriter) {}, "all of it", 1},
		"more than is kept":        {func(w http.ResponseWriter) { w.Header().Set(elsewhereHeader, "1"); w.WriteHeader(503) }, strings.Repeat("x", longestReplay+1), 1},
	} {
		t.Run(name, func(t *testing.T) {
			calls := 0
			sidecarAddress(t, func(w http.ResponseWriter, r *http.Request) {
				if calls == 0 && r.Header.Get(appIDHeader) == "" {
					return // the helper's own
				}
				calls++
				body, err := io.ReadAll(r.Body)
				if err != nil || string(body) != c.body || r.Header.Get(appIDHeader) != "backend" {
					t.Errorf("try %d came for %q with %d bytes, %v", calls, r.Header.Get(appIDHeader), len(body), err)
				}
				if calls < 3 {
					c.first(w)
					return
				}
				w.Header().Set(framedHeader, "1")
				w.WriteHeader(http.StatusNoContent)
			}, func(client *http.Client) {
				res, err := client.Post("http://backend/api/tasks", "text/plain", strings.NewReader(c.body))
				if err != nil {
					t.Fatal(err)
				}
				_ = res.Body.Close()
				want := map[int]int{1: http.StatusServiceUnavailable, 3: http.StatusNoContent}[c.calls]
				if calls != c.calls || res.StatusCode != want || res.Header.Get(elsewhereHeader) != "" {
					t.Errorf("%d tries, status %d; want %d and %d", calls, res.StatusCode, c.calls, want)
				}
			})
		})
	}
}

// A caller that gives up ends the tries.
func TestTriesEndWithTheirCaller(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var calls atomic.Int64
	sidecarAddress(t, func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1) == 4 {
			cancel()
		}
		w.Header().Set(elsewhereHeader, "1")
		w.WriteHeader(http.StatusServiceUnavailable)
	}, func(client *http.Client) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://backend/", nil)
		if err != nil {
			t.Fatal(err)
		}
		if res, err := client.Do(req); err == nil {
			_ = res.Body.Close()
		}
		if n := calls.Load(); n > 5 {
			t.Errorf("%d tries, though the caller was gone after 4", n)
		}
	})
}

// What is inside is finished, with what it asks of its own service; everything else is refused from then on.
func TestAStoppingNodeRefuses(t *testing.T) {
	n := &Node{Options: Options{Service: "backend", Logger: slog.New(slog.DiscardHandler)}}
	n.bus, n.jobs = newBus(n), &jobs{node: n}
	n.metrics, _ = newMetrics(nil, nil)
	inside, finish := make(chan struct{}), make(chan struct{})
	h := n.routes(host.Service{Public: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			close(inside)
			<-finish
		}
	})})
	call := func(caller, path string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", path, nil)
		r.Header.Set(callerHeader, caller)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	var slow sync.WaitGroup
	slow.Go(func() {
		if w := call("frontend", "/slow"); w.Code != http.StatusOK {
			t.Errorf("what was inside is answered with %d", w.Code)
		}
	})
	<-inside
	empty := n.admission.close()
	if w := call("frontend", "/quick"); w.Code != http.StatusServiceUnavailable || w.Header().Get(elsewhereHeader) == "" {
		t.Errorf("another request: %d %v, want to be sent elsewhere", w.Code, w.Header())
	}
	if w := call("backend", "/quick"); w.Code != http.StatusOK {
		t.Errorf("a request of what is inside: %d", w.Code)
	}
	select {
	case <-empty:
		t.Error("it is empty while somebody is inside")
	default:
	}
	close(finish)
	slow.Wait()
	<-empty
	if w := call("backend", "/quick"); w.Header().Get(elsewhereHeader) == "" {
		t.Errorf("a request of the service's own after the end: %d", w.Code)
	}
}

// A replica stops as a pod does, first the service, later its sidecar, while others call: every call is answered, and carried out once.
func stoppingLosesNoCall(t *testing.T, c *cluster) {
	var mu sync.Mutex
	done := map[string]int{}
	served := map[string]int{}
	server := func(replica string) host.Service {
		return host.Service{Name: "server", Public: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			b, err := io.ReadAll(r.Body)
			if err != nil {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			done[string(b)]++
			served[replica]++
		})}
	}
	count := func(replica string) int {
		mu.Lock()
		defer mu.Unlock()
		return served[replica]
	}
	c.Start(t, server("server"), host.Service{Name: "caller"})
	if err := c.start(t.Context(), "server 2", server("server 2")); err != nil {
		t.Fatal(err)
	}
	calling, stop := context.WithCancel(t.Context())
	defer stop()
	client := c.Host("caller").Client("server")
	var callers sync.WaitGroup
	for caller := range 4 {
		callers.Go(func() {
			for n := 0; calling.Err() == nil; n++ {
				id := fmt.Sprint(caller, " ", n)
				res, err := client.Post("http://server/", "text/plain", strings.NewReader(id))
				if err != nil {
					t.Errorf("call %s: %v", id, err)
					return
				}
				_ = res.Body.Close()
				mu.Lock()
				if res.StatusCode != http.StatusOK || done[id] != 1 {
					t.Errorf("call %s: %d, carried out %d times", id, res.StatusCode, done[id])
				}
				mu.Unlock()
			}
		})
	}
	eventually(t, "both to be called", func() bool { return count("server") > 20 && count("server 2") > 20 })
	first := c.node("server")
	first.Linger = 3 * time.Second
	var closing sync.WaitGroup
	closing.Go(func() {
		if err := first.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	before := count("server 2")
	eventually(t, "the other one to be called while the first refuses", func() bool { return count("server 2") > before+50 })
	c.sidecars["server"].Stop()
	before = count("server 2")
	eventually(t, "the other one to be called without the first", func() bool { return count("server 2") > before+50 })
	stop()
	callers.Wait()
	closing.Wait()
}
