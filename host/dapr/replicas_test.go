package dapr

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/docket-tasks/docket/host"
)

// seen collects the ids of messages and tells when enough have come.
type seen struct {
	mu  sync.Mutex
	ids []string
}

func (s *seen) add(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ids = append(s.ids, id)
}

func (s *seen) has(ids ...string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range ids {
		if !slices.Contains(s.ids, id) {
			return false
		}
	}
	return true
}

func (s *seen) order() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Compact(slices.Clone(s.ids))
}

// eventually waits until ok holds; it guards against hanging and claims nothing about speed.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick, limit := time.NewTicker(20*time.Millisecond), time.After(90*time.Second)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("still waiting for %s", what)
		}
	}
}

func listener(name string, handle func(context.Context, host.Message) error) host.Service {
	return host.Service{Name: name, Subscriptions: []host.Subscription{{Topic: "events", Handle: handle}}}
}

func sendAll(t *testing.T, s host.State, key string, ids ...string) {
	t.Helper()
	for _, id := range ids {
		if err := s.Commit(t.Context(), host.Tx{Messages: []host.Message{{Topic: "events", Key: key, ID: id, Data: []byte(id)}}}); err != nil {
			t.Fatalf("commit %s: %v", id, err)
		}
	}
}

// What only shows with several replicas, an operator, or a broker that is away.
//
// [Task]: T020, T092
func TestBeyondTheContract(t *testing.T) {
	m := machine(t)
	for name, test := range map[string]func(*testing.T, *cluster){
		"AnotherReplicaFinishes": anotherReplicaFinishes, "OrderOfAParkedKeyOverReplicas": parkedOverReplicas, "DeadLettersAreReplayed": deadLettersAreReplayed,
		"AnswersThatNobodyGave": answersThatNobodyGave, "RepeatedInVain": repeatedInVain, "StoppingLosesNoCall": stoppingLosesNoCall,
		"AnswersToMessagesThatNobodyGave": answersToMessagesThatNobodyGave, "AFailedBroadcastHoldsUpNoOther": aFailedBroadcastHoldsUpNoOther,
		"DeadLettersBeyondTheList": deadLettersBeyondTheList, "AHotKeyOfTwoReplicas": aHotKeyOfTwoReplicas,
	} {
		t.Run(name, func(t *testing.T) { test(t, newCluster(t, m)) })
	}
	t.Run("BrokerAway", func(t *testing.T) {
		c := newCluster(t, m)
		brokerAway(t, c, m.Broker.Kill, func() {
			if err := m.Broker.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
		})
	})
}

// A replica dies with commits that it has not handed on, and does not come back: the other hands them on.
func anotherReplicaFinishes(t *testing.T, c *cluster) {
	got := &seen{}
	c.Start(t, host.Service{Name: "publisher"}, listener("reader", func(_ context.Context, m host.Message) error {
		got.add(m.ID)
		return nil
	}))
	if err := c.start(t.Context(), "publisher 2", host.Service{Name: "publisher"}); err != nil {
		t.Fatal(err)
	}
	first := c.node("publisher")
	first.box.Carrier = nowhere{}
	sendAll(t, c.Host("publisher").State, "k", "left", "behind")
	first.Kill()
	eventually(t, "what the dead replica left", func() bool { return got.has("left", "behind") })
	if n := c.node("publisher 2").box.Stats().Recovered; n == 0 {
		t.Error("the other replica says that it has recovered nothing")
	}
}

// nowhere is a broker that nothing reaches.
type nowhere struct{}

func (nowhere) Publish(context.Context, []host.Message) error { return errors.New("nowhere") }
func (nowhere) Schedule(context.Context, host.Job) error      { return errors.New("nowhere") }

// A message keeps failing at one replica and is parked there; later ones of its key go behind it, whichever replica gets them.
func parkedOverReplicas(t *testing.T, c *cluster) {
	var stuck atomic.Bool
	stuck.Store(true)
	got := &seen{}
	reader := listener("reader", func(_ context.Context, m host.Message) error {
		if m.Key == "stuck" && stuck.Load() {
			return errors.New("stuck")
		}
		got.add(m.ID)
		return nil
	})
	c.Start(t, host.Service{Name: "publisher"}, reader)
	s := c.Host("publisher").State
	sendAll(t, s, "stuck", "m0", "m1")
	sendAll(t, s, "free", "f0")
	eventually(t, "the free key", func() bool { return got.has("f0") })
	if err := c.start(t.Context(), "reader 2", reader); err != nil { // the broker shares the topic out anew
		t.Fatal(err)
	}
	sendAll(t, s, "stuck", "m2", "m3")
	for i := range 24 { // on both replicas
		sendAll(t, s, fmt.Sprint("free", i), fmt.Sprint("g", i))
	}
	eventually(t, "the other free keys", func() bool { return got.has("g0", "g23") })
	stuck.Store(false)
	eventually(t, "the stuck key", func() bool { return got.has("m0", "m1", "m2", "m3") })
	var order []string
	for _, id := range got.order() {
		if id[0] == 'm' && !slices.Contains(order, id) {
			order = append(order, id)
		}
	}
	if !slices.Equal(order, []string{"m0", "m1", "m2", "m3"}) {
		t.Errorf("the stuck key's messages came as %v", order)
	}
}

// A sidecar tells the scheduler, twice, that a job succeeded which has never reached the app. It comes once more, and runs.
func answersThatNobodyGave(t *testing.T, c *cluster) {
	var called, runs atomic.Int64
	c.between = func(app http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/job/") && called.Add(1) < calls {
				return // an empty 200
			}
			app.ServeHTTP(w, r)
		})
	}
	c.Start(t, host.Service{Name: "waker", Job: func(context.Context, host.Job) error {
		runs.Add(1)
		return nil
	}})
	if err := c.Host("waker").State.Commit(t.Context(), host.Tx{Jobs: []host.JobIntent{host.Schedule("wake", time.Now(), nil)}}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the job", func() bool { return runs.Load() > 0 })
	if called.Load() < calls {
		t.Errorf("it came although %d calls were swallowed", calls-1)
	}
}

// atOnce has deliveries tried again without a pause.
const atOnce = `apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: {name: docket}
spec:
  policies:
    retries:
      atOnce: {policy: constant, duration: 1ms, maxRetries: -1}
  targets:
    components:
      pubsub: {inbound: {retry: atOnce}}
`

// A sidecar hears of deliveries that have never reached the app: that all is well and nothing more, something that breaks off, verdicts on none of
// the messages or on others, or nothing at all. The broker keeps every message until the app has spoken of it.
func answersToMessagesThatNobodyGave(t *testing.T, c *cluster) {
	answers := []string{"", `{"statuses":[{"entryId":"0","status":"SUCC`, `{}`, `{"statuses":[]}`, `{"statuses":[{"entryId":"0"}]}`,
		`{"statuses":[{"entryId":"64","status":"SUCCESS"}]}`, "none"}
	var called atomic.Int64
	swallowed := int64(10 * len(answers))
	c.between = func(app http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			n := called.Add(1)
			switch answer := answers[n%int64(len(answers))]; {
			case n > swallowed || !strings.HasPrefix(r.URL.Path, "/events/"):
				app.ServeHTTP(w, r)
			case answer == "none":
				panic(http.ErrAbortHandler)
			default:
				_, _ = io.WriteString(w, answer)
			}
		})
	}
	if err := c.space.WriteManifest("resiliency.yaml", []byte(atOnce)); err != nil {
		t.Fatal(err)
	}
	got := &seen{}
	c.Start(t, host.Service{Name: "publisher"}, listener("reader", func(_ context.Context, m host.Message) error {
		got.add(m.ID)
		return nil
	}))
	var sent []string
	for i := range 60 {
		sent = append(sent, fmt.Sprint("m", i))
		sendAll(t, c.Host("publisher").State, fmt.Sprint("k", i%20), sent[i])
	}
	eventually(t, "all messages", func() bool { return got.has(sent...) })
	if called.Load() <= swallowed {
		t.Errorf("they came although %d calls were swallowed", swallowed)
	}
}

// What every replica gets is not repeated where it fails: until it succeeded nothing else would come, of any key or topic.
func aFailedBroadcastHoldsUpNoOther(t *testing.T, c *cluster) {
	refused, got := &seen{}, &seen{}
	c.between = func(app http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			if bytes.Contains(body, []byte(`"refused"`)) {
				refused.add("refused")
				http.Error(w, "not now", http.StatusServiceUnavailable)
				return
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			app.ServeHTTP(w, r)
		})
	}
	c.Start(t, host.Service{Name: "publisher"}, host.Service{Name: "watcher", Subscriptions: []host.Subscription{{
		Topic: "events", Mode: host.Every, Handle: func(_ context.Context, m host.Message) error {
			got.add(m.ID)
			return nil
		},
	}}})
	s := c.Host("publisher").State
	sendAll(t, s, "k", "refused")
	eventually(t, "the one that is refused", func() bool { return refused.has("refused") })
	sendAll(t, s, "k", "after")
	sendAll(t, s, "l", "another")
	eventually(t, "those after it", func() bool { return got.has("after", "another") })
}

// The calls after the first find that the job is done.
func repeatedInVain(t *testing.T, c *cluster) {
	var called, runs atomic.Int64
	c.between = func(app http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			app.ServeHTTP(w, r)
			if strings.HasPrefix(r.URL.Path, "/job/") {
				called.Add(1)
			}
		})
	}
	c.Start(t, host.Service{Name: "waker", Job: func(context.Context, host.Job) error {
		runs.Add(1)
		return nil
	}})
	if err := c.Host("waker").State.Commit(t.Context(), host.Tx{Jobs: []host.JobIntent{host.Schedule("wake", time.Now(), nil)}}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "all calls", func() bool { return called.Load() >= calls })
	if n := runs.Load(); n != 1 {
		t.Errorf("it ran %d times", n)
	}
}

func deadLettersAreReplayed(t *testing.T, c *cluster) {
	var mended atomic.Bool
	got := &seen{}
	c.Start(t, host.Service{Name: "publisher"}, listener("reader", func(_ context.Context, m host.Message) error {
		if m.ID == "bad" && !mended.Load() {
			return host.Permanent(errors.New("makes no sense"))
		}
		got.add(m.ID)
		return nil
	}))
	sendAll(t, c.Host("publisher").State, "k", "bad", "good")
	eventually(t, "the message behind it", func() bool { return got.has("good") })
	reader, topic := c.node("reader"), c.own("events")
	letters, err := reader.DeadLetters(t.Context())
	if err != nil || len(letters) != 1 || letters[0].Error != "permanent: makes no sense" || string(letters[0].Data) != "bad" {
		t.Fatalf("dead letters %+v, %v", letters, err)
	}
	if err := reader.Replay(t.Context(), topic, "other"); err == nil {
		t.Error("a dead letter that is not there is replayed")
	}
	mended.Store(true)
	if err := reader.Replay(t.Context(), topic, "bad"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the replayed message", func() bool { return got.has("bad") })
	if letters, err := reader.DeadLetters(t.Context()); err != nil || len(letters) != 0 {
		t.Errorf("after the replay: %+v, %v", letters, err)
	}
}

// Where no more dead letters are kept they hold up nobody either.
func deadLettersBeyondTheList(t *testing.T, c *cluster) {
	got, dead := &seen{}, &seen{}
	c.Start(t, host.Service{Name: "publisher"}, listener("reader", func(_ context.Context, m host.Message) error {
		if m.ID == "bad" {
			return host.Permanent(errors.New("makes no sense"))
		}
		got.add(m.ID)
		return nil
	}), host.Service{Name: "undertaker", Subscriptions: []host.Subscription{{
		Topic: "events-dead-" + c.own("reader"), Handle: func(_ context.Context, m host.Message) error {
			dead.add(m.ID + " " + string(m.Data))
			return nil
		},
	}}})
	reader := c.node("reader")
	full, err := json.Marshal(deadIndex{Letters: make([]DeadLetter, maxDead)})
	if err != nil {
		t.Fatal(err)
	}
	if err := reader.state.commit(t.Context(), host.Tx{Ops: []host.Op{host.Put(deadKey, full)}}); err != nil {
		t.Fatal(err)
	}
	sendAll(t, c.Host("publisher").State, "k", "bad", "good")
	eventually(t, "the message behind it", func() bool { return got.has("good") })
	eventually(t, "the dead letter", func() bool { return dead.has("bad bad") })
	if letters, err := reader.DeadLetters(t.Context()); err != nil || len(letters) != maxDead {
		t.Errorf("%d dead letters, %v", len(letters), err)
	}
}

// While the broker is away commits are acknowledged, up to a window of them; when it is back everything arrives, in
// order, and nothing is a dead letter.
func brokerAway(t *testing.T, c *cluster, away, back func()) {
	got := &seen{}
	c.Start(t, host.Service{Name: "publisher"}, listener("reader", func(_ context.Context, m host.Message) error {
		got.add(m.ID)
		return nil
	}))
	s := c.Host("publisher").State
	sendAll(t, s, "k", "before")
	eventually(t, "the first message", func() bool { return got.has("before") })
	away()
	var during []string
	for i := range 20 {
		during = append(during, fmt.Sprint("during", i))
	}
	sendAll(t, s, "k", during...)
	if st := c.node("publisher").box.Stats(); st.Unfinished < len(during) || st.Oldest <= 0 {
		t.Errorf("with the broker away %d commits are unfinished, the oldest for %v", st.Unfinished, st.Oldest)
	}
	back()
	sendAll(t, s, "k", "after")
	eventually(t, "all messages", func() bool { return got.has(append(during, "after")...) })
	if order := got.order(); !slices.Equal(order, append(append([]string{"before"}, during...), "after")) {
		t.Errorf("they came as %v", order)
	}
	if dead := c.DeadLetters(t, "reader", "events"); len(dead) > 0 {
		t.Errorf("%d dead letters because the broker was away", len(dead))
	}
}

// Two replicas replace a hot key, which has a value from before there were rings: none is lost, and what one has written the other
// reads.
func aHotKeyOfTwoReplicas(t *testing.T, c *cluster) {
	counter := host.Service{Name: "counter"}
	c.Start(t, counter)
	if err := c.start(t.Context(), "counter 2", counter); err != nil {
		t.Fatal(err)
	}
	one, two := c.node("counter"), c.node("counter 2")
	if err := one.sidecar.Commit(t.Context(), []host.Op{host.Put("hot/sum", []byte("100"))}); err != nil {
		t.Fatal(err)
	}
	const each = 40
	var counting sync.WaitGroup
	for _, replica := range [][2]*Node{{one, two}, {two, one}} {
		counting.Go(func() {
			for range each {
				n, err := addOne(t.Context(), replica[0].state, "hot/sum")
				if err != nil {
					t.Error(err)
					return
				}
				if it, err := replica[1].state.Get(t.Context(), "hot/sum"); err != nil || number(it) < n {
					t.Errorf("%d was written, and the other replica reads %q, %v", n, it.Value, err)
				}
			}
		})
	}
	counting.Wait()
	for range each { // one of them alone
		if _, err := addOne(t.Context(), one.state, "hot/sum"); err != nil {
			t.Fatal(err)
		}
	}
	if it, err := two.state.Get(t.Context(), "hot/sum"); err != nil || number(it) != 100+3*each {
		t.Errorf("in the end %q, %v, want %d", it.Value, err, 100+3*each)
	}

	// Who begins to replace a key that another replica replaces all the time has a turn.
	ended, stop := context.WithCancel(t.Context())
	counting.Go(func() {
		for ended.Err() == nil {
			if _, err := addOne(t.Context(), one.state, "hot/sum"); err != nil {
				t.Error(err)
				return
			}
		}
	})
	for range 10 {
		if _, err := addOne(t.Context(), two.state, "hot/sum"); err != nil {
			t.Errorf("beside a busy replica: %v", err)
		}
	}
	stop()
	counting.Wait()
}

// addOne adds one to the number at a hot key and returns it.
func addOne(ctx context.Context, s host.State, key string) (n int, err error) {
	err = host.Retry(ctx, func() error {
		it, err := s.Recall(ctx, key)
		if err != nil {
			return err
		}
		n = number(it) + 1
		return s.Commit(ctx, host.Tx{Ops: []host.Op{host.Replace(key, []byte(strconv.Itoa(n)), it.ETag)}})
	})
	return n, err
}
