package account

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/task"
)

// ScopeAdmin is the scope of a token that may all its owner may, what is for administrators included. An identity made
// from it has edge.ScopeWrite and says the rest by edge.Principal.Admin.
const ScopeAdmin = "admin"

// tokenPrefix starts the text form of an API token, so that people and scanners recognise one.
const tokenPrefix = "dkt_"

// Token is an API token as its owner sees it; the secret itself is shown only when it is made.
type Token struct {
	ID        string    `json:"id" format:"uuid"`
	Name      string    `json:"name"`
	Scope     string    `json:"scope" enum:"read,write,admin"`
	CreatedAt task.Time `json:"created_at" format:"date-time"`
	// ExpiresAt is when the token stops to be valid; nil: never.
	ExpiresAt *task.Time `json:"expires_at" format:"date-time"`
	// LastUsedAt is up to an hour too early; nil: never used.
	LastUsedAt *task.Time `json:"last_used_at" format:"date-time"`
}

// TokenRequest is what a new token is made from.
type TokenRequest struct {
	Name string
	// Scope is edge.ScopeRead, edge.ScopeWrite or [ScopeAdmin].
	Scope string
	// ExpiresAt is when the token stops to be valid; nil: never.
	ExpiresAt *time.Time
}

// storedToken is an entry of the list at tokens/<user>. Its LastUsedAt is always nil: that one is kept in the
// tokenRow, so that using a token never competes with making one. Its Scope is read or write: see rights.
type storedToken struct {
	Token
	rights
	Hash string `json:"hash"`
}

// rights is the part of a token's scope that came later than read and write.
type rights struct {
	// Admin tells ScopeAdmin from edge.ScopeWrite. Where it is nil the token is from before there was the difference,
	// when write allowed both: it still does.
	Admin *bool `json:"admin,omitempty"`
}

// scope is the token's scope as its owner chose it; kept is read or write, and owner tells an administrator.
func (r rights) scope(kept string, owner bool) string {
	if kept == edge.ScopeWrite && (r.Admin == nil && owner || r.Admin != nil && *r.Admin) {
		return ScopeAdmin
	}
	return kept
}

// tokenRow is the row at token/<hash>: what an exchange needs to know.
type tokenRow struct {
	User  string `json:"user"`
	ID    string `json:"id"`
	Name  string `json:"name"`
	Scope string `json:"scope"`
	rights
	ExpiresAt  *task.Time `json:"expires_at"`
	LastUsedAt *task.Time `json:"last_used_at"`
}

func tokenKey(hash string) string  { return "token/" + hash }
func tokensKey(user string) string { return "tokens/" + user }

func (t storedToken) row(user string) tokenRow {
	return tokenRow{User: user, ID: t.ID, Name: t.Name, Scope: t.Scope, rights: t.rights, ExpiresAt: t.ExpiresAt}
}

// expired tells whether a credential with that end is over at now.
func expired(end *task.Time, now time.Time) bool { return end != nil && !now.Before(end.Time) }

// expiring gives op the time to live of a credential with that end. The host may keep it up to a second longer:
// expired decides.
func expiring(op host.Op, end *task.Time, now time.Time) host.Op {
	if end == nil {
		return op
	}
	return op.Expiring(end.Sub(now) + time.Second)
}

// newToken returns a token and its secret.
func (s *Store) newToken(r TokenRequest) (storedToken, string, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return storedToken{}, "", fmt.Errorf("make token id: %w", err)
	}
	secret := newSecret(tokenPrefix)
	t := storedToken{
		Token:  Token{ID: id.String(), Name: r.Name, Scope: r.Scope, CreatedAt: task.At(s.now())},
		rights: rights{Admin: new(r.Scope == ScopeAdmin)},
		Hash:   hash(secret),
	}
	if *t.Admin {
		t.Scope = edge.ScopeWrite
	}
	if r.ExpiresAt != nil {
		end := task.At(*r.ExpiresAt)
		t.ExpiresAt = &end
	}
	return t, secret, nil
}

// liveTokens reads the user's tokens that have not expired.
func (s *Store) liveTokens(ctx context.Context, user string) (list []storedToken, etag string, err error) {
	etag, err = s.load(ctx, tokensKey(user), &list)
	now := s.now()
	list = slices.DeleteFunc(list, func(t storedToken) bool { return expired(t.ExpiresAt, now) })
	return list, etag, err
}

// NewToken makes an API token for the user and returns it with its secret, which is not kept. The request must
// be valid. ErrTooManyTokens where the user has [MaxTokens].
func (s *Store) NewToken(ctx context.Context, user string, r TokenRequest) (Token, string, error) {
	t, secret, err := s.newToken(r)
	if err != nil {
		return Token{}, "", err
	}
	create := expiring(host.Create(tokenKey(t.Hash), encode(t.row(user))), t.ExpiresAt, s.now())
	err = s.changeTokens(ctx, user, accessTokenCreated, func(list []storedToken) ([]storedToken, string, host.Op, error) {
		if len(list) >= MaxTokens {
			return nil, "", host.Op{}, ErrTooManyTokens
		}
		return append(list, t), t.Name, create, nil
	})
	if err != nil {
		return Token{}, "", err
	}
	t.Scope = r.Scope
	return t.Token, secret, nil
}

// DeleteToken revokes a token of the user, or returns ErrNoToken. The one in use may be deleted too.
func (s *Store) DeleteToken(ctx context.Context, user, id string) error {
	err := s.changeTokens(ctx, user, accessTokenRevoked, func(list []storedToken) ([]storedToken, string, host.Op, error) {
		i := slices.IndexFunc(list, func(t storedToken) bool { return t.ID == id })
		if i < 0 {
			return nil, "", host.Op{}, ErrNoToken
		}
		gone := list[i]
		return slices.Delete(list, i, i+1), gone.Name, host.Delete(tokenKey(gone.Hash)), nil
	})
	if err == nil {
		s.signedOut(id)
	}
	return err
}

// changeTokens replaces the user's list of tokens by what do makes of it, in one commit with do's operation and a note
// of that kind about the token that do names, and again where somebody else was faster.
func (s *Store) changeTokens(ctx context.Context, user, kind string, do func([]storedToken) ([]storedToken, string, host.Op, error)) error {
	err := host.Retry(ctx, func() error {
		list, etag, err := s.liveTokens(ctx, user)
		if err != nil {
			return err
		}
		list, name, op, err := do(list)
		if err != nil {
			return err
		}
		note, err := s.noting(ctx, user, kind, name)
		if err != nil {
			return err
		}
		return s.state.Commit(ctx, host.Tx{Ops: []host.Op{op, note, host.Replace(tokensKey(user), encode(list), etag)}})
	})
	if err != nil {
		return fmt.Errorf("change tokens: %w", err)
	}
	return nil
}

// Tokens returns the user's tokens, oldest first; those that have expired are gone.
func (s *Store) Tokens(ctx context.Context, user string) ([]Token, error) {
	owner, err := s.User(ctx, user)
	if err != nil {
		return nil, err
	}
	list, _, err := s.liveTokens(ctx, user)
	if err != nil {
		return nil, err
	}
	keys := make([]string, len(list))
	for i, t := range list {
		keys[i] = tokenKey(t.Hash)
	}
	items, err := s.state.GetBulk(ctx, keys)
	if err != nil {
		return nil, fmt.Errorf("read tokens: %w", err)
	}
	tokens := make([]Token, len(list))
	for i, t := range list {
		tokens[i] = t.Token
		tokens[i].Scope = t.scope(t.Scope, owner.Admin)
		var row tokenRow
		if err := decode(items[i], &row); err != nil {
			return nil, err
		}
		tokens[i].LastUsedAt = row.LastUsedAt
	}
	return tokens, nil
}

// byToken returns the identity behind an API token, or ErrNoIdentity.
func (s *Store) byToken(ctx context.Context, secret string) (edge.Principal, error) {
	if !strings.HasPrefix(secret, tokenPrefix) {
		return edge.Principal{}, ErrNoIdentity
	}
	var row tokenRow
	key := tokenKey(hash(secret))
	etag, err := s.load(ctx, key, &row)
	if err != nil {
		return edge.Principal{}, err
	}
	now := s.now()
	if etag == "" || expired(row.ExpiresAt, now) {
		return edge.Principal{}, ErrNoIdentity
	}
	u, err := s.owner(ctx, row.User)
	if err != nil {
		return edge.Principal{}, err
	}
	if row.LastUsedAt == nil || now.Sub(row.LastUsedAt.Time) >= touchEvery {
		var first []host.Op
		if row.LastUsedAt == nil {
			note, err := s.noting(ctx, row.User, accessTokenUsed, row.Name)
			if err != nil {
				return edge.Principal{}, err
			}
			first = []host.Op{note}
		}
		used := task.At(now)
		row.LastUsedAt = &used
		s.touch(ctx, expiring(host.Replace(key, encode(row), etag), row.ExpiresAt, now), first...)
	}
	return edge.Principal{
		UserID:  u.ID,
		Actor:   edge.Actor{Kind: "token", ID: row.ID, Name: row.Name},
		Admin:   u.Admin && row.scope(row.Scope, u.Admin) == ScopeAdmin,
		Scope:   row.Scope,
		Session: row.ID,
	}, nil
}
