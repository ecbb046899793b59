package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/docket-tasks/docket/task"
)

// listFlags are the filters of ls.
type listFlags struct {
	tags, priorities, statuses   []string
	dueBefore, dueAfter          string
	all, overdue, today, reverse bool
	sort                         string
	limit                        int
}

func listCommand(o *options) *cobra.Command {
	var f listFlags
	c := &cobra.Command{
		Use: "ls [WORDS…]", Aliases: []string{"list"}, Short: "List tasks",
		Long: `Lists the tasks to be done, the next one due first, with numbers that other commands take. WORDS are looked
for, as one text, in titles and descriptions.

In a pipe each task is one line of number, id, status, priority, due date, pattern, tags and title, separated
by tabs.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := apart(cmd, "all", "status"); err != nil {
				return err
			}
			if err := apart(cmd, "today", "overdue", "due-before"); err != nil {
				return err
			}
			s, err := o.open(cmd)
			if err != nil {
				return err
			}
			return s.list(cmd.Context(), strings.Join(args, " "), f)
		},
	}
	p := c.Flags()
	p.StringArrayVarP(&f.tags, "tag", "t", nil, "only tasks with this tag; repeated: with all of them")
	p.StringArrayVarP(&f.priorities, "priority", "p", nil, "only this priority; repeated: any of them")
	p.StringArrayVar(&f.statuses, "status", nil, "pending (default), completed or deleted; repeated: any of them")
	p.BoolVarP(&f.all, "all", "a", false, "completed tasks too")
	p.StringVar(&f.dueBefore, "due-before", "", "only tasks due before that date")
	p.StringVar(&f.dueAfter, "due-after", "", "only tasks due after that date")
	p.BoolVar(&f.overdue, "overdue", false, "only tasks that should have been done by now")
	p.BoolVar(&f.today, "today", false, "only tasks due today")
	p.StringVar(&f.sort, "sort", "due_date", "due_date, priority, title, created_at or updated_at")
	p.BoolVar(&f.reverse, "desc", false, "the other way round: last, lowest, newest first")
	p.IntVarP(&f.limit, "limit", "n", 50, "how many to list at most; 0 lists all")
	jsonFlag(c)
	return c
}

func (s *session) list(ctx context.Context, search string, f listFlags) error {
	if f.limit < 0 {
		return exit(badInput, "--limit: is %d: give a number of tasks, or 0 for all", f.limit)
	}
	if !s.plain() || f.today {
		if err := s.home(ctx); err != nil {
			return err
		}
	}
	query, err := s.query(ctx, search, f)
	if err != nil {
		return err
	}
	tasks, total, err := s.read(ctx, query, f.limit)
	if err != nil {
		return err
	}
	ids := make([]string, len(tasks))
	for i, t := range tasks {
		ids[i] = t.ID
	}
	if err := s.remember(ids); err != nil {
		fmt.Fprintf(s.errs, "docket: %v\n", err) // the list is what was asked for
	}
	if s.asJSON {
		s.print(array(tasks))
		return nil
	}
	s.rows(tasks)
	if total > len(tasks) {
		fmt.Fprintf(s.errs, "%d of %d tasks; --limit 0 lists all\n", len(tasks), total)
	}
	return nil
}

// query is the API's query of the flags.
func (s *session) query(ctx context.Context, search string, f listFlags) (url.Values, error) {
	q := url.Values{"sort_by": {f.sort}, "sort_order": {"asc"}, "status": {string(task.Pending)}}
	if f.reverse {
		q.Set("sort_order", "desc")
	}
	if search != "" {
		q.Set("search", search)
	}
	for name, values := range map[string][]string{"tag": f.tags, "priority": f.priorities, "status": f.statuses} {
		if len(values) > 0 {
			q[name] = values
		}
	}
	if f.all {
		q["status"] = []string{string(task.Pending), string(task.Completed)}
	}
	if f.today {
		today := s.now.In(s.zone)
		f.dueAfter, f.dueBefore = today.AddDate(0, 0, -1).Format(time.DateOnly), today.AddDate(0, 0, 1).Format(time.DateOnly)
	}
	if f.overdue {
		f.dueBefore = s.now.UTC().Format(time.RFC3339)
	}
	for _, bound := range []struct{ flag, name, value string }{{"--due-before", "due_before", f.dueBefore}, {"--due-after", "due_after", f.dueAfter}} {
		if bound.value == "" {
			continue
		}
		due, err := s.dueFlag(ctx, bound.flag, bound.value)
		if err != nil {
			return nil, err
		}
		if text, ok := due.(string); ok {
			q.Set(bound.name, text)
		}
	}
	return q, nil
}

// maxPage is the most tasks of one answer.
const maxPage = 200

// read reads limit tasks, or all for 0, and how many there are. A page begins behind the last task of the one before, so
// that one which is changed meanwhile can come again: it is read once.
func (c *client) read(ctx context.Context, query url.Values, limit int) (tasks []found, total int, err error) {
	query.Set("limit", strconv.Itoa(maxPage))
	if limit > 0 && limit < maxPage {
		query.Set("limit", strconv.Itoa(limit))
	}
	seen := map[string]bool{}
	err = c.pages(ctx, "/api/tasks", query, func(doc json.RawMessage, h http.Header) (bool, error) {
		total, _ = strconv.Atoi(h.Get("X-Total-Count"))
		f, err := decodeTask(doc)
		if err != nil {
			return false, err
		}
		if !seen[f.ID] {
			tasks = append(tasks, f)
		}
		seen[f.ID] = true
		return len(tasks) != limit, nil
	})
	return tasks, max(total, len(tasks)), err
}

// array joins documents as they came.
func array(tasks []found) json.RawMessage {
	var b bytes.Buffer
	b.WriteByte('[')
	for i, t := range tasks {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(t.doc)
	}
	b.WriteByte(']')
	return b.Bytes()
}

// rows writes the list.
func (s *screen) rows(tasks []found) {
	if s.plain() {
		for i, t := range tasks {
			pattern := ""
			if t.RecurrencePattern != nil {
				pattern = *t.RecurrencePattern
			}
			s.line(strconv.Itoa(i+1), t.ID, string(t.Status), string(t.Priority), t.DueDate.String(), pattern, s.tags(t.Tags), clean(t.Title))
		}
		return
	}
	if len(tasks) == 0 {
		s.line(s.paint(dim, "nothing to list"))
	}
	numbers, dues := columns(strconv.Itoa(len(tasks))), 0
	for _, t := range tasks {
		dues = max(dues, columns(s.due(t.DueDate)))
	}
	for i, t := range tasks {
		s.line(s.row(strconv.Itoa(i+1), t.Task, numbers, dues))
	}
}

// marks are what stands before a title on a terminal: a status that is not pending, else a priority.
func mark(t task.Task) (string, style) {
	switch {
	case t.Status == task.Completed:
		return "✓", green
	case t.Status == task.Deleted:
		return "✗", dim
	case t.Priority == task.High:
		return "!", red
	case t.Priority == task.Low:
		return "↓", dim
	}
	return " ", ""
}

// minTitle is the least that is left of a title.
const minTitle = 12

// row is one line for a terminal: the title is cut so that the line fits, and where even that is not enough the tags
// are left out.
func (s *screen) row(number string, t task.Task, numbers, dues int) string {
	sign, signStyle := mark(t)
	due, dueStyle := s.due(t.DueDate), style("")
	if s.overdue(t) {
		dueStyle = red
	}
	line := s.paint(dim, strings.Repeat(" ", numbers-columns(number))+number) + " " + s.paint(signStyle, sign) + " "
	left := s.width - numbers - 3
	if dues > 0 {
		line += s.paint(dueStyle, pad(due, dues)) + "  "
		left -= dues + 2
	}
	again := ""
	if t.RecurrencePattern != nil {
		again = " ↻"
	}
	tags := ""
	if len(t.Tags) > 0 {
		tags = clean("  #" + strings.Join(t.Tags, " #"))
	}
	title := clean(t.Title)
	if columns(title)+columns(again)+columns(tags) > left {
		tags = cut(tags, max(0, left-columns(again)-minTitle))
		title = cut(title, max(minTitle, left-columns(again)-columns(tags)))
	}
	titleStyle := style("")
	if t.Status != task.Pending {
		titleStyle = dim
	}
	return line + s.paint(titleStyle, title) + again + s.paint(cyan, tags)
}
