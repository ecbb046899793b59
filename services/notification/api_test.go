package notification

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/event"
	"github.com/docket-tasks/docket/host/embedded"
)

// inboxOf is a world in which a user has n reminders.
func inboxOf(t *testing.T, user string, n int) *world {
	t.Helper()
	w := open(t, t.TempDir(), Config{Now: longAgo}, embedded.Options{})
	w.backend.put(user, nil)
	for i := range n {
		w.publish(reminder(user, i))
		w.kept(1)
	}
	return w
}

func entryID(user string, n int) string {
	return event.NotificationID(reminder(user, n).ReminderID, InApp)
}

// TestRead: a mark is kept, is no other user's to make, and takes the entry off the unread list.
//
// [Task]: T055
func TestRead(t *testing.T) {
	w := inboxOf(t, "ada", 70) // more than a block
	w.backend.put("bob", nil)
	read := func(user string, n int) int {
		return w.call(user, http.MethodPost, "/api/notifications/"+entryID("ada", n)+"/read", "", nil).StatusCode
	}
	if got := read("bob", 3); got != http.StatusNotFound {
		t.Errorf("another user's mark: %d, want 404", got)
	}
	if got := w.call("ada", http.MethodPost, "/api/notifications/"+entryID("ada", 999)+"/read", "", nil).StatusCode; got != http.StatusNotFound {
		t.Errorf("no such entry: %d, want 404", got)
	}
	for _, n := range []int{3, 3, 69} {
		if got := read("ada", n); got != http.StatusNoContent {
			t.Fatalf("mark: %d, want 204", got)
		}
	}
	var all, unread []InboxItem
	w.call("ada", http.MethodGet, "/api/notifications?limit=200", "", &all)
	res := w.call("ada", http.MethodGet, "/api/notifications?limit=200&unread=true", "", &unread)
	marked := []int{}
	for i, it := range all {
		if it.Read {
			marked = append(marked, 69-i)
		}
	}
	if diff := cmp.Diff([]int{69, 3}, marked); diff != "" || len(unread) != 68 || res.Header.Get("X-Total-Count") != "68" {
		t.Errorf("%d unread of %s; marked (-want +got):\n%s", len(unread), res.Header.Get("X-Total-Count"), diff)
	}
	if n := len(w.items("bob")); n != 0 {
		t.Errorf("another user sees %d entries", n)
	}
}

// TestPages: every entry is on exactly one page, newest first, whatever arrives meanwhile.
func TestPages(t *testing.T) {
	w := inboxOf(t, "ada", 150)
	w.call("ada", http.MethodPost, "/api/notifications/"+entryID("ada", 140)+"/read", "", nil)
	for _, filter := range []string{"", "&unread=true"} {
		var got []string
		for next := "/api/notifications?limit=33" + filter; next != ""; {
			var items []InboxItem
			res := w.call("ada", http.MethodGet, next, "", &items)
			for _, it := range items {
				got = append(got, it.Message)
			}
			next = nextLink(res)
			if len(got) == 33 && filter == "" {
				w.publish(reminder("ada", 1000))
				w.kept(1)
			}
		}
		var want []string
		if filter != "" {
			want = append(want, "Nr. 1000")
		}
		for n := 149; n >= 0; n-- {
			if n != 140 || filter == "" {
				want = append(want, fmt.Sprintf("Nr. %d", n))
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", filter, diff)
		}
	}
}

// TestSnooze: the backend is asked for one more reminder, and what it says is passed on.
func TestSnooze(t *testing.T) {
	w := inboxOf(t, "ada", 2)
	path := "/api/notifications/" + entryID("ada", 0) + "/snooze"
	r := reminder("ada", 0)
	for _, tc := range []struct {
		body   string
		status int
		at     string
	}{
		{`{"minutes":10}`, 202, "2020-02-29T12:10:00Z"},
		{`{"until":"2020-03-01T09:00:00+01:00"}`, 202, "2020-03-01T08:00:00Z"},
		{`{"minutes":40320}`, 202, "2020-03-28T12:00:00Z"},
		{`{}`, 400, ""}, {`{"minutes":0}`, 400, ""}, {`{"minutes":40321}`, 400, ""}, {`{"minutes":5,"until":"2020-03-01T09:00:00Z"}`, 400, ""},
		{`{"until":"2020-02-29T12:00:00Z"}`, 400, ""}, {`{"until":"2020-03-28T12:00:01Z"}`, 400, ""}, {`{"until":"tomorrow"}`, 400, ""},
		{`{"until":"2020-03-01T09:00:00.5Z"}`, 400, ""}, {`{"hours":1}`, 400, ""},
	} {
		w.backend.snoozes = nil
		var out struct {
			At     time.Time         `json:"at"`
			Errors []edge.FieldError `json:"errors"`
		}
		if got := w.call("ada", http.MethodPost, path, tc.body, &out).StatusCode; got != tc.status {
			t.Errorf("%s: %d, want %d", tc.body, got, tc.status)
			continue
		}
		if tc.status == 400 {
			if len(out.Errors) == 0 || out.Errors[0].Field == "" || len(w.backend.snoozes) != 0 {
				t.Errorf("%s: no field is named (%+v), or the backend was asked %v", tc.body, out.Errors, w.backend.snoozes)
			}
			continue
		}
		var asked map[string]string
		if len(w.backend.snoozes) != 1 {
			t.Fatalf("%s: backend was asked %v", tc.body, w.backend.snoozes)
		}
		if err := json.Unmarshal([]byte(w.backend.snoozes[0]), &asked); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[string]string{"task_id": r.TaskID, "user_id": "ada", "at": tc.at}, asked); diff != "" || out.At.Format(time.RFC3339) != tc.at {
			t.Errorf("%s: answer %s, backend (-want +got):\n%s", tc.body, out.At, diff)
		}
	}
	if items := w.items("ada"); !items[1].Read || items[0].Read {
		t.Errorf("the entry that was put off is not marked as read, or the other one is: %+v", items)
	}
	for backend, want := range map[int]int{404: 409, 409: 409, 500: 503} {
		w.backend.snooze = backend
		if got := w.call("ada", http.MethodPost, path, `{"minutes":1}`, nil).StatusCode; got != want {
			t.Errorf("backend says %d: %d, want %d", backend, got, want)
		}
	}
	if got := w.call("bob", http.MethodPost, path, `{"minutes":1}`, nil).StatusCode; got != http.StatusNotFound {
		t.Errorf("another user's entry: %d, want 404", got)
	}
}

// TestRefusedRequests: without a token nothing is shown, and a bad parameter is named.
func TestRefusedRequests(t *testing.T) {
	w := inboxOf(t, "ada", 1)
	for path, field := range map[string]string{
		"?limit=0": "limit", "?limit=201": "limit", "?cursor=x": "cursor", "?cursor=-1": "cursor", "?unread=maybe": "unread", "?page=2": "page",
	} {
		var p edge.Problem
		res := w.call("ada", http.MethodGet, "/api/notifications"+path, "", &p)
		if res.StatusCode != http.StatusBadRequest || len(p.Errors) != 1 || p.Errors[0].Field != field {
			t.Errorf("%s: %d %+v, want 400 for %s", path, res.StatusCode, p, field)
		}
	}
	for _, path := range []string{"/api/notifications", "/nothing"} {
		if got := w.call("", http.MethodGet, path, "", nil).StatusCode; got != http.StatusUnauthorized {
			t.Errorf("%s without a token: %d, want 401", path, got)
		}
	}
	if res := w.call("ada", http.MethodPost, "/api/notifications/x/read", "", nil); res.StatusCode != http.StatusBadRequest {
		t.Errorf("an id that is none: %s, want 400", res.Status)
	}
}

// TestOperations: the document of the API can be made without a service.
func TestOperations(t *testing.T) {
	var api huma.API = edge.NewAPI(http.NewServeMux(), "test")
	Register(api)
	for path, method := range map[string]string{
		"/api/notifications": "get", "/api/notifications/{id}/read": "post", "/api/notifications/{id}/snooze": "post",
	} {
		item := api.OpenAPI().Paths[path]
		if item == nil || method == "get" && item.Get == nil || method == "post" && item.Post == nil {
			t.Errorf("%s %s is not described", method, path)
		}
	}
}
