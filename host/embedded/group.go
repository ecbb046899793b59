package embedded

import (
	"database/sql/driver"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/docket-tasks/docket/host"
)

const (
	// maxInFlight is how many messages a group handles at once, each of another key.
	maxInFlight = 256
	// maxWindow is how many unhandled messages a group holds in memory; it reads on from the log below half of it.
	maxWindow = 4096
	// parkAfter is how often a message fails before it is parked.
	parkAfter = 3

	firstBackoff = 10 * time.Millisecond
	maxBackoff   = time.Minute
)

// group is one consumer group: a service's subscription to a topic.
//
// A durable (Shared) one reads the log. Its messages up to loaded are in memory or done with; those up to head exist.
// The window holds what is loaded and not yet handled or parked, in log order, so its first entry bounds low, the mark
// from which a restart goes on. Each key has a lane, handled one message at a time.
//
// An Every group has only lanes: it takes what is published, newest on, and drops what does not fit.
type group struct {
	bus            *bus
	service, topic string
	name           string
	durable        bool
	handle         func(d *delivery) error
	count          deliveryCounts
	lag            atomic.Int64
	parkedCount    atomic.Int64

	persisted, writing int64 // the writer's: the mark in the database, the one in its open transaction

	mu      sync.Mutex
	head    int64
	loaded  int64
	low     int64
	window  fifo[*delivery]
	waiting int // deliveries in lanes that are not parked
	lanes   map[string]*lane
	ready   []*lane
	running int
	loading bool
	stopped bool
	// restored are the messages parked by an earlier run. One that ended before its mark was written left them in the
	// log as well.
	restored map[int64]struct{}
}

// lane is the messages of one key, first to last.
type lane struct {
	key      string
	queue    fifo[*delivery]
	parked   bool // its messages are in the parked table, or on the way there
	failures int
	retry    *time.Timer
	busy     bool // ready, running or waiting for retry
}

// delivery is one message on its way through a group.
type delivery struct {
	seq     int64
	message *message // nil while only the parked table has it
	state   deliveryState
	handled bool
	repeat  bool // an extra one, made by Disorder
}

type deliveryState int

const (
	logged  deliveryState = iota // the log has it, the window counts it
	parking                      // its row is being written
	parked                       // the parked table has it
)

func newGroup(b *bus, service string, s host.Subscription) (*group, error) {
	g := &group{
		bus: b, service: service, topic: s.Topic, name: service + "/" + s.Topic, durable: s.Mode == host.Shared,
		lanes: map[string]*lane{}, restored: map[int64]struct{}{},
	}
	ctx := background(b.node.handling)
	g.handle = func(d *delivery) (err error) {
		defer func() {
			if p := recover(); p != nil {
				b.node.log.Error("message handler panicked", "group", g.name, "event_id", d.message.ID, "panic", p, "stack", string(debug.Stack()))
				err = fmt.Errorf("the handler panicked: %v", p)
			}
		}()
		return s.Handle(ctx, d.message.Message)
	}
	var err error
	g.count, err = b.node.metrics.group(g)
	return g, err
}

// restore puts a parked message of an earlier run into its lane.
func (g *group) restore(seq int64, key string) {
	l := g.lane(key)
	l.parked = true
	l.queue.push(&delivery{seq: seq, state: parked})
	g.restored[seq] = struct{}{}
	g.parkedCount.Add(1)
}

// begin starts the deliveries of what is there.
func (g *group) begin() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, l := range g.lanes {
		g.wake(l)
	}
	g.loadMore()
	g.dispatch()
}

func (g *group) stop() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.stopped = true
	for _, l := range g.lanes {
		if l.retry != nil {
			l.retry.Stop()
		}
	}
}

// append takes a message just committed: at once if the group is up with the log, otherwise it will be read.
func (g *group) append(m *message) {
	g.mu.Lock()
	defer g.mu.Unlock()
	upToDate := g.loaded == g.head
	g.head = m.seq
	if g.stopped {
		return
	}
	if !g.durable {
		if g.waiting >= maxWindow {
			g.count.dropped.Inc()
			return
		}
		g.enqueue(&delivery{seq: m.seq, message: m})
		g.dispatch()
		return
	}
	g.lag.Add(1)
	if upToDate && g.waiting < maxWindow {
		g.take(m)
		g.loaded = m.seq
		g.dispatch()
	} else {
		g.loadMore()
	}
}

// take puts a message of the log into the window and its lane.
func (g *group) take(m *message) {
	if _, twice := g.restored[m.seq]; twice {
		g.lag.Add(-1)
		return
	}
	d := &delivery{seq: m.seq, message: m}
	g.window.push(d)
	g.enqueue(d)
}

func (g *group) lane(key string) *lane {
	l := g.lanes[key]
	if l == nil {
		l = &lane{key: key}
		g.lanes[key] = l
	}
	return l
}

func (g *group) enqueue(d *delivery) {
	l := g.lane(d.message.Key)
	l.queue.push(d)
	g.waiting++
	if l.parked {
		g.park(l)
	}
	g.wake(l)
}

// wake makes the lane ready unless it is under way already.
func (g *group) wake(l *lane) {
	if l.busy || l.queue.len() == 0 {
		return
	}
	l.busy = true
	g.ready = append(g.ready, l)
}

// dispatch starts workers for the lanes that are ready.
func (g *group) dispatch() {
	for g.running < maxInFlight && len(g.ready) > 0 && !g.stopped {
		g.running++
		g.bus.handlers.Add(1)
		l := g.next()
		g.bus.node.crew.run(func() { g.work(l) })
	}
}

// next takes a ready lane: the first, or any under Disorder.
func (g *group) next() *lane {
	if n := len(g.ready); g.bus.node.disorder && n > 1 {
		i := rand.IntN(n)
		g.ready[0], g.ready[i] = g.ready[i], g.ready[0]
	}
	l := g.ready[0]
	g.ready[0] = nil
	g.ready = g.ready[1:]
	return l
}

// work handles ready lanes one after the other, one message of each.
func (g *group) work(l *lane) {
	defer g.bus.handlers.Done()
	g.mu.Lock()
	defer g.mu.Unlock()
	for l != nil {
		d := l.queue.at(0)
		g.mu.Unlock()
		err := g.deliver(d)
		g.mu.Lock()
		g.settle(l, d, err)
		l = nil
		if len(g.ready) > 0 && !g.stopped {
			l = g.next()
		}
	}
	g.running--
}

// deliver calls the handler and, for a permanent error, writes the dead letter. A nil error means: done with.
func (g *group) deliver(d *delivery) error {
	n := g.bus.node
	if d.message == nil {
		m, err := g.fetchParked(d.seq)
		if err != nil {
			return fmt.Errorf("read parked message: %w", err)
		}
		d.message = m
	}
	if g.durable {
		n.failAt(stepDeliver)
	}
	err := g.handle(d)
	switch {
	case err == nil:
		g.count.ok.Inc()
		if g.durable {
			n.failAt(stepHandled)
		}
		return nil
	case !g.durable:
		g.count.failed.Inc()
		n.log.Warn("message not handled, it is not repeated", "group", g.name, "event_id", d.message.ID, "error", err)
		return nil
	case host.IsPermanent(err):
		return g.bury(d, err)
	}
	g.count.failed.Inc()
	return err
}

// settle is what follows a delivery; g.mu is held.
func (g *group) settle(l *lane, d *delivery, err error) {
	l.busy = false
	if err == nil {
		l.queue.pop()
		l.failures = 0
		if g.bus.node.disorder && g.durable && !d.repeat && rand.IntN(4) == 0 {
			g.repeat(d.message)
		}
		g.done(d)
		if l.queue.len() > 0 {
			g.wake(l)
			return
		}
		if l.parked {
			g.bus.node.log.Info("a key is delivered again", "group", g.name)
		}
		delete(g.lanes, l.key)
		return
	}
	l.failures++
	if l.failures >= parkAfter && g.durable && !l.parked {
		g.bus.node.log.Warn("message keeps failing, it waits aside", "group", g.name, "event_id", d.message.ID, "error", err)
		l.parked = true
		g.park(l)
	}
	l.busy = true
	if g.stopped {
		return
	}
	l.retry = time.AfterFunc(backoff(l.failures), func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		l.busy = false
		g.wake(l)
		g.dispatch()
	})
}

// done forgets a handled delivery and moves the mark; g.mu is held.
func (g *group) done(d *delivery) {
	d.handled = true
	if d.repeat {
		g.waiting--
		return
	}
	switch d.state {
	case logged:
		g.waiting--
		d.message = nil // the window may hold d for long, behind a slow one
		if g.durable {
			g.passedOne()
		}
	case parked:
		g.unpark(d.seq)
	case parking: // parked sees that it is handled
	}
}

// passedOne moves the mark over everything at the window's front that is handled or parked; g.mu is held.
func (g *group) passedOne() {
	g.lag.Add(-1)
	moved := false
	for g.window.len() > 0 {
		d := g.window.at(0)
		if !d.handled && d.state != parked {
			break
		}
		g.low = d.seq
		g.window.pop()
		moved = true
	}
	if moved {
		g.bus.node.writer.offsetMoved()
	}
	g.loadMore()
}

// lowMark is the sequence number up to which everything is handled or parked.
func (g *group) lowMark() int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.low
}

// passed is like lowMark, but counts what other topics have had meanwhile: the log up to last holds nothing for a group
// that is up with it.
func (g *group) passed(last int64) int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.window.len() == 0 && g.loaded == g.head {
		return last
	}
	return g.low
}

// loadMore reads on from the log where the group is behind and has room; g.mu is held.
func (g *group) loadMore() {
	if !g.durable || g.loading || g.stopped || g.loaded == g.head || g.waiting > maxWindow/2 {
		return
	}
	g.loading = true
	g.bus.handlers.Add(1)
	go g.load()
}

func (g *group) load() {
	defer g.bus.handlers.Done()
	g.mu.Lock()
	defer g.mu.Unlock()
	for !g.stopped && g.loaded < g.head && g.waiting <= maxWindow/2 {
		from, to := g.loaded, g.head
		g.mu.Unlock()
		messages, err := g.fetch(from, to, maxWindow/2)
		g.mu.Lock()
		if err != nil {
			g.bus.node.log.Warn("read messages", "group", g.name, "error", err)
			time.AfterFunc(time.Second, func() {
				g.mu.Lock()
				defer g.mu.Unlock()
				g.loadMore()
			})
			break
		}
		for _, m := range messages {
			g.take(m)
			g.loaded = m.seq
		}
		if len(messages) < maxWindow/2 {
			g.loaded = to
		}
		g.dispatch()
	}
	g.loading = false
}

// fetch reads the group's messages with from < seq ≤ to, at most limit.
func (g *group) fetch(from, to int64, limit int) ([]*message, error) {
	r, err := g.bus.node.readers.acquire(g.bus.node.handling)
	if err != nil {
		return nil, err
	}
	defer g.bus.node.readers.release(r)
	var messages []*message
	err = r.logs.query(func(row []driver.Value) error {
		messages = append(messages, &message{seq: integer(row[0]), Message: host.Message{
			Topic: g.topic, Key: text(row[1]), ID: text(row[2]), Data: blob(row[3]),
		}})
		return nil
	}, from, to, g.topic, int64(limit))
	return messages, err
}

// backoff is the pause after so many failures in a row: 10 ms, doubled each time up to a minute, ± a quarter.
func backoff(failures int) time.Duration {
	d := min(firstBackoff<<min(failures-1, 20), maxBackoff)
	return d*3/4 + rand.N(d/2)
}
