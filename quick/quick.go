package quick

import (
	"strings"
	"time"
)

// Kind says what a [Span] of the text was understood as.
type Kind string

// The kinds of spans. A due date, a time, a repetition, its end and a priority are each taken once: a second
// one stays title.
const (
	KindDue      Kind = "due"
	KindTime     Kind = "time"
	KindRepeat   Kind = "repeat"
	KindEnd      Kind = "end"
	KindTag      Kind = "tag"
	KindPriority Kind = "priority"
	KindReminder Kind = "reminder"
	// KindEscape is the one backslash that keeps the word after it in the title.
	KindEscape Kind = "escape"
)

// Span is a stretch of the text that was understood and is not in the title. Start and End are offsets in
// Unicode code points, End exclusive; Text is the input between them.
type Span struct {
	Start int    `json:"start"`
	End   int    `json:"end"`
	Kind  Kind   `json:"kind" enum:"due,time,repeat,end,tag,priority,reminder,escape"`
	Text  string `json:"text"`
	// Value is what was understood: a date ("2026-12-01", "2026-12-01T09:00:00"), a time ("09:00"), a pattern,
	// "COUNT=5" or "UNTIL=20270101", a tag, a priority ("none" for p4), minutes ("1440,30"), or empty.
	Value string `json:"value"`
}

// Result is what [Parse] understood.
type Result struct {
	// Title is the text without the spans, runs of white space made one space. It is empty only where the text
	// holds nothing but markers (tags, priority, reminders) and white space.
	Title string `json:"title"`
	// Due is empty, a date ("2026-12-01") or a floating local time ("2026-12-01T09:00:00"), in 1970–9999.
	Due string `json:"due_date"`
	// Pattern is empty, daily, weekly, monthly, yearly or an RFC 5545 "RRULE:" string; with one, Due is set.
	Pattern string `json:"recurrence_pattern"`
	// Tags are distinct without regard to case, at most [MaxTags] of at most [MaxTag] code points; never nil.
	Tags []string `json:"tags"`
	// Priority is empty, high, medium or low.
	Priority string `json:"priority" enum:",high,medium,low"`
	// ReminderMinutes are minutes before the due date, distinct, largest first; nil if the text says nothing
	// about reminders, empty for "no reminder".
	ReminderMinutes []int `json:"reminder_minutes" nullable:"true"`
	// Spans are in order and do not overlap; never nil.
	Spans []Span `json:"spans"`
}

// The limits of a task that the grammar keeps: what exceeds them stays title.
const (
	MaxTags            = 20
	MaxTag             = 50
	MaxReminders       = 10
	MaxReminderMinutes = 40320
)

// Parse reads one line of text as a task. now is the moment of entry in the user's zone: its wall clock is
// "now" and its day is "today". Parse never fails; what it does not understand is title. Invalid UTF-8 is read
// as U+FFFD, one for each byte. It takes time linear in the length of text.
//
// What stands in plain, such as a [Span]'s Text that the user has taken back, stays title wherever the text holds it as
// whole words; what the text does not hold says nothing.
func Parse(text string, now time.Time, plain ...string) Result {
	p := newParser(text, now)
	p.keep(plain)
	return p.result(p.choose(p.candidates()))
}

// Escape returns text with a backslash before every word that the grammar could understand, so that
// Parse(Escape(text)) finds only escapes and its title is text with collapsed white space.
func Escape(text string) string {
	l := lex(text)
	var b strings.Builder
	at := 0
	for _, t := range l.tokens {
		// An escape in the text comes before the word it belongs to and has to survive as well.
		start := t.start
		if t.escaped {
			start--
		} else if t.class != word || !core(t.low) {
			continue
		}
		b.WriteString(string(l.runes[at:start]))
		b.WriteByte('\\')
		at = start
	}
	b.WriteString(string(l.runes[at:]))
	return b.String()
}

// parser holds one text while it is read. Its position arguments i, j count tokens.
type parser struct {
	lexed
	now   time.Time // wall clock of the user, written as UTC
	today time.Time // its midnight
	real  time.Time // the moment itself, in the user's zone: "in 2 hours" counts elapsed time
	steps int       // tokens looked at, so that a test can see the cost
}

func newParser(text string, now time.Time) *parser {
	y, m, d := now.Date()
	wall := time.Date(y, m, d, now.Hour(), now.Minute(), now.Second(), now.Nanosecond(), time.UTC)
	return &parser{
		lexed: lex(text),
		now:   wall,
		today: time.Date(y, m, d, 0, 0, 0, 0, time.UTC),
		real:  now,
	}
}

// word returns the i-th token in lower case if it is a plain word, otherwise "" (quoted or escaped text,
// punctuation, before the start or behind the end).
func (p *parser) word(i int) string {
	p.steps++
	if i < 0 || i >= len(p.tokens) || p.tokens[i].class != word {
		return ""
	}
	return p.tokens[i].low
}

// is tells whether the i-th token is one of the words.
func (p *parser) is(i int, words ...string) bool {
	w := p.word(i)
	for _, x := range words {
		if w == x {
			return true
		}
	}
	return false
}

// comma tells whether the i-th token is a comma.
func (p *parser) comma(i int) bool {
	p.steps++
	return i < len(p.tokens) && p.tokens[i].class == punct && p.tokens[i].text == ","
}

// skip returns the position behind the words that stand at i, or i where they do not.
func (p *parser) skip(i int, words ...string) int {
	for k, w := range words {
		if p.word(i+k) != w {
			return i
		}
	}
	return i + len(words)
}

// titleCase tells whether the i-th token is written like a name: "Day", but neither "day" nor "DAY".
func (p *parser) titleCase(i int) bool {
	if i < 0 || i >= len(p.tokens) || p.tokens[i].class != word {
		return false
	}
	t := p.tokens[i]
	return t.capital && len(t.text) > 1 && t.text[1:] == t.low[1:]
}
