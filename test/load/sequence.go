package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dapr/go-sdk/client"

	"github.com/docket-tasks/docket/deploy/local"
)

// The components and the topic of the bare side.
const (
	bareStore = "statestore"
	bareBus   = "pubsub"
	bareTopic = "bench"
)

// sequence is what a change cannot do without on Dapr, and nothing else: a transaction that writes a record, a head, a log and an
// outbox row; one message; and the deletion of that row. It keeps no order, checks no version and recovers nothing.
type sequence struct {
	api  client.Client
	size sizes
	n    atomic.Int64
}

// sizes are what docket stores and sends for the creation of a task, in bytes.
type sizes struct{ record, head, log, outbox, message int }

// newSequence uses the sidecar of the first replica of backend. The sizes of rows are those of what docket has just stored; the outbox
// row is gone by then: it held the event and the update, each a task with an envelope.
func newSequence(ctx context.Context, d *local.Docket) (*sequence, error) {
	sidecar := d.Running["backend"][0].Sidecar
	api, err := client.NewClientWithAddressContext(ctx, "127.0.0.1:"+strconv.Itoa(sidecar.GRPCPort))
	if err != nil {
		return nil, err
	}
	api.WithAuthToken(sidecar.Getenv("DAPR_API_TOKEN"))
	s := &sequence{api: api}
	for like, into := range map[string]*int{"backend||task/%": &s.size.record, "backend||list/%/log/%": &s.size.log, "audit||audit/%": &s.size.message} {
		for *into == 0 { // audit may not have begun yet
			mean, err := d.Query(ctx, d.Name, fmt.Sprintf("select coalesce(round(avg(octet_length(value))), 0) from docket_state where key like '%s'", like))
			if err == nil {
				*into, err = strconv.Atoi(mean)
			}
			if err == nil && *into == 0 {
				err = pause(ctx, 100*time.Millisecond)
			}
			if err != nil {
				return nil, fmt.Errorf("the size of %s: %w", like, err)
			}
		}
	}
	s.size.head, s.size.outbox = 100, 2*s.size.message
	return s, nil
}

func (s *sequence) close() { s.api.Close() }

// filler is n bytes that are as hard to compress as JSON.
func filler(n int) []byte {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789\",:{}-"
	b := make([]byte, n)
	for i := range b {
		b[i] = letters[rand.IntN(len(letters))]
	}
	return b
}

// transact is the transaction; it returns the key of its outbox row.
func (s *sequence) transact(ctx context.Context) (row string, err error) {
	n := s.n.Add(1)
	key := func(kind string) string { return fmt.Sprintf("bench/%s/%d", kind, n) }
	var ops []*client.StateOperation
	for _, part := range []struct {
		kind string
		size int
	}{{"head", s.size.head}, {"log", s.size.log}, {"outbox", s.size.outbox}, {"record", s.size.record}} {
		ops = append(ops, &client.StateOperation{Type: client.StateOperationTypeUpsert, Item: &client.SetStateItem{Key: key(part.kind), Value: filler(part.size)}})
	}
	return key("outbox"), s.api.ExecuteStateTransaction(ctx, bareStore, nil, ops)
}

// transaction returns the median time of one, in milliseconds.
func (s *sequence) transaction(count int) measure {
	return func(ctx context.Context) (float64, error) {
		var times []float64
		for range count {
			began := time.Now()
			if _, err := s.transact(ctx); err != nil {
				return 0, err
			}
			times = append(times, milliseconds(time.Since(began)))
		}
		return median(times), nil
	}
}

// whole carries out the whole sequence with as many clients as docket has, and returns how many a second.
func (s *sequence) whole(count int) measure {
	return func(ctx context.Context) (float64, error) {
		began := time.Now()
		err := parallel(sidecarWriters, count, func(int) error {
			row, err := s.transact(ctx)
			if err != nil {
				return err
			}
			err = s.api.PublishEvent(ctx, bareBus, bareTopic, filler(s.size.message),
				client.PublishEventWithMetadata(map[string]string{"rawPayload": "true", "partitionKey": row}),
				client.PublishEventWithContentType("application/octet-stream"))
			if err != nil {
				return err
			}
			return s.api.DeleteState(ctx, bareStore, row, nil)
		})
		return float64(count) / time.Since(began).Seconds(), err
	}
}

// gets reads one row after the other with as many clients as docket has readers, and returns how many a second.
func (s *sequence) gets(turn time.Duration) measure {
	return func(ctx context.Context) (float64, error) {
		var n atomic.Int64
		var all sync.WaitGroup
		var failed atomic.Pointer[error]
		began := time.Now()
		for range readers {
			all.Go(func() {
				for time.Since(began) < turn && failed.Load() == nil {
					key := fmt.Sprintf("bench/record/%d", 1+rand.Int64N(s.n.Load()))
					if _, err := s.api.GetState(ctx, bareStore, key, nil); err != nil {
						failed.CompareAndSwap(nil, &err)
						return
					}
					n.Add(1)
				}
			})
		}
		all.Wait()
		if err := failed.Load(); err != nil {
			return 0, *err
		}
		return float64(n.Load()) / time.Since(began).Seconds(), nil
	}
}
