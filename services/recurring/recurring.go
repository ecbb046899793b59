// Package recurring continues series: when a repeating task is completed, it works out the next occurrence and has
// the backend create it.
//
// The service keeps no state at all. The event carries the whole task; the only other thing that a rule needs is the
// user's time zone, which is asked for at every completion: it is one short call, a changed zone counts at once, and
// there is no cache to be wrong. The id of an occurrence derives from the completed task and the backend creates it
// only while that completion is in force, so an event that comes twice or late does no harm.
//
// [Task]: T004, T040, T041, T044, T090
package recurring

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/event"
	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/task"
)

// Name is the service's name, its app-id.
const Name = "recurring-task"

// Config is what an operator can set; the zero Config is usable.
type Config struct {
	// Logger is nil for slog.Default().
	Logger *slog.Logger
	// Metrics gets the service's metrics and is what /metrics shows; nil means neither.
	Metrics *prometheus.Registry
}

type service struct {
	backend backend
	log     *slog.Logger
}

// New returns the service.
func New(cfg Config, h host.Host) host.Service {
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	s := &service{backend: backend{edge.Traced(h.Client("backend"))}, log: cfg.Logger}
	var draining atomic.Bool
	runtime := http.NewServeMux()
	edge.Health(runtime, edge.HealthOptions{Draining: &draining, Metrics: cfg.Metrics})
	observed := edge.HandlerOptions{Service: Name, Logger: cfg.Logger, Metrics: cfg.Metrics}
	return host.Service{
		Name:          Name,
		Public:        edge.Handler(observed, http.NewServeMux()), // users have nothing to ask here
		Runtime:       edge.Handler(observed, runtime),
		Subscriptions: []host.Subscription{{Topic: event.TopicTasks, Mode: host.Shared, Handle: s.onTaskEvent}},
		Drain:         func(context.Context) { draining.Store(true) },
	}
}

// onTaskEvent picks out the completions of repeating tasks [T040]. Other types, also those of versions to come, are
// not its business.
func (s *service) onTaskEvent(ctx context.Context, m host.Message) error {
	if typ, err := event.TypeOf(m.Data); err == nil && typ != event.TaskCompleted {
		return nil
	}
	e, trace, err := event.DecodeTaskEvent(m.Data)
	if err != nil {
		return host.Permanent(err)
	}
	var t task.Task
	if err := json.Unmarshal(e.Payload.Task, &t); err != nil {
		return host.Permanent(fmt.Errorf("decode task %s of event %s: %w", e.TaskID, e.EventID, err))
	}
	if t.RecurrencePattern == nil {
		return nil
	}
	ctx, handled := edge.Span(ctx, "recurring-task: continue a series", trace)
	err = s.onTaskCompleted(ctx, e, t)
	handled(err)
	return err
}

// onTaskCompleted continues the series of t, or logs that it has ended [T041, T044].
func (s *service) onTaskCompleted(ctx context.Context, e event.TaskEvent, t task.Task) error {
	log := s.log.With("event_id", e.EventID, "task_id", t.ID, "user_id", e.UserID)
	if p := e.Payload.RecurrencePattern; p != nil && (p.Value == nil || *p.Value != *t.RecurrencePattern) {
		return host.Permanent(fmt.Errorf("event %s: recurrence_pattern is not that of its task", e.EventID))
	}
	zone, err := s.backend.zone(ctx, e.UserID)
	if errors.Is(err, errUnknownUser) { // the account was deleted, and no letter of it is to be kept
		log.InfoContext(ctx, "series of a deleted account ended")
		return nil
	}
	if err != nil {
		return err
	}
	next, goesOn, err := task.Next(t, zone)
	if err != nil {
		return host.Permanent(fmt.Errorf("event %s: %w", e.EventID, err))
	}
	if !goesOn {
		log.InfoContext(ctx, "series ended")
		return nil
	}
	outcome, err := s.backend.create(ctx, t, next)
	if err != nil {
		return fmt.Errorf("event %s: %w", e.EventID, err)
	}
	log.InfoContext(ctx, "next occurrence", "outcome", outcome, "due_date", next.Due.String(), "occurrence_number", next.Number)
	return nil
}
