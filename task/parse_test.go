package task

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// Tests of what a body may look like, and of what is said where it does not.
//
// [Task]: T024

// faultOf returns the field and text of the only fault in err.
func faultOf(t *testing.T, err error) (field, detail string) {
	t.Helper()
	var invalid Invalid
	if !errors.As(err, &invalid) {
		t.Fatalf("error is %v, want Invalid", err)
	}
	if len(invalid) != 1 {
		t.Fatalf("error is %v, want one fault", invalid)
	}
	return invalid[0].Field, invalid[0].Detail
}

func TestParseDraftFaults(t *testing.T) {
	for _, c := range []struct{ body, field, detail string }{
		// JSON
		{``, "body", "is empty: send a JSON object"},
		{`  `, "body", "is empty: send a JSON object"},
		{`[]`, "body", "must be a JSON object, not an array"},
		{`null`, "body", "must be a JSON object, not null"},
		{`{"title":"a"} x`, "body", "something follows the JSON object at byte 14"},
		{`{"title":"a"}{}`, "body", "something follows the JSON object at byte 13"},
		{`{"title":"a"`, "body", "it ends where ',' or '}' should come"},
		{`{"title":"a",}`, "body", "'}' at byte 13 where a name in double quotes should come"},
		{`{title:"a"}`, "body", "'t' at byte 1 where a name in double quotes should come"},
		{`{"title" "a"}`, "title", "where ':' should come"},
		{`{"title":}`, "title", "where a value should come"},
		{`{"title":"a`, "title", "a string does not end"},
		{`{"title":"a\`, "title", "unknown escape"},
		{"{\"title\":\"a\nb\"}", "title", "unescaped control character at byte 11"},
		{"{\"title\":\"\\t\nb\"}", "title", "unescaped control character"},
		{`{"title":"\x"}`, "title", "unknown escape in a string at byte 10"},
		{`{"title":"\u12"}`, "title", "four hexadecimal digits"},
		{`{"title":"\u+123"}`, "title", "four hexadecimal digits"},
		{`{"title":"\ud800"}`, "title", "half a surrogate pair"},
		{`{"title":"\udc00\ud800"}`, "title", "half a surrogate pair"},
		{`{"title":"\ud800\u0041"}`, "title", "half a surrogate pair"},
		{"{\"title\":\"a\xff\"}", "title", "is not valid UTF-8"},
		{"{\"title\":\"\\n\xed\xa0\x80\"}", "title", "is not valid UTF-8"},
		{"{\"a\xff\":1,\"title\":\"a\"}", "body", "is not valid UTF-8"},
		{`{"title":"a","title":"b"}`, "title", `"title" is given twice in one object`},
		{`{"title":"a","ti\u0074le":"b"}`, "title", `"title" is given twice in one object`},
		{`{"title":"a","tags":` + strings.Repeat("[", 8) + strings.Repeat("]", 8) + `}`, "tags", "nested more than 8 deep"},
		{`{"title":"a","reminder_minutes":[01]}`, "reminder_minutes", "a number starts with 0"},
		{`{"title":"a","reminder_minutes":[-]}`, "reminder_minutes", "where a digit should come"},
		{`{"title":"a","reminder_minutes":[1.]}`, "reminder_minutes", "where a digit should come"},
		{`{"title":"a","reminder_minutes":[1e]}`, "reminder_minutes", "where a digit should come"},
		{`{"title":"a","reminder_minutes":[1 2]}`, "reminder_minutes", "where ',' or ']' should come"},
		{`{"title":"a","tags":[nul]}`, "tags", "where a value should come"},
		{`{"title":"a","x":{` + manyMembers(65) + `}}`, "x", "at most 64 fields"},
		// fields
		{`{}`, "title", "is missing: a task needs a title of 1 to 255 characters"},
		{`{"title":"a","color":"red"}`, "color", "is no field of a task: use title, description"},
		{`{"title":"a","Title":"b"}`, "Title", "is no field of a task"},
		{`{"title":"a","":1}`, `""`, "is no field of a task"},
		{`{"title":"a","status":"completed"}`, "status", "is read-only: use POST /api/tasks/{id}/complete, /reopen or /restore, or DELETE"},
		{`{"title":"a","version":3}`, "version", "send it as If-Match"},
		{`{"title":"a","id":"x"}`, "id", "is read-only: docket sets it"},
		{`{"title":"a","completed_at":null}`, "completed_at", "is read-only: use POST /api/tasks/{id}/complete"},
		{`{"title":"a","series_start":"2026-01-01"}`, "series_start", "is read-only: it follows from recurrence_pattern and due_date"},
		{`{"title":null}`, "title", "cannot be null: a task needs a title"},
		{`{"title":7}`, "title", "must be a string, not a number"},
		{`{"title":" \t\u00a0\n"}`, "title", "is empty: give 1 to 255 characters"},
		{`{"title":"` + strings.Repeat("é", 256) + `"}`, "title", "has 256 characters: shorten it to at most 255"},
		{`{"title":"a\u0000b"}`, "title", "holds the control character U+0000: remove it"},
		{`{"title":"a\tb"}`, "title", "holds the control character U+0009: remove it"},
		{`{"title":"a\u0085b"}`, "title", "holds the control character U+0085: remove it"},
		{`{"title":"a","description":[]}`, "description", "must be a string, not an array"},
		{`{"title":"a","description":"` + strings.Repeat("x", 2001) + `"}`, "description", "has 2001 characters: shorten it to at most 2000"},
		{`{"title":"a","description":"\u0007"}`, "description", "holds the control character U+0007"},
		{`{"title":"a","priority":"urgent"}`, "priority", `is "urgent": use high, medium or low`},
		{`{"title":"a","priority":""}`, "priority", "is empty: use high, medium or low, or null"},
		{`{"title":"a","priority":true}`, "priority", "must be a string, not true or false"},
		{`{"title":"a","due_date":{}}`, "due_date", "must be a string, not an object"},
		{`{"title":"a","due_date":""}`, "due_date", "must be a date"},
		{`{"title":"a","due_date":"tomorrow"}`, "due_date", "must be a date"},
		{`{"title":"a","tags":"x"}`, "tags", "must be an array of strings, not a string"},
		{`{"title":"a","tags":["x",null]}`, "tags", "entry 2 must be a string, not null"},
		{`{"title":"a","tags":["x"," "]}`, "tags", "tag 2 is empty: leave it out"},
		{`{"title":"a","tags":["` + strings.Repeat("t", 51) + `"]}`, "tags", "tag 1 has 51 characters: shorten it to at most 50"},
		{`{"title":"a","tags":["a\nb"]}`, "tags", "tag 1 holds the control character U+000A"},
		{`{"title":"a","tags":[` + manyTags(21) + `]}`, "tags", "has more than 20 different tags"},
		{`{"title":"a","recurrence_pattern":""}`, "recurrence_pattern", "is empty: use daily, weekly, monthly, yearly or RRULE:…"},
		{`{"title":"a","recurrence_pattern":5}`, "recurrence_pattern", "must be a string, not a number"},
		{`{"title":"a","reminder_minutes":30}`, "reminder_minutes", "must be an array of integers, not a number"},
		{`{"title":"a","reminder_minutes":[5,"30"]}`, "reminder_minutes", "entry 2 must be an integer, not a string"},
		{`{"title":"a","reminder_minutes":[30.0]}`, "reminder_minutes", "entry 1 is 30.0: give a whole number without fraction or exponent"},
		{`{"title":"a","reminder_minutes":[3e1]}`, "reminder_minutes", "entry 1 is 3e1: give a whole number"},
		{`{"title":"a","reminder_minutes":[99999999999999999999]}`, "reminder_minutes", "which is out of range"},
		{`{"title":"a","reminder_minutes":[-1]}`, "reminder_minutes", "holds -1: give minutes before the due date from 0 to 40320"},
		{`{"title":"a","reminder_minutes":[40321]}`, "reminder_minutes", "holds 40321"},
		{`{"title":"a","reminder_minutes":[0,1,2,3,4,5,6,7,8,9,10]}`, "reminder_minutes", "has 11 different entries: give at most 10"},
		{`{"quick":"call Ann","title":"x"}`, "title", "cannot come with quick"},
		{`{"quick":" "}`, "quick", "is empty"},
		{`{"quick":1}`, "quick", "must be a string, not a number"},
		{`{"quick":"x","plain":"x"}`, "plain", "must be an array of strings"},
		{`{"quick":"x","plain":[1]}`, "plain", "entry 1 must be a string"},
		{`{"quick":"x","plain":[` + strings.Repeat(`"x",`, 50) + `"x"]}`, "plain", "has 51 entries"},
		{`{"title":"x","plain":["x"]}`, "plain", ""},
	} {
		t.Run(shorten(c.body), func(t *testing.T) {
			_, err := ParseDraft([]byte(c.body))
			field, detail := faultOf(t, err)
			if field != c.field || !strings.Contains(detail, c.detail) {
				t.Errorf("got %s: %s\nwant %s: …%s…", field, detail, c.field, c.detail)
			}
		})
	}
}

func manyMembers(n int) string {
	var parts []string
	for i := range n {
		parts = append(parts, fmt.Sprintf(`"m%d":0`, i))
	}
	return strings.Join(parts, ",")
}

func manyTags(n int) string {
	var parts []string
	for i := range n {
		parts = append(parts, fmt.Sprintf(`"tag%d"`, i))
	}
	return strings.Join(parts, ",")
}

func TestEveryFaultIsReported(t *testing.T) {
	_, err := ParseDraft([]byte(`{"title":"","priority":"x","due_date":"soon","tags":[1],"reminder_minutes":[-1],"colour":1,"version":2}`))
	var invalid Invalid
	if !errors.As(err, &invalid) {
		t.Fatal(err)
	}
	var got []string
	for _, f := range invalid {
		got = append(got, f.Field)
	}
	want := []string{"due_date", "tags", "colour", "version", "title", "priority", "reminder_minutes"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestParseDraft(t *testing.T) {
	due, err := ParseDue("2026-03-31T09:00:00+02:00")
	if err != nil {
		t.Fatal(err)
	}
	got, err := ParseDraft([]byte(` { "title" : "\u00a0Zahn\u00e4rztin \ud83e\uddb7\/\"x\" ", "description":"a\n\tb",
		"priority":"high","due_date":"2026-03-31T09:00:00+02:00","tags":[" Home","x","HOME"],
		"recurrence_pattern":"weekly","reminder_minutes":[0,60,-0,60,15]}` + "\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := Draft{
		Title: `Zahnärztin 🦷/"x"`, Description: "a\n\tb", Priority: High, DueDate: due, Tags: []string{"Home", "x"},
		RecurrencePattern: "weekly", ReminderMinutes: []int{60, 15, 0},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got, err := ParseDraft([]byte(`{"plain":["tomorrow"],"quick":"call Ann tomorrow"}`)); err != nil || len(got.Plain) != 1 {
		t.Errorf("plain: %+v, %v", got, err)
	}
	if got, err := ParseDraft([]byte(`{"quick":"call Ann tomorrow"}`)); err != nil || got.Quick != "call Ann tomorrow" {
		t.Errorf("quick: %+v, %v", got, err)
	}
}

func TestParsePatchTellsNullFromAbsent(t *testing.T) {
	got, err := ParsePatch([]byte(`{}`))
	if err != nil || !reflect.DeepEqual(got, Patch{}) {
		t.Errorf("empty patch: %+v, %v", got, err)
	}
	got, err = ParsePatch([]byte(`{"description":null,"priority":null,"due_date":null,"tags":null,"recurrence_pattern":null,"reminder_minutes":null}`))
	want := Patch{
		Description: To(""), Priority: To(Medium), DueDate: To(Due{}), Tags: To([]string{}),
		RecurrencePattern: To(""), ReminderMinutes: To[[]int](nil),
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("nulls: %+v, %v", got, err)
	}
	if got, err = ParsePatch([]byte(`{"reminder_minutes":[]}`)); err != nil || got.ReminderMinutes.Value == nil {
		t.Errorf("no reminders: %+v, %v", got, err)
	}
	_, err = ParsePatch([]byte(`{"title":null}`))
	if field, detail := faultOf(t, err); field != "title" || !strings.Contains(detail, "cannot be null") {
		t.Errorf("title null: %s: %s", field, detail)
	}
}

func TestParseTagChangeFaults(t *testing.T) {
	for _, c := range []struct{ body, field, detail string }{
		{`{}`, "tags", `is missing: send {"tags": […]}, or {"add": […], "remove": […]}`},
		{`{"tags":null}`, "tags", "must be an array of strings, not null"},
		{`{"tags":[],"add":["x"]}`, "tags", "cannot come with add or remove"},
		{`{"add":["x"],"remove":["X"]}`, "add", `holds "x", which remove holds too`},
		{`{"add":[""]}`, "add", "tag 1 is empty"},
		{`{"remove":[3]}`, "remove", "entry 1 must be a string, not a number"},
		{`{"title":"x"}`, "title", "is no field of a tag change: use tags, or add and remove"},
		{`{"add":[` + manyTags(21) + `]}`, "add", "more than 20 different tags"},
	} {
		_, err := ParseTagChange([]byte(c.body))
		field, detail := faultOf(t, err)
		if field != c.field || !strings.Contains(detail, c.detail) {
			t.Errorf("%s\ngot %s: %s\nwant %s: …%s…", c.body, field, detail, c.field, c.detail)
		}
	}
}

// TestEncodeIsJSON holds Encode to encoding/json: the same members with the same values, in the same order.
func TestEncodeIsJSON(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		task := anyTask(rt)
		doc := Encode(task)
		want, err := json.Marshal(task)
		if err != nil {
			rt.Fatal(err)
		}
		var a, b any
		if err := json.Unmarshal(doc, &a); err != nil {
			rt.Fatalf("%v in %s", err, doc)
		}
		if err := json.Unmarshal(want, &b); err != nil {
			rt.Fatal(err)
		}
		if diff := cmp.Diff(b, a); diff != "" {
			rt.Fatal(diff)
		}
		back, err := Decode(doc)
		if err != nil {
			rt.Fatal(err)
		}
		if again := Encode(back); string(again) != string(doc) {
			rt.Fatalf("decoded and encoded again:\n%s\n%s", again, doc)
		}
	})
}

// anyTask draws a task with arbitrary texts; it need not keep the rules.
func anyTask(rt *rapid.T) Task {
	optional := func(label string) *string {
		return rapid.Ptr(rapid.String(), true).Draw(rt, label)
	}
	at := func(label string) Time {
		return At(time.UnixMilli(rapid.Int64Range(0, 4e12).Draw(rt, label)))
	}
	done := at("completed_at")
	task := Task{
		ID: rapid.String().Draw(rt, "id"), Title: rapid.String().Draw(rt, "title"),
		Description: string(rapid.SliceOf(rapid.Byte()).Draw(rt, "description")), Status: Pending, Priority: High,
		DueDate:           anyDue(rt, "due_date"),
		Tags:              append([]string{}, rapid.SliceOf(rapid.String()).Draw(rt, "tags")...),
		RecurrencePattern: optional("pattern"), RecurrenceParentID: optional("parent"), SeriesStart: optional("start"),
		SeriesZone: optional("zone"), Occurrence: optional("occurrence"),
		OccurrenceNumber: rapid.Ptr(rapid.Int(), true).Draw(rt, "number"),
		ReminderMinutes:  append([]int{}, rapid.SliceOf(rapid.Int()).Draw(rt, "reminders")...),
		CreatedAt:        at("created_at"), UpdatedAt: at("updated_at"), Version: rapid.Int64().Draw(rt, "version"),
	}
	if rapid.Bool().Draw(rt, "completed") {
		task.CompletedAt = &done
	}
	return task
}

// anyDue draws a due date of each form, or none, close enough together to collide.
func anyDue(rt *rapid.T, label string) Due {
	s := rapid.SampledFrom([]string{
		"", "2026-03-28", "2026-03-29", "2026-03-30", "2026-03-29T00:00:00", "2026-03-29T02:30:00", "2026-03-28T23:59:59",
		"2026-03-29T00:00:00+01:00", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", "2026-03-30T09:00:00", "1970-01-01", "9999-12-30",
	}).Draw(rt, label)
	if s == "" {
		return Due{}
	}
	due, err := ParseDue(s)
	if err != nil {
		rt.Fatal(err)
	}
	return due
}

// FuzzParseDraft looks for bodies that panic, or pass and then are no valid JSON, no valid task, or are changed by
// parsing what they came to.
func FuzzParseDraft(f *testing.F) {
	f.Add([]byte(`{"title":"a","description":"b","priority":"low","due_date":"2026-03-31","tags":["x"],"reminder_minutes":[30]}`))
	f.Add([]byte(`{"title":"\ud83e\uddb7","recurrence_pattern":"RRULE:FREQ=DAILY"}`))
	f.Add([]byte(`{"quick":"call Ann"}`))
	env := Env{Now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Zone: time.UTC, Reminders: []int{30}}
	f.Fuzz(func(t *testing.T, body []byte) {
		d, err := ParseDraft(body)
		if err != nil {
			checkFaults(t, err)
			return
		}
		if !json.Valid(body) || !utf8.Valid(body) {
			t.Fatalf("accepted %q", body)
		}
		if d.Quick != "" {
			return
		}
		created, err := Create("id", "owner", d, env)
		if err != nil {
			checkFaults(t, err)
			return
		}
		if n := utf8.RuneCountInString(created.Title); n < 1 || n > MaxTitle || strings.TrimSpace(created.Title) != created.Title {
			t.Errorf("title %q", created.Title)
		}
		back, err := Decode(Encode(created))
		if err != nil || len(Changes(created, back)) > 0 {
			t.Errorf("stored and read: %v %v", Changes(created, back), err)
		}
	})
}

// FuzzParsePatch looks for patches that panic, or pass and then break a task, or do something the second time.
func FuzzParsePatch(f *testing.F) {
	f.Add([]byte(`{"title":"b","description":null,"priority":"low","due_date":null,"tags":["x"],"reminder_minutes":[]}`))
	f.Add([]byte(`{"recurrence_pattern":"monthly","due_date":"2026-01-31"}`))
	env := Env{Now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Zone: time.UTC, Reminders: []int{30}}
	f.Fuzz(func(t *testing.T, body []byte) {
		p, err := ParsePatch(body)
		if err != nil {
			checkFaults(t, err)
			return
		}
		before, err := Create("id", "owner", Draft{Title: "a"}, env)
		if err != nil {
			t.Fatal(err)
		}
		after, err := Update(before, p, env)
		if err != nil {
			checkFaults(t, err)
			return
		}
		if again, err := Update(after, p, env); err != nil || again.Version != after.Version {
			t.Errorf("the same patch changed the task twice: %v %v", Changes(after, again), err)
		}
	})
}

// checkFaults holds an error to be Invalid, each fault with a field, once, and a text.
func checkFaults(t *testing.T, err error) {
	t.Helper()
	var invalid Invalid
	if !errors.As(err, &invalid) || len(invalid) == 0 {
		t.Fatalf("error is %v, want Invalid", err)
	}
	seen := map[string]bool{}
	for _, f := range invalid {
		if f.Field == "" || f.Detail == "" || seen[f.Field] || !utf8.ValidString(f.Field+f.Detail) {
			t.Errorf("fault %q: %q in %v", f.Field, f.Detail, invalid)
		}
		seen[f.Field] = true
	}
}

var benchBody = []byte(`{"title":"Book the dentist","description":"Ask for a morning, **not** Tuesday.\nBring the card.",` +
	`"priority":"high","due_date":"2026-03-31T09:00:00+02:00","tags":["health","phone"],"reminder_minutes":[30,1440]}`)

func BenchmarkParseDraft(b *testing.B) {
	for b.Loop() {
		if _, err := ParseDraft(benchBody); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	t := benchTask(b)
	b.Run("Encode", func(b *testing.B) {
		for b.Loop() {
			Encode(t)
		}
	})
	b.Run("json.Marshal", func(b *testing.B) {
		for b.Loop() {
			if _, err := json.Marshal(t); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	doc := Encode(benchTask(b))
	for b.Loop() {
		if _, err := Decode(doc); err != nil {
			b.Fatal(err)
		}
	}
}

func benchTask(b *testing.B) Task {
	b.Helper()
	d, err := ParseDraft(benchBody)
	if err != nil {
		b.Fatal(err)
	}
	t, err := Create("01990f6e-7c1a-7bbb-8000-000000000000", "01990f6e-7c1a-7bbb-8000-000000000001", d,
		Env{Now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Zone: time.UTC})
	if err != nil {
		b.Fatal(err)
	}
	return t
}
