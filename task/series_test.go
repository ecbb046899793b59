package task

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func due(t testing.TB, s string) Due {
	t.Helper()
	d, err := ParseDue(s)
	if err != nil {
		t.Fatalf("ParseDue(%q): %v", s, err)
	}
	return d
}

// begun returns a task that starts a series.
func begun(t testing.TB, pattern, start string, zone *time.Location) Task {
	t.Helper()
	task := Task{ID: "first", RecurrencePattern: &pattern, DueDate: due(t, start)}
	if err := Begin(&task, Env{Zone: zone}); err != nil {
		t.Fatalf("Begin(%s from %s): %v", pattern, start, err)
	}
	return task
}

func instant(t testing.TB, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// [Task]: T041, T045
func TestNext(t *testing.T) {
	const berlin, newYork = "Europe/Berlin", "America/New_York"
	for _, c := range []struct{ name, zone, pattern, start, moved, completed, want string }{
		{"early", berlin, "daily", "2026-03-10", "", "2026-03-10T08:00:00+01:00", "2026-03-11 #2"},
		{"late in the day", berlin, "daily", "2026-03-10", "", "2026-03-10T23:59:59+01:00", "2026-03-11 #2"},
		{"just after the day", berlin, "daily", "2026-03-10", "", "2026-03-11T00:00:00+01:00", "2026-03-11 #2"},
		{"days ahead", berlin, "daily", "2026-03-10", "", "2026-03-01T12:00:00+01:00", "2026-03-11 #2"},
		{"three days late, today's is still ahead", berlin, "daily", "2026-03-10", "", "2026-03-13T09:00:00+01:00", "2026-03-13 #4"},
		{"late with a time that has passed today", berlin, "daily", "2026-03-10T09:00:00", "", "2026-03-13T09:30:00+01:00", "2026-03-14T09:00:00 #5"},
		{"late with a time still ahead today", berlin, "daily", "2026-03-10T09:00:00", "", "2026-03-13T08:30:00+01:00", "2026-03-13T09:00:00 #4"},
		{"completed at the very moment of a slot", berlin, "daily", "2026-03-10T09:00:00", "", "2026-03-13T09:00:00+01:00", "2026-03-14T09:00:00 #5"},
		{"due date moved later", berlin, "weekly", "2026-03-10", "2026-03-20", "2026-03-10T09:00:00+01:00", "2026-03-24 #3"},
		{"due date moved earlier", berlin, "weekly", "2026-03-10", "2026-03-08", "2026-03-08T09:00:00+01:00", "2026-03-17 #2"},
		{"due date moved to a time", berlin, "daily", "2026-03-10", "2026-03-12T12:00:00Z", "2026-03-10T09:00:00+01:00", "2026-03-12 #3"},
		{"due date taken away", berlin, "daily", "2026-03-10", "none", "2026-03-10T09:00:00+01:00", "2026-03-11 #2"},

		{"month's end", berlin, "monthly", "2026-01-31", "", "2026-01-31T09:00:00+01:00", "2026-02-28 #2"},
		{"month's end, leap year", berlin, "monthly", "2028-01-31", "", "2028-01-31T09:00:00+01:00", "2028-02-29 #2"},
		{"month's end, back to the anchor", berlin, "monthly", "2026-01-31", "", "2026-03-01T09:00:00+01:00", "2026-03-31 #3"},
		{"month's end, thirty", berlin, "monthly", "2026-01-30", "", "2026-02-28T23:30:00Z", "2026-03-30 #3"},
		{"rules leave short months out", berlin, "RRULE:FREQ=MONTHLY", "2026-01-31", "", "2026-01-31T09:00:00+01:00", "2026-03-31 #2"},
		{"leap day", berlin, "yearly", "2024-02-29", "", "2024-02-29T09:00:00+01:00", "2025-02-28 #2"},
		{"leap day again", berlin, "yearly", "2024-02-29", "", "2027-03-01T09:00:00+01:00", "2028-02-29 #5"},
		{"rules wait for the leap day", berlin, "RRULE:FREQ=YEARLY", "2024-02-29", "", "2024-02-29T09:00:00+01:00", "2028-02-29 #2"},

		{"09:00 stays 09:00 into summer", berlin, "daily", "2026-03-28T09:00:00+01:00", "", "2026-03-28T09:05:00+01:00", "2026-03-29T09:00:00+02:00 #2"},
		{"09:00 stays 09:00 into winter", berlin, "weekly", "2026-10-20T09:00:00+02:00", "", "2026-10-20T09:05:00+02:00", "2026-10-27T09:00:00+01:00 #2"},
		{"the gap moves it", berlin, "daily", "2026-03-28T02:30:00+01:00", "", "2026-03-28T03:00:00+01:00", "2026-03-29T03:30:00+02:00 #2"},
		{"the first of two", berlin, "daily", "2026-10-24T02:30:00+02:00", "", "2026-10-24T03:00:00+02:00", "2026-10-25T02:30:00+02:00 #2"},
		{"between the two", berlin, "daily", "2026-10-24T02:30:00+02:00", "", "2026-10-25T02:15:00+01:00", "2026-10-26T02:30:00+01:00 #3"},
		{"started in the second of two", berlin, "daily", "2026-10-25T02:30:00+01:00", "", "2026-10-25T02:30:00+01:00", "2026-10-26T02:30:00+01:00 #2"},
		{"the given offset is only a way to write it", newYork, "daily", "2026-03-07T15:00:00+01:00", "", "2026-03-07T15:00:00+01:00", "2026-03-08T09:00:00-04:00 #2"},
		{"UTC", "UTC", "daily", "2026-03-07T15:00:00Z", "", "2026-03-07T15:00:00Z", "2026-03-08T15:00:00Z #2"},
		{"half a minute that cannot be written", "Africa/Monrovia", "daily", "1971-03-07T15:44:30Z", "", "1971-03-07T16:00:00Z", "1971-03-08T15:44:30Z #2"},
		{"the day that never was", "Pacific/Apia", "daily", "2011-12-29T09:00:00-10:00", "", "2011-12-30T09:00:00+14:00", "2011-12-31T09:00:00+14:00 #2"},

		{"a start off the rule is number one", berlin, "RRULE:FREQ=WEEKLY;BYDAY=FR", "2026-03-10", "", "2026-03-10T09:00:00+01:00", "2026-03-13 #2"},
		{"BYHOUR on the same day", berlin, "RRULE:FREQ=DAILY;BYHOUR=11", "2026-03-10T10:30:00", "", "2026-03-10T10:00:00+01:00", "2026-03-10T11:30:00 #2"},
		{"BYHOUR means nothing to a date", berlin, "RRULE:FREQ=DAILY;BYHOUR=11", "2026-03-10", "", "2026-03-10T10:00:00+01:00", "2026-03-11 #2"},
		{"WKST", berlin, "RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=SU", "1997-08-05", "", "1997-08-05T10:00:00Z", "1997-08-17 #2"},

		{"COUNT, the last", berlin, "RRULE:FREQ=DAILY;COUNT=2", "2026-03-10", "", "2026-03-10T09:00:00+01:00", "2026-03-11 #2"},
		{"COUNT counts what was skipped", berlin, "RRULE:FREQ=DAILY;COUNT=3", "2026-03-10", "", "2026-03-13T09:00:00+01:00", "ended"},
		{"COUNT is over", berlin, "RRULE:FREQ=DAILY;COUNT=1", "2026-03-10", "", "2026-03-10T09:00:00+01:00", "ended"},
		{"UNTIL a date includes the day", berlin, "RRULE:FREQ=DAILY;UNTIL=20260311", "2026-03-10T09:00:00", "", "2026-03-10T09:00:00+01:00", "2026-03-11T09:00:00 #2"},
		{"UNTIL a date", berlin, "RRULE:FREQ=DAILY;UNTIL=20260311", "2026-03-10T09:00:00", "", "2026-03-11T09:00:00+01:00", "ended"},
		{"UNTIL a local time includes it", berlin, "RRULE:FREQ=DAILY;UNTIL=20260311T090000", "2026-03-10T09:00:00", "", "2026-03-10T09:00:00+01:00", "2026-03-11T09:00:00 #2"},
		{"UNTIL a local time", berlin, "RRULE:FREQ=DAILY;UNTIL=20260311T085959", "2026-03-10T09:00:00", "", "2026-03-10T09:00:00+01:00", "ended"},
		{"UNTIL an instant includes it", berlin, "RRULE:FREQ=DAILY;UNTIL=20260311T080000Z", "2026-03-10T09:00:00+01:00", "", "2026-03-10T09:00:00+01:00", "2026-03-11T09:00:00+01:00 #2"},
		{"UNTIL an instant", berlin, "RRULE:FREQ=DAILY;UNTIL=20260311T075959Z", "2026-03-10T09:00:00+01:00", "", "2026-03-10T09:00:00+01:00", "ended"},
		{"UNTIL an instant, for dates their day there", berlin, "RRULE:FREQ=DAILY;UNTIL=20260310T233000Z", "2026-03-10", "", "2026-03-10T09:00:00+01:00", "2026-03-11 #2"},
		{"UNTIL a local time, for dates its day", berlin, "RRULE:FREQ=DAILY;UNTIL=20260311T000000", "2026-03-10", "", "2026-03-10T09:00:00+01:00", "2026-03-11 #2"},
		{"the year 9999", berlin, "yearly", "9998-03-10", "", "9998-03-10T09:00:00Z", "9999-03-10 #2"},
		{"after the year 9999", berlin, "yearly", "9999-03-10", "", "9999-03-10T09:00:00Z", "ended"},
		{"the last day there is", berlin, "daily", "9999-12-31", "", "9999-12-31T09:00:00Z", "ended"},
		{"the year 10000 in UTC", newYork, "daily", "9999-12-30T23:00:00-05:00", "", "9999-12-31T04:00:00Z", "ended"},
	} {
		t.Run(c.name, func(t *testing.T) {
			loc := zone(t, c.zone)
			task := begun(t, c.pattern, c.start, loc)
			if c.moved == "none" {
				task.DueDate = Due{}
			} else if c.moved != "" {
				task.DueDate = due(t, c.moved)
			}
			task.CompletedAt = &Time{instant(t, c.completed)}
			occ, ok, err := Next(task, loc)
			if err != nil {
				t.Fatal(err)
			}
			got := "ended"
			if ok {
				got = fmt.Sprintf("%s #%d", occ.Due, occ.Number)
			}
			if got != c.want {
				t.Errorf("%s from %s, completed at %s: %s, want %s", c.pattern, c.start, c.completed, got, c.want)
			}
		})
	}
}

// A series of dates or floating times follows the user to another zone; one of zoned times stays where it began.
func TestNextInAnotherZone(t *testing.T) {
	berlin, tokyo := zone(t, "Europe/Berlin"), zone(t, "Asia/Tokyo")
	for _, c := range []struct{ start, want string }{
		{"2026-03-10", "2026-03-12"}, // in Tokyo it is the 12th already
		{"2026-03-10T09:00:00", "2026-03-12T09:00:00"},
		{"2026-03-10T09:00:00+01:00", "2026-03-12T09:00:00+01:00"},
	} {
		task := begun(t, "daily", c.start, berlin)
		task.CompletedAt = &Time{instant(t, "2026-03-11T16:00:00Z")}
		occ, ok, err := Next(task, tokyo)
		if err != nil || !ok || occ.Due.String() != c.want {
			t.Errorf("after %s comes %s, %t, %v, want %s", c.start, occ.Due, ok, err, c.want)
		}
	}
}

func TestNextNeedsACompletedTaskOfASeries(t *testing.T) {
	task := begun(t, "daily", "2026-03-10", time.UTC)
	if _, _, err := Next(task, time.UTC); err == nil {
		t.Error("a pending task has a next occurrence")
	}
	task.CompletedAt = &Time{instant(t, "2026-03-10T09:00:00Z")}
	for name, spoil := range map[string]func(*Task){
		"no series":        func(t *Task) { t.SeriesStart = nil },
		"no number":        func(t *Task) { t.OccurrenceNumber = nil },
		"bad pattern":      func(t *Task) { t.RecurrencePattern = ptr("sometimes") },
		"bad start":        func(t *Task) { t.SeriesStart = ptr("once") },
		"bad occurrence":   func(t *Task) { t.Occurrence = ptr("2026-03-32") },
		"before the start": func(t *Task) { t.Occurrence = ptr("2026-03-09") },
		"another form":     func(t *Task) { t.Occurrence = ptr("2026-03-10T09:00:00") },
		"unknown zone":     func(t *Task) { t.SeriesZone = ptr("Europe/Atlantis") },
	} {
		spoilt := task
		spoil(&spoilt)
		if occ, ok, err := Next(spoilt, time.UTC); err == nil || ok {
			t.Errorf("%s: got %+v, %t", name, occ, ok)
		}
	}
	task.RecurrencePattern = nil
	if _, ok, err := Next(task, time.UTC); ok || err != nil {
		t.Errorf("a task without a pattern has a next occurrence: %t, %v", ok, err)
	}
}

func ptr[T any](v T) *T { return &v }

// [Task]: T042
func TestBegin(t *testing.T) {
	env := Env{Now: instant(t, "2026-03-10T23:30:00Z"), Zone: zone(t, "Europe/Berlin")}
	for _, c := range []struct{ due, wantDue, wantStart, wantZone string }{
		{"", "2026-03-11", "2026-03-11", ""},
		{"2026-03-31", "2026-03-31", "2026-03-31", ""},
		{"2026-03-31T09:00:00", "2026-03-31T09:00:00", "2026-03-31T09:00:00", ""},
		{"2026-03-31T09:00:00Z", "2026-03-31T09:00:00Z", "2026-03-31T11:00:00", "Europe/Berlin"},
		{"2026-12-31T23:30:00Z", "2026-12-31T23:30:00Z", "2027-01-01T00:30:00", "Europe/Berlin"},
	} {
		task := Task{RecurrencePattern: ptr("daily"), RecurrenceParentID: ptr("old"), OccurrenceNumber: ptr(7)}
		if c.due != "" {
			task.DueDate = due(t, c.due)
		}
		want := Task{
			RecurrencePattern: ptr("daily"), DueDate: due(t, c.wantDue), SeriesStart: &c.wantStart,
			Occurrence: &c.wantStart, OccurrenceNumber: ptr(1),
		}
		if c.wantZone != "" {
			want.SeriesZone = &c.wantZone
		}
		if err := Begin(&task, env); err != nil {
			t.Error(err)
		} else if diff := cmp.Diff(want, task, cmp.Comparer(func(a, b Due) bool { return a == b })); diff != "" {
			t.Errorf("due %q (-want +got):\n%s", c.due, diff)
		}
		task.RecurrencePattern = nil
		if err := Begin(&task, env); err != nil || task.SeriesStart != nil || task.SeriesZone != nil || task.Occurrence != nil ||
			task.OccurrenceNumber != nil || task.RecurrenceParentID != nil || task.DueDate != due(t, c.wantDue) {
			t.Errorf("clearing the pattern leaves %+v, %v", task, err)
		}
	}
}

// [Task]: T042
func TestBeginRefuses(t *testing.T) {
	env := Env{Now: instant(t, "2026-03-10T09:00:00Z"), Zone: zone(t, "America/New_York")}
	for _, c := range []struct{ pattern, due, field, want string }{
		{"hourly", "2026-03-31", "recurrence_pattern", "must be daily"},
		{"RRULE:FREQ=DAILY;UNTIL=20260330", "2026-03-31", "recurrence_pattern", "ends before it starts"},
		{"RRULE:FREQ=DAILY;UNTIL=20260309", "", "recurrence_pattern", "ends before it starts"},
		{"RRULE:FREQ=YEARLY;BYMONTH=2", "2026-03-31", "recurrence_pattern", "never comes again"},
		{"RRULE:FREQ=DAILY;INTERVAL=7;BYDAY=MO", "2026-03-31", "recurrence_pattern", "never comes again"},
		{"RRULE:FREQ=YEARLY;INTERVAL=2;BYMONTH=2;BYMONTHDAY=29", "2027-02-28", "recurrence_pattern", "never comes again"},
		{"daily", "1970-01-01T00:00:00Z", "due_date", "in your time zone too"},
	} {
		task := Task{RecurrencePattern: &c.pattern}
		if c.due != "" {
			task.DueDate = due(t, c.due)
		}
		before := task
		err := Begin(&task, env)
		var invalid Invalid
		if !errors.As(err, &invalid) || len(invalid) != 1 || invalid[0].Field != c.field || !strings.Contains(invalid[0].Detail, c.want) {
			t.Errorf("%s from %s: %v, want %s: %s", c.pattern, c.due, err, c.field, c.want)
		}
		if diff := cmp.Diff(before, task, cmp.Comparer(func(a, b Due) bool { return a == b })); diff != "" {
			t.Errorf("%s from %s was refused, but changed the task: %s", c.pattern, c.due, diff)
		}
	}
}

// A chain of completions: every successor carries the series on, whoever moved the occurrence before it.
//
// [Task]: T041, T046
func TestSuccessor(t *testing.T) {
	env := Env{Now: instant(t, "2026-01-31T10:00:00.123456Z"), Zone: zone(t, "Europe/Berlin")}
	first := begun(t, "monthly", "2026-01-31T09:00:00+01:00", env.Zone)
	first.Title, first.Description, first.Priority, first.Tags = "rent", "to *Ann*", High, []string{"home", "money"}
	first.Status, first.ReminderMinutes, first.CreatedBy, first.Version = Completed, []int{1440, 30}, "ann", 9
	first.CompletedAt = ptr(At(env.Now))

	occ, ok, err := Next(first, env.Zone)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	second := Successor(first, "second", occ, env)
	want := Task{
		ID: "second", Title: "rent", Description: "to *Ann*", Status: Pending, Priority: High,
		DueDate: due(t, "2026-02-28T09:00:00+01:00"), Tags: []string{"home", "money"}, RecurrencePattern: ptr("monthly"),
		RecurrenceParentID: ptr("first"), SeriesStart: ptr("2026-01-31T09:00:00"), SeriesZone: ptr("Europe/Berlin"),
		Occurrence: ptr("2026-02-28T09:00:00"), OccurrenceNumber: ptr(2), ReminderMinutes: []int{1440, 30},
		CreatedBy: "ann", CreatedAt: At(env.Now), UpdatedAt: At(env.Now), Version: 1,
	}
	same := cmp.Comparer(func(a, b Due) bool { return a == b })
	if diff := cmp.Diff(want, second, same); diff != "" {
		t.Errorf("second (-want +got):\n%s", diff)
	}
	second.Tags[0] = "changed"
	if first.Tags[0] != "home" {
		t.Error("the two tasks share their tags")
	}

	second.DueDate = due(t, "2026-03-05") // moving one occurrence does not move the series
	second.CompletedAt = &Time{instant(t, "2026-03-02T10:00:00Z")}
	if occ, ok, err = Next(second, env.Zone); err != nil || !ok {
		t.Fatal(ok, err)
	}
	third := Successor(second, "third", occ, env)
	if *third.RecurrenceParentID != "first" || third.DueDate != due(t, "2026-03-31T09:00:00+02:00") || *third.OccurrenceNumber != 3 {
		t.Errorf("third is %+v", third)
	}
	if bare := Successor(Task{}, "x", occ, env); bare.Tags == nil || bare.ReminderMinutes == nil {
		t.Error("empty lists must not become null")
	}
}

func TestPreview(t *testing.T) {
	env := Env{Now: instant(t, "2026-03-10T09:00:00Z"), Zone: zone(t, "Europe/Berlin")}
	for _, c := range []struct {
		pattern, due string
		n            int
		want         string
	}{
		{"monthly", "2026-01-31", 4, "2026-01-31 2026-02-28 2026-03-31 2026-04-30"},
		{"daily", "", 2, "2026-03-10 2026-03-11"},
		{"daily", "2026-03-28T02:30:00+01:00", 3, "2026-03-28T02:30:00+01:00 2026-03-29T03:30:00+02:00 2026-03-30T02:30:00+02:00"},
		{"RRULE:FREQ=DAILY;COUNT=2", "2026-03-28", 5, "2026-03-28 2026-03-29"},
		{"RRULE:FREQ=WEEKLY;BYDAY=FR;UNTIL=20260320", "2026-03-10", 5, "2026-03-10 2026-03-13 2026-03-20"},
		{"RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH", "2026-11-26", 3, "2026-11-26 2027-11-25 2028-11-23"},
		{"RRULE:FREQ=YEARLY;BYDAY=20MO", "1997-05-19T09:00:00", 3, "1997-05-19T09:00:00 1998-05-18T09:00:00 1999-05-17T09:00:00"},
		{"RRULE:FREQ=YEARLY;BYWEEKNO=1;BYDAY=MO", "2024-01-01", 3, "2024-01-01 2024-12-30 2025-12-29"},
		{"RRULE:FREQ=MONTHLY;BYDAY=TU,WE,TH;BYSETPOS=3", "1997-09-04", 3, "1997-09-04 1997-10-07 1997-11-06"},
		{"RRULE:FREQ=WEEKLY;BYDAY=MO,WE,FR;BYSETPOS=1", "2026-03-11", 3, "2026-03-11 2026-03-16 2026-03-23"},
	} {
		var d Due
		if c.due != "" {
			d = due(t, c.due)
		}
		dues, err := Preview(c.pattern, d, env, c.n)
		if got := strings.Trim(fmt.Sprint(dues), "[]"); err != nil || got != c.want {
			t.Errorf("%s from %s: %s, %v, want %s", c.pattern, c.due, got, err, c.want)
		}
	}
	for _, n := range []int{-1, 0, MaxPreview + 1} {
		if _, err := Preview("daily", Due{}, env, n); err == nil {
			t.Errorf("a preview of %d was made", n)
		}
	}
	if _, err := Preview("hourly", Due{}, env, 5); err == nil {
		t.Error("a preview of a pattern that is none was made")
	}
}

// Whatever the rule, the zone, the form and the delay: the next occurrence is the first of all slots that lies after
// the three moments, and its number is its place among them.
//
// [Task]: T045
func TestNextIsTheFirstSlotAfterCompletion(t *testing.T) {
	names := []string{"UTC", "Europe/Berlin", "America/Santiago", "Australia/Lord_Howe", "Antarctica/Troll", "Pacific/Kiritimati"}
	rapid.Check(t, func(t *rapid.T) {
		r, start := drawRule(t), drawStart(t)
		loc, err := time.LoadLocation(rapid.SampledFrom(names).Draw(t, "zone"))
		if err != nil {
			t.Fatal(err)
		}
		form := rapid.SampledFrom([]DueForm{DueDateOnly, DueFloating, DueZoned}).Draw(t, "form")
		at := start
		if form != DueDateOnly {
			at = start.Add(time.Duration(rapid.IntRange(0, 24*60-1).Draw(t, "minute")) * time.Minute)
		}
		first := Due{wall: at.Unix(), form: form}
		if form == DueZoned {
			first = Due{wall: resolve(at.Unix(), loc).Unix(), form: form, offset: offsetZ}
			at = wallTime(wallOf(resolve(at.Unix(), loc).In(loc))) // a start in a gap starts after it
			start = at.Truncate(24 * time.Hour)
		}
		task := Task{RecurrencePattern: ptr(r.String()), DueDate: first}
		if err := Begin(&task, Env{Zone: loc}); err != nil {
			return
		}
		completed := first.Instant(loc).Add(time.Duration(rapid.IntRange(-100, 3000*24).Draw(t, "hours")) * time.Hour)
		task.CompletedAt = &Time{completed}
		want := "none for long"
		over := completed
		if first.Instant(loc).After(over) {
			over = first.Instant(loc)
		}
		for i, slot := range r.oracle(start, 6000) {
			local, err := time.Parse(dateLayout, slot)
			if err != nil {
				t.Fatal(err)
			}
			if form == DueDateOnly {
				local = local.AddDate(0, 0, 1)
			} else {
				local = local.Add(at.Sub(start))
			}
			if Resolve(local, loc).After(over) {
				want = fmt.Sprintf("%s #%d", slot, i+2)
				break
			}
		}
		occ, ok, err := Next(task, loc)
		if err != nil {
			t.Fatal(err)
		}
		if want == "none for long" && (!ok || occ.Due.Instant(loc).After(start.AddDate(0, 0, 6000))) {
			return
		}
		if got := fmt.Sprintf("%.10s #%d", occ.Slot, occ.Number); got != want {
			t.Fatalf("%s from %s, completed at %s: %s, want %s", r, first, completed, got, want)
		}
	})
}
