package dapr

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/docket-tasks/docket/host"
)

// The limits of a transaction, those of the contract and those of this host.
const (
	maxOps      = 256
	maxMessages = 128
	maxValue    = 1 << 20   // bytes of an item or a job
	maxData     = 900 << 10 // bytes of a message: brokers take 1 MiB with headers
	maxKey      = 1 << 10   // bytes
	maxJobName  = 200       // bytes
)

// reserved begins the keys and job names that are the host's own.
const reserved = "host/"

// state is the service's own part of the state store; the component puts the app-id before each key.
type state struct {
	node  *Node
	rings *rings
}

var _ host.State = (*state)(nil)

// Get implements [host.State].
func (s *state) Get(ctx context.Context, key string) (host.Item, error) {
	items, err := s.GetBulk(ctx, []string{key})
	if err != nil {
		return host.Item{}, err
	}
	return items[0], nil
}

// GetBulk implements [host.State].
func (s *state) GetBulk(ctx context.Context, keys []string) ([]host.Item, error) {
	for _, k := range keys {
		if err := checkKey(k); err != nil {
			return nil, err
		}
	}
	if len(keys) == 0 {
		return nil, nil
	}
	return s.rings.get(ctx, keys)
}

// Recall implements [host.State].
func (s *state) Recall(ctx context.Context, key string) (host.Item, error) {
	if it, ok := s.rings.recall(key); ok {
		return it, nil
	}
	return s.Get(ctx, key)
}

// Commit implements [host.State].
func (s *state) Commit(ctx context.Context, tx host.Tx) error {
	if err := check(tx); err != nil {
		return err
	}
	return s.commit(ctx, tx)
}

// commit is Commit for the host's own keys too.
func (s *state) commit(ctx context.Context, tx host.Tx) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("commit: %w (%w)", host.ErrUnavailable, err)
	}
	if s.node.Stateless {
		return errors.New("commit: the service was started without state")
	}
	ops, jobs, err := plan(tx)
	if err != nil {
		return err
	}
	ops, replaced, err := s.rings.inRows(ops)
	if err != nil {
		return err
	}
	if len(tx.Messages) > 0 || len(jobs) > 0 {
		err = s.node.box.Commit(ctx, ops, tx.Messages, jobs)
	} else {
		err = unknown(s.node.sidecar.Commit(context.WithoutCancel(ctx), ops))
	}
	s.rings.settle(replaced, err)
	s.node.metrics.commit(err)
	return err
}

// unknown makes an error of the sidecar that does not say what happened one of the contract's.
func unknown(err error) error {
	if err == nil || known(err) {
		return err
	}
	return fmt.Errorf("%w (%w)", host.ErrUnknown, err)
}

func known(err error) bool {
	return errors.Is(err, host.ErrConflict) || errors.Is(err, host.ErrUnavailable) || errors.Is(err, host.ErrTooLarge)
}

// jobRow says what is scheduled under a name: see DESIGN.md.
type jobRow struct {
	Revision string    `json:"revision"`
	Due      time.Time `json:"due"`
	Data     []byte    `json:"data,omitempty"`
}

func jobKey(name string) string { return reserved + "job/" + name }

// plan turns job intents into rows, and into the jobs that the scheduler gets.
func plan(tx host.Tx) (ops []host.Op, jobs []host.Job, err error) {
	last := make(map[string]int, len(tx.Jobs)) // a name that occurs twice means its last
	for i, j := range tx.Jobs {
		last[j.Name] = i
	}
	ops = append(ops, tx.Ops...)
	for i, j := range tx.Jobs {
		switch {
		case last[j.Name] != i:
		case j.Cancel:
			ops = append(ops, host.Delete(jobKey(j.Name)))
		default:
			row := jobRow{Revision: uuid.NewString(), Due: j.Due, Data: j.Data}
			b, err := json.Marshal(row)
			if err != nil {
				return nil, nil, fmt.Errorf("job %s: %w", j.Name, err)
			}
			ops = append(ops, host.Put(jobKey(j.Name), b))
			jobs = append(jobs, host.Job{Name: scheduled(j.Name, row.Revision, 0), Due: j.Due})
		}
	}
	return ops, jobs, nil
}

func check(tx host.Tx) error {
	if len(tx.Ops) > maxOps || len(tx.Messages) > maxMessages {
		return fmt.Errorf("%d operations and %d messages, at most %d and %d: %w", len(tx.Ops), len(tx.Messages), maxOps, maxMessages, host.ErrTooLarge)
	}
	seen := make(map[string]bool, len(tx.Ops))
	for _, o := range tx.Ops {
		if err := checkKey(o.Key); err != nil {
			return err
		}
		switch {
		case seen[o.Key]:
			return fmt.Errorf("key %s occurs in two operations of one transaction", o.Key)
		case len(o.Value) > maxValue:
			return fmt.Errorf("value of %s has %d bytes, at most %d: %w", o.Key, len(o.Value), maxValue, host.ErrTooLarge)
		case o.If < host.Always || o.If > host.IfMatch:
			return fmt.Errorf("operation on %s has the unknown condition %d", o.Key, o.If)
		}
		seen[o.Key] = true
	}
	for _, m := range tx.Messages {
		switch {
		case m.Topic == "" || m.ID == "":
			return fmt.Errorf("message %q on %q: topic and ID are needed", m.ID, m.Topic)
		case len(m.Data) > maxData || len(m.Key) > maxKey:
			return fmt.Errorf("message %s on %s: %w", m.ID, m.Topic, host.ErrTooLarge)
		}
	}
	for _, j := range tx.Jobs {
		if err := checkJobName(j.Name); err != nil {
			return err
		}
		if len(j.Data) > maxValue {
			return fmt.Errorf("job %s: %w", j.Name, host.ErrTooLarge)
		}
	}
	return nil
}

func checkKey(key string) error {
	switch {
	case key == "":
		return errors.New("the key of an item is empty")
	case len(key) > maxKey:
		return fmt.Errorf("key %.40q… has %d bytes, at most %d", key, len(key), maxKey)
	case !utf8.ValidString(key) || strings.ContainsRune(key, 0) || strings.Contains(key, "||"):
		return fmt.Errorf(`key %q holds what no key may: NUL, "||" or bytes that are not UTF-8`, key)
	case strings.HasPrefix(key, reserved):
		return fmt.Errorf("key %q begins with %q, which is the host's own", key, reserved)
	}
	return nil
}

func checkJobName(name string) error {
	if strings.HasPrefix(name, retryPrefix) {
		return fmt.Errorf("job name %q begins with %q, which is the host's own", name, retryPrefix)
	}
	if name == "" || len(name) > maxJobName || !utf8.ValidString(name) || strings.ContainsAny(name, "/\\#?\x00~") || strings.Contains(name, "||") {
		return fmt.Errorf(`job name %.240q: 1 to %d bytes without '/', '\', '#', '?', '~', NUL or "||"`, name, maxJobName)
	}
	return nil
}
