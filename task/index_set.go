package task

import (
	"math/bits"
	"slices"
)

// bitmap is a set of slots, a bit each.
type bitmap []uint64

func (b bitmap) has(slot uint32) bool {
	return int(slot>>6) < len(b) && b[slot>>6]&(1<<(slot&63)) != 0
}

// add puts slot into b, which must be long enough.
func (b bitmap) add(slot uint32) { b[slot>>6] |= 1 << (slot & 63) }

func (b bitmap) drop(slot uint32) {
	if int(slot>>6) < len(b) {
		b[slot>>6] &^= 1 << (slot & 63)
	}
}

func (b bitmap) count() int {
	n := 0
	for _, w := range b {
		n += bits.OnesCount64(w)
	}
	return n
}

// grown returns b long enough for slot.
func (b bitmap) grown(slot uint32) bitmap {
	if n := int(slot>>6) + 1; n > len(b) {
		return append(b, make([]uint64, n-len(b))...)
	}
	return b
}

// and keeps in b what c has too; c may be shorter.
func (b bitmap) and(c bitmap) {
	n := min(len(b), len(c))
	for i, w := range c[:n] {
		b[i] &= w
	}
	clear(b[n:])
}

// or adds what c has; c may be shorter.
func (b bitmap) or(c bitmap) {
	for i, w := range c[:min(len(b), len(c))] {
		b[i] |= w
	}
}

// without takes out what c has; c may be shorter.
func (b bitmap) without(c bitmap) {
	for i, w := range c[:min(len(b), len(c))] {
		b[i] &^= w
	}
}

// each calls do for each slot in ascending order, and drops those for which it returns false.
func (b bitmap) each(do func(slot uint32) (keep bool)) {
	for i, w := range b {
		for rest := w; rest != 0; rest &= rest - 1 {
			if !do(uint32(i<<6 + bits.TrailingZeros64(rest))) {
				b[i] &^= rest & -rest
			}
		}
	}
}

// A posting changes between its two forms at these sizes: a list of slots for the many tags and words that few tasks have,
// a bitmap for the few that many have. 100,000 tasks of 20 tags take at most 25 MB that way.
const (
	postingDense  = 1024
	postingSparse = 512
)

// posting is the set of slots that have one tag or word.
type posting struct {
	tag  string   // or word, folded
	list []uint32 // ascending, if bits is nil
	bits bitmap
	n    int
}

func (p *posting) has(slot uint32) bool {
	if p.bits != nil {
		return p.bits.has(slot)
	}
	_, found := slices.BinarySearch(p.list, slot)
	return found
}

// add puts in slot, which p must not have.
func (p *posting) add(slot uint32) {
	p.n++
	if p.bits != nil {
		p.bits = p.bits.grown(slot)
		p.bits.add(slot)
		return
	}
	i, _ := slices.BinarySearch(p.list, slot)
	p.list = slices.Insert(p.list, i, slot)
	if p.n > postingDense {
		p.bits = bitmap{}.grown(p.list[p.n-1])
		for _, s := range p.list {
			p.bits.add(s)
		}
		p.list = nil
	}
}

func (p *posting) drop(slot uint32) {
	p.n--
	if p.bits == nil {
		if i, ok := slices.BinarySearch(p.list, slot); ok {
			p.list = slices.Delete(p.list, i, i+1)
		}
		return
	}
	p.bits.drop(slot)
	if p.n < postingSparse {
		p.list = make([]uint32, 0, postingSparse)
		p.bits.each(func(s uint32) bool {
			p.list = append(p.list, s)
			return true
		})
		p.bits = nil
	}
}

// common returns how many slots p and b have in common.
func (p *posting) common(b bitmap) (n int) {
	for i, w := range p.bits[:min(len(p.bits), len(b))] {
		n += bits.OnesCount64(w & b[i])
	}
	for _, slot := range p.list {
		if b.has(slot) {
			n++
		}
	}
	return n
}

// addTo adds to b, which must be long enough, what p has.
func (p *posting) addTo(b bitmap) {
	b.or(p.bits)
	for _, slot := range p.list {
		b.add(slot)
	}
}

// narrow keeps in b what p has too.
func (p *posting) narrow(b bitmap) {
	if p.bits != nil {
		b.and(p.bits)
		return
	}
	kept := make([]uint32, 0, len(p.list))
	for _, s := range p.list {
		if b.has(s) {
			kept = append(kept, s)
		}
	}
	clear(b)
	for _, s := range kept {
		b.add(s)
	}
}
