// Package task holds the rules of docket: what a task may look like, how it changes, when it repeats, and how
// a list of tasks is filtered, sorted and searched. It is pure: no I/O, no clock and no randomness of its own.
//
// [Task]: T014, T026, T041, T057, T058, T059
package task

import "time"

// Status is where a task stands: pending and completed change into each other, each can be deleted, and a
// deleted task can be restored to what it was for [RestoreWindow].
type Status string

// The three states of a task.
const (
	Pending   Status = "pending"
	Completed Status = "completed"
	Deleted   Status = "deleted"
)

// Priority ranks tasks.
type Priority string

// The three priorities, Medium being the default.
const (
	High   Priority = "high"
	Medium Priority = "medium"
	Low    Priority = "low"
)

// Limits of a task. Lengths count Unicode code points.
const (
	MaxTitle       = 255
	MaxDescription = 2000
	MaxTags        = 20
	MaxTag         = 50
	MaxReminders   = 10
	// MaxReminderMinutes is the earliest a reminder may come before the due date: 28 days.
	MaxReminderMinutes = 40320
	// RestoreWindow is how long a deleted task can be restored.
	RestoreWindow = 30 * 24 * time.Hour
)

// Task is one task as the API shows it and as events carry it. Every field is always present in JSON; one
// without a value is null, an empty string or an empty array.
type Task struct {
	ID          string   `json:"id" format:"uuid"`
	Title       string   `json:"title"`
	Description string   `json:"description"`
	Status      Status   `json:"status" enum:"pending,completed,deleted"`
	Priority    Priority `json:"priority" enum:"high,medium,low"`
	// DueDate is kept in the form given: see [Due].
	DueDate Due      `json:"due_date" nullable:"true"`
	Tags    []string `json:"tags"`
	// RecurrencePattern is daily, weekly, monthly, yearly or an RFC 5545 "RRULE:" string; nil does not repeat.
	RecurrencePattern *string `json:"recurrence_pattern"`
	// RecurrenceParentID is the first task of the series; nil in that one itself.
	RecurrenceParentID *string `json:"recurrence_parent_id"`
	// SeriesStart is the local start of the series ("2006-01-02" or "2006-01-02T15:04:05").
	SeriesStart *string `json:"series_start"`
	// SeriesZone is the IANA zone the series runs in; nil for date-only and floating series, which follow the user.
	SeriesZone *string `json:"series_zone"`
	// Occurrence is this occurrence's original local slot, in the form of SeriesStart, wherever its due date was moved.
	Occurrence *string `json:"occurrence"`
	// OccurrenceNumber counts the slots of the series from 1.
	OccurrenceNumber *int `json:"occurrence_number"`
	// ReminderMinutes are minutes before the due date, distinct, largest first.
	ReminderMinutes []int  `json:"reminder_minutes"`
	CreatedBy       string `json:"created_by"`
	CreatedAt       Time   `json:"created_at"`
	UpdatedAt       Time   `json:"updated_at"`
	CompletedAt     *Time  `json:"completed_at"`
	// Version grows by one at each change.
	Version int64 `json:"version"`
}

// Time is an instant in UTC with millisecond resolution, written as RFC 3339.
type Time struct{ time.Time }

const timeLayout = "2006-01-02T15:04:05.000Z"

// At returns t in UTC, cut to milliseconds.
func At(t time.Time) Time { return Time{t.UTC().Truncate(time.Millisecond)} }

// MarshalJSON writes the instant with exactly three decimals.
func (t Time) MarshalJSON() ([]byte, error) {
	return []byte(t.UTC().Format(`"` + timeLayout + `"`)), nil
}

// Env is what a rule needs to know of the moment and of the list's owner.
type Env struct {
	// Now is the moment of the change.
	Now time.Time
	// Zone is the user's time zone.
	Zone *time.Location
	// Reminders is the user's default for reminder_minutes.
	Reminders []int
}

// FieldError says what is wrong with one field and what to do about it.
type FieldError struct {
	Field  string `json:"field"`
	Detail string `json:"detail"`
}

// Invalid is the error of an input that breaks the rules: one entry for each field at fault.
type Invalid []FieldError

func (e Invalid) Error() string {
	s := "invalid"
	for _, f := range e {
		s += "; " + f.Field + ": " + f.Detail
	}
	return s
}
