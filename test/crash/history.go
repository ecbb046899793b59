package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	"github.com/docket-tasks/docket/event"
	"github.com/docket-tasks/docket/services/audit"
	"github.com/docket-tasks/docket/services/notification"
	"github.com/docket-tasks/docket/task"
)

// change is one event with the task after it.
type change struct {
	event.TaskEvent
	after task.Task
}

// byService tells whether a service made the change, not a user.
func (c *change) byService() bool { return c.Actor.Kind == "service" }

// history is what the audit log says of one list.
type history struct {
	user *user
	// changes has list version v at index v-1.
	changes []*change
	// tasks has the changes of each task; task version v is at index v-1.
	tasks map[string][]*change
}

func newHistory(u *user) *history { return &history{user: u, tasks: map[string][]*change{}} }

// read takes in what is new; behind, unless empty, tells that audit has not had every change yet, and how far it is.
func (h *history) read(ctx context.Context, a *api) (behind string, err error) {
	var none []json.RawMessage
	head, err := a.get(ctx, h.user.token, "/api/tasks?limit=1", &none)
	if err != nil {
		return "", err
	}
	log, err := a.get(ctx, h.user.token, "/api/audit?limit=1", &none)
	if err != nil {
		return "", err
	}
	if log.listVersion < head.listVersion {
		return fmt.Sprintf("list %s is at version %d, its audit log whole up to %d", h.user.ID, head.listVersion, log.listVersion), nil
	}
	var fresh []*change
	have := int64(len(h.changes))
	for path := "/api/audit?limit=200"; path != "" && head.listVersion > have; {
		var page []audit.Entry
		res, err := a.get(ctx, h.user.token, path, &page)
		if err != nil {
			return "", err
		}
		path = res.next
		for _, e := range page {
			if e.ListVersion <= have {
				path = ""
				break
			}
			c, err := newChange(e)
			if err != nil {
				return "", err
			}
			fresh = append(fresh, c)
		}
	}
	slices.Reverse(fresh)
	return "", h.add(fresh)
}

func newChange(e audit.Entry) (*change, error) {
	ev, err := e.TaskEvent()
	if err != nil {
		return nil, err
	}
	c := &change{TaskEvent: ev}
	if c.after, err = task.Decode(ev.Payload.Task); err != nil {
		return nil, fmt.Errorf("task of event %s: %w", e.EventID, err)
	}
	return c, nil
}

// add appends changes, each of which must be the next of its list and of its task.
func (h *history) add(fresh []*change) error {
	for _, c := range fresh {
		if want := int64(len(h.changes)) + 1; c.ListVersion != want {
			return violation{kind: "list version", detail: fmt.Sprintf("list %s: after %d the audit log has %d", h.user.ID, want-1, c.ListVersion)}
		}
		if want := int64(len(h.tasks[c.TaskID])) + 1; c.after.Version != want {
			return violation{kind: "task version", detail: fmt.Sprintf("task %s: after version %d the audit log has %d", c.TaskID, want-1, c.after.Version)}
		}
		h.changes = append(h.changes, c)
		h.tasks[c.TaskID] = append(h.tasks[c.TaskID], c)
	}
	return nil
}

// at returns the change that brought a task to a version, nil where the log has none.
func (h *history) at(id string, version int64) *change {
	if of := h.tasks[id]; version >= 1 && version <= int64(len(of)) {
		return of[version-1]
	}
	return nil
}

// last is the last of a task's changes, nil where it has none.
func (h *history) last(id string) *change { return h.at(id, int64(len(h.tasks[id]))) }

// compare holds the tasks that the server shows against the last state in the log.
func (h *history) compare(ctx context.Context, a *api) (wrong []violation, err error) {
	seen := 0
	for path := "/api/tasks?limit=200&status=pending&status=completed&status=deleted"; path != ""; {
		var page []json.RawMessage
		res, err := a.get(ctx, h.user.token, path, &page)
		if err != nil {
			return nil, err
		}
		path = res.next
		for _, doc := range page {
			seen++
			t, err := task.Decode(doc)
			if err != nil {
				return nil, err
			}
			if last := h.last(t.ID); last == nil || !sameJSON(last.Payload.Task, doc) {
				wrong = append(wrong, violation{kind: "state", detail: fmt.Sprintf("task %s is shown at version %d, unlike its last event says", t.ID, t.Version)})
			}
		}
	}
	if seen != len(h.tasks) {
		wrong = append(wrong, violation{kind: "state", detail: fmt.Sprintf("list %s shows %d tasks, its history has %d", h.user.ID, seen, len(h.tasks))})
	}
	return wrong, nil
}

// replay folds the whole history by the rules of events.
func (h *history) replay() (wrong []violation) {
	r := event.Replay(func(yield func(event.TaskEvent) bool) {
		for _, c := range h.changes {
			if !yield(c.TaskEvent) {
				return
			}
		}
	})
	for _, p := range r.Problems {
		wrong = append(wrong, violation{kind: "history", detail: "list " + h.user.ID + ": " + p.String()})
	}
	return wrong
}

func sameJSON(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}

// inbox reads all notifications of a user.
func inbox(ctx context.Context, a *api, u *user) (all []notification.InboxItem, err error) {
	for path := "/api/notifications?limit=200"; path != ""; {
		var page []notification.InboxItem
		res, err := a.get(ctx, u.token, path, &page)
		if err != nil {
			return nil, err
		}
		all, path = append(all, page...), res.next
	}
	return all, nil
}
