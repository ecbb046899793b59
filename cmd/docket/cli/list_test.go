package cli

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"

	"github.com/docket-tasks/docket/task"
)

// A task that moves to a later page while they are read is listed, and meant by its name, once.
func TestReadsEveryTaskOnce(t *testing.T) {
	c := against(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Total-Count", "3")
		if r.URL.Query().Get("cursor") == "" {
			w.Header().Set("Link", `</api/tasks?cursor=2>; rel="next"`)
			_, _ = fmt.Fprint(w, `[{"id":"a","title":"first"},{"id":"b","title":"second"}]`)
			return
		}
		_, _ = fmt.Fprint(w, `[{"id":"a","title":"first"},{"id":"c","title":"third"}]`)
	})
	for limit, want := range map[int]string{0: "abc", 3: "abc", 2: "ab"} {
		tasks, total, err := c.read(t.Context(), url.Values{}, limit)
		got := ""
		for _, f := range tasks {
			got += f.ID
		}
		if err != nil || got != want || total != 3 {
			t.Errorf("limit %d: %q of %d, %v, want %q of 3", limit, got, total, err, want)
		}
	}
	if f, err := c.findOne(t.Context(), "first", nil, []task.Status{task.Pending}); err != nil || f.ID != "a" {
		t.Errorf("%q, %v", f.ID, err)
	}
}
