package dapr

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/host/combine"
)

// maxAhead is how far ahead the scheduler is asked at most; a later job is reached in several steps.
const maxAhead = 365 * 24 * time.Hour

// nearly is how early a callback may come and simply wait.
const nearly = 2 * time.Second

// scheduled is the scheduler's name of a revision of a job, at a step on its way.
func scheduled(name, revision string, step int) string {
	if step == 0 {
		return name + "~" + revision
	}
	return name + "~" + revision + "~" + strconv.Itoa(step)
}

// jobs answers the scheduler's callbacks.
type jobs struct {
	node   *Node
	handle func(context.Context, host.Job) error
	done   *combine.Commits // of rows whose job is done
	over   settled
}

// maxDone is how many rows one commit removes at most.
const maxDone = 128

func newJobs(n *Node) *jobs {
	remove := func(ctx context.Context, tx host.Tx) error { return unknown(n.sidecar.Commit(ctx, tx.Ops)) }
	return &jobs{node: n, done: combine.NewCommits(remove, maxDone)}
}

// settled remembers names of the scheduler whose row has been seen to be gone, or to have another revision. It never
// comes back: a revision is written once, before it is scheduled. So the calls that repeat a job cost no read, where they come to
// the replica that had the first; which those are does not matter, and forgetting one costs the read.
type settled struct {
	mu          sync.Mutex
	names, past map[string]bool // past are those before names was full
}

// maxSettled is how many names each of the two sets holds at most, so that never less than the latest so many are remembered: of a
// burst of jobs, those of the ten seconds in which calls repeat.
const maxSettled = 4096

func (s *settled) has(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.names[name] || s.past[name]
}

func (s *settled) add(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.names == nil || len(s.names) >= maxSettled {
		s.names, s.past = make(map[string]bool), s.names
	}
	s.names[name] = true
}

// ServeHTTP is the callback POST /job/{name}. Any status but 2xx makes the scheduler call again after a second; after a 2xx it
// calls twice more, because a sidecar can make one of a call that has not come here.
func (js *jobs) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	if !strings.Contains(name, "~") {
		js.node.Logger.Error("a job that nobody here has scheduled", "job", name)
		return
	}
	if err := js.fire(r.Context(), name); err != nil {
		js.node.metrics.job("error")
		js.node.Logger.Warn("job failed, it will be repeated", "job", name, "error", err)
		http.Error(w, "try again", http.StatusInternalServerError)
		return
	}
	w.WriteHeader(http.StatusOK)
}

// fire runs the job of that name if it is still what is wanted.
func (js *jobs) fire(ctx context.Context, scheduledName string) error {
	parts := strings.Split(scheduledName, "~")
	name, revision, step := parts[0], parts[1], 0
	if len(parts) > 2 {
		step, _ = strconv.Atoi(parts[2])
	}
	if js.over.has(scheduledName) {
		return nil
	}
	if err := js.node.box.Ready(); err != nil { // while the broker is away, due jobs come every second: they shall cost no reads
		return err
	}
	items, err := js.node.sidecar.Get(ctx, []string{jobKey(name)})
	if err != nil {
		return err
	}
	if !items[0].Exists() { // cancelled, or done before
		js.over.add(scheduledName)
		return nil
	}
	var row jobRow
	if err := json.Unmarshal(items[0].Value, &row); err != nil {
		return fmt.Errorf("row of job %s: %w", name, err)
	}
	if row.Revision != revision { // replaced
		js.over.add(scheduledName)
		return nil
	}
	if wait := time.Until(row.Due); wait > nearly {
		return js.node.sidecar.Schedule(ctx, host.Job{Name: scheduled(name, revision, step+1), Due: row.Due})
	} else if err := sleep(ctx, wait); err != nil {
		return err
	}
	js.node.metrics.lateness(time.Since(row.Due))
	if err := js.call(ctx, host.Job{Name: name, Due: row.Due.UTC(), Data: row.Data}); err != nil {
		return err
	}
	js.node.metrics.job("ok")
	js.node.Failpoint(stepFired)
	err = js.done.Commit(context.WithoutCancel(ctx), host.Tx{Ops: []host.Op{host.Remove(jobKey(name), items[0].ETag)}})
	if err != nil && !errors.Is(err, host.ErrConflict) { // a conflict: it has been scheduled anew meanwhile
		return fmt.Errorf("remove the row of job %s: %w", name, err)
	}
	js.over.add(scheduledName)
	return nil
}

func (js *jobs) call(ctx context.Context, j host.Job) (err error) {
	if strings.HasPrefix(j.Name, retryPrefix) {
		return js.node.bus.retry(ctx, j)
	}
	if js.handle == nil {
		return errors.New("the service has no jobs in this version")
	}
	defer js.node.recovered("job", &err)
	return js.handle(ctx, j)
}

// recovered turns a panic of a handler into its error.
func (n *Node) recovered(what string, err *error) {
	if p := recover(); p != nil {
		n.Logger.Error("a handler panicked", "handler", what, "panic", p, "stack", string(debug.Stack()))
		*err = fmt.Errorf("the handler panicked: %v", p)
	}
}

// sleep waits, or returns the error of ctx if that ends first.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
