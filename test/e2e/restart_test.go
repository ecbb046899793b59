package e2e

import (
	"bufio"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/coder/websocket"
)

// Stopping and killing, at once after the other, while eight clients write: what was acknowledged is there, nothing is
// doubled, and history and state agree.
//
// [Task]: T092
func TestRestartWhileWriting(t *testing.T) {
	scenarioAlone(t, func(t *testing.T, w *world) {
		writers := make([]*client, 8)
		for n := range writers {
			writers[n] = w.owner
			if n%2 == 0 { // half of them share a list
				writers[n] = w.user(fmt.Sprintf("Writer %d", n), "UTC")
			}
			writers[n] = writers[n].as(writers[n].token)
		}
		for round, end := range []func(*testing.T){w.stop, w.kill} {
			live := w.owner.listen("")
			seen := live.seen[0].ListVersion
			made := writeUntil(t, writers, round, func() { end(t) })
			if code := live.closed(); round == 0 && code != websocket.StatusGoingAway {
				t.Errorf("the stopping server closes sockets with %v", code)
			}
			w.check(t) // as it was left
			w.start(t)
			for n, c := range writers {
				c.holds(t, made[n])
			}
			back := w.owner.listen(fmt.Sprintf("?since=%d", seen))
			back.reach(w.owner.listVersion())
		}
	})
}

// A client that never finishes its request, and one that never reads its socket, do not keep the server from stopping
// in time and in order.
func TestStopWithStalledClients(t *testing.T) {
	scenarioAlone(t, func(t *testing.T, w *world) {
		w.owner.listen("")
		gateway, err := url.Parse(w.gateway())
		if err != nil {
			t.Fatal(err)
		}
		conn, err := net.Dial("tcp", gateway.Host)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close() //nolint:errcheck // the server ends it
		if _, err := fmt.Fprintf(conn, "POST /api/tasks HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nExpect: 100-continue\r\nContent-Length: 20\r\n\r\n",
			gateway.Host, w.owner.token); err != nil {
			t.Fatal(err)
		}
		if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil || !strings.Contains(line, "100 Continue") {
			t.Fatalf("the request has not begun: %q, %v", line, err)
		}
		w.stop(t)
		w.start(t)
		if v := w.owner.listVersion(); v != 0 {
			t.Errorf("half a request has brought the list to version %d", v)
		}
	})
}

// writeUntil has every writer create tasks and complete every other one, calls end when each has been at it for a
// while, and returns by writer the titles that were acknowledged.
func writeUntil(t *testing.T, writers []*client, round int, end func()) [][]string {
	t.Helper()
	made := make([][]string, len(writers))
	var ending atomic.Bool
	var warm, done sync.WaitGroup
	warm.Add(len(writers))
	for n, c := range writers {
		done.Go(func() {
			warmed := sync.OnceFunc(warm.Done)
			for i := 0; ; i++ {
				if i == 20 {
					warmed()
				}
				title := fmt.Sprintf("%d-%d-%d", round, n, i)
				a, err := c.try("POST", "/api/tasks", object{"title": title, "recurrence_pattern": "daily", "due_date": "2030-01-01"}, "Idempotency-Key", title)
				if err == nil && a.status == 503 && !ending.Load() { // several replicas are at the list: again, as Retry-After asks
					i--
					continue
				}
				if err != nil || a.status == 503 {
					if i < 20 {
						t.Errorf("writer %d: %v", n, err)
						warmed()
					}
					return
				}
				if a.status != 201 {
					t.Errorf("create: %d %s", a.status, a.body)
				}
				made[n] = append(made[n], title)
				if i%2 == 0 {
					_, _ = c.try("POST", a.header.Get("Location")+"/complete", nil) // the next round of the loop notices the end
				}
			}
		})
	}
	warm.Wait()
	ending.Store(true)
	end()
	done.Wait()
	return made
}

// holds waits until the completed tasks have continued, and checks that the list has each title, once for the task and
// once for what follows it.
func (c *client) holds(t *testing.T, titles []string) {
	t.Helper()
	var missing string
	eventually(t, "the next occurrences after a restart", func() bool {
		completed, continued := 0, 0
		have := map[string]int{}
		for _, i := range c.list("limit=200") {
			if i.RecurrenceParentID == nil {
				have[i.Title]++
			}
			if i.Status == "completed" {
				completed++
			}
			if i.RecurrenceParentID != nil {
				continued++
			}
		}
		missing = ""
		for _, title := range titles {
			if have[title] != 1 {
				missing = fmt.Sprintf("%s is there %d times", title, have[title])
			}
		}
		return continued == completed
	})
	if missing != "" {
		t.Errorf("acknowledged, but %s", missing)
	}
}
