package main

import (
	"fmt"

	"github.com/docket-tasks/docket/event"
	"github.com/docket-tasks/docket/task"
)

// slot is one occurrence of a series.
type slot struct {
	series string
	number int
}

// verifyOccurrences demands of one list that each completion in force was continued, that nothing was continued twice,
// and that nothing continues what was not completed. It returns how many occurrences were made.
func verifyOccurrences(h *history) (made int, wrong violations) {
	add := func(pending bool, format string, args ...any) {
		wrong = append(wrong, violation{kind: "occurrence", pending: pending, detail: fmt.Sprintf(format, args...)})
	}
	successors, slots := map[string]bool{}, map[slot]string{}
	for id, changes := range h.tasks {
		now := changes[len(changes)-1].after
		if completedOnce(changes) {
			successors[event.SuccessorID(id)] = true
		}
		successor := h.last(event.SuccessorID(id))
		switch {
		case now.Status == task.Completed && now.RecurrencePattern != nil:
			if successor != nil && !withdrawn(successor) {
				break
			}
			if _, goesOn, err := task.Next(now, h.user.zone); err != nil {
				add(false, "task %s: %v", id, err)
			} else if goesOn {
				add(true, "task %s, completed at version %d, was not continued", id, now.Version)
			}
		case now.Status == task.Pending && successor != nil && successor.byService() && successor.after.Status == task.Pending:
			add(true, "task %s is pending, yet its successor %s is there and nobody has changed it", id, successor.TaskID)
		}
	}
	for id, changes := range h.tasks {
		first := changes[0]
		if !first.byService() {
			continue
		}
		made++
		if !successors[id] {
			add(false, "task %s was made by %s, but continues no task that was completed", id, first.Actor.Name)
		}
		t := first.after
		if t.RecurrenceParentID == nil || t.OccurrenceNumber == nil {
			add(false, "task %s was made by %s, but is of no series", id, first.Actor.Name)
			continue
		}
		s := slot{*t.RecurrenceParentID, *t.OccurrenceNumber}
		if other, twice := slots[s]; twice {
			add(false, "tasks %s and %s are both occurrence %d of series %s", other, id, s.number, s.series)
		}
		slots[s] = id
	}
	return made, wrong
}

// completedOnce tells whether the task was ever completed while it repeated.
func completedOnce(changes []*change) bool {
	for _, c := range changes {
		if c.EventType == event.TaskCompleted && c.after.RecurrencePattern != nil {
			return true
		}
	}
	return false
}

// withdrawn tells whether a service deleted the task: its predecessor had been reopened.
func withdrawn(last *change) bool { return last.byService() && last.after.Status == task.Deleted }
