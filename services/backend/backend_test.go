package backend

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/event"
	"github.com/docket-tasks/docket/event/eventtest"
	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/host/embedded"
	"github.com/docket-tasks/docket/services/backend/account"
	"github.com/docket-tasks/docket/task"
)

// fixture is a backend on a real embedded host, alone but for a recorder of what it publishes.
type fixture struct {
	t     *testing.T
	node  *embedded.Node
	unit  host.Service
	log   *slog.Logger
	users *account.Store
	me    client
	sent  *recorder
}

// recorder is a service that keeps every task event and reminder it is sent, each once.
type recorder struct {
	mu        sync.Mutex
	events    map[string]event.TaskEvent
	reminders map[string]event.Reminder
	changed   chan struct{}
}

func (r *recorder) service() host.Service {
	return host.Service{Name: "recorder", Public: http.NotFoundHandler(), Runtime: http.NotFoundHandler(),
		Subscriptions: []host.Subscription{
			{Topic: event.TopicTasks, Handle: func(_ context.Context, m host.Message) error {
				e, _, err := event.DecodeTaskEvent(m.Data)
				if err != nil {
					return host.Permanent(err)
				}
				r.note(func() { r.events[e.EventID] = e })
				return nil
			}},
			{Topic: event.TopicReminders, Handle: func(_ context.Context, m host.Message) error {
				e, _, err := event.DecodeReminder(m.Data)
				if err != nil {
					return host.Permanent(err)
				}
				r.note(func() { r.reminders[e.ReminderID] = e })
				return nil
			}},
		}}
}

func (r *recorder) note(do func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	do()
	close(r.changed)
	r.changed = make(chan struct{})
}

// wait returns once done is true of what was sent.
func (r *recorder) wait(t *testing.T, what string, done func() bool) {
	t.Helper()
	limit := time.After(20 * time.Second)
	for {
		r.mu.Lock()
		ok, changed := done(), r.changed
		r.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-limit:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// seats is how many WebSockets a user may have open under test.
const seats = 64

func start(t *testing.T) *fixture { return startAt(t, t.TempDir()) }

func startAt(t *testing.T, dir string, others ...host.Service) *fixture {
	t.Helper()
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	node, err := embedded.Open(t.Context(), embedded.Options{Dir: dir, Logger: log, Disorder: true})
	if err != nil {
		t.Fatal(err)
	}
	h := node.Host(Name)
	h.State = eventtest.Checked(t, h.State)
	f := &fixture{t: t, node: node, log: log}
	f.sent = &recorder{events: map[string]event.TaskEvent{}, reminders: map[string]event.Reminder{}, changed: make(chan struct{})}
	f.unit = New(t.Context(), Config{Logger: log, Metrics: prometheus.NewRegistry(), Now: time.Now, Sockets: seats}, h)
	if err := node.Start(t.Context(), append(others, f.unit, f.sent.service())...); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 10*time.Second)
		defer cancel()
		if err := node.Close(ctx); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	f.users = Accounts(account.Config{Now: time.Now, Logger: log}, h)
	user, token, created, err := f.users.Bootstrap(t.Context(), "me", "Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	if created {
		f.me = client{f: f, user: user.ID, token: token}
	}
	return f
}

// client is a caller as the gateway presents it.
type client struct {
	f           *fixture
	user, token string
}

// jwt exchanges the client's token as the gateway does.
func (c client) jwt() string {
	c.f.t.Helper()
	body, _ := json.Marshal(edge.IdentityRequest{Token: c.token})
	w := httptest.NewRecorder()
	c.f.unit.Runtime.ServeHTTP(w, httptest.NewRequestWithContext(c.f.t.Context(), "POST", "/internal/identity", bytes.NewReader(body)))
	var a edge.IdentityAnswer
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil || a.JWT == "" {
		c.f.t.Fatalf("exchange: %d %s", w.Code, w.Body)
	}
	return a.JWT
}

func (c client) do(method, path, body string, header ...string) *httptest.ResponseRecorder {
	c.f.t.Helper()
	r := httptest.NewRequestWithContext(c.f.t.Context(), method, path, bytes.NewReader([]byte(body)))
	r.Header.Set("Authorization", "Bearer "+c.jwt())
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	c.f.unit.Public.ServeHTTP(w, r)
	return w
}

// must does a request that has to succeed and decodes the task in the answer.
func (c client) must(method, path, body string, header ...string) task.Task {
	c.f.t.Helper()
	w := c.do(method, path, body, header...)
	if w.Code/100 != 2 {
		c.f.t.Fatalf("%s %s %s: %d %s", method, path, body, w.Code, w.Body)
	}
	if w.Code == http.StatusNoContent {
		return task.Task{}
	}
	t, err := task.Decode(w.Body.Bytes())
	if err != nil {
		c.f.t.Fatalf("%s %s: %v", method, path, err)
	}
	return t
}

func (c client) list(query string) ([]task.Task, http.Header) {
	c.f.t.Helper()
	w := c.do("GET", "/api/tasks"+query, "")
	if w.Code != http.StatusOK {
		c.f.t.Fatalf("list %s: %d %s", query, w.Code, w.Body)
	}
	var out []task.Task
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
		c.f.t.Fatal(err)
	}
	return out, w.Header()
}

// runtime calls a route of the other services.
func (f *fixture) runtime(method, path string, body any) *httptest.ResponseRecorder {
	f.t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		f.t.Fatal(err)
	}
	w := httptest.NewRecorder()
	f.unit.Runtime.ServeHTTP(w, httptest.NewRequestWithContext(f.t.Context(), method, path, bytes.NewReader(b)))
	return w
}

// The life of a task through the API, and the events it makes.
//
// [Task]: T026, T028, T029, T030, T031, T032, T036, T037
func TestLifeOfATask(t *testing.T) {
	f := start(t)
	made := f.me.must("POST", "/api/tasks", `{"title":"  Pay rent ","tags":["home"],"due_date":"2026-04-01"}`)
	if made.Title != "Pay rent" || made.Version != 1 || made.CreatedBy != f.me.user || made.Priority != task.Medium {
		t.Fatalf("created %+v", made)
	}
	path := "/api/tasks/" + made.ID
	if got := f.me.must("PATCH", path, `{"priority":"high","description":"by transfer"}`); got.Version != 2 || got.Priority != task.High {
		t.Errorf("patched %+v", got)
	}
	if got := f.me.must("PATCH", path, `{"priority":"high"}`); got.Version != 2 {
		t.Errorf("a patch that changes nothing made version %d", got.Version)
	}
	f.me.must("PUT", path+"/tags", `{"add":["bank"],"remove":["HOME"]}`)
	f.me.must("POST", path+"/complete", "")
	if got := f.me.must("POST", path+"/complete", ""); got.Version != 4 || got.CompletedAt == nil {
		t.Errorf("completed twice: %+v", got)
	}
	f.me.must("POST", path+"/reopen", "")
	f.me.must("DELETE", path, "")
	f.me.must("DELETE", path, "")
	if w := f.me.do("PATCH", path, `{"title":"x"}`); w.Code != http.StatusConflict {
		t.Errorf("patch of a deleted task: %d %s", w.Code, w.Body)
	}
	if got := f.me.must("POST", path+"/restore", ""); got.Status != task.Pending || got.Version != 7 {
		t.Errorf("restored %+v", got)
	}

	f.sent.wait(t, "7 events", func() bool { return len(f.sent.events) == 7 })
	byVersion := map[int64]event.TaskEvent{}
	for _, e := range f.sent.events {
		byVersion[e.ListVersion] = e
	}
	want := []event.Type{event.TaskCreated, event.TaskUpdated, event.TaskUpdated, event.TaskCompleted, event.TaskReopened, event.TaskDeleted, event.TaskRestored}
	for i, typ := range want {
		e := byVersion[int64(i+1)]
		if e.EventType != typ || e.TaskID != made.ID || e.UserID != f.me.user || e.Actor.Kind != "token" {
			t.Errorf("list version %d: %+v, want %s", i+1, e, typ)
		}
	}
	if c := byVersion[2].Payload.Changes["priority"]; c.Old != "medium" || c.New != "high" {
		t.Errorf("changes of version 2: %+v", byVersion[2].Payload.Changes)
	}
}

// Sixty-four clients at one list: every change is there, every list version is one event, nothing is refused.
func TestManyWritersOfOneList(t *testing.T) {
	f := start(t)
	const writers, each = 64, 4
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				f.me.must("POST", "/api/tasks", fmt.Sprintf(`{"title":"task %d of writer %d"}`, i, w))
			}
		})
	}
	wg.Wait()
	all, header := f.me.list("?limit=200")
	if got := header.Get("X-Total-Count"); got != fmt.Sprint(writers*each) || len(all) != 200 {
		t.Errorf("%d tasks on the page, total %s", len(all), got)
	}
	if got := header.Get("List-Version"); got != fmt.Sprint(writers*each) {
		t.Errorf("list version %s", got)
	}
	f.sent.wait(t, "an event for each", func() bool { return len(f.sent.events) == writers*each })
	seen := map[int64]bool{}
	for _, e := range f.sent.events {
		if seen[e.ListVersion] {
			t.Errorf("list version %d has two events", e.ListVersion)
		}
		seen[e.ListVersion] = true
	}
}

// Two clients adding tags at once lose nothing.
//
// [Task]: T059
func TestTagsAddedAtOnce(t *testing.T) {
	f := start(t)
	made := f.me.must("POST", "/api/tasks", `{"title":"x"}`)
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() { f.me.must("PUT", "/api/tasks/"+made.ID+"/tags", fmt.Sprintf(`{"add":["tag%d"]}`, i)) })
	}
	wg.Wait()
	if got := f.me.must("GET", "/api/tasks/"+made.ID, ""); len(got.Tags) != 20 {
		t.Errorf("%d tags: %v", len(got.Tags), got.Tags)
	}
}

// A stale If-Match changes nothing; without one the last write wins field by field.
func TestPreconditions(t *testing.T) {
	f := start(t)
	made := f.me.must("POST", "/api/tasks", `{"title":"x"}`)
	path := "/api/tasks/" + made.ID
	f.me.must("PATCH", path, `{"title":"y"}`, "If-Match", `"1"`)
	if w := f.me.do("PATCH", path, `{"title":"z"}`, "If-Match", `"1"`); w.Code != http.StatusPreconditionFailed {
		t.Errorf("stale If-Match: %d %s", w.Code, w.Body)
	}
	f.me.must("PATCH", path, `{"description":"d"}`)
	if got := f.me.must("GET", path, ""); got.Title != "y" || got.Description != "d" || got.Version != 3 {
		t.Errorf("after the patches: %+v", got)
	}
	if w := f.me.do("GET", path, "", "If-None-Match", `"3"`); w.Code != http.StatusNotModified {
		t.Errorf("If-None-Match: %d", w.Code)
	}
	_, header := f.me.list("")
	if w := f.me.do("GET", "/api/tasks", "", "If-None-Match", header.Get("ETag")); w.Code != http.StatusNotModified {
		t.Errorf("If-None-Match of the list: %d", w.Code)
	}
}

// The same key and body create once; another body is refused.
func TestIdempotencyKey(t *testing.T) {
	f := start(t)
	a := f.me.must("POST", "/api/tasks", `{"title":"x"}`, "Idempotency-Key", "k")
	b := f.me.must("POST", "/api/tasks", `{"title":"x"}`, "Idempotency-Key", "k")
	if a.ID != b.ID || b.Version != 1 {
		t.Errorf("created %s and %s", a.ID, b.ID)
	}
	if w := f.me.do("POST", "/api/tasks", `{"title":"y"}`, "Idempotency-Key", "k"); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("another body: %d %s", w.Code, w.Body)
	}
	if all, _ := f.me.list(""); len(all) != 1 {
		t.Errorf("%d tasks", len(all))
	}
}

// A filter that cannot be read is refused: to leave it out would be to answer with every task.
func TestFilterThatCannotBeRead(t *testing.T) {
	f := start(t)
	f.me.must("POST", "/api/tasks", `{"title":"x","tags":["no;such"]}`)
	for _, c := range []struct{ query, field string }{
		{"search=100%", "search"}, {"tag=no;such", "tag"}, {"status=completed&search=%zz", "search"}, {"%zz=1", "%zz"}, {"search=%ff", "search"},
		{strings.Repeat("tag=x&", 10_001), "query"},
	} {
		w := f.me.do("GET", "/api/tasks?"+c.query, "")
		var p edge.Problem
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Code != http.StatusBadRequest || len(p.Errors) != 1 || p.Errors[0].Field != c.field {
			t.Errorf("%.40s: %d %s", c.query, w.Code, w.Body)
		}
	}
	for query, want := range map[string]int{"tag=no%3Bsuch": 1, "search=100%25": 0} {
		if got, _ := f.me.list("?" + query); len(got) != want {
			t.Errorf("%s: %d tasks, want %d", query, len(got), want)
		}
	}
}

// A user never learns that another user's task exists.
func TestOtherUsersTasksAreNotThere(t *testing.T) {
	f := start(t)
	made := f.me.must("POST", "/api/tasks", `{"title":"mine"}`)
	w := f.me.do("POST", "/api/users", `{"name":"eve"}`)
	var answer struct {
		User  account.User `json:"user"`
		Token string       `json:"token"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != http.StatusCreated {
		t.Fatalf("create user: %d %s", w.Code, w.Body)
	}
	eve := client{f: f, user: answer.User.ID, token: answer.Token}
	unknown := "/api/tasks/00000000-0000-7000-8000-000000000000"
	for _, c := range []struct{ method, suffix, body string }{
		{"GET", "", ""}, {"PATCH", "", `{"title":"hers"}`}, {"DELETE", "", ""}, {"POST", "/complete", ""}, {"POST", "/reopen", ""},
		{"POST", "/restore", ""}, {"PUT", "/tags", `{"add":["x"]}`}, {"GET", "/reminders", ""},
	} {
		w, none := eve.do(c.method, "/api/tasks/"+made.ID+c.suffix, c.body), eve.do(c.method, unknown+c.suffix, c.body)
		if w.Code != http.StatusNotFound || w.Body.String() != none.Body.String() {
			t.Errorf("%s %s: %d %s; a task that is not there: %s", c.method, c.suffix, w.Code, w.Body, none.Body)
		}
	}
	if all, _ := eve.list(""); len(all) != 0 {
		t.Errorf("eve sees %d tasks", len(all))
	}
}

// Each change of a batch has its own outcome, and they happen in order.
func TestBatch(t *testing.T) {
	f := start(t)
	made := f.me.must("POST", "/api/tasks", `{"title":"x"}`)
	body := fmt.Sprintf(`{"changes":[{"op":"create","body":{"title":"a"}},{"op":"create","body":{"title":""}},
		{"op":"update","id":%q,"body":{"title":"y"}},{"op":"update","id":%q,"if_match":"\"1\"","body":{"title":"z"}},{"op":"complete","id":%q},{"op":"delete","id":"nope"}]}`,
		made.ID, made.ID, made.ID)
	w := f.me.do("POST", "/api/tasks/batch", body)
	var out struct{ Results []batchResult }
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	var got []int
	for _, r := range out.Results {
		got = append(got, r.Status)
	}
	if fmt.Sprint(got) != "[201 400 200 412 200 404]" {
		t.Errorf("outcomes %v: %s", got, w.Body)
	}
	if after := f.me.must("GET", "/api/tasks/"+made.ID, ""); after.Title != "y" || after.Status != task.Completed {
		t.Errorf("after the batch: %+v", after)
	}
}

// A change of a batch that lacks a member, or has one too many, says which.
func TestBatchNamesTheMember(t *testing.T) {
	f := start(t)
	for change, field := range map[string]string{
		`{"op":"complete"}`:                                                  "id",
		`{"op":"update","body":{"title":"x"}}`:                               "id",
		`{"op":"create","id":"x","body":{"title":"x"}}`:                      "id",
		`{"op":"create","if_match":"\"1\"","body":{"title":"x"}}`:            "if_match",
		`{"op":"delete","id":"x","idempotency_key":"k"}`:                     "idempotency_key",
		`{"op":"reopen","id":"x","body":{}}`:                                 "body",
		`{"op":"create","body":{"title":"x","colour":"red"}}`:                "colour",
		`{"op":"tags","id":"00000000-0000-7000-8000-000000000000","body":1}`: "body",
	} {
		w := f.me.do("POST", "/api/tasks/batch", `{"changes":[`+change+`]}`)
		var out struct{ Results []batchResult }
		if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil || len(out.Results) != 1 {
			t.Fatalf("%s: %d %s", change, w.Code, w.Body)
		}
		r := out.Results[0]
		if r.Status != http.StatusBadRequest || r.Error == nil || len(r.Error.Errors) != 1 || r.Error.Errors[0].Field != field {
			t.Errorf("%s: %s, want a 400 that names %s", change, w.Body, field)
		}
	}
	if all, _ := f.me.list(""); len(all) != 0 {
		t.Errorf("%d tasks were made", len(all))
	}
}

// What cannot be a task's id is the id of no task; it never gets as far as the store, where it could fail others' changes.
func TestNoTaskOfThatID(t *testing.T) {
	f := start(t)
	for _, id := range []string{"x", "a||b", strings.Repeat("9", 5000)} {
		w := f.me.do("POST", "/api/tasks/batch", fmt.Sprintf(`{"changes":[{"op":"complete","id":%q},{"op":"create","body":{"title":"x"}}]}`, id))
		var out struct{ Results []batchResult }
		if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil || w.Code != http.StatusOK {
			t.Fatalf("%.20s: %d %s", id, w.Code, w.Body)
		}
		if out.Results[0].Status != http.StatusNotFound || out.Results[1].Status != http.StatusCreated {
			t.Errorf("%.20s: %s", id, w.Body)
		}
		if w := f.me.do("GET", "/api/tasks/"+url.PathEscape(id), ""); w.Code != http.StatusNotFound {
			t.Errorf("GET %.20s: %d %s", id, w.Code, w.Body)
		}
	}
}

// More than a batch's worth of changes in one request all happen, over several commits and segments.
func TestLargeBatch(t *testing.T) {
	f := start(t)
	var b bytes.Buffer
	for i := range batchLimit {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"op":"create","body":{"title":"task %03d"}}`, i)
	}
	for range 2 {
		if w := f.me.do("POST", "/api/tasks/batch", `{"changes":[`+b.String()+`]}`); w.Code != http.StatusOK {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	page, header := f.me.list("?sort_by=created_at&sort_order=asc&limit=3")
	if header.Get("X-Total-Count") != "400" || page[0].Title != "task 000" || page[2].Title != "task 002" {
		t.Errorf("total %s, page %v", header.Get("X-Total-Count"), page)
	}
}
