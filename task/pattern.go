package task

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Limits of a pattern. They leave room for every rule that people use, and keep each one small and quick.
const (
	// MaxPattern is the length of a pattern in bytes.
	MaxPattern = 1000
	// MaxInterval is the largest INTERVAL.
	MaxInterval = 9999
	// MaxCount is the largest COUNT.
	MaxCount = 1_000_000
)

// Pattern is how a task repeats: one of the words daily, weekly, monthly and yearly, or a recurrence rule of RFC 5545
// §3.3.10. The zero Pattern is none. Get one from [ParsePattern].
type Pattern struct {
	text string
	// clamp moves days that a month lacks to its last one, as the plain words do; a rule leaves them out.
	clamp     bool
	freq      frequency
	interval  int
	weekStart time.Weekday
	times     int // COUNT; 0 is without end
	until     until

	months, weekNumbers, yearDays, monthDays, positions numbers
	weekdays                                            weekdays
	hour, minute, second                                clockPart
}

// frequency is the length of the periods that a pattern looks at.
type frequency int

const (
	daily frequency = iota
	weekly
	monthly
	yearly
)

var frequencies = []string{"daily", "weekly", "monthly", "yearly"}

// numbers is a set of numbers from -366 to 366; negative ones count from the end.
type numbers struct {
	any      bool
	pos, neg [6]uint64
}

func (s *numbers) add(n int) {
	s.any = true
	if n < 0 {
		s.neg[-n/64] |= 1 << (-n % 64)
	} else {
		s.pos[n/64] |= 1 << (n % 64)
	}
}

func (s *numbers) has(n int) bool {
	if n < 0 {
		return s.neg[-n/64]>>(-n%64)&1 == 1
	}
	return s.pos[n/64]>>(n%64)&1 == 1
}

// hasOf tells whether the set names the nth of total, from the start or from the end.
func (s *numbers) hasOf(n, total int) bool { return s.has(n) || s.has(n-total-1) }

// all lists the set: from the start first, each in the order of the calendar.
func (s *numbers) all() []int {
	var list []int
	for n := range 367 {
		if s.has(n) {
			list = append(list, n)
		}
	}
	for n := -366; n < 0; n++ {
		if s.has(n) {
			list = append(list, n)
		}
	}
	return list
}

// weekdays says for each weekday whether all of them are meant (0 is in the set) or which of the month or year.
type weekdays struct {
	any, nth bool
	on       [7]struct{ pos, neg uint64 }
}

func (w *weekdays) add(n int, day time.Weekday) {
	w.any, w.nth = true, w.nth || n != 0
	if n < 0 {
		w.on[day].neg |= 1 << -n
	} else {
		w.on[day].pos |= 1 << n
	}
}

// hasOf tells whether day is in the set, as the nth of total days of a month or year.
func (w *weekdays) hasOf(day, n, total int) bool {
	on := &w.on[day]
	return on.pos&1 == 1 || on.pos>>((n-1)/7+1)&1 == 1 || on.neg>>((total-n)/7+1)&1 == 1
}

// clockPart is BYHOUR, BYMINUTE or BYSECOND, of which one value at most is accepted.
type clockPart struct {
	set   bool
	value int
}

// until is the last moment of a series: a day, a local time or an instant (RFC 5545 §3.3.10 UNTIL).
type until struct {
	form untilForm
	wall int64
}

type untilForm int

const (
	endless untilForm = iota
	untilDate
	untilLocal
	untilUTC
)

var (
	errPatternForm = errors.New(`must be daily, weekly, monthly, yearly or a rule such as "RRULE:FREQ=WEEKLY;BYDAY=MO,FR"`)
	errNever       = errors.New("never comes: no date fits all parts of the rule; leave one out")
)

// ParsePattern reads a plain word or "RRULE:" with a recurrence rule (RFC 5545 §3.3.10). It refuses rules that repeat
// more than once a day, rules that fit no date at all, and what the RFC forbids; the error says what to do.
//
// Whatever it accepts is bounded: the calendar repeats after 400 years, so looking at one such cycle finds the next
// occurrence or shows that there is none.
func ParsePattern(s string) (Pattern, error) {
	if f := slices.Index(frequencies, s); f >= 0 {
		return Pattern{text: s, clamp: true, freq: frequency(f), interval: 1, weekStart: time.Monday}, nil
	}
	if len(s) > MaxPattern {
		return Pattern{}, fmt.Errorf("must not be longer than %d characters", MaxPattern)
	}
	rule, ok := strings.CutPrefix(strings.ToUpper(s), "RRULE:")
	if !ok {
		return Pattern{}, errPatternForm
	}
	p := Pattern{text: s, freq: -1, interval: 1, weekStart: time.Monday}
	seen := map[string]bool{}
	for part := range strings.SplitSeq(rule, ";") {
		name, value, ok := strings.Cut(part, "=")
		if !ok || value == "" {
			return Pattern{}, fmt.Errorf("%q must be NAME=VALUE; the parts of a rule are separated by one semicolon", part)
		}
		if seen[name] {
			return Pattern{}, fmt.Errorf("%s may occur once only; list its values with commas", name)
		}
		seen[name] = true
		if err := p.setPart(name, value); err != nil {
			return Pattern{}, err
		}
	}
	if err := p.check(); err != nil {
		return Pattern{}, err
	}
	return p, nil
}

// setPart reads one part of a rule, in upper case.
func (p *Pattern) setPart(name, value string) (err error) {
	switch name {
	case "FREQ":
		if p.freq = frequency(slices.Index(frequencies, strings.ToLower(value))); p.freq < 0 {
			return fmt.Errorf("FREQ %q is not supported: use DAILY, WEEKLY, MONTHLY or YEARLY", value)
		}
	case "INTERVAL":
		p.interval, err = parseNumber(name, value, MaxInterval)
	case "COUNT":
		p.times, err = parseNumber(name, value, MaxCount)
	case "UNTIL":
		p.until, err = parseUntil(value)
	case "WKST":
		p.weekStart, err = parseWeekday(name, value)
	case "BYMONTH":
		if strings.Contains(value, "-") {
			return errors.New("BYMONTH must list months from 1 to 12")
		}
		err = p.months.parse(name, value, 12)
	case "BYWEEKNO":
		err = p.weekNumbers.parse(name, value, 53)
	case "BYYEARDAY":
		err = p.yearDays.parse(name, value, 366)
	case "BYMONTHDAY":
		err = p.monthDays.parse(name, value, 31)
	case "BYSETPOS":
		err = p.positions.parse(name, value, 366)
	case "BYDAY":
		err = p.weekdays.parse(value)
	case "BYHOUR":
		err = p.hour.parse(name, value, 23)
	case "BYMINUTE":
		err = p.minute.parse(name, value, 59)
	case "BYSECOND":
		err = p.second.parse(name, value, 59)
	default:
		return fmt.Errorf("unknown part %q: leave it out", name)
	}
	return err
}

// check refuses combinations that RFC 5545 §3.3.10 forbids, and rules that no date fits.
func (p *Pattern) check() error {
	switch {
	case p.freq < 0:
		return errors.New("FREQ is missing: use FREQ=DAILY, WEEKLY, MONTHLY or YEARLY")
	case p.times > 0 && p.until.form != endless:
		return errors.New("COUNT and UNTIL exclude each other: leave one out")
	case p.freq != yearly && p.weekNumbers.any:
		return errors.New("BYWEEKNO needs FREQ=YEARLY")
	case p.freq != yearly && p.yearDays.any:
		return errors.New("BYYEARDAY needs FREQ=YEARLY")
	case p.freq == weekly && p.monthDays.any:
		return errors.New("BYMONTHDAY does not go with FREQ=WEEKLY: use BYDAY, or FREQ=MONTHLY")
	case p.freq < monthly && p.weekdays.nth:
		return errors.New("numbered days in BYDAY, such as 2MO, need FREQ=MONTHLY or YEARLY")
	case p.weekNumbers.any && p.weekdays.nth:
		return errors.New("numbered days in BYDAY, such as 2MO, do not go with BYWEEKNO")
	case p.positions.any && !p.chooses():
		return errors.New("BYSETPOS needs another BY part to choose from")
	}
	every := *p
	every.interval = 1
	if _, ok := (&rule{Pattern: every}).next(0, noLimit); !ok {
		return errNever
	}
	return nil
}

// chooses tells whether there is a BY part that BYSETPOS can choose from.
func (p *Pattern) chooses() bool {
	return p.months.any || p.weekNumbers.any || p.yearDays.any || p.monthDays.any || p.weekdays.any ||
		p.hour.set || p.minute.set || p.second.set
}

// parse reads a list of numbers from 1 to limit, and from -limit to -1.
func (s *numbers) parse(name, list string, limit int) error {
	for value := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(value)
		if err != nil || n == 0 || n < -limit || n > limit {
			return fmt.Errorf("%s must list whole numbers from 1 to %d, or from the end with a minus: %q is none", name, limit, value)
		}
		s.add(n)
	}
	return nil
}

// parse reads BYDAY: weekdays, each perhaps with a number from 1 to 53 or -53 to -1 before it.
func (w *weekdays) parse(list string) error {
	for value := range strings.SplitSeq(list, ",") {
		cut := max(0, len(value)-2)
		day, err := parseWeekday("BYDAY", value[cut:])
		if err != nil {
			return err
		}
		n := 0
		if cut > 0 {
			if n, err = strconv.Atoi(value[:cut]); err != nil || n == 0 || n < -53 || n > 53 {
				return fmt.Errorf("the number in BYDAY %q must be from 1 to 53 or from -53 to -1", value)
			}
		}
		w.add(n, day)
	}
	return nil
}

func (c *clockPart) parse(name, value string, limit int) error {
	if strings.Contains(value, ",") {
		return fmt.Errorf("%s with several values repeats more than once a day: give one value", name)
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 || n > limit || !isDigit(value[0]) {
		return fmt.Errorf("%s must be a whole number from 0 to %d", name, limit)
	}
	*c = clockPart{set: true, value: n}
	return nil
}

var weekdayCodes = []string{"SU", "MO", "TU", "WE", "TH", "FR", "SA"}

func parseWeekday(name, code string) (time.Weekday, error) {
	i := slices.Index(weekdayCodes, code)
	if i < 0 {
		return 0, fmt.Errorf("%s must name days as MO, TU, WE, TH, FR, SA or SU: %q is none", name, code)
	}
	return time.Weekday(i), nil
}

func parseNumber(name, value string, limit int) (int, error) {
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 || n > limit || !isDigit(value[0]) {
		return 0, fmt.Errorf("%s must be a whole number from 1 to %d", name, limit)
	}
	return n, nil
}

// parseUntil reads a date, a local time or a time in UTC.
func parseUntil(s string) (until, error) {
	for _, u := range []struct {
		form   untilForm
		layout string
	}{{untilDate, "20060102"}, {untilLocal, "20060102T150405"}, {untilUTC, "20060102T150405Z"}} {
		if t, err := time.Parse(u.layout, s); err == nil && len(s) == len(u.layout) && t.Year() >= 1970 {
			return until{form: u.form, wall: t.Unix()}, nil
		}
	}
	return until{}, errors.New("UNTIL must be a date 20271231, a local time 20271231T090000 or a time in UTC 20271231T090000Z, from 1970 on")
}

// String returns the pattern as it was given.
func (p Pattern) String() string { return p.text }
