package quick

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// What the user takes back is title, wherever it stands as whole words, and the rest is understood as before.
//
// [Task]: T028
func TestPlain(t *testing.T) {
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		text       string
		plain      []string
		title, due string
		kinds      []Kind
	}{
		{"Call Anna tomorrow 5pm #family", []string{"tomorrow"}, "Call Anna tomorrow", "2026-11-25T17:00:00", []Kind{KindTime, KindTag}},
		{"Call Anna tomorrow 5pm #family", []string{"5pm", "#family"}, "Call Anna 5pm #family", "2026-11-26", []Kind{KindDue}},
		{"Pay rent every month on the 1st at 9am", []string{"every month on the 1st"}, "Pay rent every month on the 1st", "2026-11-26T09:00:00", []Kind{KindTime}},
		{"Read #homework #home !high", []string{"#home"}, "Read #home", "", []Kind{KindTag, KindPriority}},
		{"tomorrow and #a tomorrow", []string{"tomorrow"}, "tomorrow and tomorrow", "", []Kind{KindTag}},
		{"Call friday drinks", []string{"drinks"}, "Call friday drinks", "", nil},
		{"Call Anna tomorrow", []string{"morrow", "", "TOMORROW", "next week"}, "Call Anna", "2026-11-26", []Kind{KindDue}},
	} {
		got := Parse(c.text, now, c.plain...)
		var kinds []Kind
		for _, s := range got.Spans {
			kinds = append(kinds, s.Kind)
		}
		if got.Title != c.title || got.Due != c.due || !slices.Equal(kinds, c.kinds) {
			t.Errorf("%q without %q: title %q, due %q, %v; want %q, %q, %v", c.text, c.plain, got.Title, got.Due, kinds, c.title, c.due, c.kinds)
		}
	}
}

// Whatever was understood can be taken back, one after the other, until nothing is left to take.
func TestEverySpanCanBeTakenBack(t *testing.T) {
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	words := rapid.SampledFrom([]string{"Call", "Anna", "tomorrow", "5pm", "#home", "!high", "every", "monday", "friday", "and", ",", "p1", "remind me 1h before",
		"on the 1st", "for 3 weeks", "until 2027-01-01", "daily", `\#x`, `"quoted 9am"`, "at noon", "(today)", "in 2 hours", "drinks"})
	rapid.Check(t, func(t *rapid.T) {
		text := ""
		for range rapid.IntRange(1, 10).Draw(t, "words") {
			text += words.Draw(t, "word") + " "
		}
		var plain []string
		for range 40 {
			r := Parse(text, now, plain...)
			i := slices.IndexFunc(r.Spans, func(s Span) bool { return s.Kind != KindEscape })
			if i < 0 {
				return
			}
			if slices.Contains(plain, r.Spans[i].Text) {
				t.Fatalf("%q: %q was taken back and is understood as %s", text, r.Spans[i].Text, r.Spans[i].Kind)
			}
			plain = append(plain, r.Spans[i].Text)
		}
		t.Fatalf("%q: after %q there is still something understood", text, plain)
	})
}
