// Package outbox is the protocol by which a commit to a plain key-value store also publishes: exactly when the commit
// happened, at least once, whichever process dies when. It knows neither the store nor the broker: see [Store] and
// [Carrier]. DESIGN.md in the folder above states the protocol, its invariants and what each crash leads to.
//
// [Task]: T020
package outbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/docket-tasks/docket/host"
)

// Store is a key-value store with atomic transactions. Get returns one item for each key, in the order asked for,
// never older than what was acknowledged before; of several keys it may call some absent that are there, where the
// store is just breaking (no decision here rests on that: see DESIGN.md). Commit does all of ops or nothing: nil means that it happened,
// [host.ErrConflict] that a condition did not hold, [host.ErrUnavailable] and [host.ErrTooLarge] that it was refused and
// never will happen; any other error means that nobody knows, and it may even still happen later.
type Store interface {
	Get(ctx context.Context, keys []string) ([]host.Item, error)
	Commit(ctx context.Context, ops []host.Op) error
}

// Carrier hands on what has been committed. An error means that it may or may not have arrived; it is tried again.
type Carrier interface {
	// Publish takes the messages of one topic and key that one commit has, in their order.
	Publish(ctx context.Context, messages []host.Message) error
	Schedule(ctx context.Context, j host.Job) error
}

// Config says what an Outbox works with. Zero values mean what the field's comment says.
type Config struct {
	Store   Store
	Carrier Carrier
	// Owner names this replica in the slot row; it is never used twice.
	Owner string
	// Instance names this replica over all its starts, such as a pod's name and a port; two that run at once must not share it, or
	// each start costs the other its slot. What a former process of that name has left is recovered at once, before the first commit.
	Instance string
	// Slots is how many replicas there can be (64), Window how many commits may be unfinished at once (1,024).
	Slots, Window int
	// Lease is how long a slot row must stay unchanged before its owner is taken for dead (15 s).
	Lease time.Duration
	// Patience is how long Commit looks for the outcome of a transaction before it answers ErrUnknown, and how long
	// nothing may have been handed on for commits to wait where the window is full (5 s); after that they are refused.
	Patience time.Duration
	// Logger gets slot losses, recoveries and unknown outcomes; nil means slog.Default().
	Logger *slog.Logger
	// Failpoint, if set, is called at each step named in [Failpoints]; crash tests end the process there.
	Failpoint func(name string)
}

// Failpoints are the steps at which a process can be made to die: between each two that touch the world.
var Failpoints = []string{stepSend, stepCommitted, stepPublished, stepCarried, stepRemoved, stepFenced, stepVoided, stepRecovered}

const (
	stepSend      = "outbox-send"      // before the transaction
	stepCommitted = "outbox-committed" // it happened, the caller does not know yet
	stepPublished = "outbox-published" // the messages of one key are out
	stepCarried   = "outbox-carried"   // all of it is out, the row still there
	stepRemoved   = "outbox-removed"   // the row is gone
	stepFenced    = "outbox-fenced"    // another's slot is fenced
	stepVoided    = "outbox-voided"    // some of its window is void
	stepRecovered = "outbox-recovered" // all of it is recovered, the slot not free yet
)

func (c *Config) defaults() {
	if c.Slots == 0 {
		c.Slots = 64
	}
	if c.Window == 0 {
		c.Window = 1024
	}
	if c.Lease == 0 {
		c.Lease = 15 * time.Second
	}
	if c.Patience == 0 {
		c.Patience = 5 * time.Second
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Failpoint == nil {
		c.Failpoint = func(string) {}
	}
}

// Stats is what an operator wants to see of an Outbox.
type Stats struct {
	// Unfinished is how many numbers of the window are in use, Oldest how long the oldest of them has been.
	Unfinished int
	Oldest     time.Duration
	// Counts since the start.
	Published, PublishErrors, Scheduled, ScheduleErrors, Recovered, Voided, Unknown, SlotsLost, Full uint64
}

// Outbox is one replica's part of the protocol.
type Outbox struct {
	Config
	background context.Context // ends when the process has to forget everything
	cancel     context.CancelFunc
	loops      sync.WaitGroup
	move       chan struct{} // asks the beat for a wider window or another slot
	scheduling chan struct{} // bounds how many jobs are on their way at once

	mu      sync.Mutex
	closed  bool
	lease   *lease // nil while there is none
	queues  map[string]*queue
	changed chan struct{} // closed and replaced when an entry is done
	moved   chan struct{} // closed and replaced when the window has moved, or there is another lease or none
	handed  time.Time     // when a message or job was last handed on
	removal []*entry      // carried, their rows not deleted yet
	busy    bool          // a removal is under way
	stats   Stats
}

// lease is the right to use one slot's window. It is never used again once it is lost.
type lease struct {
	slot      int
	epoch     int64
	hi        int64     // numbers below are ours to use
	confirmed time.Time // the slot was ours at least until then
	next      int64
	live      map[int64]*entry
}

// entry is one commit that has taken its number and is not finished.
type entry struct {
	lease   *lease
	n       int64
	since   time.Time
	outcome outcome
	left    int // queues it still waits in
	queues  []*queue
}

type outcome int

const (
	pending outcome = iota
	happened
	neverHappened
)

func (e *entry) key() string { return rowKey(e.lease.slot, e.lease.epoch, e.n) }

// maxScheduling is how many jobs are handed to the carrier at once. Messages are not bounded: those that wait go together.
const maxScheduling = 64

// voidTTL is how long the traces of settled numbers stay: longer than any process can sleep on a transaction.
const voidTTL = 7 * 24 * time.Hour

// Open claims a slot and begins to watch the others. It waits for one as long as ctx allows.
func Open(ctx context.Context, c Config) (*Outbox, error) {
	c.defaults()
	o := &Outbox{Config: c, queues: map[string]*queue{}, move: make(chan struct{}, 1), scheduling: make(chan struct{}, maxScheduling), changed: make(chan struct{}), moved: make(chan struct{})}
	o.background, o.cancel = context.WithCancel(context.WithoutCancel(ctx))
	o.inherit()
	o.loops.Go(o.watch)
	for {
		err := o.claim(ctx)
		if err == nil {
			break
		}
		o.Logger.Warn("no slot yet, trying again", "error", err)
		if pause(ctx, o.Lease/10) != nil {
			o.cancel()
			o.loops.Wait()
			return nil, fmt.Errorf("claim a slot of the outbox: %w", err)
		}
	}
	o.loops.Go(o.beat)
	return o, nil
}

// Commit makes ops, messages and jobs happen as [host.State] promises. The messages of one key go out in the order in
// which their commits began. The transaction is not cancelled with ctx: half of the time nobody would know its outcome.
func (o *Outbox) Commit(ctx context.Context, ops []host.Op, messages []host.Message, jobs []host.Job) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%w: %w", host.ErrUnavailable, err)
	}
	c := content{Messages: messages, Jobs: jobs}
	row, err := encodeRow(rowEntry, c)
	if err != nil {
		return err
	}
	e, err := o.begin(ctx, c)
	if err != nil {
		return err
	}
	defer o.loops.Done()
	o.Failpoint(stepSend)
	err = o.Store.Commit(o.background, append(ops[:len(ops):len(ops)], host.Create(e.key(), row)))
	switch {
	case err == nil:
		o.Failpoint(stepCommitted)
		o.settle(e, happened)
		return nil
	case errors.Is(err, host.ErrConflict):
		o.settle(e, neverHappened)
		return o.doubt(e.lease, err)
	case errors.Is(err, host.ErrUnavailable), errors.Is(err, host.ErrTooLarge):
		o.settle(e, neverHappened)
		return err
	}
	return o.await(e, err)
}

// Ready tells whether a commit would be taken now; if not, its error is [host.ErrUnavailable]. Work that ends with a commit asks first.
func (o *Outbox) Ready() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	_, err := o.usable()
	return err
}

// usable is the lease whose next number is ours to use, or the full one with errFull; o.mu is held.
func (o *Outbox) usable() (*lease, error) {
	l := o.lease
	switch {
	case o.closed:
		return nil, fmt.Errorf("the host is shutting down: %w", host.ErrUnavailable)
	case l == nil:
		o.ask()
		return nil, fmt.Errorf("the outbox has lost its slot and takes another: %w", host.ErrUnavailable)
	case l.next >= l.hi:
		o.ask()
		return l, fmt.Errorf("%w, %d commits wait to be published: %w", errFull, len(l.live), host.ErrUnavailable)
	}
	return l, nil
}

var errFull = errors.New("the window is used up")

// hasRoom waits until the window of l moves on: while messages go out, those who come faster are slowed down, not refused. It
// returns false where ctx ends, or nothing has gone out for a while, as when the broker is away; o.mu is held, but not while it waits.
func (o *Outbox) hasRoom(ctx context.Context, l *lease) bool {
	for o.lease == l && !o.closed && l.next >= l.hi {
		still := o.handed // since when nothing has gone out although something could
		if e := l.live[l.lowest()]; e != nil && e.since.After(still) {
			still = e.since
		}
		moved, left := o.moved, o.Patience-time.Since(still)
		if left <= 0 {
			return false
		}
		o.mu.Unlock()
		patience := time.NewTimer(left)
		select {
		case <-moved:
		case <-patience.C:
		case <-ctx.Done():
		}
		patience.Stop()
		o.mu.Lock()
		if ctx.Err() != nil {
			return false
		}
		o.ask() // the last attempt to move the window may have failed
	}
	return true
}

// begin takes the next number of the window, puts the commit's messages in line and counts it in loops.
func (o *Outbox) begin(ctx context.Context, c content) (*entry, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	l, err := o.usable()
	for errors.Is(err, errFull) && o.hasRoom(ctx, l) {
		l, err = o.usable()
	}
	if errors.Is(err, errFull) {
		o.stats.Full++
	}
	if err != nil {
		return nil, err
	}
	e := &entry{lease: l, n: l.next, since: time.Now()}
	l.next++
	l.live[e.n] = e
	if l.hi-l.next < int64(o.Window)/2 {
		o.ask()
	}
	o.enqueue(e, c)
	o.loops.Add(1)
	return e, nil
}

// ask wakes the beat.
func (o *Outbox) ask() {
	select {
	case o.move <- struct{}{}:
	default:
	}
}

// await looks for the outcome of a transaction that ended with cause. After a while the caller is told that it is not
// known; the search goes on, for what happened has to be published all the same.
func (o *Outbox) await(e *entry, cause error) error {
	o.mu.Lock()
	o.stats.Unknown++
	o.mu.Unlock()
	o.Logger.Warn("the outcome of a transaction is not known, looking for it", "row", e.key(), "error", cause)
	found := make(chan outcome, 1)
	o.loops.Go(func() {
		is := o.resolve(e)
		if is != pending {
			o.settle(e, is)
		}
		found <- is
	})
	patience := time.NewTimer(o.Patience)
	defer patience.Stop()
	is := pending
	select {
	case is = <-found:
	case <-patience.C:
	}
	switch is {
	case happened:
		return nil
	case neverHappened:
		return fmt.Errorf("%w (%w)", host.ErrUnavailable, cause)
	}
	return fmt.Errorf("%w (%w)", host.ErrUnknown, cause)
}

// resolve finds out what became of e: whoever creates the row first decides. A void row keeps a transaction that is
// still on its way from ever happening. It is pending only where the process ends.
func (o *Outbox) resolve(e *entry) outcome {
	for wait := 20 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		is, err := o.decide(e)
		if is != pending {
			return is
		}
		o.Logger.Debug("the outcome of a transaction is still not known", "row", e.key(), "error", err)
		if pause(o.background, wait) != nil {
			return pending
		}
	}
}

// decide tries once.
func (o *Outbox) decide(e *entry) (outcome, error) {
	void, err := encodeRow(rowVoid, content{})
	if err != nil {
		return pending, err
	}
	err = o.Store.Commit(o.background, []host.Op{host.Create(e.key(), void).Expiring(voidTTL)})
	if err == nil {
		return neverHappened, nil
	}
	if !errors.Is(err, host.ErrConflict) {
		return pending, err
	}
	items, err := o.Store.Get(o.background, []string{e.key()})
	if err != nil {
		return pending, err
	}
	if !items[0].Exists() {
		return pending, errors.New("the row is neither there nor absent")
	}
	kind, _, err := decodeRow(items[0].Value)
	switch {
	case err != nil:
		return pending, err
	case kind == rowVoid:
		return neverHappened, nil
	}
	return happened, nil
}

// doubt looks whether a conflict came from the transaction's own conditions or from a fence: a replica that has slept
// meets the void of whoever took it for dead.
func (o *Outbox) doubt(l *lease, conflict error) error {
	o.mu.Lock()
	doubtful := o.lease != l || time.Since(l.confirmed) > o.Lease/2
	o.mu.Unlock()
	if !doubtful {
		return conflict
	}
	if o.renew(o.background, l); o.holds(l) {
		return conflict
	}
	return fmt.Errorf("the outbox has lost its slot: %w (%v)", host.ErrUnavailable, conflict) // which is none of the caller's
}

// Stats returns what there is to see now.
func (o *Outbox) Stats() Stats {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := o.stats
	if o.lease != nil {
		s.Unfinished = len(o.lease.live)
		for _, e := range o.lease.live {
			s.Oldest = max(s.Oldest, time.Since(e.since))
		}
	}
	return s
}

// Close takes no further commits, waits until those that have begun are finished, and frees the slot. When ctx ends first,
// the slot is left for another replica, which finishes them at once.
func (o *Outbox) Close(ctx context.Context) error {
	o.mu.Lock()
	if o.closed {
		o.mu.Unlock()
		return nil
	}
	o.closed = true
	o.tellMoved()
	o.mu.Unlock()
	err := o.finished(ctx)
	o.release(ctx)
	o.cancel()
	o.loops.Wait()
	return err
}

// finished waits for the end of every entry.
func (o *Outbox) finished(ctx context.Context) error {
	for {
		o.mu.Lock()
		left, changed := 0, o.changed
		if o.lease != nil {
			left = len(o.lease.live)
		}
		o.mu.Unlock()
		if left == 0 {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("%d commits are left for another replica to publish: %w", left, ctx.Err())
		}
	}
}

// Kill forgets everything at once, as the death of the process would; tests end with it.
func (o *Outbox) Kill() {
	o.mu.Lock()
	o.closed = true
	o.tellMoved()
	o.mu.Unlock()
	o.cancel()
	o.loops.Wait()
}

// pause waits, or returns the error of ctx if that ends first.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
