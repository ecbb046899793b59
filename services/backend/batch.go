package backend

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/event"
	"github.com/docket-tasks/docket/services/backend/account"
	"github.com/docket-tasks/docket/task"
)

const (
	// batchLimit is how many changes one request may carry.
	batchLimit = 200
	// batchBytes is how large it may be.
	batchBytes = 4 << 20
)

// batchChange is one change of a batch.
type batchChange struct {
	Op      string          `json:"op" enum:"create,update,tags,complete,reopen,delete,restore"`
	ID      string          `json:"id,omitempty" doc:"The task: all but create"`
	IfMatch string          `json:"if_match,omitempty" doc:"An ETag: all but create"`
	Key     string          `json:"idempotency_key,omitempty" maxLength:"255" doc:"create only"`
	Body    json.RawMessage `json:"body,omitempty" doc:"As the single route takes it: create, update, tags"`
}

// batchResult is the outcome of one change, in the place of its change.
type batchResult struct {
	Status int             `json:"status" doc:"As the single route answers"`
	Task   json.RawMessage `json:"task,omitempty"`
	Error  *edge.Problem   `json:"error,omitempty"`
}

type batchInput struct {
	Body struct {
		Changes []batchChange `json:"changes" nullable:"false" minItems:"1" maxItems:"200"`
	}
}

type batchOutput struct {
	ListVersion int64 `header:"List-Version"`
	Body        struct {
		Results []batchResult `json:"results" nullable:"false"`
	}
}

func (s *Service) batchRoute(api huma.API) {
	o := op(http.MethodPost, "/api/tasks/batch", "batch-tasks", "Carry out up to 200 changes in order; each succeeds or fails on its own", 400, 413)
	o.MaxBodyBytes = batchBytes
	huma.Register(api, o, s.batchTasks)
}

func (s *Service) batchTasks(ctx context.Context, in *batchInput) (*batchOutput, error) {
	who, listID := caller(ctx)
	out := &batchOutput{}
	out.Body.Results = make([]batchResult, len(in.Body.Changes))
	var changes []*change
	var places []int
	for i, c := range in.Body.Changes {
		w, err := s.batchWish(ctx, who, listID, c)
		if err != nil {
			out.Body.Results[i] = s.failed(ctx, err)
			continue
		}
		changes = append(changes, &change{ctx: ctx, needs: w.needs, apply: w.apply})
		places = append(places, i)
	}
	s.writer.doAll(listID, changes)
	for j, c := range changes {
		out.Body.Results[places[j]] = s.batchResult(ctx, in.Body.Changes[places[j]].Op, c)
		out.ListVersion = max(out.ListVersion, c.version)
	}
	return out, nil
}

// batchWish reads one change as its single route would.
func (s *Service) batchWish(ctx context.Context, who edge.Principal, listID string, c batchChange) (wish, error) {
	actor := actorOf(who)
	body := bytes.TrimSpace(c.Body)
	if err := c.check(); err != nil {
		return wish{}, err
	}
	switch c.Op {
	case "create":
		d, err := task.ParseDraft(body)
		if err == nil && d.Quick != "" {
			d, _, err = s.quickDraft(ctx, who.UserID, d)
		}
		if err != nil {
			return wish{}, err
		}
		id, request, err := newID(who.UserID, c.Key, body)
		return create(listID, id, d, request, actor), err
	case "update":
		p, err := task.ParsePatch(body)
		return update(listID, c.ID, c.IfMatch, p, actor), err
	case "tags":
		t, err := task.ParseTagChange(body)
		return changeTags(listID, c.ID, c.IfMatch, t, actor), err
	}
	rules := map[string]stepRule{"complete": complete, "reopen": reopen, "delete": remove, "restore": restore}
	return rules[c.Op](listID, c.ID, c.IfMatch, actor), nil
}

// check refuses members that the operation has no use for, or lacks.
func (c batchChange) check() error {
	var faults task.Invalid
	creates, takesBody := c.Op == "create", c.Op == "create" || c.Op == "update" || c.Op == "tags"
	if creates && c.ID != "" {
		faults = append(faults, task.FieldError{Field: "id", Detail: "is given by the server: leave it out of a create"})
	}
	if creates && c.IfMatch != "" {
		faults = append(faults, task.FieldError{Field: "if_match", Detail: "is not for a create: nothing is there yet"})
	}
	if !creates && c.ID == "" {
		faults = append(faults, task.FieldError{Field: "id", Detail: "is required: the task to " + c.Op})
	}
	if !creates && c.Key != "" {
		faults = append(faults, task.FieldError{Field: "idempotency_key", Detail: "is for a create only"})
	}
	if !takesBody && len(c.Body) > 0 {
		faults = append(faults, task.FieldError{Field: "body", Detail: c.Op + " takes none: leave it out"})
	}
	if faults == nil {
		return nil
	}
	return faults
}

func (s *Service) batchResult(ctx context.Context, op string, c *change) batchResult {
	if c.err != nil {
		return s.failed(ctx, c.err)
	}
	switch r := c.effects[0].new; op {
	case "create":
		return batchResult{Status: http.StatusCreated, Task: r.Doc}
	case "delete":
		return batchResult{Status: http.StatusNoContent}
	default:
		return batchResult{Status: http.StatusOK, Task: r.Doc}
	}
}

// failed renders the error of one change; what is not the caller's to know is logged instead.
func (s *Service) failed(ctx context.Context, err error) batchResult {
	p := edge.ProblemOf(ctx, problem(err))
	return batchResult{Status: p.Status, Error: p}
}

// errNotFound is the answer for a task that is not there or not the caller's.
var errNotFound = edge.NewProblem(http.StatusNotFound, "not_found", "there is no such task")

// problem gives the errors of the rules their answers; any other error stays as it is.
func problem(err error) error {
	var invalid task.Invalid
	switch {
	case err == nil:
		return nil
	case errors.As(err, &invalid):
		fields := make([]edge.FieldError, len(invalid))
		for i, f := range invalid {
			fields[i] = edge.FieldError(f)
		}
		return edge.NewProblem(http.StatusBadRequest, "validation_failed", fields[0].Error(), fields...)
	case errors.Is(err, task.ErrDeleted):
		return edge.NewProblem(http.StatusConflict, "task_deleted", task.ErrDeleted.Error())
	case errors.Is(err, task.ErrGone):
		return edge.NewProblem(http.StatusGone, "task_gone", task.ErrGone.Error())
	case errors.Is(err, account.ErrNoUser):
		return edge.NewProblem(http.StatusUnauthorized, "unauthorized", "the account was deleted")
	default:
		return err
	}
}

// actorOf is the caller as events name it.
func actorOf(p edge.Principal) event.Actor { return event.Actor(p.Actor) }

// caller is who asks, and the list they ask about: today everyone has one, which bears their id.
func caller(ctx context.Context) (edge.Principal, string) {
	p, ok := edge.PrincipalOf(ctx)
	if !ok {
		panic(fmt.Errorf("a route without a verified caller")) // Require stands in front of every one
	}
	return p, p.UserID
}

// ownerOf is the user a list belongs to, and listOf the list of a user: today a list bears its owner's id.
func ownerOf(list string) string { return list }
func listOf(user string) string  { return user }
