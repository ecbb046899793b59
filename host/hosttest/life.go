package hosttest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/docket-tasks/docket/host"
)

func outage(t *testing.T, c Cluster) {
	in, jobs := newInbox[host.Message](), newInbox[arrival]()
	c.Start(t, worker(jobs), consumer("reader", "events", host.Shared, in))
	s := c.Host("worker").State
	put(t, s, "k", "before")
	end := c.Outage(t)
	for i := range 5 {
		err := s.Commit(t.Context(), host.Tx{
			Ops:      []host.Op{host.Put("k", []byte("during")), host.Put(fmt.Sprint("new", i), nil)},
			Messages: []host.Message{message("events", "k", fmt.Sprint("during", i))},
			Jobs:     []host.JobIntent{host.Schedule("during", time.Now(), nil)},
		})
		if !errors.Is(err, host.ErrUnavailable) {
			t.Fatalf("commit during an outage: %v, want ErrUnavailable", err)
		}
	}
	end()
	wantValue(t, s, "k", "before")
	wantAbsent(t, s, "new0")
	commit(t, s, host.Tx{
		Ops:      []host.Op{host.Put("k", []byte("after"))},
		Messages: []host.Message{message("events", "k", "after")},
		Jobs:     []host.JobIntent{host.Schedule("after", time.Now(), nil)},
	})
	wantValue(t, s, "k", "after")
	if got := in.until(t, "the message after", has("after")); got[0].ID != "after" {
		t.Errorf("message %s of a refused commit was delivered", got[0].ID)
	}
	if got := jobs.until(t, "the job after", fired("after")); got[0].Name != "after" {
		t.Errorf("job %s of a refused commit has fired", got[0].Name)
	}
}

func outageWhileHandling(t *testing.T, c Cluster) {
	refused := make(chan struct{}, 1000)
	in := newInbox[host.Message]()
	c.Start(t, host.Service{Name: "publisher"}, subscriber("reader", "events", host.Shared, func(ctx context.Context, m host.Message) error {
		if err := c.Host("reader").State.Commit(ctx, host.Tx{Ops: []host.Op{host.Put("seen/"+m.ID, nil)}}); err != nil {
			select {
			case refused <- struct{}{}:
			default:
			}
			return err
		}
		in.add(m)
		return nil
	}))
	gate := make(chan struct{})
	s := c.Host("publisher").State
	var ids []string
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-gate:
				return
			default:
			}
			id := fmt.Sprint("m", i)
			if err := s.Commit(t.Context(), host.Tx{Messages: []host.Message{message("events", fmt.Sprint("k", i%9), id)}}); err == nil {
				ids = append(ids, id)
			} else if len(ids) > 0 {
				return // the outage
			}
		}
	})
	in.until(t, "deliveries before the outage", func(got []host.Message) bool { return len(got) > 20 })
	end := c.Outage(t)
	wg.Wait()
	close(gate)
	end()
	in.until(t, "every message after the outage", has(ids...))
	if dead := c.DeadLetters(t, "reader", "events"); len(dead) > 0 {
		t.Errorf("%d dead letters because of an outage", len(dead))
	}
}

func stopFinishes(t *testing.T, c Cluster) {
	began, release := make(chan struct{}, 100), make(chan struct{})
	var finished atomic.Int64
	handle := func(ctx context.Context, key string) error {
		began <- struct{}{}
		<-release
		err := c.Host("worker").State.Commit(ctx, host.Tx{Ops: []host.Op{host.Put(key, []byte("done"))}})
		if err == nil {
			finished.Add(1)
		}
		return err
	}
	s := subscriber("worker", "events", host.Shared, func(ctx context.Context, m host.Message) error { return handle(ctx, "message") })
	s.Job = func(ctx context.Context, j host.Job) error { return handle(ctx, "job") }
	c.Start(t, s)
	send(t, c.Host("worker").State, message("events", "k", "m"))
	schedule(t, c.Host("worker").State, host.Schedule("j", time.Now(), nil))
	await(t, began, "a handler")
	await(t, began, "the other handler")
	stopping := make(chan struct{})
	go func() {
		defer close(stopping)
		c.Stop(t)
	}()
	close(release)
	await(t, stopping, "the end of Stop")
	if finished.Load() < 2 {
		t.Errorf("%d of 2 handlers that had begun could finish", finished.Load())
	}
	c.Start(t, host.Service{Name: "worker"})
	wantValue(t, c.Host("worker").State, "message", "done")
	wantValue(t, c.Host("worker").State, "job", "done")
}

func drainComesFirst(t *testing.T, c Cluster) {
	delivered := newInbox[host.Message]()
	s := consumer("worker", "events", host.Shared, delivered)
	drained := make(chan error, 1)
	s.Drain = func(ctx context.Context) { // deliveries and commits still work
		err := c.Host("worker").State.Commit(ctx, host.Tx{
			Ops: []host.Op{host.Put("drained", []byte("yes"))}, Messages: []host.Message{message("events", "k", "drained")},
		})
		if err == nil && !delivered.within(patience/3, has("drained")) {
			err = errors.New("its message was not delivered")
		}
		drained <- err
	}
	c.Start(t, s)
	c.Stop(t)
	if err := await(t, drained, "Drain"); err != nil {
		t.Fatalf("commit while draining, and its delivery: %v", err)
	}
	c.Start(t, host.Service{Name: "worker"})
	wantValue(t, c.Host("worker").State, "drained", "yes")
}

// Restarts under load, graceful and not: each message acknowledged is handled in the end.
func restartLosesNothing(t *testing.T, c Cluster) {
	in := newInbox[host.Message]()
	services := []host.Service{{Name: "publisher"}, consumer("reader", "events", host.Shared, in)}
	var ids []string
	for life := range 4 {
		c.Start(t, services...)
		s := c.Host("publisher").State
		ctx, cancel := context.WithCancel(t.Context())
		var mu sync.Mutex
		enough := make(chan struct{})
		var wg sync.WaitGroup
		n := 0
		for w := range 4 {
			wg.Go(func() {
				for i := 0; ctx.Err() == nil; i++ {
					id := fmt.Sprintf("%d-%d-%d", life, w, i)
					if s.Commit(ctx, host.Tx{Messages: []host.Message{message("events", fmt.Sprint(w), id)}}) != nil {
						return
					}
					mu.Lock()
					ids = append(ids, id)
					if n++; n == 60 {
						close(enough)
					}
					mu.Unlock()
				}
			})
		}
		await(t, enough, "some commits")
		if life%2 == 0 {
			c.Kill(t)
		} else {
			c.Stop(t)
		}
		cancel()
		wg.Wait()
	}
	c.Start(t, services...)
	in.until(t, "every acknowledged message", func(got []host.Message) bool {
		seen := make(map[string]bool, len(got))
		for _, m := range got {
			seen[m.ID] = true
		}
		for _, id := range ids {
			if !seen[id] {
				return false
			}
		}
		return true
	})
}

func noSecret(t *testing.T, c Cluster) {
	c.Start(t, host.Service{Name: "alone"})
	_, err := c.Host("alone").Secrets.Get(t.Context(), "not-configured")
	wantErr(t, err, host.ErrNoSecret)
}
