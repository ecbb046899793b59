package backend

import (
	"context"
	"fmt"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/event"
	"github.com/docket-tasks/docket/task"
)

// taskRoutes are the routes of tasks. Bodies are read by package task, whose rules say more than a schema can;
// the schemas here are their description.
func (s *Service) taskRoutes(api huma.API) {
	taskDoc := api.OpenAPI().Components.Schemas.Schema(typeOf[task.Task](), true, "Task")
	one := func(op huma.Operation) huma.Operation { return answers(op, 200, "the task", taskDoc) }
	made := answers(op(http.MethodPost, "/api/tasks", "create-task", "Create a task from fields, or from one line of text", 400, 409, 413, 422), 201, "the task",
		api.OpenAPI().Components.Schemas.Schema(typeOf[createdTask](), true, ""))
	describeBody(api, &made, typeOf[newTask](), "A task's fields, or quick alone")
	edge.Describe[createInput, createOutput](api, made, s.createTask)
	delete(made.RequestBody.Content, rawType)

	list := op(http.MethodGet, "/api/tasks", "list-tasks", "List, filter, sort and search tasks", 400)
	list.Responses = map[string]*huma.Response{"200": {Description: "the page", Content: map[string]*huma.MediaType{
		"application/json": {Schema: &huma.Schema{Type: huma.TypeArray, Items: taskDoc}}}}, "304": {Description: "the list is as If-None-Match says"}}
	edge.Describe[listInput, listOutput](api, list, s.listTasks)

	get := one(op(http.MethodGet, "/api/tasks/{id}", "get-task", "Get a task", 404))
	get.Responses["304"] = &huma.Response{Description: "the task is as If-None-Match says"}
	huma.Register(api, get, s.getTask)

	patch := one(op(http.MethodPatch, "/api/tasks/{id}", "update-task", "Change a task by a JSON merge patch (RFC 7396)", 400, 404, 409, 410, 412, 413))
	describeBody(api, &patch, typeOf[taskPatch](), "Absent fields stay, null clears")
	patch.RequestBody.Content["application/merge-patch+json"] = patch.RequestBody.Content["application/json"]
	registerRaw(api, patch, s.updateTask)

	tags := one(op(http.MethodPut, "/api/tasks/{id}/tags", "change-tags", "Replace tags, or add and remove some", 400, 404, 409, 410, 412, 413))
	describeBody(api, &tags, typeOf[tagChange](), "Either tags, or add and remove")
	registerRaw(api, tags, s.changeTags)

	del := op(http.MethodDelete, "/api/tasks/{id}", "delete-task", "Delete a task; it can be restored for 30 days", 404, 412)
	del.DefaultStatus = http.StatusNoContent
	huma.Register(api, del, s.deleteTask)

	for verb, rule := range map[string]stepRule{"complete": complete, "reopen": reopen, "restore": restore} {
		o := one(op(http.MethodPost, "/api/tasks/{id}/"+verb, verb+"-task", stepSummaries[verb], 404, 409, 410, 412))
		huma.Register(api, o, s.stepTask(rule))
	}
	reminders := op(http.MethodGet, "/api/tasks/{id}/reminders", "list-reminders", "List the reminders of a task and what became of each", 404)
	huma.Register(api, reminders, s.listReminders)
}

type stepRule func(list, id, ifMatch string, actor event.Actor) wish

var stepSummaries = map[string]string{
	"complete": "Complete a task; a repeating one continues with its next occurrence",
	"reopen":   "Make a completed task pending again",
	"restore":  "Bring a deleted task back, within 30 days",
}

type taskOutput struct {
	Status      int    `json:"-"`
	ContentType string `header:"Content-Type"`
	ETag        string `header:"ETag"`
	ListVersion string `header:"List-Version" doc:"The list's version after a change: resume /ws from it"`
	Body        []byte
}

// answer renders the outcome of a change to one task.
func answer(effects []effect, version int64) *taskOutput {
	r := effects[0].new
	return &taskOutput{Status: http.StatusOK, ContentType: "application/json", ETag: edge.ETag(r.task.Version), ListVersion: strconv.FormatInt(version, 10), Body: r.Doc}
}

type getInput struct {
	ID          string `path:"id"`
	IfNoneMatch string `header:"If-None-Match"`
}

func (s *Service) getTask(ctx context.Context, in *getInput) (*taskOutput, error) {
	r, err := s.ownRecord(ctx, in.ID)
	if err != nil {
		return nil, problem(err)
	}
	out := &taskOutput{Status: http.StatusOK, ContentType: "application/json", ETag: edge.ETag(r.task.Version), Body: r.Doc}
	if !edge.IfNoneMatch(in.IfNoneMatch, out.ETag) {
		out.Status, out.Body = http.StatusNotModified, nil
	}
	return out, nil
}

// ownRecord reads a task of the caller's list; any other is as good as absent.
func (s *Service) ownRecord(ctx context.Context, id string) (*record, error) {
	_, listID := caller(ctx)
	if uuid.Validate(id) != nil {
		return nil, errNotFound
	}
	r, err := s.record(ctx, id)
	if err != nil {
		return nil, err
	}
	if r == nil || r.List != listID {
		return nil, errNotFound
	}
	if r.Purged {
		return nil, task.ErrGone
	}
	return r, nil
}

type changeInput struct {
	ID      string `path:"id"`
	IfMatch string `header:"If-Match" doc:"The ETag the change was made for; stale: 412"`
}

type bodyInput struct {
	ID      string `path:"id"`
	IfMatch string `header:"If-Match" doc:"The ETag the change was made for; stale: 412"`
	RawBody []byte
}

func (s *Service) updateTask(ctx context.Context, in *bodyInput) (*taskOutput, error) {
	p, err := task.ParsePatch(in.RawBody)
	if err != nil {
		return nil, problem(err)
	}
	who, listID := caller(ctx)
	return s.changeOne(ctx, listID, update(listID, in.ID, in.IfMatch, p, actorOf(who)))
}

func (s *Service) changeTags(ctx context.Context, in *bodyInput) (*taskOutput, error) {
	c, err := task.ParseTagChange(in.RawBody)
	if err != nil {
		return nil, problem(err)
	}
	who, listID := caller(ctx)
	return s.changeOne(ctx, listID, changeTags(listID, in.ID, in.IfMatch, c, actorOf(who)))
}

func (s *Service) stepTask(rule stepRule) func(context.Context, *changeInput) (*taskOutput, error) {
	return func(ctx context.Context, in *changeInput) (*taskOutput, error) {
		who, listID := caller(ctx)
		return s.changeOne(ctx, listID, rule(listID, in.ID, in.IfMatch, actorOf(who)))
	}
}

func (s *Service) changeOne(ctx context.Context, listID string, w wish) (*taskOutput, error) {
	effects, version, err := s.writer.do(ctx, listID, w.needs, w.apply)
	if err != nil {
		return nil, problem(err)
	}
	return answer(effects, version), nil
}

type deleteOutput struct {
	ListVersion string `header:"List-Version"`
}

func (s *Service) deleteTask(ctx context.Context, in *changeInput) (*deleteOutput, error) {
	who, listID := caller(ctx)
	out, err := s.changeOne(ctx, listID, remove(listID, in.ID, in.IfMatch, actorOf(who)))
	if err != nil {
		return nil, err
	}
	return &deleteOutput{ListVersion: out.ListVersion}, nil
}

type remindersOutput struct {
	Body []Reminder `nullable:"false"`
}

func (s *Service) listReminders(ctx context.Context, in *struct {
	ID string `path:"id"`
}) (*remindersOutput, error) {
	r, err := s.ownRecord(ctx, in.ID)
	if err != nil {
		return nil, problem(err)
	}
	owner, err := s.accounts.User(ctx, ownerOf(r.List))
	if err != nil {
		return nil, fmt.Errorf("read owner of list %s: %w", r.List, err)
	}
	out, err := s.remindersOf(ctx, r, owner.Zone())
	return &remindersOutput{Body: out}, err
}
