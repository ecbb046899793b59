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
	next  atomic.Uint64
	lanes [lanes]*combine.Commits
}

func newGroup(s outbox.Store) *group {
	g := &group{Store: s}
	commit := func(ctx context.Context, tx host.Tx) error { return unknown(s.Commit(ctx, tx.Ops)) }
	for i := range g.lanes {
		g.lanes[i] = combine.NewCommits(commit, maxGrouped)
	}
	return g
}

// Commit implements [outbox.Store]. A single operation is the outbox's own, such as that a slot is still held, or that a row is void, which
// must not wait for others; by itself it needs no transaction.
func (g *group) Commit(ctx context.Context, ops []host.Op) error {
	if len(ops) == 1 {
		return g.Store.Commit(ctx, ops)
	}
	return g.lanes[g.next.Add(1)%lanes].Commit(ctx, host.Tx{Ops: ops})
}
