package recurring

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/task"
)

// backend is the service that owns users and tasks.
type backend struct{ client *http.Client }

const (
	backendURL = "http://backend/internal/"
	// backendTimeout bounds one call.
	backendTimeout = 10 * time.Second
	// maxAnswer bounds an answer, in bytes.
	maxAnswer = 64 << 10
)

// zone returns the zone that the user lives in now. A user or a zone that does not exist is permanent.
func (b backend) zone(ctx context.Context, user string) (*time.Location, error) {
	var answer struct {
		TimeZone string `json:"time_zone"`
	}
	status, err := b.call(ctx, http.MethodGet, "users/"+url.PathEscape(user), nil, &answer)
	if status == http.StatusNotFound {
		return nil, host.Permanent(err)
	}
	if err != nil {
		return nil, err
	}
	if answer.TimeZone == "" {
		return nil, host.Permanent(fmt.Errorf("user %s has no time zone", user))
	}
	zone, err := time.LoadLocation(answer.TimeZone)
	if err != nil {
		return nil, host.Permanent(fmt.Errorf("time zone of user %s: %w", user, err))
	}
	return zone, nil
}

// create has the occurrence after the completed task created, and returns what became of it: "created", "exists" or
// "superseded". A request that the backend finds wrong is permanent; everything else may be tried again.
func (b backend) create(ctx context.Context, completed task.Task, next task.Occurrence) (string, error) {
	request := struct {
		CompletedID      string          `json:"completed_id"`
		CompletedVersion int64           `json:"completed_version"`
		Occurrence       task.Occurrence `json:"occurrence"`
	}{completed.ID, completed.Version, next}
	var answer struct {
		Outcome string `json:"outcome"`
	}
	status, err := b.call(ctx, http.MethodPost, "occurrences", request, &answer)
	if status == http.StatusBadRequest {
		return "", host.Permanent(err)
	}
	return answer.Outcome, err
}

// call asks the backend. An answer other than 200 is an error, and its status is returned with it.
func (b backend) call(ctx context.Context, method, path string, request, answer any) (status int, err error) {
	ctx, cancel := context.WithTimeout(ctx, backendTimeout)
	defer cancel()
	var body io.Reader
	if request != nil {
		encoded, err := json.Marshal(request)
		if err != nil {
			return 0, fmt.Errorf("encode %s: %w", path, err)
		}
		body = bytes.NewReader(encoded)
	}
	req, err := http.NewRequestWithContext(ctx, method, backendURL+path, body)
	if err != nil {
		return 0, fmt.Errorf("ask backend for %s: %w", path, err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := b.client.Do(req)
	if err != nil {
		return 0, fmt.Errorf("ask backend for %s: %w", path, err)
	}
	defer func() { err = errors.Join(err, res.Body.Close()) }()
	if res.StatusCode != http.StatusOK {
		var p edge.Problem // its text says what is wrong; it is meant for the caller
		_ = json.NewDecoder(io.LimitReader(res.Body, maxAnswer)).Decode(&p)
		return res.StatusCode, fmt.Errorf("ask backend for %s: %s: %s", path, res.Status, p.Detail)
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, maxAnswer)).Decode(answer); err != nil {
		return 0, fmt.Errorf("read answer of backend for %s: %w", path, err)
	}
	return res.StatusCode, nil
}
