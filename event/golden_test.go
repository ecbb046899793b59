package event_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/docket-tasks/docket/event"
	"github.com/docket-tasks/docket/event/eventtest"
)

var update = flag.Bool("update", false, "write golden files that do not exist yet")

const (
	taskID = "018f2c5e-6a00-7b11-8c22-9d33e44f5566"
	userID = "018f2c00-0000-7000-8000-000000000001"
	trace  = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
)

// taskJSON is the whole task, as package task marshals it, at a version, with fields replaced.
func taskJSON(version string, replace ...string) json.RawMessage {
	s := `{"id":"` + taskID + `","title":"Water \u003cthe\u003e plants","description":"all of them",` +
		`"status":"pending","priority":"medium","due_date":"2026-03-31T09:00:00+02:00","tags":["home","Blumen"],` +
		`"recurrence_pattern":"weekly","recurrence_parent_id":null,"series_start":"2026-03-31T09:00:00",` +
		`"series_zone":"Europe/Berlin","occurrence":"2026-03-31T09:00:00","occurrence_number":1,"reminder_minutes":[1440,30],` +
		`"created_by":"` + userID + `","created_at":"2026-03-30T18:00:00.000Z","updated_at":"2026-03-31T07:12:45.120Z",` +
		`"completed_at":null,"version":` + version + `}`
	return json.RawMessage(strings.NewReplacer(replace...).Replace(s))
}

var (
	at       = time.Date(2026, 3, 31, 7, 12, 45, 120e6, time.UTC)
	weekly   = "weekly"
	complete = []string{`"status":"pending"`, `"status":"completed"`, `"completed_at":null`, `"completed_at":"2026-03-31T07:12:45.120Z"`}
)

// taskEvent returns an example of each type, the n-th event of its list.
func taskEvent(typ event.Type, n int64, p event.Payload) *event.TaskEvent {
	if typ != event.TaskCreated {
		p.TaskID = taskID
	}
	return &event.TaskEvent{
		EventID: "018f2c5e-7d10-7c3a-9a5e-3f1b2c4d5e6" + string(rune('0'+n)), EventType: typ, TaskID: taskID, UserID: userID,
		Timestamp: at, ListID: userID, ListVersion: n, Actor: event.Actor{Kind: "user", ID: userID, Name: "Ada & Zoë"}, Payload: p,
	}
}

// examples has one value for each golden file.
func examples() map[string]interface {
	Encode(source, trace string) ([]byte, error)
} {
	pattern := &event.Nullable{Value: &weekly}
	changes := map[string]event.Change{
		"title":    {Old: "Water", New: "Water <the> plants"},
		"due_date": {Old: nil, New: "2026-03-31T09:00:00+02:00"},
		"tags":     {Old: []string{}, New: []string{"home", "Blumen"}},
	}
	once := []string{`"recurrence_pattern":"weekly"`, `"recurrence_pattern":null`}
	tokenActor := taskEvent(event.TaskCompleted, 7, event.Payload{CompletedAt: &at, Task: taskJSON("3", append(once, complete...)...)})
	tokenActor.Actor = event.Actor{Kind: "token", ID: "018f2c00-0000-7000-8000-0000000000aa", Name: "laptop"}
	return map[string]interface {
		Encode(source, trace string) ([]byte, error)
	}{
		"task.created.v1":        taskEvent(event.TaskCreated, 1, event.Payload{Task: taskJSON("1")}),
		"task.updated.v1":        taskEvent(event.TaskUpdated, 2, event.Payload{Changes: changes, Task: taskJSON("2")}),
		"task.completed.v1":      taskEvent(event.TaskCompleted, 3, event.Payload{CompletedAt: &at, RecurrencePattern: pattern, Task: taskJSON("3", complete...)}),
		"task.completed.once.v1": tokenActor,
		"task.reopened.v1":       taskEvent(event.TaskReopened, 4, event.Payload{Task: taskJSON("4")}),
		"task.deleted.v1":        taskEvent(event.TaskDeleted, 5, event.Payload{DeletedAt: &at, Task: taskJSON("5", `"pending"`, `"deleted"`)}),
		"task.restored.v1":       taskEvent(event.TaskRestored, 6, event.Payload{Task: taskJSON("6")}),
		"task.update.v1": &event.TaskUpdate{EventID: "018f2c5e-7d10-7c3a-9a5e-3f1b2c4d5e61", Action: "updated", TaskID: taskID,
			Task: taskJSON("2"), UserID: userID, ListID: userID, ListVersion: 2, Timestamp: at},
		"task.update.deleted.v1": &event.TaskUpdate{EventID: "018f2c5e-7d10-7c3a-9a5e-3f1b2c4d5e65", Action: "deleted", TaskID: taskID,
			UserID: userID, ListID: userID, ListVersion: 5, Timestamp: at},
		"reminder.due.v1": &event.Reminder{NotificationID: event.NotificationID("r", "in_app"), ReminderID: event.ReminderID(taskID, "30"),
			TaskID: taskID, UserID: userID, Message: "“Water <the> plants” is due at 09:00", Channel: "in_app",
			ScheduledTime: at.Truncate(time.Minute), Timestamp: at},
		"reminder.due.titled.v1": &event.Reminder{NotificationID: event.NotificationID("r", "in_app"), ReminderID: event.ReminderID(taskID, "30"),
			TaskID: taskID, UserID: userID, Message: "Water <the> plants (due 31 March 2026, 09:00)", Title: "Water <the> plants", Channel: "in_app",
			ScheduledTime: at.Truncate(time.Minute), Timestamp: at},
	}
}

func golden(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSuffix(b, []byte("\n"))
}

func topicOf(name string) string {
	switch {
	case strings.HasPrefix(name, "reminder."):
		return event.TopicReminders
	case strings.HasPrefix(name, "task.update."):
		return event.TopicUpdates
	}
	return event.TopicTasks
}

// What is published today is, byte for byte, what the golden files say, and the schemas agree with them.
//
// [Task]: T025
func TestEncodeIsGolden(t *testing.T) {
	for name, e := range examples() {
		got, err := e.Encode("backend", trace)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		file := filepath.Join("testdata", name+".json")
		if _, err := os.Stat(file); os.IsNotExist(err) && *update {
			if err := os.WriteFile(file, append(got, '\n'), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(string(golden(t, name)), string(got)); diff != "" {
			t.Errorf("%s (-golden +encoded):\n%s", name, diff)
		}
		if err := eventtest.Validate(topicOf(name), got); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Every type has a golden file, and every golden file ever written can still be read and gives the same bytes again.
//
// [Task]: T025
func TestGoldenFilesDecode(t *testing.T) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		seen[name] = true
		b := golden(t, name)
		again, err := reencode(topicOf(name), b)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if diff := cmp.Diff(string(b), string(again)); diff != "" {
			t.Errorf("%s (-golden +decoded and encoded):\n%s", name, diff)
		}
	}
	for _, typ := range event.Types {
		if !seen[string(typ)+".v1"] {
			t.Errorf("there is no golden file of %s", typ)
		}
	}
}

// reencode decodes b as a consumer of the topic does and encodes the result.
func reencode(topic string, b []byte) ([]byte, error) {
	switch topic {
	case event.TopicUpdates:
		e, err := event.DecodeTaskUpdate(b)
		if err != nil {
			return nil, err
		}
		return e.Encode("backend", trace)
	case event.TopicReminders:
		e, tp, err := event.DecodeReminder(b)
		if err != nil {
			return nil, err
		}
		return e.Encode("backend", tp)
	}
	e, tp, err := event.DecodeTaskEvent(b)
	if err != nil {
		return nil, err
	}
	return e.Encode("backend", tp)
}

// A consumer of today reads what a producer of tomorrow sends: unknown fields at every level and an unknown type.
func TestConsumersTolerateUnknownFields(t *testing.T) {
	b := string(golden(t, "task.updated.v1"))
	for _, r := range [][2]string{
		{`{"specversion"`, `{"partitionkey":"k","specversion"`},
		{`"data":{`, `"data":{"weather":{"sun":true},`},
		{`"actor":{`, `"actor":{"device":"phone",`},
		{`"payload":{`, `"payload":{"reason":"because",`},
		{`"old":"Water"`, `"old":"Water","by":1`},
		{`"task":{`, `"task":{"colour":"green",`},
		{`"event_type":"task.updated"`, `"event_type":"task.shared"`},
	} {
		if !strings.Contains(b, r[0]) {
			t.Fatalf("the golden file lacks %s", r[0])
		}
		b = strings.Replace(b, r[0], r[1], 1)
	}
	e, _, err := event.DecodeTaskEvent([]byte(b))
	if err != nil {
		t.Fatal(err)
	}
	if e.EventType.Known() || e.ListVersion != 2 || e.Payload.Changes["title"].Old != "Water" {
		t.Errorf("decoded %+v", e)
	}
	r, tp, err := event.DecodeRecord([]byte(b))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(r.Payload), `{"reason":"because",`) || r.TaskVersion != 2 || tp != trace {
		t.Errorf("record %+v, trace %q", r, tp)
	}
	if err := eventtest.Validate(event.TopicTasks, []byte(b)); err == nil {
		t.Error("the schema lets a producer send unknown fields")
	}
}
