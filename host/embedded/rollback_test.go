package embedded

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/docket-tasks/docket/host"
)

// refuse returns a failpoint that, each time it is armed, rolls one transaction back just before its COMMIT, which then
// fails as it does on a full disk.
func refuse(t *testing.T, n **Node) (failpoint func(string), armed *atomic.Bool) {
	armed = new(atomic.Bool)
	return func(step string) {
		if step == stepCommit && armed.CompareAndSwap(true, false) {
			if err := (*n).writer.sql.rollback.exec(); err != nil {
				t.Error(err)
			}
		}
	}, armed
}

// A low-water mark whose transaction was rolled back is not taken for written: the next transaction writes it.
func TestRolledBackMarkIsWrittenLater(t *testing.T) {
	var n *Node
	failpoint, armed := refuse(t, &n)
	n = openNode(t, Options{Logger: quiet(), Failpoint: failpoint})
	err := n.Start(t.Context(), host.Service{Name: "worker", Subscriptions: []host.Subscription{{
		Topic: "events", Handle: func(context.Context, host.Message) error { return nil },
	}}})
	if err != nil {
		t.Fatal(err)
	}
	const mark = 12345
	n.writer.between(func() {
		n.bus.groups[0].low = mark
		n.writer.offsets, n.writer.lowsAt = true, n.writer.lowsAt.AddDate(-1, 0, 0)
		armed.Store(true)
		n.writer.run([]*commit{{}, {}}) // together, refused, then each alone, too soon for the mark
		n.writer.run(nil)
		if low, err := n.writer.db.number("SELECT low FROM groups"); err != nil || low != mark {
			t.Errorf("the mark is %d (%v), want %d", low, err, mark)
		}
	})
	if armed.Load() {
		t.Error("no transaction was refused")
	}
}

// A refused transaction while the services start does not make a group take part twice.
func TestRefusedTransactionAtTheStart(t *testing.T) {
	var n *Node
	failpoint, armed := refuse(t, &n)
	n = openNode(t, Options{Logger: quiet(), Failpoint: failpoint})
	state := n.Host("worker").State
	held, release := make(chan struct{}), make(chan struct{})
	go n.writer.between(func() { close(held); <-release })
	<-held
	committed, started := make(chan error, 1), make(chan error, 1)
	go func() { committed <- state.Commit(t.Context(), host.Tx{Ops: []host.Op{host.Put("k", nil)}}) }()
	got := make(chan string, 10)
	go func() {
		started <- n.Start(t.Context(), host.Service{Name: "worker", Subscriptions: []host.Subscription{{
			Topic: "events", Handle: func(_ context.Context, m host.Message) error { got <- m.ID; return nil },
		}}})
	}()
	for both := false; !both; {
		n.writer.mu.Lock()
		both = len(n.writer.waiting)+len(n.writer.pauses) == 2
		n.writer.mu.Unlock()
	}
	armed.Store(true)
	close(release)
	<-committed // alone it may be refused
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		mustCommit(t, state, host.Tx{Messages: []host.Message{{Topic: "events", Key: "k", ID: fmt.Sprint(i)}}})
	}
	for i := range 3 {
		if id := <-got; id != fmt.Sprint(i) {
			t.Errorf("message %s was delivered when %d should have been", id, i)
		}
	}
}

// While its dead letter cannot be written a message that no repetition can mend is not done with.
func TestDeadLetterOutlastsAnOutage(t *testing.T) {
	n := openNode(t, Options{Logger: quiet()})
	held, attempts, good := make(chan struct{}), make(chan struct{}, 1000), make(chan struct{}, 1)
	err := n.Start(t.Context(), host.Service{Name: "worker", Subscriptions: []host.Subscription{{
		Topic: "events", Handle: func(_ context.Context, m host.Message) error {
			if m.ID == "good" {
				good <- struct{}{}
				return nil
			}
			<-held
			attempts <- struct{}{}
			return host.Permanent(errors.New("makes no sense"))
		},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	refusing := func(set string) {
		n.writer.between(func() {
			if err := n.writer.db.exec("PRAGMA query_only = " + set); err != nil {
				t.Error(err)
			}
		})
	}
	mustCommit(t, n.Host("worker").State, host.Tx{Messages: []host.Message{
		{Topic: "events", Key: "k", ID: "bad"}, {Topic: "events", Key: "k", ID: "good"},
	}})
	refusing("1")
	close(held)
	<-attempts
	select {
	case <-attempts: // the first could not be noted
	case <-good:
		t.Fatal("the message behind it came though no dead letter was written")
	}
	refusing("0")
	<-good
	if dead, err := n.keeper.db.number("SELECT count(*) FROM dead_letters WHERE id = 'bad'"); err != nil || dead != 1 {
		t.Errorf("%d dead letters (%v), want 1", dead, err)
	}
}

// A due time between two microseconds is kept as the later one.
func TestDueTimesAreRoundedUp(t *testing.T) {
	for _, at := range []time.Time{time.Unix(7, 0), time.Unix(7, 1), time.Unix(7, 1000), time.Unix(7, 1999), time.Unix(-7, 1)} {
		kept := time.UnixMicro(microseconds(at))
		if kept.Before(at) || kept.Sub(at) >= time.Microsecond {
			t.Errorf("%v is kept as %v", at, kept)
		}
	}
}

// What a commit could not create in full is there for those after it in the same transaction.
func TestCreationsInOneTransaction(t *testing.T) {
	n := openNode(t, Options{Logger: quiet()})
	s := n.Host("worker").State.(*space)
	plan := func(keys ...string) *commit {
		var tx host.Tx
		for _, key := range keys {
			tx.Ops = append(tx.Ops, host.Create(key, []byte(keys[0])))
		}
		c, err := s.plan(tx, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	batch := []*commit{plan("a"), plan("b", "c", "a"), plan("c", "d"), plan("d"), plan("b")}
	n.writer.between(func() { n.writer.run(slices.Clone(batch)) })
	for i, conflict := range []bool{false, true, false, true, false} {
		if errors.Is(batch[i].err, host.ErrConflict) != conflict {
			t.Errorf("commit %d: %v", i, batch[i].err)
		}
	}
	for key, want := range map[string]string{"a": "a", "b": "b", "c": "c", "d": "c"} {
		stored, err := n.writer.db.number("SELECT count(*) FROM state WHERE key = ? AND value = ?", "worker/"+key, []byte(want))
		it, err2 := s.Get(t.Context(), key)
		if err := errors.Join(err, err2); err != nil || stored != 1 || string(it.Value) != want {
			t.Errorf("%s is %q, %d rows (%v)", key, it.Value, stored, err)
		}
	}
}
