package account

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/host"
)

// An account is deleted in one commit, which takes the user and every credential away, ends the user's list and carries the first
// of the jobs that erase the rest. From then on nothing proves to be the user, and no crash is between that and the erasing.

// ErrFirstUser means that the user stands for whoever runs the server, and cannot be deleted.
var ErrFirstUser = errors.New("the first user cannot be deleted")

// Settles is longer than whatever was under way when an account was deleted can take to write, an identity made before
// included: what is found after it stays erased.
const Settles = 2 * time.Minute

// Deletion is the data of the jobs named erase-<user>-<round>: the account is gone, and what else there is of it is to be
// erased, round after round until a late one finds nothing more.
type Deletion struct {
	UserID string `json:"user_id"`
	// At is when the account was deleted.
	At time.Time `json:"at"`
	// Round counts the jobs, from 0.
	Round int `json:"round"`
}

// Job is the job of this round.
func (d Deletion) Job(due time.Time) host.JobIntent {
	return host.Schedule(fmt.Sprintf("erase-%s-%d", d.UserID, d.Round), due, encode(d))
}

// Delete ends the user's account. [ErrNoUser] or [ErrFirstUser]. The name can be used again: a new user of it has another id,
// and everything is found by that.
func (s *Store) Delete(ctx context.Context, id string) error {
	var ended []string
	err := host.Retry(ctx, func() error {
		u, _, err := s.loadUser(ctx, id)
		if err != nil {
			return err
		}
		first, err := s.firstUser(ctx)
		if err != nil {
			return err
		}
		if id == first {
			return ErrFirstUser
		}
		ops, credentials, err := s.removal(ctx, id)
		if err != nil {
			return err
		}
		ended = credentials
		if s.lists != nil {
			end, err := s.lists.End(ctx, id)
			if err != nil {
				return err
			}
			ops = append(ops, end)
		}
		now := s.now()
		return s.state.Commit(ctx, host.Tx{
			Ops:  append(ops, host.Delete(nameKey(u.Name))), // with the user, which is removed as it was read
			Jobs: []host.JobIntent{Deletion{UserID: id, At: now}.Job(now)},
		})
	})
	if err != nil {
		return fmt.Errorf("delete account: %w", err)
	}
	s.forget(id, ended)
	s.log.InfoContext(ctx, "account deleted", "user_id", id)
	return nil
}

// Erase removes what was written to a deleted account by those who did not know yet.
func (s *Store) Erase(ctx context.Context, id string) error {
	var ended []string
	err := host.Retry(ctx, func() error {
		ops, credentials, err := s.removal(ctx, id)
		if err != nil || len(ops) == 0 {
			return err
		}
		ended = credentials
		return s.state.Commit(ctx, host.Tx{Ops: ops})
	})
	if err != nil {
		return fmt.Errorf("erase account: %w", err)
	}
	s.forget(id, ended)
	return nil
}

// removal returns the operations that remove all rows of the user, as they are, and the ids of the credentials among them.
// With at most [MaxTokens], [MaxSessions], [MaxConnections] and [MaxPasskeys] they are few enough for one commit.
func (s *Store) removal(ctx context.Context, id string) (ops []host.Op, credentials []string, err error) {
	var u User
	var tokens []storedToken
	var open openSessions
	var connections []Connection
	var passkeys []storedPasskey
	ops, err = s.removing(ctx, map[string]any{
		UserKey(id): &u, passwordKey(id): nil, factorKey(id): nil, accessKey(id): nil,
		tokensKey(id): &tokens, sessionsKey(id): &open, connectionsKey(id): &connections, passkeysKey(id): &passkeys,
	})
	if err != nil {
		return nil, nil, err
	}
	for _, t := range tokens {
		ops, credentials = append(ops, host.Delete(tokenKey(t.Hash))), append(credentials, t.ID)
	}
	for _, session := range open.IDs {
		ops, credentials = append(ops, host.Delete(sessionKey(session))), append(credentials, session)
	}
	for _, p := range passkeys {
		ops = append(ops, host.Delete(passkeyKey(p.ID)))
	}
	for i, c := range connections {
		ops = append(ops, host.Delete(connectionKey(c.ID)))
		forget, err := s.forgetting(ctx, id, c.Email, connections[i+1:]) // each address once
		if err != nil {
			return nil, nil, err
		}
		ops = append(ops, forget...)
	}
	found, err := s.addressing(ctx, id, u.Email, "")
	return append(ops, found...), credentials, err
}

// removing returns the operations that remove the rows at those keys, as they are, and decodes each into what its key has,
// unless that is nil. What has no row stays as it is.
func (s *Store) removing(ctx context.Context, into map[string]any) (ops []host.Op, err error) {
	rows, err := s.state.GetBulk(ctx, slices.Collect(maps.Keys(into)))
	if err != nil {
		return nil, fmt.Errorf("read account: %w", err)
	}
	for _, row := range rows {
		if !row.Exists() {
			continue
		}
		ops = append(ops, host.Remove(row.Key, row.ETag))
		if v := into[row.Key]; v != nil {
			err = errors.Join(err, decode(row, v))
		}
	}
	return ops, err
}

// forget lets go of what this replica holds of a user whose credentials have ended.
func (s *Store) forget(id string, credentials []string) {
	s.users.Drop(UserKey(id))
	for _, c := range credentials {
		s.signedOut(c)
	}
}

// Known lets requests of a verified caller through whose account has not been deleted since they were identified.
func (s *Store) Known(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, err := edge.Caller(r.Context())
		if err == nil {
			_, err = s.User(r.Context(), p.UserID)
		}
		if errors.Is(err, ErrNoUser) {
			err = ErrNoIdentity
		}
		if err != nil {
			edge.WriteProblem(w, r, problem(err))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// deletionRoutes adds the end of one's own account, and of another's for an administrator.
func (s *Store) deletionRoutes(api huma.API) {
	o := op("delete-me", http.MethodDelete, "/api/me", "Delete the account of the user who asks, for good", http.StatusNoContent, 400, 403, 409, 429)
	o.Description = `Signs out everywhere and revokes every token at once. Tasks, filters, notifications and settings are erased, and of the history
all but ids, types and times. Nothing brings them back: GET /api/me/export has everything before.`
	register(api, o, s.deleteMe)
	o = op("delete-user", http.MethodDelete, "/api/users/{id}", "Delete another user's account for good, as an administrator", http.StatusNoContent, 403, 404, 409)
	register(api, o, s.deleteUser)
}

type deleteMeInput struct {
	Body struct {
		Password string `json:"password,omitempty" maxLength:"256" doc:"The user's; needed where there is one"`
		Factor   string `json:"second_factor,omitempty" maxLength:"100" doc:"A code of the authenticator, or a recovery code; needed where the second factor is on"`
	}
}

func (s *Store) deleteMe(ctx context.Context, in *deleteMeInput) (*struct{}, error) {
	u, err := s.ownAccount(ctx)
	if err == nil {
		err = s.proveOwner(ctx, u.ID, in.Body.Password, in.Body.Factor)
	}
	if err == nil {
		err = s.Delete(ctx, u.ID)
	}
	if errors.Is(err, ErrNoUser) { // another request was faster
		err = ErrNoIdentity
	}
	return nil, err
}

// proveOwner is nil where password and factor are the user's, or the user has none. An invalid, or an error as
// [Store.passFactor] has.
func (s *Store) proveOwner(ctx context.Context, user, password, factor string) error {
	_, err := s.ownerProof(ctx, user, password, factor)
	return err
}

// ownerProof is proveOwner, with the operations that use the code of the factor up.
func (s *Store) ownerProof(ctx context.Context, user, password, factor string) ([]host.Op, error) {
	_, err := s.checkOwnPassword(ctx, user, "password", password)
	if errors.Is(err, ErrNoPassword) {
		return nil, nil // and no second factor, which goes with a password
	}
	if err != nil {
		return nil, err
	}
	return s.passFactor(ctx, user, factor)
}

func (s *Store) deleteUser(ctx context.Context, in *userPath) (*struct{}, error) {
	if err := adminOnly(ctx); err != nil {
		return nil, err
	}
	p, err := edge.Caller(ctx)
	if err != nil {
		return nil, err
	}
	if in.ID == p.UserID {
		return nil, edge.NewProblem(http.StatusConflict, "own_account",
			"this is your own account: delete it in the settings, with `docket me delete` or with DELETE /api/me, which ask for your password")
	}
	return nil, s.Delete(ctx, in.ID)
}
