package recurring

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/task"
)

// backend is the service that owns users and tasks.
type backend struct{ client *http.Client }

const backendURL = "http://backend/internal/"

var errUnknownUser = errors.New("no such user")

// zone returns the zone that the user lives in now, or errUnknownUser. A zone that does not exist is permanent.
func (b backend) zone(ctx context.Context, user string) (*time.Location, error) {
	var answer struct {
		TimeZone string `json:"time_zone"`
	}
	status, err := edge.Invoke(ctx, b.client, http.MethodGet, backendURL+"users/"+url.PathEscape(user), nil, &answer)
	if status == http.StatusNotFound {
		return nil, fmt.Errorf("user %s: %w", user, errUnknownUser)
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
	status, err := edge.Invoke(ctx, b.client, http.MethodPost, backendURL+"occurrences", request, &answer)
	if status == http.StatusBadRequest {
		return "", host.Permanent(err)
	}
	return answer.Outcome, err
}
