// Package embedded is the host that needs nothing installed: all services in one process, their state, messages
// and jobs in one SQLite file.
//
// One goroutine writes. Whatever commits wait when it comes by go into one SQLite transaction and share its fsync
// (group commit); a [host.State] Commit returns after that. Everything else follows from committed rows: messages
// are a log with one offset per consumer group, a message whose handler keeps failing is parked out of the way of
// the others, jobs are a table with the earliest of them in a heap. DESIGN.md in this folder tells what must hold
// between these parts.
//
// [Task]: T019, T020, T021
package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/docket-tasks/docket/host"
)

// Options says where a Node keeps its data and whom it tells.
type Options struct {
	// Dir is the data folder; it is created with mode 0700 if missing.
	Dir string
	// Logger gets what an operator should know; nil means slog.Default().
	Logger *slog.Logger
	// Metrics gets the host's metrics; nil means none.
	Metrics prometheus.Registerer
	// Version of the binary is recorded with the data.
	Version string
	// Disorder repeats and shuffles deliveries, as the contract allows, so that tests find consumers that rely
	// on more than it promises.
	Disorder bool
	// Failpoint, if set, is called at each step named in [Failpoints]; crash tests end the process there.
	Failpoint func(name string)
}

// Node is an open data folder and the services that run on it.
type Node struct {
	dir      string
	log      *slog.Logger
	failAt   func(name string)
	disorder bool

	lock    *dirLock
	readers *readers
	cache   *cache
	writer  *writer
	bus     *bus
	jobs    *jobs
	keeper  *keeper
	crew    *crew
	metrics *metrics

	mu       sync.Mutex
	spaces   map[string]*space
	services map[string]host.Service
	started  bool
	closed   bool

	handling context.Context // of message and job handlers; ends when Close runs out of patience
	abort    context.CancelFunc
}

// Open opens the data folder and locks it against a second process. It fails with [*InUseError], [*NewerDataError],
// [*NotWritableError] or [*FullError], and with other errors where the file system or the database refuses.
func Open(ctx context.Context, o Options) (*Node, error) {
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("data folder %s: %w", o.Dir, err)
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Failpoint == nil {
		o.Failpoint = func(string) {}
	}
	n := &Node{
		dir: dir, log: o.Logger, failAt: o.Failpoint, disorder: o.Disorder,
		cache: newCache(cacheBytes), spaces: map[string]*space{}, services: map[string]host.Service{},
	}
	if n.lock, err = lockDir(dir); err != nil {
		return nil, err
	}
	if err := n.open(ctx, o); err != nil {
		return nil, errors.Join(n.openError(err), n.release())
	}
	return n, nil
}

func (n *Node) open(ctx context.Context, o Options) error {
	forever := context.WithoutCancel(ctx)
	n.handling, n.abort = context.WithCancel(forever)
	n.crew = newCrew(n.handling.Done())
	file := filepath.Join(n.dir, databaseName)
	db, err := openConn(forever, file, writing)
	if err != nil {
		return err
	}
	epoch, err := prepareData(db, n.dir, o.Version, n.log, n.failAt)
	if err != nil {
		return errors.Join(err, db.close())
	}
	if n.metrics, err = newMetrics(o.Metrics); err != nil {
		return errors.Join(err, db.close())
	}
	if n.readers, err = openReaders(forever, file); err != nil {
		return errors.Join(err, db.close())
	}
	if n.writer, err = newWriter(n, db, epoch); err != nil {
		return errors.Join(err, db.close())
	}
	n.bus = newBus(n)
	n.jobs = newJobs(n)
	if n.keeper, err = newKeeper(forever, n, file); err != nil {
		return err // release closes what the writer has
	}
	go n.writer.loop()
	go n.keeper.loop()
	return nil
}

// Host returns what the service of that name is given to live on.
func (n *Node) Host(service string) host.Host {
	n.mu.Lock()
	defer n.mu.Unlock()
	s, ok := n.spaces[service]
	if !ok {
		s = &space{node: n, service: service, prefix: service + "/"}
		n.spaces[service] = s
	}
	return host.Host{State: s, Secrets: secrets{dir: filepath.Join(n.dir, "secrets")}, Client: n.client}
}

// Start makes the services reachable for each other and begins deliveries and jobs. It may be called once.
func (n *Node) Start(ctx context.Context, services ...host.Service) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("start services: %w", err)
	}
	if n.started || n.closed {
		return errors.New("start services: the host has already been started or closed")
	}
	for _, s := range services {
		if _, twice := n.services[s.Name]; twice || s.Name == "" {
			return fmt.Errorf("start services: the name %q is empty or used twice", s.Name)
		}
		n.services[s.Name] = s
	}
	n.started = true
	if err := n.bus.start(services); err != nil {
		return fmt.Errorf("start deliveries: %w", n.openError(err))
	}
	if err := n.jobs.start(services); err != nil {
		return fmt.Errorf("start jobs: %w", n.openError(err))
	}
	return nil
}

// Close stops in order: services drain, handlers that have begun finish, what they wrote is on disk, the folder is
// free. When ctx ends first, handlers are cancelled and what they had not finished is done again at the next start.
func (n *Node) Close(ctx context.Context) error {
	n.mu.Lock()
	if n.closed {
		n.mu.Unlock()
		return nil
	}
	n.closed = true
	services := n.services
	n.mu.Unlock()

	var draining sync.WaitGroup
	for _, s := range services {
		if s.Drain != nil {
			draining.Go(func() { s.Drain(ctx) })
		}
	}
	wait(ctx, &draining)
	n.bus.stop()
	n.jobs.stop()
	finished := wait(ctx, &n.bus.handlers) && wait(ctx, &n.jobs.handlers)
	n.abort()
	n.writer.close()
	n.keeper.close()
	err := n.release()
	if !finished {
		err = errors.Join(err, fmt.Errorf("some handlers did not finish in time, their work will be repeated: %w", ctx.Err()))
	}
	return err
}

// wait tells whether everything in wg was done before ctx ended.
func wait(ctx context.Context, wg *sync.WaitGroup) bool {
	done := make(chan struct{})
	go func() {
		wg.Wait()
		close(done)
	}()
	select {
	case <-done:
		return true
	case <-ctx.Done():
		return false
	}
}

// release closes whatever is open and unlocks the folder.
func (n *Node) release() error {
	var errs []error
	if n.abort != nil {
		n.abort()
	}
	if n.readers != nil {
		errs = append(errs, n.readers.close())
	}
	if n.writer != nil {
		errs = append(errs, n.writer.db.close())
	}
	if n.keeper != nil {
		errs = append(errs, n.keeper.db.close())
	}
	if n.metrics != nil {
		n.metrics.unregister()
	}
	return errors.Join(append(errs, n.lock.release())...)
}
