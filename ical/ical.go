// Package ical writes tasks as iCalendar to-dos (RFC 5545): what calendars and other task programs read. docs/adr/0004
// has what of a task becomes what.
//
// [Task]: T092
package ical

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/docket-tasks/docket/task"
)

// The properties that keep what iCalendar has no words for, so that nothing is lost on the way back. Each is to be
// believed only where the standard property beside it still says the same: another program may have changed that.
const (
	PropDue       = "X-DOCKET-DUE"
	PropPattern   = "X-DOCKET-PATTERN"
	PropStart     = "X-DOCKET-SERIES-START"
	PropReminders = "X-DOCKET-REMINDERS"
)

// calendar writes content lines (RFC 5545 §3.1). Errors stay in w and come out when it is flushed.
type calendar struct {
	w    *bufio.Writer
	zone *time.Location
}

// maxLine is how many bytes a line may have, its CRLF not counted.
const maxLine = 75

// line writes one content line, folded between characters.
func (c calendar) line(name, value string) {
	text := name + ":" + value
	room := maxLine
	for len(text) > room {
		end := room
		for !utf8.RuneStart(text[end]) {
			end--
		}
		c.w.WriteString(text[:end])
		c.w.WriteString("\r\n ")
		text, room = text[end:], maxLine-1
	}
	c.w.WriteString(text)
	c.w.WriteString("\r\n")
}

var textEscapes = strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\r\n", `\n`, "\n", `\n`, "\r", `\n`)

func (c calendar) text(name, value string) {
	if value != "" {
		c.line(name, textEscapes.Replace(value))
	}
}

const utcLayout = "20060102T150405Z"

func (c calendar) moment(name string, t time.Time) { c.line(name, t.UTC().Format(utcLayout)) }

// Write writes tasks as a calendar of to-dos (RFC 5545 §3.6.2). Floating due dates are local to zone; now is the time
// of the calendar itself.
func Write(w io.Writer, zone *time.Location, tasks []task.Task, now time.Time) error {
	c := calendar{w: bufio.NewWriter(w), zone: zone}
	c.line("BEGIN", "VCALENDAR")
	c.line("VERSION", "2.0")
	c.line("PRODID", "-//docket//docket//EN")
	for _, name := range zonesOf(tasks) {
		if loc, err := time.LoadLocation(name); err == nil {
			c.timezone(name, loc)
		}
	}
	for _, t := range tasks {
		c.todo(t, now)
	}
	c.line("END", "VCALENDAR")
	if err := c.w.Flush(); err != nil {
		return fmt.Errorf("write calendar: %w", err)
	}
	return nil
}

// zonesOf are the zones that repeating tasks run in.
func zonesOf(tasks []task.Task) (zones []string) {
	for _, t := range tasks {
		if t.RecurrencePattern != nil && t.SeriesZone != nil {
			zones = append(zones, *t.SeriesZone)
		}
	}
	slices.Sort(zones)
	return slices.Compact(zones)
}

func (c calendar) todo(t task.Task, now time.Time) {
	c.line("BEGIN", "VTODO")
	c.text("UID", t.ID)
	c.moment("DTSTAMP", now)
	c.moment("CREATED", t.CreatedAt.Time)
	c.moment("LAST-MODIFIED", t.UpdatedAt.Time)
	c.text("SUMMARY", t.Title)
	c.text("DESCRIPTION", t.Description)
	if len(t.Tags) > 0 {
		escaped := make([]string, len(t.Tags))
		for i, tag := range t.Tags {
			escaped[i] = textEscapes.Replace(tag)
		}
		c.line("CATEGORIES", strings.Join(escaped, ","))
	}
	c.line("PRIORITY", map[task.Priority]string{task.High: "1", task.Medium: "5", task.Low: "9"}[t.Priority])
	if t.Status == task.Completed {
		c.line("STATUS", "COMPLETED")
		if t.CompletedAt != nil {
			c.moment("COMPLETED", t.CompletedAt.Time)
		}
	} else {
		c.line("STATUS", "NEEDS-ACTION")
	}
	c.dates(t)
	c.alarms(t)
	c.line("END", "VTODO")
}

// dates writes DUE and, for a repeating task, DTSTART and RRULE. RFC 5545 wants DTSTART of a rule and DUE after it; the
// programs that repeat to-dos write both the same, and so is this.
func (c calendar) dates(t task.Task) {
	if t.DueDate.IsZero() {
		return
	}
	param, value := c.date(t)
	c.line("DUE"+param, value)
	if t.DueDate.Form() == task.DueZoned {
		c.line(PropDue, t.DueDate.String())
	}
	if t.RecurrencePattern == nil {
		return
	}
	c.line("DTSTART"+param, value)
	if rule := RRule(*t.RecurrencePattern, t.DueDate); rule != "" {
		c.line("RRULE", strings.TrimPrefix(rule, "RRULE:"))
		c.line(PropPattern, *t.RecurrencePattern)
	}
	if t.SeriesStart != nil {
		if start, err := SeriesStart(*t.SeriesStart, t.SeriesZone, t.DueDate); err == nil && !start.IsZero() {
			c.line(PropStart, start.String())
		}
	}
}

// SeriesStart is where a series began that is due, the zero Due where that is the due date itself. local is in the zone,
// if there is one.
func SeriesStart(local string, zone *string, due task.Due) (task.Due, error) {
	start, err := task.ParseDue(local)
	if err == nil && zone != nil {
		var loc *time.Location
		if loc, err = time.LoadLocation(*zone); err == nil {
			start, err = task.ParseDue(start.Instant(loc).In(loc).Format(time.RFC3339))
		}
	}
	if err != nil || start.Instant(time.UTC).Equal(due.Instant(time.UTC)) {
		return task.Due{}, err
	}
	return start, nil
}

// date writes the due date in its form. A repeating one is local to the zone of its series, as 09:00 stays 09:00.
func (c calendar) date(t task.Task) (param, value string) {
	d := t.DueDate
	switch d.Form() {
	case task.DueDateOnly:
		return ";VALUE=DATE", strings.ReplaceAll(d.String(), "-", "")
	case task.DueFloating:
		return "", strings.NewReplacer("-", "", ":", "").Replace(d.String())
	}
	at := d.Instant(c.zone)
	if t.RecurrencePattern != nil && t.SeriesZone != nil {
		if loc, err := time.LoadLocation(*t.SeriesZone); err == nil {
			return ";TZID=" + *t.SeriesZone, at.In(loc).Format("20060102T150405")
		}
	}
	return "", at.UTC().Format(utcLayout)
}

// RRule is the rule (RFC 5545 §3.3.10) that says what a pattern says of a series through due. docket's own words
// clamp to the end of a short month, which a rule has to spell out.
func RRule(pattern string, due task.Due) string {
	day, month := 0, 0
	if s := due.String(); len(s) >= len(time.DateOnly) {
		month, _ = strconv.Atoi(s[5:7])
		day, _ = strconv.Atoi(s[8:10])
	}
	switch pattern {
	case "daily", "weekly":
		return "RRULE:FREQ=" + strings.ToUpper(pattern)
	case "monthly":
		return "RRULE:FREQ=MONTHLY" + clamp(day)
	case "yearly":
		if month == 2 && day == 29 {
			return "RRULE:FREQ=YEARLY;BYMONTH=2" + clamp(day)
		}
		return "RRULE:FREQ=YEARLY"
	}
	return pattern
}

func clamp(day int) string {
	if day <= 28 {
		return ""
	}
	days := "28"
	for d := 29; d <= day; d++ {
		days += "," + strconv.Itoa(d)
	}
	return ";BYMONTHDAY=" + days + ";BYSETPOS=-1"
}

func (c calendar) alarms(t task.Task) {
	if t.DueDate.IsZero() {
		words := make([]string, len(t.ReminderMinutes))
		for i, m := range t.ReminderMinutes {
			words[i] = strconv.Itoa(m)
		}
		if len(words) > 0 {
			c.line(PropReminders, strings.Join(words, ","))
		}
		return
	}
	for _, m := range t.ReminderMinutes {
		if t.DueDate.Form() == task.DueDateOnly {
			m -= 24 * 60 // a trigger counts from the beginning of the day
		}
		sign := "-"
		if m < 0 {
			sign, m = "", -m
		}
		c.line("BEGIN", "VALARM")
		c.line("ACTION", "DISPLAY")
		c.text("DESCRIPTION", t.Title)
		c.line("TRIGGER;RELATED=END", sign+"PT"+strconv.Itoa(m)+"M")
		c.line("END", "VALARM")
	}
}

// lastTransition is the year up to which changes of clocks are spelled out: nobody knows further ones.
const lastTransition = 2037

// timezone writes a VTIMEZONE (RFC 5545 §3.6.5): every change of the clocks, one by one.
func (c calendar) timezone(name string, loc *time.Location) {
	c.line("BEGIN", "VTIMEZONE")
	c.line("TZID", name)
	at := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).In(loc)
	_, before := at.Zone()
	c.observance(at, before)
	for {
		_, end := at.ZoneBounds()
		if end.IsZero() || end.Year() > lastTransition {
			break
		}
		c.observance(end.In(loc), before)
		_, before = end.In(loc).Zone()
		at = end.In(loc)
	}
	c.line("END", "VTIMEZONE")
}

// observance writes the offset that holds from a moment on; its start is local to the offset before it.
func (c calendar) observance(at time.Time, before int) {
	kind := "STANDARD"
	if at.IsDST() {
		kind = "DAYLIGHT"
	}
	abbreviation, offset := at.Zone()
	c.line("BEGIN", kind)
	c.line("DTSTART", at.In(time.FixedZone("", before)).Format("20060102T150405"))
	c.line("TZOFFSETFROM", utcOffset(before))
	c.line("TZOFFSETTO", utcOffset(offset))
	c.line("TZNAME", abbreviation)
	c.line("END", kind)
}

func utcOffset(seconds int) string {
	sign := '+'
	if seconds < 0 {
		sign, seconds = '-', -seconds
	}
	return fmt.Sprintf("%c%02d%02d", sign, seconds/3600, seconds/60%60)
}
