package e2e

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Every combination of search, filters, order and page size finds what going through all tasks one by one finds.
//
// [Task]: T057, T058
func TestQueriesAgainstModel(t *testing.T) {
	scenario(t, func(t *testing.T, w *world) {
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		rnd := rand.New(rand.NewPCG(seed, 0))
		c := w.user("Ada", "Europe/Berlin")
		zone, err := time.LoadLocation("Europe/Berlin")
		if err != nil {
			t.Fatal(err)
		}
		m := model{tasks: c.randomTasks(rnd, 300), zone: zone}
		for range 150 {
			q := randomQuery(rnd)
			want := m.find(q)
			var got []string
			for _, page := range c.pages("/api/tasks?" + q.Encode()) {
				if total := page.header.Get("X-Total-Count"); total != strconv.Itoa(len(want)) {
					t.Errorf("%s: X-Total-Count %s, want %d", page.what, total, len(want))
				}
				var items []item
				page.into(&items)
				for _, i := range items {
					got = append(got, i.ID)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s:\n got %v\nwant %v", q.Encode(), m.titles(got), m.titles(want))
			}
		}
	})
}

var (
	words = []string{"Rent", "rent", "Äpfel", "äpfel", "Straße", "call", "CALL", "Grace", "milk", "100%", "a&b=c", "q+r"}
	names = []string{"home", "Home", "work", "Ärzte", "ärzte", "urgent"}
	ranks = []string{"low", "medium", "high"}
)

func pick[T any](rnd *rand.Rand, from []T) T { return from[rnd.IntN(len(from))] }

// randomDue is a date in one of the three forms, never at midnight: a date and the end of its day then differ.
func randomDue(rnd *rand.Rand) string {
	day := time.Date(2030, 3, 20+rnd.IntN(20), 1+rnd.IntN(22), rnd.IntN(60), 1+rnd.IntN(59), 0, time.UTC)
	return day.Format(pick(rnd, []string{"2006-01-02", "2006-01-02T15:04:05", "2006-01-02T15:04:05Z", "2006-01-02T15:04:05-07:00"}))
}

// randomTasks creates n tasks in batches, changes, completes and deletes some, and returns all as they are then.
func (c *client) randomTasks(rnd *rand.Rand, n int) []item {
	c.t.Helper()
	var all []item
	for len(all) < n {
		changes := make([]object, min(100, n-len(all)))
		for i := range changes {
			body := object{"title": pick(rnd, words) + " " + pick(rnd, words), "priority": pick(rnd, ranks), "reminder_minutes": []int{}}
			if rnd.IntN(3) > 0 {
				body["due_date"] = randomDue(rnd)
			}
			if rnd.IntN(2) > 0 {
				body["tags"] = []string{pick(rnd, names), pick(rnd, names)}
			}
			if rnd.IntN(4) == 0 {
				body["description"] = "see " + pick(rnd, words)
			}
			changes[i] = object{"op": "create", "body": body}
		}
		all = append(all, c.batch(changes)...)
	}
	var more []object
	for _, i := range all {
		switch rnd.IntN(8) {
		case 0:
			more = append(more, object{"op": "complete", "id": i.ID})
		case 1:
			more = append(more, object{"op": "delete", "id": i.ID})
		case 2:
			more = append(more, object{"op": "update", "id": i.ID, "body": object{"title": i.Title + "!"}})
		}
	}
	c.batch(more)
	for n := range all {
		all[n] = c.task(all[n].ID)
	}
	return all
}

// batch carries out changes, all of which must succeed, and returns their tasks.
func (c *client) batch(changes []object) (tasks []item) {
	c.t.Helper()
	var out struct {
		Results []struct {
			Status int  `json:"status"`
			Task   item `json:"task"`
		} `json:"results"`
	}
	a := c.post("/api/tasks/batch", object{"changes": changes}).want(200)
	a.into(&out)
	for n, r := range out.Results {
		if r.Status >= 300 {
			c.t.Fatalf("change %d: %s", n, short(a.body))
		}
		tasks = append(tasks, r.Task)
	}
	return tasks
}

func randomQuery(rnd *rand.Rand) url.Values {
	q := url.Values{"limit": {strconv.Itoa(1 + rnd.IntN(200))}}
	maybe := func(name string, value func() string) {
		if rnd.IntN(3) == 0 {
			q.Add(name, value())
		}
	}
	maybe("search", func() string {
		return pick(rnd, []string{"RENT", "äPF", "straSSe", "Straß", "l c", "0%", "b=", "+", "nothing"})
	})
	for range 2 {
		maybe("priority", func() string { return pick(rnd, ranks) })
		maybe("tag", func() string { return strings.ToUpper(pick(rnd, names)) })
		maybe("status", func() string { return pick(rnd, []string{"pending", "completed", "deleted"}) })
	}
	maybe("due_before", func() string { return randomDue(rnd) })
	maybe("due_after", func() string { return randomDue(rnd) })
	maybe("sort_by", func() string { return pick(rnd, []string{"created_at", "updated_at", "due_date", "priority", "title"}) })
	maybe("sort_order", func() string { return pick(rnd, []string{"asc", "desc"}) })
	return q
}

// model answers queries the slow and obvious way.
type model struct {
	tasks []item
	zone  *time.Location
}

// instants are the first and the last moment that a due date stands for.
func (m model) instants(due string) (first, last time.Time) {
	if day, err := time.ParseInLocation("2006-01-02", due, m.zone); err == nil {
		return day, day.AddDate(0, 0, 1).Add(-time.Nanosecond)
	}
	at, err := time.Parse(time.RFC3339, due)
	if err != nil {
		if at, err = time.ParseInLocation("2006-01-02T15:04:05", due, m.zone); err != nil {
			panic(fmt.Sprintf("due date %q: %v", due, err)) // ours
		}
	}
	return at, at
}

func (m model) matches(i item, q url.Values) bool {
	contains := func(s string) bool { return strings.Contains(strings.ToLower(s), strings.ToLower(q.Get("search"))) }
	if !contains(i.Title) && !contains(i.Description) || q.Has("priority") && !slices.Contains(q["priority"], i.Priority) {
		return false
	}
	for _, want := range q["tag"] {
		if !slices.ContainsFunc(i.Tags, func(tag string) bool { return strings.EqualFold(tag, want) }) {
			return false
		}
	}
	if q.Has("status") && !slices.Contains(q["status"], i.Status) || !q.Has("status") && i.Status == "deleted" {
		return false
	}
	if !q.Has("due_before") && !q.Has("due_after") {
		return true
	}
	if i.DueDate == nil {
		return false
	}
	_, due := m.instants(*i.DueDate)
	if q.Has("due_before") {
		if first, _ := m.instants(q.Get("due_before")); !due.Before(first) {
			return false
		}
	}
	if q.Has("due_after") {
		if _, last := m.instants(q.Get("due_after")); !due.After(last) {
			return false
		}
	}
	return true
}

// find returns the ids of what the query finds, in order.
func (m model) find(q url.Values) (ids []string) {
	by := cmp.Or(q.Get("sort_by"), "created_at")
	desc := q.Get("sort_order") == "desc" || !q.Has("sort_order") && by != "due_date" && by != "title"
	var found []item
	for _, i := range m.tasks {
		if m.matches(i, q) {
			found = append(found, i)
		}
	}
	slices.SortFunc(found, func(a, b item) int {
		if by == "due_date" && (a.DueDate == nil) != (b.DueDate == nil) {
			if a.DueDate == nil { // last in both directions
				return 1
			}
			return -1
		}
		order := cmp.Or(m.compare(by, a, b), a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
		if desc {
			return -order
		}
		return order
	})
	for _, i := range found {
		ids = append(ids, i.ID)
	}
	return ids
}

func (m model) compare(by string, a, b item) int {
	switch by {
	case "updated_at":
		return a.UpdatedAt.Compare(b.UpdatedAt)
	case "priority":
		return cmp.Compare(slices.Index(ranks, a.Priority), slices.Index(ranks, b.Priority))
	case "title":
		return strings.Compare(strings.ToLower(a.Title), strings.ToLower(b.Title))
	case "due_date":
		if a.DueDate == nil || b.DueDate == nil {
			return 0
		}
		_, x := m.instants(*a.DueDate)
		_, y := m.instants(*b.DueDate)
		return x.Compare(y)
	}
	return 0
}

// titles names tasks for messages.
func (m model) titles(ids []string) (out []string) {
	for _, id := range ids {
		n := slices.IndexFunc(m.tasks, func(i item) bool { return i.ID == id })
		if n < 0 {
			out = append(out, "unknown "+id)
			continue
		}
		out = append(out, m.tasks[n].Title)
	}
	return out
}

// A part of a quick text that the user has taken back stays title, when it is explained and when it is saved.
//
// [Task]: T028
func TestQuickPlain(t *testing.T) {
	scenario(t, func(t *testing.T, w *world) {
		c := w.user("Ada", "Europe/Berlin")
		text := object{"quick": "Watch The Day After Tomorrow on friday #films", "plain": []string{"on friday"}}
		var parsed struct {
			Title string   `json:"title"`
			Due   string   `json:"due_date"`
			Tags  []string `json:"tags"`
		}
		c.post("/api/tasks/parse", text).want(200).into(&parsed)
		i := c.create(text)
		if parsed.Title != "Watch The Day After Tomorrow on friday" || parsed.Due != "" || i.Title != parsed.Title || i.DueDate != nil || i.Tags[0] != "films" {
			t.Errorf("explained %+v, saved %+v", parsed, i)
		}
		c.post("/api/tasks/batch", object{"changes": []object{{"op": "create", "body": text}}}).want(200)
		if all := c.list("search=on+friday"); len(all) != 2 {
			t.Errorf("saved: %+v", all)
		}
		if p := c.post("/api/tasks", object{"title": "x", "plain": []string{"x"}}).want(400).problem(); !p.names("plain") {
			t.Errorf("plain without quick: %+v", p)
		}
	})
}
