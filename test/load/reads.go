package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

const (
	readers   = 16
	longSize  = 100_000
	readTypes = 200 // different queries of a row
	// writeEvery is how many requests there are to each write.
	writeEvery = 100

	listByDue  = "list 50 by due date, 16 clients"
	listFilter = "list by tag, priority and status, by due date, 16 clients"
	searchAll  = "search title and description, 16 clients"
	longList   = "list 50 by due date, 100,000 tasks against 10,000"
	longSearch = "search, 100,000 tasks against 10,000"
)

// reads measures lists and searches.
//
// The bare loop of a list is a net/http handler that sends the same bytes: it finds the page that docket has answered in
// a map by the raw query, and answers the write in between without doing anything. Identity, filter, sort, the
// writes and their events are docket's alone.
//
// The bare loop of a search is a scan of all texts, folded beforehand, with strings.Contains, without HTTP, page or
// identity. Both are measured in processor time of the server per query, by the operating system; before that it is
// checked that both find the same number of tasks.
//
// With 100,000 tasks docket is compared with itself.
func reads(ctx context.Context, b *bench) (err error) {
	if !b.wants(listByDue, listFilter, searchAll, longList, longSearch) {
		return nil
	}
	d, err := b.docket(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.stop()) }()
	bare, err := b.bareServer(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, bare.stop()) }()
	r := &readSides{docket: d, other: bare, time: time.Duration(b.size(2000, 700)) * time.Millisecond}
	usual, err := r.list(ctx, listSize)
	if err != nil {
		return err
	}
	if err := r.searches(ctx, b, usual); err != nil { // first: it compares with the texts as they were created
		return err
	}
	if err := r.lists(ctx, b, usual); err != nil {
		return err
	}
	if !b.wants(longList, longSearch) {
		return nil
	}
	long, err := r.list(ctx, longSize)
	if err != nil {
		return err
	}
	if err := b.compare(ctx, row{work: longList, unit: "/s", least: 0.33, goal: true},
		r.rate(d.addr, long, byDue()), r.rate(d.addr, usual, byDue())); err != nil {
		return err
	}
	return b.compare(ctx, row{work: longSearch, unit: "ms CPU", least: 0.33, goal: true, less: true},
		r.searchCost(long, terms(long.tasks)), r.searchCost(usual, terms(usual.tasks)))
}

type readSides struct {
	docket *docket
	other  *process
	time   time.Duration // of one turn
}

// taskList is a user with tasks.
type taskList struct {
	user
	tasks   []draft
	writes  [][]byte // requests that each change a task, but neither the length nor the place of anything
	written atomic.Int64
}

// list makes a user with n tasks.
func (r *readSides) list(ctx context.Context, n int) (*taskList, error) {
	us, err := r.docket.users(ctx, 1)
	if err != nil {
		return nil, err
	}
	l := &taskList{user: us[0], tasks: drafts(n, uint64(n))}
	ids, err := r.docket.create(ctx, l.user, l.tasks)
	if err != nil {
		return nil, fmt.Errorf("load tasks: %w", err)
	}
	const changed = 100
	for _, to := range []func(string) string{strings.ToUpper, strings.ToLower} {
		for i := range changed {
			body, err := json.Marshal(map[string]string{"title": to(l.tasks[i].Title)})
			if err != nil {
				return nil, err
			}
			l.writes = append(l.writes, request(http.MethodPatch, "/api/tasks/"+ids[i], l.token, body))
		}
	}
	return l, r.docket.settled(ctx)
}

// byDue are queries for 50 tasks from a date on.
func byDue() []string {
	out := make([]string, readTypes)
	for i := range out {
		from := time.Date(year, 1, 1, 36*i, 0, 0, 0, time.UTC)
		out[i] = url.Values{"sort_by": {"due_date"}, "limit": {"50"}, "due_after": {from.Format(time.RFC3339)}}.Encode()
	}
	return out
}

// filtered are queries by tag, priority and status.
func filtered() []string {
	var out []string
	for n := range tagCount {
		for _, priority := range priorities {
			for _, status := range []string{"pending", "completed"} {
				out = append(out, url.Values{"sort_by": {"due_date"}, "limit": {"50"},
					"tag": {tag(n)}, "priority": {priority}, "status": {status}}.Encode())
			}
		}
	}
	return out
}

func (r *readSides) lists(ctx context.Context, b *bench, l *taskList) error {
	for _, k := range []struct {
		work    string
		queries []string
		least   float64
	}{{listByDue, byDue(), 0.5}, {listFilter, filtered(), 0.3}} {
		if !b.wants(k.work) {
			continue
		}
		pages, err := r.pages(ctx, l, k.queries)
		if err != nil {
			return err
		}
		size := 0
		for _, p := range pages {
			size += len(p)
		}
		b.progress("%s: %d pages of %d bytes on average", k.work, len(pages), size/len(pages))
		if err := post(ctx, r.other.addr, "/setup", footprintOfCreate{Answer: size / len(pages) / 50}); err != nil {
			return err
		}
		if err := post(ctx, r.other.addr, "/pages", pages); err != nil {
			return err
		}
		if err := b.compare(ctx, row{work: k.work, unit: "/s", least: k.least},
			r.rate(r.docket.addr, l, k.queries), r.rate(r.other.addr, l, k.queries)); err != nil {
			return err
		}
	}
	return nil
}

// pages asks docket each query once.
func (r *readSides) pages(ctx context.Context, l *taskList, queries []string) (map[string][]byte, error) {
	out := make(map[string][]byte, len(queries))
	for _, q := range queries {
		var page json.RawMessage
		if _, err := r.docket.call(ctx, l.user, http.MethodGet, "/api/tasks?"+q, nil, &page); err != nil {
			return nil, err
		}
		out[q] = page
	}
	return out, nil
}

// rate is how many requests per second are answered, one of them in writeEvery a write.
func (r *readSides) rate(addr string, l *taskList, queries []string) measure {
	gets := make([][]byte, len(queries))
	for i, q := range queries {
		gets[i] = request(http.MethodGet, "/api/tasks?"+q, l.token, nil)
	}
	return func(ctx context.Context) (float64, error) {
		n, took, err := load{addr: addr, clients: readers, time: r.time, next: func(_, n int) []byte {
			if n%writeEvery == writeEvery-1 {
				return l.next()
			}
			return gets[n%len(gets)]
		}}.run(ctx)
		return float64(n) / took.Seconds(), err
	}
}

// terms are what to search for: half of them a word, the others two words in a row or the inside of a word; some in
// nothing at all.
func terms(tasks []draft) []string {
	rng := rand.New(rand.NewPCG(7, 7))
	out := make([]string, readTypes)
	for i := range out {
		t := tasks[rng.IntN(len(tasks))]
		parts := strings.Fields(t.Title + " " + t.Description)
		n := rng.IntN(len(parts) - 1)
		switch i % 8 {
		case 0, 1:
			out[i] = parts[n] + " " + parts[n+1]
		case 2:
			out[i] = parts[n][:(len(parts[n])+3)/2]
		case 3:
			out[i] = parts[n] + "qx"
		default:
			out[i] = parts[n]
		}
	}
	return out
}

// searches compares the cost of a search with that of a scan.
func (r *readSides) searches(ctx context.Context, b *bench, l *taskList) error {
	if !b.wants(searchAll) {
		return nil
	}
	texts := make([]string, len(l.tasks))
	for i, t := range l.tasks {
		texts[i] = strings.ToLower(t.Title + "\n" + t.Description)
	}
	if err := post(ctx, r.other.addr, "/texts", texts); err != nil {
		return err
	}
	asked := terms(l.tasks)
	if err := r.sameFinds(ctx, l, asked); err != nil {
		return err
	}
	return b.compare(ctx, row{work: searchAll, unit: "ms CPU", least: 0.4, less: true},
		r.searchCost(l, asked), r.scanCost(asked, b.size(10, 4)))
}

// scan asks the bare server to look for every term so many times, and returns how many texts have each.
func (r *readSides) scan(ctx context.Context, asked []string, times int) (found []int, err error) {
	folded := make([]string, len(asked))
	for i, q := range asked {
		folded[i] = strings.ToLower(q)
	}
	other := docket{process: r.other}
	_, err = other.call(ctx, user{}, http.MethodPost, "/scan", map[string]any{"queries": folded, "times": times}, &found)
	return found, err
}

func (r *readSides) sameFinds(ctx context.Context, l *taskList, asked []string) error {
	found, err := r.scan(ctx, asked, 1)
	if err != nil {
		return err
	}
	for i, q := range asked {
		res, err := r.docket.call(ctx, l.user, http.MethodGet, "/api/tasks?"+url.Values{"search": {q}}.Encode(), nil, nil)
		if err != nil {
			return err
		}
		if res.total != found[i] {
			return fmt.Errorf("search %q: docket finds %d tasks, the scan %d", q, res.total, found[i])
		}
	}
	return nil
}

// searchCost is docket's processor time for one search by one of many clients, in milliseconds.
func (r *readSides) searchCost(l *taskList, asked []string) measure {
	gets := make([][]byte, len(asked))
	for i, q := range asked {
		gets[i] = request(http.MethodGet, "/api/tasks?"+url.Values{"search": {q}}.Encode(), l.token, nil)
	}
	return func(ctx context.Context) (float64, error) {
		return costOf(ctx, r.docket.process, func() (int, error) {
			n, _, err := load{addr: r.docket.addr, clients: readers, time: r.time,
				next: func(_, n int) []byte { return gets[n%len(gets)] }}.run(ctx)
			return n, err
		})
	}
}

func (r *readSides) scanCost(asked []string, times int) measure {
	return func(ctx context.Context) (float64, error) {
		return costOf(ctx, r.other, func() (int, error) {
			_, err := r.scan(ctx, asked, times)
			return times * len(asked), err
		})
	}
}

// costOf is the processor time of a server per unit of work, in milliseconds.
func costOf(ctx context.Context, p *process, work func() (n int, err error)) (float64, error) {
	before, err := p.cpu(ctx)
	if err != nil {
		return 0, err
	}
	n, err := work()
	if err != nil {
		return 0, err
	}
	after, err := p.cpu(ctx)
	return 1000 * (after - before) / float64(n), err
}
