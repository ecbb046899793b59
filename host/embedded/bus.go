package embedded

import (
	"database/sql/driver"
	"fmt"
	"slices"
	"sync"

	"github.com/docket-tasks/docket/host"
)

// message is one row of the log.
type message struct {
	seq int64
	host.Message
}

// bus hands committed messages to the consumer groups.
type bus struct {
	node     *Node
	handlers sync.WaitGroup // running

	mu      sync.RWMutex
	started bool
	topics  map[string][]*group
	groups  []*group // the durable ones
	trimmed map[string]int64
	// absent are the marks of groups in the database that no service asks for now; their messages are kept.
	absent map[string]map[string]int64 // topic → group → low
	// fleeting are the topics that are only ever handed to who is connected: their messages need no log.
	fleeting map[string]bool
	last     int64 // sequence number of the last message published
}

func newBus(n *Node) *bus {
	return &bus{node: n, topics: map[string][]*group{}, trimmed: map[string]int64{}, absent: map[string]map[string]int64{}, fleeting: map[string]bool{}}
}

// start makes a group of each subscription and lets it take up where it was.
func (b *bus) start(services []host.Service) error {
	var groups []*group
	for _, s := range services {
		for _, sub := range s.Subscriptions {
			g, err := newGroup(b, s.Name, sub)
			if err != nil {
				return err
			}
			groups = append(groups, g)
		}
	}
	// The writer holds still meanwhile, so that no message falls between what is read and what is published.
	err := errClosed
	b.node.writer.between(func() { err = b.join(groups) })
	if err != nil {
		return err
	}
	for _, g := range groups {
		g.begin()
	}
	return nil
}

// join lets the groups take part from here on.
func (b *bus) join(groups []*group) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	w := b.node.writer
	b.last = w.last
	if err := b.load(w.db, groups); err != nil {
		return err
	}
	for _, g := range groups {
		b.topics[g.topic] = append(b.topics[g.topic], g)
		if g.durable {
			b.groups = append(b.groups, g)
		}
	}
	for topic, groups := range b.topics {
		b.fleeting[topic] = b.absent[topic] == nil && !slices.ContainsFunc(groups, func(g *group) bool { return g.durable })
	}
	b.started = true
	return nil
}

// logs tells whether the messages of a topic are kept until they are handled. Those that go only to who is connected
// at that moment ([host.Every]) are handed on from memory, and a restart forgets them anyway.
func (b *bus) logs(topic string) bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return !b.fleeting[topic]
}

// load reads and creates the groups' marks, and what is parked.
func (b *bus) load(db *conn, groups []*group) error {
	known := map[string]*group{}
	for _, g := range groups {
		if !g.durable {
			continue
		}
		if known[g.name] != nil {
			return fmt.Errorf("service %s subscribes twice to %s", g.service, g.topic)
		}
		known[g.name] = g
		if err := db.exec("INSERT OR IGNORE INTO groups (name, topic, low) VALUES (?, ?, 0)", g.name, g.topic); err != nil {
			return err
		}
	}
	err := db.query("SELECT name, topic, low FROM groups", func(row []driver.Value) error {
		name, topic, low := text(row[0]), text(row[1]), integer(row[2])
		if g := known[name]; g != nil {
			g.low, g.loaded, g.persisted, g.head = low, low, low, b.last
			return nil
		}
		b.node.log.Warn("nobody reads for a consumer group any more, its messages are kept", "group", name)
		if b.absent[topic] == nil {
			b.absent[topic] = map[string]int64{}
		}
		b.absent[topic][name] = low
		return nil
	})
	if err != nil {
		return err
	}
	for _, g := range known {
		n, err := db.number("SELECT count(*) FROM log WHERE topic = ? AND seq > ?", g.topic, g.low)
		if err != nil {
			return err
		}
		g.lag.Store(n)
		if n == 0 { // it need not read on from its mark
			g.loaded = g.head
		}
	}
	err = db.query("SELECT DISTINCT topic FROM log", func(row []driver.Value) error {
		b.trimmed[text(row[0])] = 0
		return nil
	})
	if err != nil {
		return err
	}
	err = db.query("SELECT grp, seq, key FROM parked ORDER BY seq", func(row []driver.Value) error {
		if g := known[text(row[0])]; g != nil {
			g.restore(integer(row[1]), text(row[2]))
		}
		return nil
	})
	if err != nil {
		return err
	}
	// The pages of the log are of no more use, and otherwise stay for as long as the cache does not need their place.
	return db.exec("PRAGMA shrink_memory")
}

// publish hands a committed message to its groups. Only the writer calls it, in the order of the log.
func (b *bus) publish(m *message) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	b.last = m.seq // the writer's alone; others read it through the writer
	if _, ok := b.trimmed[m.Topic]; !ok && !b.fleeting[m.Topic] {
		b.trimmed[m.Topic] = 0
	}
	for _, g := range b.topics[m.Topic] {
		g.append(m)
	}
}

// stop begins no further delivery.
func (b *bus) stop() {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for _, groups := range b.topics {
		for _, g := range groups {
			g.stop()
		}
	}
}

// writeLows writes the marks that have moved since they were last written.
func (b *bus) writeLows(update *stmt) (rows int, err error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for _, g := range b.groups {
		if g.writing = g.lowMark(); g.writing == g.persisted {
			continue
		}
		if err := update.exec(g.writing, g.name); err != nil {
			return rows, err
		}
		rows++
	}
	return rows, nil
}

// lowsWritten notes that the transaction with the marks is durable.
func (b *bus) lowsWritten() {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for _, g := range b.groups {
		if g.writing != 0 {
			g.persisted, g.writing = g.writing, 0
		}
	}
}

// trimChunk bounds how long one deletion keeps the writer.
const trimChunk = 5000

// trim deletes from the log what every group has passed, in the transaction of its commit, and tells whether some of
// it is left for another pass.
func (b *bus) trim(w *writer) (more bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.started {
		return false, nil
	}
	for topic, from := range b.trimmed {
		to := b.last
		for _, g := range b.topics[topic] {
			if g.durable {
				to = min(to, g.passed(b.last))
			}
		}
		for _, low := range b.absent[topic] {
			to = min(to, low)
		}
		if to <= from {
			continue
		}
		err := w.db.exec("DELETE FROM log WHERE seq IN (SELECT seq FROM log WHERE topic = ? AND seq <= ? ORDER BY seq LIMIT ?)",
			topic, to, int64(trimChunk))
		if err != nil {
			return false, err
		}
		left, err := w.db.number("SELECT count(*) FROM (SELECT 1 FROM log WHERE topic = ? AND seq <= ? LIMIT 1)", topic, to)
		if err != nil {
			return false, err
		}
		if left > 0 {
			more = true
		} else {
			b.trimmed[topic] = to
		}
	}
	return more, nil
}
