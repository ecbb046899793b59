package embedded

import (
	"container/heap"
	"context"
	"database/sql/driver"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/docket-tasks/docket/host"
)

const (
	// jobWindow is how many jobs are read from the table at once; twice as many are kept in memory.
	jobWindow = 4096
	// maxJobs is how many job handlers run at once.
	maxJobs = 128
	// maxSleep bounds how late a job can be after the wall clock was set forward.
	maxSleep = time.Minute
)

// jobOp is a job intent on its way through the writer.
type jobOp struct {
	service string
	intent  host.JobIntent
	due     int64 // Unix microseconds
	rev     int64
}

// job is one in memory: waiting in the heap, or running.
type job struct {
	place
	rev      int64
	data     []byte
	at       int64 // when to run it: due, or later after an error
	failures int
	index    int // in the heap, -1 while running
}

// place orders jobs as the table's index does.
type place struct {
	due int64
	key string // service/name
}

func (p place) after(q place) bool { return p.due > q.due || p.due == q.due && p.key > q.key }

// jobs runs due jobs. All jobs up to the place loaded are in memory, those beyond only in the table; known has the
// latest revision of each job in memory, so that a replaced or cancelled one is recognised.
type jobs struct {
	node     *Node
	handlers sync.WaitGroup
	counts   map[string]jobCounts
	handle   map[string]func(context.Context, host.Job) error

	mu      sync.Mutex
	known   map[string]*job
	queue   jobHeap
	loaded  place
	all     bool // nothing is beyond
	running int
	timer   *time.Timer
	started bool
	stopped bool
}

func newJobs(n *Node) *jobs {
	return &jobs{node: n, known: map[string]*job{}, counts: map[string]jobCounts{}, handle: map[string]func(context.Context, host.Job) error{}}
}

func (js *jobs) start(services []host.Service) error {
	js.mu.Lock()
	defer js.mu.Unlock()
	for _, s := range services {
		if s.Job != nil {
			js.handle[s.Name] = s.Job
			js.counts[s.Name] = js.node.metrics.jobs(s.Name)
		}
	}
	js.started = true
	js.timer = time.AfterFunc(maxSleep, js.tick)
	if err := js.load(); err != nil {
		return err
	}
	js.fire()
	return nil
}

func (js *jobs) stop() {
	js.mu.Lock()
	defer js.mu.Unlock()
	js.stopped = true
	if js.timer != nil {
		js.timer.Stop()
	}
}

// apply follows a commit. Only the writer calls it, in the order of the commits; a load that ran between the commit
// and this has at worst seen the same already.
func (js *jobs) apply(ops []jobOp) {
	if len(ops) == 0 {
		return
	}
	js.mu.Lock()
	defer js.mu.Unlock()
	if !js.started {
		return
	}
	for i := range ops {
		o := &ops[i]
		key := o.service + "/" + o.intent.Name
		old := js.known[key]
		if old != nil && old.rev == o.rev {
			continue
		}
		if old != nil {
			js.forget(old)
		}
		if p := (place{o.due, key}); !o.intent.Cancel && (js.all || !p.after(js.loaded)) {
			js.add(&job{place: p, rev: o.rev, data: o.intent.Data, at: o.due})
		}
	}
	if len(js.queue) > 2*jobWindow {
		js.shrink()
	}
	js.fire()
}

func (js *jobs) add(j *job) {
	service, _, _ := strings.Cut(j.key, "/")
	if js.handle[service] == nil { // stays in the table for the day when the service runs here
		return
	}
	js.known[j.key] = j
	heap.Push(&js.queue, j)
}

// forget drops a job; one that runs goes on but will not touch its successor.
func (js *jobs) forget(j *job) {
	if j.index >= 0 {
		heap.Remove(&js.queue, j.index)
	}
	delete(js.known, j.key)
}

// shrink leaves the later jobs to the table.
func (js *jobs) shrink() {
	waiting := slices.Clone(js.queue)
	slices.SortFunc(waiting, func(a, b *job) int {
		if a.after(b.place) {
			return 1
		}
		return -1
	})
	js.all, js.loaded = false, waiting[jobWindow-1].place
	for _, j := range waiting[jobWindow:] {
		js.forget(j)
	}
}

// load reads the next jobs from the table; js.mu is held, so no commit is applied meanwhile.
func (js *jobs) load() error {
	r, err := js.node.readers.acquire(js.node.handling)
	if err != nil {
		return err
	}
	defer js.node.readers.release(r)
	read := 0
	err = r.due.query(func(row []driver.Value) error {
		read++
		p := place{due: integer(row[1]), key: text(row[0])}
		js.loaded = p
		if js.known[p.key] == nil {
			js.add(&job{place: p, rev: integer(row[2]), data: blob(row[3]), at: p.due})
		}
		return nil
	}, js.loaded.due, js.loaded.key, int64(jobWindow))
	if err != nil {
		return fmt.Errorf("read due jobs: %w", err)
	}
	js.all = read < jobWindow
	return nil
}

func (js *jobs) tick() {
	js.mu.Lock()
	defer js.mu.Unlock()
	js.fire()
}

// fire starts what is due and sets the timer for the next; js.mu is held.
func (js *jobs) fire() {
	if js.stopped {
		return
	}
	next := maxSleep
	for js.running < maxJobs {
		if len(js.queue) < jobWindow/4 && !js.all {
			if err := js.load(); err != nil {
				js.node.log.Warn("due jobs cannot be read, trying again", "error", err)
				next = time.Second
				break
			}
			continue
		}
		if len(js.queue) == 0 {
			break
		}
		if wait := time.Until(time.UnixMicro(js.queue[0].at)); wait > 0 {
			next = min(next, wait)
			break
		}
		j := heap.Pop(&js.queue).(*job)
		js.running++
		js.handlers.Add(1)
		go js.run(j)
	}
	js.timer.Reset(next)
}

func (js *jobs) run(j *job) {
	defer js.handlers.Done()
	n := js.node
	service, name, _ := strings.Cut(j.key, "/")
	counts := js.counts[service]
	n.metrics.lateness(time.Since(time.UnixMicro(j.at)))
	n.failAt(stepFire)
	err := js.call(service, host.Job{Name: name, Due: time.UnixMicro(j.due).UTC(), Data: j.data})
	if err == nil && n.disorder && rand.IntN(4) == 0 {
		err = js.call(service, host.Job{Name: name, Due: time.UnixMicro(j.due).UTC(), Data: j.data})
	}
	if err == nil {
		counts.ok.Inc()
		n.failAt(stepFired)
		n.persist(func(w *writer) error { return w.sql.finish.exec(j.key, j.rev) }, func() { n.failAt(stepJobRemoved) })
	} else {
		counts.failed.Inc()
		n.log.Warn("job failed, it will be repeated", "service", service, "failures", j.failures+1, "error", err)
	}
	js.mu.Lock()
	defer js.mu.Unlock()
	js.running--
	if current := js.known[j.key]; current == j {
		if err == nil {
			delete(js.known, j.key)
		} else {
			j.failures++
			j.at = time.Now().Add(backoff(j.failures + 3)).UnixMicro()
			heap.Push(&js.queue, j)
		}
	}
	js.fire()
}

func (js *jobs) call(service string, j host.Job) (err error) {
	defer func() {
		if p := recover(); p != nil {
			js.node.log.Error("job handler panicked", "service", service, "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("the handler panicked: %v", p)
		}
	}()
	return js.handle[service](background(js.node.handling), j)
}

// jobHeap implements heap.Interface: the earliest first.
type jobHeap []*job

func (h jobHeap) Len() int           { return len(h) }
func (h jobHeap) Less(i, k int) bool { return h[i].at < h[k].at }
func (h jobHeap) Swap(i, k int) {
	h[i], h[k] = h[k], h[i]
	h[i].index, h[k].index = i, k
}

// Push implements heap.Interface.
func (h *jobHeap) Push(x any) {
	j := x.(*job)
	j.index = len(*h)
	*h = append(*h, j)
}

// Pop implements heap.Interface.
func (h *jobHeap) Pop() any {
	old := *h
	j := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	j.index = -1
	return j
}
