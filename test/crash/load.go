package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// crowd is the clients of one data folder: the first half of them writes the first user's list, which makes it hot,
// the others have the rest of the users.
type crowd struct {
	users   []*user
	clients int
	// wave is the pace: all clients begin a request together, then wait for the next wave. So writers meet, and
	// between the waves there is time for the host's own work, at which a kill should hit too.
	wave   time.Duration
	ledger *ledger
	rand   *rand.Rand

	mu    sync.Mutex
	known map[*user][]string // ids of tasks to change
	marks int
	wrong []violation // answers that no client should get
}

// knownTasks bounds how many tasks of a list are changed over and over.
const knownTasks = 250

// work lets all clients write until ctx ends or the server is gone (nil: it never is), and returns when the last has its
// answer.
func (c *crowd) work(ctx context.Context, gone <-chan struct{}, a *api) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var clients sync.WaitGroup
	tick := time.NewTicker(c.wave)
	defer tick.Stop()
	busy := make(chan struct{}, c.clients)
	for {
		for i := range c.clients {
			select {
			case busy <- struct{}{}:
				u := c.userOf(i)
				clients.Go(func() {
					defer func() { <-busy }()
					c.one(context.WithoutCancel(ctx), a, u)
				})
			default: // as many as there are clients are still waiting for an answer
			}
		}
		select {
		case <-tick.C:
			continue
		case <-gone:
		case <-ctx.Done():
		}
		clients.Wait()
		return
	}
}

func (c *crowd) userOf(client int) *user {
	if client < (c.clients+1)/2 || len(c.users) == 1 {
		return c.users[0]
	}
	return c.users[1+client%(len(c.users)-1)]
}

// one makes one request of one client.
func (c *crowd) one(ctx context.Context, a *api, u *user) {
	if c.roll() < 5 {
		c.batch(ctx, a, u)
		return
	}
	r := c.next(u)
	c.ledger.issue(r)
	c.send(ctx, a, r)
}

// send makes the request, or makes it again, and notes the answer.
func (c *crowd) send(ctx context.Context, a *api, r *request) {
	method, path := route(r)
	res, err := a.call(ctx, r.user.token, method, path, r.key, r.body)
	c.ledger.answered(res, err)
	if err != nil {
		return // stays unknown
	}
	c.note(r, res.status, res.body, res.listVersion)
}

func (c *crowd) note(r *request, status int, doc []byte, listVersion int64) {
	if err := c.ledger.settle(r, status, doc, listVersion); err != nil {
		c.complain("answer", "%s %s: %d, but the body is no task: %v", r.op, r.mark, status, err)
		return
	}
	switch {
	case r.outcome == acked && r.op == "create":
		c.learn(r.user, r.task)
	case r.outcome == refused && status != http.StatusConflict && !(r.op == "tags" && status == http.StatusBadRequest):
		// A deleted task is a 409 and the 21st tag a 400; nothing else here can be refused.
		c.complain("answer", "%s %s of task %s: %d %s", r.op, r.mark, r.task, status, doc)
	}
}

func (c *crowd) complain(kind, format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wrong = append(c.wrong, violation{kind: kind, detail: fmt.Sprintf(format, args...)})
}

func route(r *request) (method, path string) {
	switch r.op {
	case "create":
		return http.MethodPost, "/api/tasks"
	case "update":
		return http.MethodPatch, "/api/tasks/" + r.task
	case "tags":
		return http.MethodPut, "/api/tasks/" + r.task + "/tags"
	case "delete":
		return http.MethodDelete, "/api/tasks/" + r.task
	}
	return http.MethodPost, "/api/tasks/" + r.task + "/" + r.op
}

// batch sends some changes as one request.
func (c *crowd) batch(ctx context.Context, a *api, u *user) {
	type change struct {
		Op   string          `json:"op"`
		ID   string          `json:"id,omitempty"`
		Key  string          `json:"idempotency_key,omitempty"`
		Body json.RawMessage `json:"body,omitempty"`
	}
	var in struct {
		Changes []change `json:"changes"`
	}
	var rs []*request
	for range 2 + c.roll()%8 {
		r := c.next(u)
		r.batch = true
		rs = append(rs, r)
		in.Changes = append(in.Changes, change{r.op, r.task, r.key, r.body})
	}
	c.ledger.issue(rs...)
	res, err := a.call(ctx, u.token, http.MethodPost, "/api/tasks/batch", "", encode(in))
	c.ledger.answered(res, err)
	if err != nil || res.status >= 500 {
		return
	}
	var out struct {
		Results []struct {
			Status int             `json:"status"`
			Task   json.RawMessage `json:"task"`
			Error  json.RawMessage `json:"error"`
		} `json:"results"`
	}
	if err := json.Unmarshal(res.body, &out); err != nil || len(out.Results) != len(rs) {
		c.complain("answer", "batch of %d changes: %d %s", len(rs), res.status, res.body)
		return
	}
	for i, r := range rs {
		result := out.Results[i]
		doc := result.Task
		if result.Error != nil {
			doc = result.Error
		}
		c.note(r, result.Status, doc, res.listVersion)
	}
}

// next invents a change.
func (c *crowd) next(u *user) *request {
	r := &request{user: u, mark: c.mark(), task: c.pick(u)}
	switch n := c.roll(); {
	case n < 30 || r.task == "":
		c.create(r)
	case n < 48:
		r.op, r.body = "update", encode(map[string]any{"title": r.mark})
	case n < 54:
		r.op, r.body = "update", encode(map[string]any{"title": r.mark, "due_date": c.soon(), "reminder_minutes": []int{0}})
	case n < 60:
		r.op, r.body = "tags", encode(map[string]any{"add": []string{r.mark}})
	case n < 64:
		r.op, r.body = "tags", encode(map[string]any{"tags": []string{r.mark}})
	case n < 80:
		r.op = "complete"
	case n < 88:
		r.op = "reopen"
	case n < 94:
		r.op = "delete"
	default:
		r.op = "restore"
	}
	return r
}

// create makes r a creation: plain, repeating, or of a task that is due in a moment.
func (c *crowd) create(r *request) {
	r.op, r.task = "create", ""
	fields := map[string]any{"title": r.mark}
	switch n := c.roll(); {
	case n < 25:
		fields["recurrence_pattern"] = []string{"daily", "weekly", "RRULE:FREQ=MONTHLY;BYDAY=-1FR", "RRULE:FREQ=DAILY;COUNT=2"}[c.roll()%4]
	case n < 50:
		fields["due_date"], fields["reminder_minutes"] = c.soon(), []int{0}
	case n < 60: // the reminder is a minute before the due date, so the second comes much later
		fields["due_date"], fields["reminder_minutes"] = stamp(time.Now().Add(62*time.Second)), []int{1, 0}
	case n < 65: // past already: one reminder at once
		fields["due_date"], fields["reminder_minutes"] = stamp(time.Now().Add(-time.Hour)), []int{0, 5}
	}
	if c.roll() < 60 {
		r.key = "key-" + r.mark
	}
	r.body = encode(fields)
}

// soon is a due date in a second or two.
func (c *crowd) soon() string {
	return stamp(time.Now().Add(time.Duration(500+30*c.roll()) * time.Millisecond))
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // our own plain values
	}
	return b
}

func (c *crowd) mark() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.marks++
	return fmt.Sprintf("m%d", c.marks)
}

// roll is a number from 0 to 99.
func (c *crowd) roll() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.rand.IntN(100)
}

// pick is the id of a known task, "" where there is none.
func (c *crowd) pick(u *user) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	ids := c.known[u]
	if len(ids) == 0 {
		return ""
	}
	return ids[c.rand.IntN(len(ids))]
}

// learn adds a task to those that are changed; it takes another's place where there are enough.
func (c *crowd) learn(u *user, id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if ids := c.known[u]; len(ids) >= knownTasks {
		ids[c.rand.IntN(len(ids))] = id
	} else {
		c.known[u] = append(ids, id)
	}
}
