package dapr

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/docket-tasks/docket/host"
)

// maxDead is how many dead letters a service keeps, in one row; those beyond go to the topic where Dapr puts what it cannot deliver.
const maxDead = 1000

const deadKey = reserved + "dead"

// DeadLetter is a message that its service has refused for good.
type DeadLetter struct {
	Topic string    `json:"topic"`
	Key   string    `json:"key"`
	ID    string    `json:"id"`
	At    time.Time `json:"at"`
	Error string    `json:"error"`
	Data  []byte    `json:"data,omitempty"`
}

// deadIndex is the row host/dead; the data of each letter is in a row of its own.
type deadIndex struct {
	Letters []DeadLetter `json:"letters"`
}

func letterKey(topic, id string) string { return deadKey + "/" + topic + "/" + url.QueryEscape(id) }

func (n *Node) deadIndex(ctx context.Context) (host.Item, deadIndex, error) {
	items, err := n.sidecar.Get(ctx, []string{deadKey})
	if err != nil {
		return host.Item{}, deadIndex{}, err
	}
	var index deadIndex
	if items[0].Exists() {
		err = json.Unmarshal(items[0].Value, &index)
	}
	return items[0], index, err
}

func (i deadIndex) find(topic, id string) int {
	return slices.IndexFunc(i.Letters, func(l DeadLetter) bool { return l.Topic == topic && l.ID == id })
}

// bury keeps m as a dead letter, so that it holds up no other.
func (b *bus) bury(ctx context.Context, m host.Message, cause error) error {
	err := b.settled(ctx, func() (host.Tx, error) {
		it, index, err := b.node.deadIndex(ctx)
		if err != nil || index.find(m.Topic, m.ID) >= 0 {
			return host.Tx{}, err
		}
		if len(index.Letters) >= maxDead {
			return host.Tx{Messages: []host.Message{{Topic: m.Topic + "-dead-" + b.node.Service, Key: m.Key, ID: m.ID, Data: m.Data}}}, nil
		}
		index.Letters = append(index.Letters, DeadLetter{Topic: m.Topic, Key: m.Key, ID: m.ID, At: time.Now().UTC(), Error: cause.Error()})
		encoded, err := json.Marshal(index)
		return host.Tx{Ops: []host.Op{host.Replace(deadKey, encoded, it.ETag), host.Put(letterKey(m.Topic, m.ID), m.Data)}}, err
	})
	if err != nil {
		return err
	}
	b.node.metrics.delivered(m.Topic, "dead")
	b.node.Logger.Error("a message is refused for good: it is a dead letter", "topic", m.Topic, "event_id", m.ID, "error", cause)
	return nil
}

// DeadLetters returns the service's dead letters, oldest first, with their data.
func (n *Node) DeadLetters(ctx context.Context) ([]DeadLetter, error) {
	_, index, err := n.deadIndex(ctx)
	if err != nil || len(index.Letters) == 0 {
		return nil, err
	}
	keys := make([]string, len(index.Letters))
	for i, l := range index.Letters {
		keys[i] = letterKey(l.Topic, l.ID)
	}
	items, err := n.sidecar.confirmed(ctx, keys)
	if err != nil {
		return nil, err
	}
	for i := range index.Letters {
		index.Letters[i].Data = items[i].Value
	}
	return index.Letters, nil
}

// Replay has the service handle a dead letter again: it is parked, and a job tries it at once.
func (n *Node) Replay(ctx context.Context, topic, id string) error {
	return n.bus.settled(ctx, func() (host.Tx, error) {
		it, index, err := n.deadIndex(ctx)
		if err != nil {
			return host.Tx{}, err
		}
		at := index.find(topic, id)
		if at < 0 {
			return host.Tx{}, fmt.Errorf("no dead letter %s on %s", id, topic)
		}
		letter := index.Letters[at]
		items, err := n.sidecar.Get(ctx, []string{letterKey(topic, id)})
		if err != nil {
			return host.Tx{}, err
		}
		p, err := n.bus.place(ctx, topic, letter.Key)
		if err == nil {
			err = p.full()
		}
		if err != nil {
			return host.Tx{}, err
		}
		p.line.Messages = append(p.line.Messages, parkedMessage{id, items[0].Value})
		tx, err := p.write()
		if err != nil {
			return host.Tx{}, err
		}
		j, err := p.job(0)
		if err != nil {
			return host.Tx{}, err
		}
		index.Letters = slices.Delete(index.Letters, at, at+1)
		encoded, err := json.Marshal(index)
		tx.Ops = append(tx.Ops, host.Replace(deadKey, encoded, it.ETag), host.Delete(letterKey(topic, id)))
		tx.Jobs = append(tx.Jobs, j)
		return tx, err
	})
}
