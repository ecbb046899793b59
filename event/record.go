package event

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
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
//
// Every change is read once in this way, so an event in just the form that [TaskEvent.Encode] gives it is read in one
// pass; encoding/json, which takes several times as long, reads any other.
func DecodeRecord(b []byte) (Record, string, error) {
	if r, trace, ok := ownRecord(b); ok {
		return r, trace, nil
	}
	return anyRecord(b)
}

func anyRecord(b []byte) (Record, string, error) {
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

// ownRecord reads an event as [TaskEvent.Encode] writes it, as long as nothing is missing in it; ok is false for any
// other.
func ownRecord(b []byte) (r Record, trace string, ok bool) {
	in := ownReader{rest: b}
	in.text(`{"specversion":"1.0","id":`)
	in.text(`,"type":`)
	in.text(`,"source":`)
	in.text(`,"subject":`)
	in.text(`,"time":`)
	in.skip(`,"datacontenttype":"application/json"`)
	if in.next(`,"traceparent":`) {
		trace = in.text("")
	}
	r.EventID = in.text(`,"data":{"event_id":`)
	r.EventType = Type(in.text(`,"event_type":`))
	r.TaskID = in.text(`,"task_id":`)
	r.UserID = in.text(`,"user_id":`)
	r.Timestamp = in.time(`,"timestamp":`)
	r.ListID = in.text(`,"list_id":`)
	r.ListVersion = in.integer(`,"list_version":`)
	in.skip(`,"actor":`)
	// A quote inside a string has a backslash before it, so this separates two members wherever it occurs.
	actor, payload, cut := bytes.Cut(in.rest, []byte(`,"payload":`))
	payload, closed := bytes.CutSuffix(payload, []byte("}}"))
	r.Actor, r.Payload = actor, payload
	if in.failed || !cut || !closed || !isObject(r.Actor) || !json.Valid(r.Actor) {
		return Record{}, "", false
	}
	if r.TaskVersion, ok = ownTaskVersion(r.Payload); !ok || requireHeader(r.EventID, r.TaskID, r.ListID, r.ListVersion) != nil {
		return Record{}, "", false
	}
	return r, trace, true
}

// ownTaskVersion reads the version of the task in a payload whose last member is the task, whose last member is the
// version. ok is false for any other, and for what is no JSON.
func ownTaskVersion(payload []byte) (version int64, ok bool) {
	const task, number = `"task":`, `,"version":`
	from := 1
	if !bytes.HasPrefix(payload, []byte("{"+task+"{")) { // that of a creation begins with its task, and need not be searched
		from = bytes.LastIndex(payload, []byte(task+"{"))
	}
	at := bytes.LastIndexByte(payload, ',')
	if from < 0 || at < from {
		return 0, false
	}
	in := ownReader{rest: payload[at:]}
	version = in.integer(number)
	if in.failed || version < 1 || string(in.rest) != "}}" {
		return 0, false
	}
	doc := payload[from+len(task) : len(payload)-1]
	around := append(slices.Clip(payload[:from]), task+"0}"...) // the payload with another task
	return version, json.Valid(doc) && json.Valid(around)
}

// ownReader is the opposite of what append.go does: each method reads what comes before the value, name and colon
// included, and the value. Once something is not as expected it has failed, and what it returns means nothing.
type ownReader struct {
	rest   []byte
	failed bool
}

// next tells whether s comes next, and steps over it if so.
func (r *ownReader) next(s string) bool {
	rest, ok := bytes.CutPrefix(r.rest, []byte(s))
	if ok {
		r.rest = rest
	}
	return ok
}

// skip steps over s, which must come next.
func (r *ownReader) skip(s string) {
	if !r.next(s) {
		r.failed = true
	}
}

// text reads a string of printable ASCII without escapes.
func (r *ownReader) text(key string) string {
	r.skip(key)
	r.skip(`"`)
	for i, c := range r.rest {
		switch {
		case c == '"':
			s := string(r.rest[:i])
			r.rest = r.rest[i+1:]
			return s
		case c < ' ' || c > '~' || c == '\\':
			r.failed = true
			return ""
		}
	}
	r.failed = true
	return ""
}

func (r *ownReader) integer(key string) int64 {
	r.skip(key)
	n := 0
	for n < len(r.rest) && r.rest[n] >= '0' && r.rest[n] <= '9' {
		n++
	}
	v, err := strconv.ParseInt(string(r.rest[:n]), 10, 64)
	if err != nil || n > 1 && r.rest[0] == '0' { // no JSON number begins with a 0 that means nothing
		r.failed = true
	}
	r.rest = r.rest[n:]
	return v
}

func (r *ownReader) time(key string) time.Time {
	t, err := time.Parse(time.RFC3339, r.text(key))
	if err != nil {
		r.failed = true
	}
	return t
}
