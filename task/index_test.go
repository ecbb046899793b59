package task

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// Tests of filters, orders, search and paging.
//
// [Task]: T063

// berlin has a short and a long day at the ends of the due dates that anyDue draws.
func berlin(t testing.TB) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// model is the index written down naively: it looks at every task and sorts for every query.
type model struct {
	zone  *time.Location
	tasks map[string]Task
}

// dueAt is the last moment at which t is not overdue.
func (m model) dueAt(t Task) time.Time {
	if t.DueDate.Form() == DueDateOnly {
		return t.DueDate.Instant(m.zone).Add(-time.Nanosecond)
	}
	return t.DueDate.Instant(m.zone)
}

func (m model) matches(t Task, q Query) bool {
	statuses := q.Statuses
	if statuses == nil {
		statuses = []Status{Pending, Completed}
	}
	if !slices.Contains(statuses, t.Status) || q.Priorities != nil && !slices.Contains(q.Priorities, t.Priority) {
		return false
	}
	for _, want := range q.Tags {
		if !slices.ContainsFunc(t.Tags, func(tag string) bool { return strings.EqualFold(tag, want) }) {
			return false
		}
	}
	if !containsFold(t.Title, q.Search) && !containsFold(t.Description, q.Search) {
		return false
	}
	if (!q.DueBefore.IsZero() || !q.DueAfter.IsZero()) && t.DueDate.IsZero() {
		return false
	}
	if !q.DueBefore.IsZero() {
		begin := q.DueBefore.Instant(m.zone)
		if q.DueBefore.Form() == DueDateOnly {
			midnight, err := time.ParseInLocation(time.DateOnly, q.DueBefore.String(), m.zone)
			if err != nil {
				panic(err)
			}
			begin = midnight
		}
		if !m.dueAt(t).Before(begin) {
			return false
		}
	}
	if !q.DueAfter.IsZero() {
		end := q.DueAfter.Instant(m.zone)
		if q.DueAfter.Form() == DueDateOnly {
			end = end.Add(-time.Nanosecond)
		}
		return m.dueAt(t).After(end)
	}
	return true
}

// containsFold compares every stretch of s with text.
func containsFold(s, text string) bool {
	runes, n := []rune(s), len([]rune(text))
	for i := 0; i+n <= len(runes); i++ {
		if strings.EqualFold(string(runes[i:i+n]), text) {
			return true
		}
	}
	return false
}

func (m model) compare(a, b Task, q Query) int {
	var c int
	switch q.SortBy {
	case ByUpdated:
		c = a.UpdatedAt.Compare(b.UpdatedAt.Time)
	case ByDue:
		if a.DueDate.IsZero() != b.DueDate.IsZero() {
			if a.DueDate.IsZero() {
				return 1
			}
			return -1
		}
		c = m.dueAt(a).Compare(m.dueAt(b))
	case ByPriority:
		ranks := map[Priority]int{Low: 0, Medium: 1, High: 2}
		c = ranks[a.Priority] - ranks[b.Priority]
	case ByTitle:
		c = strings.Compare(fold(a.Title), fold(b.Title))
	}
	if c == 0 {
		c = a.CreatedAt.Compare(b.CreatedAt.Time)
	}
	if c == 0 {
		c = strings.Compare(a.ID, b.ID)
	}
	if q.Desc {
		return -c
	}
	return c
}

// find returns the documents of all that match, in order.
func (m model) find(q Query) []string {
	var found []Task
	for _, t := range m.tasks {
		if m.matches(t, q) {
			found = append(found, t)
		}
	}
	slices.SortFunc(found, func(a, b Task) int { return m.compare(a, b, q) })
	docs := []string{}
	for _, t := range found {
		docs = append(docs, docOf(t))
	}
	return docs
}

func docOf(t Task) string { return fmt.Sprintf("%s v%d", t.ID, t.Version) }

// all pages through a query to its end.
func all(t interface{ Fatalf(string, ...any) }, x *Index, q Query) []string {
	docs := []string{}
	for {
		page, err := x.Find(q)
		if err != nil {
			t.Fatalf("find: %v", err)
		}
		for _, doc := range page.Docs {
			docs = append(docs, string(doc))
		}
		if page.Next == "" {
			if page.Total != len(docs) {
				t.Fatalf("total %d, but %d on the pages of %+v", page.Total, len(docs), q)
			}
			return docs
		}
		if len(docs) > x.Len() {
			t.Fatalf("more tasks on the pages of %+v than there are", q)
		}
		if len(page.Docs) != q.Limit {
			t.Fatalf("%d tasks on a page of %d", len(page.Docs), q.Limit)
		}
		q.Cursor = page.Next
	}
}

var samples = []string{"Milch", "milch", "MILK", "Käse", "KÄSE", "ſüß", "a", "b", "", "x y", "Straße"}

func listedTask(rt *rapid.T, id string, version int64) Task {
	word := rapid.SampledFrom(samples)
	moment := rapid.Custom(func(rt *rapid.T) Time { return At(time.Unix(rapid.Int64Range(0, 5).Draw(rt, "s"), 0)) })
	return Task{
		ID: id, Version: version, Title: word.Draw(rt, "title") + word.Draw(rt, "title"), Description: word.Draw(rt, "description"),
		Status:   rapid.SampledFrom([]Status{Pending, Pending, Completed, Deleted}).Draw(rt, "status"),
		Priority: rapid.SampledFrom([]Priority{High, Medium, Low}).Draw(rt, "priority"),
		DueDate:  anyDue(rt, "due"), Tags: rapid.SliceOfN(rapid.SampledFrom(samples[:6]), 0, 3).Draw(rt, "tags"),
		CreatedAt: moment.Draw(rt, "created"), UpdatedAt: moment.Draw(rt, "updated"),
	}
}

func anyQuery(rt *rapid.T) Query {
	few := func(label string, p int) bool { return rapid.IntRange(0, p).Draw(rt, label) == 0 }
	q := Query{
		SortBy: rapid.SampledFrom(sortKeys[:]).Draw(rt, "sort_by"), Desc: rapid.Bool().Draw(rt, "desc"),
		Limit: rapid.IntRange(1, 7).Draw(rt, "limit"),
	}
	if few("search?", 3) {
		q.Search = rapid.SampledFrom([]string{"m", "milch", "ä", "s", "ilk", "x y", "aa", "hm", "Eb", "nothing"}).Draw(rt, "search")
	}
	if few("status?", 2) {
		q.Statuses = rapid.SliceOfN(rapid.SampledFrom([]Status{Pending, Completed, Deleted}), 1, 3).Draw(rt, "statuses")
	}
	if few("priority?", 3) {
		q.Priorities = rapid.SliceOfN(rapid.SampledFrom([]Priority{High, Medium, Low}), 1, 2).Draw(rt, "priorities")
	}
	if few("tag?", 3) {
		q.Tags = rapid.SliceOfN(rapid.SampledFrom(append(samples[:6:6], "none")), 1, 2).Draw(rt, "tags")
	}
	if few("before?", 3) {
		q.DueBefore = anyDue(rt, "due_before")
	}
	if few("after?", 3) {
		q.DueAfter = anyDue(rt, "due_after")
	}
	return q
}

// TestIndexIsTheModel makes random changes and holds every answer, through all its pages, to the model's.
func TestIndexIsTheModel(t *testing.T) {
	zone := berlin(t)
	rapid.Check(t, func(rt *rapid.T) {
		x, m := NewIndex(zone), model{zone, map[string]Task{}}
		put := func(task Task) {
			x.Put(task, []byte(docOf(task)))
			if task.Version > m.tasks[task.ID].Version {
				m.tasks[task.ID] = task
			}
		}
		id := func(rt *rapid.T) string { return fmt.Sprint("t", rapid.IntRange(0, 40).Draw(rt, "id")) }
		rt.Repeat(map[string]func(*rapid.T){
			"put": func(rt *rapid.T) { put(listedTask(rt, id(rt), rapid.Int64Range(1, 4).Draw(rt, "version"))) },
			"remove": func(rt *rapid.T) {
				gone := id(rt)
				x.Remove(gone)
				delete(m.tasks, gone)
			},
			"load": func(rt *rapid.T) {
				var tasks []Task
				var docs [][]byte
				for i := range rapid.IntRange(1, 80).Draw(rt, "n") {
					task := listedTask(rt, fmt.Sprint("t", i), rapid.Int64Range(1, 6).Draw(rt, "version"))
					tasks, docs = append(tasks, task), append(docs, []byte(docOf(task)))
					if task.Version > m.tasks[task.ID].Version {
						m.tasks[task.ID] = task
					}
				}
				x.Load(tasks, docs)
			},
			"find": func(rt *rapid.T) {
				q := anyQuery(rt)
				if diff := cmp.Diff(m.find(q), all(rt, x, q)); diff != "" {
					rt.Fatalf("%+v: want -, got +\n%s", q, diff)
				}
			},
			"tags": func(rt *rapid.T) {
				want := map[string]int{}
				for _, task := range m.tasks {
					if task.Status == Deleted {
						continue
					}
					once := map[string]bool{}
					for _, tag := range task.Tags {
						once[FoldTag(tag)] = true
					}
					for tag := range once {
						want[tag]++
					}
				}
				if diff := cmp.Diff(want, x.TagCounts()); diff != "" {
					rt.Fatalf("tags: want -, got +\n%s", diff)
				}
			},
			"": func(rt *rapid.T) {
				if x.Len() != len(m.tasks) {
					rt.Fatalf("%d tasks, want %d", x.Len(), len(m.tasks))
				}
				for id, task := range m.tasks {
					if version, doc, ok := x.Get(id); !ok || version != task.Version || string(doc) != docOf(task) {
						rt.Fatalf("%s: version %d, %s, %v; want %s", id, version, doc, ok, docOf(task))
					}
				}
			},
		})
	})
}

// bigList returns n tasks whose features are spread as in a real list, and their documents. The seed makes it the
// same each time.
func bigList(n int) ([]Task, [][]byte) {
	state := uint64(1)
	roll := func(n int) int {
		state = state*6364136223846793005 + 1442695040888963407
		return int(state>>33) % n
	}
	lexicon := strings.Fields("the report for Anna meeting buy milk Bread call dentist about tax return 2025 pay rent write a letter to " +
		"Jürgen clean kitchen fix bicycle plan Holiday in Österreich book flight renew passport review budget send invoice number")
	sentence := func(least, most int) string {
		var parts []string
		for range least + roll(most-least) {
			parts = append(parts, lexicon[roll(len(lexicon))])
		}
		return strings.Join(parts, " ")
	}
	tasks, docs := make([]Task, n), make([][]byte, n)
	for i := range tasks {
		task := Task{
			ID: fmt.Sprintf("01990f6e-7c1a-7bbb-8000-%012x", i), CreatedBy: "01990f6e-7c1a-7bbb-8000-000000000001", Version: 1,
			Title: sentence(2, 7), Description: sentence(0, 30), Status: []Status{Pending, Completed, Completed, Pending, Deleted}[roll(5)],
			Priority: []Priority{High, Medium, Low}[roll(3)], Tags: []string{fmt.Sprint("project", roll(n/50+1)), fmt.Sprint("Area", roll(10))},
			CreatedAt: At(time.Unix(1.7e9+int64(i)*60, 0)), UpdatedAt: At(time.Unix(1.7e9+int64(roll(n*60)), 0)),
			ReminderMinutes: []int{30},
		}
		if roll(4) > 0 {
			task.DueDate, _ = ParseDue(time.Unix(1.7e9+int64(roll(3e7)), 0).UTC().Format([]string{dateLayout, localLayout, time.RFC3339}[roll(3)]))
		}
		tasks[i], docs[i] = task, Encode(task)
	}
	return tasks, docs
}

// TestLargeIndexIsTheModel covers what small lists do not reach: dense postings, bitmaps of many words, walking,
// slots that are used again.
func TestLargeIndexIsTheModel(t *testing.T) {
	zone := berlin(t)
	tasks, docs := bigList(6000)
	x, m := NewIndex(zone), model{zone, map[string]Task{}}
	for i := range tasks {
		docs[i] = []byte(docOf(tasks[i]))
	}
	x.Load(tasks, docs)
	for _, task := range tasks {
		m.tasks[task.ID] = task
	}
	check := func() {
		t.Helper()
		for _, q := range largeQueries(t) {
			q.Limit = 150
			if diff := cmp.Diff(m.find(q), all(t, x, q)); diff != "" {
				t.Errorf("%+v: want -, got +\n%s", q, diff)
			}
		}
	}
	check()
	for i, task := range tasks { // most change, some go
		switch i % 7 {
		case 0:
			x.Remove(task.ID)
			delete(m.tasks, task.ID)
		case 1:
		default:
			other := tasks[(i*31+17)%len(tasks)]
			task.Version, task.Title, task.Description, task.Tags, task.DueDate = 2, other.Title, other.Description+" changed", other.Tags, other.DueDate
			x.Put(task, []byte(docOf(task)))
			m.tasks[task.ID] = task
		}
	}
	check()
	for _, id := range slices.Collect(maps.Keys(m.tasks)) {
		x.Remove(id)
	}
	if x.Len() != 0 || len(x.tags) != 0 || x.docs != 0 || x.texts != 0 || x.tagUses != 0 || x.words.unused != len(x.words.postings) || len(x.order(0)) != 0 {
		t.Errorf("an emptied index holds %d tasks, %d tags, %d bytes, %d uses", x.Len(), len(x.tags), x.docs, x.tagUses)
	}
}

func largeQueries(t testing.TB) []Query {
	t.Helper()
	from, err1 := ParseDue("2023-12-24")
	to, err2 := ParseDue("2024-08-01T12:00:00Z")
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	queries := []Query{
		{SortBy: ByDue, Search: "ÖSTER"}, {SortBy: ByDue, Search: "e"}, {SortBy: ByDue, Search: "nn"}, {SortBy: ByDue, Search: "g dentist re"},
		{SortBy: ByDue, Search: "milk bread", Tags: []string{"AREA3"}},
		{SortBy: ByTitle, Tags: []string{"area1"}, Priorities: []Priority{High}}, {SortBy: ByTitle, Tags: []string{"project7", "area1"}},
		{SortBy: ByUpdated, DueAfter: from, Desc: true}, {SortBy: ByCreated, DueBefore: to}, {SortBy: ByDue, DueAfter: from, DueBefore: to},
		{SortBy: ByPriority, DueBefore: to, Tags: []string{"area2"}, Desc: true}, {SortBy: ByDue, Statuses: []Status{Deleted}, Desc: true},
	}
	for _, by := range sortKeys {
		queries = append(queries, Query{SortBy: by}, Query{SortBy: by, Desc: true})
	}
	return queries
}

func TestSearchDoesNotCrossBorders(t *testing.T) {
	x := NewIndex(time.UTC)
	x.Put(Task{ID: "a", Version: 1, Status: Pending, Title: "ab", Description: "cd"}, []byte("a"))
	x.Put(Task{ID: "b", Version: 1, Status: Pending, Title: "ef", Description: "CD"}, []byte("b"))
	for search, want := range map[string]int{"ab": 1, "cd": 2, "bc": 0, "de": 0, " Cd ": 2, "f": 1, "": 2} {
		if page, err := x.Find(Query{Search: search}); err != nil || page.Total != want {
			t.Errorf("%q: %d found, %v; want %d", search, page.Total, err, want)
		}
	}
}

func TestDatesStandForTheirWholeDay(t *testing.T) {
	x := NewIndex(berlin(t))
	for _, s := range []string{
		"2026-03-28", "2026-03-29", "2026-03-29T00:00:00", "2026-03-28T23:59:59", "2026-03-29T23:59:59", "2026-03-30T00:00:00",
		"2026-03-29T00:00:00+01:00", "2026-03-29T22:00:00Z", "2026-03-30", "",
	} {
		var due Due
		if s != "" {
			var err error
			if due, err = ParseDue(s); err != nil {
				t.Fatal(err)
			}
		}
		x.Put(Task{ID: "due " + s, Version: 1, Status: Pending, DueDate: due}, []byte(s))
	}
	day, err := ParseDue("2026-03-29")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		query Query
		want  []string
	}{
		{Query{DueBefore: day}, []string{"2026-03-28T23:59:59", "2026-03-28"}},
		{Query{DueAfter: day}, []string{"2026-03-29T22:00:00Z", "2026-03-30T00:00:00", "2026-03-30"}},
		{Query{}, []string{
			"2026-03-28T23:59:59", "2026-03-28", "2026-03-29T00:00:00", "2026-03-29T00:00:00+01:00", "2026-03-29T23:59:59", "2026-03-29",
			"2026-03-29T22:00:00Z", "2026-03-30T00:00:00", "2026-03-30", "",
		}},
	} {
		c.query.SortBy, c.query.Limit = ByDue, 50
		if diff := cmp.Diff(c.want, all(t, x, c.query)); diff != "" {
			t.Errorf("%+v: want -, got +\n%s", c.query, diff)
		}
		c.query.Desc = true
		if got := all(t, x, c.query); c.query.DueBefore.IsZero() && c.query.DueAfter.IsZero() && (got[0] != "2026-03-30" || got[9] != "") {
			t.Errorf("descending: %q", got)
		}
	}
}

// TestPagesSurviveChanges reads a list page by page while tasks come, go and change: what stays as it is is seen
// exactly once.
func TestPagesSurviveChanges(t *testing.T) {
	for _, by := range sortKeys {
		tasks, docs := bigList(1000)
		x := NewIndex(time.UTC)
		x.Load(tasks, docs)
		seen := map[string]int{}
		q := Query{SortBy: by, Limit: 20, Statuses: []Status{Pending, Completed, Deleted}}
		for i := 0; ; i++ {
			page, err := x.Find(q)
			if err != nil {
				t.Fatal(err)
			}
			for _, doc := range page.Docs {
				task, err := Decode(doc)
				if err != nil {
					t.Fatal(err)
				}
				seen[task.ID]++
			}
			if page.Next == "" {
				break
			}
			last, err := Decode(page.Docs[len(page.Docs)-1])
			if err != nil {
				t.Fatal(err)
			}
			x.Remove(last.ID) // the cursor's own task
			fresh := tasks[i]
			fresh.ID = fmt.Sprint("new", i)
			x.Put(fresh, Encode(fresh))
			q.Cursor = page.Next
		}
		for _, task := range tasks {
			if seen[task.ID] != 1 {
				t.Errorf("by %s: %s seen %d times", by, task.ID, seen[task.ID])
			}
		}
	}
}

func TestCursorOfAnotherQueryIsRefused(t *testing.T) {
	tasks, docs := bigList(100)
	x := NewIndex(time.UTC)
	x.Load(tasks, docs)
	base := Query{SortBy: ByTitle, Limit: 5, Tags: []string{"area1", "x"}[:1]}
	page, err := x.Find(base)
	if err != nil || page.Next == "" {
		t.Fatal(page, err)
	}
	due, err := ParseDue("2026-01-01")
	if err != nil {
		t.Fatal(err)
	}
	same := base
	same.Limit, same.Tags, same.Statuses, same.Cursor = 7, []string{"AREA1", "Area1"}, []Status{Completed, Pending}, page.Next
	if _, err := x.Find(same); err != nil {
		t.Errorf("the same query in other words: %v", err)
	}
	for name, change := range map[string]func(*Query){
		"search": func(q *Query) { q.Search = "a" }, "priority": func(q *Query) { q.Priorities = []Priority{High} },
		"tag": func(q *Query) { q.Tags = nil }, "status": func(q *Query) { q.Statuses = []Status{Pending} },
		"due_before": func(q *Query) { q.DueBefore = due }, "due_after": func(q *Query) { q.DueAfter = due },
		"sort_by": func(q *Query) { q.SortBy = ByDue }, "sort_order": func(q *Query) { q.Desc = true },
		"garbage":   func(q *Query) { q.Cursor = "garbage" },
		"cut short": func(q *Query) { q.Cursor = q.Cursor[:14] },
	} {
		q := base
		q.Cursor = page.Next
		change(&q)
		_, err := x.Find(q)
		if field, detail := faultOf(t, err); field != "cursor" || detail != badCursor {
			t.Errorf("another %s: %s: %s", name, field, detail)
		}
	}
}

func TestQueriesMadeByHand(t *testing.T) {
	x := NewIndex(time.UTC)
	for field, q := range map[string]Query{"sort_by": {SortBy: "color"}, "limit": {Limit: -1}} {
		_, err := x.Find(q)
		if got, _ := faultOf(t, err); got != field {
			t.Errorf("%+v: fault in %s", q, got)
		}
	}
	if _, err := x.Find(Query{}); err != nil {
		t.Error(err)
	}
}

// TestReadersMayShare is of use with the race detector: orders are built by readers.
func TestReadersMayShare(t *testing.T) {
	tasks, docs := bigList(500)
	x := NewIndex(time.UTC)
	x.Load(tasks, docs)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for _, q := range largeQueries(t) {
				if _, err := x.Find(q); err != nil {
					t.Error(err)
				}
				x.Bytes()
			}
		})
	}
	wg.Wait()
}

func TestBytesIsAnEstimate(t *testing.T) {
	tasks, docs := bigList(2000)
	x := NewIndex(time.UTC)
	x.Load(tasks, docs)
	least := 0
	for i := range docs {
		least += len(docs[i]) + len(tasks[i].Title) + len(tasks[i].Description)
	}
	if got := x.Bytes(); got < int64(least) || got > int64(3*least) || got > math.MaxInt32 {
		t.Errorf("%d bytes, the texts alone are %d", got, least)
	}
}
