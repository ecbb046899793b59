package backend

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/docket-tasks/docket/quick"
	"github.com/docket-tasks/docket/services/backend/account"
	"github.com/docket-tasks/docket/task"
)

// The schemas of bodies that package task reads: descriptions, not decoders.
type (
	newTask struct {
		Title             string   `json:"title,omitempty" minLength:"1" maxLength:"255" doc:"Required unless quick is given"`
		Description       string   `json:"description,omitempty" nullable:"true" maxLength:"2000" doc:"Markdown"`
		Priority          string   `json:"priority,omitempty" nullable:"true" enum:"high,medium,low"`
		DueDate           *string  `json:"due_date,omitempty" nullable:"true" doc:"2026-03-31, 2026-03-31T09:00:00 or 2026-03-31T09:00:00+02:00"`
		Tags              []string `json:"tags,omitempty" nullable:"true" maxItems:"20"`
		RecurrencePattern *string  `json:"recurrence_pattern,omitempty" nullable:"true" doc:"daily, weekly, monthly, yearly or an RFC 5545 RRULE: string"`
		ReminderMinutes   []int    `json:"reminder_minutes,omitempty" nullable:"true" maxItems:"10" doc:"Minutes before the due date, 0 to 40320; default: the user's"`
		Quick             string   `json:"quick,omitempty" doc:"One line of text instead of the other fields: Pay rent every month on the 1st at 9am #home !high"`
		Plain             []string `json:"plain,omitempty" maxItems:"50" doc:"With quick: parts of it that stay title though they could be understood, such as the text of a span that the user has taken back"`
	}
	createdTask struct {
		task.Task
		Quick *quick.Result `json:"quick,omitempty" doc:"What was understood of the line of text, where one was given"`
	}
	taskPatch struct {
		Title             string   `json:"title,omitempty" minLength:"1" maxLength:"255"`
		Description       *string  `json:"description,omitempty" nullable:"true" maxLength:"2000"`
		Priority          *string  `json:"priority,omitempty" nullable:"true" enum:"high,medium,low"`
		DueDate           *string  `json:"due_date,omitempty" nullable:"true"`
		Tags              []string `json:"tags,omitempty" nullable:"true" maxItems:"20"`
		RecurrencePattern *string  `json:"recurrence_pattern,omitempty" nullable:"true"`
		ReminderMinutes   []int    `json:"reminder_minutes,omitempty" nullable:"true" maxItems:"10"`
	}
	tagChange struct {
		Tags   []string `json:"tags,omitempty" maxItems:"20"`
		Add    []string `json:"add,omitempty" maxItems:"20"`
		Remove []string `json:"remove,omitempty" maxItems:"20"`
	}
)

// quickDraft reads one line of text in the user's zone: the draft, and what was understood as JSON.
func (s *Service) quickDraft(ctx context.Context, user string, asked task.Draft) (task.Draft, json.RawMessage, error) {
	owner, err := s.accounts.User(ctx, user)
	if err != nil {
		return task.Draft{}, nil, fmt.Errorf("read user %s: %w", user, err)
	}
	r := quick.Parse(asked.Quick, s.now().In(owner.Zone()), asked.Plain...)
	if r.Title == "" {
		return task.Draft{}, nil, task.Invalid{{Field: "quick", Detail: "holds no title: write what is to be done, not only tags, priority or date"}}
	}
	understood, err := json.Marshal(r)
	if err != nil {
		return task.Draft{}, nil, fmt.Errorf("encode what was understood: %w", err)
	}
	d := task.Draft{Title: r.Title, Priority: task.Priority(r.Priority), Tags: r.Tags, RecurrencePattern: r.Pattern, ReminderMinutes: r.ReminderMinutes}
	if r.Due != "" {
		if d.DueDate, err = task.ParseDue(r.Due); err != nil {
			return task.Draft{}, nil, fmt.Errorf("due date understood from text: %w", err)
		}
	}
	return d, understood, nil
}

// understandRoutes are the routes that explain without saving.
func (s *Service) understandRoutes(api huma.API) {
	huma.Register(api, op(http.MethodPost, "/api/tasks/parse", "parse-task", "What quick add understands of a line of text", 400, 413), s.parseTask)
	huma.Register(api, op(http.MethodPost, "/api/recurrence/preview", "preview-recurrence", "A pattern in words and its next five due dates", 400, 413), s.previewRecurrence)
}

type parseInput struct {
	Body struct {
		Quick string   `json:"quick" minLength:"1"`
		Plain []string `json:"plain,omitempty" maxItems:"50" doc:"Parts of quick that stay title, as POST /api/tasks takes them"`
	}
}

type parseOutput struct{ Body quick.Result }

func (s *Service) parseTask(ctx context.Context, in *parseInput) (*parseOutput, error) {
	owner, err := s.self(ctx)
	if err != nil {
		return nil, err
	}
	return &parseOutput{Body: quick.Parse(in.Body.Quick, s.now().In(owner.Zone()), in.Body.Plain...)}, nil
}

type previewInput struct {
	Body struct {
		Pattern string `json:"recurrence_pattern" minLength:"1" maxLength:"1000"`
		DueDate string `json:"due_date,omitempty" doc:"Start of the series; default: today"`
	}
}

type previewOutput struct {
	Body struct {
		Words    string     `json:"words" doc:"What a rule takes from the due date is left open where none is given"`
		DueDates []task.Due `json:"due_dates" nullable:"false"`
	}
}

func (s *Service) previewRecurrence(ctx context.Context, in *previewInput) (*previewOutput, error) {
	owner, err := s.self(ctx)
	if err != nil {
		return nil, err
	}
	pattern, err := task.ParsePattern(in.Body.Pattern)
	if err != nil {
		return nil, invalid("recurrence_pattern", err)
	}
	var due task.Due
	if in.Body.DueDate != "" {
		if due, err = task.ParseDue(in.Body.DueDate); err != nil {
			return nil, invalid("due_date", err)
		}
	}
	dates, err := task.Preview(in.Body.Pattern, due, task.Env{Now: s.now(), Zone: owner.Zone()}, 5)
	if err != nil {
		return nil, problem(err)
	}
	out := &previewOutput{}
	out.Body.Words, out.Body.DueDates = pattern.WordsFrom(due, owner.Zone()), dates
	return out, nil
}

// invalid names the field that an error of parsing is about.
func invalid(field string, err error) error {
	return problem(task.Invalid{{Field: field, Detail: err.Error()}})
}

// self reads the user who asks.
func (s *Service) self(ctx context.Context) (account.User, error) {
	p, _ := caller(ctx)
	u, err := s.accounts.User(ctx, p.UserID)
	if err != nil {
		return account.User{}, fmt.Errorf("read user %s: %w", p.UserID, err)
	}
	return u, nil
}
