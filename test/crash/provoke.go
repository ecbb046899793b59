package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/docket-tasks/docket/host/embedded"
)

// way is how a step of the host is reached from outside. The zero way is the clients' load.
type way int

const (
	byLoad way = iota
	// byFullDisk: the process may not write files for a while, so deliveries keep failing and their messages are parked.
	byFullDisk
	// byPoison: a message that nobody can read stands in the log when docket starts, and becomes a dead letter.
	byPoison
	// byTerm: SIGTERM.
	byTerm
	// byExpiry: an API token that expires is swept away, at the next full half minute of the process.
	byExpiry
	// elsewhere: no client, operator or disk leads there; note says what test does.
	elsewhere
)

// ways has the steps that load alone does not reach. A step that is not here, a new one say, has to be reached by load,
// or the run fails.
var ways = map[string]way{
	"migrate: copied, before the change":                 elsewhere,
	"park: before the write":                             byFullDisk,
	"park: durable, before the offset":                   byFullDisk,
	"park: handled, before the removal":                  byFullDisk,
	"dead letter: before the write":                      byPoison,
	"dead letter: durable, before the offset":            byPoison,
	"expiry: before the deletion":                        byExpiry,
	"expiry: deleted":                                    byExpiry,
	"shutdown: handlers finished, before the last write": byTerm,
	"shutdown: last write done":                          byTerm,
}

// covered says where the steps of elsewhere, and those that this system cannot provoke, are killed at instead.
const covered = "TestKilledAtEachFailpoint of host/embedded"

// steps lists the host's steps that are reached by any of the ways.
func steps(of ...way) (out []string) {
	for _, step := range embedded.Failpoints() {
		if slices.Contains(of, wayTo(step)) {
			out = append(out, step)
		}
	}
	return out
}

// wayTo is the way to a step on this system.
func wayTo(step string) way {
	if w := ways[step]; w != byFullDisk || canFillDisk {
		return w
	}
	return elsewhere
}

// often is up to which pass of a step the process may be killed: steps of jobs are passed some ten times a second under
// load, steps of commits a hundred times, the others once in a while.
func often(step string) int {
	kind, _, _ := strings.Cut(step, ":")
	return max(1, map[string]int{"commit": 150, "deliver": 150, "offset": 20, "job": 15, "park": 3}[kind])
}

// killAt has docket kill itself at the step, and leaves it dead.
func (w *world) killAt(ctx context.Context, step string) error {
	w.kill()
	to := wayTo(step)
	if to == byPoison {
		if err := w.poison(ctx); err != nil {
			return err
		}
	}
	err := w.start(ctx, fmt.Sprintf("%s#%d", step, 1+w.rand.IntN(often(step))))
	if err == nil {
		err = w.provoke(ctx, step, to)
	} else if w.server.hasEnded() {
		err = nil // the step is one that a start passes too
	}
	if err != nil {
		return err
	}
	if !w.server.atFailpoint() {
		return violation{kind: "failpoint", detail: fmt.Sprintf("docket ended before %q, with code %d", step, w.server.cmd.ProcessState.ExitCode())}
	}
	w.tally.hit(step)
	if to == byPoison {
		return w.cure(ctx)
	}
	return nil
}

// provoke leads the running process to the step.
func (w *world) provoke(ctx context.Context, step string, to way) error {
	working, stop := context.WithTimeout(ctx, w.patience)
	defer stop()
	server := w.server
	switch to {
	case byTerm:
		// An error means that it has ended before: then the step is not reached, and that is found out.
		defer time.AfterFunc(300*time.Millisecond, func() { _ = server.cmd.Process.Signal(syscall.SIGTERM) }).Stop()
	case byFullDisk:
		go server.fillDisk(working)
	case byExpiry:
		if err := w.expire(ctx); err != nil {
			return err
		}
	}
	w.crowd.work(working, w.server.gone, w.api)
	select {
	case <-w.server.gone:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	default:
		return violation{kind: "failpoint", detail: fmt.Sprintf("%q was not reached within %s", step, w.patience)}
	}
}

// expire makes an API token that expires in a moment.
func (w *world) expire(ctx context.Context) error {
	var made struct{}
	body := encode(map[string]string{"name": "short-lived", "scope": "read", "expires_at": stamp(time.Now().Add(2 * time.Second))})
	_, err := w.api.ask(ctx, w.crowd.users[0].token, http.MethodPost, "/api/tokens", body, &made)
	return err
}

// poisonID is the id of the message that nobody can read.
const poisonID = "poison"

// poison puts it into the log, after all that is there.
func (w *world) poison(ctx context.Context) error {
	_, err := alter(ctx, w.dir, `INSERT INTO log (seq, topic, key, id, data) SELECT 1 + max(
		ifnull((SELECT max(seq) FROM log), 0), ifnull((SELECT max(low) FROM groups), 0)), 'task-events', 'poison', 'poison', CAST('no event' AS BLOB)`)
	return err
}

// poisoned is how many services read the topic: each has to refuse the message once.
const poisoned = 2

// cure starts docket, waits until each service has refused the poison, and removes the dead letters as an operator
// would.
func (w *world) cure(ctx context.Context) error {
	if err := w.start(ctx, ""); err != nil {
		return err
	}
	timeout := time.After(w.settle)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		dead, err := deadLetters(ctx, w.dir)
		if err != nil {
			return err
		}
		if n := dead[poisonID]; n > poisoned || len(dead) > 1 {
			return violation{kind: "dead letter", detail: fmt.Sprintf("one message nobody can read gave %v", dead)}
		} else if n == poisoned {
			break
		}
		select {
		case <-tick.C:
		case <-timeout:
			return violation{kind: "dead letter", detail: fmt.Sprintf("one message nobody can read gave %v, not %d dead letters", dead, poisoned)}
		}
	}
	// After a kill the message would be delivered once more: only an end in order is sure to have noted that it was dealt with.
	if err := w.server.terminate(stopTime); err != nil {
		return err
	}
	_, err := alter(ctx, w.dir, "DELETE FROM dead_letters WHERE id = 'poison'")
	return err
}
