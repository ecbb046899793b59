package notification

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/event"
	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/host/combine"
)

const (
	// maxBatch is how many changes of one inbox go out as one commit, at most; maxWrites how many notifications such
	// a commit may create, so that it stays below the host's 256 operations whatever the number of channels.
	maxBatch  = 50
	maxWrites = 200
	// commitTimeout bounds a batch, its retries included.
	commitTimeout = 20 * time.Second
	// conflictTries is how often a batch is worked out anew after another replica was faster.
	conflictTries = 8
)

var (
	errUnknownUser  = errors.New("no such user")
	errUnknownEntry = errors.New("no such notification")
)

// change is one wish for an inbox: keep a reminder, or mark an entry as read.
type change struct {
	ctx context.Context
	// reminder is to be kept; where it is nil, read is the notification to be marked.
	reminder *event.Reminder
	read     string
	err      error
}

// id is the notification whose record says whether the change can be made or was made before.
func (c *change) id() string {
	if c.reminder != nil {
		return event.NotificationID(c.reminder.ReminderID, InApp)
	}
	return c.read
}

// inbox writes users' inboxes. Changes of one user that come while a commit is under way go out together as the
// next: a thousand reminders due in the same second cost some dozens of commits.
type inbox struct {
	state    host.State
	backend  *backend
	channels []Channel
	// blocks is how many blocks an inbox may have.
	blocks int64
	now    func() time.Time
	// kept is told of every reminder that has been kept.
	kept  func(ctx context.Context, records []record)
	queue combine.Queue[string, *change]
}

// do makes the change and returns when it is durable.
func (b *inbox) do(user string, c *change) error {
	b.queue.Do(user, c)
	return c.err
}

// run handles one batch of one user. Only the reminders need to know the user's channels.
func (b *inbox) run(user string, batch []*change) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(batch[0].ctx), commitTimeout)
	defer cancel()
	var to Recipient
	var routes []string
	if slices.ContainsFunc(batch, func(c *change) bool { return c.reminder != nil }) {
		var err error
		if to, routes, err = b.routes(ctx, user); err != nil {
			batch = slices.DeleteFunc(batch, func(c *change) bool {
				if c.reminder != nil {
					c.err = err
				}
				return c.reminder != nil
			})
		}
	}
	for part := range slices.Chunk(batch, max(1, maxWrites/(1+len(routes)))) {
		if err := b.commit(ctx, user, part, to, routes); err != nil {
			for _, c := range part {
				c.err = err
			}
		}
	}
}

// routes are the ways, besides the inbox, on which the user wants to be reminded.
func (b *inbox) routes(ctx context.Context, user string) (Recipient, []string, error) {
	to, err := b.backend.user(ctx, user)
	if err != nil {
		return to, nil, err
	}
	var routes []string
	for _, c := range b.channels {
		targets, err := c.Targets(ctx, to)
		if err != nil {
			return to, nil, fmt.Errorf("targets of user %s on %s: %w", user, c.Name(), err)
		}
		for _, target := range targets[:min(len(targets), MaxTargets)] {
			routes = append(routes, routeOf(c.Name(), target))
		}
	}
	return to, routes, nil
}

// commit works the changes out against the newest state until no other replica comes in between.
func (b *inbox) commit(ctx context.Context, user string, batch []*change, to Recipient, routes []string) error {
	for try := 1; ; try++ {
		d, err := b.draft(ctx, user, batch, to, routes)
		if err != nil {
			return err
		}
		tx := d.tx()
		if len(tx.Ops) == 0 {
			return nil
		}
		if err = b.state.Commit(ctx, tx); err == nil {
			d.tell(ctx, b.kept)
			return nil
		}
		if !errors.Is(err, host.ErrConflict) || try == conflictTries {
			return fmt.Errorf("commit inbox of %s: %w", user, err)
		}
		select {
		case <-time.After(time.Duration(rand.Int64N(int64(try * int(10*time.Millisecond))))):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// draft reads what the changes touch and applies them one after the other.
func (b *inbox) draft(ctx context.Context, user string, batch []*change, to Recipient, routes []string) (*draft, error) {
	keys := []string{headKey(user)}
	for _, c := range batch {
		keys = append(keys, recordKey(c.id()))
	}
	for _, route := range routes {
		keys = append(keys, goneKey(user, route))
	}
	items, err := b.state.GetBulk(ctx, keys)
	if err != nil {
		return nil, fmt.Errorf("read inbox of %s: %w", user, err)
	}
	d := &draft{user: user, to: to, now: b.now(), headETag: items[0].ETag, gone: map[string]gone{}}
	if err := decode(items[0], &d.head); err != nil {
		return nil, err
	}
	for i, item := range items[1+len(batch):] {
		var g gone
		if err := decode(item, &g); err != nil {
			return nil, err
		}
		if item.Exists() && g.UserVersion == to.Version {
			d.gone[routes[i]] = g
		}
	}
	reads, reminders, err := sortOut(user, batch, items[1:1+len(batch)])
	if err != nil {
		return nil, err
	}
	if err := d.load(ctx, b.state, b.touched(d.head, reads, len(reminders))); err != nil {
		return nil, err
	}
	for _, number := range reads {
		d.markRead(number)
	}
	for _, c := range reminders {
		d.keep(*c.reminder, edge.Trace(c.ctx), routes)
	}
	for d.lastBlock()-d.head.First >= b.blocks {
		d.dropOldest()
	}
	return d, nil
}

// sortOut finds the entries to mark and the reminders not kept yet: neither before nor earlier in the batch.
func sortOut(user string, batch []*change, records []host.Item) (reads []int64, fresh []*change, err error) {
	seen := map[string]bool{}
	for i, c := range batch {
		c.err = nil
		switch known := records[i].Exists(); {
		case c.reminder == nil:
			var rec record
			if err := decode(records[i], &rec); err != nil {
				return nil, nil, err
			}
			if !known || rec.UserID != user || rec.Channel != InApp {
				c.err = errUnknownEntry
				continue
			}
			reads = append(reads, rec.Number)
		case !known && !seen[c.id()]:
			seen[c.id()] = true
			fresh = append(fresh, c)
		}
	}
	return reads, fresh, nil
}

// touched are the blocks that a draft may need: those of the entries to mark, the last one, which is to grow, and
// the oldest ones, which may have to go.
func (b *inbox) touched(h head, reads []int64, fresh int) []int64 {
	var blocks []int64
	for _, number := range reads {
		if number >= h.oldest() {
			blocks = append(blocks, number/blockSize)
		}
	}
	if fresh > 0 {
		last := (h.Count + int64(fresh) - 1) / blockSize
		blocks = append(blocks, h.Count/blockSize)
		for n := h.First; last-n >= b.blocks; n++ {
			blocks = append(blocks, n)
		}
	}
	slices.Sort(blocks)
	return slices.Compact(blocks)
}
