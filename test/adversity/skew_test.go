package adversity

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/docket-tasks/docket/event"
	"github.com/docket-tasks/docket/host/dapr"
	"github.com/docket-tasks/docket/services/backend"
)

// skew is how far the clock of one replica is ahead.
const skew = 30 * time.Second

// Two replicas of backend whose clocks differ by half a minute serve the same users: identities of the one are good at the other and
// elsewhere, versions stay whole, series continue once, and a reminder comes once and not before its moment.
func TestClockSkew(t *testing.T) {
	w := newWorld(t)
	w.start(t)
	w.ahead(t)
	for n := range 40 { // either replica gets some
		status, answer := w.ask(t, http.MethodPost, "/api/tasks", map[string]string{"title": fmt.Sprint("Skewed ", n), "due_date": "2031-01-01", "recurrence_pattern": "daily"})
		var made struct{ ID string }
		if err := json.Unmarshal(answer, &made); status != http.StatusCreated || err != nil {
			t.Fatalf("create: %d %s", status, answer)
		}
		if status, answer := w.ask(t, http.MethodPost, "/api/tasks/"+made.ID+"/complete", nil); status != http.StatusOK {
			t.Fatalf("complete: %d %s", status, answer)
		}
	}
	due := time.Now().Add(skew + 5*time.Second).Truncate(time.Second) // later than now at both
	status, answer := w.ask(t, http.MethodPost, "/api/tasks", map[string]any{"title": "Soon", "due_date": due.UTC().Format(time.RFC3339), "reminder_minutes": []int{0}})
	if status != http.StatusCreated {
		t.Fatalf("create: %d %s", status, answer)
	}
	eventually(t, "every completed task to be continued", func() bool {
		_, pending := w.ask(t, http.MethodGet, "/api/tasks?status=pending&limit=200&search=Skewed", nil)
		return bytes.Count(pending, []byte(`"occurrence_number":2,`)) == 40
	})
	eventually(t, "the reminder", func() bool {
		_, inbox := w.ask(t, http.MethodGet, "/api/notifications", nil)
		var items []struct {
			CreatedAt time.Time `json:"created_at"`
		}
		if err := json.Unmarshal(inbox, &items); err != nil {
			t.Fatal(err)
		}
		if len(items) > 0 && items[0].CreatedAt.Before(due) {
			t.Errorf("the reminder for %s came at %s", due, items[0].CreatedAt)
		}
		return len(items) == 1
	})
	w.audited(t, "Soon")
	status, answer = w.ask(t, http.MethodGet, "/api/audit?limit=200", nil)
	if n := bytes.Count(answer, []byte(`"event_type":"task.`)); status != http.StatusOK || n != 3*40+1 {
		t.Errorf("the audit log has %d entries, want %d", n, 3*40+1)
	}
	w.noDeadLetters(t)
}

// ahead adds a replica of backend to the installation, in this process, whose clock is ahead.
func (w *world) ahead(t *testing.T) {
	t.Helper()
	c, err := w.Sidecar(backend.Name)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(c.AppPort)))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Launch(); err != nil {
		t.Fatal(err)
	}
	node, err := dapr.Open(t.Context(), dapr.Options{Service: backend.Name, Hot: backend.Hot, HTTPPort: c.HTTPPort, GRPCPort: c.GRPCPort,
		APIToken: c.Getenv("DAPR_API_TOKEN"), AppToken: c.Getenv("APP_API_TOKEN"), ContentType: event.ContentType, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	running, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	unit := backend.New(running, backend.Config{Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return time.Now().Add(skew) }}, node.Host())
	if err := node.Start(running, listener, unit); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := node.Close(running); err != nil {
			t.Error(err)
		}
		stop()
	})
	if err := c.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
}
