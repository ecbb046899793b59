package embedded

import (
	"database/sql/driver"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/docket-tasks/docket/host"
)

// park writes the lane's logged messages to the parked table, so that the mark can pass them; g.mu is held. Until that
// is durable they hold the mark, so a crash between brings them back from the log.
func (g *group) park(l *lane) {
	var batch []*delivery
	for i := range l.queue.len() {
		if d := l.queue.at(i); d.state == logged && !d.handled && !d.repeat {
			d.state = parking
			batch = append(batch, d)
		}
	}
	if len(batch) == 0 {
		return
	}
	g.bus.node.persist(func(w *writer) error {
		g.bus.node.failAt(stepPark)
		for _, d := range batch {
			m := d.message
			if err := w.sql.park.exec(g.name, d.seq, m.Topic, m.Key, m.ID, m.Data); err != nil {
				return err
			}
		}
		return nil
	}, func() { g.parked(l, batch) })
}

// parked notes that the batch is durable in the parked table.
func (g *group) parked(l *lane, batch []*delivery) {
	g.bus.node.failAt(stepParked)
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, d := range batch {
		d.state = parked
		g.waiting--
		g.parkedCount.Add(1)
		if d.handled {
			g.unpark(d.seq)
		} else if l.queue.at(0) != d {
			d.message = nil // a key that fails for long must not fill the memory
		}
		g.passedOne()
	}
}

// unpark removes a handled message from the parked table.
func (g *group) unpark(seq int64) {
	n := g.bus.node
	g.parkedCount.Add(-1)
	n.persist(func(w *writer) error {
		n.failAt(stepUnpark)
		return w.sql.unpark.exec(g.name, seq)
	}, nil)
}

var errNotParked = errors.New("the message is not in the parked table")

func (g *group) fetchParked(seq int64) (*message, error) {
	r, err := g.bus.node.readers.acquire(g.bus.node.handling)
	if err != nil {
		return nil, err
	}
	defer g.bus.node.readers.release(r)
	var m *message
	err = r.park.query(func(row []driver.Value) error {
		m = &message{seq: seq, Message: host.Message{Topic: text(row[0]), Key: text(row[1]), ID: text(row[2]), Data: blob(row[3])}}
		return nil
	}, g.name, seq)
	if err == nil && m == nil {
		err = errNotParked
	}
	return m, err
}

// bury writes the dead letter of a message that no repetition can mend. An error means it could not be written: the
// message then counts as failed and comes again.
func (g *group) bury(d *delivery, reason error) error {
	n := g.bus.node
	m := d.message
	err := n.persistNow(background(n.handling), func(w *writer) error {
		n.failAt(stepDeadLetter)
		return w.sql.bury.exec(g.service, d.seq, m.Topic, m.Key, m.ID, m.Data, reason.Error(), time.Now().UnixMilli())
	})
	if err != nil {
		return errors.Join(reason, err)
	}
	n.failAt(stepDeadLettered)
	g.count.dead.Inc()
	n.log.Error("message is now a dead letter", "group", g.name, "event_id", m.ID, "error", reason)
	return nil
}

// repeat delivers m once more, some time later, as the contract allows; g.mu is held.
func (g *group) repeat(m *message) {
	g.bus.handlers.Add(1)
	time.AfterFunc(rand.N(20*time.Millisecond), func() {
		defer g.bus.handlers.Done()
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.stopped {
			return
		}
		g.enqueue(&delivery{seq: m.seq, message: m, repeat: true})
		g.dispatch()
	})
}
