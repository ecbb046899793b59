package task

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Tests of how a task comes to be and changes.
//
// [Task]: T024, T036, T059

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func envAt(now time.Time) Env { return Env{Now: now, Zone: time.UTC, Reminders: []int{30}} }

func created(t *testing.T, body string) Task {
	t.Helper()
	d, err := ParseDraft([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	task, err := Create("task-1", "user-1", d, envAt(noon))
	if err != nil {
		t.Fatal(err)
	}
	return task
}

func patched(t *testing.T, task Task, body string, now time.Time) Task {
	t.Helper()
	p, err := ParsePatch([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	next, err := Update(task, p, envAt(now))
	if err != nil {
		t.Fatal(err)
	}
	return next
}

func TestCreateFillsDefaults(t *testing.T) {
	got := string(Encode(created(t, `{"title":" a "}`)))
	want := `{"id":"task-1","title":"a","description":"","status":"pending","priority":"medium","due_date":null,"tags":[],` +
		`"recurrence_pattern":null,"recurrence_parent_id":null,"series_start":null,"series_zone":null,"occurrence":null,` +
		`"occurrence_number":null,"reminder_minutes":[30],"created_by":"user-1","created_at":"2026-03-01T12:00:00.000Z",` +
		`"updated_at":"2026-03-01T12:00:00.000Z","completed_at":null,"version":1}`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestCreateHoldsDraftsMadeByHandToTheRules(t *testing.T) {
	_, err := Create("task-1", "user-1", Draft{Title: "\x00", Tags: []string{"\xff"}, Priority: "x", RecurrencePattern: "daily"}, envAt(noon))
	var invalid Invalid
	if !errors.As(err, &invalid) || len(invalid) != 3 {
		t.Errorf("got %v, want faults of title, priority and tags", err)
	}
	_, err = Create("task-1", "user-1", Draft{Title: "a", RecurrencePattern: "hourly"}, envAt(noon))
	if field, _ := faultOf(t, err); field != "recurrence_pattern" {
		t.Errorf("fault in %s", field)
	}
}

func TestUpdate(t *testing.T) {
	const base = `{"title":"a","description":"d","priority":"high","due_date":"2026-03-31","tags":["X","y"],"reminder_minutes":[60,10]}`
	later := noon.Add(time.Hour)
	for _, c := range []struct {
		name, patch string
		changes     string // old and new, as JSON
	}{
		{"nothing", `{}`, `{}`},
		{"the same values", base, `{}`},
		{"the same after trimming and sorting", `{"title":" a ","reminder_minutes":[10,60,10],"tags":["X","y","x"]}`, `{}`},
		{"title", `{"title":"b"}`, `{"title":{"old":"a","new":"b"}}`},
		{"cleared priority is medium", `{"priority":null}`, `{"priority":{"old":"high","new":"medium"}}`},
		{"cleared description", `{"description":null}`, `{"description":{"old":"d","new":""}}`},
		{"cleared due date", `{"due_date":null}`, `{"due_date":{"old":"2026-03-31","new":null}}`},
		{"same instant in another form is a change", `{"due_date":"2026-04-01T00:00:00"}`,
			`{"due_date":{"old":"2026-03-31","new":"2026-04-01T00:00:00"}}`},
		{"cleared tags", `{"tags":null}`, `{"tags":{"old":["X","y"],"new":[]}}`},
		{"another spelling of a tag", `{"tags":["x","y"]}`, `{"tags":{"old":["X","y"],"new":["x","y"]}}`},
		{"cleared reminders are the user's default", `{"reminder_minutes":null}`, `{"reminder_minutes":{"old":[60,10],"new":[30]}}`},
		{"no reminders", `{"reminder_minutes":[]}`, `{"reminder_minutes":{"old":[60,10],"new":[]}}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := created(t, base)
			kept := string(Encode(before))
			after := patched(t, before, c.patch, later)
			changes := Changes(before, after)
			got, err := json.Marshal(changes)
			if err != nil {
				t.Fatal(err)
			}
			var a, b any
			if err := errors.Join(json.Unmarshal(got, &a), json.Unmarshal([]byte(c.changes), &b)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(b, a); diff != "" {
				t.Error(diff)
			}
			if len(changes) == 0 && !reflect.DeepEqual(after, before) {
				t.Errorf("nothing changed, but %s became %s", kept, Encode(after))
			}
			if len(changes) > 0 && (after.Version != 2 || !after.UpdatedAt.Equal(later)) {
				t.Errorf("version %d, updated %v", after.Version, after.UpdatedAt)
			}
			if now := string(Encode(before)); now != kept {
				t.Errorf("the task before was written to:\n%s\n%s", kept, now)
			}
		})
	}
}

func TestSeriesFollowsThePatternOnly(t *testing.T) {
	task := created(t, `{"title":"a","due_date":"2026-03-31","recurrence_pattern":"monthly"}`)
	if task.SeriesStart == nil || *task.SeriesStart != "2026-03-31" || task.OccurrenceNumber == nil || *task.OccurrenceNumber != 1 {
		t.Fatalf("series not begun: %s", Encode(task))
	}
	parent := "task-0"
	task.RecurrenceParentID = &parent

	moved := patched(t, task, `{"due_date":"2026-04-02","recurrence_pattern":"monthly"}`, noon)
	if names := changeNames(task, moved); !slices.Equal(names, []string{"due_date"}) {
		t.Errorf("moving the due date changed %v", names)
	}
	anew := patched(t, moved, `{"recurrence_pattern":"weekly"}`, noon)
	if anew.RecurrenceParentID != nil || *anew.SeriesStart != "2026-04-02" || *anew.OccurrenceNumber != 1 {
		t.Errorf("another pattern did not begin a new series: %s", Encode(anew))
	}
	if *moved.SeriesStart != "2026-03-31" || *task.RecurrenceParentID != parent {
		t.Error("the task before was written to")
	}
	once := patched(t, anew, `{"recurrence_pattern":null}`, noon)
	if once.RecurrencePattern != nil || once.SeriesStart != nil || once.Occurrence != nil || once.OccurrenceNumber != nil || once.SeriesZone != nil {
		t.Errorf("series fields left: %s", Encode(once))
	}
	if today := created(t, `{"title":"a","recurrence_pattern":"daily"}`); today.DueDate.String() != "2026-03-01" {
		t.Errorf("without a due date it is due %s, want today", today.DueDate)
	}
}

func changeNames(before, after Task) []string {
	var names []string
	for name := range Changes(before, after) {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func TestChangeTags(t *testing.T) {
	for _, c := range []struct {
		body string
		want []string
	}{
		{`{"tags":["c","C","a"]}`, []string{"c", "a"}},
		{`{"tags":[]}`, []string{}},
		{`{"add":["c","A"," d "]}`, []string{"a", "B", "c", "d"}},
		{`{"remove":["b","nope"]}`, []string{"a"}},
		{`{"add":["c"],"remove":["A"]}`, []string{"B", "c"}},
		{`{"add":["ſtraße"]}`, []string{"a", "B", "ſtraße"}},
	} {
		change, err := ParseTagChange([]byte(c.body))
		if err != nil {
			t.Fatal(err)
		}
		before := created(t, `{"title":"x","tags":["a","B"]}`)
		after, err := ChangeTags(before, change, envAt(noon))
		if err != nil || after.Version != 2 {
			t.Fatalf("%s: version %d, %v", c.body, after.Version, err)
		}
		if diff := cmp.Diff(c.want, after.Tags); diff != "" {
			t.Errorf("%s: %s", c.body, diff)
		}
		if diff := cmp.Diff([]string{"a", "B"}, before.Tags); diff != "" {
			t.Errorf("the task before was written to: %s", diff)
		}
		if again, err := ChangeTags(after, change, envAt(noon)); err != nil || again.Version != 2 {
			t.Errorf("%s a second time: version %d, %v", c.body, again.Version, err)
		}
	}
}

func TestTagsStayWithinTheirNumber(t *testing.T) {
	task := created(t, `{"title":"x","tags":[`+manyTags(20)+`]}`)
	_, err := ChangeTags(task, TagChange{Add: []string{"one more"}}, envAt(noon))
	if field, detail := faultOf(t, err); field != "add" || !strings.Contains(detail, "21 tags: it may have 20") {
		t.Errorf("%s: %s", field, detail)
	}
	swapped, err := ChangeTags(task, TagChange{Add: []string{"one more"}, Remove: []string{"TAG0"}}, envAt(noon))
	if err != nil || len(swapped.Tags) != 20 {
		t.Errorf("%v, %v", swapped.Tags, err)
	}
}

// TestLifecycle walks every edge between the states, those that do nothing and those that are refused.
func TestLifecycle(t *testing.T) {
	pending := created(t, `{"title":"x"}`)
	at := noon.Add(time.Minute)
	completed, err := Complete(pending, envAt(at))
	if err != nil || completed.Status != Completed || completed.Version != 2 || !completed.CompletedAt.Equal(at) || !completed.UpdatedAt.Equal(at) {
		t.Fatalf("complete: %s, %v", Encode(completed), err)
	}
	if again, err := Complete(completed, envAt(at.Add(time.Hour))); err != nil || !reflect.DeepEqual(again, completed) {
		t.Errorf("a second completion: %s, %v", Encode(again), err)
	}
	reopened, err := Reopen(completed, envAt(at))
	if err != nil || reopened.Status != Pending || reopened.CompletedAt != nil || reopened.Version != 3 {
		t.Errorf("reopen: %s, %v", Encode(reopened), err)
	}
	if again, err := Reopen(pending, envAt(at)); err != nil || !reflect.DeepEqual(again, pending) {
		t.Errorf("reopening a pending task: %s, %v", Encode(again), err)
	}
	for _, before := range []Task{pending, completed} {
		deleted, err := Delete(before, envAt(at))
		if err != nil || deleted.Status != Deleted || deleted.Version != before.Version+1 {
			t.Fatalf("delete: %s, %v", Encode(deleted), err)
		}
		if again, err := Delete(deleted, envAt(at)); err != nil || !reflect.DeepEqual(again, deleted) {
			t.Errorf("a second deletion: %s, %v", Encode(again), err)
		}
		restored, err := Restore(deleted, before.Status, at, envAt(at.Add(RestoreWindow)))
		if names := changeNames(before, restored); err != nil || len(names) > 0 || restored.Version != before.Version+2 {
			t.Errorf("restore: changed %v, version %d, %v", names, restored.Version, err)
		}
		if _, err := Restore(deleted, before.Status, at, envAt(at.Add(RestoreWindow+time.Millisecond))); !errors.Is(err, ErrGone) {
			t.Errorf("restore after the window: %v", err)
		}
		if again, err := Restore(before, Pending, at, envAt(at)); err != nil || !reflect.DeepEqual(again, before) {
			t.Errorf("restoring a task that is not deleted: %s, %v", Encode(again), err)
		}
		_, updateErr := Update(deleted, Patch{Title: To("y")}, envAt(at))
		_, tagsErr := ChangeTags(deleted, TagChange{Add: []string{"y"}}, envAt(at))
		_, completeErr := Complete(deleted, envAt(at))
		_, reopenErr := Reopen(deleted, envAt(at))
		for i, err := range []error{updateErr, tagsErr, completeErr, reopenErr} {
			if !errors.Is(err, ErrDeleted) {
				t.Errorf("change %d of a deleted task: %v", i, err)
			}
		}
	}
}

// TestFieldsAreComplete holds the table of fields to the type: every member of Task is in it, none twice, and
// Changes and Encode know it.
func TestFieldsAreComplete(t *testing.T) {
	names := map[string]bool{}
	for _, f := range fields {
		if names[f.name] {
			t.Errorf("%s is in the table twice", f.name)
		}
		names[f.name] = true
		if (f.read == nil) != (f.instead != "") {
			t.Errorf("%s must be either readable from a body or say what to do instead", f.name)
		}
		if f.read != nil && !strings.Contains(writable, f.name) {
			t.Errorf("%s is missing in %q", f.name, writable)
		}
	}
	var members map[string]any
	if err := json.Unmarshal(Encode(Task{}), &members); err != nil {
		t.Fatal(err)
	}
	typ := reflect.TypeFor[Task]()
	for i := range typ.NumField() {
		name := typ.Field(i).Tag.Get("json")
		if !names[name] {
			t.Errorf("%s is not in the table of fields", name)
		}
		if _, ok := members[name]; !ok {
			t.Errorf("%s is not encoded", name)
		}
	}
	if len(names) != typ.NumField() || len(members) != typ.NumField() {
		t.Errorf("%d fields in the table, %d encoded, %d in Task", len(names), len(members), typ.NumField())
	}
}
