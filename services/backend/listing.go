package backend

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/task"
)

// listInput and listOutput describe GET /api/tasks. It is the call that clients make most, so listTasks reads and
// answers it by hand; task.ParseQuery knows the parameters.
type listInput struct {
	Search      string   `query:"search" doc:"Text in title or description, upper and lower case being the same"`
	Priority    []string `query:"priority,explode" doc:"Any of these: high, medium, low"`
	Tag         []string `query:"tag,explode" doc:"All of these"`
	Status      []string `query:"status,explode" doc:"Any of these: pending, completed, deleted; default pending and completed"`
	DueBefore   string   `query:"due_before" doc:"Due strictly before: a date, a local time or a time with offset"`
	DueAfter    string   `query:"due_after" doc:"Due strictly after: a date, a local time or a time with offset"`
	SortBy      string   `query:"sort_by" doc:"created_at (default), updated_at, due_date, priority or title"`
	SortOrder   string   `query:"sort_order" doc:"asc or desc; default asc for due_date and title, desc for the others"`
	Limit       string   `query:"limit" doc:"1 to 200, default 50"`
	Cursor      string   `query:"cursor" doc:"From the Link header of the page before"`
	IfNoneMatch string   `header:"If-None-Match"`
}

// listParameters are its query parameters, and whether each may be repeated.
var listParameters = map[string]bool{"search": false, "priority": true, "tag": true, "status": true, "due_before": false,
	"due_after": false, "sort_by": false, "sort_order": false, "limit": false, "cursor": false}

type listOutput struct {
	Link        string      `header:"Link" doc:"The next page, rel=next"`
	Total       int         `header:"X-Total-Count" doc:"How many tasks the query matches"`
	ListVersion int64       `header:"List-Version" doc:"The version the page is from: resume /ws from it"`
	ETag        string      `header:"ETag"`
	Body        []task.Task `nullable:"false"`
}

// listTasks serves GET /api/tasks: a page of documents as they are stored, joined.
func (s *Service) listTasks(w http.ResponseWriter, r *http.Request) {
	asked, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		// What it could not read is left out. Only now is the query looked at again, for what to say of it.
		edge.WriteProblem(w, r, edge.CheckQuery(r.URL.RawQuery, listParameters))
		return
	}
	q, err := task.ParseQuery(asked)
	if err != nil {
		edge.WriteProblem(w, r, problem(err))
		return
	}
	_, listID := caller(r.Context())
	page, version, err := s.snapshots.find(r.Context(), listID, q)
	if err != nil {
		edge.WriteProblem(w, r, problem(err))
		return
	}
	h := w.Header()
	if page.Next != "" {
		asked.Set("cursor", page.Next)
		h["Link"] = []string{edge.NextPage(r.URL.Path, asked)}
	}
	tag := version.tag()
	h["X-Total-Count"] = []string{strconv.Itoa(page.Total)}
	h["List-Version"] = []string{strconv.FormatInt(version.list, 10)}
	h["Etag"] = []string{tag}
	if !edge.IfNoneMatch(r.Header.Get("If-None-Match"), tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h["Content-Type"] = jsonType
	buffer := pageBuffers.Get().(*[]byte)
	*buffer = joinDocs((*buffer)[:0], page.Docs)
	h["Content-Length"] = []string{strconv.Itoa(len(*buffer))}
	_, _ = w.Write(*buffer) // an error means that the client is gone
	if cap(*buffer) <= pageKept {
		pageBuffers.Put(buffer)
	}
}

var jsonType = []string{"application/json"}

// tag names what an answer to a query is from, for If-None-Match.
func (v versions) tag() string {
	b := append(make([]byte, 0, 32), `W/"`...)
	b = append(strconv.AppendInt(b, v.list, 10), '-')
	b = append(strconv.AppendInt(b, int64(v.purges), 10), '-')
	b = append(strconv.AppendInt(b, v.owner, 10), '"')
	return string(b)
}

// pageBuffers keeps the buffers that pages are put together in: they are nearly all of the memory that a list takes.
var pageBuffers = sync.Pool{New: func() any { return new([]byte) }}

// pageKept is the largest buffer that is kept.
const pageKept = 256 << 10

// joinDocs appends a JSON array of documents as they are stored.
func joinDocs(b []byte, docs [][]byte) []byte {
	size := 2
	for _, d := range docs {
		size += len(d) + 1
	}
	b = append(slices.Grow(b, size), '[')
	for i, d := range docs {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, d...)
	}
	return append(b, ']')
}
