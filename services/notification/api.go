package notification

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/task"
)

// maxSnooze is how far ahead a reminder can be put off.
const maxSnooze = 40320 * time.Minute

var errNotFound = edge.NewProblem(http.StatusNotFound, "", "there is no such notification")

// Register adds the service's operations to an API without serving anything: for the OpenAPI document.
func Register(api huma.API) { (&service{}).register(api) }

// routes serves the operations from mux.
func (s *service) routes(mux *http.ServeMux) { s.register(edge.NewAPI(mux, "docket notifications")) }

func (s *service) register(api huma.API) {
	huma.Register(api, huma.Operation{
		OperationID: "list-notifications", Method: http.MethodGet, Path: "/api/notifications", Tags: []string{"notifications"},
		Summary:     "List the inbox, newest first",
		Description: "The newest 10,000 entries at least are kept (or what the server is set to); each says what became of it on every channel.",
		Errors:      []int{http.StatusUnauthorized},
	}, s.getNotifications)
	huma.Register(api, huma.Operation{
		OperationID: "read-notification", Method: http.MethodPost, Path: "/api/notifications/{id}/read", Tags: []string{"notifications"},
		Summary: "Mark an entry as read", DefaultStatus: http.StatusNoContent,
		Errors: []int{http.StatusUnauthorized, http.StatusNotFound},
	}, s.readNotification)
	huma.Register(api, huma.Operation{
		OperationID: "snooze-notification", Method: http.MethodPost, Path: "/api/notifications/{id}/snooze", Tags: []string{"notifications"},
		Summary:     "Be reminded of the task once more, later",
		Description: "Marks the entry as read too. Give minutes or until.", DefaultStatus: http.StatusAccepted,
		Errors: []int{http.StatusUnauthorized, http.StatusNotFound, http.StatusConflict},
	}, s.snoozeNotification)
	s.registerPush(api)
}

type listInput struct {
	Unread bool   `query:"unread" doc:"Only entries not read"`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	Cursor string `query:"cursor" doc:"From the Link of the page before"`
	before int64
}

// Resolve reads the cursor: the number of the last entry of the page before.
func (in *listInput) Resolve(huma.Context) []error {
	in.before = -1
	if in.Cursor == "" {
		return nil
	}
	n, err := strconv.ParseInt(in.Cursor, 10, 64)
	if err != nil || n < 0 {
		return []error{edge.FieldError{Field: "cursor", Detail: "is not one that this list has given out"}}
	}
	in.before = n
	return nil
}

type listOutput struct {
	Link  string      `header:"Link" doc:"The next page, rel=next"`
	Total string      `header:"X-Total-Count" doc:"How many entries there are in all"`
	Body  []InboxItem `nullable:"false"`
}

func (s *service) getNotifications(ctx context.Context, in *listInput) (*listOutput, error) {
	caller, err := edge.Caller(ctx)
	if err != nil {
		return nil, err
	}
	p, err := s.inbox.list(ctx, caller.UserID, in.Unread, in.before, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &listOutput{Total: strconv.FormatInt(p.total, 10), Body: p.items}
	if p.next >= 0 {
		query := url.Values{"cursor": {strconv.FormatInt(p.next, 10)}, "limit": {strconv.Itoa(in.Limit)}}
		if in.Unread {
			query.Set("unread", "true")
		}
		out.Link = edge.NextPage("/api/notifications", query)
	}
	return out, nil
}

type readInput struct {
	ID string `path:"id" format:"uuid"`
}

func (s *service) readNotification(ctx context.Context, in *readInput) (*struct{}, error) {
	caller, err := edge.Caller(ctx)
	if err != nil {
		return nil, err
	}
	return nil, s.markRead(ctx, caller.UserID, in.ID)
}

func (s *service) markRead(ctx context.Context, user, id string) error {
	err := s.inbox.do(user, &change{ctx: ctx, read: id})
	if errors.Is(err, errUnknownEntry) {
		return errNotFound
	}
	return err
}

type snoozeInput struct {
	ID   string `path:"id" format:"uuid"`
	Body struct {
		Minutes *int       `json:"minutes,omitempty" minimum:"1" maximum:"40320" doc:"From now"`
		Until   *time.Time `json:"until,omitempty" doc:"At most 40320 minutes (28 days) ahead"`
	}
}

type snoozeOutput struct {
	Body struct {
		At task.Time `json:"at" format:"date-time" doc:"When the reminder will come"`
	}
}

// at is the moment asked for, to the second.
func (in *snoozeInput) at(now time.Time) (time.Time, error) {
	minutes, until := in.Body.Minutes, in.Body.Until
	switch {
	case (minutes == nil) == (until == nil):
		return time.Time{}, invalid("minutes", "give either minutes or until")
	case minutes != nil:
		return now.Add(time.Duration(*minutes) * time.Minute).UTC().Truncate(time.Second), nil
	case !until.After(now):
		return time.Time{}, invalid("until", "must be in the future")
	case until.After(now.Add(maxSnooze)):
		return time.Time{}, invalid("until", "must be at most 28 days ahead")
	case until.Nanosecond() != 0:
		return time.Time{}, invalid("until", "must not have fractions of a second")
	}
	return until.UTC(), nil
}

func (s *service) snoozeNotification(ctx context.Context, in *snoozeInput) (*snoozeOutput, error) {
	caller, err := edge.Caller(ctx)
	if err != nil {
		return nil, err
	}
	at, err := in.at(s.now())
	if err != nil {
		return nil, err
	}
	rec, err := s.inbox.entry(ctx, caller.UserID, in.ID)
	if err != nil {
		return nil, err
	}
	err = s.backend.remind(ctx, rec.TaskID, caller.UserID, at)
	if errors.Is(err, errTaskClosed) {
		return nil, edge.NewProblem(http.StatusConflict, "task_closed", "the task is completed or deleted, so it reminds nobody")
	}
	if err != nil {
		s.log.WarnContext(ctx, "snooze failed", "notification_id", in.ID, "error", err)
		return nil, edge.NewProblem(http.StatusServiceUnavailable, "unavailable", "the reminder cannot be set just now, try again").After(time.Second)
	}
	s.log.InfoContext(ctx, "reminder snoozed", "notification_id", in.ID, "task_id", rec.TaskID, "user_id", caller.UserID, "at", at)
	var out snoozeOutput
	out.Body.At = task.At(at)
	if err := s.markRead(ctx, caller.UserID, in.ID); err != nil { // the reminder is set all the same
		s.log.WarnContext(ctx, "snoozed entry not marked as read", "notification_id", in.ID, "error", err)
	}
	return &out, nil
}

// entry returns the user's own notification in the inbox, or errNotFound.
func (b *inbox) entry(ctx context.Context, user, id string) (record, error) {
	var rec record
	item, err := b.state.Get(ctx, recordKey(id))
	if err != nil {
		return rec, fmt.Errorf("read notification %s: %w", id, err)
	}
	if err := decode(item, &rec); err != nil {
		return rec, err
	}
	if rec.UserID != user || rec.Channel != InApp {
		return rec, errNotFound
	}
	return rec, nil
}

func invalid(field, detail string) error {
	fault := edge.FieldError{Field: field, Detail: detail}
	return edge.NewProblem(http.StatusBadRequest, "validation_failed", fault.Error(), fault)
}
