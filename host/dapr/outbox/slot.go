package outbox

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"time"

	"github.com/docket-tasks/docket/host"
)

// slots reads every slot's row.
func (o *Outbox) slots(ctx context.Context) ([]host.Item, error) {
	keys := make([]string, o.Slots)
	for i := range keys {
		keys[i] = slotKey(i)
	}
	items, err := o.Store.Get(ctx, keys)
	if err != nil {
		return nil, fmt.Errorf("read the slots: %w", err)
	}
	return items, nil
}

// writeSlot replaces a slot's row.
func (o *Outbox) writeSlot(ctx context.Context, old host.Item, row slotRow) error {
	row.Beat++
	b, err := row.encode()
	if err != nil {
		return err
	}
	return o.Store.Commit(ctx, []host.Op{host.Replace(old.Key, b, old.ETag)})
}

// claim takes a free slot, with a new epoch: its numbers have never been used.
func (o *Outbox) claim(ctx context.Context) error {
	items, err := o.slots(ctx)
	if err != nil {
		return err
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(o.Owner)) // replicas that start together begin at different slots
	first := int(h.Sum32() % uint32(o.Slots))
	taken := 0
	for i := range o.Slots {
		slot := (first + i) % o.Slots
		row, err := decodeSlot(items[slot])
		if err != nil {
			return err
		}
		if row.Owner == o.Owner && row.Lo == 0 { // an attempt whose outcome was not known
			o.hold(slot, row, time.Now())
			return nil
		}
		if !row.free() {
			taken++
			continue
		}
		began := time.Now()
		row = slotRow{Epoch: row.Epoch + 1, Owner: o.Owner, Instance: o.Instance, Hi: int64(o.Window), Beat: row.Beat}
		err = o.writeSlot(ctx, items[slot], row)
		switch {
		case err == nil:
			o.hold(slot, row, began)
			return nil
		case !errors.Is(err, host.ErrConflict):
			return err
		}
	}
	return fmt.Errorf("%d of %d slots are taken, others were faster at the rest", taken, o.Slots)
}

func (o *Outbox) hold(slot int, row slotRow, at time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.lease = &lease{slot: slot, epoch: row.Epoch, hi: row.Hi, confirmed: at, live: map[int64]*entry{}}
	o.Logger.Info("outbox slot claimed", "slot", slot, "epoch", row.Epoch)
}

func (o *Outbox) holds(l *lease) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.lease == l
}

// beat shows that this replica lives, moves its window on, and claims another slot when one is lost.
func (o *Outbox) beat() {
	tick := time.NewTicker(o.Lease / 3)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-o.move:
		case <-o.background.Done():
			return
		}
		o.mu.Lock()
		l, closed := o.lease, o.closed
		o.mu.Unlock()
		switch {
		case l != nil:
			o.renew(o.background, l)
		case !closed:
			if err := o.claim(o.background); err != nil {
				o.Logger.Warn("no slot yet, trying again", "error", err)
			}
		}
	}
}

// renew writes the slot's row anew if it is still ours. The row in the store is read first: it is what is true whatever
// became of the last attempt, and a transaction tells no ETag.
func (o *Outbox) renew(ctx context.Context, l *lease) {
	began := time.Now()
	items, err := o.Store.Get(ctx, []string{slotKey(l.slot)})
	if err != nil {
		o.Logger.Warn("the slot cannot be read", "slot", l.slot, "error", err)
		return
	}
	row, err := decodeSlot(items[0])
	if err != nil {
		o.Logger.Error("the slot cannot be read", "slot", l.slot, "error", err)
		return
	}
	if row.Owner != o.Owner || row.Epoch != l.epoch {
		o.lose(l)
		return
	}
	o.mu.Lock()
	row.Lo = l.lowest()
	row.Hi = row.Lo + int64(o.Window)
	o.mu.Unlock()
	switch err := o.writeSlot(ctx, items[0], row); {
	case err == nil:
		o.mu.Lock()
		l.confirmed = began
		if row.Hi > l.hi {
			l.hi = row.Hi
			o.tellMoved()
		}
		o.mu.Unlock()
	case errors.Is(err, host.ErrConflict):
		o.ask() // somebody has written it, perhaps an attempt of our own: look again
	default:
		o.Logger.Warn("the slot cannot be renewed", "slot", l.slot, "error", err)
	}
}

// tellMoved wakes those who wait for room; o.mu is held.
func (o *Outbox) tellMoved() {
	close(o.moved)
	o.moved = make(chan struct{})
}

// lowest is the lowest number that is not finished; o.mu is held.
func (l *lease) lowest() int64 {
	lo := l.next
	for n := range l.live {
		lo = min(lo, n)
	}
	return lo
}

// lose gives the slot up. What has begun there is still settled and handed on: that repeats at worst what the
// recoverer does.
func (o *Outbox) lose(l *lease) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.lease != l {
		return
	}
	o.lease = nil
	o.tellMoved()
	o.stats.SlotsLost++
	o.ask()
	o.Logger.Warn("another replica took this one for dead and has fenced its slot", "slot", l.slot, "epoch", l.epoch, "unfinished", len(l.live))
}

// release frees the slot, or leaves it to be recovered at once if something is unfinished.
func (o *Outbox) release(ctx context.Context) {
	o.mu.Lock()
	l := o.lease
	o.mu.Unlock()
	if l == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), o.Lease/3)
	defer cancel()
	items, err := o.Store.Get(ctx, []string{slotKey(l.slot)})
	if err == nil {
		var row slotRow
		if row, err = decodeSlot(items[0]); err == nil && row.Owner == o.Owner && row.Epoch == l.epoch {
			o.mu.Lock()
			row.Owner, row.Lo, row.Hi = "", l.lowest(), l.next
			o.lease = nil
			o.mu.Unlock()
			err = o.writeSlot(ctx, items[0], row)
		}
	}
	if err != nil {
		o.Logger.Warn("the slot is not freed; another replica frees it in a while", "slot", l.slot, "error", err)
	}
}
