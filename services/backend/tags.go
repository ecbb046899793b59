package backend

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/task"
)

// maxTags is how many different tags the tasks of a list may have together: upper and lower case are the same, and deleted
// tasks do not count.
const maxTags = 1000

// The head of a list carries a bound of that number. A tag that a task gets adds one to it, unless this replica knows that the
// tag is in the bound already; one that goes takes nothing away. Only where the bound would pass the limit are the
// tags counted, in the list's snapshot, and the bound is their number again. It changes with the head and nothing else, so it
// holds for all replicas together.

// Bounds of what a replica remembers of the tags of lists.
const (
	boundedLists = 500
	boundedFor   = time.Hour
)

// boundedTags are tags, folded, that a list's bound has in it, for as long as nobody counts anew.
type boundedTags struct {
	counted int64 // as the head has it
	tags    map[string]bool
}

// tagCounts says how many tasks that are not deleted have each tag, by its folded form.
type tagCounts map[string]int

// move counts a task that had some tags and has others now.
func (c tagCounts) move(from, to []string) {
	for _, key := range folded(to) {
		c[key]++
	}
	for _, key := range folded(from) {
		if c[key]--; c[key] <= 0 {
			delete(c, key)
		}
	}
}

// folded returns the forms in which tags are compared, each once.
func folded(tags []string) []string {
	keys := make([]string, 0, len(tags))
	for _, tag := range tags {
		if key := task.FoldTag(tag); !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys
}

// tagsOf are the tags by which a task counts.
func tagsOf(r *record) []string {
	if weight(r) == 0 {
		return nil
	}
	return r.task.Tags
}

// boundTags keeps the head's bound for effects that are about to be added to the plan. It refuses those that would give the list
// more tags than it may have; a next occurrence, which has the tags of the one before, is never refused. Any other
// error is one of reading the list.
func (p *plan) boundTags(ctx context.Context, effects []effect) error {
	if p.counts == nil {
		fresh := p.fresh(effects)
		if p.head.Tags+len(fresh) <= maxTags || len(fresh) == 0 {
			p.head.Tags += len(fresh)
			p.bounded = append(p.bounded, fresh...)
			return nil
		}
		if err := p.count(ctx); err != nil {
			return err
		}
	}
	before := len(p.counts)
	for _, e := range effects {
		p.counts.move(tagsOf(e.old), tagsOf(e.new))
	}
	if after := len(p.counts); after > max(before, maxTags) && effects[0].actor != recurrenceActor {
		for _, e := range slices.Backward(effects) {
			p.counts.move(tagsOf(e.new), tagsOf(e.old))
		}
		return tooManyTags
	}
	p.head.Tags = len(p.counts)
	return nil
}

// fresh are the tags of the effects of which it is not known that they are in the bound.
func (p *plan) fresh(effects []effect) (fresh []string) {
	for _, e := range effects {
		to := tagsOf(e.new)
		if len(to) == 0 || slices.Equal(tagsOf(e.old), to) {
			continue
		}
		for _, key := range folded(to) {
			if !p.known[key] && !slices.Contains(p.bounded, key) && !slices.Contains(fresh, key) {
				fresh = append(fresh, key)
			}
		}
	}
	return fresh
}

// count counts the tags of the list as the plan has it by now.
func (p *plan) count(ctx context.Context) (err error) {
	if p.counts, err = p.snapshots.tags(ctx, p.list, p.was, p.owner); err != nil {
		return fmt.Errorf("count the tags of list %s: %w", p.list, err)
	}
	for _, e := range p.effects {
		p.counts.move(tagsOf(e.old), tagsOf(e.new))
	}
	p.head.TagsCounted = p.was.TagsCounted + 1
	return nil
}

// knownTags are the tags that are in the bound of a list's head.
func (w *writer) knownTags(list string, h head) map[string]bool {
	if b, ok := w.tags.Get(list, w.now()); ok && b.counted == h.TagsCounted {
		return b.tags
	}
	return nil
}

// rememberTags keeps what a plan that was committed tells of its list's bound. A list has one plan at a time here.
func (w *writer) rememberTags(p *plan) {
	b := boundedTags{counted: p.head.TagsCounted, tags: p.known}
	more := slices.Values(p.bounded)
	if p.counts != nil {
		b.tags, more = nil, maps.Keys(p.counts)
	} else if len(p.bounded) == 0 {
		return
	}
	if b.tags == nil {
		b.tags = make(map[string]bool)
	}
	for key := range more {
		b.tags[key] = true
	}
	w.tags.Put(p.list, b, w.now().Add(boundedFor))
}

// tooManyTags is the answer to one tag too many.
var tooManyTags = edge.NewProblem(http.StatusConflict, "too_many_tags",
	fmt.Sprintf("the tasks of the list have %d different tags, the most they can: use one of those, or take one off all tasks that have it", maxTags),
	edge.FieldError{Field: "tags", Detail: "would be new to a list that can have no more"})
