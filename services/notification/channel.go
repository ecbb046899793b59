package notification

import (
	"context"
	"time"

	"github.com/docket-tasks/docket/task"
)

// InApp is the channel that is always there: the inbox.
const InApp = "in_app"

// Channel is a way to reach a user outside docket. The core keeps the record, the attempts and the back-off; a
// channel only knows who has set it up and how to make one attempt.
type Channel interface {
	// Name is the channel's name in records and metrics: "email", "webhook", …
	Name() string
	// Targets names the addresses that the user has set up on this channel; each is delivered to and retried on its
	// own. None: not set up. A channel with one address at most calls it "". At most [MaxTargets] are used.
	Targets(ctx context.Context, to Recipient) ([]string, error)
	// Deliver makes one attempt at n.Target. A repeated attempt carries the same notification id. The error is for
	// trouble at home (say, a secret that cannot be read): then no attempt was made, and the job comes again.
	Deliver(ctx context.Context, to Recipient, n Notification) (Answer, error)
}

// MaxTargets is how many addresses of one channel a notification goes to.
const MaxTargets = maxSubscriptions

// Recipient is the user as the backend knows them at the moment of the attempt.
type Recipient struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Email    string `json:"email"`
	TimeZone string `json:"time_zone"`
	Locale   string `json:"locale"`
	Channels struct {
		Email   bool           `json:"email"`
		Push    bool           `json:"push"`
		Webhook *WebhookTarget `json:"webhook"`
	} `json:"channels"`
	// Version grows with every change of the settings.
	Version int64 `json:"version"`
}

// WebhookTarget is where a user's webhook goes and the secret ("whsec_" and base64) that signs it.
type WebhookTarget struct {
	URL    string `json:"url"`
	Secret string `json:"secret"`
}

// zone is the user's zone, UTC where it cannot be loaded.
func (r Recipient) zone() *time.Location {
	if zone, err := time.LoadLocation(r.TimeZone); err == nil {
		return zone
	}
	return time.UTC
}

// Outcome is how an attempt ended.
type Outcome string

const (
	// Delivered: the other side has taken it.
	Delivered Outcome = "delivered"
	// Retry: not taken, but a later attempt may succeed.
	Retry Outcome = "retry"
	// Failed: not taken, and no repetition will change that.
	Failed Outcome = "failed"
	// Gone: failed, and so will every other notification until the user changes the settings. A channel with several
	// addresses forgets the one that is gone.
	Gone Outcome = "gone"
)

// Answer is what one attempt brought.
type Answer struct {
	Outcome Outcome
	// Text is the other side's answer, or why there was none: a status line, an SMTP reply. The core cuts it to
	// [MaxAnswer] code points.
	Text string
	// RetryAfter is how long the other side asks to be left alone; zero where it does not say.
	RetryAfter time.Duration
}

// Status is where a notification stands.
type Status string

// The states of a notification [T017].
const (
	StatusPending   Status = "pending"
	StatusDelivered Status = "delivered"
	StatusFailed    Status = "failed"
)

// Notification is one reminder on its way to one address.
type Notification struct {
	// NotificationID is the UUIDv5 of the reminder, the channel and the target.
	NotificationID string `json:"notification_id" format:"uuid"`
	ReminderID     string `json:"reminder_id" format:"uuid"`
	TaskID         string `json:"task_id" format:"uuid"`
	UserID         string `json:"user_id"`
	// Channel is in_app, push, email or webhook.
	Channel string `json:"channel"`
	// Target is the address within the channel, empty where there is only one.
	Target         string `json:"target,omitempty"`
	DeliveryStatus Status `json:"delivery_status" enum:"pending,delivered,failed"`
	// Title is the task's when the reminder was due; empty in records of older versions.
	Title         string    `json:"title,omitempty"`
	Message       string    `json:"message"`
	ScheduledTime task.Time `json:"scheduled_time"`
	CreatedAt     task.Time `json:"created_at"`
	// SentAt is when it was delivered; null before that.
	SentAt   *task.Time `json:"sent_at"`
	Attempts []Attempt  `json:"attempts" nullable:"false"`
}

// Attempt is one try at delivering.
type Attempt struct {
	At      task.Time `json:"at" format:"date-time"`
	Outcome Outcome   `json:"outcome" enum:"delivered,retry,failed,gone"`
	// Answer is what the other side said, at most [MaxAnswer] code points.
	Answer string `json:"answer"`
	// Next is when the next attempt is due; null after the last one.
	Next *task.Time `json:"next,omitempty" format:"date-time"`
}

// MaxAnswer is how much of an answer is kept, in code points.
const MaxAnswer = 300
