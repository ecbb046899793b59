package account

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/services/backend/passkey"
	"github.com/docket-tasks/docket/task"
)

// MaxPasskeys is how many passkeys a user may have.
const MaxPasskeys = 20

var (
	// ErrNoPasskey means that the user has no passkey of that id.
	ErrNoPasskey = errors.New("no such passkey")
	// ErrUnknownPasskey means that a passkey signs nobody in: it was removed, or is no passkey of a user's.
	ErrUnknownPasskey = errors.New("the passkey is nobody's")
	// ErrPasskeyTaken means that a passkey has been added before.
	ErrPasskeyTaken = errors.New("the passkey was added before")
	// ErrTooManyPasskeys means that the user has [MaxPasskeys].
	ErrTooManyPasskeys = errors.New("too many passkeys")
)

// Passkey is a key by which a user signs in, as its owner sees it.
type Passkey struct {
	// ID is the hash of the credential id.
	ID   string `json:"id"`
	Name string `json:"name" doc:"What its owner calls it"`
	Host string `json:"host" doc:"The host that it signs in at: that of docket's address when it was added"`
	// Works is told anew whenever it is read.
	Works  bool `json:"works" doc:"Whether it signs in: one for another host than docket has now does not, and is no way in"`
	Synced bool `json:"synced" doc:"Whether it may be on several devices of its owner, as whoever made it keeps copies"`
	// LastUsedAt is nil where it has not signed in yet.
	CreatedAt  task.Time  `json:"created_at" format:"date-time"`
	LastUsedAt *task.Time `json:"last_used_at" format:"date-time" doc:"When it signed in last; null: not yet"`
}

// storedPasskey is an entry of the row at passkeys/<user>.
type storedPasskey struct {
	Passkey
	Key passkey.Key `json:"key"`
}

// passkeyAttempt is what is kept of somebody who was asked for a passkey.
type passkeyAttempt struct {
	// Challenge is what the passkey is to sign.
	Challenge string `json:"challenge"`
	// Session is the one that wants to have a passkey; empty: somebody wants to sign in.
	Session string `json:"session,omitempty"`
}

func passkeyKey(id string) string    { return "passkey/" + id }
func passkeysKey(user string) string { return "passkeys/" + user }

func (s *Store) passkeys(ctx context.Context, user string) (list []storedPasskey, etag string, err error) {
	etag, err = s.load(ctx, passkeysKey(user), &list)
	for i := range list {
		list[i].Works = s.worksAt(list[i].Host)
	}
	return list, etag, err
}

// worksAt tells whether passkeys for that host sign in, as docket's address is now.
func (s *Store) worksAt(host string) bool {
	site, _ := passkey.SiteOf(s.publicURL, "http", "localhost") // which is where docket is reached that has been told no address
	return host != "" && host == site.ID
}

// working are the passkeys by which their user can sign in.
func working(list []storedPasskey) (n int) {
	for _, p := range list {
		if p.Works {
			n++
		}
	}
	return n
}

// Passkeys returns the user's, oldest first.
func (s *Store) Passkeys(ctx context.Context, user string) ([]Passkey, error) {
	list, _, err := s.passkeys(ctx, user)
	shown := make([]Passkey, len(list))
	for i, p := range list {
		shown[i] = p.Passkey
	}
	return shown, err
}

// BeginPasskey returns what to ask the session's browser for, so that the user has one more passkey, and the secret of the
// attempt. As a passkey is asked for nothing else when it signs in, it takes the password to add one, and a code of the second
// factor, where there are any. [ErrTooManyPasskeys], an invalid, or an error as [Store.passFactor] has.
func (s *Store) BeginPasskey(ctx context.Context, site passkey.Site, session string, u User, password, factor string) (secret string, options json.RawMessage, err error) {
	err = host.Retry(ctx, func() error {
		list, _, err := s.passkeys(ctx, u.ID)
		if err != nil {
			return err
		}
		if len(list) >= MaxPasskeys {
			return ErrTooManyPasskeys
		}
		used, err := s.ownerProof(ctx, u.ID, password, factor)
		if err != nil {
			return err
		}
		known := make([]passkey.Key, len(list))
		for i, p := range list {
			known[i] = p.Key
		}
		a := passkeyAttempt{Session: session}
		a.Challenge, options = site.Create(passkey.Holder{ID: u.ID, Name: u.Name}, known)
		secret, err = s.keepAttempt(ctx, passkeyAttempts, a, used...)
		return err
	})
	if err != nil {
		return "", nil, fmt.Errorf("begin a passkey: %w", err)
	}
	return secret, options, nil
}

// AddPasskey adds the passkey that the session's browser has made in the attempt. [ErrNoAttempt], [passkey.ErrRefused],
// [ErrPasskeyTaken], [ErrTooManyPasskeys].
func (s *Store) AddPasskey(ctx context.Context, site passkey.Site, caller edge.Principal, secret, name string, response []byte) (Passkey, error) {
	var a passkeyAttempt
	err := s.takeAttempt(ctx, passkeyAttempts, secret, &a)
	if err == nil && (a.Session == "" || a.Session != current(caller)) {
		err = ErrNoAttempt
	}
	if err != nil {
		return Passkey{}, err
	}
	key, err := site.Created(a.Challenge, response)
	if err != nil {
		s.log.InfoContext(ctx, "passkey refused", "user_id", caller.UserID, "error", err)
		return Passkey{}, err
	}
	made := storedPasskey{Passkey{ID: digest(string(key.ID)), Name: name, Host: site.ID, Works: true, Synced: key.Synced, CreatedAt: task.At(s.now())}, key}
	err = host.Retry(ctx, func() error {
		ops, err := s.adding(ctx, caller.UserID, made)
		if err != nil {
			return err
		}
		return s.state.Commit(ctx, host.Tx{Ops: ops})
	})
	if err != nil {
		return Passkey{}, fmt.Errorf("add a passkey: %w", err)
	}
	return made.Passkey, nil
}

// adding returns the operations that add a passkey.
func (s *Store) adding(ctx context.Context, user string, p storedPasskey) ([]host.Op, error) {
	item, err := s.state.Get(ctx, passkeyKey(p.ID))
	if err != nil {
		return nil, fmt.Errorf("read passkey: %w", err)
	}
	if item.Exists() {
		return nil, ErrPasskeyTaken
	}
	list, etag, err := s.passkeys(ctx, user)
	if err != nil {
		return nil, err
	}
	if len(list) >= MaxPasskeys {
		return nil, ErrTooManyPasskeys
	}
	note, err := s.noting(ctx, user, accessPasskeyAdded, p.Name)
	return []host.Op{host.Create(passkeyKey(p.ID), encode(user)), put(passkeysKey(user), encode(append(list, p)), etag), note}, err
}

// BeginSignIn returns what to ask a browser for to sign somebody in by a passkey, and the secret of the attempt.
func (s *Store) BeginSignIn(ctx context.Context, site passkey.Site) (secret string, options json.RawMessage, err error) {
	var a passkeyAttempt
	a.Challenge, options = site.Request()
	secret, err = s.keepAttempt(ctx, passkeyAttempts, a)
	return secret, options, err
}

// SignInByPasskey signs in whose passkey has signed the attempt's challenge, and returns the secret of a new session. The
// second factor is not asked for: the authenticator has checked its user. [ErrNoAttempt], [ErrUnknownPasskey],
// [passkey.ErrRefused], [passkey.ErrCopied]; the last two are kept with the account.
func (s *Store) SignInByPasskey(ctx context.Context, site passkey.Site, secret string, response []byte, b Browser) (User, string, error) {
	var a passkeyAttempt
	err := s.takeAttempt(ctx, passkeyAttempts, secret, &a)
	if err == nil && a.Session != "" { // it was to add one
		err = ErrNoAttempt
	}
	if err != nil {
		return User{}, "", err
	}
	answer, err := passkey.Read(response)
	if err != nil {
		return User{}, "", err
	}
	var u User
	var session, owner string
	err = host.Retry(ctx, func() error {
		owner = ""
		if _, err := s.load(ctx, passkeyKey(digest(string(answer.KeyID))), &owner); err != nil {
			return err
		}
		if owner == "" {
			return ErrUnknownPasskey
		}
		open, err := s.openSessions(ctx, owner)
		if err != nil {
			return err
		}
		used, err := s.using(ctx, site, a.Challenge, answer, owner, &b)
		if err != nil {
			return err
		}
		u, session, err = s.enter(ctx, owner, b, open, used)
		if errors.Is(err, ErrNoUser) { // the account was deleted just now
			err = ErrUnknownPasskey
		}
		return err
	})
	if err != nil {
		s.passkeyFailed(ctx, owner, b, err)
		return User{}, "", fmt.Errorf("sign in by passkey: %w", err)
	}
	return u, session, nil
}

// using returns the operation that notes the use of the owner's passkey, where the answer is signed by it; b is told its name.
func (s *Store) using(ctx context.Context, site passkey.Site, challenge string, answer *passkey.Answer, owner string, b *Browser) (host.Op, error) {
	list, etag, err := s.passkeys(ctx, owner)
	if err != nil {
		return host.Op{}, err
	}
	i := passkeyAt(list, digest(string(answer.KeyID)))
	if i < 0 {
		return host.Op{}, ErrUnknownPasskey
	}
	p := &list[i]
	b.Means = p.Name
	if answer.Holder != owner {
		return host.Op{}, fmt.Errorf("%w: it is another user's", passkey.ErrRefused)
	}
	if p.Key, err = site.Verify(challenge, answer, p.Key); err != nil {
		return host.Op{}, err
	}
	now := task.At(s.now())
	p.LastUsedAt = &now
	return host.Replace(passkeysKey(owner), encode(list), etag), nil
}

// passkeyFailed keeps with the account that one of its passkeys has not signed in.
func (s *Store) passkeyFailed(ctx context.Context, owner string, b Browser, err error) {
	switch {
	case errors.Is(err, passkey.ErrCopied):
		s.noteFailure(ctx, owner, accessPasskeyCopied, b)
	case errors.Is(err, passkey.ErrRefused):
		s.noteFailure(ctx, owner, accessFailed, b)
	default:
		return
	}
	s.log.InfoContext(ctx, "passkey refused", "user_id", owner, "error", err)
}

func passkeyAt(list []storedPasskey, id string) int {
	return slices.IndexFunc(list, func(p storedPasskey) bool { return p.ID == id })
}

// RenamePasskey gives a passkey of the user's another name, which must be valid. [ErrNoPasskey].
func (s *Store) RenamePasskey(ctx context.Context, user, id, name string) (p Passkey, err error) {
	err = host.Retry(ctx, func() error {
		list, etag, err := s.passkeys(ctx, user)
		if err != nil {
			return err
		}
		i := passkeyAt(list, id)
		if i < 0 {
			return ErrNoPasskey
		}
		list[i].Name = name
		p = list[i].Passkey
		return s.state.Commit(ctx, host.Tx{Ops: []host.Op{host.Replace(passkeysKey(user), encode(list), etag)}})
	})
	if err != nil {
		return Passkey{}, fmt.Errorf("rename a passkey: %w", err)
	}
	return p, nil
}

// RemovePasskey removes a passkey of the user's; sessions stay. [ErrNoPasskey], [ErrLastWayIn].
func (s *Store) RemovePasskey(ctx context.Context, user, id string) error {
	err := host.Retry(ctx, func() error {
		list, etag, err := s.passkeys(ctx, user)
		if err != nil {
			return err
		}
		i := passkeyAt(list, id)
		if i < 0 {
			return ErrNoPasskey
		}
		gone := list[i]
		var ops []host.Op
		if gone.Works {
			if ops, err = s.stayingIn(ctx, user, working(list)-1, connectionsKey(user)); err != nil {
				return err
			}
		}
		note, err := s.noting(ctx, user, accessPasskeyRemoved, gone.Name)
		if err != nil {
			return err
		}
		list = slices.Delete(list, i, i+1)
		return s.state.Commit(ctx, host.Tx{Ops: append(ops, host.Delete(passkeyKey(id)), host.Replace(passkeysKey(user), encode(list), etag), note)})
	})
	if err != nil {
		return fmt.Errorf("remove a passkey: %w", err)
	}
	return nil
}

// RemovePasskeys removes all of a user who cannot do it any more; none is no error.
func (s *Store) RemovePasskeys(ctx context.Context, user string) error {
	err := host.Retry(ctx, func() error {
		list, etag, err := s.passkeys(ctx, user)
		if err != nil || len(list) == 0 {
			return err
		}
		ops := []host.Op{host.Remove(passkeysKey(user), etag)}
		for _, p := range list {
			ops = append(ops, host.Delete(passkeyKey(p.ID)))
		}
		note, err := s.noting(ctx, user, accessPasskeyRemoved, "")
		if err != nil {
			return err
		}
		return s.state.Commit(ctx, host.Tx{Ops: append(ops, note)})
	})
	if err != nil {
		return fmt.Errorf("remove passkeys: %w", err)
	}
	return nil
}
