package quick

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// at writes a day with its time, or the day alone.
func at(date time.Time, c clock) string {
	if !c.set {
		return date.Format(dateForm)
	}
	return date.Add(time.Duration(c.minutes) * time.Minute).Format(timedForm)
}

// result puts the chosen phrases together. Where they cannot make a date, or leave no title, those of the date
// are title.
func (p *parser) result(chosen []phrase) Result {
	r := Result{Tags: []string{}}
	chosen, ok := p.schedule(&r, chosen)
	spans := p.spans(chosen)
	r.Title = p.title(spans)
	dated := slices.ContainsFunc(chosen, func(ph phrase) bool { return ph.kind.dates() })
	if !ok || r.Title == "" && dated {
		r = Result{Tags: []string{}}
		chosen = slices.DeleteFunc(chosen, func(ph phrase) bool { return ph.kind.dates() })
		spans = p.spans(chosen)
		r.Title = p.title(spans)
	}
	r.Spans = spans
	for _, ph := range chosen {
		r.mark(ph)
	}
	return r
}

func (k Kind) dates() bool {
	return k == KindDue || k == KindTime || k == KindRepeat || k == KindEnd
}

// mark takes over a tag, priority or reminder.
func (r *Result) mark(ph phrase) {
	switch ph.kind {
	case KindTag:
		if !slices.ContainsFunc(r.Tags, func(t string) bool { return fold(t) == fold(ph.value) }) {
			r.Tags = append(r.Tags, ph.value)
		}
	case KindPriority:
		if ph.value != "none" {
			r.Priority = ph.value
		}
	case KindReminder:
		if r.ReminderMinutes == nil {
			r.ReminderMinutes = []int{}
		}
		r.ReminderMinutes = append(r.ReminderMinutes, ph.minutes...)
		slices.SortFunc(r.ReminderMinutes, func(a, b int) int { return b - a })
		r.ReminderMinutes = slices.Compact(r.ReminderMinutes)
	}
}

// schedule works out due date and pattern and returns the phrases that had a part in the result: an end
// without a repetition, or before its first day, has none. It reports whether the date is in range.
func (p *parser) schedule(r *Result, chosen []phrase) ([]phrase, bool) {
	var due, when, rep, end *phrase
	for k := range chosen {
		switch ph := &chosen[k]; ph.kind {
		case KindDue:
			due = ph
		case KindTime:
			when = ph
		case KindRepeat:
			rep = ph
		case KindEnd:
			end = ph
		}
	}
	c := timeOf(due, when, rep)
	date, ok := p.firstDay(due, rep, c)
	if due == nil && when == nil && rep == nil {
		return drop(chosen, KindEnd), true
	}
	if !ok || date.Year() < minYear || date.Year() > maxYear {
		return chosen, false
	}
	r.Due = at(date, c)
	limit := ""
	if rep != nil && end != nil {
		limit = limitOf(end, date, c)
	}
	if limit == "" {
		chosen = drop(chosen, KindEnd)
	} else {
		end.value = limit
	}
	if rep != nil {
		r.Pattern = rep.rule.pattern(date, limit)
		for k := range chosen {
			if chosen[k].kind == KindRepeat {
				chosen[k].value = r.Pattern
			}
		}
	}
	return chosen, true
}

func drop(chosen []phrase, k Kind) []phrase {
	return slices.DeleteFunc(chosen, func(ph phrase) bool { return ph.kind == k })
}

// timeOf returns the time that was said, else the usual hour of the part of the day that was.
func timeOf(due, when, rep *phrase) clock {
	var usual clock
	if rep != nil && rep.rule.clock.set {
		usual = rep.rule.clock
	}
	if due != nil && due.clock.set {
		usual = due.clock
	}
	if when == nil {
		return usual
	}
	return when.clock.in(usual.part)
}

// passed tells whether the time on that day is not after now, by the user's clock on the wall.
func (p *parser) passed(day time.Time, c clock) bool {
	return c.set && !day.Add(time.Duration(c.minutes)*time.Minute).After(p.now)
}

// firstDay returns the day of the (first) due date.
func (p *parser) firstDay(due, rep *phrase, c clock) (time.Time, bool) {
	start := p.today
	if due != nil {
		start = due.date
	}
	passed := p.passed(start, c)
	switch {
	case rep != nil:
		first, ok := rep.rule.first(start)
		if ok && passed && due == nil && first.Equal(p.today) {
			return rep.rule.after(first)
		}
		return first, ok
	case passed && (due == nil || start.Equal(p.today) && c.exact && c.minutes == 0):
		return start.AddDate(0, 0, 1), true // "tonight at midnight" is the coming one
	}
	return start, true
}

// limitOf writes the end of a series that begins at first; it is empty if the end comes before.
func limitOf(end *phrase, first time.Time, c clock) string {
	last := end.date
	switch {
	case end.span:
		last = addUnits(first, end.count, end.unit).AddDate(0, 0, -1)
	case end.count > 0:
		return "COUNT=" + strconv.Itoa(end.count)
	}
	if last.Before(first) || last.Year() > maxYear {
		return ""
	}
	if c.set {
		return "UNTIL=" + last.Format("20060102") + "T235959"
	}
	return "UNTIL=" + last.Format("20060102")
}

// spans lists the phrases and the escapes by offset, phrases with the punctuation that is left without use.
func (p *parser) spans(chosen []phrase) []Span {
	spans := []Span{}
	next := 0
	for i, t := range p.tokens {
		for next < len(chosen) && chosen[next].from == i {
			ph := chosen[next]
			spans = append(spans, p.span(t.start, p.tokens[ph.to-1].end, ph.kind, ph.value))
			next++
		}
		if t.escaped {
			spans = append(spans, p.span(t.start-1, t.start, KindEscape, ""))
		}
	}
	return p.absorb(spans)
}

func (p *parser) span(start, end int, k Kind, value string) Span {
	return Span{Start: start, End: end, Kind: k, Text: string(p.runes[start:end]), Value: value}
}

// absorb widens spans over brackets that would be left empty, and over separators that would begin or end the
// title: "Monday: call", "Pay rent, tomorrow.".
func (p *parser) absorb(spans []Span) []Span {
	begun := false // title text before the span
	low := 0
	for k := range spans {
		s := &spans[k]
		begun = begun || !blank(p.runes[low:s.Start])
		if s.Kind != KindEscape {
			p.unbracket(spans, k, low)
			high := p.limit(spans, k)
			for s.End < high && separator(p.runes[s.End]) && (!begun || blank(p.runes[s.End+1:high])) {
				s.End++
			}
		}
		low = s.End
	}
	for k := len(spans) - 1; k >= 0 && spans[k].Kind != KindEscape && blank(p.runes[spans[k].End:p.limit(spans, k)]); k-- {
		low := 0
		if k > 0 {
			low = spans[k-1].End
		}
		at := spans[k].Start
		for at > low && (unicode.IsSpace(p.runes[at-1]) || separator(p.runes[at-1]) && p.runes[at-1] != '.') {
			at--
		}
		for at < spans[k].Start && unicode.IsSpace(p.runes[at]) {
			at++
		}
		spans[k].Start = at
	}
	for k := range spans {
		spans[k].Text = string(p.runes[spans[k].Start:spans[k].End])
	}
	return spans
}

// limit returns where the text between the k-th span and the next one ends.
func (p *parser) limit(spans []Span, k int) int {
	if k+1 < len(spans) {
		return spans[k+1].Start
	}
	return len(p.runes)
}

// unbracket takes the brackets into the spans where nothing but spans stands between them, the k-th first.
func (p *parser) unbracket(spans []Span, k, low int) {
	if spans[k].Start == low || !strings.ContainsRune("([{", p.runes[spans[k].Start-1]) {
		return
	}
	last := k
	for last+1 < len(spans) && spans[last+1].Kind != KindEscape && idle(p.runes[spans[last].End:spans[last+1].Start]) {
		last++
	}
	end := spans[last].End
	if end < p.limit(spans, last) && strings.ContainsRune(")]}", p.runes[end]) {
		spans[k].Start--
		spans[last].End++
		for ; k < last; k++ {
			spans[k].End = spans[k+1].Start
		}
	}
}

// idle tells whether there is nothing but white space and separators.
func idle(rs []rune) bool {
	return !slices.ContainsFunc(rs, func(r rune) bool { return !unicode.IsSpace(r) && !separator(r) })
}

func separator(r rune) bool { return strings.ContainsRune(",.;:—", r) }

func blank(rs []rune) bool {
	return !slices.ContainsFunc(rs, func(r rune) bool { return !unicode.IsSpace(r) })
}

// title returns the text without the spans, each run of white space one space. A phrase leaves a space, an
// escape nothing; punctuation behind a phrase moves to the word before.
func (p *parser) title(spans []Span) string {
	var b strings.Builder
	at := 0
	gap := false
	write := func(rs []rune, afterPhrase bool) {
		for k, r := range rs {
			if unicode.IsSpace(r) {
				gap = true
				continue
			}
			if gap && b.Len() > 0 && !(afterPhrase && k == 0 && strings.ContainsRune(closers, r)) {
				b.WriteByte(' ')
			}
			gap = false
			b.WriteRune(r)
		}
	}
	behind := false
	for _, s := range spans {
		write(p.runes[at:s.Start], behind)
		behind = s.Kind != KindEscape
		gap = gap || behind
		at = s.End
	}
	write(p.runes[at:], behind)
	return b.String()
}
