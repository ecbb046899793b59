package event_test

import (
	"testing"

	"github.com/docket-tasks/docket/event"
)

// TypeOf finds the type wherever it stands, and says so where there is none.
func TestTypeOf(t *testing.T) {
	for in, want := range map[string]event.Type{
		`{"specversion":"1.0","type":"task.created","data":{"type":"other"}}`: event.TaskCreated,
		`{"data":{"type":"other"},"type":"task.completed"}`:                   event.TaskCompleted,
		`{"specversion":"1.0","id":"a","type":"task.updated","data":{}}`:      event.TaskUpdated,
		`{"specversion":"1.0","id":"a\",\"type\":\"b","type":"task.deleted"}`: event.TaskDeleted,
		`{"specversion":"1.0","id":"a","type":"task\u002ecreated"}`:           event.TaskCreated,
		`{"data":{"type":"other"}}`:                                           "",
		`{"type":7}`:                                                          "",
		`["type"]`:                                                            "",
		`{"type"`:                                                             "",
	} {
		got, err := event.TypeOf([]byte(in))
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v", in, got, err)
		}
	}
}
