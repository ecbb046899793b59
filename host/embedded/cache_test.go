package embedded

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/docket-tasks/docket/host"
)

// A reader that was slow to fetch an item must not put it over what was committed meanwhile.
func TestCacheRefusesAnOlderFill(t *testing.T) {
	c := newCache(1 << 20)
	k := cacheKey{&space{}, "k"}
	_, seen, ok := c.load(k)
	if ok {
		t.Fatal("the empty cache has it")
	}
	c.store(k, newItem([]byte("new"), 2, 0))
	c.fill(k, newItem([]byte("old"), 1, 0), seen)
	if it, _, ok := c.load(k); !ok || string(it.value) != "new" {
		t.Errorf("cached %q, %t, want the committed value", it.value, ok)
	}
	// The same when the committed item has left the cache again.
	k.key = "big"
	_, seen, _ = c.load(k)
	c.store(k, newItem(make([]byte, 1<<19), 3, 0))
	c.fill(k, newItem([]byte("old"), 1, 0), seen)
	if it, _, ok := c.load(k); ok {
		t.Errorf("cached %q after a commit too large to keep", it.value)
	}
}

func TestCacheIsBounded(t *testing.T) {
	const limit = 1 << 20
	c := newCache(limit)
	s := &space{}
	for i := range 20_000 {
		c.store(cacheKey{s, fmt.Sprint(i)}, newItem(make([]byte, i%700), int64(i+1), 0))
	}
	held, bytes := 0, 0
	for i := range c.shards {
		sh := &c.shards[i]
		n := 0
		for e := sh.recent.next; e != &sh.recent; e = e.next {
			n++
			bytes += itemOverhead + len(e.key.key) + len(e.value)
		}
		if n != len(sh.entries) {
			t.Fatalf("shard %d: %d in the ring, %d in the map", i, n, len(sh.entries))
		}
		held += n
	}
	if bytes > limit || held < 500 {
		t.Errorf("%d items of %d bytes held, want many and at most %d bytes", held, bytes, limit)
	}
	if _, _, ok := c.load(cacheKey{s, "19999"}); !ok {
		t.Error("the item used last is gone")
	}
}

func TestCacheKnowsExpiry(t *testing.T) {
	now := time.UnixMilli(1000)
	it := newItem([]byte("v"), 1, 1001)
	if it.at(now).rev != 1 || it.at(now.Add(time.Millisecond)).rev != 0 {
		t.Error("an item is there until, and not at, the moment it expires")
	}
}

// Reads stay current while items leave the cache all the time and come back from the database.
func TestReadsAreCurrentUnderEviction(t *testing.T) {
	n := openNode(t, Options{})
	n.cache = newCache(0)
	s := n.Host("worker").State
	const keys, rounds = 4, 150
	var acknowledged [keys]atomic.Int64
	var writing sync.WaitGroup
	for k := range keys {
		writing.Go(func() {
			for i := range int64(rounds) {
				if err := s.Commit(t.Context(), host.Tx{Ops: []host.Op{host.Put(fmt.Sprint(k), []byte(strconv.FormatInt(i+1, 10)))}}); err != nil {
					t.Error(err)
				}
				acknowledged[k].Store(i + 1)
			}
		})
	}
	var reading sync.WaitGroup
	done := make(chan struct{})
	for r := range 2 {
		reading.Go(func() {
			for k := r; ; k = (k + 1) % keys {
				select {
				case <-done:
					return
				default:
				}
				floor := acknowledged[k].Load()
				it, err := s.Get(t.Context(), fmt.Sprint(k))
				if err != nil {
					t.Error(err)
					return
				}
				if got, _ := strconv.ParseInt(string(it.Value), 10, 64); got < floor {
					t.Errorf("read %d after %d had been acknowledged", got, floor)
					return
				}
			}
		})
	}
	writing.Wait()
	close(done)
	reading.Wait()
}

// A bulk read of what the cache does not have: more than one statement reads, odd keys, some twice, some absent.
func TestBulkReadOfColdItems(t *testing.T) {
	n := openNode(t, Options{})
	state := n.Host("worker").State
	odd := []string{`"quoted"`, `back\slash`, "<&>", "größer\u2028", "\U0001F600", "\t", "a/" + strings.Repeat("k", 900)}
	keys := append([]string{"absent", odd[0]}, odd...)
	for i := range 2*bulkChunk + 7 {
		keys = append(keys, fmt.Sprint("item/", i))
	}
	for part := range slices.Chunk(keys[2:], maxOps) {
		var tx host.Tx
		for _, key := range part {
			tx.Ops = append(tx.Ops, host.Put(key, []byte("of "+key)))
		}
		mustCommit(t, state, tx)
	}
	mustCommit(t, n.Host("other").State, host.Tx{Ops: []host.Op{host.Put("absent", []byte("another service's"))}})
	n.cache.forget()
	items, err := state.GetBulk(t.Context(), keys)
	if err != nil {
		t.Fatal(err)
	}
	for i, it := range items {
		want := "of " + keys[i]
		if i == 0 {
			want = ""
		}
		if it.Key != keys[i] || string(it.Value) != want || it.Exists() != (i > 0) {
			t.Errorf("%q came as %q = %.50q, exists %t", keys[i], it.Key, it.Value, it.Exists())
		}
		if cached, _, ok := n.cache.load(cacheKey{state.(*space), keys[i]}); !ok || string(cached.value) != want {
			t.Errorf("%q is not remembered", keys[i])
		}
	}
}
