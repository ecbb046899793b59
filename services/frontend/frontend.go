// Package frontend is the door from outside: it serves the web client and forwards an allow-list of API paths to
// the services that own them, with the caller's credential exchanged for a short-lived identity.
//
// What it never forwards: any path that is not in [routes], any path written in an unusual way, any header that
// is not in [forwarded], and the caller's own Authorization and Cookie.
//
// [Task]: T001
package frontend

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/host"
)

// Name is the service's name (its Dapr app-id).
const Name = "frontend"

// Config is what an operator and tests can set. Static is required.
type Config struct {
	// Logger is nil for slog.Default().
	Logger *slog.Logger
	// Metrics gets the service's metrics and is what /metrics shows; nil means neither.
	Metrics *prometheus.Registry
	// Now is the clock; nil means the system's.
	Now func() time.Time
	// Build is what GET /api/about says is running.
	Build Build
	// Static holds the web client: index.html and what it needs; files under assets/ have a hash in their names.
	Static fs.FS
	// TLS says that users reach this service by HTTPS only: cookies carry the __Host- prefix, answers HSTS.
	TLS bool
	// TrustForwarded says that a proxy of ours is in front: its X-Forwarded-For and X-Forwarded-Proto are believed.
	TrustForwarded bool
	// ProxyHops is how many entries the proxies in front append to X-Forwarded-For, from 1; less means 1. It counts with TrustForwarded only.
	ProxyHops int
	// RateLimit is how many requests a second one credential may make on this replica, with bursts of ten times as many;
	// the limits of accounts and addresses follow from it. 0 means that there are none.
	RateLimit float64
	// WS, if set, serves GET /ws, which authenticates by itself.
	WS http.Handler
}

// routes is the allow-list: which service answers which paths, whatever the method. The most specific one counts.
var routes = []struct{ pattern, service string }{
	{"/api/tasks", "backend"},
	{"/api/tasks/{rest...}", "backend"},
	{"/api/recurrence/{what}", "backend"},
	{"/api/me", "backend"},
	{"/api/me/password", "backend"},
	{"/api/me/access", "backend"},
	{"/api/me/connections", "backend"},
	{"/api/me/connections/{id}", "backend"},
	{"/api/me/export", "backend"},
	{"/api/me/passkeys", "backend"},
	{"/api/me/passkeys/{id}", "backend"},
	{"/api/me/second-factor", "backend"},
	{"/api/me/second-factor/{rest...}", "backend"},
	{"/api/sessions", "backend"},
	{"/api/sessions/{id}", "backend"},
	{"/api/tokens", "backend"},
	{"/api/tokens/{rest...}", "backend"},
	{"/api/filters", "backend"},
	{"/api/filters/{rest...}", "backend"},
	{"/api/invitations", "backend"},
	{"/api/invitations/{id}", "backend"},
	{"/api/users", "backend"},
	{"/api/users/{rest...}", "backend"},
	{"/api/session", "backend"},
	{"/api/session/{rest...}", "backend"},
	{"/api/tasks/{id}/history", "audit"},
	{"/api/audit", "audit"},
	{"/api/notifications", "notification"},
	{"/api/notifications/{rest...}", "notification"},
	{"/api/push/{what}", "notification"},
	{"/api/push/subscriptions/{id}", "notification"},
}

// open are the routes of backend for callers without an identity: whatever credential they show stays here.
var open = []string{"POST " + sessionPath, "GET /api/session/options", "POST " + accountsPath, "POST " + resetPath,
	"POST " + forgottenPath, "POST " + startPath, "POST " + finishPath, "POST " + passkeyStartPath, "POST " + passkeyFinishPath}

// reserved are first segments of paths that exist inside only, or not for the web client: nothing is served there.
var reserved = []string{"api", "internal", "job", "events", edge.SidecarPath, "ws", "healthz", "readyz", "metrics"}

// New returns the service. It fails where the web client lacks its index.html.
func New(cfg Config, h host.Host) (host.Service, error) {
	if cfg.Static == nil {
		return host.Service{}, errors.New("frontend: Static is required")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	files, err := loadFiles(cfg.Static)
	if err != nil {
		return host.Service{}, err
	}
	gate := newGate(cfg, h.Client)
	mux := http.NewServeMux()
	for _, r := range routes {
		mux.Handle(r.pattern, gate.to(r.service))
	}
	anybody := gate.open()
	for _, pattern := range open {
		mux.Handle(pattern, anybody)
	}
	if cfg.WS != nil {
		mux.Handle("GET /ws", cfg.WS)
	}
	mux.Handle("GET /api/about", about(cfg.Build))
	mux.Handle("/{path...}", files)
	for _, inside := range reserved {
		mux.HandleFunc("/"+inside, nowhere)
		mux.HandleFunc("/"+inside+"/{rest...}", nowhere)
	}

	options := edge.HandlerOptions{Service: Name, Logger: cfg.Logger, Metrics: cfg.Metrics}
	var draining atomic.Bool
	runtime := http.NewServeMux()
	edge.Health(runtime, edge.HealthOptions{Draining: &draining, Metrics: cfg.Metrics})
	return host.Service{
		Name:    Name,
		Public:  edge.Handler(options, gate.guard(mux)),
		Runtime: edge.Handler(options, runtime),
		Drain:   func(context.Context) { draining.Store(true) },
	}, nil
}

// nowhere answers for paths that exist inside only, as for any that does not exist.
func nowhere(w http.ResponseWriter, r *http.Request) {
	edge.WriteProblem(w, r, edge.NewProblem(http.StatusNotFound, "", "there is nothing at this path"))
}
