package filter

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/host"
)

var (
	errNone    = errors.New("no such filter")
	errFull    = errors.New("too many filters")
	errStale   = errors.New("the filters have changed since")
	errReused  = errors.New("another request came with this idempotency key")
	errOthers  = errors.New("the ids are not those of all filters")
	errNothing = errors.New("nothing changes") // a change that needs no commit
)

// Store keeps filters in the service's state. It may be used concurrently and by several replicas at once.
type Store struct {
	state host.State
	now   func() time.Time
	// changed is told of each new version of a user's filters that was made on this replica.
	changed func(user string, version int64)
}

// New returns a store on state. It calls changed, which must not block, with each version that it makes.
func New(state host.State, now func() time.Time, changed func(user string, version int64)) *Store {
	return &Store{state: state, now: now, changed: changed}
}

// document is the row at filters/<user>.
type document struct {
	// Version grows by one at each change; it is the ETag. Where nothing was ever saved it is 0.
	Version int64    `json:"version"`
	Filters []stored `json:"filters"`
}

type stored struct {
	Filter
	// Request is the hash of the request that made it, where an Idempotency-Key came with that.
	Request string `json:"request,omitempty"`
}

// Key is the key of a user's filters, for a caller that reads it in a bulk get of its own.
func Key(user string) string { return "filters/" + user }

// Version reads the version from an item at [Key].
func Version(item host.Item) (int64, error) {
	d, err := decode(item)
	return d.Version, err
}

func decode(item host.Item) (d document, err error) {
	if item.Exists() {
		if err = json.Unmarshal(item.Value, &d); err != nil {
			err = fmt.Errorf("decode %s: %w", item.Key, err)
		}
	}
	return d, err
}

func (s *Store) load(ctx context.Context, user string) (document, string, error) {
	item, err := s.state.Get(ctx, Key(user))
	if err != nil {
		return document{}, "", fmt.Errorf("read filters of user %s: %w", user, err)
	}
	d, err := decode(item)
	return d, item.ETag, err
}

// All returns the user's filters, in their order.
func (s *Store) All(ctx context.Context, user string) ([]Filter, error) {
	d, _, err := s.load(ctx, user)
	return d.answer().Body, err
}

// place is where the filter stands, or -1.
func (d document) place(id string) int {
	for i, f := range d.Filters {
		if f.ID == id {
			return i
		}
	}
	return -1
}

// change applies do to the user's filters, again where somebody else was faster. errStale where they are at a version
// that ifMatch, the header, refuses.
func (s *Store) change(ctx context.Context, user, ifMatch string, do func(*document) error) (document, error) {
	var d document
	err := host.Retry(ctx, func() error {
		var etag string
		var err error
		if d, etag, err = s.load(ctx, user); err != nil {
			return err
		}
		if !edge.IfMatch(ifMatch, d.Version) {
			return errStale
		}
		if err := do(&d); err != nil {
			return err
		}
		d.Version++
		row, err := json.Marshal(d)
		if err != nil {
			return fmt.Errorf("encode filters: %w", err)
		}
		return s.state.Commit(ctx, host.Tx{Ops: []host.Op{host.Replace(Key(user), row, etag)}})
	})
	switch {
	case errors.Is(err, errNothing):
		return d, nil
	case err != nil:
		return d, fmt.Errorf("change filters of user %s: %w", user, err)
	}
	s.changed(user, d.Version)
	return d, nil
}
