package e2e

import (
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"testing"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"
)

// Every open client of a user sees each change, in order and once; nobody else sees any of it.
//
// [Task]: T071
func TestLiveUpdates(t *testing.T) {
	scenario(t, func(t *testing.T, w *world) {
		ada, bob := w.user("Ada", "Europe/Berlin"), w.user("Bob", "UTC")
		desk, phone, others := ada.listen(""), ada.listen("?since=0"), bob.listen("")
		i := ada.create(object{"title": "Shared"})
		ada.do("PATCH", i.path(), object{"title": "Seen"}).want(200)
		ada.step(i, "complete")
		ada.step(i, "reopen")
		ada.do("DELETE", i.path(), nil).want(204)
		ada.step(i, "restore")
		mine := bob.create(object{"title": "Bob's"})

		for name, s := range map[string]*socket{"desk": desk, "phone": phone} {
			s.reach(6)
			var version int64
			for _, f := range s.seen[1:] {
				if f.Type != "update" || f.Update.ListVersion <= version || f.Update.TaskID != i.ID {
					t.Errorf("%s, after version %d: %+v", name, version, f)
				}
				version = f.Update.ListVersion
			}
			last := s.seen[len(s.seen)-1]
			if got := last.task(t); got.Title != "Seen" || got.Version != 6 || got.Status != "pending" {
				t.Errorf("%s ends with %+v", name, got)
			}
		}
		others.reach(1)
		for _, f := range others.seen[1:] {
			if f.Update.TaskID != mine.ID || f.Update.UserID != bob.id {
				t.Errorf("Bob sees %+v", f)
			}
		}
	})
}

// Clients that change one task at once lose nothing of what the others do, and all end with the same.
func TestClientsChangeOneTaskAtOnce(t *testing.T) {
	scenario(t, func(t *testing.T, w *world) {
		c := w.owner
		i := c.create(object{"title": "Shared"})
		sockets := []*socket{c.listen(""), c.listen("?since=0")}
		change := func(n int) (method, path string, body object) {
			switch n {
			case 0:
				return "PATCH", i.path(), object{"title": "Changed"}
			case 1:
				return "PATCH", i.path(), object{"description": "Here too"}
			case 2:
				return "POST", i.path() + "/complete", nil
			}
			return "PUT", i.path() + "/tags", object{"add": []string{fmt.Sprintf("tag %02d", n)}}
		}
		var all sync.WaitGroup
		start := make(chan struct{})
		for n := range 16 {
			other := c.as(c.token)
			method, path, body := change(n)
			all.Go(func() {
				<-start
				var sent any
				if body != nil {
					sent = body
				}
				if a, err := other.try(method, path, sent); err != nil || a.status != 200 {
					t.Errorf("%s %s: %v %+v", method, path, err, a)
				}
			})
		}
		close(start)
		all.Wait()
		got := c.task(i.ID)
		if got.Title != "Changed" || got.Description != "Here too" || got.Status != "completed" || len(got.Tags) != 13 || got.Version != 17 {
			t.Errorf("after 16 changes at once: %+v", got)
		}
		for _, s := range sockets {
			s.reach(17)
			if diff := cmp.Diff(got, s.seen[len(s.seen)-1].task(t)); diff != "" {
				t.Errorf("a client ends with something else (-server +client):\n%s", diff)
			}
		}
	})
}

// A client that comes back is brought to the present from the version it has seen; one that was away too long, or
// has seen what the server has not, is told to load everything again.
func TestResume(t *testing.T) {
	scenario(t, func(t *testing.T, w *world) {
		c := w.owner
		first := c.listen("")
		a := c.create(object{"title": "A"})
		first.reach(1)
		_ = first.conn.Close(websocket.StatusNormalClosure, "")
		b := c.create(object{"title": "B"})
		c.do("PATCH", a.path(), object{"title": "A again"}).want(200)
		c.do("DELETE", b.path(), nil).want(204)

		back := c.listen("?since=1")
		if hello := back.seen[0]; hello.ListVersion != 4 {
			t.Errorf("hello %+v, want version 4", hello)
		}
		back.reach(4)
		last := map[string]frame{}
		for _, f := range back.seen[1:] {
			last[f.Update.TaskID] = f
		}
		if f := last[b.ID]; len(last) != 2 || f.Update.Action != "deleted" {
			t.Errorf("resumed: %+v", back.seen)
		}
		if f, ok := last[a.ID]; ok {
			if i := f.task(t); i.Title != "A again" {
				t.Errorf("resumed: %+v", i)
			}
		}
		if f := c.listen("?since=99").next(); f.Type != "reset" || f.ListVersion != 4 {
			t.Errorf("resumed from the future: %+v", f)
		}
		for _, bad := range []string{"?since=-1", "?since=x", "?since=99999999999999999999"} {
			if status := c.refused(bad, nil); status != http.StatusBadRequest {
				t.Errorf("%s: %d", bad, status)
			}
		}
		if status := c.refused("", http.Header{"Origin": {"https://elsewhere.example"}}); status != http.StatusForbidden {
			t.Errorf("another site's page: %d", status)
		}
		c.awayTooLong(t)
	})
}

// awayTooLong makes more changes than the log of changes keeps, 128 blocks of 64.
func (c *client) awayTooLong(t *testing.T) {
	t.Helper()
	const tasks, rounds = 200, 44
	ids := make([]string, tasks)
	for round := range rounds {
		changes := make([]object, tasks)
		for n := range changes {
			changes[n] = object{"op": "update", "id": ids[n], "body": object{"title": strconv.Itoa(round)}}
			if round == 0 {
				changes[n] = object{"op": "create", "body": object{"title": "0"}}
			}
		}
		var out struct {
			Results []struct {
				Task item `json:"task"`
			} `json:"results"`
		}
		c.post("/api/tasks/batch", object{"changes": changes}).want(200).into(&out)
		for n, r := range out.Results {
			ids[n] = r.Task.ID
		}
	}
	version := c.listVersion()
	if f := c.listen("?since=1").next(); f.Type != "reset" || f.ListVersion != version {
		t.Errorf("away for %d changes: %+v", version-1, f)
	}
	near := c.listen("?since=" + strconv.FormatInt(version-100, 10))
	near.reach(version)
	if got := near.seen[len(near.seen)-1].task(t); len(near.seen) != 101 || got.Title != strconv.Itoa(rounds-1) {
		t.Errorf("away for 100 changes: %d frames, the last of %+v", len(near.seen), got)
	}
}
