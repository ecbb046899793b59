package audit_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/docket-tasks/docket/event"
	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/host/embedded"
	"github.com/docket-tasks/docket/services/audit"
)

// entries reads what is kept of a list, as docket check does.
func (s *stage) entries(list string) []event.TaskEvent {
	s.t.Helper()
	r, err := embedded.OpenReader(s.t.Context(), s.dir)
	if err != nil {
		s.t.Fatal(err)
	}
	var events []event.TaskEvent
	err = r.Scan(audit.Name, audit.EntryPrefix+list+"/", func(_ string, value []byte) error {
		e, err := audit.DecodeEntry(value)
		if err != nil {
			return err
		}
		back, err := e.TaskEvent()
		events = append(events, back)
		return err
	})
	if err := errors.Join(err, r.Close()); err != nil {
		s.t.Fatal(err)
	}
	slices.SortFunc(events, func(a, b event.TaskEvent) int { return int(a.ListVersion - b.ListVersion) })
	return events
}

// same compares events by what they look like on the wire.
func same(t *testing.T, want, got []event.TaskEvent) {
	t.Helper()
	text := func(events []event.TaskEvent) (lines []string) {
		for _, e := range events {
			lines = append(lines, string(message(t, e).Data))
		}
		return lines
	}
	if diff := cmp.Diff(text(want), text(got)); diff != "" {
		t.Errorf("(-published +kept):\n%s", diff)
	}
}

// Every event is kept once, whole, though each is published twice, in any order, and the host repeats deliveries.
//
// [Task]: T038
func TestEveryEventIsKeptOnce(t *testing.T) {
	s := newStage(t, true)
	events := slices.Concat(history(t, ada, 200, 7), history(t, bob, 40, 1))
	shuffled := slices.Concat(events, events)
	rand.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	s.publish(shuffled...)
	for id, err := range s.await(2, events...) {
		if err != nil {
			t.Errorf("event %s: %v", id, err)
		}
	}
	kept := s.entries(ada)
	same(t, events[:200], kept)
	same(t, events[200:], s.entries(bob))
	if h := event.Replay(slices.Values(kept)); len(h.Problems) > 0 || len(h.Tasks) != 7 {
		t.Errorf("replay: %v, %d tasks", h.Problems, len(h.Tasks))
	}
	if k, d := s.count("kept"), s.count("duplicate"); k != 240 || d < 240 {
		t.Errorf("%v kept and %v duplicates, want 240 and at least as many", k, d)
	}
}

// Two replicas that are handed the same events at once keep each of them once.
//
// [Task]: T038
func TestTwoReplicasAtOnce(t *testing.T) {
	s := newStage(t, false)
	events := history(t, ada, 150, 3)
	replicas := []host.Service{s.replica(), s.replica()}
	var wg sync.WaitGroup
	for i, e := range events {
		m := message(t, e)
		for _, r := range replicas {
			wg.Go(func() {
				if err := r.Subscriptions[0].Handle(t.Context(), m); err != nil {
					t.Errorf("event %d: %v", i, err)
				}
			})
		}
	}
	wg.Wait()
	same(t, events, s.entries(ada))
	if k, d := s.count("kept"), s.count("duplicate"); k != 150 || d != 150 {
		t.Errorf("%v kept and %v duplicates, want 150 and 150", k, d)
	}
}

// Another event at a place that is taken goes to the dead letters; what was kept first stays.
//
// [Task]: T038
func TestContradictionsAreRefused(t *testing.T) {
	s := newStage(t, false)
	events := history(t, ada, 4, 2)
	s.keep(events...)

	otherEvent := events[2]
	otherEvent.EventID = event.KeyedTaskID(ada, "another event")
	otherPlace := events[2]
	otherPlace.EventID, otherPlace.ListVersion = event.KeyedTaskID(ada, "another place"), 9
	bad := []event.TaskEvent{otherEvent, otherPlace}
	s.publish(bad...)
	for id, err := range s.await(1, bad...) {
		if !host.IsPermanent(err) {
			t.Errorf("event %s: %v, want a permanent error", id, err)
		}
	}
	same(t, events, s.entries(ada))
	if n := s.count("refused"); n != 2 {
		t.Errorf("%v refused, want 2", n)
	}
	s.close()
	if diff := cmp.Diff(idsOf(bad), s.deadLetters()); diff != "" {
		t.Errorf("dead letters (-want +got):\n%s", diff)
	}
}

func idsOf(events []event.TaskEvent) map[string]bool {
	ids := map[string]bool{}
	for _, e := range events {
		ids[e.EventID] = true
	}
	return ids
}

func (s *stage) deadLetters() map[string]bool {
	s.t.Helper()
	r, err := embedded.OpenReader(s.t.Context(), s.dir)
	if err != nil {
		s.t.Fatal(err)
	}
	ids := map[string]bool{}
	err = r.DeadLetters(func(service string, m host.Message, _ string) error {
		if service != audit.Name {
			return fmt.Errorf("a dead letter of %s", service)
		}
		ids[m.ID] = true
		return nil
	})
	if err := errors.Join(err, r.Close()); err != nil {
		s.t.Fatal(err)
	}
	return ids
}

// What cannot be kept is refused for good, at once.
func TestUnreadableEventsAreRefused(t *testing.T) {
	s := newStage(t, false)
	good := string(message(t, history(t, ada, 1, 1)[0]).Data)
	for name, data := range map[string]string{
		"nothing":             "",
		"no JSON":             good[:100],
		"no task version":     strings.Replace(good, `"version":1}`, `"edition":1}`, 1),
		"no list":             strings.Replace(good, `"list_id"`, `"list"`, 1),
		"a list with a slash": strings.Replace(good, `"list_id":"`, `"list_id":"x/`, 1),
		"a task with a slash": strings.Replace(good, `"task_id":"`, `"task_id":"x/`, 1),
	} {
		err := s.service.Subscriptions[0].Handle(t.Context(), host.Message{Topic: event.TopicTasks, ID: name, Data: []byte(data)})
		if !host.IsPermanent(err) {
			t.Errorf("%s: %v, want a permanent error", name, err)
		}
	}
}

// A later version's type and fields are kept as they came.
func TestLaterVersionsAreKept(t *testing.T) {
	s := newStage(t, false)
	m := message(t, history(t, ada, 1, 1)[0])
	data := strings.NewReplacer(`"event_type":"task.created"`, `"event_type":"task.shared"`, `"payload":{`, `"payload":{"with":["bob"],`,
		`"kind":"user"`, `"kind":"user","device":"phone"`).Replace(string(m.Data))
	m.Data = []byte(data)
	if err := s.service.Subscriptions[0].Handle(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	a := s.get(ada, "/api/audit")
	if len(a.entries) != 1 || a.entries[0].EventType != "task.shared" ||
		!strings.HasPrefix(string(a.entries[0].Payload.RawMessage), `{"with":["bob"],`) || !strings.Contains(string(a.entries[0].Actor.RawMessage), "phone") {
		t.Errorf("%d %s", a.status, a.body)
	}
}

// faulty answers the next commit with an error: before it happened, or after.
type faulty struct {
	host.State
	err   error
	after bool
}

func (f *faulty) Commit(ctx context.Context, tx host.Tx) error {
	err := f.err
	f.err = nil
	if err != nil && !f.after {
		return err
	}
	return errors.Join(err, f.State.Commit(ctx, tx))
}

// While storage is away, and when the outcome of a commit is unknown, the event is delivered again and kept once.
func TestOutagesLoseNothing(t *testing.T) {
	s := newStage(t, false)
	h := s.node.Host(audit.Name)
	state := &faulty{State: h.State}
	h.State = state
	svc := s.replicaOn(h)
	events := history(t, ada, 3, 1)
	for i, fault := range []faulty{{err: host.ErrUnavailable}, {err: host.ErrUnknown}, {err: host.ErrUnknown, after: true}} {
		state.err, state.after = fault.err, fault.after
		m := message(t, events[i])
		if err := svc.Subscriptions[0].Handle(t.Context(), m); !errors.Is(err, fault.err) || host.IsPermanent(err) {
			t.Errorf("%v: got %v, want it to be delivered again", fault.err, err)
		}
		if err := svc.Subscriptions[0].Handle(t.Context(), m); err != nil {
			t.Error(err)
		}
	}
	same(t, events, s.entries(ada))
	want := map[string]float64{"kept": 2, "duplicate": 1, "failed": 3, "refused": 0}
	got := maps.Clone(want)
	for outcome := range got {
		got[outcome] = s.count(outcome)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
	state.err = host.ErrTooLarge
	if err := svc.Subscriptions[0].Handle(t.Context(), message(t, history(t, ada, 4, 1)[3])); !host.IsPermanent(err) {
		t.Errorf("too large: %v, want a permanent error", err)
	}
}

// Half of a pair, such as a careless restore of a backup leaves, is made whole by a redelivery.
func TestHalfOfAPairIsMadeWhole(t *testing.T) {
	s := newStage(t, false)
	events := history(t, ada, 1, 1)
	s.keep(events...)
	for _, key := range []string{audit.EntryPrefix + ada + "/1", audit.PointerPrefix + taskID(ada, 0) + "/1"} {
		state := s.node.Host(audit.Name).State
		if err := state.Commit(t.Context(), host.Tx{Ops: []host.Op{host.Delete(key)}}); err != nil {
			t.Fatal(err)
		}
		s.keep(events...)
		if item, err := state.Get(t.Context(), key); err != nil || !item.Exists() {
			t.Errorf("%s is still missing: %v", key, err)
		}
	}
	same(t, events, s.entries(ada))
}

func FuzzDecodeEntry(f *testing.F) {
	f.Add([]byte(`{"log_id":"l","event_id":"e","event_type":"task.created","task_id":"t","payload":{"task":{}},"user_id":"u",` +
		`"actor":{},"list_id":"u","list_version":1,"event_timestamp":"2026-03-31T09:00:00Z","received_at":"2026-03-31T09:00:00Z"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := audit.DecodeEntry(b)
		if err != nil {
			return
		}
		if _, err := e.TaskEvent(); err != nil {
			return
		}
		again, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := audit.DecodeEntry(again); err != nil {
			t.Fatalf("%s cannot be read again: %v", again, err)
		}
	})
}

// instant commits nothing, so that what is left is the service's own work.
type instant struct{ host.State }

func (instant) Commit(context.Context, host.Tx) error { return nil }

// BenchmarkKeep is the service's own work for one event, the commit apart.
func BenchmarkKeep(b *testing.B) {
	s := newStage(b, false)
	svc := s.replicaOn(host.Host{State: instant{s.node.Host(audit.Name).State}, Client: s.node.Host(audit.Name).Client})
	var messages []host.Message
	for _, e := range history(b, ada, 640, 7) {
		messages = append(messages, message(b, e))
	}
	i := 0
	for b.Loop() {
		if err := svc.Subscriptions[0].Handle(b.Context(), messages[i%len(messages)]); err != nil {
			b.Fatal(err)
		}
		i++
	}
}
