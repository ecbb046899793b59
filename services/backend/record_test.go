package backend

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/task"
)

// FuzzRecord: whatever is stored is read as encoding/json reads it, which a space at its end makes sure of.
func FuzzRecord(f *testing.F) {
	at := task.At(time.Unix(1.7e9, 0))
	r := (&record{List: "l", Segment: 3, CompletedVersion: 4, Request: "hash"}).with(task.Task{
		ID: "01990f6e-7c1a-7bbb-8000-000000000001", Title: `a "}}` + "\u2028" + `,"task":{}`, Description: `,"task":`, Status: task.Pending,
		Priority: task.High, Tags: []string{`,"task":`}, Version: 1, CreatedAt: at, UpdatedAt: at,
	})
	value, err := r.encode()
	if err != nil {
		f.Fatal(err)
	}
	if _, ok := ownRecord(value); !ok {
		f.Fatalf("the form that encode gives is not known: %s", value)
	}
	f.Add(value)
	for _, other := range []string{
		`{"list":"l","segment":1,"purged":true}`, `{"list":"l","task":null}`, `{"task":{"title":"x"},"list":"l","segment":2}`,
		`{"list":",\"task\":{}","segment":2}`, `{"list":"l","task":{},"task":{"title":"y"}}`, `{"reminders":{"a":1,"task":{}}}`, `{"list":"l","task":{}} `, "{\"list\":\"l\",\"task\":{}\r}", `{"list":"l","task": {}}`, `[]`, ``,
	} {
		f.Add([]byte(other))
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		item := func(v []byte) host.Item { return host.Item{Key: "task/x", Value: v, ETag: "1"} }
		got, err := decodeRecord(item(value))
		want, wantErr := decodeRecord(item(append(value[:len(value):len(value)], ' ')))
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("read with %v, want %v", err, wantErr)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(record{}, task.Due{})); err == nil && diff != "" {
			t.Errorf("want -, got +\n%s", diff)
		}
	})
}

// A record is appended member by member; it must be what encoding/json would make of it.
func TestEncodeRecord(t *testing.T) {
	at := time.Date(2026, 3, 31, 9, 0, 0, 120e6, time.UTC)
	doc := json.RawMessage(`{"title":"x"}`)
	for name, r := range map[string]record{
		"least":         {},
		"new":           {List: "l", Segment: 12, Doc: doc},
		"odd text":      {List: "<\u00e4\"\\\n>", Request: "\u2028", Previous: "\x7f", Doc: doc},
		"reminders":     {List: "l", Reminders: reminders{Scheduled: 1, At: at, OwnerVersion: 2, DueSet: 3}, Doc: doc},
		"due date only": {List: "l", Reminders: reminders{At: at.In(time.FixedZone("", -12600)), DueSet: 3}, Doc: doc},
		"no reminders":  {List: "l", Reminders: reminders{At: time.Time{}.In(time.FixedZone("", 3600))}, Doc: doc},
		"all":           {List: "l", Segment: 1, CompletedVersion: 4, Anew: 4, Made: 5, Withdrawn: true, Previous: task.Pending, DeletedAt: &at, Request: "h", Doc: doc},
		"stub":          {List: "l", Purged: true, Request: "h"},
	} {
		t.Run(name, func(t *testing.T) {
			want, err := json.Marshal(struct {
				*record
				Doc json.RawMessage `json:"task,omitempty"` // instead of the record's, which is not left out
			}{&r, r.Doc})
			if err != nil {
				t.Fatal(err)
			}
			got, err := r.encode()
			if diff := cmp.Diff(string(want), string(got)); err != nil || diff != "" {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
	late := time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, r := range []record{{DeletedAt: &late}, {Reminders: reminders{At: late}}} {
		if b, err := r.encode(); err == nil {
			t.Errorf("a year of five digits is written: %s", b)
		}
	}
}

func TestEncodeReminderJob(t *testing.T) {
	at := time.Date(2026, 3, 31, 9, 0, 0, 0, time.FixedZone("", 3600))
	for _, d := range []reminderJob{
		{Task: "t", List: "l", At: at, Minutes: 30}, {Task: "t", List: "\"", At: at.UTC(), DueSet: 2},
		{Task: "t", List: "l", At: at.Add(time.Millisecond), Snooze: true}, {At: at},
	} {
		want, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		job := d.schedule("name")
		if diff := cmp.Diff(string(want), string(job.Data)); diff != "" || job.Name != "name" || !job.Due.Equal(d.At) {
			t.Errorf("%+v (-want +got):\n%s", job, diff)
		}
	}
}

func BenchmarkEncodeRecord(b *testing.B) {
	r := (&record{List: "01990f6e-7c1a-7bbb-8000-000000000002", Segment: 3, Reminders: reminders{Scheduled: 1, At: time.Unix(1.7e9, 0).UTC(), OwnerVersion: 1, DueSet: 1}}).
		with(task.Task{ID: "01990f6e-7c1a-7bbb-8000-000000000001", Title: "Call the plumber", Status: task.Pending, Version: 1})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.encode(); err != nil {
			b.Fatal(err)
		}
	}
}
