package cli

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// against returns a client of a server that answers so.
func against(t *testing.T, handle http.HandlerFunc) *client {
	t.Helper()
	srv := httptest.NewServer(handle)
	t.Cleanup(srv.Close)
	o := options{server: srv.URL, token: "dkt_x"}
	c, err := o.client()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.http.CloseIdleConnections)
	return c
}

const away = `{"title":"Service Unavailable","status":503,"code":"outcome_unknown","detail":"storage cannot be reached"}`

func unavailable(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Retry-After", "0")
	w.WriteHeader(http.StatusServiceUnavailable)
	_, _ = io.WriteString(w, away)
}

// A creation is sent again, under the same key, after a 503 and after a connection that broke without an answer.
func TestRetriesAreTheSameRequest(t *testing.T) {
	var keys, bodies []string
	c := against(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		keys, bodies = append(keys, r.Header.Get("Idempotency-Key")), append(bodies, string(body))
		switch len(keys) {
		case 1:
			unavailable(w)
		case 2:
			conn, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				panic(err)
			}
			_ = conn.(*net.TCPConn).SetLinger(0) // a reset
			_ = conn.Close()
		default:
			_, _ = io.WriteString(w, `{}`)
		}
	})
	_, err := c.do(t.Context(), request{method: http.MethodPost, path: "/api/tasks", body: map[string]string{"title": "a"}, key: "k"})
	if err != nil || strings.Join(keys, " ") != "k k k" || strings.Join(bodies, "") != strings.Repeat(`{"title":"a"}`, 3) {
		t.Errorf("%v %q %q", err, keys, bodies)
	}
}

// What must not happen twice is not tried twice where it may have happened.
func TestOnceIsOnce(t *testing.T) {
	count := 0
	c := against(t, func(w http.ResponseWriter, _ *http.Request) {
		count++
		unavailable(w)
	})
	_, err := c.do(t.Context(), request{method: http.MethodPost, path: "/api/tokens", once: true})
	if ExitCode(err) != unreachable || count != 1 {
		t.Errorf("%d requests, %v", count, err)
	}
}

func TestGivesUp(t *testing.T) {
	count := 0
	c := against(t, func(w http.ResponseWriter, _ *http.Request) {
		count++
		unavailable(w)
	})
	_, err := c.do(t.Context(), request{method: http.MethodGet, path: "/api/tasks"})
	if ExitCode(err) != unreachable || count != tries || !strings.Contains(err.Error(), "storage cannot be reached") {
		t.Errorf("%d requests, %v", count, err)
	}
}

// A request that hangs ends when the user says so.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := against(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	if _, err := c.do(ctx, request{method: http.MethodGet, path: "/api/tasks"}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestProblems(t *testing.T) {
	for _, c := range []struct {
		status     int
		body, want string
		code       int
	}{
		{400, `{"title":"Bad Request","detail":"x","errors":[{"field":"title","detail":"is empty"},{"field":"tags","detail":"too\u001b many"}]}`, "title: is empty\ndocket: tags: too\ufffd many", badInput},
		{404, `{"title":"Not Found","detail":"there is no such task"}`, "there is no such task", notFound},
		{409, `{"title":"Conflict"}`, "Conflict", failed},
		{401, `{"title":"Unauthorized","detail":"unknown token"}`, "unknown token; the token is from --token: make a new one with `docket token create` where you are signed in", failed},
		{200, `<html>`, "the answer is not what docket sends", failed},
		{302, ``, `answered "302 Found": is that a docket server?`, failed},
		{500, `oops`, `answered "500 Internal Server Error"`, failed},
	} {
		cl := against(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(c.status)
			_, _ = io.WriteString(w, c.body)
		})
		_, _, err := get[map[string]any](t.Context(), cl, "/api/me", nil)
		if err == nil || !strings.Contains(err.Error(), c.want) || ExitCode(err) != c.code {
			t.Errorf("%d: %v (exit code %d), want …%s… (%d)", c.status, err, ExitCode(err), c.want, c.code)
		}
	}
}

// A token that was made is kept even where the session it was made by cannot be ended: nobody would know of it otherwise.
func TestTokenOutlivesASignOutThatFails(t *testing.T) {
	c := against(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodDelete {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, `{"id":"1","token":"dkt_new"}`)
	})
	var errs strings.Builder
	s := &session{client: c, screen: &screen{errs: &errs}}
	made, err := s.tokenBySession(t.Context(), "session=x", nil)
	if err != nil || made.Secret != "dkt_new" || !strings.Contains(errs.String(), "still open") {
		t.Errorf("%+v, %v, said %q", made, err, errs.String())
	}
}

func TestPlainServerIsNamedSo(t *testing.T) {
	c := against(t, func(http.ResponseWriter, *http.Request) {})
	c.server = strings.Replace(c.server, "http://", "https://", 1)
	if _, _, err := get[map[string]any](t.Context(), c, "/api/me", nil); err == nil || !strings.Contains(err.Error(), "speaks plain HTTP") || ExitCode(err) != unreachable {
		t.Error(err)
	}
}

func TestServerURL(t *testing.T) {
	for in, want := range map[string]string{
		"http://127.0.0.1:8080": "http://127.0.0.1:8080", "127.0.0.1:80": "http://127.0.0.1:80", "https://example.org/docket/": "https://example.org/docket",
		"localhost": "http://localhost", "[::1]:8080": "http://[::1]:8080", "example.org": "https://example.org", "192.168.1.9:8080/docket": "https://192.168.1.9:8080/docket", "ftp://x": "", "http://": "", "http://a?b": "", "": "", "a b": "",
	} {
		if got, err := serverURL(in); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
}

// One who has asked too often waits as long as the server says and asks again, also for what must not be done twice:
// it has not been done. A wait that is longer than anybody would sit there for is an error that says so.
func TestTooManyRequestsAreWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start, asked := time.Now(), 0
		answer := func(after string) *http.Response {
			asked++
			if asked == 3 {
				return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(`{}`))}
			}
			body := `{"title":"Too Many Requests","status":429,"code":"rate_limited","detail":"too many requests"}`
			return &http.Response{StatusCode: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {after}}, Body: io.NopCloser(strings.NewReader(body))}
		}
		c := &client{server: "http://docket.test", token: "dkt_x", http: &http.Client{Transport: answers(func(*http.Request) *http.Response { return answer("7") })}}
		if _, err := c.do(t.Context(), request{method: http.MethodPost, path: "/api/users", once: true}); err != nil || asked != 3 || time.Since(start) != 14*time.Second {
			t.Errorf("%v after %d requests in %v", err, asked, time.Since(start))
		}
		asked = 0
		c.http.Transport = answers(func(*http.Request) *http.Response { return answer("3600") })
		if _, err := c.do(t.Context(), request{method: http.MethodGet, path: "/api/me"}); err == nil || asked != 1 || !strings.Contains(err.Error(), "too many requests") {
			t.Errorf("%v after %d requests", err, asked)
		}
	})
}

// answers is a transport that has no network.
type answers func(*http.Request) *http.Response

func (a answers) RoundTrip(r *http.Request) (*http.Response, error) { return a(r), nil }

// The owner's token goes to the server of its folder alone, however that is spelled.
func TestOwnerTokenIsForItsServer(t *testing.T) {
	t.Setenv("DOCKET_TOKEN", "")
	t.Setenv("DOCKET_SERVER", "")
	dir := t.TempDir()
	put := func(name, line string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(line+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ask := func(server string) (string, error) {
		c, err := (&options{server: server, data: dir}).client()
		if err != nil {
			return "", err
		}
		return c.token, nil
	}
	put("owner.token", "dkt_owner")
	for _, folder := range []string{"", "http://127.0.0.1:8080"} { // without the file it is the default address
		if folder != "" {
			put("server", folder)
		}
		for _, server := range []string{"", "127.0.0.1:8080", "localhost:8080", "http://[::1]:8080/"} {
			if token, err := ask(server); err != nil || token != "dkt_owner" {
				t.Errorf("folder of %q, server %q: %q, %v", folder, server, token, err)
			}
		}
		for _, server := range []string{"127.0.0.1:8081", "127.0.0.2:8080", "https://127.0.0.1:8080", "http://example.org:8080", "localhost.example.org:8080"} {
			if token, err := ask(server); token != "" || ExitCode(err) != badInput || !strings.Contains(err.Error(), "--token") {
				t.Errorf("folder of %q, server %q: %q, %v", folder, server, token, err)
			}
		}
	}
}
