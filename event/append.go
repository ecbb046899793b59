package event

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// Encoding is on the path of every change. encoding/json would go over the task three times (once as a RawMessage
// in the payload, once as the envelope's data, each checked and compacted) although it was just marshalled; so the
// known forms are appended here, field by field in the order of their structs. A test holds the bytes to those of
// encoding/json.

// envelopeSize is what an event needs besides its task, so that the buffer is seldom grown.
const envelopeSize = 1024

var errTask = errors.New("task is not a JSON object")

// isObject looks at the ends only: what lies between was written by json.Marshal or read by json.Unmarshal.
func isObject(raw json.RawMessage) bool {
	return len(raw) >= 2 && raw[0] == '{' && raw[len(raw)-1] == '}'
}

// stamp writes an instant as all events and tasks carry it: RFC 3339, in UTC, cut to exactly three decimals.
func stamp(t time.Time) (string, error) {
	t = t.UTC()
	if y := t.Year(); y < 0 || y > 9999 { // RFC 3339 §5.6: four digits
		return "", fmt.Errorf("year %d cannot be written", y)
	}
	return t.Format("2006-01-02T15:04:05.000Z"), nil
}

// text appends key, which is `,"name":` with its punctuation, and the value as a JSON string.
func text(b []byte, key, value string) []byte { return AppendString(append(b, key...), value) }

// AppendString appends the value as a JSON string, byte for byte as encoding/json writes it.
func AppendString(b []byte, value string) []byte {
	for i := range len(value) {
		if c := value[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			quoted, _ := json.Marshal(value) // a string always can be
			return append(b, quoted...)
		}
	}
	b = append(b, '"')
	b = append(b, value...)
	return append(b, '"')
}

// optional appends as [text] does, or nothing where the value is empty.
func optional(b []byte, key, value string) []byte {
	if value == "" {
		return b
	}
	return text(b, key, value)
}

func number(b []byte, key string, value int64) []byte {
	return strconv.AppendInt(append(b, key...), value, 10)
}

func openEnvelope(b []byte, id, typ, source, subject, at, trace string) []byte {
	b = text(b, `{"specversion":"1.0","id":`, id)
	b = text(b, `,"type":`, typ)
	b = text(b, `,"source":`, source)
	b = text(b, `,"subject":`, subject)
	b = text(b, `,"time":`, at)
	b = append(b, `,"datacontenttype":"application/json"`...)
	b = optional(b, `,"traceparent":`, trace)
	return append(b, `,"data":`...)
}

func (e *TaskEvent) appendData(b []byte, at string) ([]byte, error) {
	b = text(b, `{"event_id":`, e.EventID)
	b = text(b, `,"event_type":`, string(e.EventType))
	b = text(b, `,"task_id":`, e.TaskID)
	b = text(b, `,"user_id":`, e.UserID)
	b = text(b, `,"timestamp":`, at)
	b = text(b, `,"list_id":`, e.ListID)
	b = number(b, `,"list_version":`, e.ListVersion)
	b = text(b, `,"actor":{"kind":`, e.Actor.Kind)
	b = text(b, `,"id":`, e.Actor.ID)
	b = text(b, `,"name":`, e.Actor.Name)
	b, err := e.Payload.append(append(b, `},"payload":{`...), e.EventType)
	return append(b, "}}"...), err
}

// append writes the members of the payload. In task.completed there is always a recurrence_pattern: json.Unmarshal
// cannot tell null from absent, the event's type can.
func (p *Payload) append(b []byte, typ Type) ([]byte, error) {
	if !isObject(p.Task) {
		return b, errTask
	}
	if p.TaskID != "" {
		b = append(text(b, `"task_id":`, p.TaskID), ',')
	}
	if len(p.Changes) > 0 {
		changes, err := json.Marshal(p.Changes)
		if err != nil {
			return b, err
		}
		b = append(append(append(b, `"changes":`...), changes...), ',')
	}
	b, err := instant(b, `"completed_at":`, p.CompletedAt)
	if err != nil {
		return b, err
	}
	switch pattern := p.RecurrencePattern; {
	case pattern != nil && pattern.Value != nil:
		b = append(text(b, `"recurrence_pattern":`, *pattern.Value), ',')
	case pattern != nil || typ == TaskCompleted:
		b = append(b, `"recurrence_pattern":null,`...)
	}
	if b, err = instant(b, `"deleted_at":`, p.DeletedAt); err != nil {
		return b, err
	}
	return append(append(b, `"task":`...), p.Task...), nil
}

// instant appends an optional time and the comma after it.
func instant(b []byte, key string, t *time.Time) ([]byte, error) {
	if t == nil {
		return b, nil
	}
	at, err := stamp(*t)
	return append(text(b, key, at), ','), err
}

// AppendJSON appends the update without its envelope, as clients get it on the WebSocket.
func (e *TaskUpdate) AppendJSON(b []byte) ([]byte, error) {
	at, err := stamp(e.Timestamp)
	if err != nil {
		return b, err
	}
	b = text(b, `{"event_id":`, e.EventID)
	b = text(b, `,"action":`, e.Action)
	b = text(b, `,"task_id":`, e.TaskID)
	b = append(b, `,"task":`...)
	switch {
	case len(e.Task) == 0 || string(e.Task) == "null":
		b = append(b, "null"...)
	case isObject(e.Task):
		b = append(b, e.Task...)
	default:
		return b, errTask
	}
	b = text(b, `,"user_id":`, e.UserID)
	b = text(b, `,"list_id":`, e.ListID)
	b = number(b, `,"list_version":`, e.ListVersion)
	b = text(b, `,"timestamp":`, at)
	return append(b, '}'), nil
}

// AppendJSON appends the reminder without its envelope, as clients get it on the WebSocket.
func (e *Reminder) AppendJSON(b []byte) ([]byte, error) {
	at, err := stamp(e.Timestamp)
	if err != nil {
		return b, err
	}
	scheduled, err := stamp(e.ScheduledTime)
	if err != nil {
		return b, err
	}
	b = text(b, `{"notification_id":`, e.NotificationID)
	b = text(b, `,"reminder_id":`, e.ReminderID)
	b = text(b, `,"task_id":`, e.TaskID)
	b = text(b, `,"user_id":`, e.UserID)
	b = text(b, `,"message":`, e.Message)
	b = optional(b, `,"title":`, e.Title)
	b = text(b, `,"channel":`, e.Channel)
	b = text(b, `,"scheduled_time":`, scheduled)
	b = text(b, `,"timestamp":`, at)
	return append(b, '}'), nil
}
