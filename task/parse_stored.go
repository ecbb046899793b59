package task

import (
	"encoding/json"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// Decode reads a task as [Encode] or encoding/json wrote it. Unknown fields are ignored: a newer docket may have
// written them.
//
// A list of thousands is decoded when it is first asked for, so a document in just the form that Encode gives it is
// read in one pass; encoding/json, which takes several times as long, reads any other.
func Decode(doc []byte) (Task, error) {
	if utf8.Valid(doc) {
		d := decoder{rest: doc}
		if t := d.task(); !d.failed && len(d.rest) == 0 {
			return t, nil
		}
	}
	var t Task
	if err := json.Unmarshal(doc, &t); err != nil {
		return Task{}, fmt.Errorf("decode a task: %w", err)
	}
	return t, nil
}

// decoder is the opposite of encoder: each method reads what comes before the value, name and colon included, and the
// value. Once something is not as expected it has failed, and what it returns means nothing.
type decoder struct {
	rest   []byte
	failed bool
}

func (d *decoder) task() (t Task) {
	t.ID = d.text(`{"id":`)
	t.Title = d.text(`,"title":`)
	t.Description = d.text(`,"description":`)
	t.Status = Status(d.text(`,"status":`))
	t.Priority = Priority(d.text(`,"priority":`))
	t.DueDate = d.due(`,"due_date":`)
	t.Tags = d.texts(`,"tags":`)
	t.RecurrencePattern = d.optional(`,"recurrence_pattern":`)
	t.RecurrenceParentID = d.optional(`,"recurrence_parent_id":`)
	t.SeriesStart = d.optional(`,"series_start":`)
	t.SeriesZone = d.optional(`,"series_zone":`)
	t.Occurrence = d.optional(`,"occurrence":`)
	if !d.null(`,"occurrence_number":`) {
		n := int(d.integer(""))
		t.OccurrenceNumber = &n
	}
	t.ReminderMinutes = d.integers(`,"reminder_minutes":`)
	t.CreatedBy = d.text(`,"created_by":`)
	t.CreatedAt = d.time(`,"created_at":`)
	t.UpdatedAt = d.time(`,"updated_at":`)
	if !d.null(`,"completed_at":`) {
		at := d.time("")
		t.CompletedAt = &at
	}
	t.Version = d.integer(`,"version":`)
	d.skip("}")
	return t
}

// next tells whether s comes next, and steps over it if so.
func (d *decoder) next(s string) bool {
	if len(d.rest) < len(s) || string(d.rest[:len(s)]) != s {
		return false
	}
	d.rest = d.rest[len(s):]
	return true
}

// skip steps over s, which must come next.
func (d *decoder) skip(s string) {
	if !d.next(s) {
		d.failed = true
	}
}

// null steps over name, which must come next, and tells whether null follows.
func (d *decoder) null(name string) bool {
	d.skip(name)
	return d.next("null")
}

func (d *decoder) text(name string) string {
	d.skip(name)
	if d.skip(`"`); d.failed {
		return ""
	}
	for i, c := range d.rest {
		switch {
		case c == '"':
			s := string(d.rest[:i])
			d.rest = d.rest[i+1:]
			return s
		case c == '\\':
			return d.escaped(i)
		case c < ' ':
			d.failed = true
			return ""
		}
	}
	d.failed = true
	return ""
}

// escaped reads a text that has its first escape at i.
func (d *decoder) escaped(i int) (s string) {
	for ; i < len(d.rest) && d.rest[i] != '"'; i++ {
		if d.rest[i] == '\\' {
			i++
		}
	}
	if i >= len(d.rest) {
		d.failed = true
		return ""
	}
	quoted := make([]byte, 0, i+2)
	quoted = append(append(append(quoted, '"'), d.rest[:i]...), '"')
	d.failed = json.Unmarshal(quoted, &s) != nil
	d.rest = d.rest[i+1:]
	return s
}

func (d *decoder) optional(name string) *string {
	if d.null(name) {
		return nil
	}
	s := d.text("")
	return &s
}

func (d *decoder) due(name string) Due {
	if d.null(name) {
		return Due{}
	}
	due, err := ParseDue(d.text(""))
	d.failed = d.failed || err != nil
	return due
}

func (d *decoder) time(name string) (at Time) {
	d.skip(name)
	const size = len(timeLayout) + len(`""`)
	if len(d.rest) < size || at.UnmarshalJSON(d.rest[:size]) != nil {
		d.failed = true
		return Time{}
	}
	d.rest = d.rest[size:]
	return at
}

// integer reads a number without sign, small enough for any of the fields.
func (d *decoder) integer(name string) int64 {
	d.skip(name)
	n := 0
	for n < len(d.rest) && isDigit(d.rest[n]) {
		n++
	}
	if n == 0 || n > 1 && d.rest[0] == '0' {
		d.failed = true
		return 0
	}
	v, err := strconv.ParseInt(string(d.rest[:n]), 10, strconv.IntSize)
	d.failed = d.failed || err != nil
	d.rest = d.rest[n:]
	return v
}

func (d *decoder) texts(name string) []string {
	list := []string{}
	for d.list(name, len(list)) {
		list, name = append(list, d.text("")), ""
	}
	return list
}

func (d *decoder) integers(name string) []int {
	list := []int{}
	for d.list(name, len(list)) {
		list, name = append(list, int(d.integer(""))), ""
	}
	return list
}

// list tells whether another entry follows the read ones of an array.
func (d *decoder) list(name string, read int) bool {
	if d.skip(name); read == 0 {
		d.skip("[")
	}
	if d.failed || d.next("]") {
		return false
	}
	if read > 0 {
		d.skip(",")
	}
	return !d.failed
}
