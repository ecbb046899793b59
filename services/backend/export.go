package backend

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/ical"
	"github.com/docket-tasks/docket/services/backend/account"
	"github.com/docket-tasks/docket/services/backend/filter"
	"github.com/docket-tasks/docket/task"
)

// ExportHead is how an export begins. docket import reads the tasks behind it.
type ExportHead struct {
	// Format is the version of this form.
	Format     int               `json:"docket_export" doc:"The version of this form: 1"`
	ExportedAt task.Time         `json:"exported_at" format:"date-time"`
	User       string            `json:"user" doc:"The user's name"`
	TimeZone   string            `json:"time_zone"`
	Settings   account.User      `json:"settings"`
	Filters    []filter.Filter   `json:"filters" nullable:"false"`
	Tokens     []account.Token   `json:"tokens" nullable:"false" doc:"Without the secrets, which are not kept"`
	Sessions   []account.Session `json:"sessions" nullable:"false"`
	// Connections are the accounts at OpenID providers.
	Connections []account.Connection `json:"connections" nullable:"false"`
	Passkeys    []account.Passkey    `json:"passkeys" nullable:"false" doc:"Without their keys"`
}

const exportFormat = 1

// exported documents the whole; what follows the head is written as it is read.
type exported struct {
	ExportHead
	Tasks         []task.Task       `json:"tasks" nullable:"false" doc:"In order of creation, deleted ones that can be restored included"`
	History       []json.RawMessage `json:"history" nullable:"false" doc:"Every event, as GET /api/audit has it, newest first"`
	Notifications []json.RawMessage `json:"notifications" nullable:"false" doc:"The inbox, as GET /api/notifications has it, newest first"`
}

type exportInput struct {
	Format string `query:"format" enum:"json,ical" default:"json" doc:"ical: the tasks that are not deleted, as iCalendar to-dos (RFC 5545)"`
}

type exportOutput struct {
	ContentType string `header:"Content-Type"`
	Disposition string `header:"Content-Disposition"`
	Body        func(huma.Context)
}

func (s *Service) exportRoute(api huma.API) {
	o := op(http.MethodGet, "/api/me/export", "export", "Everything that is the user's: settings, filters, tasks, history and inbox, or the tasks as a calendar", 400)
	o.Description = "The history is what the audit log has when it is read. An answer that breaks off is incomplete: it does not end as JSON does."
	any := &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}
	whole := *api.OpenAPI().Components.Schemas.Schema(typeOf[exported](), false, "Export")
	whole.Properties["history"].Items, whole.Properties["notifications"].Items = any, any
	o.Responses = map[string]*huma.Response{"200": {Description: "the export", Content: map[string]*huma.MediaType{
		"application/json": {Schema: &whole}, "text/calendar": {}}}}
	huma.Register(api, o, s.export)
}

func (s *Service) export(ctx context.Context, in *exportInput) (*exportOutput, error) {
	p, err := edge.Caller(ctx)
	if err != nil {
		return nil, err
	}
	head, err := s.exportHead(ctx, p)
	if err != nil {
		return nil, err
	}
	tasks, err := s.allTasks(ctx, p.UserID)
	if err != nil {
		return nil, err
	}
	if in.Format == "ical" {
		return s.streamed("text/calendar; charset=utf-8", "docket.ics", func(w io.Writer) error {
			return exportCalendar(w, head, tasks)
		}), nil
	}
	return s.streamed("application/json", "docket.json", func(w io.Writer) error {
		return s.exportAll(ctx, w, p, head, tasks)
	}), nil
}

// streamed answers with what write writes. Where it fails the answer is cut off, for its status is sent by then.
func (s *Service) streamed(contentType, file string, write func(io.Writer) error) *exportOutput {
	return &exportOutput{ContentType: contentType, Disposition: `attachment; filename="` + file + `"`, Body: func(ctx huma.Context) {
		w := bufio.NewWriter(ctx.BodyWriter())
		err := write(w)
		if err = errors.Join(err, w.Flush()); err != nil {
			edge.LoggerOf(ctx.Context()).WarnContext(ctx.Context(), "export broke off", "error", err)
			panic(http.ErrAbortHandler)
		}
	}}
}

func (s *Service) exportHead(ctx context.Context, p edge.Principal) (ExportHead, error) {
	u, err := s.accounts.User(ctx, p.UserID)
	if err != nil {
		return ExportHead{}, unauthorized(err)
	}
	h := ExportHead{Format: exportFormat, ExportedAt: task.At(s.now()), User: u.Name, TimeZone: u.TimeZone, Settings: account.Visible(u, p)}
	if h.Filters, err = s.filters.All(ctx, p.UserID); err != nil {
		return h, err
	}
	if h.Tokens, err = s.accounts.Tokens(ctx, p.UserID); err != nil {
		return h, err
	}
	if h.Sessions, err = s.accounts.Sessions(ctx, p.UserID, ""); err != nil {
		return h, err
	}
	if h.Connections, err = s.accounts.Connections(ctx, p.UserID); err != nil {
		return h, err
	}
	h.Passkeys, err = s.accounts.Passkeys(ctx, p.UserID)
	return h, err
}

// allTasks reads the records of a list in order of creation, without the stubs of those that are gone for good.
func (s *Service) allTasks(ctx context.Context, list string) ([]*record, error) {
	it, err := s.state.Get(ctx, headKey(list))
	if err != nil {
		return nil, fmt.Errorf("read list %s: %w", list, err)
	}
	h, err := openHead(ctx, s.state, list, it)
	if err != nil {
		return nil, err
	}
	ids, err := readSegments(ctx, s.state, list, h, 0, h.Segments)
	if err != nil {
		return nil, err
	}
	all, err := readRecords(ctx, s.state, ids)
	var there []*record
	for _, r := range all {
		if r != nil && !r.Purged {
			there = append(there, r)
		}
	}
	return there, err
}

func exportCalendar(w io.Writer, head ExportHead, records []*record) error {
	var tasks []task.Task
	for _, r := range records {
		if r.task.Status != task.Deleted {
			tasks = append(tasks, r.task)
		}
	}
	return ical.Write(w, account.User{TimeZone: head.TimeZone}.Zone(), tasks, head.ExportedAt.Time)
}

// exportAll writes the head, and into the same object what is of any length.
func (s *Service) exportAll(ctx context.Context, w io.Writer, p edge.Principal, head ExportHead, records []*record) error {
	b, err := json.Marshal(head)
	if err != nil {
		return fmt.Errorf("encode export: %w", err)
	}
	a := array{w: w}
	a.raw(strings.TrimSuffix(string(b), "}"))
	a.begin("tasks")
	for _, r := range records {
		a.element(r.Doc)
	}
	a.raw("]")
	for _, l := range []struct{ member, service, path string }{
		{"history", "audit", "/api/audit?limit=200"}, {"notifications", "notification", "/api/notifications?limit=200"},
	} {
		a.begin(l.member)
		if err := s.relay(ctx, &a, p, l.service, l.path); err != nil {
			return fmt.Errorf("export %s: %w", l.member, err)
		}
		a.raw("]")
	}
	a.raw("}\n")
	return a.err
}

// array writes JSON arrays that are members of one object.
type array struct {
	w     io.Writer
	comma string
	err   error
}

func (a *array) raw(text string) {
	if a.err == nil {
		_, a.err = io.WriteString(a.w, text)
	}
}

func (a *array) begin(member string) {
	a.raw(`,"` + member + `":[`)
	a.comma = ""
}

func (a *array) element(doc json.RawMessage) {
	a.raw(a.comma + "\n")
	a.raw(string(doc))
	a.comma = ","
}

// relay writes the elements of a list that another service keeps for the user, page after page. Each is asked for with
// an identity of its own, as one may not outlive them all.
func (s *Service) relay(ctx context.Context, a *array, p edge.Principal, service, path string) error {
	client := s.client(service)
	for path != "" && a.err == nil {
		jwt, err := s.accounts.Identity(ctx, p)
		if err != nil {
			return err
		}
		page, next, err := readPage(ctx, client, "http://"+service+path, jwt)
		if err != nil {
			return err
		}
		for _, doc := range page {
			a.element(doc)
		}
		path = next
	}
	return a.err
}

// pageTime bounds one page of another service, maxPage its size in bytes.
const (
	pageTime = 15 * time.Second
	maxPage  = 32 << 20
)

// readPage reads a page and the path of the next one, which is empty behind the last.
func readPage(ctx context.Context, client *http.Client, address, jwt string) (page []json.RawMessage, next string, err error) {
	ctx, cancel := context.WithTimeout(ctx, pageTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, "", err
	}
	req.Header.Set("Authorization", "Bearer "+jwt)
	res, err := client.Do(req)
	if err != nil {
		return nil, "", err
	}
	defer func() { err = errors.Join(err, res.Body.Close()) }()
	if res.StatusCode != http.StatusOK {
		return nil, "", fmt.Errorf("answered %s", res.Status)
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, maxPage)).Decode(&page); err != nil {
		return nil, "", fmt.Errorf("read page: %w", err)
	}
	link, _, _ := strings.Cut(strings.TrimPrefix(res.Header.Get("Link"), "<"), ">") // the only one that lists have is rel=next
	u, err := url.Parse(link)
	if err != nil || link == "" {
		return page, "", err
	}
	return page, u.RequestURI(), nil
}
