package backend

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/docket-tasks/docket/event"
	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/services/backend/account"
)

// incoming is any frame a client may get.
type incoming struct {
	Type        string `json:"type"`
	ListVersion int64  `json:"list_version"`
	// FiltersVersion is in hello and filters.
	FiltersVersion int64            `json:"filters_version"`
	Update         event.TaskUpdate `json:"update"`
	Reminder       event.Reminder   `json:"reminder"`
}

// dial opens a WebSocket to the backend over the network.
func (f *fixture) dial(query string, header http.Header) (*websocket.Conn, *http.Response, error) {
	server := httptest.NewServer(f.unit.Public)
	f.t.Cleanup(server.Close)
	ctx, cancel := context.WithTimeout(f.t.Context(), 10*time.Second)
	defer cancel()
	return websocket.Dial(ctx, strings.Replace(server.URL, "http", "ws", 1)+"/ws"+query, &websocket.DialOptions{HTTPHeader: header})
}

func (f *fixture) open(query string) *websocket.Conn {
	f.t.Helper()
	c, _, err := f.dial(query, http.Header{"Authorization": {"Bearer " + f.me.token}})
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { _ = c.CloseNow() })
	return c
}

func (f *fixture) read(c *websocket.Conn) incoming {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), 10*time.Second)
	defer cancel()
	_, data, err := c.Read(ctx)
	if err != nil {
		f.t.Fatalf("read: %v", err)
	}
	var m incoming
	if err := json.Unmarshal(data, &m); err != nil {
		f.t.Fatalf("%s: %v", data, err)
	}
	return m
}

// Every open client sees each change, in order, with what it needs to apply it.
//
// [Task]: T065, T066, T070, T071
func TestClientsSeeChanges(t *testing.T) {
	f := start(t)
	a, b := f.open(""), f.open("")
	if m := f.read(a); m.Type != "hello" || m.ListVersion != 0 {
		t.Fatalf("first frame %+v", m)
	}
	f.read(b)
	made := f.me.must("POST", "/api/tasks", `{"title":"x"}`)
	f.me.must("POST", "/api/tasks/"+made.ID+"/complete", "")
	f.me.must("DELETE", "/api/tasks/"+made.ID, "")
	for _, c := range []*websocket.Conn{a, b} {
		for i, action := range []string{"created", "completed", "deleted"} {
			m := f.read(c)
			if m.Type != "update" || m.Update.Action != action || m.Update.TaskID != made.ID || m.Update.ListVersion != int64(i+1) {
				t.Errorf("frame %d: %+v", i, m)
			}
			if hasTask := string(m.Update.Task) != "null"; hasTask == (action == "deleted") {
				t.Errorf("%s carries task %s", action, m.Update.Task)
			}
		}
	}
}

// A parameter that the WebSocket does not know is refused by its name, as everywhere.
func TestUnknownParameterOfTheWebSocket(t *testing.T) {
	f := start(t)
	for query, field := range map[string]string{"?nope=1": "nope", "?since=1&since=2": "since", "?since=x": "since"} {
		_, res, err := f.dial(query, http.Header{"Authorization": {"Bearer " + f.me.token}})
		if err == nil || res == nil || res.StatusCode != http.StatusBadRequest {
			t.Fatalf("%s: %v, %v", query, res, err)
		}
		if body, err := io.ReadAll(res.Body); err != nil || !strings.Contains(string(body), `"field":"`+field+`"`) {
			t.Errorf("%s: %s, %v", query, body, err)
		}
	}
}

// A client that comes back is brought from its version to the list's.
func TestResume(t *testing.T) {
	f := start(t)
	for i := range 5 {
		f.me.must("POST", "/api/tasks", fmt.Sprintf(`{"title":"task %d"}`, i))
	}
	c := f.open("?since=2")
	if m := f.read(c); m.Type != "hello" || m.ListVersion != 5 {
		t.Fatalf("first frame %+v", m)
	}
	for v := int64(3); v <= 5; v++ {
		if m := f.read(c); m.Type != "update" || m.Update.ListVersion != v {
			t.Errorf("frame %+v, want version %d", m, v)
		}
	}
	ahead := f.open("?since=99")
	f.read(ahead)
	if m := f.read(ahead); m.Type != "reset" || m.ListVersion != 5 {
		t.Errorf("a client ahead of the server: %+v", m)
	}
}

// What changed several times comes once, as it is, at the version of its last change; what was deleted comes as that.
func TestResumeTellsEachTaskOnce(t *testing.T) {
	f := start(t)
	a, b := f.me.must("POST", "/api/tasks", `{"title":"a"}`), f.me.must("POST", "/api/tasks", `{"title":"b"}`)
	f.me.must("PATCH", "/api/tasks/"+a.ID, `{"title":"a2"}`)
	f.me.must("DELETE", "/api/tasks/"+b.ID, "")
	f.me.must("PATCH", "/api/tasks/"+a.ID, `{"title":"a3"}`)
	c := f.open("?since=0")
	f.read(c)
	if m := f.read(c).Update; m.TaskID != b.ID || m.ListVersion != 4 || m.Action != "deleted" || string(m.Task) != "null" {
		t.Errorf("first %+v", m)
	}
	if m := f.read(c).Update; m.TaskID != a.ID || m.ListVersion != 5 || m.Action != "updated" || !strings.Contains(string(m.Task), `"a3"`) {
		t.Errorf("then %+v", m)
	}
	f.me.must("POST", "/api/tasks", `{"title":"c"}`)
	if m := f.read(c).Update; m.ListVersion != 6 {
		t.Errorf("and then %+v", m)
	}
}

// A client that is further behind than the log reaches starts anew.
func TestResumeFromTooLongAgo(t *testing.T) {
	f := start(t)
	change := `{"op":"tags","id":%q,"body":{"tags":["t%d"]}}`
	made := f.me.must("POST", "/api/tasks", `{"title":"x"}`)
	for n := 0; n < blocksKept*blockSize+blockSize; n += batchLimit {
		var ops []string
		for i := range batchLimit {
			ops = append(ops, fmt.Sprintf(change, made.ID, n+i))
		}
		if w := f.me.do("POST", "/api/tasks/batch", `{"changes":[`+strings.Join(ops, ",")+`]}`); w.Code != http.StatusOK {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	c := f.open("?since=1")
	f.read(c)
	if m := f.read(c); m.Type != "reset" {
		t.Errorf("frame %+v", m)
	}
}

// Nobody without a credential, with another site's page, or with nonsense in the address gets in.
func TestSocketRefuses(t *testing.T) {
	f := start(t)
	bearer := http.Header{"Authorization": {"Bearer " + f.me.token}}
	foreign := bearer.Clone()
	foreign.Set("Origin", "https://evil.example")
	for name, c := range map[string]struct {
		query  string
		header http.Header
		status int
	}{
		"no credential":  {"", nil, http.StatusUnauthorized},
		"wrong token":    {"", http.Header{"Authorization": {"Bearer dkt_nope"}}, http.StatusUnauthorized},
		"foreign origin": {"", foreign, http.StatusForbidden},
		"bad since":      {"?since=-1", bearer, http.StatusBadRequest},
	} {
		conn, res, err := f.dial(c.query, c.header)
		if err == nil {
			_ = conn.CloseNow()
			t.Errorf("%s: let in", name)
			continue
		}
		if res == nil || res.StatusCode != c.status {
			t.Errorf("%s: %v %v", name, res, err)
		}
	}
}

// A socket is closed when the token it was opened with is revoked.
func TestSocketClosesOnSignOut(t *testing.T) {
	f := start(t)
	c := f.open("")
	f.read(c)
	var tokens []struct{ ID string }
	if err := json.Unmarshal(f.me.do("GET", "/api/tokens", "").Body.Bytes(), &tokens); err != nil {
		t.Fatal(err)
	}
	if w := f.me.do("DELETE", "/api/tokens/"+tokens[0].ID, ""); w.Code != http.StatusNoContent {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, _, err := c.Read(ctx); websocket.CloseStatus(err) != websocket.StatusPolicyViolation {
		t.Errorf("read: %v", err)
	}
}

// A user has so many sockets at once and no more; another user, and who has closed one, gets one.
func TestSocketsAreBounded(t *testing.T) {
	f := start(t)
	mine := http.Header{"Authorization": {"Bearer " + f.me.token}}
	first := f.open("")
	f.read(first)
	for range seats - 1 {
		f.read(f.open(""))
	}
	_, res, err := f.dial("", mine)
	if err == nil || res == nil || res.StatusCode != http.StatusTooManyRequests || res.Header.Get("Retry-After") != "60" {
		t.Fatalf("one more: %v, %v", res, err)
	}
	var bob account.NewUserAnswer
	if err := json.Unmarshal(f.me.do("POST", "/api/users", `{"name":"Bob"}`).Body.Bytes(), &bob); err != nil {
		t.Fatal(err)
	}
	other, _, err := f.dial("", http.Header{"Authorization": {"Bearer " + bob.Token}})
	if err != nil {
		t.Fatalf("another user: %v", err)
	}
	f.read(other)
	_ = other.CloseNow()
	_ = first.CloseNow()
	for range 1000 { // the server learns of it by the network
		again, _, err := f.dial("", mine)
		if err == nil {
			f.read(again)
			_ = again.CloseNow()
			return
		}
	}
	t.Error("no seat became free")
}

// quiet returns a live without sockets on the network: what is sent is read from the outbox.
func quiet(t *testing.T, f *fixture) *live {
	ctx, stop := context.WithCancel(t.Context())
	l := newLive(f.node.Host(Name).State, newMetrics(prometheus.NewRegistry()), seats, func(work func(context.Context)) { go work(ctx) })
	go l.compare(ctx)
	t.Cleanup(stop)
	return l
}

func offline() *socket {
	return &socket{outbox: make(chan []byte, outboxSize), closed: make(chan struct{})}
}

// instant is how an update tells the time: with three decimals, also at the full seconds at which a bubble begins.
var instant = regexp.MustCompile(`"timestamp":"[^"]*\.\d{3}Z"`)

// versionsIn empties an outbox.
func versionsIn(t *testing.T, s *socket) []int64 {
	var out []int64
	for {
		select {
		case b := <-s.outbox:
			var m incoming
			if err := json.Unmarshal(b, &m); err != nil {
				t.Fatal(err)
			}
			if m.Type == "update" {
				if strings.Contains(string(b), "timestamp") && !instant.Match(b) {
					t.Errorf("not as events tell the time: %s", b)
				}
				out = append(out, m.Update.ListVersion)
			}
		default:
			return out
		}
	}
}

// An update lost on the way is noticed within fifteen seconds, one overtaken by the next at once.
//
// [Task]: T070
func TestLostUpdates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t)
		l := quiet(t, f) // nothing is delivered to it but what the test hands in
		s := offline()
		if err := l.join(t.Context(), f.me.user, s, -1); err != nil {
			t.Fatal(err)
		}
		f.me.must("POST", "/api/tasks", `{"title":"a"}`)
		f.me.must("POST", "/api/tasks", `{"title":"b"}`)
		synctest.Wait()
		if got := versionsIn(t, s); len(got) != 0 {
			t.Fatalf("sent %v without having heard of them", got)
		}
		time.Sleep(compareEvery)
		synctest.Wait()
		if got := fmt.Sprint(versionsIn(t, s)); got != "[1 2]" {
			t.Errorf("after the comparison: %s", got)
		}

		f.me.must("POST", "/api/tasks", `{"title":"c"}`)
		d := f.me.must("POST", "/api/tasks", `{"title":"d"}`)
		up := event.TaskUpdate{EventID: event.UpdateID(f.me.user, 4), Action: "created", TaskID: d.ID, ListID: f.me.user, ListVersion: 4}
		data, err := up.Encode(source, "")
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // and it may come twice
			if err := l.onTaskUpdate(t.Context(), host.Message{Key: f.me.user, Data: data}); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if got := fmt.Sprint(versionsIn(t, s)); got != "[3 4]" {
			t.Errorf("after an update that came before its predecessor: %s", got)
		}
	})
}

// A client that does not read is disconnected; the others are served.
func TestSlowClientIsDisconnected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t)
		l := quiet(t, f)
		slow, quick := offline(), offline()
		for _, s := range []*socket{slow, quick} {
			if err := l.join(t.Context(), f.me.user, s, -1); err != nil {
				t.Fatal(err)
			}
		}
		versionsIn(t, quick)
		r := l.room(f.me.user)
		for v := int64(1); v <= outboxSize; v++ {
			r.next(v, updateFrame([]byte(fmt.Sprintf(`{"list_version":%d}`, v))))
			if got := versionsIn(t, quick); len(got) != 1 {
				t.Fatalf("version %d: the quick client got %v", v, got)
			}
		}
		select {
		case <-slow.closed:
		default:
			t.Error("the slow client is still connected")
		}
	})
}

// stalled is a state whose reads of tasks can be held up.
type stalled struct {
	host.State
	onTasks func()
}

func (s stalled) GetBulk(ctx context.Context, keys []string) ([]host.Item, error) {
	if strings.HasPrefix(keys[0], TaskPrefix) {
		s.onTasks()
	}
	return s.State.GetBulk(ctx, keys)
}

// A client that joins from an old version while the others are being brought up to date misses nothing.
func TestJoinDuringACatchUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t)
		for i := range 6 {
			f.me.must("POST", "/api/tasks", fmt.Sprintf(`{"title":"task %d"}`, i))
		}
		early, late := offline(), offline()
		var l *live
		first := true
		l = newLive(stalled{f.node.Host(Name).State, func() {
			if first { // the catch-up of early has looked where everybody stands
				first = false
				if err := l.join(t.Context(), f.me.user, late, 1); err != nil {
					t.Error(err)
				}
			}
		}}, newMetrics(prometheus.NewRegistry()), seats, func(work func(context.Context)) { go work(t.Context()) })
		if err := l.join(t.Context(), f.me.user, early, 4); err != nil {
			t.Fatal(err)
		}
		synctest.Wait() // no comparison runs here: it has to happen at once
		if got := fmt.Sprint(versionsIn(t, early)); got != "[5 6]" {
			t.Errorf("early got %s", got)
		}
		if got := fmt.Sprint(versionsIn(t, late)); got != "[2 3 4 5 6]" {
			t.Errorf("late got %s", got)
		}
	})
}

// The first frame is hello, also where a reminder comes while a client joins.
func TestHelloComesFirst(t *testing.T) {
	f := start(t)
	l, s := quiet(t, f), offline()
	l.enter(f.me.user, s) // as join does before it reads the head
	id := event.ReminderID(uuid.NewString(), "1")
	rem := event.Reminder{NotificationID: event.NotificationID(id, "in_app"), ReminderID: id, TaskID: uuid.NewString(), UserID: f.me.user, Title: "t",
		Message: "m", Channel: "in_app", ScheduledTime: time.UnixMilli(0).UTC(), Timestamp: time.UnixMilli(1).UTC()}
	data, err := rem.Encode(source, "")
	if err != nil {
		t.Fatal(err)
	}
	remind := func() {
		if err := l.onReminder(t.Context(), host.Message{Key: rem.TaskID, Data: data}); err != nil {
			t.Fatal(err)
		}
	}
	remind()
	if err := l.join(t.Context(), f.me.user, s, -1); err != nil {
		t.Fatal(err)
	}
	remind()
	for _, want := range []string{`{"type":"hello"`, `{"type":"reminder"`} {
		if got := string(<-s.outbox); !strings.HasPrefix(got, want) {
			t.Errorf("%.40s…, want %s…", got, want)
		}
	}
}

// A client that missed more than it should be sent at once starts anew; one in the same room that missed little is
// brought up to date.
func TestMissedTooMuch(t *testing.T) {
	f := start(t)
	one := `{"op":"create","body":{"title":"x"}}`
	for range maxMissed/100 + 1 {
		if w := f.me.do("POST", "/api/tasks/batch", `{"changes":[`+strings.Repeat(one+",", 99)+one+`]}`); w.Code != http.StatusOK {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	head := int64(maxMissed/100+1) * 100
	far, near := offline(), offline()
	var works []func(context.Context)
	l := newLive(f.node.Host(Name).State, newMetrics(prometheus.NewRegistry()), seats, func(work func(context.Context)) { works = append(works, work) })
	for s, since := range map[*socket]int64{far: 1, near: head - 2} {
		if err := l.join(t.Context(), f.me.user, s, since); err != nil {
			t.Fatal(err)
		}
	}
	for _, work := range works {
		work(t.Context())
	}
	if got := versionsIn(t, near); len(got) != 2 || near.cursor != head {
		t.Errorf("near got %v and is at %d", got, near.cursor)
	}
	<-far.outbox // hello
	if frame := string(<-far.outbox); !strings.Contains(frame, `"reset"`) || len(far.outbox) != 0 || far.cursor != head {
		t.Errorf("far got %s and %d more, and is at %d", frame, len(far.outbox), far.cursor)
	}
}

// A client that arrives while the server is stopping is sent elsewhere like the others.
func TestSocketDuringDrain(t *testing.T) {
	f := start(t)
	f.unit.Drain(t.Context())
	c := f.open("")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var err error
	for err == nil {
		_, _, err = c.Read(ctx)
	}
	if websocket.CloseStatus(err) != websocket.StatusGoingAway {
		t.Errorf("read: %v", err)
	}
}
