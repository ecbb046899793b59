package frontend_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestAllowList sends each way in which a path may be written to the door and asks which service got it.
func TestAllowList(t *testing.T) {
	s := newInside(t, newClock().now)
	door := s.door(t)
	forwarded := map[string]string{
		"/api/tasks": "backend", "/api/tasks/": "backend", "/api/tasks/batch": "backend", "/api/tasks/parse": "backend",
		"/api/tasks/018f-1": "backend", "/api/tasks/018f-1/complete": "backend", "/api/tasks/018f-1/reminders": "backend",
		"/api/tasks/018f-1/history": "audit", "/api/tasks/018f-1/history/x": "backend", "/api/audit": "audit",
		"/api/recurrence/preview": "backend", "/api/me": "backend", "/api/me/password": "backend", "/api/me/export": "backend", "/api/me/access": "backend", "/api/me/connections": "backend", "/api/me/connections/7": "backend", "/api/me/second-factor": "backend", "/api/me/second-factor/7/confirm": "backend", "/api/sessions": "backend", "/api/sessions/7": "backend", "/api/tokens": "backend", "/api/tokens/7": "backend",
		"/api/invitations": "backend", "/api/invitations/7": "backend", "/api/session/link": "backend", "/api/users/7/password": "backend",
		"/api/filters": "backend", "/api/filters/7": "backend", "/api/users": "backend",
		"/api/notifications": "notification", "/api/notifications/7/read": "notification", "/api/push/key": "notification",
		"/api/filters/order": "backend", "/api/push/subscriptions": "notification", "/api/push/subscriptions/7": "notification",
	}
	for path, want := range forwarded {
		for _, method := range []string{"GET", "POST", "PATCH", "PUT", "DELETE"} {
			got := seen(t, send(door, method, path+"?q=%2e%2e;x", "", "Authorization", bearer))
			if got.Service != want || got.Path != path || got.Method != method || got.Query != "q=%2e%2e;x" {
				t.Errorf("%s %s reached %s as %s %s?%s, want %s unchanged", method, path, got.Service, got.Method, got.Path, got.Query, want)
			}
		}
	}
	for _, path := range []string{
		"/api", "/api/", "/api/jobs/trigger", "/api/task", "/api/tasksx", "/api/me/x", "/api/me/password/x", "/api/me/connections/7/x", "/api/sessions/", "/api/invitations/", "/api/invitations/7/x", "/api/accounts/x", "/api/password", "/api/password/x", "/api/audit/x", "/api/push", "/api/recurrence",
		"/internal", "/internal/identity", "/internal/keys", "/job/r-1", "/events/task-events", "/dapr/subscribe",
		"/metrics", "/healthz", "/readyz", "/ws",
	} {
		for _, method := range []string{"GET", "POST", "DELETE"} {
			res := send(door, method, path, "", "Authorization", bearer)
			if res.StatusCode != http.StatusNotFound || code(t, res) != "not_found" {
				t.Errorf("%s %s = %d, want a 404 problem", method, path, res.StatusCode)
			}
		}
	}
}

// TestDisguisedPaths sends request lines, byte by byte, that another reader might resolve to a path inside.
func TestDisguisedPaths(t *testing.T) {
	s := newInside(t, newClock().now)
	s.answer = func(_ http.ResponseWriter, r *http.Request) { t.Errorf("%s was forwarded", r.URL) }
	server := httptest.NewServer(s.door(t))
	defer server.Close()
	for _, target := range []string{
		"/api/../internal/keys", "/api/tasks/../../internal/keys", "/api/tasks/%2e%2e/%2e%2e/internal/keys", "/api/tasks/%2E%2E/x",
		"/api/tasks/..", "/api/tasks/.", "/api/tasks/./x", "//internal/keys", "/api//tasks", "//api/tasks", "/api/tasks//x",
		"/%61pi/tasks", "/api/%74asks", "/api%2ftasks", "/api/tasks/%2finternal", "/api/tasks/a%2fb", "/api/tasks/%5c..%5cinternal", `/api/tasks/..\internal`,
		"/api/tasks;x=1", "/api/tasks/a;b", "/api/tasks/..;/internal", "/api;/tasks", "/API/tasks", "/Api/Tasks", "/api/TASKS", "/Internal/keys",
		"/api/tasks/%00", "/api/tasks/%0d%0aX:%20y", "/api/tasks/\xff", "/api/tasks/%c0%ae%c0%ae", "/api/tasks/%252e%252e", "/api/tasks/ü",
		"http://backend/internal/keys", "http://backend/api/../internal/keys", "http://backend//api/tasks", "http:api/tasks", "*", "api/tasks",
		"/api/tasks/\x7f", "/./api/tasks", "/.%2e/api/tasks", "/api/jobs/trigger?x=/api/tasks", "/internal?/api/tasks",
	} {
		status := raw(t, server, "GET "+target+" HTTP/1.1\r\nHost: docket.test\r\nAuthorization: "+bearer+"\r\nConnection: close\r\n\r\n")
		if status != http.StatusNotFound && status != http.StatusBadRequest {
			t.Errorf("GET %q = %d, want 404 or 400", target, status)
		}
	}
}

// raw sends bytes and returns the answer's status.
func raw(t *testing.T, server *httptest.Server, request string) int {
	t.Helper()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := fmt.Fprint(conn, request); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	return res.StatusCode
}
