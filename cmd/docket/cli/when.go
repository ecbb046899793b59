package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/docket-tasks/docket/task"
)

// due tells when a task is due: as the API has it for a program, relative to today for a person.
func (s *screen) due(d task.Due) string {
	if d.IsZero() || s.plain() {
		return d.String()
	}
	at := d.Instant(s.zone).In(s.zone)
	if d.Form() == task.DueDateOnly {
		day, err := time.ParseInLocation(time.DateOnly, d.String(), time.UTC)
		if err != nil {
			return d.String()
		}
		return s.day(day)
	}
	return s.day(at) + " " + clock(at)
}

// moment tells when something happened.
func (s *screen) moment(t time.Time) string {
	if s.plain() {
		return t.UTC().Format("2006-01-02T15:04:05.000Z")
	}
	t = t.In(s.zone)
	return s.day(t) + " " + t.Format("15:04:05")
}

// day names the date of t, which is read off its own clock.
func (s *screen) day(t time.Time) string {
	today := midnight(s.now.In(s.zone))
	that := midnight(t)
	switch days := int(that.Sub(today).Hours() / 24); {
	case days == 0:
		return "today"
	case days == 1:
		return "tomorrow"
	case days == -1:
		return "yesterday"
	case days > 1 && days < 7:
		return that.Format("Monday")
	case that.Year() == today.Year():
		return that.Format("Mon 2 Jan")
	}
	return that.Format("2 Jan 2006")
}

// midnight is the date of t as a moment whose days are all 24 hours long.
func midnight(t time.Time) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

func clock(t time.Time) string {
	if t.Second() != 0 {
		return t.Format("15:04:05")
	}
	return t.Format("15:04")
}

// overdue tells whether a task should have been done by now.
func (s *screen) overdue(t task.Task) bool {
	return t.Status == task.Pending && !t.DueDate.IsZero() && t.DueDate.Instant(s.zone).Before(s.now)
}

// reminders tells how long before the due date somebody is reminded.
func (s *screen) reminders(minutes []int) string {
	words := make([]string, len(minutes))
	for i, m := range minutes {
		words[i] = before(m)
	}
	return strings.Join(words, ", ")
}

// before writes minutes in the largest unit that divides them: "30m", "2h", "1d", "1w".
func before(minutes int) string {
	for _, u := range units {
		if minutes > 0 && minutes%u.minutes == 0 {
			return fmt.Sprintf("%d%s", minutes/u.minutes, u.letter)
		}
	}
	return "0m"
}

// units are what minutes are counted in, the largest first.
var units = []struct {
	letter  string
	minutes int
}{{"w", 7 * 24 * 60}, {"d", 24 * 60}, {"h", 60}, {"m", 1}}
