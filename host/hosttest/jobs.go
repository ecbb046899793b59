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

// arrival is a job as its handler saw it.
type arrival struct {
	host.Job
	at time.Time
}

func worker(in *inbox[arrival]) host.Service {
	return host.Service{Name: "worker", Job: func(_ context.Context, j host.Job) error {
		in.add(arrival{j, time.Now()})
		return nil
	}}
}

func schedule(t *testing.T, s host.State, intents ...host.JobIntent) {
	t.Helper()
	commit(t, s, host.Tx{Jobs: intents})
}

// fired tells whether a job of each of the names has arrived.
func fired(names ...string) func([]arrival) bool {
	return func(got []arrival) bool {
		for _, name := range names {
			found := false
			for _, a := range got {
				found = found || a.Name == name
			}
			if !found {
				return false
			}
		}
		return true
	}
}

func jobsNeverEarly(t *testing.T, c Cluster) {
	in := newInbox[arrival]()
	c.Start(t, worker(in))
	s := c.Host("worker").State
	now := time.Now()
	due := map[string]time.Time{}
	var names []string
	for i := range 30 {
		name := fmt.Sprint("job-", i)
		due[name] = now.Add(time.Duration(30-i) * 40 * time.Millisecond).Truncate(time.Millisecond)
		names = append(names, name)
		schedule(t, s, host.Schedule(name, due[name], []byte("data of "+name)))
	}
	for _, a := range in.until(t, "all jobs", fired(names...)) {
		if a.at.Before(due[a.Name]) {
			t.Errorf("%s came %v early", a.Name, due[a.Name].Sub(a.at))
		}
		if string(a.Data) != "data of "+a.Name || !a.Due.Equal(due[a.Name]) {
			t.Errorf("%s arrived with %q, due %v, want %v", a.Name, a.Data, a.Due, due[a.Name])
		}
	}
}

func jobsPast(t *testing.T, c Cluster) {
	in := newInbox[arrival]()
	c.Start(t, worker(in))
	schedule(t, c.Host("worker").State, host.Schedule("yesterday", time.Now().Add(-24*time.Hour), nil),
		host.Schedule("long-ago", time.Date(1970, 1, 2, 0, 0, 0, 0, time.UTC), nil),
		host.Schedule("far", time.Date(9999, 1, 2, 0, 0, 0, 0, time.UTC), nil))
	for _, a := range in.until(t, "the jobs of the past", fired("yesterday", "long-ago")) {
		if a.Name == "far" {
			t.Error("a job of the year 9999 has fired")
		}
	}
}

func jobsRepeated(t *testing.T, c Cluster) {
	in := newInbox[arrival]()
	var attempts atomic.Int64
	c.Start(t, host.Service{Name: "worker", Job: func(_ context.Context, j host.Job) error {
		switch attempts.Add(1) {
		case 1, 3:
			return errors.New("not yet")
		case 2:
			panic("on purpose")
		}
		in.add(arrival{j, time.Now()})
		return nil
	}})
	schedule(t, c.Host("worker").State, host.Schedule("j", time.Now(), []byte("data")))
	if got := in.until(t, "the repeated job", fired("j")); string(got[0].Data) != "data" {
		t.Errorf("it came again with %q", got[0].Data)
	}
}

func jobsReplaced(t *testing.T, c Cluster) {
	in := newInbox[arrival]()
	c.Start(t, worker(in))
	s := c.Host("worker").State
	now := time.Now()
	schedule(t, s, host.Schedule("sooner", now.Add(time.Hour), []byte("old")), host.Schedule("later", now.Add(2*time.Second), []byte("old")))
	due := now.Add(3 * time.Second)
	schedule(t, s, host.Schedule("sooner", now.Add(200*time.Millisecond), []byte("new")), host.Schedule("later", due, []byte("new")))
	for _, a := range in.until(t, "both replaced jobs", fired("sooner", "later")) {
		if string(a.Data) != "new" {
			t.Errorf("%s arrived with %q data", a.Name, a.Data)
		}
		if a.Name == "later" && a.at.Before(due) {
			t.Errorf("the job put off came %v early", due.Sub(a.at))
		}
	}
}

// The end of the old run must not take the new job with it, in memory or on disk.
func jobsReplacedWhileFiring(t *testing.T, c Cluster) {
	began, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	in := newInbox[arrival]()
	c.Start(t, host.Service{Name: "worker", Job: func(_ context.Context, j host.Job) error {
		if string(j.Data) == "old" {
			once.Do(func() { close(began) })
			<-release
		}
		in.add(arrival{j, time.Now()})
		return nil
	}})
	s := c.Host("worker").State
	now := time.Now()
	schedule(t, s, host.Schedule("j", now, []byte("old")))
	await(t, began, "the first run")
	schedule(t, s, host.Schedule("j", now.Add(3*time.Second), []byte("new")), host.Schedule("between", now.Add(time.Second), nil))
	close(release)
	in.until(t, "the first run's end, and a later job", fired("j", "between"))
	c.Kill(t)
	in = newInbox[arrival]()
	c.Start(t, worker(in))
	in.until(t, "the replacement", func(got []arrival) bool {
		for _, a := range got {
			if string(a.Data) == "new" {
				return true
			}
		}
		return false
	})
}

func jobsCancelled(t *testing.T, c Cluster) {
	in := newInbox[arrival]()
	c.Start(t, worker(in))
	s := c.Host("worker").State
	now := time.Now()
	schedule(t, s, host.Schedule("unwanted", now.Add(time.Second), nil), host.Schedule("wanted", now.Add(1500*time.Millisecond), nil))
	schedule(t, s, host.Cancel("unwanted"), host.Cancel("never-scheduled"))
	for _, a := range in.until(t, "the wanted job", fired("wanted")) {
		if a.Name == "unwanted" {
			t.Error("a job cancelled a second before it was due has fired")
		}
	}
}

func jobsOfAFailedCommit(t *testing.T, c Cluster) {
	in := newInbox[arrival]()
	c.Start(t, worker(in))
	s := c.Host("worker").State
	put(t, s, "taken", "")
	now := time.Now()
	schedule(t, s, host.Schedule("kept", now.Add(time.Second), []byte("kept")))
	err := s.Commit(t.Context(), host.Tx{Ops: []host.Op{host.Create("taken", nil)}, Jobs: []host.JobIntent{
		host.Schedule("never", now, nil), host.Cancel("kept"),
	}})
	wantErr(t, err, host.ErrConflict)
	for _, a := range in.until(t, "the job that was not cancelled", fired("kept")) {
		if a.Name == "never" {
			t.Error("a job of a failed commit has fired")
		}
	}
}

func jobsSurviveKill(t *testing.T, c Cluster) {
	began := make(chan struct{}, 10)
	c.Start(t, host.Service{Name: "worker", Job: func(ctx context.Context, _ host.Job) error {
		began <- struct{}{}
		<-ctx.Done()
		return ctx.Err()
	}})
	now := time.Now()
	schedule(t, c.Host("worker").State, host.Schedule("running", now, []byte("1")), host.Schedule("waiting", now.Add(time.Second), []byte("2")))
	await(t, began, "the first job")
	c.Kill(t)
	in := newInbox[arrival]()
	c.Start(t, worker(in))
	in.until(t, "both jobs after the restart", fired("running", "waiting"))
}

func jobsManyAtOnce(t *testing.T, c Cluster) {
	var mu sync.Mutex
	seen := map[string]bool{}
	all := make(chan struct{})
	const many = 1000
	c.Start(t, host.Service{Name: "worker", Job: func(ctx context.Context, j host.Job) error {
		if err := c.Host("worker").State.Commit(ctx, host.Tx{Ops: []host.Op{host.Put("done/"+j.Name, nil)}}); err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		if !seen[j.Name] {
			seen[j.Name] = true
			if len(seen) == many {
				close(all)
			}
		}
		return nil
	}})
	due := time.Now().Add(500 * time.Millisecond)
	var intents []host.JobIntent
	for i := range many {
		intents = append(intents, host.Schedule(fmt.Sprint("j", i), due, nil))
		if len(intents) == 100 {
			schedule(t, c.Host("worker").State, intents...)
			intents = nil
		}
	}
	await(t, all, "all jobs")
}
