package notification

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/docket-tasks/docket/task"
)

const testSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// TestSignatureVector is the vector of the Standard Webhooks and Svix reference libraries (standard-webhooks/
// standard-webhooks, libraries/go/webhook_test.go, and svix/svix-webhooks, go/webhook_test.go, TestWebhookSign).
func TestSignatureVector(t *testing.T) {
	got, err := sign(testSecret, "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	if err != nil {
		t.Fatal(err)
	}
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; got != want {
		t.Errorf("signature %s, want %s", got, want)
	}
	for _, bad := range []string{"", "whsec_", "whsec_!", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whpk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"} {
		if _, err := sign(bad, "id", time.Unix(0, 0), nil); err == nil {
			t.Errorf("secret %q was accepted", bad)
		}
	}
}

// verified is a receiver's check, written from the specification and not from sign: every signature of the header
// may match, and the timestamp may be five minutes off.
func verified(h http.Header, body []byte, secret string, now time.Time) error {
	key, err := base64.StdEncoding.DecodeString(strings.Replace(secret, "whsec_", "", 1))
	if err != nil {
		return err
	}
	seconds, err := strconv.ParseInt(h.Get("webhook-timestamp"), 10, 64)
	if err != nil {
		return err
	}
	if off := now.Sub(time.Unix(seconds, 0)).Abs(); off > 5*time.Minute {
		return fmt.Errorf("timestamp is %s off", off)
	}
	mac := hmac.New(sha256.New, key)
	_, _ = io.WriteString(mac, h.Get("webhook-id")+"."+h.Get("webhook-timestamp")+"."+string(body))
	for _, s := range strings.Fields(h.Get("webhook-signature")) {
		version, value, _ := strings.Cut(s, ",")
		got, err := base64.StdEncoding.DecodeString(value)
		if version == "v1" && err == nil && hmac.Equal(got, mac.Sum(nil)) {
			return nil
		}
	}
	return fmt.Errorf("no signature of %q matches", h.Get("webhook-signature"))
}

func webhookTo(url string) Recipient {
	var to Recipient
	to.ID, to.Channels.Webhook = "u1", &WebhookTarget{URL: url, Secret: testSecret}
	return to
}

var testNotification = Notification{
	NotificationID: "0b8e2a34-5f5e-5c57-9f6e-0d2f8f0f0001", ReminderID: "r1", TaskID: "t1", UserID: "u1", Channel: "webhook",
	Message: "Ärzte anrufen", ScheduledTime: task.At(time.Date(2026, 3, 29, 7, 0, 0, 0, time.UTC)),
	CreatedAt: task.At(time.Date(2026, 3, 29, 7, 0, 1, 0, time.UTC)),
}

// TestWebhookAttempt posts to a real receiver that checks the signature, and reads its answers.
func TestWebhookAttempt(t *testing.T) {
	now := time.Date(2026, 3, 29, 7, 0, 2, 0, time.UTC)
	date := now.Add(90 * time.Second).Format(http.TimeFormat)
	for _, tc := range []struct {
		status     int
		header     string
		outcome    Outcome
		retryAfter time.Duration
	}{
		{200, "", Delivered, 0}, {204, "", Delivered, 0}, {202, "", Delivered, 0},
		{410, "", Gone, 0},
		{301, "", Failed, 0}, {307, "", Failed, 0}, {400, "", Failed, 0}, {401, "", Failed, 0}, {404, "", Failed, 0}, {422, "", Failed, 0},
		{408, "", Retry, 0}, {425, "", Retry, 0}, {429, "120", Retry, 2 * time.Minute}, {429, "soon", Retry, 0}, {429, "-5", Retry, 0},
		{500, "", Retry, 0}, {503, date, Retry, 90 * time.Second}, {503, now.Add(-time.Hour).Format(http.TimeFormat), Retry, 0},
	} {
		t.Run(fmt.Sprint(tc.status, tc.header), func(t *testing.T) {
			var body []byte
			var verdict error
			receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ = io.ReadAll(r.Body)
				verdict = verified(r.Header, body, testSecret, now)
				if r.Method != http.MethodPost || r.Header.Get("webhook-id") != testNotification.NotificationID {
					verdict = fmt.Errorf("%s with id %q", r.Method, r.Header.Get("webhook-id"))
				}
				if tc.header != "" {
					w.Header().Set("Retry-After", tc.header)
				}
				w.WriteHeader(tc.status)
			}))
			defer receiver.Close()
			w := newWebhook(func() time.Time { return now }, true)
			a, err := w.Deliver(t.Context(), webhookTo(receiver.URL), testNotification)
			if err != nil || verdict != nil {
				t.Fatalf("attempt: %v, receiver: %v", err, verdict)
			}
			if a.Outcome != tc.outcome || a.RetryAfter != tc.retryAfter || !strings.Contains(a.Text, strconv.Itoa(tc.status)) {
				t.Errorf("answer %+v, want %s and %s", a, tc.outcome, tc.retryAfter)
			}
			var got webhookBody
			if err := json.Unmarshal(body, &got); err != nil || got.Type != "reminder.due" || got.Data.Message != testNotification.Message {
				t.Errorf("body %s: %v", body, err)
			}
		})
	}
}

// TestWebhookFollowsNoRedirect: a public receiver could send us to a private one.
func TestWebhookFollowsNoRedirect(t *testing.T) {
	var hits atomic.Int32
	inner := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) }))
	defer inner.Close()
	outer := httptest.NewServer(http.RedirectHandler(inner.URL, http.StatusTemporaryRedirect))
	defer outer.Close()
	a, err := newWebhook(time.Now, true).Deliver(t.Context(), webhookTo(outer.URL), testNotification)
	if err != nil || a.Outcome != Failed || hits.Load() != 0 {
		t.Errorf("answer %+v, %v, and %d requests reached the other receiver", a, err, hits.Load())
	}
}

// TestWebhookGuard: the address is looked at when the connection is made, so a name that now resolves to a private
// address is refused whatever it was before, and nothing at all reaches the listener.
func TestWebhookGuard(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var connections atomic.Int32
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			connections.Add(1)
			_ = conn.Close()
		}
	}()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	w := newWebhook(time.Now, false)
	for _, host := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::127.0.0.1]", "0.0.0.0"} {
		a, err := w.Deliver(t.Context(), webhookTo("https://"+host+":"+port+"/"), testNotification)
		if err != nil || a.Outcome != Failed || !strings.Contains(a.Text, errNotPublic.Error()) {
			t.Errorf("%s: answer %+v, %v", host, a, err)
		}
	}
	for _, host := range []string{"0x7f000001", "2130706433", "127.1"} { // names to some resolvers, addresses to others
		if a, err := w.Deliver(t.Context(), webhookTo("https://"+host+":"+port+"/"), testNotification); err != nil || a.Outcome == Delivered {
			t.Errorf("%s: answer %+v, %v", host, a, err)
		}
	}
	for url, why := range map[string]string{
		"http://example.org/": "https", "ftp://example.org/": "https", "https://": "cannot be read", "::": "cannot be read",
	} {
		a, err := w.Deliver(t.Context(), webhookTo(url), testNotification)
		if err != nil || a.Outcome != Failed || !strings.Contains(a.Text, why) {
			t.Errorf("%s: answer %+v, %v", url, a, err)
		}
	}
	_ = l.Close()
	<-done
	if n := connections.Load(); n != 0 {
		t.Errorf("%d connections reached a private address", n)
	}
}

// TestWebhookUnreachable: nobody listens, so it is worth another attempt, and the answer does not repeat the URL.
func TestWebhookUnreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	a, err := newWebhook(time.Now, true).Deliver(context.WithoutCancel(t.Context()), webhookTo("http://"+address+"/?token=hidden"), testNotification)
	if err != nil || a.Outcome != Retry || strings.Contains(a.Text, "hidden") {
		t.Errorf("answer %+v, %v", a, err)
	}
}
