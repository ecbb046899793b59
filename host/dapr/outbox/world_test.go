package outbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/docket-tasks/docket/host"
)

// world is a store and a broker in which nothing happens until the driver of a test lets it: every call of a replica waits
// to be chosen, may go wrong in each way a network can, and may even take effect after its caller was told that it failed.
type world struct {
	mu      sync.Mutex
	rows    map[string]host.Item
	etag    int
	calls   []*call
	arrived int
	flying  []*call // their callers have been told of an error; they may still take effect
	dead    map[int]bool

	happened  map[string]bool // commits, by id
	published []string        // message ids, in order
	users     map[string]int  // slot and epoch → the replica whose commits took numbers there
	wrong     []string        // violations
}

func newWorld() *world {
	return &world{rows: map[string]host.Item{}, dead: map[int]bool{}, happened: map[string]bool{}, users: map[string]int{}}
}

// call is a request under way.
type call struct {
	replica int
	label   string
	at      int
	effect  func() error
	broken  func() error // what happens instead where the store breaks while it reads; nil where that shows
	writes  bool
	answer  chan error
}

var (
	errLost = errors.New("the connection broke")
	errDead = errors.New("the process is dead")
)

// do waits until the driver has let the call happen, or the caller's process is dead.
func (w *world) do(ctx context.Context, c *call) error {
	c.answer = make(chan error, 1)
	w.mu.Lock()
	c.at = w.arrived
	w.calls = append(w.calls, c)
	w.mu.Unlock()
	select {
	case err := <-c.answer:
		return err
	case <-ctx.Done():
		w.mu.Lock()
		defer w.mu.Unlock()
		w.calls = slices.DeleteFunc(w.calls, func(o *call) bool { return o == c })
		return errDead
	}
}

// waiting lists the calls in an order that does not depend on the scheduler: by round of arrival, replica and label.
func (w *world) waiting() []*call {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.arrived++
	slices.SortStableFunc(w.calls, func(a, b *call) int {
		if a.at != b.at {
			return a.at - b.at
		}
		if a.replica != b.replica {
			return a.replica - b.replica
		}
		return strings.Compare(a.label, b.label)
	})
	return slices.Clone(w.calls)
}

// take removes a call from those that wait.
func (w *world) take(c *call) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls = slices.DeleteFunc(w.calls, func(o *call) bool { return o == c })
}

// store is the world as one replica's Store and Carrier.
type store struct {
	*world
	replica int
	// blind hides the death of others, voidless forgets every void: with either the protocol must be seen to fail.
	blind, voidless bool
}

func (s *store) Get(ctx context.Context, keys []string) (items []host.Item, err error) {
	c := &call{replica: s.replica, label: "get " + keys[0], effect: func() error {
		for _, k := range keys {
			it := s.rows[k]
			it.Key = k
			if s.blind && strings.HasPrefix(k, Prefix+"slot/") && strings.Contains(string(it.Value), `"owner"`) {
				s.etag++
				it.ETag = fmt.Sprint("looks fresh ", s.etag)
			}
			items = append(items, it)
		}
		return nil
	}}
	if len(keys) > 1 {
		c.broken = func() error {
			for _, k := range keys {
				items = append(items, host.Item{Key: k})
			}
			return nil
		}
	}
	err = s.do(ctx, c)
	return items, err
}

func (s *store) Commit(ctx context.Context, ops []host.Op) error {
	return s.do(ctx, &call{replica: s.replica, label: "commit " + ops[len(ops)-1].Key, writes: true, effect: func() error { return s.apply(ops) }})
}

func (s *store) apply(ops []host.Op) error {
	if s.voidless && strings.Contains(string(ops[0].Value), `"void"`) {
		return nil
	}
	for _, o := range ops {
		it := s.rows[o.Key]
		if o.If == host.IfAbsent && it.Exists() || o.If == host.IfMatch && it.ETag != o.ETag && !strings.HasPrefix(o.ETag, "looks fresh") {
			return fmt.Errorf("%s: %w", o.Key, host.ErrConflict)
		}
	}
	for _, o := range ops {
		if o.Delete {
			delete(s.rows, o.Key)
			continue
		}
		s.etag++
		s.rows[o.Key] = host.Item{Key: o.Key, Value: o.Value, ETag: fmt.Sprint(s.etag)}
		s.note(o)
	}
	return nil
}

// note keeps account of what the protocol must not do.
func (s *store) note(o host.Op) {
	if id, ok := strings.CutPrefix(o.Key, "effect/"); ok {
		s.happened[id] = true
		return
	}
	if !strings.Contains(string(o.Value), `"entry"`) {
		return
	}
	window := o.Key[:strings.LastIndex(o.Key, "/")]
	if user, used := s.users[window]; used && user != s.replica {
		s.wrong = append(s.wrong, fmt.Sprintf("replicas %d and %d both commit under %s", user, s.replica, window))
	}
	s.users[window] = s.replica
}

func (s *store) Publish(ctx context.Context, messages []host.Message) error {
	for _, m := range messages {
		if err := s.arrive(ctx, m.ID); err != nil {
			return err
		}
	}
	return nil
}

func (s *store) Schedule(ctx context.Context, j host.Job) error { return s.arrive(ctx, j.Name) }

// arrive is the arrival of one message at the broker.
func (s *store) arrive(ctx context.Context, id string) error {
	return s.do(ctx, &call{replica: s.replica, label: "publish " + id, writes: true, effect: func() error {
		s.published = append(s.published, id)
		if !s.happened[id] {
			s.wrong = append(s.wrong, fmt.Sprintf("message %s of a commit that has not happened is published", id))
		}
		return nil
	}})
}
