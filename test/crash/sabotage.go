package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
)

// sabotage is damage to the data between a kill and the start after it: what a docket would do that cannot recover.
type sabotage struct {
	// before is done while docket does not run, before the load that ends with the kill; after is done after it.
	before, after func(ctx context.Context, w *world) error
	// step is where the kill is; empty: at a random moment.
	step string
}

// sabotages by name.
var sabotages = map[string]sabotage{
	// An entry of the audit log is lost. (The last one would come back: its delivery is not noted before it is durable.)
	"audit": {after: damage(`DELETE FROM state WHERE key = (SELECT key FROM state WHERE key LIKE 'audit/audit/%' ORDER BY rev LIMIT 1)`)},
	// Messages that were not delivered are forgotten.
	"log": {step: "deliver: before the handler", after: damage(`DELETE FROM log WHERE topic = 'task-events'
		AND seq > (SELECT low FROM groups WHERE name = 'audit/task-events')
		AND NOT EXISTS (SELECT 1 FROM state WHERE key LIKE 'audit/audit/%' AND instr(value, log.id))`)},
	// Jobs are forgotten.
	"jobs": {after: damage(`DELETE FROM jobs WHERE key LIKE 'backend/r-%'`)},
	// Acknowledged commits were not durable.
	"commits": {before: keepCopy, after: putBack},
	// A commit is half there: a task is not what its event says.
	"half": {after: damage(`UPDATE state SET value = CAST(replace(CAST(value AS TEXT), '"priority":"medium"', '"priority":"low"') AS BLOB)
		WHERE key = (SELECT key FROM state WHERE key LIKE 'backend/task/%' ORDER BY rev DESC LIMIT 1)`)},
	// A reminder's row is forgotten, and with it that the reminder was sent.
	"reminder": {after: damage(`DELETE FROM state WHERE key = (SELECT key FROM state WHERE key LIKE 'backend/reminder/%' LIMIT 1)`)},
	// A message became a dead letter.
	"dead": {after: func(ctx context.Context, w *world) error { return w.poison(ctx) }},
}

func sabotageNames() string { return strings.Join(slices.Sorted(maps.Keys(sabotages)), ", ") }

// sabotageOf returns the damage of that name, nil for none.
func sabotageOf(name string) (*sabotage, error) {
	s, ok := sabotages[name]
	switch {
	case name == "":
		return nil, nil
	case !ok:
		return nil, fmt.Errorf("-sabotage %q: choose one of %s", name, sabotageNames())
	}
	return &s, nil
}

// errUnharmed says that there was nothing to damage.
var errUnharmed = errors.New("the kill left nothing to damage")

// damage is a statement that has to change something.
func damage(statement string) func(context.Context, *world) error {
	return func(ctx context.Context, w *world) error {
		n, err := alter(ctx, w.dir, statement)
		if err == nil && n == 0 {
			err = errUnharmed
		}
		return err
	}
}

// keepCopy keeps a copy of the data folder as it is now.
func keepCopy(_ context.Context, w *world) error {
	if err := os.CopyFS(w.dir+".copy", os.DirFS(w.dir)); err != nil {
		return fmt.Errorf("copy the data: %w", err)
	}
	return nil
}

// putBack makes that copy the data.
func putBack(_ context.Context, w *world) error {
	if err := os.RemoveAll(w.dir); err != nil {
		return err
	}
	return os.Rename(w.dir+".copy", w.dir)
}

// kills is how often a sabotage may need a kill that leaves something to damage.
const kills = 30

// damaged is some load, a kill, the damage, and the recovery: it must not succeed.
func (w *world) damaged(ctx context.Context, s sabotage) error {
	w.load(ctx)
	for range kills {
		if s.before != nil {
			w.kill()
			if err := s.before(ctx, w); err != nil {
				return err
			}
			if err := w.start(ctx, ""); err != nil {
				return err
			}
		}
		if s.step == "" {
			w.load(ctx)
			w.kill()
		} else if err := w.killAt(ctx, s.step); err != nil {
			return err
		}
		err := s.after(ctx, w)
		if err != nil && !errors.Is(err, errUnharmed) {
			return err
		}
		if err := w.recover(ctx); err != nil {
			return err
		}
		if err == nil {
			return w.finish(ctx)
		}
	}
	return errUnharmed
}

// load lets the clients write for a while.
func (w *world) load(ctx context.Context) {
	working, stop := context.WithTimeout(ctx, longest)
	defer stop()
	w.crowd.work(working, w.server.gone, w.api)
}
