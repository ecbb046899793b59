package backend

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/services/backend/account"
	"github.com/docket-tasks/docket/task"
)

// snapshotBytes is what a list costs besides its tasks, so that empty ones are bounded too.
const snapshotBytes = 2 << 10

// snapshots keeps the lists used last in memory, ready to be asked. Each answer first brings its list to the
// version of the head it has just read, so none is ever stale, on any replica.
type snapshots struct {
	state    host.State
	accounts *account.Store
	metrics  *metrics
	// limit is how many bytes of snapshots are kept.
	limit int64

	mu    sync.Mutex
	lists map[string]*list.Element // of *snapshot
	order *list.List               // most recently used first
	bytes int64
}

func newSnapshots(st host.State, accounts *account.Store, limit int64, m *metrics) *snapshots {
	return &snapshots{state: st, accounts: accounts, limit: limit, metrics: m,
		lists: make(map[string]*list.Element), order: list.New()}
}

// snapshot is one list in memory, as of version.
type snapshot struct {
	list  string
	bytes int64 // as counted in snapshots.bytes, guarded by snapshots.mu

	mu      sync.RWMutex
	index   *task.Index // nil until loaded
	version int64
	purges  int
	zone    string

	known atomic.Pointer[known]
}

// known is a list's head and owner as they were last decoded: most requests find the same rows again.
type known struct {
	headTag, ownerTag string
	head              head
	owner             account.User
}

// versions say what an answer is from: the list, with the purges it has seen, and its owner, in whose zone due dates
// are read. The answer to a query is the same while all of them are.
type versions struct {
	list, owner int64
	purges      int
}

// find answers a query.
func (s *snapshots) find(ctx context.Context, listID string, q task.Query) (task.Page, versions, error) {
	snap := s.get(listID)
	k, err := s.head(ctx, snap)
	if err != nil {
		return task.Page{}, versions{}, err
	}
	if err := s.lock(ctx, snap, k.head, k.owner); err != nil {
		return task.Page{}, versions{}, err
	}
	defer snap.mu.RUnlock()
	page, err := snap.index.Find(q)
	return page, versions{list: snap.version, owner: k.owner.Version, purges: snap.purges}, err
}

// tags counts the tags of a list as of a head that was read together with its owner. [host.ErrConflict] where the list has
// changed since.
func (s *snapshots) tags(ctx context.Context, listID string, h head, owner account.User) (tagCounts, error) {
	snap := s.get(listID)
	if err := s.lock(ctx, snap, h, owner); err != nil {
		return nil, err
	}
	defer snap.mu.RUnlock()
	if snap.version != h.Version {
		return nil, host.ErrConflict
	}
	return snap.index.TagCounts(), nil
}

// lock brings the snapshot to the head and holds it for reading, unless it fails.
func (s *snapshots) lock(ctx context.Context, snap *snapshot, h head, owner account.User) error {
	snap.mu.RLock()
	if snap.current(h, owner) {
		return nil
	}
	snap.mu.RUnlock()
	if err := s.refresh(ctx, snap, h, owner); err != nil {
		return err
	}
	snap.mu.RLock()
	return nil
}

// head reads a list's head and its owner, whose zone says when tasks are due, in one bulk read.
func (s *snapshots) head(ctx context.Context, snap *snapshot) (*known, error) {
	items, err := s.state.GetBulk(ctx, []string{headKey(snap.list), account.UserKey(ownerOf(snap.list))})
	if err != nil {
		return nil, fmt.Errorf("read list %s: %w", snap.list, err)
	}
	if k := snap.known.Load(); k != nil && k.headTag == items[0].ETag && k.ownerTag == items[1].ETag {
		return k, nil
	}
	k := &known{headTag: items[0].ETag, ownerTag: items[1].ETag}
	if k.head, err = openHead(ctx, s.state, snap.list, items[0]); err != nil {
		return nil, err
	}
	if k.owner, err = s.accounts.Decode(items[1]); err != nil {
		if errors.Is(err, account.ErrNoUser) {
			s.drop(snap.list)
		}
		return nil, fmt.Errorf("read owner of list %s: %w", snap.list, err)
	}
	snap.known.Store(k)
	return k, nil
}

// current tells whether the snapshot can answer for a list with that head. Being ahead of it is no harm: the
// head was read before, and the answer names the version it is from.
func (snap *snapshot) current(h head, owner account.User) bool {
	return snap.index != nil && snap.version >= h.Version && snap.purges >= h.Purges && snap.zone == owner.TimeZone
}

// refresh brings the snapshot to the head, through the log where that reaches back far enough.
func (s *snapshots) refresh(ctx context.Context, snap *snapshot, h head, owner account.User) error {
	snap.mu.Lock()
	defer snap.mu.Unlock()
	if snap.current(h, owner) {
		return nil
	}
	var err error
	if snap.index == nil || snap.purges < h.Purges || snap.zone != owner.TimeZone {
		err = s.load(ctx, snap, h, owner)
	} else if err = s.replay(ctx, snap, h); errors.Is(err, errLogGone) {
		err = s.load(ctx, snap, h, owner)
	}
	if err != nil {
		return err
	}
	s.account(snap)
	return nil
}

// load reads the whole list: the tasks as they are now, which may be newer than the head, and then the
// changes since.
func (s *snapshots) load(ctx context.Context, snap *snapshot, h head, owner account.User) error {
	s.metrics.loads.Inc()
	ids, err := readSegments(ctx, s.state, snap.list, h, 0, h.Segments)
	if err != nil {
		return err
	}
	records, err := readRecords(ctx, s.state, ids)
	if err != nil {
		return err
	}
	index := task.NewIndex(owner.Zone())
	tasks, docs := make([]task.Task, 0, len(records)), make([][]byte, 0, len(records))
	for _, r := range records {
		if r != nil && !r.Purged {
			tasks, docs = append(tasks, r.task), append(docs, r.Doc)
		}
	}
	index.Load(tasks, docs)
	snap.index, snap.version, snap.purges, snap.zone = index, h.Version, h.Purges, owner.TimeZone
	return nil
}

// replay applies the changes between the snapshot and the head. Put ignores a task older than the one held.
func (s *snapshots) replay(ctx context.Context, snap *snapshot, h head) error {
	entries, err := changesSince(ctx, s.state, snap.list, snap.version, h)
	if err != nil {
		return err
	}
	records, err := readRecords(ctx, s.state, distinct(entries))
	if err != nil {
		return err
	}
	for _, r := range records {
		if r == nil || r.Purged {
			return errLogGone // purged since: read the list anew
		}
		snap.index.Put(r.task, r.Doc)
	}
	snap.version = h.Version
	return nil
}

// distinct returns the tasks of the entries, each once, in the order of their last change.
func distinct(entries []logEntry) []string {
	last := make(map[string]int, len(entries))
	for i, e := range entries {
		last[e.Task] = i
	}
	ids := make([]string, 0, len(last))
	for i, e := range entries {
		if last[e.Task] == i {
			ids = append(ids, e.Task)
		}
	}
	return ids
}

// get returns the list's snapshot, perhaps an empty one, and marks it as used.
func (s *snapshots) get(listID string) *snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	if el, ok := s.lists[listID]; ok {
		s.order.MoveToFront(el)
		return el.Value.(*snapshot)
	}
	snap := &snapshot{list: listID, bytes: snapshotBytes}
	s.bytes += snapshotBytes
	s.lists[listID] = s.order.PushFront(snap)
	return snap
}

// drop lets go of the list of a deleted account.
func (s *snapshots) drop(listID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if el, ok := s.lists[listID]; ok {
		s.remove(el)
	}
}

// remove takes a list out of those that are kept.
func (s *snapshots) remove(el *list.Element) {
	old := el.Value.(*snapshot)
	s.order.Remove(el)
	delete(s.lists, old.list)
	s.bytes -= old.bytes
}

// account takes note of the snapshot's size and lets go of the lists used longest ago.
func (s *snapshots) account(snap *snapshot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if el, ok := s.lists[snap.list]; !ok || el.Value != snap {
		return // let go of meanwhile
	}
	size := snapshotBytes + snap.index.Bytes()
	s.bytes += size - snap.bytes
	snap.bytes = size
	for s.bytes > s.limit && s.order.Len() > 1 {
		s.remove(s.order.Back())
	}
	s.metrics.snapshotBytes.Set(float64(s.bytes))
}
