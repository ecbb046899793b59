package notification

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/event"
	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/host/embedded"
)

// world runs the service on a real host, with a backend that speaks the contract of the internal routes.
type world struct {
	t       *testing.T
	dir     string
	node    *embedded.Node
	service host.Service
	backend *contract
	now     func() time.Time
	log     *lockedBuffer
	// handled gets the outcome of every delivery of a reminder, jobs that of every job.
	handled chan handled
	jobs    chan handled
	// patience is how long to wait for the next of them.
	patience time.Duration
}

type handled struct {
	id  string
	err error
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// longAgo is a clock that stands in the past: every job that the service schedules is due at once on the host's.
func longAgo() time.Time { return time.Date(2020, 2, 29, 12, 0, 0, 0, time.UTC) }

// open starts a world in dir; it ends with the test.
func open(t *testing.T, dir string, cfg Config, o embedded.Options) *world {
	t.Helper()
	w := &world{t: t, dir: dir, now: cfg.Now, log: &lockedBuffer{}, patience: time.Minute, handled: make(chan handled, 100_000), jobs: make(chan handled, 100_000)}
	if w.now == nil {
		w.now = time.Now
	}
	w.backend = newContract(t, w.now)
	o.Dir, o.Logger = dir, slog.New(slog.NewTextHandler(io.Discard, nil))
	node, err := embedded.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	w.node = node
	t.Cleanup(w.close)
	cfg.Logger = edge.NewLogger(w.log, Name, "info", "json")
	if w.service, err = New(cfg, node.Host(Name)); err != nil {
		t.Fatal(err)
	}
	observed := w.service
	observed.Subscriptions = append([]host.Subscription(nil), observed.Subscriptions...)
	observed.Subscriptions[0].Handle = func(ctx context.Context, m host.Message) error {
		err := w.service.Subscriptions[0].Handle(ctx, m)
		w.handled <- handled{m.ID, err}
		return err
	}
	observed.Job = func(ctx context.Context, j host.Job) error {
		err := w.service.Job(ctx, j)
		w.jobs <- handled{j.Name, err}
		return err
	}
	if err := node.Start(t.Context(), observed, host.Service{Name: "backend", Runtime: w.backend.routes()}); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) close() {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.t.Context()), 10*time.Second)
	defer cancel()
	if err := w.node.Close(ctx); err != nil {
		w.t.Errorf("close: %v", err)
	}
}

// reminder is the n-th of a user, each of its own task.
func reminder(user string, n int) event.Reminder {
	task := event.SuccessorID(fmt.Sprint(user, n))
	id := event.ReminderID(task, "2020-02-29T12:00:00Z")
	return event.Reminder{
		NotificationID: event.NotificationID(id, InApp), ReminderID: id, TaskID: task, UserID: user, Channel: InApp,
		Message: fmt.Sprintf("Nr. %d", n), ScheduledTime: longAgo(), Timestamp: longAgo(),
	}
}

// publish commits the reminders as the backend does.
func (w *world) publish(reminders ...event.Reminder) {
	w.t.Helper()
	publish(w.t, w.node.Host("backend").State, reminders...)
}

const testTrace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

func publish(t *testing.T, state host.State, reminders ...event.Reminder) {
	t.Helper()
	for start := 0; start < len(reminders); start += 100 {
		var tx host.Tx
		for _, r := range reminders[start:min(start+100, len(reminders))] {
			data, err := r.Encode("/backend", testTrace)
			if err != nil {
				t.Fatal(err)
			}
			tx.Messages = append(tx.Messages, host.Message{Topic: event.TopicReminders, Key: r.TaskID, ID: r.NotificationID, Data: data})
		}
		if err := state.Commit(t.Context(), tx); err != nil {
			t.Fatal(err)
		}
	}
}

// kept waits until n different reminders were handled without an error.
func (w *world) kept(n int) {
	w.t.Helper()
	seen := map[string]bool{}
	for len(seen) < n {
		if h := w.next(w.handled); h.err == nil {
			seen[h.id] = true
		}
	}
}

// next takes one outcome off a channel; a test that waits for nothing fails before go test gives up on it.
func (w *world) next(c chan handled) handled {
	w.t.Helper()
	select {
	case h := <-c:
		return h
	case <-time.After(w.patience):
		w.t.Fatalf("nothing happened; the log:\n%s", w.log)
		return handled{}
	}
}

// call makes a request as a user and decodes the answer into out, where one is given.
func (w *world) call(user, method, path, body string, out any) *http.Response {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), method, "http://notification"+path, bytes.NewBufferString(body))
	if err != nil {
		w.t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if user != "" {
		req.Header.Set("Authorization", "Bearer "+w.backend.token(w.t, user))
	}
	res, err := w.node.Host("frontend").Client(Name).Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	if out != nil {
		if err := json.Unmarshal(answer, out); err != nil {
			w.t.Fatalf("%s %s: %s: %v", method, path, answer, err)
		}
	}
	return res
}

// items is the first page of a user's inbox.
func (w *world) items(user string) []InboxItem {
	w.t.Helper()
	var items []InboxItem
	if res := w.call(user, http.MethodGet, "/api/notifications", "", &items); res.StatusCode != http.StatusOK {
		w.t.Fatalf("list: %s", res.Status)
	}
	return items
}

// delivery waits until the newest entry's delivery on a channel has its final outcome; jobs make that happen.
func (w *world) delivery(user, channel string) Delivery {
	w.t.Helper()
	for {
		for _, d := range w.items(user)[0].Channels {
			if d.Channel == channel && d.DeliveryStatus != StatusPending {
				return d
			}
		}
		w.next(w.jobs)
	}
}

// contract is the backend as the services see it: the internal routes, and identities signed with its key.
type contract struct {
	issuer *edge.Issuer

	mu       sync.Mutex
	users    map[string]Recipient
	failures int // how many requests are still to fail
	snoozes  []string
	snooze   int // the status that a snooze is answered with
	traces   []string
}

func newContract(t *testing.T, now func() time.Time) *contract {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &contract{
		issuer: edge.NewIssuer([]edge.SigningKey{{KID: "k1", Private: key}}, now),
		users:  map[string]Recipient{}, snooze: http.StatusAccepted,
	}
}

func (c *contract) token(t *testing.T, user string) string {
	t.Helper()
	token, _, err := c.issuer.Issue(edge.Principal{UserID: user, Actor: edge.Actor{Kind: "user", ID: user}, Scope: edge.ScopeWrite})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// put stores a user's settings as change leaves them.
func (c *contract) put(id string, change func(*Recipient)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	u, ok := c.users[id]
	if !ok {
		u = Recipient{ID: id, Name: "Ada", Email: id + "@example.com", TimeZone: "Europe/Berlin", Locale: "de"}
	}
	u.Version++
	if change != nil {
		change(&u)
	}
	c.users[id] = u
}

// remove deletes a user.
func (c *contract) remove(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.users, id)
}

func (c *contract) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /internal/keys", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(c.issuer.PublicKeys())
	})
	mux.HandleFunc("GET /internal/users/{id}", c.user)
	mux.HandleFunc("POST /internal/reminders", c.remind)
	return mux
}

func (c *contract) user(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.traces = append(c.traces, r.Header.Get("traceparent"))
	if c.failures > 0 {
		c.failures--
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	u, ok := c.users[r.PathValue("id")]
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	_ = json.NewEncoder(w).Encode(u)
}

func (c *contract) remind(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	c.snoozes = append(c.snoozes, string(body))
	w.WriteHeader(c.snooze)
}

// inspect reads the service's own rows of a closed world.
func (w *world) inspect(prefix string, each func(key string, value []byte)) {
	w.t.Helper()
	r, err := embedded.OpenReader(w.t.Context(), w.dir)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	if err := r.Scan(Name, prefix, func(key string, value []byte) error {
		each(key, value)
		return nil
	}); err != nil {
		w.t.Fatal(err)
	}
}

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		os.Exit(child())
	}
	os.Exit(m.Run())
}
