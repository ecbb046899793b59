package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/docket-tasks/docket/host"
)

// A trail is a row of keys numbered by version from 1: a list's entries or a task's pointers. Events create them in
// any order, so there may be holes, and no key says where the row ends.
//
// Its head is a hint of that: up to where it has no hole, and the highest version known. It is written by compare-and-swap
// and never downwards, after a while by whoever has kept versions that readers would not find or would have to look for long
// (extents.go), so an event costs no third operation. Readers begin at the hint, or at what their replica knows itself, and probe
// upwards until a version is not there. They ask for one first: versions that are not there are what costs, as a store may have to be
// asked once more, for each by itself, whether that is true. So what lies behind a hole is found when the hole closes, or
// when its hint has been left; one that was lost with its process is left when the event is delivered again, or by a later one.
type trail struct {
	name
	state   host.State
	extents *extents
}

// name is a trail's: whose it is.
type name struct{ kind, id string }

// The kinds of trails, as their heads' keys have them.
const (
	ofList = "list/"
	ofTask = "task/"
)

// head is the key of the trail's head.
func (n name) head() string { return HeadPrefix + n.kind + n.id }

// prefix begins the keys of the trail's versions.
func (n name) prefix() string {
	if n.kind == ofTask {
		return PointerPrefix + n.id + "/"
	}
	return EntryPrefix + n.id + "/"
}

const (
	// window is how many versions a page is read by.
	window = 128
	// stretch is how many versions the probing reads at once, at most.
	stretch = 8
	// raiseEvery is how often the hint is raised where there is no hole: how far readers have to probe at most.
	raiseEvery = 64
)

func (s *service) trail(n name) trail { return trail{n, s.state, s.extents} }

// reach is how far a trail goes.
type reach struct {
	// Whole is the version up to which nothing is missing.
	Whole int64 `json:"whole"`
	// Max is the highest version there is.
	Max int64 `json:"max"`
}

// reach probes upwards from what is known.
func (t trail) reach(ctx context.Context) (reach, error) {
	_, now, _, err := t.advance(ctx, math.MaxInt64)
	return now, err
}

// advance returns the stored reach with its ETag, and what it is now; beyond the version enough it need not be known.
func (t trail) advance(ctx context.Context, enough int64) (stored, now reach, etag string, err error) {
	item, err := t.state.Get(ctx, t.head())
	if err != nil {
		return stored, now, "", fmt.Errorf("read %s: %w", t.head(), err)
	}
	if item.Exists() {
		if err := json.Unmarshal(item.Value, &stored); err != nil {
			return stored, now, "", fmt.Errorf("decode %s: %w", item.Key, err)
		}
	}
	now = t.extents.reach(t.name)
	now.Whole, now.Max = max(now.Whole, stored.Whole), max(now.Max, stored.Max)
	whole, last, err := t.probe(ctx, now.Whole, now.Max, enough)
	if err != nil {
		return stored, now, "", err
	}
	now.Whole, now.Max = whole, max(now.Max, last)
	if now.Max > whole { // a hole; what follows its far side?
		if _, now.Max, err = t.probe(ctx, now.Max, now.Max, enough); err != nil {
			return stored, now, "", err
		}
	}
	t.extents.learn(t.name, stored, now)
	return stored, now, item.ETag, nil
}

// probe looks at the versions above one, but not above enough, until one is not there. It returns up to where they follow without a
// hole, and the highest that it has seen: both are above where there is none. Where the first is there it expects those up to known, the
// highest that is there for sure, and reads by the window: of a list that several replicas keep each sees a part only.
func (t trail) probe(ctx context.Context, above, known, enough int64) (whole, last int64, err error) {
	whole, last = above, above
	for n := int64(1); whole < enough; n = max(min(2*n, stretch), min(known-whole, window)) {
		items, err := t.read(ctx, whole+min(n, enough-whole), whole+1)
		if err != nil {
			return 0, 0, err
		}
		slices.Reverse(items) // from the lowest up
		for i, item := range items {
			if item.Exists() {
				last = whole + 1 + int64(i)
			}
		}
		if hole := slices.IndexFunc(items, func(it host.Item) bool { return !it.Exists() }); hole >= 0 {
			return whole + int64(hole), last, nil
		}
		whole += int64(len(items))
	}
	return whole, last, nil
}

// read returns the items from version hi down to lo.
func (t trail) read(ctx context.Context, hi, lo int64) ([]host.Item, error) {
	prefix, keys := t.prefix(), make([]string, 0, hi-lo+1)
	for v := hi; v >= lo; v-- {
		keys = append(keys, prefix+strconv.FormatInt(v, 10))
	}
	items, err := t.state.GetBulk(ctx, keys)
	if err != nil {
		return nil, fmt.Errorf("read %s%d to %d: %w", prefix, lo, hi, err)
	}
	return items, nil
}

// raise leaves a hint of how far the trail reaches, where readers need one. It does not look beyond what this replica has kept:
// mostly nothing is there.
func (t trail) raise(ctx context.Context) error {
	var err error
	for range maxTries {
		stored, now, etag, advErr := t.advance(ctx, t.extents.reach(t.name).Max)
		if advErr != nil {
			return advErr
		}
		if !now.worthMore(stored) {
			return nil
		}
		value, encErr := json.Marshal(now)
		if encErr != nil {
			return encErr
		}
		err = t.state.Commit(ctx, host.Tx{Ops: []host.Op{host.Replace(t.head(), value, etag)}})
		if err == nil {
			t.extents.learn(t.name, now, now)
		}
		if !errors.Is(err, host.ErrConflict) {
			return err
		}
	}
	return err
}

// worthMore tells whether readers who begin at a hint would overlook something, or look for long.
func (r reach) worthMore(hint reach) bool {
	return r.Max > r.Whole && r.Max > hint.Max || r.Whole >= hint.Whole+raiseEvery
}
