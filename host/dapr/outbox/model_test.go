package outbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/docket-tasks/docket/host"
)

// The model check runs the protocol itself, not a copy of it, with several replicas on one store and broker, and decides
// at each step which of the calls under way takes effect, which fails before or after it did, which takes effect much
// later, which process dies, and whether time passes meanwhile.

const modelLease = 15 * time.Second

// scenario is what the replicas are to do, and how much may go wrong.
type scenario struct {
	name     string
	replicas int
	slots    int
	window   int
	commits  []int // the replica of each commit; those of one replica have one key and begin in this order
	faults   int
	crashes  int
	ticks    int // how often time may pass while calls are under way
	blind    bool
	voidless bool
	// namesakes share their instance, as the processes of one replica do; here they live at once.
	namesakes bool
}

// run is one history of a scenario.
type run struct {
	scenario
	w        *world
	choose   func(step, alternatives int) int
	steps    int
	replicas []*replica
	fates    []fate
	reborn   bool
	noted    bool // the history is written down
	log      []string
}

type replica struct {
	box    *Outbox
	cancel context.CancelFunc
}

// fate is what a client was told of its commit.
type fate struct {
	answered bool
	err      error
}

// play runs one history to its end and returns what was wrong with it. One that went wrong is played again to write it down.
func (s scenario) play(t *testing.T, choose func(step, alternatives int) int) (wrong []string, history []string) {
	var chosen []int
	wrong, _ = s.playOnce(t, false, func(step, n int) int {
		c := choose(step, n)
		chosen = append(chosen, c)
		return c
	})
	if wrong == nil {
		return nil, nil
	}
	_, history = s.playOnce(t, true, func(step, n int) int {
		if step < len(chosen) {
			return min(chosen[step], n-1)
		}
		return 0
	})
	return wrong, history
}

func (s scenario) playOnce(t *testing.T, noted bool, choose func(step, alternatives int) int) (wrong []string, history []string) {
	synctest.Test(t, func(t *testing.T) {
		r := &run{scenario: s, w: newWorld(), choose: choose, fates: make([]fate, len(s.commits)), noted: noted}
		defer r.end()
		r.begin(s.replicas)
		r.explore()
		r.heal()
		if len(r.w.flying) > 0 {
			r.land()
			r.heal()
		}
		wrong, history = r.verdict(), r.log
	})
	return wrong, history
}

// begin starts the replicas, one after the other, and their clients.
func (r *run) begin(replicas int) {
	for range replicas {
		r.start()
		r.settle()
	}
	for i, by := range r.commits {
		go r.client(i, r.replicas[by].box)
		synctest.Wait() // so that the numbers of one replica are in the order of its commits
	}
}

func (r *run) start() {
	n := len(r.replicas)
	ctx, cancel := context.WithCancel(context.Background())
	st := &store{world: r.w, replica: n, blind: r.blind, voidless: r.voidless}
	rep := &replica{cancel: cancel}
	r.replicas = append(r.replicas, rep)
	opened := make(chan struct{})
	go func() {
		defer close(opened)
		instance := ""
		if r.namesakes {
			instance = fmt.Sprint("instance ", n%2)
		}
		box, err := Open(ctx, Config{Instance: instance, Store: st, Carrier: st, Owner: fmt.Sprint("replica ", n), Slots: r.slots, Window: r.window,
			Lease: modelLease, Logger: slog.New(slog.DiscardHandler)})
		if err == nil {
			rep.box = box
		}
	}()
	for {
		r.settle()
		select {
		case <-opened:
			return
		default:
			time.Sleep(modelLease / 10)
		}
	}
}

func (r *run) client(i int, box *Outbox) {
	id := fmt.Sprint("c", i)
	err := box.Commit(context.Background(), []host.Op{host.Create("effect/"+id, nil)}, []host.Message{{Topic: "t", Key: fmt.Sprint(r.commits[i]), ID: id}}, nil)
	r.w.mu.Lock()
	defer r.w.mu.Unlock()
	r.fates[i] = fate{true, err}
}

// settle lets every call happen until there is none.
func (r *run) settle() {
	for synctest.Wait(); ; synctest.Wait() {
		calls := r.w.waiting()
		if len(calls) == 0 {
			return
		}
		r.happen(calls[0])
	}
}

func (r *run) note(format string, args ...any) {
	if r.noted {
		r.log = append(r.log, fmt.Sprintf(format, args...))
	}
}

func (r *run) happen(c *call) {
	r.w.take(c)
	r.w.mu.Lock()
	err := c.effect()
	r.w.mu.Unlock()
	r.note("%d: %s → %v", c.replica, c.label, err)
	c.answer <- err
}

// action is something that can happen next.
type action struct {
	do     func()
	budget *int // what it is taken from; nil where it is free
}

// maxSteps ends the exploration of a history; what is under way then goes well.
const maxSteps = 40

// explore makes one choice after the other until all is quiet. The first alternative is always that the oldest call goes well.
func (r *run) explore() {
	for synctest.Wait(); r.steps < maxSteps; synctest.Wait() {
		actions := r.actions()
		if len(actions) == 0 {
			return
		}
		a := actions[r.choose(r.steps, len(actions))]
		r.steps++
		if a.budget != nil {
			*a.budget--
		}
		a.do()
	}
}

func (r *run) actions() (all []action) {
	calls := r.w.waiting()
	for _, c := range calls {
		all = append(all, action{do: func() { r.happen(c) }})
	}
	if len(calls) > 0 && r.ticks > 0 {
		all = append(all, action{func() { r.note("time passes"); time.Sleep(modelLease * 11 / 10) }, &r.ticks})
	}
	if len(calls) == 0 {
		if r.ticks == 0 {
			return nil
		}
		all = append(all, action{func() { r.note("time passes"); time.Sleep(modelLease * 11 / 10) }, &r.ticks})
	}
	if r.faults > 0 {
		for _, c := range calls {
			if c.broken != nil {
				all = append(all, action{func() { c.effect = c.broken; r.happen(c) }, &r.faults})
			}
			if c.writes {
				all = append(all, action{func() { r.lose(c, true) }, &r.faults}, action{func() { r.lose(c, false) }, &r.faults})
			}
		}
	}
	for _, c := range r.w.flying {
		all = append(all, action{do: func() { r.landOne(c) }})
	}
	if r.crashes > 0 {
		for n := range r.replicas {
			if !r.w.dead[n] {
				all = append(all, action{func() { r.crash(n) }, &r.crashes})
			}
		}
	}
	return all
}

// lose answers a call with an error that says nothing: it has taken effect, or is still on its way.
func (r *run) lose(c *call, effect bool) {
	r.w.take(c)
	r.w.mu.Lock()
	if effect {
		_ = c.effect()
	} else {
		r.w.flying = append(r.w.flying, c)
	}
	r.w.mu.Unlock()
	r.note("%d: %s → lost, effect %t", c.replica, c.label, effect)
	c.answer <- errLost
}

func (r *run) landOne(c *call) {
	r.w.mu.Lock()
	defer r.w.mu.Unlock()
	r.w.flying = slices.DeleteFunc(r.w.flying, func(o *call) bool { return o == c })
	r.note("%d: %s lands late → %v", c.replica, c.label, c.effect())
}

// land lets everything that was taken for lost arrive after all.
func (r *run) land() {
	for len(r.w.flying) > 0 {
		r.landOne(r.w.flying[0])
	}
}

// crash is kill -9: what the process has sent may still arrive, all else is gone.
func (r *run) crash(n int) {
	r.note("%d: crashes", n)
	r.w.mu.Lock()
	r.w.dead[n] = true
	for _, c := range r.w.calls {
		if c.replica == n && c.writes {
			r.w.flying = append(r.w.flying, c)
		}
	}
	r.w.mu.Unlock()
	r.replicas[n].cancel()
	r.replicas[n].box.Kill()
}

// heal lets all go well until everything must have settled. If no process lives any more, one is started.
func (r *run) heal() {
	r.note("healing")
	if len(r.w.dead) == len(r.replicas) && !r.reborn {
		r.reborn = true
		r.start()
	}
	for range 3 { // the first sees a dead owner's slot, the second recovers it
		r.settle()
		time.Sleep(modelLease * 11 / 10)
	}
	r.settle()
}

// verdict tells which of the invariants does not hold.
func (r *run) verdict() []string {
	r.w.mu.Lock()
	defer r.w.mu.Unlock()
	wrong := r.w.wrong
	for i, f := range r.fates {
		id := fmt.Sprint("c", i)
		out := slices.Contains(r.w.published, id)
		switch {
		case f.answered && f.err == nil && !r.w.happened[id]:
			wrong = append(wrong, id+" was acknowledged and has not happened")
		case r.w.happened[id] && !out:
			wrong = append(wrong, id+" has happened and was not published")
		case f.answered && f.err != nil && !errors.Is(f.err, host.ErrUnknown) && !errors.Is(f.err, errDead) && r.w.happened[id]:
			wrong = append(wrong, fmt.Sprintf("%s was reported as not happened (%v) and has happened", id, f.err))
		case !f.answered && !r.w.dead[r.commits[i]]:
			wrong = append(wrong, id+" was never answered")
		}
		for k := range i {
			if before := fmt.Sprint("c", k); r.commits[k] == r.commits[i] && out && r.w.happened[before] &&
				slices.Index(r.w.published, before) > slices.Index(r.w.published, id) {
				wrong = append(wrong, fmt.Sprintf("%s, of the same key, was published before %s", id, before))
			}
		}
	}
	return wrong
}

func (r *run) end() {
	for n, rep := range r.replicas {
		rep.cancel()
		if rep.box != nil && !r.w.dead[n] {
			rep.box.Kill()
		}
	}
}

// exhaust plays every history that differs in at most deviations choices from the one in which every call goes well as soon as
// it is made, and returns how many there were and the first that went wrong.
func (s scenario) exhaust(t *testing.T, deviations int) (histories int, wrong, history []string) {
	var visit func(prefix []int, left int)
	visit = func(prefix []int, left int) {
		if wrong != nil {
			return
		}
		var alternatives []int
		w, h := s.play(t, func(step, n int) int {
			alternatives = append(alternatives, n)
			if step < len(prefix) {
				return min(prefix[step], n-1)
			}
			return 0
		})
		histories++
		if len(w) > 0 {
			wrong, history = w, h
			return
		}
		if left == 0 {
			return
		}
		for step := len(prefix); step < len(alternatives); step++ {
			for alt := 1; alt < alternatives[step]; alt++ {
				next := make([]int, step+1)
				copy(next, prefix)
				next[step] = alt
				visit(next, left-1)
			}
		}
	}
	visit(nil, deviations)
	return histories, wrong, history
}

// wander plays random histories.
func (s scenario) wander(t *testing.T, seed uint64, histories int) (wrong, history []string) {
	for i := range histories {
		rng := rand.New(rand.NewPCG(seed, uint64(i)))
		w, h := s.play(t, func(_, n int) int {
			if rng.IntN(2) == 0 {
				return 0
			}
			return rng.IntN(n)
		})
		if len(w) > 0 {
			return append(w, fmt.Sprintf("seed %d, history %d", seed, i)), h
		}
	}
	return nil, nil
}

// scenarios are explored up to a number of deviations; deep is the one for DOCKET_MODEL=deep, which takes half an hour.
var scenarios = []struct {
	scenario
	deviations, deep int
}{
	{scenario{name: "one commit", replicas: 2, slots: 2, window: 1, commits: []int{0}, faults: 1, crashes: 1, ticks: 1}, 2, 4},
	{scenario{name: "a commit each, a window of one", replicas: 2, slots: 2, window: 1, commits: []int{0, 1}, faults: 2, crashes: 1, ticks: 3}, 1, 2},
	{scenario{name: "two commits of a key", replicas: 2, slots: 3, window: 2, commits: []int{0, 0, 1}, faults: 2, crashes: 2, ticks: 3}, 1, 2},
	{scenario{name: "two recoverers", replicas: 3, slots: 3, window: 2, commits: []int{0, 1}, faults: 1, crashes: 1, ticks: 4}, 1, 2},
}

// Whatever happens in whatever order: acknowledged means published, refused means never, nothing is published of what did not
// happen, and no two owners use one window.
//
// [Task]: T020
func TestModelExhaustive(t *testing.T) {
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			deviations := s.deviations
			if os.Getenv("DOCKET_MODEL") == "deep" {
				deviations = s.deep
			}
			n, wrong, history := s.exhaust(t, deviations)
			t.Logf("%d histories", n)
			if wrong != nil {
				t.Errorf("%s\n%s", strings.Join(wrong, "\n"), strings.Join(history, "\n"))
			}
		})
	}
}

// The same with more of everything, at random.
func TestModelRandom(t *testing.T) {
	s := scenario{name: "random", replicas: 3, slots: 4, window: 4, commits: []int{0, 1, 0, 2, 1, 0}, faults: 5, crashes: 3, ticks: 6}
	seed, histories := rand.Uint64(), 500
	if os.Getenv("DOCKET_MODEL") == "deep" {
		histories = 25000
	}
	if wrong, history := s.wander(t, seed, histories); wrong != nil {
		t.Errorf("%s\n%s", strings.Join(wrong, "\n"), strings.Join(history, "\n"))
	}
	s.namesakes = true
	if wrong, history := s.wander(t, seed, histories); wrong != nil {
		t.Errorf("%s\n%s", strings.Join(wrong, "\n"), strings.Join(history, "\n"))
	}
}

// The check can fail: without recovery a crash loses a message, without the void what was reported as not happened happens.
func TestModelFindsWhatIsTakenOut(t *testing.T) {
	for name, broken := range map[string]struct {
		scenario
		want string
	}{
		"recovery": {scenario{replicas: 2, slots: 2, window: 1, commits: []int{0, 1}, crashes: 1, ticks: 3, blind: true}, "was not published"},
		"void":     {scenario{replicas: 2, slots: 2, window: 1, commits: []int{0, 1}, faults: 2, crashes: 1, ticks: 3, voidless: true}, "has happened"},
	} {
		_, wrong, _ := broken.exhaust(t, 2)
		if !slices.ContainsFunc(wrong, func(w string) bool { return strings.Contains(w, broken.want) }) {
			t.Errorf("without the %s the check finds %q, want that something %q", name, wrong, broken.want)
		}
	}
}
