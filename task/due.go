package task

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"
)

// DueForm is the form a due date was given in, which is the form it is returned in.
type DueForm uint8

// The forms of a due date.
const (
	// DueNone is the absence of a due date.
	DueNone DueForm = iota
	// DueDateOnly is "2026-03-31": the end of that day in the user's zone.
	DueDateOnly
	// DueFloating is "2026-03-31T09:00:00": that time on the user's clock, wherever it shows.
	DueFloating
	// DueZoned is "2026-03-31T09:00:00+02:00" or "…Z": one instant.
	DueZoned
)

// Due is a due date in one of three forms, with a resolution of one second and years from 1970 to 9999. The zero
// Due is the absence of one. It is 16 bytes, and two are == exactly when they are written the same.
type Due struct {
	// wall is the local clock's reading, in seconds as if it were UTC.
	wall int64
	// offset is in minutes east of UTC, or one of the two spellings below.
	offset int16
	form   DueForm
}

// RFC 3339 §4.3 knows three ways to write an offset of zero; "+00:00" is the number.
const (
	offsetZ       = math.MinInt16
	offsetUnknown = math.MinInt16 + 1
)

const (
	dateLayout   = "2006-01-02"
	localLayout  = "2006-01-02T15:04:05"
	secondsOfDay = 24 * 60 * 60
)

// lastInstant is the latest one that RFC 3339 can write.
var lastInstant = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)

var errDueForm = errors.New(`must be a date "2026-03-31", a local time "2026-03-31T09:00:00" or a time with offset "2026-03-31T09:00:00+02:00"`)

// ParseDue reads a due date in one of the forms of RFC 3339 §5.6: full-date, full-date "T" HH:MM:SS, or date-time.
// It refuses what it could not give back unchanged: fractions of a second, leap seconds, lower-case "t" and "z".
func ParseDue(s string) (Due, error) {
	if len(s) == len(dateLayout) {
		return parseWall(s, dateLayout, DueDateOnly)
	}
	if len(s) < len(localLayout) {
		return Due{}, errDueForm
	}
	local, rest := s[:len(localLayout)], s[len(localLayout):]
	if rest == "" {
		return parseWall(local, localLayout, DueFloating)
	}
	if rest[0] == '.' || rest[0] == ',' {
		return Due{}, errors.New("must not have fractions of a second")
	}
	d, err := parseWall(local, localLayout, DueZoned)
	if err != nil {
		return Due{}, err
	}
	if d.offset, err = parseOffset(rest); err != nil {
		return Due{}, err
	}
	if y := wallTime(d.wall - d.offsetSeconds()).Year(); y < 1970 || y > 9999 {
		return Due{}, errors.New("must be in the years 1970 to 9999, in UTC too")
	}
	return d, nil
}

// parseWall reads s, which is as long as the layout; time.Parse alone would let some other spellings pass.
func parseWall(s, layout string, form DueForm) (Due, error) {
	for i := range len(layout) {
		if isDigit(layout[i]) != isDigit(s[i]) || !isDigit(s[i]) && s[i] != layout[i] {
			return Due{}, errDueForm
		}
	}
	t, err := time.Parse(layout, s)
	if err != nil {
		return Due{}, fmt.Errorf("%q is no such date or time: %w", s, errDueForm)
	}
	if t.Year() < 1970 {
		return Due{}, errors.New("must be in the years 1970 to 9999")
	}
	return Due{wall: t.Unix(), form: form}, nil
}

// parseOffset reads "Z" or "+hh:mm" into minutes (RFC 3339 §5.6 time-offset).
func parseOffset(s string) (int16, error) {
	switch {
	case s == "Z":
		return offsetZ, nil
	case s == "-00:00":
		return offsetUnknown, nil
	case len(s) != len("+hh:mm") || s[3] != ':' || s[0] != '+' && s[0] != '-':
		return 0, errDueForm
	}
	for _, i := range []int{1, 2, 4, 5} {
		if !isDigit(s[i]) {
			return 0, errDueForm
		}
	}
	hours, minutes := int16(s[1]-'0')*10+int16(s[2]-'0'), int16(s[4]-'0')*10+int16(s[5]-'0')
	if hours > 23 || minutes > 59 {
		return 0, fmt.Errorf("%q is no offset from UTC: %w", s, errDueForm)
	}
	if s[0] == '-' {
		return -hours*60 - minutes, nil
	}
	return hours*60 + minutes, nil
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// IsZero tells whether there is no due date.
func (d Due) IsZero() bool { return d.form == DueNone }

// Form returns the form the due date was given in.
func (d Due) Form() DueForm { return d.form }

// String returns the due date exactly as it was given, "" without one.
func (d Due) String() string {
	switch d.form {
	case DueDateOnly:
		return wallTime(d.wall).Format(dateLayout)
	case DueFloating:
		return wallTime(d.wall).Format(localLayout)
	case DueZoned:
		return wallTime(d.wall).Format(localLayout) + d.offsetString()
	}
	return ""
}

func (d Due) offsetString() string {
	switch d.offset {
	case offsetZ:
		return "Z"
	case offsetUnknown:
		return "-00:00"
	}
	sign, minutes := '+', d.offset
	if minutes < 0 {
		sign, minutes = '-', -minutes
	}
	return fmt.Sprintf("%c%02d:%02d", sign, minutes/60, minutes%60)
}

func (d Due) offsetSeconds() int64 {
	if d.offset == offsetZ || d.offset == offsetUnknown {
		return 0
	}
	return int64(d.offset) * 60
}

// Instant returns the moment it is due, in UTC: of a date the end of that day, which is the start of the next day in
// zone; of a local time what [Resolve] makes of it in zone; of a time with offset that instant, whatever the zone.
// A moment that zone pushes beyond the year 9999 becomes the last second of that year, the last one RFC 3339 can
// write. The zero Due has the zero time.
func (d Due) Instant(zone *time.Location) time.Time {
	var at time.Time
	switch d.form {
	case DueNone:
		return time.Time{}
	case DueDateOnly:
		at = resolve(d.wall+secondsOfDay, zone)
	case DueFloating:
		at = resolve(d.wall, zone)
	case DueZoned:
		at = time.Unix(d.wall-d.offsetSeconds(), 0).UTC()
	}
	if at.After(lastInstant) {
		return lastInstant
	}
	return at
}

// Resolve returns the instant, in UTC, at which clocks in zone show the date and time of local (whose own zone is not
// looked at), to the second. A time that clocks skip in spring moves forward by the length of the gap: 02:30 becomes
// 03:30. Of a time that they show twice in autumn it is the first. Both as RFC 5545 §3.3.5 has it; [time.Date]
// promises neither.
func Resolve(local time.Time, zone *time.Location) time.Time {
	return resolve(wallOf(local), zone)
}

// resolve tries the offsets that hold a good day before and after, whatever the zone; no zone changes its clocks twice
// in two days. Not by [time.Time.ZoneBounds]: after 2037 it ends leap years a day early (Go 1.26).
func resolve(wall int64, zone *time.Location) time.Time {
	const reach = 26 * 60 * 60
	before, after := offsetAt(wall-reach, zone), offsetAt(wall+reach, zone)
	if before == after || offsetAt(wall-before, zone) == before {
		return wallTime(wall - before) // the one before is the earlier of two: clocks are set back
	}
	if offsetAt(wall-after, zone) == after {
		return wallTime(wall - after)
	}
	return wallTime(wall - before) // in the gap
}

// offsetAt returns the seconds east of UTC that zone has at an instant.
func offsetAt(unix int64, zone *time.Location) int64 {
	_, offset := time.Unix(unix, 0).In(zone).Zone()
	return int64(offset)
}

// wallOf returns what t's clock shows, in seconds as if it were UTC.
func wallOf(t time.Time) int64 {
	_, offset := t.Zone()
	return t.Unix() + int64(offset)
}

// wallTime is the opposite of wallOf: the time in UTC whose clock shows wall.
func wallTime(wall int64) time.Time { return time.Unix(wall, 0).UTC() }

// MarshalJSON writes the due date as it was given, null without one.
func (d Due) MarshalJSON() ([]byte, error) {
	if d.IsZero() {
		return []byte("null"), nil
	}
	return []byte(`"` + d.String() + `"`), nil
}

// UnmarshalJSON reads null or a string in one of the forms of [ParseDue].
func (d *Due) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*d = Due{}
		return nil
	}
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return errDueForm
	}
	return d.UnmarshalText([]byte(s))
}

// UnmarshalText reads one of the forms of [ParseDue]; it also tells schema generators that a due date is a string.
func (d *Due) UnmarshalText(b []byte) error {
	due, err := ParseDue(string(b))
	if err != nil {
		return err
	}
	*d = due
	return nil
}
