package notification

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/docket-tasks/docket/event"
	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/host/embedded"
	"github.com/docket-tasks/docket/task"
	"github.com/docket-tasks/docket/test/mailserver"
)

// TestBurst: 3,000 reminders of one user due in the same second, repeated and shuffled by the host, each come into
// the inbox once.
//
// [Task]: T055
func TestBurst(t *testing.T) {
	const burst = 3000
	w := open(t, t.TempDir(), Config{}, embedded.Options{Disorder: true})
	w.backend.put("ada", nil)
	var all []event.Reminder
	for i := range burst {
		all = append(all, reminder("ada", i))
	}
	w.publish(all...)
	w.kept(burst)
	seen, pages := map[string]int{}, 0
	for next := "/api/notifications?limit=200"; next != ""; pages++ {
		var items []InboxItem
		res := w.call("ada", http.MethodGet, next, "", &items)
		if got := res.Header.Get("X-Total-Count"); got != fmt.Sprint(burst) {
			t.Fatalf("X-Total-Count %q, want %d", got, burst)
		}
		for _, it := range items {
			seen[it.ReminderID]++
		}
		next = nextLink(res)
	}
	for _, r := range all {
		if seen[r.ReminderID] != 1 {
			t.Errorf("reminder %s is there %d times", r.ReminderID, seen[r.ReminderID])
		}
	}
	if len(seen) != burst || pages != burst/200 {
		t.Errorf("%d reminders on %d pages, want %d on %d", len(seen), pages, burst, burst/200)
	}
}

// TestReplicas: two replicas are handed the same reminders at once, as after a rebalancing; each reminder is kept once,
// by one of them, and marks made meanwhile are not lost.
//
// [Task]: T055
func TestReplicas(t *testing.T) {
	const n = 400
	w := open(t, t.TempDir(), Config{}, embedded.Options{})
	w.backend.put("ada", nil)
	other, err := New(Config{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))}, w.node.Host(Name))
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for i := range n {
		r := reminder("ada", i)
		data, err := r.Encode("/backend", "")
		if err != nil {
			t.Fatal(err)
		}
		for _, replica := range []host.Service{w.service, other} {
			all.Go(func() {
				// An error means that the other replica was faster every time: the host would deliver again.
				for replica.Subscriptions[0].Handle(t.Context(), host.Message{ID: r.NotificationID, Data: data}) != nil {
				}
				path := "/api/notifications/" + event.NotificationID(r.ReminderID, InApp) + "/read"
				for w.call("ada", http.MethodPost, path, "", nil).StatusCode == http.StatusServiceUnavailable {
				}
			})
		}
	}
	all.Wait()
	seen := map[string]bool{}
	for next := "/api/notifications?limit=200"; next != ""; {
		var items []InboxItem
		next = nextLink(w.call("ada", http.MethodGet, next, "", &items))
		for _, it := range items {
			if seen[it.ReminderID] || !it.Read {
				t.Errorf("%s is there twice or not read: %+v", it.Message, it)
			}
			seen[it.ReminderID] = true
		}
	}
	res := w.call("ada", http.MethodGet, "/api/notifications?unread=true", "", nil)
	if len(seen) != n || res.Header.Get("X-Total-Count") != "0" {
		t.Errorf("%d entries, %s unread, want %d and 0", len(seen), res.Header.Get("X-Total-Count"), n)
	}
}

func nextLink(res *http.Response) string {
	link, ok := strings.CutSuffix(res.Header.Get("Link"), `>; rel="next"`)
	if !ok {
		return ""
	}
	return strings.TrimPrefix(link, "<")
}

// TestDelivery goes all the way: a reminder with e-mail and webhook set up, of which the webhook is busy at first.
//
// [Task]: T055
func TestDelivery(t *testing.T) {
	smtp := &mailserver.Server{}
	pool := listen(t, smtp)
	var mu sync.Mutex
	var ids []string
	receiver := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		body, _ := io.ReadAll(r.Body)
		if err := verified(r.Header, body, testSecret, longAgo()); err != nil {
			t.Error(err)
		}
		ids = append(ids, r.Header.Get("webhook-id"))
		if len(ids) == 1 {
			rw.Header().Set("Retry-After", "3600")
			rw.WriteHeader(http.StatusTooManyRequests)
		}
	}))
	defer receiver.Close()
	w := open(t, t.TempDir(), Config{
		Now: longAgo, Jitter: func() float64 { return 0.5 }, AllowPrivate: true,
		SMTP: SMTP{Host: "localhost", Port: smtp.Port, From: "docket@example.org", RootCAs: pool},
	}, embedded.Options{})
	w.backend.put("ada", func(u *Recipient) {
		u.Channels.Email = true
		u.Channels.Webhook = &WebhookTarget{URL: receiver.URL, Secret: testSecret}
	})
	r := reminder("ada", 1)
	w.publish(r)
	w.kept(1)
	hook, mail := w.delivery("ada", "webhook"), w.delivery("ada", "email")
	if hook.DeliveryStatus != StatusDelivered || mail.DeliveryStatus != StatusDelivered || len(smtp.Received()) != 1 {
		t.Fatalf("webhook %+v, e-mail %+v", hook, mail)
	}
	later := task.At(longAgo().Add(time.Hour))
	want := []Attempt{
		{At: task.At(longAgo()), Outcome: Retry, Answer: "HTTP/1.1 429 Too Many Requests", Next: &later},
		{At: task.At(longAgo()), Outcome: Delivered, Answer: "HTTP/1.1 200 OK"},
	}
	if diff := cmp.Diff(want, hook.Attempts); diff != "" {
		t.Errorf("attempts (-want +got):\n%s", diff)
	}
	id := event.NotificationID(r.ReminderID, "webhook")
	if diff := cmp.Diff([]string{id, id}, ids); diff != "" || hook.NotificationID != id {
		t.Errorf("webhook ids (-want +got):\n%s", diff)
	}
	if log := w.log.String(); strings.Contains(log, r.Message) || strings.Contains(log, "@example.com") || strings.Contains(log, "whsec_") {
		t.Errorf("the log tells too much:\n%s", log)
	} else if !strings.Contains(log, `"trace_id":"`+testTrace[3:35]) {
		t.Errorf("the log does not tell the trace:\n%s", log)
	}
	for _, trace := range w.backend.traces {
		if trace != testTrace {
			t.Errorf("backend was asked with trace %q, want that of the reminder", trace)
		}
	}
}

// TestNoMailServer: where no mail server is set, a reminder that is wanted by e-mail fails, and says why.
func TestNoMailServer(t *testing.T) {
	w := open(t, t.TempDir(), Config{Now: longAgo}, embedded.Options{})
	w.backend.put("ada", func(u *Recipient) { u.Channels.Email = true })
	w.backend.put("ben", nil)
	w.publish(reminder("ada", 1), reminder("ben", 1))
	w.kept(2)
	d := w.delivery("ada", "email")
	if want := []Attempt{{At: task.At(longAgo()), Outcome: Failed, Answer: "no mail server is set (--smtp-host)"}}; d.DeliveryStatus != StatusFailed || !cmp.Equal(want, d.Attempts) {
		t.Errorf("delivery %+v", d)
	}
	if n := strings.Count(w.log.String(), `"level":"WARN"`); n != 1 {
		t.Errorf("%d warnings, want one:\n%s", n, w.log)
	}
	if channels := w.items("ben")[0].Channels; len(channels) != 1 {
		t.Errorf("nobody wanted an e-mail: %+v", channels)
	}
}

// TestGone: a receiver that has gone for good is asked once, and again only after the settings were saved anew.
func TestGone(t *testing.T) {
	var mu sync.Mutex
	hits := 0
	receiver := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		hits++
		rw.WriteHeader(http.StatusGone)
	}))
	defer receiver.Close()
	w := open(t, t.TempDir(), Config{Now: longAgo, AllowPrivate: true}, embedded.Options{})
	set := func(u *Recipient) { u.Channels.Webhook = &WebhookTarget{URL: receiver.URL, Secret: testSecret} }
	w.backend.put("ada", set)
	for n, want := range []struct {
		hits   int
		answer string
	}{{1, "HTTP/1.1 410 Gone"}, {1, "not tried, save the settings to try again; the last answer was: HTTP/1.1 410 Gone"}, {2, "HTTP/1.1 410 Gone"}} {
		if n == 2 {
			w.backend.put("ada", set)
		}
		w.publish(reminder("ada", n))
		w.kept(1)
		d := w.delivery("ada", "webhook")
		if d.DeliveryStatus != StatusFailed || len(d.Attempts) != 1 || d.Attempts[0].Answer != want.answer || hits != want.hits {
			t.Errorf("reminder %d: %+v after %d requests, want %+v", n, d, hits, want)
		}
	}
}

// TestDevices: each target of a channel is delivered to on its own, with the settings of the moment of the attempt.
func TestDevices(t *testing.T) {
	var w *world
	sms := fakeSMS{func(n Notification) Answer {
		if n.Target == "phone" {
			return Answer{Outcome: Delivered, Text: "201 Created"}
		}
		w.backend.put("ada", func(u *Recipient) { u.Locale = "phone" })
		return Answer{Outcome: Retry, Text: "503 Service Unavailable"}
	}}
	w = open(t, t.TempDir(), Config{Now: longAgo, Channels: []Channel{sms}}, embedded.Options{})
	w.backend.put("ada", func(u *Recipient) { u.Locale = "phone laptop" })
	w.publish(reminder("ada", 1))
	w.kept(1)
	for range 3 {
		if h := w.next(w.jobs); h.err != nil {
			t.Fatal(h.err)
		}
	}
	channels := w.items("ada")[0].Channels
	if len(channels) != 3 || channels[1].NotificationID == channels[2].NotificationID {
		t.Fatalf("channels %+v, want the inbox and two devices", channels)
	}
	if d := channels[1]; d.DeliveryStatus != StatusDelivered || len(d.Attempts) != 1 {
		t.Errorf("phone: %+v", d)
	}
	if d := channels[2]; d.DeliveryStatus != StatusFailed || len(d.Attempts) != 2 || d.Attempts[1].Answer != "the user has switched this channel off, or removed this address from it" {
		t.Errorf("laptop: %+v", d)
	}
}

// TestRepeatedJob: a job that comes again after its attempt was recorded makes no second one, and data that nobody can
// read does not come back for ever.
func TestRepeatedJob(t *testing.T) {
	busy := fakeSMS{func(Notification) Answer { return Answer{Outcome: Retry, Text: "503 Service Unavailable"} }}
	w := open(t, t.TempDir(), Config{Channels: []Channel{busy}}, embedded.Options{})
	w.backend.put("ada", func(u *Recipient) { u.Locale = "phone" })
	r := reminder("ada", 1)
	w.publish(r)
	w.kept(1)
	w.next(w.jobs)
	again := attemptJob(event.NotificationID(r.ReminderID, "sms:phone"), 1, time.Now()).Job
	if err := w.service.Job(t.Context(), again); err != nil {
		t.Fatal(err)
	}
	if d := w.items("ada")[0].Channels[1]; d.DeliveryStatus != StatusPending || len(d.Attempts) != 1 {
		t.Errorf("delivery %+v, want one attempt", d)
	}
	for name, data := range map[string]string{"nonsense": "{", "removed": `{"kind":"attempt","notification_id":"gone","attempt":1}`} {
		if err := w.service.Job(t.Context(), host.Job{Name: name, Data: []byte(data)}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := w.service.Job(t.Context(), host.Job{Name: "newer", Data: []byte(`{"kind":"digest"}`)}); err == nil {
		t.Error("a kind of work from a newer version was dropped")
	}
}

// TestRefusedReminders: what no repetition can mend is permanent, an outage is not.
func TestRefusedReminders(t *testing.T) {
	w := open(t, t.TempDir(), Config{}, embedded.Options{})
	handle := w.service.Subscriptions[0].Handle
	for name, data := range map[string]string{"nonsense": "{", "no user": `{"specversion":"1.0","data":{"reminder_id":"r"}}`} {
		if err := handle(t.Context(), host.Message{ID: name, Data: []byte(data)}); !host.IsPermanent(err) {
			t.Errorf("%s: %v, want a permanent error", name, err)
		}
	}
	r := reminder("nobody", 1)
	data, err := r.Encode("/backend", "")
	if err != nil {
		t.Fatal(err)
	}
	if err := handle(t.Context(), host.Message{Data: data}); err != nil || len(w.items("nobody")) != 0 {
		t.Errorf("a deleted account: %v, want the reminder dropped", err)
	}
	w.backend.put("nobody", nil)
	w.backend.failures = 2
	w.publish(r)
	if h := w.next(w.handled); h.err == nil || host.IsPermanent(h.err) {
		t.Errorf("backend away: %v, want an error that is not permanent", h.err)
	}
	w.kept(1)
	if n := len(w.items("nobody")); n != 1 {
		t.Errorf("%d entries after the outage, want 1", n)
	}
}

// TestHistory: the oldest block leaves the inbox as a whole, its unread entries are no longer counted, and its records
// are removed when no repeated delivery can want them.
func TestHistory(t *testing.T) {
	w := open(t, t.TempDir(), Config{Now: longAgo, History: blockSize}, embedded.Options{})
	w.backend.put("ada", nil)
	for n := range 3 * blockSize {
		w.publish(reminder("ada", n))
		w.kept(1)
	}
	if h := w.next(w.jobs); h.err != nil || !strings.HasPrefix(h.id, "trim-") {
		t.Fatalf("job %+v, want the removal of a block", h)
	}
	for _, filter := range []string{"", "&unread=true"} {
		var items []InboxItem
		res := w.call("ada", http.MethodGet, "/api/notifications?limit=200"+filter, "", &items)
		if len(items) != 2*blockSize || res.Header.Get("X-Total-Count") != fmt.Sprint(2*blockSize) || nextLink(res) != "" {
			t.Errorf("%q: %d items of %s, next %q, want %d", filter, len(items), res.Header.Get("X-Total-Count"), nextLink(res), 2*blockSize)
		}
		if items[0].Message != fmt.Sprintf("Nr. %d", 3*blockSize-1) || items[len(items)-1].Message != fmt.Sprintf("Nr. %d", blockSize) {
			t.Errorf("from %q to %q", items[0].Message, items[len(items)-1].Message)
		}
	}
	records, blocks := 0, 0
	w.close()
	w.inspect("notification/", func(string, []byte) { records++ })
	w.inspect("inbox/ada/", func(string, []byte) { blocks++ })
	if records != 2*blockSize || blocks != 2 {
		t.Errorf("%d records and %d blocks are left, want %d and 2", records, blocks, 2*blockSize)
	}
}
