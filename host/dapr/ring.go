package dapr

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/docket-tasks/docket/host"
)

// Nearly every transaction of a list replaces the same row under its ETag, and the sidecar does not say which ETag the row has
// got: each of them would begin with a read. A hot key therefore has a ring of rows. Its values are counted, and value n goes
// into row n mod rows, under the ETag that value n − rows has there: whoever holds that ETag knows that there is no value n yet.
// So ETags can be read well before they are needed, several at once. DESIGN.md has the whole.
const (
	rows = host.EarlierValues + 1
	// enough is how many ETags ahead a process knows; when it knows fewer it reads further ones.
	enough = rows / 2
	// steady is after how many commits in a row a process counts on being the only one that replaces a key. Others that begin to
	// have to read first, and would be late each time, so it reads as well once in so many commits.
	steady = 8
	// maxRings is how many hot keys a process knows something of. What it has let go of costs a read.
	maxRings = 4096
)

// zeroth is the number that a ring counts from: that of the value of a key that is plain, or not there.
const zeroth = rows - 1

// rowKey is the key of the row for value n. The first value of a ring goes into the row that bears the key itself.
func rowKey(key string, n int64) string {
	if n%rows == 0 {
		return key
	}
	return rowPrefix + strconv.FormatInt(n%rows, 10) + "/" + key
}

const rowPrefix = reserved + "ring/"

// rowKeys are the keys of all rows.
func rowKeys(key string) []string {
	keys := make([]string, rows)
	for i := range keys {
		keys[i] = rowKey(key, int64(i))
	}
	return keys
}

// ringMark begins a row of a ring. No plain value of a hot key begins so, and no version that knows no rings can read one as such.
var ringMark = []byte{0, 'r'}

func encodeRow(n int64, value []byte) []byte {
	return append(binary.AppendUvarint(bytes.Clone(ringMark), uint64(n)), value...)
}

// cell is what stands in a row: value n under its ETag, which is empty where it is not known. In a row that has never been
// written, or has a plain value, stands a value from before the first round: its n is the number of the row.
type cell struct {
	n    int64
	etag string
}

// free tells whether what stands there can be replaced: its ETag is known, or it is nothing.
func (c cell) free() bool { return c.etag != "" || c.n < rows }

// decodeRow reads row i.
func decodeRow(i int64, it host.Item) (c cell, value []byte, err error) {
	raw, marked := bytes.CutPrefix(it.Value, ringMark)
	if !marked {
		return cell{i, it.ETag}, it.Value, nil
	}
	n, size := binary.Uvarint(raw)
	if size <= 0 || n < rows || n%rows != uint64(i) {
		return cell{}, nil, fmt.Errorf("%s is not row %d of a hot key", it.Key, i)
	}
	return cell{int64(n), it.ETag}, raw[size:], nil
}

// ring is what a process knows of a hot key: its newest value, and what stands in its rows.
type ring struct {
	newest  int64
	value   []byte
	cells   [rows]cell
	commits int  // in a row that nobody else's came between
	shared  bool // somebody else may have replaced it lately, so that a read had better be of all rows
	looking bool // for ETags ahead
}

// next is the cell that the next value goes to; false where that is not known.
func (r *ring) next() (cell, bool) { return r.ahead(1) }

// ahead is the cell of the value after d more.
func (r *ring) ahead(d int64) (cell, bool) {
	n := r.newest + d
	c := r.cells[n%rows]
	return c, c.n == n-rows && c.free()
}

// item is the newest value as a service gets it. Its ETag says where the next one goes.
func (r *ring) item(key string) (it host.Item, ok bool) {
	next, ok := r.next()
	if !ok {
		return host.Item{}, false
	}
	if r.newest == zeroth && next.etag == "" {
		return host.Item{Key: key}, true
	}
	return host.Item{Key: key, Value: r.value, ETag: strconv.FormatInt(r.newest, 10) + " " + next.etag}, true
}

// replacement is a new value of a hot key.
type replacement struct {
	key   string
	n     int64
	value []byte
}

// replace turns the replacement of a hot key into that of a row.
func replace(o host.Op) (row host.Op, r replacement, err error) {
	switch {
	case o.Delete || o.TTL != 0 || o.If == host.Always:
		return row, r, fmt.Errorf("the hot key %s can only be created and replaced", o.Key)
	case o.If == host.IfAbsent:
		return host.Create(o.Key, encodeRow(rows, o.Value)), replacement{o.Key, rows, o.Value}, nil
	}
	number, etag, _ := strings.Cut(o.ETag, " ")
	newest, err := strconv.ParseInt(number, 10, 64)
	if err != nil || newest < zeroth || etag == "" && newest+1 >= 2*rows {
		return row, r, fmt.Errorf("%w: %q is no ETag of the hot key %s", host.ErrConflict, o.ETag, o.Key)
	}
	r = replacement{o.Key, newest + 1, o.Value}
	return host.Replace(rowKey(r.key, r.n), encodeRow(r.n, r.value), etag), r, nil
}

// rings are the hot keys of a service.
type rings struct {
	hot func(key string) bool
	// read gets rows, each of them current on its own.
	read func(ctx context.Context, keys []string) ([]host.Item, error)
	// background runs what nobody waits for.
	background func(func(context.Context))

	mu    sync.Mutex
	known map[string]*ring
}

// recall is the value as this process last knew it, where it can be replaced without asking the store.
func (rs *rings) recall(key string) (host.Item, bool) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	r := rs.known[key]
	if r == nil || r.shared || r.commits < steady || r.commits%steady == 0 {
		return host.Item{}, false
	}
	return r.item(key)
}

// get is a bulk read of keys of which some may be hot. Where the newest value of one is known, the row for the next one shows that
// it still is the newest, so a hot key costs one row like any other; otherwise all its rows are read.
func (rs *rings) get(ctx context.Context, keys []string) ([]host.Item, error) {
	if !slices.ContainsFunc(keys, rs.hot) {
		return rs.read(ctx, keys)
	}
	parts, asked := make([][]string, len(keys)), make([]*ring, len(keys))
	for i, key := range keys {
		parts[i] = []string{key}
		if rs.hot(key) {
			parts[i], asked[i] = rs.ask(key)
		}
	}
	got, err := rs.read(ctx, slices.Concat(parts...))
	if err != nil {
		return nil, err
	}
	items := make([]host.Item, len(keys))
	for i, key := range keys {
		its := got[:len(parts[i])]
		got = got[len(parts[i]):]
		switch {
		case asked[i] != nil:
			items[i], err = rs.answer(ctx, key, asked[i], its[0])
		case rs.hot(key):
			items[i], err = rs.survey(ctx, key, its)
		default:
			items[i] = its[0]
		}
		if err != nil {
			return nil, err
		}
	}
	return items, nil
}

// ask returns which rows of a hot key to read: one, and what is known of the key, or all, and nil.
func (rs *rings) ask(key string) ([]string, *ring) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if r := rs.known[key]; r != nil && !r.shared {
		asked := *r
		return []string{rowKey(key, r.newest+1)}, &asked
	}
	return rowKeys(key), nil
}

// answer makes the value of a hot key out of what was known when the row for the next value was read.
func (rs *rings) answer(ctx context.Context, key string, asked *ring, got host.Item) (host.Item, error) {
	n := asked.newest + 1
	c, _, err := decodeRow(n%rows, got)
	if err != nil {
		return host.Item{}, err
	}
	if c.n != n-rows || n == rows && c != asked.cells[0] { // a plain value has no number of its own
		return rs.survey(ctx, key, nil)
	}
	asked.cells[n%rows] = c
	rs.saw(key, asked.newest, c)
	it, _ := asked.item(key)
	return it, nil
}

// maxSurveys bounds how often rows are read that change while they are.
const maxSurveys = 8

// survey finds the newest value in all the rows of a key, and reads them again where it did not find it.
func (rs *rings) survey(ctx context.Context, key string, got []host.Item) (host.Item, error) {
	for range maxSurveys {
		if got == nil {
			var err error
			if got, err = rs.read(ctx, rowKeys(key)); err != nil {
				return host.Item{}, err
			}
		}
		r, err := newestOf(got)
		if err != nil {
			return host.Item{}, err
		}
		if it, ok := r.item(key); ok {
			rs.learn(key, r)
			return it, nil
		}
		got = nil
	}
	return host.Item{}, fmt.Errorf("read %s: %w: it changed during each of %d reads", key, host.ErrUnavailable, maxSurveys)
}

// newestOf makes a ring of rows that were read. A bulk read is no snapshot: that the greatest number found is that of the newest
// value shows in the row for the next one, or else the ring has no item.
func newestOf(got []host.Item) (r ring, err error) {
	r.newest = zeroth
	for i, it := range got {
		c, value, err := decodeRow(int64(i), it)
		if err != nil {
			return r, err
		}
		if r.cells[i] = c; c.n > r.newest || i == 0 {
			r.newest, r.value = max(c.n, zeroth), value
		}
	}
	return r, nil
}

// saw notes what stands in the row for the value after the newest.
func (rs *rings) saw(key string, newest int64, next cell) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if r := rs.known[key]; r != nil && r.newest == newest {
		r.cells[next.n%rows] = next
	}
}

// learn notes what a survey found, unless newer things are known by now.
func (rs *rings) learn(key string, found ring) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	old := rs.known[key]
	if old == nil {
		rs.add(key, &found)
		return
	}
	if old.newest > found.newest {
		return
	}
	found.shared, found.commits, found.looking = old.newest < found.newest, old.commits, old.looking
	*old = found
}

// add keeps a ring, in the place of any other where there are too many.
func (rs *rings) add(key string, r *ring) {
	if len(rs.known) >= maxRings {
		for other := range rs.known {
			delete(rs.known, other)
			break
		}
	}
	if rs.known == nil {
		rs.known = make(map[string]*ring)
	}
	rs.known[key] = r
}

// forget lets go of a hot key of which it is not certain any more what the newest value is.
func (rs *rings) forget(key string) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	delete(rs.known, key)
}

// wrote notes that this process has committed value n, and reads further ETags where few are left.
func (rs *rings) wrote(key string, n int64, value []byte) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	r := rs.known[key]
	if r == nil || r.newest > n {
		return
	}
	if r.newest < n { // or else a read has found it before this commit was over
		if r.shared {
			r.commits = 0
		}
		r.newest, r.value = n, value
		r.cells[n%rows] = cell{n: n}
	}
	r.commits++
	if r.commits < steady {
		return
	}
	r.shared = false
	if _, ok := r.ahead(enough); !ok && !r.looking {
		r.looking = true
		values := r.unknown()
		rs.background(func(ctx context.Context) { rs.look(ctx, key, values) })
	}
}

// unknown are the values whose rows have an ETag that is not known.
func (r *ring) unknown() (values []int64) {
	for _, c := range r.cells {
		if !c.free() {
			values = append(values, c.n)
		}
	}
	return values
}

// look reads the ETags that the values have got. That it fails is no harm: what is not known is read when it is needed.
func (rs *rings) look(ctx context.Context, key string, values []int64) {
	keys := make([]string, len(values))
	for i, n := range values {
		keys[i] = rowKey(key, n)
	}
	got, err := rs.read(ctx, keys)
	rs.mu.Lock()
	defer rs.mu.Unlock()
	r := rs.known[key]
	if r == nil {
		return
	}
	r.looking = false
	if err != nil {
		return
	}
	for i, n := range values {
		if c, _, err := decodeRow(n%rows, got[i]); err == nil && c.n == n && r.cells[n%rows].n == n {
			r.cells[n%rows] = c
		}
	}
}

// inRows has the hot keys among the operations replaced in their rows.
func (rs *rings) inRows(ops []host.Op) (placed []host.Op, replaced []replacement, err error) {
	for i, o := range ops {
		if !rs.hot(o.Key) {
			continue
		}
		row, r, err := replace(o)
		if err != nil {
			return nil, nil, err
		}
		ops[i], replaced = row, append(replaced, r)
	}
	return ops, replaced, nil
}

// settle notes how the transaction with these replacements ended.
func (rs *rings) settle(replaced []replacement, err error) {
	for _, r := range replaced {
		if err == nil {
			rs.wrote(r.key, r.n, r.value)
		} else {
			rs.forget(r.key)
		}
	}
}
