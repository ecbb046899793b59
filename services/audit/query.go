package audit

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/docket-tasks/docket/host"
)

// query asks for entries of one list, newest first.
type query struct {
	list string
	// task, if not empty, asks for this task's alone; versions are then the task's.
	task string
	// types, if not empty, are the only ones wanted.
	types []string
	// from is the first moment wanted and to the first one not wanted; zero means no bound.
	from, to time.Time
	limit    int
	// before is the version to begin below; math.MaxInt64 begins at the newest.
	before int64
}

// page is one answer to a query.
type page struct {
	entries []Entry
	// next is the version that the following page begins below, 0 where there is none.
	next int64
	// gaps are the versions looked for and not there, from the highest down.
	gaps []int64
}

// maxScan is how many versions one request looks at: a rare filter is answered in pages that may be short.
const maxScan = 32 * window

// maxSkew is how far the clocks of two replicas are supposed to be apart at most. Versions are in the order of
// commits, times are their replicas' own: a version older than from by more than this ends the search.
const maxSkew = time.Hour

// trail is the one that q looks through.
func (q query) trail() name {
	if q.task != "" {
		return name{ofTask, q.task}
	}
	return name{ofList, q.list}
}

// run looks through versions downwards from top until the page is full.
func (s *service) run(ctx context.Context, q query, top int64) (page, error) {
	p := page{entries: []Entry{}}
	top = min(top, q.before-1)
	bottom := max(0, top-maxScan) // not looked at any more
	for hi := top; hi > bottom; {
		lo := max(bottom+1, hi-q.chunk(len(p.entries))+1)
		found, err := s.read(ctx, q, hi, lo)
		if err != nil {
			return page{}, err
		}
		for i, e := range found {
			version := hi - int64(i)
			switch {
			case e.EventID == "":
				p.gaps = append(p.gaps, version)
			case !q.from.IsZero() && e.EventTimestamp.Before(q.from.Add(-maxSkew)):
				p.next = 0
				return p, nil
			case q.matches(e):
				p.entries = append(p.entries, e)
			}
			if p.next = version; len(p.entries) == q.limit {
				return p.atEnd(), nil
			}
		}
		hi = lo - 1
	}
	return p.atEnd(), nil
}

// atEnd takes back next where nothing lies below.
func (p page) atEnd() page {
	if p.next == 1 {
		p.next = 0
	}
	return p
}

// chunk is how many versions to read at once: without a filter no more than the page has room for.
func (q query) chunk(have int) int64 {
	if len(q.types) == 0 && q.from.IsZero() && q.to.IsZero() {
		return int64(max(1, min(window, q.limit-have)))
	}
	return window
}

func (q query) matches(e Entry) bool {
	return (len(q.types) == 0 || slices.Contains(q.types, e.EventType)) &&
		(q.from.IsZero() || !e.EventTimestamp.Before(q.from)) &&
		(q.to.IsZero() || e.EventTimestamp.Before(q.to))
}

// read returns the entries of the versions from hi down to lo, a zero Entry for one that is not there.
func (s *service) read(ctx context.Context, q query, hi, lo int64) ([]Entry, error) {
	items, err := s.trail(q.trail()).read(ctx, hi, lo)
	if err != nil {
		return nil, err
	}
	if q.task != "" {
		if items, err = s.follow(ctx, q.list, items); err != nil {
			return nil, err
		}
	}
	entries := make([]Entry, len(items))
	for i, item := range items {
		if !item.Exists() {
			continue
		}
		if entries[i], err = DecodeEntry(item.Value); err != nil {
			return nil, fmt.Errorf("%s: %w", item.Key, err)
		}
	}
	return entries, nil
}

// follow returns the entries that pointers lead to; pointers into another list lead nowhere.
func (s *service) follow(ctx context.Context, list string, pointers []host.Item) ([]host.Item, error) {
	entries := make([]host.Item, len(pointers))
	var keys []string
	var places []int
	for i, item := range pointers {
		if !item.Exists() {
			continue
		}
		p, err := DecodePointer(item.Value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", item.Key, err)
		}
		if p.ListID == list {
			keys, places = append(keys, entryKey(list, p.ListVersion)), append(places, i)
		}
	}
	found, err := s.state.GetBulk(ctx, keys)
	if err != nil {
		return nil, fmt.Errorf("read entries of a task: %w", err)
	}
	for i, item := range found {
		entries[places[i]] = item
	}
	return entries, nil
}

// A cursor is the version to go on below and a fingerprint of the query it belongs to, limit apart.

func (q query) fingerprint() [8]byte {
	types := slices.Compact(slices.Sorted(slices.Values(q.types)))
	moment := func(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
	sum := sha256.Sum256([]byte(strings.Join([]string{q.list, q.task, strings.Join(types, ","), moment(q.from), moment(q.to)}, "\x00")))
	return [8]byte(sum[:8])
}

func (q query) cursor(before int64) string {
	print := q.fingerprint()
	return base64.RawURLEncoding.EncodeToString(binary.BigEndian.AppendUint64(print[:], uint64(before)))
}

// at returns the query from a cursor on; false for one that this query has not given out.
func (q query) at(cursor string) (query, bool) {
	b, err := base64.RawURLEncoding.DecodeString(cursor)
	print := q.fingerprint()
	if err != nil || len(b) != 16 || [8]byte(b) != print {
		return q, false
	}
	before := binary.BigEndian.Uint64(b[8:])
	if before < 2 || before >= math.MaxInt64 {
		return q, false
	}
	q.before = int64(before)
	return q, true
}
