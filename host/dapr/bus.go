package dapr

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/host/combine"
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
	looks  combine.Queue[string, *look]
}

// look asks for the keys of a topic that are parked.
type look struct {
	ctx    context.Context
	parked parkedKeys
	err    error
}

func newBus(n *Node) *bus {
	b := &bus{node: n, shared: map[string]host.Subscription{}, every: map[string]host.Subscription{}}
	b.looks.Max = 1000
	b.looks.Run = b.lookAll
	return b
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

// ServeHTTP is a delivery: POST /events/{component}/{topic}. 200 means that it is dealt with, 404 that Dapr's dead-letter topic
// shall have it, anything else that it shall come again.
func (b *bus) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	topic := r.PathValue("topic")
	m, err := message(r, topic)
	if err != nil {
		b.node.Logger.Error("a message that docket has not sent goes to the dead letters", "topic", topic, "error", err)
		http.NotFound(w, r)
		return
	}
	switch r.PathValue("component") {
	case everyBus:
		b.wake(r.Context(), m)
	case sharedBus:
		if err := b.deliver(r.Context(), m); err != nil {
			b.node.metrics.delivered(topic, "error")
			b.node.Logger.Warn("a message is not dealt with, it will come again", "topic", topic, "event_id", m.ID, "error", err)
			http.Error(w, "deliver it again", http.StatusServiceUnavailable)
			return
		}
	default:
		http.Error(w, "unknown component", http.StatusServiceUnavailable)
		return
	}
	b.node.Failpoint(stepHandled)
	w.WriteHeader(http.StatusOK)
}

// message is what the body and the record's headers make up.
func message(r *http.Request, topic string) (host.Message, error) {
	id, err := url.QueryUnescape(r.Header.Get(idHeader))
	if err != nil {
		return host.Message{}, err
	}
	key, err := url.QueryUnescape(r.Header.Get(keyHeader))
	if err != nil {
		return host.Message{}, err
	}
	if id == "" {
		return host.Message{}, fmt.Errorf("it has no header %s", idHeader)
	}
	data, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, 2*maxValue))
	if err != nil {
		return host.Message{}, err
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

// deliver deals with a message that one replica gets: nil means that it is handled, parked, or a dead letter.
func (b *bus) deliver(ctx context.Context, m host.Message) error {
	s, ok := b.shared[m.Topic]
	if !ok {
		return fmt.Errorf("the service does not subscribe to %s in this version", m.Topic)
	}
	l := &look{ctx: ctx}
	b.looks.Do(m.Topic, l)
	if l.err != nil {
		return l.err
	}
	if slices.Contains(l.parked.Keys, m.Key) {
		parked, err := b.park(ctx, m, true)
		if err != nil || parked {
			return err
		}
	}
	err := b.try(ctx, s, m)
	switch {
	case err == nil:
		b.node.metrics.delivered(m.Topic, "ok")
		return nil
	case ctx.Err() != nil: // the sidecar or this process goes
		return err
	case host.IsPermanent(err):
		return b.bury(ctx, m, err)
	}
	if _, err := b.park(ctx, m, false); err != nil {
		return err
	}
	b.node.metrics.delivered(m.Topic, "parked")
	b.node.Logger.Warn("a message keeps failing and is parked, it will be repeated", "topic", m.Topic, "event_id", m.ID, "error", err)
	return nil
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
