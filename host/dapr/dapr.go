// Package dapr is the host behind a Dapr sidecar: one service, as many replicas as wanted; its state in the state store, its messages
// on the broker, its jobs with the scheduler that the sidecar reaches.
//
// A commit that publishes goes through the outbox (package outbox below), because Dapr has no transaction over a store and a broker
// that could be relied on. DESIGN.md in this folder states the protocol and what must hold between the parts.
//
// [Task]: T019, T020, T021
package dapr

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/host/dapr/outbox"
)

// The components that a sidecar must have, as deploy/dapr names them.
const (
	stateStore  = "statestore"
	sharedBus   = "pubsub"
	everyBus    = "broadcast"
	secretStore = "secrets"
	secretName  = "docket" // the one secret whose keys are the services' secrets
)

// Options says where a Node finds its sidecar and whom it tells.
type Options struct {
	// Service is the name of the service, its app-id.
	Service string
	// Instance names this replica over all its starts; see [outbox.Config].
	Instance string
	// HTTPPort and GRPCPort are where the sidecar listens, on this machine.
	HTTPPort, GRPCPort int
	// APIToken is what the sidecar demands of the app, AppToken what the app demands of the sidecar; empty means nothing.
	APIToken, AppToken string
	// Stateless services have no state: they can neither commit nor subscribe.
	Stateless bool
	// ContentType is the media type of the data of messages.
	ContentType string
	// Hot tells which keys are hot: see the package comment of host. Nil means none.
	Hot func(key string) bool
	// Lease is how long a replica must be silent before another finishes its commits; 0 means 15 s.
	Lease time.Duration
	// Linger is how long a node that has stopped still answers its sidecar, with a refusal that callers take elsewhere: until no
	// sidecar can bring a request any more.
	Linger time.Duration
	// Logger gets what an operator should know; nil means slog.Default().
	Logger *slog.Logger
	// Metrics gets the host's metrics; nil means none.
	Metrics prometheus.Registerer
	// Failpoint, if set, is called at each step named in [Failpoints]; crash tests end the process there.
	Failpoint func(name string)
}

// Failpoints are the steps at which a process can be made to die.
func Failpoints() []string { return append(outbox.Failpoints, stepHandled, stepParked, stepFired) }

const (
	stepHandled = "message-handled" // the sidecar does not know yet
	stepParked  = "message-parked"
	stepFired   = "job-handled" // its row is still there
)

// Node is one replica of a service, and its sidecar.
type Node struct {
	Options
	sidecar   *sidecar
	publisher *publisher
	box       *outbox.Outbox
	state     *state
	bus       *bus
	jobs      *jobs
	metrics   *metrics

	service   host.Service
	server    *http.Server
	admission admission
	address   atomic.Pointer[string] // of the server
	handling  context.Context        // of message and job handlers
	abort     context.CancelFunc
	stop      sync.Once
}

// Open waits for the sidecar, which says meanwhile what it waits for itself, and takes its part in the outbox. It fails when
// ctx ends, and where the sidecar lacks a component.
func Open(ctx context.Context, o Options) (*Node, error) {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Failpoint == nil {
		o.Failpoint = func(string) {}
	}
	if o.Hot == nil {
		o.Hot = func(string) bool { return false }
	}
	n := &Node{Options: o}
	n.handling, n.abort = context.WithCancel(context.WithoutCancel(ctx))
	var err error
	if n.sidecar, err = dial(o); err != nil {
		return nil, err
	}
	if err := n.open(ctx); err != nil {
		return nil, errors.Join(err, n.sidecar.close())
	}
	return n, nil
}

func (n *Node) open(ctx context.Context) (err error) {
	if n.metrics, err = newMetrics(n.Metrics, n.stats); err != nil {
		return err
	}
	if err := n.sidecar.wait(ctx); err != nil {
		return err
	}
	n.state = &state{n, &rings{hot: n.Hot, read: newReads(n.sidecar).get, background: func(f func(context.Context)) { go f(n.handling) }}}
	n.bus = newBus(n)
	n.jobs = newJobs(n)
	n.publisher = newPublisher(n.sidecar)
	if n.Stateless {
		return nil
	}
	if err := n.sidecar.require(ctx, stateStore, sharedBus); err != nil {
		return err
	}
	n.box, err = outbox.Open(ctx, outbox.Config{Store: newGroup(n.sidecar), Carrier: n.publisher, Owner: uuid.NewString(), Instance: n.Instance,
		Lease: n.Lease, Logger: n.Logger, Failpoint: n.Failpoint})
	return err
}

func (n *Node) stats() outbox.Stats {
	if n.box == nil {
		return outbox.Stats{}
	}
	return n.box.Stats()
}

// Host returns what the service is given to live on.
func (n *Node) Host() host.Host {
	return host.Host{State: n.state, Secrets: secrets{n.sidecar}, Client: n.client}
}

// Start serves the sidecar on l: from here on it delivers messages and jobs and passes on what other services ask.
func (n *Node) Start(ctx context.Context, l net.Listener, s host.Service) error {
	if n.Stateless && (len(s.Subscriptions) > 0 || s.Job != nil) {
		return fmt.Errorf("service %s has no state and can neither subscribe nor have jobs", s.Name)
	}
	for _, sub := range s.Subscriptions {
		if err := n.bus.subscribe(ctx, sub); err != nil {
			return err
		}
	}
	n.service, n.jobs.handle = s, s.Job
	n.server = &http.Server{
		Handler: n.routes(s), ReadHeaderTimeout: 10 * time.Second, MaxHeaderBytes: 64 << 10,
		ErrorLog:    slog.NewLogLogger(n.Logger.Handler(), slog.LevelDebug),
		BaseContext: func(net.Listener) context.Context { return n.handling },
	}
	address := l.Addr().String()
	n.address.Store(&address)
	go func() {
		if err := n.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			n.Logger.Error("the sidecar is not served any more", "error", err)
		}
	}()
	return nil
}

// Close stops in order: the service drains, handlers that have begun finish, what they committed is handed on. When ctx
// ends first, handlers are cancelled; what they had not finished is delivered again, and what is not handed on yet another
// replica hands on. Then it refuses for as long as Linger says, whatever ctx.
func (n *Node) Close(ctx context.Context) (err error) {
	n.stop.Do(func() {
		if n.service.Drain != nil {
			n.service.Drain(ctx)
		}
		select {
		case <-n.admission.close():
		case <-ctx.Done():
			err = fmt.Errorf("some handlers did not finish in time, their work will be repeated: %w", ctx.Err())
		}
		n.abort()
		if n.box != nil {
			err = errors.Join(err, n.box.Close(ctx))
		}
		n.metrics.unregister()
		err = errors.Join(err, n.leave(ctx), n.sidecar.close())
	})
	return err
}

// answerTime is how long the last answers of a server may take to be sent.
const answerTime = time.Second

// leave lingers and stops the server.
func (n *Node) leave(ctx context.Context) error {
	if n.server == nil {
		return nil
	}
	<-time.After(n.Linger)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerTime)
	defer cancel()
	if n.server.Shutdown(ctx) != nil {
		return n.server.Close()
	}
	return nil
}

// Kill ends the node as the death of its process would; tests end with it.
func (n *Node) Kill() {
	n.stop.Do(func() {
		n.sidecar.kill()
		n.abort()
		if n.server != nil {
			_ = n.server.Close()
		}
		if n.box != nil {
			n.box.Kill()
		}
		n.metrics.unregister()
		_ = n.sidecar.close()
	})
}
