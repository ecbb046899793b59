package e2e

import (
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"
)

// spans is a collector of OpenTelemetry's that all deployments send theirs to.
type spans struct {
	mu    sync.Mutex
	names map[string][]string // by trace id
}

var (
	collected  = &spans{names: map[string][]string{}}
	collecting = sync.OnceValue(func() *httptest.Server { return httptest.NewServer(collected) })
)

func (s *spans) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var sent collector.ExportTraceServiceRequest
	b, err := io.ReadAll(r.Body)
	if err == nil {
		err = proto.Unmarshal(b, &sent)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, of := range sent.ResourceSpans {
		for _, scope := range of.ScopeSpans {
			for _, span := range scope.Spans {
				id := hex.EncodeToString(span.TraceId)
				s.names[id] = append(s.names[id], span.Name)
			}
		}
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
}

func (s *spans) of(traceID string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.names[traceID])
}

// One change is followed by its trace: the request that completes a task, its way to the owner of tasks, the event in the
// history, the next occurrence, and that one's own event.
//
// [Task]: T027, T041
func TestTrace(t *testing.T) {
	scenario(t, func(t *testing.T, w *world) {
		c := w.user("Ada", "Europe/Berlin")
		task := c.create(object{"title": "Water the plants", "due_date": "2030-01-01", "recurrence_pattern": "daily"})
		id := strings.Repeat("ab", 8) + strings.ToLower(strings.ReplaceAll(c.id, "-", ""))[16:]
		c.do("POST", task.path()+"/complete", nil, "Traceparent", "00-"+id+"-b7ad6b7169203331-01").want(200)
		eventually(t, "the next occurrence", func() bool { return c.listVersion() == 3 })
		c.audited(3)
		var names []string
		eventually(t, "the spans of the trace", func() bool {
			names = collected.of(id)
			kept := 0
			for _, n := range names {
				if n == "audit: keep an event" {
					kept++
				}
			}
			return kept == 2 && slices.Contains(names, "recurring-task: continue a series") &&
				slices.Contains(names, "POST /api/tasks/{id}/complete") && slices.Contains(names, "POST /internal/occurrences")
		})
	})
}
