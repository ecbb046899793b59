package notification

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/docket-tasks/docket/edge"
)

// backend asks the service of that name for what it owns: users and reminders.
type backend struct{ client *http.Client }

const backendURL = "http://backend/internal/"

var errTaskClosed = errors.New("the task is gone or not pending")

// user returns the settings as they are now, or errUnknownUser. They are not cached: a webhook that was switched off
// gets nothing more.
func (b *backend) user(ctx context.Context, id string) (Recipient, error) {
	var r Recipient
	r.Channels.Push = true // as for a user whose settings do not know of it yet
	status, err := edge.Invoke(ctx, b.client, http.MethodGet, backendURL+"users/"+url.PathEscape(id), nil, &r)
	if status == http.StatusNotFound {
		return Recipient{}, fmt.Errorf("user %s: %w", id, errUnknownUser)
	}
	return r, err
}

// remind asks for one more reminder of the task, or returns errTaskClosed.
func (b *backend) remind(ctx context.Context, task, user string, at time.Time) error {
	wish := map[string]string{"task_id": task, "user_id": user, "at": at.UTC().Format(time.RFC3339)}
	status, err := edge.Invoke(ctx, b.client, http.MethodPost, backendURL+"reminders", wish, nil)
	if status == http.StatusNotFound || status == http.StatusConflict {
		return errTaskClosed
	}
	return err
}
