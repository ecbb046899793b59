package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// refusal is a request that must change nothing. In its path, {task} is a task of the caller's, at version 2.
type refusal struct {
	name         string
	method, path string
	body         any
	status       int
	field        string // which the problem has to name; empty where it is not about one
	headers      []string
}

// fields refuses a task of these fields, both new and as a change.
func fields(name, field string, body any) []refusal {
	return []refusal{
		{name: "create: " + name, method: "POST", path: "/api/tasks", body: body, status: 400, field: field},
		{name: "update: " + name, method: "PATCH", path: "/api/tasks/{task}", body: body, status: 400, field: field},
	}
}

func list(query, field string) []refusal {
	return []refusal{{name: "list?" + query, method: "GET", path: "/api/tasks?" + query, status: 400, field: field}}
}

func repeat(n int, text func(int) string) (out []string) {
	for i := range n {
		out = append(out, text(i))
	}
	return out
}

// titled is a task with a title and one more member, as JSON.
func titled(member string) string { return `{"title":"T",` + member + `}` }

func refusals() []refusal {
	tags := repeat(21, func(i int) string { return fmt.Sprintf("tag %d", i) })
	return concat(
		fields("empty title", "title", `{"title":""}`),
		fields("blank title", "title", `{"title":" \t\u2003"}`),
		fields("null title", "title", `{"title":null}`),
		fields("256 characters", "title", object{"title": strings.Repeat("ä", 256)}),
		fields("line break in a title", "title", `{"title":"a\nb"}`),
		fields("NUL", "title", `{"title":"a\u0000b"}`),
		fields("invalid UTF-8", "title", "{\"title\":\"a\xffb\"}"),
		fields("lone surrogate", "title", `{"title":"\ud800"}`),
		fields("title of the wrong type", "title", `{"title":7}`),
		fields("2001 characters", "description", object{"title": "T", "description": strings.Repeat("x", 2001)}),
		fields("description of the wrong type", "description", titled(`"description":[]`)),
		fields("unknown field", "colour", titled(`"colour":"red"`)),
		fields("field in other case", "Priority", titled(`"Priority":"high"`)),
		fields("unknown priority", "priority", titled(`"priority":"urgent"`)),
		fields("21 tags", "tags", object{"title": "T", "tags": tags}),
		fields("tag of 51", "tags", object{"title": "T", "tags": []string{strings.Repeat("t", 51)}}),
		fields("empty tag", "tags", titled(`"tags":[" "]`)),
		fields("tags of the wrong type", "tags", titled(`"tags":"home"`)),
		fields("unknown frequency", "recurrence_pattern", titled(`"recurrence_pattern":"RRULE:FREQ=NEVER"`)),
		fields("finer than daily", "recurrence_pattern", titled(`"recurrence_pattern":"RRULE:FREQ=SECONDLY"`)),
		fields("never comes", "recurrence_pattern", titled(`"recurrence_pattern":"RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"`)),
		fields("no rule", "recurrence_pattern", titled(`"recurrence_pattern":"now and then"`)),
		fields("year 10000", "due_date", titled(`"due_date":"10000-01-01"`)),
		fields("year 1969", "due_date", titled(`"due_date":"1969-12-31"`)),
		fields("year of two digits", "due_date", titled(`"due_date":"30-01-01"`)),
		fields("30 February", "due_date", titled(`"due_date":"2030-02-30"`)),
		fields("fraction of a second", "due_date", titled(`"due_date":"2030-01-01T09:00:00.5Z"`)),
		fields("year 10000 in UTC", "due_date", titled(`"due_date":"9999-12-31T23:59:59-01:00"`)),
		fields("empty date", "due_date", titled(`"due_date":""`)),
		fields("date of the wrong type", "due_date", titled(`"due_date":1893456000`)),
		fields("negative minutes", "reminder_minutes", titled(`"reminder_minutes":[-1]`)),
		fields("too many minutes", "reminder_minutes", titled(`"reminder_minutes":[40321]`)),
		fields("half a minute", "reminder_minutes", titled(`"reminder_minutes":[0.5]`)),
		fields("11 reminders", "reminder_minutes", titled(`"reminder_minutes":[1,2,3,4,5,6,7,8,9,10,11]`)),
		fields("another's id", "created_by", titled(`"created_by":"01a00000-0000-7000-8000-000000000000"`)),
		fields("id", "id", titled(`"id":"01a00000-0000-7000-8000-000000000000"`)),
		fields("status", "status", titled(`"status":"completed"`)),
		fields("version", "version", titled(`"version":7`)),
		fields("series", "series_start", titled(`"series_start":"2030-01-01"`)),
		fields("member given twice", "title", `{"title":"a","title":"b"}`),
		fields("no JSON", "body", `title=T`),
		fields("two values", "body", `{"title":"T"} {}`),
		fields("array", "body", `["T"]`),
		fields("nothing", "", nil),
		fields("deep JSON", "description", titled(`"description":`+strings.Repeat("[", 20_000)+strings.Repeat("]", 20_000))),
		list("limit=0", "limit"), list("limit=201", "limit"), list("limit=%2B5", "limit"), list("limit=5&limit=5", "limit"), list("colour=red", "colour"),
		list("sort_by=colour", "sort_by"), list("sort_order=up", "sort_order"), list("status=done", "status"), list("priority=urgent", "priority"),
		list("due_before=soon", "due_before"), list("due_after=2030-02-30", "due_after"), list("search=%ff", "search"), list("search=a&search=b", "search"),
		list("search="+strings.Repeat("x", 256), "search"), list("cursor=AAAA", "cursor"),
		otherRefusals(tags),
	)
}

func concat(parts ...[]refusal) (all []refusal) {
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// otherRefusals are those of other routes, or of requests as a whole.
func otherRefusals(tags []string) []refusal {
	million := `{"title":"T","description":"` + strings.Repeat("x", 1<<20) + `"}`
	changes := make([]object, 201)
	for i := range changes {
		changes[i] = object{"op": "create", "body": object{"title": "T"}}
	}
	return []refusal{
		{name: "create: 1 MB", method: "POST", path: "/api/tasks", body: million, status: 413},
		{name: "update: 1 MB", method: "PATCH", path: "/api/tasks/{task}", body: million, status: 413},
		{name: "64 KiB and a byte", method: "POST", path: "/api/tasks", body: titled(`"description":"` + strings.Repeat("x", 64<<10) + `"`), status: 413},
		{name: "create with a query", method: "POST", path: "/api/tasks?titel=T", body: `{"title":"T"}`, status: 400, field: "titel"},
		{name: "quick and more", method: "POST", path: "/api/tasks", body: `{"quick":"Call","title":"T"}`, status: 400, field: "title"},
		{name: "quick without a title", method: "POST", path: "/api/tasks", body: `{"quick":"#home"}`, status: 400, field: "quick"},
		{name: "quick, blank", method: "POST", path: "/api/tasks", body: `{"quick":" "}`, status: 400, field: "quick"},
		{name: "quick of 256", method: "POST", path: "/api/tasks", body: object{"quick": strings.Repeat("x", 256)}, status: 400, field: "title"},
		{name: "key used for another body", method: "POST", path: "/api/tasks", body: `{"title":"Other"}`, status: 422, field: "Idempotency-Key", headers: []string{"Idempotency-Key", "used"}},
		{name: "key of 256", method: "POST", path: "/api/tasks", body: `{"title":"T"}`, status: 400, field: "Idempotency-Key", headers: []string{"Idempotency-Key", strings.Repeat("k", 256)}},
		{name: "stale", method: "PATCH", path: "/api/tasks/{task}", body: `{"title":"T"}`, status: 412, field: "If-Match", headers: []string{"If-Match", `"1"`}},
		{name: "ETag that is none", method: "DELETE", path: "/api/tasks/{task}", status: 412, field: "If-Match", headers: []string{"If-Match", "2"}},
		{name: "21 tags replacing", method: "PUT", path: "/api/tasks/{task}/tags", body: object{"tags": tags}, status: 400, field: "tags"},
		{name: "21 tags added", method: "PUT", path: "/api/tasks/{task}/tags", body: object{"add": tags}, status: 400, field: "add"},
		{name: "tags and add", method: "PUT", path: "/api/tasks/{task}/tags", body: `{"tags":[],"add":["x"]}`, status: 400, field: "tags"},
		{name: "201 changes", method: "POST", path: "/api/tasks/batch", body: object{"changes": changes}, status: 400, field: "changes"},
		{name: "no changes", method: "POST", path: "/api/tasks/batch", body: `{"changes":[]}`, status: 400, field: "changes"},
		{name: "unknown change", method: "POST", path: "/api/tasks/batch", body: `{"changes":[{"op":"burn"}]}`, status: 400, field: "changes[0].op"},
		{name: "batch naming a member twice", method: "POST", path: "/api/tasks/batch", body: `{"changes":[{"op":"create","body":{"title":"T"},"body":{"title":"U"}}]}`, status: 400, field: "body"},
		{name: "id that is none", method: "GET", path: "/api/tasks/nonsense", status: 404},
		{name: "wrong method", method: "PUT", path: "/api/tasks", body: `{"title":"T"}`, status: 405},
		{name: "wrong method on one", method: "POST", path: "/api/tasks/{task}", body: `{"title":"T"}`, status: 405},
		{name: "unknown method", method: "BREW", path: "/api/tasks", status: 405},
		{name: "unknown path", method: "GET", path: "/api/nothing", status: 404},
		{name: "unknown path below a task", method: "POST", path: "/api/tasks/{task}/burn", status: 404},
		{name: "unknown parameter of a change", method: "POST", path: "/api/tasks/{task}/complete?force=true", status: 400, field: "force"},
		{name: "parse nothing", method: "POST", path: "/api/tasks/parse", body: `{"quick":""}`, status: 400, field: "quick"},
		{name: "preview of no rule", method: "POST", path: "/api/recurrence/preview", body: `{"recurrence_pattern":"RRULE:FREQ=HOURLY"}`, status: 400, field: "recurrence_pattern"},
		{name: "preview from no date", method: "POST", path: "/api/recurrence/preview", body: `{"recurrence_pattern":"daily","due_date":"soon"}`, status: 400, field: "due_date"},
		{name: "audit of no id", method: "GET", path: "/api/audit?task_id=x", status: 400, field: "task_id"},
		{name: "audit backwards", method: "GET", path: "/api/audit?from=2030-01-01T00:00:00Z&to=2029-01-01T00:00:00Z", status: 400, field: "to"},
		{name: "audit from no time", method: "GET", path: "/api/audit?from=soon", status: 400, field: "from"},
		{name: "audit of no type", method: "GET", path: "/api/audit?event_type=task.burnt", status: 400, field: "event_type[0]"},
		{name: "inbox from no cursor", method: "GET", path: "/api/notifications?cursor=x", status: 400, field: "cursor"},
		{name: "inbox, 0 at once", method: "GET", path: "/api/notifications?limit=0", status: 400, field: "limit"},
		{name: "zone that is none", method: "PATCH", path: "/api/me", body: `{"time_zone":"Mars/Olympus"}`, status: 400, field: "time_zone"},
		{name: "webhook that is none", method: "PATCH", path: "/api/me", body: `{"channels":{"webhook":{"url":"ftp://x"}}}`, status: 400, field: "channels.webhook.url"},
		{name: "own version", method: "PATCH", path: "/api/me", body: `{"version":9}`, status: 400, field: "version"},
		{name: "name of another", method: "PATCH", path: "/api/me", body: `{"name":"{OTHER}"}`, status: 409, field: "name"},
		{name: "scope that is none", method: "POST", path: "/api/tokens", body: `{"name":"x","scope":"all"}`, status: 400, field: "scope"},
		{name: "token of yesterday", method: "POST", path: "/api/tokens", body: `{"name":"x","scope":"read","expires_at":"2020-01-01T00:00:00Z"}`, status: 400, field: "expires_at"},
	}
}

// Whatever is wrong with a request, the answer says what, and nothing has changed.
func TestRefusals(t *testing.T) {
	scenario(t, func(t *testing.T, w *world) {
		c := w.user("Ada", "Europe/Berlin")
		placed := strings.NewReplacer("{OTHER}", strings.ToUpper(w.user("Bob", "UTC").name))
		task := c.post("/api/tasks", `{"title":"As it was"}`, "Idempotency-Key", "used").want(201).task()
		for n := range 3 {
			c.create(object{"title": fmt.Sprintf("Other %d", n), "recurrence_pattern": "daily", "due_date": "2030-01-01"})
		}
		c.do("PATCH", task.path(), object{"tags": []string{"x"}}, "Content-Type", "application/merge-patch+json").want(200)
		all := refusals()
		page := c.get("/api/tasks?limit=1&sort_by=title").want(200)
		next, err := url.Parse(page.next())
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, list("limit=1&sort_by=due_date&cursor="+next.Query().Get("cursor"), "cursor")...)

		state := func() string {
			a := c.get("/api/tasks?status=pending&status=completed&status=deleted&sort_by=created_at").want(200)
			return fmt.Sprintf("%d %s %s %s", a.version(), a.body, c.get("/api/me").body, c.get("/api/tokens").body)
		}
		before := state()
		for _, r := range all {
			t.Run(r.name, func(t *testing.T) {
				if text, ok := r.body.(string); ok {
					r.body = placed.Replace(text)
				}
				a := c.do(r.method, strings.ReplaceAll(r.path, "{task}", task.ID), r.body, r.headers...)
				if a.status != r.status {
					t.Errorf("%d %s; want %d", a.status, short(a.body), r.status)
				}
				if a.status >= 300 {
					if p := a.problem(); r.field != "" && !p.names(r.field) {
						t.Errorf("does not name %s: %s", r.field, a.body)
					}
				}
				if a.status == http.StatusMethodNotAllowed && a.header.Get("Allow") == "" {
					t.Error("no Allow header")
				}
				if after := state(); after != before {
					t.Errorf("has changed\n%s\nto\n%s", before, after)
					before = after
				}
			})
		}
	})
}
