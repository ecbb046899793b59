package account

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/task"
)

// sessionRow is the row at session/<hash>. The hash is also the session's id: it opens nothing.
type sessionRow struct {
	User      string    `json:"user"`
	CreatedAt task.Time `json:"created_at"`
	// LastUsedAt is up to an hour too early; the session ends SessionLife after it.
	LastUsedAt task.Time `json:"last_used_at"`
	// Client is the Browser's.
	Client string `json:"client,omitempty"`
}

// codeRow is the row at sign-in-code/<hash>.
type codeRow struct {
	User      string    `json:"user"`
	ExpiresAt task.Time `json:"expires_at"`
}

func sessionKey(hash string) string { return "session/" + hash }
func codeKey(hash string) string    { return "sign-in-code/" + hash }

// NewSignInCode returns a code that signs the user in once within [CodeLife]. It is stored as its hash only.
// ErrNoUser where there is no such user.
func (s *Store) NewSignInCode(ctx context.Context, userID string) (code string, err error) {
	if _, err := s.User(ctx, userID); err != nil {
		return "", err
	}
	code = newSecret("")
	end := task.At(s.now().Add(CodeLife))
	row := encode(codeRow{User: userID, ExpiresAt: end})
	op := expiring(host.Create(codeKey(hash(code)), row), &end, s.now())
	if err := s.state.Commit(ctx, host.Tx{Ops: []host.Op{op}}); err != nil {
		return "", fmt.Errorf("store sign-in code: %w", err)
	}
	return code, nil
}

// SignIn redeems a one-time code and returns its user and the secret of a new session, which is not kept. Of
// two who redeem one code, one gets ErrBadCode. The browser's time zone becomes the user's time zone where
// nobody has chosen one yet; a zone this machine does not know is left aside.
func (s *Store) SignIn(ctx context.Context, code string, b Browser) (User, string, error) {
	var u User
	var session string
	key := codeKey(hash(code))
	err := host.Retry(ctx, func() error {
		var row codeRow
		etag, err := s.load(ctx, key, &row)
		if err != nil {
			return err
		}
		if etag == "" || expired(&row.ExpiresAt, s.now()) {
			return ErrBadCode
		}
		open, err := s.openSessions(ctx, row.User)
		if err != nil {
			return err
		}
		if row.ExpiresAt.Add(-CodeLife).Before(open.EndedAt.Time) {
			return ErrBadCode
		}
		u, session, err = s.enter(ctx, row.User, b, open, host.Remove(key, etag))
		if errors.Is(err, ErrNoUser) { // the account was deleted
			err = ErrBadCode
		}
		return err
	})
	if err != nil {
		return User{}, "", fmt.Errorf("sign in: %w", err)
	}
	return u, session, nil
}

// enter opens a session of the user beside those that are open, in one commit with ops, and returns its secret.
func (s *Store) enter(ctx context.Context, userID string, b Browser, open openSessions, ops ...host.Op) (User, string, error) {
	old, etag, err := s.loadUser(ctx, userID)
	if err != nil {
		return User{}, "", err
	}
	u := old
	if !u.ZoneChosen && checkZone(b.TimeZone) == nil {
		u.TimeZone, u.ZoneChosen = b.TimeZone, true
	}
	secret, opened, err := s.newSession(ctx, userID, b, open)
	if err != nil {
		return User{}, "", err
	}
	note, err := s.noting(ctx, userID, accessSignedIn, b.by())
	if err != nil {
		return User{}, "", err
	}
	tx, _, err := s.userTx(ctx, old, etag, &u)
	if err != nil {
		return User{}, "", err
	}
	tx.Ops = slices.Concat(tx.Ops, ops, opened, []host.Op{note})
	return u.User, secret, s.state.Commit(ctx, tx)
}

// newSession returns the secret of a session, and the operations that open it beside those that are open.
func (s *Store) newSession(ctx context.Context, userID string, b Browser, open openSessions) (secret string, ops []host.Op, err error) {
	secret = newSecret("")
	id, now := hash(secret), task.At(s.now())
	listed, err := s.opening(ctx, userID, id, open)
	row := encode(sessionRow{User: userID, CreatedAt: now, LastUsedAt: now, Client: b.Client})
	return secret, append(listed, host.Create(sessionKey(id), row).Expiring(SessionLife)), err
}

// SignOut ends a session; one that has ended already stays so.
func (s *Store) SignOut(ctx context.Context, sessionID string) error {
	tx := host.Tx{Ops: []host.Op{host.Delete(sessionKey(sessionID))}}
	if err := s.state.Commit(ctx, tx); err != nil {
		return fmt.Errorf("delete session: %w", err)
	}
	s.signedOut(sessionID)
	return nil
}

// bySession returns the identity behind a session's secret, or ErrNoIdentity.
func (s *Store) bySession(ctx context.Context, secret string) (edge.Principal, error) {
	return s.sessionOf(ctx, hash(secret))
}

// sessionOf returns the identity behind a session, or ErrNoIdentity.
func (s *Store) sessionOf(ctx context.Context, id string) (edge.Principal, error) {
	var row sessionRow
	etag, err := s.load(ctx, sessionKey(id), &row)
	if err != nil {
		return edge.Principal{}, err
	}
	now := s.now()
	if etag == "" || now.Sub(row.LastUsedAt.Time) >= SessionLife {
		return edge.Principal{}, ErrNoIdentity
	}
	u, open, err := s.ownerOf(ctx, row)
	if err != nil {
		return edge.Principal{}, err
	}
	if open.ended(id, row.CreatedAt.Time) {
		return edge.Principal{}, ErrNoIdentity
	}
	if now.Sub(row.LastUsedAt.Time) >= touchEvery {
		row.LastUsedAt = task.At(now)
		s.touch(ctx, host.Replace(sessionKey(id), encode(row), etag).Expiring(SessionLife))
	}
	return edge.Principal{
		UserID:  u.ID,
		Actor:   edge.Actor{Kind: "user", ID: u.ID, Name: u.Name},
		Admin:   u.Admin,
		Scope:   edge.ScopeWrite,
		Session: id,
	}, nil
}

// ownerOf returns the session's user and which sessions that one has, or ErrNoIdentity.
func (s *Store) ownerOf(ctx context.Context, row sessionRow) (u User, open openSessions, err error) {
	items, err := s.state.GetBulk(ctx, []string{UserKey(row.User), sessionsKey(row.User)})
	if err != nil {
		return u, open, fmt.Errorf("read user: %w", err)
	}
	u, err = s.Decode(items[0])
	if errors.Is(err, ErrNoUser) {
		return u, open, ErrNoIdentity
	}
	return u, open, errors.Join(err, decode(items[1], &open))
}

// owner returns the user a credential belongs to, or ErrNoIdentity.
func (s *Store) owner(ctx context.Context, id string) (User, error) {
	u, err := s.User(ctx, id)
	if errors.Is(err, ErrNoUser) {
		return User{}, ErrNoIdentity
	}
	return u, err
}

// touchTimeout bounds the write of a last use.
const touchTimeout = 5 * time.Second

// touch writes that a credential was used, in the background: nobody waits for it. It demands the ETag that
// was read, so that a credential revoked meanwhile does not come back; where it fails, the next use tries again.
func (s *Store) touch(ctx context.Context, op host.Op, more ...host.Op) {
	s.mu.Lock() // holds off Drain's wait until the work is counted
	defer s.mu.Unlock()
	if s.draining {
		return
	}
	if _, busy := s.touching.LoadOrStore(op.Key, struct{}{}); busy {
		return
	}
	s.background.Go(func() {
		defer s.touching.Delete(op.Key)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), touchTimeout)
		defer cancel()
		err := s.state.Commit(ctx, host.Tx{Ops: append(more, op)})
		if err != nil && !errors.Is(err, host.ErrConflict) {
			s.log.WarnContext(ctx, "last use not noted", "credential", kind(op.Key), "error", err)
		}
	})
}
