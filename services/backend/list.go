package backend

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/services/backend/account"
)

const (
	// segmentSize is how many task ids one segment of a list holds; earlier versions made segments of 128. The open one is
	// written with every change.
	segmentSize = 32
	// blockSize is how many changes one block of a list's log holds.
	blockSize = 64
	// blocksKept is how many blocks of the log are kept: a client that is further behind starts anew.
	blocksKept = 128
	// maxLive is the most tasks, not counting deleted ones, that a list may hold.
	maxLive = 100_000
	// readChunk bounds a bulk read, so that no answer of the store grows beyond a message's size.
	readChunk = 2_000
)

// head is the row every change of a list replaces under its ETag: whoever holds the head's ETag knows that
// nothing of the list has changed, so the other rows need none of their own. The same goes for what changes need to know of
// the list's owner: it is in the head too.
//
// It carries the log's open block and the open segment, which every change adds to. They become rows of their own when
// they are full; until then a change writes one row of the list instead of three. Packed as they are, the head has 1.8 KB
// at most and half of that on average, so that several stand on one page of the store.
type head struct {
	// Version counts the list's changes.
	Version int64
	// Segments is how many segments there are, the open one included.
	Segments int
	// Live counts the tasks that are not deleted.
	Live int
	// Purges counts removals of deleted tasks, which are no change of the list: a snapshot from before one is
	// loaded anew.
	Purges int
	// Tags is a bound of how many different tags the tasks that are not deleted have; see tags.go.
	Tags int
	// TagsCounted is how often they have been counted.
	TagsCounted int64

	// owner has the owner's version, time zone and reminders, of the version that had these first or of a later one; the version is
	// 0 where the head does not know.
	owner account.User
	log   packedLog // the block that Version is in
	ids   packedIDs // the last segment
	// apart marks a head from before it carried its open parts: they are rows like the others.
	apart bool
	// closed marks the list of an account that was deleted: nothing is added to it any more, and it stays to say so.
	closed bool
}

// The first byte of a head. Those below are of heads that did not know their owner, and those further below of heads that
// did not know of tags either.
const (
	headFormat   = 5
	closedFormat = 6

	ownerlessFormat       = 3
	ownerlessClosedFormat = 4

	untaggedFormat       = 1
	untaggedClosedFormat = 2
)

// tagsUnknown is the bound of a head that does not know of tags: they are counted when the next one is added.
const tagsUnknown = maxTags

func (h head) encode() []byte {
	format := byte(headFormat)
	if h.closed {
		format = closedFormat
	}
	b := append(make([]byte, 0, 96+len(h.log)+len(h.ids)), format)
	for _, n := range [...]int64{h.Version, int64(h.Segments), int64(h.Live), int64(h.Purges), int64(h.Tags), h.TagsCounted, int64(len(h.log))} {
		b = binary.AppendUvarint(b, uint64(n))
	}
	b = binary.AppendUvarint(b, uint64(h.owner.Version))
	b = binary.AppendUvarint(b, uint64(len(h.owner.ReminderMinutes)))
	for _, n := range h.owner.ReminderMinutes {
		b = binary.AppendUvarint(b, uint64(n))
	}
	b = binary.AppendUvarint(b, uint64(len(h.owner.TimeZone)))
	b = append(b, h.owner.TimeZone...)
	return append(append(b, h.log...), h.ids...)
}

// decodeHead reads a stored head; its packed parts share the item's memory.
func decodeHead(it host.Item) (head, error) {
	if !it.Exists() {
		return head{}, nil
	}
	if bytes.HasPrefix(it.Value, []byte("{")) {
		return decodeHeadApart(it)
	}
	if len(it.Value) == 0 || it.Value[0] < untaggedFormat || it.Value[0] > closedFormat {
		return head{}, notAHead(it)
	}
	format, r := it.Value[0], headReader{rest: it.Value[1:]}
	n := [7]int{4: tagsUnknown}
	for i := range n {
		if (i != 4 && i != 5) || format >= ownerlessFormat {
			n[i] = r.number()
		}
	}
	h := head{Version: int64(n[0]), Segments: n[1], Live: n[2], Purges: n[3], Tags: n[4], TagsCounted: int64(n[5]), closed: format%2 == 0}
	if format >= headFormat {
		h.owner = r.owner()
	}
	h.log, h.ids = r.bytes(n[6]), slices.Clip(r.rest)
	if r.short || len(h.ids)%idSize != 0 {
		return head{}, notAHead(it)
	}
	return h, nil
}

// headReader reads a head from its front.
type headReader struct {
	rest  []byte
	short bool // something was not there
}

func (r *headReader) number() int {
	v, size := binary.Uvarint(r.rest)
	if size <= 0 || v > math.MaxInt64 {
		r.short = true
		return 0
	}
	r.rest = r.rest[size:]
	return int(v)
}

func (r *headReader) bytes(n int) []byte {
	if n > len(r.rest) {
		r.short = true
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

func (r *headReader) owner() (u account.User) {
	u.Version = int64(r.number())
	u.ReminderMinutes = []int{}
	for n := r.number(); n > 0 && !r.short; n-- {
		u.ReminderMinutes = append(u.ReminderMinutes, r.number())
	}
	u.TimeZone = string(r.bytes(r.number()))
	return u
}

func notAHead(it host.Item) error {
	return fmt.Errorf("decode %s: this is not the head of a list", it.Key)
}

func decodeHeadApart(it host.Item) (head, error) {
	var h struct {
		Version                int64
		Segments, Live, Purges int
	}
	if err := json.Unmarshal(it.Value, &h); err != nil {
		return head{}, fmt.Errorf("decode %s: %w", it.Key, err)
	}
	return head{Version: h.Version, Segments: h.Segments, Live: h.Live, Purges: h.Purges, Tags: tagsUnknown, apart: true}, nil
}

// openHead decodes a head with its open parts, wherever they are.
func openHead(ctx context.Context, st host.State, list string, it host.Item) (head, error) {
	h, err := decodeHead(it)
	if err != nil || !h.apart {
		return h, err
	}
	rows, err := st.GetBulk(ctx, []string{logKey(list, h.Version/blockSize), segmentKey(list, max(h.Segments-1, 0))})
	if err != nil {
		return h, fmt.Errorf("read list %s: %w", list, err)
	}
	entries, err := decodeLog(rows[0])
	if err != nil {
		return h, err
	}
	for _, e := range entries {
		h.log = h.log.add(e.Task, e.TaskVersion)
	}
	for _, id := range decodeSegment(rows[1]) {
		h.ids = h.ids.add(id)
	}
	h.apart = false
	return h, nil
}

// close lets nothing be added any more, and forgets the owner.
func (h *head) close() { h.closed, h.owner = true, account.User{} }

// heads implements [account.Lists].
type heads struct{ state host.State }

func (s heads) read(ctx context.Context, list string) (h head, etag string, err error) {
	it, err := s.state.Get(ctx, headKey(list))
	if err != nil {
		return h, "", fmt.Errorf("read list %s: %w", list, err)
	}
	h, err = openHead(ctx, s.state, list, it)
	return h, it.ETag, err
}

// Adopt implements [account.Lists]. A list that there was nothing in gets a head by it: a change that is under way would
// otherwise begin it with what it knows of the owner.
func (s heads) Adopt(ctx context.Context, u account.User) (host.Op, error) {
	h, etag, err := s.read(ctx, listOf(u.ID))
	h.owner = u
	return host.Replace(headKey(listOf(u.ID)), h.encode(), etag), err
}

// End implements [account.Lists].
func (s heads) End(ctx context.Context, userID string) (host.Op, error) {
	h, etag, err := s.read(ctx, listOf(userID))
	h.close()
	return host.Replace(headKey(listOf(userID)), h.encode(), etag), err
}

// idSize is the length of a packed task id.
const idSize = 16

func appendPacked(b []byte, id string) []byte {
	u := uuid.MustParse(id) // every task has one
	return append(b, u[:]...)
}

// packedIDs are the task ids of a segment.
type packedIDs []byte

func (p packedIDs) len() int                { return len(p) / idSize }
func (p packedIDs) add(id string) packedIDs { return appendPacked(p, id) }

func (p packedIDs) all() []string {
	out := make([]string, 0, p.len())
	for id := range slices.Chunk(p, idSize) {
		out = append(out, uuid.UUID(id).String())
	}
	return out
}

// remove returns the ids without one.
func (p packedIDs) remove(id string) packedIDs {
	gone := appendPacked(nil, id)
	var out packedIDs
	for id := range slices.Chunk(p, idSize) {
		if !bytes.Equal(id, gone) {
			out = append(out, id...)
		}
	}
	return out
}

// row is a full segment as it is stored: a line for each id.
func (p packedIDs) row() []byte {
	var b []byte
	for _, id := range p.all() {
		b = append(append(b, id...), '\n')
	}
	return b
}

// packedLog are the changes of a block, each a task's id and its version then. The list's versions follow from the
// block's number: it is never begun in the middle.
type packedLog []byte

func (p packedLog) add(id string, version int64) packedLog {
	return binary.AppendUvarint(appendPacked(p, id), uint64(version))
}

// entries returns the changes of the block of that number.
func (p packedLog) entries(block int64) ([]logEntry, error) {
	out := make([]logEntry, 0, blockSize)
	for version := max(block*blockSize, 1); len(p) > 0; version++ {
		if len(p) <= idSize {
			return nil, fmt.Errorf("block %d of a list's log is damaged at version %d", block, version)
		}
		taskVersion, n := binary.Uvarint(p[idSize:])
		if n <= 0 {
			return nil, fmt.Errorf("block %d of a list's log is damaged at version %d", block, version)
		}
		out = append(out, logEntry{Version: version, Task: uuid.UUID(p[:idSize]).String(), TaskVersion: int64(taskVersion)})
		p = p[idSize+n:]
	}
	return out, nil
}

// row is a full block as it is stored: a line for each change.
func (p packedLog) row(block int64) ([]byte, error) {
	entries, err := p.entries(block)
	var b []byte
	for _, e := range entries {
		b = fmt.Appendf(b, "%d %s %d\n", e.Version, e.Task, e.TaskVersion)
	}
	return b, err
}

// logEntry is one change in a list's log: at list version Version the task reached TaskVersion.
type logEntry struct {
	Version     int64
	Task        string
	TaskVersion int64
}

func decodeLog(it host.Item) ([]logEntry, error) {
	var out []logEntry
	for line := range strings.Lines(string(it.Value)) {
		f := strings.Fields(line)
		if len(f) != 3 {
			return nil, fmt.Errorf("decode %s: line %q has %d fields, not 3", it.Key, line, len(f))
		}
		version, err1 := strconv.ParseInt(f[0], 10, 64)
		taskVersion, err2 := strconv.ParseInt(f[2], 10, 64)
		if err := errors.Join(err1, err2); err != nil {
			return nil, fmt.Errorf("decode %s: %w", it.Key, err)
		}
		out = append(out, logEntry{Version: version, Task: f[1], TaskVersion: taskVersion})
	}
	return out, nil
}

func decodeSegment(it host.Item) []string { return strings.Fields(string(it.Value)) }

// removeID returns a segment's row without id.
func removeID(row []byte, id string) []byte {
	return bytes.Replace(bytes.Clone(row), []byte(id+"\n"), nil, 1)
}

// errLogGone says that the log no longer reaches back to the version asked for.
var errLogGone = errors.New("the log no longer reaches back that far")

// changesSince reads the changes of a list after version since up to its head, oldest first.
func changesSince(ctx context.Context, st host.State, list string, since int64, h head) ([]logEntry, error) {
	if since >= h.Version {
		return nil, nil
	}
	open := h.Version / blockSize
	first := (since + 1) / blockSize
	if open-first >= blocksKept {
		return nil, errLogGone
	}
	changes, err := readBlocks(ctx, st, list, first, open)
	if err != nil {
		return nil, err
	}
	latest, err := h.log.entries(open)
	if err != nil {
		return nil, err
	}
	changes = append(changes, latest...)
	out := slices.DeleteFunc(changes, func(e logEntry) bool { return e.Version <= since })
	if int64(len(out)) != h.Version-since {
		return nil, errLogGone
	}
	return out, nil
}

// readBlocks reads the changes of the full blocks from first up to before end.
func readBlocks(ctx context.Context, st host.State, list string, first, end int64) ([]logEntry, error) {
	var keys []string
	for b := first; b < end; b++ {
		keys = append(keys, logKey(list, b))
	}
	if keys == nil {
		return nil, nil
	}
	blocks, err := st.GetBulk(ctx, keys)
	if err != nil {
		return nil, fmt.Errorf("read log of list %s: %w", list, err)
	}
	var out []logEntry
	for _, it := range blocks {
		entries, err := decodeLog(it)
		if err != nil {
			return nil, err
		}
		out = append(out, entries...)
	}
	return out, nil
}

// readRecords reads the tasks named, in chunks; an absent one is nil.
func readRecords(ctx context.Context, st host.State, ids []string) ([]*record, error) {
	out := make([]*record, 0, len(ids))
	for len(ids) > 0 {
		n := min(len(ids), readChunk)
		keys := make([]string, n)
		for i, id := range ids[:n] {
			keys[i] = taskKey(id)
		}
		items, err := st.GetBulk(ctx, keys)
		if err != nil {
			return nil, fmt.Errorf("read %d tasks: %w", n, err)
		}
		for _, it := range items {
			r, err := decodeRecord(it)
			if err != nil {
				return nil, err
			}
			out = append(out, r)
		}
		ids = ids[n:]
	}
	return out, nil
}

// readSegments reads the ids of a list's tasks in order of creation, those in the segments from one up to before another.
func readSegments(ctx context.Context, st host.State, list string, h head, from, end int) ([]string, error) {
	open := h.Segments - 1
	var keys []string
	for n := from; n < min(end, open); n++ {
		keys = append(keys, segmentKey(list, n))
	}
	var ids []string
	for part := range slices.Chunk(keys, readChunk) {
		items, err := st.GetBulk(ctx, part)
		if err != nil {
			return nil, fmt.Errorf("read segments of list %s: %w", list, err)
		}
		for _, it := range items {
			ids = append(ids, decodeSegment(it)...)
		}
	}
	if end > open {
		ids = append(ids, h.ids.all()...)
	}
	return ids, nil
}
