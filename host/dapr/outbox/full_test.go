package outbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/docket-tasks/docket/host"
)

// brokerless is a store at which every call takes effect, and a broker that is away until back is closed. It notes how many
// rows each removal had, and takes its time for it if told to.
type brokerless struct {
	store
	back     chan struct{}
	removing time.Duration
	removals []int
}

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
	if ops[0].Delete {
		time.Sleep(b.removing)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if ops[0].Delete {
		b.removals = append(b.removals, len(ops))
	}
	return b.apply(ops)
}

func (b *brokerless) Publish(context.Context, []host.Message) error {
	select {
	case <-b.back:
		return nil
	default:
		return errors.New("away")
	}
}

func (b *brokerless) Schedule(ctx context.Context, _ host.Job) error { return b.Publish(ctx, nil) }

const smallWindow = 4

func openBrokerless(t *testing.T, window int) (*Outbox, *brokerless) {
	t.Helper()
	b := &brokerless{store: store{world: newWorld()}, back: make(chan struct{})}
	box, err := Open(t.Context(), Config{Store: b, Carrier: b, Owner: "me", Slots: 1, Window: window, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(box.Kill)
	return box, b
}

func commitOne(t *testing.T, box *Outbox, id int) error {
	return box.Commit(t.Context(), []host.Op{host.Create(fmt.Sprintf("effect/%d", id), nil)}, []host.Message{{Topic: "t", Key: "k", ID: fmt.Sprint(id)}}, nil)
}

// What ends with a commit can ask before it begins whether the window has room for one.
func TestReady(t *testing.T) {
	box, _ := openBrokerless(t, smallWindow)
	for i := range smallWindow {
		if err := box.Ready(); err != nil {
			t.Fatalf("after %d commits: %v", i, err)
		}
		if err := commitOne(t, box, i); err != nil {
			t.Fatal(err)
		}
	}
	if err := box.Ready(); !errors.Is(err, host.ErrUnavailable) {
		t.Errorf("with a full window: %v", err)
	}
}

// Whoever commits faster than messages go out waits for them; while none go out at all, waiting would be in vain.
func TestFullWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box, broker := openBrokerless(t, smallWindow)
		for i := range smallWindow {
			if err := commitOne(t, box, i); err != nil {
				t.Fatal(err)
			}
		}
		const more = 3 * smallWindow
		results := make(chan error, more)
		for i := range more {
			go func() { results <- commitOne(t, box, smallWindow+i) }()
		}
		synctest.Wait()
		if len(results) > 0 {
			t.Fatalf("with a full window a commit did not wait: %v", <-results)
		}
		close(broker.back)
		for range more {
			if err := <-results; err != nil {
				t.Errorf("after the broker is back: %v", err)
			}
		}
		if full := box.Stats().Full; full != 0 {
			t.Errorf("%d commits were refused", full)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		box, _ := openBrokerless(t, smallWindow)
		for i := range smallWindow {
			if err := commitOne(t, box, i); err != nil {
				t.Fatal(err)
			}
		}
		began := time.Now()
		for i := range 2 {
			if err := commitOne(t, box, smallWindow+i); !errors.Is(err, host.ErrUnavailable) {
				t.Errorf("with a full window and no broker: %v", err)
			}
		}
		if took := time.Since(began); took > box.Patience {
			t.Errorf("both were refused after %v, each would wait by itself", took)
		}
		if full := box.Stats().Full; full != 2 {
			t.Errorf("%d commits were counted as refused, want 2", full)
		}
	})
}

// What a dead replica has left is handed on without waiting for company: a replica that starts has to do so before it serves.
func TestRecoveryDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box, broker := openBrokerless(t, smallWindow)
		close(broker.back)
		began := time.Now()
		if err := box.carryAll(content{Jobs: []host.Job{{Name: "far", Due: began.Add(time.Hour)}}}); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > 0 {
			t.Errorf("it took %v", took)
		}
	})
}
