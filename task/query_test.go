package task

import (
	"errors"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"

	"pgregory.net/rapid"
)

// Tests of the parameters of a list.
//
// [Task]: T063

func TestParseQueryDefaults(t *testing.T) {
	got, err := ParseQuery(nil)
	want := Query{SortBy: ByCreated, Desc: true, Limit: 50, Statuses: []Status{Pending, Completed}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	for by, desc := range map[SortKey]bool{ByCreated: true, ByUpdated: true, ByPriority: true, ByDue: false, ByTitle: false} {
		if got, err := ParseQuery(url.Values{"sort_by": {string(by)}}); err != nil || got.Desc != desc {
			t.Errorf("%s: desc %v, %v", by, got.Desc, err)
		}
		if got, err := ParseQuery(url.Values{"sort_by": {string(by)}, "sort_order": {"desc"}}); err != nil || !got.Desc {
			t.Errorf("%s desc: desc %v, %v", by, got.Desc, err)
		}
	}
}

func TestParseQuery(t *testing.T) {
	v, err := url.ParseQuery("search=+caf%C3%A9+&priority=high&priority=low&priority=high&tag=Home&tag=%20x&tag=HOME&status=deleted" +
		"&due_before=2026-03-31&due_after=2026-03-01T09:00:00%2B02:00&sort_by=title&sort_order=asc&limit=200&cursor=abc")
	if err != nil {
		t.Fatal(err)
	}
	got, err := ParseQuery(v)
	if err != nil {
		t.Fatal(err)
	}
	before, err1 := ParseDue("2026-03-31")
	after, err2 := ParseDue("2026-03-01T09:00:00+02:00")
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	want := Query{
		Search: "café", Priorities: []Priority{High, Low}, Tags: []string{"Home", "x"}, Statuses: []Status{Deleted},
		DueBefore: before, DueAfter: after, SortBy: ByTitle, Limit: 200, Cursor: "abc",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestParseQueryFaults(t *testing.T) {
	for _, c := range []struct{ query, field, detail string }{
		{"page=2", "page", "is no parameter of a list: use search, priority"},
		{"Tag=x", "Tag", "is no parameter of a list"},
		{"search=a&search=b", "search", "is given 2 times: give it once"},
		{"search=a%00", "search", "holds the control character U+0000"},
		{"search=%ff", "search", "is not valid UTF-8"},
		{"search=" + strings.Repeat("x", 256), "search", "has 256 characters: shorten it to at most 255"},
		{"priority=urgent", "priority", `is "urgent": use high, medium or low`},
		{"priority=high,low", "priority", `is "high,low": use high, medium or low`},
		{"status=", "status", `is "": use pending, completed or deleted`},
		{"tag=", "tag", "tag 1 is empty"},
		{"tag=" + strings.Repeat("x", 51), "tag", "tag 1 has 51 characters"},
		{"due_before=soon", "due_before", "must be a date"},
		{"due_after=", "due_after", "must be a date"},
		{"due_after=2026-03-01T09:00:00+02:00", "due_after", "(in a URL, + is written %2B)"},
		{"sort_by=id", "sort_by", `is "id": use created_at, updated_at, due_date, priority or title`},
		{"sort_order=down", "sort_order", `is "down": use asc or desc`},
		{"limit=0", "limit", `is "0": give a whole number from 1 to 200`},
		{"limit=201", "limit", `is "201": give a whole number from 1 to 200`},
		{"limit=050", "limit", `is "050"`},
		{"limit=5.0", "limit", `is "5.0"`},
		{"limit=", "limit", `is ""`},
		{"cursor=" + strings.Repeat("A", 5000), "cursor", "does not belong to this query: start again without cursor"},
	} {
		v, err := url.ParseQuery(c.query)
		if err != nil {
			t.Fatal(err)
		}
		_, err = ParseQuery(v)
		field, detail := faultOf(t, err)
		if field != c.field || !strings.Contains(detail, c.detail) {
			t.Errorf("%s\ngot %s: %s\nwant %s: …%s…", shorten(c.query), field, detail, c.field, c.detail)
		}
	}
	_, err := ParseQuery(url.Values{"limit": {"x"}, "tag": {""}, "nope": {""}, "due_before": {"x"}})
	var invalid Invalid
	if !errors.As(err, &invalid) || len(invalid) != 4 {
		t.Errorf("got %v, want four faults", err)
	}
}

// TestFoldIsEqualFold holds folding to the standard library's comparison, for every character and for texts.
func TestFoldIsEqualFold(t *testing.T) {
	for r := range unicode.MaxRune + 1 {
		if next := unicode.SimpleFold(r); foldRune(r) != foldRune(next) {
			t.Fatalf("%U and %U fold to %U and %U", r, next, foldRune(r), foldRune(next))
		}
		if least := foldRune(r); !strings.EqualFold(string(least), string(r)) {
			t.Fatalf("%U folds to %U", r, least)
		}
	}
	alphabet := []rune("aAkKK ßẞsSſéÉİiIıΣσςǅ中")
	texts := rapid.StringOfN(rapid.SampledFrom(alphabet), 0, 4, -1)
	rapid.Check(t, func(rt *rapid.T) {
		a, b := texts.Draw(rt, "a"), texts.Draw(rt, "b")
		if (fold(a) == fold(b)) != strings.EqualFold(a, b) {
			rt.Fatalf("%q folds to %q, %q to %q", a, fold(a), b, fold(b))
		}
	})
}

// FuzzParseQuery looks for query strings that panic, or pass and then are refused by an index.
func FuzzParseQuery(f *testing.F) {
	f.Add("search=a&priority=high&tag=x&status=pending&due_before=2026-03-31&sort_by=due_date&sort_order=desc&limit=3")
	f.Add("due_after=2026-03-31T09:00:00Z&cursor=AQ")
	x := NewIndex(time.UTC)
	f.Fuzz(func(t *testing.T, raw string) {
		v, err := url.ParseQuery(raw)
		if err != nil {
			return
		}
		q, err := ParseQuery(v)
		if err != nil {
			checkFaults(t, err)
			return
		}
		if _, err = x.Find(q); err != nil {
			if field, _ := faultOf(t, err); field != "cursor" || q.Cursor == "" {
				t.Errorf("%+v: %v", q, err)
			}
		}
	})
}

// FuzzCursor looks for cursors that panic, and holds those that pass to be of the query they are used with.
func FuzzCursor(f *testing.F) {
	x := NewIndex(time.UTC)
	for i := range 5 {
		x.Put(Task{ID: string(rune('a' + i)), Title: "Äpfel", Status: Pending, Version: 1}, []byte("{}"))
	}
	queries := []Query{{SortBy: ByTitle, Limit: 2}, {SortBy: ByDue, Limit: 2, Desc: true}, {SortBy: ByCreated, Limit: 2}}
	for _, q := range queries {
		page, err := x.Find(q)
		if err != nil || page.Next == "" {
			f.Fatal(page, err)
		}
		f.Add(page.Next)
	}
	f.Fuzz(func(t *testing.T, cursor string) {
		accepted := 0
		for _, q := range queries {
			q.Cursor = cursor
			page, err := x.Find(q)
			if err != nil {
				checkFaults(t, err)
				continue
			}
			accepted++
			if page.Total != 5 || len(page.Docs) > 2 {
				t.Errorf("%+v: %+v", q, page)
			}
		}
		if accepted > 1 && cursor != "" {
			t.Errorf("%q is a cursor of %d queries", cursor, accepted)
		}
	})
}
