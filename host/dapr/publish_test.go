package dapr

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/dapr/go-sdk/client"

	"github.com/docket-tasks/docket/host"
)

// requests stands in for the API of a sidecar: it notes what is published by which request, each of which takes a token, and
// takes no message whose data is "bad".
type requests struct {
	client.Client
	tokens chan struct{}
	mu     sync.Mutex
	made   []string
}

var errBad = errors.New("no broker takes this")

func (r *requests) note(ids ...string) {
	<-r.tokens
	r.mu.Lock()
	defer r.mu.Unlock()
	r.made = append(r.made, strings.Join(ids, " "))
}

func (r *requests) PublishEvents(_ context.Context, _, _ string, events []any, _ ...client.PublishEventsOption) (res client.PublishEventsResponse) {
	var ids []string
	for _, e := range events {
		e := e.(client.PublishEventsEvent)
		ids = append(ids, e.Metadata[idHeader])
		if string(e.Data) == "bad" {
			res.Error = errBad
		}
	}
	r.note(ids...)
	return res
}

func (r *requests) PublishEvent(_ context.Context, _, _ string, data any, _ ...client.PublishEventOption) error {
	r.note("one: " + string(data.([]byte)))
	if string(data.([]byte)) == "bad" {
		return errBad
	}
	return nil
}

// What waits while a request is under way goes with the next one; of those that cannot go together each has an outcome of its own.
//
// [Task]: T020
func TestMessagesThatWaitArePublishedTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := &requests{tokens: make(chan struct{})}
		p := newPublisher(&sidecar{api: api})
		outcomes := make([]error, 7)
		publish := func(i int, data string) {
			go func() {
				outcomes[i] = p.Publish(t.Context(), []host.Message{numbered(i, data)})
			}()
			synctest.Wait()
		}
		done := func(n int) {
			for range n {
				api.tokens <- struct{}{}
			}
			synctest.Wait()
		}
		for i := range 4 {
			publish(i, "good")
		}
		done(1) // 0 is out, 1 to 3 are on their way
		publish(4, "good")
		publish(5, "bad")
		done(1) // 4 and 5 are
		publish(6, "good")
		done(4)                   // together, each by itself, and 6
		slices.Sort(api.made[3:]) // go side by side
		if want := []string{"one: good", "1 2 3", "4 5", "one: bad", "one: good", "one: good"}; !slices.Equal(api.made, want) {
			t.Errorf("requests %q, want %q", api.made, want)
		}
		for i, err := range outcomes {
			if bad := i == 5; bad != errors.Is(err, errBad) || !bad && err != nil {
				t.Errorf("message %d: %v", i, err)
			}
		}
	})
}

func numbered(i int, data string) host.Message {
	return host.Message{Topic: "t", ID: fmt.Sprint(i), Key: "k", Data: []byte(data)}
}

// The messages that one commit has for a key go by one request. Where the broker does not take all of them they go one after the
// other, and none after the first that it refuses: the outbox sends all of them again, and the earlier one must come first.
//
// [Task]: T020
func TestMessagesOfOneCommitKeepTheirOrder(t *testing.T) {
	for _, c := range []struct {
		data []string
		want []string
		err  error
	}{
		{[]string{"first", "second", "third"}, []string{"0 1 2"}, nil},
		{[]string{"first", "bad", "third"}, []string{"0 1 2", "one: first", "one: bad"}, errBad},
	} {
		api := &requests{tokens: make(chan struct{}, 9)}
		for range cap(api.tokens) {
			api.tokens <- struct{}{}
		}
		var messages []host.Message
		for i, data := range c.data {
			messages = append(messages, numbered(i, data))
		}
		err := newPublisher(&sidecar{api: api}).Publish(t.Context(), messages)
		if !errors.Is(err, c.err) || !slices.Equal(api.made, c.want) {
			t.Errorf("%q: requests %q and %v, want %q and %v", c.data, api.made, err, c.want, c.err)
		}
	}
}

// A request carries no more than a broker takes at once.
//
// [Task]: T020
func TestWhatIsPublishedTogetherIsBounded(t *testing.T) {
	var letters []*letter
	for _, size := range []int{maxPublishedBytes + 1, 1, maxPublishedBytes, maxPublishedBytes - 1, 1, 1} {
		letters = append(letters, &letter{Message: host.Message{Data: make([]byte, size)}})
	}
	var got []int
	for len(letters) > 0 {
		n := fitting(letters)
		got, letters = append(got, n), letters[n:]
	}
	if want := []int{1, 1, 1, 2, 1}; !slices.Equal(got, want) {
		t.Errorf("together %v, want %v", got, want)
	}
}
