package task

import "slices"

// field is a field of a task by its JSON name: the one table that reading bodies and telling changes share.
type field struct {
	name string
	// read puts a value from a body into a patch; nil for a read-only field.
	read func(p *Patch, v value, f *faults)
	// instead says what to do instead of writing a read-only field.
	instead string
	// get returns the value as it is marshalled.
	get func(t *Task) any
	// same compares the values of two tasks; nil for the fields every change touches.
	same func(a, b *Task) bool
}

const (
	bySeries = "it follows from recurrence_pattern and due_date"
	byDocket = "docket sets it"
)

var fields = [...]field{
	writes("title", readTitle, func(t *Task) string { return t.Title }),
	writes("description", readDescription, func(t *Task) string { return t.Description }),
	writes("priority", readPriority, func(t *Task) Priority { return t.Priority }),
	writes("due_date", readDueDate, func(t *Task) Due { return t.DueDate }),
	{name: "tags", read: readTags, get: func(t *Task) any { return t.Tags },
		same: func(a, b *Task) bool { return slices.Equal(a.Tags, b.Tags) }},
	pointer("recurrence_pattern", readPattern, "", func(t *Task) *string { return t.RecurrencePattern }),
	{name: "reminder_minutes", read: readReminders, get: func(t *Task) any { return t.ReminderMinutes },
		same: func(a, b *Task) bool { return slices.Equal(a.ReminderMinutes, b.ReminderMinutes) }},

	reads("status", "use POST /api/tasks/{id}/complete, /reopen or /restore, or DELETE /api/tasks/{id}",
		func(t *Task) Status { return t.Status }),
	pointer("recurrence_parent_id", nil, bySeries, func(t *Task) *string { return t.RecurrenceParentID }),
	pointer("series_start", nil, bySeries, func(t *Task) *string { return t.SeriesStart }),
	pointer("series_zone", nil, bySeries, func(t *Task) *string { return t.SeriesZone }),
	pointer("occurrence", nil, bySeries, func(t *Task) *string { return t.Occurrence }),
	pointer("occurrence_number", nil, bySeries, func(t *Task) *int { return t.OccurrenceNumber }),
	reads("id", byDocket, func(t *Task) string { return t.ID }),
	reads("created_by", byDocket, func(t *Task) string { return t.CreatedBy }),
	reads("created_at", byDocket, func(t *Task) Time { return t.CreatedAt }),
	pointer("completed_at", nil, "use POST /api/tasks/{id}/complete", func(t *Task) *Time { return t.CompletedAt }),
	{name: "updated_at", instead: byDocket, get: func(t *Task) any { return t.UpdatedAt }},
	{name: "version", instead: "docket counts it; to change only what you have seen, send it as If-Match",
		get: func(t *Task) any { return t.Version }},
}

// writable lists the fields a client may write, for error texts.
const writable = "title, description, priority, due_date, tags, recurrence_pattern and reminder_minutes"

func writes[T comparable](name string, read func(*Patch, value, *faults), get func(*Task) T) field {
	f := reads(name, "", get)
	f.read = read
	return f
}

func reads[T comparable](name, instead string, get func(*Task) T) field {
	return field{name: name, instead: instead,
		get:  func(t *Task) any { return get(t) },
		same: func(a, b *Task) bool { return get(a) == get(b) }}
}

func pointer[T comparable](name string, read func(*Patch, value, *faults), instead string, get func(*Task) *T) field {
	return field{name: name, read: read, instead: instead,
		get: func(t *Task) any { return get(t) },
		same: func(a, b *Task) bool {
			p, q := get(a), get(b)
			return p == q || p != nil && q != nil && *p == *q
		}}
}

func fieldNamed(name string) *field {
	for i := range fields {
		if fields[i].name == name {
			return &fields[i]
		}
	}
	return nil
}

// FieldChange is one field of a task before and after a change.
type FieldChange struct {
	Old any `json:"old"`
	New any `json:"new"`
}

// Changes returns the fields that differ between two states of a task, by JSON name; updated_at and version, which
// every change touches, are left out.
func Changes(before, after Task) map[string]FieldChange {
	changes := map[string]FieldChange{}
	for i := range fields {
		f := &fields[i]
		if f.same != nil && !f.same(&before, &after) {
			changes[f.name] = FieldChange{f.get(&before), f.get(&after)}
		}
	}
	return changes
}
