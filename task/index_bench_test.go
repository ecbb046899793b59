package task

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// BenchmarkFind asks lists of 10,000 and 100,000 tasks, and beside it searches with nothing but a loop of
// strings.Contains over texts folded before, which is what there is to beat.
func BenchmarkFind(b *testing.B) {
	due, err := ParseDue("2024-03-01")
	if err != nil {
		b.Fatal(err)
	}
	searches := []string{"e", "an", "dentist", "pay rent write", "österreich", "no such words"}
	for _, n := range []int{10_000, 100_000} {
		tasks, docs := bigList(n)
		x := NewIndex(time.UTC)
		x.Load(tasks, docs)
		b.Logf("%d tasks: %d bytes of documents, about %d in all", n, x.docs, x.Bytes())
		middle, err := x.Find(Query{SortBy: ByDue, Limit: 200})
		if err != nil {
			b.Fatal(err)
		}
		for _, c := range []struct {
			name  string
			query Query
		}{
			{"default page", Query{SortBy: ByCreated, Desc: true}},
			{"by due date", Query{SortBy: ByDue}},
			{"by due date after a cursor", Query{SortBy: ByDue, Cursor: middle.Next}},
			{"by title", Query{SortBy: ByTitle}},
			{"tag, priority and status", Query{SortBy: ByDue, Tags: []string{"area3"}, Priorities: []Priority{High}, Statuses: []Status{Pending}}},
			{"rare tag", Query{SortBy: ByDue, Tags: []string{"project3"}}},
			{"due after", Query{SortBy: ByCreated, Desc: true, DueAfter: due}},
			{"due after, by due date", Query{SortBy: ByDue, DueAfter: due}},
			{"search dentist, with tag and priority", Query{SortBy: ByDue, Search: "dentist", Tags: []string{"area3"}, Priorities: []Priority{High}}},
		} {
			b.Run(fmt.Sprintf("%d/%s", n, c.name), func(b *testing.B) { benchFind(b, x, c.query) })
		}
		texts := make([]string, n)
		for i, t := range tasks {
			texts[i] = fold(t.Title) + "\x00" + fold(t.Description)
		}
		for _, s := range searches {
			b.Run(fmt.Sprintf("%d/search %s", n, s), func(b *testing.B) { benchFind(b, x, Query{SortBy: ByDue, Search: s}) })
			b.Run(fmt.Sprintf("%d/bare loop %s", n, s), func(b *testing.B) {
				for b.Loop() {
					found := 0
					for _, text := range texts {
						if strings.Contains(text, s) {
							found++
						}
					}
				}
			})
		}
	}
}

func benchFind(b *testing.B, x *Index, q Query) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := x.Find(q); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPut replaces a task in a list of 100,000 all of whose orders are built.
func BenchmarkPut(b *testing.B) {
	tasks, docs := bigList(100_000)
	x := NewIndex(time.UTC)
	x.Load(tasks, docs)
	for by := range sortKeys {
		x.order(by)
	}
	version := int64(2)
	for i := 0; b.Loop(); i = (i + 7919) % len(tasks) {
		t := tasks[i]
		t.Version, t.UpdatedAt, t.Title = version, At(time.UnixMilli(1.8e12+version)), tasks[(i+1)%len(tasks)].Title
		x.Put(t, docs[i])
		version++
	}
}

// BenchmarkFirstSearch collects the words of a list.
func BenchmarkFirstSearch(b *testing.B) {
	for _, n := range []int{10_000, 100_000} {
		tasks, docs := bigList(n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			x := NewIndex(time.UTC)
			x.Load(tasks, docs)
			for b.Loop() {
				x.words = &words{}
				if _, err := x.Find(Query{SortBy: ByDue, Search: "dentist"}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkLoad loads a list and asks for its first page, which sorts it.
func BenchmarkLoad(b *testing.B) {
	for _, n := range []int{10_000, 100_000} {
		tasks, docs := bigList(n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				x := NewIndex(time.UTC)
				x.Load(tasks, docs)
				if _, err := x.Find(Query{SortBy: ByDue}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
