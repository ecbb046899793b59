package audit_test

import (
	"context"
	"log/slog"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/services/audit"
)

// asleep is a state that takes commits, and whose reads end when it wakes, whatever their context, as those may that callers share.
type asleep struct {
	host.State
	awake chan struct{}
}

func (a asleep) Commit(context.Context, host.Tx) error { return nil }

func (a asleep) Get(_ context.Context, key string) (host.Item, error) {
	<-a.awake
	return host.Item{Key: key}, nil
}

func (a asleep) GetBulk(_ context.Context, keys []string) ([]host.Item, error) {
	<-a.awake
	return make([]host.Item, len(keys)), nil
}

// A replica that stops waits for its hints as long as it may and no longer, whether they are under way by then or not.
func TestDrainEndsWithItsContext(t *testing.T) {
	const limit = time.Second
	for name, before := range map[string]time.Duration{"hints under way": time.Minute, "hints that are not due": 0} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				state := asleep{awake: make(chan struct{})}
				service := audit.New(t.Context(), audit.Config{Logger: slog.New(slog.DiscardHandler), Now: clock},
					host.Host{State: state, Client: func(string) *http.Client { return nil }})
				second := history(t, ada, 2, 1)[1] // before it is a hole
				if err := service.Subscriptions[0].Handle(t.Context(), message(t, second)); err != nil {
					t.Fatal(err)
				}
				time.Sleep(before)
				time.AfterFunc(time.Hour, func() { close(state.awake) })
				began := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), limit)
				defer cancel()
				service.Drain(ctx)
				if took := time.Since(began); took != limit {
					t.Errorf("it took %v of %v", took, limit)
				}
				time.Sleep(time.Hour)
			})
		})
	}
}
