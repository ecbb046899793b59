package dapr

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/host/dapr/outbox"
)

// metrics holds the host's metrics.
type metrics struct {
	registry   prometheus.Registerer
	registered []prometheus.Collector

	commits     *prometheus.CounterVec
	deliveries  *prometheus.CounterVec
	jobsDone    *prometheus.CounterVec
	jobLateness prometheus.Histogram
}

func newMetrics(registry prometheus.Registerer, stats func() outbox.Stats) (*metrics, error) {
	m := &metrics{
		registry: registry,
		commits: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "docket_commits_total", Help: "Transactions by outcome: ok, conflict, refused, unknown.",
		}, []string{"outcome"}),
		deliveries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "docket_deliveries_total", Help: "Messages delivered by topic and outcome: ok, error (delivered again, unless every replica gets it), parked, dead.",
		}, []string{"topic", "outcome"}),
		jobsDone: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "docket_jobs_total", Help: "Jobs run by outcome: ok, error (run again).",
		}, []string{"outcome"}),
		jobLateness: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "docket_job_lateness_seconds", Help: "How long after its due time a job begins.", Buckets: prometheus.ExponentialBuckets(0.001, 2, 16),
		}),
	}
	if registry == nil {
		return m, nil
	}
	all := append(outboxMetrics(stats), m.commits, m.deliveries, m.jobsDone, m.jobLateness)
	for _, c := range all {
		if err := registry.Register(c); err != nil {
			m.unregister()
			return nil, err
		}
		m.registered = append(m.registered, c)
	}
	return m, nil
}

// outboxMetrics shows what the outbox counts.
func outboxMetrics(stats func() outbox.Stats) []prometheus.Collector {
	gauge := func(name, help string, of func(outbox.Stats) float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return of(stats()) })
	}
	counter := func(name, help string, of func(outbox.Stats) uint64) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, func() float64 { return float64(of(stats())) })
	}
	return []prometheus.Collector{
		gauge("docket_outbox_oldest_seconds", "Age of the oldest commit that is not handed on yet.", func(s outbox.Stats) float64 { return s.Oldest.Seconds() }),
		gauge("docket_outbox_window_used", "Numbers of the window in use, of 1,024.", func(s outbox.Stats) float64 { return float64(s.Unfinished) }),
		counter("docket_outbox_published_total", "Messages handed to the broker.", func(s outbox.Stats) uint64 { return s.Published }),
		counter("docket_outbox_publish_errors_total", "Attempts to hand a message to the broker that failed.", func(s outbox.Stats) uint64 { return s.PublishErrors }),
		counter("docket_outbox_scheduled_total", "Jobs handed to the scheduler.", func(s outbox.Stats) uint64 { return s.Scheduled }),
		counter("docket_outbox_schedule_errors_total", "Attempts to hand a job to the scheduler that failed.", func(s outbox.Stats) uint64 { return s.ScheduleErrors }),
		counter("docket_outbox_recovered_total", "Commits of dead replicas that this one handed on.", func(s outbox.Stats) uint64 { return s.Recovered }),
		counter("docket_outbox_unknown_total", "Transactions whose outcome had to be looked for.", func(s outbox.Stats) uint64 { return s.Unknown }),
		counter("docket_outbox_slots_lost_total", "How often another replica took this one for dead.", func(s outbox.Stats) uint64 { return s.SlotsLost }),
		counter("docket_outbox_full_total", "Commits refused because too much waits to be published.", func(s outbox.Stats) uint64 { return s.Full }),
	}
}

func (m *metrics) unregister() {
	for _, c := range m.registered {
		m.registry.Unregister(c)
	}
	m.registered = nil
}

func (m *metrics) commit(err error) {
	outcome := "unknown"
	switch {
	case err == nil:
		outcome = "ok"
	case errors.Is(err, host.ErrConflict):
		outcome = "conflict"
	case known(err):
		outcome = "refused"
	}
	m.commits.WithLabelValues(outcome).Inc()
}

// subscribed shows the outcomes of a topic before the first of each: an increase is seen only of what was there before it.
func (m *metrics) subscribed(topic string, outcomes ...string) {
	for _, outcome := range outcomes {
		m.deliveries.WithLabelValues(topic, outcome)
	}
}

func (m *metrics) delivered(topic, outcome string) {
	m.deliveries.WithLabelValues(topic, outcome).Inc()
}

func (m *metrics) job(outcome string)       { m.jobsDone.WithLabelValues(outcome).Inc() }
func (m *metrics) lateness(d time.Duration) { m.jobLateness.Observe(d.Seconds()) }
