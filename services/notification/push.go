package notification

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/mail"
	"slices"
	"strings"
	"time"

	"github.com/SherClockHolmes/webpush-go"

	"github.com/docket-tasks/docket/event"
	"github.com/docket-tasks/docket/host"
)

const (
	// pushTTL is how long the push service keeps a message for a browser that is not there (RFC 8030 §5.2): a reminder
	// that is older than a day helps nobody.
	pushTTL = 24 * time.Hour
	// defaultContact is where push services can reach whoever makes this software, where the operator says nothing.
	defaultContact = "https://github.com/docket-tasks/docket"
)

// push sends notifications to the browsers that a user has subscribed, each with a subscription of its own: by the push
// service of the browser's maker (RFC 8030), encrypted for the browser (RFC 8291), signed with our key (RFC 8292).
type push struct {
	subscriptions *subscriptions
	keys          *vapidKeys
	client        *http.Client
	// contact is an e-mail address or an https address.
	contact      string
	allowPrivate bool
	now          func() time.Time
}

// CheckContact accepts how push services can reach the operator: an e-mail address alone, or an https address.
func CheckContact(v string) error {
	address, err := mail.ParseAddress(v)
	if bare := err == nil && address.Address == v; !bare && !strings.HasPrefix(v, "https://") {
		return fmt.Errorf("is %q: use an e-mail address or an https address", v)
	}
	return nil
}

// newPush makes the channel; it fails where the contact is none.
func newPush(cfg Config, h host.Host, now func() time.Time) (*push, error) {
	contact := cmp.Or(cfg.PushContact, defaultContact)
	if err := CheckContact(contact); err != nil {
		return nil, fmt.Errorf("push contact: %w", err)
	}
	return &push{subscriptions: &subscriptions{h.State, now}, keys: &vapidKeys{state: h.State, secrets: h.Secrets},
		client: outbound(cfg.AllowPrivate), contact: contact, allowPrivate: cfg.AllowPrivate, now: now}, nil
}

func (p *push) Name() string { return "push" }

func (p *push) Targets(ctx context.Context, to Recipient) ([]string, error) {
	if !to.Channels.Push {
		return nil, nil
	}
	list, err := p.subscriptions.list(ctx, to.ID)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(list))
	for i, s := range list {
		ids[i] = s.ID
	}
	return ids, nil
}

// pushBody is what the browser's service worker gets. NotificationID is of the entry in the inbox, which can be read and
// snoozed; what became of this message is told there. UserID is whom it is for: by the time that they choose something on it
// their browser may be signed in as another.
type pushBody struct {
	NotificationID string `json:"notification_id"`
	TaskID         string `json:"task_id"`
	Title          string `json:"title"`
	Message        string `json:"message"`
	UserID         string `json:"user_id"`
}

// payload is the message before encryption. Even where every character of a title needs an escape, it stays below the
// 3993 bytes that fit into one message (RFC 8291 §4).
func payload(n Notification) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(pushBody{event.NotificationID(n.ReminderID, InApp), n.TaskID, n.Title, n.Message, n.UserID}); err != nil {
		return nil, fmt.Errorf("encode push message %s: %w", n.NotificationID, err)
	}
	return bytes.TrimSpace(b.Bytes()), nil
}

func (p *push) Deliver(ctx context.Context, to Recipient, n Notification) (Answer, error) {
	list, err := p.subscriptions.list(ctx, to.ID)
	if err != nil {
		return Answer{}, err
	}
	i := slices.IndexFunc(list, func(s subscription) bool { return s.ID == n.Target })
	if i < 0 {
		return Answer{Outcome: Failed, Text: "this browser is no longer subscribed"}, nil
	}
	key, err := p.keys.get(ctx)
	if err != nil {
		return Answer{}, err
	}
	body, err := payload(n)
	if err != nil {
		return Answer{}, err
	}
	res, err := webpush.SendNotificationWithContext(ctx, body, list[i].target(), &webpush.Options{
		HTTPClient: p.client, Subscriber: p.contact, VAPIDPublicKey: key.public, VAPIDPrivateKey: key.private,
		TTL: int(pushTTL.Seconds()), Urgency: webpush.UrgencyHigh,
		// A newer reminder of the same task takes the place of one that still waits; so does a repeated attempt.
		Topic: strings.ReplaceAll(n.TaskID, "-", ""),
	})
	if err != nil {
		return unanswered(err), nil
	}
	defer res.Body.Close() //nolint:errcheck // nothing of the body is read
	answer := judgeHTTP(res, p.now(), http.StatusNotFound, http.StatusGone)
	if answer.Outcome == Gone { // RFC 8030 §7.3
		if err := p.subscriptions.remove(ctx, to.ID, n.Target); err != nil && !errors.Is(err, errNoSubscription) {
			return Answer{}, err
		}
		answer.Text += "; the subscription was removed"
	}
	return answer, nil
}
