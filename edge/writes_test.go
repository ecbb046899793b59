package edge_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/host"
)

// refusing is a store whose commits end as the test says.
type refusing struct {
	host.State
	err error
}

func (r *refusing) Commit(context.Context, host.Tx) error { return r.err }

// A store that takes no writes is told of by /readyz and a gauge, and leaves the service ready; a conflict is no such
// thing, nor is a caller that has left.
//
// [Task]: T023
func TestFailingWritesAreTold(t *testing.T) {
	store := &refusing{}
	metrics := prometheus.NewRegistry()
	writes := edge.ObserveWrites(store, "notes", metrics)
	mux := http.NewServeMux()
	edge.Health(mux, edge.HealthOptions{Writes: writes, Metrics: metrics})
	gone, leave := context.WithCancel(t.Context())
	leave()
	for _, step := range []struct {
		ctx     context.Context
		err     error
		failing bool
	}{
		{t.Context(), nil, false}, {t.Context(), host.ErrConflict, false}, {gone, host.ErrUnavailable, false},
		{t.Context(), fmt.Errorf("commit: %w", host.ErrUnavailable), true}, {t.Context(), host.ErrConflict, true},
		{t.Context(), nil, false}, {t.Context(), host.ErrUnknown, true},
	} {
		if store.err = step.err; writes.Commit(step.ctx, host.Tx{}) != step.err {
			t.Errorf("%v: another error came back", step.err)
		}
		want, gauge := `{"status":"ready"}`, `docket_writes_failing{service="notes"} 0`
		if step.failing {
			want, gauge = `{"status":"ready","writes":"failing"}`, `docket_writes_failing{service="notes"} 1`
		}
		res := send(mux, http.MethodGet, "/readyz", "")
		if body, err := io.ReadAll(res.Body); err != nil || res.StatusCode != http.StatusOK || strings.TrimSpace(string(body)) != want {
			t.Errorf("after %v: %d %s, %v; want %s", step.err, res.StatusCode, body, err, want)
		}
		if figures, err := io.ReadAll(send(mux, http.MethodGet, "/metrics", "").Body); err != nil || !strings.Contains(string(figures), gauge) {
			t.Errorf("after %v: no %s in %s", step.err, gauge, figures)
		}
	}
}

// An outage is logged once, with its cause, however many services the answer passes.
func TestOutagesAreLoggedOnce(t *testing.T) {
	h, log := notes(t)
	if res := send(h, http.MethodPut, "/notes/7", `{"title":"outage"}`, "Content-Type", "application/json"); res.StatusCode != http.StatusServiceUnavailable {
		t.Fatalf("status %d", res.StatusCode)
	}
	if said := log.String(); strings.Count(said, `"level":"ERROR"`) != 1 || !strings.Contains(said, "save note: storage is unavailable") {
		t.Errorf("logged:\n%s", said)
	}
}
