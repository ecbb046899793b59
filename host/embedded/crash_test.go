//go:build unix

package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/docket-tasks/docket/host"
)

// At each failpoint a process is killed with SIGKILL, at its first and at a later pass. Afterwards everything it was
// told is there and is delivered, and everything else is there whole or not at all.
func TestKilledAtEachFailpoint(t *testing.T) {
	passes := []int{1, 12}
	if testing.Short() {
		passes = passes[:1]
	}
	for _, step := range Failpoints() {
		for _, pass := range passes {
			if pass > 1 && (step == stepMigrate || step == stepShutdown || step == stepShutdownWrote) {
				continue // passed once
			}
			t.Run(fmt.Sprintf("%s/%d", step, pass), func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				cmd := child(t, "crash", dir, nil, "DOCKET_TEST_STEP="+step, "DOCKET_TEST_PASS="+strconv.Itoa(pass))
				out, err := cmd.StdoutPipe()
				if err != nil {
					t.Fatal(err)
				}
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				said := lines(out)
				var exit *exec.ExitError
				if err := cmd.Wait(); !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
					t.Fatalf("the child did not reach the failpoint: %v", err)
				}
				checkAfterCrash(t, dir, said)
			})
		}
	}
}

// work is what the child does as transaction i, and what must be found of it.
func work(i int) host.Tx {
	id := strconv.Itoa(i)
	m := host.Message{Topic: "events", Key: "k" + strconv.Itoa(i%5), ID: id, Data: []byte(id)}
	switch {
	case i%10 == 3:
		m.Key = "stuck"
	case i%10 == 7:
		m.ID = "bad-" + id
	}
	return host.Tx{
		Ops:      []host.Op{host.Put("a/"+id, []byte(id)), host.Create("b/"+id, []byte(id)), host.Put("gone/"+id, nil).Expiring(time.Millisecond)},
		Messages: []host.Message{m},
		Jobs:     []host.JobIntent{host.Schedule("j-"+id, time.Now(), nil)},
	}
}

// quiet discards what a test provokes.
func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

func crashChild(ctx context.Context, dir string) error {
	step, after := os.Getenv("DOCKET_TEST_STEP"), os.Getenv("DOCKET_TEST_PASS")
	pass, err := strconv.ParseInt(after, 10, 64)
	if err != nil {
		return err
	}
	var passed atomic.Int64
	failAt := func(name string) {
		if name == step && passed.Add(1) == pass {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {} // nothing follows
		}
	}
	n, err := Open(ctx, Options{Dir: dir, Failpoint: failAt, Logger: quiet()})
	if err != nil {
		return err
	}
	var stuck atomic.Int64
	err = n.Start(ctx, host.Service{
		Name: "worker",
		Subscriptions: []host.Subscription{{Topic: "events", Handle: func(_ context.Context, m host.Message) error {
			switch {
			case strings.HasPrefix(m.ID, "bad-"):
				return host.Permanent(errors.New("on purpose"))
			case m.Key == "stuck" && stuck.Add(1)%5 != 0:
				return errors.New("on purpose")
			}
			say("got %s", m.ID)
			return nil
		}}},
		Job: func(_ context.Context, j host.Job) error {
			say("job %s", strings.TrimPrefix(j.Name, "j-"))
			return nil
		},
	})
	if err != nil {
		return err
	}
	shutdown := step == stepShutdown || step == stepShutdownWrote || step == stepMigrate
	if err := crashLoad(ctx, n, shutdown); err != nil {
		return err
	}
	if err := n.Close(ctx); err != nil {
		return err
	}
	migrations = append(migrations, "CREATE TABLE of_a_later_version (x)")
	n, err = Open(ctx, Options{Dir: dir, Failpoint: failAt, Logger: quiet()})
	if err != nil {
		return err
	}
	return errors.Join(errors.New("the failpoint was never reached"), n.Close(ctx))
}

// crashLoad commits from four goroutines, and tidies between, until the process dies or enough is enough.
func crashLoad(ctx context.Context, n *Node, short bool) error {
	state := n.Host("worker").State
	rounds := 2000
	if short {
		rounds = 20
	}
	for round := range rounds {
		var wg sync.WaitGroup
		for w := range 4 {
			wg.Go(func() {
				i := round*4 + w
				say("try %d", i)
				if err := state.Commit(ctx, work(i)); err == nil {
					say("ack %d", i)
				}
			})
		}
		wg.Wait()
		if round%5 == 4 {
			if err := errors.Join(n.keeper.trim(), n.keeper.sweep(), n.keeper.checkpoint()); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkAfterCrash opens what the child left behind and lets it finish what it owes.
func checkAfterCrash(t *testing.T, dir string, said map[string][]string) {
	t.Helper()
	n := openNode(t, Options{Dir: dir, Logger: quiet()})
	state := n.Host("worker").State
	kept := map[string]bool{}
	for _, id := range said["try"] {
		a, b := mustGet(t, state, "a/"+id), mustGet(t, state, "b/"+id)
		if a.Exists() != b.Exists() {
			t.Errorf("half of transaction %s is there", id)
		}
		if a.Exists() {
			kept[id] = true
		}
	}
	for _, id := range said["ack"] {
		if !kept[id] {
			t.Errorf("transaction %s was acknowledged and is lost", id)
		}
	}
	got, jobs, dead := toSet(said["got"]), toSet(said["job"]), map[string]bool{}
	var mu sync.Mutex
	changed := make(chan struct{}, 1)
	note := func(set map[string]bool, id string) {
		mu.Lock()
		set[id] = true
		mu.Unlock()
		select {
		case changed <- struct{}{}:
		default:
		}
	}
	err := n.Start(t.Context(), host.Service{
		Name: "worker",
		Subscriptions: []host.Subscription{{Topic: "events", Handle: func(_ context.Context, m host.Message) error {
			if strings.HasPrefix(m.ID, "bad-") {
				return host.Permanent(errors.New("on purpose"))
			}
			note(got, m.ID)
			return nil
		}}},
		Job: func(_ context.Context, j host.Job) error {
			note(jobs, strings.TrimPrefix(j.Name, "j-"))
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	owed := func() (missing []string) {
		mu.Lock()
		defer mu.Unlock()
		for id := range kept {
			i, _ := strconv.Atoi(id)
			if i%10 == 7 && !dead["bad-"+id] {
				missing = append(missing, "dead letter bad-"+id)
			}
			if i%10 != 7 && !got[id] {
				missing = append(missing, "message "+id)
			}
			if !jobs[id] {
				missing = append(missing, "job "+id)
			}
		}
		return missing
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	timeout := time.After(30 * time.Second)
	for len(owed()) > 0 {
		select {
		case <-changed:
		case <-tick.C: // dead letters do not announce themselves
			readDead(t, dir, dead)
		case <-timeout:
			t.Fatalf("never came: %v", owed())
		}
	}
	mu.Lock()
	defer mu.Unlock()
	for _, id := range slices.Concat(slices.Collect(maps.Keys(got)), slices.Collect(maps.Keys(jobs))) {
		if !kept[id] {
			t.Errorf("message or job %s came of a transaction that did not happen", id)
		}
	}
}

func readDead(t *testing.T, dir string, dead map[string]bool) {
	t.Helper()
	r, err := OpenReader(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	err = r.DeadLetters(func(_ string, m host.Message, _ string) error {
		dead[m.ID] = true
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func toSet(ids []string) map[string]bool {
	set := map[string]bool{}
	for _, id := range ids {
		set[id] = true
	}
	return set
}

func mustGet(t *testing.T, s host.State, key string) host.Item {
	t.Helper()
	it, err := s.Get(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	return it
}
