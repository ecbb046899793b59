package task

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"
)

// storedTasks are tasks with every field set and with none, and with texts that JSON escapes.
func storedTasks(t testing.TB) []Task {
	at := At(time.Date(2026, 11, 23, 10, 30, 0, 123e6, time.UTC))
	name, number := "RRULE:FREQ=DAILY", 17
	full := Task{
		ID: "0190163d-8694-739b-aea5-966c26f8ad91", Title: "Miete für \"März\" & <Mai> \\ 😀", Description: "one\n\ttwo\r\x7f", Status: Completed,
		Priority: High, Tags: []string{"home", "a\"b", ""}, RecurrencePattern: &name, RecurrenceParentID: &name, SeriesStart: &name,
		SeriesZone: &name, Occurrence: &name, OccurrenceNumber: &number, ReminderMinutes: []int{40320, 30, 0}, CreatedBy: "u",
		CreatedAt: at, UpdatedAt: at, CompletedAt: &at, Version: 1 << 40,
	}
	tasks := []Task{{}, {Title: "plain", Tags: []string{}, ReminderMinutes: []int{}, CreatedAt: at, UpdatedAt: at, Version: 1}, full}
	for _, due := range []string{"2026-12-01", "2026-12-01T09:00:00", "2026-12-01T09:00:00-00:00", "2026-12-01T09:00:00+05:45"} {
		d, err := ParseDue(due)
		if err != nil {
			t.Fatal(err)
		}
		full.DueDate = d
		tasks = append(tasks, full)
	}
	return tasks
}

// What Encode writes is read in one pass.
func TestDecodeKnowsWhatEncodeWrites(t *testing.T) {
	for _, want := range storedTasks(t) {
		d := decoder{rest: Encode(want)}
		if d.task(); d.failed || len(d.rest) > 0 {
			t.Errorf("%s is left to encoding/json, from %.40s", Encode(want), d.rest)
		}
	}
}

// Whatever the form, Decode says what encoding/json says.
func FuzzDecode(f *testing.F) {
	for _, task := range storedTasks(f) {
		doc := string(Encode(task))
		f.Add(doc)
		f.Add(strings.Replace(doc, `":`, `" : `, 1))
		f.Add(strings.Replace(doc, `"version":`, `"version":0`, 1))
		f.Add(strings.Replace(doc, `}`, `,"later":{}}`, 1))
		f.Add(strings.Replace(doc, `Z"`, `+01:00"`, 1))
		f.Add(strings.Replace(doc, `.123Z"`, `,123Z"`, 1))
		f.Add(strings.Replace(doc, `]`, `,]`, 1))
		f.Add(doc + "x")
		f.Add(strings.Replace(doc, `"title":"`, `"title":"\xff`, 1))
		f.Add(strings.Replace(doc, `"title":"`, "\"title\":\"\n", 1))
		f.Add(strings.Replace(doc, `"title":"`, `"title":"\ud800`, 1))
	}
	f.Fuzz(func(t *testing.T, doc string) {
		got, err := Decode([]byte(doc))
		var want Task
		wantErr := json.Unmarshal([]byte(doc), &want)
		if (err != nil) != (wantErr != nil) || err == nil && !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %+v, %v, encoding/json %+v, %v", doc, got, err, want, wantErr)
		}
	})
}
