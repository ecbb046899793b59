package e2e

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// An export has everything that is the user's, from whichever service keeps it, and nothing of anybody else's.
func TestExport(t *testing.T) {
	scenario(t, func(t *testing.T, w *world) {
		ada, bob := w.user("Ada", "Europe/Berlin"), w.user("Bob", "UTC")
		bob.create(object{"title": "Bob's own"})
		late := ada.create(object{"title": "Late", "due_date": "2020-01-01", "tags": []string{"home"}})
		gone := ada.create(object{"title": "Gone"})
		ada.do("DELETE", gone.path(), nil).want(204)
		many := make([]object, 200) // more than a page of history
		for i := range many {
			many[i] = object{"op": "create", "body": object{"title": "One of many"}}
		}
		ada.post("/api/tasks/batch", object{"changes": many}).want(200)
		ada.post("/api/filters", object{"name": "At home", "query": object{"tag": []string{"home"}}}).want(201)
		ada.audited(203)
		told := ada.notified(late)

		a := ada.get("/api/me/export").want(200)
		var all struct {
			Format   int    `json:"docket_export"`
			User     string `json:"user"`
			TimeZone string `json:"time_zone"`
			Settings user   `json:"settings"`
			Filters  []savedFilter
			Tokens   []struct{ Name string }
			Tasks    []item
			History  []auditEntry
			Inbox    []struct {
				ID string `json:"notification_id"`
			} `json:"notifications"`
		}
		a.into(&all)
		if all.Format != 1 || all.User != ada.name || all.TimeZone != "Europe/Berlin" || all.Settings.ID != ada.id {
			t.Errorf("the head is %+v", all)
		}
		if len(all.Filters) != 1 || len(all.Tokens) != 1 || len(all.Tasks) != 202 || len(all.History) != 203 || len(all.Inbox) != 1 {
			t.Fatalf("%d filters, %d tokens, %d tasks, %d events, %d notifications", len(all.Filters), len(all.Tokens), len(all.Tasks), len(all.History), len(all.Inbox))
		}
		if all.Tasks[0].ID != late.ID || all.Tasks[1].ID != gone.ID || all.History[0].ListVersion != 203 || all.History[202].ListVersion != 1 || all.Inbox[0].ID != told.ID {
			t.Errorf("%+v, %+v, %d to %d", all.Tasks[:2], all.Inbox, all.History[202].ListVersion, all.History[0].ListVersion)
		}
		if !bytes.Contains(a.body, []byte(`"connections":[]`)) {
			t.Error("the export does not say how else its user signs in")
		}
		if bytes.Contains(a.body, []byte("Bob")) || !json.Valid(a.body) {
			t.Error("the export has something of Bob's, or is no JSON")
		}
		if got := a.header.Get("Content-Disposition"); got != `attachment; filename="docket.json"` {
			t.Errorf("Content-Disposition %q", got)
		}

		calendar := string(ada.get("/api/me/export?format=ical").want(200).body)
		if !strings.HasPrefix(calendar, "BEGIN:VCALENDAR\r\n") || strings.Count(calendar, "BEGIN:VTODO") != 201 || !strings.Contains(calendar, "UID:"+late.ID+"\r\n") {
			t.Errorf("calendar: %s…", calendar[:min(len(calendar), 2000)])
		}
		ada.get("/api/me/export?format=xml").want(400).problem()
	})
}
