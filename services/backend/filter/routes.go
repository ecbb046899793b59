package filter

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/event"
	"github.com/docket-tasks/docket/task"
)

// Routes adds the routes of a signed-in user. They stand behind edge.Verifier.Require.
func (s *Store) Routes(api huma.API) {
	list := op("list-filters", http.MethodGet, "/api/filters", "The saved filters, in the user's order", http.StatusOK)
	list.Description = "The ETag is the version of all of them; the WebSocket says filters with a new one (api/asyncapi.yaml)."
	list.Responses = map[string]*huma.Response{"304": {Description: "the filters are as If-None-Match says"}}
	huma.Register(api, list, s.list)
	create := op("create-filter", http.MethodPost, "/api/filters", "Save a filter, behind the others", http.StatusCreated, 400, 409, 422)
	create.RequestBody = &huma.RequestBody{Content: map[string]*huma.MediaType{"application/json": {Example: NewFilter{
		Name: "At home, this week", Query: FilterQuery{Tag: []string{"home"}, Status: []string{"pending"}, DueBefore: "today+7", SortBy: "due_date"},
	}}}}
	huma.Register(api, create, s.create)
	huma.Register(api, op("get-filter", http.MethodGet, "/api/filters/{id}", "A saved filter", http.StatusOK, 404), s.get)
	patch := op("update-filter", http.MethodPatch, "/api/filters/{id}", "Rename a filter, or give it another query", http.StatusOK, 400, 404, 412)
	patch.Description = "Absent members stay as they are; query is replaced as a whole."
	huma.Register(api, patch, s.update)
	huma.Register(api, op("delete-filter", http.MethodDelete, "/api/filters/{id}", "Delete a saved filter", http.StatusNoContent, 404, 412), s.remove)
	order := op("order-filters", http.MethodPut, "/api/filters/order", "Put the filters into another order", http.StatusOK, 400, 409, 412)
	order.Description = "Name each filter once; 409 where they are not all of them, as after a change elsewhere: read them again."
	huma.Register(api, order, s.order)
}

func op(id, method, path, summary string, status int, errs ...int) huma.Operation {
	return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, DefaultStatus: status,
		Errors: append(errs, http.StatusUnauthorized, http.StatusServiceUnavailable), Tags: []string{"filters"}}
}

// problem is what the caller is told of an error.
func problem(err error) error {
	fault := func(status int, code, field, detail string) error {
		return edge.NewProblem(status, code, field+": "+detail, edge.FieldError{Field: field, Detail: detail})
	}
	switch {
	case errors.Is(err, errNone):
		return edge.NewProblem(http.StatusNotFound, "", "you have no such filter")
	case errors.Is(err, errFull):
		return edge.NewProblem(http.StatusConflict, "too_many_filters", fmt.Sprintf("you have %d filters already: delete one first", Max))
	case errors.Is(err, errStale):
		return fault(http.StatusPreconditionFailed, "version_conflict", "If-Match", "the filters have changed since you read them: read them again")
	case errors.Is(err, errReused):
		return fault(http.StatusUnprocessableEntity, "idempotency_key_reused", "Idempotency-Key", "was used for another filter: use a new one")
	case errors.Is(err, errOthers):
		return fault(http.StatusConflict, "filters_changed", "ids", "must be those of all filters: read them again")
	}
	return err
}

func refuse(faults []edge.FieldError) error {
	if len(faults) == 0 {
		return nil
	}
	return edge.NewProblem(http.StatusBadRequest, "validation_failed", faults[0].Error(), faults...)
}

type listInput struct {
	IfNoneMatch string `header:"If-None-Match"`
}

type listOutput struct {
	Status int    `json:"-"`
	ETag   string `header:"ETag" doc:"The version of the filters, for If-Match and If-None-Match"`
	Body   []Filter
}

func (d document) answer() *listOutput {
	out := &listOutput{Status: http.StatusOK, ETag: edge.ETag(d.Version), Body: make([]Filter, len(d.Filters))}
	for i, f := range d.Filters {
		out.Body[i] = f.Filter
	}
	return out
}

func (s *Store) list(ctx context.Context, in *listInput) (*listOutput, error) {
	caller, err := edge.Caller(ctx)
	if err != nil {
		return nil, err
	}
	d, _, err := s.load(ctx, caller.UserID)
	if err != nil {
		return nil, err
	}
	out := d.answer()
	if !edge.IfNoneMatch(in.IfNoneMatch, out.ETag) {
		out.Status, out.Body = http.StatusNotModified, nil
	}
	return out, nil
}

type oneOutput struct {
	ETag     string `header:"ETag" doc:"The version of all filters"`
	Location string `header:"Location"`
	Body     Filter
}

func (s *Store) get(ctx context.Context, in *struct {
	ID string `path:"id"`
}) (*oneOutput, error) {
	caller, err := edge.Caller(ctx)
	if err != nil {
		return nil, err
	}
	d, _, err := s.load(ctx, caller.UserID)
	if err != nil {
		return nil, err
	}
	i := d.place(in.ID)
	if i < 0 {
		return nil, problem(errNone)
	}
	return &oneOutput{ETag: edge.ETag(d.Version), Body: d.Filters[i].Filter}, nil
}

// NewFilter is what a filter is made of.
type NewFilter struct {
	Name  string      `json:"name" minLength:"1" maxLength:"50"`
	Query FilterQuery `json:"query"`
}

type createInput struct {
	Key  string `header:"Idempotency-Key" maxLength:"255" doc:"The same key with the same body saves once and answers again"`
	Body NewFilter
}

func (s *Store) create(ctx context.Context, in *createInput) (*oneOutput, error) {
	caller, err := edge.Caller(ctx)
	if err != nil {
		return nil, err
	}
	if err := refuse(append(checkName(in.Body.Name), in.Body.Query.check()...)); err != nil {
		return nil, err
	}
	fresh, err := s.fresh(caller.UserID, in)
	if err != nil {
		return nil, err
	}
	var made Filter
	d, err := s.change(ctx, caller.UserID, "", func(d *document) error {
		if i := d.place(fresh.ID); i >= 0 {
			if made = d.Filters[i].Filter; d.Filters[i].Request != fresh.Request {
				return errReused
			}
			return errNothing
		}
		if len(d.Filters) >= Max {
			return errFull
		}
		made, d.Filters = fresh.Filter, append(d.Filters, fresh)
		return nil
	})
	if err != nil {
		return nil, problem(err)
	}
	return &oneOutput{ETag: edge.ETag(d.Version), Location: "/api/filters/" + made.ID, Body: made}, nil
}

// fresh is the filter that a request asks for. With an Idempotency-Key its id derives from that.
func (s *Store) fresh(user string, in *createInput) (stored, error) {
	now := task.At(s.now())
	f := stored{Filter: Filter{Name: in.Body.Name, Query: in.Body.Query, CreatedAt: now, UpdatedAt: now}}
	if in.Key == "" {
		id, err := uuid.NewV7()
		f.ID = id.String()
		return f, err
	}
	body, err := json.Marshal(in.Body)
	sum := sha256.Sum256(body)
	f.ID, f.Request = event.KeyedFilterID(user, in.Key), base64.RawURLEncoding.EncodeToString(sum[:])
	return f, err
}

type updateInput struct {
	ID      string `path:"id"`
	IfMatch string `header:"If-Match" doc:"The ETag of the filters; stale: 412"`
	Body    FilterPatch
}

// FilterPatch changes a filter.
type FilterPatch struct {
	Name  *string      `json:"name,omitempty" minLength:"1" maxLength:"50"`
	Query *FilterQuery `json:"query,omitempty" doc:"Replaces the query as a whole"`
}

func (s *Store) update(ctx context.Context, in *updateInput) (*oneOutput, error) {
	caller, err := edge.Caller(ctx)
	if err != nil {
		return nil, err
	}
	var faults []edge.FieldError
	if in.Body.Name != nil {
		faults = checkName(*in.Body.Name)
	}
	if in.Body.Query != nil {
		faults = append(faults, in.Body.Query.check()...)
	}
	if err := refuse(faults); err != nil {
		return nil, err
	}
	var now Filter
	d, err := s.change(ctx, caller.UserID, in.IfMatch, func(d *document) error {
		i := d.place(in.ID)
		if i < 0 {
			return errNone
		}
		now = d.Filters[i].Filter
		if in.Body.Name != nil {
			now.Name = *in.Body.Name
		}
		if in.Body.Query != nil {
			now.Query = *in.Body.Query
		}
		if reflect.DeepEqual(now, d.Filters[i].Filter) {
			return errNothing
		}
		now.UpdatedAt = task.At(s.now())
		d.Filters[i].Filter = now
		return nil
	})
	if err != nil {
		return nil, problem(err)
	}
	return &oneOutput{ETag: edge.ETag(d.Version), Body: now}, nil
}

type removeInput struct {
	ID      string `path:"id"`
	IfMatch string `header:"If-Match" doc:"The ETag of the filters; stale: 412"`
}

type removeOutput struct {
	ETag string `header:"ETag"`
}

func (s *Store) remove(ctx context.Context, in *removeInput) (*removeOutput, error) {
	caller, err := edge.Caller(ctx)
	if err != nil {
		return nil, err
	}
	d, err := s.change(ctx, caller.UserID, in.IfMatch, func(d *document) error {
		i := d.place(in.ID)
		if i < 0 {
			return errNone
		}
		d.Filters = slices.Delete(d.Filters, i, i+1)
		return nil
	})
	if err != nil {
		return nil, problem(err)
	}
	return &removeOutput{ETag: edge.ETag(d.Version)}, nil
}

type orderInput struct {
	IfMatch string `header:"If-Match" doc:"The ETag of the filters; stale: 412"`
	Body    FilterOrder
}

// FilterOrder is the order that a user wants.
type FilterOrder struct {
	IDs []string `json:"ids" nullable:"false" maxItems:"100" doc:"The id of each filter, once"`
}

func (s *Store) order(ctx context.Context, in *orderInput) (*listOutput, error) {
	caller, err := edge.Caller(ctx)
	if err != nil {
		return nil, err
	}
	for i, id := range in.Body.IDs {
		if slices.Contains(in.Body.IDs[:i], id) {
			return nil, refuse([]edge.FieldError{{Field: "ids[" + strconv.Itoa(i) + "]", Detail: "is there twice"}})
		}
	}
	d, err := s.change(ctx, caller.UserID, in.IfMatch, func(d *document) error {
		if len(in.Body.IDs) != len(d.Filters) {
			return errOthers
		}
		next := make([]stored, len(d.Filters))
		same := true
		for i, id := range in.Body.IDs {
			at := d.place(id)
			if at < 0 {
				return errOthers
			}
			next[i], same = d.Filters[at], same && at == i
		}
		if same {
			return errNothing
		}
		d.Filters = next
		return nil
	})
	if err != nil {
		return nil, problem(err)
	}
	return d.answer(), nil
}
