package backend

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/event"
	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/services/backend/account"
	"github.com/docket-tasks/docket/task"
)

// Reminders are jobs at the due date minus each of reminder_minutes. A job's name holds the task version that
// scheduled it and is never used again, so a late cancellation cannot hit a newer job; and cancelling is only
// tidying up, for a job that fires looks at the task and drops what is no longer expected. What makes a
// reminder unique is the row reminder/<task>/<instant>, created in the commit that publishes it.

// moment is one instant at which a task's reminder is due.
type moment struct {
	Minutes int
	At      time.Time
}

// moments lists when the reminders of a task are due in the user's zone, earliest first.
func moments(t *task.Task, zone *time.Location) []moment {
	if t.DueDate.IsZero() {
		return nil
	}
	due := t.DueDate.Instant(zone)
	out := make([]moment, 0, len(t.ReminderMinutes))
	for _, m := range t.ReminderMinutes {
		out = append(out, moment{m, due.Add(-time.Duration(m) * time.Minute)})
	}
	slices.SortFunc(out, func(a, b moment) int { return a.At.Compare(b.At) })
	return out
}

// reminderJob is the data of a reminder's job.
type reminderJob struct {
	Task string `json:"task"`
	List string `json:"list"`
	// At is the instant of the reminder.
	At time.Time `json:"at"`
	// Minutes before the due date; the job is void if the task no longer has that reminder at that instant.
	Minutes int `json:"minutes,omitempty"`
	// DueSet is given instead of Minutes for a reminder sent at once because its moment had passed when the due
	// date was set: the task version that set it. It is void if that was done again since.
	DueSet int64 `json:"due_set,omitempty"`
	// Snooze marks a reminder the user asked for again: wanted as long as the task is pending.
	Snooze bool `json:"snooze,omitempty"`
}

// schedule returns the job, which is due at At. As nearly every new task has one it is appended member by member, as the record is.
func (d reminderJob) schedule(name string) host.JobIntent {
	b := event.AppendString(append(make([]byte, 0, 192), `{"task":`...), d.Task)
	b = event.AppendString(append(b, `,"list":`...), d.List)
	b, err := timestamp(b, `,"at":"`, d.At)
	if err != nil {
		panic(fmt.Sprintf("job %s: %v", name, err)) // no due date is so far away
	}
	b = count(b, `,"minutes":`, int64(d.Minutes))
	b = count(b, `,"due_set":`, d.DueSet)
	if d.Snooze {
		b = append(b, `,"snooze":true`...)
	}
	return host.Schedule(name, d.At, append(b, '}'))
}

func reminderJobName(id string, version int64, minutes int) string {
	return fmt.Sprintf("r-%s-%d-%d", id, version, minutes)
}

// jobs returns what the effect does to the task's reminders: nothing unless due date, reminders or status
// have changed. It notes in the new record how they came to be; env is of the owner at that version.
func (e *effect) jobs(env task.Env, ownerVersion int64) []host.JobIntent {
	now := &e.new.task
	out := e.purgeJob(env)
	if e.old != nil { // not earlier: what it holds may come from an effect before this one in the same commit
		e.new.Reminders = e.old.Reminders
	}
	dueSet := e.old == nil || e.old.task.DueDate != now.DueDate
	if !dueSet && e.old.task.Status == now.Status && slices.Equal(e.old.task.ReminderMinutes, now.ReminderMinutes) {
		return out
	}
	out = append(out, cancelReminders(e.old)...)
	made := &e.new.Reminders
	made.Scheduled = 0
	if dueSet {
		made.DueSet, made.At = now.Version, env.Now
	}
	if now.Status != task.Pending || now.DueDate.IsZero() {
		return out
	}
	made.Scheduled, made.At, made.OwnerVersion = now.Version, env.Now, ownerVersion
	passed := false
	for _, m := range moments(now, env.Zone) {
		if !m.At.After(env.Now) {
			passed = true
			continue
		}
		job := reminderJob{Task: now.ID, List: e.new.List, At: m.At, Minutes: m.Minutes}
		out = append(out, job.schedule(reminderJobName(now.ID, now.Version, m.Minutes)))
	}
	if passed && dueSet {
		out = append(out, remindNow(e.new, env.Now))
	}
	return out
}

// remindNow schedules the one reminder for moments that passed before the due date was set.
func remindNow(r *record, now time.Time) host.JobIntent {
	job := reminderJob{Task: r.task.ID, List: r.List, At: now, DueSet: r.Reminders.DueSet}
	return job.schedule(fmt.Sprintf("r-%s-%d-now", r.task.ID, r.task.Version))
}

func cancelReminders(r *record) []host.JobIntent {
	if r == nil || r.Reminders.Scheduled == 0 {
		return nil
	}
	var out []host.JobIntent
	for _, m := range r.task.ReminderMinutes {
		out = append(out, host.Cancel(reminderJobName(r.task.ID, r.Reminders.Scheduled, m)))
	}
	return out
}

func schedule(name string, at time.Time, data any) host.JobIntent {
	b, err := json.Marshal(data)
	if err != nil {
		panic(fmt.Sprintf("job %s: %v", name, err)) // our own plain structs
	}
	return host.Schedule(name, at, b)
}

// onReminder handles a reminder's job: exactly one event if it is still due, none otherwise.
func (s *Service) onReminder(ctx context.Context, j host.Job) error {
	var d reminderJob
	if err := json.Unmarshal(j.Data, &d); err != nil {
		return host.Permanent(fmt.Errorf("decode job %s: %w", j.Name, err))
	}
	it, err := s.state.Get(ctx, taskKey(d.Task))
	if err != nil {
		return fmt.Errorf("read task %s: %w", d.Task, err)
	}
	r, err := decodeRecord(it)
	if err != nil {
		return err
	}
	owner, err := s.accounts.User(ctx, ownerOf(d.List))
	deleted := errors.Is(err, account.ErrNoUser)
	if err != nil && !deleted {
		return fmt.Errorf("read owner of list %s: %w", d.List, err)
	}
	if deleted || !d.expected(r, owner.Zone()) {
		s.metrics.reminders.WithLabelValues("void").Inc()
		return nil
	}
	return s.remind(ctx, r, owner.ID, owner.Zone(), d)
}

// expected tells whether the task still wants the reminder.
func (d reminderJob) expected(r *record, zone *time.Location) bool {
	if r == nil || r.Purged || r.task.Status != task.Pending {
		return false
	}
	switch {
	case d.Snooze:
		return true
	case d.DueSet > 0:
		return r.Reminders.DueSet == d.DueSet && len(r.task.ReminderMinutes) > 0
	default:
		return slices.ContainsFunc(moments(&r.task, zone), func(m moment) bool {
			return m.Minutes == d.Minutes && m.At.Equal(d.At)
		})
	}
}

// slot names the instant in the row that makes the reminder unique.
func (d reminderJob) slot() string {
	switch {
	case d.Snooze:
		return "snooze-" + strconv.FormatInt(d.At.UnixMilli(), 10)
	case d.DueSet > 0:
		return "set-" + strconv.FormatInt(d.DueSet, 10)
	default:
		return strconv.FormatInt(d.At.UnixMilli(), 10)
	}
}

// sent is the row of a reminder that was published.
type sent struct {
	ReminderID string    `json:"reminder_id"`
	At         time.Time `json:"at"`
	SentAt     time.Time `json:"sent_at"`
}

// maxSent is how many reminders one commit sends at most, which is within its limits; many are due at one moment.
const maxSent = 64

// sentKept is how long the row of a sent reminder stays.
const sentKept = 400 * 24 * time.Hour

func (s *Service) remind(ctx context.Context, r *record, user string, zone *time.Location, d reminderJob) error {
	now := s.now()
	id := event.ReminderID(d.Task, d.slot())
	row, err := json.Marshal(sent{ReminderID: id, At: d.At, SentAt: now})
	if err != nil {
		return err
	}
	ev := event.Reminder{
		NotificationID: event.NotificationID(id, "in_app"), ReminderID: id, TaskID: d.Task, UserID: user,
		Message: message(&r.task, zone, d.At), Title: r.task.Title, Channel: "in_app", ScheduledTime: task.At(d.At).Time, Timestamp: task.At(now).Time,
	}
	data, err := ev.Encode(source, edge.Trace(ctx))
	if err != nil {
		return err
	}
	err = s.sent.Commit(ctx, host.Tx{
		Ops:      []host.Op{host.Create(reminderKey(d.Task, d.slot()), row).Expiring(sentKept)},
		Messages: []host.Message{{Topic: event.TopicReminders, Key: d.Task, ID: ev.NotificationID, Data: data}},
	})
	if errors.Is(err, host.ErrConflict) && s.reminded(ctx, d) { // published before: the job was delivered again
		s.metrics.reminders.WithLabelValues("repeated").Inc()
		return nil
	}
	if err != nil {
		return fmt.Errorf("publish reminder of task %s: %w", d.Task, err)
	}
	s.metrics.reminders.WithLabelValues("sent").Inc()
	s.metrics.lateness.Observe(s.now().Sub(d.At).Seconds())
	s.log.DebugContext(ctx, "reminder sent", "task_id", d.Task, "reminder_id", id, "user_id", user)
	return nil
}

// reminded tells whether the reminder was published. A conflict alone does not say so: a host that has lost its right to commit meets one
// too, and what was then taken for done would never be sent.
func (s *Service) reminded(ctx context.Context, d reminderJob) bool {
	it, err := s.state.Get(ctx, reminderKey(d.Task, d.slot()))
	return err == nil && it.Exists()
}

// message says what is due and when, in the user's zone; "overdue" only if the due date itself had passed at the
// reminder's own moment, however late it fires.
func message(t *task.Task, zone *time.Location, at time.Time) string {
	if t.DueDate.IsZero() {
		return t.Title
	}
	due := t.DueDate.Instant(zone)
	verb := "due"
	if due.Before(at) {
		verb = "overdue: was due"
	}
	if t.DueDate.Form() == task.DueDateOnly {
		return fmt.Sprintf("%s (%s %s)", t.Title, verb, due.Add(-time.Second).In(zone).Format("2 January 2006"))
	}
	return fmt.Sprintf("%s (%s %s)", t.Title, verb, due.In(zone).Format("2 January 2006, 15:04"))
}

// Reminder is one reminder of a task, as the API shows it.
//
// [Task]: T016
type Reminder struct {
	ReminderID    string    `json:"reminder_id" format:"uuid"`
	TaskID        string    `json:"task_id" format:"uuid"`
	ScheduledTime task.Time `json:"scheduled_time"`
	Status        string    `json:"status" enum:"pending,sent,cancelled" doc:"cancelled: its moment passed while it was not wanted, or the task is no longer pending"`
	CreatedAt     task.Time `json:"created_at" doc:"When the due date or the reminders were last set, or the reminder was put off"`
	Snoozed       bool      `json:"snoozed,omitempty" doc:"Asked for by putting another one off (POST /api/notifications/{id}/snooze)"`
}

// remindersOf lists the reminders of a task and what became of each.
func (s *Service) remindersOf(ctx context.Context, r *record, zone *time.Location) ([]Reminder, error) {
	ms := moments(&r.task, zone)
	jobs := make([]reminderJob, 0, len(ms)+1)
	for _, m := range ms {
		jobs = append(jobs, reminderJob{At: m.At, Minutes: m.Minutes})
	}
	if r.Reminders.DueSet > 0 {
		jobs = append(jobs, reminderJob{DueSet: r.Reminders.DueSet})
	}
	asked, _, err := s.snoozes(ctx, r.task.ID)
	if err != nil {
		return nil, err
	}
	for _, a := range asked {
		jobs = append(jobs, reminderJob{At: a.At, Snooze: true})
	}
	keys := make([]string, len(jobs))
	for i, j := range jobs {
		keys[i] = reminderKey(r.task.ID, j.slot())
	}
	items, err := s.state.GetBulk(ctx, keys)
	if err != nil {
		return nil, fmt.Errorf("read reminders of task %s: %w", r.task.ID, err)
	}
	out := make([]Reminder, 0, len(jobs))
	for i, j := range jobs {
		rem := Reminder{ReminderID: event.ReminderID(r.task.ID, j.slot()), TaskID: r.task.ID,
			ScheduledTime: task.At(j.At), Status: "pending", CreatedAt: task.At(r.Reminders.At), Snoozed: j.Snooze}
		if j.Snooze {
			rem.CreatedAt = task.At(asked[i-len(jobs)+len(asked)].Made)
		}
		switch {
		case items[i].Exists():
			var row sent
			if err := json.Unmarshal(items[i].Value, &row); err != nil {
				return nil, fmt.Errorf("decode %s: %w", items[i].Key, err)
			}
			rem.Status, rem.ScheduledTime = "sent", task.At(row.At)
		case j.DueSet > 0:
			continue // no moment had passed when the due date was set
		case r.task.Status != task.Pending, !j.Snooze && !j.At.After(r.Reminders.At): // never scheduled: its moment had passed
			rem.Status = "cancelled"
		}
		out = append(out, rem)
	}
	return out, nil
}
