package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/docket-tasks/docket/task"
)

// samples are tasks whose every part shows.
func samples(t *testing.T) []found {
	t.Helper()
	env := task.Env{Now: time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC), Zone: berlin(t), Reminders: []int{30}}
	drafts := []struct {
		due string
		task.Draft
	}{
		{"2026-11-22", task.Draft{Title: "Overdue since yesterday", Priority: task.High}},
		{"2026-11-23T18:00:00", task.Draft{Title: "Tonight", Tags: []string{"home"}}},
		{"2026-11-24T09:00:00", task.Draft{Title: "Pay rent", RecurrencePattern: "monthly", Tags: []string{"home", "money"}}},
		{"2026-11-27T00:30:00+09:00", task.Draft{Title: "Call Tokyo: 16:30 here, the day before"}},
		{"2026-12-24", task.Draft{Title: "A very long title that does not fit into the line at all and has to be cut somewhere", Tags: []string{"a", "b"}}},
		{"2027-01-01T08:15:30", task.Draft{Title: "漢字のとても長い題名はここで切られるはずです、そうでしょう", Priority: task.Low}},
		{"", task.Draft{Title: "No date\u202e", Tags: []string{"many", "tags", "that", "are", "longer", "than", "the", "line", "of", "sixty", "columns"}}},
	}
	var out []found
	for _, d := range drafts {
		var err error
		if d.DueDate, err = task.ParseDue(d.due); d.due != "" && err != nil {
			t.Fatal(err)
		}
		if d.due == "" {
			d.DueDate = task.Due{}
		}
		made, err := task.Create("id", "me", d.Draft, env)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, found{Task: made})
	}
	done, err := task.Complete(out[1].Task, env)
	if err != nil {
		t.Fatal(err)
	}
	done.Title = "Done already"
	return append(out, found{Task: done})
}

func TestRows(t *testing.T) {
	for name, s := range map[string]*screen{
		"plain": {}, "wide": {width: 100}, "narrow": {width: 60}, "colour": {width: 80, colour: true},
	} {
		var b bytes.Buffer
		s.out, s.now, s.zone = &sink{Writer: &b}, time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC), berlin(t)
		s.rows(samples(t))
		golden(t, "testdata/rows-"+name+".golden", b.String())
		for line := range strings.Lines(b.String()) {
			if s.width > 0 && !s.colour && columns(strings.TrimSuffix(line, "\n")) > s.width {
				t.Errorf("%s: wider than %d: %s", name, s.width, line)
			}
		}
	}
}

// No text can leave its line, its column or its colour.
func TestCleanAndCut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := clean(rapid.String().Draw(t, "text"))
		if strings.ContainsAny(s, "\n\r\t\x1b\u009b\x07\u202e") {
			t.Fatalf("%q", s)
		}
		n := rapid.IntRange(1, 40).Draw(t, "columns")
		if c := cut(s, n); columns(c) > n || !utf8.ValidString(c) {
			t.Fatalf("%q cut to %d is %q, %d columns", s, n, c, columns(c))
		}
	})
}

func TestDays(t *testing.T) {
	s := &screen{width: 80, now: time.Date(2026, 3, 28, 23, 30, 0, 0, time.UTC), zone: berlin(t)} // 00:30 on the 29th, a day of 23 hours
	for due, want := range map[string]string{
		"2026-03-28": "yesterday", "2026-03-29": "today", "2026-03-30": "tomorrow", "2026-04-04": "Saturday", "2026-04-05": "Sun 5 Apr",
		"2026-01-02": "Fri 2 Jan", "2025-12-31": "31 Dec 2025", "2026-03-29T23:59:00": "today 23:59", "2026-03-29T22:00:00Z": "tomorrow 00:00",
	} {
		d, err := task.ParseDue(due)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.due(d); got != want {
			t.Errorf("%s is %q, want %q", due, got, want)
		}
	}
}

func TestReminderUnits(t *testing.T) {
	for minutes, want := range map[int]string{0: "0m", 1: "1m", 30: "30m", 60: "1h", 90: "90m", 1440: "1d", 2880: "2d", 10080: "1w", 40320: "4w"} {
		if got := before(minutes); got != want {
			t.Errorf("%d is %s, want %s", minutes, got, want)
		}
		if back, err := parseMinutes(want); err != nil || back != minutes {
			t.Errorf("%s is %d, %v", want, back, err)
		}
	}
	for _, bad := range []string{"", "m", "-1", "5w", "40321", "1.5h", "1y", "99999999999999999999"} {
		if n, err := parseMinutes(bad); err == nil {
			t.Errorf("%q is read as %d", bad, n)
		}
	}
}
