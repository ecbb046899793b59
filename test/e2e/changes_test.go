package e2e

import (
	"encoding/json"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/docket-tasks/docket/event"
)

// Every way to change a task is one event, and the audit log has who did what.
//
// [Task]: T039
func TestChangesAreRecorded(t *testing.T) {
	scenario(t, func(t *testing.T, w *world) {
		ada := w.user("Ada", "Europe/Berlin")
		var phone struct {
			ID     string `json:"id"`
			Secret string `json:"token"`
		}
		ada.post("/api/tokens", object{"name": "phone", "scope": "write"}).want(201).into(&phone)
		onPhone := ada.as(phone.Secret)

		made := ada.post("/api/tasks", object{"title": "  Pay rent ", "description": "to *Ms. Byron*", "priority": "high",
			"due_date": "2030-03-31T09:00:00+02:00", "tags": []string{"Home", "money"}, "reminder_minutes": []int{60, 5}}).want(201)
		rent := made.task()
		if rent.Title != "Pay rent" || rent.due() != "2030-03-31T09:00:00+02:00" || rent.CreatedBy != ada.id || rent.Version != 1 {
			t.Errorf("created: %+v", rent)
		}
		if made.header.Get("Location") != rent.path() || made.header.Get("ETag") != quoted(1) || made.version() != 1 {
			t.Errorf("created: headers %v", made.header)
		}
		onPhone.do("PATCH", rent.path(), object{"title": "Pay the rent", "priority": "low", "due_date": nil}, "If-Match", quoted(1)).want(200)
		ada.do("PATCH", rent.path(), object{"title": "Pay the rent"}).want(200) // as it is: no event
		ada.do("PUT", rent.path()+"/tags", object{"add": []string{"HOME", "urgent"}, "remove": []string{"MONEY"}}).want(200)
		ada.step(rent, "complete")
		ada.step(rent, "complete") // as it is
		ada.step(rent, "reopen")
		ada.do("DELETE", rent.path(), nil).want(204)
		ada.do("DELETE", rent.path(), nil).want(204) // as it is
		if p := ada.do("PATCH", rent.path(), object{"title": "No"}).want(409).problem(); p.Code != "task_deleted" {
			t.Errorf("change of a deleted task: %+v", p)
		}
		last := ada.post(rent.path()+"/restore", nil).want(200)
		if i := last.task(); i.Status != "pending" || i.Version != 7 || !slices.Equal(i.Tags, []string{"Home", "urgent"}) {
			t.Errorf("restored: %+v", i)
		}

		history := ada.history(rent.ID, last.version())
		var did []event.Type
		for n, e := range history {
			did = append(did, e.EventType)
			if e.ListVersion != int64(n+1) || e.UserID != ada.id || e.Actor.Kind != "token" {
				t.Errorf("entry %d: %+v", n, e)
			}
		}
		if diff := cmp.Diff([]event.Type{event.TaskCreated, event.TaskUpdated, event.TaskUpdated, event.TaskCompleted, event.TaskReopened,
			event.TaskDeleted, event.TaskRestored}, did); diff != "" {
			t.Fatalf("history (-want +got):\n%s", diff)
		}
		if who := history[1].Actor; who.ID != phone.ID || who.Name != "phone" {
			t.Errorf("the change was made by %+v, want the phone", who)
		}
		changes := map[string]event.Change{
			"title": {Old: "Pay rent", New: "Pay the rent"}, "priority": {Old: "high", New: "low"}, "due_date": {Old: "2030-03-31T09:00:00+02:00", New: nil},
		}
		if diff := cmp.Diff(changes, history[1].event(t).Payload.Changes); diff != "" {
			t.Errorf("what the phone changed (-want +got):\n%s", diff)
		}
		if at := history[3].event(t).Payload.CompletedAt; at == nil || time.Since(*at) > time.Hour {
			t.Errorf("completed at %v", at)
		}
		t.Run("filters", func(t *testing.T) { auditFilters(t, ada, rent) })
	})
}

// auditFilters asks the audit log in each way that it can be asked.
func auditFilters(t *testing.T, c *client, of item) {
	other := c.post("/api/tasks", object{"title": "Another"}).want(201)
	c.audited(other.version())
	middle := c.history(of.ID, 0)[3].EventTimestamp
	for query, want := range map[string][]int64{
		"":                         {8, 7, 6, 5, 4, 3, 2, 1},
		"limit=3":                  {8, 7, 6, 5, 4, 3, 2, 1},
		"limit=1&task_id=" + of.ID: {7, 6, 5, 4, 3, 2, 1},
		"event_type=task.created":  {8, 1},
		"event_type=task.deleted&event_type=task.restored":                        {7, 6},
		"task_id=" + other.task().ID:                                              {8},
		"from=" + url.QueryEscape(time.Now().Add(time.Hour).Format(time.RFC3339)): nil,
		"to=" + url.QueryEscape(middle.Add(-time.Hour).Format(time.RFC3339)):      nil,
	} {
		var got []int64
		for _, page := range c.pages("/api/audit?" + query) {
			var entries []auditEntry
			page.into(&entries)
			for _, e := range entries {
				got = append(got, e.ListVersion)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("audit?%s: versions %v, want %v", query, got, want)
		}
	}
}

// A request that is repeated with its Idempotency-Key changes nothing; a conditional one changes only what it was
// made for, and what has not changed is not sent again.
func TestConditionalAndRepeatedRequests(t *testing.T) {
	scenario(t, func(t *testing.T, w *world) {
		c := w.owner
		first := c.post("/api/tasks", `{"title":"Once"}`, "Idempotency-Key", "k-1").want(201)
		again := c.post("/api/tasks", `{"title":"Once"}`, "Idempotency-Key", "k-1").want(201)
		if first.task().ID != again.task().ID || c.listVersion() != 1 {
			t.Errorf("repeated: %s and %s", first.body, again.body)
		}
		c.step(first.task(), "complete")
		if late := c.post("/api/tasks", `{"title":"Once"}`, "Idempotency-Key", "k-1").want(201).task(); late.ID != first.task().ID {
			t.Errorf("repeated after a change: %+v", late)
		}
		if other := w.user("Bob", "UTC").post("/api/tasks", `{"title":"Mine"}`, "Idempotency-Key", "k-1").want(201).task(); other.ID == first.task().ID {
			t.Error("two users share a key")
		}

		path := first.task().path()
		c.get(path, "If-None-Match", quoted(2)).want(304)
		c.get(path, "If-None-Match", quoted(1)).want(200)
		page := c.get("/api/tasks").want(200)
		c.get("/api/tasks", "If-None-Match", page.header.Get("ETag")).want(304)
		for _, stale := range []*answer{
			c.do("PATCH", path, object{"title": "Stale"}, "If-Match", quoted(1)),
			c.do("PUT", path+"/tags", object{"tags": []string{"stale"}}, "If-Match", quoted(1)),
			c.do("POST", path+"/reopen", nil, "If-Match", quoted(1)),
			c.do("DELETE", path, nil, "If-Match", quoted(1)),
		} {
			if p := stale.want(412).problem(); !p.names("If-Match") {
				t.Errorf("%s: %+v", stale.what, p)
			}
		}
		c.do("DELETE", path, nil, "If-Match", quoted(2)).want(204)
		c.get("/api/tasks", "If-None-Match", page.header.Get("ETag")).want(200)
		if got := c.list(""); len(got) != 0 {
			t.Errorf("deleted, and still there: %+v", got)
		}
		if got := c.list("status=deleted"); len(got) != 1 {
			t.Errorf("deleted tasks: %+v", got)
		}
	})
}

// A batch carries out its changes in order; each succeeds or fails on its own.
func TestBatch(t *testing.T) {
	scenario(t, func(t *testing.T, w *world) {
		c := w.owner
		old := c.create(object{"title": "Old", "tags": []string{"a"}})
		change := func(op string, more object) object {
			more["op"] = op
			if op != "create" {
				more["id"] = old.ID
			}
			return more
		}
		done := c.post("/api/tasks/batch", object{"changes": []object{
			change("create", object{"body": object{"title": "New"}, "idempotency_key": "b"}),
			change("create", object{"body": object{"quick": "Call Ada tomorrow #phone"}}),
			change("create", object{"body": object{"title": ""}}),
			change("update", object{"body": object{"title": "Older"}, "if_match": quoted(1)}),
			change("update", object{"body": object{"title": "Oldest"}, "if_match": quoted(1)}),
			change("tags", object{"body": object{"add": []string{"b"}}}),
			change("complete", object{}),
			change("reopen", object{}),
			change("delete", object{}),
			change("update", object{"body": object{"title": "Gone"}}),
			change("restore", object{}),
		}}).want(200)
		var out struct {
			Results []struct {
				Status int             `json:"status"`
				Task   json.RawMessage `json:"task"`
				Error  *problem        `json:"error"`
			} `json:"results"`
		}
		done.into(&out)
		var got []int
		for _, r := range out.Results {
			got = append(got, r.Status)
			if (r.Error != nil) != (r.Status >= 400) {
				t.Errorf("result %+v", r)
			}
		}
		if want := []int{201, 201, 400, 200, 412, 200, 200, 200, 204, 409, 200}; !slices.Equal(got, want) {
			t.Errorf("results %v, want %v", got, want)
		}
		if done.version() != 9 || c.listVersion() != 9 {
			t.Errorf("list version %d and %d, want 9", done.version(), c.listVersion())
		}
		if i := c.task(old.ID); i.Title != "Older" || i.Status != "pending" || !slices.Equal(i.Tags, []string{"a", "b"}) {
			t.Errorf("after the batch: %+v", i)
		}
		if n := len(c.history(old.ID, 9)); n != 7 {
			t.Errorf("%d events of the old task, want 7", n)
		}
	})
}

// One line of text is understood in the user's zone, the same with and without saving; so is a rule.
func TestUnderstanding(t *testing.T) {
	scenario(t, func(t *testing.T, w *world) {
		c := w.user("Grace", "America/New_York")
		const line = "Water the plants every friday at 18:00 #home !high"
		type understood struct {
			Title   string   `json:"title"`
			Due     string   `json:"due_date"`
			Pattern string   `json:"recurrence_pattern"`
			Tags    []string `json:"tags"`
		}
		var parsed understood
		c.post("/api/tasks/parse", object{"quick": line}).want(200).into(&parsed)
		if parsed.Title != "Water the plants" || parsed.Pattern == "" || !slices.Equal(parsed.Tags, []string{"home"}) {
			t.Errorf("parsed: %+v", parsed)
		}
		if v := c.listVersion(); v != 0 {
			t.Errorf("parsing has changed the list to version %d", v)
		}
		var made struct {
			item
			Quick understood `json:"quick"`
		}
		c.post("/api/tasks", object{"quick": line}).want(201).into(&made)
		if made.Title != parsed.Title || made.due() != parsed.Due || *made.RecurrencePattern != parsed.Pattern || made.Priority != "high" {
			t.Errorf("created %+v, parsed %+v", made, parsed)
		}
		if diff := cmp.Diff(parsed, made.Quick); diff != "" {
			t.Errorf("understood when parsing and when creating (-parsed +created):\n%s", diff)
		}

		type preview struct {
			Words string   `json:"words"`
			Dates []string `json:"due_dates"`
		}
		var from, always preview
		c.post("/api/recurrence/preview", object{"recurrence_pattern": "monthly", "due_date": "2030-01-31"}).want(200).into(&from)
		want := preview{"every month on the 31st, or the last day", []string{"2030-01-31", "2030-02-28", "2030-03-31", "2030-04-30", "2030-05-31"}}
		if diff := cmp.Diff(want, from); diff != "" {
			t.Errorf("preview from a date (-want +got):\n%s", diff)
		}
		c.post("/api/recurrence/preview", object{"recurrence_pattern": "monthly"}).want(200).into(&always)
		if always.Words != "every month" || len(always.Dates) != 5 {
			t.Errorf("preview from no date: %+v, want no day in its words, and five dates", always)
		}
	})
}
