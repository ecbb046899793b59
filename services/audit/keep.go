package audit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/event"
	"github.com/docket-tasks/docket/host"
)

// What becomes of a delivery.
const (
	kept      = "kept"
	duplicate = "duplicate"
	refused   = "refused" // to the dead letters
	failed    = "failed"  // to be delivered again
)

// onTaskEvent keeps one event [T033].
func (s *service) onTaskEvent(ctx context.Context, m host.Message) error {
	r, trace, err := event.DecodeRecord(m.Data)
	if err == nil && (strings.Contains(r.ListID, "/") || strings.Contains(r.TaskID, "/")) {
		err = fmt.Errorf("event %q: a slash in list_id or task_id would reach into other keys", r.EventID)
	}
	if err != nil {
		s.metrics.count(refused)
		s.log.WarnContext(ctx, "event refused", "event_id", m.ID, "error", err)
		return host.Permanent(err)
	}
	ctx, handled := edge.Span(ctx, "audit: keep an event", trace)
	outcome, err := s.keep(ctx, r)
	handled(err)
	if outcome == kept {
		s.metrics.delay.Observe(max(0, s.now().Sub(r.Timestamp).Seconds()))
	}
	s.report(ctx, r, outcome, err)
	if outcome == refused {
		return host.Permanent(err)
	}
	return err
}

func (s *service) report(ctx context.Context, r event.Record, outcome string, err error) {
	s.metrics.count(outcome)
	level := slog.LevelDebug
	if err != nil {
		level = slog.LevelWarn
	}
	if !s.log.Enabled(ctx, level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("event_id", r.EventID), slog.String("event_type", string(r.EventType)), slog.String("task_id", r.TaskID),
		slog.String("list_id", r.ListID), slog.Int64("list_version", r.ListVersion),
	}
	if err != nil {
		attrs = append(attrs, slog.Any("error", err))
	}
	s.log.LogAttrs(ctx, level, "event "+outcome, attrs...)
}

// maxTogether is how many operations of several events one commit has at most, of the 256 that it may have: two each.
const maxTogether = 128

// maxTries bounds how often one delivery looks again; after that the host delivers again.
const maxTries = 3

// keep makes the entry and its pointer durable [T034]. After a conflict it looks at what is there and creates only what is
// not: normally nothing, because both were created by one commit, and then the event was kept before.
func (s *service) keep(ctx context.Context, r event.Record) (outcome string, err error) {
	entry, err := newEntry(r, s.now()).encode()
	if err != nil {
		return refused, err
	}
	pointer, err := json.Marshal(Pointer{r.ListID, r.ListVersion})
	if err != nil {
		return refused, fmt.Errorf("encode pointer of event %s: %w", r.EventID, err)
	}
	all := []host.Op{host.Create(entryKey(r.ListID, r.ListVersion), entry), host.Create(pointerKey(r.TaskID, r.TaskVersion), pointer)}
	missing := all
	for range maxTries {
		err = s.together.Commit(ctx, host.Tx{Ops: missing})
		if err == nil {
			s.note(r)
			return kept, nil
		}
		if errors.Is(err, host.ErrTooLarge) {
			return refused, fmt.Errorf("keep event %s: %w", r.EventID, err)
		}
		if !errors.Is(err, host.ErrConflict) {
			break
		}
		if missing, err = s.absent(ctx, r.EventID, all); err != nil {
			return outcomeOf(err), err
		}
		if len(missing) == 0 {
			s.note(r) // whoever kept it may have died before
			return duplicate, nil
		}
	}
	return failed, fmt.Errorf("keep event %s: %w", r.EventID, err)
}

// contradiction is the error of an event whose place is taken by another one.
type contradiction struct{ event, key, by string }

func (c contradiction) Error() string {
	return fmt.Sprintf("event %s: %s is taken by %s", c.event, c.key, c.by)
}

func outcomeOf(err error) string {
	if _, ok := errors.AsType[contradiction](err); ok {
		return refused
	}
	return failed
}

// absent returns those of the two operations (entry, pointer) whose keys do not exist. It fails with a contradiction
// where one holds something else.
func (s *service) absent(ctx context.Context, id string, all []host.Op) ([]host.Op, error) {
	items, err := s.state.GetBulk(ctx, []string{all[0].Key, all[1].Key})
	if err != nil {
		return nil, fmt.Errorf("read what is kept of event %s: %w", id, err)
	}
	var missing []host.Op
	if entry := items[0]; !entry.Exists() {
		missing = append(missing, all[0])
	} else {
		there, err := DecodeEntry(entry.Value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", entry.Key, err)
		}
		if there.EventID != id {
			return nil, contradiction{id, entry.Key, "event " + there.EventID}
		}
	}
	if pointer := items[1]; !pointer.Exists() {
		missing = append(missing, all[1])
	} else if !bytes.Equal(pointer.Value, all[1].Value) {
		return nil, contradiction{id, pointer.Key, string(pointer.Value)}
	}
	return missing, nil
}

// note remembers that the event is there.
func (s *service) note(r event.Record) {
	s.extents.kept(name{ofList, r.ListID}, r.ListVersion)
	s.extents.kept(name{ofTask, r.TaskID}, r.TaskVersion)
}

// metrics count deliveries by outcome and entries erased, and tell how far the log is behind the tasks.
type metrics struct {
	outcomes map[string]prometheus.Counter
	delay    prometheus.Histogram
	erased   prometheus.Counter
}

// delayBuckets are in seconds: a moment as long as all is well, a day after an outage of one.
var delayBuckets = []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2, 5, 10, 30, 60, 300, 1800, 7200, 86400}

func newMetrics(reg *prometheus.Registry) *metrics {
	events := edge.Register(reg, prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "docket_audit_events_total",
		Help: "Task events delivered to the audit log, by what became of the delivery.",
	}, []string{"outcome"}))
	m := &metrics{outcomes: map[string]prometheus.Counter{}, delay: edge.Register(reg, prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "docket_audit_delay_seconds", Help: "From a change to its entry in the audit log, by the clocks of both services.", Buckets: delayBuckets,
	})), erased: edge.Register(reg, prometheus.NewCounter(prometheus.CounterOpts{
		Name: "docket_audit_erased_total", Help: "Entries whose contents were erased because their account was deleted.",
	}))}
	for _, outcome := range []string{kept, duplicate, refused, failed} {
		m.outcomes[outcome] = events.WithLabelValues(outcome)
	}
	return m
}

func (m *metrics) count(outcome string) { m.outcomes[outcome].Inc() }
