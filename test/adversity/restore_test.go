package adversity

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/docket-tasks/docket/deploy/local"
	"github.com/docket-tasks/docket/event"
	"github.com/docket-tasks/docket/services/audit"
)

// The database is lost and comes back from a backup, by the commands of docs/operations.md: from one of a quiet system with
// everything as it was, from one taken under load, the broker lost as well, with all that was acknowledged before it.
//
// [Task]: T011, T092
func TestTheDatabaseIsRestored(t *testing.T) {
	w := newWorld(t)
	w.start(t)
	for n := range 20 {
		w.create(t, fmt.Sprint("Early ", n))
	}
	w.remindedSoon(t, "Outlives the database")
	t.Run("from a backup of a quiet system", func(t *testing.T) {
		frontend := w.Running["frontend"][0]
		w.audited(t, "Outlives the database")
		var before record
		eventually(t, "what was changed before it to be in the audit log", func() bool {
			before = w.record(t)
			return before.missing(t) == 0
		})
		frontend.Stop() // no changes any more
		eventually(t, "everything to be published", func() bool { return w.windowUsed(t) == 0 })
		w.Stop() // nor any reminder
		w.restore(t, w.dump(t))
		if err := w.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		after := w.record(t)
		if d := cmp.Diff(before, after); d != "" {
			t.Errorf("before the loss and after:\n%s", d)
		}
		after.sound(t)
		eventually(t, "the reminder, once", func() bool {
			var items []struct{ Message string }
			_, inbox := w.ask(t, http.MethodGet, "/api/notifications", nil)
			if err := json.Unmarshal(inbox, &items); err != nil {
				t.Fatal(err)
			}
			return len(items) == 1 && strings.Contains(items[0].Message, "Outlives the database")
		})
	})
	t.Run("from one taken under load, without the broker's messages", func(t *testing.T) {
		acknowledged, stop := w.writers(t)
		eventually(t, "some changes", func() bool { return len(acknowledged()) > 40 })
		promised := acknowledged()
		dump := w.dump(t)
		stop()
		w.create(t, "Too late")
		w.Kill()
		w.machine.Broker.Kill()
		if err := os.RemoveAll(filepath.Join(w.machine.Dir, "kafka", "data")); err != nil {
			t.Fatal(err)
		}
		w.restore(t, dump)
		if err := w.machine.Broker.Start(t.Context()); err != nil { // which declares the topics
			t.Fatal(err)
		}
		if err := w.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		eventually(t, "work to go on", func() bool {
			status, _ := w.ask(t, http.MethodPost, "/api/tasks", map[string]string{"title": "Work goes on"})
			return status == http.StatusCreated
		})
		w.audited(t, "Work goes on")
		var now record
		eventually(t, "every version to be in the audit log, or named as missing", func() bool {
			now = w.record(t)
			return now.Head == int64(len(now.Events)+now.missing(t))
		})
		t.Logf("%d changes, %d of them missing in the audit log and named: %q", now.Head, now.missing(t), now.Gaps)
		for _, title := range promised {
			if !now.has(title) {
				t.Errorf("%q was acknowledged before the backup, and is not there", title)
			}
		}
		if now.has("Too late") {
			t.Error("a change is there that was made after the backup")
		}
		if now.missing(t) == 0 {
			now.sound(t)
		}
		w.noDeadLetters(t)
	})
}

// remindedSoon makes a task whose reminder comes in a while, by a job that the scheduler has from now on.
func (w *world) remindedSoon(t *testing.T, title string) {
	t.Helper()
	due := time.Now().Add(8 * time.Second).UTC().Format(time.RFC3339)
	if status, answer := w.ask(t, http.MethodPost, "/api/tasks", map[string]any{"title": title, "due_date": due, "reminder_minutes": []int{0}}); status != http.StatusCreated {
		t.Fatalf("create: %d %s", status, answer)
	}
}

// windowUsed is how much of backend has not been published.
func (w *world) windowUsed(t *testing.T) int {
	t.Helper()
	res, err := http.Get(w.Running["backend"][0].Ops() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // a test
	var all bytes.Buffer
	if _, err := all.ReadFrom(res.Body); err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^docket_outbox_window_used (\d+)$`).FindStringSubmatch(all.String())
	if m == nil {
		t.Fatalf("backend does not tell docket_outbox_window_used:\n%s", all.String())
	}
	n, _ := strconv.Atoi(m[1])
	return n
}

// writers let four clients make tasks until stop, which waits for the last answer; acknowledged are the titles so far.
func (w *world) writers(t *testing.T) (acknowledged func() []string, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var mu sync.Mutex
	var titles []string
	var clients sync.WaitGroup
	for client := range 4 {
		clients.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				title := fmt.Sprintf("Under load %d-%d", client, n)
				if status, _ := w.ask(t, http.MethodPost, "/api/tasks", map[string]string{"title": title}); status == http.StatusCreated {
					mu.Lock()
					titles = append(titles, title)
					mu.Unlock()
				}
			}
		})
	}
	acknowledged = func() []string {
		mu.Lock()
		defer mu.Unlock()
		return append([]string(nil), titles...)
	}
	return acknowledged, func() { cancel(); clients.Wait() }
}

// dump backs the database up and returns the file.
func (w *world) dump(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "docket.dump")
	w.postgresql(t, "pg_dump", "--format", "custom", "--file", file, w.DSN())
	return file
}

// restore replaces the database by what a dump has.
func (w *world) restore(t *testing.T, dump string) {
	t.Helper()
	if _, err := w.Query(t.Context(), "postgres", `drop database "`+w.Name+`" with (force)`, `create database "`+w.Name+`"`); err != nil {
		t.Fatal(err)
	}
	w.postgresql(t, "pg_restore", "--exit-on-error", "--dbname", w.DSN(), dump)
}

func (w *world) postgresql(t *testing.T, program string, args ...string) {
	t.Helper()
	bin, err := local.FindPostgreSQL()
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), filepath.Join(bin, program), args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", program, err, out)
	}
}

// record is all that docket says of the first user's list.
type record struct {
	Head   int64 // the list's version
	Tasks  map[string]any
	Events []event.TaskEvent // oldest first
	Gaps   []string          // versions that the audit log names as missing: "3", "7-9"
}

func (w *world) record(t *testing.T) (r record) {
	t.Helper()
	r.Tasks = map[string]any{}
	w.pages(t, "/api/tasks?limit=200&status=pending&status=completed&status=deleted", func(page []json.RawMessage, h http.Header) {
		r.Head, _ = strconv.ParseInt(h.Get("List-Version"), 10, 64)
		for _, doc := range page {
			var task map[string]any
			if err := json.Unmarshal(doc, &task); err != nil {
				t.Fatal(err)
			}
			r.Tasks[task["id"].(string)] = task
		}
	})
	w.pages(t, "/api/audit?limit=200", func(page []json.RawMessage, h http.Header) {
		if named := h.Get("Audit-Gaps"); named != "" {
			r.Gaps = append(strings.Split(named, ", "), r.Gaps...)
		}
		for _, doc := range page {
			var entry audit.Entry
			err := json.Unmarshal(doc, &entry)
			var e event.TaskEvent
			if err == nil {
				e, err = entry.TaskEvent()
			}
			if err != nil {
				t.Fatal(err)
			}
			r.Events = append([]event.TaskEvent{e}, r.Events...)
		}
	})
	return r
}

var nextPage = regexp.MustCompile(`<([^>]+)>; rel="next"`)

// pages reads a list to its end.
func (w *world) pages(t *testing.T, path string, each func([]json.RawMessage, http.Header)) {
	t.Helper()
	for path != "" {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.Gateway()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+w.token)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		var page []json.RawMessage
		err = json.NewDecoder(res.Body).Decode(&page)
		_ = res.Body.Close()
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("GET %s: %s %v", path, res.Status, err)
		}
		each(page, res.Header)
		path = ""
		if m := nextPage.FindStringSubmatch(res.Header.Get("Link")); m != nil {
			path = m[1]
		}
	}
}

// sound demands what docket check demands of one machine's data: the history is whole, and replayed it gives every task.
func (r record) sound(t *testing.T) {
	t.Helper()
	replayed := event.Replay(func(yield func(event.TaskEvent) bool) {
		for _, e := range r.Events {
			if !yield(e) {
				return
			}
		}
	})
	for _, p := range replayed.Problems {
		t.Error(p)
	}
	if replayed.ListVersion != r.Head || len(replayed.Tasks) != len(r.Tasks) {
		t.Errorf("the history ends at version %d with %d tasks, the list is at %d with %d", replayed.ListVersion, len(replayed.Tasks), r.Head, len(r.Tasks))
	}
	for id, raw := range replayed.Tasks {
		var task any
		if err := json.Unmarshal(raw, &task); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(task, r.Tasks[id]); d != "" {
			t.Errorf("task %s as its history has it, and as it is:\n%s", id, d)
		}
	}
}

// missing is how many versions the audit log names as missing.
func (r record) missing(t *testing.T) (n int) {
	t.Helper()
	for _, gap := range r.Gaps {
		from, to, more := strings.Cut(gap, "-")
		if !more {
			to = from
		}
		first, err := strconv.Atoi(from)
		last, err2 := strconv.Atoi(to)
		if err != nil || err2 != nil {
			t.Fatalf("the gap %q", gap)
		}
		n += last - first + 1
	}
	return n
}

func (r record) has(title string) bool {
	for _, task := range r.Tasks {
		if task.(map[string]any)["title"] == title {
			return true
		}
	}
	return false
}
