package notification

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/docket-tasks/docket/event"
	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/task"
)

// draft is the next state of an inbox, worked out in memory before it is committed.
type draft struct {
	user string
	to   Recipient
	now  time.Time
	// gone are the routes that were answered with a farewell and have not been set up again.
	gone map[string]gone

	head     head
	headETag string
	blocks   map[int64]*draftBlock
	fresh    []record
	jobs     []host.JobIntent
	changed  bool
}

type draftBlock struct {
	entries []entry
	etag    string
	changed bool
}

// load reads the blocks that the changes will touch.
func (d *draft) load(ctx context.Context, state host.State, numbers []int64) error {
	keys := make([]string, len(numbers))
	for i, n := range numbers {
		keys[i] = blockKey(d.user, n)
	}
	items, err := state.GetBulk(ctx, keys)
	if err != nil {
		return fmt.Errorf("read inbox blocks of %s: %w", d.user, err)
	}
	d.blocks = make(map[int64]*draftBlock, len(numbers))
	for i, n := range numbers {
		b := &draftBlock{etag: items[i].ETag}
		if err := decode(items[i], &b.entries); err != nil {
			return err
		}
		d.blocks[n] = b
	}
	return nil
}

// lastBlock is the block of the newest entry.
func (d *draft) lastBlock() int64 { return (d.head.Count - 1) / blockSize }

// markRead marks one entry; one that has left the inbox needs no mark.
func (d *draft) markRead(number int64) {
	b := d.blocks[number/blockSize]
	if number < d.head.oldest() || b.entries[number%blockSize].Read {
		return
	}
	b.entries[number%blockSize].Read = true
	b.changed, d.changed = true, true
	d.head.Unread--
}

// keep adds one entry with its notifications, and a job for each that leaves the house.
func (d *draft) keep(r event.Reminder, trace string, routes []string) {
	n := d.head.Count / blockSize
	b := d.blocks[n]
	if b == nil {
		b = &draftBlock{}
		d.blocks[n] = b
	}
	d.record(r, InApp, trace)
	for _, route := range routes {
		d.record(r, route, trace)
	}
	b.entries = append(b.entries, entry{ReminderID: r.ReminderID, Routes: routes})
	b.changed, d.changed = true, true
	d.head.Count++
	d.head.Unread++
}

// record makes the notification of one route: delivered at once in the inbox, failed at once where the route is
// gone, else pending with its first attempt due now.
func (d *draft) record(r event.Reminder, route, trace string) {
	channel, target := splitRoute(route)
	at := task.At(d.now)
	rec := record{Number: d.head.Count, Trace: trace, Notification: Notification{
		NotificationID: event.NotificationID(r.ReminderID, route), ReminderID: r.ReminderID, TaskID: r.TaskID,
		UserID: r.UserID, Channel: channel, Target: target, DeliveryStatus: StatusPending, Title: r.Title, Message: r.Message,
		ScheduledTime: task.At(r.ScheduledTime), CreatedAt: at, Attempts: []Attempt{},
	}}
	if g, ok := d.gone[route]; ok {
		rec.DeliveryStatus = StatusFailed
		rec.Attempts = []Attempt{{At: at, Outcome: Gone, Answer: cut("not tried, save the settings to try again; the last answer was: " + g.Answer)}}
	} else if route == InApp {
		rec.DeliveryStatus, rec.SentAt = StatusDelivered, &at
		rec.Attempts = []Attempt{{At: at, Outcome: Delivered, Answer: "in the inbox"}}
	} else {
		d.jobs = append(d.jobs, attemptJob(rec.NotificationID, 1, d.now))
	}
	d.fresh = append(d.fresh, rec)
}

// dropOldest lets the oldest block leave the inbox. Its records stay as long as a repeated delivery of their
// reminders is possible, and are then removed by a job.
func (d *draft) dropOldest() {
	for _, e := range d.blocks[d.head.First].entries {
		if !e.Read {
			d.head.Unread--
		}
	}
	d.jobs = append(d.jobs, trimJob(d.user, d.head.First, d.now.Add(trimAfter)))
	d.head.First++
}

// tx is the transaction that brings the draft about; without operations where nothing changes.
func (d *draft) tx() host.Tx {
	if !d.changed {
		return host.Tx{}
	}
	tx := host.Tx{Jobs: d.jobs, Ops: []host.Op{host.Replace(headKey(d.user), encode(d.head), d.headETag)}}
	for n, b := range d.blocks {
		if b.changed {
			tx.Ops = append(tx.Ops, host.Replace(blockKey(d.user, n), encode(b.entries), b.etag))
		}
	}
	for _, rec := range d.fresh {
		tx.Ops = append(tx.Ops, host.Create(recordKey(rec.NotificationID), encode(rec)))
	}
	return tx
}

// tell reports the reminders that were kept, one after the other with all their notifications.
func (d *draft) tell(ctx context.Context, kept func(ctx context.Context, records []record)) {
	for start := 0; start < len(d.fresh); {
		end := start + 1
		for end < len(d.fresh) && d.fresh[end].ReminderID == d.fresh[start].ReminderID {
			end++
		}
		kept(ctx, d.fresh[start:end])
		start = end
	}
}

// userName is a short name for a user that is fit for the name of a job, whatever the id is made of.
func userName(user string) string {
	sum := sha256.Sum256([]byte(user))
	return fmt.Sprintf("%x", sum[:12])
}
