package edge

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/docket-tasks/docket/host"
)

// probeWait is how long one readiness check may take.
const probeWait = 2 * time.Second

// HealthOptions says what readiness depends on.
type HealthOptions struct {
	// Draining, if set and true, makes the service not ready: it is shutting down.
	Draining *atomic.Bool
	// Checks are asked one after the other in the order given; the first failure makes the service not ready.
	Checks []HealthCheck
	// Writes, if set and failing, is told by /readyz, which stays ready.
	Writes *Writes
	// Metrics is what /metrics shows; nil leaves the route out.
	Metrics *prometheus.Registry
}

// HealthCheck asks whether something the service needs can be reached.
type HealthCheck struct {
	Name  string
	Check func(ctx context.Context) error
}

// StateCheck asks whether the service's state can be read.
func StateCheck(state host.State) HealthCheck {
	return HealthCheck{Name: "state", Check: func(ctx context.Context) error {
		_, err := state.Get(ctx, "ready")
		return err
	}}
}

// Health adds GET /healthz (the process lives; it depends on nothing else), /readyz (503 with the reason while
// draining or when a check fails; 200 with "writes": "failing" while only reading works) and /metrics (Prometheus). These routes are for the platform, not for users.
func Health(mux *http.ServeMux, o HealthOptions) {
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { writeStatus(w, `{"status":"alive"}`) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if err := o.ready(r.Context()); err != nil {
			WriteProblem(w, r, err)
			return
		}
		writeStatus(w, o.status())
	})
	if o.Metrics != nil {
		mux.Handle("GET /metrics", promhttp.HandlerFor(o.Metrics, promhttp.HandlerOpts{}))
	}
}

// status is what /readyz says of a service that is ready.
func (o HealthOptions) status() string {
	if o.Writes != nil && o.Writes.Failing() {
		return `{"status":"ready","writes":"failing"}`
	}
	return `{"status":"ready"}`
}

func (o HealthOptions) ready(ctx context.Context) error {
	if o.Draining != nil && o.Draining.Load() {
		return NewProblem(http.StatusServiceUnavailable, "draining", "the service is shutting down").After(5 * time.Second)
	}
	ctx, cancel := context.WithTimeout(ctx, probeWait)
	defer cancel()
	for _, c := range o.Checks {
		err := c.Check(ctx)
		if err == nil {
			continue
		}
		reason := "cannot be reached"
		if errors.Is(err, context.DeadlineExceeded) {
			reason = "does not answer in time"
		}
		LoggerOf(ctx).WarnContext(ctx, "not ready", "check", c.Name, "error", err)
		return NewProblem(http.StatusServiceUnavailable, "not_ready", c.Name+" "+reason,
			FieldError{Field: c.Name, Detail: reason}).After(time.Second)
	}
	return nil
}

func writeStatus(w http.ResponseWriter, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write([]byte(body + "\n"))
}
