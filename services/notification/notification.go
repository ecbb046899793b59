// Package notification tells users that the moment of a reminder has come: in the inbox, which every user has, and by
// e-mail, webhook or Web Push where the user has set that up.
//
// A reminder is kept in one commit: an entry in the user's inbox, a notification for each route with its outcome to
// come, and a job for each that leaves the house. However often the reminder is delivered, its notification in the
// inbox, whose id derives from the reminder, is created once. The inbox keeps the newest 10,000 entries at least
// ([Config].History); older ones leave it in blocks of 64 together, and their records 8 days later.
//
// An attempt is made by a job, and its outcome is recorded in the same commit that schedules the next one: ten
// attempts in about 21 hours. Between an attempt and its record a crash is possible; then the attempt is repeated
// with the same notification id, by which mailboxes and webhook receivers can tell.
//
// [Task]: T003, T017, T051, T052, T053, T089
package notification

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/event"
	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/host/combine"
)

// Name is the service's name, its app-id.
const Name = "notification"

// Config is what an operator and tests can set. The zero Config reminds in the inbox, by webhook and by Web Push.
type Config struct {
	// SMTP lets e-mail leave; its zero value sends none.
	SMTP SMTP
	// AllowPrivate lets webhooks and Web Push reach addresses that are not public, and plain http.
	AllowPrivate bool
	// PushContact is how push services can reach the operator (RFC 8292 §2.1), an e-mail address or an https address;
	// empty is the home of this software.
	PushContact string
	// History is how many entries an inbox keeps at least; 0 means 10,000.
	History int
	// Channels are further ones, after e-mail, webhook and push.
	Channels []Channel
	// Now is the clock; nil means the system's.
	Now func() time.Time
	// Jitter returns numbers in [0, 1) that spread the attempts; nil means random ones.
	Jitter func() float64
	// Logger is nil for slog.Default().
	Logger *slog.Logger
	// Metrics gets the service's metrics and is what /metrics shows; nil means neither.
	Metrics *prometheus.Registry
}

const defaultHistory = 10_000

// service is one replica. What it holds in memory is the batches under way.
type service struct {
	state    host.State
	backend  *backend
	channels []Channel
	// email is nil where no mail server is set up.
	email   *email
	push    *push
	inbox   *inbox
	now     func() time.Time
	jitter  func() float64
	log     *slog.Logger
	metrics *metrics
}

// New returns the service; it fails where the configuration is wrong.
func New(cfg Config, h host.Host) (host.Service, error) {
	writes := edge.ObserveWrites(h.State, Name, cfg.Metrics)
	h.State = writes
	s, err := newService(cfg, h)
	if err != nil {
		return host.Service{}, fmt.Errorf("notification: %w", err)
	}
	verifier := edge.NewVerifier(edge.BackendKeys(h.Client("backend")), s.now)
	public, runtime := http.NewServeMux(), http.NewServeMux()
	s.routes(public)
	runtime.HandleFunc("POST /internal/erasures", s.serveErasure)
	runtime.HandleFunc("POST /internal/letters", s.serveLetter)
	var draining atomic.Bool
	edge.Health(runtime, edge.HealthOptions{Draining: &draining, Metrics: cfg.Metrics, Writes: writes, Checks: []edge.HealthCheck{edge.StateCheck(h.State)}})
	observed := edge.HandlerOptions{Service: Name, Logger: s.log, Metrics: cfg.Metrics}
	return host.Service{
		Name:          Name,
		Public:        edge.Handler(observed, verifier.Require(public)),
		Runtime:       edge.Handler(observed, runtime),
		Subscriptions: []host.Subscription{{Topic: event.TopicReminders, Mode: host.Shared, Handle: s.onReminder}},
		Job:           s.onJob,
		Drain:         func(context.Context) { draining.Store(true) },
	}, nil
}

func newService(cfg Config, h host.Host) (*service, error) {
	if cfg.History < 0 {
		return nil, fmt.Errorf("history %d: must not be negative", cfg.History)
	}
	if cfg.History == 0 {
		cfg.History = defaultHistory
	}
	s := &service{state: h.State, now: cfg.Now, jitter: cfg.Jitter, log: cfg.Logger,
		backend: &backend{client: edge.Traced(h.Client("backend"))}}
	if s.now == nil {
		s.now = time.Now
	}
	if s.jitter == nil {
		s.jitter = rand.Float64
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	var err error
	if cfg.SMTP.Host == "" {
		s.channels = append(s.channels, noMail{})
	} else {
		if s.email, err = newEmail(cfg.SMTP, h.Secrets, s.now); err != nil {
			return nil, err
		}
		s.channels = append(s.channels, s.email)
	}
	if s.push, err = newPush(cfg, h, s.now); err != nil {
		return nil, err
	}
	s.channels = append(s.channels, newWebhook(s.now, cfg.AllowPrivate), s.push)
	s.channels = append(s.channels, cfg.Channels...)
	s.metrics = newMetrics(cfg.Metrics, s.channels)
	// One block more than needed: the newest is filled one by one, the oldest leaves as a whole.
	blocks := int64(cfg.History+blockSize-1)/blockSize + 1
	s.inbox = &inbox{state: h.State, backend: s.backend, channels: s.channels, blocks: blocks, now: s.now, kept: s.kept}
	s.inbox.queue = combine.Queue[string, *change]{Run: s.inbox.run, Max: maxBatch}
	return s, nil
}

// onReminder keeps one reminder [T051].
func (s *service) onReminder(ctx context.Context, m host.Message) error {
	r, trace, err := event.DecodeReminder(m.Data)
	if err != nil {
		return host.Permanent(err)
	}
	ctx, handled := edge.Span(ctx, "notification: keep a reminder", trace)
	err = s.inbox.do(r.UserID, &change{ctx: ctx, reminder: &r})
	handled(err)
	if errors.Is(err, errUnknownUser) { // the account was deleted: nobody is to be reminded, and no letter to be kept
		s.log.InfoContext(ctx, "reminder of a deleted account dropped", "reminder_id", r.ReminderID, "user_id", r.UserID)
		return nil
	}
	return err
}
