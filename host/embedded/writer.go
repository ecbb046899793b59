package embedded

import (
	"context"
	"database/sql/driver"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/docket-tasks/docket/host"
)

const (
	// maxBatch is how many commits share one transaction and its fsync.
	maxBatch = 1024
	// linger is how long work that nobody waits for waits for company.
	linger = 2 * time.Millisecond
	// enough is when it need not wait any longer.
	enough = 64
	// lazily is how long a consumer group's offset may wait when nothing else is written. It only bounds what is
	// delivered again after a crash.
	lazily = 50 * time.Millisecond
	// lowsEvery is how often offsets ride along with other writes.
	lowsEvery = 10 * time.Millisecond

	anyRev   = -1 // whatever is there
	neverRev = -2 // an ETag that this host never gave out
)

// commit is one atomic change on its way through the writer: a service's transaction or the host's own bookkeeping.
type commit struct {
	ops        []op
	conditions bool
	messages   []*message
	jobs       []jobOp
	// note, if set, writes the host's own rows.
	note func(w *writer) error
	// background: nobody waits; it may linger.
	background bool
	// result gets the outcome of a service's commit, after that of the bookkeeping; done is called by the writer.
	result chan error
	done   func(error)

	taken atomic.Bool // by the writer, or given up by the caller
	err   error
}

type op struct {
	id      cacheKey
	key     string // with the service's prefix
	value   []byte
	remove  bool
	want    int64 // the revision that must be there, 0 for none, or anyRev
	rev     int64 // given by the writer
	expires int64
}

// writer owns the connection that writes.
type writer struct {
	node *Node
	db   *conn
	sql  statements
	last int64 // the last revision or sequence number given out

	mu         sync.Mutex
	waiting    []*commit
	foreground int  // of those waiting
	offsets    bool // some group's low-water mark has moved
	lowsAt     time.Time
	closing    bool
	wake       chan struct{}
	stopped    chan struct{}

	pauses []func()

	batch   []*commit          // the writer goroutine's, as all below
	written map[cacheKey]int64 // revisions written by this transaction so far: not in the cache yet
	expires map[cacheKey]int64
	paused  []func()
	rows    int // written by this run, roughly
	logged  int // messages among them
}

type statements struct {
	begin, commit, rollback  *stmt
	rev, put, remove         *stmt
	log, low                 *stmt
	schedule, cancel, finish *stmt
	park, unpark, bury       *stmt
}

func newWriter(n *Node, db *conn, epoch int64) (*writer, error) {
	w := &writer{
		node: n, db: db, last: epoch << 40,
		wake: make(chan struct{}, 1), stopped: make(chan struct{}),
		written: map[cacheKey]int64{}, expires: map[cacheKey]int64{},
	}
	for into, sql := range map[**stmt]string{
		&w.sql.begin:    "BEGIN IMMEDIATE",
		&w.sql.commit:   "COMMIT",
		&w.sql.rollback: "ROLLBACK",
		&w.sql.rev:      "SELECT rev, expires FROM state WHERE key = ?",
		&w.sql.put: "INSERT INTO state (key, value, rev, expires) VALUES (?, ?, ?, ?)" +
			" ON CONFLICT (key) DO UPDATE SET value = excluded.value, rev = excluded.rev, expires = excluded.expires",
		&w.sql.remove: "DELETE FROM state WHERE key = ?",
		&w.sql.log:    "INSERT INTO log (seq, topic, key, id, data) VALUES (?, ?, ?, ?, ?)",
		&w.sql.low:    "UPDATE groups SET low = ? WHERE name = ?",
		&w.sql.schedule: "INSERT INTO jobs (key, due, rev, data) VALUES (?, ?, ?, ?)" +
			" ON CONFLICT (key) DO UPDATE SET due = excluded.due, rev = excluded.rev, data = excluded.data",
		&w.sql.cancel: "DELETE FROM jobs WHERE key = ?",
		&w.sql.finish: "DELETE FROM jobs WHERE key = ? AND rev = ?",
		&w.sql.park:   "INSERT OR IGNORE INTO parked (grp, seq, topic, key, id, data) VALUES (?, ?, ?, ?, ?, ?)",
		&w.sql.unpark: "DELETE FROM parked WHERE grp = ? AND seq = ?",
		&w.sql.bury: "INSERT OR IGNORE INTO dead_letters (service, seq, topic, key, id, data, reason, at)" +
			" VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
	} {
		var err error
		if *into, err = db.prepare(sql); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// submit hands c to the writer; it tells false once the writer takes no more.
func (w *writer) submit(c *commit) bool {
	w.mu.Lock()
	if w.closing {
		w.mu.Unlock()
		return false
	}
	w.waiting = append(w.waiting, c)
	if !c.background {
		w.foreground++
	}
	w.mu.Unlock()
	w.poke()
	return true
}

// offsetMoved asks for the groups' low-water marks to be written some time soon.
func (w *writer) offsetMoved() {
	w.mu.Lock()
	first := !w.offsets
	w.offsets = true
	w.mu.Unlock()
	if first {
		w.poke()
	}
}

// between runs fn between two transactions and returns when it is done.
func (w *writer) between(fn func()) {
	done := make(chan struct{})
	w.mu.Lock()
	if w.closing {
		w.mu.Unlock()
		return
	}
	w.pauses = append(w.pauses, func() {
		defer close(done)
		fn()
	})
	w.mu.Unlock()
	w.poke()
	<-done
}

func (w *writer) poke() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// close writes what waits and ends the goroutine.
func (w *writer) close() {
	w.mu.Lock()
	w.closing = true
	w.mu.Unlock()
	w.poke()
	<-w.stopped
}

func (w *writer) loop() {
	defer close(w.stopped)
	for w.collect() {
		for _, pause := range w.paused {
			pause()
		}
		clear(w.paused)
		if len(w.batch) > 0 || len(w.paused) == 0 {
			w.run(w.batch)
		}
	}
	w.node.failAt(stepShutdown)
	w.run(nil)
	w.node.failAt(stepShutdownWrote)
}

// collect waits until there is something to write and takes it; false means the writer is closing and all is written.
func (w *writer) collect() bool {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	var since time.Time // when the work that may linger was first seen
	for {
		w.mu.Lock()
		patience := w.patience()
		if patience == 0 || (!since.IsZero() && time.Since(since) >= patience) {
			w.take()
			w.mu.Unlock()
			return true
		}
		if w.closing {
			w.mu.Unlock()
			return false
		}
		w.mu.Unlock()
		switch {
		case patience == forever:
			timer.Reset(time.Hour)
		case since.IsZero():
			since = time.Now()
			timer.Reset(patience)
		default:
			timer.Reset(patience - time.Since(since))
		}
		select {
		case <-w.wake:
		case <-timer.C:
		}
	}
}

const forever = time.Duration(1<<63 - 1)

// patience is how long what waits may go on waiting, 0 if not at all.
func (w *writer) patience() time.Duration {
	switch {
	case w.foreground > 0, len(w.waiting) >= enough, len(w.pauses) > 0, w.closing && len(w.waiting) > 0:
		return 0
	case len(w.waiting) > 0:
		return linger
	case w.offsets && !w.closing:
		return lazily
	}
	return forever
}

func (w *writer) take() {
	w.paused, w.pauses = w.pauses, w.paused[:0]
	w.batch = w.batch[:0]
	if len(w.paused) > 0 { // the commits come after
		return
	}
	n := min(len(w.waiting), maxBatch)
	for _, c := range w.waiting[:n] {
		if !c.background {
			w.foreground--
		}
		if c.taken.CompareAndSwap(false, true) {
			w.batch = append(w.batch, c)
		}
	}
	rest := copy(w.waiting, w.waiting[n:])
	clear(w.waiting[rest:])
	w.waiting = w.waiting[:rest]
	if rest > 0 {
		w.poke()
	}
}

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
	w.node.bus.lowsWritten()
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
	if c.conditions {
		for i := range c.ops {
			ok, err := w.holds(&c.ops[i], now)
			if err != nil {
				return 0, err
			}
			if !ok {
				c.err = fmt.Errorf("%s: %w", c.ops[i].id.key, host.ErrConflict)
				return 0, nil
			}
		}
	}
	for i := range c.ops {
		if err := w.write(&c.ops[i]); err != nil {
			return 0, err
		}
	}
	for _, m := range c.messages {
		w.last++
		m.seq = w.last
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
	w.written[o.id] = o.rev
	var expires driver.Value
	if o.expires != 0 {
		w.expires[o.id] = o.expires
		expires = o.expires
	} else if len(w.expires) > 0 {
		delete(w.expires, o.id)
	}
	return w.sql.put.exec(o.key, o.value, o.rev, expires)
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
