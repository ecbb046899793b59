package embedded

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// maxBatch is how many commits share one transaction and its fsync.
	maxBatch = 1024
	// linger is how long work that nobody waits for waits for company, from the last transaction on.
	linger = 2 * time.Millisecond
	// patienceEnds is how long it lets users go before it, who can leave no such pause. In a transaction it dirties pages of its
	// own, the same ones for one commit as for ten.
	patienceEnds = 10 * time.Millisecond
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
	creates    bool // all of the ops, and each only where nothing is
	messages   []*message
	jobs       []jobOp
	// note, if set, writes the host's own rows.
	note func(w *writer) error
	// background: nobody waits; it may linger, and let users go first.
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
	waiting    []*commit // of users
	background []*commit
	since      time.Time // when the first of the background came
	offsets    bool      // some group's low-water mark has moved
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
	rev, put, create, remove *stmt
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
		&w.sql.create: "INSERT INTO state (key, value, rev, expires) VALUES (?, ?, ?, ?)" +
			" ON CONFLICT (key) DO UPDATE SET value = excluded.value, rev = excluded.rev, expires = excluded.expires WHERE state.expires <= ?",
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
	if c.background {
		if len(w.background) == 0 {
			w.since = time.Now()
		}
		w.background = append(w.background, c)
	} else {
		w.waiting = append(w.waiting, c)
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

// between runs fn between two transactions and returns true when it is done, or false at once when the writer is closing.
func (w *writer) between(fn func()) bool {
	done := make(chan struct{})
	w.mu.Lock()
	if w.closing {
		w.mu.Unlock()
		return false
	}
	w.pauses = append(w.pauses, func() {
		defer close(done)
		fn()
	})
	w.mu.Unlock()
	w.poke()
	<-done
	return true
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
		// Whoever has called is seldom the only one about to commit: those who can run do so first, and share the fsync.
		// Where nobody else can, this returns at once.
		runtime.Gosched()
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
	case len(w.waiting) > 0, len(w.background) >= enough, len(w.pauses) > 0, w.closing && len(w.background) > 0:
		return 0
	case len(w.background) > 0:
		return linger
	case w.offsets && !w.closing:
		return lazily
	}
	return forever
}

// take makes the next batch: all users, and the background where it is alone or has waited enough.
func (w *writer) take() {
	w.paused, w.pauses = w.pauses, w.paused[:0]
	w.batch = w.batch[:0]
	if len(w.paused) > 0 { // the commits come after
		return
	}
	alone := len(w.waiting) == 0
	w.waiting = w.takeFrom(w.waiting)
	if alone || len(w.background) >= enough || time.Since(w.since) >= patienceEnds {
		w.background = w.takeFrom(w.background)
	}
}

// takeFrom moves what fits into the batch and returns the rest of the queue.
func (w *writer) takeFrom(queue []*commit) []*commit {
	n := min(len(queue), maxBatch-len(w.batch))
	for _, c := range queue[:n] {
		if c.taken.CompareAndSwap(false, true) {
			w.batch = append(w.batch, c)
		}
	}
	rest := copy(queue, queue[n:])
	clear(queue[rest:])
	return queue[:rest]
}
