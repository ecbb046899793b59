package cli

import (
	"io"
	"slices"
	"testing"
	"time"

	"github.com/docket-tasks/docket/event"
	"github.com/docket-tasks/docket/task"
)

// ops are the operations of changes.
func ops(group []change) (names []string) {
	for _, c := range group {
		names = append(names, c.Op)
	}
	return names
}

// An import that broke off is completed by repeating it; a task that another file brought whole, or that somebody
// changed since, is left as it is.
func TestImportAgain(t *testing.T) {
	due, err := task.ParseDue("2030-02-28")
	if err != nil {
		t.Fatal(err)
	}
	start, err := task.ParseDue("2030-01-31")
	if err != nil {
		t.Fatal(err)
	}
	rent := wanted{uid: "a", Draft: task.Draft{Title: "Rent", DueDate: due, RecurrencePattern: "monthly", ReminderMinutes: []int{5}}}
	done, moved := rent, rent
	done.completed, moved.start = true, start
	post := wanted{uid: "a", Draft: task.Draft{Title: "Post", ReminderMinutes: []int{}}}
	posted := post
	posted.completed = true
	for name, c := range map[string]struct {
		before, now wanted
		is          state
		want        []string
		differ      int
	}{
		"broke off after the creation":     {done, done, state{task.Pending, 1}, []string{"complete", "update"}, 0},
		"broke off after the completion":   {done, done, state{task.Completed, 2}, []string{"update"}, 0},
		"broke off before the move":        {moved, moved, state{task.Pending, 1}, []string{"update"}, 0},
		"broke off without repetition":     {posted, posted, state{task.Pending, 1}, []string{"complete"}, 0},
		"whole":                            {done, done, state{task.Completed, 3}, nil, 0},
		"was to be done":                   {post, posted, state{task.Pending, 1}, nil, 1},
		"was to be done, and repeats":      {rent, done, state{task.Pending, 1}, nil, 1},
		"was not moved":                    {rent, moved, state{task.Pending, 1}, nil, 0},
		"was done and did not repeat":      {posted, done, state{task.Completed, 2}, nil, 0},
		"was done":                         {posted, post, state{task.Completed, 2}, nil, 1},
		"was changed after it broke off":   {done, done, state{task.Pending, 2}, nil, 1},
		"was reopened":                     {posted, posted, state{task.Pending, 3}, nil, 1},
		"was deleted after it was created": {done, done, state{task.Deleted, 2}, nil, 0},
	} {
		r := importRun{session: &session{screen: &screen{errs: io.Discard}}, user: "me"}
		r.there = map[string]state{event.KeyedTaskID(r.user, c.before.changes(r.user)[0].Key): c.is}
		group, ok := r.plan(c.now)
		if got := ops(group); !slices.Equal(got, c.want) || ok != (c.want != nil) || r.known != 1 || r.differ != c.differ {
			t.Errorf("%s: %v %v, %d differ, want %v, %d differ", name, got, ok, r.differ, c.want, c.differ)
		}
	}
}

// What is wrong with a file is said in its own terms, and where in it.
func TestNoTasks(t *testing.T) {
	for file, want := range map[string]string{
		`{"docket_export":1,"tasks":[1]}`:            "task 1 is no task: {…} with the fields of one is expected in its place",
		`[{"title":"a"},null]`:                       "task 2 is no task: {…} with the fields of one is expected in its place",
		`[{"title":"a"},{"title":2}]`:                "task 2: title: cannot be of the kind number",
		`[{"title":"a","reminder_minutes":[1,"2"]}]`: "task 1: reminder_minutes: cannot be of the kind string",
		`{"docket_export":1,"tasks":2}`:              "is no export of docket: tasks: cannot be of the kind number",
		`{"docket_export":"1","tasks":[]}`:           "is no export of docket: docket_export: cannot be of the kind string",
		`{"tasks":[]}`:                               "is no export of docket: docket_export is missing",
		`{"docket_export":1,"tasks":[`:               "is not valid JSON: unexpected end of JSON input",
	} {
		_, _, err := readImport([]byte(file), time.UTC)
		if err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", file, err, want)
		}
	}
}
