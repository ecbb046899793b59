package notification

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/task"
)

const (
	// maxAttempts is how often a notification is tried; with the delays below the last attempt comes about 21 hours
	// after the first.
	maxAttempts = 10
	firstDelay  = 30 * time.Second
	delayFactor = 3
	maxDelay    = 6 * time.Hour
	// maxRetryAfter is the longest wait that the other side can ask for.
	maxRetryAfter = 24 * time.Hour
	// attemptTimeout bounds one attempt.
	attemptTimeout = time.Minute
	// trimAfter is how long records outlive their entry: longer than the topics keep a reminder (7 days), so that one
	// delivered again still finds that it was kept before.
	trimAfter = 8 * 24 * time.Hour
	// maxDeletes is how many records one transaction removes.
	maxDeletes = 200
)

// The kinds of work that come as jobs.
const (
	workAttempt = "attempt"
	workTrim    = "trim"
)

// work is a job's data.
type work struct {
	Kind string `json:"kind"`
	// NotificationID and Attempt, from 1, belong to an attempt.
	NotificationID string `json:"notification_id,omitempty"`
	Attempt        int    `json:"attempt,omitempty"`
	// UserID and Block belong to the removal of a block.
	UserID string `json:"user_id,omitempty"`
	Block  int64  `json:"block,omitempty"`
}

// attemptJob asks for one attempt. Each has a name of its own: a job that is just ending cannot take the next along.
func attemptJob(id string, attempt int, due time.Time) host.JobIntent {
	return host.Schedule(fmt.Sprintf("attempt-%s-%d", id, attempt), due,
		encode(work{Kind: workAttempt, NotificationID: id, Attempt: attempt}))
}

func trimJob(user string, block int64, due time.Time) host.JobIntent {
	return host.Schedule(fmt.Sprintf("trim-%s-%d", userName(user), block), due,
		encode(work{Kind: workTrim, UserID: user, Block: block}))
}

// onJob does due work. A kind that a newer version has scheduled is left to a replica of that version.
func (s *service) onJob(ctx context.Context, j host.Job) error {
	var w work
	if err := json.Unmarshal(j.Data, &w); err != nil {
		s.log.ErrorContext(ctx, "job dropped: its data cannot be read", "job", j.Name, "error", err)
		return nil
	}
	switch w.Kind {
	case workAttempt:
		return s.attempt(ctx, w.NotificationID, w.Attempt)
	case workTrim:
		return s.trim(ctx, w.UserID, w.Block)
	}
	return fmt.Errorf("job %s: unknown kind %q", j.Name, w.Kind)
}

// attempt makes the n-th attempt of a notification unless its outcome is recorded already. Between the attempt and
// the record the process may die: then the job comes again and the attempt is repeated with the same id.
func (s *service) attempt(ctx context.Context, id string, n int) error {
	item, err := s.state.Get(ctx, recordKey(id))
	if err != nil {
		return fmt.Errorf("read notification %s: %w", id, err)
	}
	var rec record
	if err := decode(item, &rec); err != nil {
		return err
	}
	if !item.Exists() || rec.DeliveryStatus != StatusPending || len(rec.Attempts) >= n {
		return nil
	}
	ctx = edge.WithTrace(ctx, rec.Trace)
	answer, userVersion, err := s.deliver(ctx, rec.Notification)
	if err != nil {
		return fmt.Errorf("deliver notification %s: %w", id, err)
	}
	if ctx.Err() != nil && answer.Outcome == Retry {
		return ctx.Err() // our own end, not the other side's answer
	}
	return s.conclude(context.WithoutCancel(ctx), item.ETag, rec, answer, userVersion)
}

// deliver hands the notification to its channel, with the user's settings of this moment.
func (s *service) deliver(ctx context.Context, n Notification) (Answer, int64, error) {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	i := slices.IndexFunc(s.channels, func(c Channel) bool { return c.Name() == n.Channel })
	if i < 0 {
		// It may be known again before the attempts are used up: this may be an older version.
		return Answer{Outcome: Retry, Text: "this server has no channel " + n.Channel}, 0, nil
	}
	to, err := s.backend.user(ctx, n.UserID)
	if errors.Is(err, errUnknownUser) {
		return Answer{Outcome: Failed, Text: "the user does not exist any more"}, 0, nil
	}
	if err != nil {
		return Answer{}, 0, err
	}
	targets, err := s.channels[i].Targets(ctx, to)
	if err != nil {
		return Answer{}, 0, err
	}
	if !slices.Contains(targets, n.Target) {
		return Answer{Outcome: Failed, Text: "the user has switched this channel off, or removed this address from it"}, to.Version, nil
	}
	answer, err := s.channels[i].Deliver(ctx, to, n)
	return answer, to.Version, err
}

// conclude records the outcome and, where it is worth it, schedules the next attempt: one commit.
func (s *service) conclude(ctx context.Context, etag string, rec record, a Answer, userVersion int64) error {
	ctx, cancel := context.WithTimeout(ctx, commitTimeout)
	defer cancel()
	now := task.At(s.now())
	made := Attempt{At: now, Outcome: a.Outcome, Answer: cut(a.Text)}
	n := len(rec.Attempts) + 1
	var tx host.Tx
	switch {
	case a.Outcome == Delivered:
		rec.DeliveryStatus, rec.SentAt = StatusDelivered, &now
	case a.Outcome == Retry && n < maxAttempts:
		next := task.At(now.Add(s.wait(n, a.RetryAfter)))
		made.Next = &next
		tx.Jobs = []host.JobIntent{attemptJob(rec.NotificationID, n+1, next.Time)}
	default:
		rec.DeliveryStatus = StatusFailed
	}
	rec.Attempts = append(rec.Attempts, made)
	tx.Ops = []host.Op{host.Replace(recordKey(rec.NotificationID), encode(rec), etag)}
	if a.Outcome == Gone && rec.Target == "" {
		key := goneKey(rec.UserID, routeOf(rec.Channel, rec.Target))
		tx.Ops = append(tx.Ops, host.Put(key, encode(gone{UserVersion: userVersion, Answer: made.Answer})))
	}
	if err := s.state.Commit(ctx, tx); err != nil {
		return fmt.Errorf("record attempt %d of notification %s: %w", n, rec.NotificationID, err)
	}
	s.attempted(ctx, rec, n)
	return nil
}

// wait returns how long after the n-th attempt (from 1) the next one is due: exponential, ±20 % so that what failed
// together does not come back together, and never sooner than the other side asks for.
func (s *service) wait(n int, retryAfter time.Duration) time.Duration {
	delay := firstDelay
	for range n - 1 {
		delay = min(delay*delayFactor, maxDelay)
	}
	delay += time.Duration((s.jitter()*0.4 - 0.2) * float64(delay))
	return max(delay, min(retryAfter, maxRetryAfter))
}

// trim removes the records of a block that has left the inbox, and then the block.
func (s *service) trim(ctx context.Context, user string, number int64) error {
	item, err := s.state.Get(ctx, blockKey(user, number))
	if err != nil {
		return fmt.Errorf("read inbox block %d of %s: %w", number, user, err)
	}
	var entries []entry
	if err := decode(item, &entries); err != nil {
		return err
	}
	if err := s.remove(ctx, user, removal(user, number, entries)); err != nil {
		return err
	}
	s.log.InfoContext(ctx, "old notifications removed", "user_id", user, "entries", len(entries))
	return nil
}

// cut makes an answer one line of at most MaxAnswer code points.
func cut(text string) string {
	r := []rune(strings.Join(strings.Fields(strings.ToValidUTF8(text, "\uFFFD")), " "))
	if len(r) > MaxAnswer {
		return string(r[:MaxAnswer-1]) + "…"
	}
	return string(r)
}
