package main

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/docket-tasks/docket/event"
	"github.com/docket-tasks/docket/services/notification"
	"github.com/docket-tasks/docket/task"
)

// story builds the history of a list, one minute from change to change.
type story struct {
	t *testing.T
	h *history
}

var dawn = time.Date(2030, 5, 1, 6, 0, 0, 0, time.UTC)

func newStory(t *testing.T) *story {
	return &story{t, newHistory(&user{ID: "list", zone: time.UTC})}
}

// add appends an event of a task, made from its last state by edit; kind is "token" or "service".
func (s *story) add(kind string, typ event.Type, id string, edit func(*task.Task)) {
	s.t.Helper()
	n := int64(len(s.h.changes))
	now := task.At(dawn.Add(time.Duration(n) * time.Minute))
	next := task.Task{ID: id, Status: task.Pending, Priority: task.Medium, CreatedAt: now, ReminderMinutes: []int{}, Tags: []string{}}
	if last := s.h.last(id); last != nil {
		next = last.after
	}
	if edit != nil {
		edit(&next)
	}
	next.Version, next.UpdatedAt = next.Version+1, now
	c := &change{after: next, TaskEvent: event.TaskEvent{EventID: fmt.Sprint("event-", n), EventType: typ, TaskID: id, UserID: "list",
		Timestamp: now.Time, ListID: "list", ListVersion: n + 1, Actor: event.Actor{Kind: kind},
		Payload: event.Payload{Task: task.Encode(next)}}}
	if err := s.h.add([]*change{c}); err != nil {
		s.t.Fatal(err)
	}
}

// repeating gives a task the pattern daily, as occurrence n of the series.
func repeating(series string, n int) func(*task.Task) {
	return func(t *task.Task) {
		day := dawn.AddDate(0, 0, n-1).Format(time.DateOnly)
		start, pattern := dawn.Format(time.DateOnly), "daily"
		var err error
		if t.DueDate, err = task.ParseDue(day); err != nil {
			panic(err)
		}
		t.RecurrencePattern, t.SeriesStart, t.Occurrence, t.OccurrenceNumber = &pattern, &start, &day, &n
		if t.ID != series {
			t.RecurrenceParentID = &series
		}
	}
}

func completed(t *task.Task) {
	at := task.At(dawn)
	t.Status, t.CompletedAt = task.Completed, &at
}

func pending(t *task.Task) { t.Status, t.CompletedAt = task.Pending, nil }

func TestVerifyOccurrences(t *testing.T) {
	next := event.SuccessorID("a")
	cases := []struct {
		name  string
		tell  func(s *story)
		wrong int
	}{
		{"continued once", func(s *story) { s.add("service", event.TaskCreated, next, repeating("a", 2)) }, 0},
		{"not continued", func(*story) {}, 1},
		{"continued twice", func(s *story) {
			s.add("service", event.TaskCreated, next, repeating("a", 2))
			s.add("service", event.TaskCreated, "another", repeating("a", 2))
		}, 2}, // another continues nothing, and takes the place of the other
		{"withdrawn and not brought back", func(s *story) {
			s.add("service", event.TaskCreated, next, repeating("a", 2))
			s.add("service", event.TaskDeleted, next, func(t *task.Task) { t.Status = task.Deleted })
		}, 1},
		{"deleted by the user", func(s *story) {
			s.add("service", event.TaskCreated, next, repeating("a", 2))
			s.add("token", event.TaskDeleted, next, func(t *task.Task) { t.Status = task.Deleted })
		}, 0},
		{"deleted, and completed again", func(s *story) {
			s.add("service", event.TaskCreated, next, repeating("a", 2))
			s.add("token", event.TaskDeleted, next, func(t *task.Task) { t.Status = task.Deleted })
			s.add("token", event.TaskReopened, "a", pending)
			s.add("token", event.TaskCompleted, "a", completed)
		}, 1},
		{"deleted, and brought back", func(s *story) {
			s.add("service", event.TaskCreated, next, repeating("a", 2))
			s.add("token", event.TaskDeleted, next, func(t *task.Task) { t.Status = task.Deleted })
			s.add("token", event.TaskReopened, "a", pending)
			s.add("token", event.TaskCompleted, "a", completed)
			s.add("service", event.TaskRestored, next, pending)
		}, 0},
		{"deleted, and another in its place", func(s *story) {
			s.add("service", event.TaskCreated, next, repeating("a", 2))
			s.add("token", event.TaskDeleted, next, func(t *task.Task) { t.Status = task.Deleted })
			s.add("token", event.TaskReopened, "a", pending)
			s.add("token", event.TaskCompleted, "a", completed)
			s.add("service", event.TaskCreated, event.LaterSuccessorID("a", 4), repeating("a", 2))
		}, 1},
		{"made a series of its own, and another in its place", func(s *story) {
			s.add("service", event.TaskCreated, next, repeating("a", 2))
			s.add("token", event.TaskUpdated, next, func(t *task.Task) { t.RecurrenceParentID = nil })
			s.add("token", event.TaskReopened, "a", pending)
			s.add("token", event.TaskCompleted, "a", completed)
			s.add("service", event.TaskCreated, event.LaterSuccessorID("a", 4), repeating("a", 2))
		}, 0},
		{"reopened, and continued all the same", func(s *story) {
			s.add("service", event.TaskCreated, next, repeating("a", 2))
			s.add("token", event.TaskReopened, "a", pending)
		}, 1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := newStory(t)
			s.add("token", event.TaskCreated, "a", repeating("a", 1))
			s.add("token", event.TaskCompleted, "a", completed)
			c.tell(s)
			if _, wrong := verifyOccurrences(s.h); len(wrong) != c.wrong {
				t.Errorf("%d violations, want %d: %v", len(wrong), c.wrong, wrong)
			}
		})
	}
}

func TestVerifyReminders(t *testing.T) {
	s := newStory(t)
	at := dawn.Add(time.Hour)
	s.add("token", event.TaskCreated, "a", func(t *task.Task) {
		t.ReminderMinutes = []int{10, 0}
		if err := t.DueDate.UnmarshalText([]byte(at.Format(time.RFC3339))); err != nil {
			panic(err)
		}
	})
	s.add("token", event.TaskUpdated, "a", func(t *task.Task) { t.Title = "other" })
	item := func(moment time.Time, late time.Duration) notification.InboxItem {
		return notification.InboxItem{ReminderID: event.ReminderID("a", fmt.Sprint(moment.UnixMilli())), TaskID: "a",
			ScheduledTime: task.At(moment), CreatedAt: task.At(moment.Add(late))}
	}
	first, second := item(at.Add(-10*time.Minute), 0), item(at, time.Second)
	both := map[string]bool{first.ReminderID: true, second.ReminderID: true}
	cases := []struct {
		name  string
		items []notification.InboxItem
		sent  map[string]bool
		now   time.Time
		wrong int
	}{
		{"both came", []notification.InboxItem{second, first}, both, at.Add(time.Minute), 0},
		{"one is still to come", []notification.InboxItem{first}, map[string]bool{first.ReminderID: true}, at.Add(-time.Minute), 0},
		{"one is lost", []notification.InboxItem{first}, map[string]bool{first.ReminderID: true}, at.Add(time.Minute), 1},
		{"one came twice", []notification.InboxItem{first, second, second}, both, at.Add(time.Minute), 1},
		{"one came early", []notification.InboxItem{first, item(at, -time.Millisecond)}, both, at.Add(time.Minute), 1},
		{"one is of another moment", []notification.InboxItem{first, second, item(at.Add(time.Second), 0)}, both, at.Add(time.Minute), 1},
		{"one was never sent", []notification.InboxItem{first, second}, map[string]bool{first.ReminderID: true}, at.Add(time.Minute), 1},
		{"one was sent and not kept", []notification.InboxItem{first}, both, at.Add(-time.Minute), 1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if _, wrong := verifyReminders(expect(s.h), c.items, c.sent, c.now); len(wrong) != c.wrong {
				t.Errorf("%d violations, want %d: %v", len(wrong), c.wrong, wrong)
			}
		})
	}
}

func TestVerifyLedger(t *testing.T) {
	s := newStory(t)
	s.add("token", event.TaskCreated, "a", func(t *task.Task) { t.Title = "m1" })
	s.add("token", event.TaskDeleted, "a", func(t *task.Task) { t.Status = task.Deleted })
	created := s.h.at("a", 1)
	other := created.after
	other.Priority = task.High
	const op = "create"
	cases := []struct {
		name  string
		asked request
		kind  string
	}{
		{"as it was told", request{mark: "m1", op: op, outcome: acked, task: "a", version: 1, listVersion: 1, doc: created.Payload.Task}, ""},
		{"no answer, but it happened", request{mark: "m1", op: op}, ""},
		{"refused, but it happened", request{mark: "m1", op: op, outcome: refused}, "half"},
		{"told otherwise", request{mark: "m1", op: op, outcome: acked, task: "a", version: 1, listVersion: 1, doc: json.RawMessage(task.Encode(other))}, "half"},
		{"told earlier", request{mark: "m1", op: op, outcome: acked, task: "a", version: 1, listVersion: 0, doc: created.Payload.Task}, "half"},
		{"nobody asked", request{mark: "m2", op: op}, "strange"},
		{"lost", request{mark: "m3", op: op, outcome: acked, task: "b", version: 1, listVersion: 3}, "strange"},
		{"a deletion", request{mark: "m1", op: "delete", outcome: acked, task: "a", listVersion: 2}, ""},
		{"a lost deletion", request{mark: "m1", op: "delete", outcome: acked, task: "a", listVersion: 1}, "lost"},
		{"a version that is not there", request{mark: "m1", op: "complete", outcome: acked, task: "a", version: 3, listVersion: 3}, "lost"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			l := newLedger()
			c.asked.user = s.h.user
			l.issue(&c.asked)
			wrong := verifyLedger(l, s.h)
			if kind := kindOf(first(wrong)); kind != c.kind {
				t.Errorf("kind %q, want %q: %v", kind, c.kind, wrong)
			}
		})
	}
}

// first is the violations as an error, nil where there are none.
func first(wrong violations) error {
	if len(wrong) == 0 {
		return nil
	}
	return wrong
}
