package backend

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/docket-tasks/docket/event"
	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/services/backend/account"
	"github.com/docket-tasks/docket/task"
)

// scattered is a state that is as bad as its contract lets it be: a bulk read looks at one key after the other, the
// last one first, and something may happen before the very last look.
type scattered struct {
	host.State
	before func(key string)
	commit func(host.Tx) error
	// recalls lets it recall what is replaced right after, instead of nothing.
	recalls bool
}

func (s scattered) Recall(ctx context.Context, key string) (host.Item, error) {
	if !s.recalls {
		return host.Item{Key: key}, nil
	}
	it, err := s.Get(ctx, key)
	if s.before != nil {
		s.before(key)
	}
	return it, err
}

func (s scattered) GetBulk(ctx context.Context, keys []string) ([]host.Item, error) {
	items := make([]host.Item, len(keys))
	for i, key := range slices.Backward(keys) {
		if i == 0 && s.before != nil {
			s.before(key)
		}
		it, err := s.Get(ctx, key)
		if err != nil {
			return nil, err
		}
		items[i] = it
	}
	return items, nil
}

func (s scattered) Commit(ctx context.Context, tx host.Tx) error {
	if s.commit != nil {
		return s.commit(tx)
	}
	return s.State.Commit(ctx, tx)
}

// replica returns another replica's writer on the fixture's data, as seen through s.
func (f *fixture) replica(s scattered) *writer {
	s.State = f.node.Host(Name).State
	accounts := Accounts(account.Config{Now: time.Now, Logger: f.log}, host.Host{State: s})
	m := newMetrics(prometheus.NewRegistry())
	return newWriter(s, accounts, newSnapshots(s, accounts, 1<<20, m), time.Now, f.log, m)
}

var somebody = event.Actor{Kind: "user", ID: "u", Name: "u"}

// Two replicas change different fields of a task at once: neither change is lost, whatever order a bulk read looks in.
func TestReplicasAtOnceLoseNothing(t *testing.T) {
	for name, recalls := range map[string]bool{"the head is read": false, "the head is recalled": true} {
		t.Run(name, func(t *testing.T) { replicasAtOnce(t, recalls) })
	}
}

func replicasAtOnce(t *testing.T, recalls bool) {
	f := start(t)
	made := f.me.must("POST", "/api/tasks", `{"title":"x"}`)
	between := false
	w := f.replica(scattered{recalls: recalls, before: func(key string) {
		if key == headKey(f.me.user) && !between { // everything that is read together with the head has been read
			between = true
			f.me.must("PATCH", "/api/tasks/"+made.ID, `{"description":"of the first"}`)
		}
	}})
	wish := update(f.me.user, made.ID, "", task.Patch{Title: task.To("of the second")}, somebody)
	if _, _, err := w.do(t.Context(), f.me.user, wish.needs, wish.apply); err != nil {
		t.Fatal(err)
	}
	if got := f.me.must("GET", "/api/tasks/"+made.ID, ""); !between || got.Version != 3 || got.Title != "of the second" || got.Description != "of the first" {
		t.Errorf("after both changes: %+v", got)
	}
}

// behind is a state that recalls what was at a key once.
type behind struct {
	host.State
	once host.Item
}

func (b behind) Recall(context.Context, string) (host.Item, error) { return b.once, nil }

// fallBehind returns a state that recalls the head of my list as it is now.
func (f *fixture) fallBehind() behind {
	f.t.Helper()
	st := f.node.Host(Name).State
	it, err := st.Get(f.t.Context(), headKey(f.me.user))
	if err != nil {
		f.t.Fatal(err)
	}
	return behind{st, it}
}

// Settings changed by way of another replica hold for the next change and those after it, whatever this one recalls, and
// whatever it has read before.
func TestSettingsOfAnotherReplicaHold(t *testing.T) {
	t.Run("the head is recalled", func(t *testing.T) {
		f := start(t)
		f.me.must("POST", "/api/tasks", `{"title":"x"}`)
		w := f.replica(scattered{})
		w.state = f.fallBehind()
		owner := f.changeSettings()
		f.wantSettings(w, owner)
	})
	t.Run("the owner is read before the head", func(t *testing.T) {
		f := start(t)
		f.me.must("POST", "/api/tasks", `{"title":"x"}`)
		var owner account.User
		w := f.replica(scattered{before: func(key string) {
			if key == headKey(f.me.user) && owner.Version == 0 {
				owner = f.changeSettings()
			}
		}})
		f.wantSettings(w, account.User{Version: 2})
		w.state = f.node.Host(Name).State // which recalls what that change wrote
		f.wantSettings(w, owner)
	})
}

// changeSettings changes my zone and reminders and returns me.
func (f *fixture) changeSettings() (owner account.User) {
	f.t.Helper()
	changed := f.me.do("PATCH", "/api/me", `{"time_zone":"Asia/Tokyo","reminder_minutes":[45]}`)
	if err := json.Unmarshal(changed.Body.Bytes(), &owner); err != nil || owner.Version != 2 {
		f.t.Fatalf("%d %s", changed.Code, changed.Body)
	}
	return owner
}

// wantSettings creates a task by way of w and demands that it goes by the settings of changeSettings.
func (f *fixture) wantSettings(w *writer, owner account.User) {
	t := f.t
	t.Helper()
	draft := task.Draft{Title: "y"}
	if err := draft.DueDate.UnmarshalText([]byte("2036-04-01")); err != nil {
		t.Fatal(err)
	}
	wish := create(f.me.user, uuid.NewString(), draft, "", somebody)
	effects, _, err := w.do(t.Context(), f.me.user, wish.needs, wish.apply)
	if err != nil {
		t.Fatal(err)
	}
	if made := effects[0].new; !slices.Equal(made.task.ReminderMinutes, []int{45}) || made.Reminders.OwnerVersion != owner.Version {
		t.Errorf("made with reminders %v for version %d of the owner, who is at %d", made.task.ReminderMinutes, made.Reminders.OwnerVersion, owner.Version)
	}
}

// Nobody is refused because of a head that was only recalled.
func TestNobodyIsRefusedFromMemory(t *testing.T) {
	f := start(t)
	f.me.must("POST", "/api/tasks", `{"title":"x"}`)
	st := f.fallBehind()
	full, err := decodeHead(st.once)
	if err != nil {
		t.Fatal(err)
	}
	full.Live = maxLive
	st.once.Value = full.encode()
	w := f.replica(scattered{})
	w.state = st
	wish := create(f.me.user, uuid.NewString(), task.Draft{Title: "y"}, "", somebody)
	if _, version, err := w.do(t.Context(), f.me.user, wish.needs, wish.apply); err != nil || version != 2 {
		t.Errorf("list version %d, %v", version, err)
	}
}

// A change with nothing to do, since another replica has done it meanwhile, is answered with a list version that has it.
func TestNothingToDoIsAnsweredWithAVersionThatHasIt(t *testing.T) {
	f := start(t)
	made := f.me.must("POST", "/api/tasks", `{"title":"x"}`)
	between := false
	w := f.replica(scattered{before: func(key string) {
		if key == taskKey(made.ID) && !between { // the head has been read
			between = true
			f.me.do("DELETE", "/api/tasks/"+made.ID, "")
		}
	}})
	removal := remove(f.me.user, made.ID, "", somebody)
	_, version, err := w.do(t.Context(), f.me.user, removal.needs, removal.apply)
	if err != nil || !between || version != 2 {
		t.Errorf("removed once more: list version %d, %v; the first removal made version 2", version, err)
	}
}

// Where a batch cannot be committed all of it fails, also what was refused in view of a change that did not happen.
func TestNothingIsRefusedForWhatDidNotHappen(t *testing.T) {
	f := start(t)
	made := f.me.must("POST", "/api/tasks", `{"title":"x"}`)
	w := f.replica(scattered{commit: func(host.Tx) error { return host.ErrUnavailable }})
	removal := remove(f.me.user, made.ID, "", somebody)
	patch := update(f.me.user, made.ID, "", task.Patch{Title: task.To("y")}, somebody)
	changes := []*change{{ctx: t.Context(), needs: removal.needs, apply: removal.apply}, {ctx: t.Context(), needs: patch.needs, apply: patch.apply}}
	w.doAll(f.me.user, changes)
	for i, c := range changes {
		if !errors.Is(c.err, host.ErrUnavailable) {
			t.Errorf("change %d: %v", i, c.err)
		}
	}
}

// A change that loses every race is not an error of ours: the caller may try again.
func TestConflictsWithoutEnd(t *testing.T) {
	f := start(t)
	tries := 0
	w := f.replica(scattered{commit: func(host.Tx) error { tries++; return host.ErrConflict }})
	d, err := task.ParseDraft([]byte(`{"title":"x"}`))
	if err != nil {
		t.Fatal(err)
	}
	wish := create(f.me.user, "01900000-0000-7000-8000-000000000000", d, "", somebody)
	_, _, err = w.do(t.Context(), f.me.user, wish.needs, wish.apply)
	if !errors.Is(err, host.ErrConflict) || tries != maxTries {
		t.Errorf("after %d tries: %v", tries, err)
	}
}

// A rule that panics fails its own change, and no other of the batch.
func TestPanicFailsOneChange(t *testing.T) {
	f := start(t)
	made := f.me.must("POST", "/api/tasks", `{"title":"x"}`)
	w := f.replica(scattered{})
	patch := update(f.me.user, made.ID, "", task.Patch{Title: task.To("y")}, somebody)
	changes := []*change{{ctx: t.Context(), apply: func(*view) ([]effect, error) { panic("a mistake") }},
		{ctx: t.Context(), needs: patch.needs, apply: patch.apply}}
	w.doAll(f.me.user, changes)
	if changes[0].err == nil || changes[1].err != nil {
		t.Errorf("outcomes %v and %v", changes[0].err, changes[1].err)
	}
	if got := f.me.must("GET", "/api/tasks/"+made.ID, ""); got.Title != "y" {
		t.Errorf("after the batch: %+v", got)
	}
}
