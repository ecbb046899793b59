package dapr

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/docket-tasks/docket/host"
)

// retryPrefix begins the names of the jobs that try parked messages again.
const retryPrefix = "host.parked."

// How much may be parked; beyond, messages wait at the broker.
const (
	maxParkedKeys     = 256 // of a topic
	maxParkedMessages = 512 // of a key
	maxParkedBytes    = 768 << 10
)

// keysRow is the row host/parked/<topic>: the keys whose messages wait behind a failing one.
type keysRow struct {
	Keys []string `json:"keys"`
}

// parkedLine is the row host/parked/<topic>/<key>: these messages, in order.
type parkedLine struct {
	Messages []parkedMessage `json:"messages"`
	Failures int             `json:"failures"` // of the first
}

type parkedMessage struct {
	ID   string `json:"id"`
	Data []byte `json:"data"`
}

// parkedJob is the data of the job that tries a line again.
type parkedJob struct {
	Topic string `json:"topic"`
	Key   string `json:"key"`
}

func keysKey(topic string) string      { return reserved + "parked/" + topic }
func lineKey(topic, key string) string { return keysKey(topic) + "/" + url.QueryEscape(key) }

func (j parkedJob) name() string {
	sum := sha256.Sum256([]byte(j.Key))
	return retryPrefix + j.Topic + "." + base64.RawURLEncoding.EncodeToString(sum[:16])
}

// parkedKeys tells the keys of a topic that are parked.
func (b *bus) parkedKeys(ctx context.Context, topic string) (map[string]bool, error) {
	items, err := b.node.sidecar.Get(ctx, []string{keysKey(topic)})
	if err != nil || !items[0].Exists() {
		return nil, err
	}
	var row keysRow
	if err := json.Unmarshal(items[0].Value, &row); err != nil {
		return nil, fmt.Errorf("what is parked on %s: %w", topic, err)
	}
	parked := make(map[string]bool, len(row.Keys))
	for _, k := range row.Keys {
		parked[k] = true
	}
	return parked, nil
}

// place is what is parked of a key, as it was read.
type place struct {
	parkedJob
	keysItem, lineItem host.Item
	keys               keysRow
	line               parkedLine
}

func (b *bus) place(ctx context.Context, topic, key string) (*place, error) {
	items, err := b.node.sidecar.confirmed(ctx, []string{keysKey(topic), lineKey(topic, key)})
	if err != nil {
		return nil, err
	}
	p := &place{parkedJob: parkedJob{topic, key}, keysItem: items[0], lineItem: items[1]}
	if p.keysItem.Exists() {
		err = json.Unmarshal(p.keysItem.Value, &p.keys)
	}
	if err == nil && p.lineItem.Exists() {
		err = json.Unmarshal(p.lineItem.Value, &p.line)
	}
	if err != nil {
		return nil, fmt.Errorf("what is parked on %s: %w", topic, err)
	}
	return p, nil
}

// write is the transaction that makes the rows what p says. An empty line goes, and its key with it.
func (p *place) write() (tx host.Tx, err error) {
	listed := slices.Contains(p.keys.Keys, p.Key)
	if len(p.line.Messages) == 0 {
		tx.Ops = append(tx.Ops, host.Remove(p.lineItem.Key, p.lineItem.ETag))
		p.keys.Keys = slices.DeleteFunc(p.keys.Keys, func(k string) bool { return k == p.Key })
	} else {
		b, err := json.Marshal(p.line)
		if err != nil {
			return tx, err
		}
		tx.Ops = append(tx.Ops, host.Replace(p.lineItem.Key, b, p.lineItem.ETag))
		if !listed {
			p.keys.Keys = append(p.keys.Keys, p.Key)
		}
	}
	if listed == slices.Contains(p.keys.Keys, p.Key) {
		return tx, nil
	}
	if len(p.keys.Keys) == 0 {
		tx.Ops = append(tx.Ops, host.Remove(p.keysItem.Key, p.keysItem.ETag))
		return tx, nil
	}
	b, err := json.Marshal(p.keys)
	tx.Ops = append(tx.Ops, host.Replace(p.keysItem.Key, b, p.keysItem.ETag))
	return tx, err
}

// job is the intent to try the line again.
func (p *place) job(after time.Duration) (host.JobIntent, error) {
	b, err := json.Marshal(p.parkedJob)
	return host.Schedule(p.name(), time.Now().Add(after), b), err
}

// full tells why no more can be parked there.
func (p *place) full() error {
	bytes := 0
	for _, m := range p.line.Messages {
		bytes += len(m.Data)
	}
	if len(p.keys.Keys) >= maxParkedKeys && !slices.Contains(p.keys.Keys, p.Key) {
		return fmt.Errorf("%d keys of %s are parked already", len(p.keys.Keys), p.Topic)
	}
	if len(p.line.Messages) >= maxParkedMessages || bytes > maxParkedBytes && len(p.line.Messages) > 1 {
		return fmt.Errorf("%d messages of one key of %s are parked already", len(p.line.Messages), p.Topic)
	}
	return nil
}

// park puts m at the end of its key's line. With behind set it does so only if there is still such a line.
func (b *bus) park(ctx context.Context, m host.Message, behind bool) (parked bool, err error) {
	err = b.settled(ctx, func() (host.Tx, error) {
		p, err := b.place(ctx, m.Topic, m.Key)
		if err != nil {
			return host.Tx{}, err
		}
		if parked = !behind || p.lineItem.Exists(); !parked {
			return host.Tx{}, nil
		}
		if slices.ContainsFunc(p.line.Messages, func(o parkedMessage) bool { return o.ID == m.ID }) {
			return host.Tx{}, nil // a repeated delivery
		}
		if err := p.full(); err != nil {
			return host.Tx{}, err
		}
		p.line.Messages = append(p.line.Messages, parkedMessage{m.ID, m.Data})
		tx, err := p.write()
		if err == nil && !p.lineItem.Exists() {
			var j host.JobIntent
			j, err = p.job(retryAfter(1))
			tx.Jobs = append(tx.Jobs, j)
		}
		return tx, err
	})
	if err == nil && parked {
		b.node.Failpoint(stepParked)
	}
	return parked, err
}

// settled commits what make makes of the state, again while others change the same. An empty transaction needs no commit.
func (b *bus) settled(ctx context.Context, make func() (host.Tx, error)) error {
	return host.Retry(ctx, func() error {
		tx, err := make()
		if err != nil || len(tx.Ops) == 0 && len(tx.Messages) == 0 {
			return err
		}
		return b.node.state.commit(ctx, tx)
	})
}

// retry is the job that tries a parked line again: message by message, until one fails.
func (b *bus) retry(ctx context.Context, j host.Job) error {
	var of parkedJob
	if err := json.Unmarshal(j.Data, &of); err != nil {
		return fmt.Errorf("job %s: %w", j.Name, err)
	}
	s, ok := b.shared[of.Topic]
	if !ok {
		return fmt.Errorf("messages of %s are parked and the service does not subscribe to it in this version", of.Topic)
	}
	p, err := b.place(ctx, of.Topic, of.Key)
	if err != nil {
		return err
	}
	done := map[string]bool{}
	failing := ""
	for _, m := range p.line.Messages {
		whole := host.Message{Topic: of.Topic, Key: of.Key, ID: m.ID, Data: m.Data}
		err := b.handle(ctx, s, whole)
		if host.IsPermanent(err) {
			err = b.bury(ctx, whole, err)
		}
		if err != nil {
			b.node.Logger.Warn("a parked message fails again", "topic", of.Topic, "event_id", m.ID, "failures", p.line.Failures+1, "error", err)
			failing = m.ID
			break
		}
		b.node.metrics.delivered(of.Topic, "ok")
		done[m.ID] = true
	}
	return b.shorten(ctx, of, done, failing)
}

// shorten takes what is done out of a line, and has the rest tried again later.
func (b *bus) shorten(ctx context.Context, of parkedJob, done map[string]bool, failing string) error {
	return b.settled(ctx, func() (host.Tx, error) {
		p, err := b.place(ctx, of.Topic, of.Key)
		if err != nil || !p.lineItem.Exists() {
			return host.Tx{}, err
		}
		before := len(p.line.Messages)
		p.line.Messages = slices.DeleteFunc(p.line.Messages, func(m parkedMessage) bool { return done[m.ID] })
		wait := time.Duration(0) // what came meanwhile has not been tried yet
		switch {
		case failing == "":
			p.line.Failures = 0
		case len(p.line.Messages) < before:
			p.line.Failures = 1
			wait = retryAfter(1)
		default:
			p.line.Failures++
			wait = retryAfter(p.line.Failures)
		}
		tx, err := p.write()
		if err == nil && len(p.line.Messages) > 0 {
			var j host.JobIntent
			j, err = p.job(wait)
			tx.Jobs = append(tx.Jobs, j)
		}
		return tx, err
	})
}

// retryAfter is how long to wait after so many failures, from 200 ms up to 12.8 s: so much longer than an outage itself may
// what it held up be late.
func retryAfter(failures int) time.Duration {
	return 100 * time.Millisecond << min(failures, 7)
}
