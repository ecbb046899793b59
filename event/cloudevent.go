package event

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// ContentType is the media type of an encoded event (CloudEvents 1.0, JSON format §3).
const ContentType = "application/cloudevents+json"

// The types of the events on the topics whose data does not name its own type.
const (
	updateType   = "task.update"
	reminderType = "reminder.due"
)

// Envelope is a CloudEvent 1.0 in structured JSON mode.
type Envelope struct {
	SpecVersion     string    `json:"specversion"`
	ID              string    `json:"id"`
	Type            string    `json:"type"`
	Source          string    `json:"source"`
	Subject         string    `json:"subject"`
	Time            time.Time `json:"time"`
	DataContentType string    `json:"datacontenttype"`
	// TraceParent is the W3C trace context of the request that caused the event (CloudEvents distributed
	// tracing extension); empty where there is none.
	TraceParent string          `json:"traceparent,omitempty"`
	Data        json.RawMessage `json:"data"`
}

// Encode wraps the change in its envelope.
func (e *TaskEvent) Encode(source, trace string) ([]byte, error) {
	return encode(e.EventID, string(e.EventType), source, e.TaskID, trace, e.Timestamp, e)
}

// Encode wraps the update in its envelope.
func (e *TaskUpdate) Encode(source, trace string) ([]byte, error) {
	return encode(e.EventID, updateType, source, e.TaskID, trace, e.Timestamp, e)
}

// Encode wraps the reminder in its envelope; its id is the notification's.
func (e *Reminder) Encode(source, trace string) ([]byte, error) {
	return encode(e.NotificationID, reminderType, source, e.TaskID, trace, e.Timestamp, e)
}

func encode(id, typ, source, subject, trace string, at time.Time, data any) ([]byte, error) {
	raw, err := json.Marshal(data)
	if err != nil {
		return nil, fmt.Errorf("encode %s %s: %w", typ, id, err)
	}
	return json.Marshal(Envelope{
		SpecVersion: "1.0", ID: id, Type: typ, Source: source, Subject: subject, Time: at,
		DataContentType: "application/json", TraceParent: trace, Data: raw,
	})
}

// DecodeTaskEvent reads an event of [TopicTasks] and its trace context.
func DecodeTaskEvent(b []byte) (TaskEvent, string, error) {
	var e TaskEvent
	env, err := decode(b, &e)
	if err != nil {
		return TaskEvent{}, "", err
	}
	if e.EventID == "" || e.TaskID == "" || e.ListID == "" || e.ListVersion < 1 || len(e.Payload.Task) == 0 {
		return TaskEvent{}, "", fmt.Errorf("event %q lacks event_id, task_id, list_id, list_version or payload.task", env.ID)
	}
	return e, env.TraceParent, nil
}

// DecodeTaskUpdate reads an event of [TopicUpdates].
func DecodeTaskUpdate(b []byte) (TaskUpdate, error) {
	var e TaskUpdate
	env, err := decode(b, &e)
	if err == nil && (e.ListID == "" || e.ListVersion < 1) {
		err = fmt.Errorf("update %q lacks list_id or list_version", env.ID)
	}
	return e, err
}

// DecodeReminder reads an event of [TopicReminders] and its trace context.
func DecodeReminder(b []byte) (Reminder, string, error) {
	var e Reminder
	env, err := decode(b, &e)
	if err == nil && (e.ReminderID == "" || e.UserID == "") {
		err = fmt.Errorf("reminder %q lacks reminder_id or user_id", env.ID)
	}
	return e, env.TraceParent, err
}

func decode(b []byte, data any) (Envelope, error) {
	var env Envelope
	if err := json.Unmarshal(b, &env); err != nil {
		return env, fmt.Errorf("decode envelope: %w", err)
	}
	if env.SpecVersion != "1.0" {
		return env, fmt.Errorf("decode envelope: specversion %q is not 1.0", env.SpecVersion)
	}
	if err := json.Unmarshal(env.Data, data); err != nil {
		return env, fmt.Errorf("decode data of %s %s: %w", env.Type, env.ID, err)
	}
	return env, nil
}

// namespace is the root of every derived id.
var namespace = uuid.MustParse("b6ee4b1c-7a07-4f6e-8f2d-5b1c6d0f7f2e")

func derive(kind string, parts ...string) string {
	name := kind
	for _, p := range parts {
		name += "\x00" + p
	}
	return uuid.NewSHA1(namespace, []byte(name)).String()
}

// SuccessorID is the id of the occurrence that follows a completed one (UUIDv5): a redelivered event creates
// nothing twice.
func SuccessorID(completedTask string) string { return derive("successor", completedTask) }

// KeyedTaskID is the id of a task created with an Idempotency-Key (UUIDv5).
func KeyedTaskID(user, key string) string { return derive("idempotency-key", user, key) }

// ReminderID is the id of the reminder of a task at an instant (UUIDv5); at is the name of that instant.
func ReminderID(task, at string) string { return derive("reminder", task, at) }

// NotificationID is the id of one reminder on one channel (UUIDv5).
func NotificationID(reminder, channel string) string {
	return derive("notification", reminder, channel)
}
