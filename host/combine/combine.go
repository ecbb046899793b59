// Package combine turns concurrent work on one key into batches: while one batch is under way, what arrives
// waits and goes out together as the next. Sixty-four writers of one list then cost one commit, not
// sixty-four conflicts.
//
// [Task]: T026
package combine

import (
	"fmt"
	"runtime/debug"
	"sync"
)

// Queue runs the jobs of each key one batch at a time, in order of arrival. The zero Queue is not usable:
// set Run and Max first.
type Queue[K comparable, J any] struct {
	// Run handles a batch of 1 to Max jobs of one key. It is never called twice at once for one key. Its panic becomes
	// one of the callers whose jobs were in the batch, as if each had done its own work.
	Run func(key K, batch []J)
	// Max is the largest batch.
	Max int

	mu    sync.Mutex
	lines map[K]*line[J]
}

type line[J any] struct {
	waiting []entry[J]
}

type entry[J any] struct {
	job  J
	call *call
	last bool // job of the call
}

// call is one caller, waiting for the last of its jobs.
type call struct {
	done     chan struct{} // closed when over
	over     bool          // for whoever runs the batches
	panicked error         // by Run, with a job of this call in the batch
}

// Do runs job as part of a batch of its key and returns when that batch has run.
func (q *Queue[K, J]) Do(key K, job J) { q.DoAll(key, []J{job}) }

// DoAll runs jobs of one key in their order, with nothing between them, in as many batches as it takes, and
// returns when the last has run.
func (q *Queue[K, J]) DoAll(key K, jobs []J) {
	if len(jobs) == 0 {
		return
	}
	c := &call{done: make(chan struct{})}
	q.mu.Lock()
	l, busy := q.lines[key]
	if !busy {
		if q.lines == nil {
			q.lines = make(map[K]*line[J])
		}
		l = &line[J]{}
		q.lines[key] = l
	}
	for i, j := range jobs {
		l.waiting = append(l.waiting, entry[J]{j, c, i == len(jobs)-1})
	}
	q.mu.Unlock()
	if !busy { // nobody is at it: this goroutine does its own work, which saves handing it to another
		q.lead(key, l, c)
	}
	<-c.done
	if c.panicked != nil {
		panic(c.panicked)
	}
}

// lead runs batches until those of the call have run; what waits then is for another goroutine.
func (q *Queue[K, J]) lead(key K, l *line[J], c *call) {
	for !c.over {
		q.run(key, q.next(key, l))
	}
	if batch := q.next(key, l); batch != nil {
		go q.drain(key, l, batch)
	}
}

// drain runs batches until the line is empty.
func (q *Queue[K, J]) drain(key K, l *line[J], batch []entry[J]) {
	for batch != nil {
		q.run(key, batch)
		batch = q.next(key, l)
	}
}

// next takes a batch off the line, or gives the line up where nothing waits.
func (q *Queue[K, J]) next(key K, l *line[J]) []entry[J] {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := min(len(l.waiting), q.Max)
	if n == 0 {
		delete(q.lines, key)
		return nil
	}
	batch := l.waiting[:n:n]
	l.waiting = l.waiting[n:]
	return batch
}

// run runs a batch and tells the callers whose last job was in it.
func (q *Queue[K, J]) run(key K, batch []entry[J]) {
	jobs := make([]J, len(batch))
	for i, e := range batch {
		jobs[i] = e.job
	}
	err := q.try(key, jobs)
	for _, e := range batch {
		if err != nil {
			e.call.panicked = err
		}
		if e.last {
			e.call.over = true
			close(e.call.done)
		}
	}
}

// try calls Run; the error is its panic, which in a goroutine of the queue's would end the process.
func (q *Queue[K, J]) try(key K, jobs []J) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v\n%s", p, debug.Stack())
		}
	}()
	q.Run(key, jobs)
	return nil
}
