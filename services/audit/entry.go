package audit

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/event"
)

// The prefixes of the service's keys.
const (
	// EntryPrefix is followed by <list>/<list version>; the value is an [Entry].
	EntryPrefix = "audit/"
	// PointerPrefix is followed by <task>/<task version>; the value is a [Pointer].
	PointerPrefix = "audit-task/"
	// HeadPrefix is followed by list/<list> or task/<task>; the value is where readers begin, and only a hint.
	HeadPrefix = "audit-head/"
)

// Entry is one event as it is kept: an AuditLogEntry.
type Entry struct {
	LogID          string    `json:"log_id" format:"uuid" doc:"Derived from event_id"`
	EventID        string    `json:"event_id" format:"uuid"`
	EventType      string    `json:"event_type" doc:"task.created, task.updated, task.completed, task.reopened, task.deleted, task.restored or one of a later version"`
	TaskID         string    `json:"task_id" format:"uuid"`
	Payload        Payload   `json:"payload" doc:"What changed, and the whole task after it, as the event carried it"`
	UserID         string    `json:"user_id" doc:"The owner of the list"`
	Actor          Actor     `json:"actor" doc:"Who did it"`
	ListID         string    `json:"list_id"`
	ListVersion    int64     `json:"list_version" doc:"Orders the entries of a list without gaps, from 1"`
	EventTimestamp time.Time `json:"event_timestamp" doc:"When it happened"`
	ReceivedAt     time.Time `json:"received_at" doc:"When the audit log got it"`
}

// Payload is an event's payload, byte for byte as it came.
type Payload struct{ json.RawMessage }

// Actor is an event's actor, byte for byte as it came.
type Actor struct{ json.RawMessage }

// Schema describes the payload; api/task-event.schema.json tells it by type.
func (Payload) Schema(huma.Registry) *huma.Schema {
	object := func(doc string) *huma.Schema {
		return &huma.Schema{Type: huma.TypeObject, Description: doc, AdditionalProperties: true}
	}
	moment := func(doc string) *huma.Schema {
		return &huma.Schema{Type: huma.TypeString, Format: "date-time", Description: doc}
	}
	return &huma.Schema{
		Type: huma.TypeObject, Required: []string{"task"}, AdditionalProperties: true,
		Properties: map[string]*huma.Schema{
			"task_id":            {Type: huma.TypeString, Format: "uuid", Description: "Every type but task.created"},
			"changes":            object("task.updated: each field that changed, with its old and new value. A PATCH of the old values undoes it; read-only fields such as series_start follow from the others"),
			"completed_at":       moment("task.completed"),
			"recurrence_pattern": {Type: huma.TypeString, Nullable: true, Description: "task.completed"},
			"deleted_at":         moment("task.deleted"),
			"task":               object("The whole task after the change"),
		},
	}
}

// Schema describes the actor.
func (Actor) Schema(r huma.Registry) *huma.Schema {
	return r.Schema(reflect.TypeFor[edge.Actor](), true, "")
}

// Pointer is what stands at a task's version: where its entry is.
type Pointer struct {
	ListID      string `json:"list_id"`
	ListVersion int64  `json:"list_version"`
}

func newEntry(r event.Record, received time.Time) Entry {
	return Entry{
		LogID: event.LogID(r.EventID), EventID: r.EventID, EventType: string(r.EventType), TaskID: r.TaskID,
		Payload: Payload{r.Payload}, UserID: r.UserID, Actor: Actor{r.Actor}, ListID: r.ListID, ListVersion: r.ListVersion,
		EventTimestamp: r.Timestamp, ReceivedAt: received.UTC().Truncate(time.Millisecond),
	}
}

// entrySize is what an entry needs beside its payload and actor, so that the buffer is seldom grown.
const entrySize = 512

// encode renders the entry with payload and actor as they came: they were checked when the event was read, and
// encoding/json would check and compact them again. Every change is encoded once in this way, so the other members
// are appended too; a test holds the bytes to those of encoding/json.
func (e Entry) encode() ([]byte, error) {
	b := make([]byte, 0, entrySize+len(e.Actor.RawMessage)+len(e.Payload.RawMessage))
	for _, m := range [...]struct{ name, value string }{
		{`{"log_id":`, e.LogID}, {`,"event_id":`, e.EventID}, {`,"event_type":`, e.EventType}, {`,"task_id":`, e.TaskID},
		{`,"user_id":`, e.UserID}, {`,"list_id":`, e.ListID},
	} {
		b = event.AppendString(append(b, m.name...), m.value)
	}
	b = strconv.AppendInt(append(b, `,"list_version":`...), e.ListVersion, 10)
	b, err := e.EventTimestamp.AppendText(append(b, `,"event_timestamp":"`...))
	if err == nil {
		b, err = e.ReceivedAt.AppendText(append(b, `","received_at":"`...))
	}
	if err != nil {
		return nil, fmt.Errorf("encode entry of event %s: %w", e.EventID, err)
	}
	b = append(append(b, `","actor":`...), e.Actor.RawMessage...)
	b = append(append(b, `,"payload":`...), e.Payload.RawMessage...)
	return append(b, '}'), nil
}

// DecodeEntry reads the value at a key of [EntryPrefix].
func DecodeEntry(b []byte) (Entry, error) {
	var e Entry
	if err := json.Unmarshal(b, &e); err != nil {
		return Entry{}, fmt.Errorf("decode audit entry: %w", err)
	}
	if e.EventID == "" || e.TaskID == "" || e.ListID == "" || e.ListVersion < 1 {
		return Entry{}, fmt.Errorf("decode audit entry %q: event_id, task_id, list_id or list_version is missing", e.LogID)
	}
	return e, nil
}

// DecodePointer reads the value at a key of [PointerPrefix].
func DecodePointer(b []byte) (Pointer, error) {
	var p Pointer
	if err := json.Unmarshal(b, &p); err != nil {
		return Pointer{}, fmt.Errorf("decode audit pointer: %w", err)
	}
	return p, nil
}

// TaskEvent returns the event that the entry keeps, for [event.Replay].
func (e Entry) TaskEvent() (event.TaskEvent, error) {
	out := event.TaskEvent{
		EventID: e.EventID, EventType: event.Type(e.EventType), TaskID: e.TaskID, UserID: e.UserID,
		Timestamp: e.EventTimestamp, ListID: e.ListID, ListVersion: e.ListVersion,
	}
	if err := json.Unmarshal(e.Payload.RawMessage, &out.Payload); err != nil {
		return out, fmt.Errorf("payload of audit entry %s: %w", e.LogID, err)
	}
	if err := json.Unmarshal(e.Actor.RawMessage, &out.Actor); err != nil {
		return out, fmt.Errorf("actor of audit entry %s: %w", e.LogID, err)
	}
	return out, nil
}

func entryKey(list string, version int64) string {
	return EntryPrefix + list + "/" + strconv.FormatInt(version, 10)
}

func pointerKey(task string, version int64) string {
	return PointerPrefix + task + "/" + strconv.FormatInt(version, 10)
}
