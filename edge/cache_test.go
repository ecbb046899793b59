package edge_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/docket-tasks/docket/edge"
)

// TestCache compares the cache with a plain map: it may forget, but never invent, outlive or outgrow.
func TestCache(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type entry struct {
			value   int
			expires time.Time
		}
		size := rapid.IntRange(2, 12).Draw(t, "size")
		c, truth, now := edge.NewCache[int, int](size), map[int]entry{}, start
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			key := rapid.IntRange(0, 20).Draw(t, "key")
			switch rapid.SampledFrom([]string{"get", "put", "put", "drop", "wait"}).Draw(t, "do") {
			case "put":
				e := entry{rapid.Int().Draw(t, "value"), now.Add(time.Duration(rapid.IntRange(-1, 60).Draw(t, "life")) * time.Second)}
				c.Put(key, e.value, e.expires)
				truth[key] = e
				if got, ok := c.Get(key, now); ok != now.Before(e.expires) || ok && got != e.value {
					t.Fatalf("just put %v at %v, got %v, %v", e, now, got, ok)
				}
			case "drop":
				c.Drop(key)
				delete(truth, key)
			case "wait":
				now = now.Add(7 * time.Second)
			case "get":
				got, ok := c.Get(key, now)
				if want := truth[key]; ok && (got != want.value || !now.Before(want.expires)) {
					t.Fatalf("got %v at %v, want %v or nothing", got, now, want)
				}
			}
			if c.Len() > size {
				t.Fatalf("%d entries in a cache of %d", c.Len(), size)
			}
		}
	})
}

// TestCacheKeepsWhatIsUsed fills the cache over and over around one entry that is asked for in between.
func TestCacheKeepsWhatIsUsed(t *testing.T) {
	c := edge.NewCache[int, string](10)
	c.Put(-1, "used", start.Add(time.Minute))
	for i := range 1000 {
		c.Put(i, "new", start.Add(time.Minute))
		if _, ok := c.Get(-1, start); !ok {
			t.Fatalf("after %d new entries the one in use was gone", i+1)
		}
	}
}
