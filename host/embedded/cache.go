package embedded

import (
	"hash/maphash"
	"strconv"
	"sync"
	"time"
)

const (
	cacheBytes  = 64 << 20
	cacheShards = 64
	// itemOverhead is roughly what an item costs beside its key and value: entry, map slot, ETag.
	itemOverhead = 160
)

// item is the stored value of a key; rev 0 means absent, which is remembered too.
type item struct {
	value   []byte
	etag    string
	rev     int64
	expires int64 // Unix milliseconds, 0 never
}

func newItem(value []byte, rev, expires int64) item {
	return item{value: value, etag: strconv.FormatInt(rev, 36), rev: rev, expires: expires}
}

// at is the item as seen at that time: absent once it has expired.
func (i item) at(now time.Time) item {
	if i.expires != 0 && i.expires <= now.UnixMilli() {
		return item{}
	}
	return i
}

type cacheKey struct {
	space *space
	key   string
}

// cache holds recently used items, bounded by bytes. The writer puts every committed item in before the commit is
// acknowledged, so what is here is never older than an acknowledged commit. A reader that fetches a missing item
// from the database may only fill it in if its shard saw no commit meanwhile (see load and fill).
type cache struct {
	seed   maphash.Seed
	shards [cacheShards]shard
}

type shard struct {
	mu      sync.Mutex
	entries map[cacheKey]*entry
	recent  entry // ring: recent.next is the most recently used
	bytes   int
	limit   int
	commits uint64
}

type entry struct {
	item
	key        cacheKey
	prev, next *entry
}

func newCache(limit int) *cache {
	c := &cache{seed: maphash.MakeSeed()}
	for i := range c.shards {
		s := &c.shards[i]
		s.entries = map[cacheKey]*entry{}
		s.recent.prev, s.recent.next = &s.recent, &s.recent
		s.limit = limit / cacheShards
	}
	return c
}

func (c *cache) shard(k cacheKey) *shard {
	return &c.shards[maphash.String(c.seed, k.key)%cacheShards]
}

// load returns the item and true, or false and what fill needs to know.
func (c *cache) load(k cacheKey) (it item, seen uint64, ok bool) {
	s := c.shard(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.entries[k]
	if !ok {
		return item{}, s.commits, false
	}
	s.touch(e)
	return e.item, 0, true
}

// fill remembers an item read from the database after load missed it with seen. It does nothing if a commit came
// between: the read may have been older.
func (c *cache) fill(k cacheKey, it item, seen uint64) {
	s := c.shard(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.commits == seen {
		s.put(k, it)
	}
}

// store remembers a committed item. Only the writer calls it, in the order of the commits.
func (c *cache) store(k cacheKey, it item) {
	s := c.shard(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.commits++
	s.put(k, it)
}

func (s *shard) put(k cacheKey, it item) {
	e, ok := s.entries[k]
	if len(it.value) > s.limit/4 { // it would push everything else out
		if ok {
			s.drop(e)
		}
		return
	}
	if !ok {
		e = &entry{key: k}
		s.entries[k] = e
		s.bytes += itemOverhead + len(k.key)
		e.prev, e.next = e, e
	}
	s.bytes += len(it.value) - len(e.value)
	e.item = it
	s.touch(e)
	for s.bytes > s.limit && s.recent.prev != &s.recent {
		s.drop(s.recent.prev)
	}
}

// touch makes e the most recently used.
func (s *shard) touch(e *entry) {
	if s.recent.next == e {
		return
	}
	e.prev.next, e.next.prev = e.next, e.prev
	e.prev, e.next = &s.recent, s.recent.next
	e.prev.next, e.next.prev = e, e
}

func (s *shard) drop(e *entry) {
	e.prev.next, e.next.prev = e.next, e.prev
	delete(s.entries, e.key)
	s.bytes -= itemOverhead + len(e.key.key) + len(e.value)
}
