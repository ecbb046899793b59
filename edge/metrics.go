package edge

import (
	"errors"
	"net/http"
	"strconv"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// requestMetrics finds the histogram of a request without making its labels anew each time.
type requestMetrics struct {
	service string
	vec     *prometheus.HistogramVec
	mu      sync.RWMutex
	known   map[requestLabels]prometheus.Observer
}

type requestLabels struct {
	route, method string
	status        int
}

// Register registers c, or returns the one like it that another service of this process has registered. Where reg is
// nil, nobody sees c.
func Register[C prometheus.Collector](reg *prometheus.Registry, c C) C {
	if reg == nil {
		return c
	}
	err := reg.Register(c)
	if there, ok := errors.AsType[prometheus.AlreadyRegisteredError](err); ok {
		return there.ExistingCollector.(C)
	}
	if err != nil {
		panic(err) // another metric of this name: a mistake in the program
	}
	return c
}

func newRequestMetrics(reg *prometheus.Registry, service string) *requestMetrics {
	vec := Register(reg, prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "docket_http_request_duration_seconds",
		Help:    "Time from a request's headers to the end of its answer.",
		Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, 1, 5},
	}, []string{"service", "route", "method", "status"}))
	return &requestMetrics{service: service, vec: vec, known: map[requestLabels]prometheus.Observer{}}
}

func (m *requestMetrics) observer(route, method string, status int) prometheus.Observer {
	labels := requestLabels{route, knownMethod(method), status}
	m.mu.RLock()
	o := m.known[labels]
	m.mu.RUnlock()
	if o != nil {
		return o
	}
	o = m.vec.WithLabelValues(m.service, labels.route, labels.method, strconv.Itoa(status))
	m.mu.Lock()
	m.known[labels] = o
	m.mu.Unlock()
	return o
}

// knownMethod bounds what a caller can make a label of.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "other"
}
