package backend

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/event"
	"github.com/docket-tasks/docket/task"
)

// createInput and createOutput describe POST /api/tasks. Of the calls that change something it is the one that clients make
// most, so createTask reads and answers it by hand; task.ParseDraft knows the body.
type createInput struct {
	Key     string `header:"Idempotency-Key" maxLength:"255" doc:"The same key with the same body creates once and answers again"`
	RawBody []byte
}

type createOutput struct {
	ETag        string `header:"ETag"`
	ListVersion string `header:"List-Version" doc:"The list's version after a change: resume /ws from it"`
	Location    string `header:"Location"`
	Body        []byte
}

// maxKey is the most characters of an Idempotency-Key.
const maxKey = 255

// createTask serves POST /api/tasks.
func (s *Service) createTask(w http.ResponseWriter, r *http.Request) {
	key, body, err := readCreation(w, r)
	if err != nil {
		edge.WriteProblem(w, r, err)
		return
	}
	made, version, doc, err := s.create(r.Context(), key, body)
	if err != nil {
		edge.WriteProblem(w, r, problem(err))
		return
	}
	h := w.Header()
	h["Content-Type"] = jsonType
	h["Content-Length"] = []string{strconv.Itoa(len(doc))}
	h["Etag"] = []string{edge.ETag(made.task.Version)}
	h["List-Version"] = []string{strconv.FormatInt(version, 10)}
	h["Location"] = []string{"/api/tasks/" + made.task.ID}
	w.WriteHeader(http.StatusCreated)
	_, _ = w.Write(doc) // an error means that the client is gone
}

// readCreation returns the Idempotency-Key, "" for none, and the body.
func readCreation(w http.ResponseWriter, r *http.Request) (key string, body []byte, err error) {
	if r.URL.RawQuery != "" {
		if err := edge.CheckQuery(r.URL.RawQuery, nil); err != nil {
			return "", nil, err
		}
	}
	key = r.Header.Get("Idempotency-Key")
	if n := utf8.RuneCountInString(key); n > maxKey {
		fault := edge.FieldError{Field: "Idempotency-Key", Detail: fmt.Sprintf("has %d characters, at most %d are allowed", n, maxKey)}
		return "", nil, edge.NewProblem(http.StatusBadRequest, "validation_failed", fault.Error(), fault)
	}
	// A body whose length is known, as nearly all are, fits at once.
	body = make([]byte, 0, min(max(r.ContentLength, 0), edge.MaxBody)+bytes.MinRead)
	into := bytes.NewBuffer(body)
	_, err = into.ReadFrom(http.MaxBytesReader(w, r.Body, edge.MaxBody))
	return key, into.Bytes(), err
}

// create makes a task of the body. It returns the task, the list's version after it, and the document to answer with.
func (s *Service) create(ctx context.Context, key string, body []byte) (made *record, version int64, doc []byte, err error) {
	who, listID := caller(ctx)
	d, err := task.ParseDraft(body)
	if err != nil {
		return nil, 0, nil, err
	}
	var understood json.RawMessage
	if d.Quick != "" {
		if d, understood, err = s.quickDraft(ctx, who.UserID, d); err != nil {
			return nil, 0, nil, err
		}
	}
	id, request, err := newID(who.UserID, key, body)
	if err != nil {
		return nil, 0, nil, err
	}
	wish := create(listID, id, d, request, actorOf(who))
	effects, version, err := s.writer.do(ctx, listID, wish.needs, wish.apply)
	if err != nil {
		return nil, 0, nil, err
	}
	made = effects[0].new
	if understood == nil {
		return made, version, made.Doc, nil
	}
	return made, version, withMember(made.Doc, "quick", understood), nil
}

// newID makes the id of a new task, and the hash of its request where an Idempotency-Key came with it.
func newID(user, key string, body []byte) (id, request string, err error) {
	if key != "" {
		return event.KeyedTaskID(user, key), hashRequest(body), nil
	}
	v7, err := uuid.NewV7()
	if err != nil {
		return "", "", fmt.Errorf("make task id: %w", err)
	}
	return v7.String(), "", nil
}

// withMember returns the JSON object with one more member.
func withMember(object []byte, name string, value json.RawMessage) []byte {
	out := append(make([]byte, 0, len(object)+len(value)+len(name)+4), object[:len(object)-1]...)
	out = append(out, `,"`...)
	out = append(append(out, name...), `":`...)
	return append(append(out, value...), '}')
}
