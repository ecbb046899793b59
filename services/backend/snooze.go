package backend

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/task"
)

// remindAgain serves POST /internal/reminders: one more reminder of a task, at a time the user chose.
func (s *Service) remindAgain(w http.ResponseWriter, r *http.Request) {
	if err := s.snooze(w, r); err != nil {
		edge.WriteProblem(w, r, problem(err))
		return
	}
	w.WriteHeader(http.StatusAccepted)
}

// snooze schedules one more reminder of a pending task.
func (s *Service) snooze(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		TaskID string    `json:"task_id"`
		UserID string    `json:"user_id"`
		At     time.Time `json:"at"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, edge.MaxBody)).Decode(&in); err != nil || in.TaskID == "" || in.At.IsZero() {
		return edge.NewProblem(http.StatusBadRequest, "validation_failed", "the body is no reminder: task_id, user_id and at are needed")
	}
	rec, err := s.record(r.Context(), in.TaskID)
	if err != nil {
		return err
	}
	if rec == nil || rec.Purged || ownerOf(rec.List) != in.UserID {
		return errNotFound
	}
	if rec.task.Status != task.Pending {
		return edge.NewProblem(http.StatusConflict, "task_not_pending", "the task is "+string(rec.task.Status)+": there is nothing to be reminded of")
	}
	return s.putOff(r.Context(), rec, in.At)
}

// snoozed is one reminder that the user asked for, and when.
type snoozed struct {
	At   time.Time `json:"at"`
	Made time.Time `json:"made"`
}

// snoozesKept is how many of them are remembered for a task: the newest.
const snoozesKept = 20

func snoozesKey(task string) string { return "snoozes/" + task }

// snoozes returns what the user asked for, oldest first, and the row's ETag.
func (s *Service) snoozes(ctx context.Context, task string) (asked []snoozed, etag string, err error) {
	it, err := s.state.Get(ctx, snoozesKey(task))
	if err != nil {
		return nil, "", fmt.Errorf("read snoozed reminders of task %s: %w", task, err)
	}
	if it.Exists() {
		if err := json.Unmarshal(it.Value, &asked); err != nil {
			return nil, "", fmt.Errorf("decode %s: %w", it.Key, err)
		}
	}
	return asked, it.ETag, nil
}

// putOff schedules the reminder and remembers that it was asked for, so that it is listed before it comes. Asking for
// the same moment again changes nothing.
func (s *Service) putOff(ctx context.Context, rec *record, at time.Time) error {
	id := rec.task.ID
	job := reminderJob{Task: id, List: rec.List, At: at, Snooze: true}.schedule(fmt.Sprintf("s-%s-%d", id, at.UnixMilli()))
	return host.Retry(ctx, func() error {
		asked, etag, err := s.snoozes(ctx, id)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(asked, func(a snoozed) bool { return a.At.Equal(at) }) {
			asked = append(asked, snoozed{At: at, Made: s.now()})
		}
		row, err := json.Marshal(asked[max(0, len(asked)-snoozesKept):])
		if err != nil {
			return fmt.Errorf("encode snoozed reminders: %w", err)
		}
		return s.state.Commit(ctx, host.Tx{Ops: []host.Op{host.Replace(snoozesKey(id), row, etag).Expiring(sentKept)}, Jobs: []host.JobIntent{job}})
	})
}
