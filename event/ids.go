package event

import (
	"strconv"

	"github.com/google/uuid"
)

// namespace is the root of every derived id.
var namespace = uuid.MustParse("b6ee4b1c-7a07-4f6e-8f2d-5b1c6d0f7f2e")

// derive returns the UUIDv5 (RFC 9562 §5.5) of the parts. They are joined by NUL, which occurs in none of them, so
// that no two lists of parts share a name.
func derive(kind string, parts ...string) string {
	name := append(make([]byte, 0, 128), kind...)
	for _, p := range parts {
		name = append(append(name, 0), p...)
	}
	return uuid.NewSHA1(namespace, name).String()
}

// SuccessorID is the id of the occurrence that follows a completed one (UUIDv5): a redelivered event creates
// nothing twice.
func SuccessorID(completedTask string) string { return derive("successor", completedTask) }

// LaterSuccessorID is the id of the occurrence that follows a task completed once more, where the one before was deleted for
// good or went with another series (UUIDv5): it derives from the task version of that completion too.
func LaterSuccessorID(completedTask string, version int64) string {
	return derive("successor", completedTask, strconv.FormatInt(version, 10))
}

// KeyedTaskID is the id of a task created with an Idempotency-Key (UUIDv5).
func KeyedTaskID(user, key string) string { return derive("idempotency-key", user, key) }

// KeyedFilterID is the id of a filter saved with an Idempotency-Key (UUIDv5).
func KeyedFilterID(user, key string) string { return derive("filter-key", user, key) }

// ReminderID is the id of the reminder of a task at an instant (UUIDv5); at is the name of that instant.
func ReminderID(task, at string) string { return derive("reminder", task, at) }

// NotificationID is the id of one reminder on one channel (UUIDv5).
func NotificationID(reminder, channel string) string {
	return derive("notification", reminder, channel)
}

// LogID is the id of the audit log's entry for an event (UUIDv5): whichever replica keeps it, and however often it is
// delivered, the entry is the same.
func LogID(event string) string { return derive("log", event) }

// UpdateID is the event_id of an update that was made from state, to bring a client to a list version (UUIDv5).
func UpdateID(list string, version int64) string {
	return derive("update", list, strconv.FormatInt(version, 10))
}
