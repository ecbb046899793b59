package notification

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/docket-tasks/docket/event"
	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/host/embedded"
)

// childVariable names the data folder to the process that TestCrash kills, receiverVariable the webhook.
const (
	childVariable    = "DOCKET_TEST_NOTIFICATION_DIR"
	receiverVariable = "DOCKET_TEST_NOTIFICATION_RECEIVER"
)

// child runs the service until its standard input ends; if told so on it, it publishes a reminder first.
func child() int {
	err := func() error {
		ctx := context.Background() // this is a main function
		log := slog.New(slog.NewTextHandler(io.Discard, nil))
		node, err := embedded.Open(ctx, embedded.Options{Dir: os.Getenv(childVariable), Logger: log})
		if err != nil {
			return err
		}
		service, err := New(Config{Now: longAgo, AllowPrivate: true, Logger: log}, node.Host(Name))
		if err != nil {
			return err
		}
		var ada Recipient
		ada.ID, ada.Channels.Webhook = "ada", &WebhookTarget{URL: os.Getenv(receiverVariable), Secret: testSecret}
		backend := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(ada) })
		if err := node.Start(ctx, service, host.Service{Name: "backend", Runtime: backend}); err != nil {
			return err
		}
		tell, err := io.ReadAll(os.Stdin)
		if err != nil {
			return err
		}
		if len(tell) > 0 {
			r := reminder("ada", 1)
			data, err := r.Encode("/backend", "")
			if err != nil {
				return err
			}
			if err := node.Host("backend").State.Commit(ctx, host.Tx{Messages: []host.Message{
				{Topic: event.TopicReminders, Key: r.TaskID, ID: r.NotificationID, Data: data},
			}}); err != nil {
				return err
			}
			select {} // until killed
		}
		return node.Close(ctx)
	}()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// TestCrash kills the process between an attempt and its record: the receiver has the request, and the process dies
// before the answer. After the restart the attempt is repeated with the same id, once, and then recorded.
//
// [Task]: T055
func TestCrash(t *testing.T) {
	arrived, answer := make(chan string), make(chan struct{})
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if err := verified(r.Header, body, testSecret, longAgo()); err != nil {
			t.Error(err)
		}
		arrived <- r.Header.Get("webhook-id")
		select {
		case <-answer:
		case <-r.Context().Done():
		}
	}))
	defer receiver.Close()
	dir := t.TempDir()
	start := func() (*exec.Cmd, io.WriteCloser) {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), childVariable+"="+dir, receiverVariable+"="+receiver.URL)
		cmd.Stderr = os.Stderr
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return cmd, in
	}
	await := func() string {
		t.Helper()
		select {
		case id := <-arrived:
			return id
		case <-time.After(time.Minute):
			t.Fatal("no attempt was made")
			return ""
		}
	}
	killed, in := start()
	_, _ = io.WriteString(in, "publish")
	_ = in.Close()
	first := await()
	if err := killed.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = killed.Wait() // it was killed

	again, in := start()
	second := await()
	close(answer)
	_ = in.Close() // it ends after what it has begun
	if err := again.Wait(); err != nil {
		t.Fatal(err)
	}
	want := event.NotificationID(reminder("ada", 1).ReminderID, "webhook")
	if first != want || second != want {
		t.Errorf("attempts had the ids %s and %s, want %s", first, second, want)
	}
	w := open(t, dir, Config{Now: longAgo, AllowPrivate: true}, embedded.Options{})
	if d := w.delivery("ada", "webhook"); d.DeliveryStatus != StatusDelivered || len(d.Attempts) != 1 {
		t.Errorf("delivery %+v, want one recorded attempt", d)
	}
}
