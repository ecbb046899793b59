package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/docket-tasks/docket/quick"
	"github.com/docket-tasks/docket/task"
)

func addCommand(o *options) *cobra.Command {
	var f fieldFlags
	var literal bool
	c := &cobra.Command{
		Use: "add TEXT…", Short: "Add a task", Args: cobra.MinimumNArgs(1),
		Example: `  docket add Call Ann tomorrow at 9 '#phone' '!high'
  docket add "Pay rent" --due 2026-12-01 --repeat monthly
  docket add "Water the plants" --repeat "every 3 days" --remind 1d,30m`,
		Long: `Adds a task. The server reads the text: dates, times, repetitions, #tags, !priority and "remind me 1h before"
leave the title. What a flag says wins over the text; tags of both are kept. With --literal the text is the title
as it stands.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := o.open(cmd)
			if err != nil {
				return err
			}
			return s.add(cmd.Context(), strings.Join(args, " "), f.changed(cmd), literal)
		},
	}
	f.flags(c.Flags())
	c.Flags().StringArrayVarP(&f.tags, "tag", "t", nil, "a tag; may be repeated")
	c.Flags().BoolVar(&literal, "literal", false, "take the text for the title, without looking for dates in it")
	jsonFlag(c)
	return c
}

// add creates one task. The key makes it one task however often the request has to be sent.
func (s *session) add(ctx context.Context, text string, f fieldFlags, literal bool) error {
	if strings.TrimSpace(text) == "" {
		return exit(badInput, "title: is empty: write what is to be done")
	}
	body, err := s.draft(ctx, text, f, literal)
	if err != nil {
		return err
	}
	key, err := uuid.NewRandom()
	if err != nil {
		return fmt.Errorf("make a key: %w", err)
	}
	doc, _, err := call[json.RawMessage](ctx, s.client, request{method: http.MethodPost, path: "/api/tasks", body: body, key: key.String()})
	if err != nil {
		return err
	}
	if s.asJSON {
		s.print(doc)
		return nil
	}
	t, err := decodeTask(doc)
	if err != nil {
		return err
	}
	return s.showCard(ctx, "added", t.Task)
}

// draft is the body of the creation: the text for the server to read, or fields where flags add to it.
func (s *session) draft(ctx context.Context, text string, f fieldFlags, literal bool) (map[string]any, error) {
	if !literal && f.none() {
		return map[string]any{"quick": text}, nil
	}
	body := map[string]any{"title": text}
	if !literal {
		r, err := s.parse(ctx, text)
		if err != nil {
			return nil, err
		}
		if r.Title == "" {
			return nil, exit(badInput, "title: is empty: write what is to be done, not only tags, priority or date")
		}
		body = understood(r)
	}
	tags, _ := body["tags"].([]string)
	if err := s.fields(ctx, f, body); err != nil {
		return nil, err
	}
	if f.due == none && body["recurrence_pattern"] != nil { // without one, the server would begin today
		return nil, exit(badInput, "--due: is none, but a task that repeats needs a due date: give one, or --repeat none")
	}
	if len(f.tags) > 0 {
		body["tags"] = append(tags, f.tags...)
	}
	return body, nil
}

// understood is a creation's body of what was understood of a text.
func understood(r quick.Result) map[string]any {
	body := map[string]any{"title": r.Title}
	if r.Due != "" {
		body["due_date"] = r.Due
	}
	if r.Pattern != "" {
		body["recurrence_pattern"] = r.Pattern
	}
	if r.Priority != "" {
		body["priority"] = r.Priority
	}
	if r.ReminderMinutes != nil {
		body["reminder_minutes"] = r.ReminderMinutes
	}
	if len(r.Tags) > 0 {
		body["tags"] = r.Tags
	}
	return body
}

// parse asks the server what it understands of a text.
func (c *client) parse(ctx context.Context, text string) (quick.Result, error) {
	r, _, err := call[quick.Result](ctx, c, request{method: http.MethodPost, path: "/api/tasks/parse", body: map[string]string{"quick": text}})
	return r, err
}

// repetition tells a pattern in words; empty without one.
func (c *client) repetition(ctx context.Context, t task.Task) (string, error) {
	if t.RecurrencePattern == nil {
		return "", nil
	}
	body := map[string]string{"recurrence_pattern": *t.RecurrencePattern}
	if t.SeriesStart != nil {
		body["due_date"] = *t.SeriesStart
	}
	r, _, err := call[struct {
		Words string `json:"words"`
	}](ctx, c, request{method: http.MethodPost, path: "/api/recurrence/preview", body: body})
	return r.Words, err
}
