package task

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/teambition/rrule-go"
	"pgregory.net/rapid"
)

// drawn is a random rule, as its parts and as text.
type drawn struct {
	freq, interval                               int
	wkst                                         time.Weekday
	months, weekNos, yearDays, monthDays, setPos []int
	days                                         []drawnDay
}

type drawnDay struct {
	n   int
	day time.Weekday
}

func (r drawn) String() string {
	parts := []string{
		"FREQ=" + strings.ToUpper(frequencies[r.freq]), fmt.Sprint("INTERVAL=", r.interval), "WKST=" + weekdayCodes[r.wkst],
	}
	add := func(name string, values []int) {
		if len(values) > 0 {
			parts = append(parts, name+"="+strings.Trim(strings.ReplaceAll(fmt.Sprint(values), " ", ","), "[]"))
		}
	}
	add("BYMONTH", r.months)
	add("BYWEEKNO", r.weekNos)
	add("BYYEARDAY", r.yearDays)
	add("BYMONTHDAY", r.monthDays)
	add("BYSETPOS", r.setPos)
	var days []string
	for _, d := range r.days {
		if d.n != 0 {
			days = append(days, fmt.Sprint(d.n)+weekdayCodes[d.day])
		} else {
			days = append(days, weekdayCodes[d.day])
		}
	}
	if len(days) > 0 {
		parts = append(parts, "BYDAY="+strings.Join(days, ","))
	}
	return "RRULE:" + strings.Join(parts, ";")
}

// drawRule draws a rule with the parts that its frequency may have, each in about every third rule.
func drawRule(t *rapid.T) drawn {
	sometimes := func(name string) bool { return rapid.IntRange(0, 2).Draw(t, name+"?") == 0 }
	signed := func(name string, limit, most int) []int {
		if !sometimes(name) {
			return nil
		}
		number := rapid.IntRange(-limit, limit).Filter(func(n int) bool { return n != 0 })
		return rapid.SliceOfN(number, 1, most).Draw(t, name)
	}
	r := drawn{
		freq: rapid.IntRange(0, 3).Draw(t, "freq"), interval: rapid.SampledFrom([]int{1, 1, 1, 2, 3, 7, 13}).Draw(t, "interval"),
		wkst: time.Weekday(rapid.SampledFrom([]int{1, 1, 0, 3, 6}).Draw(t, "wkst")),
	}
	if sometimes("months") {
		r.months = rapid.SliceOfNDistinct(rapid.IntRange(1, 12), 1, 4, rapid.ID).Draw(t, "months")
	}
	if frequency(r.freq) == yearly {
		r.weekNos = signed("weekNos", 53, 5)
		r.yearDays = signed("yearDays", 366, 40)
	}
	if frequency(r.freq) != weekly {
		r.monthDays = signed("monthDays", 31, 8)
	}
	if sometimes("days") {
		most := 0
		if frequency(r.freq) >= monthly && len(r.weekNos) == 0 && sometimes("nth") {
			most = 5
		}
		r.days = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) drawnDay {
			return drawnDay{n: rapid.IntRange(-most, most).Draw(t, "n"), day: time.Weekday(rapid.IntRange(0, 6).Draw(t, "day"))}
		}), 1, 4).Draw(t, "days")
	}
	if len(r.months)+len(r.weekNos)+len(r.yearDays)+len(r.monthDays)+len(r.days) > 0 {
		r.setPos = signed("setPos", 6, 3)
	}
	return r
}

func drawStart(t *rapid.T) time.Time {
	return time.Date(rapid.IntRange(1970, 2100).Draw(t, "year"), 1, 1+rapid.IntRange(0, 365).Draw(t, "yearDay"), 0, 0, 0, 0, time.UTC)
}

// slotsOf lists what the rule under test has in the given days after start.
func slotsOf(r *rule, start time.Time, days int) []string {
	var slots []string
	first := floorDiv(start.Unix(), secondsOfDay)
	for d, ok := r.next(first+1, first+int64(days)); ok; d, ok = r.next(d+1, first+int64(days)) {
		slots = append(slots, wallTime(d*secondsOfDay).Format(dateLayout))
	}
	return slots
}

// Every rule must have just the days that the words of RFC 5545 §3.3.10, applied to one day after the other, give it.
//
// [Task]: T045
func TestRuleAgainstOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, start := drawRule(t), drawStart(t)
		p, err := ParsePattern(r.String())
		if err != nil {
			if errors.Is(err, errNever) {
				return
			}
			t.Fatalf("%s: %v", r, err)
		}
		days := 3000
		if frequency(r.freq) == yearly {
			days = 9000
		}
		want := r.oracle(start, days)
		rule := p.from(floorDiv(start.Unix(), secondsOfDay))
		if got := slotsOf(rule, start, days); !slices.Equal(got, want) {
			t.Fatalf("%s from %s has\n%v, want\n%v", r, start.Format(dateLayout), got, want)
		}
		if got := rule.count(rule.day+1, rule.day+int64(days)); got != len(want) {
			t.Fatalf("%s from %s counts %d, want %d", r, start.Format(dateLayout), got, len(want))
		}
	})
}

// oracle looks at every day: is its period one of those the interval hits, does it satisfy all parts, is it chosen?
func (r drawn) oracle(start time.Time, days int) []string {
	r = r.completed(start)
	from, _ := r.period(start)
	periods := map[int][]time.Time{}
	var order []int
	for i := -400; i <= days+400; i++ {
		day := start.AddDate(0, 0, i)
		n, weeks := r.period(day)
		if (n-from)%r.interval == 0 && r.satisfied(day, weeks) {
			if len(periods[n]) == 0 {
				order = append(order, n)
			}
			periods[n] = append(periods[n], day)
		}
	}
	var slots []string
	for _, n := range order {
		set := periods[n]
		for i, day := range set {
			chosen := len(r.setPos) == 0 || slices.Contains(r.setPos, i+1) || slices.Contains(r.setPos, i-len(set))
			if chosen && day.After(start) && !day.After(start.AddDate(0, 0, days)) {
				slots = append(slots, day.Format(dateLayout))
			}
		}
	}
	return slots
}

// completed takes from the start what the rule leaves open.
func (r drawn) completed(start time.Time) drawn {
	if len(r.days)+len(r.monthDays)+len(r.yearDays) > 0 {
		return r
	}
	if frequency(r.freq) == weekly || len(r.weekNos) > 0 {
		r.days = []drawnDay{{day: start.Weekday()}}
	} else if frequency(r.freq) == monthly || frequency(r.freq) == yearly {
		r.monthDays = []int{start.Day()}
		if frequency(r.freq) == yearly && len(r.months) == 0 {
			r.months = []int{int(start.Month())}
		}
	}
	return r
}

// period numbers the periods; of a rule with BYWEEKNO also the day's week, from the start and from the end of the year.
func (r drawn) period(day time.Time) (n int, weeks []int) {
	epoch := time.Date(1900, 1, 7, 0, 0, 0, 0, time.UTC) // a Sunday
	switch frequency(r.freq) {
	case daily:
		return int(day.Sub(epoch) / (24 * time.Hour)), nil
	case weekly:
		return int(day.Sub(epoch.AddDate(0, 0, int(r.wkst)))/(24*time.Hour)) / 7, nil
	case monthly:
		return 12*day.Year() + int(day.Month()), nil
	}
	if len(r.weekNos) == 0 {
		return day.Year(), nil
	}
	year, week := r.week(day)
	last := 0 // the week of a day late in that year of whole weeks
	for i := range 14 {
		if y, w := r.week(time.Date(year, 12, 22+i, 0, 0, 0, 0, time.UTC)); y == year {
			last = w
		}
	}
	return year, []int{week, week - last - 1}
}

// week is time.ISOWeek for any first day of the week: the week's fourth day says which year it belongs to.
func (r drawn) week(day time.Time) (year, week int) {
	fourth := day.AddDate(0, 0, 3-(int(day.Weekday())-int(r.wkst)+7)%7)
	return fourth.Year(), (fourth.YearDay()-1)/7 + 1
}

func (r drawn) satisfied(day time.Time, weeks []int) bool {
	among := func(list []int, values ...int) bool {
		return len(list) == 0 || slices.ContainsFunc(values, func(v int) bool { return slices.Contains(list, v) })
	}
	year := time.Date(day.Year()+1, 1, 0, 0, 0, 0, 0, time.UTC).YearDay()
	month := time.Date(day.Year(), day.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
	return among(r.months, int(day.Month())) && among(r.weekNos, weeks...) &&
		among(r.yearDays, day.YearDay(), day.YearDay()-year-1) && among(r.monthDays, day.Day(), day.Day()-month-1) &&
		(len(r.days) == 0 || slices.ContainsFunc(r.days, func(d drawnDay) bool { return r.isDay(d, day) }))
}

// isDay counts the same weekdays in the day's month or year before and after it.
func (r drawn) isDay(d drawnDay, day time.Time) bool {
	if d.day != day.Weekday() {
		return false
	}
	inYear := frequency(r.freq) == yearly && len(r.months) == 0
	rank := func(step int) int {
		n := 0
		for at := day; at.Year() == day.Year() && (inYear || at.Month() == day.Month()); at = at.AddDate(0, 0, step) {
			n++
		}
		return n
	}
	return d.n == 0 || d.n > 0 && d.n == rank(-7) || d.n < 0 && -d.n == rank(7)
}

// The rules that rrule-go, another implementation of RFC 5545, gets right must come out the same here.
//
// [Task]: T045
func TestRuleAgainstLibrary(t *testing.T) {
	codes := map[time.Weekday]rrule.Weekday{0: rrule.SU, 1: rrule.MO, 2: rrule.TU, 3: rrule.WE, 4: rrule.TH, 5: rrule.FR, 6: rrule.SA}
	rapid.Check(t, func(t *rapid.T) {
		r, start := drawRule(t), drawStart(t)
		numbered := slices.ContainsFunc(r.days, func(d drawnDay) bool { return d.n != 0 })
		if numbered && slices.ContainsFunc(r.days, func(d drawnDay) bool { return d.n == 0 }) {
			t.Skip("the library takes MO,2TU for days that are both")
		}
		if frequency(r.freq) == weekly && len(r.setPos) > 0 {
			t.Skip("the library lets the first week begin with the start")
		}
		if len(r.weekNos) > 0 {
			t.Skip("the library cuts weeks at the end of the year")
		}
		p, err := ParsePattern(r.String())
		if err != nil {
			t.Skip("never comes")
		}
		option := rrule.ROption{
			Freq: rrule.Frequency(int(yearly) - r.freq), Dtstart: start, Interval: r.interval, Wkst: codes[r.wkst],
			Bymonth: r.months, Byyearday: r.yearDays, Bymonthday: r.monthDays, Bysetpos: r.setPos,
			Until: start.AddDate(0, 0, 4000),
		}
		for _, d := range r.days {
			code := codes[d.day]
			option.Byweekday = append(option.Byweekday, code.Nth(d.n))
		}
		library, err := rrule.NewRRule(option)
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for _, at := range library.All() {
			if at.After(start) {
				want = append(want, at.Format(dateLayout))
			}
		}
		if got := slotsOf(p.from(floorDiv(start.Unix(), secondsOfDay)), start, 4000); !slices.Equal(got, want) {
			t.Fatalf("%s from %s has\n%v, want\n%v", r, start.Format(dateLayout), got, want)
		}
	})
}

// Counting by whole cycles of the calendar must agree with counting one by one.
func TestCountOverCycles(t *testing.T) {
	for _, s := range []string{
		"daily", "monthly", "RRULE:FREQ=DAILY;INTERVAL=3;BYDAY=MO,TU", "RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,WE;BYMONTH=2",
		"RRULE:FREQ=MONTHLY;INTERVAL=5;BYDAY=-1FR", "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "RRULE:FREQ=YEARLY;INTERVAL=3;BYWEEKNO=53;BYDAY=MO",
	} {
		p, err := ParsePattern(s)
		if err != nil {
			t.Fatal(err)
		}
		const start, last = 30, 700_000 // almost 2000 years: one to four cycles
		r, want := p.from(start), 0
		for d, ok := r.next(start+1, last); ok; d, ok = r.next(d+1, last) {
			want++
		}
		if got := r.count(start+1, last); got != want {
			t.Errorf("%s counts %d days, want %d", s, got, want)
		}
	}
}

// No search looks at more days than a cycle of the calendar has, whatever the frequency and the interval.
func TestWorkIsBounded(t *testing.T) {
	for freq, longest := range []int64{daily: 1, weekly: 7, monthly: 31, yearly: 371} {
		for interval := 1; interval <= MaxInterval; interval++ {
			p := Pattern{freq: frequency(freq), interval: interval, weekStart: time.Monday}
			p.weekNumbers.any = p.freq == yearly
			r := p.from(0)
			if work := r.cycle() * longest; work > 150_000 {
				t.Fatalf("every %d of %s costs %d days", interval, frequencies[freq], work)
			}
			start, end := r.period(r.cycle())
			first, after := r.period(0)
			if (start-first)%146097 != 0 || end-start != after-first {
				t.Fatalf("every %d of %s does not repeat after %d periods", interval, frequencies[freq], r.cycle())
			}
		}
	}
}
