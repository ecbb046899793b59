// Package access asks real sidecars with real identities what the access control of deploy/dapr lets through: each call that
// the services make, and none that they do not.
//
// [Task]: T010
package access

import (
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"testing"

	"github.com/docket-tasks/docket/deploy/local"
)

type call struct {
	caller, callee, method, path string
	allowed                      bool
}

// calls are what services ask of each other, as the code has them, and what they never ask.
var calls = []call{
	{"frontend", "backend", "GET", "/api/tasks", true},
	{"frontend", "backend", "POST", "/api/tasks", true},
	{"frontend", "backend", "PATCH", "/api/tasks/018f-1", true},
	{"frontend", "backend", "PUT", "/api/tasks/018f-1/tags", true},
	{"frontend", "backend", "DELETE", "/api/tasks/018f-1", true},
	{"frontend", "backend", "POST", "/api/tasks/018f-1/complete", true},
	{"frontend", "backend", "POST", "/api/session", true},
	{"frontend", "backend", "POST", "/internal/identity", true},
	{"frontend", "audit", "GET", "/api/audit", true},
	{"frontend", "audit", "GET", "/api/tasks/018f-1/history", true},
	{"recurring-task", "backend", "GET", "/internal/users/018f-1", true},
	{"recurring-task", "backend", "POST", "/internal/occurrences", true},
	{"notification", "backend", "GET", "/internal/keys", true},
	{"notification", "backend", "GET", "/internal/users/018f-1", true},
	{"notification", "backend", "POST", "/internal/reminders", true},
	{"audit", "backend", "GET", "/internal/keys", true},
	{"backend", "backend", "GET", "/internal/keys", true},
	{"backend", "audit", "GET", "/api/audit", true},
	{"backend", "notification", "GET", "/api/notifications", true},
	{"backend", "audit", "POST", "/internal/erasures", true},
	{"backend", "notification", "POST", "/internal/erasures", true},
	{"backend", "notification", "POST", "/internal/letters", true},

	{"frontend", "backend", "POST", "/api/jobs/trigger", false},
	{"frontend", "backend", "POST", "/job/r-1", false},
	{"frontend", "backend", "POST", "/events/broadcast/task-updates", false},
	{"frontend", "audit", "POST", "/events/pubsub/task-events", false},
	{"frontend", "backend", "GET", "/internal/users/018f-1", false},
	{"frontend", "backend", "POST", "/internal/occurrences", false},
	{"frontend", "backend", "GET", "/metrics", false},
	{"frontend", "audit", "POST", "/internal/erasures", false},
	{"frontend", "notification", "POST", "/internal/letters", false},
	{"recurring-task", "backend", "POST", "/internal/identity", false},
	{"recurring-task", "backend", "POST", "/internal/reminders", false},
	{"recurring-task", "backend", "GET", "/api/tasks", false},
	{"notification", "backend", "POST", "/internal/occurrences", false},
	{"notification", "backend", "PATCH", "/api/tasks/018f-1", false},
	{"audit", "backend", "POST", "/internal/identity", false},
	{"audit", "backend", "GET", "/internal/users/018f-1", false},
	{"backend", "notification", "POST", "/api/notifications/018f-1/read", false},
	{"stranger", "backend", "GET", "/internal/keys", false},
	{"stranger", "backend", "GET", "/api/tasks", false},
}

func TestAccessControl(t *testing.T) {
	local.Require(t)
	ctx := t.Context()
	dir, err := os.MkdirTemp("", "docket-access-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	m, err := local.Start(ctx, local.Options{Root: "../..", Dir: dir, Broker: local.Fake})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Stop)
	space, err := m.Space(ctx, local.SpaceOptions{Name: "docket"})
	if err != nil {
		t.Fatal(err)
	}
	sidecars := map[string]*local.Sidecar{}
	for _, app := range []string{"backend", "frontend", "recurring-task", "notification", "audit", "stranger"} {
		c, err := space.Sidecar(app)
		if err != nil {
			t.Fatal(err)
		}
		serve(t, c.AppPort, app)
		if err := c.Start(ctx); err != nil {
			t.Fatal(err)
		}
		sidecars[app] = c
	}
	var asked sync.WaitGroup
	for _, c := range calls { // at once: a sidecar repeats a call that is denied a few times, as if nobody had answered
		asked.Go(func() {
			ask(t, sidecars[c.caller], c)
		})
	}
	asked.Wait()
}

func ask(t *testing.T, from *local.Sidecar, c call) {
	status, answered := invoke(t, from, c.callee, c.method, c.path)
	switch {
	case c.allowed && (status != http.StatusOK || answered != c.callee):
		t.Errorf("%s: %s %s at %s: %d by %q, want it let through", c.caller, c.method, c.path, c.callee, status, answered)
	case !c.allowed && (status != http.StatusForbidden || answered != ""):
		t.Errorf("%s: %s %s at %s: %d by %q, want 403 by nobody", c.caller, c.method, c.path, c.callee, status, answered)
	}
}

// serve is an app that answers everything with its name.
func serve(t *testing.T, port int, app string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port))
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Answered-By", app) })}
	go func() { _ = srv.Serve(l) }()
	t.Cleanup(func() { _ = srv.Close() })
}

func invoke(t *testing.T, from *local.Sidecar, callee, method, path string) (status int, answeredBy string) {
	t.Helper()
	url := "http://127.0.0.1:" + from.Getenv("DAPR_HTTP_PORT") + "/v1.0/invoke/" + callee + "/method" + path
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	req.Header.Set("dapr-api-token", from.Getenv("DAPR_API_TOKEN"))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	_ = res.Body.Close()
	return res.StatusCode, res.Header.Get("Answered-By")
}
