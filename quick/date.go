package quick

import (
	"strconv"
	"strings"
	"time"
)

// found is a day that a form read at some token.
type found struct {
	to    int
	date  time.Time
	clock clock
	need  stop
	ok    bool
}

var nothing found

// form reads one way to write a day; lead is the preposition before it, if any.
type form func(p *parser, j int, lead string) found

// figures are the forms that name the day of a month.
var figures = []form{(*parser).isoDate, (*parser).slashDate, (*parser).monthDate}

// forms are the others.
var forms = []form{
	(*parser).nthDay, (*parser).weekdayDate, (*parser).singleDay, (*parser).thisDaypart,
	(*parser).periodStart, (*parser).weekend, (*parser).periodEnd, (*parser).inAmount,
}

// due matches a day with the preposition before it and the part of the day behind it: "on friday",
// "tomorrow morning", "by 1 dec".
func (p *parser) due(i int) (phrase, bool) {
	prev := p.word(i - 1)
	j, lead := p.lead(i)
	f := p.longestForm(j, lead)
	if !f.ok || f.date.Year() < minYear || f.date.Year() > maxYear {
		return phrase{}, false
	}
	switch {
	case lead == "" && determiners[prev], lead == "" && f.need > open && (holidays[prev] || counted[prev]):
		return phrase{}, false
	case lead == "on" && aboutOn[prev]:
		f.need = soft
	case lead == "on", lead == "by", lead == "due":
		f.need = loosened(f.need)
	}
	if !f.clock.set {
		f = p.withDaypart(f)
	}
	if c := f.clock; f.date.Equal(p.today) && !c.exact && p.passed(f.date, c) {
		f.clock.set = false // "tonight" late at night is just today
	}
	if relations[prev] || lead == "" && onlyWith[prev] {
		f.need = never // but it can be the end of a range
	}
	value := f.date.Format(dateForm)
	if f.clock.set {
		value = at(f.date, f.clock)
	}
	return phrase{to: f.to, kind: KindDue, need: f.need, date: f.date, clock: f.clock, value: value, start: lead == "from"}, true
}

// lead reads the preposition of a day at i.
func (p *parser) lead(i int) (int, string) {
	switch w := p.word(i); w {
	case "due":
		j := i + 1
		if p.is(j, "on", "by", "in") && p.word(j) != "in" {
			j++
		}
		return j, w
	case "on", "by", "for", "from", "starting", "beginning":
		return i + 1, w
	}
	return i, ""
}

// onlyWith are prepositions that a day cannot be read without: what made "not on friday" no date has to hold
// for its "friday" as well.
var onlyWith = set("on by due for starting beginning")

// loosened returns what has to follow a form when a clear preposition stands before it.
func loosened(need stop) stop {
	if need == company {
		return soft
	}
	return open
}

func (p *parser) longestForm(j int, lead string) found {
	best := nothing
	for _, group := range [][]form{figures, forms} {
		for _, read := range group {
			if f := read(p, j, lead); f.ok && f.to > best.to {
				best = f
			}
		}
	}
	return best
}

// withDaypart adds a part of the day behind the day: "friday evening".
func (p *parser) withDaypart(f found) found {
	part, to := p.word(f.to), f.to+1
	if !has(dayparts, part) {
		return f
	}
	if f.need == company {
		f.need = soft
	}
	f.to, f.clock = to, clock{minutes: dayparts[part], set: true, part: part}
	return f
}

// isoDate reads 2026-12-01, 2026/12/01 and 2026-12-01T09:00.
func (p *parser) isoDate(j int, _ string) found {
	w := p.word(j)
	if len(w) < 10 || len(w) > 19 {
		return nothing
	}
	f := found{to: j + 1}
	d, t, timed := strings.Cut(w, "t")
	if timed {
		c, ok := readClock(strings.TrimSuffix(t, ":00"), "")
		if !ok || len(t) < 5 {
			return nothing
		}
		c.half = false
		f.clock = c
	}
	for _, form := range []string{dateForm, "2006/01/02"} {
		if date, err := time.Parse(form, d); err == nil {
			f.date, f.ok = date, date.Year() >= minYear
		}
	}
	return f
}

// slashDate reads 12/24 as month and day, or day and month where the first cannot be a month. Without a year
// and a preposition, what looks like a fraction (1/2, 24/7) is none.
func (p *parser) slashDate(j int, lead string) found {
	w := p.word(j)
	if len(w) > 10 || strings.Count(w, "/") < 1 || strings.Count(w, "/") > 2 {
		return nothing
	}
	var n [3]int
	for k, part := range strings.Split(w, "/") {
		v, ok := number(part)
		if !ok || k < 2 && len(part) > 2 || k == 2 && len(part) != 2 && len(part) != 4 {
			return nothing
		}
		n[k] = v
	}
	m, d, y := n[0], n[1], n[2]
	fraction := m < d && d <= 12 || m == 24 && d == 7
	if m > 12 {
		m, d = d, m
	}
	if strings.Count(w, "/") == 2 {
		if w[len(w)-3] == '/' {
			y += p.today.Year() / 100 * 100
		}
		date, ok := ymd(y, time.Month(m), d)
		return found{to: j + 1, date: date, ok: ok}
	}
	date, ok := comingYearly(p.today, time.Month(m), d)
	if fraction && lead == "" {
		return found{to: j + 1, date: date, ok: ok, need: company}
	}
	return found{to: j + 1, date: date, ok: ok, need: soft}
}

// monthDate reads "dec 1", "1st of december 2027", "december 1, 2027".
func (p *parser) monthDate(j int, _ string) found {
	m, d, to, sure := p.monthDay(j)
	if to == 0 {
		return nothing
	}
	f := found{to: to, need: soft}
	if sure {
		f.need = open
	}
	if y, end := p.yearAt(to); end > to {
		f.to, f.need = end, open
		f.date, f.ok = ymd(y, m, d)
	} else if y, ok := number(p.word(to)); ok && y > p.today.Year()-yearsBack && y <= p.today.Year()+yearsAhead {
		return nothing // "oct 3 2025 photos": hardly a number of photos
	} else {
		f.date, f.ok = comingYearly(p.today, m, d)
	}
	return f
}

// A number behind a date with an open end is rather a year than a number of things if it is as near to this year as this.
const yearsBack, yearsAhead = 20, 10

// inMidTitle tells whether a name stands at j that is not just the first word of the text.
func (p *parser) inMidTitle(j int) bool { return j > 0 && p.titleCase(j) }

// monthDay reads a month and a day in either order; to is 0 where there is none. sure means that it can
// hardly be anything else: "dec 1", "1st of may", but not "may 5".
func (p *parser) monthDay(j int) (m time.Month, d, to int, sure bool) {
	if m, ok := months[p.word(j)]; ok {
		j++
		if p.is(j, "the") {
			j++
		}
		if d, ok := dayNumber(p.word(j)); ok {
			return m, d, j + 1, !nameMonths[p.word(j-1)]
		}
		return 0, 0, 0, false
	}
	if p.is(j, "the") {
		j++
	}
	d, ok := dayNumber(p.word(j))
	if !ok {
		return 0, 0, 0, false
	}
	j++
	of := p.is(j, "of")
	if of {
		j++
	}
	if m, ok := months[p.word(j)]; ok {
		return m, d, j + 1, of || !nameMonths[p.word(j)]
	}
	return 0, 0, 0, false
}

// yearAt reads a year of four digits behind a date, if the text or its clause ends behind it.
func (p *parser) yearAt(j int) (int, int) {
	k := j
	if p.comma(k) {
		k++
	}
	w := p.word(k)
	y, ok := number(w)
	if !ok || len(w) != 4 || !digit(rune(w[0])) || y < 1000 {
		return 0, j
	}
	if k+1 < len(p.tokens) && p.stopAt(k+1) == open && !core(p.word(k+1)) {
		return 0, j // "dec 1 2000 cards"
	}
	return y, k + 1
}

// nthDay reads "the 15th", "15th" behind "on", and "the 1st of the month".
func (p *parser) nthDay(j int, lead string) found {
	k := j
	if p.is(k, "the") {
		k++
	}
	d, ok := nth(p.word(k))
	if !ok || k == j && lead == "" || lead == "" && p.inMidTitle(j-1) {
		return nothing
	}
	date, ok := comingMonthly(p.today, d)
	f := found{to: k + 1, date: date, ok: ok, need: soft}
	if to := p.skip(f.to, "of", "the", "month"); to > f.to {
		f.to, f.need = to, open
	} else if to := p.skip(f.to, "of", "next", "month"); to > f.to {
		next := addMonths(monthStart(p.today), 1)
		f.to, f.need = to, open
		f.date, f.ok = ymd(next.Year(), next.Month(), d)
	} else if lead != "" && lead != "for" {
		// Stays soft with the preposition: "on the 2nd floor" is a place however clear the preposition.
		f.need = company
	}
	return f
}

// dayNumber reads 1–31, "1st".
func dayNumber(w string) (int, bool) {
	if n, ok := nth(w); ok {
		return n, true
	}
	if len(w) > 2 {
		return 0, false
	}
	n, err := strconv.Atoi(w)
	return n, err == nil && n >= 1 && n <= 31 && digit(rune(w[0]))
}

// nth reads 1st–31st.
func nth(w string) (int, bool) {
	if len(w) < 3 || len(w) > 4 {
		return 0, false
	}
	n, err := strconv.Atoi(w[:len(w)-2])
	if err != nil || n < 1 || n > 31 || !digit(rune(w[0])) {
		return 0, false
	}
	suffix := "th"
	if n/10 != 1 {
		switch n % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return n, w[len(w)-2:] == suffix
}
