package quick

import (
	"strings"
	"time"
)

// weekdayDate reads "friday" (the next one, not today), "this friday" (today counts) and "next friday" (the one
// in the following week).
func (p *parser) weekdayDate(j int, _ string) found {
	k, which := j, ""
	if p.is(j, "this", "next", "coming") {
		which = p.word(j)
		k++
	}
	name := p.word(k)
	w, ok := weekdays[name]
	if !ok {
		return nothing
	}
	if f := p.dateBehind(k + 1); f.ok && which == "" {
		f.ok = f.date.Weekday() == w // where they contradict each other, the date counts alone
		return f
	}
	f := found{to: k + 1, ok: true, need: soft}
	switch which {
	case "next":
		f.date = coming(monday(p.today).AddDate(0, 0, 7), w)
	case "this":
		f.date = coming(p.today, w)
	default:
		f.date = coming(p.today.AddDate(0, 0, 1), w)
	}
	if which != "" {
		f.need = open
	} else if (name == "sat" || name == "sun") && !p.afterTime(j) && !p.writtenAsDay(j) {
		f.need = company
	}
	return f
}

// dateBehind reads a date in figures or with a month behind a weekday: "friday, dec 4".
func (p *parser) dateBehind(j int) found {
	if p.comma(j) {
		j++
	}
	for _, read := range figures {
		if f := read(p, j, "on"); f.ok {
			return f
		}
	}
	return nothing
}

// afterTime tells whether a time such as 7am or 19:00 stands before j.
func (p *parser) afterTime(j int) bool {
	digits, suffix := splitNumber(p.word(j - 1))
	_, ok := readClock(digits, meridiems[suffix])
	return ok && (suffix != "" && meridiems[suffix] != "" || len(digits) > 3)
}

// writtenAsDay tells "Dinner Sat" from "the cat sat" and "Baltimore Sun".
func (p *parser) writtenAsDay(j int) bool {
	return p.inMidTitle(j) && !p.inMidTitle(j-1)
}

// singleDay reads today, tomorrow and "the day after tomorrow".
func (p *parser) singleDay(j int, _ string) found {
	k := p.skip(j, "the")
	if to := p.skip(k, "day", "after", "tomorrow"); to > k {
		if j > 0 && p.titleCase(k) && p.titleCase(k+1) && p.titleCase(k+2) {
			return nothing // a film
		}
		return found{to: to, date: p.today.AddDate(0, 0, 2), ok: true}
	}
	w := p.word(j)
	n, ok := singles[w]
	if !ok {
		return nothing
	}
	f := found{to: j + 1, date: p.today.AddDate(0, 0, n), ok: true}
	if w == "tod" || j > 0 && p.titleCase(j) && p.titleCase(j+1) && !p.titleDate(j+1) {
		f.need = hard // "The Today Show"
	}
	return f
}

// titleDate tells whether the word at j is rather a word of the grammar than one of a name.
func (p *parser) titleDate(j int) bool {
	w := p.word(j)
	return has(dayparts, w) || w == "at" || w == "noon"
}

// thisDaypart reads tonight, "this evening" and "this morning"; when its usual hour has passed, it is today.
func (p *parser) thisDaypart(j int, _ string) found {
	part, to := "", j+1
	switch {
	case p.is(j, "tonight"):
		part = "night"
	case p.is(j, "this") && has(dayparts, p.word(j+1)):
		part, to = p.word(j+1), j+2
	default:
		return nothing
	}
	f := found{to: to, date: p.today, ok: true, clock: clock{minutes: dayparts[part], part: part, set: true}}
	if j > 0 && p.titleCase(j) && p.titleCase(to) {
		f.need = hard // "The Tonight Show"
	}
	return f
}

// periodStart reads "next week", "next month", "next quarter" and "next year": their first day.
func (p *parser) periodStart(j int, _ string) found {
	if !p.is(j, "next") {
		return nothing
	}
	f := found{to: j + 2, ok: true}
	switch u, ok := units[p.word(j+1)]; {
	case !ok:
		return nothing
	case u == week:
		f.date = monday(p.today).AddDate(0, 0, 7)
	case u == month:
		f.date = addMonths(monthStart(p.today), 1)
	case u == quarter:
		f.date = addMonths(quarterStart(p.today), 3)
	case u == year:
		f.date = time.Date(p.today.Year()+1, 1, 1, 0, 0, 0, 0, time.UTC)
	default:
		return nothing
	}
	if p.titleCase(j + 1) {
		f.need = hard
	}
	return f
}

func quarterStart(t time.Time) time.Time {
	return monthStart(t).AddDate(0, -((int(t.Month()) - 1) % 3), 0)
}

// weekend reads "this weekend", "next weekend", "on the weekend", "at the weekend": its Saturday, or today on a Sunday.
func (p *parser) weekend(j int, lead string) found {
	saturday := monday(p.today).AddDate(0, 0, 5)
	f := found{ok: true, date: saturday}
	if saturday.Before(p.today) {
		f.date = p.today
	}
	switch {
	case p.is(j, "this") && p.is(j+1, "weekend"):
		f.to = j + 2
	case p.is(j, "next") && p.is(j+1, "weekend"):
		f.to, f.date = j+2, saturday.AddDate(0, 0, 7)
	case lead != "" && p.is(j, "the") && p.is(j+1, "weekend"):
		f.to = j + 2
	case lead == "" && p.skip(j, "at", "the", "weekend") > j:
		f.to, f.need = j+3, soft
	default:
		return nothing
	}
	return f
}

// ends are the short words for the end of a period.
var ends = map[string]unit{"eod": day, "eow": week, "eom": month, "eoy": year}

// periodEnd reads "end of month", "end of the week", "end of next month", "eom": the last day. Behind a
// preposition the article may stand first: "by the end of the month".
func (p *parser) periodEnd(j int, _ string) found {
	if u, ok := ends[p.word(j)]; ok {
		return found{to: j + 1, ok: true, need: soft, date: p.lastDay(p.today, u)}
	}
	k := p.skip(j, "at")
	if p.is(k, "the") {
		k++
	}
	to := p.skip(k, "end", "of")
	if to == k {
		return nothing
	}
	from, next := p.today, p.is(to, "next")
	if p.is(to, "the", "this", "next") {
		to++
	}
	u, ok := units[p.word(to)]
	if !ok || u < day {
		return nothing
	}
	if next {
		// From the first of the month: a month after the 31st has to stay the next one.
		from = addUnits(monthStart(from), 1, u)
		if u == day || u == week {
			from = addUnits(p.today, 1, u)
		}
	}
	return found{to: to + 1, ok: true, need: soft, date: p.lastDay(from, u)}
}

// lastDay returns the last day of the period around t; the week ends on Sunday.
func (p *parser) lastDay(t time.Time, u unit) time.Time {
	switch u {
	case week:
		return monday(t).AddDate(0, 0, 6)
	case month:
		return addMonths(monthStart(t), 1).AddDate(0, 0, -1)
	case quarter:
		return addMonths(quarterStart(t), 3).AddDate(0, 0, -1)
	case year:
		return time.Date(t.Year(), 12, 31, 0, 0, 0, 0, time.UTC)
	}
	return t
}

// inAmount reads "in 3 days", "in 45 min", "in a week", "3 days from now" and the sum in "in 1 hour 30 minutes".
func (p *parser) inAmount(j int, lead string) found {
	k := p.skip(j, "in")
	parts, to, ok := p.amounts(k)
	if !ok {
		return nothing
	}
	f := found{to: to, ok: true}
	if end := max(p.skip(to, "from", "now"), p.skip(to, "from", "today")); end > to {
		f.to = end
	} else if k == j || lead != "" || p.is(j-1, "once", "twice", "times") || p.is(j-1, "back") && p.is(k, "a", "an") || p.is(to, "of", "or", "flat") {
		return nothing
	} else {
		f.to = p.skip(to, "time") // "in 3 weeks' time"
	}
	if p.is(k, "a", "an") || parts[len(parts)-1].n > 1 && !strings.HasSuffix(unowned(p.word(to-1)), "s") {
		f.need = soft // "in 30 min batches"
	}
	f.date, f.clock = p.later(parts)
	return f
}

// part is a number of one unit in a sum of them.
type part struct {
	n int
	u unit
}

// halves are what "and a half" adds to a unit. Half a week and half a month are not said to the day.
var halves = map[unit]part{hour: {30, minute}, day: {12, hour}, year: {6, month}}

// amounts reads an amount at j and those of ever smaller units behind it: "1h 30m", "2 days, 3 hours and 5 minutes",
// "an hour and a half". It fails where the first is none or written like a name, and for the half of a unit without one.
func (p *parser) amounts(j int) (parts []part, to int, ok bool) {
	n, u, to, ok := p.amount(j)
	if !ok || p.titleCase(to-1) || n == 0 {
		return nil, 0, false
	}
	parts = []part{{n, u}}
	if end := p.skip(to, "and", "a", "half"); end > to {
		half, ok := halves[u]
		return append(parts, half), end, ok
	}
	for {
		k := to
		if p.comma(k) {
			k++
		}
		joined := p.is(k, "and", "&")
		if joined {
			k++
		}
		n, smaller, end, ok := p.amount(k)
		switch {
		case !ok || smaller >= u || p.titleCase(end-1):
			return parts, to, true
		case p.is(end, "of") || !joined && p.is(k, "a", "an"): // "in 2 days 3 hours of work", "in 2 weeks a day trip"
			return parts, to, true
		}
		parts, u, to = append(parts, part{n, smaller}), smaller, end
	}
}

// later returns the day, and with hours or minutes the time, that far from now: days by the calendar, then hours as
// they elapse.
func (p *parser) later(parts []part) (time.Time, clock) {
	date, elapsed, timed := p.today, time.Duration(0), false
	for _, x := range parts {
		switch x.u {
		case minute:
			elapsed, timed = elapsed+time.Duration(x.n)*time.Minute, true
		case hour:
			elapsed, timed = elapsed+time.Duration(x.n)*time.Hour, true
		default:
			date = addUnits(date, x.n, x.u)
		}
	}
	if !timed {
		return date, clock{}
	}
	t := p.real // itself, where it is still today: the wall alone does not tell which of two 02:30 it is
	if !date.Equal(p.today) {
		t = time.Date(date.Year(), date.Month(), date.Day(), t.Hour(), t.Minute(), t.Second(), 0, t.Location())
	}
	t = t.Add(elapsed)
	y, m, d := t.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC), clock{minutes: t.Hour()*60 + t.Minute(), set: true, exact: true}
}
