package notification

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/docket-tasks/docket/event"
	"github.com/docket-tasks/docket/host/embedded"
	"github.com/docket-tasks/docket/task"
	"github.com/docket-tasks/docket/test/pushservice"
)

// browsers is a world with a push service and a user, Ada, who may subscribe browsers there.
type browsers struct {
	*world
	service *pushservice.Service
	origin  string
	key     string
}

func withBrowsers(t *testing.T, cfg Config) *browsers {
	t.Helper()
	b := &browsers{service: new(pushservice.Service)}
	server := httptest.NewServer(b.service)
	t.Cleanup(server.Close)
	b.origin = server.URL
	cfg.AllowPrivate = true
	b.world = open(t, t.TempDir(), cfg, embedded.Options{})
	b.backend.put("ada", func(r *Recipient) { r.Channels.Push = true })
	b.backend.put("bob", func(r *Recipient) { r.Channels.Push = true })
	b.key = b.serverKey()
	return b
}

func (b *browsers) serverKey() string {
	b.t.Helper()
	var key PushKey
	if res := b.call("ada", http.MethodGet, "/api/push/key", "", &key); res.StatusCode != http.StatusOK {
		b.t.Fatalf("key: %s", res.Status)
	}
	return key.Key
}

// subscribe makes a browser of the user's; sub is what the browser knows of it.
func (b *browsers) subscribe(user, name string) (id string, sub pushservice.Subscription) {
	b.t.Helper()
	sub, err := b.service.Subscribe(b.origin, b.key)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.put(user, name, sub), sub
}

func (b *browsers) put(user, name string, sub pushservice.Subscription) string {
	b.t.Helper()
	body, err := json.Marshal(map[string]any{"endpoint": sub.Endpoint, "keys": sub.Keys, "expirationTime": nil, "name": name})
	if err != nil {
		b.t.Fatal(err)
	}
	var made PushSubscription
	if res := b.call(user, http.MethodPut, "/api/push/subscriptions", string(body), &made); res.StatusCode != http.StatusOK {
		b.t.Fatalf("subscribe: %s", res.Status)
	}
	return made.ID
}

func (b *browsers) names(user string) (names []string) {
	b.t.Helper()
	var list []PushSubscription
	b.call(user, http.MethodGet, "/api/push/subscriptions", "", &list)
	for _, s := range list {
		names = append(names, s.Name)
	}
	return names
}

// deliveries waits until each push delivery of the newest entry has its final outcome, and returns them by target.
func (b *browsers) deliveries(user string) map[string]Delivery {
	b.t.Helper()
	for {
		out, pending := map[string]Delivery{}, false
		for _, d := range b.items(user)[0].Channels {
			if d.Channel == "push" {
				out[d.Target] = d
				pending = pending || d.DeliveryStatus == StatusPending
			}
		}
		if !pending {
			return out
		}
		b.next(b.jobs)
	}
}

func (b *browsers) messages(sub pushservice.Subscription) []pushservice.Message {
	b.t.Helper()
	list, err := b.service.Messages(b.t.Context(), sub.ID(), -1)
	if err != nil {
		b.t.Fatal(err)
	}
	return list
}

// Every subscribed browser gets the reminder, which it alone can read and which says who sends it.
//
// [Task]: T052, T055
func TestPushReachesEveryBrowser(t *testing.T) {
	b := withBrowsers(t, Config{Now: longAgo, PushContact: "ops@example.org"})
	phoneID, phone := b.subscribe("ada", "phone")
	laptopID, laptop := b.subscribe("ada", "laptop")
	_, bobs := b.subscribe("bob", "his")
	r := reminder("ada", 1)
	r.Title, r.Message = `Say "hi" & <go> 🎉`, `Say "hi" & <go> 🎉 (due 29 February 2020, 13:00)`
	b.publish(r)
	b.kept(1)
	got := b.deliveries("ada")
	for id, sub := range map[string]pushservice.Subscription{phoneID: phone, laptopID: laptop} {
		d := got[id]
		if d.DeliveryStatus != StatusDelivered || len(d.Attempts) != 1 || d.Attempts[0].Answer != "HTTP/1.1 201 Created" || d.SentAt == nil {
			t.Errorf("delivery: %+v", d)
		}
		messages := b.messages(sub)
		if len(messages) != 1 {
			t.Fatalf("messages: %+v", messages)
		}
		m := messages[0]
		if m.TTL != 86400 || m.Urgency != "high" || m.Topic != strings.ReplaceAll(r.TaskID, "-", "") || m.Contact != "mailto:ops@example.org" {
			t.Errorf("headers: %+v", m)
		}
		var body pushBody
		if err := json.Unmarshal([]byte(m.Payload), &body); err != nil || body != (pushBody{event.NotificationID(r.ReminderID, InApp), r.TaskID, r.Title, r.Message, "ada"}) {
			t.Errorf("payload %s, %v", m.Payload, err)
		}
	}
	if len(got) != 2 || len(b.messages(bobs)) != 0 {
		t.Errorf("%d deliveries, %d messages for bob", len(got), len(b.messages(bobs)))
	}
	if log := b.log.String(); strings.Contains(log, phone.Endpoint) || strings.Contains(log, "Say") {
		t.Errorf("the log tells too much:\n%s", log)
	}
}

// What takes the most room is one message all the same.
func TestPushPayloadFits(t *testing.T) {
	title := strings.Repeat("\u2028", task.MaxTitle) // six bytes each in JSON
	id := event.NotificationID("r", InApp)
	n := Notification{ReminderID: id, TaskID: id, UserID: id, Title: title, Message: title + " (overdue: was due 30 September 2026, 23:59)"}
	if body, err := payload(n); err != nil || len(body) < 12*task.MaxTitle || len(body) > 3993 {
		t.Errorf("%d bytes, %v; at most 3993 fit (RFC 8291 §4)", len(body), err)
	}
}

// What the push service answers decides: gone removes the subscription and no other, a busy service is tried again, and
// a refusal is final.
func TestPushAnswers(t *testing.T) {
	b := withBrowsers(t, Config{Now: longAgo, Jitter: func() float64 { return 0.5 }})
	goneID, gone := b.subscribe("ada", "gone")
	lostID, lost := b.subscribe("ada", "lost")
	busyID, busy := b.subscribe("ada", "busy")
	badID, bad := b.subscribe("ada", "bad")
	for sub, answers := range map[string][]pushservice.Answer{
		gone.ID(): {{Status: http.StatusGone}}, lost.ID(): {{Status: http.StatusNotFound}}, bad.ID(): {{Status: http.StatusForbidden}},
		busy.ID(): {{Status: http.StatusTooManyRequests, RetryAfter: "7200"}, {Status: http.StatusServiceUnavailable}},
	} {
		if err := b.service.Answer(sub, answers...); err != nil {
			t.Fatal(err)
		}
	}
	b.publish(reminder("ada", 1))
	b.kept(1)
	got := b.deliveries("ada")
	for id, want := range map[string]struct {
		status   Status
		outcomes []Outcome
	}{
		goneID: {StatusFailed, []Outcome{Gone}}, lostID: {StatusFailed, []Outcome{Gone}}, badID: {StatusFailed, []Outcome{Failed}},
		busyID: {StatusDelivered, []Outcome{Retry, Retry, Delivered}},
	} {
		var outcomes []Outcome
		for _, a := range got[id].Attempts {
			outcomes = append(outcomes, a.Outcome)
		}
		if got[id].DeliveryStatus != want.status || !slices.Equal(outcomes, want.outcomes) {
			t.Errorf("%+v, want %+v", got[id], want)
		}
	}
	waits := got[busyID].Attempts
	if first, second := waits[0].Next.Sub(waits[0].At.Time), waits[1].Next.Sub(waits[1].At.Time); first != 2*time.Hour || second != 90*time.Second {
		t.Errorf("tried again after %s and %s", first, second)
	}
	if names := b.names("ada"); !slices.Equal(names, []string{"busy", "bad"}) {
		t.Errorf("still subscribed: %v", names)
	}
	// The browser that was gone comes back with the same endpoint, and is served.
	b.put("ada", "back", gone)
	b.publish(reminder("ada", 2))
	b.kept(1)
	if d := b.deliveries("ada")[goneID]; d.DeliveryStatus != StatusDelivered {
		t.Errorf("back again: %+v", d)
	}
}

// Without the user's wish nothing is pushed, and what was under way says why it went no further.
func TestPushSwitchedOff(t *testing.T) {
	b := withBrowsers(t, Config{Now: longAgo})
	id, sub := b.subscribe("ada", "phone")
	if err := b.service.Answer(sub.ID(), pushservice.Answer{Status: 503, Times: 99}); err != nil {
		t.Fatal(err)
	}
	b.publish(reminder("ada", 1))
	b.kept(1)
	b.next(b.jobs)
	if res := b.call("ada", http.MethodDelete, "/api/push/subscriptions/"+id, "", nil); res.StatusCode != http.StatusNoContent {
		t.Fatalf("unsubscribe: %s", res.Status)
	}
	d := b.deliveries("ada")[id]
	if last := d.Attempts[len(d.Attempts)-1]; d.DeliveryStatus != StatusFailed || !strings.Contains(last.Answer, "removed this address") {
		t.Errorf("%+v", d)
	}
	b.subscribe("ada", "another")
	b.backend.put("ada", func(r *Recipient) { r.Channels.Push = false })
	b.publish(reminder("ada", 2))
	b.kept(1)
	if got := b.deliveries("ada"); len(got) != 0 {
		t.Errorf("switched off: %+v", got)
	}
	if res := b.call("ada", http.MethodDelete, "/api/push/subscriptions/"+id, "", nil); res.StatusCode != http.StatusNotFound {
		t.Errorf("unsubscribe again: %s", res.Status)
	}
}

// A browser belongs to whoever subscribed it last; a user has 20 at most; one whose time is over is none.
func TestPushSubscriptionsBelongToOne(t *testing.T) {
	b := withBrowsers(t, Config{Now: longAgo})
	id, shared := b.subscribe("ada", "shared")
	if again := b.put("ada", "renamed", shared); again != id {
		t.Errorf("subscribed again as %s, was %s", again, id)
	}
	b.put("bob", "shared", shared)
	if a, bobs := b.names("ada"), b.names("bob"); len(a) != 0 || !slices.Equal(bobs, []string{"shared"}) {
		t.Errorf("ada has %v, bob %v", a, bobs)
	}
	if res := b.call("ada", http.MethodDelete, "/api/push/subscriptions/"+id, "", nil); res.StatusCode != http.StatusNotFound {
		t.Errorf("ada removes bob's: %s", res.Status)
	}
	for i := range maxSubscriptions {
		b.subscribe("ada", fmt.Sprint(i))
	}
	sub, err := b.service.Subscribe(b.origin, b.key)
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(sub)
	if err != nil {
		t.Fatal(err)
	}
	var p struct{ Code string }
	if res := b.call("ada", http.MethodPut, "/api/push/subscriptions", string(body), &p); res.StatusCode != http.StatusConflict || p.Code != "too_many_subscriptions" {
		t.Errorf("one more: %s %s", res.Status, p.Code)
	}
	b.publish(reminder("ada", 1))
	b.kept(1)
	if got := b.deliveries("ada"); len(got) != maxSubscriptions {
		t.Errorf("%d deliveries", len(got))
	}
}

// What is no subscription is refused by the name of the field.
func TestPushSubscriptionsRefuse(t *testing.T) {
	w := open(t, t.TempDir(), Config{}, embedded.Options{})
	w.backend.put("ada", nil)
	good := `"p256dh":"BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4","auth":"BTBZMqHH6r4Tts7J_aSIgg"`
	keys := `"keys":{` + good + `}`
	for _, c := range []struct{ body, field string }{
		{`{"keys":{` + good + `}}`, "endpoint"},
		{`{"endpoint":"http://push.example.org/x",` + keys + `}`, "endpoint"},
		{`{"endpoint":"https://10.0.0.1/x",` + keys + `}`, "endpoint"},
		{`{"endpoint":"https://[::1]/x",` + keys + `}`, "endpoint"},
		{`{"endpoint":"https://user@push.example.org/x",` + keys + `}`, "endpoint"},
		{`{"endpoint":"https://push.example.org/` + strings.Repeat("x", maxEndpoint) + `",` + keys + `}`, "endpoint"},
		{`{"endpoint":"https://push.example.org/x"}`, "keys"},
		{`{"endpoint":"https://push.example.org/x","keys":{"auth":"BTBZMqHH6r4Tts7J_aSIgg"}}`, "keys.p256dh"},
		{`{"endpoint":"https://push.example.org/x","keys":{"p256dh":"AAAA","auth":"BTBZMqHH6r4Tts7J_aSIgg"}}`, "keys.p256dh"},
		{`{"endpoint":"https://push.example.org/x",` + strings.Replace(keys, "BTBZMqHH6r4Tts7J_aSIgg", "not base64!", 1) + `}`, "keys.auth"},
		{`{"endpoint":"https://push.example.org/x",` + strings.Replace(keys, "BTBZMqHH6r4Tts7J_aSIgg", "BTBZMqHH6r4Tts7J_aSI", 1) + `}`, "keys.auth"},
		{`{"endpoint":"https://push.example.org/x",` + strings.Replace(keys, `"auth"`, `"curve":"x","auth"`, 1) + `}`, "keys.curve"},
		{`{"endpoint":"https://push.example.org/x","colour":"red",` + keys + `}`, "colour"},
		{`{"endpoint":"https://push.example.org/x","expirationTime":5,` + keys + `}`, "expirationTime"},
		{`{"endpoint":"https://push.example.org/x","expirationTime":1e300,` + keys + `}`, "expirationTime"},
	} {
		var p struct{ Errors []struct{ Field string } }
		res := w.call("ada", http.MethodPut, "/api/push/subscriptions", c.body, &p)
		if res.StatusCode != http.StatusBadRequest || len(p.Errors) == 0 || p.Errors[0].Field != c.field {
			t.Errorf("%s: %s %+v; want 400 about %s", c.body, res.Status, p, c.field)
		}
	}
	var list []PushSubscription
	if w.call("ada", http.MethodGet, "/api/push/subscriptions", "", &list); len(list) != 0 {
		t.Errorf("subscribed all the same: %+v", list)
	}
}

// An address that is not public is not connected to, whatever its name promised.
func TestPushToPrivateAddresses(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it was connected to") }))
	defer server.Close()
	res, err := outbound(false).Post(server.URL, "text/plain", nil)
	if err == nil {
		_ = res.Body.Close()
	}
	if got := unanswered(err); !errors.Is(err, errNotPublic) || got.Outcome != Failed {
		t.Errorf("%v: %+v", err, got)
	}
	resolver := &net.DNSError{Err: "no such host", Name: "intranet", Server: "10.0.0.10:53", IsNotFound: true}
	for _, err := range []error{err, &url.Error{Op: "Post", URL: "https://intranet/", Err: &net.OpError{Op: "dial", Net: "tcp", Err: resolver}}} {
		if got := unanswered(err); strings.Contains(got.Text, "10.0.0.10") || strings.Contains(got.Text, "127.0.0.1") {
			t.Errorf("users are told of this network: %+v", got)
		}
	}
}

// The key is made once, whoever asks first, outlives a restart, and can be given as a secret.
func TestPushKey(t *testing.T) {
	dir := t.TempDir()
	first := open(t, dir, Config{}, embedded.Options{})
	first.backend.put("ada", nil)
	var key, again PushKey
	first.call("ada", http.MethodGet, "/api/push/key", "", &key)
	other := &vapidKeys{state: first.node.Host(Name).State, secrets: first.node.Host(Name).Secrets}
	if pair, err := other.get(t.Context()); err != nil || pair.public != key.Key || len(key.Key) != 87 {
		t.Errorf("another replica has %q, %v; want %q", pair.public, err, key.Key)
	}
	first.close()
	second := open(t, dir, Config{}, embedded.Options{})
	second.backend.put("ada", nil)
	if second.call("ada", http.MethodGet, "/api/push/key", "", &again); again != key {
		t.Errorf("after a restart %q, before %q", again.Key, key.Key)
	}
	// The sender's key of the example in RFC 8291 appendix A.
	t.Setenv("DOCKET_SECRET_VAPID_PRIVATE_KEY", "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")
	given := &vapidKeys{state: second.node.Host(Name).State, secrets: second.node.Host(Name).Secrets}
	if pair, err := given.get(t.Context()); err != nil || pair.public != "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8" {
		t.Errorf("from a secret: %+v, %v", pair, err)
	}
	t.Setenv("DOCKET_SECRET_VAPID_PRIVATE_KEY", "short")
	if pair, err := (&vapidKeys{state: given.state, secrets: given.secrets}).get(t.Context()); err == nil || strings.Contains(err.Error(), "short") {
		t.Errorf("a bad secret: %+v, %v", pair, err)
	}
}

// A contact that nobody could use stops the start.
func TestPushContact(t *testing.T) {
	for contact, ok := range map[string]bool{"": true, "ops@example.org": true, "https://example.org/contact": true, "Ops <ops@example.org>": false, "http://example.org": false, "ops": false} {
		w := open(t, t.TempDir(), Config{}, embedded.Options{})
		if _, err := New(Config{PushContact: contact}, w.node.Host(Name)); (err == nil) != ok {
			t.Errorf("%q: %v", contact, err)
		}
	}
}
