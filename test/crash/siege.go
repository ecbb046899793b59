package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"
)

// siege is a docket whose parts go away one after the other while clients write, and which is never started anew as a whole.
type siege struct {
	*world
	// outages are the longest times without an acknowledged change, by what was down.
	outages map[string]time.Duration
	kills   map[string]int
}

func newSiege(w *world) *siege {
	return &siege{world: w, outages: map[string]time.Duration{}, kills: map[string]int{}}
}

// under lets the clients write while do runs, until changes are acknowledged again; then everything is verified.
func (s *siege) under(ctx context.Context, name string, do func() error) error {
	s.tally.round()
	working, stop := context.WithCancel(ctx)
	defer stop()
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.crowd.work(working, nil, s.api)
	}()
	err := do()
	if err == nil {
		err = s.serving(ctx)
	}
	stop()
	<-done
	if err != nil {
		return err
	}
	s.kills[name]++
	s.outages[name] = max(s.outages[name], s.ledger.outage())
	for _, r := range s.ledger.open() { // what nobody knows of is asked for again: it gives one task
		s.crowd.send(ctx, s.api, r)
	}
	if err := s.verified(ctx); err != nil {
		return err
	}
	s.meet()
	return nil
}

// serving waits until a change is acknowledged that began after this. After a long outage of the broker that takes its time: a
// thousand commits of each replica are to be published, those of one list one after the other.
func (s *siege) serving(ctx context.Context) error {
	acks, _, _ := s.ledger.counts()
	limit := 3 * s.patience
	for end := time.Now().Add(limit); time.Now().Before(end); {
		if now, _, _ := s.ledger.counts(); now > acks+s.clients {
			return nil
		}
		if err := wait(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
	return violation{kind: "outage", detail: fmt.Sprintf("no change is acknowledged %s after everything runs again", limit)}
}

// verified is verify, which may meet services that are just coming back.
func (s *siege) verified(ctx context.Context) error {
	limit := time.Now().Add(s.settle)
	for {
		_, err := s.verify(ctx)
		_, many := errors.AsType[violations](err)
		_, one := errors.AsType[violation](err)
		if err == nil || many || one || time.Now().After(limit) {
			return err
		}
		if err := wait(ctx, 200*time.Millisecond); err != nil {
			return err
		}
	}
}

// finally verifies everything once more from the first event on, and that replaying it gives every task as it is.
func (s *siege) finally(ctx context.Context) error {
	s.forget()
	if err := s.verified(ctx); err != nil {
		return fmt.Errorf("final verification: %w", err)
	}
	for _, h := range s.histories {
		if wrong := h.replay(); len(wrong) > 0 {
			return violations(wrong)
		}
	}
	return nil
}

// print writes the counts, and the longest outage of each kind.
func (s *siege) print(out io.Writer, took time.Duration) {
	acked, refused, unknown := s.ledger.counts()
	changes, occurrences, reminders := 0, 0, 0
	for _, h := range s.histories {
		changes += len(h.changes)
	}
	for _, f := range s.tally.worlds {
		occurrences, reminders = f.occurrences, f.reminders
	}
	total := 0
	for _, n := range s.kills {
		total += n
	}
	fmt.Fprintf(out, "%d kills and stops in %.0f s\n", total, took.Seconds())
	fmt.Fprintf(out, "requests: %d acknowledged, %d refused, %d without an answer that counts\n", acked, refused, unknown)
	fmt.Fprintf(out, "history: %d changes, %d of them occurrences made; %d reminders\n", changes, occurrences, reminders)
	fmt.Fprintln(out, "longest time without an acknowledged change, while something was away:")
	for _, name := range slices.Sorted(maps.Keys(s.outages)) {
		fmt.Fprintf(out, "%4d × %-40s %6.2f s\n", s.kills[name], name, s.outages[name].Seconds())
	}
}
