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
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/docket-tasks/docket/task"
)

// secretPrefix marks a symmetric secret (Standard Webhooks, "Signature scheme").
const secretPrefix = "whsec_"

// webhook posts notifications to a user's own URL, signed as Standard Webhooks has it
// (github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md).
type webhook struct {
	client       *http.Client
	now          func() time.Time
	allowPrivate bool
}

// newWebhook makes the channel; with allowPrivate it reaches any address and speaks plain http too.
func newWebhook(now func() time.Time, allowPrivate bool) *webhook {
	return &webhook{now: now, allowPrivate: allowPrivate, client: outbound(allowPrivate)}
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
		return unanswered(err), nil
	}
	defer res.Body.Close() //nolint:errcheck // nothing of the body is read
	return judgeHTTP(res, w.now(), http.StatusGone), nil
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
