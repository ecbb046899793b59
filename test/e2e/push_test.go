package e2e

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"testing"

	"github.com/docket-tasks/docket/test/pushservice"
)

// A browser that has subscribed is told of a reminder by its push service, and one that is gone is forgotten; both are
// told in the inbox.
//
// [Task]: T052
func TestWebPush(t *testing.T) {
	scenarioAlone(t, func(t *testing.T, w *world) {
		service := new(pushservice.Service)
		server := httptest.NewServer(service)
		defer server.Close()
		c, bob := w.user("Ada", "Europe/Berlin"), w.user("Bob", "UTC")
		var key struct {
			Key string `json:"key"`
		}
		c.get("/api/push/key").want(200).into(&key)
		type made struct {
			ID   string `json:"id"`
			Name string `json:"name"`
		}
		subscribe := func(name string) (pushservice.Subscription, made) {
			sub, err := service.Subscribe(server.URL, key.Key)
			if err != nil {
				t.Fatal(err)
			}
			var m made
			c.do("PUT", "/api/push/subscriptions", object{"endpoint": sub.Endpoint, "keys": sub.Keys, "expirationTime": nil, "name": name}).want(200).into(&m)
			return sub, m
		}
		phone, phoneMade := subscribe("phone")
		old, oldMade := subscribe("old phone")
		if err := service.Answer(old.ID(), pushservice.Answer{Status: 410}); err != nil {
			t.Fatal(err)
		}
		w.kill(t) // subscriptions and the key outlive it
		w.start(t)
		i := c.create(object{"title": "Ring the bell", "due_date": "2020-01-01"})
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		messages, err := service.Messages(ctx, phone.ID(), 0)
		if err != nil || len(messages) == 0 {
			t.Fatalf("no message: %v", err)
		}
		var body struct {
			NotificationID string `json:"notification_id"`
			TaskID         string `json:"task_id"`
			Title          string `json:"title"`
			Message        string `json:"message"`
		}
		if err := json.Unmarshal([]byte(messages[0].Payload), &body); err != nil || body.TaskID != i.ID || body.Title != "Ring the bell" || body.Message == "" {
			t.Errorf("message %s, %v", messages[0].Payload, err)
		}
		c.do("POST", "/api/notifications/"+body.NotificationID+"/snooze", object{"minutes": 10}).want(202) // as the browser's notification offers
		want := map[string]string{phoneMade.ID: "delivered", oldMade.ID: "failed"}
		eventually(t, "both outcomes in the inbox", func() bool {
			got := 0
			for _, ch := range c.notified(i).Channels {
				if ch.Channel == "push" && want[ch.Target] == ch.Status {
					got++
				}
			}
			return got == len(want)
		})
		var left []made
		c.get("/api/push/subscriptions").want(200).into(&left)
		if len(left) != 1 || left[0] != phoneMade {
			t.Errorf("subscribed: %+v, want %+v", left, phoneMade)
		}
		bob.do("DELETE", "/api/push/subscriptions/"+phoneMade.ID, nil).want(404).problem()
		c.do("DELETE", "/api/push/subscriptions/"+phoneMade.ID, nil).want(204)
		if p := c.do("PUT", "/api/push/subscriptions", object{"endpoint": phone.Endpoint, "keys": object{"p256dh": "x", "auth": "y"}}).want(400).problem(); !p.names("keys.p256dh") || !p.names("keys.auth") {
			t.Errorf("bad keys: %+v", p)
		}
	})
}
