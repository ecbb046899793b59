package backend

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"time"

	"github.com/google/uuid"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/event"
	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/host/combine"
	"github.com/docket-tasks/docket/services/backend/account"
	"github.com/docket-tasks/docket/task"
)

const (
	// maxBatch is how many changes of one list go out in one commit; each makes at most two events of two
	// messages, and a commit holds 128 messages.
	maxBatch  = 64
	maxEvents = 64
	// maxTries bounds how often a batch meets a conflict before its changes are refused.
	maxTries = 12
	// commitTime bounds one batch, from reading to the answer of the store.
	commitTime = 10 * time.Second
)

// change is one wish to change a list. The writer calls apply, perhaps several times, with what is there at
// that moment, and commits the effects of the last call.
type change struct {
	ctx   context.Context
	needs []string // ids of the tasks that apply looks at
	apply func(v *view) ([]effect, error)

	effects []effect // of the commit, or what apply returned where there was nothing to commit
	version int64    // the list's version after it
	err     error
}

// view is what a change sees: the list's head, its owner and the tasks it needs, with the effects of the
// changes before it in the batch.
type view struct {
	env     task.Env
	head    head
	records map[string]*record
}

// effect is one event: the task before (nil if it was not there) and after.
type effect struct {
	typ   event.Type
	actor event.Actor
	old   *record
	new   *record
	trace string // W3C trace context of the request
	// purge marks the removal of a deleted task for good: no event and no new version of the list.
	purge bool
}

// writer turns changes into commits: one queue per list, so that many writers of one list cost one commit.
type writer struct {
	state    host.State
	accounts *account.Store
	now      func() time.Time
	log      *slog.Logger
	metrics  *metrics
	queue    combine.Queue[string, *change]
}

func newWriter(st host.State, accounts *account.Store, now func() time.Time, log *slog.Logger, m *metrics) *writer {
	w := &writer{state: st, accounts: accounts, now: now, log: log, metrics: m}
	w.queue.Max = maxBatch
	w.queue.Run = w.run
	return w
}

// do carries out one change and returns its effects and the list's version after it.
func (w *writer) do(ctx context.Context, list string, needs []string, apply func(*view) ([]effect, error)) ([]effect, int64, error) {
	c := &change{ctx: ctx, needs: needs, apply: apply}
	w.queue.Do(list, c)
	return c.effects, c.version, c.err
}

// doAll carries out changes of one list in their order; each has its own outcome.
func (w *writer) doAll(list string, changes []*change) { w.queue.DoAll(list, changes) }

// run is the queue's callback: it commits a batch in as few commits as the limits allow.
func (w *writer) run(list string, batch []*change) {
	for len(batch) > 0 {
		n := w.commit(list, batch)
		batch = batch[n:]
	}
}

// commit settles the first changes of the batch and returns how many. Where they cannot be committed all of them
// fail, also those that were refused, or had nothing to do, in view of what did not happen.
func (w *writer) commit(list string, batch []*change) int {
	// The batch speaks for several requests: one of them going away must not fail the others.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(batch[0].ctx), commitTime)
	defer cancel()
	for try := range maxTries {
		n, err := w.try(ctx, list, batch)
		if err == nil {
			return n
		}
		if !errors.Is(err, host.ErrConflict) || try == maxTries-1 {
			for _, c := range batch[:n] {
				c.effects, c.version, c.err = nil, 0, err
			}
			return n
		}
		w.metrics.conflicts.Inc()
		jitter := time.Duration(rand.Int64N(int64(2*time.Millisecond) << min(try, 6)))
		select {
		case <-time.After(jitter):
		case <-ctx.Done():
		}
	}
	panic("unreachable: the last try returns")
}

// try reads, applies and commits once. It returns how many changes of the batch it has settled, or would
// have, had there been no error.
func (w *writer) try(ctx context.Context, list string, batch []*change) (int, error) {
	p, err := w.prepare(ctx, list, batch)
	if err != nil {
		return len(batch), err
	}
	n := p.applyAll(batch)
	if p.dirty() {
		tx, err := p.tx(ctx)
		if err != nil {
			return n, err
		}
		if err := w.state.Commit(ctx, tx); err != nil {
			return n, err
		}
		w.metrics.committed(p.effects)
		w.note(ctx, p)
	}
	return n, nil
}

// note logs what was committed: who changed which task how, never what is in it.
//
// [Task]: T035
func (w *writer) note(ctx context.Context, p *plan) {
	if !w.log.Enabled(ctx, slog.LevelInfo) {
		return
	}
	for i := range p.effects {
		e := &p.effects[i]
		if e.purge {
			w.log.InfoContext(ctx, "task_purged", "task_id", e.id(), "list_id", p.list)
			continue
		}
		w.log.InfoContext(edge.WithTrace(ctx, e.trace), "task_changed", "event_type", e.typ, "task_id", e.id(), "version", e.new.task.Version,
			"list_id", p.list, "user_id", p.owner.ID, "actor", e.actor.Kind)
	}
}

// prepare reads what the batch needs: first the head, then everything else. A bulk read is no snapshot, so only what
// is read after the head is sure not to be older than it: if it is newer, the head's ETag lets the commit fail.
func (w *writer) prepare(ctx context.Context, list string, batch []*change) (*plan, error) {
	first, err := w.state.GetBulk(ctx, []string{headKey(list), account.UserKey(ownerOf(list))})
	if err != nil {
		return nil, fmt.Errorf("read list %s: %w", list, err)
	}
	p := &plan{state: w.state, list: list, etag: first[0].ETag}
	if p.head, err = decodeHead(first[0]); err != nil {
		return nil, err
	}
	p.before = p.head
	if p.owner, err = w.accounts.Decode(first[1]); err != nil {
		return nil, fmt.Errorf("read owner of list %s: %w", list, err)
	}
	p.env = task.Env{Now: w.now(), Zone: p.owner.Zone(), Reminders: p.owner.ReminderMinutes}

	block, segment := p.head.Version/blockSize, max(p.head.Segments-1, 0)
	ids := needed(batch)
	keys := []string{logKey(list, block), segmentKey(list, segment)}
	for _, id := range ids {
		keys = append(keys, taskKey(id))
	}
	items, err := w.state.GetBulk(ctx, keys)
	if err != nil {
		return nil, fmt.Errorf("read tasks of list %s: %w", list, err)
	}
	p.logs, p.segments = holding(int(block), items[0].Value), holding(segment, items[1].Value)
	p.records = make(map[string]*record, len(ids))
	for i, id := range ids {
		if p.records[id], err = decodeRecord(items[2+i]); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// needed returns the ids of the tasks that the changes look at, each once.
func needed(batch []*change) []string {
	var ids []string
	seen := make(map[string]bool)
	for _, c := range batch {
		for _, id := range c.needs {
			if !seen[id] {
				seen[id] = true
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// plan is one attempt at a batch.
type plan struct {
	view
	state    host.State
	list     string
	owner    account.User
	etag     string // of the head
	before   head   // as read
	logs     rows   // the log's blocks from the one at the head's version on
	segments rows   // the list's segments from the last one on
	effects  []effect
}

func (p *plan) dirty() bool { return len(p.effects) > 0 }

// applyAll lets each change see the effects of those before it. One that is refused drops out alone. It
// stops before the commit would grow too large and returns how many changes it has dealt with.
func (p *plan) applyAll(batch []*change) int {
	for i, c := range batch {
		if len(p.effects) > maxEvents-2 {
			return i
		}
		c.effects, c.err = nil, nil
		if err := c.ctx.Err(); err != nil {
			c.err = err
			continue
		}
		effects, err := c.try(&p.view)
		if err != nil {
			c.err = err
			continue
		}
		c.effects = effects
		for j := range effects {
			c.effects[j].trace = edge.Trace(c.ctx)
			p.add(&c.effects[j])
		}
		c.version = p.head.Version
	}
	return len(batch)
}

// try applies the change. A panic in a rule fails this change alone, as it would where requests have goroutines of
// their own; in the queue's it would end the process, and everybody's changes with it.
func (c *change) try(v *view) (effects []effect, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic: %v\n%s", cause, debug.Stack())
		}
	}()
	return c.apply(v)
}

// add takes an effect into the plan: head, segment number, reminder jobs.
func (p *plan) add(e *effect) {
	if e.new == e.old { // nothing to do: the answer is what is there
		return
	}
	if e.purge {
		p.head.Purges++
	} else {
		p.head.Version++
	}
	if e.old == nil {
		if p.head.Segments == 0 || p.head.Last >= segmentSize {
			p.head.Segments++
			p.head.Last = 0
		}
		p.head.Last++
		e.new.Segment = p.head.Segments - 1
	}
	p.head.Live += weight(e.new) - weight(e.old)
	p.records[e.id()] = e.new
	p.effects = append(p.effects, *e)
}

func (e *effect) id() string {
	if e.purge {
		return e.old.task.ID
	}
	return e.new.task.ID
}

// weight is what a task counts for in the head's Live.
func weight(r *record) int {
	if r == nil || r.Purged || r.task.Status == task.Deleted {
		return 0
	}
	return 1
}

// tx writes the plan down: tasks, head, log, segments, both messages of each event, and the jobs.
func (p *plan) tx(ctx context.Context) (host.Tx, error) {
	var tx host.Tx
	version := p.before.Version
	for i := range p.effects {
		e := &p.effects[i]
		if e.purge {
			if err := p.leaveSegment(ctx, e); err != nil {
				return tx, err
			}
			continue
		}
		version++
		t := &e.new.task
		p.logs.add(int(version/blockSize), func(b []byte) []byte { return appendLog(b, logEntry{version, t.ID, t.Version}) })
		if e.old == nil {
			p.segments.add(e.new.Segment, func(b []byte) []byte { return appendID(b, t.ID) })
		}
		tx.Jobs = append(tx.Jobs, e.jobs(p.env, p.owner.Version)...)
		if err := p.messages(&tx, e, version); err != nil {
			return tx, err
		}
	}
	for id, r := range p.touched() {
		b, err := r.encode()
		if err != nil {
			return tx, err
		}
		tx.Ops = append(tx.Ops, host.Put(taskKey(id), b))
	}
	p.listRows(&tx)
	return tx, nil
}

// touched returns the last state of each task the plan changes.
func (p *plan) touched() map[string]*record {
	out := make(map[string]*record, len(p.effects))
	for _, e := range p.effects {
		out[e.id()] = e.new
	}
	return out
}

// listRows adds the head and the rows that changed with it, and drops the log's blocks that are too old.
func (p *plan) listRows(tx *host.Tx) {
	b, _ := json.Marshal(p.head) // plain integers cannot fail
	tx.Ops = append(tx.Ops, host.Replace(headKey(p.list), b, p.etag))
	for n := range p.segments.changed {
		tx.Ops = append(tx.Ops, host.Put(segmentKey(p.list, n), p.segments.text[n]))
	}
	for n := range p.logs.changed {
		tx.Ops = append(tx.Ops, host.Put(logKey(p.list, int64(n)), p.logs.text[n]))
		if n >= blocksKept && int64(n) > p.before.Version/blockSize {
			tx.Ops = append(tx.Ops, host.Delete(logKey(p.list, int64(n-blocksKept))))
		}
	}
}

// leaveSegment takes the id of a task that is purged out of its segment.
func (p *plan) leaveSegment(ctx context.Context, e *effect) error {
	n := e.old.Segment
	if _, ok := p.segments.text[n]; !ok {
		it, err := p.state.Get(ctx, segmentKey(p.list, n))
		if err != nil {
			return fmt.Errorf("read segment %d of list %s: %w", n, p.list, err)
		}
		p.segments.text[n] = it.Value
	}
	p.segments.add(n, func(b []byte) []byte { return removeID(b, e.id()) })
	if n == p.head.Segments-1 {
		p.head.Last--
	}
	return nil
}

// rows are numbered rows of text, of which some change.
type rows struct {
	text    map[int][]byte
	changed map[int]bool
}

// holding returns rows of which one is known. Adding to it copies: what was read is not ours to change.
func holding(n int, text []byte) rows {
	return rows{text: map[int][]byte{n: text[:len(text):len(text)]}, changed: make(map[int]bool)}
}

func (r rows) add(n int, edit func([]byte) []byte) {
	r.text[n] = edit(r.text[n])
	r.changed[n] = true
}

// source is the CloudEvents source of everything the backend publishes.
const source = "/docket/backend"

// messages adds the event for the record of what happened and the update for open clients.
func (p *plan) messages(tx *host.Tx, e *effect, version int64) error {
	t := &e.new.task
	eventID, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("make event id: %w", err)
	}
	at := task.At(p.env.Now).Time
	ev := event.TaskEvent{
		EventID: eventID.String(), EventType: e.typ, TaskID: t.ID, UserID: p.owner.ID, Timestamp: at,
		ListID: p.list, ListVersion: version, Actor: e.actor, Payload: e.payload(),
	}
	up := event.TaskUpdate{
		EventID: ev.EventID, Action: string(e.typ[len("task."):]), TaskID: t.ID, Task: e.new.Doc,
		UserID: p.owner.ID, ListID: p.list, ListVersion: version, Timestamp: at,
	}
	if e.typ == event.TaskDeleted {
		up.Task = nil
	}
	evData, err := ev.Encode(source, e.trace)
	if err != nil {
		return err
	}
	upData, err := up.Encode(source, e.trace)
	if err != nil {
		return err
	}
	tx.Messages = append(tx.Messages,
		host.Message{Topic: event.TopicTasks, Key: t.ID, ID: ev.EventID, Data: evData},
		// Open clients want one list in order; everyone else is content with one task in order.
		host.Message{Topic: event.TopicUpdates, Key: p.list, ID: up.EventID, Data: upData})
	return nil
}

func (e *effect) payload() event.Payload {
	t := &e.new.task
	pl := event.Payload{Task: e.new.Doc}
	if e.typ != event.TaskCreated {
		pl.TaskID = t.ID
	}
	switch e.typ {
	case event.TaskUpdated:
		pl.Changes = make(map[string]event.Change)
		for field, c := range task.Changes(e.old.task, *t) {
			pl.Changes[field] = event.Change{Old: c.Old, New: c.New}
		}
	case event.TaskCompleted:
		pl.CompletedAt = &t.CompletedAt.Time
		pl.RecurrencePattern = &event.Nullable{Value: t.RecurrencePattern}
	case event.TaskDeleted:
		pl.DeletedAt = e.new.DeletedAt
	}
	return pl
}
