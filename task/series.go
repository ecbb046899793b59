package task

import (
	"errors"
	"fmt"
	"time"
)

// MaxPreview is the most due dates that [Preview] lists.
const MaxPreview = 50

// Occurrence is one slot of a series, as the task that fills it shows it.
type Occurrence struct {
	Due    Due    `json:"due_date"`
	Slot   string `json:"occurrence"`
	Number int    `json:"occurrence_number"`
}

// series is a repeating task's rule on the clock: its start, the form of its due dates and its zone.
type series struct {
	*rule
	form DueForm
	zone *time.Location
	// start is a local time, in seconds as if it were UTC.
	start int64
	// clock is the time of day of the slots after the start, in seconds.
	clock int64
}

// Begin makes t the first occurrence of a series of its own, as a task is that was created with a pattern or changed
// to another one: it sets the series fields from the due date and clears the parent. Without a due date t becomes due
// today. A series of zoned due dates runs in env.Zone, the user's zone at this moment; those of the other forms follow
// the user. Without a pattern all of these fields but the due date are cleared.
//
// The due date is number 1 whether or not the rule would have it, as RFC 5545 §3.8.5.3 says of DTSTART. The error is
// an [Invalid] that names recurrence_pattern or due_date; t is then unchanged.
func Begin(t *Task, env Env) error {
	if t.RecurrencePattern == nil {
		t.SeriesStart, t.SeriesZone, t.Occurrence, t.OccurrenceNumber, t.RecurrenceParentID = nil, nil, nil, nil, nil
		return nil
	}
	p, err := ParsePattern(*t.RecurrencePattern)
	if err != nil {
		return Invalid{{Field: "recurrence_pattern", Detail: err.Error()}}
	}
	due, zone := t.DueDate, (*string)(nil)
	if due.IsZero() {
		due = today(env)
	}
	start := due.wall
	if due.form == DueZoned {
		start = wallOf(due.Instant(env.Zone).In(env.Zone))
		name := env.Zone.String()
		zone = &name
		if y := wallTime(start).Year(); y < 1970 || y > 9999 {
			return Invalid{{Field: "due_date", Detail: "must be in the years 1970 to 9999, in your time zone too"}}
		}
	}
	s := newSeries(p, start, due.form, env.Zone)
	if s.past(start) {
		return Invalid{{Field: "recurrence_pattern", Detail: "ends before it starts: UNTIL must not be before the due date"}}
	}
	if _, ok := s.next(s.day+1, noLimit); !ok {
		return Invalid{{Field: "recurrence_pattern", Detail: "never comes again after this due date: change the rule or the due date"}}
	}
	slot, number := s.slot(start), 1
	first := slot
	t.DueDate, t.SeriesStart, t.SeriesZone, t.RecurrenceParentID = due, &first, zone, nil
	t.Occurrence, t.OccurrenceNumber = &slot, &number
	return nil
}

// today is the date that the user's calendar shows.
func today(env Env) Due {
	wall := wallOf(env.Now.In(env.Zone))
	return Due{wall: wall - wall%secondsOfDay, form: DueDateOnly}
}

// Next returns the occurrence that follows t, which is completed: the first slot of the series that is due after the
// latest of three moments: when t's own slot was due, when t was due, and when it was completed. So an overdue daily
// task completed this morning is due again today (a date is due when its day ends), and one completed early does not
// come twice. Slots in between are skipped, but they count.
//
// Slots keep the time of day in the series' zone: t.SeriesZone, or zone, the user's, for a series that follows the
// user. ok is false where COUNT or UNTIL or the year 9999 ended the series, and for a task that does not repeat. An
// error means that t is not completed or that its series fields cannot be read.
func Next(t Task, zone *time.Location) (occ Occurrence, ok bool, err error) {
	if t.RecurrencePattern == nil {
		return Occurrence{}, false, nil
	}
	if t.CompletedAt == nil {
		return Occurrence{}, false, fmt.Errorf("next occurrence of task %s: it is not completed", t.ID)
	}
	s, slot, err := seriesOf(t, zone)
	if err != nil {
		return Occurrence{}, false, fmt.Errorf("next occurrence of task %s: %w", t.ID, err)
	}
	over := s.instant(slot)
	for _, moment := range []time.Time{t.DueDate.Instant(zone), t.CompletedAt.Time} {
		if moment.After(over) {
			over = moment
		}
	}
	occ, _, ok = s.following(slot, *t.OccurrenceNumber, over)
	return occ, ok, nil
}

// Successor returns the task that continues t as the given occurrence: pending, with t's title, description, priority,
// tags, pattern, reminders and owner, and the first task of the series as its parent. env.Now is when it is created.
func Successor(t Task, id string, occ Occurrence, env Env) Task {
	parent := seriesID(t)
	return Task{
		ID: id, Title: t.Title, Description: t.Description, Status: Pending, Priority: t.Priority,
		DueDate: occ.Due, Tags: append([]string{}, t.Tags...), RecurrencePattern: t.RecurrencePattern,
		RecurrenceParentID: &parent, SeriesStart: t.SeriesStart, SeriesZone: t.SeriesZone,
		Occurrence: &occ.Slot, OccurrenceNumber: &occ.Number,
		ReminderMinutes: append([]int{}, t.ReminderMinutes...), CreatedBy: t.CreatedBy,
		CreatedAt: At(env.Now), UpdatedAt: At(env.Now), Version: 1,
	}
}

// SameSeries tells whether two tasks that repeat are occurrences of one series, by one rule from one start.
func SameSeries(a, b Task) bool {
	return a.RecurrencePattern != nil && b.RecurrencePattern != nil && *a.RecurrencePattern == *b.RecurrencePattern &&
		a.SeriesStart != nil && b.SeriesStart != nil && *a.SeriesStart == *b.SeriesStart && seriesID(a) == seriesID(b)
}

// seriesID is the id of the first task of t's series.
func seriesID(t Task) string {
	if t.RecurrenceParentID == nil {
		return t.ID
	}
	return *t.RecurrenceParentID
}

// Preview returns the first n due dates (1 to [MaxPreview]) of the series that a task with this pattern and due date
// would start, the due date itself included; fewer where the series ends before. Errors are those of [Begin].
func Preview(pattern string, due Due, env Env, n int) ([]Due, error) {
	if n < 1 || n > MaxPreview {
		return nil, fmt.Errorf("a preview lists 1 to %d due dates, not %d", MaxPreview, n)
	}
	t := Task{RecurrencePattern: &pattern, DueDate: due}
	if err := Begin(&t, env); err != nil {
		return nil, err
	}
	s, slot, err := seriesOf(t, env.Zone)
	if err != nil {
		return nil, fmt.Errorf("preview %s: %w", pattern, err)
	}
	dues := []Due{t.DueDate}
	for number, over := 1, t.DueDate.Instant(env.Zone); len(dues) < n; number++ {
		occ, at, ok := s.following(slot, number, over)
		if !ok {
			break
		}
		dues = append(dues, occ.Due)
		slot, over = at, s.instant(at)
	}
	return dues, nil
}

func newSeries(p Pattern, start int64, form DueForm, zone *time.Location) series {
	s := series{rule: p.from(floorDiv(start, secondsOfDay)), form: form, zone: zone, start: start, clock: start % secondsOfDay}
	if form == DueDateOnly {
		return s // a date has no time that BYHOUR could change (RFC 5545 §3.3.10)
	}
	hour, minute, second := wallTime(start).Clock()
	for _, part := range []struct {
		given clockPart
		value *int
	}{{p.hour, &hour}, {p.minute, &minute}, {p.second, &second}} {
		if part.given.set {
			*part.value = part.given.value
		}
	}
	s.clock = int64(hour)*3600 + int64(minute)*60 + int64(second)
	return s
}

// seriesOf reads the series fields of t, the slot of t itself among them.
func seriesOf(t Task, zone *time.Location) (s series, slot int64, err error) {
	if t.SeriesStart == nil || t.Occurrence == nil || t.OccurrenceNumber == nil {
		return series{}, 0, errors.New("it has a pattern but no series")
	}
	p, err := ParsePattern(*t.RecurrencePattern)
	if err != nil {
		return series{}, 0, fmt.Errorf("recurrence_pattern %w", err)
	}
	start, err := ParseDue(*t.SeriesStart)
	if err != nil {
		return series{}, 0, fmt.Errorf("series_start %w", err)
	}
	at, err := ParseDue(*t.Occurrence)
	if err != nil {
		return series{}, 0, fmt.Errorf("occurrence %w", err)
	}
	if at.form != start.form || at.form == DueZoned || at.wall < start.wall {
		return series{}, 0, fmt.Errorf("occurrence %s does not belong to a series from %s", at, start)
	}
	if t.SeriesZone == nil {
		return newSeries(p, start.wall, start.form, zone), at.wall, nil
	}
	if *t.SeriesZone != zone.String() {
		if zone, err = time.LoadLocation(*t.SeriesZone); err != nil {
			return series{}, 0, fmt.Errorf("series_zone: %w", err)
		}
	}
	return newSeries(p, start.wall, DueZoned, zone), at.wall, nil
}

// following returns the first slot after slot, which has the given number, that is due after over.
func (s series) following(slot int64, number int, over time.Time) (occ Occurrence, at int64, ok bool) {
	// A clock may be set back, so what it showed at over is no bound; no zone ever moved its clocks by more than a day.
	at = max(slot, wallOf(over.In(s.zone))-2*secondsOfDay)
	for {
		day, ok := s.next(floorDiv(at-s.clock, secondsOfDay)+1, lastDay)
		if !ok {
			return Occurrence{}, 0, false
		}
		if at = day*secondsOfDay + s.clock; s.instant(at).After(over) {
			break
		}
	}
	number += s.count(floorDiv(slot-s.clock, secondsOfDay)+1, floorDiv(at-s.clock, secondsOfDay))
	due, ok := s.due(at)
	if !ok || s.times > 0 && number > s.times || s.past(at) {
		return Occurrence{}, 0, false
	}
	return Occurrence{Due: due, Slot: s.slot(at), Number: number}, at, true
}

// instant returns when a slot is due.
func (s series) instant(slot int64) time.Time {
	return Due{wall: slot, form: s.localForm()}.Instant(s.zone)
}

// localForm is the form of slots, which are dates and local times.
func (s series) localForm() DueForm {
	if s.form == DueDateOnly {
		return DueDateOnly
	}
	return DueFloating
}

// slot writes a slot as the fields series_start and occurrence have it.
func (s series) slot(wall int64) string { return Due{wall: wall, form: s.localForm()}.String() }

// due returns the due date of a slot in the form of the series, or not if the year 9999 is over by then.
func (s series) due(slot int64) (Due, bool) {
	if s.form != DueZoned {
		return Due{wall: slot, form: s.form}, true
	}
	at := resolve(slot, s.zone)
	if at.Year() > 9999 {
		return Due{}, false
	}
	_, offset := at.In(s.zone).Zone()
	if offset == 0 || offset%60 != 0 { // Liberia had 44½ minutes until 1972, which RFC 3339 cannot write
		return Due{wall: at.Unix(), offset: offsetZ, form: DueZoned}, true
	}
	return Due{wall: at.Unix() + int64(offset), offset: int16(offset / 60), form: DueZoned}, true
}

// past tells whether a slot lies after UNTIL. A date means that day to its end, a time in UTC that instant and a local
// time what the series' clock shows; RFC 5545 §3.3.10 wants UNTIL in the form of the series, and where it is in
// another one, this is what its writer can have meant. Dates are compared with dates.
func (s series) past(slot int64) bool {
	limit := s.until.wall
	switch s.until.form {
	case endless:
		return false
	case untilDate:
		limit += secondsOfDay - 1
	case untilUTC:
		if s.form != DueDateOnly {
			return s.instant(slot).Unix() > limit
		}
		limit = wallOf(time.Unix(limit, 0).In(s.zone))
	}
	return slot > limit
}
