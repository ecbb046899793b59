package account

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/task"
)

// Limits of a second factor.
const (
	// RecoveryCodes is how many one gets.
	RecoveryCodes = 10
	// enrolLife is how long an authenticator that was set up can be confirmed.
	enrolLife = time.Hour
	// maxMisses is how many wrong codes an account may have in missTime. Of the million codes three are right at a
	// time: who knows the password has a chance of one in seven hundred a day, and can never shut out recovery codes.
	maxMisses = 5
	missTime  = 15 * time.Minute
)

var (
	// ErrFactorNeeded means that name and password are right, and a code is needed besides.
	ErrFactorNeeded = errors.New("a second factor is needed")
	// ErrWrongFactor means that the code is wrong, or was used.
	ErrWrongFactor = errors.New("the code of the second factor is not right")
	// ErrNoFactor means that the user has no second factor, or no such one to confirm.
	ErrNoFactor = errors.New("no second factor")
	// ErrFactorSet means that the user has a second factor already.
	ErrFactorSet = errors.New("there is a second factor already")
	// ErrNoPassword means that the user has no password that a second factor could go with.
	ErrNoPassword = errors.New("there is no password")
)

// factorRow is the row at second-factor/<user>: an authenticator (RFC 6238). Its secret is kept as it is: it has to be
// computed with.
type factorRow struct {
	// ID names the enrolment.
	ID     string    `json:"id"`
	Secret []byte    `json:"secret"`
	MadeAt task.Time `json:"made_at"`
	// EnabledAt is when it was confirmed; until then nobody is asked for it.
	EnabledAt *task.Time `json:"enabled_at,omitempty"`
	// LastStep is the period of the last code that was used: none before it counts any more (RFC 6238 section 5.2).
	LastStep int64 `json:"last_step"`
	// Recovery are the hashes of the recovery codes that are left.
	Recovery []string `json:"recovery,omitempty"`
	// Misses counts the wrong codes since MissedAt.
	Misses   int       `json:"misses,omitempty"`
	MissedAt task.Time `json:"missed_at,omitzero"`
}

func factorKey(user string) string { return "second-factor/" + user }

func (r *factorRow) enabled() bool { return r.EnabledAt != nil }

func (s *Store) factor(ctx context.Context, user string) (row factorRow, etag string, err error) {
	etag, err = s.load(ctx, factorKey(user), &row)
	return row, etag, err
}

// passFactor returns the operations to be committed with a sign-in by password, or says why there must be none:
// [ErrFactorNeeded], [ErrWrongFactor], or a 429 after too many wrong codes. A wrong code is counted, in a commit of its
// own: of guesses at once each counts.
func (s *Store) passFactor(ctx context.Context, user, code string) ([]host.Op, error) {
	row, etag, err := s.factor(ctx, user)
	if err != nil || !row.enabled() {
		return nil, err
	}
	if code == "" {
		return nil, ErrFactorNeeded
	}
	row, err = s.useCode(ctx, user, row, etag, code)
	return []host.Op{host.Replace(factorKey(user), encode(row), etag)}, err
}

// useCode returns the row with the code used up, or an error as [Store.passFactor] does.
func (s *Store) useCode(ctx context.Context, user string, row factorRow, etag, code string) (factorRow, error) {
	if !isTOTP(code) {
		i := slices.Index(row.Recovery, hashRecovery(code))
		if i < 0 {
			return row, ErrWrongFactor
		}
		row.Recovery = slices.Delete(row.Recovery, i, i+1)
		return row, nil
	}
	now := s.now()
	if since := now.Sub(row.MissedAt.Time); since >= missTime {
		row.Misses = 0
	} else if row.Misses >= maxMisses {
		return row, edge.NewProblem(http.StatusTooManyRequests, "rate_limited", "too many wrong codes: wait, or use a recovery code").After(missTime - since)
	}
	step, ok := matchStep(row.Secret, code, now, row.LastStep)
	if ok {
		row.LastStep, row.Misses = step, 0
		return row, nil
	}
	if row.Misses++; row.Misses == 1 {
		row.MissedAt = task.At(now)
	}
	if err := s.state.Commit(ctx, host.Tx{Ops: []host.Op{host.Replace(factorKey(user), encode(row), etag)}}); err != nil {
		return row, fmt.Errorf("count a wrong code: %w", err)
	}
	return row, ErrWrongFactor
}

// Enrol sets up an authenticator for a user who knows the password, instead of one that was not confirmed. It counts once
// it is confirmed. [ErrFactorSet], [ErrNoPassword], or an invalid.
func (s *Store) Enrol(ctx context.Context, user, password string) (id string, secret []byte, err error) {
	if _, err := s.checkOwnPassword(ctx, user, "password", password); err != nil {
		return "", nil, err
	}
	secret = make([]byte, totpSecret)
	rand.Read(secret) // never fails (crypto/rand since Go 1.24)
	row := factorRow{ID: newSecret("")[:22], Secret: secret, MadeAt: task.At(s.now())}
	err = host.Retry(ctx, func() error {
		old, etag, err := s.factor(ctx, user)
		if err != nil {
			return err
		}
		if old.enabled() {
			return ErrFactorSet
		}
		return s.state.Commit(ctx, host.Tx{Ops: []host.Op{put(factorKey(user), encode(row), etag)}})
	})
	if err != nil {
		return "", nil, fmt.Errorf("set up second factor: %w", err)
	}
	return row.ID, secret, nil
}

// Confirm switches on what [Store.Enrol] has set up, once its first code is right, and returns the recovery codes, which
// are not kept. [ErrNoFactor], [ErrFactorSet], or an error as [Store.passFactor] has.
func (s *Store) Confirm(ctx context.Context, user, id, code string) (codes []string, err error) {
	codes, hashes := newRecoveryCodes()
	err = host.Retry(ctx, func() error {
		row, etag, err := s.factor(ctx, user)
		switch {
		case err != nil:
			return err
		case row.ID != id || !row.enabled() && s.now().Sub(row.MadeAt.Time) >= enrolLife:
			return ErrNoFactor
		case row.enabled():
			return ErrFactorSet
		case !isTOTP(code):
			return ErrWrongFactor
		}
		if row, err = s.useCode(ctx, user, row, etag, code); err != nil {
			return err
		}
		now := task.At(s.now())
		row.EnabledAt, row.Recovery = &now, hashes
		return s.commitNoted(ctx, user, accessFactorOn, host.Replace(factorKey(user), encode(row), etag))
	})
	if err != nil {
		return nil, fmt.Errorf("confirm second factor: %w", err)
	}
	return codes, nil
}

// Disable takes the second factor away from a user who knows the password and shows a code of it. [ErrNoFactor], an
// invalid, or an error as [Store.passFactor] has.
func (s *Store) Disable(ctx context.Context, user, password, code string) error {
	err := s.withProof(ctx, user, password, code, func(_ factorRow, etag string) error {
		return s.commitNoted(ctx, user, accessFactorOff, host.Remove(factorKey(user), etag))
	})
	if err != nil {
		return fmt.Errorf("take second factor away: %w", err)
	}
	return nil
}

// RenewRecovery returns new recovery codes instead of all that are left, to a user who proves to be it as for
// [Store.Disable], with the same errors.
func (s *Store) RenewRecovery(ctx context.Context, user, password, code string) ([]string, error) {
	codes, hashes := newRecoveryCodes()
	err := s.withProof(ctx, user, password, code, func(row factorRow, etag string) error {
		row.Recovery = hashes
		return s.commitNoted(ctx, user, accessRecoveryRenewed, host.Replace(factorKey(user), encode(row), etag))
	})
	if err != nil {
		return nil, fmt.Errorf("renew recovery codes: %w", err)
	}
	return codes, nil
}

// withProof calls commit with the second factor of a user who knows the password and shows a code, which is used up in the
// row; again where another was faster. [ErrNoFactor], an invalid, or an error as [Store.passFactor] has.
func (s *Store) withProof(ctx context.Context, user, password, code string, commit func(row factorRow, etag string) error) error {
	row, _, err := s.factor(ctx, user)
	if err != nil {
		return err
	}
	if !row.enabled() {
		return ErrNoFactor
	}
	if _, err := s.checkOwnPassword(ctx, user, "password", password); err != nil {
		return err
	}
	return host.Retry(ctx, func() error {
		row, etag, err := s.factor(ctx, user)
		if err != nil {
			return err
		}
		if !row.enabled() {
			return ErrNoFactor
		}
		if row, err = s.useCode(ctx, user, row, etag, code); err != nil {
			return err
		}
		return commit(row, etag)
	})
}

// RemoveFactor takes it away from a user who has lost it; none is no error.
func (s *Store) RemoveFactor(ctx context.Context, user string) error {
	err := host.Retry(ctx, func() error {
		_, etag, err := s.factor(ctx, user)
		if err != nil || etag == "" {
			return err
		}
		return s.commitNoted(ctx, user, accessFactorOff, host.Remove(factorKey(user), etag))
	})
	if err != nil {
		return fmt.Errorf("take second factor away: %w", err)
	}
	return nil
}
