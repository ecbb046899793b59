package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/docket-tasks/docket/deploy/local"
)

// behind is a run behind Dapr: one installation with two replicas of backend, whose parts are killed and started again, one
// after the other and over and over, while clients write. What is verified is the same as on the embedded host.
type behind struct {
	*world
	machine *local.Machine
	docket  *local.Docket
	// outages are the longest times without an acknowledged change, by what was down.
	outages map[string]time.Duration
	kills   map[string]int
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
	b := &behind{world: w, machine: m, docket: d, outages: map[string]time.Duration{}, kills: map[string]int{}}
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
	b.forget()
	if err := b.verified(ctx); err != nil {
		return fmt.Errorf("final verification: %w", err)
	}
	for _, h := range b.histories {
		if wrong := h.replay(); len(wrong) > 0 {
			return violations(wrong)
		}
	}
	return nil
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

// under lets the clients write while do runs, until changes are acknowledged again; then everything is verified.
func (b *behind) under(ctx context.Context, name string, do func() error) error {
	b.tally.round()
	working, stop := context.WithCancel(ctx)
	defer stop()
	done := make(chan struct{})
	go func() {
		defer close(done)
		b.crowd.work(working, nil, b.api)
	}()
	err := do()
	if err == nil {
		err = b.serving(ctx)
	}
	stop()
	<-done
	if err != nil {
		return err
	}
	b.kills[name]++
	b.outages[name] = max(b.outages[name], b.ledger.outage())
	for _, r := range b.ledger.open() { // what nobody knows of is asked for again: it gives one task
		b.crowd.send(ctx, b.api, r)
	}
	if err := b.verified(ctx); err != nil {
		return err
	}
	b.meet()
	return nil
}

// serving waits until a change is acknowledged that began after this. After a long outage of the broker that takes its time: a
// thousand commits of each replica are to be published, those of one list one after the other.
func (b *behind) serving(ctx context.Context) error {
	acks, _, _ := b.ledger.counts()
	limit := 3 * b.patience
	for end := time.Now().Add(limit); time.Now().Before(end); {
		if now, _, _ := b.ledger.counts(); now > acks+b.clients {
			return nil
		}
		if err := wait(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
	return violation{kind: "outage", detail: fmt.Sprintf("no change is acknowledged %s after everything runs again", limit)}
}

// verified is verify, which may meet services that are just coming back.
func (b *behind) verified(ctx context.Context) error {
	limit := time.Now().Add(b.settle)
	for {
		_, err := b.verify(ctx)
		_, many := errors.AsType[violations](err)
		_, one := errors.AsType[violation](err)
		if err == nil || many || one || time.Now().After(limit) {
			return err
		}
		if err := wait(ctx, 200*time.Millisecond); err != nil {
			return err
		}
	}
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

// print writes the counts, and the longest outage of each kind.
func (b *behind) print(out io.Writer, took time.Duration) {
	acked, refused, unknown := b.ledger.counts()
	changes, occurrences, reminders := 0, 0, 0
	for _, h := range b.histories {
		changes += len(h.changes)
	}
	for _, f := range b.tally.worlds {
		occurrences, reminders = f.occurrences, f.reminders
	}
	total := 0
	for _, n := range b.kills {
		total += n
	}
	fmt.Fprintf(out, "%d kills and stops in %.0f s\n", total, took.Seconds())
	fmt.Fprintf(out, "requests: %d acknowledged, %d refused, %d without an answer that counts\n", acked, refused, unknown)
	fmt.Fprintf(out, "history: %d changes, %d of them occurrences made; %d reminders\n", changes, occurrences, reminders)
	fmt.Fprintln(out, "longest time without an acknowledged change, while something was away:")
	for _, name := range slices.Sorted(maps.Keys(b.outages)) {
		fmt.Fprintf(out, "%4d × %-40s %6.2f s\n", b.kills[name], name, b.outages[name].Seconds())
	}
}
