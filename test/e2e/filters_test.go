package e2e

import (
	"testing"
)

// savedFilter is a saved filter as the API shows it.
type savedFilter struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Query object `json:"query"`
}

// A filter saved in one tab is there in another, which hears of it; the order is the user's; all of it outlives a kill.
//
// [Task]: T062
func TestSavedFilters(t *testing.T) {
	scenarioAlone(t, func(t *testing.T, w *world) {
		c, bob := w.user("Ada", "Europe/Berlin"), w.user("Bob", "UTC")
		other := c.listen("")
		var home, late savedFilter
		body := object{"name": "At home", "query": object{"tag": []string{"home"}, "due_before": "today+7", "sort_by": "due_date"}}
		c.post("/api/filters", body, "Idempotency-Key", "one").want(201).into(&home)
		c.post("/api/filters", body, "Idempotency-Key", "one").want(201)
		c.post("/api/filters", object{"name": "Late", "query": object{"due_before": "today"}}).want(201).into(&late)
		f := other.await(func(f frame) bool { return f.Type == "filters" && f.FiltersVersion == 2 })
		a := c.get("/api/filters").want(200)
		if tag := a.header.Get("ETag"); tag != quoted(f.FiltersVersion) {
			t.Errorf("filters are at %s, the frame says %d", tag, f.FiltersVersion)
		}
		c.get("/api/filters", "If-None-Match", quoted(f.FiltersVersion)).want(304)
		c.do("PUT", "/api/filters/order", object{"ids": []string{late.ID, home.ID}}).want(200)
		c.do("PATCH", "/api/filters/"+late.ID, object{"name": "Overdue"}, "If-Match", quoted(2)).want(412)
		c.do("PATCH", "/api/filters/"+late.ID, object{"name": "Overdue"}, "If-Match", quoted(3)).want(200)
		c.get("/api/filters/" + home.ID).want(200)

		w.kill(t)
		w.start(t)
		var all []savedFilter
		c.get("/api/filters").want(200).into(&all)
		if len(all) != 2 || all[0].Name != "Overdue" || all[1].ID != home.ID || all[1].Query["due_before"] != "today+7" {
			t.Errorf("after a kill: %+v", all)
		}
		bob.get("/api/filters/" + home.ID).want(404).problem()
		bob.do("DELETE", "/api/filters/"+home.ID, nil).want(404)
		c.do("DELETE", "/api/filters/"+home.ID, nil).want(204)
		c.do("DELETE", "/api/filters/"+home.ID, nil).want(404)
		p := c.post("/api/filters", object{"name": "x", "query": object{"priority": []string{"urgent"}}}).want(400).problem()
		if !p.names("query.priority") {
			t.Errorf("a bad query: %+v", p)
		}
		if f := c.listen("").seen[0]; f.FiltersVersion != 5 {
			t.Errorf("hello says filters %d, want 5", f.FiltersVersion)
		}
	})
}
