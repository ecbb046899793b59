package e2e

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"
)

// soon is the due date that comes in one to two seconds, in UTC.
func soon() string {
	return time.Now().UTC().Add(2 * time.Second).Truncate(time.Second).Format(time.RFC3339)
}

// notification is an entry of the inbox.
type notification struct {
	ID         string `json:"notification_id"`
	ReminderID string `json:"reminder_id"`
	TaskID     string `json:"task_id"`
	Message    string `json:"message"`
	Read       bool   `json:"read"`
	Channels   []struct {
		Channel string `json:"channel"`
		Target  string `json:"target"`
		Status  string `json:"delivery_status"`
	} `json:"channels"`
}

// inbox returns the entries about a task.
func (c *client) inbox(of item) []notification {
	c.t.Helper()
	var out []notification
	for _, page := range c.pages("/api/notifications?limit=2") {
		var entries []notification
		page.into(&entries)
		for _, n := range entries {
			if n.TaskID == of.ID {
				out = append(out, n)
			}
		}
	}
	return out
}

// notified waits for the first entry about a task.
func (c *client) notified(of item) notification {
	c.t.Helper()
	eventually(c.t, "a notification of "+of.Title, func() bool { return len(c.inbox(of)) > 0 })
	return c.inbox(of)[0]
}

// reminderStatus returns the status of each of a task's reminders.
func (c *client) reminderStatus(of item) (status []string) {
	c.t.Helper()
	var list []struct {
		Status string `json:"status"`
	}
	c.get(of.path() + "/reminders").want(200).into(&list)
	for _, r := range list {
		status = append(status, r.Status)
	}
	return status
}

// A reminder comes once, to the open clients and into the inbox, at the moment it is due; and only where it still is.
//
// [Task]: T056
func TestReminders(t *testing.T) {
	scenario(t, func(t *testing.T, w *world) {
		c := w.user("Ada", "Europe/Berlin")
		live := c.listen("")
		at := soon()
		remind := func(title, due string) item {
			return c.create(object{"title": title, "due_date": due, "reminder_minutes": []int{0}})
		}
		done, deleted := remind("Done before", at), remind("Deleted before", at)
		moved, brought := remind("Moved away", at), remind("Moved near", "2035-01-01")
		due := remind("Feed the cat", at)
		c.step(done, "complete")
		c.do("DELETE", deleted.path(), nil).want(204)
		c.do("PATCH", moved.path(), object{"due_date": "2035-01-01"}).want(200)
		if got := c.reminderStatus(due); len(got) != 1 || got[0] != "pending" {
			t.Errorf("reminders before the due date: %v", got)
		}

		r := live.reminder(due)
		if moment, err := time.Parse(time.RFC3339, at); err != nil || !r.ScheduledTime.Equal(moment) || r.Timestamp.Before(moment) {
			t.Errorf("due %s, reminded %+v", at, r)
		}
		n := c.notified(due)
		if n.ReminderID != r.ReminderID || n.ID != r.NotificationID || n.Message != r.Message || !strings.Contains(n.Message, "Feed the cat") || strings.Contains(n.Message, "overdue") {
			t.Errorf("frame %+v, inbox %+v", r, n)
		}
		if got := c.reminderStatus(due); len(got) != 1 || got[0] != "sent" {
			t.Errorf("reminders after the due date: %v", got)
		}

		c.do("PATCH", brought.path(), object{"due_date": soon()}).want(200)
		live.reminder(brought)
		c.step(due, "complete")
		c.step(due, "reopen") // its moment has gone by: no reminder
		c.passed(live)
		c.snoozed(live, n)
		for _, i := range []item{done, deleted, moved} {
			if got := c.inbox(i); len(got) != 0 {
				t.Errorf("%s: reminded all the same: %+v", i.Title, got)
			}
		}
		if got := c.inbox(brought); len(got) != 1 {
			t.Errorf("moved near: %+v", got)
		}
	})
}

// A floating due date follows its user: in another zone its reminder comes at another moment, that of a zoned one does
// not.
func TestRemindersFollowTheUser(t *testing.T) {
	scenario(t, func(t *testing.T, w *world) {
		tokyo, err := time.LoadLocation("Asia/Tokyo")
		if err != nil {
			t.Fatal(err)
		}
		c := w.user("Ada", "UTC")
		live := c.listen("")
		at := time.Now().Add(2 * time.Second).In(tokyo).Truncate(time.Second)
		floating := c.create(object{"title": "Wherever I am", "due_date": at.Format("2006-01-02T15:04:05"), "reminder_minutes": []int{0}})
		zoned := c.create(object{"title": "In London", "due_date": at.Add(9 * time.Hour).UTC().Format(time.RFC3339), "reminder_minutes": []int{0}})
		c.do("PATCH", "/api/me", object{"time_zone": "Asia/Tokyo"}).want(200)
		if r := live.reminder(floating); !r.ScheduledTime.Equal(at) {
			t.Errorf("reminded of %s, want %s", r.ScheduledTime, at)
		}
		c.notified(floating)
		if got := c.inbox(zoned); len(got) != 0 {
			t.Errorf("reminded nine hours early: %+v", got)
		}
	})
}

// passed sets due dates whose moments have gone by: one reminder at once, overdue only if the due date has passed.
func (c *client) passed(live *socket) {
	c.t.Helper()
	for due, overdue := range map[string]bool{
		time.Now().UTC().Add(10 * time.Minute).Format(time.RFC3339): false,
		time.Now().UTC().Add(-time.Hour).Format(time.RFC3339):       true,
	} {
		i := c.create(object{"title": "Set late", "due_date": due, "reminder_minutes": []int{60, 45, 30}})
		r := live.reminder(i)
		c.notified(i)
		if got := c.inbox(i); len(got) != 1 || strings.Contains(r.Message, "overdue") != overdue {
			c.t.Errorf("due %s: reminded %q, inbox %+v", due, r.Message, got)
		}
	}
}

// snoozed puts a notification off: the same task reminds once more, then.
func (c *client) snoozed(live *socket, n notification) {
	c.t.Helper()
	path, of := "/api/notifications/"+n.ID, item{ID: n.TaskID}
	until := soon()
	var answer struct {
		At time.Time `json:"at"`
	}
	c.post(path+"/snooze", object{"until": until}).want(202).into(&answer)
	if got := answer.At.Format(time.RFC3339); got != until {
		c.t.Errorf("snoozed until %s, want %s", got, until)
	}
	if r := live.reminder(of); r.ReminderID == n.ReminderID {
		c.t.Errorf("snoozed: %+v again", r)
	}
	eventually(c.t, "the snoozed reminder in the inbox", func() bool { return len(c.inbox(of)) == 2 })
	entries := c.inbox(of)
	if entries[0].Read || !entries[1].Read {
		c.t.Errorf("after snoozing: %+v", entries)
	}
	c.post("/api/notifications/"+entries[0].ID+"/read", nil).want(204)
	if !c.inbox(of)[0].Read {
		c.t.Error("read, and not marked as read")
	}
	c.step(of, "complete")
	if p := c.post(path+"/snooze", object{"minutes": 5}).want(409).problem(); p.Code != "task_closed" {
		c.t.Errorf("snooze of a completed task: %+v", p)
	}
}

// A webhook gets each reminder, signed as Standard Webhooks has it.
func TestWebhook(t *testing.T) {
	scenario(t, func(t *testing.T, w *world) {
		type call struct {
			header http.Header
			body   []byte
		}
		calls := make(chan call, 8)
		receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Errorf("read the webhook: %v", err)
			}
			calls <- call{r.Header, body}
		}))
		defer receiver.Close()
		c := w.user("Ada", "Europe/Berlin")
		c.do("PATCH", "/api/me", object{"channels": object{"webhook": object{"url": receiver.URL}}}).want(200)
		i := c.create(object{"title": "Ring the bell", "due_date": "2020-01-01"})
		var got call
		select {
		case got = <-calls:
		case <-time.After(patience):
			t.Fatal("the webhook was not called")
		}
		secret := c.me().Channels.Webhook.Secret
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
		if err != nil {
			t.Fatalf("secret %q: %v", secret, err)
		}
		id, stamp := got.header.Get("webhook-id"), got.header.Get("webhook-timestamp")
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(id + "." + stamp + "." + string(got.body)))
		if want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)); got.header.Get("webhook-signature") != want {
			t.Errorf("signature %s, want %s", got.header.Get("webhook-signature"), want)
		}
		if seconds, err := strconv.ParseInt(stamp, 10, 64); err != nil || time.Since(time.Unix(seconds, 0)) > time.Hour {
			t.Errorf("timestamp %q", stamp)
		}
		if !strings.Contains(string(got.body), i.ID) || !strings.Contains(string(got.body), "Ring the bell") {
			t.Errorf("body %s", got.body)
		}
		eventually(t, "the delivery in the inbox", func() bool {
			for _, n := range c.inbox(i) {
				for _, ch := range n.Channels {
					if ch.Channel == "webhook" && ch.Status == "delivered" {
						return true
					}
				}
			}
			return false
		})
		if len(calls) != 0 {
			t.Errorf("%d calls too many", len(calls))
		}
	})
}
