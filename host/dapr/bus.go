package dapr

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/docket-tasks/docket/host"
)

// tries is how often a message is tried before it is parked, firstPause how long after the first; it doubles.
const (
	tries      = 3
	firstPause = 50 * time.Millisecond
)

// bus takes deliveries from the sidecar.
type bus struct {
	node   *Node
	shared map[string]host.Subscription // by topic
	every  map[string]host.Subscription
}

func newBus(n *Node) *bus {
	return &bus{node: n, shared: map[string]host.Subscription{}, every: map[string]host.Subscription{}}
}

func (b *bus) subscribe(ctx context.Context, s host.Subscription) error {
	of, component, outcomes := b.shared, sharedBus, []string{"ok", "error", "parked", "dead"}
	if s.Mode == host.Every {
		of, component, outcomes = b.every, everyBus, outcomes[:2]
	}
	if _, twice := of[s.Topic]; twice {
		return fmt.Errorf("service %s subscribes twice to %s", b.node.Service, s.Topic)
	}
	of[s.Topic] = s
	b.node.metrics.subscribed(s.Topic, outcomes...)
	return b.node.sidecar.require(ctx, component)
}

// ServeHTTP is a delivery: POST /events/{component}/{topic}.
func (b *bus) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.PathValue("component") {
	case everyBus:
		b.serveOne(w, r)
	case sharedBus:
		b.serveBatch(w, r)
	default:
		deliverAgain(w, r)
	}
}

// serveOne takes a message that every replica gets, by itself: it is worth nothing later.
func (b *bus) serveOne(w http.ResponseWriter, r *http.Request) {
	topic := r.PathValue("topic")
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 2*maxValue))
	var m host.Message
	if err == nil {
		m, err = message(topic, data, r.Header.Get)
	}
	if err != nil {
		b.node.Logger.Error("a message that docket has not sent is left alone", "topic", topic, "error", err)
		http.NotFound(w, r)
		return
	}
	b.wake(r.Context(), m)
	b.node.Failpoint(stepHandled)
	w.WriteHeader(http.StatusOK)
}

// message is what its data and its record's headers make up.
func message(topic string, data []byte, header func(name string) string) (host.Message, error) {
	id, err := url.QueryUnescape(header(idHeader))
	if err != nil {
		return host.Message{}, err
	}
	key, err := url.QueryUnescape(header(keyHeader))
	if err != nil {
		return host.Message{}, err
	}
	if id == "" {
		return host.Message{}, fmt.Errorf("it has no header %s", idHeader)
	}
	return host.Message{Topic: topic, Key: key, ID: id, Data: data}, nil
}

// wake hands a message to a replica that wants every one, once.
func (b *bus) wake(ctx context.Context, m host.Message) {
	s, ok := b.every[m.Topic]
	if !ok {
		return
	}
	outcome := "ok"
	if err := b.handle(ctx, s, m); err != nil {
		outcome = "error"
		b.node.Logger.Warn("a message that only wakes failed, it is not repeated", "topic", m.Topic, "event_id", m.ID, "error", err)
	}
	b.node.metrics.delivered(m.Topic, outcome)
}

// deliver deals with a message that one replica gets: a nil error means that it is handled, parked, or a dead letter. If messages
// of its key may be parked, it goes behind them. It tells whether the next one has to.
func (b *bus) deliver(ctx context.Context, s host.Subscription, m host.Message, parked bool) (bool, error) {
	if parked {
		behind, err := b.park(ctx, m, true)
		if err != nil || behind {
			return true, err
		}
	}
	err := b.try(ctx, s, m)
	switch {
	case err == nil:
		b.node.metrics.delivered(m.Topic, "ok")
		return false, nil
	case ctx.Err() != nil: // the sidecar or this process goes
		return false, err
	case host.IsPermanent(err):
		return false, b.bury(ctx, m, err)
	}
	if _, err := b.park(ctx, m, false); err != nil {
		return false, err
	}
	b.node.metrics.delivered(m.Topic, "parked")
	b.node.Logger.Warn("a message keeps failing and is parked, it will be repeated", "topic", m.Topic, "event_id", m.ID, "error", err)
	return true, nil
}

// try hands m to its handler until it succeeds, is refused for good, or has failed a few times.
func (b *bus) try(ctx context.Context, s host.Subscription, m host.Message) (err error) {
	pause := firstPause
	for i := range tries {
		if i > 0 {
			if sleep(ctx, pause) != nil {
				return err
			}
			pause *= 2
		}
		if err = b.handle(ctx, s, m); err == nil || host.IsPermanent(err) {
			return err
		}
	}
	return err
}

func (b *bus) handle(ctx context.Context, s host.Subscription, m host.Message) (err error) {
	if ctx.Err() != nil || b.node.handling.Err() != nil {
		return errors.New("the host is shutting down")
	}
	defer b.node.recovered("message", &err)
	return s.Handle(ctx, m)
}
