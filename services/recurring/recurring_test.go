package recurring

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/event"
	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/host/embedded"
	"github.com/docket-tasks/docket/task"
)

// world runs the service on a real host, with a backend that speaks the contract of the internal routes.
type world struct {
	t       *testing.T
	node    *embedded.Node
	service host.Service
	log     *lockedBuffer
	// handled gets the id and the outcome of every delivery.
	handled chan handled

	mu     sync.Mutex
	zones  map[string]string
	status []int // of the next answers, 200 after that
	asked  []asked
	made   map[string]bool
	traces []string
}

type handled struct {
	id  string
	err error
}

// asked is a request for an occurrence.
type asked struct {
	CompletedID      string         `json:"completed_id"`
	CompletedVersion int64          `json:"completed_version"`
	Occurrence       map[string]any `json:"occurrence"`
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func open(t *testing.T, o embedded.Options) *world {
	t.Helper()
	w := &world{t: t, log: &lockedBuffer{}, handled: make(chan handled, 10_000), zones: map[string]string{"ada": "Europe/Berlin"}, made: map[string]bool{}}
	o.Dir, o.Logger = t.TempDir(), slog.New(slog.NewTextHandler(io.Discard, nil))
	node, err := embedded.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	w.node = node
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 10*time.Second)
		defer cancel()
		if err := node.Close(ctx); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	w.service = New(Config{Logger: edge.NewLogger(w.log, Name, "info", "json")}, node.Host(Name))
	observed := w.service
	observed.Subscriptions = []host.Subscription{observed.Subscriptions[0]}
	observed.Subscriptions[0].Handle = func(ctx context.Context, m host.Message) error {
		err := w.service.Subscriptions[0].Handle(ctx, m)
		w.handled <- handled{m.ID, err}
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /internal/users/{id}", w.user)
	mux.HandleFunc("POST /internal/occurrences", w.occurrence)
	if err := node.Start(t.Context(), observed, host.Service{Name: "backend", Runtime: mux}); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) user(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.traces = append(w.traces, r.Header.Get("traceparent"))
	zone, ok := w.zones[r.PathValue("id")]
	if !ok {
		rw.WriteHeader(http.StatusNotFound)
		return
	}
	_ = json.NewEncoder(rw).Encode(map[string]any{"id": r.PathValue("id"), "time_zone": zone})
}

func (w *world) occurrence(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.traces = append(w.traces, r.Header.Get("traceparent"))
	if len(w.status) > 0 {
		status := w.status[0]
		w.status = w.status[1:]
		rw.WriteHeader(status)
		return
	}
	var a asked
	if err := json.NewDecoder(r.Body).Decode(&a); err != nil {
		w.t.Error(err)
	}
	w.asked = append(w.asked, a)
	outcome := "created"
	if w.made[a.CompletedID] {
		outcome = "exists"
	}
	w.made[a.CompletedID] = true
	_ = json.NewEncoder(rw).Encode(map[string]string{"outcome": outcome})
}

// next waits for the outcome of one delivery.
func (w *world) next() handled {
	w.t.Helper()
	select {
	case h := <-w.handled:
		return h
	case <-time.After(time.Minute):
		w.t.Fatalf("nothing was delivered; the log:\n%s", w.log)
		return handled{}
	}
}

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// repeating is the n-th task of a user: a series that began at due, completed at done.
func repeating(t *testing.T, n int, pattern, due, done, zoneName string) task.Task {
	t.Helper()
	completed, err := time.Parse(time.RFC3339, done)
	if err != nil {
		t.Fatal(err)
	}
	d, err := task.ParseDue(due)
	if err != nil {
		t.Fatal(err)
	}
	at := task.At(completed)
	tk := task.Task{
		ID: event.SuccessorID(fmt.Sprint("task", n)), Title: "Secret plan", Status: task.Completed, Priority: task.Medium, Tags: []string{},
		DueDate: d, RecurrencePattern: &pattern, ReminderMinutes: []int{}, CreatedBy: "ada", CreatedAt: at, UpdatedAt: at, CompletedAt: &at, Version: 7,
	}
	if err := task.Begin(&tk, task.Env{Now: completed, Zone: zone(t, zoneName)}); err != nil {
		t.Fatal(err)
	}
	return tk
}

const testTrace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

// message is the event of a type about the task, as the backend publishes it.
func message(t *testing.T, typ event.Type, tk task.Task) host.Message {
	t.Helper()
	raw, err := json.Marshal(tk)
	if err != nil {
		t.Fatal(err)
	}
	e := event.TaskEvent{
		EventID: event.SuccessorID("event of " + tk.ID), EventType: typ, TaskID: tk.ID, UserID: tk.CreatedBy, ListID: tk.CreatedBy, ListVersion: 9,
		Timestamp: tk.UpdatedAt.Time, Actor: event.Actor{Kind: "user", ID: tk.CreatedBy},
		Payload: event.Payload{TaskID: tk.ID, RecurrencePattern: &event.Nullable{Value: tk.RecurrencePattern}, Task: raw},
	}
	if tk.CompletedAt != nil {
		e.Payload.CompletedAt = &tk.CompletedAt.Time
	}
	data, err := e.Encode("/backend", testTrace)
	if err != nil {
		t.Fatal(err)
	}
	return host.Message{Topic: event.TopicTasks, Key: e.ListID, ID: e.EventID, Data: data}
}

func (w *world) publish(messages ...host.Message) {
	w.t.Helper()
	if err := w.node.Host("backend").State.Commit(w.t.Context(), host.Tx{Messages: messages}); err != nil {
		w.t.Fatal(err)
	}
}

// TestNextOccurrence: what is asked of the backend for each kind of pattern, in the zone of the series or, where it
// follows the user, in the user's zone.
//
// [Task]: T045
func TestNextOccurrence(t *testing.T) {
	for i, tc := range []struct {
		name, pattern, due, done, zone string
		next, slot                     string
		number                         float64
	}{
		{"daily", "daily", "2026-03-02T09:00:00", "2026-03-02T07:30:00Z", "Europe/Berlin", "2026-03-03T09:00:00", "2026-03-03T09:00:00", 2},
		{"daily, done late", "daily", "2026-03-02T09:00:00", "2026-03-05T10:00:00Z", "Europe/Berlin", "2026-03-06T09:00:00", "2026-03-06T09:00:00", 5},
		{"daily into summer time", "daily", "2026-03-28T09:00:00+01:00", "2026-03-28T08:00:00Z", "Europe/Berlin", "2026-03-29T09:00:00+02:00", "2026-03-29T09:00:00", 2},
		{"weekly", "weekly", "2026-03-02", "2026-03-02T12:00:00Z", "Europe/Berlin", "2026-03-09", "2026-03-09", 2},
		{"monthly at the end", "monthly", "2026-01-31", "2026-01-31T12:00:00Z", "Europe/Berlin", "2026-02-28", "2026-02-28", 2},
		{"yearly leap day", "yearly", "2024-02-29", "2024-02-29T12:00:00Z", "Europe/Berlin", "2025-02-28", "2025-02-28", 2},
		{"rule", "RRULE:FREQ=MONTHLY;BYDAY=-1FR", "2026-03-27", "2026-03-27T12:00:00Z", "Europe/Berlin", "2026-04-24", "2026-04-24", 2},
		{"user in Auckland", "daily", "2026-03-02", "2026-03-02T12:30:00Z", "Pacific/Auckland", "2026-03-03", "2026-03-03", 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := open(t, embedded.Options{})
			w.zones["ada"] = tc.zone
			tk := repeating(t, i, tc.pattern, tc.due, tc.done, tc.zone)
			w.publish(message(t, event.TaskCompleted, tk))
			if h := w.next(); h.err != nil {
				t.Fatal(h.err)
			}
			want := []asked{{tk.ID, 7, map[string]any{"due_date": tc.next, "occurrence": tc.slot, "occurrence_number": tc.number}}}
			if diff := cmp.Diff(want, w.asked); diff != "" {
				t.Errorf("asked (-want +got):\n%s", diff)
			}
			for _, trace := range w.traces {
				if trace != testTrace {
					t.Errorf("backend was asked with trace %q, want the event's", trace)
				}
			}
			log := w.log.String()
			if !strings.Contains(log, `"outcome":"created"`) || !strings.Contains(log, testTrace[3:35]) || strings.Contains(log, tk.Title) {
				t.Errorf("log:\n%s", log)
			}
		})
	}
}

// TestZoneChange: a zone that the user has just changed counts for the very next completion. At 10:30 UTC the 3rd is
// still to end in Berlin and has ended in Kiritimati.
func TestZoneChange(t *testing.T) {
	w := open(t, embedded.Options{})
	for i, tc := range []struct{ zone, next string }{{"Europe/Berlin", "2026-03-03"}, {"Pacific/Kiritimati", "2026-03-04"}} {
		w.mu.Lock()
		w.zones["ada"] = tc.zone
		w.mu.Unlock()
		w.publish(message(t, event.TaskCompleted, repeating(t, i, "daily", "2026-03-02", "2026-03-03T10:30:00Z", "Europe/Berlin")))
		if h := w.next(); h.err != nil {
			t.Fatal(h.err)
		}
		if got := w.asked[i].Occurrence["due_date"]; got != tc.next {
			t.Errorf("%s: next is due %v, want %s", tc.zone, got, tc.next)
		}
	}
}

// TestRedelivery: repeated and shuffled events ask again, with the same words; the backend makes one of them.
//
// [Task]: T045
func TestRedelivery(t *testing.T) {
	w := open(t, embedded.Options{Disorder: true})
	var messages []host.Message
	for i := range 100 {
		m := message(t, event.TaskCompleted, repeating(t, i, "weekly", "2026-03-02", "2026-03-02T12:00:00Z", "Europe/Berlin"))
		messages = append(messages, m)
	}
	w.publish(messages...)
	for seen := map[string]bool{}; len(seen) < len(messages); {
		h := w.next()
		if h.err != nil {
			t.Fatal(h.err)
		}
		seen[h.id] = true
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	first := map[string]asked{}
	for _, a := range w.asked {
		if before, again := first[a.CompletedID]; again && !cmp.Equal(before, a) {
			t.Errorf("asked for %v and then for %v", before, a)
		}
		first[a.CompletedID] = a
	}
	if len(w.made) != 100 {
		t.Errorf("%d occurrences, want 100", len(w.made))
	}
}

// TestIgnored: what is no completion of a repeating task asks for nothing, nor does a series that has ended.
func TestIgnored(t *testing.T) {
	w := open(t, embedded.Options{})
	for i, typ := range append(event.Types, "task.archived") {
		if typ == event.TaskCompleted {
			continue
		}
		w.publish(message(t, typ, repeating(t, i, "daily", "2026-03-02", "2026-03-02T12:00:00Z", "Europe/Berlin")))
		if h := w.next(); h.err != nil {
			t.Errorf("%s: %v", typ, h.err)
		}
	}
	once := repeating(t, 100, "daily", "2026-03-02", "2026-03-02T12:00:00Z", "Europe/Berlin")
	once.RecurrencePattern = nil
	last := repeating(t, 101, "RRULE:FREQ=DAILY;UNTIL=20260303", "2026-03-02", "2026-03-04T12:00:00Z", "Europe/Berlin")
	for _, tk := range []task.Task{once, last} {
		w.publish(message(t, event.TaskCompleted, tk))
		if h := w.next(); h.err != nil {
			t.Error(h.err)
		}
	}
	if len(w.asked) != 0 {
		t.Errorf("asked %v", w.asked)
	}
	if log := w.log.String(); !strings.Contains(log, "series ended") || !strings.Contains(log, last.ID) {
		t.Errorf("the end of the series is not logged:\n%s", log)
	}
}

// TestErrors: what no repetition can mend goes to the dead letters, an outage is waited out.
func TestErrors(t *testing.T) {
	w := open(t, embedded.Options{})
	daily := func(n int) task.Task {
		return repeating(t, n, "daily", "2026-03-02", "2026-03-02T12:00:00Z", "Europe/Berlin")
	}
	newer, unzoned, unknown := daily(1), daily(2), daily(3)
	pattern := "RRULE:FREQ=LUNAR"
	newer.RecurrencePattern = &pattern
	unzoned.CreatedBy, unknown.CreatedBy = "mars", "nobody"
	w.zones["mars"] = "Mars/Olympus"
	open := daily(4)
	open.CompletedAt = nil
	for name, m := range map[string]host.Message{
		"nonsense":        {Data: []byte("{")},
		"a newer pattern": message(t, event.TaskCompleted, newer),
		"unknown zone":    message(t, event.TaskCompleted, unzoned),
		"not completed":   message(t, event.TaskCompleted, open),
	} {
		if err := w.service.Subscriptions[0].Handle(t.Context(), m); !host.IsPermanent(err) {
			t.Errorf("%s: %v, want a permanent error", name, err)
		}
	}
	if err := w.service.Subscriptions[0].Handle(t.Context(), message(t, event.TaskCompleted, unknown)); err != nil {
		t.Errorf("a deleted account: %v, want the event dropped", err)
	}
	w.status = []int{http.StatusBadRequest}
	if err := w.service.Subscriptions[0].Handle(t.Context(), message(t, event.TaskCompleted, daily(5))); !host.IsPermanent(err) {
		t.Errorf("backend refuses: %v, want a permanent error", err)
	}
	w.status = []int{http.StatusServiceUnavailable, http.StatusInternalServerError, http.StatusConflict}
	w.publish(message(t, event.TaskCompleted, daily(6)))
	for range 3 {
		if h := w.next(); h.err == nil || host.IsPermanent(h.err) {
			t.Errorf("backend away: %v, want an error that is not permanent", h.err)
		}
	}
	if h := w.next(); h.err != nil || len(w.asked) != 1 {
		t.Errorf("after the outage: %v, asked %v", h.err, w.asked)
	}
}
