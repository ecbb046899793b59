package backend

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/event"
	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/services/backend/account"
	"github.com/docket-tasks/docket/task"
)

// wish is one change somebody asks for: what it needs to read and what it does.
type wish struct {
	needs []string
	apply func(v *view) ([]effect, error)
}

// create makes a task. With a request hash the id derives from an Idempotency-Key: the same request again
// changes nothing and answers with the task.
func create(list, id string, d task.Draft, request string, actor event.Actor) wish {
	var needs []string
	if request != "" { // otherwise the id is a fresh one: nothing can be there
		needs = []string{id}
	}
	return wish{needs: needs, apply: func(v *view) ([]effect, error) {
		if was := v.records[id]; was != nil {
			if request == "" || was.Request != request {
				return nil, edge.NewProblem(http.StatusUnprocessableEntity, "idempotency_key_reused",
					"this Idempotency-Key was used for another request: use a new key for a new task",
					edge.FieldError{Field: "Idempotency-Key", Detail: "was used with another body"})
			}
			if was.Purged {
				return nil, problem(task.ErrGone)
			}
			return []effect{{old: was, new: was}}, nil
		}
		if v.head.Live >= maxLive {
			return nil, listFull("delete some first")
		}
		t, err := task.Create(id, ownerOf(list), d, v.env)
		if err != nil {
			return nil, err
		}
		return []effect{{typ: event.TaskCreated, actor: actor, new: record{List: list, Request: request}.with(t)}}, nil
	}}
}

func listFull(remedy string) *edge.Problem {
	return edge.NewProblem(http.StatusConflict, "list_full", fmt.Sprintf("the list holds %d tasks, the most it can: %s", maxLive, remedy))
}

// hashRequest identifies the body of a request with an Idempotency-Key.
func hashRequest(body []byte) string {
	h := sha256.Sum256(body)
	return hex.EncodeToString(h[:])
}

// edit is a wish to change the one task id by the rule given; further tasks may be read along.
func edit(list, id, ifMatch string, more []string, rule func(v *view, was *record) ([]effect, error)) wish {
	if uuid.Validate(id) != nil { // and may not even be fit for a key
		return wish{apply: func(*view) ([]effect, error) { return nil, errNotFound }}
	}
	return wish{needs: append([]string{id}, more...), apply: func(v *view) ([]effect, error) {
		was := v.records[id]
		if was == nil || was.List != list {
			return nil, errNotFound
		}
		if was.Purged {
			return nil, problem(task.ErrGone)
		}
		if err := matches(ifMatch, was.task.Version); err != nil {
			return nil, err
		}
		return rule(v, was)
	}}
}

// step returns the effect of a rule's result: none where the rule left the task as it was.
func step(typ event.Type, actor event.Actor, was *record, t task.Task, err error) ([]effect, error) {
	if err != nil {
		return nil, err
	}
	if t.Version == was.task.Version {
		return []effect{{old: was, new: was}}, nil
	}
	return []effect{{typ: typ, actor: actor, old: was, new: was.with(t)}}, nil
}

func update(list, id, ifMatch string, p task.Patch, actor event.Actor) wish {
	return edit(list, id, ifMatch, nil, func(v *view, was *record) ([]effect, error) {
		t, err := task.Update(was.task, p, v.env)
		return step(event.TaskUpdated, actor, was, t, err)
	})
}

func changeTags(list, id, ifMatch string, c task.TagChange, actor event.Actor) wish {
	return edit(list, id, ifMatch, nil, func(v *view, was *record) ([]effect, error) {
		t, err := task.ChangeTags(was.task, c, v.env)
		return step(event.TaskUpdated, actor, was, t, err)
	})
}

// complete also settles which occurrence is to follow: whenever, and however often, the service that continues series
// is told of this completion, it is the same.
func complete(list, id, ifMatch string, actor event.Actor) wish {
	return edit(list, id, ifMatch, []string{event.SuccessorID(id)}, func(v *view, was *record) ([]effect, error) {
		t, err := task.Complete(was.task, v.env)
		out, err := step(event.TaskCompleted, actor, was, t, err)
		if err == nil && out[0].new != was {
			out[0].new.CompletedVersion = t.Version
			switch succ := v.records[was.successorID()]; {
			case cannotFollow(succ, t):
				out[0].new.Anew = t.Version
			case wasDeleted(succ):
				out = append(out, handBack(succ))
			}
		}
		return out, err
	})
}

// reopen makes a completed task pending again and withdraws the occurrence that its completion made.
func reopen(list, id, ifMatch string, actor event.Actor) wish {
	return edit(list, id, ifMatch, []string{event.SuccessorID(id)}, func(v *view, was *record) ([]effect, error) {
		t, err := task.Reopen(was.task, v.env)
		out, err := step(event.TaskReopened, actor, was, t, err)
		if err == nil && out[0].new != was {
			out[0].new.CompletedVersion = 0
			out = append(out, withdraw(v, was)...)
		}
		return out, err
	})
}

// remove deletes a task. It is idempotent for good: one that was purged since stays deleted.
func remove(list, id, ifMatch string, actor event.Actor) wish {
	w := edit(list, id, ifMatch, nil, func(v *view, was *record) ([]effect, error) {
		if was.task.Status == task.Deleted {
			return []effect{{old: was, new: was}}, nil
		}
		return []effect{deletion(was, v.env, actor)}, nil
	})
	kept := w.apply
	w.apply = func(v *view) ([]effect, error) {
		if was := v.records[id]; was != nil && was.Purged && was.List == list {
			return []effect{{old: was, new: was}}, nil
		}
		return kept(v)
	}
	return w
}

func deletion(was *record, env task.Env, actor event.Actor) effect {
	t, err := task.Delete(was.task, env)
	if err != nil {
		panic(fmt.Sprintf("delete task %s: %v", t.ID, err)) // every task that exists can be deleted
	}
	rec := was.with(t)
	at := task.At(env.Now).Time
	rec.Previous, rec.DeletedAt = was.task.Status, &at
	return effect{typ: event.TaskDeleted, actor: actor, old: was, new: rec}
}

func restore(list, id, ifMatch string, actor event.Actor) wish {
	return edit(list, id, ifMatch, nil, func(v *view, was *record) ([]effect, error) {
		if was.task.Status != task.Deleted {
			return []effect{{old: was, new: was}}, nil
		}
		if v.head.Live >= maxLive {
			return nil, listFull("delete another task first")
		}
		t, err := task.Restore(was.task, was.Previous, *was.DeletedAt, v.env)
		out, err := step(event.TaskRestored, actor, was, t, err)
		if err == nil {
			out[0].new.Previous, out[0].new.DeletedAt, out[0].new.Withdrawn = "", nil, false
		}
		return out, err
	})
}

// matches refuses a change that was made for another version of the task.
func matches(ifMatch string, version int64) error {
	if edge.IfMatch(ifMatch, version) {
		return nil
	}
	return edge.NewProblem(http.StatusPreconditionFailed, "version_conflict",
		fmt.Sprintf("the task has changed: it is at version %d now; read it and try again", version),
		edge.FieldError{Field: "If-Match", Detail: "does not match " + edge.ETag(version)})
}

// purgeJob is the data of the job that removes a deleted task for good.
type purgeJob struct {
	Task    string `json:"task"`
	List    string `json:"list"`
	Version int64  `json:"version"`
}

// purgeJob schedules the removal of a task that the effect deletes.
func (e *effect) purgeJob(env task.Env) []host.JobIntent {
	if e.typ != event.TaskDeleted {
		return nil
	}
	t := &e.new.task
	return []host.JobIntent{schedule(fmt.Sprintf("purge-%s-%d", t.ID, t.Version), env.Now.Add(task.RestoreWindow+time.Hour),
		purgeJob{Task: t.ID, List: e.new.List, Version: t.Version})}
}

// onPurge removes a task that has been deleted for longer than it can be restored. A stub stays, so that an
// id derived from it is never used again, with whether it was completed. An occurrence that was withdrawn stays whole:
// completing its predecessor again, however late, brings it back.
func (s *Service) onPurge(ctx context.Context, d purgeJob) error {
	_, _, err := s.writer.do(ctx, d.List, []string{d.Task}, func(v *view) ([]effect, error) {
		was := v.records[d.Task]
		if was == nil || was.Purged || was.Withdrawn || was.task.Status != task.Deleted || was.task.Version != d.Version {
			return nil, nil
		}
		if left := task.RestoreWindow - v.env.Now.Sub(*was.DeletedAt); left > 0 { // another replica's clock is ahead of ours
			return nil, fmt.Errorf("the task can be restored for another %s", left)
		}
		return []effect{{old: was, new: &record{List: was.List, Purged: true, Request: was.Request, CompletedVersion: was.CompletedVersion}}}, nil
	})
	if err != nil && !errors.Is(err, account.ErrNoUser) { // else it goes, or went, with the account
		return fmt.Errorf("purge task %s: %w", d.Task, err)
	}
	return nil
}
