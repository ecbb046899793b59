package backend

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"slices"
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
	maxTries = 32
	// commitTime bounds what a batch reads and how long it tries; a commit that has begun takes as long as the host lets it.
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

// effect is one change of a task: as it was (nil if it was not there) and as it is.
type effect struct {
	typ   event.Type // empty where only the record changes, or goes: no event and no new version of the list
	actor event.Actor
	old   *record
	new   *record
	trace string // W3C trace context of the request
}

// purges tells whether the effect removes a deleted task for good.
func (e *effect) purges() bool { return e.new.Purged }

// writer turns changes into commits: one queue per list, so that many writers of one list cost one commit.
type writer struct {
	state    host.State
	accounts *account.Store
	// snapshots know which tags a list has, where that has to be known.
	snapshots *snapshots
	tags      *edge.Cache[string, boundedTags]
	now       func() time.Time
	log       *slog.Logger
	metrics   *metrics
	queue     combine.Queue[string, *change]
}

func newWriter(st host.State, accounts *account.Store, lists *snapshots, now func() time.Time, log *slog.Logger, m *metrics) *writer {
	w := &writer{state: st, accounts: accounts, snapshots: lists, tags: edge.NewCache[string, boundedTags](boundedLists), now: now, log: log, metrics: m}
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
		n, err := w.try(ctx, list, batch, try == 0)
		if err == nil {
			return n
		}
		if errors.Is(err, errRecalled) {
			continue
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

// errRecalled says that the head was only recalled, and that nothing but a commit shows whether it still was the newest.
var errRecalled = errors.New("the list has to be read")

// try reads, applies and commits once. It returns how many changes of the batch it has settled, or would
// have, had there been no error. A head that is recalled costs no read, but nobody is refused on the strength of it.
func (w *writer) try(ctx context.Context, list string, batch []*change, recall bool) (int, error) {
	p, err := w.prepare(ctx, list, batch, recall)
	if err != nil {
		return len(batch), err
	}
	n, err := p.applyAll(ctx, batch)
	if err != nil {
		return len(batch), err
	}
	if p.recalled && (!p.dirty() || slices.ContainsFunc(batch[:n], func(c *change) bool { return c.err != nil })) {
		return n, errRecalled
	}
	if !p.dirty() {
		return n, w.unmoved(ctx, p, batch[:n])
	}
	tx, err := p.tx(ctx)
	if err != nil {
		return n, err
	}
	if err := w.state.Commit(ctx, tx); err != nil {
		return n, err
	}
	w.rememberTags(p)
	w.metrics.committed(p.effects)
	w.note(ctx, p)
	return n, nil
}

// unmoved returns [host.ErrConflict] where changes had nothing to do, perhaps because of a task that is newer than the head
// as it was read: their answer would name a version of the list in which what they found had not happened yet.
func (w *writer) unmoved(ctx context.Context, p *plan, settled []*change) error {
	if !slices.ContainsFunc(settled, func(c *change) bool { return c.err == nil }) {
		return nil
	}
	now, err := w.state.Get(ctx, headKey(p.list))
	if err == nil && now.ETag != p.etag {
		err = host.ErrConflict
	}
	return err
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
		switch {
		case e.purges():
			w.log.InfoContext(ctx, "task purged", "task_id", e.id(), "list_id", p.list)
		case e.typ != "":
			w.log.InfoContext(edge.WithTrace(ctx, e.trace), "task changed", "event_type", e.typ, "task_id", e.id(), "version", e.new.task.Version,
				"list_id", p.list, "user_id", p.owner.ID, "actor", e.actor.Kind)
		}
	}
}

// prepare reads what the batch needs: first the head, then everything else. A bulk read is no snapshot, so only what
// is read after the head is sure not to be older than it: if it is newer, the head's ETag lets the commit fail.
func (w *writer) prepare(ctx context.Context, list string, batch []*change, recall bool) (*plan, error) {
	p := &plan{state: w.state, snapshots: w.snapshots, list: list, rows: make(map[string][]byte)}
	if recall {
		if err := p.recall(ctx); err != nil {
			return nil, err
		}
	}
	if !p.recalled {
		if err := p.open(ctx, w.accounts); err != nil {
			return nil, err
		}
	}
	p.was, p.known = p.head, w.knownTags(list, p.head)
	p.env = task.Env{Now: w.now(), Zone: p.owner.Zone(), Reminders: p.owner.ReminderMinutes}

	p.records = make(map[string]*record)
	if err := p.read(ctx, needed(batch)); err != nil {
		return nil, err
	}
	return p, p.read(ctx, p.laterSuccessors())
}

// recall takes the head from what this process knows of it, if that says who the owner is.
func (p *plan) recall(ctx context.Context) error {
	it, err := p.state.Recall(ctx, headKey(p.list))
	if err != nil {
		return fmt.Errorf("read list %s: %w", p.list, err)
	}
	h, err := decodeHead(it)
	if err != nil {
		return err
	}
	if h.owner.Version == 0 || h.closed {
		return nil
	}
	p.recalled, p.etag, p.head, p.owner = true, it.ETag, h, h.owner
	p.owner.ID = ownerOf(p.list)
	return nil
}

// open reads the head and the owner.
func (p *plan) open(ctx context.Context, accounts *account.Store) error {
	first, err := p.state.GetBulk(ctx, []string{headKey(p.list), account.UserKey(ownerOf(p.list))})
	if err != nil {
		return fmt.Errorf("read list %s: %w", p.list, err)
	}
	p.etag = first[0].ETag
	if p.head, err = openHead(ctx, p.state, p.list, first[0]); err != nil {
		return err
	}
	if p.head.closed {
		return fmt.Errorf("list %s: %w", p.list, account.ErrNoUser)
	}
	if p.owner, err = accounts.Decode(first[1]); err != nil {
		return fmt.Errorf("read owner of list %s: %w", p.list, err)
	}
	if p.owner.Version < p.head.owner.Version { // it was read before the head, and has been changed in between
		return host.ErrConflict
	}
	p.head.owner = p.owner
	return nil
}

// read adds tasks to the view.
func (p *plan) read(ctx context.Context, ids []string) error {
	records, err := readRecords(ctx, p.state, ids)
	if err != nil {
		return fmt.Errorf("read tasks of list %s: %w", p.list, err)
	}
	for i, id := range ids {
		p.records[id] = records[i]
	}
	return nil
}

// laterSuccessors returns the ids of the occurrences that only the tasks they follow can name.
func (p *plan) laterSuccessors() []string {
	var ids []string
	for _, r := range p.records {
		if r != nil && r.Anew != 0 {
			ids = append(ids, r.successorID())
		}
	}
	return ids
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
	state     host.State
	snapshots *snapshots
	list      string
	owner     account.User      // its ID, version, time zone and reminders
	recalled  bool              // the head may have been replaced since
	etag      string            // of the head
	was       head              // as read
	rows      map[string][]byte // the list's other rows that change, by key
	known     map[string]bool   // tags that are in the head's bound, as read
	bounded   []string          // tags that the plan adds to it
	counts    tagCounts         // nil where tags need not be counted
	effects   []effect
}

func (p *plan) dirty() bool { return len(p.effects) > 0 }

// applyAll lets each change see the effects of those before it. One that is refused drops out alone. It
// stops before the commit would grow too large and returns how many changes it has dealt with.
func (p *plan) applyAll(ctx context.Context, batch []*change) (int, error) {
	for i, c := range batch {
		if len(p.effects) > maxEvents-2 {
			return i, nil
		}
		c.effects, c.err = nil, nil
		if err := c.ctx.Err(); err != nil {
			c.err = err
			continue
		}
		effects, err := c.try(&p.view)
		if err == nil {
			err = p.boundTags(ctx, effects)
			if err != nil && !errors.Is(err, tooManyTags) {
				return 0, err
			}
		}
		if err != nil {
			c.err = err
			continue
		}
		c.effects = effects
		for j := range effects {
			c.effects[j].trace = edge.Trace(c.ctx)
			if err := p.add(&c.effects[j]); err != nil {
				return 0, err
			}
		}
		c.version = p.head.Version
	}
	return len(batch), nil
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

// add takes an effect into the plan.
func (p *plan) add(e *effect) error {
	if e.new == e.old { // nothing to do: the answer is what is there
		return nil
	}
	if e.purges() {
		p.head.Purges++
	}
	if e.typ != "" {
		if err := p.log(&e.new.task); err != nil {
			return err
		}
	}
	if e.old == nil {
		e.new.Segment = p.enlist(e.new.task.ID)
	}
	p.head.Live += weight(e.new) - weight(e.old)
	p.records[e.id()] = e.new
	p.effects = append(p.effects, *e)
	return nil
}

// log adds a change to the list's log. A block that is full becomes a row of its own.
func (p *plan) log(t *task.Task) error {
	h := &p.head
	if h.Version++; h.Version%blockSize == 0 {
		full := h.Version/blockSize - 1
		row, err := h.log.row(full)
		if err != nil {
			return err
		}
		p.rows[logKey(p.list, full)] = row
		h.log = nil
	}
	h.log = h.log.add(t.ID, t.Version)
	return nil
}

// enlist adds a new task to the list's open segment and returns its number. A segment that is full becomes a row of its own.
func (p *plan) enlist(id string) int {
	h := &p.head
	if h.Segments == 0 || h.ids.len() >= segmentSize {
		if h.Segments > 0 {
			p.rows[segmentKey(p.list, h.Segments-1)] = h.ids.row()
		}
		h.Segments++
		h.ids = nil
	}
	h.ids = h.ids.add(id)
	return h.Segments - 1
}

func (e *effect) id() string {
	if e.purges() {
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
	version := p.was.Version
	for i := range p.effects {
		e := &p.effects[i]
		if e.purges() {
			if err := p.leaveSegment(ctx, e); err != nil {
				return tx, err
			}
		}
		if e.typ == "" {
			continue
		}
		version++
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
	tx.Ops = append(tx.Ops, host.Replace(headKey(p.list), p.head.encode(), p.etag))
	for key, row := range p.rows {
		tx.Ops = append(tx.Ops, host.Put(key, row))
	}
	for open := p.was.Version/blockSize + 1; open <= p.head.Version/blockSize; open++ {
		if open >= blocksKept {
			tx.Ops = append(tx.Ops, host.Delete(logKey(p.list, open-blocksKept)))
		}
	}
}

// leaveSegment takes the id of a task that is purged out of its segment.
func (p *plan) leaveSegment(ctx context.Context, e *effect) error {
	n := e.old.Segment
	if n == p.head.Segments-1 {
		p.head.ids = p.head.ids.remove(e.id())
		return nil
	}
	key := segmentKey(p.list, n)
	row, ok := p.rows[key]
	if !ok {
		it, err := p.state.Get(ctx, key)
		if err != nil {
			return fmt.Errorf("read segment %d of list %s: %w", n, p.list, err)
		}
		row = it.Value
	}
	p.rows[key] = removeID(row, e.id())
	return nil
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
