package cli

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/docket-tasks/docket/task"
)

// completeTime bounds what a shell waits for after the tab key.
const completeTime = time.Second

// complete gives a command the completion of its tasks and flags.
func (o *options) complete(c *cobra.Command) {
	if strings.Contains(c.Use, "TASK") {
		status := task.Pending
		switch c.Name() {
		case "reopen":
			status = task.Completed
		case "undelete":
			status = task.Deleted
		}
		c.ValidArgsFunction = func(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
			return o.suggest(cmd.Context(), status, begun, func(t task.Task) []string { return []string{clean(t.Title)} })
		}
	}
	tags := func(cmd *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
		return o.suggest(cmd.Context(), task.Pending, begun, func(t task.Task) []string { return t.Tags })
	}
	for flag, complete := range map[string]cobra.CompletionFunc{
		"tag": tags, "add-tag": tags, "remove-tag": tags,
		"priority": words("high", "medium", "low"), "status": words("pending", "completed", "deleted"),
		"sort": words("due_date", "priority", "title", "created_at", "updated_at"), "repeat": words("daily", "weekly", "monthly", "yearly", none),
		"format": words("json", "ical"),
	} {
		if c.Flags().Lookup(flag) != nil {
			_ = c.RegisterFlagCompletionFunc(flag, complete) // fails for a flag that is not there, or twice
		}
	}
}

func words(list ...string) cobra.CompletionFunc {
	return cobra.FixedCompletions(list, cobra.ShellCompDirectiveNoFileComp)
}

// suggest offers what the tasks of a status have that begins as was typed. Without a server there is nothing to offer.
func (o *options) suggest(ctx context.Context, status task.Status, begun string, of func(task.Task) []string) ([]string, cobra.ShellCompDirective) {
	ctx, cancel := context.WithTimeout(ctx, completeTime)
	defer cancel()
	c, err := o.client()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	query := url.Values{"status": {string(status)}, "sort_by": {"updated_at"}, "limit": {strconv.Itoa(maxPage)}}
	tasks, _, err := c.read(ctx, query, maxPage)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var out []string
	for _, t := range tasks {
		for _, s := range of(t.Task) {
			if strings.HasPrefix(fold(s), fold(begun)) && !slices.Contains(out, s) {
				out = append(out, s)
			}
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}
