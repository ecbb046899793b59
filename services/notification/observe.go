package notification

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/docket-tasks/docket/edge"
)

// What happens is logged by ids alone: no message, no address, no answer, which may repeat an address. Those are in
// the notification, for its owner [T053].

// metrics count outcomes; with a nil registry nobody sees them.
type metrics struct {
	notifications *prometheus.CounterVec
	attempts      *prometheus.CounterVec
}

// newMetrics shows both final outcomes of each channel before the first: an increase is seen only of what was there before it.
func newMetrics(reg *prometheus.Registry, channels []Channel) *metrics {
	m := &metrics{
		notifications: edge.Register(reg, prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "docket_notifications_total",
			Help: "Notifications that reached their final outcome.",
		}, []string{"channel", "outcome"})),
		attempts: edge.Register(reg, prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "docket_delivery_attempts_total",
			Help: "Attempts to deliver a notification outside docket.",
		}, []string{"channel", "outcome"})),
	}
	for _, c := range channels {
		m.notifications.WithLabelValues(c.Name(), string(StatusDelivered))
		m.notifications.WithLabelValues(c.Name(), string(StatusFailed))
	}
	return m
}

// kept reports a reminder whose notifications are durable; the first is that of the inbox.
func (s *service) kept(ctx context.Context, records []record) {
	ctx = edge.WithTrace(ctx, records[0].Trace)
	channels := make([]string, len(records))
	for i, rec := range records {
		channels[i] = rec.Channel
		if rec.DeliveryStatus != StatusPending {
			s.metrics.notifications.WithLabelValues(rec.Channel, string(rec.DeliveryStatus)).Inc()
		}
	}
	s.log.InfoContext(ctx, "reminder kept", "reminder_id", records[0].ReminderID, "notification_id", records[0].NotificationID,
		"task_id", records[0].TaskID, "user_id", records[0].UserID, "channels", channels)
}

// attempted reports the n-th attempt of a notification.
func (s *service) attempted(ctx context.Context, rec record, n int) {
	last := rec.Attempts[len(rec.Attempts)-1]
	s.metrics.attempts.WithLabelValues(rec.Channel, string(last.Outcome)).Inc()
	attrs := []any{"notification_id", rec.NotificationID, "reminder_id", rec.ReminderID, "user_id", rec.UserID,
		"channel", rec.Channel, "attempt", n, "outcome", last.Outcome, "delivery_status", rec.DeliveryStatus}
	if rec.DeliveryStatus != StatusPending {
		s.metrics.notifications.WithLabelValues(rec.Channel, string(rec.DeliveryStatus)).Inc()
	}
	if rec.DeliveryStatus == StatusFailed {
		s.log.WarnContext(ctx, "delivery failed", attrs...)
		return
	}
	s.log.InfoContext(ctx, "delivery attempted", attrs...)
}
