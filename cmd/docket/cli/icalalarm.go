package cli

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/docket-tasks/docket/ical"
	"github.com/docket-tasks/docket/task"
)

// alarms reads VALARM. A task without one has no reminder: the file says when to be reminded, not the user's default.
func (t *todo) alarms() {
	t.ReminderMinutes = []int{}
	if own, ok := t.first(ical.PropReminders); ok && t.DueDate.IsZero() {
		if minutes, err := remindFlag(own.value); err == nil {
			t.ReminderMinutes, _ = minutes.([]int)
		}
	}
	for _, c := range t.subs {
		if c.name != "VALARM" {
			t.note("%s is not taken over", c.name)
			continue
		}
		minutes, err := t.alarm(c)
		switch {
		case err != nil:
			t.note("a reminder (VALARM) is left out: %v", err)
		case slices.Contains(t.ReminderMinutes, minutes):
		case len(t.ReminderMinutes) == task.MaxReminders:
			t.note("has more than %d reminders: the one %s before is left out", task.MaxReminders, before(minutes))
		default:
			t.ReminderMinutes = append(t.ReminderMinutes, minutes)
		}
	}
}

// alarm is how many minutes before the due date an alarm goes off. That of a date is the end of the day for docket,
// and its beginning for a trigger (RFC 5545 §3.8.6.3).
func (t *todo) alarm(c *component) (int, error) {
	trigger, ok := c.first("TRIGGER")
	if !ok || t.DueDate.IsZero() {
		return 0, fmt.Errorf("there is nothing that it comes before")
	}
	due := t.DueDate.Instant(t.zone)
	v := strings.TrimSpace(trigger.value)
	if strings.EqualFold(trigger.params["VALUE"], "DATE-TIME") {
		at, err := time.Parse("20060102T150405Z", v)
		if err != nil {
			return 0, fmt.Errorf("TRIGGER:%s is no time in UTC", v)
		}
		return minutesBefore(due.Sub(at))
	}
	offset, err := parseDuration(v)
	if err != nil {
		return 0, fmt.Errorf("TRIGGER: %w", err)
	}
	anchor := t.DueDate
	if !strings.EqualFold(trigger.params["RELATED"], "END") && !t.begins.IsZero() {
		anchor = t.begins
	}
	at := anchor.Instant(t.zone)
	if anchor.Form() == task.DueDateOnly {
		at = at.Add(-24 * time.Hour) // a day of 23 or 25 hours: at most one hour early or late, as minutes are counted
	}
	return minutesBefore(due.Sub(at.Add(offset)))
}

func minutesBefore(d time.Duration) (int, error) {
	minutes := int64(d / time.Minute)
	switch {
	case d%time.Minute != 0:
		return 0, fmt.Errorf("it comes %v before the due date, which is not in whole minutes", d)
	case d < 0:
		return 0, fmt.Errorf("it comes after the due date")
	case minutes > task.MaxReminderMinutes:
		return 0, fmt.Errorf("it comes more than 28 days before the due date")
	}
	return int(minutes), nil
}

// maxDuration bounds what is read: a hundred years.
const maxDuration = 100 * 366 * 24 * time.Hour

// parseDuration reads a DURATION (RFC 5545 §3.3.6): "-PT30M", "P1D", "P1DT2H", "P2W".
func parseDuration(s string) (time.Duration, error) {
	fault := fmt.Errorf("%q is no duration", clean(s))
	rest, sign := s, time.Duration(1)
	if after, minus := strings.CutPrefix(rest, "-"); minus {
		rest, sign = after, -1
	} else {
		rest = strings.TrimPrefix(rest, "+")
	}
	rest, ok := strings.CutPrefix(rest, "P")
	if !ok || rest == "" || strings.HasSuffix(rest, "T") {
		return 0, fault
	}
	var total time.Duration
	date := map[byte]time.Duration{'W': 7 * 24 * time.Hour, 'D': 24 * time.Hour}
	unit := date
	for rest != "" {
		if rest[0] == 'T' && len(unit) == len(date) {
			unit, rest = map[byte]time.Duration{'H': time.Hour, 'M': time.Minute, 'S': time.Second}, rest[1:]
		}
		end := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
		if end < 1 {
			return 0, fault
		}
		n, err := strconv.ParseInt(rest[:end], 10, 32)
		per, known := unit[rest[end]]
		if err != nil || !known || n > int64(maxDuration/per) {
			return 0, fault
		}
		if total += time.Duration(n) * per; total > maxDuration {
			return 0, fault
		}
		rest = rest[end+1:]
	}
	return sign * total, nil
}
