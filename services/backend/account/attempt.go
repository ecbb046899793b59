package account

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/task"
)

// attemptLife is how long somebody may take at a provider, or with a passkey.
const attemptLife = 10 * time.Minute

// attemptKind is what somebody tries; one of one kind is never finished as one of another.
type attemptKind struct {
	rows   string // how the keys of its rows begin
	cookie string
}

var (
	openIDAttempts  = attemptKind{"openid-attempt/", "docket_openid"}
	passkeyAttempts = attemptKind{"passkey-attempt/", "docket_passkey"}
)

// ErrNoAttempt means that nothing was begun in this browser that could be finished by what it shows.
var ErrNoAttempt = errors.New("no such attempt")

// attemptRow is the row at openid-attempt/<hash> or passkey-attempt/<hash>, where the hash is of a secret that only the browser
// which began it has: so nobody can be made to finish what another has begun.
type attemptRow struct {
	ExpiresAt task.Time `json:"expires_at"`
	// Attempt is an openIDAttempt or a passkeyAttempt.
	Attempt json.RawMessage `json:"attempt"`
}

// keepAttempt keeps an attempt, in one commit with ops, and returns the secret for the browser, which is not kept.
func (s *Store) keepAttempt(ctx context.Context, kind attemptKind, attempt any, ops ...host.Op) (secret string, err error) {
	secret = newSecret("")
	row := attemptRow{ExpiresAt: task.At(s.now().Add(attemptLife)), Attempt: encode(attempt)}
	ops = append(ops, expiring(host.Create(kind.rows+hash(secret), encode(row)), &row.ExpiresAt, s.now()))
	if err := s.state.Commit(ctx, host.Tx{Ops: ops}); err != nil {
		return "", fmt.Errorf("store attempt: %w", err)
	}
	return secret, nil
}

// takeAttempt reads the attempt of the browser with that secret into attempt. It is over with that: it can be tried once, whatever
// comes of it. [ErrNoAttempt].
func (s *Store) takeAttempt(ctx context.Context, kind attemptKind, secret string, attempt any) error {
	var row attemptRow
	err := host.Retry(ctx, func() error {
		row = attemptRow{}
		key := kind.rows + hash(secret)
		etag, err := s.load(ctx, key, &row)
		if err != nil {
			return err
		}
		if etag == "" || row.Attempt == nil || expired(&row.ExpiresAt, s.now()) {
			return ErrNoAttempt
		}
		return s.state.Commit(ctx, host.Tx{Ops: []host.Op{host.Remove(key, etag)}})
	})
	if err == nil {
		err = json.Unmarshal(row.Attempt, attempt)
	}
	if err != nil {
		return fmt.Errorf("take attempt: %w", err)
	}
	return nil
}
