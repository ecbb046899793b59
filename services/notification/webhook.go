package notification

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/docket-tasks/docket/task"
)

const (
	// webhookTimeout bounds one attempt, from the name's resolution to the head of the answer.
	webhookTimeout = 15 * time.Second
	// secretPrefix marks a symmetric secret (Standard Webhooks, "Signature scheme").
	secretPrefix = "whsec_"
)

// webhook posts notifications to a user's own URL, signed as Standard Webhooks has it
// (github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md).
type webhook struct {
	client       *http.Client
	now          func() time.Time
	allowPrivate bool
}

// newWebhook makes the channel; with allowPrivate it reaches any address and speaks plain http too.
func newWebhook(now func() time.Time, allowPrivate bool) *webhook {
	dialer := &net.Dialer{Timeout: webhookTimeout}
	if !allowPrivate {
		dialer.Control = dialPublic
	}
	return &webhook{now: now, allowPrivate: allowPrivate, client: &http.Client{
		Timeout: webhookTimeout,
		// No proxy: it would make the connection where the check does not see it.
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSHandshakeTimeout: webhookTimeout, ForceAttemptHTTP2: true,
			MaxIdleConns: 64, MaxIdleConnsPerHost: 2, IdleConnTimeout: 30 * time.Second, MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

func (w *webhook) Name() string { return "webhook" }

func (w *webhook) Targets(_ context.Context, to Recipient) ([]string, error) {
	if to.Channels.Webhook == nil {
		return nil, nil
	}
	return []string{""}, nil
}

// webhookBody is what is posted: the three fields that Standard Webhooks recommends ("Payload structure").
type webhookBody struct {
	Type      string      `json:"type"`
	Timestamp task.Time   `json:"timestamp"`
	Data      webhookData `json:"data"`
}

type webhookData struct {
	NotificationID string    `json:"notification_id"`
	ReminderID     string    `json:"reminder_id"`
	TaskID         string    `json:"task_id"`
	UserID         string    `json:"user_id"`
	Message        string    `json:"message"`
	ScheduledTime  task.Time `json:"scheduled_time"`
}

func (w *webhook) Deliver(ctx context.Context, to Recipient, n Notification) (Answer, error) {
	body, err := json.Marshal(webhookBody{Type: "reminder.due", Timestamp: n.CreatedAt, Data: webhookData{
		n.NotificationID, n.ReminderID, n.TaskID, n.UserID, n.Message, n.ScheduledTime,
	}})
	if err != nil {
		return Answer{}, fmt.Errorf("encode webhook %s: %w", n.NotificationID, err)
	}
	req, err := w.request(ctx, *to.Channels.Webhook, n.NotificationID, body)
	if err != nil {
		return Answer{Outcome: Failed, Text: err.Error()}, nil
	}
	res, err := w.client.Do(req)
	if err != nil {
		return w.unanswered(err), nil
	}
	defer res.Body.Close() //nolint:errcheck // nothing of the body is read
	return w.answered(res), nil
}

// request is the signed request; its error is the user's to mend.
func (w *webhook) request(ctx context.Context, to WebhookTarget, id string, body []byte) (*http.Request, error) {
	u, err := url.Parse(to.URL)
	switch {
	case err != nil || u.Host == "":
		return nil, errors.New("the webhook's url cannot be read")
	case u.Scheme != "https" && !(w.allowPrivate && u.Scheme == "http"):
		return nil, errors.New("the webhook's url must begin with https://")
	}
	signature, err := sign(to.Secret, id, w.now(), body)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to.URL, bytes.NewReader(body))
	if err != nil {
		return nil, errors.New("the webhook's url cannot be used")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "docket")
	req.Header.Set("webhook-id", id)
	req.Header.Set("webhook-timestamp", strconv.FormatInt(w.now().Unix(), 10))
	req.Header.Set("webhook-signature", signature)
	return req, nil
}

// sign returns "v1," and the base64 of the HMAC-SHA256 over id, timestamp in Unix seconds and body, joined by full
// stops (Standard Webhooks, "Signature scheme").
func sign(secret, id string, at time.Time, body []byte) (string, error) {
	encoded, ok := strings.CutPrefix(secret, secretPrefix)
	key, err := base64.StdEncoding.DecodeString(encoded)
	if !ok || err != nil || len(key) == 0 {
		return "", errors.New("the webhook's secret must be whsec_ and base64")
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%d.", id, at.Unix())
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)), nil
}

// unanswered judges an attempt that brought no answer. What net/http says around the cause repeats the URL.
func (w *webhook) unanswered(err error) Answer {
	text := err.Error()
	if wrapped := (*url.Error)(nil); errors.As(err, &wrapped) {
		text = wrapped.Err.Error()
	}
	if errors.Is(err, errNotPublic) {
		return Answer{Outcome: Failed, Text: text}
	}
	return Answer{Outcome: Retry, Text: text}
}

// answered judges by the status alone: 2xx is delivered, 410 gone, and 3xx (redirects are not followed, Standard
// Webhooks, "Server-side request forgery") and most of 4xx are final.
func (w *webhook) answered(res *http.Response) Answer {
	a := Answer{Outcome: Retry, Text: res.Proto + " " + res.Status}
	switch code := res.StatusCode; {
	case code/100 == 2:
		a.Outcome = Delivered
	case code == http.StatusGone:
		a.Outcome = Gone
	case code == http.StatusRequestTimeout, code == http.StatusTooEarly, code == http.StatusTooManyRequests, code >= 500:
		a.RetryAfter = retryAfter(res.Header.Get("Retry-After"), w.now())
	default:
		a.Outcome = Failed
	}
	return a
}

// retryAfter reads seconds or an HTTP date (RFC 9110 §10.2.3); what it cannot read is zero.
func retryAfter(value string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}
