package notification

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/docket-tasks/docket/host/embedded"
)

// fakeSMS is a channel at the outermost edge, as Web Push will be: a user has several devices on it (here: named in
// the locale), each with a notification of its own.
type fakeSMS struct {
	deliver func(n Notification) Answer
}

func (fakeSMS) Name() string { return "sms" }

func (fakeSMS) Targets(_ context.Context, to Recipient) ([]string, error) {
	return strings.Fields(to.Locale), nil
}

func (p fakeSMS) Deliver(_ context.Context, _ Recipient, n Notification) (Answer, error) {
	if p.deliver == nil {
		return Answer{Outcome: Delivered, Text: "201 Created"}, nil
	}
	return p.deliver(n), nil
}

// TestBackoff lets a whole day pass on the real host: ten attempts of a device that never answers, each after a longer
// wait than the one before, and then the notification has failed.
func TestBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []time.Time
		phone := fakeSMS{func(n Notification) Answer {
			at = append(at, time.Now())
			if len(at) == 2 {
				return Answer{Outcome: Retry, Text: "503", RetryAfter: 10 * time.Minute}
			}
			return Answer{Outcome: Retry, Text: "503"}
		}}
		w := open(t, t.TempDir(), Config{Jitter: func() float64 { return 0.5 }, Channels: []Channel{phone}}, embedded.Options{})
		w.backend.put("ada", func(u *Recipient) { u.Locale = "phone" })
		w.publish(reminder("ada", 1))
		w.kept(1)
		w.patience = 7 * time.Hour
		d := w.delivery("ada", "sms")
		want := []time.Duration{
			30 * time.Second, 10 * time.Minute, 270 * time.Second, 810 * time.Second, 2430 * time.Second, 7290 * time.Second,
			6 * time.Hour, 6 * time.Hour, 6 * time.Hour,
		}
		if len(at) != maxAttempts || len(d.Attempts) != maxAttempts || d.DeliveryStatus != StatusFailed || d.Attempts[9].Next != nil {
			t.Fatalf("%d attempts, delivery %+v", len(at), d)
		}
		for i, wait := range want {
			if got := at[i+1].Sub(at[i]); got < wait || got > wait+time.Second {
				t.Errorf("attempt %d came %s after the one before, want %s", i+2, got, wait)
			}
		}
		w.close()
	})
}

// TestWait: every wait lies within a fifth of its step, and a farther Retry-After counts up to a day.
func TestWait(t *testing.T) {
	for _, tc := range []struct {
		n          int
		jitter     float64
		retryAfter time.Duration
		want       time.Duration
	}{
		{1, 0.5, 0, 30 * time.Second}, {1, 0, 0, 24 * time.Second}, {1, 1, 0, 36 * time.Second}, {3, 0.5, 0, 270 * time.Second},
		{9, 0.5, 0, 6 * time.Hour}, {9, 0, time.Hour, 6*time.Hour - 72*time.Minute}, {1, 0, time.Hour, time.Hour},
		{1, 0, 1000 * time.Hour, 24 * time.Hour},
	} {
		s := &service{jitter: func() float64 { return tc.jitter }}
		if got := s.wait(tc.n, tc.retryAfter); got.Round(time.Millisecond) != tc.want {
			t.Errorf("wait(%d, %s) with jitter %v = %s, want %s", tc.n, tc.retryAfter, tc.jitter, got, tc.want)
		}
	}
}

// TestCut: an answer becomes one line of bounded length, whatever was sent.
func TestCut(t *testing.T) {
	if got := cut("550 no\r\n\tsuch\xff mailbox "); got != "550 no such\uFFFD mailbox" {
		t.Errorf("cut = %q", got)
	}
	if got := []rune(cut(strings.Repeat("ä", 1000))); len(got) != MaxAnswer || got[MaxAnswer-1] != '…' {
		t.Errorf("%d code points", len(got))
	}
}
