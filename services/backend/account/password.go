package account

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/task"
)

// Limits of a password. Lengths count Unicode code points.
const (
	MinPassword = 8
	MaxPassword = 256
)

// ErrWrongPassword means that there is no user of that name with that password.
var ErrWrongPassword = errors.New("the name or the password is not right")

// passwordRow is the row at password/<user>. A user without one signs in by code only.
type passwordRow struct {
	// Hash is in the PHC string format.
	Hash      string    `json:"hash"`
	ChangedAt task.Time `json:"changed_at"`
	// Misses counts the wrong guesses of somebody who is signed in, since MissedAt.
	Misses   int       `json:"misses,omitempty"`
	MissedAt task.Time `json:"missed_at,omitzero"`
}

func passwordKey(user string) string { return "password/" + user }

// commonPasswords are those that people choose most and that are tried first: the first 10,000 of zxcvbn's list, in lower
// case, one a line (github.com/dropbox/zxcvbn, which counted them in published breaches; MIT licence, © 2012–2016 Dan
// Wheeler and Dropbox, Inc.). It is searched where it lies: passwords are set too rarely for a table of it in memory.
//
//go:embed common_passwords.txt
var commonPasswords string

func isCommon(password string) bool {
	password = strings.ToLower(password) + "\n"
	for common := range strings.Lines(commonPasswords) {
		if common == password {
			return true
		}
	}
	return false
}

// checkPassword says what is wrong with a new password; nil: nothing.
func checkPassword(v string) error {
	switch n := utf8.RuneCountInString(v); {
	case n < MinPassword || n > MaxPassword:
		return fmt.Errorf("must have %d to %d characters", MinPassword, MaxPassword)
	case isCommon(v):
		return errors.New("is one of the passwords that are tried first: choose another, such as four words that do not belong together")
	}
	return nil
}

// SetPassword gives the user a new password, which must be valid, and ends every session but keep, and every sign-in
// code. API tokens stay: they were made to last. old must be the password there was; it is ignored where there was none.
func (s *Store) SetPassword(ctx context.Context, user, old, password, keep string) error {
	known, err := s.checkOwnPassword(ctx, user, "old_password", old)
	if err != nil && !errors.Is(err, ErrNoPassword) {
		return err
	}
	return s.changePassword(ctx, user, password, keep, func(row passwordRow) ([]host.Op, error) {
		if row.Hash != known { // it was changed since
			return nil, notYours("old_password")
		}
		return nil, nil
	})
}

// notYours is the fault of a field that is to hold the password there is.
func notYours(field string) error { return invalid{{Field: field, Detail: "is not your password"}} }

// checkOwnPassword returns the hash there is where that is of the password: of one who is signed in and shows that they know
// it, in the field. [ErrNoPassword], an invalid, or a 429 after [maxMisses] wrong ones in [missTime], on all replicas together:
// whoever has got hold of a session or a token must not find the password out by trying. It has nothing to do with signing
// in, where nobody can lock a user out.
func (s *Store) checkOwnPassword(ctx context.Context, user, field, password string) (hash string, err error) {
	guess := 1
	if password == "" { // which is none
		guess = 0
	}
	if hash, err = s.countGuess(ctx, user, guess); err != nil {
		return "", err
	}
	if password == "" {
		return "", invalid{{Field: field, Detail: "is needed"}}
	}
	ok, _, err := s.hasher.verify(ctx, hash, password)
	if err == nil && !ok {
		err = notYours(field)
	}
	if err != nil {
		return "", err
	}
	_, err = s.countGuess(ctx, user, -1)
	return hash, err
}

// countGuess adds n to the guesses of the user's password and returns its hash. Each counts before it is known to be wrong, so
// that of many at once no more than [maxMisses] are answered; a right one is taken back.
func (s *Store) countGuess(ctx context.Context, user string, n int) (hash string, err error) {
	err = host.Retry(ctx, func() error {
		var row passwordRow
		etag, err := s.load(ctx, passwordKey(user), &row)
		if err != nil {
			return err
		}
		if etag == "" {
			return ErrNoPassword
		}
		hash = row.Hash
		now := s.now()
		if since := now.Sub(row.MissedAt.Time); since >= missTime {
			row.Misses, row.MissedAt = 0, task.At(now)
		} else if n > 0 && row.Misses >= maxMisses {
			return edge.NewProblem(http.StatusTooManyRequests, "rate_limited", "too many wrong passwords: wait").After(missTime - since)
		}
		if n == 0 {
			return nil
		}
		row.Misses = max(0, row.Misses+n)
		return s.state.Commit(ctx, host.Tx{Ops: []host.Op{host.Replace(passwordKey(user), encode(row), etag)}})
	})
	if err != nil {
		return "", fmt.Errorf("count a guess of the password: %w", err)
	}
	return hash, nil
}

// ReplacePassword is SetPassword for one who need not know the old one, and keeps no session.
func (s *Store) ReplacePassword(ctx context.Context, user, password string) error {
	return s.changePassword(ctx, user, password, "", func(passwordRow) ([]host.Op, error) { return nil, nil })
}

// changePassword does so where allow, which is given the row there is, agrees; what it returns is committed with the change.
func (s *Store) changePassword(ctx context.Context, user, password, keep string, allow func(passwordRow) ([]host.Op, error)) error {
	var ended []string
	err := host.Retry(ctx, func() error {
		var row passwordRow
		etag, err := s.load(ctx, passwordKey(user), &row)
		if err != nil {
			return err
		}
		with, err := allow(row)
		if err != nil {
			return err
		}
		fresh, err := s.hasher.hash(ctx, password)
		if err != nil {
			return err
		}
		ops, gone, err := s.endOthers(ctx, user, keep)
		if err != nil {
			return err
		}
		ended = gone
		note, err := s.noting(ctx, user, accessPassword, "")
		if err != nil {
			return err
		}
		row = passwordRow{Hash: fresh, ChangedAt: task.At(s.now())}
		return s.state.Commit(ctx, host.Tx{Ops: slices.Concat(ops, with, []host.Op{note, put(passwordKey(user), encode(row), etag)})})
	})
	if err != nil {
		return fmt.Errorf("change password: %w", err)
	}
	for _, id := range ended {
		s.signedOut(id)
	}
	return nil
}

// nobody stands for the user of a name that nobody has: the same is read and computed for it as for a real one.
const nobody = "nobody"

// SignInByPassword returns the user of that name and the secret of a new session, or [ErrWrongPassword], which does
// not tell, not even by the time it takes, whether there is such a user. factor is a code of the user's second factor, if
// there is one; the errors about it, as [Store.passFactor] has them, come to those only who know the password.
func (s *Store) SignInByPassword(ctx context.Context, name, password, factor string, b Browser) (User, string, error) {
	var u User
	var session, id string
	err := host.Retry(ctx, func() error {
		id = nobody
		if _, err := s.load(ctx, nameKey(name), &id); err != nil {
			return err
		}
		open, err := s.openSessions(ctx, id) // read before the password: when that changes, so do they
		if err != nil {
			return err
		}
		var row passwordRow
		etag, err := s.load(ctx, passwordKey(id), &row)
		if err != nil {
			return err
		}
		ok, outdated, err := s.hasher.verify(ctx, row.Hash, password)
		if err != nil {
			return err
		}
		if !ok {
			return ErrWrongPassword
		}
		ops, err := s.passFactor(ctx, id, factor)
		if err != nil {
			return err
		}
		if outdated {
			if row.Hash, err = s.hasher.hash(ctx, password); err != nil {
				return err
			}
			ops = append(ops, host.Replace(passwordKey(id), encode(row), etag))
		}
		u, session, err = s.enter(ctx, id, b, open, ops...)
		if errors.Is(err, ErrNoUser) { // the account was deleted just now
			err = ErrWrongPassword
		}
		return err
	})
	if err != nil {
		if failedToProve(err) && id != nobody {
			s.noteFailure(ctx, id, accessFailed, b)
		}
		return User{}, "", fmt.Errorf("sign in: %w", err)
	}
	return u, session, nil
}

// put replaces the row that was read with etag, or creates it where there was none.
func put(key string, value []byte, etag string) host.Op {
	if etag == "" {
		return host.Create(key, value)
	}
	return host.Replace(key, value, etag)
}

type passwordInput struct {
	Body struct {
		Password string `json:"password" minLength:"8" maxLength:"256" doc:"Not one of the 10,000 most common"`
		Old      string `json:"old_password,omitempty" maxLength:"256" doc:"The password there is; needed where there is one"`
	}
}

// passwordRoute adds the change of one's password.
func (s *Store) passwordRoute(api huma.API) {
	o := op("set-password", http.MethodPut, "/api/me/password", "Set or change the password; signs out everywhere else", http.StatusNoContent, 400, 403, 429)
	o.Description = "Every other session ends, and codes to sign in with are void; API tokens stay."
	register(api, o, s.putPassword)
}

func (s *Store) putPassword(ctx context.Context, in *passwordInput) (*struct{}, error) {
	p, err := edge.Caller(ctx)
	if err != nil {
		return nil, err
	}
	if err := checkPassword(in.Body.Password); err != nil {
		return nil, invalid{{Field: "password", Detail: err.Error()}}
	}
	u, err := s.User(ctx, p.UserID)
	if err != nil {
		return nil, err
	}
	if u.Admin && !p.Admin { // whoever knows the password may all that its user may
		return nil, needsAdmin("an administrator's password is set by a token of the scope admin, or where one is signed in")
	}
	return nil, s.SetPassword(ctx, p.UserID, in.Body.Old, in.Body.Password, current(p))
}
