package host

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Host is what a service is given to live on.
type Host struct {
	State   State
	Secrets Secrets
	// Client returns an HTTP client for another service: a request to http://<service>/path reaches that
	// service's Runtime handler for paths under /internal/ and its Public handler for all others. Bodies stream. An answer
	// that breaks off is an error for whoever reads it, never a shorter answer.
	Client func(service string) *http.Client
}

// Service is one deployable unit, as a host runs it.
type Service struct {
	// Name is the service's name in addresses, key prefixes and consumer groups (its Dapr app-id).
	Name string
	// Public serves users' requests; it authenticates each of them itself.
	Public http.Handler
	// Runtime serves the host and the other services: /internal/... and job triggers. Hosts never expose it.
	Runtime http.Handler
	// Subscriptions are the topics it consumes.
	Subscriptions []Subscription
	// Job handles a due job; nil where the service schedules none.
	Job func(ctx context.Context, j Job) error
	// Drain is called once at shutdown, before deliveries stop: time to close long-lived connections. May be nil.
	Drain func(ctx context.Context)
}

// State is the service's own key-value store. See the package comment for its guarantees.
type State interface {
	// Get returns the item at key; an absent key is no error but an Item without an ETag.
	Get(ctx context.Context, key string) (Item, error)
	// GetBulk returns one item for each key, in the order asked for.
	GetBulk(ctx context.Context, keys []string) ([]Item, error)
	// Recall is Get for a hot key, and may do without asking the store: another process may have replaced the item since. Whoever
	// acts on it commits on condition of its ETag, which shows that nobody had.
	Recall(ctx context.Context, key string) (Item, error)
	// Commit makes all of tx happen or none of it.
	Commit(ctx context.Context, tx Tx) error
}

// EarlierValues is how many earlier values of a hot key a host may keep. Whoever wants them gone replaces the key as often.
const EarlierValues = 7

// Item is a stored value. The caller must not change Value.
type Item struct {
	Key   string
	Value []byte
	// ETag is opaque and changes with every write; it is empty where the key is absent.
	ETag string
}

// Exists tells whether the key was present.
func (i Item) Exists() bool { return i.ETag != "" }

// Tx is one atomic change: operations on state, messages to publish and jobs to schedule or cancel.
// A key may occur in one operation only. At most 256 operations and 128 messages.
type Tx struct {
	Ops      []Op
	Messages []Message
	Jobs     []JobIntent
}

// Condition says when an [Op] may happen.
type Condition int

const (
	// Always puts or deletes whatever is there.
	Always Condition = iota
	// IfAbsent demands that the key does not exist.
	IfAbsent
	// IfMatch demands that the key exists with the ETag given.
	IfMatch
)

// Op is one operation of a transaction. Use [Put], [Create], [Replace], [Delete] or [Remove].
type Op struct {
	Key    string
	Value  []byte
	Delete bool
	If     Condition
	ETag   string
	// TTL, if positive, lets the key disappear after that time (resolution one second).
	TTL time.Duration
}

// Put stores value at key, whatever was there.
func Put(key string, value []byte) Op { return Op{Key: key, Value: value} }

// Create stores value at key, which must not exist.
func Create(key string, value []byte) Op { return Op{Key: key, Value: value, If: IfAbsent} }

// Replace stores value at key, which must still carry etag; an empty etag means it must not exist.
func Replace(key string, value []byte, etag string) Op {
	if etag == "" {
		return Create(key, value)
	}
	return Op{Key: key, Value: value, If: IfMatch, ETag: etag}
}

// Delete removes key, whatever is there.
func Delete(key string) Op { return Op{Key: key, Delete: true} }

// Remove removes key, which must still carry etag.
func Remove(key, etag string) Op { return Op{Key: key, Delete: true, If: IfMatch, ETag: etag} }

// Expiring returns the operation with a time to live.
func (o Op) Expiring(ttl time.Duration) Op {
	o.TTL = ttl
	return o
}

// Message is one event on a topic. The host carries Data as bytes and does not look inside.
type Message struct {
	Topic string
	// Key orders: messages of one key arrive in the order of their commits.
	Key string
	// ID is unique per message; a repeated delivery carries the same one.
	ID   string
	Data []byte
}

// Mode is how replicas of a service share a topic.
type Mode int

const (
	// Shared hands each message to one replica, until it is handled.
	Shared Mode = iota
	// Every hands each message to every connected replica, newest on, once.
	Every
)

// Subscription asks for the messages of a topic. Handle is called concurrently for different keys.
type Subscription struct {
	Topic  string
	Mode   Mode
	Handle func(ctx context.Context, m Message) error
}

// Job is due work: the callback of a [JobIntent].
type Job struct {
	Name string
	Due  time.Time
	Data []byte
}

// JobIntent schedules or cancels a job. Names hold no '/', '\', '#', '?' or "||" and at most 200 bytes.
type JobIntent struct {
	Job
	Cancel bool
}

// Schedule asks for a job at due (at once where that has passed).
func Schedule(name string, due time.Time, data []byte) JobIntent {
	return JobIntent{Job: Job{Name: name, Due: due, Data: data}}
}

// Cancel withdraws a job that is no longer wanted.
func Cancel(name string) JobIntent { return JobIntent{Job: Job{Name: name}, Cancel: true} }

// Secrets holds what must not be in a configuration file.
type Secrets interface {
	// Get returns the secret, or [ErrNoSecret].
	Get(ctx context.Context, name string) (string, error)
}

var (
	// ErrConflict means that a condition of the transaction did not hold; nothing happened.
	ErrConflict = errors.New("conflict: the state has changed")
	// ErrUnavailable means that the host cannot take the transaction now; nothing happened.
	ErrUnavailable = errors.New("storage is unavailable")
	// ErrUnknown means that the host cannot find out whether the transaction happened.
	ErrUnknown = errors.New("outcome unknown: storage cannot be reached")
	// ErrTooLarge means that the transaction exceeds the host's limits; nothing happened.
	ErrTooLarge = errors.New("transaction is too large")
	// ErrNoSecret means that no secret of that name is configured.
	ErrNoSecret = errors.New("no such secret")
)

// Permanent marks an error that no repetition can mend: the message goes to the dead letters at once.
func Permanent(err error) error { return permanent{err} }

// IsPermanent tells whether err or one it wraps was marked by [Permanent].
func IsPermanent(err error) bool {
	var p permanent
	return errors.As(err, &p)
}

type permanent struct{ error }

func (p permanent) Error() string { return fmt.Sprintf("permanent: %v", p.error) }
func (p permanent) Unwrap() error { return p.error }
