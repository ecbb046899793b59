package task

import "bytes"

// chunkSize is where a chunk of texts is full. Small enough to tidy up one within a change, large enough that scanning
// is one long run.
const chunkSize = 64 << 10

// nowhere is the chunk of a span that is not stored.
const nowhere = ^uint32(0)

// span is where the texts of a task are: folded title, NUL, folded description, NUL. No text has a NUL in it, so
// nothing is found across a border.
type span struct {
	chunk, start, size uint32
	title              uint32 // length of the title
}

// texts keeps the folded texts of a list end to end, so that a search is a scan of few long runs of memory.
type texts struct {
	chunks []chunk
	tail   uint32   // the chunk that takes new texts
	free   []uint32 // empty chunks
	bytes  int
}

type chunk struct {
	text []byte
	refs []ref // by start
	dead int   // bytes of text that no task has any more
}

type ref struct{ start, slot uint32 }

// room returns the chunk that the next text goes to.
func (x *texts) room() *chunk {
	if len(x.chunks) == 0 || len(x.chunks[x.tail].text) >= chunkSize {
		if n := len(x.free); n > 0 {
			x.tail, x.free = x.free[n-1], x.free[:n-1]
		} else {
			x.tail = uint32(len(x.chunks))
			x.chunks = append(x.chunks, chunk{})
		}
	}
	return &x.chunks[x.tail]
}

// add stores the texts of the task in slot.
func (x *texts) add(slot uint32, title, description string) span {
	c := x.room()
	start := len(c.text)
	c.text = appendFold(c.text, title)
	length := len(c.text) - start
	c.text = append(c.text, 0)
	c.text = appendFold(c.text, description)
	c.text = append(c.text, 0)
	return x.added(c, slot, start, length)
}

func (x *texts) added(c *chunk, slot uint32, start, title int) span {
	c.refs = append(c.refs, ref{uint32(start), slot})
	size := len(c.text) - start
	x.bytes += size
	return span{x.tail, uint32(start), uint32(size), uint32(title)}
}

func (x *texts) of(s span) []byte { return x.chunks[s.chunk].text[s.start : s.start+s.size] }

func (x *texts) title(s span) []byte { return x.chunks[s.chunk].text[s.start : s.start+s.title] }

// dropText gives up the texts at s, which no entry refers to any more. A full chunk of which more than half is dead
// is emptied: what lives in it moves to the tail.
func (x *Index) dropText(s span) {
	if s.chunk == nowhere {
		return
	}
	c := &x.texts.chunks[s.chunk]
	c.dead += int(s.size)
	if s.chunk == x.texts.tail && len(c.text) < chunkSize || 2*c.dead <= len(c.text) {
		return
	}
	old := *c
	*c = chunk{}
	x.texts.bytes -= len(old.text)
	if s.chunk != x.texts.tail {
		x.texts.free = append(x.texts.free, s.chunk)
	}
	for _, r := range old.refs {
		e := &x.entries[r.slot]
		if e.text.chunk != s.chunk || e.text.start != r.start {
			continue
		}
		to := x.texts.room()
		start := len(to.text)
		to.text = append(to.text, old.text[r.start:r.start+e.text.size]...)
		e.text = x.texts.added(to, r.slot, start, int(e.text.title))
	}
}

// scanShare is the share of the list, one in so many, from which on scanning everything is faster than looking at
// each candidate.
const scanShare = 8

// search keeps in b, which has n slots, those whose texts contain needle, and returns their number.
func (x *Index) search(b bitmap, n int, needle []byte) int {
	found := 0
	if n < len(x.ids)/scanShare {
		b.each(func(slot uint32) bool {
			ok := bytes.Contains(x.texts.of(x.entries[slot].text), needle)
			if ok {
				found++
			}
			return ok
		})
		return found
	}
	hits := x.scratch()
	defer x.release(hits)
	for i := range x.texts.chunks {
		x.texts.chunks[i].scan(needle, func(r ref) {
			if at := x.entries[r.slot].text; at.chunk == uint32(i) && at.start == r.start && b.has(r.slot) {
				(*hits).add(r.slot)
				found++
			}
		})
	}
	b.and(*hits)
	return found
}

// scan calls hit for each text of c that contains needle.
func (c *chunk) scan(needle []byte, hit func(ref)) {
	for from, i := 0, 0; ; {
		at := bytes.Index(c.text[from:], needle)
		if at < 0 {
			return
		}
		at += from
		for i+1 < len(c.refs) && int(c.refs[i+1].start) <= at {
			i++
		}
		hit(c.refs[i])
		if i+1 == len(c.refs) {
			return
		}
		from = int(c.refs[i+1].start)
	}
}
