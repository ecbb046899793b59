package backend

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/docket-tasks/docket/edge"
)

// metrics are the backend's figures for Prometheus.
type metrics struct {
	changes       *prometheus.CounterVec
	batch         prometheus.Histogram
	conflicts     prometheus.Counter
	loads         prometheus.Counter
	snapshotBytes prometheus.Gauge
	sockets       prometheus.Gauge
	catchUps      prometheus.Counter
	reminders     *prometheus.CounterVec
	lateness      prometheus.Histogram
}

// latenessBuckets are in seconds, finer where it matters: a reminder should come within one second, in a burst of
// thousands within five.
var latenessBuckets = []float64{.002, .005, .01, .025, .05, .1, .25, .5, .75, 1, 1.5, 2, 3, 5, 10, 30, 60}

func newMetrics(reg *prometheus.Registry) *metrics {
	return &metrics{
		changes: edge.Register(reg, prometheus.NewCounterVec(prometheus.CounterOpts{Name: "docket_task_changes_total",
			Help: "Committed changes of tasks, by the event they made."}, []string{"type"})),
		batch: edge.Register(reg, prometheus.NewHistogram(prometheus.HistogramOpts{Name: "docket_list_batch_changes",
			Help: "Changes of one list that went out in one commit.", Buckets: prometheus.ExponentialBuckets(1, 2, 7)})),
		conflicts: edge.Register(reg, prometheus.NewCounter(prometheus.CounterOpts{Name: "docket_list_conflicts_total",
			Help: "Batches tried again because another replica changed the list."})),
		loads: edge.Register(reg, prometheus.NewCounter(prometheus.CounterOpts{Name: "docket_list_loads_total",
			Help: "Lists read as a whole into memory."})),
		snapshotBytes: edge.Register(reg, prometheus.NewGauge(prometheus.GaugeOpts{Name: "docket_list_snapshot_bytes",
			Help: "Memory used for lists, estimated."})),
		sockets: edge.Register(reg, prometheus.NewGauge(prometheus.GaugeOpts{Name: "docket_sockets",
			Help: "Open WebSockets."})),
		catchUps: edge.Register(reg, prometheus.NewCounter(prometheus.CounterOpts{Name: "docket_live_catch_ups_total",
			Help: "Times that clients of a list were brought up to date from state."})),
		reminders: edge.Register(reg, prometheus.NewCounterVec(prometheus.CounterOpts{Name: "docket_reminders_total",
			Help: "Reminder jobs handled: sent, void (no longer wanted) or repeated."}, []string{"outcome"})),
		lateness: edge.Register(reg, prometheus.NewHistogram(prometheus.HistogramOpts{Name: "docket_reminder_lateness_seconds",
			Help: "From a reminder's moment to the commit of its event.", Buckets: latenessBuckets})),
	}
}

// committed counts the effects of one commit.
func (m *metrics) committed(effects []effect) {
	m.batch.Observe(float64(len(effects)))
	for i := range effects {
		if effects[i].typ != "" {
			m.changes.WithLabelValues(string(effects[i].typ)).Inc()
		}
	}
}
