package backend

import (
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
		`{"list":",\"task\":{}","segment":2}`, `{"list":"l","task":{},"task":{"title":"y"}}`, `{"reminders":{"a":1,"task":{}}}`, `{"list":"l","task":{}} `, `[]`, ``,
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
