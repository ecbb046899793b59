package task

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Words says in English how the pattern repeats: "every 2 weeks on Monday and Friday until 1 January 2027". What the
// pattern takes from the due date is left open; [Pattern.WordsFrom] knows it.
func (p Pattern) Words() string {
	if p.everyWeekday() {
		return "every weekday" + p.at() + p.end()
	}
	return p.every() + p.on() + p.at() + p.end()
}

// WordsFrom says the same of a series that starts with due in the user's zone: "every month on the 31st, or the last
// day". Without a due date it is [Pattern.Words].
func (p Pattern) WordsFrom(due Due, zone *time.Location) string {
	if due.IsZero() {
		return p.Words()
	}
	start := due.wall
	if due.form == DueZoned {
		start = wallOf(due.Instant(zone).In(zone))
	}
	return p.from(floorDiv(start, secondsOfDay)).Words()
}

// workdays tells whether BYDAY is Monday to Friday.
func (p *Pattern) workdays() bool {
	for day := range p.weekdays.on {
		want := uint64(1)
		if day == int(time.Sunday) || day == int(time.Saturday) {
			want = 0
		}
		if on := p.weekdays.on[day]; on.pos != want || on.neg != 0 {
			return false
		}
	}
	return true
}

// everyWeekday tells whether the whole rule is "every weekday".
func (p *Pattern) everyWeekday() bool {
	rest := *p
	rest.weekdays = weekdays{}
	rest.hour, rest.minute, rest.second = clockPart{}, clockPart{}, clockPart{}
	return p.freq <= weekly && p.interval == 1 && p.workdays() && !rest.chooses() && !rest.positions.any
}

func (p *Pattern) every() string {
	unit := [...]string{daily: "day", weekly: "week", monthly: "month", yearly: "year"}[p.freq]
	if p.interval == 1 {
		return "every " + unit
	}
	return fmt.Sprintf("every %d %ss", p.interval, unit)
}

// on says which days of a period are meant.
func (p *Pattern) on() string {
	var b strings.Builder
	days := p.monthDays.all()
	if p.months.any && len(days) == 1 && days[0] > 0 && !p.weekdays.any && !p.yearDays.any && !p.weekNumbers.any {
		dates := each(p.months.all(), func(n int) string { return strconv.Itoa(days[0]) + " " + time.Month(n).String() })
		b.WriteString(" on " + list(dates, "and"))
		if p.clamp && days[0] > 28 {
			b.WriteString(", or the last day of the month")
		}
		return b.String() + p.choice()
	}
	if p.months.any {
		b.WriteString(" in " + list(each(p.months.all(), func(n int) string { return time.Month(n).String() }), "and"))
	}
	if p.weekNumbers.any {
		b.WriteString(" in " + list(each(p.weekNumbers.all(), func(n int) string { return "the " + nth(n) + " week" }), "and"))
	}
	if p.yearDays.any {
		b.WriteString(" on " + list(each(p.yearDays.all(), func(n int) string { return "the " + nth(n) + " day" }), "and") + " of the year")
	}
	if p.monthDays.any {
		b.WriteString(" on " + list(each(days, dayOfMonth), "and"))
		if p.freq == yearly && !p.months.any {
			b.WriteString(" of every month")
		}
		if p.clamp && days[0] > 28 {
			b.WriteString(", or the last day")
		}
	}
	return b.String() + p.onWeekdays() + p.choice()
}

// onWeekdays says BYDAY, which chooses days by itself or limits those that other parts choose.
func (p *Pattern) onWeekdays() string {
	if !p.weekdays.any {
		return ""
	}
	if position := p.positions.all(); len(position) == 1 && p.onlyWeekdays() {
		if name, ok := p.weekdayName(); ok {
			return " on the " + nth(position[0]) + " " + name
		}
	}
	if p.monthDays.any || p.yearDays.any {
		return " if that is " + list(p.weekdayNames("a "), "or")
	}
	if p.workdays() {
		return " on weekdays"
	}
	if p.weekdays.nth {
		words := " on " + list(p.weekdayNames("every "), "and")
		if p.freq == yearly && !p.months.any {
			words += " of the year"
		}
		return words
	}
	return " on " + list(p.weekdayNames(""), "and")
}

// onlyWeekdays tells whether BYDAY, without numbers, is all that BYSETPOS chooses from.
func (p *Pattern) onlyWeekdays() bool {
	return !p.weekdays.nth && !p.monthDays.any && !p.yearDays.any && !p.weekNumbers.any
}

// weekdayName returns the one word, if there is one, for the days of BYDAY.
func (p *Pattern) weekdayName() (string, bool) {
	if p.workdays() {
		return "weekday", true
	}
	names := p.weekdayNames("")
	if len(names) == 7 {
		return "day", true
	}
	return names[0], len(names) == 1
}

// choice says BYSETPOS where onWeekdays did not.
func (p *Pattern) choice() string {
	positions := p.positions.all()
	if len(positions) == 0 {
		return ""
	}
	if p.weekdays.any && len(positions) == 1 && p.onlyWeekdays() {
		if _, ok := p.weekdayName(); ok {
			return ""
		}
	}
	return ", only " + list(each(positions, func(n int) string { return "the " + nth(n) }), "and") + " of these"
}

// at says the time of day where the pattern gives one.
func (p *Pattern) at() string {
	switch {
	case p.hour.set && p.second.set:
		return fmt.Sprintf(" at %02d:%02d:%02d", p.hour.value, p.minute.value, p.second.value)
	case p.hour.set && p.minute.set:
		return fmt.Sprintf(" at %02d:%02d", p.hour.value, p.minute.value)
	case p.hour.set:
		return fmt.Sprintf(" in the hour from %02d:00", p.hour.value)
	case p.minute.set:
		return fmt.Sprintf(" at minute %d", p.minute.value)
	case p.second.set:
		return fmt.Sprintf(" at second %d", p.second.value)
	}
	return ""
}

// end says when the series ends.
func (p *Pattern) end() string {
	if p.times == 1 {
		return ", once"
	}
	if p.times > 1 {
		return fmt.Sprintf(", %d times", p.times)
	}
	last := wallTime(p.until.wall)
	switch p.until.form {
	case untilDate:
		return " until " + last.Format("2 January 2006")
	case untilLocal:
		return " until " + last.Format("2 January 2006, 15:04:05")
	case untilUTC:
		return " until " + last.Format("2 January 2006, 15:04:05 UTC")
	}
	return ""
}

// weekdayNames lists BYDAY from Monday on, with an article before the days without a number.
func (p *Pattern) weekdayNames(article string) []string {
	var names []string
	for i := range 7 {
		day := time.Weekday((i + 1) % 7)
		on := p.weekdays.on[day]
		if on.pos&1 == 1 {
			names = append(names, article+day.String())
		}
		for n := 1; n <= 53; n++ {
			if on.pos>>n&1 == 1 {
				names = append(names, "the "+nth(n)+" "+day.String())
			}
		}
		for n := 53; n >= 1; n-- {
			if on.neg>>n&1 == 1 {
				names = append(names, "the "+nth(-n)+" "+day.String())
			}
		}
	}
	return names
}

// dayOfMonth writes "the 15th", or "the last day" for -1.
func dayOfMonth(n int) string {
	if n < 0 {
		return "the " + nth(n) + " day"
	}
	return "the " + nth(n)
}

// nth writes "1st", "22nd", or for negative numbers "last", "2nd to last".
func nth(n int) string {
	switch {
	case n == -1:
		return "last"
	case n < 0:
		return nth(-n) + " to last"
	case n%100 >= 11 && n%100 <= 13:
		return strconv.Itoa(n) + "th"
	}
	return strconv.Itoa(n) + [...]string{"th", "st", "nd", "rd", "th", "th", "th", "th", "th", "th"}[n%10]
}

// list joins words as English does: "a, b and c".
func list(words []string, and string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " " + and + " " + words[last]
}

func each(numbers []int, word func(int) string) []string {
	words := make([]string, len(numbers))
	for i, n := range numbers {
		words[i] = word(n)
	}
	return words
}
