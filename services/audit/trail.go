package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"sync"

	"github.com/docket-tasks/docket/host"
)

// A trail is a row of keys numbered by version from 1: a list's entries or a task's pointers. Events create them in
// any order, so there may be holes, and no key says where the row ends.
//
// Its head is a hint of that: up to where it has no hole, and the highest version known. It is written by compare-and-swap
// and never downwards, by the handler of every 64th version, and by whoever keeps a version that lies far above all that
// its replica has kept of the trail, so writers hardly meet and an event costs no third operation. Readers start at the hint
// and probe upwards, 8 versions in one bulk read, until a run of 4 absent ones. That is little because
// versions that are not there are what costs: a store may have to be asked once more, for each by itself, whether that
// is true. What can be overlooked are versions behind a hole of 4 or more whose hint was lost with its process: they show
// as soon as they are delivered again, the hole closes, or a multiple of 64 beyond it arrives.
type trail struct {
	state  host.State
	prefix string
	head   string
}

const (
	// window is how many versions a page is read by.
	window = 128
	// stretch is how many versions the probing reads at once.
	stretch = 8
	// stride is how many absent versions in a row end it.
	stride = 4
	// raiseEvery is how often the hint is raised: how far readers have to probe at most.
	raiseEvery = 64
)

func listTrail(state host.State, list string) trail {
	return trail{state, EntryPrefix + list + "/", HeadPrefix + "list/" + list}
}

func taskTrail(state host.State, task string) trail {
	return trail{state, PointerPrefix + task + "/", HeadPrefix + "task/" + task}
}

// reach is how far a trail goes.
type reach struct {
	// Whole is the version up to which nothing is missing.
	Whole int64 `json:"whole"`
	// Max is the highest version there is.
	Max int64 `json:"max"`
}

// reach probes upwards from the stored hint.
func (t trail) reach(ctx context.Context) (reach, error) {
	_, now, _, err := t.advance(ctx, math.MaxInt64)
	return now, err
}

// advance returns the stored reach with its ETag, and what it is now; beyond the version enough it need not be known.
func (t trail) advance(ctx context.Context, enough int64) (stored, now reach, etag string, err error) {
	item, err := t.state.Get(ctx, t.head)
	if err != nil {
		return stored, now, "", fmt.Errorf("read %s: %w", t.head, err)
	}
	if item.Exists() {
		if err := json.Unmarshal(item.Value, &stored); err != nil {
			return stored, now, "", fmt.Errorf("decode %s: %w", t.head, err)
		}
	}
	now = stored
	looked := now.Whole // versions up to here have been looked at
	for run := int64(stretch); run == stretch && now.Whole < enough; {
		var last int64
		if run, last, err = t.probe(ctx, now.Whole, stretch); err != nil {
			return stored, now, "", err
		}
		looked += stretch
		now.Whole += run
		now.Max = max(now.Max, last)
	}
	for now.Max+stride > looked && now.Max < enough {
		above := max(looked, now.Max) // a hint may have bridged what lies between
		looked = now.Max + stride
		_, last, err := t.probe(ctx, above, looked-above)
		if err != nil {
			return stored, now, "", err
		}
		now.Max = max(now.Max, last)
	}
	return stored, now, item.ETag, nil
}

// probe reads the n versions above one. It returns how many versions follow it without a hole, and the highest there
// is, 0 for none.
func (t trail) probe(ctx context.Context, above, n int64) (run, last int64, err error) {
	items, err := t.read(ctx, above+n, above+1)
	if err != nil {
		return 0, 0, err
	}
	for i, item := range items { // from the highest down
		version := above + n - int64(i)
		if !item.Exists() {
			run = 0
			continue
		}
		run++
		last = max(last, version)
	}
	return run, last, nil
}

// read returns the items from version hi down to lo.
func (t trail) read(ctx context.Context, hi, lo int64) ([]host.Item, error) {
	keys := make([]string, 0, hi-lo+1)
	for v := hi; v >= lo; v-- {
		keys = append(keys, t.prefix+strconv.FormatInt(v, 10))
	}
	items, err := t.state.GetBulk(ctx, keys)
	if err != nil {
		return nil, fmt.Errorf("read %s%d to %d: %w", t.prefix, lo, hi, err)
	}
	return items, nil
}

// raise stores how far the trail reaches now that version is there. It does not look beyond: mostly nothing is there, and
// keys that do not exist are the ones that no cache has.
func (t trail) raise(ctx context.Context, version int64) error {
	var err error
	for range maxTries {
		stored, now, etag, advErr := t.advance(ctx, version)
		if advErr != nil {
			return advErr
		}
		now.Max = max(now.Max, version)
		if now == stored {
			return nil
		}
		value, encErr := json.Marshal(now)
		if encErr != nil {
			return encErr
		}
		err = t.state.Commit(ctx, host.Tx{Ops: []host.Op{host.Replace(t.head, value, etag)}})
		if !errors.Is(err, host.ErrConflict) {
			return err
		}
	}
	return err
}

// marks are the highest versions that this replica has kept, by the head of their trail. Losing them costs a few more hints.
type marks struct {
	mu      sync.Mutex
	highest map[string]int64
}

// maxMarks is how many trails are remembered.
const maxMarks = 10_000

// claim notes version, and tells whether readers might not find it from what this replica has kept of its trail before: who is
// told so leaves a hint. Of events that come at once few are.
func (m *marks) claim(head string, version int64) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.highest == nil || len(m.highest) >= maxMarks {
		m.highest = map[string]int64{}
	}
	before := m.highest[head]
	m.highest[head] = max(before, version)
	return version-before >= stride
}

// forget has the next version leave a hint, as the one for which it was claimed could not.
func (m *marks) forget(head string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.highest, head)
}
