package audit

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/docket-tasks/docket/host"
)

const (
	// maxExtents is how many trails a replica remembers at least, of those used last; at most it is twice as many.
	maxExtents = 5_000
	// maxBehind is how many wait for a hint at most, and maxRaising how many get one at once.
	maxBehind  = 10_000
	maxRaising = 16
	// maxAbove is how many versions behind a hole it remembers of each.
	maxAbove = 1024
	// hintAfter is how long a trail stays behind, once to twice, until it gets a hint: most holes close before.
	hintAfter = 5 * time.Second
)

// extents are what this replica knows of trails: what it has kept or read itself. Losing them costs readers some reads,
// and the hints of the last ten seconds.
type extents struct {
	wake chan struct{} // takes one without waiting: a trail has come to be behind

	mu      sync.Mutex
	of      map[name]*extent
	past    map[name]*extent // those before of was full
	behind  map[name]bool    // need a hint, if they still do in a while
	overdue map[name]bool    // for a while
}

func newExtents() *extents {
	return &extents{wake: make(chan struct{}, 1), of: map[name]*extent{}, behind: map[name]bool{}, overdue: map[name]bool{}}
}

// extent is how far a trail reaches at least.
type extent struct {
	reach
	hint  reach          // as it was last read or written
	above map[int64]bool // versions behind a hole
}

// reach is what is known of a trail.
func (x *extents) reach(n name) reach {
	x.mu.Lock()
	defer x.mu.Unlock()
	if e := x.known(n); e != nil {
		return e.reach
	}
	return reach{}
}

// kept notes a version that is there now.
func (x *extents) kept(n name, version int64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	e := x.extent(n)
	e.add(version)
	if e.worthMore(e.hint) && !x.overdue[n] {
		x.wait(n)
	}
}

// learn notes what was read of a trail and its hint.
func (x *extents) learn(n name, hint, now reach) {
	if now == (reach{}) { // there is no such trail, and whoever asks for many of them shall not push others out
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	e := x.extent(n)
	e.hint = reach{max(e.hint.Whole, hint.Whole), max(e.hint.Max, hint.Max)}
	e.Max = max(e.Max, now.Max)
	if now.Whole > e.Whole {
		e.Whole = now.Whole
		maps.DeleteFunc(e.above, func(version int64, _ bool) bool { return version <= e.Whole })
		e.close()
	}
}

// known is the extent of a trail, nil where none is remembered; x.mu is held.
func (x *extents) known(n name) *extent {
	if e := x.of[n]; e != nil {
		return e
	}
	return x.past[n]
}

// extent is that of a trail, made if need be; x.mu is held. Those that were not used since there were too many are forgotten.
func (x *extents) extent(n name) *extent {
	if e := x.of[n]; e != nil {
		return e
	}
	if len(x.of) >= maxExtents {
		x.of, x.past = map[name]*extent{}, x.of
	}
	n.id = strings.Clone(n.id) // it may be a part of an event, which is not to stay for it
	e := x.past[n]
	if e == nil {
		e = &extent{}
	}
	x.of[n] = e
	return e
}

// wait has a trail wait for its hint; x.mu is held. Where too many do it gets none: it is only a hint.
func (x *extents) wait(n name) {
	if len(x.behind) < maxBehind {
		n.id = strings.Clone(n.id)
		x.behind[n] = true
		x.call()
	}
}

// call wakes whoever leaves hints.
func (x *extents) call() {
	select {
	case x.wake <- struct{}{}:
	default:
	}
}

// due are the trails that have been behind for a while and still are.
func (x *extents) due() (due []name) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for n := range x.overdue {
		if e := x.known(n); e != nil && e.worthMore(e.hint) {
			due = append(due, n)
		}
	}
	x.overdue, x.behind = x.behind, map[name]bool{}
	if len(x.overdue) > 0 {
		x.call()
	}
	return due
}

// again has a trail wait for its hint once more.
func (x *extents) again(n name) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.wait(n)
}

func (e *extent) add(version int64) {
	e.Max = max(e.Max, version)
	if version > e.Whole && len(e.above) < maxAbove {
		if e.above == nil {
			e.above = map[int64]bool{}
		}
		e.above[version] = true
	}
	e.close()
}

// close moves Whole on over the versions that follow it.
func (e *extent) close() {
	for e.above[e.Whole+1] {
		e.Whole++
		delete(e.above, e.Whole)
	}
	e.Max = max(e.Max, e.Whole)
}

// leaveHints leaves the hints that readers need, until ctx ends.
func (s *service) leaveHints(ctx context.Context) {
	for {
		select {
		case <-s.extents.wake:
		case <-ctx.Done():
			return
		}
		select {
		case <-time.After(hintAfter):
		case <-ctx.Done():
			return
		}
		s.leaveDue(ctx)
	}
}

// leaveDue leaves those that are due. They are only hints: the events are kept, whether this succeeds or not. Where the store is away it
// gives up, and those that are left wait again.
func (s *service) leaveDue(ctx context.Context) {
	raising, all := errgroup.WithContext(ctx)
	raising.SetLimit(maxRaising)
	for _, n := range s.extents.due() {
		raising.Go(func() error {
			err := all.Err()
			if err == nil {
				err = s.trail(n).raise(all)
			}
			if err == nil {
				return nil
			}
			s.extents.again(n)
			if errors.Is(err, host.ErrConflict) { // others have written it meanwhile, as they do in a burst
				return nil
			}
			return fmt.Errorf("%s: %w", n.head(), err)
		})
	}
	if err := raising.Wait(); err != nil && ctx.Err() == nil {
		s.log.WarnContext(ctx, "hints for readers not written yet", "error", err)
	}
}
