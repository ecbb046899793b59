package embedded

import "sync/atomic"

// maxIdle is how many goroutines a crew keeps for the next work.
const maxIdle = 64

// crew runs pieces of work at once, each on a goroutine of its own, and keeps those goroutines: a new one begins with a small
// stack, and copying that while it grows takes longer than many a request.
type crew struct {
	work chan func()
	idle atomic.Int32
	end  <-chan struct{} // closed when nothing more is to be kept
}

func newCrew(end <-chan struct{}) *crew { return &crew{work: make(chan func()), end: end} }

// run has f run by one who is idle, or by somebody new.
func (c *crew) run(f func()) {
	select {
	case c.work <- f:
	default:
		go c.member(f)
	}
}

func (c *crew) member(f func()) {
	for {
		f()
		f = nil // it holds what it worked on
		if c.idle.Add(1) > maxIdle {
			c.idle.Add(-1)
			return
		}
		select {
		case f = <-c.work:
			c.idle.Add(-1)
		case <-c.end:
			return
		}
	}
}
