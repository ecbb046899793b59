package quick

import (
	"slices"
	"strings"
	"time"
)

// repeat matches a repetition: "every …", "daily", "on mondays".
func (p *parser) repeat(i int) (phrase, bool) {
	if r, ok := plainRepeats[p.word(i)]; ok {
		prev := p.word(i - 1)
		if determiners[prev] || relations[prev] || p.is(i-1, "twice", "once", "times", "thrice") {
			return phrase{}, false
		}
		to, suffixed := p.suffix(i+1, &r)
		need := soft
		if suffixed {
			need = open
		}
		return phrase{to: to, kind: KindRepeat, need: need, rule: &r}, true
	}
	if p.is(i, "on") && has(plurals, p.word(i+1)) {
		days, to := p.weekdayList(i + 1)
		return phrase{to: to, kind: KindRepeat, need: soft, rule: &rule{freq: "WEEKLY", interval: 1, days: days}}, true
	}
	if r, to := p.ofEveryMonth(i); r != nil {
		return phrase{to: to, kind: KindRepeat, rule: r}, true
	}
	if !p.is(i, "every") {
		return phrase{}, false
	}
	for _, form := range everyForms {
		if r, to := form(p, i+1); r != nil {
			return p.every(i, to, r), true
		}
	}
	return phrase{}, false
}

// ofEveryMonth reads "on the 1st of every month", "last friday of each month".
func (p *parser) ofEveryMonth(i int) (*rule, int) {
	r, to := p.inMonth(p.skip(p.skip(i, "on"), "the"))
	if r == nil || !p.is(to, "of") || !p.is(to+1, "every", "each") || !p.is(to+2, "month") {
		return nil, 0
	}
	return r, to + 3
}

// every makes the phrase of a rule, with the part of the day behind it. A unit written like a name has to end
// the phrase: "Every Day Carry".
func (p *parser) every(i, to int, r *rule) phrase {
	ph := phrase{to: to, kind: KindRepeat, rule: r}
	if part := p.word(to); has(dayparts, part) {
		ph.to++
		r.clock = clock{minutes: dayparts[part], set: true, part: part}
	}
	for k := i + 1; k < ph.to; k++ {
		if p.titleCase(k) && !has(weekdays, p.word(k)) && !has(months, p.word(k)) && p.titleCase(i) {
			ph.need = soft
		}
	}
	return ph
}

// everyForms are what may stand behind "every", tried in this order.
var everyForms = []func(p *parser, j int) (*rule, int){
	(*parser).everyNthOfMonth, (*parser).everyDate, (*parser).everyUnit, (*parser).everyWeekdays,
	(*parser).everyNthWeekday, (*parser).everyMonthDay, (*parser).everyDaypart,
}

// maxInterval is the longest interval read: more is hardly meant.
const maxInterval = 999

// everyUnit reads "day", "other week", "3 months", "second year", with the days behind: "month on the 1st".
func (p *parser) everyUnit(j int) (*rule, int) {
	n := 1
	if p.is(j, "single") {
		j++
	} else if p.is(j, "other", "second") {
		n, j = 2, j+1
	} else if k, ok := number(p.word(j)); ok {
		n, j = k, j+1
	} else if k, ok := nth(p.word(j)); ok {
		n, j = k, j+1
	} else if k := ordinals[p.word(j)]; k > 0 {
		n, j = k, j+1
	}
	r := &rule{interval: n}
	switch u, ok := units[p.word(j)]; {
	case !ok || u < day || n < 1 || n > maxInterval:
		return nil, 0
	case u == day:
		r.freq = "DAILY"
	case u == week:
		r.freq = "WEEKLY"
	case u == month:
		r.freq = "MONTHLY"
	case u == quarter:
		r.freq, r.interval, r.quarter = "MONTHLY", 3*n, true
	case u == year:
		r.freq = "YEARLY"
	}
	to, _ := p.suffix(j+1, r)
	return r, to
}

// suffix reads the days of a weekly, monthly or yearly rule at j: "on mon and thu", "on the last friday",
// "on dec 24". It returns j where there are none.
func (p *parser) suffix(j int, r *rule) (int, bool) {
	k := p.skip(j, "on")
	switch r.freq {
	case "WEEKLY":
		if k == j {
			return j, false
		}
		if days, to := p.weekdayList(k); days != nil {
			r.days = days
			return to, true
		}
	case "MONTHLY":
		if k == j && !p.is(j, "the") {
			return j, false
		}
		if found, to := p.inMonth(p.skip(k, "the")); found != nil {
			r.days, r.dates, r.pick = found.days, found.dates, found.pick
			return to, true
		}
	case "YEARLY":
		if m, d, to, _ := p.monthDay(k); to > 0 && validYearly(m, d) {
			r.month, r.dates = m, []int{d}
			return to, true
		}
	}
	return j, false
}

// inMonth reads what may stand behind "every month on the": "1st", "1st and 15th", "last day", "2nd tuesday",
// "first workday".
func (p *parser) inMonth(j int) (*rule, int) {
	ns, to := p.ordinalList(j)
	if ns == nil {
		return nil, 0
	}
	r := &rule{freq: "MONTHLY", interval: 1}
	w, named := weekdays[p.word(to)]
	small := !slices.ContainsFunc(ns, func(n int) bool { return n > 5 })
	switch {
	case named && small:
		for _, n := range ns {
			r.days = append(r.days, weekdayOf{n, w})
		}
		return r, to + 1
	case p.is(to, "weekday", "workday") && len(ns) == 1:
		r.days, r.pick = workdays(), ns[0]
		return r, to + 1
	case p.is(to, "day"):
		r.dates = ns
		return r, to + 1
	case named, slices.Contains(ns, -1), has(ordinals, p.word(to-1)):
		return nil, 0
	}
	r.dates = ns
	return r, to
}

// everyNthOfMonth reads "last day of the month", "2nd tuesday of each month", "15th of the month".
func (p *parser) everyNthOfMonth(j int) (*rule, int) {
	r, to := p.inMonth(j)
	if r == nil || !p.is(to, "of") {
		return nil, 0
	}
	to++
	if p.is(to, "the", "each", "every") {
		to++
	}
	if !p.is(to, "month") {
		return nil, 0
	}
	return r, to + 1
}

// everyDate reads "dec 24", "24th of december".
func (p *parser) everyDate(j int) (*rule, int) {
	m, d, to, _ := p.monthDay(j)
	if to == 0 || !validYearly(m, d) {
		return nil, 0
	}
	return &rule{freq: "YEARLY", interval: 1, month: m, dates: []int{d}}, to
}

func validYearly(m time.Month, d int) bool {
	_, ok := ymd(2000, m, d)
	return ok
}

// everyWeekdays reads "monday", "mon and thu", "other friday", "weekday", "weekend".
func (p *parser) everyWeekdays(j int) (*rule, int) {
	r := &rule{freq: "WEEKLY", interval: 1}
	if p.is(j, "other") {
		r.interval, j = 2, j+1
	}
	switch {
	case p.is(j, "weekday", "workday", "weekdays", "workdays"):
		r.days = workdays()
		return r, j + 1
	case p.is(j, "weekend", "weekends"):
		r.days = []weekdayOf{{0, time.Saturday}}
		return r, j + 1
	}
	days, to := p.weekdayList(j)
	if days == nil {
		return nil, 0
	}
	r.days = days
	return r, to
}

// everyNthWeekday reads "2nd tuesday", "last friday", "first workday": of the month.
func (p *parser) everyNthWeekday(j int) (*rule, int) {
	r, to := p.inMonth(j)
	if r == nil || len(r.days) == 0 {
		return nil, 0
	}
	return r, to
}

// everyMonthDay reads "15th", "1st and 15th", where nothing follows that they could count.
func (p *parser) everyMonthDay(j int) (*rule, int) {
	r, to := p.inMonth(j)
	if r == nil || to < len(p.tokens) && p.stopAt(to) == open && !core(p.word(to)) {
		return nil, 0
	}
	return r, to
}

// everyDaypart reads "morning", "evening", "night".
func (p *parser) everyDaypart(j int) (*rule, int) {
	part := p.word(j)
	if !has(dayparts, part) {
		return nil, 0
	}
	return &rule{freq: "DAILY", interval: 1, clock: clock{minutes: dayparts[part], set: true, part: part}}, j + 1
}

// ordinalList reads "1st", "1st and 15th", "first, third" at j, at most 31.
func (p *parser) ordinalList(j int) (ns []int, to int) {
	to = j
	for range 31 {
		p.steps++
		n, ok := nth(p.word(j))
		if !ok {
			n, ok = ordinals[p.word(j)]
		}
		if !ok {
			break
		}
		if !slices.Contains(ns, n) {
			ns = append(ns, n)
		}
		to = j + 1
		j = p.listNext(to)
		if p.is(j, "the") {
			j++
		}
	}
	slices.SortFunc(ns, func(a, b int) int { return (a+32)%32 - (b+32)%32 })
	return ns, to
}

// weekdayList reads "monday", "mon, wed and fri", "mon/thu", "mon-fri" at j: in the order of the week.
func (p *parser) weekdayList(j int) (days []weekdayOf, to int) {
	seen := map[time.Weekday]bool{}
	for range 7 {
		run := weekdayRun(p.word(j))
		if run == nil {
			break
		}
		for _, d := range run {
			seen[d] = true
		}
		to = j + 1
		j = p.listNext(to)
	}
	for k := range 7 {
		if d := time.Weekday((k + 1) % 7); seen[d] {
			days = append(days, weekdayOf{0, d})
		}
	}
	return days, to
}

// listNext returns where the next item of a list may stand: behind a comma, "and", both or neither.
func (p *parser) listNext(j int) int {
	if p.comma(j) {
		j++
	}
	if p.is(j, "and", "&", "+") {
		j++
	}
	return j
}

// weekdayRun reads one word of a list: "mon", "mondays", "mon/thu", "mon-fri".
func weekdayRun(w string) []time.Weekday {
	if d, ok := weekdayName(w); ok {
		return []time.Weekday{d}
	}
	if len(w) > 69 {
		return nil
	}
	if from, to, ok := strings.Cut(w, "-"); ok {
		a, okA := weekdayName(from)
		b, okB := weekdayName(to)
		if !okA || !okB {
			return nil
		}
		run := []time.Weekday{a}
		for a != b {
			a = (a + 1) % 7
			run = append(run, a)
		}
		return run
	}
	var run []time.Weekday
	for _, part := range strings.Split(w, "/") {
		d, ok := weekdayName(part)
		if !ok {
			return nil
		}
		run = append(run, d)
	}
	return run
}

func weekdayName(w string) (time.Weekday, bool) {
	if d, ok := weekdays[w]; ok {
		return d, true
	}
	d, ok := plurals[w]
	return d, ok
}

func workdays() []weekdayOf {
	days := make([]weekdayOf, 0, 5)
	for d := time.Monday; d <= time.Friday; d++ {
		days = append(days, weekdayOf{0, d})
	}
	return days
}

// ending matches the end of a repetition: "until 2027-01-01", "for 5 times", "5 times", "for 3 weeks". It
// counts only with a repetition.
func (p *parser) ending(i int) (phrase, bool) {
	if p.is(i, "until", "till") {
		f := p.longestForm(i+1, "until")
		ok := f.ok && !f.clock.exact && f.date.Year() <= maxYear && f.date.Year() >= minYear
		return phrase{to: f.to, kind: KindEnd, date: f.date, need: loosened(f.need)}, ok
	}
	j := p.skip(i, "for")
	n, ok := number(p.word(j))
	if ok && n > 0 && p.is(j+1, "times", "time") {
		return phrase{to: j + 2, kind: KindEnd, count: n, need: soft}, true
	}
	n, u, to, ok := p.amount(j)
	if j == i || !ok || u < day || n < 1 {
		return phrase{}, false
	}
	return phrase{to: to, kind: KindEnd, count: n, unit: u, span: true, need: soft}, true
}
