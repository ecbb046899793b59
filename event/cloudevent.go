package event

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
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

// Encode wraps the change in its envelope. Payload.Task must be a JSON object as json.Marshal writes it: it is
// copied as it is.
func (e *TaskEvent) Encode(source, trace string) ([]byte, error) {
	at, err := stamp(e.Timestamp)
	if err != nil {
		return nil, encodeError(string(e.EventType), e.EventID, err)
	}
	b := make([]byte, 0, envelopeSize+len(e.Payload.Task))
	b = openEnvelope(b, e.EventID, string(e.EventType), source, e.TaskID, at, trace)
	if b, err = e.appendData(b, at); err != nil {
		return nil, encodeError(string(e.EventType), e.EventID, err)
	}
	return append(b, '}'), nil
}

// Encode wraps the update in its envelope. Task must be empty or a JSON object as json.Marshal writes it: it is
// copied as it is.
func (e *TaskUpdate) Encode(source, trace string) ([]byte, error) {
	at, err := stamp(e.Timestamp)
	if err != nil {
		return nil, encodeError(updateType, e.EventID, err)
	}
	b := make([]byte, 0, envelopeSize+len(e.Task))
	b = openEnvelope(b, e.EventID, updateType, source, e.TaskID, at, trace)
	if b, err = e.AppendJSON(b); err != nil {
		return nil, encodeError(updateType, e.EventID, err)
	}
	return append(b, '}'), nil
}

// Encode wraps the reminder in its envelope; its id is the notification's.
func (e *Reminder) Encode(source, trace string) ([]byte, error) {
	at, err := stamp(e.Timestamp)
	if err != nil {
		return nil, encodeError(reminderType, e.NotificationID, err)
	}
	b := make([]byte, 0, envelopeSize)
	b = openEnvelope(b, e.NotificationID, reminderType, source, e.TaskID, at, trace)
	if b, err = e.AppendJSON(b); err != nil {
		return nil, encodeError(reminderType, e.NotificationID, err)
	}
	return append(b, '}'), nil
}

func encodeError(typ, id string, err error) error {
	return fmt.Errorf("encode %s %s: %w", typ, id, err)
}

// delivered is an envelope with its data decoded in the same pass. Attributes it does not name, such as those a
// broker adds, are ignored.
type delivered[T any] struct {
	SpecVersion string `json:"specversion"`
	ID          string `json:"id"`
	Type        string `json:"type"`
	TraceParent string `json:"traceparent"`
	Data        T      `json:"data"`
}

func decode[T any](b []byte) (delivered[T], error) {
	var d delivered[T]
	if err := json.Unmarshal(b, &d); err != nil {
		return delivered[T]{}, fmt.Errorf("decode event: %w", err)
	}
	if d.SpecVersion != "1.0" {
		return delivered[T]{}, fmt.Errorf("decode event %q: specversion %q is not 1.0", d.ID, d.SpecVersion)
	}
	return d, nil
}

// DecodeTaskEvent reads an event of [TopicTasks] and its trace context.
func DecodeTaskEvent(b []byte) (TaskEvent, string, error) {
	d, err := decode[TaskEvent](b)
	if err != nil {
		return TaskEvent{}, "", err
	}
	e := d.Data
	if err := requireHeader(e.EventID, e.TaskID, e.ListID, e.ListVersion); err != nil {
		return TaskEvent{}, "", fmt.Errorf("decode event %q: %w", d.ID, err)
	}
	if !isObject(e.Payload.Task) {
		return TaskEvent{}, "", fmt.Errorf("decode event %q: payload.task is missing", d.ID)
	}
	return e, d.TraceParent, nil
}

func requireHeader(event, task, list string, version int64) error {
	switch {
	case event == "":
		return missingError("event_id")
	case task == "":
		return missingError("task_id")
	case list == "":
		return missingError("list_id")
	case version < 1:
		return missingError("list_version")
	}
	return nil
}

type missingError string

func (e missingError) Error() string { return string(e) + " is missing" }

// DecodeTaskUpdate reads an event of [TopicUpdates].
func DecodeTaskUpdate(b []byte) (TaskUpdate, error) {
	d, err := decode[TaskUpdate](b)
	if err != nil {
		return TaskUpdate{}, err
	}
	e := d.Data
	if err := requireHeader(e.EventID, e.TaskID, e.ListID, e.ListVersion); err != nil {
		return TaskUpdate{}, fmt.Errorf("decode update %q: %w", d.ID, err)
	}
	return e, nil
}

// DecodeReminder reads an event of [TopicReminders] and its trace context.
func DecodeReminder(b []byte) (Reminder, string, error) {
	d, err := decode[Reminder](b)
	if err != nil {
		return Reminder{}, "", err
	}
	e := d.Data
	for _, f := range []struct{ name, value string }{
		{"notification_id", e.NotificationID}, {"reminder_id", e.ReminderID}, {"task_id", e.TaskID}, {"user_id", e.UserID},
	} {
		if f.value == "" {
			return Reminder{}, "", fmt.Errorf("decode reminder %q: %w", d.ID, missingError(f.name))
		}
	}
	return e, d.TraceParent, nil
}

// TypeOf reads an event's type and no further, for a consumer that has no business with most types. Where the type
// stands in front of the data, as [TaskEvent.Encode] writes it, that costs little, however large the data.
func TypeOf(b []byte) (Type, error) {
	if t, ok := leadingType(b); ok {
		return t, nil
	}
	d := json.NewDecoder(bytes.NewReader(b))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return "", fmt.Errorf("decode event: it is no JSON object")
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return "", fmt.Errorf("decode event: %w", err)
		}
		if name == "type" {
			var t Type
			if err := d.Decode(&t); err != nil {
				return "", fmt.Errorf("decode type of event: %w", err)
			}
			return t, nil
		}
		var skipped json.RawMessage
		if err := d.Decode(&skipped); err != nil {
			return "", fmt.Errorf("decode event: %w", err)
		}
	}
	return "", fmt.Errorf("decode event: it has no type")
}

// leadingType reads the type of an envelope that begins as our own encoding does: version, id, type, none of them
// with an escaped character.
func leadingType(b []byte) (Type, bool) {
	rest, ok := bytes.CutPrefix(b, []byte(`{"specversion":"1.0","id":"`))
	if !ok {
		return "", false
	}
	_, rest, ok = bytes.Cut(rest, []byte(`"`))
	if !ok {
		return "", false
	}
	if rest, ok = bytes.CutPrefix(rest, []byte(`,"type":"`)); !ok {
		return "", false
	}
	t, _, ok := bytes.Cut(rest, []byte(`"`))
	return Type(t), ok && !bytes.ContainsRune(t, '\\')
}
