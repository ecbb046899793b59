package notification

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
)

// backend asks the service of that name for what it owns: users and reminders.
type backend struct{ client *http.Client }

const (
	backendURL = "http://backend/internal/"
	// backendTimeout bounds one call.
	backendTimeout = 10 * time.Second
	// maxUser bounds a user's settings, in bytes.
	maxUser = 64 << 10
)

var errTaskClosed = errors.New("the task is gone or not pending")

// user returns the settings as they are now, or errUnknownUser. They are not cached: a webhook that was switched off
// gets nothing more.
func (b *backend) user(ctx context.Context, id string) (Recipient, error) {
	res, cancel, err := b.call(ctx, http.MethodGet, "users/"+url.PathEscape(id), nil)
	if err != nil {
		return Recipient{}, err
	}
	defer cancel()
	switch res.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound:
		return Recipient{}, fmt.Errorf("user %s: %w", id, errUnknownUser)
	default:
		return Recipient{}, fmt.Errorf("read user %s: backend answered %s", id, res.Status)
	}
	var r Recipient
	if err := json.NewDecoder(io.LimitReader(res.Body, maxUser)).Decode(&r); err != nil {
		return Recipient{}, fmt.Errorf("read user %s: %w", id, err)
	}
	return r, nil
}

// remind asks for one more reminder of the task, or returns errTaskClosed.
func (b *backend) remind(ctx context.Context, task, user string, at time.Time) error {
	res, cancel, err := b.call(ctx, http.MethodPost, "reminders", map[string]string{
		"task_id": task, "user_id": user, "at": at.UTC().Format(time.RFC3339),
	})
	if err != nil {
		return err
	}
	defer cancel()
	switch res.StatusCode {
	case http.StatusAccepted:
		return nil
	case http.StatusNotFound, http.StatusConflict:
		return errTaskClosed
	}
	return fmt.Errorf("snooze task %s: backend answered %s", task, res.Status)
}

// call makes one bounded request; done ends it, after the answer has been read.
func (b *backend) call(ctx context.Context, method, path string, body any) (res *http.Response, done func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, backendTimeout)
	var content io.Reader
	if body != nil {
		content = bytes.NewReader(encode(body))
	}
	req, err := http.NewRequestWithContext(ctx, method, backendURL+path, content)
	if err != nil {
		cancel()
		return nil, nil, fmt.Errorf("ask backend for %s: %w", path, err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if res, err = b.client.Do(req); err != nil {
		cancel()
		return nil, nil, fmt.Errorf("ask backend for %s: %w", path, err)
	}
	return res, func() {
		_ = res.Body.Close()
		cancel()
	}, nil
}
