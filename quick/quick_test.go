package quick

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// collapse is what a title is without any marker: runs of white space made one space.
func collapse(s string) string {
	return strings.Join(strings.FieldsFunc(string([]rune(s)), unicode.IsSpace), " ")
}

// squeeze drops all white space.
func squeeze(rs []rune) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, string(rs))
}

// FuzzParse holds every result to what the package comment promises, whatever the text and the moment.
func FuzzParse(f *testing.F) {
	for _, l := range readCorpus(f) {
		f.Add(l.input, l.now.Unix())
	}
	f.Add("a\xff\xfe tomorrow \\\"x \"y", int64(0))
	f.Add("every jan 31 until feb 30 for 3 weeks (9am, #a) \\today \\\\today", int64(253402300799))
	zone := time.FixedZone("", 5*3600+45*60)
	f.Fuzz(func(t *testing.T, text string, unix int64) {
		now := time.Unix(unix, 0).In(zone)
		if y := now.Year(); y < 1 || y > 20000 {
			return
		}
		r := Parse(text, now)
		checkSpans(t, text, r)
		checkFields(t, r)
		checkEscape(t, text, now)
		checkEscape(t, r.Title, now)
	})
}

// checkSpans holds that spans are in order and in bounds, and that title and spans together are the text.
func checkSpans(t *testing.T, text string, r Result) {
	t.Helper()
	rs := []rune(text)
	at := 0
	var rest []rune
	for _, s := range r.Spans {
		if s.Start < at || s.End <= s.Start || s.End > len(rs) {
			t.Fatalf("span %+v after %d of %d in %q", s, at, len(rs), text)
		}
		if s.Text != string(rs[s.Start:s.End]) {
			t.Fatalf("span %+v is %q in %q", s, string(rs[s.Start:s.End]), text)
		}
		rest = append(rest, rs[at:s.Start]...)
		at = s.End
	}
	rest = append(rest, rs[at:]...)
	if squeeze(rest) != squeeze([]rune(r.Title)) {
		t.Fatalf("title %q and spans %v lose part of %q", r.Title, r.Spans, text)
	}
	if r.Title != collapse(r.Title) {
		t.Fatalf("title %q has loose white space", r.Title)
	}
	dated := slices.ContainsFunc(r.Spans, func(s Span) bool { return s.Kind.dates() })
	if r.Title == "" && dated {
		t.Fatalf("%q leaves no title beside its date", text)
	}
	if dated != (r.Due != "") {
		t.Fatalf("%q: due %q, spans %v", text, r.Due, r.Spans)
	}
}

// checkFields holds that every field has a form the task accepts.
func checkFields(t *testing.T, r Result) {
	t.Helper()
	if !utf8.ValidString(r.Title) {
		t.Fatalf("title %q", r.Title)
	}
	_, dateErr := time.Parse(dateForm, r.Due)
	at, timedErr := time.Parse(timedForm, r.Due)
	if r.Due != "" && dateErr != nil && timedErr != nil || timedErr == nil && at.Year() < minYear {
		t.Fatalf("due %q", r.Due)
	}
	if r.Pattern != "" && (r.Due == "" || !wellFormed(r.Pattern)) {
		t.Fatalf("pattern %q with due %q", r.Pattern, r.Due)
	}
	if len(r.Tags) > MaxTags || slices.ContainsFunc(r.Tags, func(s string) bool {
		return s == "" || utf8.RuneCountInString(s) > MaxTag || strings.ContainsFunc(s, unicode.IsSpace)
	}) {
		t.Fatalf("tags %q", r.Tags)
	}
	if !slices.Contains([]string{"", "high", "medium", "low"}, r.Priority) {
		t.Fatalf("priority %q", r.Priority)
	}
	if len(r.ReminderMinutes) > MaxReminders || slices.ContainsFunc(r.ReminderMinutes, func(n int) bool {
		return n < 0 || n > MaxReminderMinutes
	}) {
		t.Fatalf("reminders %v", r.ReminderMinutes)
	}
}

func wellFormed(pattern string) bool {
	rest, ok := strings.CutPrefix(pattern, "RRULE:FREQ=")
	if !ok {
		return slices.Contains([]string{"daily", "weekly", "monthly", "yearly"}, pattern)
	}
	freq, rest, _ := strings.Cut(rest, ";")
	if !slices.Contains([]string{"DAILY", "WEEKLY", "MONTHLY", "YEARLY"}, freq) {
		return false
	}
	for _, part := range strings.Split(rest, ";") {
		key, value, ok := strings.Cut(part, "=")
		known := slices.Contains([]string{"INTERVAL", "BYDAY", "BYMONTH", "BYMONTHDAY", "BYSETPOS", "COUNT", "UNTIL"}, key)
		if rest != "" && (!ok || !known || value == "" || value == "0") {
			return false
		}
	}
	return true
}

// checkEscape holds that escaping everything leaves the text: no finding, and the words as they were.
func checkEscape(t *testing.T, text string, now time.Time) {
	t.Helper()
	r := Parse(Escape(text), now)
	for _, s := range r.Spans {
		if s.Kind != KindEscape {
			t.Fatalf("%q escaped as %q still has %+v", text, Escape(text), s)
		}
	}
	if r.Title != collapse(text) {
		t.Fatalf("%q escaped as %q is %q", text, Escape(text), r.Title)
	}
}

// TestSpans shows spans in code points, with their kinds and values.
func TestSpans(t *testing.T) {
	got := Parse(`Über "every day" \#1 zahlen every friday, 9am until 2027-01-01 #büro p4 remind me 1 day before`, noon)
	want := []string{
		`17-18 escape "\\" ""`,
		`28-41 repeat "every friday," "RRULE:FREQ=WEEKLY;BYDAY=FR;UNTIL=20270101T235959"`,
		`42-45 time "9am" "09:00"`,
		`46-62 end "until 2027-01-01" "UNTIL=20270101T235959"`,
		`63-68 tag "#büro" "büro"`,
		`69-71 priority "p4" "none"`,
		`72-94 reminder "remind me 1 day before" "1440"`,
	}
	var have []string
	for _, s := range got.Spans {
		have = append(have, fmt.Sprintf("%d-%d %s %q %q", s.Start, s.End, s.Kind, s.Text, s.Value))
	}
	if !slices.Equal(have, want) {
		t.Errorf("spans\n%s\nwant\n%s", strings.Join(have, "\n"), strings.Join(want, "\n"))
	}
	if got.Title != `Über "every day" #1 zahlen` {
		t.Errorf("title %q", got.Title)
	}
}

// TestJSON holds the names of the fields, and that lists are arrays while unsaid reminders are null.
func TestJSON(t *testing.T) {
	for text, want := range map[string]string{
		"Tea": `{"title":"Tea","due_date":"","recurrence_pattern":"","tags":[],"priority":"","reminder_minutes":null,"spans":[]}`,
		"Tea no reminder": `{"title":"Tea","due_date":"","recurrence_pattern":"","tags":[],"priority":"","reminder_minutes":[],` +
			`"spans":[{"start":4,"end":15,"kind":"reminder","text":"no reminder","value":""}]}`,
	} {
		got, err := json.Marshal(Parse(text, noon))
		if err != nil || string(got) != want {
			t.Errorf("%s: %v\n got %s\nwant %s", text, err, got, want)
		}
	}
}

// TestLimits holds that what a task could not take stays title.
func TestLimits(t *testing.T) {
	long := strings.Repeat("ä", MaxTag)
	var many, some []string
	for k := range MaxTags + 1 {
		many = append(many, fmt.Sprintf("#t%d", k))
	}
	for k := range MaxReminders + 1 {
		some = append(some, fmt.Sprintf("!%dm", k+10))
	}
	for _, c := range []struct{ text, title string }{
		{"Tea #" + long, "Tea"},
		{"Tea #" + long + "x", "Tea #" + long + "x"},
		{"Tea " + strings.Join(many, " "), "Tea #t20"},
		{"Tea " + strings.Join(many, " ") + " #T1", "Tea #t20"},
		{"Tea " + strings.Join(some, " "), "Tea !20m"},
		{"Tea !40320m", "Tea"},
		{"Tea !40321m", "Tea !40321m"},
		{"Tea remind me 4 weeks before", "Tea"},
		{"Tea remind me 5 weeks before", "Tea remind me 5 weeks before"},
	} {
		if got := Parse(c.text, noon); got.Title != c.title {
			t.Errorf("%q: title %q, want %q", c.text, got.Title, c.title)
		}
	}
}

// TestLinear counts the tokens that are looked at: four times the text costs four times the looks, also for
// texts made to send the matchers back and forth.
func TestLinear(t *testing.T) {
	for _, piece := range []string{
		"a ", "tomorrow ", "friday ", "every ", "every mon and ", "mon and ", "every 1st and the ", "1st ", "monday to ",
		"daily ", "at 9 ", "9:33 ", "until ", "for 5 times ", "#a ", "#", "!30m ", "remind 1 day and ", "\\", "\\today ",
		"\" ", "\"a\" ", "(", "(today ", "(#a ", ") ", ", ", ".", "today. ", "dec 1 ", "1 ", "end of next ", "1/", "9:",
		"in ", "in 3 days or ", "in 1 week 1 day and ", "\xff", "日", "(#a, ", "due on ", "every month on the ", "#a !30m ", "(9am, ",
	} {
		const size = 4 << 10
		looks := func(n int) int {
			text := strings.Repeat(piece, n/len(piece))
			p := newParser(text, noon)
			p.result(p.choose(p.candidates()))
			return p.steps
		}
		one, four := looks(size), looks(4*size)
		if four > 5*one+100 {
			t.Errorf("%q: %d looks for %d bytes, %d for four times as many", piece, one, size, four)
		}
		if four > 400*4*size/2 {
			t.Errorf("%q: %d looks for %d bytes", piece, four, 4*size)
		}
	}
}

// BenchmarkParse measures a common line.
func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Parse("Pay rent every month on the 1st at 9am #home !high", noon)
	}
}

// BenchmarkLong measures the largest text a request can carry.
func BenchmarkLong(b *testing.B) {
	text := strings.Repeat("monday and ", 64<<10/11)
	for b.Loop() {
		Parse(text, noon)
	}
}
