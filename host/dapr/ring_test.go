package dapr

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/docket-tasks/docket/host"
)

// table is a store of rows that is as bad as a store may be: a bulk read looks at one row after the other, in any order, and
// again at those that it has missed; a transaction may happen without its outcome being told, and later than that.
type table struct {
	t    *testing.T
	ill  bool // without it everything goes well
	late sync.WaitGroup

	mu   sync.Mutex
	rng  *rand.Rand
	rows map[string]host.Item
	// calls and reads count what was asked for, in calls and in rows.
	calls, reads int
	last         int // the number that the key is at
}

func newTable(t *testing.T, seed uint64) *table {
	return &table{t: t, rng: rand.New(rand.NewPCG(seed, 1)), rows: map[string]host.Item{}}
}

// chance tells whether something happens that does once in n times to an ill table.
func (s *table) chance(n int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ill && s.rng.IntN(n) == 0
}

func (s *table) row(key string) host.Item {
	s.mu.Lock()
	defer s.mu.Unlock()
	if it, ok := s.rows[key]; ok {
		return it
	}
	return host.Item{Key: key}
}

// read is the sidecar's confirmed.
func (s *table) read(_ context.Context, keys []string) ([]host.Item, error) {
	s.mu.Lock()
	s.calls++
	s.reads += len(keys)
	order := s.rng.Perm(len(keys))
	s.mu.Unlock()
	if s.chance(20) {
		return nil, host.ErrUnavailable
	}
	items := make([]host.Item, len(keys))
	for _, i := range order {
		if s.chance(2) {
			runtime.Gosched() // others go on
		}
		items[i] = host.Item{Key: keys[i]}
		if len(keys) == 1 || !s.chance(12) {
			items[i] = s.row(keys[i])
		}
	}
	for i, it := range items {
		if !it.Exists() {
			items[i] = s.row(keys[i]) // confirmed
		}
	}
	return items, nil
}

// write carries out an operation under its condition. Every value is one more than the one before: whatever makes another
// possible is a change that was lost.
func (s *table) write(o host.Op) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, there := s.rows[o.Key]
	if o.If == host.IfAbsent && there || o.If == host.IfMatch && (!there || old.ETag != o.ETag) {
		return host.ErrConflict
	}
	it := host.Item{Key: o.Key, Value: o.Value, ETag: uuid.NewString()}
	_, value, err := decodeRow(int64(slices.Index(rowKeys("hot"), o.Key)), it)
	if n, _ := strconv.Atoi(string(value)); err != nil || n != s.last+1 {
		s.t.Errorf("%q was written over %d: %v", value, s.last, err)
	}
	s.rows[o.Key] = it
	s.last++
	return nil
}

// commit is write with an outcome that may not be known.
func (s *table) commit(o host.Op) error {
	if !s.chance(25) {
		return s.write(o)
	}
	if s.chance(2) {
		s.late.Go(func() { _ = s.write(o) })
	}
	return host.ErrUnknown
}

// process is what one replica knows of the hot key "hot" in a table.
type process struct {
	*table
	rings
	own int // the last number that it has written
	// between is called, if set, when a commit has happened and the process does not know yet.
	between func()
}

func (s *table) process() *process {
	return &process{table: s, rings: rings{hot: func(key string) bool { return key == "hot" }, read: s.read,
		background: func(f func(context.Context)) { s.late.Go(func() { f(s.t.Context()) }) }}}
}

// value reads the key along with another.
func (p *process) value() (it host.Item, n int, err error) {
	items, err := p.get(p.t.Context(), []string{"other", "hot"})
	if err != nil {
		return it, 0, err
	}
	return items[1], number(items[1]), nil
}

// number is the number that an item holds: none for one that is not there, and less for what is no number.
func number(it host.Item) int {
	if !it.Exists() {
		return 0
	}
	n, err := strconv.Atoi(string(it.Value))
	if err != nil {
		return math.MinInt
	}
	return n
}

// set makes the number n, if the item still is the newest.
func (p *process) set(it host.Item, n int) error {
	ops, replaced, err := p.inRows([]host.Op{host.Replace("hot", []byte(strconv.Itoa(n)), it.ETag)})
	if err == nil {
		err = p.commit(ops[0])
	}
	if p.between != nil {
		p.between()
	}
	p.settle(replaced, err)
	if err == nil {
		p.own = n
	}
	return err
}

// count adds one to the number, from what the process recalls where it can.
func (p *process) count() error {
	it, ok := p.recall("hot")
	n := number(it)
	if !ok {
		var err error
		if it, n, err = p.value(); err != nil {
			return err
		}
	}
	if n < p.own {
		p.t.Errorf("%d is what is known, and %d was written", n, p.own)
	}
	return p.set(it, n+1)
}

// counts is count on a table where all goes well, and so has to do.
func (p *process) counts() {
	p.t.Helper()
	if err := p.count(); err != nil {
		p.t.Fatal(err)
	}
	p.late.Wait()
}

// mark is a number that only grows.
type mark struct {
	mu sync.Mutex
	n  int
}

// raise raises it to n, unless it is higher, and returns it.
func (m *mark) raise(n int) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.n = max(m.n, n)
	return m.n
}

// Processes replace a hot key at once on a bad store, first of all one of a version that knows no rings: no value is lost or
// written over, and no read is older than what was acknowledged before it.
func TestRingLosesNothing(t *testing.T) {
	for seed := range uint64(20) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			s := newTable(t, seed)
			s.ill = true
			var acknowledged mark
			var working sync.WaitGroup
			working.Go(func() {
				for old := s.row("hot"); ; old = s.row("hot") {
					n, err := strconv.Atoi(string(old.Value))
					if old.Exists() && err != nil {
						return // it has a ring
					}
					if s.write(host.Replace("hot", []byte(strconv.Itoa(n+1)), old.ETag)) == nil {
						acknowledged.raise(n + 1)
					}
				}
			})
			for range 3 {
				p := s.process()
				working.Go(func() {
					for range 300 {
						p.counting(&acknowledged)
					}
				})
				working.Go(func() {
					for range 100 {
						p.reading(&acknowledged)
					}
				})
			}
			working.Wait()
			s.late.Wait()
			s.ill = false
			if _, n, err := s.process().value(); err != nil || n != s.last || n < 200 {
				t.Errorf("at the end %d is read, %v, and %d was written", n, err, s.last)
			}
		})
	}
}

func (p *process) reading(acknowledged *mark) {
	least := acknowledged.raise(0)
	if _, n, err := p.value(); err == nil && n < least {
		p.t.Errorf("read %d after %d had been acknowledged", n, least)
	}
}

func (p *process) counting(acknowledged *mark) {
	switch err := p.count(); {
	case err == nil:
		acknowledged.raise(p.own)
	case !errors.Is(err, host.ErrConflict) && !errors.Is(err, host.ErrUnknown) && !errors.Is(err, host.ErrUnavailable):
		p.t.Error(err)
	}
}

// A process that is alone with a key waits for a read once in eight times, and reads a row for each value in the end, also where others
// in it read what it writes.
func TestRingReadsAhead(t *testing.T) {
	for name, readers := range map[string]bool{"alone": false, "among readers": true} {
		t.Run(name, func(t *testing.T) {
			s := newTable(t, 1)
			p := s.process()
			if readers {
				p.between = func() {
					if _, _, err := p.value(); err != nil {
						t.Fatal(err)
					}
				}
			}
			recalled := 0
			for range 400 {
				if _, ok := p.recall("hot"); ok {
					recalled++
				}
				p.counts()
			}
			if recalled < 330 || recalled > 360 || !readers && (s.calls > 400/2 || s.reads > 550) {
				t.Errorf("of 400 values %d were recalled; %d reads of %d rows", recalled, s.calls, s.reads)
			}
		})
	}
}

// What one process replaces and another reads costs the reader one read each time. A memory that somebody else's value has
// made wrong is found out by a commit, and not trusted again at once.
func TestRingOfTwo(t *testing.T) {
	s := newTable(t, 2)
	writer, reader := s.process(), s.process()
	for i := range 20 {
		writer.counts()
		before := s.calls
		if _, n, err := reader.value(); err != nil || n != i+1 {
			t.Fatalf("%d, %v", n, err)
		}
		if n := s.calls - before; n > 1 && i > rows {
			t.Errorf("value %d took %d reads", i, n)
		}
	}
	it, n, err := reader.value()
	if err := errors.Join(err, reader.set(it, n+1)); err != nil {
		t.Fatal(err)
	}
	if it, ok := writer.recall("hot"); !ok || number(it) != n {
		t.Fatalf("the writer recalls %q, %v", it.Value, ok)
	}
	if err := writer.count(); !errors.Is(err, host.ErrConflict) {
		t.Errorf("the writer replaced what it had not seen: %v", err)
	}
	if _, ok := writer.recall("hot"); ok {
		t.Error("the writer still trusts its memory")
	}
	if writer.counts(); writer.own != n+2 {
		t.Errorf("the writer goes on with %d, want %d", writer.own, n+2)
	}
	for i := range 20 { // with no conflict, and a read each: neither takes itself for the only one
		before := s.calls
		reader.counts()
		writer.counts()
		if n := s.calls - before; n > 2 && i > 0 {
			t.Errorf("two values took %d reads", n)
		}
	}
}

// A process keeps a bounded number of rings.
func TestRingsAreBounded(t *testing.T) {
	rs := rings{hot: func(string) bool { return true }, read: newTable(t, 3).read}
	for i := range maxRings + 10 {
		if _, err := rs.get(t.Context(), []string{fmt.Sprint("key ", i)}); err != nil {
			t.Fatal(err)
		}
	}
	if len(rs.known) != maxRings {
		t.Errorf("%d rings are known", len(rs.known))
	}
}

func TestHotKeysAreOnlyReplaced(t *testing.T) {
	p := newTable(t, 4).process()
	for name, o := range map[string]host.Op{
		"put": host.Put("hot", nil), "delete": host.Delete("hot"), "remove": host.Remove("hot", "8 x"), "expiring": host.Create("hot", nil).Expiring(1),
	} {
		if _, _, err := p.inRows([]host.Op{o}); err == nil || errors.Is(err, host.ErrConflict) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, etag := range []string{"x", "16 ", "6 x", "-1 x"} {
		if _, _, err := p.inRows([]host.Op{host.Replace("hot", nil, etag)}); !errors.Is(err, host.ErrConflict) {
			t.Errorf("ETag %q: %v", etag, err)
		}
	}
	if _, _, err := decodeRow(1, host.Item{Key: "x", Value: encodeRow(8, nil)}); err == nil {
		t.Error("a row was taken for another")
	}
}
