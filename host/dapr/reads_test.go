package dapr

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/dapr/go-sdk/client"

	"github.com/docket-tasks/docket/host"
)

// counted stands in for the API of a sidecar: each read takes a token and finds how many there were before.
type counted struct {
	client.Client
	tokens chan error
	mu     sync.Mutex
	read   []string
}

func (c *counted) GetState(ctx context.Context, _, key string, _ map[string]string) (*client.StateItem, error) {
	if err := <-c.tokens; err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.read = append(c.read, key)
	return &client.StateItem{Key: key, Value: fmt.Append(nil, len(c.read)), Etag: "e"}, ctx.Err()
}

// Calls for the same key that come while a read is under way share the next one, which begins after they came; neither its error nor a
// caller who goes away reaches anybody else.
//
// [Task]: T020
func TestReadsOfTheSameKeyAreShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := &counted{tokens: make(chan error)}
		r := newReads(&sidecar{api: api})
		got := make([]string, 7)
		leaving, leave := context.WithCancel(t.Context())
		get := func(i int, ctx context.Context, key string) {
			go func() {
				items, err := r.get(ctx, []string{key})
				if got[i] = fmt.Sprint(errors.Is(err, host.ErrUnavailable)); err == nil {
					got[i] = string(items[0].Value)
				}
			}()
			synctest.Wait()
		}
		get(0, t.Context(), "a")
		get(1, leaving, "a")
		get(2, t.Context(), "a")
		get(3, t.Context(), "a")
		leave()
		api.tokens <- nil // for 0
		synctest.Wait()
		get(4, t.Context(), "a")
		api.tokens <- nil // for 1 to 3
		synctest.Wait()
		get(5, t.Context(), "b")
		api.tokens <- errors.New("away") // for 4, the first that waits
		synctest.Wait()
		api.tokens <- nil // for 5
		synctest.Wait()
		get(6, leaving, "a")
		if want := []string{"1", "2", "2", "2", "true", "3", "true"}; !slices.Equal(got, want) {
			t.Errorf("answers %q, want %q", got, want)
		}
		if want := []string{"a", "a", "b"}; !slices.Equal(api.read, want) {
			t.Errorf("reads %q, want %q", api.read, want)
		}
	})
}
