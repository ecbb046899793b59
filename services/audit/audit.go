// Package audit keeps every change of every task for good and answers who did what when.
//
// An event is kept by one commit, which others may share, of two keys computed from the event alone: the entry at audit/<list>/<list version>
// and a pointer to it at audit-task/<task>/<task version>, both created if absent. There is no index that writers
// could fight over, so any number of replicas may be handed the same events in any order and as often as the host
// likes: what is there already with the same event id is kept already. Another event at the same place would be a
// contradiction; it goes to the dead letters, and what was kept first stays.
//
// Readers compute the same keys and page down from the newest version (see trail.go). A version that is missing has
// not arrived: it shows in the header Audit-Gaps, and List-Version is the last version before the first missing one.
//
// When an account is deleted the contents of its entries are erased (see erase.go); ids, types and times stay.
//
// [Task]: T005, T018, T033, T034, T091
package audit

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/event"
	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/host/combine"
)

// Name is the service's name, its app-id.
const Name = "audit"

// Config is what an operator and tests can set; the zero Config is usable.
type Config struct {
	// Logger is nil for slog.Default().
	Logger *slog.Logger
	// Metrics gets the service's metrics and is what /metrics shows; nil means neither.
	Metrics *prometheus.Registry
	// Now is the clock; nil means the system's.
	Now func() time.Time
}

// service is one replica. All that it holds in memory between two events is how far trails reach, which it can do without.
type service struct {
	state   host.State
	now     func() time.Time
	log     *slog.Logger
	metrics *metrics
	extents *extents
	// together keeps the events.
	together *combine.Commits
}

// New returns the service. Its background work ends with ctx or when it is drained.
func New(ctx context.Context, cfg Config, h host.Host) host.Service {
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	writes := edge.ObserveWrites(h.State, Name, cfg.Metrics)
	s := &service{state: writes, now: cfg.Now, log: cfg.Logger, metrics: newMetrics(cfg.Metrics), extents: newExtents(), together: combine.NewCommits(writes.Commit, maxTogether)}
	public, runtime := http.NewServeMux(), http.NewServeMux()
	s.register(edge.NewAPI(public, "docket audit"))
	var draining atomic.Bool
	edge.Health(runtime, edge.HealthOptions{Draining: &draining, Metrics: cfg.Metrics, Writes: writes, Checks: []edge.HealthCheck{edge.StateCheck(h.State)}})
	runtime.HandleFunc("POST /internal/erasures", s.serveErasure)
	verifier := edge.NewVerifier(edge.BackendKeys(h.Client("backend")), s.now)
	observed := edge.HandlerOptions{Service: Name, Logger: cfg.Logger, Metrics: cfg.Metrics}
	ctx, stop := context.WithCancel(ctx)
	var work sync.WaitGroup
	work.Go(func() { s.leaveHints(ctx) })
	return host.Service{
		Name:          Name,
		Public:        edge.Handler(observed, verifier.Require(public)),
		Runtime:       edge.Handler(observed, runtime),
		Subscriptions: []host.Subscription{{Topic: event.TopicTasks, Mode: host.Shared, Handle: s.onTaskEvent}},
		Drain: func(ctx context.Context) {
			draining.Store(true)
			stop()
			left := make(chan struct{})
			go func() { // a read that callers share does not end with ctx
				work.Wait()
				s.leaveDue(ctx) // what has been due for a while,
				s.leaveDue(ctx) // and what has not
				close(left)
			}()
			select {
			case <-left:
			case <-ctx.Done():
			}
		},
	}
}
