//go:build unix

package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/docket-tasks/docket/host"
)

// Ten thousand jobs due at once, each with a commit of its own, and more in the table than memory holds.
func TestManyJobs(t *testing.T) {
	n := openNode(t, Options{})
	const many = 10_000
	var seen sync.Map
	var distinct atomic.Int64
	all := make(chan struct{})
	state := n.Host("worker").State
	due := time.Now().Add(2 * time.Second)
	err := n.Start(t.Context(), host.Service{Name: "worker", Job: func(ctx context.Context, j host.Job) error {
		if time.Now().Before(due) {
			t.Errorf("%s is early", j.Name)
		}
		if err := state.Commit(ctx, host.Tx{Ops: []host.Op{host.Create("done/"+j.Name, nil)}}); err != nil && !errors.Is(err, host.ErrConflict) {
			return err
		}
		if _, again := seen.LoadOrStore(j.Name, true); !again && distinct.Add(1) == many {
			close(all)
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < many; {
		var tx host.Tx
		for range 250 {
			tx.Jobs = append(tx.Jobs, host.Schedule(fmt.Sprint("j", i), due, nil))
			i++
		}
		mustCommit(t, state, tx)
	}
	n.jobs.mu.Lock()
	held := len(n.jobs.queue)
	n.jobs.mu.Unlock()
	if held > 2*jobWindow {
		t.Errorf("%d jobs in memory, at most %d", held, 2*jobWindow)
	}
	<-all
	t.Logf("the last of %d jobs %v after they were due", many, time.Since(due).Round(time.Millisecond))
}

// Commits of several that can run at the same moment share a transaction, also where the first of them finds the writer idle.
func TestCommitsOfAMomentShareATransaction(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // one after the other, so that who runs first is known
	var made atomic.Int64
	n := openNode(t, Options{Failpoint: func(step string) {
		if step == stepCommit {
			made.Add(1)
		}
	}})
	state := n.Host("worker").State
	made.Store(0)
	const moments, writers = 100, 8
	for range moments {
		var all sync.WaitGroup
		for i := range writers {
			all.Go(func() {
				if err := state.Commit(t.Context(), host.Tx{Ops: []host.Op{host.Put(fmt.Sprint(i), nil)}}); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	}
	// The scheduler lets a few moments fall apart; a writer that begins with the first commit makes two transactions of each.
	if made.Load() > 3*moments/2 {
		t.Errorf("%d transactions for %d moments of %d commits", made.Load(), moments, writers)
	}
}

// A commit made by a handler waits for company, and so for a pause of the users; one of theirs never waits.
func TestBackgroundCommitsWaitForCompany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := openNode(t, Options{})
		state := n.Host("worker").State
		synctest.Wait() // the writer waits; from here on only our commits let time pass
		began := time.Now()
		var wg sync.WaitGroup
		for i := range 3 {
			wg.Go(func() { mustCommitBehind(t, state, fmt.Sprint(i)) })
		}
		wg.Wait()
		if took := time.Since(began); took != linger {
			t.Errorf("three background commits alone took %v, want one wait of %v", took, linger)
		}
		began = time.Now()
		wg.Go(func() { mustCommitBehind(t, state, "b") })
		synctest.Wait()
		mustCommit(t, state, host.Tx{Ops: []host.Op{host.Put("f", nil)}})
		if took := time.Since(began); took != 0 {
			t.Errorf("a user's commit took %v, want no wait", took)
		}
		wg.Wait()
		if took := time.Since(began); took != linger {
			t.Errorf("a background commit after a user's took %v, want %v", took, linger)
		}
		closed(t, n)
	})
}

// Users who leave no pause hold a handler's commit up for a while; then it shares a transaction with theirs. Where many wait
// they go at once.
func TestBackgroundCommitsRideAlong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var made atomic.Int64
		n := openNode(t, Options{Failpoint: func(step string) {
			if step == stepCommit {
				made.Add(1)
			}
		}})
		state := n.Host("worker").State
		synctest.Wait()
		made.Store(0)
		var wg sync.WaitGroup
		began, waited, users := time.Now(), time.Duration(0), int64(0)
		wg.Go(func() {
			mustCommitBehind(t, state, "b")
			waited = time.Since(began)
		})
		synctest.Wait()
		for waited == 0 && time.Since(began) < time.Second {
			time.Sleep(linger / 2) // of the bubble
			mustCommit(t, state, host.Tx{Ops: []host.Op{host.Put("f", nil)}})
			users++
			synctest.Wait()
		}
		if waited != patienceEnds || made.Load() != users {
			t.Errorf("the background commit took %v and there were %d transactions for %d of users; want %v and one each",
				waited, made.Load(), users, patienceEnds)
		}
		began = time.Now()
		for i := range enough {
			wg.Go(func() { mustCommitBehind(t, state, fmt.Sprint(i)) })
		}
		wg.Wait()
		if took := time.Since(began); took != 0 {
			t.Errorf("%d background commits took %v, want no wait", enough, took)
		}
		closed(t, n)
	})
}

// mustCommitBehind commits as a handler does.
func mustCommitBehind(t *testing.T, state host.State, key string) {
	t.Helper()
	if err := state.Commit(background(t.Context()), host.Tx{Ops: []host.Op{host.Put(key, nil)}}); err != nil {
		t.Error(err)
	}
}

// An idle node writes nothing, however long.
func TestIdleWritesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var steps atomic.Int64
		n := openNode(t, Options{Failpoint: func(string) { steps.Add(1) }})
		done := make(chan struct{}, 1)
		err := n.Start(t.Context(), host.Service{Name: "worker", Subscriptions: []host.Subscription{{
			Topic: "events", Handle: func(context.Context, host.Message) error { done <- struct{}{}; return nil },
		}}})
		if err != nil {
			t.Fatal(err)
		}
		mustCommit(t, n.Host("worker").State, host.Tx{Messages: []host.Message{{Topic: "events", Key: "k", ID: "1"}}})
		<-done
		wait := func(d time.Duration) {
			timer := time.NewTimer(d)
			<-timer.C
		}
		wait(5 * time.Minute)
		before := steps.Load()
		wait(24 * time.Hour)
		if after := steps.Load(); after != before {
			t.Errorf("%d steps toward the disk in an idle day", after-before)
		}
		closed(t, n)
	})
}

// The log does not grow for ever, and what a group has yet to handle stays.
func TestTrim(t *testing.T) {
	n := openNode(t, Options{})
	hold, handled := make(chan struct{}), make(chan string, 1000)
	err := n.Start(t.Context(), host.Service{Name: "worker", Subscriptions: []host.Subscription{{
		Topic: "events", Handle: func(_ context.Context, m host.Message) error {
			if m.ID == "100" {
				<-hold
			}
			handled <- m.ID
			return nil
		},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 200 {
		mustCommit(t, n.Host("worker").State, host.Tx{Messages: []host.Message{
			{Topic: "events", Key: fmt.Sprint(i), ID: fmt.Sprint(i)}, {Topic: "nobody's", Key: "k", ID: fmt.Sprint(i)},
		}})
	}
	for range 199 {
		<-handled
	}
	count := func() string {
		t.Helper()
		if err := n.keeper.trim(); err != nil {
			t.Fatal(err)
		}
		left, err := n.keeper.db.number("SELECT count(*) FROM log WHERE topic = 'events'")
		others, err2 := n.keeper.db.number("SELECT count(*) FROM log WHERE topic <> 'events'")
		if err := errors.Join(err, err2); err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(left, " and ", others)
	}
	if got := count(); got != "100 and 0" {
		t.Errorf("%s messages left behind the one being handled, want 100 and 0", got)
	}
	close(hold)
	<-handled
	n.bus.stop()
	n.bus.handlers.Wait()
	if got := count(); got != "0 and 0" {
		t.Errorf("%s messages left, want none", got)
	}
}

func TestSweep(t *testing.T) {
	n := openNode(t, Options{})
	s := n.Host("worker").State
	for i := range 600 {
		mustCommit(t, s, host.Tx{Ops: []host.Op{host.Put(fmt.Sprint(i), nil).Expiring(time.Nanosecond)}})
	}
	mustCommit(t, s, host.Tx{Ops: []host.Op{host.Put("kept", nil).Expiring(time.Hour), host.Put("for good", nil)}})
	for mustGet(t, s, "599").Exists() { // expires within a millisecond or two
	}
	if err := n.keeper.sweep(); err != nil {
		t.Fatal(err)
	}
	if left, err := n.keeper.db.number("SELECT count(*) FROM state"); err != nil || left != 2 {
		t.Errorf("%d items left (%v), want 2", left, err)
	}
}

// The write-ahead log does not grow for ever under a load without pause.
func TestWALStaysShort(t *testing.T) {
	n := openNode(t, Options{})
	s := n.Host("worker").State
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 200 {
				var tx host.Tx
				for j := range 10 {
					tx.Ops = append(tx.Ops, host.Put(fmt.Sprintf("%d/%d/%d", w, i, j), make([]byte, 2000)))
				}
				if err := s.Commit(t.Context(), tx); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	info, err := os.Stat(filepath.Join(n.dir, databaseName+"-wal"))
	if err != nil {
		t.Fatal(err)
	}
	if limit := int64(3 * walTooLong * 4096); info.Size() > limit {
		t.Errorf("the write-ahead log has %d bytes after 32 MB of writes, want at most %d", info.Size(), limit)
	}
}

func TestSecrets(t *testing.T) {
	n := openNode(t, Options{})
	secrets := n.Host("worker").Secrets
	if err := os.Mkdir(filepath.Join(n.dir, "secrets"), 0o700); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(n.dir, "secrets", "smtp-password"), "from the file\n")
	for want, set := range map[string]bool{"from the environment": true, "from the file": false} {
		t.Run(want, func(t *testing.T) {
			if set {
				t.Setenv("DOCKET_SECRET_SMTP_PASSWORD", want)
			}
			if got, err := secrets.Get(t.Context(), "smtp-password"); err != nil || got != want {
				t.Errorf("got %q, %v, want %q", got, err, want)
			}
		})
	}
	for _, name := range []string{"../docket.db", "", "A", "a/b"} {
		if _, err := secrets.Get(t.Context(), name); err == nil || errors.Is(err, host.ErrNoSecret) {
			t.Errorf("name %q: %v, want it refused", name, err)
		}
	}
}

func TestMetrics(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	n := openNode(t, Options{Metrics: registry, Logger: quiet()})
	handled := make(chan struct{}, 10)
	err := n.Start(t.Context(), host.Service{Name: "worker", Subscriptions: []host.Subscription{{
		Topic: "events", Handle: func(_ context.Context, m host.Message) error {
			handled <- struct{}{}
			if m.ID == "bad" {
				return host.Permanent(errors.New("on purpose"))
			}
			return nil
		},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	s := n.Host("worker").State
	mustCommit(t, s, host.Tx{Ops: []host.Op{host.Create("k", nil)}, Messages: []host.Message{
		{Topic: "events", Key: "k", ID: "bad"}, {Topic: "events", Key: "k", ID: "good"},
	}})
	if err := s.Commit(t.Context(), host.Tx{Ops: []host.Op{host.Create("k", nil)}}); !errors.Is(err, host.ErrConflict) {
		t.Fatal(err)
	}
	<-handled
	<-handled
	n.bus.stop()
	n.bus.handlers.Wait()
	err = testutil.GatherAndCompare(registry, strings.NewReader(`
# HELP docket_consumer_lag Messages logged and neither handled nor parked.
# TYPE docket_consumer_lag gauge
docket_consumer_lag{group="worker/events"} 0
# HELP docket_dead_letters_total Messages no repetition can mend.
# TYPE docket_dead_letters_total counter
docket_dead_letters_total{group="worker/events"} 1
# HELP docket_parked Messages that keep failing, and those behind them.
# TYPE docket_parked gauge
docket_parked{group="worker/events"} 0
`), "docket_consumer_lag", "docket_dead_letters_total", "docket_parked")
	if err != nil {
		t.Error(err)
	}
	if got := testutil.ToFloat64(n.metrics.commits.WithLabelValues("conflict")); got != 1 {
		t.Errorf("%v conflicts counted, want 1", got)
	}
}

// A second service of one process is called without a network, cheaply.
func BenchmarkClient(b *testing.B) {
	n := openNode(b, Options{})
	body := []byte(strings.Repeat("x", 2000))
	err := n.Start(b.Context(), host.Service{Name: "server", Public: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body)
	})})
	if err != nil {
		b.Fatal(err)
	}
	client := n.Host("caller").Client("server")
	for b.Loop() {
		r, err := http.NewRequestWithContext(b.Context(), "GET", "http://server/api/tasks", nil)
		if err != nil {
			b.Fatal(err)
		}
		resp, err := client.Do(r)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			b.Fatal(err)
		}
		_ = resp.Body.Close()
	}
}

// One client's creates, each followed by what the backend writes and what a consumer (audit) commits of its event.
func BenchmarkCreateWithAudit(b *testing.B) {
	n := openNode(b, Options{})
	audit := n.Host("audit").State
	err := n.Start(b.Context(), host.Service{Name: "audit", Subscriptions: []host.Subscription{{
		Topic: "task-events", Handle: func(ctx context.Context, m host.Message) error {
			return audit.Commit(ctx, host.Tx{Ops: []host.Op{host.Put("audit/"+m.ID, m.Data), host.Put("audit-task/"+m.ID, m.Data)}})
		},
	}}})
	if err != nil {
		b.Fatal(err)
	}
	backend := n.Host("backend").State
	doc := make([]byte, 600)
	i := 0
	for b.Loop() {
		i++
		id := fmt.Sprintf("%09d", i)
		if err := backend.Commit(b.Context(), host.Tx{
			Ops: []host.Op{host.Create("task/"+id, doc), host.Put("list/1", doc[:100]), host.Put("list/1/log/1", doc)},
			Messages: []host.Message{
				{Topic: "task-events", Key: "1", ID: id, Data: doc}, {Topic: "task-updates", Key: "1", ID: id, Data: doc},
			},
		}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "creates/s")
}
