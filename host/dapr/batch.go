package dapr

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"sync"

	"github.com/docket-tasks/docket/host"
)

// entry is one message of a batch. Its data is as it was published (rawPayload in the subscription), and comes in base64.
type entry struct {
	ID      string            `json:"entryId"` // within the batch
	Data    []byte            `json:"event"`
	Headers map[string]string `json:"metadata"`
}

// verdict is what becomes of an entry. The sidecar takes nothing but a success for one: a message that it gets no verdict on comes
// again, and so do all where it gets no answer that it can read.
type verdict struct {
	ID     string `json:"entryId"`
	Status string `json:"status"`
}

const (
	success = "SUCCESS"
	repeat  = "RETRY"
	drop    = "DROP" // Dapr's dead-letter topic shall have it
)

// maxBatch is the largest batch that is read, in bytes: of 64 messages, maxMessagesCount in deploy/dapr/subscriptions.yaml. One has
// at most 1 MiB with its headers, which is what brokers take (see maxData); base64 makes 4/3 of that, and the last sixth is for
// what the sidecar writes around it. Its own limit (maxBody) is not on what it sends to a service.
const maxBatch = 64 * (1 << 20) * 3 / 2

// serveBatch has messages dealt with that all come from one partition. Nothing under /events/ may answer with a 404: the sidecar would
// take the whole batch for dealt with.
func (b *bus) serveBatch(w http.ResponseWriter, r *http.Request, deal func(ctx context.Context, topic string, entries []entry) ([]verdict, error)) {
	topic := r.PathValue("topic")
	entries, err := readBatch(http.MaxBytesReader(w, r.Body, maxBatch))
	var verdicts []verdict
	if err == nil {
		verdicts, err = deal(r.Context(), topic, entries)
	}
	if err != nil {
		level := slog.LevelWarn
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
			level = slog.LevelError // no later try ends otherwise, as long as nobody changes the subscription
			err = fmt.Errorf("it has more than %d bytes, maxMessagesCount of the subscription has to be at most 64: %w", maxBatch, err)
		}
		b.node.metrics.delivered(topic, "error")
		b.node.Logger.Log(r.Context(), level, "a batch of messages is not dealt with", "topic", topic, "error", err)
		deliverAgain(w, r)
		return
	}
	b.node.Failpoint(stepHandled)
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string][]verdict{"statuses": verdicts}) // if it does not arrive the batch comes again
}

func deliverAgain(w http.ResponseWriter, _ *http.Request) {
	http.Error(w, "deliver it again", http.StatusServiceUnavailable)
}

func readBatch(body io.Reader) ([]entry, error) {
	var in struct {
		Entries []entry `json:"entries"`
	}
	if err := json.NewDecoder(body).Decode(&in); err != nil {
		return nil, fmt.Errorf("read a batch: %w", err)
	}
	if len(in.Entries) == 0 {
		return nil, errors.New("a batch without messages: the subscription has to be one in bulk")
	}
	return in.Entries, nil
}

// deliverAll deals with messages that one replica gets: those of each key in their order, one key beside the other.
func (b *bus) deliverAll(ctx context.Context, topic string, entries []entry) ([]verdict, error) {
	s, ok := b.shared[topic]
	if !ok {
		return nil, fmt.Errorf("the service does not subscribe to %s in this version", topic)
	}
	parked, err := b.parkedKeys(ctx, topic)
	if err != nil {
		return nil, err
	}
	verdicts := make([]verdict, len(entries))
	lines := map[string]*line{} // by key
	for i, e := range entries {
		verdicts[i] = verdict{e.ID, repeat}
		m, err := e.message(topic)
		if err != nil {
			b.node.Logger.Error("a message that docket has not sent goes to the dead letters", "topic", topic, "error", err)
			verdicts[i].Status = drop
			continue
		}
		l := lines[m.Key]
		if l == nil {
			l = &line{bus: b, subscription: s, parked: parked[m.Key]}
			lines[m.Key] = l
		}
		l.messages, l.verdicts = append(l.messages, m), append(l.verdicts, &verdicts[i])
	}
	var delivering sync.WaitGroup
	for _, l := range lines {
		delivering.Go(func() { l.deliver(ctx) })
	}
	delivering.Wait()
	return verdicts, nil
}

// message is what the data and the record's headers make up.
func (e entry) message(topic string) (host.Message, error) {
	id, err := url.QueryUnescape(e.Headers[idHeader])
	if err != nil {
		return host.Message{}, err
	}
	key, err := url.QueryUnescape(e.Headers[keyHeader])
	if err != nil {
		return host.Message{}, err
	}
	if id == "" {
		return host.Message{}, fmt.Errorf("it has no header %s", idHeader)
	}
	return host.Message{Topic: topic, Key: key, ID: id, Data: e.Data}, nil
}

// line is the messages of one key in a batch, which are dealt with in their order.
type line struct {
	*bus
	subscription host.Subscription
	parked       bool // a message before may be parked
	messages     []host.Message
	verdicts     []*verdict
}

// deliver deals with one after the other, until one has to come again.
func (l *line) deliver(ctx context.Context) {
	for i, m := range l.messages {
		var err error
		if l.parked, err = l.bus.deliver(ctx, l.subscription, m, l.parked); err != nil {
			l.node.metrics.delivered(m.Topic, "error")
			l.node.Logger.Warn("a message is not dealt with, it will come again", "topic", m.Topic, "event_id", m.ID, "error", err)
			return
		}
		l.verdicts[i].Status = success
	}
}
