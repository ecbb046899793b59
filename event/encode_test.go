package event_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/docket-tasks/docket/event"
	"github.com/docket-tasks/docket/event/eventtest"
)

// Appending by hand gives the bytes of encoding/json, whatever is in the strings. The times drawn have no trailing
// zero in their milliseconds, which encoding/json would cut off.
func TestEncodeEqualsEncodingJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", "a", `"`, `\`, "<&>", "\u2028\u2029", "\xff", "\x00", "\x7f", "Zoë"}))
		moment := func(name string) time.Time {
			return time.UnixMilli(rapid.Int64Range(0, 25e9).Draw(t, name)*10 + 7).UTC()
		}
		task, err := json.Marshal(map[string]string{"title": text.Draw(t, "title")})
		if err != nil {
			t.Fatal(err)
		}
		e := &event.TaskEvent{
			EventID: text.Draw(t, "event_id"), EventType: event.Type(text.Draw(t, "type")), TaskID: text.Draw(t, "task_id"),
			UserID: text.Draw(t, "user_id"), Timestamp: moment("timestamp"), ListID: text.Draw(t, "list_id"), ListVersion: rapid.Int64().Draw(t, "version"),
			Actor:   event.Actor{Kind: text.Draw(t, "kind"), ID: text.Draw(t, "id"), Name: text.Draw(t, "name")},
			Payload: event.Payload{TaskID: text.Draw(t, "payload.task_id"), Task: task},
		}
		for range rapid.IntRange(0, 3).Draw(t, "changes") {
			if e.Payload.Changes == nil {
				e.Payload.Changes = map[string]event.Change{}
			}
			e.Payload.Changes[text.Draw(t, "field")] = event.Change{Old: text.Draw(t, "old"), New: rapid.Int().Draw(t, "new")}
		}
		if rapid.Bool().Draw(t, "done") {
			done, pattern := moment("completed_at"), text.Draw(t, "pattern")
			e.Payload.CompletedAt, e.Payload.RecurrencePattern = &done, &event.Nullable{Value: &pattern}
			e.Payload.DeletedAt = &done
		}
		u := &event.TaskUpdate{EventID: e.EventID, Action: text.Draw(t, "action"), TaskID: e.TaskID, Task: task, UserID: e.UserID,
			ListID: e.ListID, ListVersion: e.ListVersion, Timestamp: e.Timestamp}
		r := &event.Reminder{NotificationID: e.EventID, ReminderID: text.Draw(t, "reminder"), TaskID: e.TaskID, UserID: e.UserID,
			Message: text.Draw(t, "message"), Title: text.Draw(t, "title"), Channel: text.Draw(t, "channel"), ScheduledTime: moment("scheduled"), Timestamp: e.Timestamp}
		source, trace := text.Draw(t, "source"), text.Draw(t, "trace")
		for typ, data := range map[string]interface {
			Encode(source, trace string) ([]byte, error)
		}{string(e.EventType): e, "task.update": u, "reminder.due": r} {
			raw, err := json.Marshal(data)
			if err != nil {
				t.Fatal(err)
			}
			want, err := json.Marshal(event.Envelope{SpecVersion: "1.0", ID: e.EventID, Type: typ, Source: source, Subject: e.TaskID,
				Time: e.Timestamp, DataContentType: "application/json", TraceParent: trace, Data: raw})
			if err != nil {
				t.Fatal(err)
			}
			got, err := data.Encode(source, trace)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Fatalf("%T (-encoding/json +got):\n%s", data, diff)
			}
		}
	})
}

// Times are written in UTC and cut, not rounded, whatever zone and precision they came with.
func TestEncodeWritesUTCMilliseconds(t *testing.T) {
	e := taskEvent(event.TaskCreated, 1, event.Payload{Task: taskJSON("1")})
	e.Timestamp = time.Date(2026, 3, 31, 1, 0, 0, 999_999_999, time.FixedZone("", 2*60*60))
	b, err := e.Encode("backend", "")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"time":"2026-03-30T23:00:00.999Z"`, `"timestamp":"2026-03-30T23:00:00.999Z"`} {
		if !bytes.Contains(b, []byte(want)) {
			t.Errorf("%s lacks %s", b, want)
		}
	}
}

func TestEncodeRefuses(t *testing.T) {
	far := time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)
	valid := func() *event.TaskEvent { return taskEvent(event.TaskCreated, 1, event.Payload{Task: taskJSON("1")}) }
	noTask, late, lateEnd, func_ := valid(), valid(), valid(), valid()
	noTask.Payload.Task = nil
	late.Timestamp = far
	lateEnd.Payload.DeletedAt = &far
	func_.Payload.Changes = map[string]event.Change{"title": {Old: func() {}}}
	for name, e := range map[string]interface {
		Encode(source, trace string) ([]byte, error)
	}{
		"no task": noTask, "year 10000": late, "deleted in the year 10000": lateEnd, "a change that is no JSON": func_,
		"update with a string": &event.TaskUpdate{Task: json.RawMessage(`"task"`)},
		"late update":          &event.TaskUpdate{Timestamp: far},
		"late reminder":        &event.Reminder{Timestamp: far},
		"late schedule":        &event.Reminder{ScheduledTime: far},
	} {
		if b, err := e.Encode("backend", ""); err == nil {
			t.Errorf("%s: encoded as %s", name, b)
		}
	}
}

// Decoders refuse what lacks what every consumer builds on, and say what.
func TestDecodeRefuses(t *testing.T) {
	tasks, updates, reminders := string(golden(t, "task.created.v1")), string(golden(t, "task.update.v1")), string(golden(t, "reminder.due.v1"))
	for _, c := range []struct{ topic, from, old, new, want string }{
		{event.TopicTasks, tasks, `"specversion":"1.0"`, `"specversion":"2.0"`, `specversion "2.0"`},
		{event.TopicTasks, tasks, tasks, `[]`, "decode event"},
		{event.TopicTasks, tasks, tasks, `{"specversion":"1.0"}`, "event_id is missing"},
		{event.TopicTasks, tasks, `"task_id":`, `"x":`, "task_id is missing"},
		{event.TopicTasks, tasks, `"list_id":`, `"x":`, "list_id is missing"},
		{event.TopicTasks, tasks, `"list_version":1`, `"list_version":0`, "list_version is missing"},
		{event.TopicTasks, tasks, `"payload":{"task":`, `"payload":{"x":`, "payload.task is missing"},
		{event.TopicTasks, tasks, `"timestamp":"2026`, `"timestamp":"year`, "decode event"},
		{event.TopicUpdates, updates, updates, `{`, "decode event"},
		{event.TopicUpdates, updates, `"list_version":2`, `"list_version":-2`, "list_version is missing"},
		{event.TopicReminders, reminders, reminders, `null`, "specversion"},
		{event.TopicReminders, reminders, `"user_id":`, `"x":`, "user_id is missing"},
		{event.TopicReminders, reminders, `"reminder_id":`, `"x":`, "reminder_id is missing"},
	} {
		b := strings.Replace(c.from, c.old, c.new, 1)
		if b == c.from {
			t.Fatalf("%s is not in %s", c.old, c.from)
		}
		if _, err := reencode(c.topic, []byte(b)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s on %s: %v, want %q", c.new, c.topic, err, c.want)
		}
	}
	for old, new := range map[string]string{
		`"payload":{"task"`: `"payload":{"x"`, `"version":1}`: `"version":0}`, `"actor":{`: `"x":{`,
		`"version":1}}}}`: `"version":"1"}}}}`,
	} {
		if r, _, err := event.DecodeRecord([]byte(strings.Replace(tasks, old, new, 1))); err == nil {
			t.Errorf("a record with %s: %+v", new, r)
		}
	}
}

// Whatever arrives, decoding neither panics nor accepts what lacks its identity, and what it accepts it can encode
// and read again unchanged.
func FuzzDecode(f *testing.F) {
	for name, e := range examples() {
		b, err := e.Encode("backend", trace)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(topicOf(name), b)
	}
	f.Fuzz(func(t *testing.T, topic string, b []byte) {
		_, _, _ = event.DecodeRecord(b)
		once, err := reencode(topic, b)
		if err != nil {
			return
		}
		twice, err := reencode(topic, once)
		if err != nil {
			t.Fatalf("encoded as %s, which cannot be read: %v", once, err)
		}
		if !bytes.Equal(once, twice) {
			t.Fatalf("not stable:\n%s\n%s", once, twice)
		}
	})
}

// What no producer may send.
//
// [Task]: T025
func TestSchemasRefuse(t *testing.T) {
	for _, c := range []struct{ name, old, new string }{
		{"task.created.v1", `"specversion":"1.0"`, `"specversion":"1.1"`},
		{"task.created.v1", `{"specversion"`, `{"extra":1,"specversion"`},
		{"task.created.v1", `"datacontenttype":"application/json",`, ``},
		{"task.created.v1", `"traceparent":"00-`, `"traceparent":"ff-`},
		{"task.created.v1", `"type":"task.created"`, `"type":"task.updated"`},
		{"task.created.v1", `"type":"task.created"`, `"type":"task.shared"`},
		{"task.created.v1", `"user_id":"` + userID + `",`, ``},
		{"task.created.v1", `"list_version":1`, `"list_version":0`},
		{"task.created.v1", `"list_version":1`, `"list_version":1.5`},
		{"task.created.v1", `"list_id":"`, `"list_id":"a/`},
		{"task.created.v1", `"kind":"user"`, `"kind":"admin"`},
		{"task.created.v1", `"payload":{`, `"payload":{"task_id":"` + taskID + `",`},
		{"task.created.v1", `"version":1`, `"version":2`},
		{"task.created.v1", `"status":"pending"`, `"status":"completed"`},
		{"task.created.v1", `"subject":"018f2c5e-6a00`, `"subject":"018f2c5e-6a01`},
		{"task.created.v1", `"time":"2026`, `"time":"2025`},
		{"task.created.v1", `"id":"018f2c5e-7d10`, `"id":"018f2c5e-7d11`},
		{"task.created.v1", `"task":{"id":"018f2c5e-6a00`, `"task":{"id":"018f2c5e-6a01`},
		{"task.created.v1", `"tags":["home","Blumen"]`, `"tags":null`},
		{"task.created.v1", `"tags":["home","Blumen"]`, `"tags":["home","home"]`},
		{"task.created.v1", `"due_date":"2026-03-31T09:00:00+02:00"`, `"due_date":"tomorrow"`},
		{"task.created.v1", `"created_at":"2026-03-30T18:00:00.000Z"`, `"created_at":"2026-03-30T18:00:00Z"`},
		{"task.created.v1", `"created_at":"2026-03-30T18`, `"created_at":"2026-02-30T18`},
		{"task.created.v1", `"recurrence_pattern":"weekly"`, `"recurrence_pattern":"hourly"`},
		{"task.created.v1", `"reminder_minutes":[1440,30]`, `"reminder_minutes":[40321]`},
		{"task.updated.v1", `"changes":{`, `"changes":{"version":{"old":1,"new":2},`},
		{"task.updated.v1", `"old":"Water"`, `"was":"Water"`},
		{"task.updated.v1", `"old":"Water"`, `"old":7`},
		{"task.completed.v1", `"recurrence_pattern":"weekly","task":`, `"task":`},
		{"task.completed.v1", `"completed_at":"2026-03-31T07:12:45.120Z","rec`, `"rec`},
		{"task.reopened.v1", `"payload":{`, `"payload":{"deleted_at":"2026-03-31T07:12:45.120Z",`},
		{"task.deleted.v1", `"deleted_at"`, `"removed_at"`},
		{"task.deleted.v1", `"status":"deleted"`, `"status":"pending"`},
		{"task.restored.v1", `"payload":{"task_id":"` + taskID + `",`, `"payload":{`},
		{"task.update.v1", `"task":{"id"`, `"task":null,"x":{"id"`},
		{"task.update.v1", `"action":"updated"`, `"action":"deleted"`},
		{"task.update.v1", `"action":"updated"`, `"action":"task.updated"`},
		{"task.update.deleted.v1", `"action":"deleted"`, `"action":"updated"`},
		{"reminder.due.v1", `"channel":"in_app"`, `"channel":"email"`},
		{"reminder.due.v1", `"reminder_id":"`, `"reminder_id":"r-`},
		{"reminder.due.v1", `"message":"`, `"text":"`},
	} {
		b := string(golden(t, c.name))
		bad := strings.Replace(b, c.old, c.new, 1)
		if bad == b {
			t.Errorf("%s lacks %s", c.name, c.old)
		} else if eventtest.Validate(topicOf(c.name), []byte(bad)) == nil {
			t.Errorf("%s with %s is valid", c.name, c.new)
		}
	}
	if eventtest.Validate(event.TopicUpdates, golden(t, "task.created.v1")) == nil {
		t.Error("a task event is valid on the topic of updates")
	}
}

func BenchmarkEncode(b *testing.B) {
	e := taskEvent(event.TaskCreated, 1, event.Payload{Task: taskJSON("1")})
	e.Actor.Name = "Ada"
	for b.Loop() {
		if _, err := e.Encode("backend", trace); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeRecord(b *testing.B) {
	raw, err := taskEvent(event.TaskCreated, 1, event.Payload{Task: taskJSON("1")}).Encode("backend", trace)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, _, err := event.DecodeRecord(raw); err != nil {
			b.Fatal(err)
		}
	}
}
