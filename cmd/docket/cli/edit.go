package cli

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/docket-tasks/docket/task"
)

// edits is what edit is asked to do.
type edits struct {
	fieldFlags
	title       string
	add, remove []string
}

func editCommand(o *options) *cobra.Command {
	var e edits
	c := &cobra.Command{
		Use: "edit TASK…", Short: "Change tasks", Args: cobra.MinimumNArgs(1),
		Long: `Changes the fields that flags are given for; the others stay. "none" clears a field: --due none, --repeat none,
--remind none, --tag none.

` + naming,
		Example: `  docket edit 3 --due "friday 17:00" --add-tag work
  docket edit "pay rent" --repeat none`,
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, other := range []string{"add-tag", "remove-tag"} {
				if err := apart(cmd, "tag", other); err != nil {
					return err
				}
			}
			s, err := o.open(cmd)
			if err != nil {
				return err
			}
			e.fieldFlags = e.changed(cmd)
			return s.edit(cmd.Context(), args, e)
		},
	}
	p := c.Flags()
	p.StringVar(&e.title, "title", "", "the title")
	e.flags(p)
	p.StringArrayVarP(&e.tags, "tag", "t", nil, "a tag, instead of those there are; may be repeated; none")
	p.StringArrayVar(&e.add, "add-tag", nil, "a tag besides those there are; may be repeated")
	p.StringArrayVar(&e.remove, "remove-tag", nil, "a tag to take away; may be repeated")
	jsonFlag(c)
	return c
}

func (s *session) edit(ctx context.Context, names []string, e edits) error {
	patch, tags, err := s.patch(ctx, e)
	if err != nil {
		return err
	}
	if len(patch)+len(tags) == 0 {
		return exit(badInput, "nothing to change: give --title, --due, --repeat, --priority, --description, --remind, --tag, --add-tag or --remove-tag")
	}
	tasks, err := s.find(ctx, names, task.Pending, task.Completed)
	if err != nil {
		return err
	}
	if _, one := patch["title"]; one && len(tasks) > 1 {
		return exit(badInput, "--title: would give %d tasks the same title: edit them one by one", len(tasks))
	}
	for _, t := range tasks {
		doc, err := s.change(ctx, t, patch, tags)
		if err != nil {
			return about(t.Task, err)
		}
		if s.asJSON {
			s.print(doc)
			continue
		}
		after, err := decodeTask(doc)
		if err != nil {
			return err
		}
		did := "changed"
		if after.Version == t.Version {
			did = "unchanged"
		}
		if err := s.showCard(ctx, did, after.Task); err != nil {
			return err
		}
	}
	return nil
}

// patch is what to send: a merge patch and a change of tags, either of which may be empty.
func (s *session) patch(ctx context.Context, e edits) (patch, tags map[string]any, err error) {
	patch, tags = map[string]any{}, map[string]any{}
	if err := s.fields(ctx, e.fieldFlags, patch); err != nil {
		return nil, nil, err
	}
	if e.set["title"] {
		patch["title"] = e.title
	}
	switch {
	case !e.set["tag"]:
	case len(e.tags) == 1 && e.tags[0] == none:
		patch["tags"] = nil
	default:
		patch["tags"] = e.tags
	}
	if len(e.add) > 0 {
		tags["add"] = e.add
	}
	if len(e.remove) > 0 {
		tags["remove"] = e.remove
	}
	return patch, tags, nil
}

// change sends what there is to send and returns the task after it.
func (s *session) change(ctx context.Context, t found, patch, tags map[string]any) (json.RawMessage, error) {
	doc := t.doc
	for _, r := range []request{
		{method: http.MethodPatch, path: "/api/tasks/" + t.ID, body: patch},
		{method: http.MethodPut, path: "/api/tasks/" + t.ID + "/tags", body: tags},
	} {
		if body, _ := r.body.(map[string]any); len(body) == 0 {
			continue
		}
		a, err := s.do(ctx, r)
		if err != nil {
			return nil, err
		}
		doc = a.body
	}
	return doc, nil
}
