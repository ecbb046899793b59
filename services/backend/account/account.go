// Package account keeps who uses docket and how they prove it: users, API tokens, browser sessions, one-time
// sign-in codes, the keys that sign identities, and the exchange of a credential for an identity.
//
// Keys in the backend's state, all written here and nowhere else:
//
//	user/<id>            a user
//	user-name/<hash>     the id of the user of that name (case-folded, hashed): names are unique
//	access/<user>        who got in, failed to, or changed what lets one in, ≤ 100
//	first-user           the id of the user made at the first start
//	token/<hash>         an API token's owner, scope and last use
//	tokens/<user>        the user's API tokens, ≤ 100
//	password/<user>      the hash of a password
//	second-factor/<user> an authenticator (TOTP), with its secret and the hashes of recovery codes
//	session/<hash>       a browser session
//	sessions/<user>      the ids of the user's sessions, ≤ 100
//	sign-in-code/<hash>  a one-time sign-in code
//	password-reset/<hash>  a one-time code to set a new password
//	address/<hash>       the ids of the users who have that e-mail address, ≤ 10
//	reset-letters/<hash>  the letters with such codes that went to an address within the hour
//	invitation/<hash>    an invitation to make an account
//	invitations          the ids of the open invitations, ≤ 100
//	connection/<hash>    the user that a person at an OpenID provider is; the hash is of issuer and subject
//	connections/<user>   the user's connections, ≤ 10
//	verified-email/<hash>  the user whose address that is, as a provider has verified
//	openid-attempt/<hash>  somebody who was sent to a provider, for as long as they may come back
//	passkey/<hash>       the user whose passkey that is; the hash is of its credential id
//	passkeys/<user>      the user's passkeys, with their public keys and counters, ≤ 20
//	passkey-attempt/<hash> somebody who was asked for a passkey, for as long as they may take
//	signing-key          the key that signs identities, where Secrets holds none
//
// Tokens, session cookies, codes and invitations are 256 random bits each and stored as their SHA-256 only: who reads the
// state cannot sign in with what is found there. A credential is revoked by deleting its row.
// Passwords are hashed with argon2id; of a passkey the public key is kept.
//
// [Task]: T021, T026
package account

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/services/backend/openid"
)

// Limits and lifetimes.
const (
	// MaxTokens is how many API tokens a user may have.
	MaxTokens = 100
	// CodeLife is how long a code to sign in, or to set a new password, can be redeemed.
	CodeLife = time.Hour
	// SessionLife is how long a session lasts after it was last used.
	SessionLife = 30 * 24 * time.Hour
	// touchEvery is how coarse "last used" is: one write in this time at most.
	touchEvery = time.Hour
)

var (
	// ErrNoUser means that there is no user of that id.
	ErrNoUser = errors.New("no such user")
	// ErrNoIdentity means that a request carries no credential, or one that is unknown, revoked or expired.
	ErrNoIdentity = errors.New("no valid credential")
	// ErrBadCode means that a sign-in code is unknown, used or expired.
	ErrBadCode = errors.New("the sign-in code is unknown, was used or has expired")
	// ErrNoToken means that the user has no token of that id.
	ErrNoToken = errors.New("no such token")
	// ErrTooManyTokens means that the user has [MaxTokens] already.
	ErrTooManyTokens = errors.New("too many tokens")
	// ErrNameTaken means that another user has that name.
	ErrNameTaken = errors.New("another user has that name")
	// ErrStale means that the user is not at the version the change was made for.
	ErrStale = errors.New("the user has changed since")
)

// Store keeps users and their credentials in the service's state. It may be used concurrently and by several
// replicas at once.
type Store struct {
	state   host.State
	secrets host.Secrets
	now     func() time.Time
	log     *slog.Logger
	signUp  SignUp
	// post sends a letter; nil where there is no mail server. publicURL is where browsers reach docket.
	post      func(context.Context, Letter) error
	publicURL string
	lists     Lists
	// providers are in the order in which pages show them.
	providers []*openid.Provider

	users  *edge.Cache[string, cached]
	hasher *hasher

	// touching holds the credentials whose last use is being written, so that a burst writes once.
	touching   sync.Map
	background sync.WaitGroup

	mu       sync.Mutex
	draining bool
	signer   *edge.Issuer
	signOut  []func(sessionID string)
}

// Config is what a store is told. Now and Logger are required.
type Config struct {
	Now    func() time.Time
	Logger *slog.Logger
	// SignUp says who may make an account; empty is [SignUpClosed].
	SignUp SignUp
	// Providers are those by which one signs in besides.
	Providers []*openid.Provider
	// Post sends a letter; nil where there is no mail server. An error means that it may not have gone, [ErrLetterRefused]
	// that it never will.
	Post func(context.Context, Letter) error
	// PublicURL is where browsers reach docket, without a slash at the end; empty where that is not known:
	// passkeys are for this machine then.
	PublicURL string
	// Lists are the users' lists; nil where there are none.
	Lists Lists
}

// Lists makes operations on the heads of users' lists, for the transactions that change what a head says of its list's owner.
type Lists interface {
	// Adopt returns the operation by which u's list goes by u's time zone and reminders from now on.
	Adopt(ctx context.Context, u User) (host.Op, error)
	// End returns the operation after which nothing of the user's list can be changed.
	End(ctx context.Context, userID string) (host.Op, error)
}

// New returns a store on state. The signing keys are read from secrets, or made in state, when first needed.
func New(cfg Config, state host.State, secrets host.Secrets) *Store {
	return &Store{
		state: state, secrets: secrets, now: cfg.Now, log: cfg.Logger, signUp: cmp.Or(cfg.SignUp, SignUpClosed), providers: cfg.Providers,
		post: cfg.Post, publicURL: cfg.PublicURL, lists: cfg.Lists,
		users: edge.NewCache[string, cached](maxCached), hasher: newHasher(),
	}
}

// OnSignOut calls fn with the id of each session that signs out, and of each API token that is deleted, on this
// replica (edge.Principal.Session). fn must not block.
func (s *Store) OnSignOut(fn func(sessionID string)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.signOut = append(s.signOut, fn)
}

// signedOut tells those who asked by [Store.OnSignOut].
func (s *Store) signedOut(sessionID string) {
	s.mu.Lock()
	fns := s.signOut
	s.mu.Unlock()
	for _, fn := range fns {
		fn(sessionID)
	}
}

// Drain waits until the last uses noted in the background are written, or ctx ends. From then on none is noted.
func (s *Store) Drain(ctx context.Context) {
	s.mu.Lock()
	s.draining = true
	s.mu.Unlock()
	done := make(chan struct{})
	go func() {
		s.background.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
}

// newSecret returns prefix and 256 random bits as base64url, 43 characters.
func newSecret(prefix string) string {
	var b [32]byte
	rand.Read(b[:]) // never fails (crypto/rand since Go 1.24)
	return prefix + base64.RawURLEncoding.EncodeToString(b[:])
}

// hash is the form in which a secret is kept and looked up.
func hash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// encode marshals a row; every type stored here can be.
func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("account: encode %T: %v", v, err))
	}
	return b
}

// load reads the row at key into v and returns its ETag, empty where there is none.
func (s *Store) load(ctx context.Context, key string, v any) (etag string, err error) {
	item, err := s.state.Get(ctx, key)
	if err != nil {
		return "", fmt.Errorf("read %s: %w", kind(key), err)
	}
	return item.ETag, decode(item, v)
}

// decode unmarshals item into v, which stays as it is where the item does not exist.
func decode(item host.Item, v any) error {
	if !item.Exists() {
		return nil
	}
	if err := json.Unmarshal(item.Value, v); err != nil {
		return fmt.Errorf("decode %s: %w", kind(item.Key), err)
	}
	return nil
}

// kind is the part of a key that may appear in an error or a log: not the hash of a credential.
func kind(key string) string {
	for i := range key {
		if key[i] == '/' {
			return key[:i]
		}
	}
	return key
}
