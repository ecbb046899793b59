package dapr

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dapr/go-sdk/client"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/host/dapr/outbox"
)

// How long the sidecar may take. A call without a deadline would wait for as long as the scheduler is away.
const (
	readTime     = 5 * time.Second
	commitTime   = 10 * time.Second
	publishTime  = 10 * time.Second
	scheduleTime = 5 * time.Second
)

const (
	maxBody   = 64 << 20 // bytes; the sidecar's --max-body-size
	bulkChunk = 5000     // keys of one bulk read
)

// sidecar is what this process asks of its Dapr sidecar: a store, a broker and a scheduler for the outbox, and secrets.
type sidecar struct {
	Options
	base *url.URL
	conn *grpc.ClientConn
	api  client.Client
	http *http.Client
	dead atomic.Bool
}

var (
	_ outbox.Store   = (*sidecar)(nil)
	_ outbox.Carrier = (*publisher)(nil)
)

// silence keeps the SDK from telling, on standard error, that there is a token; its logger is the process's.
var silence = sync.OnceFunc(func() { client.SetLogger(nil) })

func dial(o Options) (*sidecar, error) {
	s := &sidecar{Options: o, base: &url.URL{Scheme: "http", Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(o.HTTPPort))}}
	authorized := func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		if s.dead.Load() {
			return errDead
		}
		if md, _ := metadata.FromOutgoingContext(ctx); o.APIToken != "" && len(md.Get(apiTokenHeader)) == 0 {
			ctx = metadata.AppendToOutgoingContext(ctx, apiTokenHeader, o.APIToken)
		}
		return invoke(ctx, method, req, reply, cc, opts...)
	}
	var err error
	s.conn, err = grpc.NewClient(net.JoinHostPort("127.0.0.1", strconv.Itoa(o.GRPCPort)), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithUnaryInterceptor(authorized), grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxBody), grpc.MaxCallSendMsgSize(maxBody)),
		grpc.WithConnectParams(reconnect))
	if err != nil {
		return nil, fmt.Errorf("sidecar: %w", err)
	}
	silence()
	s.api = client.NewClientWithConnection(s.conn)
	s.http = &http.Client{Transport: invocation{s, &http.Transport{MaxIdleConnsPerHost: 64, IdleConnTimeout: 90 * time.Second}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return s, nil
}

func (s *sidecar) close() error {
	s.http.CloseIdleConnections()
	return s.conn.Close()
}

// kill lets no further call through.
func (s *sidecar) kill() { s.dead.Store(true) }

// wait returns when the sidecar can be used: all its components have been set up.
func (s *sidecar) wait(ctx context.Context) error {
	said := time.Now()
	for {
		err := s.ready(ctx)
		if err == nil {
			return nil
		}
		if now := time.Now(); now.Sub(said) > 5*time.Second {
			said = now
			s.Logger.Warn("waiting for the Dapr sidecar: is it running, and what does its log say?", "address", s.base.Host, "error", err)
		}
		t := time.NewTimer(100 * time.Millisecond)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return fmt.Errorf("the Dapr sidecar at %s is not ready (DAPR_HTTP_PORT says where it is): %w", s.base.Host, err)
		}
	}
}

func (s *sidecar) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.base.JoinPath("/v1.0/healthz/outbound").String(), nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("it answers %s: a component is not set up yet", resp.Status)
	}
	return nil
}

// require fails where the sidecar lacks one of the components.
func (s *sidecar) require(ctx context.Context, names ...string) error {
	ctx, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	m, err := s.api.GetMetadata(ctx)
	if err != nil {
		return fmt.Errorf("ask the sidecar for its components: %w", err)
	}
	var have []string
	for _, c := range m.RegisteredComponents {
		have = append(have, c.Name)
	}
	for _, name := range names {
		if !slices.Contains(have, name) {
			return fmt.Errorf("the sidecar of %s has no component %q, only %q: put deploy/dapr into its resources, and %s into the component's scopes", s.Service, name, have, s.Service)
		}
	}
	return nil
}

// confirming is how many keys are looked at once more at the same time.
const confirming = 16

// confirmed is Get, and a key that it calls absent is: the component for PostgreSQL returns what it has read so far where
// its connection breaks, and no error. It does not when it reads one key.
func (s *sidecar) confirmed(ctx context.Context, keys []string) ([]host.Item, error) {
	items, err := s.Get(ctx, keys)
	if err != nil || len(keys) == 1 {
		return items, err
	}
	reading, ctx := errgroup.WithContext(ctx)
	reading.SetLimit(confirming)
	for i := range items {
		if items[i].Exists() {
			continue
		}
		reading.Go(func() error {
			one, err := s.Get(ctx, keys[i:i+1])
			if err == nil {
				items[i] = one[0]
			}
			return err
		})
	}
	return items, reading.Wait()
}

// Get implements [outbox.Store].
func (s *sidecar) Get(ctx context.Context, keys []string) ([]host.Item, error) {
	ctx, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	if len(keys) == 1 {
		it, err := s.api.GetState(ctx, stateStore, keys[0], nil)
		if err != nil {
			return nil, readError(err)
		}
		return []host.Item{item(it.Key, it.Value, it.Etag)}, nil
	}
	found := make(map[string]host.Item, len(keys))
	for part := range slices.Chunk(keys, bulkChunk) {
		items, err := s.api.GetBulkState(ctx, stateStore, part, nil, 1)
		if err != nil {
			return nil, readError(err)
		}
		for _, it := range items {
			if it.Error != "" {
				return nil, readError(fmt.Errorf("%s: %s", it.Key, it.Error))
			}
			found[it.Key] = item(it.Key, it.Value, it.Etag)
		}
	}
	out := make([]host.Item, len(keys))
	for i, k := range keys {
		out[i] = found[k]
		out[i].Key = k
	}
	return out, nil
}

// item is what was stored as value: see stored.
func item(key string, value []byte, etag string) host.Item {
	if etag == "" {
		return host.Item{Key: key}
	}
	if len(value) > 0 && value[0] == 0 {
		value = value[1:]
	}
	return host.Item{Key: key, Value: value, ETag: etag}
}

// stored is how a value is written: the store takes no empty ones, so they get a zero byte, and what begins with one gets another.
func stored(value []byte) []byte {
	if len(value) > 0 && value[0] != 0 {
		return value
	}
	return append([]byte{0}, value...)
}

// Commit implements [outbox.Store].
func (s *sidecar) Commit(ctx context.Context, ops []host.Op) error {
	ctx, cancel := context.WithTimeout(ctx, commitTime)
	defer cancel()
	out := make([]*client.StateOperation, len(ops))
	for i, o := range inOrder(ops) {
		out[i] = operation(o)
	}
	return commitError(s.api.ExecuteStateTransaction(ctx, stateStore, nil, out))
}

// inOrder are operations by their keys, so that no two transactions wait for each other; those of one key are as they came, for several
// commits may have written it.
func inOrder(ops []host.Op) []host.Op {
	return slices.SortedStableFunc(slices.Values(ops), func(a, b host.Op) int { return strings.Compare(a.Key, b.Key) })
}

func operation(o host.Op) *client.StateOperation {
	it := &client.SetStateItem{Key: o.Key, Options: &client.StateOptions{Concurrency: client.StateConcurrencyLastWrite, Consistency: client.StateConsistencyStrong}}
	if o.If != host.Always {
		it.Options.Concurrency = client.StateConcurrencyFirstWrite
	}
	if o.If == host.IfMatch {
		it.Etag = &client.ETag{Value: o.ETag}
	}
	if o.Delete {
		return &client.StateOperation{Type: client.StateOperationTypeDelete, Item: it}
	}
	it.Value = stored(o.Value)
	if o.TTL > 0 {
		it.Metadata = map[string]string{"ttlInSeconds": strconv.FormatInt(int64((o.TTL+time.Second-1)/time.Second), 10)}
	}
	return &client.StateOperation{Type: client.StateOperationTypeUpsert, Item: it}
}

// A job comes at its due time, and then more often than it needs to, because a call may count that has not come here: see DESIGN.md.
const (
	calls = 3               // in all, those that fail not counted
	again = 5 * time.Second // between two
)

// Schedule implements [outbox.Carrier].
func (s *sidecar) Schedule(ctx context.Context, j host.Job) error {
	ctx, cancel := context.WithTimeout(ctx, scheduleTime)
	defer cancel()
	now := time.Now()
	due := j.Due
	if due.Before(now) {
		due = now
	}
	if far := now.Add(maxAhead); due.After(far) {
		due = far
	}
	at, every, repeats, failed := due.UTC().Format(time.RFC3339Nano), "@every "+again.String(), uint32(calls), time.Second
	job := &client.Job{Name: j.Name, DueTime: &at, Schedule: &every, Repeats: &repeats, Overwrite: true,
		FailurePolicy: &client.JobFailurePolicyConstant{Interval: &failed}}
	if err := s.api.ScheduleJob(ctx, job); err != nil {
		return fmt.Errorf("schedule %s: %w", j.Name, err)
	}
	return nil
}

// secrets asks the environment first, then the sidecar.
type secrets struct{ *sidecar }

// Get implements [host.Secrets]: DOCKET_SECRET_<NAME>, upper case with '_' for '-', or that key of the secret docket.
func (s secrets) Get(ctx context.Context, name string) (string, error) {
	if v, ok := secretOf(name); ok {
		return v, nil
	}
	ctx, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	all, err := s.api.GetSecret(ctx, secretStore, secretName, nil)
	switch {
	case err == nil:
	case secretAbsent(err):
		return "", fmt.Errorf("%w: there is no secret %q", host.ErrNoSecret, secretName)
	default:
		return "", fmt.Errorf("read secret %s: %w", name, err)
	}
	v, ok := all[name]
	if !ok {
		return "", fmt.Errorf("%w: the secret %q has no key %q", host.ErrNoSecret, secretName, name)
	}
	return v, nil
}

var errDead = errors.New("the process is dead")
