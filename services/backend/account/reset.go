package account

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/task"
)

// ErrBadReset means that a code to set a new password is unknown, used or expired, or that the password has changed since.
var ErrBadReset = errors.New("the code to set a new password is unknown, was used or has expired")

// resetRow is the row at password-reset/<hash>.
type resetRow struct {
	User      string    `json:"user"`
	CreatedAt task.Time `json:"created_at"`
}

func resetKey(hash string) string { return "password-reset/" + hash }

// ResetCode is a one-time code.
type ResetCode struct {
	Code      string    `json:"code" doc:"Give it to POST /api/password/reset, once; /reset# and the code is the page for it"`
	ExpiresAt task.Time `json:"expires_at" format:"date-time"`
}

// NewResetCode returns a code by which the user sets a new password, once, within [CodeLife]; it does not sign in.
// [ErrNoUser] where there is no such user.
func (s *Store) NewResetCode(ctx context.Context, userID string) (code string, end task.Time, err error) {
	if _, err := s.User(ctx, userID); err != nil {
		return "", end, err
	}
	code, end, create := s.newReset(userID)
	if err := s.state.Commit(ctx, host.Tx{Ops: []host.Op{create}}); err != nil {
		return "", end, fmt.Errorf("store reset code: %w", err)
	}
	return code, end, nil
}

// newReset returns a code, when it ends, and the operation that makes it count.
func (s *Store) newReset(userID string) (code string, end task.Time, create host.Op) {
	code = newSecret("")
	now := s.now()
	end = task.At(now.Add(CodeLife))
	return code, end, expiring(host.Create(resetKey(hash(code)), encode(resetRow{userID, task.At(now)})), &end, now)
}

// ResetPassword redeems a code: it gives the code's user a new password, which must be valid, and ends every session
// and every code to sign in. [ErrBadReset]; of two who redeem one code, one gets that.
func (s *Store) ResetPassword(ctx context.Context, code, password string) error {
	key := resetKey(hash(code))
	row, _, err := s.openReset(ctx, key)
	if err != nil {
		return err
	}
	return s.changePassword(ctx, row.User, password, "", func(old passwordRow) ([]host.Op, error) {
		row, etag, err := s.openReset(ctx, key)
		if err == nil && row.CreatedAt.Before(old.ChangedAt.Time) { // whoever changed it wants no other way in to stay
			err = ErrBadReset
		}
		return []host.Op{host.Remove(key, etag)}, err
	})
}

// openReset returns the row of a code that can be redeemed, or [ErrBadReset].
func (s *Store) openReset(ctx context.Context, key string) (row resetRow, etag string, err error) {
	etag, err = s.load(ctx, key, &row)
	if err == nil && (etag == "" || s.now().Sub(row.CreatedAt.Time) >= CodeLife) {
		err = ErrBadReset
	}
	if err == nil {
		_, err = s.User(ctx, row.User)
	}
	if errors.Is(err, ErrNoUser) { // the account was deleted
		err = ErrBadReset
	}
	return row, etag, err
}

type resetInput struct {
	Body struct {
		Code     string `json:"code" minLength:"1" maxLength:"100"`
		Password string `json:"password" minLength:"8" maxLength:"256" doc:"Not one of the 10,000 most common"`
	}
}

func (s *Store) resetRoute(api huma.API) {
	o := open(op("reset-password", http.MethodPost, "/api/password/reset", "Set a new password by a one-time code; signs out everywhere", http.StatusNoContent, 400))
	o.Description = "It does not sign in: do that with the new password."
	register(api, o, s.postReset)
}

func (s *Store) postReset(ctx context.Context, in *resetInput) (*struct{}, error) {
	if err := checkPassword(in.Body.Password); err != nil {
		return nil, invalid{{Field: "password", Detail: err.Error()}}
	}
	return nil, s.ResetPassword(ctx, in.Body.Code, in.Body.Password)
}
