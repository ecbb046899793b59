package embedded

import (
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
)

// members counts the goroutines of crews.
func members() int {
	stacks := make([]byte, 1<<20)
	return strings.Count(string(stacks[:runtime.Stack(stacks, true)]), "(*crew).member(")
}

// Work never waits for other work, however much there is; a bounded number of goroutines is kept for more, and none
// beyond the end.
func TestCrew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		end := make(chan struct{})
		c := newCrew(end)
		var all sync.WaitGroup
		release := make(chan struct{})
		for range 3 * maxIdle {
			all.Add(1)
			c.run(func() {
				defer all.Done()
				<-release
			})
		}
		synctest.Wait()
		if n := members(); n != 3*maxIdle {
			t.Errorf("%d are at work", n)
		}
		close(release)
		all.Wait()
		synctest.Wait()
		if n := members(); n != maxIdle {
			t.Errorf("%d are kept, not %d", n, maxIdle)
		}
		for range 10 { // one after the other needs nobody new
			done := make(chan struct{})
			c.run(func() { close(done) })
			<-done
			synctest.Wait()
		}
		if n := members(); n != maxIdle {
			t.Errorf("%d are kept after some more work", n)
		}
		close(end)
		synctest.Wait()
		if n := members(); n != 0 {
			t.Errorf("%d have stayed", n)
		}
	})
}
