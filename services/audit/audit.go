// Package audit keeps every change of every task for good and answers who did what when.
//
// An event is kept in one commit of two keys computed from the event alone: the entry at audit/<list>/<list version>
// and a pointer to it at audit-task/<task>/<task version>, both created if absent. There is no index that writers
// could fight over, so any number of replicas may be handed the same events in any order and as often as the host
// likes: what is there already with the same event id is kept already. Another event at the same place would be a
// contradiction; it goes to the dead letters, and what was kept first stays.
//
// Readers compute the same keys and page down from the newest version (see trail.go). A version that is missing has
// not arrived: it shows in the header Audit-Gaps, and List-Version is the last version before the first missing one.
//
// [Task]: T005, T018, T033, T034, T091
package audit

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/event"
	"github.com/docket-tasks/docket/host"
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

// service is one replica. It holds nothing in memory between two events or requests.
type service struct {
	state   host.State
	now     func() time.Time
	log     *slog.Logger
	metrics *metrics
}

// New returns the service; it fails where its metrics cannot be registered.
func New(cfg Config, h host.Host) (host.Service, error) {
	s := &service{state: h.State, now: cfg.Now, log: cfg.Logger}
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	health := edge.HealthOptions{Checks: []edge.HealthCheck{{Name: "state", Check: s.reachable}}}
	observed := edge.HandlerOptions{Service: Name, Logger: s.log}
	var reg prometheus.Registerer
	if cfg.Metrics != nil { // a nil *Registry in an interface would not be nil
		reg, health.Metrics, observed.Metrics = cfg.Metrics, cfg.Metrics, cfg.Metrics
	}
	var err error
	if s.metrics, err = newMetrics(reg); err != nil {
		return host.Service{}, fmt.Errorf("audit: %w", err)
	}
	public, runtime := http.NewServeMux(), http.NewServeMux()
	s.register(edge.NewAPI(public, "docket audit"))
	edge.Health(runtime, health)
	verifier := edge.NewVerifier(edge.BackendKeys(h.Client("backend")), s.now)
	return host.Service{
		Name:          Name,
		Public:        edge.Handler(observed, verifier.Require(public)),
		Runtime:       edge.Handler(observed, runtime),
		Subscriptions: []host.Subscription{{Topic: event.TopicTasks, Mode: host.Shared, Handle: s.onTaskEvent}},
	}, nil
}

// reachable is the readiness check.
func (s *service) reachable(ctx context.Context) error {
	_, err := s.state.Get(ctx, "ready")
	return err
}
