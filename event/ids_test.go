package event_test

import (
	"testing"

	"github.com/docket-tasks/docket/event"
)

// Derived ids are in stored data and in messages under way: they never change.
func TestDerivedIDsAreStable(t *testing.T) {
	got := map[string]string{
		"successor":    event.SuccessorID(taskID),
		"later":        event.LaterSuccessorID(taskID, 7),
		"keyed task":   event.KeyedTaskID(userID, "key"),
		"keyed filter": event.KeyedFilterID(userID, "key"),
		"reminder":     event.ReminderID(taskID, "2026-03-31T09:00:00Z"),
		"notification": event.NotificationID(taskID, "push"),
		"log":          event.LogID(taskID),
		"update":       event.UpdateID(taskID, 7),
	}
	want := map[string]string{
		"successor":    "5552ffaf-ec16-5fdd-8b3a-60fd18839a35",
		"later":        "faf1d0a3-0ce5-51d4-a3f3-0e2c3c8ecff2",
		"keyed task":   "ca84c2c1-7c10-5789-88d4-d157f29e8f86",
		"keyed filter": "c1319128-4e25-5583-9bf5-d94fbd8c1473",
		"reminder":     "83f7d7f0-c976-5148-9813-9f9d2e935ac6",
		"notification": "61066339-42b7-57bf-a8cc-86efeb0bcb1e",
		"log":          "98199020-3aa0-5b1b-8313-267ad6a88ea5",
		"update":       "a6aa5a83-0302-502b-88a9-4125ae644389",
	}
	for name, id := range got {
		if id != want[name] {
			t.Errorf("%s is %s, want %s", name, id, want[name])
		}
	}
	if event.KeyedTaskID("a", "bc") == event.KeyedTaskID("ab", "c") {
		t.Error("the parts of a name run into each other")
	}
}
