package main

import (
	"context"
	"fmt"
	"time"
)

// armedStep is a step of the host at which a replica ends itself.
type armedStep struct {
	step, service string
	// other: the step is one of recovering another replica's commits, so that one is killed first.
	other bool
}

// armed are the steps that the load leads to, here or on the way of recovery; the remaining ones are killed at in the
// conformance suite of host/dapr.
var armed = []armedStep{
	{"outbox-send", "backend", false},
	{"outbox-committed", "backend", false},
	{"outbox-published", "backend", false},
	{"outbox-carried", "backend", false},
	{"outbox-removed", "backend", false},
	{"job-handled", "backend", false},
	{"message-handled", "audit", false},
	{"message-handled", "recurring-task", false},
	{"message-handled", "notification", false},
	{"outbox-fenced", "backend", true},
	{"outbox-recovered", "backend", true},
}

// lease is how long a replica must be silent before another takes over its commits, and some.
const lease = 40 * time.Second

// stepRound starts a replica that ends at the step, waits for that under load, and starts it as it was.
func (b *behind) stepRound(ctx context.Context, n int, s armedStep) error {
	began := time.Now()
	name := s.service + " at " + s.step
	replicas := b.docket.Running[s.service]
	r := replicas[len(replicas)-1]
	r.App.Stop()
	r.Env = []string{fmt.Sprintf("DOCKET_FAILPOINT=%s#%d", s.step, b.hit(s))}
	err := b.under(ctx, name, func() error {
		b.ledger.resume()
		if err := r.App.Launch(); err != nil {
			return err
		}
		if s.other {
			if err := r.App.Ready(ctx); err != nil {
				return err
			}
			replicas[0].App.Kill()
		}
		select {
		case <-r.App.Exited():
		case <-time.After(lease + b.patience):
			return fmt.Errorf("the step is not reached")
		case <-ctx.Done():
			return ctx.Err()
		}
		r.Env = nil
		if s.other {
			if err := replicas[0].App.Start(ctx); err != nil {
				return err
			}
		}
		return r.App.Start(ctx)
	})
	if err != nil {
		return fmt.Errorf("round %d, killed %s: %w", n+1, name, err)
	}
	fmt.Fprintf(b.out, "round %d: killed %s (%.1f s)\n", n+1, name, time.Since(began).Seconds())
	return nil
}

// hit is at which time of being there the replica ends.
func (b *behind) hit(s armedStep) int {
	if s.other || s.step == "job-handled" || s.service == "notification" {
		return 1
	}
	return 1 + b.rand.IntN(20)
}
