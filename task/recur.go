package task

import "time"

// rule is a pattern with a start. It thinks in days since 1 January 1970 of a calendar without time zones: no pattern
// repeats more than once a day, so a slot is a day, and the time of day is the same for all of them.
//
// RFC 5545 §3.3.10 looks at one period after the other (a day, week, month or year, INTERVAL apart), collects the
// days of it that fit all BY parts, and lets BYSETPOS choose among them. A period is found by arithmetic from its
// index, so that no step costs more for having started long ago; and as the calendar repeats every 400 years, so does
// what the periods contain.
type rule struct {
	Pattern
	// day is that of the start; it lies in period 0.
	day int64
	// found is the work space of days.
	found []int64
}

// cycleYears is how long it takes the calendar, weekdays included, to repeat: 4800 months, 20871 weeks.
const cycleYears = 400

// noLimit is a day that no search reaches.
const noLimit = int64(1) << 60

// lastDay is 31 December 9999.
const lastDay = 2932896

// from returns the pattern as it runs from the day of a start: what the parts leave open is taken from there.
func (p Pattern) from(day int64) *rule {
	r := &rule{Pattern: p, day: day}
	start := dateOf(day)
	if p.monthDays.any || p.weekdays.any || p.yearDays.any {
		return r
	}
	switch {
	case p.freq == weekly || p.weekNumbers.any:
		r.weekdays.add(0, time.Weekday(start.weekday))
	case p.freq == yearly && !p.months.any:
		r.months.add(start.month)
		fallthrough
	case p.freq >= monthly:
		r.monthDays.add(start.day)
	}
	return r
}

// next returns the first day of the rule from day on, up to limit; none is found in one cycle if there is none at all.
func (r *rule) next(day, limit int64) (int64, bool) {
	k := max(0, r.index(day))
	for range r.cycle() + 1 {
		if start, _ := r.period(k); start > limit {
			return 0, false
		}
		for _, d := range r.days(k) {
			if d >= day {
				return d, d <= limit
			}
		}
		k++
	}
	return 0, false
}

// count returns how many days of the rule lie from first to last, both included, neither before the start's period.
func (r *rule) count(first, last int64) int {
	if last < first {
		return 0
	}
	a, b := r.index(first), r.index(last)
	n := 0
	for _, d := range r.days(a) {
		if d < first {
			n--
		}
	}
	for _, d := range r.days(b) {
		if d > last {
			n--
		}
	}
	if cycle := r.cycle(); b-a >= 2*cycle {
		cycles := (b - a) / cycle
		n += int(cycles) * r.total(a, a+cycle)
		a += cycles * cycle
	}
	return n + r.total(a, b+1)
}

// total counts the days of the rule in the periods from a up to but without b.
func (r *rule) total(a, b int64) int {
	n := 0
	for k := a; k < b; k++ {
		n += len(r.days(k))
	}
	return n
}

// cycle returns after how many periods the rule repeats itself.
func (r *rule) cycle() int64 {
	units := [...]int64{daily: 20871 * 7, weekly: 20871, monthly: 12 * cycleYears, yearly: cycleYears}[r.freq]
	return units / gcd(units, int64(r.interval))
}

// period returns the first day of the period with index k and the day after its last.
func (r *rule) period(k int64) (start, end int64) {
	n := k * int64(r.interval)
	switch r.freq {
	case daily:
		return r.day + n, r.day + n + 1
	case weekly:
		start = r.weekOf(r.day) + 7*n
		return start, start + 7
	case monthly:
		first := dateOf(r.day)
		return dayOf(first.year, first.month+int(n), 1), dayOf(first.year, first.month+int(n)+1, 1)
	}
	year := r.yearOf(r.day) + int(n)
	return r.yearStart(year), r.yearStart(year + 1)
}

// index returns the last period that does not begin after day.
func (r *rule) index(day int64) int64 {
	var units int64
	switch r.freq {
	case daily:
		units = day - r.day
	case weekly:
		units = floorDiv(day-r.weekOf(r.day), 7)
	case monthly:
		from, to := dateOf(r.day), dateOf(day)
		units = int64(12*(to.year-from.year) + to.month - from.month)
	case yearly:
		units = int64(r.yearOf(day) - r.yearOf(r.day))
	}
	return floorDiv(units, int64(r.interval))
}

// weekOf returns the first day of the week that day is in (RFC 5545 WKST).
func (r *rule) weekOf(day int64) int64 {
	return day - int64(weekdayOf(day)+7-int(r.weekStart))%7
}

// yearStart returns the first day of a year. A rule with BYWEEKNO sees years of whole weeks, of which the first has
// at least four days in the new year, so always 4 January.
func (r *rule) yearStart(year int) int64 {
	if r.weekNumbers.any {
		return r.weekOf(dayOf(year, 1, 4))
	}
	return dayOf(year, 1, 1)
}

// yearOf returns the year that day is in, which may be one of whole weeks.
func (r *rule) yearOf(day int64) int {
	year := dateOf(day).year
	switch {
	case day < r.yearStart(year):
		return year - 1
	case day >= r.yearStart(year+1):
		return year + 1
	}
	return year
}

// days returns the days of period k that the rule has, in order, until the next call.
func (r *rule) days(k int64) []int64 {
	start, end := r.period(k)
	r.found = r.found[:0]
	at := dateOf(start)
	for d := start; d < end; d++ {
		if r.fits(&at) && (!r.weekNumbers.any || r.weekNumbers.hasOf(int(d-start)/7+1, int(end-start)/7)) {
			r.found = append(r.found, d)
		}
		at.advance()
	}
	if !r.positions.any {
		return r.found
	}
	chosen, total := 0, len(r.found)
	for i, d := range r.found {
		if r.positions.hasOf(i+1, total) {
			r.found[chosen] = d
			chosen++
		}
	}
	return r.found[:chosen]
}

// fits tells whether a day satisfies each BY part but BYWEEKNO and BYSETPOS, which depend on the period.
func (r *rule) fits(at *date) bool {
	if r.months.any && !r.months.has(at.month) {
		return false
	}
	if r.monthDays.any && !r.monthDays.hasOf(at.day, at.monthDays) && !r.clamps(at) {
		return false
	}
	if r.yearDays.any && !r.yearDays.hasOf(at.yearDay, at.yearDays) {
		return false
	}
	if !r.weekdays.any {
		return true
	}
	if r.freq == yearly && !r.months.any {
		return r.weekdays.hasOf(at.weekday, at.yearDay, at.yearDays)
	}
	return r.weekdays.hasOf(at.weekday, at.day, at.monthDays)
}

// clamps tells whether a day stands in, as the last of its month, for the start's day which that month lacks.
func (r *rule) clamps(at *date) bool {
	if !r.clamp || at.day != at.monthDays {
		return false
	}
	for day := at.day + 1; day <= 31; day++ {
		if r.monthDays.has(day) {
			return true
		}
	}
	return false
}

// date is a day of the calendar with all that BY parts ask for, each counted from 1 but weekday (Sunday is 0).
type date struct {
	year, month, day, monthDays, yearDay, yearDays, weekday int
}

func dateOf(day int64) date {
	year, month, d := wallTime(day * secondsOfDay).Date()
	before := daysBefore[month-1]
	if month > time.February && isLeap(year) {
		before++
	}
	return date{
		year: year, month: int(month), day: d, monthDays: daysIn(year, int(month)),
		yearDay: before + d, yearDays: daysInYear(year), weekday: weekdayOf(day),
	}
}

// daysBefore is how many days of a common year lie before each month.
var daysBefore = [...]int{0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334}

// advance moves to the next day.
func (d *date) advance() {
	d.day++
	d.yearDay++
	if d.weekday++; d.weekday == 7 {
		d.weekday = 0
	}
	if d.day <= d.monthDays {
		return
	}
	d.day = 1
	if d.month++; d.month == 13 {
		d.year, d.month, d.yearDay = d.year+1, 1, 1
		d.yearDays = daysInYear(d.year)
	}
	d.monthDays = daysIn(d.year, d.month)
}

// dayOf returns the day of a date; a month beyond 12 is one of a later year.
func dayOf(year, month, day int) int64 {
	return floorDiv(time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC).Unix(), secondsOfDay)
}

// weekdayOf returns 0 for a Sunday; 1 January 1970 was a Thursday.
func weekdayOf(day int64) int { return int(day + 4 - 7*floorDiv(day+4, 7)) }

func isLeap(year int) bool { return year%4 == 0 && (year%100 != 0 || year%400 == 0) }

func daysInYear(year int) int {
	if isLeap(year) {
		return 366
	}
	return 365
}

func daysIn(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		return daysInYear(year) - 337
	}
	return 31
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
