package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/docket-tasks/docket/event"
	"github.com/docket-tasks/docket/task"
)

// entry is one event of the audit log.
type entry struct {
	EventType string    `json:"event_type"`
	TaskID    string    `json:"task_id"`
	Timestamp time.Time `json:"event_timestamp"`
	Actor     struct {
		Kind string `json:"kind"`
		Name string `json:"name"`
	} `json:"actor"`
	Payload struct {
		Changes map[string]event.Change `json:"changes"`
		Task    struct {
			Title string `json:"title"`
		} `json:"task"`
	} `json:"payload"`
	doc json.RawMessage
}

func historyCommand(o *options) *cobra.Command {
	var limit int
	c := &cobra.Command{
		Use: "history [TASK]", Short: "Show who did what and when", Args: cobra.MaximumNArgs(1),
		Long: `Shows what was done to a TASK, the newest first, or to all tasks without one.

In a pipe each change is one line of time, what, who, task id, title and changes (field: old → new), separated by tabs.

` + naming,
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := o.open(cmd)
			if err != nil {
				return err
			}
			return s.history(cmd.Context(), args, limit)
		},
	}
	c.Flags().IntVarP(&limit, "limit", "n", 50, "how many changes to show at most; 0 shows all")
	jsonFlag(c)
	return c
}

func (s *session) history(ctx context.Context, names []string, limit int) error {
	if limit < 0 {
		return exit(badInput, "--limit: is %d: give a number of changes, or 0 for all", limit)
	}
	path := "/api/audit"
	if len(names) > 0 {
		order := []task.Status{task.Pending, task.Completed, task.Deleted}
		tasks, err := s.find(ctx, names, order...)
		if err != nil {
			return err
		}
		if err := s.sayWhich(ctx, names[0], tasks[0], order...); err != nil {
			return err
		}
		path = "/api/tasks/" + tasks[0].ID + "/history"
	}
	if err := s.settled(ctx); err != nil {
		return err
	}
	if err := s.home(ctx); err != nil {
		return err
	}
	entries, more, err := s.entries(ctx, path, limit)
	if err != nil {
		return err
	}
	if s.asJSON {
		docs := make([]found, len(entries))
		for i, e := range entries {
			docs[i].doc = e.doc
		}
		s.print(array(docs))
		return nil
	}
	for _, e := range entries {
		s.entry(e, len(names) == 0)
	}
	if more {
		fmt.Fprintf(s.errs, "the newest %d changes; --limit 0 shows all\n", len(entries))
	}
	return nil
}

func (c *client) entries(ctx context.Context, path string, limit int) (out []entry, more bool, err error) {
	size := maxPage
	if limit > 0 {
		size = min(limit+1, maxPage) // one more tells whether there are more
	}
	err = c.pages(ctx, path, url.Values{"limit": {strconv.Itoa(size)}}, func(doc json.RawMessage, _ http.Header) (bool, error) {
		if more = limit > 0 && len(out) == limit; more {
			return false, nil
		}
		e := entry{doc: doc}
		if err := json.Unmarshal(doc, &e); err != nil {
			return false, exit(failed, "the audit log is not what docket sends: %w", err)
		}
		out = append(out, e)
		return true, nil
	})
	return out, more, err
}

// settleTime is how long to wait for the audit log to have what was just done.
const settleTime = 2 * time.Second

// settled waits until the log has every change that the list has, so that one's own last one is not missing. After
// settleTime the log is shown as it is.
func (c *client) settled(ctx context.Context) error {
	_, h, err := get[json.RawMessage](ctx, c, "/api/tasks", url.Values{"limit": {"1"}})
	if err != nil {
		return err
	}
	want := version(h)
	tick := time.NewTicker(nextTick)
	defer tick.Stop()
	limit := time.NewTimer(settleTime)
	defer limit.Stop()
	for {
		_, h, err := get[json.RawMessage](ctx, c, "/api/audit", url.Values{"limit": {"1"}})
		if err != nil || version(h) >= want {
			return err
		}
		select {
		case <-tick.C:
		case <-limit.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// version is the list's version that an answer is from, 0 where it says nothing.
func version(h http.Header) int64 {
	n, _ := strconv.ParseInt(h.Get("List-Version"), 10, 64)
	return n
}

// entry writes one change; named says whether its task has to be told.
func (s *screen) entry(e entry, named bool) {
	what := strings.TrimPrefix(e.EventType, "task.")
	who := clean(cmp.Or(e.Actor.Name, e.Actor.Kind))
	changes := make([]string, 0, len(e.Payload.Changes))
	for _, name := range slices.Sorted(maps.Keys(e.Payload.Changes)) {
		c := e.Payload.Changes[name]
		changes = append(changes, name+": "+value(c.Old)+" → "+value(c.New))
	}
	title := clean(e.Payload.Task.Title)
	if s.plain() {
		s.line(s.moment(e.Timestamp), clean(what), who, e.TaskID, title, strings.Join(changes, "; "))
		return
	}
	line := s.paint(dim, s.moment(e.Timestamp)) + "  " + s.paint(green, clean(what)) + " " + s.paint(dim, "by "+who)
	if named {
		line += "  " + s.paint(bold, title)
	}
	s.line(line)
	for _, c := range changes {
		s.line("    " + cut(c, max(20, s.width-4)))
	}
}

// value writes a field's value of any type.
func value(v any) string {
	switch v := v.(type) {
	case nil:
		return none
	case string:
		if v == "" {
			return none
		}
		return clean(v)
	case []any:
		parts := make([]string, len(v))
		for i, x := range v {
			parts[i] = value(x)
		}
		return cmp.Or(strings.Join(parts, ","), none)
	}
	return fmt.Sprint(v)
}
