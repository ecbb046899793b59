package account

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/task"
)

// User is one person who uses docket, as the API shows it. Slices and pointers are shared: do not change them.
type User struct {
	ID    string `json:"id" format:"uuid" readOnly:"true"`
	Name  string `json:"name" minLength:"1" maxLength:"100" doc:"Unique on this server, upper and lower case being the same"`
	Email string `json:"email" doc:"Empty: none"`
	// TimeZone is an IANA name; floating and date-only due dates are read in it.
	TimeZone string `json:"time_zone" doc:"IANA time zone, such as Europe/Berlin"`
	Locale   string `json:"locale" doc:"BCP 47 language tag, such as en or pt-BR"`
	// ReminderMinutes is the default of new tasks: minutes before the due date, distinct, largest first.
	ReminderMinutes []int     `json:"reminder_minutes" nullable:"false" maxItems:"10" doc:"Default of new tasks: minutes before the due date"`
	Channels        Channels  `json:"channels"`
	Admin           bool      `json:"admin" readOnly:"true"`
	First           bool      `json:"first" readOnly:"true" doc:"Made at the first start, and stands for whoever runs the server: this account cannot be deleted"`
	CreatedAt       task.Time `json:"created_at" format:"date-time" readOnly:"true"`
	// Version grows by one at each change; it is the ETag.
	Version int64 `json:"version" readOnly:"true"`
}

// Channels says where reminders go besides the inbox and the browser.
type Channels struct {
	Email   bool     `json:"email" doc:"Send reminders to the e-mail address"`
	Push    bool     `json:"push" doc:"Send reminders to the browsers that have subscribed (PUT /api/push/subscriptions); false: to none of them"`
	Webhook *Webhook `json:"webhook" doc:"Post reminders to this address; null: do not"`
}

// Webhook is an address that reminders are posted to, signed as Standard Webhooks asks.
type Webhook struct {
	URL string `json:"url" format:"uri" maxLength:"2048"`
	// Secret is "whsec_" and base64 of 24 to 64 bytes.
	Secret string `json:"secret" doc:"whsec_ and base64 of 24 to 64 bytes; null makes a new one. Empty when read with a read-only token"`
}

// storedUser is the row at user/<id>.
type storedUser struct {
	User
	// ZoneChosen tells that somebody set the time zone, so that a sign-in does not.
	ZoneChosen bool `json:"time_zone_chosen"`
}

// Defaults of a new user.
const (
	defaultZone   = "UTC"
	defaultLocale = "en"
)

func defaultReminders() []int { return []int{30} }

// defaultChannels are those of a user who has set nothing. A browser that has subscribed wants its reminders.
func defaultChannels() Channels { return Channels{Push: true} }

var zones sync.Map // IANA name → *time.Location; only names that loaded, so it is bounded

// Zone is the user's time zone. One that this machine does not know counts as UTC.
func (u User) Zone() *time.Location {
	loc, err := zone(u.TimeZone)
	if err != nil {
		return time.UTC
	}
	return loc
}

func zone(name string) (*time.Location, error) {
	if loc, ok := zones.Load(name); ok {
		return loc.(*time.Location), nil
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("load time zone: %w", err)
	}
	zones.Store(name, loc)
	return loc, nil
}

// UserKey is the key of the user's row, for a caller that reads it in a bulk get of its own.
func UserKey(id string) string { return "user/" + id }

// nameKey is hashed because a name may hold what a key must not.
func nameKey(name string) string {
	sum := sha256.Sum256([]byte(fold(name)))
	return "user-name/" + base64.RawURLEncoding.EncodeToString(sum[:])
}

// fold is the form in which names are compared (Unicode default caseless matching, chapter 3.13 D145).
func fold(name string) string { return cases.Fold().String(norm.NFC.String(name)) }

// User returns the user, or ErrNoUser. A user already decoded at this ETag costs no more than the read.
func (s *Store) User(ctx context.Context, id string) (User, error) {
	u, _, err := s.loadUser(ctx, id)
	return u.User, err
}

// Decode turns an item read at [UserKey] into the user, or ErrNoUser where it does not exist.
func (s *Store) Decode(item host.Item) (User, error) {
	u, err := s.decodeUser(item)
	return u.User, err
}

func (s *Store) decodeUser(item host.Item) (storedUser, error) {
	if !item.Exists() {
		return storedUser{}, ErrNoUser
	}
	now := s.now()
	if c, ok := s.users.Get(item.Key, now); ok && c.etag == item.ETag {
		return c.user, nil
	}
	u := storedUser{User: User{Channels: defaultChannels()}} // what the row does not know of is at its default
	if err := json.Unmarshal(item.Value, &u); err != nil {
		return storedUser{}, fmt.Errorf("decode user: %w", err)
	}
	s.users.Put(item.Key, cached{item.ETag, u}, now.Add(cachedFor))
	return u, nil
}

func (s *Store) loadUser(ctx context.Context, id string) (storedUser, string, error) {
	item, err := s.state.Get(ctx, UserKey(id))
	if err != nil {
		return storedUser{}, "", fmt.Errorf("read user: %w", err)
	}
	u, err := s.decodeUser(item)
	return u, item.ETag, err
}

// newUser returns a user with the defaults and a fresh id.
func (s *Store) newUser(name string) (storedUser, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return storedUser{}, fmt.Errorf("make user id: %w", err)
	}
	return storedUser{User: User{
		ID: id.String(), Name: name, TimeZone: defaultZone, Locale: defaultLocale,
		ReminderMinutes: defaultReminders(), Channels: defaultChannels(), CreatedAt: task.At(s.now()), Version: 1,
	}}, nil
}

// createOps are the operations that make u, together with a first API token of it.
func (s *Store) createOps(u storedUser) (ops []host.Op, token string, err error) {
	scope := edge.ScopeWrite
	if u.Admin {
		scope = ScopeAdmin
	}
	t, token, err := s.newToken(TokenRequest{Name: "first token", Scope: scope})
	if err != nil {
		return nil, "", err
	}
	return []host.Op{
		host.Create(UserKey(u.ID), encode(u)),
		host.Create(nameKey(u.Name), encode(u.ID)),
		host.Create(tokenKey(t.Hash), encode(t.row(u.ID))),
		host.Create(tokensKey(u.ID), encode([]storedToken{t})),
	}, token, nil
}

// createUser makes u, whose fields must be valid, and returns its first API token. ErrNameTaken where another
// user has its name.
func (s *Store) createUser(ctx context.Context, u storedUser) (token string, err error) {
	ops, token, err := s.createOps(u)
	if err != nil {
		return "", err
	}
	err = host.Retry(ctx, func() error {
		if err := s.nameFree(ctx, u); err != nil {
			return err
		}
		found, err := s.addressing(ctx, u.ID, "", u.Email)
		if err != nil {
			return err
		}
		return s.state.Commit(ctx, host.Tx{Ops: slices.Concat(ops, found)})
	})
	if err != nil {
		return "", fmt.Errorf("create user: %w", err)
	}
	return token, nil
}

// firstUser is the id of the user made at the first start, empty before.
func (s *Store) firstUser(ctx context.Context) (id string, err error) {
	_, err = s.load(ctx, "first-user", &id)
	return id, err
}

// Bootstrap makes the first user, an administrator, unless there is one. However many processes start at
// once, one makes it; that one gets created = true and the user's API token, which is never shown again. An
// unknown or empty zone leaves UTC until the first sign-in brings the browser's.
func (s *Store) Bootstrap(ctx context.Context, name, zone string) (u User, token string, created bool, err error) {
	mine, err := s.newUser(name)
	if err != nil {
		return User{}, "", false, err
	}
	mine.Admin, mine.First = true, true
	if checkZone(zone) == nil {
		mine.TimeZone, mine.ZoneChosen = zone, true
	}
	if err := checkName(name); err != nil {
		return User{}, "", false, fmt.Errorf("name of the first user: %w", err)
	}
	ops, token, err := s.createOps(mine)
	if err != nil {
		return User{}, "", false, err
	}
	ops = append(ops, host.Create("first-user", encode(mine.ID)))
	err = host.Retry(ctx, func() error {
		first, err := s.firstUser(ctx)
		if err != nil {
			return err
		}
		switch first {
		case "":
			err := s.state.Commit(ctx, host.Tx{Ops: ops})
			if errors.Is(err, host.ErrUnknown) {
				err = host.ErrConflict // look again: whether first-user is ours tells
			}
			created = err == nil
			return err
		case mine.ID: // an attempt whose outcome was unknown did happen
			created = true
			return nil
		}
		mine.User, err = s.User(ctx, first)
		if err == nil && !mine.First { // from before users knew
			mine.User, err = s.updateUser(ctx, first, "", func(u *storedUser) error {
				u.First = true
				return nil
			})
		}
		return err
	})
	if err != nil {
		return User{}, "", false, fmt.Errorf("create the first user: %w", err)
	}
	if !created {
		token = ""
	}
	return mine.User, token, created, nil
}

// change is what a write turns a user into; it returns an invalid, or nil.
type change func(u *storedUser) error

// updateUser applies do and stores the result, again where somebody else was faster. ErrStale where the user is
// at a version that ifMatch, the header, refuses. A change of the time zone carries the job that computes the
// reminders anew. A change that changes nothing writes nothing. ErrNameTaken where another user has the name.
func (s *Store) updateUser(ctx context.Context, id string, ifMatch string, do change) (User, error) {
	var u storedUser
	err := host.Retry(ctx, func() error {
		old, etag, err := s.loadUser(ctx, id)
		if err != nil {
			return err
		}
		if !edge.IfMatch(ifMatch, old.Version) {
			return ErrStale
		}
		u = old
		if err := do(&u); err != nil {
			return err
		}
		tx, changed, err := s.userTx(ctx, old, etag, &u)
		if err != nil || !changed {
			return err
		}
		found, err := s.addressing(ctx, id, old.Email, u.Email)
		if err != nil {
			return err
		}
		tx.Ops = append(tx.Ops, found...)
		err = s.state.Commit(ctx, tx)
		if errors.Is(err, host.ErrConflict) {
			if taken := s.nameFree(ctx, u); taken != nil {
				return taken
			}
		}
		return err
	})
	if err != nil {
		return User{}, fmt.Errorf("change user: %w", err)
	}
	return u.User, nil
}

// userTx is the transaction that replaces old by u, whose version it sets; false where they do not differ.
func (s *Store) userTx(ctx context.Context, old storedUser, etag string, u *storedUser) (tx host.Tx, changed bool, err error) {
	if string(encode(old)) == string(encode(u)) {
		return tx, false, nil
	}
	u.Version = old.Version + 1
	tx = host.Tx{Ops: []host.Op{host.Replace(UserKey(u.ID), encode(u), etag)}}
	if before, after := nameKey(old.Name), nameKey(u.Name); before != after {
		tx.Ops = append(tx.Ops, host.Delete(before), host.Create(after, encode(u.ID)))
	}
	if u.TimeZone != old.TimeZone {
		tx.Jobs = append(tx.Jobs, zoneJob(old.User, u.User, s.now()))
	}
	if s.lists != nil && (u.TimeZone != old.TimeZone || !slices.Equal(u.ReminderMinutes, old.ReminderMinutes)) {
		adopted, err := s.lists.Adopt(ctx, u.User)
		if err != nil {
			return tx, false, err
		}
		tx.Ops = append(tx.Ops, adopted)
	}
	return tx, true, nil
}

// nameFree returns ErrNameTaken where another user than u has u's name.
func (s *Store) nameFree(ctx context.Context, u storedUser) error {
	var owner string
	if _, err := s.load(ctx, nameKey(u.Name), &owner); err != nil {
		return err
	}
	if owner != "" && owner != u.ID {
		return ErrNameTaken
	}
	return nil
}

// ZoneChange is the data of the job named zone-<user>-<version>: the user's time zone changed at that version.
type ZoneChange struct {
	UserID  string `json:"user_id"`
	Version int64  `json:"version"`
	// From is the zone before the change, and At when it was made.
	From string    `json:"from"`
	At   time.Time `json:"at"`
}

// zoneJob is for the tasks that the list has by then: later changes of it know of the new zone.
func zoneJob(old, u User, now time.Time) host.JobIntent {
	data := encode(ZoneChange{UserID: u.ID, Version: u.Version, From: old.TimeZone, At: now})
	return host.Schedule(fmt.Sprintf("zone-%s-%d", u.ID, u.Version), now, data)
}

// cached is a user decoded at an ETag; it counts only at that one, so it is never stale.
type cached struct {
	etag string
	user storedUser
}

// maxCached bounds how many users are kept decoded; cachedFor is how long.
const (
	maxCached = 10_000
	cachedFor = time.Hour
)
