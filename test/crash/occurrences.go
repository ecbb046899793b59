package main

import (
	"fmt"
	"slices"

	"github.com/docket-tasks/docket/event"
	"github.com/docket-tasks/docket/task"
)

// slot is one occurrence of a series. A task changed to another rule begins another series.
type slot struct {
	series, rule, start string
	number              int
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
		var successor *change // the one that the last completion to have one settled on
		for _, next := range successorIDs(id, changes) {
			successors[next] = true
			if last := h.last(next); last != nil {
				successor = last
			}
		}
		switch {
		case now.Status == task.Completed && now.RecurrencePattern != nil:
			if successor != nil && !withdrawn(successor) && !goneBefore(h, successor, changes) {
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
		if t := first.after; t.RecurrenceParentID == nil || t.OccurrenceNumber == nil {
			add(false, "task %s was made by %s, but is of no series", id, first.Actor.Name)
			continue
		}
		now := changes[len(changes)-1].after
		if now.RecurrenceParentID == nil {
			continue // a user made it the first of a series of its own
		}
		s := slot{*now.RecurrenceParentID, *now.RecurrencePattern, *now.SeriesStart, *now.OccurrenceNumber}
		if other, twice := slots[s]; twice {
			add(false, "tasks %s and %s are both occurrence %d of series %s", other, id, s.number, s.series)
		}
		slots[s] = id
	}
	return made, wrong
}

// successorIDs returns the ids that an occurrence may have that follows the task: none where it was never completed while it
// repeated, or else the one that every task has, and one for each completion.
func successorIDs(id string, changes []*change) (ids []string) {
	for _, c := range changes {
		if c.EventType == event.TaskCompleted && c.after.RecurrencePattern != nil {
			if ids == nil {
				ids = append(ids, event.SuccessorID(id))
			}
			ids = append(ids, event.LaterSuccessorID(id, c.after.Version))
		}
	}
	return ids
}

// goneBefore tells whether a user had deleted the successor, which was not completed, before the task was last completed.
func goneBefore(h *history, successor *change, changes []*change) bool {
	before := h.at(successor.TaskID, successor.after.Version-1)
	if !successor.byUserDeleted() || before.after.Status != task.Pending {
		return false
	}
	for _, c := range slices.Backward(changes) {
		if c.EventType == event.TaskCompleted {
			return successor.ListVersion < c.ListVersion
		}
	}
	return false
}

func (c *change) byUserDeleted() bool { return !c.byService() && c.after.Status == task.Deleted }

// withdrawn tells whether a service deleted the task: its predecessor had been reopened.
func withdrawn(last *change) bool { return last.byService() && last.after.Status == task.Deleted }
