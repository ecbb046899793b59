package backend

import (
	"encoding/json"
	"fmt"
	"net/http"
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
	job := schedule(fmt.Sprintf("s-%s-%d", in.TaskID, in.At.UnixMilli()), in.At,
		reminderJob{Task: in.TaskID, List: rec.List, At: in.At, Snooze: true})
	return s.state.Commit(r.Context(), host.Tx{Jobs: []host.JobIntent{job}})
}
