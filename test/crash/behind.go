package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/docket-tasks/docket/deploy/local"
)

// behind is a run behind Dapr: one installation with two replicas of backend, whose parts are killed and started again, one
// after the other and over and over, while clients write. What is verified is the same as on the embedded host.
type behind struct {
	*siege
	machine *local.Machine
	docket  *local.Docket
}

// pace is the time between two waves of the clients: a hundred requests a second with 32 of them, which leaves the machine
// enough to start what was killed.
const pace = 300 * time.Millisecond

// runBehind is the whole test. The data stay where something was wrong.
func runBehind(ctx context.Context, o options) (err error) {
	if o.sabotage != "" && o.sabotage != forgetOutbox {
		return fmt.Errorf("-sabotage %q: behind Dapr there is only %s", o.sabotage, forgetOutbox)
	}
	if o.binary, err = filepath.Abs(o.binary); err != nil {
		return err
	}
	if _, err := os.Stat(o.binary); err != nil {
		return fmt.Errorf("%w: build it first (make build)", err)
	}
	dir, err := os.MkdirTemp("", "docket-crash-dapr-")
	if err != nil {
		return err
	}
	fmt.Fprintf(o.out, "data and logs in %s, seed %d\n", dir, o.seed)
	b, err := newBehind(ctx, o, dir)
	if err != nil {
		return fmt.Errorf("%w\nthe data and logs stay in %s", err, dir)
	}
	defer b.machine.Stop()
	began := time.Now()
	err = b.all(ctx)
	b.print(o.out, time.Since(began))
	if err != nil {
		return fmt.Errorf("%w\nthe data and logs stay in %s", err, dir)
	}
	b.machine.Stop()
	return os.RemoveAll(dir)
}

// newBehind starts everything and makes the users.
func newBehind(ctx context.Context, o options, dir string) (_ *behind, err error) {
	m, err := local.Start(ctx, local.Options{Root: o.root, Dir: dir, Broker: o.broker})
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			m.Stop()
		}
	}()
	space, err := m.Space(ctx, local.SpaceOptions{Name: "docket"})
	if err != nil {
		return nil, err
	}
	d, err := space.Docket(local.DocketOptions{Binary: o.binary, Replicas: map[string]int{"backend": 2}})
	if err != nil {
		return nil, err
	}
	if err := d.Start(ctx); err != nil {
		return nil, err
	}
	fmt.Fprintf(o.out, "%s; %s\n", m.BrokerName(), d.Count())
	w := &world{options: o, dir: dir, tally: newTally(), data: database{d}}
	b := &behind{siege: newSiege(w), machine: m, docket: d}
	return b, w.populate(ctx, d.Gateway(), d.OwnerTokenFile(), pace)
}

// part is something that can be away.
type part struct {
	name string
	down func()
	up   func(context.Context) error
	// away is how long it stays away at most.
	away time.Duration
}

// parts are all that a run takes away. A replica is chosen anew each time.
func (b *behind) parts() []part {
	killed := func(name string, p *local.Process) part { return part{name, p.Kill, p.Start, 2 * time.Second} }
	stopped := func(name string, p *local.Process) part { return part{name, p.Stop, p.Start, 6 * time.Second} }
	app := func(service string) part { return killed(service, b.docket.Running[service][0].App) }
	back := b.docket.Running["backend"]
	first, second := back[b.rand.IntN(2)], back[b.rand.IntN(2)]
	return []part{
		killed("backend", first.App),
		killed("backend's sidecar", second.Sidecar.Process),
		{"backend with its sidecar", first.Kill, first.Start, 2 * time.Second},
		app("recurring-task"), app("audit"), app("notification"),
		killed("audit's sidecar", b.docket.Running["audit"][0].Sidecar.Process),
		killed("scheduler", b.machine.Scheduler),
		stopped("broker, stopped", b.machine.Broker), killed("broker", b.machine.Broker),
		stopped("database, stopped", b.machine.Postgres), killed("database", b.machine.Postgres),
	}
}

// all goes through every part in turn and the steps of the outbox, then takes away parts at random, and at last the broker
// for as long as -outage says.
func (b *behind) all(ctx context.Context) error {
	if b.sabotage == forgetOutbox {
		return b.withoutRecovery(ctx)
	}
	names := len(b.parts())
	for i := range b.rounds {
		k := i
		if i >= names {
			k = b.rand.IntN(names)
		}
		if err := b.round(ctx, i, b.parts()[k]); err != nil {
			return err
		}
	}
	for i, s := range armed {
		if err := b.stepRound(ctx, b.rounds+i, s); err != nil {
			return err
		}
	}
	if b.outage > 0 {
		long := part{fmt.Sprintf("broker for %s", b.outage), b.machine.Broker.Stop, b.machine.Broker.Start, b.outage}
		if err := b.round(ctx, b.rounds+len(armed), long); err != nil {
			return err
		}
	}
	return b.finally(ctx)
}

// round takes a part away under load, brings it back and verifies everything.
func (b *behind) round(ctx context.Context, n int, p part) error {
	began := time.Now()
	err := b.under(ctx, p.name, func() error {
		if err := wait(ctx, b.upTo(1500*time.Millisecond)); err != nil {
			return err
		}
		b.ledger.resume()
		p.down()
		away := b.upTo(p.away)
		if p.away == b.outage {
			away = p.away
		}
		if err := errors.Join(wait(ctx, away), p.up(ctx)); err != nil {
			return err
		}
		return wait(ctx, time.Second)
	})
	if err != nil {
		return fmt.Errorf("round %d, %s: %w", n+1, p.name, err)
	}
	fmt.Fprintf(b.out, "round %d: %s (%.1f s)\n", n+1, p.name, time.Since(began).Seconds())
	return nil
}

func (b *behind) upTo(d time.Duration) time.Duration { return time.Duration(b.rand.Int64N(int64(d))) }

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
