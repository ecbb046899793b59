package main

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/docket-tasks/docket/event"
	"github.com/docket-tasks/docket/task"
)

// violation is one thing that must not be.
type violation struct {
	kind, detail string
	// pending: it may still come right by itself, being on its way.
	pending bool
}

func (v violation) Error() string { return v.kind + ": " + v.detail }

// violations is the error of a verification.
type violations []violation

// shown is how many details an error has.
const shown = 20

// Error tells of the first kind only: what follows from it says nothing new.
func (vs violations) Error() string {
	of := slices.DeleteFunc(slices.Clone(vs), func(v violation) bool { return v.kind != vs[0].kind })
	s := fmt.Sprintf("%d violations, %d of the first kind, %q:", len(vs), len(of), vs[0].kind)
	for _, v := range of[:min(len(of), shown)] {
		s += "\n  " + v.detail
	}
	return s
}

// certain tells whether one of them cannot come right any more.
func (vs violations) certain() bool {
	return slices.ContainsFunc(vs, func(v violation) bool { return !v.pending })
}

// verifyLedger holds what clients were told against the history of one user's list.
func verifyLedger(l *ledger, h *history) (wrong violations) {
	l.mu.Lock()
	defer l.mu.Unlock()
	found, strange := happened(h, l.marks)
	wrong = append(wrong, strange...)
	add := func(kind string, r *request, format string, args ...any) {
		wrong = append(wrong, violation{kind: kind, detail: fmt.Sprintf("%s %s of task %q: ", r.op, r.mark, r.task) + fmt.Sprintf(format, args...)})
	}
	for _, r := range l.requests {
		if r.user != h.user {
			continue
		}
		n := found[r.mark]
		switch {
		case n > 1:
			add("doubled", r, "it is in the history %d times", n)
		case n == 1 && r.outcome == refused:
			add("half", r, "refused with %d, yet it is in the history", r.status)
		case n == 0 && r.outcome == acked && r.marked():
			add("lost", r, "acknowledged at list version %d, but not in the history", r.listVersion)
		case r.outcome == acked && r.op == "delete":
			if !deletedBy(h, r) {
				add("lost", r, "acknowledged at list version %d, but the history does not have the task deleted then", r.listVersion)
			}
		case r.outcome == acked:
			verifyAnswer(h, r, add)
		}
		if r.key != "" && r.outcome == acked && r.task != event.KeyedTaskID(h.user.ID, r.key) {
			add("doubled", r, "the key %s leads to another task", r.key)
		}
	}
	return wrong
}

// verifyAnswer compares the task in an answer with the event of its version.
func verifyAnswer(h *history, r *request, add func(kind string, r *request, format string, args ...any)) {
	c := h.at(r.task, r.version)
	switch {
	case c == nil:
		add("lost", r, "acknowledged with task version %d, which the history does not have", r.version)
	case !sameJSON(c.Payload.Task, r.doc):
		add("half", r, "the answer and event %s differ at task version %d:\n  %s\n  %s", c.EventID, r.version, r.doc, c.Payload.Task)
	case c.ListVersion > r.listVersion && r.marked(): // one that changed nothing may show what another replica just did
		add("half", r, "acknowledged at list version %d, but its event has %d", r.listVersion, c.ListVersion)
	case r.marked() && !bytes.Contains(r.doc, []byte(`"`+r.mark+`"`)):
		add("half", r, "the answer does not have what was asked for: %s", r.doc)
	case r.op == "complete" && c.after.Status != task.Completed, r.op == "reopen" && c.after.Status != task.Pending,
		r.op == "restore" && c.after.Status == task.Deleted:
		add("half", r, "the answer has the task %s", c.after.Status)
	}
}

// deletedBy tells whether the task was deleted when the list was at the version of the answer; that of a batch is the
// version after its last change, and the task may have been restored by then.
func deletedBy(h *history, r *request) bool {
	deleted := false
	for _, c := range h.tasks[r.task] {
		if c.ListVersion <= r.listVersion {
			deleted = c.after.Status == task.Deleted || deleted && r.batch
		}
	}
	return deleted
}

// happened counts how often each mark was brought into a list. A mark that no client has issued is a violation.
func happened(h *history, issued map[string]*request) (found map[string]int, strange violations) {
	found = map[string]int{}
	for _, c := range h.changes {
		if c.byService() {
			continue
		}
		for _, mark := range marksOf(c) {
			found[mark]++
			if issued[mark] == nil {
				strange = append(strange, violation{kind: "strange", detail: fmt.Sprintf("event %s writes %q, which no client asked for", c.EventID, mark)})
			}
		}
	}
	return found, strange
}

// marksOf lists the marks that a change brings into its task.
func marksOf(c *change) (marks []string) {
	switch c.EventType {
	case event.TaskCreated:
		return []string{c.after.Title}
	case event.TaskUpdated:
		if title, ok := c.Payload.Changes["title"].New.(string); ok {
			marks = append(marks, title)
		}
		tags := c.Payload.Changes["tags"]
		before, _ := tags.Old.([]any)
		after, _ := tags.New.([]any)
		for _, tag := range after {
			if !slices.Contains(before, tag) {
				marks = append(marks, fmt.Sprint(tag))
			}
		}
	}
	return marks
}
