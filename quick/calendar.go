package quick

import "time"

// Days are midnights in UTC: a calendar without zones. The user's zone matters only for "in 2 hours".

const (
	dateForm  = "2006-01-02"
	timedForm = "2006-01-02T15:04:05"
	minYear   = 1970
	maxYear   = 9999
)

// ymd returns the day, or false where the calendar has none or the year is outside 1970–9999.
func ymd(y int, m time.Month, d int) (time.Time, bool) {
	t := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	return t, y >= minYear && y <= maxYear && t.Month() == m && t.Day() == d
}

// comingYearly returns the first such day of a year from day on: 29 February waits for a leap year.
func comingYearly(from time.Time, m time.Month, d int) (time.Time, bool) {
	for y := from.Year(); y <= from.Year()+8; y++ {
		if t, ok := ymd(y, m, d); ok && !t.Before(from) {
			return t, true
		}
	}
	return time.Time{}, false
}

// comingMonthly returns the first such day of a month from day on, passing over months without it.
func comingMonthly(from time.Time, d int) (time.Time, bool) {
	first := monthStart(from)
	for k := range 3 {
		m := first.AddDate(0, k, 0)
		if t, ok := ymd(m.Year(), m.Month(), d); ok && !t.Before(from) {
			return t, true
		}
	}
	return time.Time{}, false
}

// coming returns the first such weekday from day on, day included.
func coming(from time.Time, w time.Weekday) time.Time {
	return from.AddDate(0, 0, (int(w)-int(from.Weekday())+7)%7)
}

// monday returns the first day of the week; weeks run from Monday to Sunday (ISO 8601).
func monday(t time.Time) time.Time {
	return t.AddDate(0, 0, -((int(t.Weekday()) + 6) % 7))
}

func monthStart(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
}

func monthDays(t time.Time) int {
	return monthStart(t).AddDate(0, 1, -1).Day()
}

// addMonths keeps the day of the month, or takes the last one of a shorter month.
func addMonths(t time.Time, n int) time.Time {
	m := monthStart(t).AddDate(0, n, 0)
	return m.AddDate(0, 0, min(t.Day(), monthDays(m))-1)
}

// addUnits adds n days, weeks, months, quarters or years.
func addUnits(t time.Time, n int, u unit) time.Time {
	switch u {
	case week:
		return t.AddDate(0, 0, 7*n)
	case month:
		return addMonths(t, n)
	case quarter:
		return addMonths(t, 3*n)
	case year:
		return addMonths(t, 12*n)
	default:
		return t.AddDate(0, 0, n)
	}
}
