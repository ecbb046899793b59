package audit

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/docket-tasks/docket/edge"
)

// Register adds the service's operations to an API without serving anything: for the OpenAPI document.
func Register(api huma.API) { (&service{}).register(api) }

const paging = "Newest first. List-Version is the version of the list up to which the log has every event: one not yet delivered " +
	"holds it back, so a client that must see a change waits until List-Version reaches it. A page may be shorter than limit, or " +
	"even empty, and still have a next one."

func (s *service) register(api huma.API) {
	huma.Register(api, huma.Operation{
		OperationID: "list-audit", Method: http.MethodGet, Path: "/api/audit", Tags: []string{"audit"},
		Summary: "List what was done to the tasks of the caller's list, and by whom", Description: paging,
		Errors: []int{http.StatusBadRequest, http.StatusUnauthorized},
	}, s.getAudit)
	huma.Register(api, huma.Operation{
		OperationID: "get-task-history", Method: http.MethodGet, Path: "/api/tasks/{id}/history", Tags: []string{"audit"},
		Summary:     "List what was done to one task, and by whom",
		Description: paging + " A task that the log has no event of, or not yet, is not found; neither is another user's.",
		Errors:      []int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusNotFound},
	}, s.getHistory)
}

// PageInput is what both routes take; huma fills embedded parameters of exported types only.
type PageInput struct {
	EventType []string  `query:"event_type,explode" enum:"task.created,task.updated,task.completed,task.reopened,task.deleted,task.restored" doc:"Only events of these types"`
	From      time.Time `query:"from" doc:"Only events from this moment on"`
	To        time.Time `query:"to" doc:"Only events before this moment"`
	Limit     int       `query:"limit" minimum:"1" maximum:"200" default:"50"`
	Cursor    string    `query:"cursor" doc:"From the Link of the page before; the rest of the query must be the same"`
}

// Resolve checks what a schema cannot say.
func (in *PageInput) Resolve(huma.Context) []error {
	if !in.From.IsZero() && !in.To.IsZero() && !in.From.Before(in.To) {
		return []error{edge.FieldError{Field: "to", Detail: "must be after from"}}
	}
	return nil
}

type auditInput struct {
	PageInput
	TaskID string `query:"task_id" format:"uuid" doc:"Only events of this task"`
}

type historyInput struct {
	PageInput
	ID string `path:"id" format:"uuid"`
}

type pageOutput struct {
	Link        string  `header:"Link" doc:"The next page, rel=next"`
	ListVersion int64   `header:"List-Version" doc:"The version of the list up to which nothing is missing from the log"`
	Gaps        string  `header:"Audit-Gaps" doc:"Versions within this page that have not arrived, such as \"17, 20-22\", at most 32 ranges; of the list, or of the task where one is asked for"`
	Body        []Entry `nullable:"false"`
}

func (s *service) getAudit(ctx context.Context, in *auditInput) (*pageOutput, error) {
	caller, err := edge.Caller(ctx)
	if err != nil {
		return nil, err
	}
	q := in.query(caller.UserID, in.TaskID)
	return s.answer(ctx, q, "/api/audit", in.values(in.TaskID), in.Cursor)
}

func (s *service) getHistory(ctx context.Context, in *historyInput) (*pageOutput, error) {
	caller, err := edge.Caller(ctx)
	if err != nil {
		return nil, err
	}
	id := strings.ToLower(in.ID)
	owner, err := s.ownerOf(ctx, id)
	if err != nil {
		return nil, err
	}
	if owner != caller.UserID {
		return nil, edge.NewProblem(http.StatusNotFound, "", "there is no such task in the log")
	}
	return s.answer(ctx, in.query(caller.UserID, id), "/api/tasks/"+id+"/history", in.values(""), in.Cursor)
}

// ownerOf returns the list that the task's events are in, "" where there are none.
func (s *service) ownerOf(ctx context.Context, task string) (string, error) {
	r, err := s.trail(name{ofTask, task}).reach(ctx)
	if err != nil || r.Max == 0 {
		return "", err
	}
	item, err := s.state.Get(ctx, pointerKey(task, r.Max))
	if err != nil {
		return "", fmt.Errorf("read newest version of task %s: %w", task, err)
	}
	p, err := DecodePointer(item.Value)
	return p.ListID, err
}

func (in *PageInput) query(list, task string) query {
	return query{list: list, task: strings.ToLower(task), types: in.EventType, from: in.From, to: in.To, limit: in.Limit, before: math.MaxInt64}
}

// values repeats the query for the link to the next page.
func (in *PageInput) values(task string) url.Values {
	v := url.Values{"limit": {strconv.Itoa(in.Limit)}}
	if task != "" {
		v.Set("task_id", task)
	}
	if len(in.EventType) > 0 {
		v["event_type"] = in.EventType
	}
	if !in.From.IsZero() {
		v.Set("from", in.From.Format(time.RFC3339Nano))
	}
	if !in.To.IsZero() {
		v.Set("to", in.To.Format(time.RFC3339Nano))
	}
	return v
}

func (s *service) answer(ctx context.Context, q query, path string, values url.Values, cursor string) (*pageOutput, error) {
	if cursor != "" {
		var ok bool
		if q, ok = q.at(cursor); !ok {
			fault := edge.FieldError{Field: "cursor", Detail: "is not one that this query has given out"}
			return nil, edge.NewProblem(http.StatusBadRequest, "validation_failed", fault.Error(), fault)
		}
	}
	list, err := s.trail(name{ofList, q.list}).reach(ctx)
	if err != nil {
		return nil, err
	}
	top := list.Max
	if q.task != "" {
		r, err := s.trail(q.trail()).reach(ctx)
		if err != nil {
			return nil, err
		}
		top = r.Max
	}
	p, err := s.run(ctx, q, top)
	if err != nil {
		return nil, err
	}
	out := &pageOutput{ListVersion: list.Whole, Gaps: ranges(p.gaps), Body: p.entries}
	if p.next > 0 {
		values.Set("cursor", q.cursor(p.next))
		out.Link = edge.NextPage(path, values)
	}
	return out, nil
}

// maxRanges bounds the header.
const maxRanges = 32

// ranges writes versions that come from the highest down as the header has them, lowest first: "17, 20-22".
func ranges(versions []int64) string {
	var parts []string
	for i := len(versions) - 1; i >= 0 && len(parts) < maxRanges; i-- {
		first := versions[i]
		for i > 0 && versions[i-1] == versions[i]+1 {
			i--
		}
		part := strconv.FormatInt(first, 10)
		if versions[i] != first {
			part += "-" + strconv.FormatInt(versions[i], 10)
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ", ")
}
