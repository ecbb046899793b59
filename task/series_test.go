package task

import "testing"
import "time"

func due(t testing.TB, s string) Due {
	t.Helper()
	d, err := ParseDue(s)
	if err != nil {
		t.Fatalf("ParseDue(%q): %v", s, err)
	}
	return d
}

// begun returns a task that starts a series.
func begun(t testing.TB, pattern, start string, zone *time.Location) Task {
	t.Helper()
	task := Task{ID: "first", RecurrencePattern: &pattern, DueDate: due(t, start)}
	if err := Begin(&task, Env{Zone: zone}); err != nil {
		t.Fatalf("Begin(%s from %s): %v", pattern, start, err)
	}
	return task
}
