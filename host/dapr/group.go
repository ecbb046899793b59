package dapr

import (
	"context"
	"sync/atomic"

	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/host/combine"
	"github.com/docket-tasks/docket/host/dapr/outbox"
)

const (
	// lanes is how many batches are under way at once, each in as many transactions as it needs: while one waits for the disk, the next
	// is written.
	lanes = 3
	// maxGrouped is how many operations of several commits one transaction has at most. The sidecar carries them out one after the
	// other, and who has few of them waits for all.
	maxGrouped = 64
)

// group is a store in which commits that come at the same time share a transaction (group commit): a request, a beginning, an end and a
// write to the disk for all of them. What comes alone goes at once. Where a transaction is refused each commit then goes by
// itself, so a conflict is its own; where its outcome is not known, that of each is found out by its own row.
type group struct {
	outbox.Store
	lanes [lanes]lane
}

// lane is one of the batches and how many commits are in it, or wait for the next.
type lane struct {
	*combine.Commits
	busy atomic.Int64
}

func newGroup(s outbox.Store) *group {
	g := &group{Store: s}
	commit := func(ctx context.Context, tx host.Tx) error { return unknown(s.Commit(ctx, tx.Ops)) }
	for i := range g.lanes {
		g.lanes[i].Commits = combine.NewCommits(commit, maxGrouped)
	}
	return g
}

// Commit implements [outbox.Store]. A single operation is the outbox's own, such as that a slot is still held, which
// must not wait for others; by itself it needs no transaction.
func (g *group) Commit(ctx context.Context, ops []host.Op) error {
	if len(ops) == 1 {
		return g.Store.Commit(ctx, ops)
	}
	l := g.emptiest()
	l.busy.Add(1)
	defer l.busy.Add(-1)
	return l.Commit(ctx, host.Tx{Ops: ops})
}

// emptiest is the lane with the fewest commits, so that nobody waits for a transaction that is stuck while another lane is free.
func (g *group) emptiest() *lane {
	best := &g.lanes[0]
	for i := range g.lanes {
		if l := &g.lanes[i]; l.busy.Load() < best.busy.Load() {
			best = l
		}
	}
	return best
}
