// Package combine turns concurrent work on one key into batches: while one batch is under way, what arrives
// waits and goes out together as the next. Sixty-four writers of one list then cost one commit, not
// sixty-four conflicts.
//
// [Task]: T026
package combine

import "sync"

// Queue runs the jobs of each key one batch at a time, in order of arrival. The zero Queue is not usable:
// set Run and Max first.
type Queue[K comparable, J any] struct {
	// Run handles a batch of 1 to Max jobs of one key. It is never called twice at once for one key.
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
	job J
	// done is closed when the job has run; nil where a later job of the same call is waited for.
	done chan struct{}
}

// Do runs job as part of a batch of its key and returns when that batch has run.
func (q *Queue[K, J]) Do(key K, job J) { q.DoAll(key, []J{job}) }

// DoAll runs jobs of one key in their order, with nothing between them, in as many batches as it takes, and
// returns when the last has run.
func (q *Queue[K, J]) DoAll(key K, jobs []J) {
	if len(jobs) == 0 {
		return
	}
	done := make(chan struct{})
	q.mu.Lock()
	l, busy := q.lines[key]
	if !busy {
		if q.lines == nil {
			q.lines = make(map[K]*line[J])
		}
		l = &line[J]{}
		q.lines[key] = l
	}
	for _, j := range jobs[:len(jobs)-1] {
		l.waiting = append(l.waiting, entry[J]{job: j})
	}
	l.waiting = append(l.waiting, entry[J]{job: jobs[len(jobs)-1], done: done})
	q.mu.Unlock()
	if !busy {
		go q.drain(key, l)
	}
	<-done
}

// drain runs batches until the line is empty, then gives it up.
func (q *Queue[K, J]) drain(key K, l *line[J]) {
	for {
		q.mu.Lock()
		n := min(len(l.waiting), q.Max)
		if n == 0 {
			delete(q.lines, key)
			q.mu.Unlock()
			return
		}
		batch := l.waiting[:n:n]
		l.waiting = l.waiting[n:]
		q.mu.Unlock()

		jobs := make([]J, n)
		for i, e := range batch {
			jobs[i] = e.job
		}
		q.Run(key, jobs)
		for _, e := range batch {
			if e.done != nil {
				close(e.done)
			}
		}
	}
}
