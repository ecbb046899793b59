package frontend

import (
	"testing"
	"time"
)

// Memory is bounded however many callers there are, and those who come back often keep their bucket meanwhile.
func TestBucketsAreBounded(t *testing.T) {
	now := time.Date(2026, 3, 31, 9, 0, 0, 0, time.UTC)
	b := newBuckets[int](1)
	for range b.burst {
		b.take(-1, now)
	}
	for i := range 5 * bucketsOfEach {
		if b.take(i, now) != 0 {
			t.Fatalf("caller %d is refused at the first request", i)
		}
		if i%1000 == 0 && b.take(-1, now) == 0 {
			t.Fatalf("after %d other callers the bucket is full again", i)
		}
	}
	if n := b.known.Len(); n > bucketsOfEach {
		t.Errorf("%d buckets, want %d at most", n, bucketsOfEach)
	}
}
