// Package event is the wire contract between the services: the three topics, the CloudEvents envelope and the
// forms of the data in it. The JSON Schemas in api/ describe the same forms; producers and consumers are tested
// against those files, and testdata/ holds one golden file for every version of every event.
//
// Forms only grow: a field is added with a usable zero value and never changes its meaning, so replicas of two
// versions can run side by side. A consumer ignores fields it does not know. Instants are RFC 3339 in UTC
// with exactly three decimals.
//
// The first event of a task is its creation, with task version 1; each later event of the task adds one to its
// version, and each event of any task in a list adds one to the list's. [Replay] checks that.
//
// [Task]: T015, T025, T027, T043, T067
package event

import (
	"encoding/json"
	"time"
)

// The three topics. Each subscriber has one dead-letter topic besides.
const (
	TopicTasks     = "task-events"
	TopicUpdates   = "task-updates"
	TopicReminders = "reminders"
)

// Type says what happened to a task.
type Type string

// The types of a [TaskEvent].
const (
	TaskCreated   Type = "task.created"
	TaskUpdated   Type = "task.updated"
	TaskCompleted Type = "task.completed"
	TaskReopened  Type = "task.reopened"
	TaskDeleted   Type = "task.deleted"
	TaskRestored  Type = "task.restored"
)

// Types lists every type of a [TaskEvent].
var Types = []Type{TaskCreated, TaskUpdated, TaskCompleted, TaskReopened, TaskDeleted, TaskRestored}

// Known tells whether t is one of [Types].
func (t Type) Known() bool {
	for _, k := range Types {
		if t == k {
			return true
		}
	}
	return false
}

// Actor is who did it: a user in a browser, an API token, or a service on the user's behalf.
type Actor struct {
	// Kind is "user", "token" or "service".
	Kind string `json:"kind" enum:"user,token,service"`
	ID   string `json:"id"`
	Name string `json:"name"`
}

// TaskEvent is one change of one task, the record that history is made of. Every version of a list is exactly
// one TaskEvent.
type TaskEvent struct {
	EventID   string `json:"event_id"`
	EventType Type   `json:"event_type"`
	TaskID    string `json:"task_id"`
	// UserID is the owner of the list.
	UserID    string    `json:"user_id"`
	Timestamp time.Time `json:"timestamp"`
	ListID    string    `json:"list_id"`
	// ListVersion orders the events of one list without gaps, from 1.
	ListVersion int64   `json:"list_version"`
	Actor       Actor   `json:"actor"`
	Payload     Payload `json:"payload"`
}

// Payload is what changed. Task is always there; the other fields belong to the types named.
type Payload struct {
	// TaskID: all types but task.created.
	TaskID string `json:"task_id,omitempty"`
	// Changes: task.updated. Keys are the JSON names of the task's fields.
	Changes map[string]Change `json:"changes,omitempty"`
	// CompletedAt: task.completed.
	CompletedAt *time.Time `json:"completed_at,omitempty"`
	// RecurrencePattern: task.completed, null where the task does not repeat. Decoding makes nil of null; Encode
	// writes null for nil in that type.
	RecurrencePattern *Nullable `json:"recurrence_pattern,omitempty"`
	// DeletedAt: task.deleted.
	DeletedAt *time.Time `json:"deleted_at,omitempty"`
	// Task is the whole task after the change, so that no consumer has to ask back and history can be replayed.
	Task json.RawMessage `json:"task"`
}

// Change is one field's value before and after.
type Change struct {
	Old any `json:"old"`
	New any `json:"new"`
}

// Nullable is a string that is written as null where it has no value, in a field that may be absent altogether.
type Nullable struct{ Value *string }

// MarshalJSON writes the string or null.
func (n Nullable) MarshalJSON() ([]byte, error) { return json.Marshal(n.Value) }

// UnmarshalJSON reads a string or null.
func (n *Nullable) UnmarshalJSON(b []byte) error { return json.Unmarshal(b, &n.Value) }

// TaskUpdate tells open clients of a change. It is published in the same commit as the [TaskEvent] of the same
// list version.
type TaskUpdate struct {
	EventID string `json:"event_id"`
	// Action is the part of the event's type after "task.": created, updated, completed, reopened, deleted, restored.
	Action string `json:"action"`
	TaskID string `json:"task_id"`
	// Task is null when it was deleted.
	Task        json.RawMessage `json:"task"`
	UserID      string          `json:"user_id"`
	ListID      string          `json:"list_id"`
	ListVersion int64           `json:"list_version"`
	Timestamp   time.Time       `json:"timestamp"`
}

// Reminder says that the moment of a reminder has come.
type Reminder struct {
	// NotificationID is derived from the reminder and the channel: see [NotificationID].
	NotificationID string `json:"notification_id"`
	ReminderID     string `json:"reminder_id"`
	TaskID         string `json:"task_id"`
	UserID         string `json:"user_id"`
	Message        string `json:"message"`
	// Title is the task's; empty in events of older versions.
	Title string `json:"title,omitempty"`
	// Channel is "in_app": the other channels are the user's settings, which the notification service knows.
	Channel       string    `json:"channel"`
	ScheduledTime time.Time `json:"scheduled_time"`
	Timestamp     time.Time `json:"timestamp"`
}
