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

// forgetOutbox is the one sabotage behind Dapr.
const forgetOutbox = "outbox"

// withoutRecovery is what a docket would do that forgets its outbox: a replica ends after its commit and before its messages are
// sent, and what it had still to send is gone when it starts again. The verification must find that.
func (b *behind) withoutRecovery(ctx context.Context) error {
	r := b.docket.Running["backend"][1]
	r.App.Stop()
	r.Env = []string{"DOCKET_FAILPOINT=outbox-committed#3"}
	return b.under(ctx, "backend without its outbox", func() error {
		b.ledger.resume()
		if err := r.App.Launch(); err != nil {
			return err
		}
		select {
		case <-r.App.Exited():
		case <-time.After(b.patience):
			return fmt.Errorf("the step is not reached")
		}
		for _, other := range b.docket.Running["backend"] { // nobody shall recover anything meanwhile
			other.App.Kill()
		}
		deleted, err := b.docket.Query(ctx, b.docket.Name, `with gone as (delete from docket_state where key like 'backend||host/outbox/%' and key not like '%/slot/%' returning 1) select count(*) from gone`)
		if err != nil {
			return err
		}
		if deleted == "0" {
			return errUnharmed
		}
		r.Env = nil
		for _, other := range b.docket.Running["backend"] {
			if err := other.App.Start(ctx); err != nil {
				return err
			}
		}
		return nil
	})
}
