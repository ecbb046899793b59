package task

import (
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"hash/fnv"
	"strings"
)

// place is where a task stands in an order: the sort key (a number, or the folded title), then creation, then id.
// It says all a cursor needs to go on from, whatever is inserted or removed meanwhile.
type place struct {
	key     int64
	title   string
	created int64
	id      string
}

func (p place) compare(q place) int {
	if p.key != q.key {
		return cmp.Compare(p.key, q.key)
	}
	if c := strings.Compare(p.title, q.title); c != 0 {
		return c
	}
	if p.created != q.created {
		return cmp.Compare(p.created, q.created)
	}
	return strings.Compare(p.id, q.id)
}

// none says whether p has no sort key; such places come last in both directions.
func (p place) none() bool { return p.key == noDue }

// compareIn compares in the direction asked for.
func (p place) compareIn(q place, desc bool) int {
	if desc && p.none() == q.none() {
		return q.compare(p)
	}
	return p.compare(q)
}

const (
	cursorVersion = 1
	badCursor     = "does not belong to this query: start again without cursor"
)

var errCursor = Invalid{{"cursor", badCursor}}

// sum is a hash of everything in a query but its limit and cursor. It is the same on every replica.
func (p *plan) sum(after, before Due) uint64 {
	h := fnv.New64a()
	b := make([]byte, 0, 128)
	b = append(b, p.statuses, p.priorities, byte(p.by), 0)
	if p.desc {
		b[3] = 1
	}
	for _, s := range append([]string{p.needle, after.String(), before.String()}, p.tags...) {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	h.Write(b)
	return h.Sum64()
}

// cursor returns the text from which the page after the task at last goes on.
func (p *plan) cursor(last place) string {
	b := make([]byte, 0, 32+len(last.title)+len(last.id))
	b = append(b, cursorVersion)
	b = binary.BigEndian.AppendUint64(b, p.hash)
	b = binary.AppendVarint(b, last.key)
	b = binary.AppendVarint(b, last.created)
	b = binary.AppendUvarint(b, uint64(len(last.title)))
	b = append(b, last.title...)
	b = append(b, last.id...)
	return base64.RawURLEncoding.EncodeToString(b)
}

// place reads a cursor. The error is [Invalid] unless this query made it.
func (p *plan) place(cursor string) (place, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || len(cursor) > maxCursor || len(b) < 9 || b[0] != cursorVersion || binary.BigEndian.Uint64(b[1:]) != p.hash {
		return place{}, errCursor
	}
	b = b[9:]
	key, n := binary.Varint(b)
	if n <= 0 {
		return place{}, errCursor
	}
	b = b[n:]
	created, n := binary.Varint(b)
	if n <= 0 {
		return place{}, errCursor
	}
	b = b[n:]
	title, n := binary.Uvarint(b)
	if n <= 0 || title > uint64(len(b)-n) {
		return place{}, errCursor
	}
	b = b[n:]
	return place{key: key, created: created, title: string(b[:title]), id: string(b[title:])}, nil
}
