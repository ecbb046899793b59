package edge

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/docket-tasks/docket/host"
)

// Writes is a service's state that remembers whether its last commit got through. A store that takes no writes (a full
// disk, say) can still be read: /readyz says so and stays ready, for a load balancer that took the service away would
// take the reading with it.
type Writes struct {
	host.State
	failing atomic.Bool
}

// ObserveWrites returns the state, observed, with a gauge docket_writes_failing for the service where there are metrics.
func ObserveWrites(state host.State, service string, metrics *prometheus.Registry) *Writes {
	w := &Writes{State: state}
	Register(metrics, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "docket_writes_failing", Help: "1 where the last commit was refused by the store, for another reason than a conflict.",
		ConstLabels: prometheus.Labels{"service": service},
	}, func() float64 {
		if w.Failing() {
			return 1
		}
		return 0
	}))
	return w
}

// Failing tells whether the last commit could not be made, or whether it was is not known.
func (w *Writes) Failing() bool { return w.failing.Load() }

// Commit implements host.State.
func (w *Writes) Commit(ctx context.Context, tx host.Tx) error {
	err := w.State.Commit(ctx, tx)
	switch {
	case err == nil:
		if w.failing.Load() { // nearly always not: then nothing is written that other cores have to fetch
			w.failing.Store(false)
		}
	case ctx.Err() == nil && (errors.Is(err, host.ErrUnavailable) || errors.Is(err, host.ErrUnknown)):
		w.failing.Store(true)
	}
	return err
}
