package hosttest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/docket-tasks/docket/host"
)

func everyGroupGetsEach(t *testing.T, c Cluster) {
	one, two, other := newInbox[host.Message](), newInbox[host.Message](), newInbox[host.Message]()
	c.Start(t, host.Service{Name: "publisher"}, consumer("one", "events", host.Shared, one),
		consumer("two", "events", host.Shared, two), consumer("three", "others", host.Shared, other))
	s := c.Host("publisher").State
	var ids []string
	for i := range 100 {
		ids = append(ids, fmt.Sprint("m", i))
		send(t, s, message("events", fmt.Sprint("key", i%7), ids[i]))
	}
	send(t, s, message("others", "k", "other"))
	for _, in := range []*inbox[host.Message]{one, two} {
		for _, m := range in.until(t, "all messages", has(ids...)) {
			if m.Topic != "events" || string(m.Data) != "data of "+m.ID {
				t.Errorf("message %s arrived on %q with %q", m.ID, m.Topic, m.Data)
			}
		}
	}
	for _, m := range other.until(t, "the other topic's message", has("other")) {
		if m.ID != "other" {
			t.Errorf("%s arrived on the wrong topic", m.ID)
		}
	}
}

func orderPerKey(t *testing.T, c Cluster) {
	in := newInbox[host.Message]()
	c.Start(t, host.Service{Name: "publisher"}, consumer("reader", "events", host.Shared, in))
	s := c.Host("publisher").State
	want := map[string][]string{}
	var all []string
	for i := range 150 {
		key := fmt.Sprint("key", i%5)
		a, b := fmt.Sprintf("%d-a", i), fmt.Sprintf("%d-b", i)
		send(t, s, message("events", key, a), message("events", key, b))
		want[key] = append(want[key], a, b)
		all = append(all, a, b)
	}
	got := in.until(t, "all messages", has(all...))
	for key, ids := range want {
		if f := firsts(got, key); !slices.Equal(f, ids) {
			t.Errorf("messages of %s arrived as %v, committed as %v", key, f, ids)
		}
	}
}

func noneOfAFailedCommit(t *testing.T, c Cluster) {
	in := newInbox[host.Message]()
	c.Start(t, host.Service{Name: "publisher"}, consumer("reader", "events", host.Shared, in))
	s := c.Host("publisher").State
	put(t, s, "taken", "")
	for i := range 20 {
		err := s.Commit(t.Context(), host.Tx{
			Ops: []host.Op{host.Create("taken", nil)}, Messages: []host.Message{message("events", "k", fmt.Sprint("never", i))},
		})
		wantErr(t, err, host.ErrConflict)
	}
	send(t, s, message("events", "k", "after"))
	if got := in.until(t, "the message after", has("after")); got[0].ID != "after" {
		t.Errorf("message %s of a failed commit was delivered", got[0].ID)
	}
}

func failingIsRepeated(t *testing.T, c Cluster) {
	const failures = 7
	var attempts atomic.Int64
	in := newInbox[host.Message]()
	c.Start(t, host.Service{Name: "publisher"}, subscriber("reader", "events", host.Shared, func(_ context.Context, m host.Message) error {
		if m.ID == "first" && attempts.Add(1) <= failures {
			return errors.New("not yet")
		}
		in.add(m)
		return nil
	}))
	s := c.Host("publisher").State
	send(t, s, message("events", "k", "first"))
	send(t, s, message("events", "k", "second"), message("events", "k", "third"))
	got := in.until(t, "the repeated message and those behind it", has("first", "second", "third"))
	if f := firsts(got, "k"); !slices.Equal(f, []string{"first", "second", "third"}) {
		t.Errorf("order after repetition: %v", f)
	}
}

func failingDelaysOnlyItsKey(t *testing.T, c Cluster) {
	var stuck atomic.Bool
	stuck.Store(true)
	in := newInbox[host.Message]()
	c.Start(t, host.Service{Name: "publisher"}, subscriber("reader", "events", host.Shared, func(_ context.Context, m host.Message) error {
		if m.Key == "stuck" && stuck.Load() {
			return errors.New("stuck")
		}
		in.add(m)
		return nil
	}))
	s := c.Host("publisher").State
	var others, own []string
	for i := range 50 {
		own, others = append(own, fmt.Sprint("stuck", i)), append(others, fmt.Sprint("other", i))
		send(t, s, message("events", "stuck", own[i]), message("events", fmt.Sprint("free", i), others[i]))
	}
	in.until(t, "the other keys' messages", has(others...))
	stuck.Store(false)
	if f := firsts(in.until(t, "the stuck key's messages", has(own...)), "stuck"); !slices.Equal(f, own) {
		t.Errorf("order of the stuck key: %v", f)
	}
}

func panicIsAnError(t *testing.T, c Cluster) {
	var attempts atomic.Int64
	in := newInbox[host.Message]()
	c.Start(t, host.Service{Name: "publisher"}, subscriber("reader", "events", host.Shared, func(_ context.Context, m host.Message) error {
		if attempts.Add(1) == 1 {
			panic("on purpose")
		}
		in.add(m)
		return nil
	}))
	send(t, c.Host("publisher").State, message("events", "k", "m"))
	in.until(t, "the message after the panic", has("m"))
}

func permanentIsADeadLetter(t *testing.T, c Cluster) {
	in := newInbox[host.Message]()
	c.Start(t, host.Service{Name: "publisher"}, subscriber("reader", "events", host.Shared, func(_ context.Context, m host.Message) error {
		if m.ID == "bad" {
			return fmt.Errorf("handle: %w", host.Permanent(errors.New("makes no sense")))
		}
		in.add(m)
		return nil
	}))
	s := c.Host("publisher").State
	send(t, s, message("events", "k", "bad"), message("events", "k", "good"))
	in.until(t, "the message behind it", has("good"))
	dead := c.DeadLetters(t, "reader", "events")
	if len(dead) == 0 || dead[0].ID != "bad" || dead[0].Key != "k" || string(dead[0].Data) != "data of bad" {
		t.Errorf("dead letters: %+v, want the bad one whole", dead)
	}
}

func repeatedAfterKill(t *testing.T, c Cluster) {
	began := make(chan string, 100)
	c.Start(t, host.Service{Name: "publisher"}, subscriber("reader", "events", host.Shared, func(ctx context.Context, m host.Message) error {
		began <- m.ID
		<-ctx.Done()
		return ctx.Err()
	}))
	s := c.Host("publisher").State
	for i := range 5 {
		send(t, s, message("events", fmt.Sprint("k", i), fmt.Sprint("m", i)))
	}
	await(t, began, "the first delivery")
	c.Kill(t)
	in := newInbox[host.Message]()
	c.Start(t, host.Service{Name: "publisher"}, consumer("reader", "events", host.Shared, in))
	in.until(t, "all messages again", has("m0", "m1", "m2", "m3", "m4"))
}

func failingSurvivesKill(t *testing.T, c Cluster) {
	failed := newInbox[host.Message]()
	c.Start(t, host.Service{Name: "publisher"}, subscriber("reader", "events", host.Shared, func(_ context.Context, m host.Message) error {
		failed.add(m)
		return errors.New("always")
	}))
	s := c.Host("publisher").State
	send(t, s, message("events", "k", "m0"), message("events", "k", "m1"))
	failed.until(t, "some failures", func(got []host.Message) bool { return len(got) >= 5 })
	send(t, s, message("events", "k", "m2"))
	c.Kill(t)
	in := newInbox[host.Message]()
	c.Start(t, host.Service{Name: "publisher"}, consumer("reader", "events", host.Shared, in))
	send(t, c.Host("publisher").State, message("events", "k", "m3"))
	got := in.until(t, "all messages", has("m0", "m1", "m2", "m3"))
	if f := firsts(got, "k"); !slices.Equal(f, []string{"m0", "m1", "m2", "m3"}) {
		t.Errorf("order after the restart: %v", f)
	}
}

func deliveredAfterRestart(t *testing.T, c Cluster) {
	first := newInbox[host.Message]()
	c.Start(t, host.Service{Name: "publisher"}, consumer("reader", "events", host.Shared, first))
	send(t, c.Host("publisher").State, message("events", "k", "while reading"))
	first.until(t, "the first message", has("while reading"))
	c.Stop(t)

	c.Start(t, host.Service{Name: "publisher"}) // the reader is away
	send(t, c.Host("publisher").State, message("events", "k", "while away"))
	c.Kill(t)

	in := newInbox[host.Message]()
	c.Start(t, host.Service{Name: "publisher"}, consumer("reader", "events", host.Shared, in))
	send(t, c.Host("publisher").State, message("events", "k", "back again"))
	in.until(t, "what came meanwhile", has("while away", "back again"))
}

func slowConsumer(t *testing.T, c Cluster) {
	release := make(chan struct{})
	slow, fast := newInbox[host.Message](), newInbox[host.Message]()
	c.Start(t, host.Service{Name: "publisher"}, consumer("fast", "events", host.Shared, fast),
		subscriber("slow", "events", host.Shared, func(ctx context.Context, m host.Message) error {
			select {
			case <-release:
				slow.add(m)
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}))
	s := c.Host("publisher").State
	var ids []string
	for i := range 400 {
		ids = append(ids, fmt.Sprint("m", i))
		send(t, s, message("events", fmt.Sprint("k", i), ids[i]))
	}
	fast.until(t, "all messages at the fast one", has(ids...))
	close(release)
	slow.until(t, "all messages at the slow one", has(ids...))
}

// A reader catches up with a long backlog while messages keep coming: it gets them all, in order.
func backlog(t *testing.T, c Cluster) {
	c.Start(t, host.Service{Name: "publisher"}, consumer("reader", "events", host.Shared, newInbox[host.Message]()))
	c.Stop(t)
	c.Start(t, host.Service{Name: "publisher"})
	const before, after, each, keys = 80, 60, 100, 20
	sendSome := func(from, to int) {
		for i := from; i < to; i++ {
			var ms []host.Message
			for j := range each {
				ms = append(ms, message("events", fmt.Sprint("k", j%keys), strconv.Itoa(i*each+j)))
			}
			send(t, c.Host("publisher").State, ms...)
		}
	}
	sendSome(0, before)
	c.Stop(t)
	var mu sync.Mutex
	seen := map[int]bool{}
	last := map[string]int{}
	all := make(chan struct{})
	c.Start(t, host.Service{Name: "publisher"}, subscriber("reader", "events", host.Shared, func(_ context.Context, m host.Message) error {
		mu.Lock()
		defer mu.Unlock()
		n, _ := strconv.Atoi(m.ID)
		if seen[n] {
			return nil
		}
		if seen[n] = true; n < last[m.Key] {
			t.Errorf("message %d of %s arrived after %d", n, m.Key, last[m.Key])
		}
		if last[m.Key] = n; len(seen) == (before+after)*each {
			close(all)
		}
		return nil
	}))
	sendSome(before, before+after)
	await(t, all, "the whole backlog and what came since")
}

func everyIsNewestOn(t *testing.T, c Cluster) {
	c.Start(t, host.Service{Name: "publisher"})
	send(t, c.Host("publisher").State, message("events", "k", "before"))
	c.Stop(t)
	in := newInbox[host.Message]()
	c.Start(t, host.Service{Name: "publisher"}, subscriber("watcher", "events", host.Every, func(_ context.Context, m host.Message) error {
		in.add(m)
		if m.ID == "failing" {
			return errors.New("on purpose")
		}
		return nil
	}))
	s := c.Host("publisher").State
	send(t, s, message("events", "k", "failing"))
	send(t, s, message("events", "k", "after"))
	in.until(t, "the messages since", has("after"))
	send(t, s, message("events", "k", "last"))
	got := in.until(t, "the last message", has("last"))
	failing := 0
	for _, m := range got {
		if m.ID == "before" {
			t.Error("a message from before the connection arrived")
		}
		if m.ID == "failing" {
			failing++
		}
	}
	if failing > 1 {
		t.Errorf("a message was repeated %d times after an error", failing-1)
	}
}

// A chain: each handler commits state and the next message.
func handlersCommit(t *testing.T, c Cluster) {
	done := make(chan struct{})
	var once sync.Once
	relay := host.Service{Name: "relay"}
	relay.Subscriptions = []host.Subscription{{Topic: "steps", Handle: func(ctx context.Context, m host.Message) error {
		if len(m.Key) == 20 {
			once.Do(func() { close(done) })
			return nil
		}
		next := m.Key + "x"
		err := c.Host("relay").State.Commit(ctx, host.Tx{
			Ops: []host.Op{host.Create("step/"+next, nil)}, Messages: []host.Message{message("steps", next, next)},
		})
		if errors.Is(err, host.ErrConflict) {
			return nil // a repeated delivery
		}
		return err
	}}}
	c.Start(t, relay)
	send(t, c.Host("relay").State, message("steps", "x", "x"))
	await(t, done, "the end of the chain")
	if !get(t, c.Host("relay").State, "step/xxxxxxxxxx").Exists() {
		t.Error("a handler's commit is missing")
	}
}

// Whoever is handed a message reads the state of its commit, or a later one: a message says that there is something new,
// and the state says what.
func handlersRead(t *testing.T, c Cluster) {
	in := newInbox[host.Message]()
	handle := func(ctx context.Context, m host.Message) error {
		it, err := c.Host("worker").State.Get(ctx, "n")
		if err != nil {
			return err
		}
		n, _ := strconv.Atoi(string(it.Value))
		if with, _ := strconv.Atoi(m.ID); n < with {
			t.Errorf("the handler of message %d read what commit %d wrote", with, n)
		}
		in.add(m)
		return nil
	}
	s := host.Service{Name: "worker", Subscriptions: []host.Subscription{
		{Topic: "events", Mode: host.Shared, Handle: handle}, {Topic: "updates", Mode: host.Every, Handle: handle},
	}}
	c.Start(t, s)
	state := c.Host("worker").State
	put(t, state, "n", "0")
	var ids []string
	for i := range 100 {
		ids = append(ids, strconv.Itoa(i+1))
		commit(t, state, host.Tx{
			Ops:      []host.Op{host.Put("n", []byte(ids[i]))},
			Messages: []host.Message{message("events", ids[i], ids[i]), message("updates", ids[i], ids[i])},
		})
	}
	in.until(t, "all messages", has(ids...))
}
