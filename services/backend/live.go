package backend

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/event"
	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/services/backend/filter"
	"github.com/docket-tasks/docket/task"
)

// compareEvery is how often the versions of all connected lists are compared with their heads: an update lost
// on the way is noticed after that long at most.
const compareEvery = 15 * time.Second

// maxMissed is how many tasks a client is sent that has missed their changes. Beyond it, reading the list anew is
// cheaper, and the frames, which are queued at once, would not leave room for what comes next.
const maxMissed = outboxSize / 2

// seatWait is in how long a client that found no seat may ask again.
const seatWait = time.Minute

// live is this replica's share of the open clients. Every socket has a cursor, the list version its client
// has reached. An update that is the next version is passed on as it came; whenever it is not, and every
// compareEvery, the clients are brought up to date from state. So a lost or reordered message costs time,
// never truth.
type live struct {
	state   host.State
	metrics *metrics
	// run starts work that belongs to no request; it ends with the service.
	run func(func(ctx context.Context))

	// seats is how many sockets a user may have open here at once.
	seats int

	mu    sync.Mutex
	rooms map[string]*room // by list
	taken map[string]int   // seats, by user
}

// room holds the sockets of one list.
type room struct {
	list string

	mu      sync.Mutex
	sockets map[*socket]struct{}
	latest  int64 // highest version heard of
	filters int64 // likewise, of the user's saved filters
	busy    bool  // a catch-up is under way
}

func newLive(st host.State, m *metrics, seats int, run func(func(context.Context))) *live {
	return &live{state: st, metrics: m, run: run, seats: seats, rooms: make(map[string]*room), taken: make(map[string]int)}
}

// sit takes a seat for one more socket of the user, until rise is called. The error is a 429: all are taken.
func (l *live) sit(user string) (rise func(), err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.taken[user] >= l.seats {
		return nil, edge.NewProblem(http.StatusTooManyRequests, "too_many_sockets", fmt.Sprintf("%d connections of this user are open already: close one first", l.seats)).After(seatWait)
	}
	l.taken[user]++
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.taken[user]--; l.taken[user] == 0 {
			delete(l.taken, user)
		}
	}, nil
}

// join adds a socket whose client is at version since, negative if it does not know. The socket is in the room
// before the head is read, so nothing falls between.
func (l *live) join(ctx context.Context, list string, s *socket, since int64) error {
	r := l.enter(list, s)
	items, err := l.state.GetBulk(ctx, []string{headKey(list), filter.Key(ownerOf(list))})
	if err != nil {
		return fmt.Errorf("read list %s: %w", list, err)
	}
	h, err := decodeHead(items[0])
	if err != nil {
		return err
	}
	filters, err := filter.Version(items[1])
	if err != nil {
		return err
	}
	r.tellFilters(filters)
	r.mu.Lock()
	r.latest = max(r.latest, h.Version)
	s.cursor = h.Version
	s.send(frame("hello", struct {
		Type           string `json:"type"`
		ListID         string `json:"list_id"`
		ListVersion    int64  `json:"list_version"`
		FiltersVersion int64  `json:"filters_version"`
	}{"hello", list, h.Version, r.filters}))
	switch {
	case since > h.Version: // the client has seen what is not there: the data are older than it
		s.send(resetFrame(h.Version))
	case since >= 0:
		s.cursor = since
	}
	s.joined = true
	behind := s.cursor < r.latest
	r.mu.Unlock()
	if behind {
		l.catchUp(r)
	}
	return nil
}

func (l *live) enter(list string, s *socket) *room {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.rooms[list]
	if r == nil {
		r = &room{list: list, sockets: make(map[*socket]struct{})}
		l.rooms[list] = r
	}
	r.mu.Lock()
	r.sockets[s] = struct{}{}
	r.mu.Unlock()
	l.metrics.sockets.Inc()
	return r
}

func (l *live) leave(list string, s *socket) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.rooms[list]
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.sockets[s]; !ok {
		return
	}
	delete(r.sockets, s)
	l.metrics.sockets.Dec()
	if len(r.sockets) == 0 {
		delete(l.rooms, list)
	}
}

func (l *live) room(list string) *room {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.rooms[list]
}

// onTaskUpdate passes an update on to the clients that wait for just that version.
func (l *live) onTaskUpdate(_ context.Context, m host.Message) error {
	r := l.room(m.Key) // the list; most have no client here
	if r == nil {
		return nil
	}
	up, err := event.DecodeTaskUpdate(m.Data)
	if err != nil {
		return host.Permanent(err)
	}
	data, err := up.AppendJSON(nil)
	if err != nil {
		return host.Permanent(err)
	}
	if r.next(up.ListVersion, updateFrame(data)) {
		l.catchUp(r)
	}
	return nil
}

// next sends a frame to the sockets it is the next one for, and tells whether any is behind.
func (r *room) next(version int64, frame []byte) (behind bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.latest = max(r.latest, version)
	for s := range r.sockets {
		switch {
		case !s.joined:
		case s.cursor+1 == version:
			s.cursor = version
			s.send(frame)
		case s.cursor < version:
			behind = true
		}
	}
	return behind
}

// onReminder shows a reminder to the user's open clients.
func (l *live) onReminder(_ context.Context, m host.Message) error {
	rem, _, err := event.DecodeReminder(m.Data)
	if err != nil {
		return host.Permanent(err)
	}
	r := l.room(rem.UserID)
	if r == nil {
		return nil
	}
	data, err := rem.AppendJSON(nil)
	if err != nil {
		return host.Permanent(err)
	}
	f := carry(`{"type":"reminder","reminder":`, data)
	r.mu.Lock()
	defer r.mu.Unlock()
	for s := range r.sockets {
		if s.joined { // hello comes first; what is missed before it is in the inbox
			s.send(f)
		}
	}
	return nil
}

// filtersChanged tells the user's open clients of a new version of the saved filters, made on this replica. Those of
// other replicas learn of it from the next comparison.
func (l *live) filtersChanged(user string, version int64) {
	if r := l.room(user); r != nil {
		r.tellFilters(version)
	}
}

// tellFilters tells the room's sockets of a version of the saved filters, if it is a newer one.
func (r *room) tellFilters(version int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if version <= r.filters {
		return
	}
	r.filters = version
	f := frame("filters", struct {
		Type           string `json:"type"`
		FiltersVersion int64  `json:"filters_version"`
	}{"filters", version})
	for s := range r.sockets {
		if s.joined {
			s.send(f)
		}
	}
}

// catchUp brings the room's sockets to the head in the background, unless that is under way.
func (l *live) catchUp(r *room) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.busy {
		return
	}
	r.busy = true
	l.run(func(ctx context.Context) {
		for l.advance(ctx, r) {
		}
	})
}

// advance sends what is missing between the lowest cursor and the head, and tells whether somebody is still
// behind. If not, or after an error, when the next comparison tries again, the catch-up is over: both are settled
// under one lock, so whoever falls behind from then on starts another.
func (l *live) advance(ctx context.Context, r *room) (more bool) {
	l.metrics.catchUps.Inc()
	head, from, frames, err := l.missing(ctx, r)
	r.mu.Lock()
	defer r.mu.Unlock()
	if gone := errors.Is(err, errLogGone); gone || err == nil {
		more = r.deliver(head, from, frames, gone)
	}
	r.busy = more
	return more
}

// missing reads the head and makes the frames from the room's lowest cursor up to it. The error is errLogGone where
// that is too far.
func (l *live) missing(ctx context.Context, r *room) (head, from int64, frames []versionedFrame, err error) {
	it, err := l.state.Get(ctx, headKey(r.list))
	if err != nil {
		return 0, 0, nil, fmt.Errorf("read list %s: %w", r.list, err)
	}
	h, err := openHead(ctx, l.state, r.list, it)
	if err != nil {
		return 0, 0, nil, err
	}
	from = r.slowest(h.Version)
	frames, err = l.framesSince(ctx, r.list, from, h)
	return h.Version, from, frames, err
}

// deliver sends frames, which tell of all changes between from and head, to the sockets that are there, or a reset to
// those at from if the frames are gone, and tells whether anybody is still behind. A socket below from has joined
// meanwhile: it needs more than these frames hold, and waits for the next turn.
func (r *room) deliver(head, from int64, frames []versionedFrame, gone bool) (more bool) {
	for s := range r.sockets {
		switch {
		case !s.joined:
			continue
		case s.cursor < from, s.cursor >= head, gone && s.cursor > from:
		case gone:
			s.send(resetFrame(head))
			s.cursor = head
		default:
			for _, f := range frames {
				if f.version > s.cursor {
					s.send(f.data)
				}
			}
			s.cursor = head
		}
		more = more || s.cursor < max(head, r.latest)
	}
	return more
}

// slowest returns the lowest cursor in the room, head if none is below it.
func (r *room) slowest(head int64) int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	for s := range r.sockets {
		if s.joined {
			head = min(head, s.cursor)
		}
	}
	return head
}

type versionedFrame struct {
	version int64
	data    []byte
}

// framesSince makes the updates from a version up to the head from state: each task that changed once, as it is now,
// in the order of their last changes. The error is errLogGone where that is more than a client should be sent.
func (l *live) framesSince(ctx context.Context, list string, since int64, h head) ([]versionedFrame, error) {
	entries, err := changesSince(ctx, l.state, list, since, h)
	if err != nil {
		return nil, err
	}
	ids := distinct(entries)
	if len(ids) > maxMissed {
		return nil, errLogGone
	}
	records, err := readRecords(ctx, l.state, ids)
	if err != nil {
		return nil, err
	}
	last := make(map[string]int64, len(ids))
	for _, e := range entries {
		last[e.Task] = e.Version
	}
	out := make([]versionedFrame, 0, len(ids))
	for i, id := range ids {
		up := stateUpdate(list, id, last[id], records[i])
		data, err := up.AppendJSON(nil)
		if err != nil {
			return nil, fmt.Errorf("encode update of task %s: %w", id, err)
		}
		out = append(out, versionedFrame{last[id], updateFrame(data)})
	}
	return out, nil
}

// stateUpdate is the update that tells of a task as it is.
func stateUpdate(list, id string, version int64, r *record) event.TaskUpdate {
	up := event.TaskUpdate{EventID: event.UpdateID(list, version), Action: "deleted", TaskID: id, UserID: ownerOf(list), ListID: list, ListVersion: version}
	if r == nil || r.Purged {
		return up
	}
	up.Timestamp = r.task.UpdatedAt.Time
	switch {
	case r.task.Status == task.Deleted:
		return up
	case r.task.Version == 1:
		up.Action = "created"
	default:
		up.Action = "updated"
	}
	up.Task = r.Doc
	return up
}

// compare looks for lists, and filters, that have moved on without a word of it having come, until ctx ends.
func (l *live) compare(ctx context.Context) {
	tick := time.NewTicker(compareEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			l.compareOnce(ctx)
		}
	}
}

func (l *live) compareOnce(ctx context.Context) {
	rooms := l.all()
	for len(rooms) > 0 {
		n := min(len(rooms), readChunk/2)
		keys := make([]string, 0, 2*n)
		for _, r := range rooms[:n] {
			keys = append(keys, headKey(r.list), filter.Key(ownerOf(r.list)))
		}
		items, err := l.state.GetBulk(ctx, keys)
		if err != nil {
			return // the next comparison tries again
		}
		for i, r := range rooms[:n] {
			if h, err := decodeHead(items[2*i]); err == nil && r.slowest(h.Version) < h.Version {
				l.catchUp(r)
			}
			if version, err := filter.Version(items[2*i+1]); err == nil {
				r.tellFilters(version)
			}
		}
		rooms = rooms[n:]
	}
}

func (l *live) all() []*room {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]*room, 0, len(l.rooms))
	for _, r := range l.rooms {
		out = append(out, r)
	}
	return out
}

// each calls fn for every socket, outside the locks.
func (l *live) each(fn func(*socket)) {
	for _, r := range l.all() {
		r.mu.Lock()
		sockets := make([]*socket, 0, len(r.sockets))
		for s := range r.sockets {
			sockets = append(sockets, s)
		}
		r.mu.Unlock()
		for _, s := range sockets {
			fn(s)
		}
	}
}

func frame(kind string, v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("frame %s: %v", kind, err)) // our own plain structs
	}
	return b
}

func updateFrame(data []byte) []byte { return carry(`{"type":"update","update":`, data) }

// carry closes the object that head opens around data.
func carry(head string, data []byte) []byte {
	return append(append(append(make([]byte, 0, len(head)+len(data)+1), head...), data...), '}')
}

func resetFrame(version int64) []byte {
	return frame("reset", struct {
		Type        string `json:"type"`
		ListVersion int64  `json:"list_version"`
	}{"reset", version})
}
