package frontend_test

import (
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"testing"

	"github.com/docket-tasks/docket/services/frontend"
)

// FuzzCredentials sends any two headers: nothing but a valid credential gets through, and nothing crashes.
func FuzzCredentials(f *testing.F) {
	for _, seed := range [][2]string{
		{"Bearer good-token", ""}, {"", "docket_session=good-session"}, {"bearer  good-token ", "docket_session=\"good-session\""},
		{"Bearer good-token,Bearer x", "docket_session=good-session; docket_session="}, {"Bearer\tgood-token", ";;=; docket_session"},
		{"Basic Og==", "docket_session=good-session\x00"}, {"Bearer \xff", "Docket_Session=good-session"},
	} {
		f.Add(seed[0], seed[1])
	}
	s := newInside(f, newClock().now)
	door := s.door(f)
	f.Fuzz(func(t *testing.T, authorization, cookie string) {
		r := httptest.NewRequest("GET", "/api/tasks", nil)
		if authorization != "" {
			r.Header["Authorization"] = []string{authorization}
		}
		if cookie != "" {
			r.Header["Cookie"] = []string{cookie}
		}
		w := httptest.NewRecorder()
		door.ServeHTTP(w, r)
		byToken := strings.HasSuffix(strings.TrimRight(authorization, " "), " good-token")
		bySession := authorization == "" && strings.Contains(cookie, "docket_session=") && strings.Contains(cookie, "good-session")
		switch w.Code {
		case http.StatusOK:
			if !byToken && !bySession {
				t.Errorf("Authorization %q, Cookie %q got through", authorization, cookie)
			}
		case http.StatusUnauthorized:
		default:
			t.Errorf("Authorization %q, Cookie %q = %d, want 200 or 401", authorization, cookie, w.Code)
		}
	})
}

// FuzzPath sends any path to the door: what arrives inside is on the allow-list, and is what was asked for.
func FuzzPath(f *testing.F) {
	for _, seed := range []string{"/api/tasks", "/api/tasks/../../internal/keys", "/api/tasks/%2e%2e", "/api/tasks/a;b", "//api/tasks", "/api/push/key"} {
		f.Add(seed)
	}
	s := newInside(f, newClock().now)
	arrived := ""
	s.answer = func(_ http.ResponseWriter, r *http.Request) { arrived = r.RequestURI }
	door := s.door(f)
	f.Fuzz(func(t *testing.T, target string) {
		r, err := http.NewRequest("GET", "http://docket.test"+target, nil)
		if err != nil || r.URL.Host != "docket.test" {
			return
		}
		r.RemoteAddr = "192.0.2.1:1"
		r.Header.Set("Authorization", bearer)
		arrived = ""
		door.ServeHTTP(httptest.NewRecorder(), r)
		if arrived == "" {
			return
		}
		sent, _, _ := strings.Cut(target, "#")
		sent, _, _ = strings.Cut(sent, "?")
		got, _, _ := strings.Cut(arrived, "?")
		if got != sent || !strings.HasPrefix(got, "/api/") || slashed(path.Clean(got)) != slashed(got) {
			t.Errorf("%q arrived as %q", target, arrived)
		}
	})
}

func slashed(p string) string { return strings.TrimSuffix(p, "/") + "/" }

// FuzzForwarded sends any headers of a proxy, believed and not: the door neither breaks nor lets a caller in for them, and an address
// that cannot be read is no reason to refuse one.
func FuzzForwarded(f *testing.F) {
	for _, seed := range []string{"", "6.6.6.6", "6.6.6.6, ::1", "fe80::1%eth0", "[::1]:80", ",", "unknown", "\x00", "6.6.6.6:80,6.6.6.7"} {
		f.Add(seed, "https")
	}
	f.Add("6.6.6.6", "HTTPS,http")
	s := newInside(f, newClock().now)
	doors := []http.Handler{
		s.door(f, func(c *frontend.Config) { c.RateLimit = 1e6 }),
		s.door(f, func(c *frontend.Config) { c.RateLimit, c.TrustForwarded = 1e6, true }),
		s.door(f, func(c *frontend.Config) { c.RateLimit, c.TrustForwarded, c.ProxyHops = 1e6, true, 2 }),
	}
	f.Fuzz(func(t *testing.T, address, proto string) {
		for _, door := range doors {
			r := httptest.NewRequest("GET", "/api/me", nil)
			r.Header["X-Forwarded-For"], r.Header["X-Forwarded-Proto"] = []string{address}, []string{proto}
			w := httptest.NewRecorder()
			door.ServeHTTP(w, r)
			if w.Code != http.StatusUnauthorized {
				t.Errorf("X-Forwarded-For %q, -Proto %q: %d without a credential", address, proto, w.Code)
			}
			r.Header["Authorization"] = []string{bearer}
			w = httptest.NewRecorder()
			door.ServeHTTP(w, r)
			if w.Code != http.StatusOK && w.Code != http.StatusServiceUnavailable { // what no header may hold cannot be sent on
				t.Errorf("X-Forwarded-For %q, -Proto %q: %d with one", address, proto, w.Code)
			}
		}
	})
}
