package account

import (
	"context"
	"errors"
	"slices"

	"github.com/docket-tasks/docket/host"
)

// maxSharing is how many users of one address are found by it; others have to give their names.
const maxSharing = 10

// addressKey has the ids of the users who have written that they have that address. Nobody has verified it, so it proves
// nothing: what is found by it is only where to write to.
func addressKey(email string) string { return "address/" + digest(fold(email)) }

// addressing returns the operations that have the user found by the address after, and no longer by the one before; either
// may be empty.
func (s *Store) addressing(ctx context.Context, user, before, after string) (ops []host.Op, err error) {
	change := func(email string, do func(users []string) []string) {
		var users []string
		etag, loadErr := s.load(ctx, addressKey(email), &users)
		now := do(slices.Clone(users))
		switch err = errors.Join(err, loadErr); {
		case slices.Equal(users, now):
		case len(now) == 0:
			ops = append(ops, host.Remove(addressKey(email), etag))
		default:
			ops = append(ops, put(addressKey(email), encode(now), etag))
		}
	}
	if before != "" && fold(before) != fold(after) {
		change(before, func(users []string) []string {
			return slices.DeleteFunc(users, func(u string) bool { return u == user })
		})
	}
	if after != "" {
		change(after, func(users []string) []string {
			if slices.Contains(users, user) || len(users) >= maxSharing {
				return users
			}
			return append(users, user)
		})
	}
	return ops, err
}

// addressees are the ids of the users who have that address.
func (s *Store) addressees(ctx context.Context, email string) (ids []string, err error) {
	var users []string
	if _, err := s.load(ctx, addressKey(email), &users); err != nil {
		return nil, err
	}
	for _, id := range users {
		u, err := s.User(ctx, id)
		if err != nil && !errors.Is(err, ErrNoUser) {
			return nil, err
		}
		if err == nil && fold(u.Email) == fold(email) {
			ids = append(ids, id)
		}
	}
	return ids, nil
}
