package backend

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/services/backend/account"
	"github.com/docket-tasks/docket/task"
)

// onZoneChange schedules the reminders of a user's tasks anew, segment by segment: date-only and floating due
// dates are other instants now. It may run again from the start: a job's name holds the instant, and what
// makes a reminder unique is its row, so doing it twice changes nothing. Tasks scheduled by somebody who knew the new
// zone are left alone.
func (s *Service) onZoneChange(ctx context.Context, d account.ZoneChange) error {
	owner, err := s.accounts.User(ctx, d.UserID)
	if errors.Is(err, account.ErrNoUser) {
		return nil // the account was deleted
	}
	if err != nil {
		return fmt.Errorf("read user %s: %w", d.UserID, err)
	}
	move := zoneMove{from: account.User{TimeZone: d.From}.Zone(), to: owner.Zone(), at: d.At, version: d.Version}
	it, err := s.state.Get(ctx, headKey(d.UserID))
	if err != nil {
		return fmt.Errorf("read list %s: %w", d.UserID, err)
	}
	h, err := openHead(ctx, s.state, d.UserID, it)
	if err != nil {
		return err
	}
	for n := range h.Segments {
		if err := s.moveSegment(ctx, d.UserID, h, n, move); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) moveSegment(ctx context.Context, listID string, h head, n int, move zoneMove) error {
	ids, err := readSegments(ctx, s.state, listID, h, n, n+1)
	if err != nil {
		return err
	}
	records, err := readRecords(ctx, s.state, ids)
	if err != nil {
		return err
	}
	var jobs []host.JobIntent
	for _, r := range records {
		if r != nil && move.concerns(r) {
			jobs = append(jobs, move.jobs(r)...)
		}
	}
	if len(jobs) == 0 {
		return nil
	}
	if err := s.state.Commit(ctx, host.Tx{Jobs: jobs}); err != nil {
		return fmt.Errorf("schedule reminders of list %s: %w", listID, err)
	}
	return nil
}

// zoneMove is a user's change of zone, made at an instant.
type zoneMove struct {
	from, to *time.Location
	at       time.Time
	version  int64 // of the user, from which on it holds
}

// concerns tells whether the task's reminders were scheduled in another zone. The row says so, not a time: clocks differ.
func (z zoneMove) concerns(r *record) bool {
	return !r.Purged && r.task.Status == task.Pending && r.task.DueDate.Form() != task.DueZoned && r.Reminders.OwnerVersion < z.version
}

// jobs schedules a task's moments in the new zone. One that was still ahead in the old zone and is past in the
// new one is due at once; one that was past in both has been dealt with. The jobs of the old zone find their
// instants no longer expected and drop them.
func (z zoneMove) jobs(r *record) []host.JobIntent {
	var jobs []host.JobIntent
	before, after := moments(&r.task, z.from), moments(&r.task, z.to)
	for i, m := range after {
		if before[i].At.After(z.at) || m.At.After(z.at) {
			name := fmt.Sprintf("r-%s-%d-%d-%d", r.task.ID, r.task.Version, m.Minutes, m.At.Unix())
			jobs = append(jobs, reminderJob{Task: r.task.ID, List: r.List, At: m.At, Minutes: m.Minutes}.schedule(name))
		}
	}
	return jobs
}
