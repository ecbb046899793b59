package embedded

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/docket-tasks/docket/host"
)

func openNode(tb testing.TB, o Options) *Node {
	tb.Helper()
	if o.Dir == "" {
		o.Dir = tb.TempDir()
	}
	n, err := Open(tb.Context(), o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := n.Close(context.WithoutCancel(tb.Context())); err != nil {
			tb.Error(err)
		}
	})
	return n
}

// Small durable commits: a new item and a compare-and-swap of a hot one are two different things, so both.
func BenchmarkCommit(b *testing.B) {
	for _, writers := range []int{1, 64, 256} {
		b.Run(fmt.Sprint(writers), func(b *testing.B) {
			state := openNode(b, Options{}).Host("bench").State
			value := make([]byte, 100)
			var next atomic.Int64
			b.ResetTimer()
			var wg sync.WaitGroup
			for w := range writers {
				wg.Go(func() {
					for {
						i := next.Add(1)
						if i > int64(b.N) {
							return
						}
						if err := state.Commit(b.Context(), host.Tx{Ops: []host.Op{host.Create(fmt.Sprintf("k/%03d/%09d", w, i), value)}}); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commits/s")
		})
	}
}

func BenchmarkGet(b *testing.B) {
	b.Run("hot", func(b *testing.B) {
		state := openNode(b, Options{}).Host("bench").State
		if err := state.Commit(b.Context(), host.Tx{Ops: []host.Op{host.Put("task/1", make([]byte, 600))}}); err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			if _, err := state.Get(b.Context(), "task/1"); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("cold", func(b *testing.B) {
		n := openNode(b, Options{})
		state := n.Host("bench").State
		const items = 2560
		for i := range items / 256 {
			var ops []host.Op
			for j := range 256 {
				ops = append(ops, host.Put(fmt.Sprintf("task/%d", i*256+j), make([]byte, 600)))
			}
			if err := state.Commit(b.Context(), host.Tx{Ops: ops}); err != nil {
				b.Fatal(err)
			}
		}
		i := 0
		for b.Loop() {
			if i%items == 0 {
				b.StopTimer()
				n.cache.forget()
				b.StartTimer()
			}
			if it, err := state.Get(b.Context(), fmt.Sprintf("task/%d", i%items)); err != nil || !it.Exists() {
				b.Fatal(err)
			}
			i++
		}
	})
}

// What loading a long list after a restart does.
func BenchmarkGetBulkCold(b *testing.B) {
	n := openNode(b, Options{})
	state := n.Host("bench").State
	for _, items := range []int{10, 1000, 5000} {
		keys := make([]string, items)
		for i := range keys {
			keys[i] = fmt.Sprintf("task/%08x", uint32(i)*2654435761) // as ids that are not in order
		}
		for i := 0; i < items; i += 250 {
			var ops []host.Op
			for _, key := range keys[i:min(i+250, items)] {
				ops = append(ops, host.Put(key, make([]byte, 600)))
			}
			if err := state.Commit(b.Context(), host.Tx{Ops: ops}); err != nil {
				b.Fatal(err)
			}
		}
		b.Run(fmt.Sprint(items), func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				n.cache.forget()
				b.StartTimer()
				got, err := state.GetBulk(b.Context(), keys)
				if err != nil || !got[items-1].Exists() {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*items), "ns/key")
		})
	}
}

// forget empties the cache.
func (c *cache) forget() {
	empty := newCache(cacheBytes)
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		s.entries = map[cacheKey]*entry{}
		s.recent.prev, s.recent.next = &s.recent, &s.recent
		s.bytes = 0
		s.mu.Unlock()
	}
	c.seed = empty.seed
}

// From commit to handler, with 64 publishers on 64 keys.
func BenchmarkDelivery(b *testing.B) {
	n := openNode(b, Options{})
	var handled atomic.Int64
	done := make(chan struct{})
	err := n.Start(b.Context(), host.Service{Name: "bench", Subscriptions: []host.Subscription{{
		Topic: "events", Handle: func(context.Context, host.Message) error {
			if handled.Add(1) == int64(b.N) {
				close(done)
			}
			return nil
		},
	}}})
	if err != nil {
		b.Fatal(err)
	}
	state := n.Host("bench").State
	b.ResetTimer()
	var next atomic.Int64
	var wg sync.WaitGroup
	for w := range 64 {
		wg.Go(func() {
			for {
				i := next.Add(1)
				if i > int64(b.N) {
					return
				}
				m := host.Message{Topic: "events", Key: fmt.Sprint(w), ID: fmt.Sprint(i), Data: make([]byte, 300)}
				if err := state.Commit(b.Context(), host.Tx{Messages: []host.Message{m}}); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	<-done
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}
