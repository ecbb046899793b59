package backend

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/event"
	"github.com/docket-tasks/docket/task"
)

// numbered returns tags as JSON, from one number up to before another.
func numbered(from, to int) string {
	names := make([]string, 0, to-from)
	for i := range to - from {
		names = append(names, fmt.Sprintf("Tag %d", from+i))
	}
	b, _ := json.Marshal(names) // of strings
	return string(b)
}

// tagged makes tasks that have n tags together, each of its own, and returns one of them.
func (f *fixture) tagged(n int) (last task.Task) {
	f.t.Helper()
	for at := 0; at < n; at += task.MaxTags {
		last = f.me.must("POST", "/api/tasks", fmt.Sprintf(`{"title":"x","tags":%s}`, numbered(at, min(n, at+task.MaxTags))))
	}
	return last
}

// wantFull fails unless a change was refused for its tags.
func (f *fixture) wantFull(method, path, body string) {
	f.t.Helper()
	var p edge.Problem
	res := f.me.do(method, path, body)
	if err := json.Unmarshal(res.Body.Bytes(), &p); err != nil || res.Code != http.StatusConflict || p.Code != "too_many_tags" || len(p.Errors) != 1 || p.Errors[0].Field != "tags" {
		f.t.Errorf("%s %s %s: %d %s", method, path, body, res.Code, res.Body)
	}
}

// No way leads past the number of tags, and what needs no new one is not in its way.
func TestTagsAreBounded(t *testing.T) {
	f := start(t)
	last := f.tagged(maxTags)
	path := "/api/tasks/" + last.ID
	plain := f.me.must("POST", "/api/tasks", `{"title":"plain"}`)
	own := "/api/tasks/" + plain.ID

	f.wantFull("POST", "/api/tasks", `{"title":"one more","tags":["new"]}`)
	f.wantFull("POST", "/api/tasks", `{"quick":"one more #new"}`)
	f.wantFull("PATCH", own, `{"tags":["new"]}`)
	f.wantFull("PUT", own+"/tags", `{"add":["new"]}`)
	f.wantFull("PUT", own+"/tags", `{"tags":["tag 1","new"]}`)
	res := f.me.do("POST", "/api/tasks/batch", `{"changes":[{"op":"create","body":{"title":"b","tags":["new"]}},{"op":"create","body":{"title":"c","tags":["TAG 7"]}}]}`)
	if res.Code != http.StatusOK || strings.Count(res.Body.String(), "too_many_tags") != 1 || strings.Count(res.Body.String(), `"title":"c"`) != 1 {
		t.Errorf("batch: %d %s", res.Code, res.Body)
	}
	if got := f.me.must("GET", own, ""); got.Version != plain.Version {
		t.Errorf("what was refused has changed %+v", got)
	}

	f.me.must("PATCH", own, `{"tags":["TAG 1","Tag 999"]}`)
	f.me.must("PATCH", path, `{"tags":["instead"]}`) // gives up twenty, one of which the other has
	f.me.must("PUT", own+"/tags", numberedChange(18))
	f.wantFull("PUT", "/api/tasks/"+f.me.must("POST", "/api/tasks", `{"title":"full again"}`).ID+"/tags", `{"add":["too","many"]}`)
}

// numberedChange adds n tags that nothing else has.
func numberedChange(n int) string { return `{"add":` + numbered(5000, 5000+n) + `}` }

// A deleted task's tags make room, which it needs when it comes back.
func TestTagsOfDeletedTasks(t *testing.T) {
	f := start(t)
	last := f.tagged(maxTags)
	path := "/api/tasks/" + last.ID
	if res := f.me.do("DELETE", path, ""); res.Code != http.StatusNoContent {
		t.Fatal(res.Code)
	}
	other := f.me.must("POST", "/api/tasks", `{"title":"in its place","tags":["new"]}`)
	f.wantFull("POST", path+"/restore", "")
	f.me.must("POST", "/api/tasks/"+other.ID+"/complete", "")
	f.wantFull("POST", path+"/restore", "")
	if res := f.me.do("DELETE", "/api/tasks/"+other.ID, ""); res.Code != http.StatusNoContent {
		t.Fatal(res.Code)
	}
	f.me.must("POST", path+"/restore", "")
	f.wantFull("POST", "/api/tasks", `{"title":"one more","tags":["new"]}`)
}

// A series goes on, whatever became of the tags of its completed task meanwhile.
func TestTagsDoNotEndASeries(t *testing.T) {
	f := start(t)
	f.tagged(maxTags - 1)
	done := f.me.must("POST", "/api/tasks", `{"title":"x","tags":["of the series"],"due_date":"2026-03-31","recurrence_pattern":"daily"}`)
	done = f.me.must("POST", "/api/tasks/"+done.ID+"/complete", "")
	if res := f.me.do("DELETE", "/api/tasks/"+done.ID, ""); res.Code != http.StatusNoContent {
		t.Fatal(res.Code)
	}
	f.me.must("POST", "/api/tasks", `{"title":"in its place","tags":["new"]}`)
	next, ok, err := task.Next(done, time.UTC)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	res := f.runtime("POST", "/internal/occurrences", occurrenceRequest{CompletedID: done.ID, CompletedVersion: done.Version, Occurrence: next})
	if res.Code != http.StatusOK || !strings.Contains(res.Body.String(), "created") {
		t.Fatalf("%d %s", res.Code, res.Body)
	}
	if got := f.me.must("GET", "/api/tasks/"+event.SuccessorID(done.ID), ""); len(got.Tags) != 1 {
		t.Errorf("the next occurrence has the tags %q", got.Tags)
	}
}

// Of many who add tags on two replicas at once, as many are let through as there is room for.
func TestTagsAreBoundedAtOnce(t *testing.T) {
	f := start(t)
	const room, wanted = 7, 40
	f.tagged(maxTags - room)
	writers := []*writer{f.replica(scattered{}), f.replica(scattered{})}
	var made, refused atomic.Int32
	var all sync.WaitGroup
	for i := range wanted {
		all.Go(func() {
			d := task.Draft{Title: "x", Tags: []string{fmt.Sprintf("new %d", i)}}
			w := create(f.me.user, uuid.NewString(), d, "", somebody)
			_, _, err := writers[i%2].do(t.Context(), f.me.user, w.needs, w.apply)
			switch {
			case err == nil:
				made.Add(1)
			case errors.Is(err, tooManyTags):
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	if made.Load() != room || refused.Load() != wanted-room {
		t.Errorf("%d made, %d refused, where there is room for %d", made.Load(), refused.Load(), room)
	}
}

// Tags that many tasks share are counted once by each replica at most, and are never in the way.
func TestSharedTagsAreNoMatter(t *testing.T) {
	f := start(t)
	share := func(w *writer) {
		t.Helper()
		for range maxTags/task.MaxTags + 5 {
			wish := create(f.me.user, uuid.NewString(), task.Draft{Title: "x", Tags: []string{"a", "b", "c", "d"}}, "", somebody)
			if _, _, err := w.do(t.Context(), f.me.user, wish.needs, wish.apply); err != nil {
				t.Fatal(err)
			}
		}
	}
	for n := 1; n <= 3; n++ {
		share(f.replica(scattered{}))
		it, err := f.node.Host(Name).State.Get(t.Context(), headKey(f.me.user))
		if err != nil {
			t.Fatal(err)
		}
		if h, err := decodeHead(it); err != nil || h.Tags != 4*n || h.TagsCounted != 0 {
			t.Errorf("after %d replicas the bound is %d, counted at %d, %v", n, h.Tags, h.TagsCounted, err)
		}
	}
}

// What one replica knows of the bound is not used after another has counted anew, without the tags that are gone.
func TestTagsThatWereCountedOut(t *testing.T) {
	f := start(t)
	one, other := f.replica(scattered{}), f.replica(scattered{})
	make := func(w *writer, tags ...string) (string, error) {
		id := uuid.NewString()
		wish := create(f.me.user, id, task.Draft{Title: "x", Tags: tags}, "", somebody)
		_, _, err := w.do(t.Context(), f.me.user, wish.needs, wish.apply)
		return id, err
	}
	old, err := make(one, "gone")
	if err != nil {
		t.Fatal(err)
	}
	removal := remove(f.me.user, old, "", somebody)
	if _, _, err := one.do(t.Context(), f.me.user, removal.needs, removal.apply); err != nil {
		t.Fatal(err)
	}
	for at := 0; at < maxTags; at += task.MaxTags { // the last of which would make the bound 1,001, and counts 1,000
		var tags []string
		for i := range task.MaxTags {
			tags = append(tags, fmt.Sprintf("tag %d", at+i))
		}
		if _, err := make(other, tags...); err != nil {
			t.Fatal(at, err)
		}
	}
	if _, err := make(one, "gone"); !errors.Is(err, tooManyTags) {
		t.Errorf("a tag that is gone comes back: %v", err)
	}
	if _, err := make(one, "TAG 5"); err != nil {
		t.Error(err)
	}
}
