package dapr

import (
	"context"
	"errors"
	"fmt"
	"net/http"
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
		b.serveBatch(w, r, b.wakeAll)
	case sharedBus:
		b.serveBatch(w, r, b.deliverAll)
	default:
		deliverAgain(w, r)
	}
}

// wakeAll hands a batch to a replica that wants every message, each once: none is worth anything later.
func (b *bus) wakeAll(ctx context.Context, topic string, entries []entry) ([]verdict, error) {
	s, ok := b.every[topic]
	verdicts := make([]verdict, len(entries))
	for i, e := range entries {
		verdicts[i] = verdict{e.ID, success}
		m, err := e.message(topic)
		switch {
		case err != nil:
			b.node.Logger.Error("a message that docket has not sent is left alone", "topic", topic, "error", err)
		case ok:
			b.wake(ctx, s, m)
		}
	}
	return verdicts, nil
}

func (b *bus) wake(ctx context.Context, s host.Subscription, m host.Message) {
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
