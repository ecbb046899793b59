package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/term"
	"golang.org/x/text/width"
)

// screen is where output goes.
type screen struct {
	out  *sink
	errs io.Writer
	// width is the number of columns of a terminal, 0 where the output is no terminal: then it is plain.
	width  int
	colour bool
	// now and zone are what dates are told relative to.
	now  time.Time
	zone *time.Location
}

func newScreen(out, errs io.Writer) *screen {
	s := &screen{out: &sink{Writer: out}, errs: errs, now: time.Now(), zone: time.Local}
	f, ok := out.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return s
	}
	s.width = 80
	if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 0 {
		s.width = w
	}
	s.colour = os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	return s
}

// sink is a writer that remembers its first failure, so that output cut short is told, once, at the end of a command.
type sink struct {
	io.Writer
	err error
}

func (s *sink) Write(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	n, err := s.Writer.Write(p)
	s.err = err
	return n, err
}

// plain tells whether the output is for a program.
func (s *screen) plain() bool { return s.width == 0 }

// style is an SGR parameter (ECMA-48 §8.3.117).
type style string

const (
	bold  style = "1"
	dim   style = "2"
	red   style = "31"
	green style = "32"
	cyan  style = "36"
)

func (s *screen) paint(st style, text string) string {
	if !s.colour || text == "" || st == "" {
		return text
	}
	return "\x1b[" + string(st) + "m" + text + "\x1b[0m"
}

// line writes the cells of a record, separated by tabs.
func (s *screen) line(cells ...string) {
	fmt.Fprintln(s.out, strings.Join(cells, "\t"))
}

// field is one line of a card.
type field struct{ name, value string }

// card writes a heading and the fields that have a value: aligned on a terminal, else with tabs.
func (s *screen) card(kind, heading string, fields []field) {
	if s.plain() {
		s.line(kind, heading)
	} else {
		fmt.Fprintf(s.out, "%s %s\n", s.paint(green, kind), s.paint(bold, heading))
	}
	fields = slices.DeleteFunc(fields, func(f field) bool { return f.value == "" })
	w := 0
	for _, f := range fields {
		w = max(w, columns(f.name))
	}
	for _, f := range fields {
		if s.plain() {
			s.line(f.name, f.value)
		} else {
			fmt.Fprintf(s.out, "  %s  %s\n", s.paint(dim, pad(f.name, w)), f.value)
		}
	}
}

// print writes a value of the API as it came, on one line.
func (s *screen) print(doc json.RawMessage) {
	fmt.Fprintln(s.out, string(doc))
}

// clean makes text from elsewhere safe to print on one line: no control character reaches the terminal, and no tab or
// line break a field.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069':
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

// cleanLines is clean for text of several lines.
func cleanLines(s string) string {
	lines := strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
	for i, l := range lines {
		lines[i] = clean(l)
	}
	return strings.Join(lines, "\n")
}

// columns is how many columns a terminal gives to text (UAX #11).
func columns(s string) int {
	n := 0
	for _, r := range s {
		n += runeColumns(r)
	}
	return n
}

func runeColumns(r rune) int {
	if unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf) {
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// pad fills text with spaces up to n columns.
func pad(s string, n int) string {
	return s + strings.Repeat(" ", max(0, n-columns(s)))
}

// cut shortens text to n columns, with … at its end where something is missing.
func cut(s string, n int) string {
	if columns(s) <= n {
		return s
	}
	used := 0
	for i, r := range s {
		if w := runeColumns(r); used+w > n-1 {
			return s[:i] + "…"
		} else {
			used += w
		}
	}
	return s
}
