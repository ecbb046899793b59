// Package local runs docket behind Dapr on one machine, for people who try it and for tests: PostgreSQL, a Kafka broker,
// Dapr's control plane, and for each replica of a service its sidecar. Everything listens on 127.0.0.1 on ports of its own;
// everything can be killed, stopped and started again by itself, with the data it had; nothing is left behind.
//
// The sidecars read the manifests of deploy/dapr as they are. What differs from a cluster is in deploy/dapr/local, whose
// files take the place of those with the same name, and in the file of secrets that this package writes.
//
// [Task]: T010, T011, T012, T013, T092
package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
)

// Options say what to run and where.
type Options struct {
	// Root is the root of the repository.
	Root string
	// Dir holds all data and logs; it is made where it does not exist.
	Dir string
	// Broker is Apache, Fake or "": Apache where Java and Maven are present.
	Broker string
}

// Machine is what every service needs: a database server, a broker and Dapr's control plane.
type Machine struct {
	Options
	Postgres, Broker             *Process
	Sentry, Placement, Scheduler *Process

	postgres postgres
	broker   broker
	control  control
	tools    tools
	mu       sync.Mutex
	all      []*Process // in the order of their starts
}

// Start runs everything that services need, and returns when all of it answers. PostgreSQL has to be installed; the rest
// is built from source where it has not been yet, which takes minutes the first time.
func Start(ctx context.Context, o Options) (_ *Machine, err error) {
	m := &Machine{Options: o}
	defer func() {
		if err != nil {
			m.Stop()
		}
	}()
	if m.Root, err = filepath.Abs(o.Root); err != nil {
		return nil, err
	}
	if m.Dir, err = filepath.Abs(o.Dir); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(m.Dir, 0o700); err != nil {
		return nil, err
	}
	if m.tools, err = build(ctx, m.Root); err != nil {
		return nil, err
	}
	if m.postgres, err = newPostgres(ctx, filepath.Join(m.Dir, "postgresql")); err != nil {
		return nil, err
	}
	if m.broker, err = newBroker(ctx, m); err != nil {
		return nil, err
	}
	if m.control, err = newControl(m); err != nil {
		return nil, err
	}
	m.Postgres = m.process("postgresql", m.postgres.command, m.postgres.ready)
	m.Postgres.again = true
	m.Broker = m.process("broker", m.broker.command, m.broker.ready)
	m.Sentry = m.process("sentry", m.control.sentry, m.control.sentryReady)
	m.Placement = m.process("placement", m.control.placement, m.control.placementReady)
	m.Scheduler = m.process("scheduler", m.control.scheduler, m.control.schedulerReady)
	if err := together(ctx, m.Postgres, m.Broker, m.Sentry); err != nil {
		return nil, err
	}
	return m, together(ctx, m.Placement, m.Scheduler) // which need a certificate of sentry's
}

// BrokerName tells which broker is running, with its version.
func (m *Machine) BrokerName() string { return m.broker.name }

// BrokerAddress is where it listens.
func (m *Machine) BrokerAddress() string { return address(m.broker.port) }

// process is a server of this machine's; its log is <dir>/log/<name>.log.
func (m *Machine) process(name string, command func() command, ready func(context.Context) error) *Process {
	p := &Process{Name: name, LogFile: filepath.Join(m.Dir, "log", name+".log"), command: command, ready: ready}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.all = append(m.all, p)
	return p
}

// together starts processes at once and waits until each is ready.
func together(ctx context.Context, processes ...*Process) error {
	errs := make([]error, len(processes))
	var started sync.WaitGroup
	for i, p := range processes {
		started.Go(func() { errs[i] = p.Start(ctx) })
	}
	started.Wait()
	return errors.Join(errs...)
}

// Stop ends everything in order, sidecars before what they depend on, and returns when nothing is left.
func (m *Machine) Stop() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := len(m.all) - 1; i >= 0; i-- {
		m.all[i].Stop()
	}
}

// address is host and port of a server here.
func address(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }

// PostgresAddress is where the database server listens.
func (m *Machine) PostgresAddress() string { return address(m.postgres.port) }
