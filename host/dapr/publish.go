package dapr

import (
	"context"
	"fmt"
	"net/url"
	"sync"

	"github.com/dapr/go-sdk/client"

	"github.com/docket-tasks/docket/host"
)

// How much one request publishes at most: what the broker takes of a partition at once is no more.
const (
	maxPublished      = 64
	maxPublishedBytes = 1 << 20 // of data; a larger message goes alone
)

// publisher publishes messages of a topic together where several wait. A message that finds no request of its topic under way goes
// at once; what comes meanwhile goes with the next one. The order within a request decides nothing: the outbox has one message of
// a key on its way at a time.
type publisher struct {
	*sidecar
	mu    sync.Mutex
	lines map[string][]*letter // by topic; a topic is there while a request of it is under way
}

// letter is a message and what becomes of it.
type letter struct {
	host.Message
	outcome chan error // takes one without waiting
}

// Publish implements [outbox.Carrier].
func (p *publisher) Publish(ctx context.Context, m host.Message) error {
	l := &letter{m, make(chan error, 1)}
	p.mu.Lock()
	line, busy := p.lines[m.Topic]
	p.lines[m.Topic] = append(line, l)
	p.mu.Unlock()
	if !busy {
		go p.sendAll(context.WithoutCancel(ctx), m.Topic)
	}
	select {
	case err := <-l.outcome:
		return err
	case <-ctx.Done():
		return fmt.Errorf("publish %s on %s: %w", m.ID, m.Topic, ctx.Err())
	}
}

// sendAll sends what waits of a topic until nothing does.
func (p *publisher) sendAll(ctx context.Context, topic string) {
	for {
		some := p.next(topic)
		if len(some) == 0 {
			return
		}
		p.send(ctx, topic, some)
	}
}

// next takes from a topic's line what goes together.
func (p *publisher) next(topic string) []*letter {
	p.mu.Lock()
	defer p.mu.Unlock()
	line, n, bytes := p.lines[topic], 0, 0
	for n < min(len(line), maxPublished) {
		if bytes += len(line[n].Data); n > 0 && bytes > maxPublishedBytes {
			break
		}
		n++
	}
	if n == 0 {
		delete(p.lines, topic)
		return nil
	}
	p.lines[topic] = line[n:]
	return line[:n]
}

// send tells each letter its outcome. Of a request that fails in part the sidecar does not tell in which: each message is
// then published by itself, so that one which cannot be, ever, holds up no other.
func (p *publisher) send(ctx context.Context, topic string, some []*letter) {
	if len(some) > 1 && p.publishTogether(ctx, topic, some) == nil {
		for _, l := range some {
			l.outcome <- nil
		}
		return
	}
	var each sync.WaitGroup
	for _, l := range some {
		each.Go(func() { l.outcome <- p.publishOne(ctx, l.Message) })
	}
	each.Wait()
}

func (p *publisher) publishTogether(ctx context.Context, topic string, some []*letter) error {
	ctx, cancel := context.WithTimeout(ctx, publishTime)
	defer cancel()
	events := make([]any, len(some))
	for i, l := range some {
		events[i] = client.PublishEventsEvent{EntryID: fmt.Sprint(i), Data: l.Data, ContentType: p.ContentType, Metadata: p.headers(l.Message)}
	}
	return p.api.PublishEvents(ctx, sharedBus, topic, events, client.PublishEventsWithRawPayload()).Error
}

func (p *publisher) publishOne(ctx context.Context, m host.Message) error {
	ctx, cancel := context.WithTimeout(ctx, publishTime)
	defer cancel()
	err := p.api.PublishEvent(ctx, sharedBus, m.Topic, m.Data, client.PublishEventWithContentType(p.ContentType),
		client.PublishEventWithMetadata(p.headers(m)), client.PublishEventWithRawPayload())
	if err != nil {
		return fmt.Errorf("publish %s on %s: %w", m.ID, m.Topic, err)
	}
	return nil
}

// headers are what belongs to a message and becomes the record's headers: the data travels as it is.
func (p *publisher) headers(m host.Message) map[string]string {
	return map[string]string{"partitionKey": m.Key, "content-type": p.ContentType, idHeader: url.QueryEscape(m.ID), keyHeader: url.QueryEscape(m.Key)}
}
