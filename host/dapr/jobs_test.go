package dapr

import (
	"fmt"
	"testing"
)

// A call that repeats a job which is known to be over asks nobody: here there is nobody to ask. What is remembered is bounded, and
// never less than the latest so many.
//
// [Task]: T020
func TestARepeatedCallCostsNothing(t *testing.T) {
	name := func(i int) string { return scheduled(fmt.Sprint("job-", i), "revision", 0) }
	js := &jobs{}
	const all = 3 * maxSettled
	for i := range all {
		js.over.add(name(i))
		for _, before := range []int{i, i - maxSettled + 1} {
			if before < 0 {
				continue
			}
			if err := js.fire(t.Context(), name(before)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if js.over.has(name(0)) || js.over.has(scheduled("job-1", "another", 0)) {
		t.Error("remembers what it should not")
	}
	if n := len(js.over.names) + len(js.over.past); n > 2*maxSettled {
		t.Errorf("%d names are remembered, at most %d", n, 2*maxSettled)
	}
}
