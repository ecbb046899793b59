package outbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"

	"github.com/docket-tasks/docket/host"
)

// brokerless is a store at which every call takes effect at once, and a broker that is away.
type brokerless struct{ store }

func (b *brokerless) Get(_ context.Context, keys []string) ([]host.Item, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	items := make([]host.Item, len(keys))
	for i, k := range keys {
		items[i] = b.rows[k]
		items[i].Key = k
	}
	return items, nil
}

func (b *brokerless) Commit(_ context.Context, ops []host.Op) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.apply(ops)
}

func (b *brokerless) Publish(context.Context, host.Message) error { return errors.New("away") }

// What ends with a commit can ask before it begins whether the window has room for one.
func TestReady(t *testing.T) {
	b := &brokerless{store{world: newWorld()}}
	const window = 4
	box, err := Open(t.Context(), Config{Store: b, Carrier: b, Owner: "me", Slots: 1, Window: window, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer box.Kill()
	for i := range window {
		if err := box.Ready(); err != nil {
			t.Fatalf("after %d commits: %v", i, err)
		}
		id := fmt.Sprint(i)
		if err := box.Commit(t.Context(), []host.Op{host.Create("effect/"+id, nil)}, []host.Message{{Topic: "t", Key: "k", ID: id}}, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := box.Ready(); !errors.Is(err, host.ErrUnavailable) {
		t.Errorf("with a full window: %v", err)
	}
}
