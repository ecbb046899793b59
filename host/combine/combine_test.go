package combine

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
)

// While one batch is under way, what arrives goes out together, in order, never beyond Max.
func TestBatchesFormWhileBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var batches [][]int
		q := &Queue[string, int]{Max: 4, Run: func(_ string, b []int) {
			batches = append(batches, b)
			<-release
		}}
		var wg sync.WaitGroup
		for i := range 6 {
			wg.Go(func() { q.Do("k", i) })
			synctest.Wait()
		}
		close(release)
		wg.Wait()
		synctest.Wait() // the queue gives the line up after it has told the callers
		if got, want := fmt.Sprint(batches), "[[0] [1 2 3 4] [5]]"; got != want {
			t.Errorf("batches %s, want %s", got, want)
		}
		if len(q.lines) != 0 {
			t.Errorf("%d lines left behind", len(q.lines))
		}
	})
}

// A busy key does not hold up another one.
func TestKeysAreIndependent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		q := &Queue[string, int]{Max: 1, Run: func(k string, _ []int) {
			if k == "slow" {
				<-release
			}
		}}
		go q.Do("slow", 0)
		synctest.Wait()
		q.Do("fast", 0)
		close(release)
	})
}

// Jobs handed in together stay together and in order, over as many batches as they need.
func TestDoAllKeepsOrder(t *testing.T) {
	var got []int
	q := &Queue[string, int]{Max: 2, Run: func(_ string, b []int) { got = append(got, b...) }}
	q.DoAll("k", []int{1, 2, 3, 4, 5})
	if fmt.Sprint(got) != "[1 2 3 4 5]" {
		t.Errorf("ran %v", got)
	}
}

// A panic in a batch is its callers', not the process's; the next batch runs.
func TestPanicIsTheCallers(t *testing.T) {
	q := &Queue[string, int]{Max: 2, Run: func(_ string, b []int) {
		if b[0] == 3 {
			panic("on purpose")
		}
	}}
	defer func() {
		if p := fmt.Sprint(recover()); !strings.HasPrefix(p, "on purpose\n") || !strings.Contains(p, "TestPanicIsTheCallers") {
			t.Errorf("the caller panicked with %.200q, want the cause and where it was", p)
		}
		q.Do("k", 7)
	}()
	q.DoAll("k", []int{1, 2, 3, 4, 5})
}
