package account

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/task"
)

// Bounds of what is kept of an account's access.
const (
	maxAccess  = 100
	accessLife = 90 * 24 * time.Hour
	// sameAccess is how long what happens again is counted at the one before: a program that guesses must not push
	// everything else out.
	sameAccess = time.Hour
)

// What there is to know of an account's access.
const (
	accessSignedIn        = "signed_in"
	accessFailed          = "sign_in_failed"
	accessTokenCreated    = "token_created"
	accessTokenUsed       = "token_first_used"
	accessTokenRevoked    = "token_revoked"
	accessPassword        = "password_changed"
	accessResetSent       = "reset_link_sent"
	accessFactorOn        = "second_factor_on"
	accessFactorOff       = "second_factor_off"
	accessRecoveryRenewed = "recovery_codes_renewed"
	accessConnected       = "connection_added"
	accessDisconnected    = "connection_removed"
	accessPasskeyAdded    = "passkey_added"
	accessPasskeyRemoved  = "passkey_removed"
	accessPasskeyCopied   = "passkey_refused"
)

// Access is one thing that happened to an account's access.
type Access struct {
	At   task.Time `json:"at" format:"date-time" doc:"When it happened, for the last time"`
	Kind string    `json:"kind" enum:"signed_in,sign_in_failed,token_created,token_first_used,token_revoked,password_changed,reset_link_sent,second_factor_on,second_factor_off,recovery_codes_renewed,connection_added,connection_removed,passkey_added,passkey_removed,passkey_refused"`
	// With is a browser as Browser.by names it, or the name of a token, of an OpenID provider or of a passkey.
	With string `json:"with" doc:"The browser and its system, as far as it tells, with the OpenID provider it came from or the passkey it had; or the name of the token, provider or passkey"`
	// Times is 1 but for failures, which are counted together where each came within an hour of the one before.
	Times int `json:"times" minimum:"1" doc:"How often; failures with one browser within an hour of each other are one entry"`
}

// accessKey has an account's accesses, oldest first.
func accessKey(user string) string { return "access/" + user }

// noting returns the operation that keeps one more access, which is to be committed with what it tells of.
func (s *Store) noting(ctx context.Context, user, kind, with string) (host.Op, error) {
	var list []Access
	etag, err := s.load(ctx, accessKey(user), &list)
	if err != nil {
		return host.Op{}, err
	}
	list = noted(list, Access{At: task.At(s.now()), Kind: kind, With: with, Times: 1})
	return put(accessKey(user), encode(list), etag).Expiring(accessLife), nil
}

// commitNoted commits an operation with a note of what it does.
func (s *Store) commitNoted(ctx context.Context, user, kind string, op host.Op) error {
	note, err := s.noting(ctx, user, kind, "")
	if err != nil {
		return err
	}
	return s.state.Commit(ctx, host.Tx{Ops: []host.Op{op, note}})
}

// noted adds one to a list, or counts it at the last one of its kind.
func noted(list []Access, a Access) []Access {
	for i, old := range slices.Backward(list) {
		if old.Kind == a.Kind && old.With == a.With && (a.Kind == accessFailed || a.Kind == accessPasskeyCopied) && a.At.Sub(old.At.Time) < sameAccess {
			a.Times += old.Times
			list = slices.Delete(list, i, i+1)
			break
		}
	}
	list = append(recent(list, a.At.Time), a)
	return list[max(0, len(list)-maxAccess):]
}

// recent leaves out what is too old to be kept.
func recent(list []Access, now time.Time) []Access {
	return slices.DeleteFunc(list, func(a Access) bool { return now.Sub(a.At.Time) >= accessLife })
}

// noteFailure keeps that somebody failed to sign in, in the background: that there is such a user must not show in how
// long the answer takes.
func (s *Store) noteFailure(ctx context.Context, user, kind string, b Browser) {
	s.mu.Lock() // holds off Drain's wait until the work is counted
	defer s.mu.Unlock()
	if s.draining {
		return
	}
	s.background.Go(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), touchTimeout)
		defer cancel()
		err := host.Retry(ctx, func() error {
			op, err := s.noting(ctx, user, kind, b.by())
			if err != nil {
				return err
			}
			return s.state.Commit(ctx, host.Tx{Ops: []host.Op{op}})
		})
		if err != nil {
			s.log.WarnContext(ctx, "failure to sign in not noted", "user_id", user, "error", err)
		}
	})
}

// Accesses returns what is kept of the account's access, newest first.
func (s *Store) Accesses(ctx context.Context, user string) ([]Access, error) {
	list := []Access{}
	if _, err := s.load(ctx, accessKey(user), &list); err != nil {
		return nil, err
	}
	list = recent(list, s.now())
	slices.Reverse(list)
	return list, nil
}

type accessAnswer struct {
	Body []Access `nullable:"false"`
}

func (s *Store) accessRoute(api huma.API) {
	o := op("list-access", http.MethodGet, "/api/me/access", "Who got in, failed to, or changed what lets one in, newest first", http.StatusOK)
	o.Description = fmt.Sprintf("The last %d, of the last 90 days.", maxAccess)
	register(api, o, func(ctx context.Context, _ *struct{}) (*accessAnswer, error) {
		p, err := edge.Caller(ctx)
		if err != nil {
			return nil, err
		}
		list, err := s.Accesses(ctx, p.UserID)
		return &accessAnswer{list}, err
	})
}

// failedToProve tells the errors of one who did not prove to be the user.
func failedToProve(err error) bool {
	return errors.Is(err, ErrWrongPassword) || errors.Is(err, ErrWrongFactor)
}
