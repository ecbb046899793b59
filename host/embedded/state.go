package embedded

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/docket-tasks/docket/host"
)

// The limits of a transaction, those of the contract and those of this host.
const (
	maxOps      = 256
	maxMessages = 128
	maxValue    = 1 << 20 // bytes, of an item or a message
	maxKey      = 1 << 10 // bytes
	maxJobName  = 200     // bytes
)

// space is one service's view of the store: its keys are prefixed with its name.
type space struct {
	node    *Node
	service string
	prefix  string
}

var _ host.State = (*space)(nil)

// Get implements [host.State].
func (s *space) Get(ctx context.Context, key string) (host.Item, error) {
	it, seen, ok := s.node.cache.load(cacheKey{s, key})
	if !ok {
		var err error
		if it, err = s.fetch(ctx, key, seen); err != nil {
			return host.Item{}, err
		}
	}
	return it.at(time.Now()).as(key), nil
}

// Recall implements [host.State]: nobody else writes here, so what is known is current.
func (s *space) Recall(ctx context.Context, key string) (host.Item, error) { return s.Get(ctx, key) }

func (s *space) fetch(ctx context.Context, key string, seen uint64) (item, error) {
	if err := checkKey(key); err != nil {
		return item{}, err
	}
	r, err := s.node.readers.acquire(ctx)
	if err != nil {
		return item{}, fmt.Errorf("get %s: %w", key, err)
	}
	defer s.node.readers.release(r)
	it, err := r.item(s.prefix + key)
	if err != nil {
		return item{}, fmt.Errorf("get %s: %w", key, s.node.readError(err))
	}
	s.node.cache.fill(cacheKey{s, key}, it, seen)
	return it, nil
}

// GetBulk implements [host.State].
func (s *space) GetBulk(ctx context.Context, keys []string) ([]host.Item, error) {
	now := time.Now()
	items := make([]host.Item, len(keys))
	var missing []miss
	for i, key := range keys {
		it, seen, ok := s.node.cache.load(cacheKey{s, key})
		if ok {
			items[i] = it.at(now).as(key)
			continue
		}
		if err := checkKey(key); err != nil {
			return nil, err
		}
		missing = append(missing, miss{i, seen})
	}
	for part := range slices.Chunk(missing, bulkChunk) {
		found, err := s.fetchAll(ctx, keys, part)
		if err != nil {
			return nil, fmt.Errorf("get %d keys: %w", len(keys), err)
		}
		for _, m := range part {
			key := keys[m.index]
			it := found[s.prefix+key]
			s.node.cache.fill(cacheKey{s, key}, it, m.seen)
			items[m.index] = it.at(now).as(key)
		}
	}
	return items, nil
}

// miss is a key, by its index, that was not in the cache, and what fill needs to know.
type miss struct {
	index int
	seen  uint64
}

// bulkChunk is how many keys are read by one statement, so that a long list shares the readers with others.
const bulkChunk = 512

// fetchAll reads the missing items that exist, by their full keys.
func (s *space) fetchAll(ctx context.Context, keys []string, missing []miss) (map[string]item, error) {
	full := make([]string, len(missing))
	for i, m := range missing {
		full[i] = s.prefix + keys[m.index]
	}
	r, err := s.node.readers.acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer s.node.readers.release(r)
	found := make(map[string]item, len(missing))
	if err := r.items(full, func(key string, it item) { found[key] = it }); err != nil {
		return nil, s.node.readError(err)
	}
	return found, nil
}

func (i item) as(key string) host.Item {
	if i.rev == 0 {
		return host.Item{Key: key}
	}
	return host.Item{Key: key, Value: i.value, ETag: i.etag}
}

// Commit implements [host.State]. Once the writer has taken the transaction the outcome is waited for, whatever
// becomes of ctx: it takes as long as one fsync.
func (s *space) Commit(ctx context.Context, tx host.Tx) error {
	c, err := s.plan(tx, time.Now())
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("commit: %w (%w)", host.ErrUnavailable, err)
	}
	c.background = inBackground(ctx)
	c.result = make(chan error, 1)
	if !s.node.writer.submit(c) {
		return errClosed
	}
	select {
	case err = <-c.result:
	case <-ctx.Done():
		if c.taken.CompareAndSwap(false, true) {
			return fmt.Errorf("commit: %w (%w)", host.ErrUnavailable, ctx.Err())
		}
		err = <-c.result
	}
	return err
}

// plan checks tx and makes it ready for the writer, which then has nothing left to compute.
func (s *space) plan(tx host.Tx, now time.Time) (*commit, error) {
	if len(tx.Ops) > maxOps || len(tx.Messages) > maxMessages {
		return nil, fmt.Errorf("%d operations and %d messages, at most %d and %d: %w",
			len(tx.Ops), len(tx.Messages), maxOps, maxMessages, host.ErrTooLarge)
	}
	c := &commit{ops: make([]op, len(tx.Ops)), creates: len(tx.Ops) > 0}
	for i, o := range tx.Ops {
		if err := s.planOp(&c.ops[i], o, now); err != nil {
			return nil, err
		}
		if o.If != host.Always {
			c.conditions = true
		}
		c.creates = c.creates && o.If == host.IfAbsent && !o.Delete
	}
	if err := distinct(tx.Ops); err != nil {
		return nil, err
	}
	for _, m := range tx.Messages {
		if len(m.Data) > maxValue || len(m.Key) > maxKey {
			return nil, fmt.Errorf("message %s on %s: %w", m.ID, m.Topic, host.ErrTooLarge)
		}
		if m.Topic == "" || m.ID == "" {
			return nil, fmt.Errorf("message %q on %q: topic and ID are needed", m.ID, m.Topic)
		}
		m.Data = append([]byte(nil), m.Data...)
		c.messages = append(c.messages, &message{Message: m})
	}
	for _, j := range tx.Jobs {
		if err := checkJobName(j.Name); err != nil {
			return nil, err
		}
		if len(j.Data) > maxValue {
			return nil, fmt.Errorf("job %s: %w", j.Name, host.ErrTooLarge)
		}
		j.Data = append([]byte(nil), j.Data...)
		c.jobs = append(c.jobs, jobOp{service: s.service, intent: j, due: microseconds(j.Due)})
	}
	return c, nil
}

func (s *space) planOp(p *op, o host.Op, now time.Time) error {
	if err := checkKey(o.Key); err != nil {
		return err
	}
	if len(o.Value) > maxValue {
		return fmt.Errorf("value of %s has %d bytes, at most %d: %w", o.Key, len(o.Value), maxValue, host.ErrTooLarge)
	}
	p.id, p.key, p.remove = cacheKey{s, o.Key}, s.prefix+o.Key, o.Delete
	switch o.If {
	case host.Always:
		p.want = anyRev
	case host.IfAbsent:
		p.want = 0
	case host.IfMatch:
		rev, err := strconv.ParseInt(o.ETag, 36, 64)
		if err != nil || rev <= 0 {
			rev = neverRev
		}
		p.want = rev
	default:
		return fmt.Errorf("operation on %s has the unknown condition %d", o.Key, o.If)
	}
	if o.Delete {
		return nil
	}
	p.value = append(make([]byte, 0, len(o.Value)), o.Value...)
	if o.TTL > 0 {
		p.expires = now.Add(o.TTL).UnixMilli() + 1
	}
	return nil
}

func checkKey(key string) error {
	switch {
	case key == "":
		return errors.New("the key of an item is empty")
	case len(key) > maxKey:
		return fmt.Errorf("key %.40q… has %d bytes, at most %d", key, len(key), maxKey)
	case !utf8.ValidString(key) || strings.ContainsRune(key, 0) || strings.Contains(key, "||"):
		return fmt.Errorf(`key %q holds what no key may: NUL, "||" or bytes that are not UTF-8`, key)
	}
	return nil
}

func checkJobName(name string) error {
	if name == "" || len(name) > maxJobName || !utf8.ValidString(name) || strings.ContainsAny(name, "/\\#?\x00") || strings.Contains(name, "||") {
		return fmt.Errorf(`job name %.240q: 1 to %d bytes without '/', '\', '#', '?', NUL or "||"`, name, maxJobName)
	}
	return nil
}

// distinct refuses a key that occurs twice.
func distinct(ops []host.Op) error {
	if len(ops) <= 8 { // cheaper than a map
		for i := range ops {
			for j := range i {
				if ops[i].Key == ops[j].Key {
					return fmt.Errorf("key %s occurs in two operations of one transaction", ops[i].Key)
				}
			}
		}
		return nil
	}
	seen := make(map[string]struct{}, len(ops))
	for _, o := range ops {
		if _, twice := seen[o.Key]; twice {
			return fmt.Errorf("key %s occurs in two operations of one transaction", o.Key)
		}
		seen[o.Key] = struct{}{}
	}
	return nil
}

// microseconds is t in Unix microseconds, rounded up: a job is never early.
func microseconds(t time.Time) int64 {
	us := t.UnixMicro()
	if t.Nanosecond()%1000 != 0 {
		us++
	}
	return us
}

type backgroundKey struct{}

// background marks the context of message and job handlers: nobody waits at the other end of what they commit, so
// it may wait a moment for company.
func background(ctx context.Context) context.Context {
	return context.WithValue(ctx, backgroundKey{}, true)
}

func inBackground(ctx context.Context) bool { return ctx.Value(backgroundKey{}) != nil }
