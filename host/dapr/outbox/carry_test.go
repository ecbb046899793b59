package outbox

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// The rows of commits that are handed on shortly after each other are removed by one transaction, the later ones too; many at once by
// several, none of which is too large.
func TestRowsAreRemovedTogether(t *testing.T) {
	const often = gather * 26 / 100 // so that none comes in the moment in which a removal begins
	for _, c := range []struct {
		name    string
		commits int
		every   time.Duration
		want    []int
	}{
		{"a few", 3, often, []int{3}},
		{"one after the other", 24, often, []int{4, 5, 5, 5, 5}},
		{"many at once", 2*maxRemoval + 1, 0, []int{maxRemoval, maxRemoval, 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				box, broker := openBrokerless(t, 1024)
				broker.removing = often // while the next one comes
				close(broker.back)
				for i := range c.commits {
					if err := commitOne(t, box, i); err != nil {
						t.Fatal(err)
					}
					time.Sleep(c.every)
				}
				time.Sleep(10 * gather)
				synctest.Wait()
				if !slices.Equal(broker.removals, c.want) {
					t.Errorf("%d commits, removals of %v rows, want %v", c.commits, broker.removals, c.want)
				}
			})
		})
	}
}
