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
