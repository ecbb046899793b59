package outbox

import (
	"time"

	"github.com/docket-tasks/docket/host"
)

// maxRemoval is how many rows go in one transaction.
const maxRemoval = 128

// gather is how long what nobody waits for waits for its like: rows that are carried, to be removed together, and jobs that are not due
// yet, which the scheduler writes together where they come together. Each costs a write to a disk that changes wait for.
const gather = 100 * time.Millisecond

// queue holds the commits that have messages of one key, or one job, in the order of their numbers. Only the first
// is handed on, once its outcome is known: a later one waits even if its own is known before.
type queue struct {
	name    string
	line    []*parcel
	running bool
}

// parcel is what one commit has in one queue: its messages of a key, or a job.
type parcel struct {
	entry    *entry
	messages []host.Message
	job      *host.Job
}

// enqueue puts e at the end of each of its queues; o.mu is held.
func (o *Outbox) enqueue(e *entry, c content) {
	for _, messages := range c.byKey() {
		o.line("message\x00"+messages[0].Topic+"\x00"+messages[0].Key, &parcel{entry: e, messages: messages})
	}
	for i := range c.Jobs {
		o.line("job\x00"+c.Jobs[i].Name, &parcel{entry: e, job: &c.Jobs[i]})
	}
}

// line puts p at the end of the queue of that name, made if need be.
func (o *Outbox) line(name string, p *parcel) {
	q := o.queues[name]
	if q == nil {
		q = &queue{name: name}
		o.queues[name] = q
	}
	q.line = append(q.line, p)
	p.entry.queues = append(p.entry.queues, q)
	p.entry.left++
}

// settle makes the outcome of e known.
func (o *Outbox) settle(e *entry, is outcome) {
	o.mu.Lock()
	defer o.mu.Unlock()
	e.outcome = is
	for _, q := range e.queues {
		o.pump(q)
	}
	if e.left == 0 && is == happened {
		o.remove(e)
	}
	if is == neverHappened {
		o.forget(e)
	}
}

// pump begins what can begin in q; o.mu is held.
func (o *Outbox) pump(q *queue) {
	for !q.running && len(q.line) > 0 {
		p := q.line[0]
		switch p.entry.outcome {
		case pending:
			return
		case neverHappened:
			o.pop(q)
		case happened:
			q.running = true
			o.loops.Go(func() { o.carry(q, p) })
			return
		}
	}
}

// pop takes the first out of q; o.mu is held.
func (o *Outbox) pop(q *queue) {
	q.line = q.line[1:]
	if len(q.line) == 0 {
		delete(o.queues, q.name)
	}
}

// carry hands on the first parcel of q, however long that takes.
func (o *Outbox) carry(q *queue, p *parcel) {
	if !o.again(func() error { return o.handOver(p) }) {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.pop(q)
	q.running = false
	if p.entry.left--; p.entry.left == 0 {
		o.remove(p.entry)
	}
	o.pump(q)
}

// again repeats try with back-off until it succeeds; false means that the process ends.
func (o *Outbox) again(try func() error) bool {
	for wait := 20 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		err := try()
		if err == nil {
			return true
		}
		o.Logger.Warn("not handed on yet, trying again", "error", err)
		if pause(o.background, wait) != nil {
			return false
		}
	}
}

func (o *Outbox) handOver(p *parcel) error {
	if p.job == nil {
		return o.publish(p.messages)
	}
	now := time.Now()
	if next := now.Truncate(gather).Add(gather); p.job.Due.After(next.Add(time.Second)) && pause(o.background, next.Sub(now)) != nil {
		return o.background.Err()
	}
	return o.schedule(*p.job)
}

func (o *Outbox) publish(messages []host.Message) error {
	err := o.Carrier.Publish(o.background, messages)
	o.count(err, len(messages), func(s *Stats) *uint64 { return &s.Published }, func(s *Stats) *uint64 { return &s.PublishErrors })
	if err == nil {
		o.Failpoint(stepPublished)
	}
	return err
}

func (o *Outbox) schedule(j host.Job) error {
	select {
	case o.scheduling <- struct{}{}:
	case <-o.background.Done():
		return o.background.Err()
	}
	err := o.Carrier.Schedule(o.background, j)
	<-o.scheduling
	o.count(err, 1, func(s *Stats) *uint64 { return &s.Scheduled }, func(s *Stats) *uint64 { return &s.ScheduleErrors })
	return err
}

func (o *Outbox) count(err error, n int, ok, failed func(*Stats) *uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err != nil {
		*failed(&o.stats)++
		return
	}
	o.handed = time.Now()
	*ok(&o.stats) += uint64(n)
}

// remove has the row of e deleted together with others that wait for it; o.mu is held.
func (o *Outbox) remove(e *entry) {
	o.removal = append(o.removal, e)
	if !o.busy {
		o.busy = true
		o.loops.Go(o.removeAll)
	}
}

func (o *Outbox) removeAll() {
	o.Failpoint(stepCarried)
	for {
		if pause(o.background, gather) != nil {
			return
		}
		o.mu.Lock()
		batch := o.removal[:min(len(o.removal), maxRemoval)]
		o.removal = o.removal[len(batch):]
		if len(batch) == 0 {
			o.busy = false
			o.mu.Unlock()
			return
		}
		o.mu.Unlock()
		ops := make([]host.Op, len(batch))
		for i, e := range batch {
			ops[i] = host.Delete(e.key())
		}
		if !o.again(func() error { return o.Store.Commit(o.background, ops) }) {
			return
		}
		o.Failpoint(stepRemoved)
		o.mu.Lock()
		for _, e := range batch {
			o.forget(e)
		}
		o.mu.Unlock()
	}
}

// forget gives the number of e up: it is settled, and nothing is left of it that a recoverer had to find; o.mu is held.
func (o *Outbox) forget(e *entry) {
	delete(e.lease.live, e.n)
	close(o.changed)
	o.changed = make(chan struct{})
	if l := o.lease; l != nil && l.next >= l.hi && l.live[l.hi-int64(o.Window)] == nil { // full, and its lowest number is finished
		o.ask()
	}
}
