package dapr

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/docket-tasks/docket/host"
)

// doors is a store through which one transaction goes for each token; it notes the keys of each that has happened.
type doors struct {
	tokens chan struct{}
	stuck  chan struct{} // the only way out for a transaction of the key "stuck"
	refuse string        // transactions with this key meet a conflict
	fail   error         // of every transaction
	done   [][]string
}

func (d *doors) Get(context.Context, []string) ([]host.Item, error) { return nil, nil }

func (d *doors) Commit(_ context.Context, ops []host.Op) error {
	if ops[0].Key == "stuck" {
		<-d.stuck
	} else {
		<-d.tokens
	}
	var keys []string
	for _, o := range ops {
		if o.Key != "row" {
			keys = append(keys, o.Key)
		}
	}
	switch {
	case d.fail != nil:
		return d.fail
	case slices.Contains(keys, d.refuse):
		return host.ErrConflict
	}
	d.done = append(d.done, keys)
	return nil
}

// commits begins one commit for each key, of that and its row, in their order, and returns what becomes of them.
func commits(t *testing.T, g *group, keys ...string) []error {
	outcomes := make([]error, len(keys))
	for i, k := range keys {
		go func() { outcomes[i] = g.Commit(t.Context(), []host.Op{host.Create(k, nil), host.Create("row", nil)}) }()
		synctest.Wait()
	}
	return outcomes
}

// let has n transactions go through.
func (d *doors) let(n int) {
	for range n {
		d.tokens <- struct{}{}
		synctest.Wait()
	}
}

// keysOf are those of three commits for each lane: the first goes at once, the other two wait for it.
func keysOf() (keys []string) {
	for i := range 3 * lanes {
		keys = append(keys, fmt.Sprint(i))
	}
	return keys
}

// As many transactions as there are lanes go at once. What comes meanwhile shares the next ones, and a conflict is that of one commit.
func TestCommitsShareTransactions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &doors{tokens: make(chan struct{}), refuse: "6"}
		outcomes := commits(t, newGroup(store), keysOf()...)
		store.let(2*lanes + 2) // of the lane with the conflict each of the two then goes by itself
		want := [][]string{{"0"}, {"1"}, {"2"}, {"4", "7"}, {"5", "8"}, {"3"}}
		if len(store.done) != len(want) {
			t.Errorf("%d transactions: %q", len(store.done), store.done)
		}
		for _, keys := range want {
			if !slices.ContainsFunc(store.done, func(done []string) bool { return slices.Equal(done, keys) }) {
				t.Errorf("no transaction of %q, but %q", keys, store.done)
			}
		}
		for i, err := range outcomes {
			if conflict := i == 6; conflict != errors.Is(err, host.ErrConflict) || !conflict && err != nil {
				t.Errorf("commit %d: %v", i, err)
			}
		}
	})
}

// Where nobody knows what became of a shared transaction none of its commits is tried again: each has to look for its own row.
func TestOutcomeOfASharedTransactionIsNotKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &doors{tokens: make(chan struct{}), fail: errors.New("the connection broke")}
		outcomes := commits(t, newGroup(store), keysOf()...)
		store.let(2 * lanes)
		for i, err := range outcomes {
			if !errors.Is(err, host.ErrUnknown) {
				t.Errorf("commit %d: %v", i, err)
			}
		}
	})
}

// One transaction that is stuck holds up nobody as long as another lane is free.
func TestNobodyWaitsForOneThatIsStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &doors{tokens: make(chan struct{}), stuck: make(chan struct{})}
		g := newGroup(store)
		commits(t, g, "stuck")
		close(store.tokens)
		commits(t, g, keysOf()...)
		if len(store.done) != 3*lanes {
			t.Errorf("only %q went through", store.done)
		}
		close(store.stuck)
	})
}

// What the outbox writes alone, such as that it still holds its slot, does not wait for commits.
func TestASingleOperationWaitsForNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &doors{tokens: make(chan struct{})}
		g := newGroup(store)
		commits(t, g, keysOf()...)
		begun := false
		go func() {
			begun = g.Commit(t.Context(), []host.Op{host.Create("slot", nil)}) == nil
		}()
		synctest.Wait()
		store.let(lanes + 1) // those that have begun
		if !begun {
			t.Errorf("it waits behind %q", store.done)
		}
		store.let(lanes)
	})
}

// Those of one key stay as they were, however many there are.
func TestOperationsAreInOrder(t *testing.T) {
	var ops []host.Op
	for i := range 64 {
		ops = append(ops, host.Put([]string{"b", "a", "c"}[i%3], []byte{byte(i)}))
	}
	got := inOrder(ops)
	if !slices.IsSortedFunc(got, func(a, b host.Op) int {
		return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Value[0], b.Value[0]))
	}) || len(got) != len(ops) {
		t.Errorf("%v", got)
	}
	if ops[0].Key != "b" {
		t.Error("the caller's own are in another order now")
	}
}
