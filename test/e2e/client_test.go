package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// object is a JSON object to send.
type object map[string]any

// client is one caller of the API, with connections of its own.
type client struct {
	t     *testing.T
	d     deployment
	http  *http.Client
	id    string // the user's
	name  string
	token string
	// session is the value of the Cookie header, instead of a token.
	session string
	sockets []*socket
}

func newClient(t *testing.T, d deployment, token string) *client {
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &client{t: t, d: d, token: token, http: &http.Client{Transport: transport, Timeout: patience}}
}

// as returns another caller, who shows that token.
func (c *client) as(token string) *client {
	other := newClient(c.t, c.d, token)
	other.id = c.id
	return other
}

// identify puts the caller's credential into a request's header.
func (c *client) identify(h http.Header) {
	if c.token != "" {
		h.Set("Authorization", "Bearer "+c.token)
	}
	if c.session != "" {
		h.Set("Cookie", c.session)
	}
}

// answer is an answer, read to its end.
type answer struct {
	t      *testing.T
	what   string // the request, for messages
	status int
	header http.Header
	body   []byte
}

// try sends a request and holds the answer to the contract; an error means that there was no answer. body is nil,
// a string to send as it is, or something to send as JSON; headers are names and values in turn.
func (c *client) try(method, path string, body any, headers ...string) (*answer, error) {
	sent, err := encode(body)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(context.Background(), method, c.d.gateway()+path, bytes.NewReader(sent))
	if err != nil {
		return nil, err
	}
	c.identify(r.Header)
	if len(sent) > 0 {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := c.http.Do(r)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close() //nolint:errcheck // read to its end
	a := &answer{t: c.t, what: method + " " + path, status: res.StatusCode, header: res.Header}
	if a.body, err = io.ReadAll(res.Body); err != nil {
		return nil, err
	}
	if a.status >= 500 && a.status != http.StatusServiceUnavailable {
		c.t.Errorf("%s: %d %s", a.what, a.status, a.body)
	}
	if err := api.check(r, sent, a); err != nil {
		c.t.Errorf("%s %s → %d is not what api/openapi.json says: %v", a.what, short(sent), a.status, err)
	}
	return a, nil
}

func encode(body any) ([]byte, error) {
	switch b := body.(type) {
	case nil:
		return nil, nil
	case string:
		return []byte(b), nil
	}
	return json.Marshal(body)
}

func short(b []byte) string {
	if len(b) > 300 {
		return string(b[:300]) + "…"
	}
	return string(b)
}

func (c *client) do(method, path string, body any, headers ...string) *answer {
	c.t.Helper()
	a, err := c.try(method, path, body, headers...)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	return a
}

func (c *client) get(path string, headers ...string) *answer {
	c.t.Helper()
	return c.do("GET", path, nil, headers...)
}

func (c *client) post(path string, body any, headers ...string) *answer {
	c.t.Helper()
	return c.do("POST", path, body, headers...)
}

// want fails the test unless the answer has the status.
func (a *answer) want(status int) *answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("%s: got %d %s; want %d", a.what, a.status, short(a.body), status)
	}
	return a
}

func (a *answer) into(v any) {
	a.t.Helper()
	if err := json.Unmarshal(a.body, v); err != nil {
		a.t.Fatalf("%s: %v in %s", a.what, err, short(a.body))
	}
}

// version is the List-Version of the answer.
func (a *answer) version() int64 {
	a.t.Helper()
	v, err := strconv.ParseInt(a.header.Get("List-Version"), 10, 64)
	if err != nil {
		a.t.Fatalf("%s: List-Version: %v", a.what, err)
	}
	return v
}

func (a *answer) task() item {
	a.t.Helper()
	var i item
	a.into(&i)
	return i
}

// problem is an error as the API describes it.
type problem struct {
	Status int    `json:"status"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
	Errors []struct {
		Field  string `json:"field"`
		Detail string `json:"detail"`
	} `json:"errors"`
}

func (a *answer) problem() problem {
	a.t.Helper()
	var p problem
	if ct := a.header.Get("Content-Type"); ct != "application/problem+json" {
		a.t.Errorf("%s: the error is %s: %s", a.what, ct, short(a.body))
	}
	a.into(&p)
	if p.Status != a.status || p.Code == "" || p.Detail == "" {
		a.t.Errorf("%s: %d with the problem %+v", a.what, a.status, p)
	}
	return p
}

// names tells whether the problem is about the field.
func (p problem) names(field string) bool {
	return slices.ContainsFunc(p.Errors, func(e struct {
		Field  string `json:"field"`
		Detail string `json:"detail"`
	}) bool {
		return e.Field == field && e.Detail != ""
	})
}

// item is a task as the API shows it.
type item struct {
	ID                 string     `json:"id"`
	Title              string     `json:"title"`
	Description        string     `json:"description"`
	Status             string     `json:"status"`
	Priority           string     `json:"priority"`
	DueDate            *string    `json:"due_date"`
	Tags               []string   `json:"tags"`
	RecurrencePattern  *string    `json:"recurrence_pattern"`
	RecurrenceParentID *string    `json:"recurrence_parent_id"`
	Occurrence         *string    `json:"occurrence"`
	OccurrenceNumber   *int       `json:"occurrence_number"`
	ReminderMinutes    []int      `json:"reminder_minutes"`
	CreatedBy          string     `json:"created_by"`
	CreatedAt          time.Time  `json:"created_at"`
	UpdatedAt          time.Time  `json:"updated_at"`
	CompletedAt        *time.Time `json:"completed_at"`
	Version            int64      `json:"version"`
}

func (i item) path() string { return "/api/tasks/" + i.ID }

// due is the due date, empty for none.
func (i item) due() string {
	if i.DueDate == nil {
		return ""
	}
	return *i.DueDate
}

// user is a user as the API shows it.
type user struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	TimeZone string `json:"time_zone"`
	Channels struct {
		Webhook *struct {
			URL    string `json:"url"`
			Secret string `json:"secret"`
		} `json:"webhook"`
	} `json:"channels"`
}

func (c *client) me() (u user) {
	c.t.Helper()
	c.get("/api/me").want(200).into(&u)
	return u
}

// create makes a task of the fields.
func (c *client) create(fields object) item {
	c.t.Helper()
	return c.post("/api/tasks", fields).want(201).task()
}

// step carries out complete, reopen or restore.
func (c *client) step(i item, verb string) item {
	c.t.Helper()
	return c.post(i.path()+"/"+verb, nil).want(200).task()
}

func (c *client) task(id string) item {
	c.t.Helper()
	return c.get("/api/tasks/" + id).want(200).task()
}

// listVersion is the version the user's list is at.
func (c *client) listVersion() int64 {
	c.t.Helper()
	return c.get("/api/tasks?limit=1").want(200).version()
}

// list returns all tasks that the query finds, through all its pages.
func (c *client) list(query string) []item {
	c.t.Helper()
	var all []item
	for _, page := range c.pages("/api/tasks?" + query) {
		var items []item
		page.into(&items)
		all = append(all, items...)
	}
	return all
}

// pages follows the links from path to the last page.
func (c *client) pages(path string) []*answer {
	c.t.Helper()
	var out []*answer
	for path != "" {
		a := c.get(path).want(200)
		out = append(out, a)
		path = a.next()
		if len(out) > 10_000 {
			c.t.Fatalf("%s: the pages do not end", a.what)
		}
	}
	return out
}

// next is the target of the link rel=next, empty on the last page.
func (a *answer) next() string {
	a.t.Helper()
	link := a.header.Get("Link")
	if link == "" {
		return ""
	}
	target, rel, _ := strings.Cut(strings.TrimPrefix(link, "<"), ">")
	if _, err := url.Parse(target); err != nil || strings.TrimSpace(rel) != `; rel="next"` && strings.TrimSpace(rel) != `;rel="next"` {
		a.t.Fatalf("%s: Link %q", a.what, link)
	}
	return target
}

func quoted(version int64) string { return fmt.Sprintf("%q", strconv.FormatInt(version, 10)) }
