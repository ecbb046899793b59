package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/docket-tasks/docket/cmd/docket/cli"
	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/services/audit"
	"github.com/docket-tasks/docket/services/backend"
	"github.com/docket-tasks/docket/services/backend/account"
	"github.com/docket-tasks/docket/services/backend/openid"
	"github.com/docket-tasks/docket/services/frontend"
	"github.com/docket-tasks/docket/services/notification"
	"github.com/docket-tasks/docket/services/recurring"
	"github.com/docket-tasks/docket/web"
)

// settings is what the command line and the environment say to the services.
type settings struct {
	log     *slog.Logger
	metrics *prometheus.Registry
	tls     bool
	proxied bool
	hops    int // entries that the proxies append to X-Forwarded-For
	smtp    notification.SMTP
	private bool    // webhooks and push may reach private addresses
	contact string  // of the operator, for push services
	rate    float64 // requests a second of one credential; 0: no limit
	signUp  account.SignUp
	openID  []openid.Settings
	public  string // where browsers reach docket, without a slash at the end
	// sockets serves /ws at frontend's door, which counts who comes there; nil where an ingress routes it past that.
	sockets http.Handler
}

// service is one row of the table: its name, how it is made, and the description of its routes.
type service struct {
	name string
	new  func(context.Context, settings, host.Host) (host.Service, error)
	// register adds its routes to an API that describes them; nil where users have nothing to ask of it.
	register func(huma.API)
	// stateless services keep nothing: they need no store.
	stateless bool
	// hot tells which of its keys are hot; nil means none.
	hot func(key string) bool
}

// services is the table of the five. Running all of them is running each.
var services = []service{
	{name: backend.Name, new: newBackend, register: backend.Register, hot: backend.Hot},
	{name: recurring.Name, new: newRecurring},
	{name: notification.Name, new: newNotification, register: notification.Register},
	{name: audit.Name, new: newAudit, register: audit.Register},
	{name: frontend.Name, new: newFrontend, register: frontend.Register, stateless: true},
}

func serviceNamed(name string) (service, error) {
	var names []string
	for _, s := range services {
		if s.name == name {
			return s, nil
		}
		names = append(names, s.name)
	}
	return service{}, cli.Usage(fmt.Errorf("no service %q: want one of %s", name, strings.Join(names, ", ")))
}

func newBackend(ctx context.Context, s settings, h host.Host) (host.Service, error) {
	return backend.New(ctx, backend.Config{Logger: s.log, Metrics: s.metrics, SignUp: s.signUp, OpenID: s.openID, PublicURL: s.public, Mail: s.smtp.Host != ""}, h), nil
}

func newRecurring(_ context.Context, s settings, h host.Host) (host.Service, error) {
	return recurring.New(recurring.Config{Logger: s.log, Metrics: s.metrics}, h), nil
}

func newNotification(_ context.Context, s settings, h host.Host) (host.Service, error) {
	return notification.New(notification.Config{Logger: s.log, Metrics: s.metrics,
		SMTP: s.smtp, AllowPrivate: s.private, PushContact: s.contact}, h)
}

func newAudit(ctx context.Context, s settings, h host.Host) (host.Service, error) {
	return audit.New(ctx, audit.Config{Logger: s.log, Metrics: s.metrics}, h), nil
}

func newFrontend(_ context.Context, s settings, h host.Host) (host.Service, error) {
	return frontend.New(frontend.Config{Logger: s.log, Metrics: s.metrics, Build: build(),
		Static: web.FS, TLS: s.tls, TrustForwarded: s.proxied, ProxyHops: s.hops, RateLimit: s.rate, WS: s.sockets}, h)
}
