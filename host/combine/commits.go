package combine

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"

	"github.com/docket-tasks/docket/host"
)

// maxAtOnce is how many transactions of [Commits] go at the same time at most, side by side.
const maxAtOnce = 64

// Commits makes one transaction of what several callers want at the same time: what comes while a commit is under way goes with the
// next one. A host hands over messages and jobs all at once, so under load most commits are shared. What comes alone does not wait.
type Commits struct {
	commit func(context.Context, host.Tx) error
	most   int
	going  chan struct{} // has a place for each transaction under way
	queue  Queue[struct{}, *wish]
}

// NewCommits returns one that commits by the function given, which is [host.State]'s Commit or keeps its promises. What callers share has
// most operations at most; their messages and jobs have to be within the limits of [host.Tx] then. A larger transaction goes by itself.
func NewCommits(commit func(context.Context, host.Tx) error, most int) *Commits {
	c := &Commits{commit: commit, most: most, going: make(chan struct{}, maxAtOnce)}
	c.queue.Max = maxAtOnce * most
	c.queue.Run = c.commitAll
	return c
}

// wish is what one caller wants and what becomes of it.
type wish struct {
	ctx context.Context
	tx  host.Tx
	err error
}

// Commit makes all of tx happen or none of it, with the errors of [host.State]. Callers share a transaction only where all of it
// succeeds.
func (c *Commits) Commit(ctx context.Context, tx host.Tx) error {
	w := &wish{ctx: ctx, tx: tx}
	c.queue.Do(struct{}{}, w)
	return w.err
}

// commitAll is the queue's callback. What one transaction cannot hold goes in several side by side, which a host may make durable
// together.
func (c *Commits) commitAll(_ struct{}, all []*wish) {
	n := c.fitting(all)
	if n == len(all) {
		c.commitSome(all)
		return
	}
	var parts sync.WaitGroup
	for ; len(all) > 0; n = c.fitting(all) {
		some := all[:n]
		parts.Go(func() { c.commitSome(some) })
		all = all[n:]
	}
	parts.Wait()
}

// fitting is how many of all go in one transaction, from the first on.
func (c *Commits) fitting(all []*wish) int {
	ops := 0
	for n, w := range all {
		if ops += len(w.tx.Ops); n > 0 && ops > c.most {
			return n
		}
	}
	return len(all)
}

// commitSome commits some in one transaction. One that is refused says nothing of each part of it, so each is then committed by
// itself.
func (c *Commits) commitSome(some []*wish) {
	if len(some) == 1 {
		some[0].err = c.try(some[0].ctx, some[0].tx)
		return
	}
	var tx host.Tx
	for _, w := range some {
		tx.Ops = append(tx.Ops, w.tx.Ops...)
		tx.Messages = append(tx.Messages, w.tx.Messages...)
		tx.Jobs = append(tx.Jobs, w.tx.Jobs...)
	}
	err := c.try(common(some), tx)
	if err == nil || errors.Is(err, host.ErrUnavailable) || errors.Is(err, host.ErrUnknown) {
		for _, w := range some {
			w.err = err
		}
		return
	}
	var each sync.WaitGroup
	for _, w := range some {
		each.Go(func() { w.err = c.try(w.ctx, w.tx) })
	}
	each.Wait()
}

// common is the context of a commit that speaks for several callers: one of them going away must not fail the others. Where they all go
// away together it does.
func common(some []*wish) context.Context {
	ctx := some[0].ctx
	if slices.ContainsFunc(some, func(w *wish) bool { return w.ctx.Done() != ctx.Done() }) {
		return context.WithoutCancel(ctx)
	}
	return ctx
}

// try commits; a panic becomes an error, as in a goroutine of its own it would end the process. What has happened is not known then.
func (c *Commits) try(ctx context.Context, tx host.Tx) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v\n%s", host.ErrUnknown, p, debug.Stack())
		}
		<-c.going
	}()
	c.going <- struct{}{}
	return c.commit(ctx, tx)
}
