package audit_test

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/event"
	"github.com/docket-tasks/docket/event/eventtest"
	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/host/embedded"
	"github.com/docket-tasks/docket/services/audit"
	"github.com/docket-tasks/docket/task"
)

const (
	ada = "018f2c00-0000-7000-8000-000000000001"
	bob = "018f2c00-0000-7000-8000-000000000002"
)

var epoch = time.Date(2026, 3, 31, 7, 0, 0, 0, time.UTC)

// clock is the services' time, a week after the first event.
func clock() time.Time { return epoch.AddDate(0, 0, 7) }

// stage is a data folder on the embedded host, with the audit service and a publisher that signs identities too.
type stage struct {
	t       testing.TB
	dir     string
	node    *embedded.Node
	service host.Service
	metrics *prometheus.Registry
	backend host.State
	issuer  *edge.Issuer
	handled chan delivery
	close   func()
}

type delivery struct {
	id  string
	err error
}

func newStage(t testing.TB, disorder bool) *stage {
	t.Helper()
	s := &stage{t: t, dir: t.TempDir(), metrics: prometheus.NewRegistry(), handled: make(chan delivery, 10_000)}
	quiet := slog.New(slog.DiscardHandler)
	var err error
	if s.node, err = embedded.Open(t.Context(), embedded.Options{Dir: s.dir, Logger: quiet, Disorder: disorder}); err != nil {
		t.Fatal(err)
	}
	closed := false
	s.close = func() {
		if closed {
			return
		}
		closed = true
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 10*time.Second)
		defer cancel()
		if err := s.node.Close(ctx); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(s.close)
	s.service = s.replica()
	subscription := &s.service.Subscriptions[0]
	handle := subscription.Handle
	subscription.Handle = func(ctx context.Context, m host.Message) error {
		err := handle(ctx, m)
		s.handled <- delivery{m.ID, err}
		return err
	}
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	s.issuer = edge.NewIssuer([]edge.SigningKey{{KID: "k", Private: private}}, clock)
	keys := http.NewServeMux()
	keys.HandleFunc("GET /internal/keys", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(s.issuer.PublicKeys()) // a client that is gone needs no keys
	})
	s.backend = eventtest.Checked(t, s.node.Host("backend").State)
	if err := s.node.Start(t.Context(), host.Service{Name: "backend", Runtime: keys}, s.service); err != nil {
		t.Fatal(err)
	}
	return s
}

// replica returns another audit service on the same state.
func (s *stage) replica() host.Service { return s.replicaOn(s.node.Host(audit.Name)) }

func (s *stage) replicaOn(h host.Host) host.Service {
	s.t.Helper()
	return audit.New(s.t.Context(), audit.Config{Logger: slog.New(slog.DiscardHandler), Metrics: s.metrics, Now: clock}, h)
}

func message(t testing.TB, e event.TaskEvent) host.Message {
	t.Helper()
	data, err := e.Encode("backend", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	if err != nil {
		t.Fatal(err)
	}
	return host.Message{Topic: event.TopicTasks, Key: e.TaskID, ID: e.EventID, Data: data}
}

// publish commits the events' messages in the order given.
func (s *stage) publish(events ...event.TaskEvent) {
	s.t.Helper()
	for len(events) > 0 {
		n := min(len(events), 100)
		var tx host.Tx
		for _, e := range events[:n] {
			tx.Messages = append(tx.Messages, message(s.t, e))
		}
		if err := s.backend.Commit(s.t.Context(), tx); err != nil {
			s.t.Fatal(err)
		}
		events = events[n:]
	}
}

// await returns when each of the events has been handled n times, for good or permanently refused.
func (s *stage) await(n int, events ...event.TaskEvent) map[string]error {
	s.t.Helper()
	left, last := map[string]int{}, map[string]error{}
	for _, e := range events {
		left[e.EventID] = n
	}
	for len(left) > 0 {
		select {
		case d := <-s.handled:
			if d.err != nil && !host.IsPermanent(d.err) {
				continue
			}
			last[d.id] = d.err
			if left[d.id]--; left[d.id] <= 0 {
				delete(left, d.id)
			}
		case <-s.t.Context().Done():
			s.t.Fatalf("%d events were not handled", len(left))
		}
	}
	return last
}

// keep publishes events and waits until they are kept.
func (s *stage) keep(events ...event.TaskEvent) {
	s.t.Helper()
	s.publish(events...)
	for id, err := range s.await(1, events...) {
		if err != nil {
			s.t.Fatalf("event %s: %v", id, err)
		}
	}
}

func (s *stage) count(outcome string) float64 {
	s.t.Helper()
	families, err := s.metrics.Gather()
	if err != nil {
		s.t.Fatal(err)
	}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			if family.GetName() == "docket_audit_events_total" && m.GetLabel()[0].GetValue() == outcome {
				return m.GetCounter().GetValue()
			}
		}
	}
	problems, err := testutil.GatherAndLint(s.metrics)
	s.t.Fatalf("no count of %s; %v %v", outcome, problems, err)
	return 0
}

// answer is what came back from a request.
type answer struct {
	status  int
	header  http.Header
	body    []byte
	entries []audit.Entry
}

// get asks as the user; an empty one sends no token.
func (s *stage) get(user, target string) answer { return s.getFrom(s.service, user, target) }

func (s *stage) getFrom(replica host.Service, user, target string) answer {
	s.t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	path, query, found := cut(target)
	r.URL.Path, r.URL.RawQuery, r.URL.ForceQuery = path, query, found
	if user != "" {
		token, _, err := s.issuer.Issue(edge.Principal{UserID: user, Scope: edge.ScopeRead, Actor: edge.Actor{Kind: "user", ID: user}})
		if err != nil {
			s.t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	replica.Public.ServeHTTP(w, r)
	res := w.Result()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	a := answer{status: res.StatusCode, header: res.Header, body: body}
	if a.status == http.StatusOK {
		if err := json.Unmarshal(body, &a.entries); err != nil {
			s.t.Fatalf("%s: %v\n%s", target, err, body)
		}
	}
	return a
}

func cut(target string) (path, query string, found bool) {
	for i := range len(target) {
		if target[i] == '?' {
			return target[:i], target[i+1:], true
		}
	}
	return target, "", false
}

// taskID is the n-th task of a list.
func taskID(list string, n int) string { return event.KeyedTaskID(list, fmt.Sprint("task ", n)) }

// history is what happened in a list: n events a minute apart, of as many tasks in turn, each created, then
// updated, completed and reopened over and over.
func history(t testing.TB, list string, n, tasks int) []event.TaskEvent {
	t.Helper()
	now := make([]task.Task, tasks)
	var events []event.TaskEvent
	for i := range n {
		env := task.Env{Now: epoch.Add(time.Duration(i) * time.Minute), Zone: time.UTC}
		e := event.TaskEvent{
			EventID: event.KeyedTaskID(list, fmt.Sprint("event ", i+1)), TaskID: taskID(list, i%tasks), UserID: list, Timestamp: env.Now,
			ListID: list, ListVersion: int64(i + 1), Actor: event.Actor{Kind: "user", ID: list, Name: "Ada"},
		}
		current := &now[i%tasks]
		before := *current
		var err error
		switch round := i / tasks; {
		case round == 0:
			e.EventType = event.TaskCreated
			*current, err = task.Create(e.TaskID, list, task.Draft{Title: "a task", Priority: task.Medium}, env)
		case round%3 == 1:
			e.EventType = event.TaskUpdated
			*current, err = task.Update(before, task.Patch{Title: task.To(fmt.Sprint("round ", round))}, env)
			e.Payload.Changes = map[string]event.Change{}
			for name, c := range task.Changes(before, *current) {
				e.Payload.Changes[name] = event.Change{Old: c.Old, New: c.New}
			}
		case round%3 == 2:
			e.EventType = event.TaskCompleted
			*current, err = task.Complete(before, env)
			e.Payload.CompletedAt = &env.Now
		default:
			e.EventType = event.TaskReopened
			*current, err = task.Reopen(before, env)
		}
		if err != nil {
			t.Fatal(err)
		}
		if e.EventType != event.TaskCreated {
			e.Payload.TaskID = e.TaskID
		}
		if e.Payload.Task, err = json.Marshal(*current); err != nil {
			t.Fatal(err)
		}
		events = append(events, e)
	}
	return events
}

// runtime asks the Runtime handler and returns the status.
func (s *stage) runtime(path string) int {
	w := httptest.NewRecorder()
	s.service.Runtime.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w.Code
}
