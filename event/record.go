package event

import (
	"encoding/json"
	"fmt"
	"time"
)

// Record is a [TaskEvent] whose payload and actor are kept as the bytes that came: for a consumer that stores the
// event, including fields of a later version that this one does not know.
type Record struct {
	EventID     string          `json:"event_id"`
	EventType   Type            `json:"event_type"`
	TaskID      string          `json:"task_id"`
	UserID      string          `json:"user_id"`
	Timestamp   time.Time       `json:"timestamp"`
	ListID      string          `json:"list_id"`
	ListVersion int64           `json:"list_version"`
	Actor       json.RawMessage `json:"actor"`
	Payload     json.RawMessage `json:"payload"`
	// TaskVersion is the version of the task in the payload, from 1.
	TaskVersion int64 `json:"-"`
}

// DecodeRecord reads an event of [TopicTasks] and its trace context.
func DecodeRecord(b []byte) (Record, string, error) {
	d, err := decode[Record](b)
	if err != nil {
		return Record{}, "", err
	}
	r := d.Data
	if err := requireHeader(r.EventID, r.TaskID, r.ListID, r.ListVersion); err != nil {
		return Record{}, "", fmt.Errorf("decode event %q: %w", d.ID, err)
	}
	if !isObject(r.Payload) || !isObject(r.Actor) {
		return Record{}, "", fmt.Errorf("decode event %q: payload or actor is not an object", d.ID)
	}
	var p struct {
		Task struct {
			Version int64 `json:"version"`
		} `json:"task"`
	}
	if err := json.Unmarshal(r.Payload, &p); err != nil {
		return Record{}, "", fmt.Errorf("decode payload of event %q: %w", d.ID, err)
	}
	if r.TaskVersion = p.Task.Version; r.TaskVersion < 1 {
		return Record{}, "", fmt.Errorf("decode event %q: %w", d.ID, missingError("payload.task.version"))
	}
	return r, d.TraceParent, nil
}
