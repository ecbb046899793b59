package account

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/services/backend/openid"
	"github.com/docket-tasks/docket/task"
)

// MaxConnections is how many persons at OpenID providers a user may be.
const MaxConnections = 10

var (
	// ErrNoAccount means that no user is the person at the provider, and that none is made here without an invitation.
	ErrNoAccount = errors.New("no account is connected")
	// ErrConnectFirst means that the person's address is a user's, whose account must be connected from within.
	ErrConnectFirst = errors.New("the address is a user's already")
	// ErrConnectionTaken means that the person at the provider is another user.
	ErrConnectionTaken = errors.New("connected to another user")
	// ErrTooManyConnections means that the user has [MaxConnections].
	ErrTooManyConnections = errors.New("too many connections")
	// ErrNoConnection means that the user has no connection of that id.
	ErrNoConnection = errors.New("no such connection")
	// ErrLastWayIn means that the user could not get in without the connection.
	ErrLastWayIn = errors.New("the only way in")
)

// Connection tells that a user is a person at an OpenID provider, who may sign in as that user.
type Connection struct {
	// ID is the hash of issuer and subject.
	ID          string    `json:"id"`
	Provider    string    `json:"provider" doc:"The provider's id among the server's settings, where it may be missing by now"`
	Name        string    `json:"name" doc:"The provider's name"`
	Email       string    `json:"email" doc:"The address that the provider has verified; empty: none"`
	ConnectedAt task.Time `json:"connected_at" format:"date-time"`
}

func connectionKey(id string) string    { return "connection/" + id }
func connectionsKey(user string) string { return "connections/" + user }

// verifiedKey is that of an address which a provider has verified, upper and lower case being the same.
func verifiedKey(email string) string { return "verified-email/" + digest(fold(email)) }

// connectionID is that of the person: it has to be the same for ever, and no other's.
func connectionID(p openid.Person) string { return digest(p.Issuer + "\x00" + p.Subject) }

func digest(v string) string {
	sum := sha256.Sum256([]byte(v))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// Connections returns the user's, oldest first.
func (s *Store) Connections(ctx context.Context, user string) ([]Connection, error) {
	list, _, err := s.connections(ctx, user)
	return list, err
}

func (s *Store) connections(ctx context.Context, user string) (list []Connection, etag string, err error) {
	list = []Connection{}
	etag, err = s.load(ctx, connectionsKey(user), &list)
	return list, etag, err
}

// connecting returns the operations that connect the user with the person: to be committed with what else that does.
// [ErrConnectionTaken], [ErrTooManyConnections]; none where they are connected already.
func (s *Store) connecting(ctx context.Context, user string, p *openid.Provider, who openid.Person) ([]host.Op, error) {
	id := connectionID(who)
	var owner string
	taken, err := s.load(ctx, connectionKey(id), &owner)
	if err != nil || owner == user {
		return nil, err
	}
	if taken != "" {
		return nil, ErrConnectionTaken
	}
	list, etag, err := s.connections(ctx, user)
	if err != nil {
		return nil, err
	}
	if len(list) >= MaxConnections {
		return nil, ErrTooManyConnections
	}
	list = append(list, Connection{ID: id, Provider: p.ID, Name: p.Name, Email: who.Email, ConnectedAt: task.At(s.now())})
	ops := []host.Op{host.Create(connectionKey(id), encode(user)), put(connectionsKey(user), encode(list), etag)}
	if who.Email == "" {
		return ops, nil
	}
	known, err := s.load(ctx, verifiedKey(who.Email), &owner)
	if err == nil && known == "" { // whoever was first stays it
		ops = append(ops, host.Create(verifiedKey(who.Email), encode(user)))
	}
	return ops, err
}

// Connect lets the person at the provider in as the user from now on. Errors as connecting has.
func (s *Store) Connect(ctx context.Context, user string, p *openid.Provider, who openid.Person) error {
	err := host.Retry(ctx, func() error {
		ops, err := s.connecting(ctx, user, p, who)
		if err != nil || ops == nil {
			return err
		}
		note, err := s.noting(ctx, user, accessConnected, p.Name)
		if err != nil {
			return err
		}
		return s.state.Commit(ctx, host.Tx{Ops: append(ops, note)})
	})
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	return nil
}

// Disconnect removes a connection of the user. [ErrNoConnection]; [ErrLastWayIn] where there is neither a password nor
// another one of a provider that is in the settings, nor a passkey that works.
func (s *Store) Disconnect(ctx context.Context, user, id string) error {
	err := host.Retry(ctx, func() error {
		list, etag, err := s.connections(ctx, user)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(list, func(c Connection) bool { return c.ID == id })
		if i < 0 {
			return ErrNoConnection
		}
		gone, rest := list[i], slices.Delete(slices.Clone(list), i, i+1)
		left := slices.DeleteFunc(slices.Clone(rest), func(c Connection) bool { return !s.connects(c.Provider) })
		var ops []host.Op
		if s.connects(gone.Provider) {
			if ops, err = s.stayingIn(ctx, user, len(left), passkeysKey(user)); err != nil {
				return err
			}
		}
		ops = append(ops, host.Delete(connectionKey(id)), host.Replace(connectionsKey(user), encode(rest), etag))
		forget, err := s.forgetting(ctx, user, gone.Email, rest)
		if err != nil {
			return err
		}
		note, err := s.noting(ctx, user, accessDisconnected, gone.Name)
		if err != nil {
			return err
		}
		return s.state.Commit(ctx, host.Tx{Ops: slices.Concat(ops, forget, []host.Op{note})})
	})
	if err != nil {
		return fmt.Errorf("disconnect: %w", err)
	}
	return nil
}

// connects tells whether one can sign in by a provider: the settings may have it no more.
func (s *Store) connects(provider string) bool {
	_, err := s.provider(provider)
	return err == nil
}

// stayingIn returns the operations by which a user who gives up a way in keeps another: none where as many of its kind are left,
// or there is a password, which nobody takes away. Else it is what the list at others has, which must not be given up at the
// same moment. [ErrLastWayIn].
func (s *Store) stayingIn(ctx context.Context, user string, left int, others string) ([]host.Op, error) {
	items, err := s.state.GetBulk(ctx, []string{passwordKey(user), others})
	if err != nil {
		return nil, fmt.Errorf("read ways in: %w", err)
	}
	if left > 0 || items[0].Exists() {
		return nil, nil
	}
	type way struct {
		Host     string `json:"host"`     // of a passkey
		Provider string `json:"provider"` // of a connection
	}
	var ways []way
	if err := decode(items[1], &ways); err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(ways, func(w way) bool { return s.connects(w.Provider) || s.worksAt(w.Host) }) {
		return nil, ErrLastWayIn
	}
	return []host.Op{host.Replace(others, items[1].Value, items[1].ETag)}, nil
}

// forgetting returns the operation that forgets that an address is the user's, unless one of rest has verified it too.
func (s *Store) forgetting(ctx context.Context, user, email string, rest []Connection) ([]host.Op, error) {
	if email == "" || slices.ContainsFunc(rest, func(c Connection) bool { return fold(c.Email) == fold(email) }) {
		return nil, nil
	}
	var owner string
	etag, err := s.load(ctx, verifiedKey(email), &owner)
	if err != nil || owner != user {
		return nil, err
	}
	return []host.Op{host.Remove(verifiedKey(email), etag)}, nil
}

// SignInAs signs the person at the provider in: as the user who is connected; as the one whose address it is, where the
// provider's word is taken for that; or as a new user, where signing up is open or with an invitation, an id.
// [ErrNoAccount], [ErrConnectFirst], [ErrBadInvitation].
func (s *Store) SignInAs(ctx context.Context, p *openid.Provider, who openid.Person, invitation string, b Browser) (User, string, error) {
	var u User
	var session string
	err := host.Retry(ctx, func() error {
		id, err := s.whose(ctx, p, who)
		if err != nil {
			return err
		}
		if id == "" {
			u, session, err = s.join(ctx, p, who, invitation, b)
			return err
		}
		open, err := s.openSessions(ctx, id)
		if err != nil {
			return err
		}
		u, session, err = s.enter(ctx, id, b, open)
		if errors.Is(err, ErrNoUser) { // the account was deleted just now
			err = ErrNoAccount
		}
		return err
	})
	if err != nil {
		return User{}, "", fmt.Errorf("sign in by %s: %w", p.ID, err)
	}
	return u, session, nil
}

// whose returns the id of the user that the person is, empty for none. One whose address it is gets connected by that.
func (s *Store) whose(ctx context.Context, p *openid.Provider, who openid.Person) (user string, err error) {
	if _, err := s.load(ctx, connectionKey(connectionID(who)), &user); err != nil || user != "" || who.Email == "" {
		return user, err
	}
	if _, err := s.load(ctx, verifiedKey(who.Email), &user); err != nil || user == "" {
		return "", err
	}
	factor, _, err := s.factor(ctx, user)
	if err != nil {
		return "", err
	}
	if !p.LinkByEmail || factor.enabled() { // a second factor would be got around
		return "", ErrConnectFirst
	}
	return user, s.Connect(ctx, user, p, who)
}

// join makes an account for the person.
func (s *Store) join(ctx context.Context, p *openid.Provider, who openid.Person, invitation string, b Browser) (User, string, error) {
	if s.signUp == SignUpClosed || s.signUp == SignUpInvitation && invitation == "" {
		return User{}, "", ErrNoAccount
	}
	if s.signUp == SignUpOpen {
		invitation = ""
	}
	name, err := s.freeName(ctx, nameOf(who))
	if err != nil {
		return User{}, "", err
	}
	u, err := s.newUser(name)
	if err != nil {
		return User{}, "", err
	}
	if checkEmail(who.Email) == nil {
		u.Email = who.Email
	}
	if checkZone(b.TimeZone) == nil {
		u.TimeZone, u.ZoneChosen = b.TimeZone, true
	}
	ops, err := s.connecting(ctx, u.ID, p, who)
	if err != nil {
		return User{}, "", err
	}
	session, err := s.makeAccount(ctx, u, invitation, b, ops...)
	return u.User, session, err
}

// nameOf is what the person can be called here: what the provider says, as far as it is a name.
func nameOf(who openid.Person) string {
	local, _, _ := strings.Cut(who.Email, "@")
	for _, v := range []string{who.Name, local} {
		v = strings.TrimSpace(strings.Map(func(r rune) rune {
			if unicode.IsControl(r) || r == unicode.ReplacementChar {
				return -1
			}
			return r
		}, v))
		if runes := []rune(v); len(runes) > MaxName-4 { // room for a number
			v = strings.TrimSpace(string(runes[:MaxName-4]))
		}
		if v != "" {
			return v
		}
	}
	return "user"
}

// freeName is the name, with a number behind it where others have it.
func (s *Store) freeName(ctx context.Context, name string) (string, error) {
	const tries = 99
	for i := 1; i <= tries; i++ {
		candidate := name
		if i > 1 {
			candidate = fmt.Sprintf("%s %d", name, i)
		}
		err := s.nameFree(ctx, storedUser{User: User{Name: candidate}})
		if !errors.Is(err, ErrNameTaken) {
			return candidate, err
		}
	}
	return "", ErrNameTaken
}

// provider is the one of that id, or [ErrNoProvider].
func (s *Store) provider(id string) (*openid.Provider, error) {
	for _, p := range s.providers {
		if p.ID == id {
			return p, nil
		}
	}
	return nil, ErrNoProvider
}

func (s *Store) providerNames() []ProviderName {
	names := make([]ProviderName, 0, len(s.providers))
	for _, p := range s.providers {
		names = append(names, ProviderName{ID: p.ID, Name: cmp.Or(p.Name, p.ID)})
	}
	return names
}
