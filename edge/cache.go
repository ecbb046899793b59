package edge

import (
	"sync"
	"time"
)

// Cache keeps values until they expire, a bounded number of them. It is safe for concurrent use.
//
// It has two generations: when the young one is full it becomes the old one, and what is not asked for again
// goes with the next turn. So it needs neither a timer nor a list to find what to drop.
type Cache[K comparable, V any] struct {
	mu         sync.RWMutex
	generation int
	young, old map[K]cached[V]
}

type cached[V any] struct {
	value   V
	expires time.Time
}

// NewCache returns a cache of at most size entries (at least 2).
func NewCache[K comparable, V any](size int) *Cache[K, V] {
	return &Cache[K, V]{generation: max(1, size/2), young: map[K]cached[V]{}}
}

// Get returns the value at key unless it has expired at now.
func (c *Cache[K, V]) Get(key K, now time.Time) (V, bool) {
	c.mu.RLock()
	e, young := c.young[key]
	found := young
	if !young {
		e, found = c.old[key]
	}
	c.mu.RUnlock()
	if !found || !now.Before(e.expires) {
		var none V
		return none, false
	}
	if !young {
		c.promote(key)
	}
	return e.value, true
}

// promote moves key to the young generation, unless it was dropped meanwhile.
func (c *Cache[K, V]) promote(key K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.old[key]; ok {
		delete(c.old, key)
		c.put(key, e)
	}
}

// Put stores value at key until expires.
func (c *Cache[K, V]) Put(key K, value V, expires time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.old, key)
	c.put(key, cached[V]{value, expires})
}

func (c *Cache[K, V]) put(key K, e cached[V]) {
	if _, there := c.young[key]; !there && len(c.young) >= c.generation {
		c.old, c.young = c.young, make(map[K]cached[V], c.generation/4)
	}
	c.young[key] = e
}

// Drop forgets key.
func (c *Cache[K, V]) Drop(key K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.young, key)
	delete(c.old, key)
}

// Clear forgets everything.
func (c *Cache[K, V]) Clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.young)
	clear(c.old)
}

// Len returns how many entries are held, expired ones included.
func (c *Cache[K, V]) Len() int {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return len(c.young) + len(c.old)
}
