package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/docket-tasks/docket/services/notification"
	"github.com/docket-tasks/docket/task"
)

// world is one data folder, the docket that serves it, and all that its clients have done.
type world struct {
	options
	dir       string
	tally     *tally
	rand      *rand.Rand
	crowd     *crowd
	ledger    *ledger
	histories []*history
	data      store
	server    *server // nil behind Dapr
	// shared: others use this docket too, so that the first user's list is not this run's alone.
	shared bool
	api    *api
}

// store is what a run asks of the data themselves, past every service.
type store interface {
	// sent are the ids of the reminders that were sent.
	sent(ctx context.Context) (ids map[string]bool, err error)
	// check returns a violation where something is in the data that must not be, a dead letter above all.
	check(ctx context.Context) error
}

// otherUsers is how many users there are besides the first.
const otherUsers = 8

// newWorld starts docket on a new folder and makes its users.
func newWorld(ctx context.Context, o options, dir string, wave time.Duration, t *tally) (*world, error) {
	w := &world{options: o, dir: dir, tally: t, data: folder{o.binary, dir}}
	if err := w.spawn(ctx, ""); err != nil {
		return nil, err
	}
	if err := w.server.serving(o.patience); err != nil {
		return nil, err
	}
	return w, w.populate(ctx, w.server.url, filepath.Join(dir, "owner.token"), wave)
}

// populate makes the users of a docket that has just been started for the first time, and the clients that write for them.
func (w *world) populate(ctx context.Context, url, tokenFile string, wave time.Duration) error {
	w.ledger, w.rand = newLedger(), rand.New(rand.NewPCG(w.seed, 2))
	w.api = &api{url: url, http: &http.Client{Timeout: w.patience, Transport: &http.Transport{MaxIdleConnsPerHost: 2 * w.clients}}}
	token, err := os.ReadFile(tokenFile)
	if err != nil {
		return err
	}
	owner := &user{token: strings.TrimSpace(string(token))}
	if _, err := w.api.ask(ctx, owner.token, http.MethodPatch, "/api/me", []byte(`{"time_zone":"Europe/Berlin"}`), owner); err != nil {
		return err
	}
	users := []*user{owner}
	if w.shared {
		users = nil
	}
	for i := range otherUsers {
		var made struct {
			User  user   `json:"user"`
			Token string `json:"token"`
		}
		body := encode(map[string]string{"name": fmt.Sprintf("user-%d-%d", w.seed, i), "time_zone": "America/New_York"})
		if _, err := w.api.ask(ctx, owner.token, http.MethodPost, "/api/users", body, &made); err != nil {
			return err
		}
		made.User.token = made.Token
		users = append(users, &made.User)
	}
	for _, u := range users {
		if u.zone, err = time.LoadLocation(u.Zone); err != nil {
			return err
		}
	}
	w.crowd = &crowd{users: users, clients: w.clients, wave: wave, ledger: w.ledger, rand: rand.New(rand.NewPCG(w.seed, 3)), known: map[*user][]string{}}
	w.forget()
	return nil
}

// forget lets the next verification read the whole history anew.
func (w *world) forget() {
	w.histories = nil
	for _, u := range w.crowd.users {
		w.histories = append(w.histories, newHistory(u))
	}
}

func (w *world) spawn(ctx context.Context, failpoint string) (err error) {
	w.server, err = spawn(ctx, w.binary, w.dir, failpoint)
	return err
}

// start starts docket and waits for its first answer.
func (w *world) start(ctx context.Context, failpoint string) error {
	if err := w.spawn(ctx, failpoint); err != nil {
		return err
	}
	if err := w.server.serving(w.patience); err != nil {
		return err
	}
	w.api.url = w.server.url
	var me json.RawMessage
	_, err := w.api.get(ctx, w.crowd.users[0].token, "/api/me", &me)
	return err
}

// kill ends docket now.
func (w *world) kill() {
	w.server.kill()
	w.tally.killed()
}

// killDuring kills docket after a random time of up to limit, while do runs. It must not end before that.
func (w *world) killDuring(limit time.Duration, do func()) error {
	time.AfterFunc(time.Duration(w.rand.Int64N(int64(limit))), w.server.kill)
	do()
	<-w.server.gone
	if !w.server.killed.Load() {
		return violation{kind: "end", detail: fmt.Sprintf("docket ended by itself, with code %d: see its log", w.server.cmd.ProcessState.ExitCode())}
	}
	w.tally.killed()
	return nil
}

// recover starts docket after a kill and verifies what has become of everything. One in four times it is killed
// once more while it starts.
func (w *world) recover(ctx context.Context) error {
	if w.rand.IntN(4) == 0 {
		if err := w.spawn(ctx, ""); err != nil {
			return err
		}
		var err error
		if early := w.killDuring(150*time.Millisecond, func() { err = w.server.serving(w.patience) }); early != nil {
			return early
		}
		if err != nil && !errors.Is(err, errGone) {
			return err
		}
	}
	if err := w.start(ctx, ""); err != nil {
		return fmt.Errorf("start after a kill: %w", err)
	}
	w.tally.recovered(time.Since(w.server.began))
	for _, r := range w.ledger.open() { // what nobody knows of is asked for again: it gives one task
		w.crowd.send(ctx, w.api, r)
	}
	if _, err := w.verify(ctx); err != nil {
		return err
	}
	w.meet()
	return nil
}

// verify looks again and again until nothing is wrong, or something is that cannot come right any more, or settle
// ends. It tells when the next reminder is due, the zero time where none is.
func (w *world) verify(ctx context.Context) (next time.Time, err error) {
	timeout := time.After(w.settle)
	tick := time.NewTicker(40 * time.Millisecond)
	defer tick.Stop()
	for {
		var wrong violations
		next, wrong, err = w.look(ctx)
		if err != nil {
			return next, err
		}
		if len(wrong) == 0 {
			break
		}
		if wrong.certain() {
			return next, wrong
		}
		select {
		case <-tick.C:
		case <-timeout:
			return next, wrong
		case <-ctx.Done():
			return next, ctx.Err()
		}
	}
	for _, h := range w.histories {
		wrong, err := h.compare(ctx, w.api)
		if err != nil {
			return next, err
		}
		if len(wrong) > 0 {
			return next, violations(wrong)
		}
	}
	return next, w.data.check(ctx)
}

// look verifies once.
func (w *world) look(ctx context.Context) (next time.Time, wrong violations, err error) {
	w.crowd.mu.Lock()
	wrong = append(wrong, w.crowd.wrong...)
	w.crowd.mu.Unlock()
	for _, h := range w.histories {
		behind, err := h.read(ctx, w.api)
		if err != nil {
			return next, nil, err
		}
		if behind != "" {
			wrong = append(wrong, violation{kind: "lost event", detail: behind, pending: true})
		}
	}
	if len(wrong) > 0 {
		return next, wrong, nil
	}
	now := time.Now()
	var inboxes [][]notification.InboxItem
	for _, h := range w.histories {
		items, err := inbox(ctx, w.api, h.user)
		if err != nil {
			return next, nil, err
		}
		inboxes = append(inboxes, items)
	}
	sent, err := w.data.sent(ctx) // after the inboxes: what is there was sent before
	if err != nil {
		return next, nil, err
	}
	made, kept := 0, 0
	for i, h := range w.histories {
		wrong = append(wrong, verifyLedger(w.ledger, h)...)
		n, bad := verifyOccurrences(h)
		made, wrong = made+n, append(wrong, bad...)
		at, bad := verifyReminders(expect(h), inboxes[i], sent, now)
		kept, wrong = kept+len(inboxes[i]), append(wrong, bad...)
		if !at.IsZero() && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	w.tally.saw(w.dir, w.ledger, w.histories, made, kept)
	return next, wrong, nil
}

// meet lets the clients know tasks that services have made, and forget what is long gone.
func (w *world) meet() {
	for _, h := range w.histories {
		for _, c := range h.changes[max(0, len(h.changes)-2*knownTasks):] {
			if c.byService() && c.after.Status == task.Pending {
				w.crowd.learn(h.user, c.TaskID)
			}
		}
	}
}

// stopTime is how long docket may take after SIGTERM: the 10 s that it promises, and some for a busy machine.
const stopTime = 15 * time.Second

// horizon is how long the last verification waits for reminders that are still to come.
const horizon = 5 * time.Second

// finish waits for the reminders that are near, verifies everything once more from the first event on, and stops
// docket as an operator does.
func (w *world) finish(ctx context.Context) error {
	end := time.Now().Add(horizon)
	for {
		next, err := w.verify(ctx)
		if err != nil {
			return err
		}
		if next.IsZero() || next.After(end) {
			break
		}
		select {
		case <-time.After(time.Until(next)):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	w.forget()
	if _, err := w.verify(ctx); err != nil {
		return err
	}
	for _, h := range w.histories {
		if wrong := h.replay(); len(wrong) > 0 {
			return violations(wrong)
		}
	}
	if err := w.server.terminate(stopTime); err != nil {
		return err
	}
	return w.data.check(ctx)
}
