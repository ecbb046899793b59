package embedded

import (
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/docket-tasks/docket/host"
)

// metrics holds the host's metrics; series are looked up once, not per operation.
type metrics struct {
	registry   prometheus.Registerer
	registered []prometheus.Collector

	commits       *prometheus.CounterVec
	commitOK      prometheus.Counter
	commitRefused prometheus.Counter
	commitFailed  prometheus.Counter
	commitSeconds prometheus.Histogram
	batchSize     prometheus.Histogram
	deliveries    *prometheus.CounterVec
	deadLetters   *prometheus.CounterVec
	jobsDone      *prometheus.CounterVec
	jobLateness   prometheus.Histogram
}

type deliveryCounts struct{ ok, failed, dropped, dead prometheus.Counter }

type jobCounts struct{ ok, failed prometheus.Counter }

func newMetrics(registry prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		registry: registry,
		commits: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "docket_commits_total", Help: "Transactions by outcome: ok, conflict, error.",
		}, []string{"outcome"}),
		commitSeconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "docket_commit_seconds", Help: "Time to write one batch of transactions, fsync included.",
			Buckets: prometheus.ExponentialBuckets(0.0001, 2, 16),
		}),
		batchSize: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "docket_commit_batch_size", Help: "Transactions that shared one fsync.", Buckets: prometheus.ExponentialBuckets(1, 2, 11),
		}),
		deliveries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "docket_deliveries_total", Help: "Messages handed to a consumer group by outcome: ok, error, dropped.",
		}, []string{"group", "outcome"}),
		deadLetters: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "docket_dead_letters_total", Help: "Messages no repetition can mend.",
		}, []string{"group"}),
		jobsDone: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "docket_jobs_total", Help: "Jobs handed to a service by outcome: ok, error.",
		}, []string{"service", "outcome"}),
		jobLateness: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "docket_job_lateness_seconds", Help: "From a job's due time to its start.", Buckets: prometheus.ExponentialBuckets(0.001, 2, 18),
		}),
	}
	m.commitOK, m.commitRefused, m.commitFailed =
		m.commits.WithLabelValues("ok"), m.commits.WithLabelValues("conflict"), m.commits.WithLabelValues("error")
	err := m.register(m.commits, m.commitSeconds, m.batchSize, m.deliveries, m.deadLetters, m.jobsDone, m.jobLateness)
	if err != nil {
		m.unregister()
		return nil, err
	}
	return m, nil
}

func (m *metrics) register(cs ...prometheus.Collector) error {
	if m.registry == nil {
		return nil
	}
	for _, c := range cs {
		if err := m.registry.Register(c); err != nil {
			return fmt.Errorf("register metrics: %w", err)
		}
		m.registered = append(m.registered, c)
	}
	return nil
}

func (m *metrics) unregister() {
	for _, c := range m.registered {
		m.registry.Unregister(c)
	}
	m.registered = nil
}

func (m *metrics) batch(size int, took time.Duration) {
	if size > 0 {
		m.batchSize.Observe(float64(size))
		m.commitSeconds.Observe(took.Seconds())
	}
}

func (m *metrics) outcome(err error) {
	switch {
	case err == nil:
		m.commitOK.Inc()
	case errors.Is(err, host.ErrConflict):
		m.commitRefused.Inc()
	default:
		m.commitFailed.Inc()
	}
}

// group makes the series of a consumer group.
func (m *metrics) group(g *group) (deliveryCounts, error) {
	counts := deliveryCounts{
		ok:      m.deliveries.WithLabelValues(g.name, "ok"),
		failed:  m.deliveries.WithLabelValues(g.name, "error"),
		dropped: m.deliveries.WithLabelValues(g.name, "dropped"),
	}
	if !g.durable {
		return counts, nil
	}
	counts.dead = m.deadLetters.WithLabelValues(g.name)
	label := prometheus.Labels{"group": g.name}
	return counts, m.register(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "docket_consumer_lag", Help: "Messages logged and neither handled nor parked.", ConstLabels: label,
		}, func() float64 { return float64(g.lag.Load()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "docket_parked", Help: "Messages that keep failing, and those behind them.", ConstLabels: label,
		}, func() float64 { return float64(g.parkedCount.Load()) }))
}

func (m *metrics) jobs(service string) jobCounts {
	return jobCounts{ok: m.jobsDone.WithLabelValues(service, "ok"), failed: m.jobsDone.WithLabelValues(service, "error")}
}

func (m *metrics) lateness(d time.Duration) { m.jobLateness.Observe(d.Seconds()) }
