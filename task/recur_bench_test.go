package task

import (
	"testing"
	"time"
)

// BenchmarkNext measures the dearest rules: those whose next occurrence is rare or beyond the year 9999, and those
// that skip 8000 years of occurrences which have to be counted.
//
// [Task]: T041
func BenchmarkNext(b *testing.B) {
	for _, c := range []struct{ name, pattern, start, due string }{
		{"daily", "daily", "1970-01-01", ""},
		{"monthly", "monthly", "1970-01-31T09:00:00", ""},
		{"weekdays", "RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "1970-01-01T09:00:00", ""},
		{"count", "RRULE:FREQ=DAILY;COUNT=1000000", "1970-01-01", "9990-01-01"},
		{"count_weekdays", "RRULE:FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR;COUNT=1000000", "1970-01-01", "9990-01-01"},
		{"count_months", "RRULE:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1,-1", "1970-01-01", "9990-01-01"},
		{"count_weeks", "RRULE:FREQ=WEEKLY;BYDAY=MO,WE;BYSETPOS=1;BYMONTH=2", "1970-01-01", "9990-01-01"},
		{"rare_days", "RRULE:FREQ=DAILY;INTERVAL=25;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO", "1970-01-01", ""},
		{"rare_months", "RRULE:FREQ=MONTHLY;INTERVAL=7;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO", "1970-01-01", ""},
		{"rare_weeks", "RRULE:FREQ=YEARLY;INTERVAL=7;BYWEEKNO=53;BYMONTH=1;BYYEARDAY=3;BYDAY=SU", "1970-01-01", ""},
		{"rare_years", "RRULE:FREQ=YEARLY;INTERVAL=7;BYDAY=53TH;BYYEARDAY=366", "1970-01-01", ""},
	} {
		b.Run(c.name, func(b *testing.B) {
			t := begun(b, c.pattern, c.start, time.UTC)
			t.CompletedAt = &Time{time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
			if c.due != "" {
				t.DueDate = due(b, c.due)
			}
			for b.Loop() {
				if _, _, err := Next(t, time.UTC); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
