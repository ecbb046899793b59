package audit

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/docket-tasks/docket/host"
)

// rows is a state in memory that notes which heads are written.
type rows struct {
	host.State
	mu     sync.Mutex
	values map[string]string
	hints  []string
	reads  int
}

func (r *rows) Get(ctx context.Context, key string) (host.Item, error) {
	items, err := r.GetBulk(ctx, []string{key})
	return items[0], err
}

func (r *rows) GetBulk(_ context.Context, keys []string) ([]host.Item, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reads++
	items := make([]host.Item, len(keys))
	for i, k := range keys {
		items[i].Key = k
		if v, ok := r.values[k]; ok {
			items[i].Value, items[i].ETag = []byte(v), v
		}
	}
	return items, nil
}

func (r *rows) Commit(_ context.Context, tx host.Tx) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, o := range tx.Ops {
		r.values[o.Key] = string(o.Value)
		if trail, ok := strings.CutPrefix(o.Key, HeadPrefix); ok {
			r.hints = append(r.hints, trail+string(o.Value))
		}
	}
	return nil
}

// newReplica is one without hands: its events are kept by the test.
func newReplica(r *rows) *service {
	return &service{state: r, log: slog.New(slog.DiscardHandler), extents: newExtents()}
}

var listA = name{ofList, "a"}

func (r *rows) keep(s *service, versions ...int64) {
	for _, v := range versions {
		r.values[listA.prefix()+fmt.Sprint(v)] = "there"
		s.extents.kept(listA, v)
	}
}

// A hole that closes soon costs nothing; one that stays gets a hint, by which readers of another replica find what lies behind, and
// so does each 64th version.
func TestHintsAreLeftWhereTheyAreNeeded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &rows{values: map[string]string{}}
		s := newReplica(r)
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		go s.leaveHints(ctx)
		after := func(want string) {
			t.Helper()
			time.Sleep(2 * hintAfter)
			synctest.Wait()
			if got := strings.Join(r.hints, " "); got != want {
				t.Errorf("hints %q, want %q", got, want)
			}
			r.hints = nil
		}
		r.keep(s, 1, 3, 5)
		time.Sleep(hintAfter / 2)
		r.keep(s, 4, 2)
		after("")
		if r.reads > 0 {
			t.Errorf("%d reads for a hole that has closed", r.reads)
		}
		r.keep(s, 9)
		after(`list/a{"whole":5,"max":9}`)
		if got, err := newReplica(r).trail(listA).reach(t.Context()); err != nil || got != (reach{5, 9}) {
			t.Errorf("another replica finds %v, %v", got, err)
		}
		for v := int64(6); v < 64; v++ {
			r.keep(s, v)
		}
		after("")
		r.keep(s, 64)
		after("") // the hint says 5: 64 further is 69
		r.keep(s, 65, 66, 67, 68, 69)
		after(`list/a{"whole":69,"max":69}`)
	})
}

// A replica that begins in the middle of a trail looks once how far it reaches, and writes nothing where readers find it anyway.
func TestAnotherReplicaLearns(t *testing.T) {
	r := &rows{values: map[string]string{}}
	r.keep(newReplica(r), 1, 2, 3, 4, 5)
	s := newReplica(r)
	r.keep(s, 6)
	for range 2 {
		s.leaveDue(t.Context())
	}
	if got := s.extents.reach(listA); got != (reach{6, 6}) || len(r.hints) > 0 {
		t.Errorf("it knows %v and has left %v", got, r.hints)
	}
	before := r.reads
	r.keep(s, 7)
	if s.leaveDue(t.Context()); r.reads != before {
		t.Error("it looks again")
	}
}

// Of too many trails those are forgotten that wait for no hint.
func TestExtentsAreBounded(t *testing.T) {
	s := newReplica(&rows{values: map[string]string{}})
	s.extents.kept(listA, 2)
	for i := range maxExtents {
		s.extents.kept(name{ofTask, fmt.Sprint(i)}, 1)
	}
	if n := len(s.extents.of); n > maxExtents/2 {
		t.Errorf("%d trails are remembered", n)
	}
	s.extents.due()
	if due := s.extents.due(); len(due) != 1 || due[0] != listA {
		t.Errorf("due is %v", due)
	}
}

// No more trails than there is room for wait for a hint. One that came too late gets it when there is room and more of it is kept.
func TestTrailsThatWaitAreBounded(t *testing.T) {
	x := newExtents()
	for i := range maxBehind {
		x.kept(name{ofTask, fmt.Sprint(i)}, 2)
	}
	x.kept(listA, 2)
	x.again(listA) // as where the store is away
	if n := len(x.behind); n != maxBehind || x.behind[listA] {
		t.Errorf("%d wait, one that came too late too: %v", n, x.behind[listA])
	}
	x.due()
	x.kept(listA, 3)
	if len(x.behind) != 1 || !x.behind[listA] || len(x.overdue) != maxBehind {
		t.Errorf("with room again it does not wait: %d do, and %d for longer", len(x.behind), len(x.overdue))
	}
}
