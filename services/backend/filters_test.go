package backend

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/docket-tasks/docket/services/backend/filter"
)

// saved decodes an answer about filters that has to be one of success.
func saved[T any](f *fixture, method, path, body string, header ...string) (v T, etag string) {
	f.t.Helper()
	w := f.me.do(method, path, body, header...)
	if w.Code/100 != 2 {
		f.t.Fatalf("%s %s %s: %d %s", method, path, body, w.Code, w.Body)
	}
	if w.Code != http.StatusNoContent {
		if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
			f.t.Fatalf("%s %s: %v in %s", method, path, err, w.Body)
		}
	}
	return v, w.Header().Get("ETag")
}

func (f *fixture) filterNames() (names []string) {
	f.t.Helper()
	all, _ := saved[[]filter.Filter](f, "GET", "/api/filters", "")
	for _, each := range all {
		names = append(names, each.Name)
	}
	return names
}

// The life of a saved filter, and what its version says.
//
// [Task]: T057, T062
func TestLifeOfAFilter(t *testing.T) {
	f := start(t)
	if w := f.me.do("GET", "/api/filters", ""); w.Code != http.StatusOK || strings.TrimSpace(w.Body.String()) != "[]" || w.Header().Get("ETag") != `"0"` {
		t.Fatalf("nothing saved: %d %s %s", w.Code, w.Header().Get("ETag"), w.Body)
	}
	home := `{"name":"Home, soon","query":{"search":"rent","priority":["high","medium"],"tag":["home"],"status":["pending"],"due_before":"today+7","due_after":"2026-01-01","sort_by":"due_date","sort_order":"desc"}}`
	first, etag := saved[filter.Filter](f, "POST", "/api/filters", home, "Idempotency-Key", "k")
	if etag != `"1"` || first.Query.DueBefore != "today+7" || !slices.Equal(first.Query.Priority, []string{"high", "medium"}) {
		t.Errorf("saved %+v at %s", first, etag)
	}
	if again, etag := saved[filter.Filter](f, "POST", "/api/filters", home, "Idempotency-Key", "k"); again.ID != first.ID || etag != `"1"` {
		t.Errorf("saved again %+v at %s", again, etag)
	}
	if w := f.me.do("POST", "/api/filters", `{"name":"x","query":{}}`, "Idempotency-Key", "k"); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("the key of another filter: %d %s", w.Code, w.Body)
	}
	path := "/api/filters/" + first.ID
	second, _ := saved[filter.Filter](f, "POST", "/api/filters", `{"name":"All","query":{}}`)
	if w := f.me.do("PATCH", path, `{"name":"late"}`, "If-Match", `"1"`); w.Code != http.StatusPreconditionFailed {
		t.Errorf("a stale change: %d %s", w.Code, w.Body)
	}
	renamed, etag := saved[filter.Filter](f, "PATCH", path, `{"name":"At home"}`, "If-Match", `"2"`)
	if etag != `"3"` || renamed.Name != "At home" || renamed.Query.Search != "rent" {
		t.Errorf("renamed %+v at %s", renamed, etag)
	}
	if _, etag := saved[filter.Filter](f, "PATCH", path, `{"name":"At home"}`); etag != `"3"` {
		t.Errorf("a change that changes nothing made version %s", etag)
	}
	if got, _ := saved[filter.Filter](f, "PATCH", path, `{"query":{"tag":["home"]}}`); got.Query.Search != "" || got.Name != "At home" {
		t.Errorf("the query is replaced as a whole: %+v", got)
	}
	saved[[]filter.Filter](f, "PUT", "/api/filters/order", fmt.Sprintf(`{"ids":[%q,%q]}`, second.ID, first.ID))
	if got := f.filterNames(); !slices.Equal(got, []string{"All", "At home"}) {
		t.Errorf("in order: %v", got)
	}
	if w := f.me.do("GET", "/api/filters", "", "If-None-Match", `"5"`); w.Code != http.StatusNotModified || w.Body.Len() != 0 {
		t.Errorf("not modified: %d %s", w.Code, w.Body)
	}
	saved[any](f, "DELETE", path, "")
	for _, c := range [][2]string{{"GET", ""}, {"PATCH", `{"name":"x"}`}, {"DELETE", ""}} {
		if w := f.me.do(c[0], path, c[1]); w.Code != http.StatusNotFound {
			t.Errorf("%s of a deleted filter: %d %s", c[0], w.Code, w.Body)
		}
	}
}

// What is wrong is named, and nothing is saved.
func TestFiltersRefuse(t *testing.T) {
	f := start(t)
	one, etag := saved[filter.Filter](f, "POST", "/api/filters", `{"name":"one","query":{}}`)
	for _, c := range []struct {
		method, path, body string
		status             int
		field              string
	}{
		{"POST", "", `{"query":{}}`, 400, "name"},
		{"POST", "", `{"name":"x"}`, 400, "query"},
		{"POST", "", `{"name":"","query":{}}`, 400, "name"},
		{"POST", "", `{"name":" x","query":{}}`, 400, "name"},
		{"POST", "", `{"name":"` + strings.Repeat("ü", 51) + `","query":{}}`, 400, "name"},
		{"POST", "", `{"name":"a\u0007","query":{}}`, 400, "name"},
		{"POST", "", `{"name":"x","query":{},"colour":"red"}`, 400, "colour"},
		{"POST", "", `{"name":"x","query":{"limit":5}}`, 400, "query.limit"},
		{"POST", "", `{"name":"x","query":{"priority":["urgent"]}}`, 400, "query.priority"},
		{"POST", "", `{"name":"x","query":{"status":["open"]}}`, 400, "query.status"},
		{"POST", "", `{"name":"x","query":{"tag":[""]}}`, 400, "query.tag"},
		{"POST", "", `{"name":"x","query":{"due_before":"soon"}}`, 400, "query.due_before"},
		{"POST", "", `{"name":"x","query":{"due_after":"today+9999"}}`, 400, "query.due_after"},
		{"POST", "", `{"name":"x","query":{"due_after":"today + 1"}}`, 400, "query.due_after"},
		{"POST", "", `{"name":"x","query":{"sort_by":"colour"}}`, 400, "query.sort_by"},
		{"POST", "", `{"name":"x","query":{"search":"` + strings.Repeat("a", 256) + `"}}`, 400, "query.search"},
		{"PATCH", "/" + one.ID, `{"query":{"sort_order":"up"}}`, 400, "query.sort_order"},
		{"PATCH", "/" + one.ID, `{"id":"x"}`, 400, "id"},
		{"PUT", "/order", `{"ids":[]}`, 409, "ids"},
		{"PUT", "/order", `{"ids":["x"]}`, 409, "ids"},
		{"PUT", "/order", fmt.Sprintf(`{"ids":[%q,%q]}`, one.ID, one.ID), 400, "ids[1]"},
	} {
		w := f.me.do(c.method, "/api/filters"+c.path, c.body)
		if w.Code != c.status || !strings.Contains(w.Body.String(), fmt.Sprintf(`"field":%q`, c.field)) {
			t.Errorf("%s %s %s: %d %s; want %d about %s", c.method, c.path, c.body, w.Code, w.Body, c.status, c.field)
		}
	}
	if got, now := saved[[]filter.Filter](f, "GET", "/api/filters", ""); len(got) != 1 || now != etag {
		t.Errorf("after all that: %+v at %s, want %s", got, now, etag)
	}
}

// Filters are their owner's alone.
func TestFiltersOfOthers(t *testing.T) {
	f := start(t)
	mine, _ := saved[filter.Filter](f, "POST", "/api/filters", `{"name":"mine","query":{}}`)
	made, _ := saved[struct {
		User  struct{ ID string } `json:"user"`
		Token string              `json:"token"`
	}](f, "POST", "/api/users", `{"name":"eve"}`)
	eve := client{f: f, user: made.User.ID, token: made.Token}
	for _, c := range [][2]string{{"GET", ""}, {"PATCH", `{"name":"hers"}`}, {"DELETE", ""}} {
		w, none := eve.do(c[0], "/api/filters/"+mine.ID, c[1]), eve.do(c[0], "/api/filters/none", c[1])
		if w.Code != http.StatusNotFound || w.Body.String() != none.Body.String() {
			t.Errorf("%s: %d %s; one that is not there: %s", c[0], w.Code, w.Body, none.Body)
		}
	}
	if w := eve.do("GET", "/api/filters", ""); strings.TrimSpace(w.Body.String()) != "[]" {
		t.Errorf("eve sees %s", w.Body)
	}
}

// Thirty at once all get through, and the hundredth is the last.
func TestFiltersSavedAtOnce(t *testing.T) {
	f := start(t)
	const many = 30
	var wg sync.WaitGroup
	for i := range many {
		wg.Go(func() {
			if w := f.me.do("POST", "/api/filters", fmt.Sprintf(`{"name":"%d","query":{}}`, i)); w.Code != http.StatusCreated {
				t.Errorf("filter %d: %d %s", i, w.Code, w.Body)
			}
		})
	}
	wg.Wait()
	if got := f.filterNames(); len(got) != many {
		t.Fatalf("%d filters: %v", len(got), got)
	}
	for i := many; i < filter.Max; i++ {
		saved[filter.Filter](f, "POST", "/api/filters", fmt.Sprintf(`{"name":"%d","query":{}}`, i))
	}
	if w := f.me.do("POST", "/api/filters", `{"name":"one more","query":{}}`); w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), "too_many_filters") {
		t.Errorf("one more: %d %s", w.Code, w.Body)
	}
}

// An open client hears at once of filters saved on its replica, and of others by the next comparison.
//
// [Task]: T066
func TestFiltersAreTold(t *testing.T) {
	f := start(t)
	saved[filter.Filter](f, "POST", "/api/filters", `{"name":"before","query":{}}`)
	c := f.open("")
	if m := f.read(c); m.Type != "hello" || m.FiltersVersion != 1 {
		t.Fatalf("first frame %+v", m)
	}
	saved[filter.Filter](f, "POST", "/api/filters", `{"name":"here","query":{}}`)
	if m := f.read(c); m.Type != "filters" || m.FiltersVersion != 2 {
		t.Errorf("saved here: %+v", m)
	}
}

func TestFiltersSavedElsewhereAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t)
		elsewhere, s := quiet(t, f), offline()
		if err := elsewhere.join(t.Context(), f.me.user, s, -1); err != nil {
			t.Fatal(err)
		}
		<-s.outbox // hello
		saved[filter.Filter](f, "POST", "/api/filters", `{"name":"here","query":{}}`)
		time.Sleep(2 * compareEvery)
		synctest.Wait()
		if got := string(<-s.outbox); got != `{"type":"filters","filters_version":1}` || len(s.outbox) != 0 {
			t.Errorf("told %s, and %d frames more", got, len(s.outbox))
		}
	})
}
