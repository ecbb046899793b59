package task

import (
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"sync"
	"time"
	"unsafe"
)

// Index holds the tasks of one list, ready to be asked. Find and Get may run at the same time; Put, Remove and Load
// need the index for themselves: the caller guards it with a [sync.RWMutex].
//
// Each task has a slot, a small number. A bitmap of slots for each status, priority and tag answers the filters; a
// slice of slots for each sort key, sorted when first asked for and kept sorted, answers the order; the slots of each word,
// collected when first searched and kept up, answer the search.
type Index struct {
	zone     *time.Location
	ids      map[string]uint32
	entries  []entry
	free     []uint32 // slots without a task
	status   [3]bitmap
	priority [3]bitmap
	tags     map[string]*posting
	tagUses  int
	words    *words
	buf      []byte // for folding
	texts    int    // bytes of all folded texts
	docs     int    // bytes of all documents
	orders   [len(sortKeys)]*order
	pool     sync.Pool // of *bitmap
}

// entry is what the index knows of a task; a free slot has an empty id.
type entry struct {
	id               string
	doc              []byte
	version          int64
	created, updated int64 // ms
	due              int64 // see dueKey
	tags             []*posting
	// text is the folded title, NUL, the folded description. No text has a NUL, so nothing is found across it.
	text             string
	title            int // length of the folded title
	status, priority uint8
}

// order is the slots sorted by one key. The first reader that needs it sorts; writers, who are alone, keep it sorted.
type order struct {
	once  sync.Once
	built bool
	slots []uint32
}

// Ranks of the states and priorities, which are also their places in the bitmaps.
const (
	rankPending, rankLow = iota, iota
	rankCompleted, rankMedium
	rankDeleted, rankHigh
)

func statusRank(s Status) uint8 {
	switch s {
	case Completed:
		return rankCompleted
	case Deleted:
		return rankDeleted
	}
	return rankPending
}

func priorityRank(p Priority) uint8 {
	switch p {
	case High:
		return rankHigh
	case Low:
		return rankLow
	}
	return rankMedium
}

// noDue is the due key of a task without a due date.
const noDue = math.MaxInt64

// dueKey is when d is due, in half seconds: a date without time is the last half second of its day, so that it comes
// before what is due at the next midnight.
func dueKey(d Due, zone *time.Location) int64 {
	switch d.Form() {
	case DueNone:
		return noDue
	case DueDateOnly:
		return 2*d.Instant(zone).Unix() - 1
	default:
		return 2 * d.Instant(zone).Unix()
	}
}

// dueStart is the due key at which d begins: what is before d has a smaller one.
func dueStart(d Due, zone *time.Location) int64 {
	if d.Form() == DueDateOnly {
		return 2 * resolve(d.wall, zone).Unix()
	}
	return dueKey(d, zone)
}

// NewIndex returns an empty index of a list whose dates and floating times are in zone. Another zone needs a new index.
func NewIndex(zone *time.Location) *Index {
	x := &Index{zone: zone, ids: map[string]uint32{}, tags: map[string]*posting{}, words: &words{}}
	x.forgetOrders()
	return x
}

func (x *Index) forgetOrders() {
	for i := range x.orders {
		x.orders[i] = &order{}
	}
}

// Len returns the number of tasks, deleted ones included.
func (x *Index) Len() int { return len(x.ids) }

// Bytes estimates the memory the index takes, documents included, with all orders and words built.
func (x *Index) Bytes() int64 {
	const perEntry = int(unsafe.Sizeof(entry{})) + 4*len(sortKeys) + 36 + 48 + 5 // orders, id, place in the map, letters
	const perTagUse, perTag = 8 + 4, 120
	const perText = 2 // what the words of a text take is about as much as the text itself
	return int64(len(x.entries)*perEntry + x.tagUses*perTagUse + len(x.tags)*perTag + x.docs + perText*x.texts)
}

// TagCounts returns how many tasks that are not deleted have each tag, by what [FoldTag] makes of it.
func (x *Index) TagCounts() map[string]int {
	deleted := x.status[rankDeleted]
	counts := make(map[string]int, len(x.tags))
	for key, p := range x.tags {
		if n := p.n - p.common(deleted); n > 0 {
			counts[key] = n
		}
	}
	return counts
}

// FoldTag is the form in which tags are compared.
func FoldTag(tag string) string { return fold(tag) }

// Get returns a task's version and stored document.
func (x *Index) Get(id string) (version int64, doc []byte, ok bool) {
	slot, ok := x.ids[id]
	if !ok {
		return 0, nil, false
	}
	e := &x.entries[slot]
	return e.version, e.doc, true
}

// Put inserts or replaces a task and its stored document, which it keeps and nobody may change any more. It does
// nothing if the version it holds is the same or newer.
func (x *Index) Put(t Task, doc []byte) {
	slot, held := x.ids[t.ID]
	if held && x.entries[slot].version >= t.Version {
		return
	}
	if !held {
		slot = x.newSlot()
	}
	next := entry{
		id: strings.Clone(t.ID), doc: doc, version: t.Version,
		created: t.CreatedAt.UnixMilli(), updated: t.UpdatedAt.UnixMilli(), due: dueKey(t.DueDate, x.zone),
		status: statusRank(t.Status), priority: priorityRank(t.Priority),
	}
	x.buf = appendFold(x.buf[:0], t.Title)
	next.title = len(x.buf)
	x.buf = appendFold(append(x.buf, 0), t.Description)
	next.text = string(x.buf)
	x.reorder(slot, held, &next)
	if held {
		x.detach(slot)
	}
	x.attach(slot, &next, t.Tags)
}

// newSlot returns a free slot.
func (x *Index) newSlot() uint32 {
	if n := len(x.free); n > 0 {
		slot := x.free[n-1]
		x.free = x.free[:n-1]
		return slot
	}
	slot := uint32(len(x.entries))
	x.entries = append(x.entries, entry{})
	for i := range x.status {
		x.status[i] = x.status[i].grown(slot)
		x.priority[i] = x.priority[i].grown(slot)
	}
	return slot
}

// attach puts next into slot: everything but the orders.
func (x *Index) attach(slot uint32, next *entry, tags []string) {
	x.ids[next.id] = slot
	x.docs += len(next.doc)
	x.status[next.status].add(slot)
	x.priority[next.priority].add(slot)
	next.tags = make([]*posting, 0, len(tags))
	for _, tag := range tags {
		key := fold(tag)
		p := x.tags[key]
		if p == nil {
			p = &posting{tag: key}
			x.tags[key] = p
		}
		if !slices.Contains(next.tags, p) {
			p.add(slot)
			next.tags = append(next.tags, p)
		}
	}
	x.tagUses += len(next.tags)
	x.texts += len(next.text)
	if x.words.built {
		x.words.add(slot, next.text)
	}
	x.entries[slot] = *next
}

// detach takes out what attach put in.
func (x *Index) detach(slot uint32) {
	e := x.entries[slot]
	delete(x.ids, e.id)
	x.docs -= len(e.doc)
	x.tagUses -= len(e.tags)
	x.status[e.status].drop(slot)
	x.priority[e.priority].drop(slot)
	x.texts -= len(e.text)
	if x.words.built {
		x.words.drop(slot, e.text)
	}
	for _, p := range e.tags {
		if p.drop(slot); p.n == 0 {
			delete(x.tags, p.tag)
		}
	}
	x.entries[slot] = entry{}
}

// Remove takes a task out.
func (x *Index) Remove(id string) {
	slot, ok := x.ids[id]
	if !ok {
		return
	}
	x.reorder(slot, true, nil)
	x.detach(slot)
	x.free = append(x.free, slot)
}

// Load puts many tasks, docs[i] being the document of tasks[i]. Orders are sorted, and words collected, anew when next
// asked for if that is less work than keeping them up.
func (x *Index) Load(tasks []Task, docs [][]byte) {
	if len(tasks) > 64+x.Len()/64 {
		x.forgetOrders()
		x.words = &words{}
	}
	for i, t := range tasks {
		x.Put(t, docs[i])
	}
}

// place returns where e stands in the order of a sort key.
func (e *entry) place(by int) place {
	p := place{created: e.created, id: e.id}
	switch sortKeys[by] {
	case ByCreated:
		p.key = e.created
	case ByUpdated:
		p.key = e.updated
	case ByDue:
		p.key = e.due
	case ByPriority:
		p.key = int64(e.priority)
	case ByTitle:
		p.title = e.text[:e.title]
		p.key = titleKey(p.title)
	}
	return p
}

// titleKey is a number that orders titles by their first eight bytes.
func titleKey(title string) int64 {
	var first [8]byte
	copy(first[:], title)
	return int64(binary.BigEndian.Uint64(first[:]) >> 1)
}

// candidate is a task to be sorted: its place's key, which mostly decides, and where the rest is.
type candidate struct {
	key  int64
	slot uint32
}

// compareIn compares the places of two candidates.
func (x *Index) compareIn(by int, desc bool, a, b candidate) int {
	if a.key != b.key {
		return place{key: a.key}.compareIn(place{key: b.key}, desc)
	}
	return x.entries[a.slot].place(by).compareIn(x.entries[b.slot].place(by), desc)
}

// order returns the slots sorted by a key.
func (x *Index) order(by int) []uint32 {
	o := x.orders[by]
	o.once.Do(func() {
		sorted := make([]candidate, 0, len(x.ids))
		for _, set := range x.status {
			set.each(func(slot uint32) bool {
				sorted = append(sorted, candidate{x.entries[slot].place(by).key, slot})
				return true
			})
		}
		slices.SortFunc(sorted, func(a, b candidate) int { return x.compareIn(by, false, a, b) })
		o.slots = make([]uint32, 0, len(sorted)+len(sorted)/8)
		for _, c := range sorted {
			o.slots = append(o.slots, c.slot)
		}
		o.built = true
	})
	return o.slots
}

// position returns how many of slots stand before p.
func (x *Index) position(by int, slots []uint32, p place) int {
	i, _ := slices.BinarySearchFunc(slots, p, func(slot uint32, p place) int {
		return x.entries[slot].place(by).compare(p)
	})
	return i
}

// reorder moves slot, in the orders that are sorted, from where its entry stands (if it is held) to where next will
// stand (unless nil). The entry itself must still be the old one.
func (x *Index) reorder(slot uint32, held bool, next *entry) {
	for by, o := range x.orders {
		if !o.built {
			continue
		}
		from, to := 0, 0
		if held {
			from = x.position(by, o.slots, x.entries[slot].place(by))
		}
		if next != nil {
			to = x.position(by, o.slots, next.place(by))
		}
		switch {
		case !held:
			o.slots = slices.Insert(o.slots, to, slot)
		case next == nil:
			o.slots = slices.Delete(o.slots, from, from+1)
		case to > from:
			copy(o.slots[from:to-1], o.slots[from+1:to])
			o.slots[to-1] = slot
		default:
			copy(o.slots[to+1:from+1], o.slots[to:from])
			o.slots[to] = slot
		}
	}
}
