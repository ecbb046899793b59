package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/docket-tasks/docket/event"
	"github.com/docket-tasks/docket/event/eventtest"
)

// deployment is one way to run docket. Its addresses may change with each start.
type deployment interface {
	// start runs it, with the data of the run before if there was one.
	start(t *testing.T)
	// gateway is the address of the API, such as http://127.0.0.1:8080.
	gateway() string
	// socket is the address of the live updates, such as ws://127.0.0.1:8080/ws.
	socket() string
	// figures are the addresses of /metrics, one for each process.
	figures() []string
	// ownerToken is the API token of the first user, an administrator.
	ownerToken(t *testing.T) string
	// stop asks it to stop and holds it to doing so in order and in time.
	stop(t *testing.T)
	// kill ends it as kill -9 does.
	kill(t *testing.T)
	// check compares all data with their history. It may be stopped.
	check(t *testing.T)
	// shared tells that other scenarios use it too, so that the owner is not this one's alone.
	shared() bool
}

// deployments are all ways to run docket that scenarios are run on. A scenario that wants one alone stops it or kills it.
var deployments = []struct {
	name string
	make func(t *testing.T, alone bool) deployment
}{
	{"embedded", func(t *testing.T, _ bool) deployment { return &embedded{dir: t.TempDir()} }},
	{"dapr", newBehindDapr},
}

// world is what a scenario acts in.
type world struct {
	deployment
	t     *testing.T
	admin *client   // who may make users
	owner *client   // the first user, or one that stands for him
	users []*client // with the owner
}

// scenario runs play on every deployment, and then holds the deployment to what is true after any scenario.
func scenario(t *testing.T, play func(t *testing.T, w *world)) {
	t.Helper()
	run(t, false, play)
}

// scenarioAlone is one that stops or kills the deployment.
func scenarioAlone(t *testing.T, play func(t *testing.T, w *world)) {
	t.Helper()
	run(t, true, play)
}

// onEmbedded is a scenario about what no host has a part in: one deployment shows it.
func onEmbedded(t *testing.T, play func(t *testing.T, w *world)) {
	t.Helper()
	if err := prepare(); err != nil {
		t.Fatal(err)
	}
	t.Parallel()
	runOn(t, &embedded{dir: t.TempDir()}, play)
}

func run(t *testing.T, alone bool, play func(t *testing.T, w *world)) {
	t.Helper()
	if err := prepare(); err != nil {
		t.Fatal(err)
	}
	for _, kind := range deployments {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			runOn(t, kind.make(t, alone), play)
		})
	}
}

func runOn(t *testing.T, d deployment, play func(t *testing.T, w *world)) {
	t.Helper()
	w := &world{deployment: d, t: t}
	w.start(t)
	w.admin = newClient(t, w.deployment, w.ownerToken(t))
	if w.shared() {
		w.owner = w.user("me", "Europe/Berlin")
	} else {
		w.owner = w.admin
		w.owner.id = w.owner.me().ID
		w.users = []*client{w.owner}
	}
	play(t, w)
	if t.Failed() {
		return
	}
	for _, u := range w.users {
		w.checkHistory(u)
	}
	for _, s := range w.sockets() {
		_ = s.conn.CloseNow()
	}
	w.stop(t)
	w.check(t)
}

// sockets are all that the users have opened.
func (w *world) sockets() (out []*socket) {
	for _, u := range w.users {
		out = append(out, u.sockets...)
	}
	return out
}

// user makes one more user, who lives in the zone.
func (w *world) user(name, zone string) *client {
	w.t.Helper()
	var made struct {
		User  user   `json:"user"`
		Token string `json:"token"`
	}
	if w.shared() { // names are unique
		name = fmt.Sprintf("%s of %s", name, w.t.Name())
	}
	w.admin.post("/api/users", object{"name": name, "time_zone": zone}).want(201).into(&made)
	u := newClient(w.t, w.deployment, made.Token)
	u.id, u.name = made.User.ID, name
	w.users = append(w.users, u)
	return u
}

// checkHistory waits until audit has everything that happened to the user's list, and checks each event and the
// history they make.
func (w *world) checkHistory(u *client) {
	w.t.Helper()
	version := u.listVersion()
	u.audited(version)
	events := u.events()
	for _, e := range events {
		b, err := e.Encode("/backend", "")
		if err == nil {
			err = eventtest.Validate(event.TopicTasks, b)
		}
		if err != nil {
			w.t.Errorf("event %s of list %s at version %d: %v", e.EventType, e.ListID, e.ListVersion, err)
		}
	}
	history := event.Replay(slices.Values(events))
	for _, p := range history.Problems {
		w.t.Errorf("history of list %s: %v", u.id, p)
	}
	if history.ListVersion != version {
		w.t.Errorf("list %s is at version %d, its history at %d", u.id, version, history.ListVersion)
	}
}

// auditEntry is one entry of the audit log.
type auditEntry struct {
	LogID          string          `json:"log_id"`
	EventID        string          `json:"event_id"`
	EventType      event.Type      `json:"event_type"`
	TaskID         string          `json:"task_id"`
	UserID         string          `json:"user_id"`
	ListID         string          `json:"list_id"`
	ListVersion    int64           `json:"list_version"`
	EventTimestamp time.Time       `json:"event_timestamp"`
	Actor          event.Actor     `json:"actor"`
	Payload        json.RawMessage `json:"payload"`
}

// event is the event that the entry keeps.
func (e auditEntry) event(t *testing.T) event.TaskEvent {
	out := event.TaskEvent{EventID: e.EventID, EventType: e.EventType, TaskID: e.TaskID, UserID: e.UserID,
		Timestamp: e.EventTimestamp, ListID: e.ListID, ListVersion: e.ListVersion, Actor: e.Actor}
	if err := json.Unmarshal(e.Payload, &out.Payload); err != nil {
		t.Fatalf("payload of event %s: %v", e.EventID, err)
	}
	return out
}

// events returns every event of the user's list, oldest first, and fails where audit itself sees a gap.
func (c *client) events() []event.TaskEvent {
	c.t.Helper()
	var out []event.TaskEvent
	for _, page := range c.pages("/api/audit?limit=200") {
		if gaps := page.header.Get("Audit-Gaps"); gaps != "" {
			c.t.Errorf("audit lacks versions %s", gaps)
		}
		var entries []auditEntry
		page.into(&entries)
		for _, e := range entries {
			out = append(out, e.event(c.t))
		}
	}
	slices.Reverse(out)
	return out
}

// audited waits until audit has every event of the user's list up to version.
func (c *client) audited(version int64) {
	c.t.Helper()
	eventually(c.t, "audit at version "+strconv.FormatInt(version, 10), func() bool {
		return c.get("/api/audit?limit=1").want(200).version() >= version
	})
}

// history returns the entries of one task, oldest first, once audit has the list at version.
func (c *client) history(id string, version int64) []auditEntry {
	c.t.Helper()
	c.audited(version)
	var entries []auditEntry
	c.get("/api/tasks/" + id + "/history?limit=200").want(200).into(&entries)
	slices.Reverse(entries)
	return entries
}
