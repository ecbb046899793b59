package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// runner is one run: a world for most rounds, and small ones for steps that take long to come.
type runner struct {
	options
	dir    string
	damage *sabotage
	tally  *tally
	rand   *rand.Rand
}

// wave is the pace of the clients: some thousand requests a second with 64 of them.
const wave = 60 * time.Millisecond

// all runs every round.
func (r *runner) all(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	w, err := newWorld(ctx, r.options, filepath.Join(r.dir, "data"), wave, r.tally)
	if err != nil {
		return err
	}
	if r.damage != nil {
		return w.damaged(ctx, *r.damage)
	}
	var aside sync.WaitGroup
	for i, step := range steps(byExpiry) {
		aside.Go(func() {
			if err := r.slow(ctx, fmt.Sprint("aside-", i), step); err != nil {
				cancel(fmt.Errorf("killed at %q: %w", step, err))
			}
		})
	}
	if err := r.rounds(ctx, w); err != nil {
		cancel(err) // unless another one came first
	}
	aside.Wait()
	return context.Cause(ctx)
}

// rounds are a half at random moments and a half at the steps, each of which comes at least once.
func (r *runner) rounds(ctx context.Context, w *world) error {
	plan := make([]string, (r.options.rounds+1)/2) // "": at a random moment
	all := steps(byLoad, byFullDisk, byPoison, byTerm)
	for i := range max(r.options.rounds/2, len(all)) {
		plan = append(plan, all[i%len(all)])
	}
	r.rand.Shuffle(len(plan), func(i, j int) { plan[i], plan[j] = plan[j], plan[i] })
	for i, step := range plan {
		where := "at a random moment"
		if step != "" {
			where = fmt.Sprintf("at %q", step)
		}
		began := time.Now()
		if err := w.round(ctx, step); err != nil {
			return fmt.Errorf("round %d, killed %s: %w", i+1, where, err)
		}
		fmt.Fprintf(r.out, "round %d of %d: killed %s (%.1f s)\n", i+1, len(plan), where, time.Since(began).Seconds())
	}
	if err := w.finish(ctx); err != nil {
		return fmt.Errorf("final verification: %w", err)
	}
	return nil
}

// longest is the longest time of load before a random kill.
const longest = 1500 * time.Millisecond

// round is load, a kill, and the recovery from it.
func (w *world) round(ctx context.Context, step string) error {
	w.tally.round()
	if err := w.killSome(ctx, step); err != nil {
		return err
	}
	return w.recover(ctx)
}

// killSome lets clients write and docket be killed meanwhile: at the step, or at a random moment where that is empty.
func (w *world) killSome(ctx context.Context, step string) error {
	if step != "" {
		return w.killAt(ctx, step)
	}
	return w.killDuring(longest, func() { w.crowd.work(ctx, w.server.gone, w.api) })
}

// slow is a world of a few clients that is killed at a step which takes its time.
func (r *runner) slow(ctx context.Context, name, step string) error {
	o := r.options
	o.clients, o.seed = 4, o.seed+1
	w, err := newWorld(ctx, o, filepath.Join(r.dir, name), time.Second, r.tally)
	if err != nil {
		return err
	}
	if err := w.round(ctx, step); err != nil {
		return err
	}
	return w.finish(ctx)
}

// tally counts what a run has seen, over all its worlds.
type tally struct {
	mu             sync.Mutex
	rounds, kills  int
	hits           map[string]int
	slowest, total time.Duration
	recoveries     int
	worlds         map[string]figures
}

// figures are those of one world at its last verification.
type figures struct{ acked, refused, unknown, changes, occurrences, reminders int }

func newTally() *tally { return &tally{hits: map[string]int{}, worlds: map[string]figures{}} }

func (t *tally) do(f func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f()
}

func (t *tally) round()          { t.do(func() { t.rounds++ }) }
func (t *tally) killed()         { t.do(func() { t.kills++ }) }
func (t *tally) hit(step string) { t.do(func() { t.kills++; t.hits[step]++ }) }

func (t *tally) recovered(took time.Duration) {
	t.do(func() {
		t.recoveries++
		t.total += took
		t.slowest = max(t.slowest, took)
	})
}

func (t *tally) saw(world string, l *ledger, histories []*history, occurrences, reminders int) {
	var f figures
	f.acked, f.refused, f.unknown = l.counts()
	f.occurrences, f.reminders = occurrences, reminders
	for _, h := range histories {
		f.changes += len(h.changes)
	}
	t.do(func() { t.worlds[world] = f })
}

// print writes the counts, and for each step of the host how often docket was killed at it, or where else it is.
func (t *tally) print(out io.Writer, took time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var f figures
	for _, w := range t.worlds {
		f.acked, f.refused, f.unknown = f.acked+w.acked, f.refused+w.refused, f.unknown+w.unknown
		f.changes, f.occurrences, f.reminders = f.changes+w.changes, f.occurrences+w.occurrences, f.reminders+w.reminders
	}
	fmt.Fprintf(out, "%d rounds with %d kills in %.0f s\n", t.rounds, t.kills, took.Seconds())
	fmt.Fprintf(out, "requests: %d acknowledged, %d refused, %d without an answer that counts\n", f.acked, f.refused, f.unknown)
	fmt.Fprintf(out, "history: %d changes, %d of them occurrences made; %d reminders\n", f.changes, f.occurrences, f.reminders)
	if t.recoveries > 0 {
		fmt.Fprintf(out, "from start to the first answer: %.2f s on average, %.2f s at worst\n", (t.total / time.Duration(t.recoveries)).Seconds(), t.slowest.Seconds())
	}
	for _, step := range slices.Concat(steps(byLoad, byFullDisk, byPoison, byTerm, byExpiry), steps(elsewhere)) {
		if wayTo(step) == elsewhere {
			fmt.Fprintf(out, "  not here, see %s: %s\n", covered, step)
		} else {
			fmt.Fprintf(out, "%4d killed at %s\n", t.hits[step], step)
		}
	}
}
