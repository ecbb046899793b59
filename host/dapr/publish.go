package dapr

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"sync"

	"github.com/dapr/go-sdk/client"

	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/host/combine"
)

// How much one request publishes at most: what the broker takes of a partition at once is no more.
const (
	maxPublished      = 64
	maxPublishedBytes = 1 << 20 // of data; a larger message goes alone
)

// publisher publishes messages of a topic together where several wait. A message that finds no request of its topic under way goes
// at once; what comes meanwhile goes with the next one.
//
// The order of the messages of a key over several commits does not depend on it: the outbox has one commit of a key on its way at a
// time. Those of one commit go in one request, in their order, and the broker keeps it, unless it takes only a part of them.
type publisher struct {
	*sidecar
	queue combine.Queue[string, *letter] // by topic
}

func newPublisher(s *sidecar) *publisher {
	p := &publisher{sidecar: s}
	p.queue.Max = maxPublished
	p.queue.Run = p.send
	return p
}

// letter is one message of a post.
type letter struct {
	host.Message
	post *post
}

// post is one call of Publish and what becomes of it.
type post struct {
	ctx context.Context
	err error // of the first message that did not go out; the later ones are not sent
}

// Publish implements [outbox.Carrier].
func (p *publisher) Publish(ctx context.Context, messages []host.Message) error {
	it := &post{ctx: ctx}
	letters := make([]*letter, len(messages))
	for i, m := range messages {
		letters[i] = &letter{m, it}
	}
	p.queue.DoAll(messages[0].Topic, letters)
	return it.err
}

// send is the queue's callback: it sends some letters in as few requests as their sizes allow.
func (p *publisher) send(topic string, some []*letter) {
	for len(some) > 0 {
		n := fitting(some)
		p.sendTogether(topic, slices.DeleteFunc(some[:n:n], func(l *letter) bool { return l.post.err != nil }))
		some = some[n:]
	}
}

// fitting is how many letters go in one request.
func fitting(some []*letter) int {
	bytes := 0
	for n, l := range some {
		if bytes += len(l.Data); n > 0 && bytes > maxPublishedBytes {
			return n
		}
	}
	return len(some)
}

// sendTogether sends letters by one request. Of one that fails in part the sidecar does not tell in which: each post is then
// published by itself, message by message, so that one which cannot be, ever, holds up no other.
func (p *publisher) sendTogether(topic string, some []*letter) {
	if len(some) > 1 && p.publishTogether(some[0].post.ctx, topic, some) == nil {
		return
	}
	var posts sync.WaitGroup
	for len(some) > 0 {
		of, n := some[0].post, 1
		for n < len(some) && some[n].post == of {
			n++
		}
		mine := some[:n]
		posts.Go(func() {
			for i := 0; i < len(mine) && of.err == nil; i++ {
				of.err = p.publishOne(of.ctx, mine[i].Message)
			}
		})
		some = some[n:]
	}
	posts.Wait()
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
