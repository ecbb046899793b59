package dapr

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/docket-tasks/docket/deploy/local"
	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/host/hosttest"
)

// The host behind Dapr keeps the contract on a real daprd, PostgreSQL and a broker of Kafka's protocol.
//
// [Task]: T019, T020, T021
func TestConformance(t *testing.T) {
	m := machine(t)
	hosttest.Run(t, func(t *testing.T) hosttest.Cluster { return newCluster(t, m) })
}

// shared is the machine that every test here uses; TestMain ends it.
var shared struct {
	once sync.Once
	dir  string
	m    *local.Machine
	err  error
}

func machine(t *testing.T) *local.Machine {
	t.Helper()
	local.Require(t)
	shared.once.Do(func() {
		if shared.dir, shared.err = os.MkdirTemp("", "docket-host-dapr-"); shared.err == nil {
			shared.m, shared.err = local.Start(context.Background(), local.Options{Root: "../..", Dir: shared.dir, Broker: local.Fake})
		}
	})
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.m
}

func TestMain(m *testing.M) {
	flag.Parse()
	if f := flag.Lookup("test.parallel"); f.Value.String() == f.DefValue { // most of a test is waiting for sidecars
		_ = f.Value.Set("4")
	}
	code := m.Run()
	if shared.m != nil {
		shared.m.Stop()
	}
	if shared.dir != "" {
		_ = os.RemoveAll(shared.dir)
	}
	os.Exit(code)
}

// topics are those that the suite uses.
var topics = []string{"events", "others", "steps", "updates", "limits"}

var clusters atomic.Int64

// cluster implements hosttest.Cluster. Apps and topics are the broker's, so each cluster's have names of their own.
type cluster struct {
	name  string
	space *local.Space
	log   *slog.Logger

	tables sync.Once
	// between, if set, stands between a sidecar and its app, whose handler it gets.
	between func(app http.Handler) http.Handler

	mu       sync.Mutex
	nodes    map[string]*Node
	sidecars map[string]*local.Sidecar
}

func newCluster(t *testing.T, m *local.Machine) *cluster {
	t.Helper()
	c := &cluster{name: fmt.Sprint("c", clusters.Add(1)), nodes: map[string]*Node{}, sidecars: map[string]*local.Sidecar{}}
	out := io.Discard
	if os.Getenv("DOCKET_TEST_LOG") != "" {
		out = os.Stderr
	}
	c.log = slog.New(slog.NewTextHandler(out, nil)).With("test", t.Name())
	var declared []string
	for _, topic := range append(topics[:len(topics):len(topics)], "events-dead-"+c.own("reader")) {
		declared = append(declared, c.own(topic))
	}
	var err error
	c.space, err = m.Space(t.Context(), local.SpaceOptions{Name: c.name, Topics: declared,
		Subscriptions: []local.Subscription{{App: "nobody", Component: sharedBus, Topic: "nothing"}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Kill(t)
		for _, s := range c.sidecars {
			s.Kill()
		}
	})
	return c
}

// own is the name that an app or a topic of this cluster has.
func (c *cluster) own(name string) string { return c.name + "-" + name }

func (c *cluster) Start(t *testing.T, services ...host.Service) {
	t.Helper()
	if err := c.space.WriteManifest("subscriptions.yaml", c.subscriptions(services)); err != nil {
		t.Fatal(err)
	}
	var starting sync.WaitGroup
	for _, s := range services {
		starting.Go(func() {
			if err := c.start(t.Context(), s.Name, s); err != nil {
				t.Errorf("start %s: %v", s.Name, err)
			}
		})
	}
	starting.Wait()
	if t.Failed() {
		t.FailNow()
	}
}

// start brings up a replica's sidecar, unless it is there from before, and its node.
func (c *cluster) start(ctx context.Context, replica string, s host.Service) error {
	c.mu.Lock()
	side := c.sidecars[replica]
	c.mu.Unlock()
	if side == nil {
		var err error
		if side, err = c.space.Sidecar(c.own(s.Name)); err != nil {
			return err
		}
		if err := c.startSidecar(ctx, side); err != nil {
			return err
		}
	}
	n, err := Open(ctx, Options{Service: c.own(s.Name), Instance: replica, HTTPPort: side.HTTPPort, GRPCPort: side.GRPCPort,
		APIToken: side.Getenv("DAPR_API_TOKEN"), AppToken: side.Getenv("APP_API_TOKEN"),
		ContentType: "application/octet-stream", Hot: hosttest.Hot, Lease: 3 * time.Second, Logger: c.log.With("replica", replica)})
	if err != nil {
		return err
	}
	c.mu.Lock()
	c.nodes[replica], c.sidecars[replica] = n, side
	c.mu.Unlock()
	l, err := c.listen(side.AppPort)
	if err != nil {
		return err
	}
	connected := make(map[string]chan struct{})
	s.Subscriptions = append([]host.Subscription(nil), s.Subscriptions...)
	for i := range s.Subscriptions {
		c.rename(&s.Subscriptions[i], connected)
	}
	if err := n.Start(ctx, l, s); err != nil {
		return err
	}
	for topic, ch := range connected {
		if err := c.connect(ctx, n, topic, ch); err != nil {
			return err
		}
	}
	return nil
}

// listen is where the app listens: at the sidecar's port for it, or behind what stands between them.
func (c *cluster) listen(port int) (net.Listener, error) {
	front, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil || c.between == nil {
		return front, err
	}
	app, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(err, front.Close())
	}
	to := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: app.Addr().String()})
	go func() { _ = http.Serve(front, c.between(to)) }() // until the test's process ends
	return app, nil
}

// startSidecar lets the first create the component's tables: two that do so at once fall over each other.
func (c *cluster) startSidecar(ctx context.Context, side *local.Sidecar) (err error) {
	first := false
	c.tables.Do(func() {
		first = true
		err = side.Start(ctx)
	})
	if !first {
		err = side.Start(ctx)
	}
	return err
}

// rename gives a subscription the cluster's name of its topic. What everyone gets is got from the moment on when the
// sidecar has joined the broker: messages of the test's own tell when that is.
func (c *cluster) rename(s *host.Subscription, connected map[string]chan struct{}) {
	topic, handle := s.Topic, s.Handle
	s.Topic = c.own(topic)
	first := make(chan struct{})
	var once sync.Once
	if s.Mode == host.Every {
		connected[s.Topic] = first
	}
	s.Handle = func(ctx context.Context, m host.Message) error {
		if strings.HasPrefix(m.ID, "probe") {
			once.Do(func() { close(first) })
			return nil
		}
		m.Topic = topic
		return handle(ctx, m)
	}
}

func (c *cluster) connect(ctx context.Context, n *Node, topic string, connected <-chan struct{}) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for i := 0; ; i++ {
		for k := range 12 { // so many that they go to all partitions
			key := fmt.Sprint("probe", i, k)
			if err := n.publisher.Publish(ctx, []host.Message{{Topic: topic, Key: key, ID: key}}); err != nil {
				return err
			}
		}
		select {
		case <-connected:
			return nil
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (c *cluster) subscriptions(services []host.Service) []byte {
	var docs []string
	for _, s := range services {
		for _, sub := range s.Subscriptions {
			component := sharedBus
			if sub.Mode == host.Every {
				component = everyBus
			}
			docs = append(docs, fmt.Sprintf(`apiVersion: dapr.io/v2alpha1
kind: Subscription
metadata: {name: %[1]s-%[3]s-%[2]s}
spec:
  pubsubname: %[2]s
  topic: %[3]s
  routes: {default: /events/%[2]s/%[3]s}
  bulkSubscribe: {enabled: true, maxMessagesCount: 64, maxAwaitDurationMs: 20}
  metadata: {rawPayload: "true"}
scopes: [%[1]s]
`, c.own(s.Name), component, c.own(sub.Topic)))
		}
	}
	return []byte(strings.Join(docs, "---\n"))
}

func (c *cluster) node(service string) *Node {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.nodes[service]
}

func (c *cluster) Host(service string) host.Host {
	h := c.node(service).Host()
	h.State = renamed{h.State, c}
	client := h.Client
	h.Client = func(service string) *http.Client {
		inner := client(c.own(service))
		inner.Transport = toOwn{c, inner.Transport}
		return inner
	}
	return h
}

// renamed gives messages the cluster's names of their topics.
type renamed struct {
	host.State
	c *cluster
}

func (r renamed) Commit(ctx context.Context, tx host.Tx) error {
	tx.Messages = append([]host.Message(nil), tx.Messages...)
	for i := range tx.Messages {
		if tx.Messages[i].Topic != "" {
			tx.Messages[i].Topic = r.c.own(tx.Messages[i].Topic)
		}
	}
	return r.State.Commit(ctx, tx)
}

// toOwn gives requests the cluster's names of services.
type toOwn struct {
	c    *cluster
	next http.RoundTripper
}

func (t toOwn) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Host = t.c.own(r.URL.Host)
	return t.next.RoundTrip(r)
}

func (c *cluster) Stop(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
	defer cancel()
	c.each(func(n *Node) {
		if err := n.Close(ctx); err != nil {
			t.Error(err)
		}
	})
}

func (c *cluster) Kill(*testing.T) { c.each(func(n *Node) { n.Kill() }) }

// each ends all nodes at once; one that has ended already does not mind.
func (c *cluster) each(end func(*Node)) {
	c.mu.Lock()
	nodes := maps.Clone(c.nodes)
	c.mu.Unlock()
	var ending sync.WaitGroup
	for _, n := range nodes {
		ending.Go(func() { end(n) })
	}
	ending.Wait()
}

// Outage lets PostgreSQL refuse every write, as a server that has become read-only does.
func (c *cluster) Outage(t *testing.T) (end func()) {
	t.Helper()
	c.sql(t, `create function refuse() returns trigger language plpgsql as $$ begin raise exception 'outage' using errcode = '25006'; end $$;
		create trigger refuse before insert or update or delete on docket_state for each statement execute function refuse()`)
	return func() { c.sql(t, "drop trigger refuse on docket_state; drop function refuse()") }
}

func (c *cluster) sql(t *testing.T, statements string) {
	t.Helper()
	if out, err := exec.Command("psql", c.space.DSN(), "-v", "ON_ERROR_STOP=1", "-q", "-c", statements).CombinedOutput(); err != nil {
		t.Fatalf("psql: %v\n%s", err, out)
	}
}

func (c *cluster) DeadLetters(t *testing.T, service, topic string) []host.Message {
	t.Helper()
	letters, err := c.node(service).DeadLetters(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var dead []host.Message
	for _, l := range letters {
		if l.Topic == c.own(topic) {
			dead = append(dead, host.Message{Topic: topic, Key: l.Key, ID: l.ID, Data: l.Data})
		}
	}
	return dead
}
