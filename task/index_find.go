package task

import (
	"slices"
	"strings"
)

// Page is one page of the answer to a query.
type Page struct {
	// Docs are the stored documents, in order. They belong to the index: read only.
	Docs [][]byte
	// Total is the number of tasks that match, on all pages.
	Total int
	// Next is the cursor of the next page, empty on the last one.
	Next string
}

// Find answers q. A cursor goes on after the last task of its page as it stood then, whatever has been inserted,
// changed or removed since. The error is [Invalid] for a cursor that does not belong to q.
func (x *Index) Find(q Query) (Page, error) {
	p, err := x.plan(q)
	if err != nil {
		return Page{}, err
	}
	var after *place
	if q.Cursor != "" {
		at, err := p.place(q.Cursor)
		if err != nil {
			return Page{}, err
		}
		after = &at
	}
	matches := x.scratch()
	defer x.release(matches)
	total := x.filter(*matches, &p)
	found := x.take(*matches, total, &p, after)
	page := Page{Total: total, Docs: make([][]byte, 0, min(len(found), p.limit))}
	if len(found) > p.limit {
		found = found[:p.limit]
		page.Next = p.cursor(x.entries[found[p.limit-1]].place(p.by))
	}
	for _, slot := range found {
		page.Docs = append(page.Docs, x.entries[slot].doc)
	}
	return page, nil
}

// scratch returns an empty bitmap for all slots; release it.
func (x *Index) scratch() *bitmap {
	words := (len(x.entries) + 63) / 64
	b, _ := x.pool.Get().(*bitmap)
	if b == nil || cap(*b) < words {
		fresh := make(bitmap, words, words+words/8)
		return &fresh
	}
	*b = (*b)[:words]
	clear(*b)
	return b
}

func (x *Index) release(b *bitmap) { x.pool.Put(b) }

// filter fills b, which is empty, with the matches of p, and returns their number. The search, which costs most,
// comes last. Where the page can be cut out of the slots by due date ([plan.spans]), b keeps what is due outside the
// bounds as well: it need not be looked at.
func (x *Index) filter(b bitmap, p *plan) int {
	orRanks(b, &x.status, p.statuses)
	if p.priorities != 1<<rankLow|1<<rankMedium|1<<rankHigh {
		any := x.scratch()
		orRanks(*any, &x.priority, p.priorities)
		b.and(*any)
		x.release(any)
	}
	for _, tag := range p.tags {
		posting := x.tags[tag]
		if posting == nil {
			return 0
		}
		posting.narrow(b)
	}
	if p.spans() {
		return x.countDue(b, p)
	}
	if p.bounded {
		x.filterDue(b, p)
	}
	if p.needle != "" {
		x.search(b, p.needle)
	}
	return b.count()
}

// search keeps in b the slots whose text has needle.
func (x *Index) search(b bitmap, needle string) {
	exact := false
	if b.count() > fewTexts {
		any := x.scratch()
		defer x.release(any)
		exact = x.indexWords().narrow(b, needle, *any)
	}
	if !exact {
		b.each(func(slot uint32) bool { return strings.Contains(x.entries[slot].text, needle) })
	}
}

// orRanks adds to b the sets of the ranks in want.
func orRanks(b bitmap, sets *[3]bitmap, want uint8) {
	for rank, set := range sets {
		if want&(1<<rank) != 0 {
			b.or(set)
		}
	}
}

// spans tells whether the matches lie side by side in the order asked for.
func (p *plan) spans() bool { return p.bounded && sortKeys[p.by] == ByDue && p.needle == "" }

// dueSpan returns the slots by due date, and where in them those within the bounds begin and end.
func (x *Index) dueSpan(p *plan) (slots []uint32, from, to int) {
	by := slices.Index(sortKeys[:], ByDue)
	slots = x.order(by)
	least := func(key int64) int { return x.position(by, slots, place{key: key, created: -noDue}) }
	to = least(p.before)
	return slots, min(least(p.after+1), to), to
}

func (p *plan) due(e *entry) bool { return p.after < e.due && e.due < p.before }

// filterDue keeps in b what is due within the bounds, by looking at the fewest tasks: the candidates, those within
// or those without.
func (x *Index) filterDue(b bitmap, p *plan) {
	slots, from, to := x.dueSpan(p)
	within, without := to-from, len(slots)-(to-from)
	switch n := b.count(); {
	case n <= min(within, without):
		b.each(func(slot uint32) bool { return p.due(&x.entries[slot]) })
	case within < without:
		inside := x.scratch()
		for _, slot := range slots[from:to] {
			(*inside).add(slot)
		}
		b.and(*inside)
		x.release(inside)
	default:
		for _, slot := range slots[:from] {
			b.drop(slot)
		}
		for _, slot := range slots[to:] {
			b.drop(slot)
		}
	}
}

// lookUps is how many slots are looked up in a bitmap in the time that one entry takes, which is mostly not in the
// processor's cache.
const lookUps = 4

// countDue returns how many of b are due within the bounds. It counts by whatever is quickest: b's tasks or those that it
// lacks, which are mostly the deleted ones; or the slots within the bounds or those without.
func (x *Index) countDue(b bitmap, p *plan) int {
	slots, from, to := x.dueSpan(p)
	n, within := b.count(), to-from
	lacks, without := len(slots)-n, len(slots)-within
	switch min(lookUps*lacks, lookUps*n, within, without) {
	case lookUps * lacks:
		others := x.scratch()
		defer x.release(others)
		orRanks(*others, &x.status, 1<<rankPending|1<<rankCompleted|1<<rankDeleted)
		others.without(b)
		return within - x.dueIn(*others, p)
	case lookUps * n:
		return x.dueIn(b, p)
	case within:
		return held(b, slots[from:to])
	default:
		return n - held(b, slots[:from]) - held(b, slots[to:])
	}
}

// dueIn returns how many of b are due within the bounds.
func (x *Index) dueIn(b bitmap, p *plan) (n int) {
	b.each(func(slot uint32) bool {
		if p.due(&x.entries[slot]) {
			n++
		}
		return true
	})
	return n
}

// held returns how many of the slots are in b.
func held(b bitmap, slots []uint32) (n int) {
	for _, slot := range slots {
		if b.has(slot) {
			n++
		}
	}
	return n
}

// walkSteps is how many steps of a walk cost as much as sorting in one match.
const walkSteps = 32

// take returns the slots of a page and, if there is more, one beyond: of matches, which has total, those after the
// place given. Walking the sorted slots is quick if matches lie close; where they lie far apart, or all at the far
// end, sorting just them is. So it walks for as long as sorting would take, and then sorts.
func (x *Index) take(matches bitmap, total int, p *plan, after *place) []uint32 {
	want := min(p.limit+1, total)
	if total <= 2*(p.limit+1) && !p.spans() {
		return x.pick(matches, want, p, after)
	}
	slots := x.order(p.by)
	dated := len(slots)
	if sortKeys[p.by] == ByDue && p.desc {
		dated = x.position(p.by, slots, place{key: noDue, created: -noDue})
	}
	first, end := x.rank(slots, dated, p, after), len(slots)
	if p.spans() {
		_, from, to := x.dueSpan(p)
		if p.desc { // whatever is within bounds is dated
			from, to = dated-to, dated-from
		}
		first, end = max(first, from), to
	}
	found := make([]uint32, 0, want)
	budget := walkSteps * total
	for i := first; i < end && len(found) < want; i++ {
		if budget--; budget < 0 {
			if p.spans() {
				x.filterDue(matches, p)
			}
			return x.pick(matches, want, p, after)
		}
		if slot := slots[ranked(i, len(slots), dated, p.desc)]; matches.has(slot) {
			found = append(found, slot)
		}
	}
	return found
}

// ranked returns where the i-th task of a direction is among n sorted slots: descending, the dated ones backwards,
// then the others backwards.
func ranked(i, n, dated int, desc bool) int {
	switch {
	case !desc:
		return i
	case i < dated:
		return dated - 1 - i
	default:
		return n - 1 - (i - dated)
	}
}

// rank returns the rank of the first task after a place, 0 without one.
func (x *Index) rank(slots []uint32, dated int, p *plan, after *place) int {
	if after == nil {
		return 0
	}
	at := x.position(p.by, slots, *after)
	switch {
	case !p.desc:
		if at < len(slots) && x.entries[slots[at]].place(p.by).compare(*after) == 0 {
			at++
		}
		return at
	case !after.none():
		return dated - at
	default:
		return dated + len(slots) - at
	}
}

// pick returns the first want of the matches after a place, sorted. It keeps at most twice as many as are wanted.
func (x *Index) pick(matches bitmap, want int, p *plan, after *place) []uint32 {
	best := make([]candidate, 0, 2*want)
	full := false // best[want-1] is a bound
	compare := func(a, b candidate) int { return x.compareIn(p.by, p.desc, a, b) }
	matches.each(func(slot uint32) bool {
		at := x.entries[slot].place(p.by)
		c := candidate{at.key, slot}
		if after != nil && after.compareIn(at, p.desc) >= 0 || full && compare(c, best[want-1]) > 0 {
			return true
		}
		if best = append(best, c); len(best) == 2*want {
			slices.SortFunc(best, compare)
			best, full = best[:want], true
		}
		return true
	})
	slices.SortFunc(best, compare)
	found := make([]uint32, 0, want)
	for _, c := range best[:min(want, len(best))] {
		found = append(found, c.slot)
	}
	return found
}
