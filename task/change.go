package task

import (
	"errors"
	"slices"
	"time"
)

// Errors of a change that the state of the task forbids.
var (
	// ErrDeleted says that a deleted task cannot be changed: it has to be restored first.
	ErrDeleted = errors.New("the task is deleted: restore it first")
	// ErrGone says that a task was deleted longer than [RestoreWindow] ago.
	ErrGone = errors.New("the task was deleted more than 30 days ago and cannot be restored")
)

// Create returns the first version of a task. With a recurrence pattern it is the first of its series, due today if
// it has no due date. The error is [Invalid].
func Create(id, owner string, d Draft, env Env) (Task, error) {
	t := Task{
		ID:        id,
		Status:    Pending,
		CreatedBy: owner,
		CreatedAt: At(env.Now),
		UpdatedAt: At(env.Now),
		Version:   1,
	}
	p := Patch{
		Title:             To(d.Title),
		Description:       To(d.Description),
		Priority:          To(d.Priority),
		DueDate:           To(d.DueDate),
		Tags:              To(d.Tags),
		RecurrencePattern: To(d.RecurrencePattern),
		ReminderMinutes:   To(d.ReminderMinutes),
	}
	if err := p.apply(&t, env); err != nil {
		return Task{}, err
	}
	return t, nil
}

// Update applies a patch. Another pattern starts the series anew at the due date; another due date alone leaves the
// series as it is. The errors are [Invalid] and [ErrDeleted].
//
// Like every change here it returns t as it is, in the same version, if there is nothing to do; otherwise the
// version grows by one and updated_at is env.Now. It never writes to what t points to.
func Update(t Task, p Patch, env Env) (Task, error) {
	if t.Status == Deleted {
		return t, ErrDeleted
	}
	next := t
	if err := p.apply(&next, env); err != nil {
		return t, err
	}
	return changed(t, next, env), nil
}

// changed returns next as the version after t, or t if they do not differ.
func changed(t, next Task, env Env) Task {
	for i := range fields {
		if f := &fields[i]; f.same != nil && !f.same(&t, &next) {
			next.Version = t.Version + 1
			next.UpdatedAt = At(env.Now)
			return next
		}
	}
	return t
}

// apply writes the fields that p sets to t.
func (p Patch) apply(t *Task, env Env) error {
	var f faults
	if p.rules(&f); len(f) > 0 {
		return f.err()
	}
	if p.Title.Set {
		t.Title = p.Title.Value
	}
	if p.Description.Set {
		t.Description = p.Description.Value
	}
	if p.Priority.Set {
		t.Priority = p.Priority.Value
	}
	if p.DueDate.Set {
		t.DueDate = p.DueDate.Value
	}
	if p.Tags.Set {
		t.Tags = p.Tags.Value
	}
	if p.ReminderMinutes.Set {
		if t.ReminderMinutes = p.ReminderMinutes.Value; t.ReminderMinutes == nil {
			t.ReminderMinutes = append([]int{}, cleanReminders(env.Reminders, &f)...)
		}
	}
	if p.RecurrencePattern.Set {
		return p.repeat(t, env)
	}
	return nil
}

// repeat gives t the pattern of p. A different one, or none any more, begins a new series: t is its first task.
func (p Patch) repeat(t *Task, env Env) error {
	old := ""
	if t.RecurrencePattern != nil {
		old = *t.RecurrencePattern
	}
	pattern := p.RecurrencePattern.Value
	if pattern == old {
		return nil
	}
	t.RecurrenceParentID = nil
	t.RecurrencePattern = nil
	if pattern != "" {
		t.RecurrencePattern = &pattern
	}
	if err := Begin(t, env); err != nil {
		var invalid Invalid
		if errors.As(err, &invalid) {
			return invalid
		}
		return Invalid{{"recurrence_pattern", err.Error()}}
	}
	return nil
}

// ChangeTags replaces, or removes and adds, tags. A tag added that is there already keeps its spelling; removing
// one that is not there is no error. The errors are [Invalid] and [ErrDeleted].
func ChangeTags(t Task, c TagChange, env Env) (Task, error) {
	if t.Status == Deleted {
		return t, ErrDeleted
	}
	var f faults
	if c.rules(&f); len(f) > 0 {
		return t, f.err()
	}
	next := t
	next.Tags = c.Tags
	if !c.Replace {
		next.Tags = slices.DeleteFunc(slices.Clone(t.Tags), func(tag string) bool { return hasTag(c.Remove, tag) })
		for _, tag := range c.Add {
			next.Tags = addTag(next.Tags, tag)
		}
	}
	if len(next.Tags) > MaxTags {
		f.add("add", "would give the task %d tags: it may have %d, so remove some", len(next.Tags), MaxTags)
		return t, f.err()
	}
	return changed(t, next, env), nil
}

// Complete completes a pending task. The error is [ErrDeleted].
func Complete(t Task, env Env) (Task, error) {
	if t.Status == Deleted {
		return t, ErrDeleted
	}
	next := t
	if t.Status == Pending {
		now := At(env.Now)
		next.Status, next.CompletedAt = Completed, &now
	}
	return changed(t, next, env), nil
}

// Reopen makes a completed task pending again. The error is [ErrDeleted].
func Reopen(t Task, env Env) (Task, error) {
	if t.Status == Deleted {
		return t, ErrDeleted
	}
	next := t
	next.Status, next.CompletedAt = Pending, nil
	return changed(t, next, env), nil
}

// Delete deletes a task, pending or completed. The caller keeps what it was, and when: see [Restore]. The task keeps
// completed_at.
func Delete(t Task, env Env) (Task, error) {
	next := t
	next.Status = Deleted
	return changed(t, next, env), nil
}

// Restore makes a task that was deleted at deletedAt what it was before, pending or completed. The error is
// [ErrGone] once [RestoreWindow] has passed.
func Restore(t Task, previous Status, deletedAt time.Time, env Env) (Task, error) {
	if t.Status != Deleted {
		return t, nil
	}
	if env.Now.Sub(deletedAt) > RestoreWindow {
		return t, ErrGone
	}
	next := t
	if next.Status = previous; previous != Completed {
		next.Status, next.CompletedAt = Pending, nil
	}
	return changed(t, next, env), nil
}
