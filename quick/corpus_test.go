package quick

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// compact writes a result as the corpus has it: the title, then what else was found.
func compact(r Result) string {
	parts := []string{r.Title}
	add := func(key, value string) {
		if value != "" {
			parts = append(parts, key+"="+value)
		}
	}
	add("due", r.Due)
	add("repeat", r.Pattern)
	add("tags", strings.Join(r.Tags, ","))
	add("priority", r.Priority)
	if r.ReminderMinutes != nil {
		parts = append(parts, "remind="+join(r.ReminderMinutes))
	}
	return strings.Join(parts, " | ")
}

// corpusLine is one line of testdata: under the moment it is entered at.
type corpusLine struct {
	where, input, want string
	now                time.Time
}

// readCorpus reads the files of testdata. "@ 2026-11-23 10:30 Europe/Berlin" sets the moment for the lines
// after it, "input => result" is a case, "input => =" one that stays title as a whole, "# " a comment.
func readCorpus(tb testing.TB) (lines []corpusLine) {
	tb.Helper()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		tb.Fatalf("testdata: %v, %d files", err, len(files))
	}
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			tb.Fatal(err)
		}
		defer f.Close()
		var now time.Time
		sc := bufio.NewScanner(f)
		for n := 1; sc.Scan(); n++ {
			line, where := sc.Text(), fmt.Sprintf("%s:%d", name, n)
			if moment, ok := strings.CutPrefix(line, "@ "); ok {
				now = readMoment(tb, where, moment)
				continue
			}
			if line == "" || strings.HasPrefix(line, "# ") {
				continue
			}
			input, want, ok := strings.Cut(line, " => ")
			if !ok {
				tb.Fatalf("%s: no => in %q", where, line)
			}
			if want == "=" {
				want = input
			}
			lines = append(lines, corpusLine{where, input, want, now})
		}
		if err := sc.Err(); err != nil {
			tb.Fatal(err)
		}
	}
	return lines
}

// readMoment reads a wall clock with its zone, or an instant with its offset and the zone it is seen in: the
// second of the two 02:30 of an autumn night needs one.
func readMoment(tb testing.TB, where, s string) time.Time {
	tb.Helper()
	fields := strings.Fields(s)
	if len(fields) != 3 {
		tb.Fatalf("%s: want date, time and zone in %q", where, s)
	}
	loc, err := time.LoadLocation(fields[2])
	if err != nil {
		tb.Fatalf("%s: %v", where, err)
	}
	t, err := time.ParseInLocation("2006-01-02 15:04", fields[0]+" "+fields[1], loc)
	if err != nil {
		t, err = time.Parse("2006-01-02 15:04Z07:00", fields[0]+" "+fields[1])
	}
	if err != nil {
		tb.Fatalf("%s: %v", where, err)
	}
	return t.In(loc)
}

// TestCorpus holds the grammar to the examples in testdata.
//
// [Task]: T028, T042
func TestCorpus(t *testing.T) {
	lines := readCorpus(t)
	same := 0
	for _, l := range lines {
		got := compact(Parse(l.input, l.now))
		if got != l.want {
			t.Errorf("%s: %s\n got %s\nwant %s", l.where, l.input, got, l.want)
		}
		if l.input == l.want {
			same++
		}
	}
	if len(lines) < 320 || same < 80 {
		t.Errorf("the corpus has %d lines, %d of them titles; want 320 and 80", len(lines), same)
	}
}
