package event_test

import (
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/docket-tasks/docket/event"
)

// life is the golden history of one task: created, updated, completed, reopened, deleted, restored. The examples are
// made one at a time; here they are made to follow from each other.
func life() []event.TaskEvent {
	old := []string{`"title":"Water \u003cthe\u003e plants"`, `"title":"Water"`}
	return []event.TaskEvent{
		*taskEvent(event.TaskCreated, 1, event.Payload{Task: taskJSON("1", old...)}),
		*taskEvent(event.TaskUpdated, 2, event.Payload{Task: taskJSON("2"),
			Changes: map[string]event.Change{"title": {Old: "Water", New: "Water <the> plants"}}}),
		*taskEvent(event.TaskCompleted, 3, event.Payload{Task: taskJSON("3", complete...), CompletedAt: &at,
			RecurrencePattern: &event.Nullable{Value: &weekly}}),
		*taskEvent(event.TaskReopened, 4, event.Payload{Task: taskJSON("4")}),
		*taskEvent(event.TaskDeleted, 5, event.Payload{Task: taskJSON("5", `"pending"`, `"deleted"`), DeletedAt: &at}),
		*taskEvent(event.TaskRestored, 6, event.Payload{Task: taskJSON("6")}),
	}
}

// onTheWire passes events through the encoding, as docket check reads them.
func onTheWire(t *testing.T, events []event.TaskEvent) iter.Seq[event.TaskEvent] {
	t.Helper()
	var out []event.TaskEvent
	for _, e := range events {
		b, err := e.Encode("backend", "")
		if err != nil {
			t.Fatal(err)
		}
		d, _, err := event.DecodeTaskEvent(b)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, d)
	}
	return slices.Values(out)
}

func TestReplayOfAGoodHistory(t *testing.T) {
	for name, events := range map[string]iter.Seq[event.TaskEvent]{
		"in memory": slices.Values(life()), "on the wire": onTheWire(t, life()),
	} {
		h := event.Replay(events)
		if len(h.Problems) != 0 {
			t.Errorf("%s: %v", name, h.Problems)
		}
		want := map[string]json.RawMessage{taskID: taskJSON("6")}
		if diff := cmp.Diff(want, h.Tasks); diff != "" || h.ListVersion != 6 {
			t.Errorf("%s: list version %d, tasks (-want +got):\n%s", name, h.ListVersion, diff)
		}
	}
	if h := event.Replay(slices.Values([]event.TaskEvent(nil))); len(h.Problems) != 0 || len(h.Tasks) != 0 {
		t.Errorf("an empty history: %+v", h)
	}
}

// Each way to spoil a history is reported, with the kind and at the version given, and nothing else is.
func TestReplayFindsWhatIsWrong(t *testing.T) {
	edit := func(i int, old, new string) func([]event.TaskEvent) []event.TaskEvent {
		return func(es []event.TaskEvent) []event.TaskEvent {
			es[i].Payload.Task = json.RawMessage(strings.Replace(string(es[i].Payload.Task), old, new, 1))
			return es
		}
	}
	change := func(i int, f func(e *event.TaskEvent)) func([]event.TaskEvent) []event.TaskEvent {
		return func(es []event.TaskEvent) []event.TaskEvent { f(&es[i]); return es }
	}
	for name, c := range map[string]struct {
		spoil func([]event.TaskEvent) []event.TaskEvent
		want  string // kind at version: part of the detail; several separated by " | "
	}{
		"a missing event": {func(es []event.TaskEvent) []event.TaskEvent { return slices.Delete(es, 1, 2) },
			"gap 3: list version 2 is missing | contradiction 3: version goes from 1 to 3"},
		"two missing at the front": {func(es []event.TaskEvent) []event.TaskEvent { return es[2:] },
			"gap 3: versions 1 to 2 are missing | contradiction 3: first event of the task is task.completed | contradiction 3: begins as completed"},
		"an event twice": {func(es []event.TaskEvent) []event.TaskEvent { return slices.Insert(es, 2, es[1]) }, "duplicate 2: again"},
		"a version twice": {func(es []event.TaskEvent) []event.TaskEvent {
			other := es[1]
			other.EventID = "018f2c5e-7d10-7c3a-9a5e-3f1b2c4d5eff"
			return slices.Insert(es, 2, other)
		}, "contradiction 2: has the same list version"},
		"an id twice":          {change(3, func(e *event.TaskEvent) { e.EventID = life()[0].EventID }), "contradiction 4: same event id is list version 1"},
		"unsorted":             {func(es []event.TaskEvent) []event.TaskEvent { return append(es, withID(es[4], "x")) }, "contradiction 5: comes after list version 6"},
		"another list":         {change(5, func(e *event.TaskEvent) { e.ListID = "other" }), "contradiction 6: of list other"},
		"a task version twice": {edit(3, `"version":4`, `"version":3`), "contradiction 4: from 3 to 3 | contradiction 5: from 3 to 5"},
		"created twice": {change(3, func(e *event.TaskEvent) { e.EventType = event.TaskCreated }),
			"contradiction 4: task.created takes the task from completed to pending"},
		"a wrong transition": {change(3, func(e *event.TaskEvent) { e.EventType = event.TaskRestored }),
			"contradiction 4: task.restored takes the task from completed to pending"},
		"restored to what it was not": {func(es []event.TaskEvent) []event.TaskEvent {
			es = edit(5, `"pending"`, `"completed"`)(es)
			return edit(5, `"completed_at":null`, `"completed_at":"2026-03-31T07:12:45.120Z"`)(es)
		}, "contradiction 6: from deleted to completed"},
		"a wrong old value": {change(1, func(e *event.TaskEvent) {
			e.Payload.Changes["title"] = event.Change{Old: "Wat", New: "Water <the> plants"}
		}), "contradiction 2: changes.title.old"},
		"a wrong new value": {change(1, func(e *event.TaskEvent) {
			e.Payload.Changes["title"] = event.Change{Old: "Water", New: "Fire"}
		}), "contradiction 2: changes.title.new"},
		"a silent change": {edit(4, `"priority":"medium"`, `"priority":"low"`),
			"contradiction 5: priority changed | contradiction 6: priority changed"},
		"a change of tags by number": {edit(1, `[1440,30]`, `[30]`), "contradiction 2: reminder_minutes | contradiction 3: reminder_minutes"},
		"a lost field": {func(es []event.TaskEvent) []event.TaskEvent {
			es = edit(4, `"priority":"medium",`, "")(es)
			return edit(5, `"priority":"medium",`, "")(es)
		}, "contradiction 5: priority is gone"},
		"reopened but still completed": {edit(3, `"completed_at":null`, `"completed_at":"2026-03-31T07:12:45.120Z"`),
			"contradiction 4: pending with completed_at 2026"},
		"an event of another task": {edit(5, taskID, "018f2c5e-6a00-7b11-8c22-9d33e44f5567"),
			"contradiction 6: its task has the id | contradiction 6: id changed"},
		"another task in the payload": {change(5, func(e *event.TaskEvent) { e.Payload.TaskID = "x" }), "contradiction 6: payload.task_id"},
		"another pattern": {change(2, func(e *event.TaskEvent) { e.Payload.RecurrencePattern = nil }),
			"contradiction 3: payload.recurrence_pattern"},
		"another moment of completion": {change(2, func(e *event.TaskEvent) { late := at.AddDate(0, 0, 1); e.Payload.CompletedAt = &late }),
			"contradiction 3: payload.completed_at"},
		"no task":       {change(5, func(e *event.TaskEvent) { e.Payload.Task = json.RawMessage("{nonsense}") }), "contradiction 6: cannot be read"},
		"a later type":  {change(3, func(e *event.TaskEvent) { e.EventType = "task.shared" }), ""},
		"a later field": {edit(5, `"version"`, `"colour":"green","version"`), ""},
		"a second task": {func(es []event.TaskEvent) []event.TaskEvent { return append(es, second(7)) }, ""},
		"a pending birth": {func(es []event.TaskEvent) []event.TaskEvent {
			e := second(7)
			e.Payload.Task = json.RawMessage(strings.Replace(string(e.Payload.Task), "pending", "completed", 1))
			return append(es, e)
		}, "contradiction 7: completed with completed_at <nil> | contradiction 7: begins as completed"},
	} {
		t.Run(name, func(t *testing.T) {
			h := event.Replay(slices.Values(c.spoil(life())))
			var want []string
			if c.want != "" {
				want = strings.Split(c.want, " | ")
			}
			if len(h.Problems) != len(want) {
				t.Fatalf("got %d problems %v, want %q", len(h.Problems), h.Problems, c.want)
			}
			for i, p := range h.Problems {
				head, detail, _ := strings.Cut(want[i], ": ")
				if got := fmt.Sprintf("%s %d", p.Kind, p.ListVersion); got != head || !strings.Contains(p.Detail, detail) {
					t.Errorf("problem %d is %q, want %q", i, p, want[i])
				}
			}
		})
	}
}

func withID(e event.TaskEvent, id string) event.TaskEvent {
	e.EventID = id
	return e
}

// second is the birth of another task, as list version n.
func second(n int64) event.TaskEvent {
	e := *taskEvent(event.TaskCreated, n, event.Payload{Task: taskJSON("1")})
	const id = "018f2c5e-6a00-7b11-8c22-9d33e44f5599"
	e.TaskID, e.Payload.Task = id, json.RawMessage(strings.Replace(string(e.Payload.Task), taskID, id, 1))
	return e
}
