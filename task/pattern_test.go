package task

import (
	"strings"
	"testing"
	"time"
)

// [Task]: T042
func TestParsePattern(t *testing.T) {
	for _, s := range []string{
		"daily", "weekly", "monthly", "yearly",
		"RRULE:FREQ=DAILY", "rrule:freq=daily;count=1", "RRULE:COUNT=1000000;FREQ=DAILY",
		"RRULE:FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=TU,SU",
		"RRULE:FREQ=MONTHLY;BYDAY=+1MO,-1FR", "RRULE:FREQ=MONTHLY;BYMONTHDAY=31",
		"RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO",
		"RRULE:FREQ=YEARLY;BYWEEKNO=53,-53;BYDAY=MO", "RRULE:FREQ=YEARLY;BYYEARDAY=366",
		"RRULE:FREQ=DAILY;BYHOUR=9;BYMINUTE=0;BYSECOND=0", "RRULE:FREQ=DAILY;INTERVAL=9999",
		"RRULE:FREQ=DAILY;UNTIL=20271231", "RRULE:FREQ=DAILY;UNTIL=20271231T090000", "RRULE:FREQ=DAILY;UNTIL=20271231T090000Z",
		"RRULE:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
	} {
		if p, err := ParsePattern(s); err != nil || p.String() != s {
			t.Errorf("ParsePattern(%q) = %q, %v", s, p, err)
		}
	}
}

// [Task]: T042
func TestParsePatternRefuses(t *testing.T) {
	for s, want := range map[string]string{
		"":                                 "must be daily, weekly",
		"Daily":                            "must be daily, weekly",
		"hourly":                           "must be daily, weekly",
		"FREQ=DAILY":                       "must be daily, weekly",
		" RRULE:FREQ=DAILY":                "must be daily, weekly",
		"RRULE:":                           "NAME=VALUE",
		"RRULE:FREQ=DAILY;":                "NAME=VALUE",
		"RRULE:FREQ=":                      "NAME=VALUE",
		"RRULE:FREQ=DAILY\r\n":             "is not supported",
		"RRULE:FREQ=NEVER":                 "is not supported",
		"RRULE:FREQ=HOURLY":                "use DAILY",
		"RRULE:FREQ=MINUTELY":              "use DAILY",
		"RRULE:FREQ=SECONDLY":              "use DAILY",
		"RRULE:COUNT=3":                    "FREQ is missing",
		"RRULE:FREQ=DAILY;FREQ=DAILY":      "once only",
		"RRULE:FREQ=DAILY;count=1;COUNT=":  "NAME=VALUE",
		"RRULE:FREQ=DAILY;count=1;COUNT=2": "once only",
		"RRULE:FREQ=DAILY;COUNT=2;UNTIL=20270101":                     "exclude each other",
		"RRULE:FREQ=DAILY;COUNT=0":                                    "COUNT must be",
		"RRULE:FREQ=DAILY;COUNT=+1":                                   "COUNT must be",
		"RRULE:FREQ=DAILY;COUNT=1000001":                              "COUNT must be",
		"RRULE:FREQ=DAILY;INTERVAL=0":                                 "INTERVAL must be",
		"RRULE:FREQ=DAILY;INTERVAL=-1":                                "INTERVAL must be",
		"RRULE:FREQ=DAILY;INTERVAL=10000":                             "INTERVAL must be",
		"RRULE:FREQ=DAILY;INTERVAL=99999999999999999999":              "INTERVAL must be",
		"RRULE:FREQ=DAILY;UNTIL=tomorrow":                             "UNTIL must be",
		"RRULE:FREQ=DAILY;UNTIL=20270230":                             "UNTIL must be",
		"RRULE:FREQ=DAILY;UNTIL=19691231":                             "UNTIL must be",
		"RRULE:FREQ=DAILY;UNTIL=20270101T090000+0200":                 "UNTIL must be",
		"RRULE:FREQ=DAILY;RSCALE=CHINESE":                             "unknown part",
		"RRULE:FREQ=DAILY;BYEASTER=1":                                 "unknown part",
		"RRULE:FREQ=DAILY;BYHOUR=9,17":                                "more than once a day",
		"RRULE:FREQ=DAILY;BYHOUR=24":                                  "BYHOUR must be",
		"RRULE:FREQ=DAILY;BYMINUTE=0,30":                              "more than once a day",
		"RRULE:FREQ=DAILY;BYSECOND=60":                                "BYSECOND must be",
		"RRULE:FREQ=DAILY;BYMONTH=13":                                 "BYMONTH must",
		"RRULE:FREQ=DAILY;BYMONTH=-1":                                 "BYMONTH must",
		"RRULE:FREQ=DAILY;BYMONTH=1,,2":                               "BYMONTH must",
		"RRULE:FREQ=MONTHLY;BYMONTHDAY=0":                             "BYMONTHDAY must",
		"RRULE:FREQ=MONTHLY;BYMONTHDAY=-32":                           "BYMONTHDAY must",
		"RRULE:FREQ=YEARLY;BYYEARDAY=367":                             "BYYEARDAY must",
		"RRULE:FREQ=YEARLY;BYWEEKNO=54":                               "BYWEEKNO must",
		"RRULE:FREQ=MONTHLY;BYSETPOS=1":                               "BYSETPOS needs",
		"RRULE:FREQ=WEEKLY;BYDAY=MON":                                 "BYDAY must",
		"RRULE:FREQ=WEEKLY;BYDAY=M":                                   "BYDAY must",
		"RRULE:FREQ=MONTHLY;BYDAY=0MO":                                "the number in BYDAY",
		"RRULE:FREQ=MONTHLY;BYDAY=54MO":                               "the number in BYDAY",
		"RRULE:FREQ=WEEKLY;BYDAY=2MO":                                 "numbered days",
		"RRULE:FREQ=YEARLY;BYWEEKNO=1;BYDAY=2MO":                      "numbered days",
		"RRULE:FREQ=WEEKLY;BYMONTHDAY=1":                              "BYMONTHDAY does not go",
		"RRULE:FREQ=MONTHLY;BYYEARDAY=1":                              "BYYEARDAY needs",
		"RRULE:FREQ=MONTHLY;BYWEEKNO=1":                               "BYWEEKNO needs",
		"RRULE:FREQ=DAILY;WKST=XX":                                    "WKST must",
		"RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30":                   "never comes",
		"RRULE:FREQ=MONTHLY;BYDAY=6MO":                                "never comes",
		"RRULE:FREQ=MONTHLY;BYDAY=-53MO":                              "never comes",
		"RRULE:FREQ=DAILY;BYMONTH=1;BYSETPOS=2":                       "never comes",
		"RRULE:FREQ=YEARLY;BYWEEKNO=20;BYMONTH=1;BYDAY=MO":            "never comes",
		"RRULE:FREQ=YEARLY;BYYEARDAY=60;BYMONTHDAY=2":                 "never comes",
		"RRULE:FREQ=DAILY;BYMONTHDAY=" + strings.Repeat("1,", 500):    "not be longer",
		"RRULE:FREQ=DAILY;DTSTART=20260101T000000Z":                   "unknown part",
		"DTSTART:20260101T000000Z\nRRULE:FREQ=DAILY":                  "must be daily, weekly",
		"RRULE:FREQ=DAILY\nRRULE:FREQ=WEEKLY":                         "is not supported",
		"RRULE:FREQ=MONTHLY;BYMONTHDAY=1\x00":                         "BYMONTHDAY must",
		"RRULE:FREQ=WEEKLY;BYDAY=MO;BYSETPOS=8":                       "never comes",
		"RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYYEARDAY=-306,59": "never comes",
	} {
		if p, err := ParsePattern(s); err == nil || !strings.Contains(err.Error(), want) || p.String() != "" {
			t.Errorf("ParsePattern(%q) = %q, %v; want an error with %q", s, p, err, want)
		}
	}
}

func TestWords(t *testing.T) {
	for s, want := range map[string]string{
		"daily":                                 "every day",
		"monthly":                               "every month",
		"RRULE:FREQ=DAILY;INTERVAL=3":           "every 3 days",
		"RRULE:FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR": "every weekday",
		"RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;UNTIL=20270101":       "every weekday until 1 January 2027",
		"RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TU,WE,TH,FR":           "every 2 weeks on weekdays",
		"RRULE:FREQ=WEEKLY;BYDAY=SU,MO,FR;COUNT=10":                   "every week on Monday, Friday and Sunday, 10 times",
		"RRULE:FREQ=WEEKLY;BYDAY=MO;COUNT=1":                          "every week on Monday, once",
		"RRULE:FREQ=MONTHLY;BYMONTHDAY=1,15,-1":                       "every month on the 1st, the 15th and the last day",
		"RRULE:FREQ=MONTHLY;BYMONTHDAY=-2,11":                         "every month on the 11th and the 2nd to last day",
		"RRULE:FREQ=MONTHLY;BYMONTHDAY=13;BYDAY=FR":                   "every month on the 13th if that is a Friday",
		"RRULE:FREQ=MONTHLY;BYDAY=-1FR,2TU":                           "every month on the 2nd Tuesday and the last Friday",
		"RRULE:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1":         "every month on the last weekday",
		"RRULE:FREQ=MONTHLY;BYDAY=SU,MO,TU,WE,TH,FR,SA;BYSETPOS=2":    "every month on the 2nd day",
		"RRULE:FREQ=MONTHLY;BYDAY=TU,TH;BYSETPOS=1,-1":                "every month on Tuesday and Thursday, only the 1st and the last of these",
		"RRULE:FREQ=YEARLY;BYMONTH=3,5;BYMONTHDAY=31":                 "every year on 31 March and 31 May",
		"RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH":                      "every year in November on the 4th Thursday",
		"RRULE:FREQ=YEARLY;BYDAY=20MO":                                "every year on the 20th Monday of the year",
		"RRULE:FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO":                      "every year in the 20th week on Monday",
		"RRULE:FREQ=YEARLY;BYYEARDAY=1,-1":                            "every year on the 1st day and the last day of the year",
		"RRULE:FREQ=YEARLY;BYMONTHDAY=22":                             "every year on the 22nd of every month",
		"RRULE:FREQ=DAILY;BYHOUR=9;BYMINUTE=5":                        "every day at 09:05",
		"RRULE:FREQ=DAILY;UNTIL=20270101T090000":                      "every day until 1 January 2027, 09:00:00",
		"RRULE:FREQ=DAILY;UNTIL=20270101T090000Z":                     "every day until 1 January 2027, 09:00:00 UTC",
		"RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;BYMONTH=1;INTERVAL=1": "every week in January on weekdays",
	} {
		p, err := ParsePattern(s)
		if err != nil {
			t.Errorf("ParsePattern(%q): %v", s, err)
		} else if got := p.Words(); got != want {
			t.Errorf("%s is %q, want %q", s, got, want)
		}
	}
}

func TestWordsFrom(t *testing.T) {
	for _, c := range []struct{ pattern, due, want string }{
		{"monthly", "2026-01-31", "every month on the 31st, or the last day"},
		{"monthly", "2026-01-28", "every month on the 28th"},
		{"monthly", "2026-01-31T23:00:00Z", "every month on the 1st"}, // in Berlin it is February
		{"weekly", "2026-03-31T09:00:00", "every week on Tuesday"},
		{"yearly", "2024-02-29", "every year on 29 February, or the last day of the month"},
		{"RRULE:FREQ=MONTHLY", "2026-01-31", "every month on the 31st"},
		{"RRULE:FREQ=YEARLY;BYWEEKNO=20", "2026-05-12", "every year in the 20th week on Tuesday"},
		{"daily", "", "every day"},
	} {
		p, err := ParsePattern(c.pattern)
		if err != nil {
			t.Fatal(err)
		}
		var d Due
		if c.due != "" {
			d = due(t, c.due)
		}
		if got := p.WordsFrom(d, zone(t, "Europe/Berlin")); got != c.want {
			t.Errorf("%s from %s is %q, want %q", c.pattern, c.due, got, c.want)
		}
	}
}

func FuzzParsePattern(f *testing.F) {
	for _, s := range []string{
		"daily", "RRULE:FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=TU,SU;COUNT=7", "RRULE:FREQ=MONTHLY;BYDAY=+1MO,-1FR;BYSETPOS=-1",
		"RRULE:FREQ=YEARLY;BYWEEKNO=53,-53;BYDAY=MO;UNTIL=20271231T090000Z", "RRULE:FREQ=YEARLY;BYYEARDAY=366;BYMONTH=12",
		"RRULE:FREQ=DAILY;BYHOUR=9;BYMINUTE=0;BYSECOND=0;INTERVAL=9999;BYMONTHDAY=-31",
	} {
		f.Add(s, int64(20_000), int64(400_000))
	}
	f.Fuzz(func(t *testing.T, s string, start, days int64) {
		p, err := ParsePattern(s)
		if err != nil {
			return
		}
		if again, err := ParsePattern(p.String()); err != nil || again != p || p.String() != s {
			t.Fatalf("%q came back as %q, %v", s, again, err)
		}
		if p.Words() == "" {
			t.Fatalf("%q has no words", s)
		}
		task := Task{RecurrencePattern: &s, DueDate: Due{wall: (start%lastDay + lastDay) % lastDay * secondsOfDay, form: DueFloating}}
		if Begin(&task, Env{Zone: time.UTC}) != nil {
			return // never again from that start
		}
		task.CompletedAt = &Time{task.DueDate.Instant(time.UTC).AddDate(0, 0, int(days%lastDay))}
		occ, ok, err := Next(task, time.UTC)
		if err != nil {
			t.Fatalf("after %s of %q: %v", task.DueDate, s, err)
		}
		if ok && (!occ.Due.Instant(time.UTC).After(task.CompletedAt.Time) || occ.Number < 2 || occ.Due.String() != occ.Slot) {
			t.Fatalf("after %s of %q comes %+v", task.DueDate, s, occ)
		}
	})
}
