package combine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/docket-tasks/docket/host"
)

const most = 64

// narrow is a state of keys, through which one commit goes for each token; it notes how many have begun, and how many operations
// each had.
type narrow struct {
	host.State
	tokens chan struct{}
	mu     sync.Mutex
	keys   map[string]bool
	begun  int
	ops    []int
}

func (n *narrow) Commit(_ context.Context, tx host.Tx) error {
	n.mu.Lock()
	n.begun++
	n.mu.Unlock()
	<-n.tokens
	n.mu.Lock()
	defer n.mu.Unlock()
	n.ops = append(n.ops, len(tx.Ops))
	for _, o := range tx.Ops {
		if n.keys[o.Key] {
			return host.ErrConflict
		}
	}
	for _, o := range tx.Ops {
		n.keys[o.Key] = true
	}
	return nil
}

// What comes while a commit is under way goes with the next one; where one of them is refused, each goes by itself.
//
// [Task]: T033, T038
func TestCommitsThatWaitGoTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		state := &narrow{tokens: make(chan struct{}), keys: map[string]bool{"6": true}}
		g := NewCommits(state.Commit, most)
		outcomes := make([]error, 8)
		commit := func(from, to int) {
			for i := from; i < to; i++ {
				go func() { outcomes[i] = g.Commit(t.Context(), host.Tx{Ops: []host.Op{host.Create(fmt.Sprint(i), nil)}}) }()
				synctest.Wait()
			}
		}
		let := func(commits int) {
			for range commits {
				state.tokens <- struct{}{}
			}
			synctest.Wait()
		}
		commit(0, 4)
		let(2) // the first, and the other three
		commit(4, 8)
		let(5) // the first, the other three, of which one is there already, and each of these
		if want := []int{1, 3, 1, 3, 1, 1, 1}; !slices.Equal(state.ops, want) {
			t.Errorf("commits of %v operations, want %v", state.ops, want)
		}
		for i, err := range outcomes {
			if there := i == 6; there != errors.Is(err, host.ErrConflict) || !there && err != nil {
				t.Errorf("call %d: %v", i, err)
			}
		}
	})
}

// More than a commit holds do not wait for one another: they go in several commits at once.
//
// [Task]: T033
func TestManyGoInSeveralCommitsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		state := &narrow{tokens: make(chan struct{}), keys: map[string]bool{}}
		g := NewCommits(state.Commit, most)
		const calls = 1 + 2*most + 3
		var all sync.WaitGroup
		for i := range calls {
			all.Go(func() {
				if err := g.Commit(t.Context(), host.Tx{Ops: []host.Op{host.Create(fmt.Sprint(i), nil)}}); err != nil {
					t.Errorf("call %d: %v", i, err)
				}
			})
			synctest.Wait()
		}
		state.tokens <- struct{}{} // the first, for which all others wait
		synctest.Wait()
		if state.begun != 4 {
			t.Errorf("%d commits have begun, want the first and three more", state.begun)
		}
		close(state.tokens)
		all.Wait()
		slices.Sort(state.ops)
		if want := []int{1, 3, most, most}; !slices.Equal(state.ops, want) {
			t.Errorf("commits of %v operations, want %v", state.ops, want)
		}
	})
}

// A commit that panics, shared or not, ends neither the process nor the queue: each of its callers is told that the outcome is not
// known, and nothing of it is tried again, as it may have happened.
//
// [Task]: T033
func TestPanicIsAnErrorOfEachCaller(t *testing.T) {
	const most = 2
	for callers, commits := range map[int]int{1: 1, 2: 1, 2*most + 1: 3} {
		synctest.Test(t, func(t *testing.T) {
			tokens, bad := make(chan struct{}), atomic.Int32{}
			g := NewCommits(func(_ context.Context, tx host.Tx) error {
				<-tokens
				if tx.Ops[0].Key == "bad" {
					bad.Add(1)
					panic("on purpose")
				}
				return nil
			}, most)
			commit := func(key string) error {
				return g.Commit(t.Context(), host.Tx{Ops: []host.Op{host.Put(key, nil)}})
			}
			go func() { _ = commit("good") }() // for which all others wait
			synctest.Wait()
			outcomes := make([]error, callers)
			for i := range outcomes {
				go func() { outcomes[i] = commit("bad") }()
				synctest.Wait()
			}
			close(tokens)
			synctest.Wait()
			for i, err := range outcomes {
				if !errors.Is(err, host.ErrUnknown) || !strings.Contains(err.Error(), "on purpose") {
					t.Errorf("call %d of %d: %.200v", i, callers, err)
				}
			}
			if n := int(bad.Load()); n != commits {
				t.Errorf("%d calls in %d commits, want %d", callers, n, commits)
			}
			if err := commit("good"); err != nil {
				t.Errorf("the next one: %v", err)
			}
		})
	}
}

// What callers share is bounded by its operations; who has more of them than that goes alone.
func TestSharedCommitsAreBoundedByTheirOperations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		state := &narrow{tokens: make(chan struct{}), keys: map[string]bool{}}
		g := NewCommits(state.Commit, 5)
		var all sync.WaitGroup
		for i, n := range []int{1, 2, 2, 2, 7, 1, 4} {
			all.Go(func() {
				var tx host.Tx
				for j := range n {
					tx.Ops = append(tx.Ops, host.Create(fmt.Sprint(i, " ", j), nil))
				}
				if err := g.Commit(t.Context(), tx); err != nil {
					t.Errorf("call %d: %v", i, err)
				}
			})
			synctest.Wait()
		}
		close(state.tokens)
		all.Wait()
		slices.Sort(state.ops)
		if want := []int{1, 2, 4, 5, 7}; !slices.Equal(state.ops, want) { // the first, and 2+2, 2, 7, 1+4
			t.Errorf("commits of %v operations, want %v", state.ops, want)
		}
	})
}

// However many callers there are, the store gets no more at once than it can carry.
func TestSoManyCommitsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var going, largest atomic.Int64
		release := make(chan struct{})
		g := NewCommits(func(context.Context, host.Tx) error {
			largest.Store(max(largest.Load(), going.Add(1)))
			<-release
			going.Add(-1)
			return nil
		}, 2)
		var all sync.WaitGroup
		for i := range 4 * maxAtOnce {
			all.Go(func() {
				tx := host.Tx{Ops: []host.Op{host.Create(fmt.Sprint(i), nil), host.Create(fmt.Sprint(i, "+"), nil)}} // with which no other fits
				if err := g.Commit(t.Context(), tx); err != nil {
					t.Errorf("call %d: %v", i, err)
				}
			})
		}
		synctest.Wait()
		release <- struct{}{} // the first, for which all others wait
		synctest.Wait()
		if n := largest.Load(); n != maxAtOnce {
			t.Errorf("%d at once, want %d", n, maxAtOnce)
		}
		close(release)
		all.Wait()
	})
}

// A shared commit ends with its callers where they end together, as with their host, and not where only one of them does.
func TestSharedCommitEndsWithAllItsCallers(t *testing.T) {
	for name, together := range map[string]bool{"together": true, "one of them": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				first := make(chan struct{})
				var shared context.Context
				g := NewCommits(func(ctx context.Context, tx host.Tx) error {
					if len(tx.Ops) == 1 {
						<-first
					} else {
						shared = ctx
					}
					return nil
				}, most)
				ctx, cancel := context.WithCancel(t.Context())
				other := t.Context()
				if together {
					other = ctx
				}
				for i, ctx := range []context.Context{ctx, ctx, other} {
					go func() { _ = g.Commit(ctx, host.Tx{Ops: []host.Op{host.Create(fmt.Sprint(i), nil)}}) }()
					synctest.Wait()
				}
				close(first)
				synctest.Wait()
				cancel()
				if ended := shared.Err() != nil; ended != together {
					t.Errorf("ended: %t", ended)
				}
			})
		})
	}
}
