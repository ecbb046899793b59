package main

import (
	"context"
	"errors"
	"net/http"
	"os"
	"time"
)

const (
	startTime  = "start to the first 200, 10,000 tasks stored"
	idleMemory = "idle memory, 10,000 tasks stored"
	binarySize = "size of the binary"
)

// footprint measures what docket takes before it does anything: the time from the start of the process until it
// answers a request through the gateway with a token, the memory it holds a moment later, and the size of the binary.
func footprint(ctx context.Context, b *bench) error {
	if b.wants(startTime, idleMemory) {
		if err := starts(ctx, b); err != nil {
			return err
		}
	}
	if !b.wants(binarySize) {
		return nil
	}
	info, err := os.Stat(b.binary)
	if err != nil {
		return err
	}
	b.goal(binarySize, "MB", float64(info.Size())/1e6, 45)
	return nil
}

func starts(ctx context.Context, b *bench) error {
	d, err := b.docket(ctx)
	if err != nil {
		return err
	}
	if _, err := d.create(ctx, d.owner, drafts(listSize, 1)); err != nil {
		return errors.Join(err, d.stop())
	}
	if err := errors.Join(d.settled(ctx), d.stop()); err != nil {
		return err
	}
	var times, memory []float64
	for range b.runs {
		began := time.Now()
		d, err := b.restart(ctx, d.dir)
		if err != nil {
			return err
		}
		if _, err := d.call(ctx, d.owner, http.MethodGet, "/api/me", nil, nil); err != nil {
			return errors.Join(err, d.stop())
		}
		times = append(times, float64(time.Since(began))/float64(time.Millisecond))
		m, err := d.idle(ctx)
		if err := errors.Join(err, d.stop()); err != nil {
			return err
		}
		memory = append(memory, m["process_resident_memory_bytes"]/1e6)
	}
	if b.wants(startTime) {
		b.goal(startTime, "ms", median(times), 100)
	}
	if b.wants(idleMemory) {
		b.goal(idleMemory, "MB", median(memory), 50)
	}
	return nil
}

// idle waits until what follows a start is over, and reads the metrics.
func (d *docket) idle(ctx context.Context) (metrics, error) {
	if err := pause(ctx, time.Second); err != nil {
		return nil, err
	}
	return d.metrics(ctx)
}
