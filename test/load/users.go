package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

const (
	fewUsers  = 10
	tasksEach = 100
)

// users measures whether a request costs more where there are more users: processor time of the server for one page and
// one creation by the same user, 16 clients, in a server of many users with 100 tasks each against one of 10. In one
// row ten of the many are active, in the other all of them in turn: with 10,000 of them the
// lists are more than the memory for lists holds, so each page then reads its list anew.
func users(ctx context.Context, b *bench) (err error) {
	n := b.size(b.options.users, b.options.users/10)
	usersActive := fmt.Sprintf("list + create by 10 users, among %d against 10", n)
	usersAll := fmt.Sprintf("list + create by any user, of %d against 10", n)
	if !b.wants(usersActive, usersAll) {
		return nil
	}
	few, err := crowded(ctx, b, fewUsers)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, few.docket.stop()) }()
	many, err := crowded(ctx, b, n)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, many.docket.stop()) }()
	turn := time.Duration(b.size(2000, 1000)) * time.Millisecond
	if err := b.compare(ctx, row{work: usersActive, unit: "ms CPU", least: 0.8, goal: true, less: true},
		many.cost(fewUsers, turn), few.cost(fewUsers, turn)); err != nil {
		return err
	}
	return b.compare(ctx, row{work: usersAll, unit: "ms CPU", least: 0.8, goal: true, less: true},
		many.cost(len(many.users), turn), few.cost(fewUsers, turn))
}

// crowd is a server with users of the same kind.
type crowd struct {
	docket *docket
	users  []user
	next   int
}

func crowded(ctx context.Context, b *bench, n int) (*crowd, error) {
	d, err := b.docket(ctx)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	c := &crowd{docket: d}
	if c.users, err = d.users(ctx, n); err == nil {
		err = parallel(16, n, func(i int) error {
			tasks := drafts(tasksEach, uint64(i))
			for i := range tasks {
				tasks[i].done = false // one event each is enough to load
			}
			_, err := d.create(ctx, c.users[i], tasks)
			return err
		})
	}
	if err = errors.Join(err, d.settled(ctx)); err != nil {
		return nil, errors.Join(fmt.Errorf("load tasks: %w", err), d.stop())
	}
	b.progress("%d users with %d tasks each: loaded in %.0f s", n, tasksEach, time.Since(began).Seconds())
	return c, nil
}

// cost is the processor time for a page and a creation, in milliseconds, by the first so many users in turn.
func (c *crowd) cost(active int, turn time.Duration) measure {
	return func(ctx context.Context) (float64, error) {
		body, err := json.Marshal(draft{Title: "Call the plumber", Tags: []string{"home"}})
		if err != nil {
			return 0, err
		}
		first := c.next
		cost, err := costOf(ctx, c.docket.process, func() (int, error) {
			n, _, err := load{addr: c.docket.addr, clients: readers, time: turn, next: func(_, n int) []byte {
				u := c.users[(first+n/2)%active]
				if n%2 == 0 {
					return request(http.MethodGet, "/api/tasks?sort_by=due_date", u.token, nil)
				}
				return request(http.MethodPost, "/api/tasks", u.token, body)
			}}.run(ctx)
			c.next = first + n/2 // the next turn goes on with the users after these
			if err == nil {
				err = c.docket.settled(ctx)
			}
			return n / 2, err
		})
		return cost, err
	}
}
