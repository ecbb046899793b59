package outbox

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/docket-tasks/docket/host"
)

// Prefix begins the key of every row of the protocol.
const Prefix = "host/outbox/"

func slotKey(slot int) string { return fmt.Sprintf(Prefix+"slot/%d", slot) }

func rowKey(slot int, epoch, n int64) string {
	return fmt.Sprintf(Prefix+"%d/%d/%d", slot, epoch, n)
}

// slotRow says who may use the numbers from Lo to Hi − 1 of a slot's epoch. Without an owner the slot is free if the
// window is empty; otherwise its last owner has gone and left the window to be recovered.
type slotRow struct {
	Epoch int64  `json:"epoch"`
	Owner string `json:"owner,omitempty"`
	// Instance is the owner's name over all its starts.
	Instance string `json:"instance,omitempty"`
	Lo       int64  `json:"lo"`
	Hi       int64  `json:"hi"`
	// Beat grows with each write: it is a person's aid, the store's ETag is what tells a change.
	Beat int64 `json:"beat"`
}

func (r slotRow) free() bool { return r.Owner == "" && r.Lo == r.Hi }

func decodeSlot(it host.Item) (r slotRow, err error) {
	if !it.Exists() {
		return r, nil
	}
	if err := json.Unmarshal(it.Value, &r); err != nil {
		return r, fmt.Errorf("row %s: %w", it.Key, err)
	}
	return r, nil
}

func (r slotRow) encode() ([]byte, error) { return json.Marshal(r) }

// rowKind is what a numbered row says of its commit.
type rowKind string

const (
	rowEntry rowKind = "entry" // it happened; these are its messages and jobs
	rowVoid  rowKind = "void"  // it did not happen and never will
	rowDone  rowKind = "done"  // it happened, and somebody else has published it
)

// content is what a commit hands on.
type content struct {
	Messages []host.Message
	Jobs     []host.Job
}

// byKey are the messages by topic and key, those of each in their order.
func (c content) byKey() (groups [][]host.Message) {
	at := make(map[[2]string]int, len(c.Messages))
	for _, m := range c.Messages {
		key := [2]string{m.Topic, m.Key}
		i, ok := at[key]
		if !ok {
			i = len(groups)
			at[key], groups = i, append(groups, nil)
		}
		groups[i] = append(groups[i], m)
	}
	return groups
}

// storedRow is the form in the store. It only grows.
type storedRow struct {
	Kind     rowKind         `json:"kind"`
	Messages []storedMessage `json:"messages,omitempty"`
	Jobs     []storedJob     `json:"jobs,omitempty"`
}

type storedMessage struct {
	Topic string `json:"topic"`
	Key   string `json:"key,omitempty"`
	ID    string `json:"id"`
	Data  []byte `json:"data,omitempty"`
}

type storedJob struct {
	Name string    `json:"name"`
	Due  time.Time `json:"due"`
	Data []byte    `json:"data,omitempty"`
}

func encodeRow(kind rowKind, c content) ([]byte, error) {
	s := storedRow{Kind: kind}
	for _, m := range c.Messages {
		s.Messages = append(s.Messages, storedMessage(m))
	}
	for _, j := range c.Jobs {
		s.Jobs = append(s.Jobs, storedJob(j))
	}
	b, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("encode a row of the outbox: %w", err)
	}
	return b, nil
}

func decodeRow(b []byte) (rowKind, content, error) {
	var s storedRow
	if err := json.Unmarshal(b, &s); err != nil {
		return "", content{}, fmt.Errorf("decode a row of the outbox: %w", err)
	}
	var c content
	for _, m := range s.Messages {
		c.Messages = append(c.Messages, host.Message(m))
	}
	for _, j := range s.Jobs {
		c.Jobs = append(c.Jobs, host.Job(j))
	}
	return s.Kind, c, nil
}
