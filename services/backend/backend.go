// Package backend owns tasks, users and sessions: the REST API, the live updates and the reminders.
//
// Every change goes through one queue per list (writer.go) and is one commit of the task, the list, the
// event, the update and the reminder jobs. Lists are answered from snapshots in memory (snapshot.go) that are
// brought to the list's version before each answer. Nothing in memory is the truth: a second replica, or this
// one after a restart, rebuilds all of it from state.
//
// [Task]: T001, T002, T023, T026–T032, T035, T047–T050, T057–T059, T065–T067
package backend

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/event"
	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/host/combine"
	"github.com/docket-tasks/docket/services/backend/account"
	"github.com/docket-tasks/docket/services/backend/filter"
	"github.com/docket-tasks/docket/services/backend/openid"
)

// Name is the service's name (its Dapr app-id).
const Name = "backend"

// Config is what an operator and tests can set; the zero Config is usable.
type Config struct {
	// Logger is nil for slog.Default().
	Logger *slog.Logger
	// Metrics gets the service's metrics and is what /metrics shows; nil means neither.
	Metrics *prometheus.Registry
	// Now is the clock; nil means the system's.
	Now func() time.Time
	// SnapshotBytes bounds the memory for lists; 0 means 256 MiB.
	SnapshotBytes int64
	// Sockets is how many WebSockets a user may have open on this replica; 0 means 2,000, many times what one person's
	// browsers and programs need.
	Sockets int
	// SignUp says who may make an account; empty is account.SignUpClosed.
	SignUp account.SignUp
	// OpenID are the providers by which one signs in besides; where there are any, PublicURL is needed.
	OpenID []openid.Settings
	// PublicURL is where browsers reach docket, without a slash at the end; empty where that is not known.
	PublicURL string
	// Mail says that notification has a mail server.
	Mail bool
}

// providers are those of the settings; the secret of each is asked for when it is needed.
func (c Config) providers(secrets host.Secrets) []*openid.Provider {
	list := make([]*openid.Provider, 0, len(c.OpenID))
	for _, set := range c.OpenID {
		secret := func(ctx context.Context) (string, error) { return secrets.Get(ctx, set.SecretName()) }
		list = append(list, openid.New(set, c.PublicURL, secret, c.Now))
	}
	return list
}

// Service is the backend.
type Service struct {
	state     host.State
	client    func(service string) *http.Client
	log       *slog.Logger
	now       func() time.Time
	metrics   *metrics
	accounts  *account.Store
	filters   *filter.Store
	writer    *writer
	sent      *combine.Commits // of reminders
	snapshots *snapshots
	live      *live
	draining  atomic.Bool
	stop      context.CancelFunc
	work      sync.WaitGroup // background work
	sockets   sync.WaitGroup
}

// New returns the backend as a host runs it. Its background work ends with ctx or when it is drained.
func New(ctx context.Context, cfg Config, h host.Host) host.Service {
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.SnapshotBytes == 0 {
		cfg.SnapshotBytes = 256 << 20
	}
	if cfg.Sockets == 0 {
		cfg.Sockets = 2000
	}
	writes := edge.ObserveWrites(h.State, Name, cfg.Metrics)
	h.State = writes
	ctx, stop := context.WithCancel(ctx)
	s := &Service{state: h.State, client: func(name string) *http.Client { return edge.Traced(h.Client(name)) }, log: cfg.Logger, now: cfg.Now, metrics: newMetrics(cfg.Metrics), stop: stop}
	accounts := account.Config{Now: cfg.Now, Logger: cfg.Logger, SignUp: cfg.SignUp, Providers: cfg.providers(h.Secrets), PublicURL: cfg.PublicURL}
	if cfg.Mail {
		accounts.Post = s.post
	}
	s.accounts = Accounts(accounts, h)
	s.accounts.OnSignOut(s.signedOut)
	s.snapshots = newSnapshots(h.State, s.accounts, cfg.SnapshotBytes, s.metrics)
	s.writer = newWriter(h.State, s.accounts, s.snapshots, cfg.Now, cfg.Logger, s.metrics)
	s.sent = combine.NewCommits(h.State.Commit, maxSent)
	s.live = newLive(h.State, s.metrics, cfg.Sockets, func(f func(context.Context)) {
		if ctx.Err() == nil {
			s.work.Go(func() { f(ctx) })
		}
	})
	s.filters = filter.New(h.State, cfg.Now, s.live.filtersChanged)
	s.work.Go(func() { s.live.compare(ctx) })

	observed := edge.HandlerOptions{Service: Name, Logger: cfg.Logger, Metrics: cfg.Metrics}
	verifier := edge.NewVerifier(edge.BackendKeys(h.Client(Name)), cfg.Now)
	return host.Service{
		Name:    Name,
		Public:  edge.Handler(observed, s.public(verifier)),
		Runtime: edge.Handler(observed, s.runtime(cfg.Metrics, writes)),
		Subscriptions: []host.Subscription{
			{Topic: event.TopicUpdates, Mode: host.Every, Handle: s.live.onTaskUpdate},
			{Topic: event.TopicReminders, Mode: host.Every, Handle: s.live.onReminder},
		},
		Job:   s.onJob,
		Drain: s.drain,
	}
}

// Accounts returns the accounts of the backend that lives on h, with their lists.
func Accounts(cfg account.Config, h host.Host) *account.Store {
	cfg.Lists = heads{h.State}
	return account.New(cfg, h.State, h.Secrets)
}

// public are the routes of users.
func (s *Service) public(verifier *edge.Verifier) http.Handler {
	mux, signedIn, open := http.NewServeMux(), http.NewServeMux(), http.NewServeMux()
	s.register(edge.NewAPI(signedIn, Name))
	s.accounts.OpenRoutes(edge.NewAPI(open, Name))
	mux.Handle("/", verifier.Require(s.accounts.Known(signedIn)))
	mux.Handle("/api/tasks", verifier.Require(signedIn)) // and what is below it reads the list's owner anyway
	mux.Handle("/api/tasks/", verifier.Require(signedIn))
	for _, pattern := range account.OpenPatterns {
		mux.Handle(pattern, open)
	}
	mux.HandleFunc("GET /ws", s.serveWS)
	return mux
}

// register adds the routes of signed-in users.
func (s *Service) register(api huma.API) {
	s.taskRoutes(api)
	s.batchRoute(api)
	s.understandRoutes(api)
	s.exportRoute(api)
	s.accounts.Routes(api)
	s.filters.Routes(api)
}

// Register adds the routes of users to an API that only describes them.
func Register(api huma.API) {
	s := &Service{accounts: account.New(account.Config{Now: time.Now}, nil, nil), filters: filter.New(nil, time.Now, nil)}
	s.register(api)
	s.accounts.OpenRoutes(api)
}

// runtime are the routes of the host and the other services.
func (s *Service) runtime(reg *prometheus.Registry, writes *edge.Writes) http.Handler {
	mux := http.NewServeMux()
	edge.Health(mux, edge.HealthOptions{Draining: &s.draining, Metrics: reg, Writes: writes, Checks: []edge.HealthCheck{edge.StateCheck(s.state)}})
	s.accounts.Internal(mux)
	mux.HandleFunc("POST /internal/occurrences", s.createOccurrence)
	mux.HandleFunc("POST /internal/reminders", s.remindAgain)
	mux.HandleFunc("POST /api/jobs/trigger", s.triggerJob)
	return mux
}

// onJob hands a due job to the one it is for, by the first part of its name.
func (s *Service) onJob(ctx context.Context, j host.Job) error {
	kind, _, _ := strings.Cut(j.Name, "-")
	switch kind {
	case "r", "s":
		return s.onReminder(ctx, j)
	case "purge":
		return decodeJob(ctx, j, s.onPurge)
	case "zone":
		return decodeJob(ctx, j, s.onZoneChange)
	case "erase":
		return decodeJob(ctx, j, s.onDeletion)
	case "forgot":
		return decodeJob(ctx, j, s.accounts.OnForgotten)
	}
	return host.Permanent(fmt.Errorf("job %q is of no kind known here", j.Name))
}

func decodeJob[T any](ctx context.Context, j host.Job, do func(context.Context, T) error) error {
	var data T
	if err := json.Unmarshal(j.Data, &data); err != nil {
		return host.Permanent(fmt.Errorf("decode job %s: %w", j.Name, err))
	}
	return do(ctx, data)
}

// triggerJob serves POST /api/jobs/trigger, the callback of hosts that announce due jobs by HTTP.
//
// [Task]: T048
func (s *Service) triggerJob(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Name string          `json:"name"`
		Due  time.Time       `json:"due"`
		Data json.RawMessage `json:"data"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, edge.MaxBody)).Decode(&in); err != nil || in.Name == "" {
		edge.WriteProblem(w, r, edge.NewProblem(http.StatusBadRequest, "validation_failed", "the body is no job: name and data are needed"))
		return
	}
	if err := s.onJob(r.Context(), host.Job{Name: in.Name, Due: in.Due, Data: in.Data}); err != nil {
		if host.IsPermanent(err) {
			err = edge.NewProblem(http.StatusBadRequest, "invalid_job", err.Error())
		}
		edge.WriteProblem(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// record reads a task; nil where there is none.
func (s *Service) record(ctx context.Context, id string) (*record, error) {
	it, err := s.state.Get(ctx, taskKey(id))
	if err != nil {
		return nil, fmt.Errorf("read task %s: %w", id, err)
	}
	return decodeRecord(it)
}

// identityOf returns the credential of a request that did not come through the gateway.
func identityOf(r *http.Request) edge.IdentityRequest {
	if token, ok := edge.BearerToken(r.Header); ok {
		return edge.IdentityRequest{Token: token}
	}
	return edge.IdentityRequest{Session: account.SessionCookie(r)}
}

func isNoIdentity(err error) bool { return errors.Is(err, account.ErrNoIdentity) }

func unauthorized(err error) error {
	if isNoIdentity(err) {
		return edge.NewProblem(http.StatusUnauthorized, "unauthorized", "sign in, or send an API token as a bearer token")
	}
	return err
}

// op describes an operation.
func op(method, path, id, summary string, errors ...int) huma.Operation {
	return huma.Operation{Method: method, Path: path, OperationID: id, Summary: summary, Tags: []string{"tasks"},
		Errors: append(errors, http.StatusUnauthorized, http.StatusServiceUnavailable)}
}

// answers describes what a successful operation returns.
func answers(o huma.Operation, status int, what string, schema *huma.Schema) huma.Operation {
	o.DefaultStatus = status
	o.Responses = map[string]*huma.Response{strconv.Itoa(status): {Description: what,
		Content: map[string]*huma.MediaType{"application/json": {Schema: schema}}}}
	return o
}

// describeBody documents a body that the operation reads by itself: once, and saying what is wrong in its own words.
func describeBody(api huma.API, o *huma.Operation, t reflect.Type, what string) {
	o.SkipValidateBody = true
	o.RequestBody = &huma.RequestBody{Required: true, Description: what, Content: map[string]*huma.MediaType{
		"application/json": {Schema: api.OpenAPI().Components.Schemas.Schema(t, true, "")}}}
}

// registerRaw adds an operation that reads its body by itself.
func registerRaw[I, O any](api huma.API, o huma.Operation, handle func(context.Context, *I) (*O, error)) {
	huma.Register(api, o, handle)
	delete(o.RequestBody.Content, rawType)
}

// rawType is what huma takes a raw body for.
const rawType = "application/octet-stream"

func typeOf[T any]() reflect.Type { return reflect.TypeFor[T]() }
