package dapr

import (
	"context"
	"slices"
	"strings"

	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/host/combine"
)

// maxReaders is how many calls share one read at most: no bound that is met, as a read takes milliseconds.
const maxReaders = 1024

// reads have calls that ask for the same keys share an answer: those that come while one is under way are answered by the next,
// which begins after they came, so none is older than what was acknowledged before. Many clients of one list thus cost
// one read at a time.
type reads struct {
	sidecar *sidecar
	queue   combine.Queue[string, *read] // by the keys
}

// read is one call.
type read struct {
	ctx   context.Context
	keys  []string
	items []host.Item
	err   error
}

func newReads(s *sidecar) *reads {
	r := &reads{sidecar: s}
	r.queue.Max = maxReaders
	r.queue.Run = r.run
	return r
}

func (r *reads) get(ctx context.Context, keys []string) ([]host.Item, error) {
	if err := ctx.Err(); err != nil {
		return nil, readError(err)
	}
	call := &read{ctx: ctx, keys: keys}
	r.queue.Do(strings.Join(keys, "\x00"), call) // which no key holds
	return call.items, call.err
}

// run is the queue's callback. Where several callers share it, one of them going away must not fail the others.
func (r *reads) run(_ string, calls []*read) {
	ctx := calls[0].ctx
	if len(calls) > 1 {
		ctx = context.WithoutCancel(ctx)
	}
	items, err := r.sidecar.confirmed(ctx, calls[0].keys)
	for _, c := range calls {
		c.items, c.err = slices.Clone(items), err
	}
}
