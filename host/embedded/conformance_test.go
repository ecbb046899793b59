package embedded

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/host/hosttest"
)

// The embedded host keeps the contract, with deliveries as they come and with deliveries in disorder.
//
// [Task]: T019, T020, T021
func TestConformance(t *testing.T) {
	for name, disorder := range map[string]bool{"Orderly": false, "Disorder": true} {
		t.Run(name, func(t *testing.T) {
			hosttest.Run(t, func(t *testing.T) hosttest.Cluster {
				c := &cluster{dir: t.TempDir(), disorder: disorder}
				t.Cleanup(func() { c.end(t) })
				return c
			})
		})
	}
}

// cluster implements hosttest.Cluster. A kill is a copy of the files as they are between two transactions, while all
// that is in memory goes on knowing nothing of it; the kills inside a transaction are in crash_test.go.
type cluster struct {
	disorder bool

	mu   sync.Mutex
	dir  string
	node *Node
}

func (c *cluster) current() *Node {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.node
}

func (c *cluster) Start(t *testing.T, services ...host.Service) {
	t.Helper()
	n, err := Open(t.Context(), Options{Dir: c.dir, Disorder: c.disorder, Version: "test", Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	c.mu.Lock()
	c.node = n
	c.mu.Unlock()
	if err := n.Start(t.Context(), services...); err != nil {
		t.Fatal(err)
	}
}

func (c *cluster) Host(service string) host.Host { return c.current().Host(service) }

func (c *cluster) Stop(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
	defer cancel()
	if err := c.current().Close(ctx); err != nil {
		t.Error(err)
	}
}

// end closes what a test leaves open; handlers that hang on until they are cancelled are its own affair.
func (c *cluster) end(t *testing.T) {
	if n := c.current(); n != nil {
		ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
		cancel()
		if err := n.Close(ctx); err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
}

func (c *cluster) Kill(t *testing.T) {
	t.Helper()
	n, next := c.current(), t.TempDir()
	n.writer.between(func() {
		for _, name := range []string{databaseName, databaseName + "-wal"} { // in this order: see keeper.passive
			if err := copyFile(filepath.Join(c.dir, name), filepath.Join(next, name)); err != nil {
				t.Error(err)
			}
		}
		n.writer.mu.Lock() // nothing is acknowledged any more
		defer n.writer.mu.Unlock()
		n.writer.closing = true
		for _, w := range slices.Concat(n.writer.waiting, n.writer.background) {
			if w.result != nil && w.taken.CompareAndSwap(false, true) {
				w.result <- errClosed
			}
		}
		n.writer.waiting, n.writer.background = nil, nil
	})
	c.mu.Lock()
	c.dir = next
	c.mu.Unlock()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	cancel()
	if err := n.Close(ctx); err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func copyFile(from, to string) error {
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, b, 0o600)
}

// Outage lets SQLite refuse to write.
func (c *cluster) Outage(t *testing.T) (end func()) {
	t.Helper()
	set := func(sql string) {
		n := c.current()
		n.writer.between(func() {
			if err := n.writer.db.exec(sql); err != nil {
				t.Error(err)
			}
		})
	}
	set("PRAGMA query_only = 1")
	return func() { set("PRAGMA query_only = 0") }
}

func (c *cluster) DeadLetters(t *testing.T, service, topic string) []host.Message {
	t.Helper()
	r, err := OpenReader(t.Context(), c.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var dead []host.Message
	err = r.DeadLetters(func(s string, m host.Message, _ string) error {
		if s == service && m.Topic == topic {
			dead = append(dead, m)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return dead
}
