package notification

import (
	"context"
	"fmt"

	"github.com/docket-tasks/docket/task"
)

// InboxItem is one entry of the inbox as its owner sees it.
type InboxItem struct {
	NotificationID string    `json:"notification_id" format:"uuid"`
	ReminderID     string    `json:"reminder_id" format:"uuid"`
	TaskID         string    `json:"task_id" format:"uuid"`
	Message        string    `json:"message"`
	ScheduledTime  task.Time `json:"scheduled_time" format:"date-time" doc:"The moment of the reminder"`
	CreatedAt      task.Time `json:"created_at" format:"date-time"`
	Read           bool      `json:"read"`
	// Channels say what became of the reminder on each way.
	Channels []Delivery `json:"channels" nullable:"false" doc:"What became of the reminder on each channel, the inbox first"`
}

// Delivery is what became of a reminder on one channel.
type Delivery struct {
	NotificationID string     `json:"notification_id" format:"uuid"`
	Channel        string     `json:"channel" doc:"in_app, push, email or webhook"`
	Target         string     `json:"target,omitempty" doc:"Where there are several: the id of the browser's subscription, for push"`
	DeliveryStatus Status     `json:"delivery_status" enum:"pending,delivered,failed"`
	SentAt         *task.Time `json:"sent_at" format:"date-time" doc:"When it was delivered"`
	Attempts       []Attempt  `json:"attempts" nullable:"false" doc:"Every attempt, oldest first"`
}

// page is a part of an inbox, newest first.
type page struct {
	items []InboxItem
	total int64
	// next is the number that the following page begins below; negative where there is none.
	next int64
}

// chunkBlocks is how many blocks are read at once: enough for the largest page.
const chunkBlocks = 4

// numbered is an entry with its number.
type numbered struct {
	entry
	number int64
}

// list returns the newest limit entries numbered below before (all of them where before is negative).
func (b *inbox) list(ctx context.Context, user string, unread bool, before int64, limit int) (page, error) {
	item, err := b.state.Get(ctx, headKey(user))
	if err != nil {
		return page{}, fmt.Errorf("read inbox of %s: %w", user, err)
	}
	var h head
	if err := decode(item, &h); err != nil {
		return page{}, err
	}
	if before < 0 || before > h.Count {
		before = h.Count
	}
	// One more than asked for tells whether there is another page.
	found, err := b.collect(ctx, user, h, unread, before, limit+1)
	if err != nil {
		return page{}, err
	}
	p := page{total: h.Count - h.oldest(), next: -1}
	if unread {
		p.total = h.Unread
	}
	if len(found) > limit {
		found = found[:limit]
		p.next = found[limit-1].number
	}
	p.items, err = b.items(ctx, found)
	return p, err
}

// collect walks the blocks down from before until it has max entries or reaches the end.
func (b *inbox) collect(ctx context.Context, user string, h head, unread bool, before int64, max int) ([]numbered, error) {
	var found []numbered
	for before > h.oldest() && len(found) < max {
		top := (before - 1) / blockSize
		var keys []string
		for n := top; n >= h.First && len(keys) < chunkBlocks; n-- {
			keys = append(keys, blockKey(user, n))
		}
		items, err := b.state.GetBulk(ctx, keys)
		if err != nil {
			return nil, fmt.Errorf("read inbox blocks of %s: %w", user, err)
		}
		for i, item := range items {
			var entries []entry
			if err := decode(item, &entries); err != nil {
				return nil, err
			}
			first := (top - int64(i)) * blockSize
			for j := min(int64(len(entries)), before-first) - 1; j >= 0 && len(found) < max; j-- {
				if !unread || !entries[j].Read {
					found = append(found, numbered{entries[j], first + j})
				}
			}
			before = first
		}
	}
	return found, nil
}

// items adds the notifications to the entries. A record that a trim has just removed is left out.
func (b *inbox) items(ctx context.Context, entries []numbered) ([]InboxItem, error) {
	var keys []string
	for _, e := range entries {
		for _, id := range e.ids() {
			keys = append(keys, recordKey(id))
		}
	}
	items := make([]InboxItem, 0, len(entries))
	records, err := b.state.GetBulk(ctx, keys)
	if err != nil {
		return nil, fmt.Errorf("read notifications: %w", err)
	}
	for _, e := range entries {
		own := records[:1+len(e.Routes)]
		records = records[len(own):]
		var it InboxItem
		for _, stored := range own {
			var rec record
			if err := decode(stored, &rec); err != nil {
				return nil, err
			}
			if rec.Channel == InApp {
				it = InboxItem{NotificationID: rec.NotificationID, ReminderID: rec.ReminderID, TaskID: rec.TaskID,
					Message: rec.Message, ScheduledTime: rec.ScheduledTime, CreatedAt: rec.CreatedAt, Read: e.Read}
			}
			if stored.Exists() {
				it.Channels = append(it.Channels, Delivery{rec.NotificationID, rec.Channel, rec.Target, rec.DeliveryStatus, rec.SentAt, rec.Attempts})
			}
		}
		if it.NotificationID != "" {
			items = append(items, it)
		}
	}
	return items, nil
}
