package e2e

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/docket-tasks/docket/event"
)

// Completing a repeating task brings its next occurrence into every open client, and both into the audit log.
//
// [Task]: T046
func TestCompletedTaskContinues(t *testing.T) {
	scenario(t, func(t *testing.T, w *world) {
		c := w.user("Ada", "Europe/Berlin")
		live := c.listen("")
		first := c.create(object{"title": "Standup", "description": "Room 3", "priority": "high", "tags": []string{"work"},
			"due_date": "2030-03-30T09:00:00+01:00", "recurrence_pattern": "daily", "reminder_minutes": []int{15}})
		c.step(first, "complete")
		next := live.created(first, 2)
		if next.due() != "2030-03-31T09:00:00+02:00" { // the clocks have gone forward: nine stays nine
			t.Errorf("due %s", next.due())
		}
		if next.Title != first.Title || next.Description != first.Description || next.Priority != first.Priority || next.Status != "pending" ||
			!slices.Equal(next.Tags, first.Tags) || !slices.Equal(next.ReminderMinutes, first.ReminderMinutes) {
			t.Errorf("the copy is %+v", next)
		}
		history := c.history(next.ID, 3)
		if len(history) != 1 || history[0].EventType != event.TaskCreated || history[0].Actor != (event.Actor{Kind: "service", ID: "recurring-task", Name: "recurring-task"}) {
			t.Errorf("history of the occurrence: %+v", history)
		}
		completed := c.history(first.ID, 3)
		if e := completed[len(completed)-1]; e.EventType != event.TaskCompleted || e.ListVersion != 2 || *e.event(t).Payload.RecurrencePattern.Value != "daily" {
			t.Errorf("history of the completed task ends with %+v", e)
		}

		t.Run("reopen and complete again", func(t *testing.T) {
			c.step(first, "reopen")
			if i := c.task(next.ID); i.Status != "deleted" {
				t.Errorf("the successor of a reopened task is %s", i.Status)
			}
			c.step(first, "complete")
			if back := live.created(first, 2); back.ID != next.ID || back.Status != "pending" {
				t.Errorf("completed again: %+v", back)
			}
		})
		t.Run("reopen keeps a changed successor", func(t *testing.T) {
			c.do("PATCH", next.path(), object{"description": "Room 4"}).want(200)
			c.step(first, "reopen")
			if i := c.task(next.ID); i.Status != "pending" {
				t.Errorf("a changed successor is %s", i.Status)
			}
		})
	})
}

// series are tasks, and the due dates of their next occurrences as each is completed; the last one ends the series
// where ends says so.
var series = []struct {
	name, due, pattern string
	next               []string
	ends               bool
}{
	{"from the 31st", "2030-01-31", "monthly", []string{"2030-02-28", "2030-03-31", "2030-04-30"}, false},
	{"leap day", "2032-02-29", "yearly", []string{"2033-02-28", "2034-02-28"}, false},
	{"rule", "2030-01-07T08:30:00", "RRULE:FREQ=WEEKLY;BYDAY=MO,WE", []string{"2030-01-09T08:30:00", "2030-01-14T08:30:00"}, false},
	{"31st only", "2030-01-31", "RRULE:FREQ=MONTHLY;BYMONTHDAY=31", []string{"2030-03-31", "2030-05-31"}, false},
	{"spring gap", "2030-03-30T02:30:00+01:00", "daily", []string{"2030-03-31T03:30:00+02:00", "2030-04-01T02:30:00+02:00"}, false},
	{"count", "2030-01-01", "RRULE:FREQ=DAILY;COUNT=3", []string{"2030-01-02", "2030-01-03"}, true},
	{"until", "2030-01-01", "RRULE:FREQ=DAILY;UNTIL=20300102", []string{"2030-01-02"}, true},
}

// Series go on as RFC 5545 and SPEC.md have it, and end when they should.
func TestSeries(t *testing.T) {
	scenario(t, func(t *testing.T, w *world) {
		c := w.user("Ada", "Europe/Berlin")
		live := c.listen("")
		want := 0
		for _, s := range series {
			at := c.create(object{"title": s.name, "due_date": s.due, "recurrence_pattern": s.pattern})
			first := at
			for n, due := range s.next {
				c.step(at, "complete")
				if at = live.created(first, n+2); at.due() != due {
					t.Errorf("%s: occurrence %d is due %s, want %s", s.name, n+2, at.due(), due)
				}
			}
			if want += 1 + len(s.next); s.ends {
				c.step(at, "complete")
			}
		}
		c.deletedEndsSeries(live)
		c.lateCompletion(live)
		c.twoCompletions(live)
		want += 1 + 2 + 2
		// Everything above has been answered by now, so what should have ended would show here.
		if got := c.list("status=pending&status=completed&status=deleted&limit=200"); len(got) != want {
			t.Errorf("%d tasks, want %d: %+v", len(got), want, got)
		}
	})
}

// deletedEndsSeries deletes a pending occurrence.
func (c *client) deletedEndsSeries(*socket) {
	c.t.Helper()
	i := c.create(object{"title": "Given up", "due_date": "2030-01-01", "recurrence_pattern": "weekly"})
	c.do("DELETE", i.path(), nil).want(204)
}

// lateCompletion completes a daily task years late: it is due again today, in the user's zone, or tomorrow if
// midnight has just passed.
func (c *client) lateCompletion(live *socket) {
	c.t.Helper()
	zone, err := time.LoadLocation(c.me().TimeZone)
	if err != nil {
		c.t.Fatal(err)
	}
	before := time.Now().In(zone).Format("2006-01-02")
	late := c.create(object{"title": "Late", "due_date": "2020-01-01", "recurrence_pattern": "daily", "reminder_minutes": []int{}})
	c.step(late, "complete")
	days := int(time.Since(time.Date(2020, 1, 1, 0, 0, 0, 0, zone)).Hours()/24) + 1
	f := live.await(func(f frame) bool {
		if f.Type != "update" || f.Update.Action != "created" {
			return false
		}
		i := f.task(c.t)
		return i.RecurrenceParentID != nil && *i.RecurrenceParentID == late.ID
	})
	next := f.task(c.t)
	if after := time.Now().In(zone).Format("2006-01-02"); next.due() != before && next.due() != after {
		c.t.Errorf("completed late: due %s, want today, %s", next.due(), after)
	}
	if n := *next.OccurrenceNumber; n < days-1 || n > days+1 { // the days between count
		c.t.Errorf("completed late: occurrence %d, want about %d", n, days)
	}
}

// twoCompletions completes one task from two clients at once: it is completed once and continues once.
func (c *client) twoCompletions(live *socket) {
	c.t.Helper()
	i := c.create(object{"title": "Twice", "due_date": "2030-01-01", "recurrence_pattern": "yearly"})
	var both sync.WaitGroup
	start := make(chan struct{})
	for range 2 {
		other := c.as(c.token)
		both.Go(func() {
			<-start
			if a, err := other.try("POST", i.path()+"/complete", nil); err != nil || a.status != 200 {
				c.t.Errorf("complete: %v %+v", err, a)
			}
		})
	}
	close(start)
	both.Wait()
	live.created(i, 2)
	if h := c.history(i.ID, c.listVersion()); len(h) != 2 {
		c.t.Errorf("two completions at once made the history %+v", h)
	}
}
