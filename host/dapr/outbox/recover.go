package outbox

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/docket-tasks/docket/host"
)

// recoverChunk is how many numbers are visited with one read.
const recoverChunk = 64

// sighting is when a slot's row was first seen as it is.
type sighting struct {
	etag  string
	since time.Time // of this process's monotonic clock
}

// watch looks after the slots of others: one whose row stays unchanged for a lease has a dead owner.
func (o *Outbox) watch() {
	seen := map[int]sighting{}
	tick := time.NewTicker(o.Lease / 3)
	defer tick.Stop()
	for {
		items, err := o.slots(o.background)
		if err != nil {
			clear(seen) // while nobody can write, nobody shows that he lives
		} else {
			o.look(items, seen)
		}
		select {
		case <-tick.C:
		case <-o.background.Done():
			return
		}
	}
}

func (o *Outbox) look(items []host.Item, seen map[int]sighting) {
	now := time.Now()
	for slot, it := range items {
		row, err := decodeSlot(it)
		if err != nil {
			o.Logger.Error("a slot cannot be read", "slot", slot, "error", err)
			continue
		}
		if !it.Exists() || row.free() || row.Owner == o.Owner {
			delete(seen, slot)
			continue
		}
		if s := seen[slot]; s.etag != it.ETag {
			seen[slot] = sighting{it.ETag, now}
			if row.Owner != "" {
				continue
			}
		} else if row.Owner != "" && now.Sub(s.since) < o.Lease {
			continue
		}
		delete(seen, slot)
		if err := o.recover(slot, it, row); err != nil {
			o.Logger.Warn("a slot is not recovered yet", "slot", slot, "error", err)
		}
	}
}

// inherit recovers what a former process of this instance has left: nobody needs to wait until it is surely dead, because
// a fence is safe whoever lives. What that did not finish goes out before anything that this one commits. Where it
// fails the watch does it later.
func (o *Outbox) inherit() {
	if o.Instance == "" {
		return
	}
	items, err := o.slots(o.background)
	if err != nil {
		return // the claim will tell
	}
	for slot, it := range items {
		row, err := decodeSlot(it)
		if err != nil || row.Instance != o.Instance || row.free() {
			continue
		}
		if err := o.recover(slot, it, row); err != nil {
			o.Logger.Warn("what the last process of this replica left is not recovered yet", "slot", slot, "error", err)
		}
	}
}

// recover fences a slot and settles every number of its window. Doing it twice, or two doing it at once, publishes twice
// at worst.
func (o *Outbox) recover(slot int, it host.Item, row slotRow) error {
	previous := row.Owner
	row.Owner = "recovered by " + o.Owner
	if err := o.writeSlot(o.background, it, row); err != nil {
		if errors.Is(err, host.ErrConflict) {
			return nil // its owner lives, or another was faster
		}
		return err
	}
	o.Failpoint(stepFenced)
	o.Logger.Warn("a replica's outbox is recovered", "slot", slot, "epoch", row.Epoch, "owner", previous, "lo", row.Lo, "hi", row.Hi)
	for lo := row.Lo; lo < row.Hi; lo += recoverChunk {
		if err := o.recoverChunk(slot, row, lo, min(lo+recoverChunk, row.Hi)); err != nil {
			return err
		}
	}
	o.Failpoint(stepRecovered)
	items, err := o.Store.Get(o.background, []string{slotKey(slot)})
	if err != nil {
		return err
	}
	now, err := decodeSlot(items[0])
	if err != nil || now.Owner != row.Owner || now.Epoch != row.Epoch {
		return err // another has fenced it meanwhile and will free it
	}
	free := slotRow{Epoch: row.Epoch + 1, Beat: now.Beat}
	if err := o.writeSlot(o.background, items[0], free); err != nil && !errors.Is(err, host.ErrConflict) {
		return err
	}
	return nil
}

// recoverChunk settles the numbers from lo to hi − 1: first what is absent becomes void, so that it stays absent; then
// what is there is handed on.
func (o *Outbox) recoverChunk(slot int, row slotRow, lo, hi int64) error {
	void, err := encodeRow(rowVoid, content{})
	if err != nil {
		return err
	}
	keys := make([]string, 0, hi-lo)
	for n := lo; n < hi; n++ {
		keys = append(keys, rowKey(slot, row.Epoch, n))
	}
	for {
		items, err := o.Store.Get(o.background, keys)
		if err != nil {
			return err
		}
		var voids []host.Op
		for _, it := range items {
			if !it.Exists() {
				voids = append(voids, host.Create(it.Key, void).Expiring(voidTTL))
			}
		}
		if len(voids) == 0 {
			return o.handOn(items)
		}
		err = o.Store.Commit(o.background, voids)
		switch {
		case err == nil:
			o.Failpoint(stepVoided)
			o.mu.Lock()
			o.stats.Voided += uint64(len(voids))
			o.mu.Unlock()
		case errors.Is(err, host.ErrConflict): // a commit of the dead owner was still on its way and has arrived
		default:
			return err
		}
	}
}

// handOn publishes what the entries among items hold and marks them done, in the order of their numbers.
func (o *Outbox) handOn(items []host.Item) error {
	done, err := encodeRow(rowDone, content{})
	if err != nil {
		return err
	}
	for _, it := range items {
		kind, c, err := decodeRow(it.Value)
		if err != nil {
			return fmt.Errorf("row %s: %w", it.Key, err)
		}
		if kind != rowEntry {
			continue
		}
		if err := o.carryAll(c); err != nil {
			return err
		}
		if err := o.Store.Commit(o.background, []host.Op{host.Put(it.Key, done).Expiring(voidTTL)}); err != nil {
			return err
		}
		o.mu.Lock()
		o.stats.Recovered++
		o.mu.Unlock()
	}
	return nil
}

// carryAll hands on what one commit has, all of it at once; what has one key, in its order.
func (o *Outbox) carryAll(c content) error {
	var all errgroup.Group
	for _, messages := range c.byKey() {
		all.Go(func() error { return o.publish(messages) })
	}
	for _, j := range c.Jobs {
		all.Go(func() error { return o.schedule(j) })
	}
	return all.Wait()
}
