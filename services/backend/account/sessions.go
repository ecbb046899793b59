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

// MaxSessions is how many sessions a user may have; one more ends the oldest.
const MaxSessions = 100

// openSessions is the row at sessions/<user>: which sessions the user has. Each sign-in and each end of several
// replaces it, so that of two at once the second sees the first.
type openSessions struct {
	// IDs are oldest first; some may have ended by themselves.
	IDs []string `json:"ids"`
	// EndedAt is when all sessions but those of IDs were ended, those that are older than this row included. Sign-in
	// codes made before are void.
	EndedAt task.Time `json:"ended_at,omitzero"`

	etag string
}

func sessionsKey(user string) string { return "sessions/" + user }

func (s *Store) openSessions(ctx context.Context, user string) (o openSessions, err error) {
	o.etag, err = s.load(ctx, sessionsKey(user), &o)
	return o, err
}

// ended tells whether a session made at that time was ended together with others.
func (o openSessions) ended(id string, made time.Time) bool {
	return made.Before(o.EndedAt.Time) && !slices.Contains(o.IDs, id)
}

// sessionRows returns the rows of the sessions that have not ended, by id.
func (s *Store) sessionRows(ctx context.Context, user string, ids []string) (map[string]sessionRow, error) {
	keys := make([]string, len(ids))
	for i, id := range ids {
		keys[i] = sessionKey(id)
	}
	items, err := s.state.GetBulk(ctx, keys)
	if err != nil {
		return nil, fmt.Errorf("read sessions: %w", err)
	}
	rows := make(map[string]sessionRow, len(ids))
	for i, id := range ids {
		var row sessionRow
		if err := decode(items[i], &row); err != nil {
			return nil, err
		}
		if row.User == user && s.now().Sub(row.LastUsedAt.Time) < SessionLife {
			rows[id] = row
		}
	}
	return rows, nil
}

// opening returns the operations that add a session to o, and end the oldest where there are too many.
func (s *Store) opening(ctx context.Context, user, id string, o openSessions) ([]host.Op, error) {
	rows, err := s.sessionRows(ctx, user, o.IDs)
	if err != nil {
		return nil, err
	}
	o.IDs = slices.DeleteFunc(o.IDs, func(id string) bool { _, open := rows[id]; return !open })
	var ops []host.Op
	for len(o.IDs) >= MaxSessions {
		ops = append(ops, host.Delete(sessionKey(o.IDs[0])))
		o.IDs = o.IDs[1:]
	}
	o.IDs = append(o.IDs, id)
	return append(ops, put(sessionsKey(user), encode(o), o.etag)), nil
}

// endOthers returns the operations that end every session of the user but keep, which may be empty, and their ids.
func (s *Store) endOthers(ctx context.Context, user, keep string) (ops []host.Op, ended []string, err error) {
	o, err := s.openSessions(ctx, user)
	if err != nil {
		return nil, nil, err
	}
	for _, id := range o.IDs {
		if id != keep {
			ended = append(ended, id)
			ops = append(ops, host.Delete(sessionKey(id)))
		}
	}
	o.IDs, o.EndedAt = nil, task.At(s.now())
	if keep != "" {
		o.IDs = []string{keep}
	}
	return append(ops, put(sessionsKey(user), encode(o), o.etag)), ended, nil
}

// EndOtherSessions signs the user out everywhere but in the session keep, which may be empty.
func (s *Store) EndOtherSessions(ctx context.Context, user, keep string) error {
	var ended []string
	err := host.Retry(ctx, func() error {
		ops, gone, err := s.endOthers(ctx, user, keep)
		if err != nil {
			return err
		}
		ended = gone
		return s.state.Commit(ctx, host.Tx{Ops: ops})
	})
	if err != nil {
		return fmt.Errorf("end other sessions: %w", err)
	}
	for _, id := range ended {
		s.signedOut(id)
	}
	return nil
}

// ErrNoSession means that the user has no session of that id.
var ErrNoSession = errors.New("no such session")

// EndSession ends one session of the user, or returns ErrNoSession. The one in use may be ended too.
func (s *Store) EndSession(ctx context.Context, user, id string) error {
	rows, err := s.sessionRows(ctx, user, []string{id})
	if err != nil {
		return err
	}
	if _, ok := rows[id]; !ok {
		return ErrNoSession
	}
	return s.SignOut(ctx, id)
}

// Session is a browser that is signed in, as its owner sees it.
type Session struct {
	ID        string    `json:"id" doc:"Opens nothing: it is not what the cookie holds"`
	CreatedAt task.Time `json:"created_at" format:"date-time"`
	// LastUsedAt is up to an hour too early.
	LastUsedAt task.Time `json:"last_used_at" format:"date-time" doc:"Up to an hour too early"`
	// Client is what the browser says of itself, in short; empty where it says nothing that is known.
	Client  string `json:"client" doc:"The browser and its system, as far as it tells, such as Firefox on Linux"`
	Current bool   `json:"current" doc:"Whether this is the session that asks"`
}

// Sessions returns the user's sessions, oldest first. current is the one that asks, or empty.
func (s *Store) Sessions(ctx context.Context, user, current string) ([]Session, error) {
	o, err := s.openSessions(ctx, user)
	if err != nil {
		return nil, err
	}
	ids := o.IDs
	if current != "" && !slices.Contains(ids, current) { // it is older than the row
		ids = append([]string{current}, ids...)
	}
	rows, err := s.sessionRows(ctx, user, ids)
	if err != nil {
		return nil, err
	}
	list := []Session{}
	for _, id := range ids {
		if row, open := rows[id]; open {
			list = append(list, Session{ID: id, CreatedAt: row.CreatedAt, LastUsedAt: row.LastUsedAt, Client: row.Client, Current: id == current})
		}
	}
	return list, nil
}

// sessionRoutes adds the list of one's sessions and the ways to end them.
func (s *Store) sessionRoutes(api huma.API) {
	register(api, op("list-sessions", http.MethodGet, "/api/sessions", "Where the user is signed in, oldest first", http.StatusOK), s.listSessions)
	register(api, op("end-other-sessions", http.MethodDelete, "/api/sessions", "Sign out everywhere but here; codes to sign in with are void", http.StatusNoContent), s.deleteOtherSessions)
	register(api, op("end-session", http.MethodDelete, "/api/sessions/{id}", "Sign out there; identities made from the session end within a minute", http.StatusNoContent, 404), s.deleteOneSession)
}

// current is the id of the session that p stems from, or empty where it is a token's.
func current(p edge.Principal) string {
	if p.Actor.Kind != "user" {
		return ""
	}
	return p.Session
}

// inBrowser is the caller, where that is a session: what is begun in a browser is finished in it.
func inBrowser(ctx context.Context) (edge.Principal, error) {
	p, err := edge.Caller(ctx)
	if err == nil && current(p) == "" {
		err = edge.NewProblem(http.StatusBadRequest, "no_session", "this is done in a browser that is signed in")
	}
	return p, err
}

type sessionsAnswer struct {
	Body []Session `nullable:"false"`
}

func (s *Store) listSessions(ctx context.Context, _ *struct{}) (*sessionsAnswer, error) {
	p, err := edge.Caller(ctx)
	if err != nil {
		return nil, err
	}
	list, err := s.Sessions(ctx, p.UserID, current(p))
	return &sessionsAnswer{list}, err
}

func (s *Store) deleteOtherSessions(ctx context.Context, _ *struct{}) (*struct{}, error) {
	p, err := edge.Caller(ctx)
	if err != nil {
		return nil, err
	}
	return nil, s.EndOtherSessions(ctx, p.UserID, current(p))
}

type sessionPath struct {
	ID string `path:"id" minLength:"43" maxLength:"43" pattern:"^[A-Za-z0-9_-]*$"`
}

func (s *Store) deleteOneSession(ctx context.Context, in *sessionPath) (*struct{}, error) {
	p, err := edge.Caller(ctx)
	if err != nil {
		return nil, err
	}
	return nil, s.EndSession(ctx, p.UserID, in.ID)
}
