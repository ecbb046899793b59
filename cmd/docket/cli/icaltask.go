package cli

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/docket-tasks/docket/ical"
	"github.com/docket-tasks/docket/task"
)

// readCalendar reads the to-dos of an iCalendar file. zone is the user's.
func readCalendar(b []byte, zone *time.Location) (tasks []wanted, general []string, err error) {
	calendars, general, err := parseCalendar(b)
	if err != nil {
		return nil, nil, err
	}
	if len(calendars) == 0 {
		return nil, nil, errNoCalendar
	}
	others := map[string]int{}
	for _, cal := range calendars {
		if v, ok := cal.first("VERSION"); ok && strings.TrimSpace(v.value) != "2.0" {
			return nil, nil, fmt.Errorf("is version %q of the format: only iCalendar 2.0 is read", clean(v.value))
		}
		for _, c := range cal.subs {
			switch c.name {
			case "VTIMEZONE":
			case "VTODO":
				w, why := readTodo(c, zone)
				if why != "" {
					general = append(general, fmt.Sprintf("to-do %q: not imported: %s", clean(w.Title), why))
					continue
				}
				tasks = append(tasks, w)
			default:
				others[c.name]++
			}
		}
	}
	for _, name := range sorted(others) {
		general = append(general, fmt.Sprintf("%d %s left aside: only to-dos (VTODO) are tasks", others[name], clean(name)))
	}
	return tasks, general, nil
}

func sorted(m map[string]int) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// todo is a VTODO while it is read.
type todo struct {
	wanted
	*component
	zone *time.Location
	// begins is DTSTART as it was given.
	begins task.Due
}

// readTodo maps one VTODO; why says, where not empty, that it is no task.
func readTodo(c *component, zone *time.Location) (w wanted, why string) {
	t := todo{component: c, zone: zone}
	t.texts()
	if t.status() {
		return t.wanted, "it is cancelled"
	}
	t.dates()
	t.repeats()
	t.alarms()
	t.rest()
	return t.wanted, ""
}

func (t *todo) texts() {
	if p, ok := t.first("SUMMARY"); ok {
		t.Title = oneLine(unescape(p.value))
	}
	if p, ok := t.first("DESCRIPTION"); ok {
		t.Description = printable(unescape(p.value))
	}
	if t.Title == "" {
		line, _, _ := strings.Cut(strings.TrimSpace(t.Description), "\n")
		if t.Title = oneLine(line); t.Title == "" {
			t.Title = "(no title)"
		}
		t.note("has no SUMMARY: it is called %q", cut(t.Title, 40))
	}
	t.Title = t.shorten("SUMMARY", t.Title, task.MaxTitle)
	t.Description = t.shorten("DESCRIPTION", t.Description, task.MaxDescription)
	for _, p := range t.props {
		if p.name == "CATEGORIES" {
			t.tags(splitList(p.value))
		}
	}
	t.uid = contentID([]byte(t.text.String()))
	if p, ok := t.first("UID"); ok && strings.TrimSpace(p.value) != "" {
		t.uid = strings.TrimSpace(unescape(p.value))
		if r, ok := t.first("RECURRENCE-ID"); ok {
			t.uid += " " + r.value
			t.note("is one changed occurrence (RECURRENCE-ID): imported as a task of its own")
		}
	}
	t.Priority = task.Medium
	if p, ok := t.first("PRIORITY"); ok {
		t.priority(strings.TrimSpace(p.value))
	}
}

// printable takes out the control characters that a description may not hold.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, s)
}

// oneLine makes a text one that a title or a tag may be.
func oneLine(s string) string {
	return strings.TrimSpace(strings.NewReplacer("\n", " ", "\t", " ").Replace(printable(s)))
}

// shorten cuts a text to what a task may hold.
func (t *todo) shorten(name, s string, limit int) string {
	n := utf8.RuneCountInString(s)
	if n <= limit {
		return s
	}
	t.note("%s has %d characters: cut to %d", name, n, limit)
	return strings.TrimSpace(string([]rune(s)[:limit-1])) + "…"
}

func (t *todo) tags(names []string) {
	for _, name := range names {
		name = oneLine(name)
		switch {
		case name == "" || slices.ContainsFunc(t.Tags, func(have string) bool { return fold(have) == fold(name) }):
		case utf8.RuneCountInString(name) > task.MaxTag:
			t.note("the category %q is longer than %d characters: left out", cut(name, 40), task.MaxTag)
		case len(t.Tags) == task.MaxTags:
			t.note("has more than %d categories: %q is left out", task.MaxTags, name)
		default:
			t.Tags = append(t.Tags, name)
		}
	}
}

// priority maps 1 to 9 (RFC 5545 §3.8.1.9); 0 is undefined.
func (t *todo) priority(v string) {
	n, err := strconv.Atoi(v)
	switch {
	case err != nil || n < 0 || n > 9:
		t.note("PRIORITY %q is none: taken as medium", v)
	case n >= 1 && n <= 4:
		t.Priority = task.High
	case n >= 6:
		t.Priority = task.Low
	}
}

// status reads whether it is completed; true for a cancelled one.
func (t *todo) status() (cancelled bool) {
	p, _ := t.first("STATUS")
	_, t.completed = t.first("COMPLETED")
	switch status := strings.ToUpper(strings.TrimSpace(p.value)); status {
	case "CANCELLED":
		return true
	case "COMPLETED":
		t.completed = true
	case "NEEDS-ACTION":
		t.completed = false
	case "", "IN-PROCESS":
	default:
		t.note("STATUS %q is none of a to-do: left out", status)
	}
	if p, ok := t.first("PERCENT-COMPLETE"); ok {
		switch v := strings.TrimSpace(p.value); v {
		case "0", "100":
			t.completed = t.completed || v == "100"
		default:
			t.note("PERCENT-COMPLETE %s is not taken over", v)
		}
	}
	return false
}

// dates reads DUE, or what else says when it is to be done.
func (t *todo) dates() {
	if p, ok := t.first("DTSTART"); ok {
		t.begins = t.date(p)
	}
	p, ok := t.first("DUE")
	switch {
	case ok:
		t.DueDate = t.date(p)
		if !t.begins.IsZero() && t.begins != t.DueDate {
			t.note("DTSTART is not taken over: a task has a due date alone")
		}
	case !t.begins.IsZero():
		t.DueDate = t.begins
		if p, ok := t.first("DURATION"); ok {
			t.DueDate = t.ends(p.value)
		}
	}
	if exact, ok := t.first(ical.PropDue); ok {
		if due, err := task.ParseDue(exact.value); err == nil && !due.IsZero() && due.Form() == task.DueZoned &&
			t.DueDate.Form() == task.DueZoned && due.Instant(t.zone).Equal(t.DueDate.Instant(t.zone)) {
			t.DueDate = due
		}
	}
}

// ends is DTSTART plus a duration; of whole days the last one.
func (t *todo) ends(v string) task.Due {
	d, err := parseDuration(v)
	if err != nil || d < 0 {
		t.note("DURATION:%s is no length of a task: left out", v)
		return t.begins
	}
	at := t.begins.Instant(t.zone).In(t.zone)
	layout := time.RFC3339
	switch t.begins.Form() {
	case task.DueDateOnly: // whose instant is the beginning of the next day
		days := max(1, int(d/(24*time.Hour)))
		at, layout = at.AddDate(0, 0, days-2), time.DateOnly
	case task.DueFloating:
		at, layout = at.Add(d), "2006-01-02T15:04:05"
	default:
		at = at.Add(d)
	}
	due, err := task.ParseDue(at.Format(layout))
	if err != nil {
		t.note("DURATION:%s is left out: %v", v, err)
		return t.begins
	}
	return due
}

// date reads DATE or DATE-TIME (RFC 5545 §3.3.4, §3.3.5); the zero Due, and a note, for what is neither.
func (t *todo) date(p property) task.Due {
	v := strings.TrimSpace(p.value)
	due, err := t.parseDate(p, v)
	if err != nil {
		t.note("%s:%s is left out: %v", p.name, v, err)
		return task.Due{}
	}
	return due
}

func (t *todo) parseDate(p property, v string) (task.Due, error) {
	if day, err := time.Parse("20060102", v); err == nil && len(v) == 8 {
		return task.ParseDue(day.Format(time.DateOnly))
	}
	local, utc := strings.CutSuffix(v, "Z")
	at, err := time.Parse("20060102T150405", local)
	if err != nil || len(local) != len("20060102T150405") {
		return task.Due{}, fmt.Errorf("is no date or time")
	}
	if utc {
		return task.ParseDue(at.Format("2006-01-02T15:04:05Z"))
	}
	id := p.params["TZID"]
	if id == "" {
		return task.ParseDue(at.Format("2006-01-02T15:04:05"))
	}
	loc, err := zoneNamed(id)
	if err != nil {
		t.note("the time zone %q of %s is not known here: taken as local time", id, p.name)
		return task.ParseDue(at.Format("2006-01-02T15:04:05"))
	}
	return task.ParseDue(task.Resolve(at, loc).In(loc).Format(time.RFC3339))
}

// maxZoneParts is how many parts an IANA name has at most: America/Argentina/Ushuaia.
const maxZoneParts = 3

// zoneNamed finds the zone of a TZID. Some programs put a path of their own before the IANA name.
func zoneNamed(id string) (*time.Location, error) {
	parts := strings.Split(strings.Trim(id, "/"), "/")
	for i := max(0, len(parts)-maxZoneParts); i < len(parts); i++ {
		name := strings.Join(parts[i:], "/")
		if loc, err := time.LoadLocation(name); err == nil && name != "" && name != "Local" {
			return loc, nil
		}
	}
	return nil, fmt.Errorf("no zone %q", id)
}

// repeats reads RRULE. A rule that docket does not take is said, and the task imported without it.
func (t *todo) repeats() {
	for _, p := range t.props {
		if p.name == "RDATE" || p.name == "EXDATE" || p.name == "EXRULE" {
			t.note("%s is not taken over: the rule alone says when it repeats", p.name)
		}
	}
	p, ok := t.first("RRULE")
	if !ok {
		return
	}
	pattern := "RRULE:" + strings.ToUpper(strings.TrimSpace(p.value))
	if own, ok := t.first(ical.PropPattern); ok && ical.RRule(own.value, t.begins) == pattern {
		pattern = own.value
	}
	if t.DueDate.IsZero() {
		t.note("repeats without a date: it is due first today")
	}
	check := task.Env{Now: time.Unix(0, 0), Zone: t.zone}
	if _, err := task.Preview(pattern, t.DueDate, check, 1); err != nil {
		t.note("RRULE:%s is not taken over: %s", p.value, because(err))
		return
	}
	t.RecurrencePattern = pattern
	if own, ok := t.first(ical.PropStart); ok {
		if start, err := task.ParseDue(own.value); err == nil && start.Form() == t.DueDate.Form() {
			t.start = start
		}
	}
}

// because is what an error of the rules says, without the names of our fields.
func because(err error) string {
	invalid, ok := errors.AsType[task.Invalid](err)
	if !ok {
		return err.Error()
	}
	details := make([]string, len(invalid))
	for i, f := range invalid {
		details[i] = f.Detail
	}
	return strings.Join(details, "; ")
}

// known are the properties that are read, or say nothing that a task could keep.
var known = strings.Fields(`SUMMARY DESCRIPTION CATEGORIES UID RECURRENCE-ID PRIORITY STATUS COMPLETED PERCENT-COMPLETE DTSTART DUE DURATION
	RRULE RDATE EXDATE EXRULE DTSTAMP CREATED LAST-MODIFIED SEQUENCE CLASS TRANSP`)

// rest names what else the to-do holds.
func (t *todo) rest() {
	var names []string
	for _, p := range t.props {
		if !slices.Contains(known, p.name) && !strings.HasPrefix(p.name, "X-") && !slices.Contains(names, p.name) {
			names = append(names, p.name)
		}
	}
	if len(names) > 0 {
		t.note("%s not taken over", strings.Join(names, ", "))
	}
}
