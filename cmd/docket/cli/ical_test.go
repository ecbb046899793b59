package cli

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/docket-tasks/docket/task"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares text with a file beside the tests.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

func berlin(t testing.TB) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// describe writes what was read of a file, as the golden files have it.
func describe(tasks []wanted, general []string) string {
	var b strings.Builder
	for _, w := range tasks {
		fmt.Fprintf(&b, "%q\n", w.Title)
		for _, f := range []struct{ name, value string }{
			{"description", w.Description}, {"due", w.DueDate.String()}, {"start", w.start.String()}, {"pattern", w.RecurrencePattern},
			{"tags", strings.Join(w.Tags, " | ")}, {"priority", string(w.Priority)},
		} {
			if f.value != "" {
				fmt.Fprintf(&b, "  %s: %q\n", f.name, f.value)
			}
		}
		fmt.Fprintf(&b, "  reminders: %v, completed: %v\n", w.ReminderMinutes, w.completed)
		for _, n := range w.notes {
			fmt.Fprintf(&b, "  note: %s\n", n)
		}
	}
	for _, g := range general {
		fmt.Fprintf(&b, "general: %s\n", g)
	}
	return b.String()
}

// What other programs write is read as the golden files say: dates in every form, daylight saving, alarms, folded
// lines, rules that docket has not.
func TestForeignCalendars(t *testing.T) {
	files, err := filepath.Glob("testdata/ical/*.ics")
	if err != nil || len(files) == 0 {
		t.Fatalf("no samples: %v", err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for name, text := range map[string][]byte{"LF": b, "CRLF": bytes.ReplaceAll(b, []byte("\n"), []byte("\r\n"))} {
			tasks, general, err := readImport(text, berlin(t))
			if err != nil {
				t.Fatalf("%s with %s: %v", file, name, err)
			}
			golden(t, strings.TrimSuffix(file, ".ics")+".golden", describe(tasks, general))
		}
	}
}

func TestUnreadableFiles(t *testing.T) {
	for text, want := range map[string]string{
		"":                       "is empty",
		"\ufeff  ":               "is empty",
		"hello":                  "is neither JSON nor iCalendar",
		"BEGIN:VCARD\nEND:VCARD": "is neither JSON nor iCalendar",
		"BEGIN:VCALENDAR\nVERSION:1.0\nEND:VCALENDAR": "only iCalendar 2.0",
		"BEGIN:VCALENDAR\nBEGIN:VTODO\nEND:VCALENDAR": "ends VCALENDAR where VTODO is open",
		"BEGIN:VCALENDAR\nBEGIN:VTODO\nSUMMARY:x":     "VTODO is not closed",
		"END:VCALENDAR": "where  is open",
		"BEGIN:VCALENDAR\nSUMMARY:\xff\nEND:VCALENDAR":                        "is not UTF-8",
		strings.Repeat("BEGIN:VCALENDAR\n", 20):                               "nested",
		`{"tasks": []}`:                                                       "docket_export is missing",
		`{"docket_export": 1, "tasks": [{"due_date": "2026-02-30"}]}`:         "task 1",
		`{"docket_export": 1, "tasks": [{"title": 3}]}`:                       "task 1",
		`[{"title": "a"}`:                                                     "is not valid JSON",
		`{"docket_export": 1, "tasks": [{"due_date": "10000-01-01T00:00Z"}]}`: "task 1",
	} {
		_, _, err := readImport([]byte(text), time.UTC)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want …%s…", text, err, want)
		}
	}
}

func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"PT30M": 30 * time.Minute, "-PT30M": -30 * time.Minute, "+P1D": 24 * time.Hour, "P1DT2H3M4S": 26*time.Hour + 3*time.Minute + 4*time.Second,
		"P2W": 14 * 24 * time.Hour, "PT0S": 0,
	} {
		if got, err := parseDuration(text); err != nil || got != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "P", "PT", "P1", "1D", "PT1D", "P1H", "-P-1D", "P1.5D", "P99999999999W", "P1DT", "P1DT1HT1M", "PD"} {
		if got, err := parseDuration(text); err == nil {
			t.Errorf("%s is read as %v", text, got)
		}
	}
}

// anyExport draws a task as the server could have it.
func anyExport(t *rapid.T) task.Task {
	text := func(label string, most int) string {
		s := rapid.StringOfN(rapid.OneOf(rapid.RuneFrom([]rune(`abc ,;:\"'üß漢🦷`+"\u2028")), rapid.RuneFrom(nil, unicode.Letter, unicode.Punct, unicode.Symbol)), 1, most, -1).Draw(t, label)
		return strings.TrimSpace(s)
	}
	draft := task.Draft{
		Title: text("title", 255) + "!", Description: strings.ReplaceAll(text("description", 300), "a", "\n"),
		Priority:        rapid.SampledFrom([]task.Priority{task.High, task.Medium, task.Low}).Draw(t, "priority"),
		ReminderMinutes: append([]int{}, rapid.SliceOfNDistinct(rapid.IntRange(0, task.MaxReminderMinutes), 0, 10, rapid.ID).Draw(t, "reminders")...),
	}
	for range rapid.IntRange(0, 4).Draw(t, "tags") {
		if tag := text("tag", 50); tag != "" {
			draft.Tags = append(draft.Tags, tag)
		}
	}
	if due := rapid.SampledFrom([]string{"", "2030-01-31", "2030-03-31T02:30:00", "2030-07-01T09:00:00+09:00", "2030-10-27T02:30:00Z", "2028-02-29"}).Draw(t, "due"); due != "" {
		var err error
		if draft.DueDate, err = task.ParseDue(due); err != nil {
			t.Fatal(err)
		}
		draft.RecurrencePattern = rapid.SampledFrom([]string{"", "daily", "weekly", "monthly", "yearly", "RRULE:FREQ=WEEKLY;BYDAY=MO,SU;COUNT=9"}).Draw(t, "pattern")
	}
	if utf8.RuneCountInString(draft.Title) > task.MaxTitle {
		draft.Title = "long"
	}
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	env := task.Env{Now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Zone: zone}
	made, err := task.Create("0199d4b0-0000-7000-8000-000000000001", "me", draft, env)
	if err != nil {
		t.Fatal(err)
	}
	if rapid.Bool().Draw(t, "done") {
		if made, err = task.Complete(made, env); err != nil {
			t.Fatal(err)
		}
	}
	return made
}

// What goes out as iCalendar comes back as it was, in lines of at most 75 bytes.
func TestCalendarRoundTrip(t *testing.T) {
	zone := berlin(t)
	rapid.Check(t, func(t *rapid.T) {
		was := anyExport(t)
		var b bytes.Buffer
		if err := writeCalendar(&b, user{TimeZone: "Europe/Berlin"}, []found{{Task: was}}, time.Unix(1e9, 0)); err != nil {
			t.Fatal(err)
		}
		for line := range strings.SplitSeq(b.String(), "\r\n") {
			if len(line) > 75 || !utf8.ValidString(line) || strings.ContainsAny(line, "\r\n") {
				t.Fatalf("line %q", line)
			}
		}
		tasks, general, err := readImport(b.Bytes(), zone)
		if err != nil || len(tasks) != 1 || len(general) > 0 || len(tasks[0].notes) > 0 {
			t.Fatalf("%v %v %v\n%s", err, general, tasks, b.String())
		}
		got := tasks[0]
		want := wanted{uid: was.ID, completed: was.Status == task.Completed, Draft: task.Draft{
			Title: was.Title, Description: was.Description, Priority: was.Priority, DueDate: was.DueDate, Tags: was.Tags, ReminderMinutes: was.ReminderMinutes}}
		if was.RecurrencePattern != nil {
			want.RecurrencePattern = *was.RecurrencePattern
		}
		slices.Sort(got.ReminderMinutes)
		slices.Sort(want.ReminderMinutes)
		if got.DueDate != want.DueDate {
			t.Errorf("due %s, want %s\n%s", got.DueDate, want.DueDate, b.String())
		}
		if diff := cmp.Diff(describe([]wanted{want}, nil), describe([]wanted{got}, nil)); diff != "" {
			t.Errorf("%s\n%s", diff, b.String())
		}
	})
}

// A zone is written with every change of its clocks, and daylight saving marked.
func TestTimezone(t *testing.T) {
	var b bytes.Buffer
	due, err := task.ParseDue("2030-03-29T09:30:00+01:00")
	if err != nil {
		t.Fatal(err)
	}
	made, err := task.Create("id", "me", task.Draft{Title: "a", DueDate: due, RecurrencePattern: "daily"}, task.Env{Zone: berlin(t)})
	if err != nil {
		t.Fatal(err)
	}
	if err := writeCalendar(&b, user{TimeZone: "UTC"}, []found{{Task: made}}, time.Unix(1e9, 0)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"BEGIN:DAYLIGHT\r\nDTSTART:20300331T020000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\nTZNAME:CEST\r\nEND:DAYLIGHT\r\n",
		"BEGIN:STANDARD\r\nDTSTART:20301027T030000\r\nTZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nTZNAME:CET\r\nEND:STANDARD\r\n",
		"DUE;TZID=Europe/Berlin:20300329T093000\r\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q", want)
		}
	}
}

// FuzzImport looks for files that panic, or whose tasks break a rule without a word.
func FuzzImport(f *testing.F) {
	files, err := filepath.Glob("testdata/ical/*.ics")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(`{"docket_export":1,"tasks":[{"id":"a","title":"b","status":"completed","recurrence_pattern":"daily","series_start":"2030-01-01","due_date":"2030-01-02"}]}`))
	zone := berlin(f)
	env := task.Env{Now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Zone: zone}
	f.Fuzz(func(t *testing.T, b []byte) {
		tasks, _, err := readImport(b, zone)
		if err != nil {
			return
		}
		for _, w := range tasks {
			if w.uid == "" {
				t.Errorf("%q has no id", w.Title)
			}
			group := w.changes("user")
			way := ""
			for _, c := range group[1:] {
				way += " " + c.Op
			}
			if group[0].Op != "create" || !slices.Contains(importWays, way) {
				t.Errorf("changes %v", group)
			}
			if b[0] == '{' || b[0] == '[' || w.RecurrencePattern != "" {
				continue // JSON is held to the rules later; a rule may begin in the past and have ended
			}
			if _, err := task.Create("id", "me", w.Draft, env); err != nil {
				t.Errorf("%+v breaks a rule: %v", w.Draft, err)
			}
		}
	})
}
