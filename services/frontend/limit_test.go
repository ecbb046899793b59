package frontend_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/docket-tasks/docket/services/frontend"
)

// limited is a door that lets one credential through once a second, ten times at once.
func limited(c *frontend.Config) { c.RateLimit = 1 }

// knock makes a request from an address and returns its status and Retry-After.
func knock(h http.Handler, from, method, target string, header ...string) (status int, after string) {
	r := httptest.NewRequest(method, target, nil)
	r.RemoteAddr = from
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, w.Header().Get("Retry-After")
}

// passes counts how many of n requests are not refused with 429.
func passes(n int, ask func(i int) int) (passed int) {
	for i := range n {
		if ask(i) != http.StatusTooManyRequests {
			passed++
		}
	}
	return passed
}

// from is an address of a network of its own.
func from(i int) string { return fmt.Sprintf("198.51.%d.%d:1000", i/250, 1+i%250) }

func TestCredentialIsLimited(t *testing.T) {
	clock := newClock()
	s := newInside(t, clock.now)
	metrics := prometheus.NewRegistry()
	door := s.door(t, limited, func(c *frontend.Config) { c.Metrics = metrics })
	ask := func(i int) int {
		status, _ := knock(door, from(i), "GET", "/api/me", "Authorization", bearer)
		return status
	}
	if n := passes(15, ask); n != 10 {
		t.Errorf("%d of 15 pass at once, want 10", n)
	}
	res := send(door, "GET", "/api/me", "", "Authorization", bearer)
	if after := res.Header.Get("Retry-After"); res.StatusCode != 429 || after != "1" || code(t, res) != "rate_limited" {
		t.Errorf("%d, Retry-After %q", res.StatusCode, after)
	}
	clock.advance(3 * time.Second) // what was refused has taken nothing
	if n := passes(15, ask); n != 3 {
		t.Errorf("%d of 15 pass after 3 s, want 3", n)
	}
	if status, _ := knock(door, from(1), "GET", "/api/me", "Cookie", "docket_session=good-session"); status != 200 {
		t.Errorf("another credential of the account: %d", status)
	}
	counted := `# HELP docket_rate_limited_total Requests refused with 429, by what has asked too often.
# TYPE docket_rate_limited_total counter
docket_rate_limited_total{by="account"} 0
docket_rate_limited_total{by="address"} 0
docket_rate_limited_total{by="credential"} 18
docket_rate_limited_total{by="passkey"} 0
docket_rate_limited_total{by="sign-in"} 0
`
	if err := testutil.GatherAndCompare(metrics, strings.NewReader(counted), "docket_rate_limited_total"); err != nil {
		t.Error(err)
	}
}

func TestAccountIsLimited(t *testing.T) {
	s := newInside(t, newClock().now)
	for i := range 9 {
		s.valid["token-"+strconv.Itoa(i)] = "ann"
	}
	s.valid["token-9"] = "bob"
	door := s.door(t, limited)
	ask := func(i int) int {
		status, _ := knock(door, from(i), "GET", "/api/me", "Authorization", "Bearer token-"+strconv.Itoa(i%9))
		return status
	}
	if n := passes(45, ask); n != 20 { // five of each: none of the credentials is at its end
		t.Errorf("%d of 45 pass, want 20", n)
	}
	if status, _ := knock(door, from(0), "GET", "/api/me", "Authorization", "Bearer token-9"); status != 200 {
		t.Errorf("another account: %d", status)
	}
}

// Nobody needs a credential to be counted: the /64 of IPv6 is one address, as is the one that our proxies name.
func TestAddressIsLimited(t *testing.T) {
	proxied := func(c *frontend.Config) { c.TrustForwarded = true }
	twice := func(c *frontend.Config) { c.TrustForwarded, c.ProxyHops = true, 2 }
	tests := []struct {
		name   string
		change func(*frontend.Config)
		from   func(i int) (remote, forwarded string)
		want   int
	}{
		{"one address", nil, func(int) (string, string) { return "198.51.100.1:1", "" }, 40},
		{"one network of IPv6", nil, func(i int) (string, string) { return fmt.Sprintf("[2001:db8::%x]:1", i+1), "" }, 40},
		{"networks of IPv6", nil, func(i int) (string, string) { return fmt.Sprintf("[2001:db8:0:%x::1]:1", i), "" }, 60},
		{"IPv4 in IPv6", nil, func(i int) (string, string) { return fmt.Sprintf("[::ffff:198.51.100.%d]:1", i+1), "" }, 60},
		{"made-up addresses", nil, func(i int) (string, string) { return "198.51.100.1:1", from(i) }, 40},
		{"behind a proxy, made-up ones before", proxied, func(i int) (string, string) {
			return "127.0.0.1:1", strings.TrimSuffix(from(i), ":1000") + ", 198.51.100.1"
		}, 40},
		{"behind a proxy", proxied, func(i int) (string, string) {
			return "127.0.0.1:1", strings.TrimSuffix(from(i), ":1000")
		}, 60},
		{"behind a proxy that names ports", proxied, func(i int) (string, string) {
			return "203.0.113.1:1", from(i)
		}, 60},
		{"behind a proxy that names ports of IPv6", proxied, func(i int) (string, string) {
			return "203.0.113.1:1", fmt.Sprintf("[2001:db8:0:%x::1]:1000", i)
		}, 60},
		{"behind a proxy that names nobody", proxied, func(i int) (string, string) {
			return "203.0.113.1:1", fmt.Sprintf("unknown-%d", i)
		}, 40},
		{"behind a proxy on this machine that names nobody", proxied, func(i int) (string, string) {
			return "127.0.0.1:1", fmt.Sprintf("unknown-%d", i)
		}, 40},
		{"behind a proxy, from this machine", proxied, func(int) (string, string) { return "127.0.0.1:1", "127.0.0.1" }, 60},
		{"behind two", twice, func(i int) (string, string) {
			return "203.0.113.1:1", strings.TrimSuffix(from(i), ":1000") + ", 203.0.113.80"
		}, 60},
		{"behind two, made-up ones before", twice, func(i int) (string, string) {
			return "203.0.113.1:1", strings.TrimSuffix(from(i), ":1000") + ",198.51.100.1,203.0.113.80"
		}, 40},
		{"past two, made-up ones", twice, func(i int) (string, string) {
			return "203.0.113.1:1", strings.TrimSuffix(from(i), ":1000")
		}, 40},
		{"this machine", nil, func(int) (string, string) { return "127.0.0.1:1", "" }, 60},
		{"this machine in IPv6", nil, func(int) (string, string) { return "[::1]:1", "" }, 60},
		{"no limit", func(c *frontend.Config) { c.RateLimit = 0 }, func(int) (string, string) { return "198.51.100.1:1", "" }, 60},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			door := newInside(t, newClock().now).door(t, limited, func(c *frontend.Config) {
				if tt.change != nil {
					tt.change(c)
				}
			})
			n := passes(60, func(i int) int {
				remote, forwarded := tt.from(i)
				header := []string{"X-Forwarded-For", forwarded}
				if forwarded == "" {
					header = nil
				}
				status, _ := knock(door, remote, "GET", "/api/about", header...)
				return status
			})
			if n != tt.want {
				t.Errorf("%d of 60 pass, want %d", n, tt.want)
			}
		})
	}
}

// A WebSocket is a request of its address, wherever it goes on to.
func TestSocketsAreLimited(t *testing.T) {
	opened := 0
	door := newInside(t, newClock().now).door(t, limited, func(c *frontend.Config) {
		c.WS = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { opened++ })
	})
	n := passes(60, func(int) int {
		status, _ := knock(door, "198.51.100.1:1", "GET", "/ws")
		return status
	})
	if n != 40 || opened != 40 {
		t.Errorf("%d of 60 pass and %d are opened, want 40", n, opened)
	}
}

func TestSignInIsLimitedMore(t *testing.T) {
	clock := newClock()
	door := newInside(t, clock.now).door(t, func(c *frontend.Config) { c.RateLimit = 50 })
	var after string
	ask := func(i int) (status int) {
		status, after = knock(door, "198.51.100.1:1", "POST", []string{"/api/session", "/api/accounts", "/api/password/reset", "/api/password/forgotten"}[i%4]) // which count together
		return status
	}
	if n := passes(30, ask); n != 20 || after != "6" {
		t.Errorf("%d of 30 pass, want 20; Retry-After %q", n, after)
	}
	if status, _ := knock(door, "198.51.100.2:1", "POST", "/api/session"); status == 429 {
		t.Error("another address may not sign in")
	}
	if status, _ := knock(door, "198.51.100.1:1", "GET", "/api/me", "Authorization", bearer); status != 200 {
		t.Errorf("who is signed in gets %d", status)
	}
	clock.advance(12 * time.Second)
	if n := passes(5, ask); n != 2 {
		t.Errorf("%d of 5 pass after 12 s, want 2", n)
	}
}

// To begin a sign-in by a passkey, as a page does when it is opened, takes none of the attempts to sign in; to finish one does.
//
// [Task]: T006
func TestPasskeyIsBegunAside(t *testing.T) {
	clock := newClock()
	door := newInside(t, clock.now).door(t, func(c *frontend.Config) { c.RateLimit = 50 })
	post := func(path string) func(int) int {
		return func(int) int {
			status, _ := knock(door, "198.51.100.1:1", "POST", path)
			return status
		}
	}
	if n := passes(70, post("/api/session/passkey/start")); n != 60 {
		t.Errorf("%d of 70 are begun, want 60", n)
	}
	if n := passes(10, post("/api/session/passkey/finish")) + passes(20, post("/api/session")); n != 20 {
		t.Errorf("%d of 30 attempts pass, want 20", n)
	}
	clock.advance(3 * time.Second)
	if n := passes(5, post("/api/session/passkey/start")); n != 3 {
		t.Errorf("%d of 5 are begun after 3 s, want 3", n)
	}
}
