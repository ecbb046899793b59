package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/docket-tasks/docket/event"
	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/host/embedded"
	"github.com/docket-tasks/docket/services/audit"
	"github.com/docket-tasks/docket/services/backend"
)

func checkCommand() *cobra.Command {
	data := env("DOCKET_DATA", "./docket-data")
	c := &cobra.Command{Use: "check", Short: "Replay the history and compare it with every task", GroupID: "server", Args: cobra.NoArgs,
		Long: `Reads the data as they are at one moment, also beside a running server, and checks that the history is
complete and that replaying it gives every task as it is. Changes nothing. Exits with 1 where something is wrong.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return check(cmd.Context(), data, cmd.OutOrStdout()) }}
	c.Flags().StringVar(&data, "data", data, "folder of the data (DOCKET_DATA)")
	return c
}

// findings is what a check has seen and what was wrong.
type findings struct {
	lists, events, tasks, waiting, dead int
	problems                            []string
}

func (f *findings) wrong(format string, args ...any) {
	f.problems = append(f.problems, fmt.Sprintf(format, args...))
}

func check(ctx context.Context, dir string, out io.Writer) (err error) {
	r, err := embedded.OpenReader(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	f := &findings{}
	if err := f.read(r); err != nil {
		return fmt.Errorf("check %s: %w", dir, err)
	}
	for _, p := range f.problems {
		fmt.Fprintln(out, p)
	}
	fmt.Fprintf(out, "%d lists, %d events (%d still on their way to audit), %d tasks, %d dead letters: ", f.lists, f.events, f.waiting, f.tasks, f.dead)
	if len(f.problems) > 0 {
		fmt.Fprintf(out, "%d problems\n", len(f.problems))
		return fmt.Errorf("history and state disagree in %d places", len(f.problems))
	}
	fmt.Fprintln(out, "history replayed equals state")
	return nil
}

func (f *findings) read(r *embedded.Reader) error {
	stored, err := f.storedTasks(r)
	if err != nil {
		return err
	}
	heads, err := f.heads(r)
	if err != nil {
		return err
	}
	histories, err := f.histories(r, heads)
	if err != nil {
		return err
	}
	for _, list := range slices.Sorted(maps.Keys(histories)) {
		f.compare(list, histories[list], stored[list], heads[list])
		delete(stored, list)
		delete(heads, list)
	}
	for list, tasks := range stored {
		f.wrong("list %s: %d tasks, and no event at all", list, len(tasks))
	}
	for list, h := range heads {
		if h.Version > 0 {
			f.wrong("list %s: at version %d, and no event at all", list, h.Version)
		}
	}
	return r.DeadLetters(func(service string, m host.Message, reason string) error {
		f.dead++
		f.wrong("dead letter of %s on %s: event %s: %s", service, m.Topic, m.ID, reason)
		return nil
	})
}

// storedTasks reads every task, by list and id.
func (f *findings) storedTasks(r *embedded.Reader) (map[string]map[string]backend.StoredTask, error) {
	stored := make(map[string]map[string]backend.StoredTask)
	err := r.Scan(backend.Name, backend.TaskPrefix, func(key string, value []byte) error {
		t, err := backend.ReadTask(key, value)
		if err != nil {
			return err
		}
		if stored[t.List] == nil {
			stored[t.List] = make(map[string]backend.StoredTask)
		}
		stored[t.List][t.ID] = t
		f.tasks++
		return nil
	})
	return stored, err
}

// heads reads every list's head.
func (f *findings) heads(r *embedded.Reader) (map[string]backend.StoredList, error) {
	heads := make(map[string]backend.StoredList)
	err := r.Scan(backend.Name, backend.HeadPrefix, func(key string, value []byte) error {
		l, ok, err := backend.ReadHead(key, value)
		if ok {
			heads[l.ID] = l
			f.lists++
		}
		return err
	})
	return heads, err
}

// histories replays every list's events: those that audit keeps and those still on their way to it.
func (f *findings) histories(r *embedded.Reader, heads map[string]backend.StoredList) (map[string]event.History, error) {
	waiting := make(map[string]map[int64]event.TaskEvent)
	err := r.Undelivered(audit.Name, event.TopicTasks, func(m host.Message) error {
		e, _, err := event.DecodeTaskEvent(m.Data)
		if err != nil {
			return err
		}
		if waiting[e.ListID] == nil {
			waiting[e.ListID] = make(map[int64]event.TaskEvent)
		}
		waiting[e.ListID][e.ListVersion] = e
		return nil
	})
	if err != nil {
		return nil, err
	}
	histories := make(map[string]event.History)
	kept, list := []event.TaskEvent(nil), ""
	finish := func() {
		if list != "" {
			histories[list] = f.replay(heads[list], kept, waiting[list])
			delete(waiting, list)
			kept = nil
		}
	}
	err = r.Scan(audit.Name, audit.EntryPrefix, func(key string, value []byte) error {
		entry, err := audit.DecodeEntry(value)
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		e, err := entry.TaskEvent()
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		if e.ListID != list {
			finish()
			list = e.ListID
		}
		kept = append(kept, e)
		return nil
	})
	finish()
	for other, events := range waiting {
		histories[other] = f.replay(heads[other], nil, events)
	}
	return histories, err
}

// replay folds one list's events. One that audit keeps may be among those on their way: its delivery was not
// noted yet. Of a deleted account's there is nothing to fold, some or all contents being erased: they are to be without a gap.
func (f *findings) replay(list backend.StoredList, kept []event.TaskEvent, waiting map[int64]event.TaskEvent) event.History {
	for _, e := range kept {
		delete(waiting, e.ListVersion)
	}
	f.waiting += len(waiting)
	all := slices.AppendSeq(kept, maps.Values(waiting))
	slices.SortFunc(all, func(a, b event.TaskEvent) int { return int(a.ListVersion - b.ListVersion) })
	f.events += len(all)
	if list.Closed {
		return numbered(all)
	}
	return event.Replay(slices.Values(all))
}

// numbered is the history of events whose contents do not count.
func numbered(events []event.TaskEvent) event.History {
	h := event.History{}
	for _, e := range events {
		if e.ListVersion != h.ListVersion+1 {
			h.Problems = append(h.Problems, event.Problem{Kind: event.Gap, ListVersion: e.ListVersion, EventID: e.EventID, TaskID: e.TaskID,
				Detail: fmt.Sprintf("it comes after list version %d", h.ListVersion)})
		}
		h.ListVersion = e.ListVersion
	}
	return h
}

// compare holds a list's history against its tasks.
func (f *findings) compare(list string, h event.History, stored map[string]backend.StoredTask, head backend.StoredList) {
	for _, p := range h.Problems {
		f.wrong("list %s: %s", list, p)
	}
	if h.ListVersion != head.Version {
		f.wrong("list %s: at version %d, but its history ends at %d", list, head.Version, h.ListVersion)
	}
	if head.Closed {
		for id, t := range stored {
			if head.Erased && t.Doc != nil {
				f.wrong("list %s: task %s is stored, though the account was deleted", list, id)
			}
		}
		return
	}
	for id, doc := range h.Tasks {
		t, ok := stored[id]
		switch {
		case !ok:
			f.wrong("list %s: task %s is in the history, but not stored", list, id)
		case t.Doc == nil && !strings.Contains(string(doc), `"status":"deleted"`):
			f.wrong("list %s: task %s was purged, but never deleted", list, id)
		case t.Doc != nil && !sameJSON(t.Doc, doc):
			f.wrong("list %s: task %s is not what its history says:\n  stored  %s\n  history %s", list, id, t.Doc, doc)
		}
	}
	for id := range stored {
		if _, ok := h.Tasks[id]; !ok {
			f.wrong("list %s: task %s is stored, but has no history", list, id)
		}
	}
}

func sameJSON(a, b []byte) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}
