package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/docket-tasks/docket/task"
)

func showCommand(o *options) *cobra.Command {
	c := &cobra.Command{
		Use: "show TASK…", Short: "Show all of a task", Args: cobra.MinimumNArgs(1), Long: "Shows everything about each TASK.\n\n" + naming,
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := o.open(cmd)
			if err != nil {
				return err
			}
			tasks, err := s.find(cmd.Context(), args, task.Pending, task.Completed, task.Deleted)
			if err != nil {
				return err
			}
			for _, t := range tasks {
				if s.asJSON {
					s.print(t.doc)
				} else if err := s.showCard(cmd.Context(), string(t.Status), t.Task); err != nil {
					return err
				}
			}
			return nil
		},
	}
	jsonFlag(c)
	return c
}

// showCard writes a task in full, beginning with what was done to it.
func (s *session) showCard(ctx context.Context, did string, t task.Task) error {
	if err := s.home(ctx); err != nil {
		return err
	}
	words, err := s.repetition(ctx, t)
	if err != nil {
		return err
	}
	due := s.due(t.DueDate)
	if s.overdue(t) {
		due = s.paint(red, due)
	}
	remind := s.reminders(t.ReminderMinutes)
	if remind != "" && !s.plain() {
		remind += " before"
	}
	if t.DueDate.IsZero() {
		remind = "" // there is nothing it would be before of
	}
	fields := []field{
		{"id", t.ID}, {"due", due}, {"repeats", words}, {"tags", s.tags(t.Tags)}, {"priority", s.priority(t.Priority)}, {"reminders", remind},
	}
	if did != "added" {
		fields = append(fields, s.past(t)...)
	}
	if t.Description != "" && s.plain() {
		fields = append(fields, field{"description", clean(t.Description)})
	}
	s.card(did, clean(t.Title), fields)
	if t.Description != "" && !s.plain() {
		fmt.Fprintf(s.out, "\n  %s\n", strings.ReplaceAll(cleanLines(t.Description), "\n", "\n  "))
	}
	return nil
}

// past is what a task's life was so far.
func (s *screen) past(t task.Task) []field {
	done := ""
	if t.CompletedAt != nil {
		done = s.moment(t.CompletedAt.Time)
	}
	number := ""
	if t.OccurrenceNumber != nil && *t.OccurrenceNumber > 1 {
		number = fmt.Sprint(*t.OccurrenceNumber)
	}
	return []field{
		{"occurrence", number}, {"created", s.moment(t.CreatedAt.Time)}, {"updated", s.moment(t.UpdatedAt.Time)}, {"completed", done},
		{"version", fmt.Sprint(t.Version)},
	}
}

// tags writes tags with their mark; for a program separated by commas, which no tag is likely to hold.
func (s *screen) tags(tags []string) string {
	if len(tags) == 0 {
		return ""
	}
	if s.plain() {
		return clean(strings.Join(tags, ","))
	}
	return s.paint(cyan, clean("#"+strings.Join(tags, " #")))
}

func (s *screen) priority(p task.Priority) string {
	switch {
	case p == task.High:
		return s.paint(red, string(p))
	case p == task.Medium && !s.plain():
		return "" // the usual one
	}
	return string(p)
}
