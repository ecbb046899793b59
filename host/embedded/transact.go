package embedded

import (
	"context"
	"database/sql/driver"
	"fmt"
	"runtime"
	"time"

	"github.com/docket-tasks/docket/host"
)

// run makes one transaction of the batch. When that fails, each commit is tried in a transaction of its own, so
// that one the database refuses takes no other with it.
func (w *writer) run(batch []*commit) {
	started := time.Now()
	err := w.transact(batch)
	if err != nil && len(batch) > 1 {
		for i := range batch {
			if e := w.transact(batch[i : i+1]); e != nil {
				batch[i].err = w.refused(e)
			}
			w.finish(batch[i : i+1])
		}
	} else {
		if err != nil && len(batch) == 1 {
			batch[0].err = w.refused(err)
		}
		if err != nil && len(batch) == 0 {
			w.node.log.Warn("offsets not written, messages may be repeated after a restart", "error", err)
		}
		w.finish(batch)
	}
	w.node.metrics.batch(len(batch), time.Since(started))
	clear(batch)
	w.node.keeper.wrote(w.rows, w.logged)
	w.rows, w.logged = 0, 0
}

// refused is the outcome of a commit whose transaction failed and was rolled back. After a failed flush its pages may
// still be on disk, and a crash would bring them back; another transaction written over them settles that it did not
// happen.
func (w *writer) refused(err error) error {
	if flushFailed(err) && w.fence() != nil {
		return fmt.Errorf("the disk that holds %s failed to flush: %w (%w)", w.node.dir, host.ErrUnknown, err)
	}
	return w.node.storeError(err)
}

// fence writes a page, which an update that changes nothing would not.
func (w *writer) fence() error {
	if err := w.sql.begin.exec(); err != nil {
		return err
	}
	if err := w.db.exec("UPDATE meta SET fences = fences + 1"); err != nil {
		return w.undo(err)
	}
	if err := w.sql.commit.exec(); err != nil {
		return w.undo(err)
	}
	return nil
}

// transact executes and commits the batch. An error means that it was rolled back; a conflict is no error but the
// outcome of the commit that has it.
func (w *writer) transact(batch []*commit) error {
	if err := w.sql.begin.exec(); err != nil {
		return err
	}
	clear(w.written)
	clear(w.expires)
	now := time.Now().UnixMilli()
	rows := 0
	for _, c := range batch {
		c.err = nil
		n, err := w.execute(c, now)
		if err != nil {
			return w.undo(err)
		}
		rows += n
	}
	lows, err := w.writeLows(len(batch) == 0)
	if err != nil {
		return w.undo(err)
	}
	w.node.failAt(stepCommit)
	if err := w.sql.commit.exec(); err != nil {
		return w.undo(err)
	}
	w.rows += rows + lows
	if lows > 0 { // otherwise what a transaction rolled back has left is not written
		w.node.bus.lowsWritten()
	}
	return nil
}

func (w *writer) undo(err error) error {
	_ = w.sql.rollback.exec() // SQLite may have rolled back itself
	w.mu.Lock()
	w.offsets = true
	w.mu.Unlock()
	return err
}

// writeLows writes the low-water marks that have moved, if it is time.
func (w *writer) writeLows(alone bool) (rows int, err error) {
	w.mu.Lock()
	now := time.Now()
	due := w.offsets && (alone || now.Sub(w.lowsAt) >= lowsEvery)
	if due {
		w.offsets, w.lowsAt = false, now
	}
	w.mu.Unlock()
	if !due {
		return 0, nil
	}
	if rows, err = w.node.bus.writeLows(w.sql.low); rows > 0 && err == nil {
		w.node.failAt(stepOffset)
	}
	return rows, err
}

// execute checks the conditions of c and, if they hold, writes its rows.
func (w *writer) execute(c *commit, now int64) (rows int, err error) {
	change := w.change
	if c.creates {
		change = w.create
	}
	taken, err := change(c, now)
	if err != nil {
		return 0, err
	}
	if taken != nil {
		c.err = fmt.Errorf("%s: %w", taken.id.key, host.ErrConflict)
		return 0, nil
	}
	for _, m := range c.messages {
		w.last++
		m.seq = w.last
		if !w.node.bus.logs(m.Topic) {
			continue
		}
		if err := w.sql.log.exec(m.seq, m.Topic, m.Key, m.ID, m.Data); err != nil {
			return 0, err
		}
	}
	for i := range c.jobs {
		if err := w.writeJob(&c.jobs[i]); err != nil {
			return 0, err
		}
	}
	if c.note != nil {
		if err := c.note(w); err != nil {
			return 0, err
		}
	}
	return len(c.ops) + len(c.messages) + len(c.jobs) + 1, nil
}

// change writes the items of c, or none of them where a condition does not hold: it then returns the operation that has it.
func (w *writer) change(c *commit, now int64) (conflict *op, err error) {
	if c.conditions {
		for i := range c.ops {
			o := &c.ops[i]
			if ok, err := w.holds(o, now); err != nil || !ok {
				return o, err
			}
		}
	}
	for i := range c.ops {
		if err := w.write(&c.ops[i]); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// create does the same for a commit that creates all it writes. Inserting tells whether there is an item, so none is looked
// for before: mostly there is none, and that is what no cache knows. Where there is one after all, those inserted before it are
// deleted, as they were not there.
func (w *writer) create(c *commit, now int64) (conflict *op, err error) {
	for i := range c.ops {
		o := &c.ops[i]
		w.last++
		o.rev = w.last
		inserted, err := w.sql.create.changes(o.key, o.value, o.rev, o.expiry(), now)
		if err != nil {
			return nil, err
		}
		if inserted {
			w.remember(o)
			continue
		}
		for k := range c.ops[:i] {
			if err := w.write(&op{id: c.ops[k].id, key: c.ops[k].key, remove: true}); err != nil {
				return nil, err
			}
		}
		return o, nil
	}
	return nil, nil
}

// holds tells whether the condition of o is met.
func (w *writer) holds(o *op, now int64) (bool, error) {
	if o.want == anyRev {
		return true, nil
	}
	rev, ok := w.written[o.id]
	expires := w.expires[o.id]
	if !ok {
		it, _, cached := w.node.cache.load(o.id)
		rev, expires = it.rev, it.expires
		if !cached {
			err := w.sql.rev.query(func(row []driver.Value) error {
				rev, expires = integer(row[0]), integer(row[1])
				return nil
			}, o.key)
			if err != nil {
				return false, err
			}
		}
	}
	if expires != 0 && expires <= now {
		rev = 0
	}
	return rev == o.want, nil
}

func (w *writer) write(o *op) error {
	if o.remove {
		w.written[o.id] = 0
		delete(w.expires, o.id)
		return w.sql.remove.exec(o.key)
	}
	w.last++
	o.rev = w.last
	w.remember(o)
	return w.sql.put.exec(o.key, o.value, o.rev, o.expiry())
}

// remember notes what this transaction has put, for the conditions of the commits after it.
func (w *writer) remember(o *op) {
	w.written[o.id] = o.rev
	if o.expires != 0 {
		w.expires[o.id] = o.expires
	} else if len(w.expires) > 0 {
		delete(w.expires, o.id)
	}
}

// expiry is what the column expires holds: nothing for an item that stays.
func (o *op) expiry() driver.Value {
	if o.expires == 0 {
		return nil
	}
	return o.expires
}

func (w *writer) writeJob(j *jobOp) error {
	key := j.service + "/" + j.intent.Name
	if j.intent.Cancel {
		return w.sql.cancel.exec(key)
	}
	w.last++
	j.rev = w.last
	return w.sql.schedule.exec(key, j.due, j.rev, j.intent.Data)
}

// finish makes the outcome of a transaction known: first to readers, then to those who wait, then to consumers.
func (w *writer) finish(batch []*commit) {
	if len(batch) == 0 {
		return
	}
	w.node.failAt(stepCommitted)
	for _, c := range batch {
		if c.err != nil {
			continue
		}
		for i := range c.ops {
			o := &c.ops[i]
			if o.remove {
				w.node.cache.store(o.id, item{})
			} else {
				w.node.cache.store(o.id, newItem(o.value, o.rev, o.expires))
			}
		}
	}
	for _, c := range batch {
		w.node.metrics.outcome(c.err)
		if c.result != nil {
			c.result <- c.err
		}
	}
	// What follows can wait until those who were told have answered. Without this it keeps them from the processor until another
	// is awake to take them over.
	runtime.Gosched()
	w.node.failAt(stepAcknowledged)
	for _, c := range batch {
		if c.err == nil {
			w.logged += len(c.messages)
			for _, m := range c.messages {
				w.node.bus.publish(m)
			}
			w.node.jobs.apply(c.jobs)
		}
		if c.done != nil {
			c.done(c.err)
		}
	}
}

// persist writes the host's own rows in the background, again and again until it succeeds or the host closes; then
// it calls done, unless nil, from the writer's goroutine.
func (n *Node) persist(note func(*writer) error, done func()) {
	n.persistAfter(note, done, 50*time.Millisecond)
}

func (n *Node) persistAfter(note func(*writer) error, done func(), again time.Duration) {
	c := &commit{note: note, background: true}
	c.done = func(err error) {
		if err != nil {
			n.log.Warn("bookkeeping not written, trying again", "error", err, "after", again)
			time.AfterFunc(again, func() { n.persistAfter(note, done, min(2*again, 10*time.Second)) })
			return
		}
		if done != nil {
			done()
		}
	}
	n.writer.submit(c)
}

// persistNow writes the host's own rows once and returns the outcome.
func (n *Node) persistNow(ctx context.Context, note func(*writer) error) error {
	c := &commit{note: note, background: inBackground(ctx), result: make(chan error, 1)}
	if !n.writer.submit(c) {
		return errClosed
	}
	return <-c.result
}
