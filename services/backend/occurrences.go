package backend

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/event"
	"github.com/docket-tasks/docket/task"
)

// recurrenceActor is who makes and withdraws occurrences.
var recurrenceActor = event.Actor{Kind: "service", ID: "recurring-task", Name: "recurring-task"}

// occurrenceRequest asks for the occurrence after a completed one.
type occurrenceRequest struct {
	CompletedID string `json:"completed_id"`
	// CompletedVersion is the task version of the completion: the occurrence is made for it alone.
	CompletedVersion int64           `json:"completed_version"`
	Occurrence       task.Occurrence `json:"occurrence"`
}

type occurrenceAnswer struct {
	// Outcome is created, exists (it was made before) or superseded (that completion is no longer in force).
	Outcome string `json:"outcome"`
}

// createOccurrence serves POST /internal/occurrences. Its id derives from the completed task's, as the completion
// settled, so however often the event is delivered, the series continues once.
func (s *Service) createOccurrence(w http.ResponseWriter, r *http.Request) {
	var req occurrenceRequest
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10)).Decode(&req); err != nil || req.CompletedID == "" {
		edge.WriteProblem(w, r, edge.NewProblem(http.StatusBadRequest, "invalid", "the body is no occurrence"))
		return
	}
	outcome, err := s.continueSeries(r.Context(), req)
	if err != nil {
		edge.WriteProblem(w, r, problem(err))
		return
	}
	s.log.InfoContext(r.Context(), "occurrence", "completed_id", req.CompletedID, "outcome", outcome)
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(occurrenceAnswer{outcome})
}

func (s *Service) continueSeries(ctx context.Context, req occurrenceRequest) (string, error) {
	done, err := s.record(ctx, req.CompletedID)
	if err != nil {
		return "", err
	}
	if done == nil || done.Purged {
		return "superseded", nil
	}
	outcome := ""
	_, _, err = s.writer.do(ctx, done.List, []string{req.CompletedID, event.SuccessorID(req.CompletedID)}, func(v *view) ([]effect, error) {
		done := v.records[req.CompletedID]
		if done == nil || done.Purged || done.CompletedVersion != req.CompletedVersion {
			outcome = "superseded"
			return nil, nil
		}
		next := done.successorID()
		succ := v.records[next]
		if succ != nil && !succ.Withdrawn {
			outcome = "exists"
			return nil, nil
		}
		outcome = "created"
		t := task.Successor(done.task, next, req.Occurrence, v.env)
		if succ == nil {
			rec := record{List: done.List, Made: 1}.with(t)
			return []effect{{typ: event.TaskCreated, actor: recurrenceActor, new: rec}}, nil
		}
		return bringBack(succ, t), nil
	})
	return outcome, err
}

// successorID is the id of the occurrence that follows the task, whether it is there or not.
func (r *record) successorID() string {
	if r.Anew == 0 {
		return event.SuccessorID(r.task.ID)
	}
	return event.LaterSuccessorID(r.task.ID, r.Anew)
}

// cannotFollow tells whether the series of t, which is being completed, cannot go on by way of the successor that an earlier
// completion made: it was deleted for good, or was deleted or completed as part of another series. One that was completed in
// t's own was itself continued, also where it was deleted since: another would be due beside what follows it.
func cannotFollow(succ *record, t task.Task) bool {
	switch {
	case succ == nil || succ.Withdrawn: // this completion makes it, or brings it back
		return false
	case succ.Purged:
		return succ.CompletedVersion == 0
	case succ.CompletedVersion != 0 || succ.task.Status == task.Deleted:
		return !task.SameSeries(succ.task, t)
	}
	return false
}

// wasDeleted tells whether somebody deleted the successor before it was completed, so that nothing follows it.
func wasDeleted(succ *record) bool {
	return succ != nil && !succ.Purged && !succ.Withdrawn && succ.CompletedVersion == 0 && succ.task.Status == task.Deleted
}

// handBack lets the completion that is being made bring its deleted successor back, as one that was withdrawn. Another in its
// place would be the same occurrence twice as soon as somebody restored the first.
func handBack(succ *record) effect {
	rec := *succ
	rec.Withdrawn = true
	return effect{old: succ, new: &rec}
}

// bringBack restores an occurrence that was withdrawn and, where the task it follows has changed meanwhile, makes it
// what the new completion wants: a second event, because a restoration tells of no change of fields.
func bringBack(old *record, t task.Task) []effect {
	back := old.task
	back.Status, back.CompletedAt, back.UpdatedAt, back.Version = task.Pending, nil, t.UpdatedAt, old.task.Version+1
	rec := *old
	rec.Withdrawn, rec.DeletedAt, rec.Previous, rec.Made = false, nil, "", back.Version
	restored := effect{typ: event.TaskRestored, actor: recurrenceActor, old: old, new: rec.with(back)}
	t.CreatedAt, t.Version = back.CreatedAt, back.Version+1
	if len(task.Changes(back, t)) == 0 {
		return []effect{restored}
	}
	rec.Made = t.Version
	return []effect{restored, {typ: event.TaskUpdated, actor: recurrenceActor, old: restored.new, new: rec.with(t)}}
}

// withdraw returns the effect of reopening a completed occurrence on its successor: gone, if nobody changed
// it since it was made.
func withdraw(v *view, reopened *record) []effect {
	succ := v.records[reopened.successorID()]
	if succ == nil || succ.Purged || succ.task.Status != task.Pending || succ.Made != succ.task.Version {
		return nil
	}
	e := deletion(succ, v.env, recurrenceActor)
	e.new.Withdrawn = true
	return []effect{e}
}
