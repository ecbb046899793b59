package quick

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// rule is a repetition as it was said; without days it repeats from its first due date.
type rule struct {
	freq     string // DAILY, WEEKLY, MONTHLY or YEARLY
	interval int
	days     []weekdayOf
	dates    []int      // days of the month, -1 the last
	month    time.Month // yearly, with one of dates
	pick     int        // monthly: the pick-th of all days given, -1 the last (RFC 5545 BYSETPOS)
	quarter  bool       // its days are those of January, April, July and October
	clock    clock      // "every morning"
}

// weekdayOf is a weekday, with nth ≠ 0 the nth of the month (-1 the last).
type weekdayOf struct {
	nth int
	day time.Weekday
}

var codes = [...]string{"SU", "MO", "TU", "WE", "TH", "FR", "SA"}

func (r *rule) anchored() bool { return len(r.days) > 0 || len(r.dates) > 0 }

// search bounds the look for a first day: 29 February can be eight years away.
const search = 9 * 366

// first returns the first day of the rule from start on.
func (r *rule) first(start time.Time) (time.Time, bool) {
	for k := range search {
		if t := start.AddDate(0, 0, k); r.matches(t) {
			return t, true
		}
	}
	return start, false
}

// after returns the day after first in the series that begins there.
func (r *rule) after(first time.Time) (time.Time, bool) {
	if r.anchored() {
		return r.first(first.AddDate(0, 0, 1))
	}
	u := map[string]unit{"DAILY": day, "WEEKLY": week, "MONTHLY": month, "YEARLY": year}[r.freq]
	return addUnits(first, r.interval, u), true
}

func (r *rule) matches(t time.Time) bool {
	switch {
	case !r.anchored():
		return true
	case r.quarter && (t.Month()-1)%3 != 0:
		return false
	case r.month != 0 && t.Month() != r.month:
		return false
	case r.pick != 0:
		return r.picked(t)
	}
	for _, d := range r.dates {
		if d == t.Day() || d == -1 && t.Day() == monthDays(t) {
			return true
		}
	}
	for _, d := range r.days {
		if d.day != t.Weekday() {
			continue
		}
		if d.nth == 0 || d.nth == (t.Day()+6)/7 || d.nth == -1 && t.Day()+7 > monthDays(t) {
			return true
		}
	}
	return false
}

// picked tells whether t is the pick-th of the month's days that are in the rule.
func (r *rule) picked(t time.Time) bool {
	var all []int
	plain := rule{days: r.days}
	for d := monthStart(t); d.Month() == t.Month(); d = d.AddDate(0, 0, 1) {
		if plain.matches(d) {
			all = append(all, d.Day())
		}
	}
	k := r.pick - 1
	if r.pick < 0 {
		k = len(all) + r.pick
	}
	return k >= 0 && k < len(all) && all[k] == t.Day()
}

// pattern writes the rule for a series that begins at due. limit is empty, "COUNT=…" or "UNTIL=…".
func (r *rule) pattern(due time.Time, limit string) string {
	plain := map[string]string{"DAILY": "daily", "WEEKLY": "weekly", "MONTHLY": "monthly", "YEARLY": "yearly"}
	if r.interval == 1 && limit == "" && r.dueSaysAll() {
		return plain[r.freq]
	}
	parts := []string{"FREQ=" + r.freq}
	if r.interval > 1 {
		parts = append(parts, "INTERVAL="+strconv.Itoa(r.interval))
	}
	parts = append(parts, r.by(due)...)
	if limit != "" {
		parts = append(parts, limit)
	}
	return "RRULE:" + strings.Join(parts, ";")
}

// dueSaysAll tells whether the days of the rule are just those that follow from its first day.
func (r *rule) dueSaysAll() bool {
	return !r.anchored() ||
		len(r.days) == 1 && r.days[0].nth == 0 && r.freq == "WEEKLY" ||
		len(r.dates) == 1 && r.dates[0] > 0
}

// by writes the BY parts. A single day of the month behind the 28th becomes the last of those the month has,
// as monthly and yearly mean it; RFC 5545 alone would pass over shorter months.
func (r *rule) by(due time.Time) []string {
	var days []string
	for _, d := range r.days {
		if d.nth == 0 {
			days = append(days, codes[d.day])
		} else {
			days = append(days, fmt.Sprintf("%d%s", d.nth, codes[d.day]))
		}
	}
	switch {
	case len(days) > 0 && r.pick != 0:
		return []string{"BYDAY=" + strings.Join(days, ","), fmt.Sprintf("BYSETPOS=%d", r.pick)}
	case len(days) > 0:
		return []string{"BYDAY=" + strings.Join(days, ",")}
	case r.freq == "MONTHLY" && len(r.dates) > 1, len(r.dates) == 1 && r.dates[0] < 0:
		return []string{"BYMONTHDAY=" + join(r.dates)}
	case r.freq == "MONTHLY" && due.Day() > 28:
		return clamped(due.Day())
	case r.freq == "MONTHLY" && len(r.dates) == 1:
		return []string{"BYMONTHDAY=" + join(r.dates)}
	case r.freq == "YEARLY" && due.Month() == time.February && due.Day() == 29:
		return append([]string{"BYMONTH=2"}, clamped(29)...)
	case r.freq == "YEARLY" && r.month != 0:
		return []string{"BYMONTH=" + strconv.Itoa(int(r.month)), "BYMONTHDAY=" + join(r.dates)}
	}
	return nil
}

func clamped(day int) []string {
	var ds []int
	for d := 28; d <= day; d++ {
		ds = append(ds, d)
	}
	return []string{"BYMONTHDAY=" + join(ds), "BYSETPOS=-1"}
}

func join(ns []int) string {
	var s []string
	for _, n := range ns {
		s = append(s, strconv.Itoa(n))
	}
	return strings.Join(s, ",")
}
