package audit

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/host/combine"
)

const (
	// maxTogether is how many events one commit keeps at most: each is two operations of the 256 that a commit may have.
	maxTogether = 64
	// maxAtOnce is how many go at the same time, in several commits.
	maxAtOnce = 64 * maxTogether
)

// together commits what several events want in one transaction: what comes while a commit is under way goes with the next
// one. The host hands over the keys of a batch all at once, so under load most commits are shared. An event alone does not wait.
type together struct {
	state host.State
	queue combine.Queue[struct{}, *wish]
}

func newTogether(st host.State) *together {
	g := &together{state: st}
	g.queue.Max = maxAtOnce
	g.queue.Run = g.commitAll
	return g
}

// wish is the operations of one event and what becomes of them.
type wish struct {
	ctx context.Context
	ops []host.Op
	err error
}

// commit makes ops happen, all or none, as [host.State] does. They share a transaction only where all of it succeeds.
func (g *together) commit(ctx context.Context, ops []host.Op) error {
	w := &wish{ctx: ctx, ops: ops}
	g.queue.Do(struct{}{}, w)
	return w.err
}

// commitAll is the queue's callback. More events than one commit can hold go in several side by side, which a host may make durable
// together.
func (g *together) commitAll(_ struct{}, all []*wish) {
	var parts sync.WaitGroup
	for some := range slices.Chunk(all, maxTogether) {
		parts.Go(func() { g.commitSome(some) })
	}
	parts.Wait()
}

// commitSome commits some in one transaction. One that is refused says nothing of each part of it, so each is then committed by
// itself.
func (g *together) commitSome(some []*wish) {
	var tx host.Tx
	for _, w := range some {
		tx.Ops = append(tx.Ops, w.ops...)
	}
	// The commit speaks for several events: one of them being given up must not fail the others.
	err := g.state.Commit(context.WithoutCancel(some[0].ctx), tx)
	if len(some) == 1 || err == nil || errors.Is(err, host.ErrUnavailable) || errors.Is(err, host.ErrUnknown) {
		for _, w := range some {
			w.err = err
		}
		return
	}
	var each sync.WaitGroup
	for _, w := range some {
		each.Go(func() { w.err = g.state.Commit(w.ctx, host.Tx{Ops: w.ops}) })
	}
	each.Wait()
}
