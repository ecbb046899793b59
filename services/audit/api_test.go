package audit_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/event"
	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/services/audit"
)

func versions(entries []audit.Entry) []int64 {
	out := []int64{}
	for _, e := range entries {
		out = append(out, e.ListVersion)
	}
	return out
}

// all follows the links from target to the last page; it returns the pages' list versions and how many there were.
func (s *stage) all(t interface{ Fatalf(string, ...any) }, user, target string) (found []int64, pages int) {
	found = []int64{}
	for target != "" {
		a := s.get(user, target)
		if a.status != http.StatusOK {
			t.Fatalf("%s: %d %s", target, a.status, a.body)
		}
		found = append(found, versions(a.entries)...)
		target, _, _ = strings.Cut(strings.TrimPrefix(a.header.Get("Link"), "<"), ">")
		if pages++; pages > 1000 {
			t.Fatalf("the pages do not end: %s", target)
		}
	}
	return found, pages
}

// An entry has every field, with the payload and the actor as they came.
//
// [Task]: T038
func TestHistoryOfATask(t *testing.T) {
	s := newStage(t, true)
	events := history(t, ada, 12, 3)
	s.keep(events...)
	a := s.get(ada, "/api/tasks/"+strings.ToUpper(taskID(ada, 1))+"/history")
	if a.status != http.StatusOK || a.header.Get("List-Version") != "12" || a.header.Get("Link") != "" || a.header.Get("Audit-Gaps") != "" {
		t.Fatalf("%d %v %s", a.status, a.header, a.body)
	}
	if diff := cmp.Diff([]int64{11, 8, 5, 2}, versions(a.entries)); diff != "" {
		t.Errorf("versions (-want +got):\n%s", diff)
	}
	var raw []map[string]json.RawMessage
	if err := json.Unmarshal(a.body, &raw); err != nil {
		t.Fatal(err)
	}
	e := events[10]
	payload, _, err := event.DecodeRecord(message(t, e).Data)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"log_id": quote(event.LogID(e.EventID)), "event_id": quote(e.EventID), "event_type": quote(string(e.EventType)),
		"task_id": quote(e.TaskID), "payload": string(payload.Payload), "user_id": quote(ada), "actor": string(payload.Actor), "list_id": quote(ada),
		"list_version": "11", "event_timestamp": `"2026-03-31T07:10:00Z"`, "received_at": `"2026-04-07T07:00:00Z"`,
	}
	got := map[string]string{}
	for name, value := range raw[0] {
		got[name] = string(value)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("entry (-want +got):\n%s", diff)
	}
}

func quote(s string) string { return strconv.Quote(s) }

// Versions that have not arrived are visible, and List-Version does not pass them; when they come, all is whole.
//
// [Task]: T038
func TestGapsAreVisible(t *testing.T) {
	s := newStage(t, false)
	events := history(t, ada, 150, 2)
	late := slices.Concat(events[2:3], events[6:9], events[139:140])
	var early []event.TaskEvent
	for _, e := range events {
		if !slices.ContainsFunc(late, func(l event.TaskEvent) bool { return l.EventID == e.EventID }) {
			early = append(early, e)
		}
	}
	s.keep(early...)
	a := s.get(ada, "/api/audit?limit=200")
	if got := a.header.Get("Audit-Gaps"); got != "3, 7-9, 140" || a.header.Get("List-Version") != "2" || len(a.entries) != len(early) {
		t.Errorf("gaps %q, list version %s, %d entries", got, a.header.Get("List-Version"), len(a.entries))
	}
	if got := s.get(ada, "/api/audit?limit=20").header.Get("Audit-Gaps"); got != "140" {
		t.Errorf("gaps of the first page %q, want 140", got)
	}
	// Versions 3, 7 and 9 of the list are the second, fourth and fifth of the first task.
	if got := s.get(ada, "/api/tasks/"+taskID(ada, 0)+"/history?limit=200").header.Get("Audit-Gaps"); got != "2, 4-5" {
		t.Errorf("gaps of the task %q, want 2, 4-5", got)
	}
	s.keep(late...)
	a = s.get(ada, "/api/audit?limit=200")
	if a.header.Get("Audit-Gaps") != "" || a.header.Get("List-Version") != "150" || len(a.entries) != 150 {
		t.Errorf("gaps %q, list version %s, %d entries", a.header.Get("Audit-Gaps"), a.header.Get("List-Version"), len(a.entries))
	}
}

// A hole wider than any probe is bridged, by what the replica knows and for another one by the hint, also when the hint moves before
// the hole closes.
func TestWideHolesAreBridged(t *testing.T) {
	s := newStage(t, false)
	events := history(t, ada, 640, 1)
	s.keep(slices.Concat(events[:10], events[500:])...)
	s.service.Drain(t.Context()) // which leaves the hints
	for name, replica := range map[string]host.Service{"the same": s.service, "another": s.replica()} {
		a := s.getFrom(replica, ada, "/api/audit?limit=200")
		if len(a.entries) != 150 || a.entries[0].ListVersion != 640 || a.header.Get("List-Version") != "10" {
			t.Fatalf("%s replica: %d entries, list version %s", name, len(a.entries), a.header.Get("List-Version"))
		}
	}
	if found, _ := s.all(t, ada, "/api/audit"); len(found) != 150 {
		t.Errorf("%d entries on all pages, want 150", len(found))
	}
	s.keep(events[10:500]...)
	reached := func(replica host.Service) string {
		return s.getFrom(replica, ada, "/api/audit?limit=1").header.Get("List-Version")
	}
	if v := reached(s.service); v != "640" {
		t.Errorf("list version %s, want 640", v)
	}
	s.forgetHint(ada) // costs probing, nothing else
	if v := reached(s.replica()); v != "640" {
		t.Errorf("list version without a hint %s, want 640", v)
	}
}

// forgetHint takes the hint of a list away, as where a replica died before it left one.
func (s *stage) forgetHint(list string) {
	s.t.Helper()
	err := s.node.Host(audit.Name).State.Commit(s.t.Context(), host.Tx{Ops: []host.Op{host.Delete(audit.HeadPrefix + "list/" + list)}})
	if err != nil {
		s.t.Fatal(err)
	}
}

// Readers of any replica find a version behind a hole: whoever keeps it leaves a hint, also where a replica died between the two.
//
// [Task]: T038
func TestAVersionBehindAHoleIsFound(t *testing.T) {
	for _, died := range []bool{false, true} {
		s := newStage(t, false)
		events := history(t, ada, 40, 1)
		s.keep(slices.Concat(events[:5], events[36:37])...) // versions 1 to 5, and 37
		s.service.Drain(t.Context())
		if died {
			s.forgetHint(ada)
			if a := s.getFrom(s.replica(), ada, "/api/audit"); len(a.entries) != 5 {
				t.Fatalf("%d entries without a hint: the hole is too small to test anything", len(a.entries))
			}
			next := s.replica()
			if err := next.Subscriptions[0].Handle(t.Context(), message(t, events[36])); err != nil {
				t.Fatal(err)
			}
			next.Drain(t.Context())
		}
		a := s.getFrom(s.replica(), ada, "/api/audit")
		if len(a.entries) != 6 || a.entries[0].ListVersion != 37 || a.header.Get("List-Version") != "5" {
			t.Errorf("died %v: %d entries, list version %s, want 6 and 5", died, len(a.entries), a.header.Get("List-Version"))
		}
	}
}

// Whatever the query, its pages together are exactly the events it asks for, newest first.
//
// [Task]: T038
func TestPagesOfAnyQuery(t *testing.T) {
	s := newStage(t, true)
	events := history(t, ada, 400, 5)
	s.keep(slices.Concat(events, history(t, bob, 30, 2))...)
	rapid.Check(t, func(t *rapid.T) {
		v := url.Values{"limit": {strconv.Itoa(rapid.IntRange(1, 200).Draw(t, "limit"))}}
		from, to := epoch.Add(-time.Hour), epoch.AddDate(1, 0, 0)
		if rapid.Bool().Draw(t, "has from") {
			from = epoch.Add(time.Duration(rapid.IntRange(-10, 420).Draw(t, "from")) * time.Minute)
			v.Set("from", from.Format(time.RFC3339))
		}
		if rapid.Bool().Draw(t, "has to") {
			to = from.Add(time.Duration(rapid.IntRange(1, 300).Draw(t, "to")) * time.Minute)
			v.Set("to", to.In(time.FixedZone("", 2*60*60)).Format(time.RFC3339))
		}
		for _, typ := range rapid.SliceOfNDistinct(rapid.SampledFrom(event.Types), 0, 3, rapid.ID[event.Type]).Draw(t, "types") {
			v.Add("event_type", string(typ))
		}
		path, task := "/api/audit", ""
		if n := rapid.IntRange(-1, 4).Draw(t, "task"); n >= 0 {
			if task = taskID(ada, n); rapid.Bool().Draw(t, "history") {
				path = "/api/tasks/" + task + "/history"
			} else {
				v.Set("task_id", task)
			}
		}
		want := []int64{}
		for _, e := range slices.Backward(events) {
			if (task == "" || e.TaskID == task) && !e.Timestamp.Before(from) && e.Timestamp.Before(to) &&
				(len(v["event_type"]) == 0 || slices.Contains(v["event_type"], string(e.EventType))) {
				want = append(want, e.ListVersion)
			}
		}
		got, _ := s.all(t, ada, path+"?"+v.Encode())
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%s?%s (-want +got):\n%s", path, v.Encode(), diff)
		}
	})
	if _, pages := s.all(t, ada, "/api/audit"); pages != 8 {
		t.Errorf("%d pages of 50 of 400 entries, want 8", pages)
	}
}

// Nobody sees another user's history, nor that there is one.
//
// [Task]: T038
func TestNobodySeesAnotherUsersHistory(t *testing.T) {
	s := newStage(t, false)
	s.keep(slices.Concat(history(t, ada, 4, 2), history(t, bob, 2, 1))...)
	foreign := s.get(bob, "/api/tasks/"+taskID(ada, 0)+"/history")
	unknown := s.get(bob, "/api/tasks/"+taskID(ada, 77)+"/history")
	if foreign.status != http.StatusNotFound || string(foreign.body) != string(unknown.body) {
		t.Errorf("another user's: %d %s, unknown: %d %s", foreign.status, foreign.body, unknown.status, unknown.body)
	}
	if a := s.get(bob, "/api/audit?task_id="+taskID(ada, 0)); a.status != http.StatusOK || len(a.entries) != 0 || string(a.body) != "[]\n" {
		t.Errorf("audit of another user's task: %d %s", a.status, a.body)
	}
	if diff := cmp.Diff([]int64{2, 1}, versions(s.get(bob, "/api/audit").entries)); diff != "" {
		t.Errorf("bob's own (-want +got):\n%s", diff)
	}
	for _, target := range []string{"/api/audit", "/api/tasks/" + taskID(ada, 0) + "/history"} {
		if a := s.get("", target); a.status != http.StatusUnauthorized {
			t.Errorf("%s without a token: %d", target, a.status)
		}
	}
}

// Bad input is answered with 400 and the name of the parameter at fault.
func TestBadQueriesNameTheField(t *testing.T) {
	s := newStage(t, false)
	s.keep(history(t, ada, 8, 2)...)
	link := func(target string) string {
		u, _, _ := strings.Cut(strings.TrimPrefix(s.get(ada, target).header.Get("Link"), "<"), ">")
		parsed, err := url.Parse(u)
		if err != nil || u == "" {
			t.Fatalf("no next page of %s: %v", target, err)
		}
		return parsed.Query().Get("cursor")
	}
	cursor := link("/api/audit?limit=2&event_type=task.created&event_type=task.updated")
	if a := s.get(ada, "/api/audit?limit=1&event_type=task.updated&event_type=task.created&cursor="+cursor); a.status != http.StatusOK {
		t.Errorf("the same query in another order and with another limit: %d %s", a.status, a.body)
	}
	id := taskID(ada, 0)
	for target, field := range map[string]string{
		"/api/audit?limit=0":                                           "limit",
		"/api/audit?limit=201":                                         "limit",
		"/api/audit?limit=many":                                        "limit",
		"/api/audit?event_type=created":                                "event_type",
		"/api/audit?task_id=7":                                         "task_id",
		"/api/audit?from=yesterday":                                    "from",
		"/api/audit?to=2026-13-01T00:00:00Z":                           "to",
		"/api/audit?from=2026-04-01T00:00:00Z&to=2026-04-01T00:00:00Z": "to",
		"/api/audit?page=2":                                            "page",
		"/api/audit?limit=1&limit=2":                                   "limit",
		"/api/audit?cursor=x":                                          "cursor",
		"/api/audit?cursor=" + cursor:                                  "cursor",
		"/api/audit?event_type=task.created&cursor=" + cursor:          "cursor",
		"/api/audit?event_type=task.created&event_type=task.updated&task_id=" + id + "&cursor=" + cursor:        "cursor",
		"/api/audit?event_type=task.created&event_type=task.updated&from=2026-04-01T00:00:00Z&cursor=" + cursor: "cursor",
		"/api/tasks/" + id + "/history?cursor=" + link("/api/tasks/"+taskID(ada, 1)+"/history?limit=1"):         "cursor",
		"/api/tasks/" + id + "/history?limit=-1":                                                                "limit",
		"/api/tasks/7/history":                                                                                  "id",
	} {
		a := s.get(ada, target)
		var p edge.Problem
		if err := json.Unmarshal(a.body, &p); err != nil {
			t.Fatal(err)
		}
		if a.status != http.StatusBadRequest || len(p.Errors) != 1 || !strings.HasPrefix(p.Errors[0].Field, field) {
			t.Errorf("%s: %d %s, want 400 naming %s", target, a.status, a.body, field)
		}
	}
	if a := s.get(bob, "/api/audit?event_type=task.created&event_type=task.updated&cursor="+cursor); a.status != http.StatusBadRequest {
		t.Errorf("another user's cursor: %d", a.status)
	}
}

// A rare filter on a long history is answered in bounded pages that may be empty, and nothing is left out.
func TestRareFiltersAreBounded(t *testing.T) {
	s := newStage(t, false)
	state := s.node.Host(audit.Name).State
	last := int64(9000) // only the first and the last version are there; the hint leads to the last
	first := history(t, ada, 1, 1)[0]
	far := history(t, ada, 2, 1)[1]
	far.ListVersion = last
	s.keep(first, far)
	hint := host.Put(audit.HeadPrefix+"list/"+ada, fmt.Appendf(nil, `{"whole":1,"max":%d}`, last))
	if err := state.Commit(t.Context(), host.Tx{Ops: []host.Op{hint}}); err != nil {
		t.Fatal(err)
	}
	found, pages := s.all(t, ada, "/api/audit?event_type=task.created")
	if diff := cmp.Diff([]int64{1}, found); diff != "" || pages != 3 {
		t.Errorf("%d pages, want 3 (-want +got):\n%s", pages, diff)
	}
	found, _ = s.all(t, ada, "/api/audit?limit=200")
	if diff := cmp.Diff([]int64{last, 1}, found); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// The platform's routes are not for users, and the users' not for the platform.
func TestPublicAndRuntimeAreApart(t *testing.T) {
	s := newStage(t, false)
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 200, "/metrics": 200, "/api/audit": 404} {
		if got := s.runtime(path); got != want {
			t.Errorf("runtime %s: %d, want %d", path, got, want)
		}
	}
	if a := s.get(ada, "/metrics"); a.status != http.StatusNotFound {
		t.Errorf("public /metrics: %d", a.status)
	}
}

// Whatever the query, the answer is entries, or a problem that is the caller's and says where.
func FuzzQuery(f *testing.F) {
	s := newStage(f, false)
	s.keep(history(f, ada, 20, 3)...)
	for _, q := range []string{"", "limit=5", "event_type=task.created&limit=1", "from=2026-03-31T07:05:00Z&to=2026-03-31T07:09:00%2B00:00",
		"cursor=AAAAAAAAAAAAAAAAAAAAAA", "task_id=" + taskID(ada, 1), "limit=%ff", "a;b", "to=9999-12-31T23:59:59.999999999Z"} {
		f.Add(q)
	}
	f.Fuzz(func(t *testing.T, query string) {
		s := *s
		s.t = t
		a := s.get(ada, "/api/audit?"+query)
		var p edge.Problem
		switch {
		case a.status == http.StatusOK:
		case a.status != http.StatusBadRequest || json.Unmarshal(a.body, &p) != nil || len(p.Errors) == 0:
			t.Errorf("%q: %d %s", query, a.status, a.body)
		}
	})
}
