package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// reminderRows are the bursts of reminders, with the goal for the last one in a hundred, in seconds.
var reminderRows = []struct {
	count int
	work  string
	goal  float64
}{
	{1000, "1,000 reminders due at one moment: due to commit, p99", 1},
	{10_000, "10,000 reminders due at one moment: due to commit, p99", 5},
}

// reminders measures how late reminders are that are all due at the same moment: from that moment to the commit of the
// event, as docket's own histogram has it.
func reminders(ctx context.Context, b *bench) (err error) {
	if !b.wants(reminderRows[0].work, reminderRows[1].work) {
		return nil
	}
	d, err := b.docket(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.stop()) }()
	for _, r := range reminderRows {
		if !b.wants(r.work) {
			continue
		}
		late, err := d.burst(ctx, r.count)
		if err != nil {
			return fmt.Errorf("%s: %w", r.work, err)
		}
		b.goal(r.work, "s", late, r.goal)
	}
	return nil
}

const (
	lateness      = "docket_reminder_lateness_seconds"
	remindersSent = `docket_reminders_total{outcome="sent"}`
)

// burst lets n reminders come due at once and returns the 99th percentile of their lateness, in seconds.
func (d *docket) burst(ctx context.Context, n int) (float64, error) {
	us, err := d.users(ctx, 1)
	if err != nil {
		return 0, err
	}
	before, err := d.metrics(ctx)
	if err != nil {
		return 0, err
	}
	due := time.Now().Add(3*time.Second + time.Duration(n)*time.Millisecond).Truncate(time.Second)
	tasks := make([]draft, n)
	for i := range tasks {
		tasks[i] = draft{Title: fmt.Sprintf("Take the cake out %05d", i), Due: due.UTC().Format(time.RFC3339), Reminders: []int{0}}
	}
	if _, err := d.create(ctx, us[0], tasks); err != nil {
		return 0, err
	}
	if time.Now().After(due) {
		return 0, errors.New("the tasks were not there in time: the machine is too busy")
	}
	for deadline := due.Add(patience); time.Now().Before(deadline); {
		now, err := d.metrics(ctx)
		if err != nil {
			return 0, err
		}
		if sent := now[remindersSent] - before[remindersSent]; sent >= float64(n) {
			return quantile99(before, now, lateness), d.settled(ctx)
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return 0, err
		}
	}
	return 0, fmt.Errorf("not all of %d reminders were sent", n)
}

// quantile99 estimates the 99th percentile of what a histogram has counted between two readings, as Prometheus does:
// evenly spread within a bucket.
func quantile99(before, after metrics, name string) float64 {
	type bucket struct{ upTo, count float64 }
	var buckets []bucket
	for series, count := range after {
		le, ok := strings.CutPrefix(series, name+`_bucket{le="`)
		upTo, err := strconv.ParseFloat(strings.TrimSuffix(le, `"}`), 64)
		if ok && err == nil {
			buckets = append(buckets, bucket{upTo, count - before[series]})
		}
	}
	slices.SortFunc(buckets, func(a, b bucket) int { return cmp.Compare(a.upTo, b.upTo) })
	var last bucket
	rank := 0.99 * (after[name+"_count"] - before[name+"_count"])
	for _, k := range buckets {
		if k.count >= rank && k.count > last.count {
			return last.upTo + (k.upTo-last.upTo)*(rank-last.count)/(k.count-last.count)
		}
		last = k
	}
	return last.upTo
}
