package backend

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/docket-tasks/docket/event"
	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/task"
)

// record is what is stored at task/<id>: the task as the API shows it, byte for byte, and what only the
// backend needs to know of it.
type record struct {
	List string `json:"list"`
	// Segment is the number of the list's segment that holds the id.
	Segment   int       `json:"segment"`
	Reminders reminders `json:"reminders,omitzero"`
	// CompletedVersion is the task version of the completion in force: the successor is made for it alone.
	CompletedVersion int64 `json:"completed_version,omitempty"`
	// Anew is the task version of the completion that the successor has its id from; 0 where it has the one that every
	// task's first successor has.
	Anew int64 `json:"anew,omitempty"`
	// Made is the task version at which recurrence made this occurrence: still at it means nobody changed it.
	Made int64 `json:"made,omitempty"`
	// Withdrawn marks a deleted occurrence that the next completion of its predecessor brings back, because reopening that
	// deleted it, or because it was deleted before that was completed again.
	Withdrawn bool `json:"withdrawn,omitempty"`
	// Previous and DeletedAt are the state to restore a deleted task to, and since when it is deleted.
	Previous  task.Status `json:"previous,omitempty"`
	DeletedAt *time.Time  `json:"deleted_at,omitempty"`
	// Request is the hash of the request that created the task with an Idempotency-Key.
	Request string `json:"request,omitempty"`
	// Purged marks the stub that stays when a deleted task is gone for good, so that its id is never used again.
	Purged bool `json:"purged,omitempty"`
	// Doc is the task's JSON; nil in a stub.
	Doc json.RawMessage `json:"task"`

	task task.Task // decoded from Doc
}

// reminders says how a task's reminders came to be.
type reminders struct {
	// Scheduled is the task version that scheduled the jobs in force; 0 where there are none.
	Scheduled int64 `json:"scheduled,omitempty"`
	// At is when they were last scheduled, or the due date was set.
	At time.Time `json:"at,omitzero"`
	// OwnerVersion is the version of the list's owner in whose zone they were.
	OwnerVersion int64 `json:"owner_version,omitempty"`
	// DueSet is the task version that set the due date.
	DueSet int64 `json:"due_set,omitempty"`
}

// decodeRecord reads a stored record; the zero Item is nil.
//
// A list is read as a whole when it is first asked for, so a record in the form that encode gives it is cut at its
// document, which then is looked at once; encoding/json, which reads it three times, is for any other.
func decodeRecord(it host.Item) (*record, error) {
	if !it.Exists() {
		return nil, nil
	}
	if r, ok := ownRecord(it.Value); ok {
		return r, nil
	}
	r := new(record)
	if err := json.Unmarshal(it.Value, r); err != nil {
		return nil, fmt.Errorf("decode %s: %w", it.Key, err)
	}
	if r.Purged {
		return r, nil
	}
	t, err := task.Decode(r.Doc)
	if err != nil {
		return nil, fmt.Errorf("decode %s: %w", it.Key, err)
	}
	r.task = t
	return r, nil
}

// ownRecord reads a record that ends with its document. What is before the document and the document itself are only
// taken if each is whole without the other: then the cut was between them.
func ownRecord(value []byte) (*record, bool) {
	before, doc, found := bytes.Cut(value, []byte(`,"task":`))
	doc, closed := bytes.CutSuffix(doc, []byte("}"))
	if !found || !closed || len(before) < 2 || !bytes.HasPrefix(doc, []byte("{")) || !bytes.HasSuffix(doc, []byte("}")) { // space around it is not ours
		return nil, false
	}
	r := new(record)
	if json.Unmarshal(append(before[:len(before):len(before)], '}'), r) != nil || r.Purged {
		return nil, false
	}
	t, err := task.Decode(doc)
	if err != nil {
		return nil, false
	}
	r.Doc, r.task = bytes.Clone(doc), t
	return r, true
}

// recordSize is what a record needs beside its document, so that the buffer is seldom grown.
const recordSize = 384

// encode renders the record around its document, which was encoded before and needs no second look. Every change is written in
// this way, so the other members are appended as well, in the order of the struct; a test holds the bytes to those of
// encoding/json.
func (r *record) encode() ([]byte, error) {
	b := make([]byte, 0, recordSize+len(r.Doc))
	b = event.AppendString(append(b, `{"list":`...), r.List)
	b = strconv.AppendInt(append(b, `,"segment":`...), int64(r.Segment), 10)
	b, err := r.Reminders.append(b)
	b = count(b, `,"completed_version":`, r.CompletedVersion)
	b = count(b, `,"anew":`, r.Anew)
	b = count(b, `,"made":`, r.Made)
	if r.Withdrawn {
		b = append(b, `,"withdrawn":true`...)
	}
	if r.Previous != "" {
		b = event.AppendString(append(b, `,"previous":`...), string(r.Previous))
	}
	if r.DeletedAt != nil {
		var err2 error
		b, err2 = timestamp(b, `,"deleted_at":"`, *r.DeletedAt)
		err = errors.Join(err, err2)
	}
	if r.Request != "" {
		b = event.AppendString(append(b, `,"request":`...), r.Request)
	}
	if r.Purged {
		b = append(b, `,"purged":true`...)
	}
	if err != nil {
		return nil, fmt.Errorf("encode task %s: %w", r.task.ID, err)
	}
	if r.Doc != nil {
		b = append(append(b, `,"task":`...), r.Doc...)
	}
	return append(b, '}'), nil
}

// append adds the reminders to a record, or nothing where there never were any.
func (m reminders) append(b []byte) (_ []byte, err error) {
	if m == (reminders{}) {
		return b, nil
	}
	b = append(b, `,"reminders":{`...)
	from := len(b)
	b = count(b, `,"scheduled":`, m.Scheduled)
	if !m.At.IsZero() {
		b, err = timestamp(b, `,"at":"`, m.At)
	}
	b = count(b, `,"owner_version":`, m.OwnerVersion)
	b = count(b, `,"due_set":`, m.DueSet)
	if len(b) > from {
		b = slices.Delete(b, from, from+1) // the first comma
	}
	return append(b, '}'), err
}

// count appends a member that is left out where it is 0.
func count(b []byte, name string, n int64) []byte {
	if n == 0 {
		return b
	}
	return strconv.AppendInt(append(b, name...), n, 10)
}

// timestamp appends a time; name ends with the quote before it.
func timestamp(b []byte, name string, at time.Time) ([]byte, error) {
	b, err := at.AppendText(append(b, name...))
	return append(b, '"'), err
}

// with returns a copy of the record that holds t.
func (r record) with(t task.Task) *record {
	r.task = t
	r.Doc = task.Encode(t)
	return &r
}

// The key space of the backend. A list's keys share its id, so that one list never contends with another.
func taskKey(id string) string             { return TaskPrefix + id }
func headKey(list string) string           { return HeadPrefix + list }
func segmentKey(list string, n int) string { return fmt.Sprintf("list/%s/%d", list, n) }
func logKey(list string, block int64) string {
	return fmt.Sprintf("list/%s/log/%d", list, block)
}
func reminderKey(task, at string) string { return "reminder/" + task + "/" + at }

// Hot tells whether the key is that of a list's head, which nearly every transaction replaces: see the package comment of host.
func Hot(key string) bool {
	list, ok := strings.CutPrefix(key, HeadPrefix)
	return ok && !strings.Contains(list, "/")
}

// TaskPrefix and HeadPrefix begin the keys of tasks and of lists' heads, for tools that read the data as a whole.
const (
	TaskPrefix = "task/"
	HeadPrefix = "list/"
)

// StoredTask is what such a tool can know of a task.
type StoredTask struct {
	ID, List string
	// Doc is the task's JSON; nil where it was purged.
	Doc json.RawMessage
}

// ReadTask reads the value at a key that begins with [TaskPrefix].
func ReadTask(key string, value []byte) (StoredTask, error) {
	r, err := decodeRecord(host.Item{Key: key, Value: value, ETag: "stored"})
	if err != nil {
		return StoredTask{}, err
	}
	t := StoredTask{ID: strings.TrimPrefix(key, TaskPrefix), List: r.List}
	if !r.Purged {
		t.Doc = r.Doc
	}
	return t, nil
}

// StoredList is what it can know of a list.
type StoredList struct {
	ID      string
	Version int64
	// Closed says that the account it belonged to was deleted, and Erased that no task is left of it.
	Closed, Erased bool
}

// ReadHead reads the value at a key that begins with [HeadPrefix]. ok is false for the list's other rows.
func ReadHead(key string, value []byte) (l StoredList, ok bool, err error) {
	if !Hot(key) {
		return StoredList{}, false, nil
	}
	l.ID = strings.TrimPrefix(key, HeadPrefix)
	h, err := decodeHead(host.Item{Key: key, Value: value, ETag: "stored"})
	l.Version, l.Closed, l.Erased = h.Version, h.closed, h.closed && h.Segments == 0
	return l, err == nil, err
}
