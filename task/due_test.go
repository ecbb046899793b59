package task

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"
	"unsafe"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func TestParseDue(t *testing.T) {
	for s, form := range map[string]DueForm{
		"2026-03-31":                DueDateOnly,
		"1970-01-01":                DueDateOnly,
		"9999-12-31":                DueDateOnly,
		"2028-02-29":                DueDateOnly,
		"2026-03-31T09:00:00":       DueFloating,
		"9999-12-31T23:59:59":       DueFloating,
		"2026-03-31T09:00:00Z":      DueZoned,
		"2026-03-31T09:00:00+02:00": DueZoned,
		"2026-03-31T09:00:00+00:00": DueZoned,
		"2026-03-31T09:00:00-00:00": DueZoned,
		"2026-03-31T09:00:00-03:30": DueZoned,
		"2026-03-31T09:00:00+23:59": DueZoned,
		"1970-01-01T00:00:00Z":      DueZoned,
		"9999-12-31T23:59:59-00:00": DueZoned,
	} {
		d := due(t, s)
		if d.Form() != form || d.String() != s || d.IsZero() {
			t.Errorf("ParseDue(%q) = %q of form %d, want form %d", s, d, d.Form(), form)
		}
	}
}

func TestParseDueRefuses(t *testing.T) {
	for s, want := range map[string]string{
		"":                              "must be a date",
		"tomorrow":                      "must be a date",
		"2026-3-31":                     "must be a date",
		"2026-02-29":                    "no such date",
		"2026-13-01":                    "no such date",
		"2026-03-31T24:00:00":           "no such date or time",
		"2026-03-31T09:00:60":           "no such date or time",
		"2026-03-31T09:00":              "must be a date",
		"2026-03-31T09:00Z":             "must be a date",
		"2026-03-31t09:00:00":           "must be a date",
		"2026-03-31 09:00:00":           "must be a date",
		"2026-03-31T09:00:00z":          "must be a date",
		"2026-03-31T09:00:00.5Z":        "fractions of a second",
		"2026-03-31T09:00:00,5":         "fractions of a second",
		"2026-03-31T09:00:00+0200":      "must be a date",
		"2026-03-31T09:00:00+24:00":     "no offset",
		"2026-03-31T09:00:00+02:60":     "no offset",
		"2026-03-31T09:00:00+0２:00":     "must be a date",
		"+026-03-31":                    "must be a date",
		"1969-12-31":                    "years 1970 to 9999",
		"0000-01-01":                    "years 1970 to 9999",
		"1969-12-31T23:59:59":           "years 1970 to 9999",
		"1970-01-01T00:00:00+00:01":     "years 1970 to 9999",
		"9999-12-31T23:59:59-00:01":     "years 1970 to 9999",
		"10000-01-01":                   "must be a date",
		" 2026-03-31":                   "must be a date",
		"2026-03-31T09:00:00+02:00[UTC": "must be a date",
	} {
		if d, err := ParseDue(s); err == nil || !strings.Contains(err.Error(), want) || !d.IsZero() {
			t.Errorf("ParseDue(%q) = %q, %v; want an error with %q", s, d, err, want)
		}
	}
}

func TestDueInstant(t *testing.T) {
	for _, c := range []struct{ due, zone, want string }{
		{"2026-03-31", "Europe/Berlin", "2026-03-31T22:00:00Z"},
		{"2026-03-28", "Europe/Berlin", "2026-03-28T23:00:00Z"},
		{"2026-03-31", "UTC", "2026-04-01T00:00:00Z"},
		{"2026-09-05", "America/Santiago", "2026-09-06T04:00:00Z"}, // the next day begins at 01:00
		{"2011-12-29", "Pacific/Apia", "2011-12-30T10:00:00Z"},     // the next day never was
		{"2026-03-31T09:00:00", "Europe/Berlin", "2026-03-31T07:00:00Z"},
		{"2026-03-31T09:00:00", "America/New_York", "2026-03-31T13:00:00Z"},
		{"2026-03-31T09:00:00+02:00", "America/New_York", "2026-03-31T07:00:00Z"},
		{"2026-03-31T09:00:00Z", "Asia/Tokyo", "2026-03-31T09:00:00Z"},
		{"9999-12-31", "UTC", "9999-12-31T23:59:59Z"},
		{"9999-12-31T23:00:00", "America/New_York", "9999-12-31T23:59:59Z"},
		{"1970-01-01T00:00:00", "Asia/Tokyo", "1969-12-31T15:00:00Z"},
	} {
		if got := due(t, c.due).Instant(zone(t, c.zone)).Format(time.RFC3339); got != c.want {
			t.Errorf("%s in %s is due at %s, want %s", c.due, c.zone, got, c.want)
		}
	}
	if got := (Due{}).Instant(time.UTC); !got.IsZero() {
		t.Errorf("no due date is due at %s", got)
	}
}

func TestResolve(t *testing.T) {
	for _, c := range []struct{ local, zone, want string }{
		{"2026-03-29T01:59:59", "Europe/Berlin", "2026-03-29T01:59:59+01:00"},
		{"2026-03-29T02:00:00", "Europe/Berlin", "2026-03-29T03:00:00+02:00"},
		{"2026-03-29T02:30:00", "Europe/Berlin", "2026-03-29T03:30:00+02:00"},
		{"2026-03-29T03:00:00", "Europe/Berlin", "2026-03-29T03:00:00+02:00"},
		{"2026-10-25T02:00:00", "Europe/Berlin", "2026-10-25T02:00:00+02:00"},
		{"2026-10-25T02:30:00", "Europe/Berlin", "2026-10-25T02:30:00+02:00"},
		{"2026-10-25T03:00:00", "Europe/Berlin", "2026-10-25T03:00:00+01:00"},
		{"2026-10-04T02:15:00", "Australia/Lord_Howe", "2026-10-04T02:45:00+11:00"}, // a gap of half an hour
		{"2026-04-05T01:45:00", "Australia/Lord_Howe", "2026-04-05T01:45:00+11:00"},
		{"2026-03-29T01:30:00", "Antarctica/Troll", "2026-03-29T03:30:00+02:00"}, // two hours
		{"2026-09-06T00:30:00", "America/Santiago", "2026-09-06T01:30:00-03:00"},
		{"2026-04-04T23:30:00", "America/Santiago", "2026-04-04T23:30:00-03:00"},
		{"2011-12-30T09:00:00", "Pacific/Apia", "2011-12-31T09:00:00+14:00"}, // a day that was left out
		{"2500-03-28T02:30:00", "Europe/Berlin", "2500-03-28T03:30:00+02:00"},
		{"2026-06-01T00:00:00", "UTC", "2026-06-01T00:00:00Z"},
	} {
		local, err := time.Parse(localLayout, c.local)
		if err != nil {
			t.Fatal(err)
		}
		loc := zone(t, c.zone)
		if got := Resolve(local, loc).In(loc).Format(time.RFC3339); got != c.want {
			t.Errorf("%s in %s is %s, want %s", c.local, c.zone, got, c.want)
		}
	}
}

func TestDueJSON(t *testing.T) {
	type body struct {
		Due Due `json:"due_date"`
	}
	for _, s := range []string{`{"due_date":null}`, `{"due_date":"2026-03-31"}`, `{"due_date":"2026-03-31T09:00:00+02:00"}`} {
		b := body{Due: due(t, "1999-01-01")}
		if err := json.Unmarshal([]byte(s), &b); err != nil {
			t.Fatal(err)
		}
		if out, err := json.Marshal(b); err != nil || string(out) != s {
			t.Errorf("%s became %s, %v", s, out, err)
		}
	}
	for _, s := range []string{`{"due_date":5}`, `{"due_date":""}`, `{"due_date":["2026-03-31"]}`, `{"due_date":"2026-02-30"}`} {
		if err := json.Unmarshal([]byte(s), &body{}); err == nil {
			t.Errorf("%s was accepted", s)
		}
	}
}

// A hundred thousand tasks lie in memory, so a due date must stay small, and comparable without a parse.
func TestDueIsSmallAndComparable(t *testing.T) {
	if size := unsafe.Sizeof(Due{}); size > 16 {
		t.Errorf("a due date takes %d bytes", size)
	}
	if a, b := due(t, "2026-03-31"), due(t, "2026-03-31"); a != b || due(t, "2026-03-31T00:00:00Z") == due(t, "2026-03-31T00:00:00+00:00") {
		t.Error("two due dates must be equal exactly when they are written the same")
	}
}

func FuzzParseDue(f *testing.F) {
	for _, s := range []string{"2026-03-31", "2026-03-31T09:00:00", "2026-03-31T09:00:00Z", "2026-03-31T09:00:00-00:00", "9999-12-31T23:59:59+14:00", "2026-03-31T09:00:00.1Z"} {
		f.Add(s)
	}
	berlin := zone(f, "Europe/Berlin")
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDue(s)
		if err != nil {
			return
		}
		if d.String() != s {
			t.Fatalf("%q came back as %q", s, d)
		}
		if at := d.Instant(berlin); at.Year() < 1969 || at.Year() > 9999 {
			t.Fatalf("%q is due at %s", s, at)
		}
		if d.Form() == DueZoned {
			if want, err := time.Parse(time.RFC3339, s); err != nil || !want.Equal(d.Instant(berlin)) {
				t.Fatalf("%q is due at %s, not %s (%v)", s, d.Instant(berlin), want, err)
			}
		}
	})
}
