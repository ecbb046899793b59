package backend

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/host/embedded"
	"github.com/docket-tasks/docket/services/backend/account"
)

// keepers are the services that keep something of a user, as far as backend asks them.
type keepers struct {
	mu      sync.Mutex
	asked   []string
	missing int // what audit says that it lacks
}

func (k *keepers) services() []host.Service {
	serve := func(name string, answer func() string) host.Service {
		mux := http.NewServeMux()
		mux.HandleFunc("POST /internal/erasures", func(w http.ResponseWriter, r *http.Request) {
			var b bytes.Buffer
			_, _ = b.ReadFrom(r.Body)
			k.mu.Lock()
			defer k.mu.Unlock()
			k.asked = append(k.asked, name+" "+strings.TrimSpace(b.String()))
			_, _ = fmt.Fprint(w, answer())
		})
		return host.Service{Name: name, Public: http.NotFoundHandler(), Runtime: mux}
	}
	return []host.Service{
		serve("audit", func() string { return fmt.Sprintf(`{"missing":%d}`, k.missing) }),
		serve("notification", func() string { return "" }),
	}
}

// cut is a state that fails once it has done so many commits, as if the process had ended there. It drops the jobs of
// deletions: the tests are what calls them.
type cut struct {
	host.State
	left int
	jobs []host.JobIntent
	// heads are the values that heads of lists got, in their order.
	heads []host.Item
}

var errCut = errors.New("the process ends here")

func (c *cut) Commit(ctx context.Context, tx host.Tx) error {
	if c.left--; c.left < 0 {
		return errCut
	}
	var jobs []host.JobIntent
	for _, j := range tx.Jobs {
		if strings.HasPrefix(j.Name, "erase-") {
			c.jobs = append(c.jobs, j)
		} else {
			jobs = append(jobs, j)
		}
	}
	tx.Jobs = jobs
	for _, o := range tx.Ops {
		if Hot(o.Key) {
			c.heads = append(c.heads, host.Item{Key: o.Key, Value: o.Value, ETag: "written"})
		}
	}
	return c.State.Commit(ctx, tx)
}

// erasing is a backend whose clock and whose commits a test holds, beside the one of a fixture.
type erasing struct {
	*fixture
	keepers *keepers
	dir     string
	state   *cut
	unit    host.Service
	now     time.Time
	ada     client
}

func startErasing(t *testing.T) *erasing {
	t.Helper()
	e := &erasing{keepers: &keepers{}, dir: t.TempDir(), now: time.Now()}
	e.fixture = startAt(t, e.dir, e.keepers.services()...)
	h := e.node.Host(Name)
	e.state = &cut{State: h.State, left: 1 << 30}
	h.State = e.state
	log := slog.New(slog.DiscardHandler)
	e.unit = New(t.Context(), Config{Logger: log, Metrics: prometheus.NewRegistry(), Now: func() time.Time { return e.now }}, h)
	e.ada = e.join("Ada")
	return e
}

// join makes a user.
func (e *erasing) join(name string) client {
	e.t.Helper()
	w := e.me.do("POST", "/api/users", `{"name":"`+name+`"}`)
	var made account.NewUserAnswer
	if err := json.Unmarshal(w.Body.Bytes(), &made); err != nil || made.Token == "" {
		e.t.Fatalf("%d %s", w.Code, w.Body)
	}
	return client{f: e.fixture, user: made.User.ID, token: made.Token}
}

// delete deletes the user, and returns the job that is to erase what is left.
func (e *erasing) delete(user string) host.Job {
	e.t.Helper()
	users := Accounts(account.Config{Now: func() time.Time { return e.now }, Logger: e.log}, host.Host{State: e.state})
	if err := users.Delete(e.t.Context(), user); err != nil {
		e.t.Fatal(err)
	}
	return e.next()
}

// next is the job that was scheduled last.
func (e *erasing) next() host.Job {
	e.t.Helper()
	if len(e.state.jobs) != 1 {
		e.t.Fatalf("%d jobs are scheduled", len(e.state.jobs))
	}
	j := e.state.jobs[0].Job
	e.state.jobs = nil
	return j
}

// leftovers are the rows in which something of the user's can be recognised: by its key, or the text that all of it has.
func (e *erasing) leftovers(user, text string) (rows []string) {
	e.t.Helper()
	r, err := embedded.OpenReader(e.t.Context(), e.dir)
	if err != nil {
		e.t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	if err := r.Scan(Name, "", func(key string, value []byte) error {
		if strings.Contains(key, user) || bytes.Contains(value, []byte(text)) || bytes.Contains(value, []byte(user)) {
			rows = append(rows, key)
		}
		return nil
	}); err != nil {
		e.t.Fatal(err)
	}
	return rows
}

const private = "nobody's business"

// fill gives the user tasks in several segments, some of them deleted, reminded of and put off, and a filter.
func (e *erasing) fill(c client) {
	e.t.Helper()
	for range 3 {
		ops := make([]string, 64)
		for i := range ops {
			ops[i] = `{"op":"create","body":{"title":"` + private + `","due_date":"2036-04-01T09:00:00Z","tags":["` + private + `"]}}`
		}
		if w := c.do("POST", "/api/tasks/batch", `{"changes":[`+strings.Join(ops, ",")+`]}`); w.Code != http.StatusOK {
			e.t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	all, _ := c.list("?limit=3")
	c.must("DELETE", "/api/tasks/"+all[0].ID, "")
	if w := e.runtime("POST", "/internal/reminders", map[string]any{"task_id": all[1].ID, "user_id": c.user, "at": e.now.Add(time.Hour)}); w.Code != http.StatusAccepted {
		e.t.Fatalf("%d %s", w.Code, w.Body)
	}
	if w := c.do("POST", "/api/filters", `{"name":"`+private+`","query":{}}`); w.Code != http.StatusCreated {
		e.t.Fatalf("%d %s", w.Code, w.Body)
	}
	c.list("") // so that it is in memory
}

// However often erasing is cut short, wherever, it is done in the end: of the account nothing is left but the closed head of
// its list.
func TestErasingIsResumed(t *testing.T) {
	e := startErasing(t)
	e.fill(e.ada)
	if len(e.leftovers(e.ada.user, private)) < 3*64 {
		t.Fatal("there is nothing to erase")
	}
	job := e.delete(e.ada.user)
	commits := 0
	for ; ; commits++ { // each time it gets one commit further
		e.state.left = commits
		err := e.unit.Job(t.Context(), job)
		if err == nil {
			break
		}
		if !errors.Is(err, errCut) || commits > 100 {
			t.Fatalf("cut after %d commits: %v", commits, err)
		}
	}
	if commits < 5 {
		t.Errorf("it took %d commits", commits)
	}
	if left := e.leftovers(e.ada.user, private); len(left) != 1 || left[0] != headKey(e.ada.user) {
		t.Errorf("%q are left", left)
	}
	e.wantEmptyHeads()
}

// wantEmptyHeads demands that nothing but empty heads is left of those that a host may keep.
func (e *erasing) wantEmptyHeads() {
	e.t.Helper()
	for _, it := range e.state.heads[max(0, len(e.state.heads)-host.EarlierValues-1):] {
		h, err := decodeHead(it)
		if err != nil {
			e.t.Fatal(err)
		}
		if !h.closed || h.Segments != 0 || len(h.log)+len(h.ids) != 0 || h.owner.Version != 0 || h.owner.TimeZone != "" {
			e.t.Errorf("a head that is kept: %+v", h)
		}
	}
}

// Of an account without tasks the settings, which the head of its list knows too, go as well.
func TestSettingsAreErased(t *testing.T) {
	e := startErasing(t)
	bob := e.join("Bob")
	if w := bob.do("PATCH", "/api/me", `{"time_zone":"Asia/Tokyo"}`); w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if err := e.unit.Job(t.Context(), e.delete(bob.user)); err != nil {
		t.Fatal(err)
	}
	if len(e.state.heads) <= host.EarlierValues {
		t.Errorf("the head was written %d times", len(e.state.heads))
	}
	e.wantEmptyHeads()
}

// Rounds follow each other until a late one finds that audit had every event; one that never comes ends them with an error.
func TestErasingHasRounds(t *testing.T) {
	e := startErasing(t)
	e.fill(e.ada)
	_, header := e.ada.list("?limit=1")
	job := e.delete(e.ada.user)
	if want := "erase-" + e.ada.user + "-0"; job.Name != want || !job.Due.Equal(e.now) {
		t.Errorf("%s at %v, want %s at once", job.Name, job.Due, want)
	}
	e.keepers.missing = 1
	for round, wait := range []time.Duration{2 * time.Minute, 4 * time.Minute, 8 * time.Minute} {
		if err := e.unit.Job(t.Context(), job); err != nil {
			t.Fatal(err)
		}
		job = e.next()
		if want := fmt.Sprintf("erase-%s-%d", e.ada.user, round+1); job.Name != want || !job.Due.Equal(e.now.Add(wait)) {
			t.Errorf("%s in %v, want %s in %v", job.Name, job.Due.Sub(e.now), want, wait)
		}
		e.now = job.Due
	}
	asked := []string{fmt.Sprintf(`audit {"from":1,"list_id":%q,"to":%s}`, e.ada.user, header.Get("List-Version")), fmt.Sprintf(`notification {"user_id":%q}`, e.ada.user)}
	if len(e.keepers.asked) != 6 || e.keepers.asked[0] != asked[0] || e.keepers.asked[1] != asked[1] || e.keepers.asked[4] != asked[0] {
		t.Errorf("asked %q, want %q each time", e.keepers.asked, asked)
	}
	overdue := e.now
	e.now = e.now.Add(8 * 24 * time.Hour)
	if err := e.unit.Job(t.Context(), job); err != nil || len(e.state.jobs) != 0 {
		t.Errorf("after a week: %v, %d more rounds", err, len(e.state.jobs))
	}
	e.now, e.keepers.missing = overdue, 0
	if err := e.unit.Job(t.Context(), job); err != nil || len(e.state.jobs) != 0 {
		t.Errorf("with nothing missing: %v, %d more rounds", err, len(e.state.jobs))
	}
}

// A change that is under way when the account is deleted does not bring anything back, and what was scheduled for it does nothing.
func TestLateForADeletedAccount(t *testing.T) {
	e := startErasing(t)
	bob := e.join("Bob")
	item, err := e.node.Host(Name).State.Get(t.Context(), headKey(bob.user))
	if err != nil {
		t.Fatal(err)
	}
	closed := host.Replace(headKey(bob.user), head{closed: true}.encode(), item.ETag)
	if err := e.node.Host(Name).State.Commit(t.Context(), host.Tx{Ops: []host.Op{closed}}); err != nil {
		t.Fatal(err)
	}
	if w := bob.do("POST", "/api/tasks", `{"title":"late"}`); w.Code != http.StatusUnauthorized { // as who has read the user before
		t.Errorf("a change of a closed list: %d %s", w.Code, w.Body)
	}

	made := e.ada.must("POST", "/api/tasks", `{"title":"x","due_date":"2036-04-01","recurrence_pattern":"daily"}`)
	done := e.ada.must("POST", "/api/tasks/"+made.ID+"/complete", "")
	ada := e.ada.jwt()
	job := e.delete(e.ada.user)
	for _, request := range [][2]string{{"GET", "/api/tasks"}, {"POST", "/api/tasks"}, {"GET", "/api/me"}, {"GET", "/api/filters"}, {"GET", "/api/tokens"}} {
		if status := e.as(ada, request[0], request[1], `{"title":"late"}`); status != http.StatusUnauthorized {
			t.Errorf("%s %s with an identity from before: %d", request[0], request[1], status)
		}
	}
	late := func() {
		t.Helper()
		for name, data := range map[string]any{
			"r-1":     reminderJob{Task: made.ID, List: e.ada.user, Snooze: true},
			"purge-1": purgeJob{Task: made.ID, List: e.ada.user, Version: done.Version},
			"zone-1":  account.ZoneChange{UserID: e.ada.user, From: "UTC"},
		} {
			b, err := json.Marshal(data)
			if err != nil {
				t.Fatal(err)
			}
			if err := e.unit.Job(t.Context(), host.Job{Name: name, Data: b}); err != nil {
				t.Errorf("job %s: %v", name, err)
			}
		}
	}
	late()
	if err := e.unit.Job(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	late()
	next := map[string]any{"completed_id": made.ID, "completed_version": done.Version}
	if w := e.runtime("POST", "/internal/occurrences", next); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "superseded") {
		t.Errorf("the next occurrence: %d %s", w.Code, w.Body)
	}
	if left := e.leftovers(e.ada.user, private); len(left) != 1 {
		t.Errorf("%q are left", left)
	}
}

// as asks with an identity that was made before, and returns the status.
func (e *erasing) as(jwt, method, path, body string) int {
	e.t.Helper()
	r := httptest.NewRequestWithContext(e.t.Context(), method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+jwt)
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	e.fixture.unit.Public.ServeHTTP(w, r)
	return w.Code
}
