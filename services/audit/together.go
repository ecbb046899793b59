package audit

import (
	"context"
	"errors"
	"sync"

	"github.com/docket-tasks/docket/host"
)

// maxTogether is how many events one commit keeps at most: each is two operations of the 256 that a commit may have.
const maxTogether = 64

// together commits what several events want in one transaction: what comes while a commit is under way goes with the next
// one. The host hands over the keys of a batch all at once, so under load most commits are shared. An event alone does not wait.
type together struct {
	state   host.State
	mu      sync.Mutex
	waiting []*wish
	busy    bool // a commit is under way
}

// wish is the operations of one event and what becomes of them.
type wish struct {
	ops     []host.Op
	outcome chan error // takes one without waiting
}

// commit makes ops happen, all or none, as [host.State] does. They share a transaction only where all of it succeeds.
func (g *together) commit(ctx context.Context, ops []host.Op) error {
	g.mu.Lock()
	if !g.busy {
		g.busy = true
		g.mu.Unlock()
		defer func() {
			if some := g.next(); len(some) > 0 {
				go g.commitAll(context.WithoutCancel(ctx), some)
			}
		}()
		return g.state.Commit(ctx, host.Tx{Ops: ops})
	}
	w := &wish{ops, make(chan error, 1)}
	g.waiting = append(g.waiting, w)
	g.mu.Unlock()
	select {
	case err := <-w.outcome:
		return err
	case <-ctx.Done():
		return errors.Join(host.ErrUnknown, ctx.Err())
	}
}

// next takes what goes with one commit from those that wait. None means that no commit is under way any more.
func (g *together) next() []*wish {
	g.mu.Lock()
	defer g.mu.Unlock()
	some := g.waiting[:min(len(g.waiting), maxTogether)]
	g.waiting = g.waiting[len(some):]
	g.busy = len(some) > 0
	return some
}

// commitAll commits some, and then what waits until nothing does.
func (g *together) commitAll(ctx context.Context, some []*wish) {
	for ; len(some) > 0; some = g.next() {
		g.commitSome(ctx, some)
	}
}

// commitSome tells each wish its outcome. A transaction that is refused says nothing of each part of it, so each is then
// committed by itself.
func (g *together) commitSome(ctx context.Context, some []*wish) {
	var tx host.Tx
	for _, w := range some {
		tx.Ops = append(tx.Ops, w.ops...)
	}
	err := g.state.Commit(ctx, tx)
	if len(some) == 1 || err == nil || errors.Is(err, host.ErrUnavailable) || errors.Is(err, host.ErrUnknown) {
		for _, w := range some {
			w.outcome <- err
		}
		return
	}
	var each sync.WaitGroup
	for _, w := range some {
		each.Go(func() { w.outcome <- g.state.Commit(ctx, host.Tx{Ops: w.ops}) })
	}
	each.Wait()
}
