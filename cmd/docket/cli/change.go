package cli

import (
	"context"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/docket-tasks/docket/event"
	"github.com/docket-tasks/docket/task"
)

// step is a command that takes tasks from one status to another.
type step struct {
	use, short, long string
	// done is the word for what happened.
	done string
	// order is the statuses in which a name is looked for.
	order  []task.Status
	method string
	path   func(id string) string
	after  func(s *session, ctx context.Context, t task.Task) error
}

func doneCommand(o *options) *cobra.Command {
	return stepCommand(o, step{
		use: "done TASK…", short: "Complete tasks", done: "done", long: "Completes each TASK. A repeating one continues with its next occurrence.",
		order: []task.Status{task.Pending, task.Completed}, method: http.MethodPost,
		path: func(id string) string { return "/api/tasks/" + id + "/complete" }, after: (*session).showNext,
	})
}

func reopenCommand(o *options) *cobra.Command {
	return stepCommand(o, step{
		use: "reopen TASK…", short: "Make completed tasks pending again", done: "reopened", long: "Makes each completed TASK pending again.",
		order: []task.Status{task.Completed, task.Pending}, method: http.MethodPost,
		path: func(id string) string { return "/api/tasks/" + id + "/reopen" },
	})
}

func removeCommand(o *options) *cobra.Command {
	return stepCommand(o, step{
		use: "rm TASK…", short: "Delete tasks", done: "deleted", long: "Deletes each TASK; `docket undelete` brings it back for 30 days.",
		order: []task.Status{task.Pending, task.Completed}, method: http.MethodDelete,
		path: func(id string) string { return "/api/tasks/" + id },
	})
}

func undeleteCommand(o *options) *cobra.Command {
	return stepCommand(o, step{
		use: "undelete TASK…", short: "Bring deleted tasks back", done: "restored", long: "Brings each deleted TASK back as it was, for 30 days after it was deleted.",
		order: []task.Status{task.Deleted}, method: http.MethodPost,
		path: func(id string) string { return "/api/tasks/" + id + "/restore" },
	})
}

func stepCommand(o *options, st step) *cobra.Command {
	c := &cobra.Command{
		Use: st.use, Short: st.short, Long: st.long + "\n\n" + naming, Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := o.open(cmd)
			if err != nil {
				return err
			}
			return s.step(cmd.Context(), st, args)
		},
	}
	if st.method != http.MethodDelete {
		jsonFlag(c)
	}
	return c
}

// step finds all tasks before it changes the first one, so that a name that fits nothing changes nothing.
func (s *session) step(ctx context.Context, st step, names []string) error {
	tasks, err := s.find(ctx, names, st.order...)
	if err != nil {
		return err
	}
	for _, t := range tasks {
		a, err := s.do(ctx, request{method: st.method, path: st.path(t.ID)})
		if err != nil {
			return about(t.Task, err)
		}
		if s.asJSON {
			s.print(a.body)
			continue
		}
		s.did(st.done, t.Task)
		if st.after != nil {
			if err := st.after(s, ctx, t.Task); err != nil {
				return err
			}
		}
	}
	return nil
}

// about says which task an error was about.
func about(t task.Task, err error) error {
	return exit(ExitCode(err), "%w (task %q, %s)", err, clean(t.Title), t.ID)
}

// did writes what happened to a task.
func (s *screen) did(what string, t task.Task) {
	if s.plain() {
		s.line(what, t.ID, clean(t.Title))
		return
	}
	s.line(s.paint(green, what) + " " + s.paint(bold, cut(clean(t.Title), max(20, s.width-columns(what)-1))))
}

const (
	// nextTime is how long to wait for the next occurrence, which is made after the completion.
	nextTime = 2 * time.Second
	nextTick = 50 * time.Millisecond
)

// showNext tells when a completed task is due again. The next occurrence comes by itself, also back if the task was
// reopened before: that it is not there after a moment is no failure.
func (s *session) showNext(ctx context.Context, t task.Task) error {
	if t.RecurrencePattern == nil || t.Status != task.Pending {
		return nil
	}
	limited, cancel := context.WithTimeout(ctx, nextTime)
	defer cancel()
	tick := time.NewTicker(nextTick)
	defer tick.Stop()
	for {
		next, there, err := s.successor(limited, t)
		if there {
			return s.showSuccessor(ctx, next)
		}
		if err != nil {
			return ctx.Err()
		}
		select {
		case <-tick.C:
		case <-limited.Done():
			return ctx.Err()
		}
	}
}

// successor returns the occurrence to come after t, and whether it is there yet: the one that every task has, or, where that was
// deleted for good or went with another series, the one of this completion.
func (s *session) successor(ctx context.Context, t task.Task) (next found, there bool, err error) {
	for _, id := range []string{event.SuccessorID(t.ID), event.LaterSuccessorID(t.ID, t.Version+1)} {
		next, err := s.byID(ctx, id)
		if err == nil && next.Status == task.Pending {
			return next, true, nil
		}
		if err != nil && ExitCode(err) != notFound {
			return found{}, false, err
		}
	}
	return found{}, false, nil
}

func (s *session) showSuccessor(ctx context.Context, next found) error {
	if err := s.home(ctx); err != nil {
		return err
	}
	if s.plain() {
		s.line("next", next.ID, next.DueDate.String())
	} else {
		s.line("  next " + s.due(next.DueDate))
	}
	return nil
}
