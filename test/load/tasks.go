package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// user is one account of docket.
type user struct{ token string }

// draft is a task to be created, as the API takes it.
type draft struct {
	Title       string   `json:"title"`
	Description string   `json:"description,omitempty"`
	Priority    string   `json:"priority,omitempty"`
	Tags        []string `json:"tags,omitempty"`
	Due         string   `json:"due_date,omitempty"`
	Reminders   []int    `json:"reminder_minutes,omitempty"`

	done bool // to be completed after it was created
}

var priorities = []string{"high", "medium", "low"}

const (
	vocabulary = 600
	tagCount   = 30
	// year is when the generated tasks are due: later than any reminder could come in the way.
	year = 2031
)

// words makes up a vocabulary of words of one to four syllables, as long as English ones.
func words(rng *rand.Rand) []string {
	const consonants, vowels = "bdfghklmnprstvwz", "aeiou"
	out := make([]string, vocabulary)
	for i := range out {
		for range 1 + rng.IntN(4) {
			out[i] += string(consonants[rng.IntN(len(consonants))]) + string(vowels[rng.IntN(len(vowels))])
		}
		if rng.IntN(2) == 0 {
			out[i] += string(consonants[rng.IntN(len(consonants))])
		}
	}
	return out
}

// text is n words, the first with a capital.
func text(rng *rand.Rand, vocabulary []string, n int) string {
	parts := make([]string, n)
	for i := range parts {
		parts[i] = vocabulary[rng.IntN(len(vocabulary))]
	}
	s := strings.Join(parts, " ")
	return strings.ToUpper(s[:1]) + s[1:]
}

// drafts makes n tasks, the same ones for the same seed: spread over a year, each with two tags, three of ten completed.
func drafts(n int, seed uint64) []draft {
	rng := rand.New(rand.NewPCG(seed, 1))
	vocabulary := words(rng)
	out := make([]draft, n)
	for i := range out {
		due := time.Date(year, 1, 1, 0, rng.IntN(365*24*60), 0, 0, time.UTC)
		out[i] = draft{
			Title: text(rng, vocabulary, 3+rng.IntN(4)), Description: text(rng, vocabulary, 8+rng.IntN(16)),
			Priority: priorities[rng.IntN(3)], Due: due.Format(time.RFC3339), done: rng.IntN(10) < 3,
			Tags: []string{tag(rng.IntN(tagCount / 2)), tag(tagCount/2 + rng.IntN(tagCount/2))},
		}
	}
	return out
}

func tag(n int) string { return fmt.Sprintf("tag-%02d", n) }

// call makes one request on a connection of its own and decodes the answer into out, unless nil.
func (d *docket) call(ctx context.Context, u user, method, path string, in, out any) (reply, error) {
	c, err := dial(ctx, d.addr)
	if err != nil {
		return reply{}, err
	}
	defer c.Close()
	c.keep = true
	var body []byte
	if in != nil {
		if body, err = json.Marshal(in); err != nil {
			return reply{}, err
		}
	}
	res, err := c.do(request(method, path, u.token, body))
	if err == nil && out != nil {
		err = json.Unmarshal(res.body, out)
	}
	return res, err
}

// users makes n new users.
func (d *docket) users(ctx context.Context, n int) ([]user, error) {
	out := make([]user, n)
	err := parallel(16, n, func(i int) error {
		var answer struct {
			Token string `json:"token"`
		}
		in := map[string]string{"name": fmt.Sprintf("user-%s-%d", time.Now().Format("150405.000000"), i), "time_zone": "Europe/Berlin"}
		_, err := d.call(ctx, d.owner, http.MethodPost, "/api/users", in, &answer)
		out[i].token = answer.Token
		return err
	})
	return out, err
}

// parallel calls fn for 0 to n-1 by so many goroutines and returns the first error.
func parallel(workers, n int, fn func(i int) error) error {
	var next atomic.Int64
	var all sync.WaitGroup
	var mu sync.Mutex
	var errs error
	for range min(workers, n) {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				if err := fn(i); err != nil {
					mu.Lock()
					errs = errors.Join(errs, err)
					mu.Unlock()
					next.Store(int64(n))
				}
			}
		})
	}
	all.Wait()
	return errs
}

// batchSize is how many changes the API takes at once.
const batchSize = 200

type change struct {
	Op   string `json:"op"`
	ID   string `json:"id,omitempty"`
	Body any    `json:"body,omitempty"`
}

// create makes the tasks of one user, completes those that are to be, and returns their ids.
func (d *docket) create(ctx context.Context, u user, tasks []draft) ([]string, error) {
	ids := make([]string, len(tasks))
	err := parallel(4, (len(tasks)+batchSize-1)/batchSize, func(i int) error {
		from, to := i*batchSize, min((i+1)*batchSize, len(tasks))
		made := make([]change, 0, to-from)
		for _, t := range tasks[from:to] {
			made = append(made, change{Op: "create", Body: t})
		}
		if err := d.batch(ctx, u, made, ids[from:to]); err != nil {
			return err
		}
		var completed []change
		for n := from; n < to; n++ {
			if tasks[n].done {
				completed = append(completed, change{Op: "complete", ID: ids[n]})
			}
		}
		if len(completed) == 0 {
			return nil
		}
		return d.batch(ctx, u, completed, make([]string, len(completed)))
	})
	return ids, err
}

// batch carries out changes, all of which have to succeed, and notes the ids of their tasks.
func (d *docket) batch(ctx context.Context, u user, changes []change, ids []string) error {
	var answer struct {
		Results []struct {
			Status int                 `json:"status"`
			Task   struct{ ID string } `json:"task"`
			Error  json.RawMessage     `json:"error"`
		} `json:"results"`
	}
	if _, err := d.call(ctx, u, http.MethodPost, "/api/tasks/batch", map[string]any{"changes": changes}, &answer); err != nil {
		return err
	}
	for i, r := range answer.Results {
		if r.Status >= 300 {
			return fmt.Errorf("%s: status %d: %s", changes[i].Op, r.Status, r.Error)
		}
		ids[i] = r.Task.ID
	}
	return nil
}

// audited waits until the audit log has every event of the user's list up to version, and tells whether it had it at once.
func (d *docket) audited(ctx context.Context, u user, version int64) (atOnce bool, err error) {
	c, err := dial(ctx, d.addr)
	if err != nil {
		return false, err
	}
	defer c.Close()
	ask := request(http.MethodGet, "/api/audit?limit=1", u.token, nil)
	atOnce = true
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); atOnce = false {
		res, err := c.do(ask)
		if err != nil || res.listVersion >= version {
			return atOnce, err
		}
		if err := pause(ctx, time.Millisecond); err != nil {
			return false, err
		}
	}
	return false, fmt.Errorf("the audit log has not reached version %d", version)
}
