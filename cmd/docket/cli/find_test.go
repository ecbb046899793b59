package cli

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/docket-tasks/docket/task"
)

func titled(titles ...string) []found {
	out := make([]found, len(titles))
	for i, title := range titles {
		out[i] = found{Task: task.Task{ID: strings.Repeat(string("0123456789abcdef"[i]), 8) + "-0000-5000-8000-000000000000", Title: title}}
	}
	return out
}

func TestMatch(t *testing.T) {
	tasks := titled("Read the book", "Read the Book on Go", "Write the report", "Straße kehren", "bead work", "ΣΊΣΥΦΟΣ", "3 eggs")
	for name, want := range map[string]string{
		"report":         "Write the report",
		"THE write":      "Write the report",
		"read THE book":  "Read the book", // in full wins
		"go":             "Read the Book on Go",
		"book":           "Read the book|Read the Book on Go",
		"rea book":       "Read the book|Read the Book on Go",
		"straße":         "Straße kehren",
		"σίσυφος":        "ΣΊΣΥΦΟΣ",
		"nothing":        "",
		"the the":        "Read the book|Read the Book on Go|Write the report",
		"11111111":       "Read the Book on Go",
		"1111":           "Read the Book on Go",
		"111":            "", // too short for an id
		"22222222-0000-": "Write the report",
		"bead":           "bead work",
		"3":              "", // a number, which is no word
		"3 egg":          "3 eggs",
	} {
		var got []string
		for _, f := range match(tasks, name) {
			got = append(got, f.Title)
		}
		if strings.Join(got, "|") != want {
			t.Errorf("%q means %q, want %q", name, strings.Join(got, "|"), want)
		}
	}
}

// Whatever its case, a title means itself, and so does every id.
func TestMatchFindsItself(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		title := strings.TrimSpace(rapid.StringMatching(`[A-Za-zäöüÄÖÜß ]{1,20}[a-z]`).Draw(t, "title"))
		tasks := titled("Other", title, "Another one")
		for _, name := range []string{title, strings.ToLower(title), tasks[1].ID, tasks[1].ID[:minPrefix]} {
			found := false
			for _, f := range match(tasks, name) {
				found = found || f.ID == tasks[1].ID
			}
			if !found {
				t.Fatalf("%q does not find %q", name, title)
			}
		}
	})
}

func TestAmbiguityListsCandidates(t *testing.T) {
	err := ambiguity("a\x1b[31m", titled("a1", "a\n2", "a3", "a4", "a5", "a6", "a7", "a8", "a9", "a10", "a11", "a12"))
	if ExitCode(err) != ambiguous {
		t.Errorf("exit code %d", ExitCode(err))
	}
	text := err.Error()
	if !strings.Contains(text, "fits 12 tasks") || !strings.Contains(text, "\n  and 2 more") || strings.Contains(text, "\x1b") || !strings.Contains(text, "a 2\n") {
		t.Error(text)
	}
}
