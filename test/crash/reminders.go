package main

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/docket-tasks/docket/event"
	"github.com/docket-tasks/docket/services/notification"
	"github.com/docket-tasks/docket/task"
)

// expected are the reminders of one list by id, each with its moment.
type expected struct {
	// must have come once their moment has passed: nothing about them has changed since they were set.
	must map[string]due
	// may have come: those above, and those of a task that changed when its moment was near or over.
	may map[string]due
}

type due struct {
	task string
	at   time.Time
}

// expect works out the reminders from the history of a list, by the rules of SPEC: one at each moment that was ahead
// when due date, reminders or status were set and is reached while they stand; one at once where a new due date
// has moments that have passed.
func expect(h *history) expected {
	x := expected{must: map[string]due{}, may: map[string]due{}}
	for id, changes := range h.tasks {
		var set map[string]due // by the last change that counts
		var before *task.Task
		for _, c := range changes {
			if moved := before == nil || before.DueDate != c.after.DueDate; moved || before.Status != c.after.Status ||
				!slices.Equal(before.ReminderMinutes, c.after.ReminderMinutes) {
				set = remindersSet(c, moved, h.user.zone)
				for reminder, d := range set {
					x.may[reminder] = d
				}
			}
			before = &c.after
		}
		for reminder, d := range set {
			d.task = id
			x.must[reminder] = d
		}
	}
	return x
}

// remindersSet are the reminders that a change sets; moved tells that the due date is new.
func remindersSet(c *change, moved bool, zone *time.Location) map[string]due {
	t := &c.after
	if t.Status != task.Pending || t.DueDate.IsZero() {
		return nil
	}
	set := map[string]due{}
	for _, minutes := range t.ReminderMinutes {
		at := t.DueDate.Instant(zone).Add(-time.Duration(minutes) * time.Minute)
		switch {
		case at.After(c.Timestamp):
			set[event.ReminderID(t.ID, strconv.FormatInt(at.UnixMilli(), 10))] = due{t.ID, at}
		case moved:
			set[event.ReminderID(t.ID, "set-"+strconv.FormatInt(t.Version, 10))] = due{t.ID, c.Timestamp}
		}
	}
	return set
}

// verifyReminders holds an inbox and the published reminders (reminder ids) of one user against what is expected.
// It tells when the next one is due, the zero time where none is.
func verifyReminders(x expected, items []notification.InboxItem, published map[string]bool, now time.Time) (next time.Time, wrong violations) {
	add := func(pending bool, format string, args ...any) {
		wrong = append(wrong, violation{kind: "reminder", pending: pending, detail: fmt.Sprintf(format, args...)})
	}
	kept := map[string]bool{}
	for _, it := range items {
		want, ok := x.may[it.ReminderID]
		switch {
		case kept[it.ReminderID]:
			add(false, "reminder %s of task %s is in the inbox twice", it.ReminderID, it.TaskID)
		case !ok:
			add(false, "reminder %s of task %s for %s: the task never had one then", it.ReminderID, it.TaskID, it.ScheduledTime)
		case it.TaskID != want.task || !it.ScheduledTime.Equal(want.at):
			add(false, "reminder %s is for task %s at %s, not task %s at %s", it.ReminderID, it.TaskID, it.ScheduledTime, want.task, want.at)
		case it.CreatedAt.Before(want.at):
			add(false, "reminder %s of task %s came at %s, before its moment %s", it.ReminderID, it.TaskID, it.CreatedAt, want.at)
		case !published[it.ReminderID]:
			add(false, "reminder %s of task %s is in the inbox, but was never sent", it.ReminderID, it.TaskID)
		}
		kept[it.ReminderID] = true
	}
	for id, d := range x.must {
		switch {
		case d.at.After(now):
			if next.IsZero() || d.at.Before(next) {
				next = d.at
			}
		case !kept[id]:
			add(true, "reminder %s of task %s, due at %s, did not come", id, d.task, d.at)
		}
	}
	for id := range published {
		if _, mine := x.may[id]; mine && !kept[id] {
			add(true, "reminder %s was sent, but is not in the inbox", id)
		}
	}
	return next, wrong
}
