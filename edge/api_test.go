package edge_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/host"
)

type noteInput struct {
	ID    string   `path:"id"`
	Limit int      `query:"limit" minimum:"1" maximum:"200"`
	Tags  []string `query:"tag,explode"`
	Body  struct {
		Title string `json:"title" minLength:"1"`
		Lines []struct {
			Text string `json:"text"`
		} `json:"lines,omitempty"`
	}
}

type noteOutput struct {
	Body struct {
		Title string   `json:"title"`
		Tags  []string `json:"tags"`
	}
}

// failures are what the handler of notes returns, by title.
var failures = map[string]error{
	"problem":  edge.NewProblem(http.StatusConflict, "list_full", "the list is full").After(1500 * time.Millisecond),
	"wrapped":  fmt.Errorf("save note: %w", edge.NewProblem(http.StatusUnprocessableEntity, "key_reused", "other body")),
	"secret":   errors.New("password hunter2 was refused"),
	"outage":   fmt.Errorf("save note: %w", host.ErrUnavailable),
	"unknown":  fmt.Errorf("save note: %w", host.ErrUnknown),
	"too-much": fmt.Errorf("save note: %w", host.ErrTooLarge),
	"busy":     fmt.Errorf("save note: %w", host.ErrConflict),
	"late":     fmt.Errorf("save note: %w", context.DeadlineExceeded),
}

func notesAPI(mux *http.ServeMux) huma.API {
	api := edge.NewAPI(mux, "notes")
	huma.Register(api, huma.Operation{OperationID: "put-note", Method: http.MethodPut, Path: "/notes/{id}", Errors: []int{404}},
		func(_ context.Context, in *noteInput) (*noteOutput, error) {
			if err := failures[in.Body.Title]; err != nil {
				return nil, err
			}
			if in.Body.Title == "panic" {
				panic("note of a password")
			}
			var out noteOutput
			out.Body.Title, out.Body.Tags = in.Body.Title, in.Tags
			return &out, nil
		})
	huma.Register(api, huma.Operation{OperationID: "big-note", Method: http.MethodPost, Path: "/big", MaxBodyBytes: 100},
		func(context.Context, *struct{ RawBody []byte }) (*struct{}, error) { return nil, nil })
	return api
}

// notes returns the routes behind the handler that every service puts in front, and what it logs.
func notes(t *testing.T) (http.Handler, *strings.Builder) {
	t.Helper()
	mux := http.NewServeMux()
	notesAPI(mux)
	var log strings.Builder
	return edge.Handler(edge.HandlerOptions{Service: "notes", Logger: edge.NewLogger(&log, "notes", "info", "json")}, mux), &log
}

func send(h http.Handler, method, target, body string, header ...string) *http.Response {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func problem(t *testing.T, res *http.Response) edge.Problem {
	t.Helper()
	if got := res.Header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("Content-Type = %q, want application/problem+json", got)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	var p edge.Problem
	if err := json.Unmarshal(body, &p); err != nil {
		t.Fatalf("answer %d is no problem: %v\n%s", res.StatusCode, err, body)
	}
	if p.Status != res.StatusCode || p.Code == "" || p.Title == "" || p.Type != "about:blank" {
		t.Errorf("status %d with an incomplete problem: %s", res.StatusCode, body)
	}
	return p
}

// TestRefusals holds the API to naming the field of everything it refuses.
func TestRefusals(t *testing.T) {
	h, _ := notes(t)
	ok := `{"title":"x"}`
	tests := []struct {
		name, method, target, body string
		status                     int
		code                       string
		fields                     []edge.FieldError
	}{
		{"unknown field", "PUT", "/notes/1", `{"title":"x","colour":"red"}`, 400, "validation_failed", []edge.FieldError{{"colour", "unexpected property"}}},
		{"other case", "PUT", "/notes/1", `{"title":"x","Lines":[]}`, 400, "validation_failed", []edge.FieldError{{"Lines", "unexpected property"}}},
		{"missing field", "PUT", "/notes/1", `{}`, 400, "validation_failed", []edge.FieldError{{"title", "is required"}}},
		{"missing nested field", "PUT", "/notes/1", `{"title":"x","lines":[{}]}`, 400, "validation_failed", []edge.FieldError{{"lines[0].text", "is required"}}},
		{"wrong type", "PUT", "/notes/1", `{"title":7}`, 400, "validation_failed", []edge.FieldError{{"title", "expected string"}}},
		{"null", "PUT", "/notes/1", `{"title":null}`, 400, "validation_failed", []edge.FieldError{{"title", "expected string"}}},
		{"too short", "PUT", "/notes/1", `{"title":""}`, 400, "validation_failed", []edge.FieldError{{"title", "expected length >= 1"}}},
		{"no JSON", "PUT", "/notes/1", `{"title":`, 400, "validation_failed", []edge.FieldError{{"body", "is not valid JSON: unexpected end of JSON input, at byte 9"}}},
		{"trailing garbage", "PUT", "/notes/1", ok + `x`, 400, "validation_failed", []edge.FieldError{{"body", "is not valid JSON: invalid character 'x' after top-level value, at byte 14"}}},
		{"bad UTF-8", "PUT", "/notes/1", "{\"title\":\"\xff\"}", 400, "validation_failed", []edge.FieldError{{"body", "is not valid UTF-8"}}},
		{"half a surrogate pair", "PUT", "/notes/1", `{"title":"\ud800"}`, 400, "validation_failed", []edge.FieldError{{"body", `holds half of a surrogate pair (\ud800 to \udfff)`}}},
		{"name twice", "PUT", "/notes/1", `{"title":"x","title":"y"}`, 400, "validation_failed", []edge.FieldError{{"body", `names "title" twice`}}},
		{"no body", "PUT", "/notes/1", ``, 400, "bad_request", nil},
		{"out of range", "PUT", "/notes/1?limit=0", ok, 400, "validation_failed", []edge.FieldError{{"limit", "expected number >= 1"}}},
		{"no number", "PUT", "/notes/1?limit=ten", ok, 400, "validation_failed", []edge.FieldError{{"limit", "invalid integer"}}},
		{"unknown parameter", "PUT", "/notes/1?limt=1", ok, 400, "validation_failed", []edge.FieldError{{"limt", "unknown query parameter"}}},
		{"parameter twice", "PUT", "/notes/1?limit=1&limit=2", ok, 400, "validation_failed", []edge.FieldError{{"limit", "may be given only once"}}},
		{"bad escape", "PUT", "/notes/1?tag=%zz", ok, 400, "validation_failed", []edge.FieldError{{"tag", "is not properly encoded UTF-8"}}},
		{"bad UTF-8 in the query", "PUT", "/notes/1?tag=%ff", ok, 400, "validation_failed", []edge.FieldError{{"tag", "is not properly encoded UTF-8"}}},
		{"bad name in the query", "PUT", "/notes/1?%ff=1", ok, 400, "validation_failed", []edge.FieldError{{"\uFFFD", "is not a properly encoded name"}}},
		{"bad escape in a name of the query", "PUT", "/notes/1?%zz=1", ok, 400, "validation_failed", []edge.FieldError{{"%zz", "is not a properly encoded name"}}},
		{"semicolon", "PUT", "/notes/1?limit=1;tag=x", ok, 400, "validation_failed", []edge.FieldError{{"limit", "is not properly encoded: write ; as %3B"}}},
		{"too many parameters", "PUT", "/notes/1?" + strings.Repeat("tag=x&", 10_000), ok, 400, "validation_failed", []edge.FieldError{{"query", "has more than 10000 parameters"}}},
		{"too large", "PUT", "/notes/1", `{"title":"` + strings.Repeat("x", edge.MaxBody) + `"}`, 413, "body_too_large", nil},
		{"too large for this operation", "POST", "/big", strings.Repeat("x", 101), 413, "body_too_large", nil},
		{"unknown path", "PUT", "/nowhere", ok, 404, "not_found", nil},
		{"wrong method", "PATCH", "/notes/1", ok, 405, "method_not_allowed", nil},
		{"a problem", "PUT", "/notes/1", `{"title":"problem"}`, 409, "list_full", nil},
		{"a wrapped problem", "PUT", "/notes/1", `{"title":"wrapped"}`, 422, "key_reused", nil},
		{"any other error", "PUT", "/notes/1", `{"title":"secret"}`, 500, "internal", nil},
		{"a panic", "PUT", "/notes/1", `{"title":"panic"}`, 500, "internal", nil},
		{"storage away", "PUT", "/notes/1", `{"title":"outage"}`, 503, "unavailable", nil},
		{"outcome unknown", "PUT", "/notes/1", `{"title":"unknown"}`, 503, "outcome_unknown", nil},
		{"others all the time", "PUT", "/notes/1", `{"title":"busy"}`, 503, "busy", nil},
		{"storage slow", "PUT", "/notes/1", `{"title":"late"}`, 503, "timeout", nil},
		{"too large to store", "PUT", "/notes/1", `{"title":"too-much"}`, 413, "too_large", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			res := send(h, tt.method, tt.target, tt.body, "Content-Type", "application/json")
			p := problem(t, res)
			if res.StatusCode != tt.status || p.Code != tt.code {
				t.Errorf("answer = %d %s (%s), want %d %s", res.StatusCode, p.Code, p.Detail, tt.status, tt.code)
			}
			if diff := cmp.Diff(tt.fields, p.Errors); diff != "" {
				t.Errorf("errors differ (-want +got):\n%s", diff)
			}
			if strings.Contains(p.Detail, "hunter2") || strings.Contains(p.Detail, "password") {
				t.Errorf("the cause leaked: %q", p.Detail)
			}
			if after := res.Header.Get("Retry-After"); (tt.status == 503) != (after != "") && tt.code != "list_full" {
				t.Errorf("Retry-After = %q with status %d", after, tt.status)
			}
		})
	}
}

// TestOwnNotFound leaves a handler's own plain-text answer alone: only the mux's are replaced.
func TestOwnNotFound(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/own", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "not for you", http.StatusNotFound) })
	h := edge.Handler(edge.HandlerOptions{Service: "x", Logger: slog.New(slog.DiscardHandler)}, mux)
	body, err := io.ReadAll(send(h, "GET", "/own", "").Body)
	if err != nil || string(body) != "not for you\n" {
		t.Errorf("body = %q, %v", body, err)
	}
	if res := send(h, "GET", "/other", ""); problem(t, res).Code != "not_found" {
		t.Error("the mux's own answer is not a problem")
	}
}

// Where the request is not what a type of Go's wants, the caller is told what is wanted instead.
func TestTypesAreNotTold(t *testing.T) {
	mux := http.NewServeMux()
	huma.Register(edge.NewAPI(mux, "moments"), huma.Operation{OperationID: "moments", Method: http.MethodGet, Path: "/moments/{id}"},
		func(context.Context, *struct {
			ID   string    `path:"id" format:"uuid"`
			From time.Time `query:"from"`
		}) (*struct{}, error) {
			return nil, nil
		})
	p := problem(t, send(mux, http.MethodGet, "/moments/7?from=x", ""))
	got := map[string]string{}
	for _, e := range p.Errors {
		got[e.Field] = e.Detail
	}
	if p.Status != http.StatusBadRequest || got["id"] != "must be a UUID such as 018f2c5e-6a00-7b11-8c22-9d33e44f5566" ||
		!strings.HasPrefix(got["from"], "must be a moment such as 2026-03-31T09:00:00Z") {
		t.Errorf("%+v", p)
	}
}
