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

// newRequestMetrics registers the histogram, or shares the one that another service of this process has registered.
func newRequestMetrics(reg prometheus.Registerer, service string) *requestMetrics {
	vec := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "docket_http_request_duration_seconds",
		Help:    "Time from a request's headers to the end of its answer.",
		Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, 1, 5},
	}, []string{"service", "route", "method", "status"})
	if err := reg.Register(vec); err != nil {
		there, ok := errors.AsType[prometheus.AlreadyRegisteredError](err)
		if !ok {
			panic(err) // another metric of this name: a mistake in the program
		}
		vec = there.ExistingCollector.(*prometheus.HistogramVec)
	}
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
