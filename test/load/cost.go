package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// What a deployment costs is the processor time of what its users do. docs/operations.md reckons with these rows.
const (
	costOfChange   = "CPU of a change, with audit and one open client told"
	costOfPage     = "CPU of a page of 50 tasks"
	costOfReminder = "CPU of a task made, and its reminder sent"
	costOfClient   = "CPU of an open client, each hour"
	costOfUsers    = "CPU of 1,000 users in a busy hour"
)

// A user in a busy hour, on purpose more than most do: one client is open, twenty changes are made, sixty pages asked for (the web client
// asks for few, it has a replica), two reminders come.
const (
	hourlyChanges, hourlyPages, hourlyReminders = 20, 60, 2
	// costlyList is how many tasks each user has.
	costlyList = 200
)

// cost measures the processor time of all of docket, one process here, for what users do. Behind Dapr the services do the same, and the
// sidecars theirs; what that adds is to be seen in the figures of a cluster.
func cost(ctx context.Context, b *bench) (err error) {
	if !b.wants(costOfChange, costOfPage, costOfReminder, costOfClient, costOfUsers) {
		return nil
	}
	d, err := b.docket(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.stop()) }()
	us, err := d.users(ctx, b.size(500, 100))
	if err != nil {
		return err
	}
	err = parallel(8, len(us), func(i int) error {
		_, err := d.create(ctx, us[i], drafts(costlyList, uint64(i)))
		return err
	})
	if err != nil {
		return fmt.Errorf("load tasks: %w", err)
	}
	closeAll, err := d.openFor(ctx, us)
	if err != nil {
		return err
	}
	defer closeAll()
	if err := d.settled(ctx); err != nil {
		return err
	}
	page, err := d.costOfPages(ctx, us, b.size(20_000, 5_000))
	if err != nil {
		return err
	}
	change, err := d.costOfChanges(ctx, us, b.size(10_000, 2_000))
	if err != nil {
		return err
	}
	client, err := d.costOfClients(ctx, len(us), time.Duration(b.size(60, 20))*time.Second)
	if err != nil {
		return err
	}
	n := b.size(2_000, 500)
	reminder, err := costOf(ctx, d.process, func() (int, error) {
		_, err := d.burst(ctx, n)
		return n, err
	})
	if err != nil {
		return err
	}
	b.goal(costOfChange, "ms", change, 0)
	b.goal(costOfPage, "ms", page, 0)
	b.goal(costOfReminder, "ms", reminder, 0)
	b.goal(costOfClient, "ms", client, 0)
	hour := hourlyChanges*change + hourlyPages*page + hourlyReminders*reminder + client
	b.goal(costOfUsers, "cores", 1000*hour/float64(time.Hour/time.Millisecond), 0)
	return nil
}

// openFor opens a client for each user, which reads what it is told.
func (d *docket) openFor(ctx context.Context, us []user) (closeAll func(), err error) {
	sockets := make([]*socket, len(us))
	closeAll = func() {
		for _, s := range sockets {
			if s != nil {
				_ = s.Close() // it only reads
			}
		}
	}
	err = parallel(8, len(us), func(i int) (err error) {
		sockets[i], err = openSocket(ctx, d.addr, us[i])
		return err
	})
	if err != nil {
		closeAll()
		return nil, err
	}
	for _, s := range sockets {
		go func() {
			for {
				if _, err := s.frame(); err != nil { // closed
					return
				}
			}
		}()
	}
	return closeAll, nil
}

func (d *docket) costOfPages(ctx context.Context, us []user, n int) (float64, error) {
	next := func(_, n int) []byte {
		return request(http.MethodGet, "/api/tasks?sort_by=due_date&limit=50", us[n%len(us)].token, nil)
	}
	return costOf(ctx, d.process, func() (int, error) {
		n, _, err := load{addr: d.addr, clients: 8, count: n, next: next}.run(ctx)
		return n, err
	})
}

// costOfChanges makes tasks and waits until all that follows has been done.
func (d *docket) costOfChanges(ctx context.Context, us []user, n int) (float64, error) {
	var bodies [][]byte
	for _, t := range drafts(200, 7) {
		body, err := json.Marshal(t)
		if err != nil {
			return 0, err
		}
		bodies = append(bodies, body)
	}
	next := func(_, n int) []byte {
		return request(http.MethodPost, "/api/tasks", us[n%len(us)].token, bodies[n%len(bodies)])
	}
	return costOf(ctx, d.process, func() (int, error) {
		n, _, err := load{addr: d.addr, clients: 8, count: n, next: next}.run(ctx)
		return n, errors.Join(err, d.settled(ctx))
	})
}

// costOfClients is what n open clients cost that nothing happens to, each in an hour.
func (d *docket) costOfClients(ctx context.Context, n int, watched time.Duration) (float64, error) {
	each, err := costOf(ctx, d.process, func() (int, error) { return n, pause(ctx, watched) })
	return each * float64(time.Hour/watched), err
}
