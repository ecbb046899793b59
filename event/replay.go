package event

import (
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"reflect"
	"slices"
)

// ProblemKind is what is wrong with a history.
type ProblemKind string

// The kinds of a [Problem].
const (
	// Gap: a list version is missing.
	Gap ProblemKind = "gap"
	// Duplicate: an event occurs again with its own list version.
	Duplicate ProblemKind = "duplicate"
	// Contradiction: two events, or an event and itself, cannot both be true.
	Contradiction ProblemKind = "contradiction"
)

// Problem is one thing wrong with a history, found at an event.
type Problem struct {
	Kind        ProblemKind
	ListVersion int64
	EventID     string
	TaskID      string
	Detail      string
}

func (p Problem) String() string {
	return fmt.Sprintf("list version %d, event %s, task %s: %s: %s", p.ListVersion, p.EventID, p.TaskID, p.Kind, p.Detail)
}

// History is what the events of one list add up to.
type History struct {
	// Tasks has the last state of every task, as its last event carries it.
	Tasks map[string]json.RawMessage
	// ListVersion is the last event's.
	ListVersion int64
	Problems    []Problem
}

// Replay folds the events of one list, which must come sorted by list version, into the final state of its tasks and
// reports whatever speaks against their being a complete and truthful record: list versions that are missing or
// repeated, task versions that do not grow by one, a change that did not start from the state before it, fields that
// changed or went without the event's saying so, a transition its type does not allow. It never stops at a problem.
func Replay(events iter.Seq[TaskEvent]) History {
	r := replay{tasks: map[string]*snapshot{}, ids: map[string]int64{}}
	for e := range events {
		r.add(e)
	}
	h := History{Tasks: make(map[string]json.RawMessage, len(r.tasks)), ListVersion: r.last.ListVersion, Problems: r.problems}
	for id, s := range r.tasks {
		h.Tasks[id] = s.raw
	}
	return h
}

type replay struct {
	last     TaskEvent
	tasks    map[string]*snapshot
	ids      map[string]int64 // event id → list version
	problems []Problem
}

// snapshot is a task after one of its events.
type snapshot struct {
	raw    json.RawMessage
	fields map[string]any
	// before is the status it had when it was deleted.
	before any
}

func (s *snapshot) version() int64 {
	v, _ := s.fields["version"].(float64) // exact below 2^53
	return int64(v)
}

func (r *replay) add(e TaskEvent) {
	report := func(kind ProblemKind, format string, args ...any) {
		r.problems = append(r.problems, Problem{kind, e.ListVersion, e.EventID, e.TaskID, fmt.Sprintf(format, args...)})
	}
	if at, seen := r.ids[e.EventID]; seen && at == e.ListVersion {
		report(Duplicate, "it occurs again")
		return
	} else if seen {
		report(Contradiction, "the same event id is list version %d", at)
	}
	r.ids[e.EventID] = e.ListVersion
	if !r.follows(e, report) {
		return
	}
	r.last = e

	s := &snapshot{raw: e.Payload.Task}
	if err := json.Unmarshal(s.raw, &s.fields); err != nil || s.fields == nil {
		report(Contradiction, "the task cannot be read: %v", err)
		return
	}
	old := r.tasks[e.TaskID]
	r.tasks[e.TaskID] = s
	checkIdentity(e, s, report)
	checkStep(e, old, s, report)
}

// follows checks e's place in the list; false where it has none.
func (r *replay) follows(e TaskEvent, report func(ProblemKind, string, ...any)) bool {
	if r.last.ListID != "" && (e.ListID != r.last.ListID || e.UserID != r.last.UserID) {
		report(Contradiction, "it is of list %s of user %s, those before of %s of %s", e.ListID, e.UserID, r.last.ListID, r.last.UserID)
		return false
	}
	switch next := r.last.ListVersion + 1; {
	case e.ListVersion == r.last.ListVersion:
		report(Contradiction, "event %s has the same list version", r.last.EventID)
		return false
	case e.ListVersion < next:
		report(Contradiction, "it comes after list version %d", r.last.ListVersion)
		return false
	case e.ListVersion == next+1:
		report(Gap, "list version %d is missing", next)
	case e.ListVersion > next:
		report(Gap, "list versions %d to %d are missing", next, e.ListVersion-1)
	}
	return true
}

// checkIdentity compares what the event says twice.
func checkIdentity(e TaskEvent, s *snapshot, report func(ProblemKind, string, ...any)) {
	if s.fields["id"] != e.TaskID {
		report(Contradiction, "its task has the id %v", s.fields["id"])
	}
	if e.EventType != TaskCreated && e.Payload.TaskID != e.TaskID {
		report(Contradiction, "payload.task_id is %q", e.Payload.TaskID)
	}
	if status, at := s.fields["status"], s.fields["completed_at"]; status == "pending" && at != nil || status == "completed" && at == nil {
		report(Contradiction, "its task is %v with completed_at %v", status, at)
	}
	if e.EventType != TaskCompleted {
		return
	}
	var pattern any
	if p := e.Payload.RecurrencePattern; p != nil && p.Value != nil {
		pattern = *p.Value
	}
	if s.fields["recurrence_pattern"] != pattern {
		report(Contradiction, "payload.recurrence_pattern is %v, the task's %v", pattern, s.fields["recurrence_pattern"])
	}
	var at any
	if e.Payload.CompletedAt != nil {
		at, _ = stamp(*e.Payload.CompletedAt) // a time out of range cannot equal the task's
	}
	if s.fields["completed_at"] != at {
		report(Contradiction, "payload.completed_at is %v, the task's %v", at, s.fields["completed_at"])
	}
}

// checkStep compares the task before and after the event.
func checkStep(e TaskEvent, old, s *snapshot, report func(ProblemKind, string, ...any)) {
	if old == nil {
		if e.EventType != TaskCreated || s.version() != 1 {
			report(Contradiction, "the first event of the task is %s with task version %d", e.EventType, s.version())
		}
		if s.fields["status"] != "pending" {
			report(Contradiction, "the task begins as %v", s.fields["status"])
		}
		return
	}
	s.before = old.before
	if e.EventType == TaskDeleted {
		s.before = old.fields["status"]
	}
	if s.version() != old.version()+1 {
		report(Contradiction, "the task version goes from %d to %d", old.version(), s.version())
		return // the states have nothing to do with each other
	}
	if from, to := old.fields["status"], s.fields["status"]; !allowed(e.EventType, from, to, old.before) {
		report(Contradiction, "%s takes the task from %v to %v", e.EventType, from, to)
	}
	checkChanges(e, old, s, report)
}

func allowed(typ Type, from, to, before any) bool {
	switch typ {
	case TaskUpdated:
		return from == to && from != "deleted"
	case TaskCompleted:
		return from == "pending" && to == "completed"
	case TaskReopened:
		return from == "completed" && to == "pending"
	case TaskDeleted:
		return from != "deleted" && to == "deleted"
	case TaskRestored:
		return from == "deleted" && to == before
	case TaskCreated:
		return false
	}
	return true // a type of a later version
}

// checkChanges demands that each field's change is the one the event tells of, and none besides.
func checkChanges(e TaskEvent, old, s *snapshot, report func(ProblemKind, string, ...any)) {
	if !e.EventType.Known() {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(e.Payload.Changes)) {
		c := e.Payload.Changes[name]
		if was := old.fields[name]; !reflect.DeepEqual(plain(c.Old), was) {
			report(Contradiction, "changes.%s.old is not what the field was", name)
		}
		if is := s.fields[name]; !reflect.DeepEqual(plain(c.New), is) {
			report(Contradiction, "changes.%s.new is not what the field is", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.fields)) {
		if _, told := e.Payload.Changes[name]; told || impliedBy(e.EventType, name) {
			continue
		}
		was, existed := old.fields[name]
		if existed && !reflect.DeepEqual(was, s.fields[name]) { // a field that did not exist came with a new version
			report(Contradiction, "%s changed, and changes does not tell", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(old.fields)) {
		_, told := e.Payload.Changes[name]
		if _, kept := s.fields[name]; !kept && !told {
			report(Contradiction, "%s is gone, and changes does not tell", name)
		}
	}
}

// impliedBy tells whether an event of the type may change the field without an entry in changes.
func impliedBy(typ Type, field string) bool {
	switch field {
	case "version", "updated_at":
		return true
	case "status", "completed_at":
		return typ != TaskUpdated
	}
	return false
}

// plain returns v as decoding its JSON gives it, so that values of Go types compare with those of a decoded task.
func plain(v any) any {
	b, err := json.Marshal(v)
	if err != nil {
		return err // equals nothing
	}
	var out any
	if err := json.Unmarshal(b, &out); err != nil {
		return err
	}
	return out
}
