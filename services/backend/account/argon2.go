package account

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"github.com/docket-tasks/docket/edge"
)

// argon2Cost is what a hash costs to make, and so to guess (RFC 9106 section 3.1).
type argon2Cost struct {
	memory uint32 // KiB
	passes uint32
	lanes  uint8
}

// currentCost is that of new hashes: the least that OWASP's Password Storage Cheat Sheet asks of argon2id. It may be
// raised: older hashes say what they were made with, and are made anew when their owner next signs in.
var currentCost = argon2Cost{memory: 19 << 10, passes: 2, lanes: 1}

// maxCost bounds what is believed of a stored hash.
var maxCost = argon2Cost{memory: 256 << 10, passes: 16, lanes: 16}

const (
	saltBytes = 16
	hashBytes = 32
	// hashWait bounds how long a sign-in waits for others that are being hashed.
	hashWait = 5 * time.Second
)

// noHash is verified where there is none, so that the answer takes as long: it has the current cost and fits no
// password that anybody can find.
var noHash = phc(currentCost, make([]byte, saltBytes), make([]byte, hashBytes))

// hasher hashes passwords with argon2id. Each hash takes the memory of its cost, so only a few are made at once.
type hasher struct {
	free chan struct{}
	runs atomic.Int64 // how many hashes were computed
}

func newHasher() *hasher { return &hasher{free: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)))} }

// derive computes the key of password, or returns a 503 where too many others wait for theirs.
func (h *hasher) derive(ctx context.Context, password string, c argon2Cost, salt []byte, length int) ([]byte, error) {
	wait := time.NewTimer(hashWait)
	defer wait.Stop()
	select {
	case h.free <- struct{}{}:
	case <-wait.C:
		return nil, edge.NewProblem(http.StatusServiceUnavailable, "unavailable", "too many are signing in just now, try again").After(time.Second)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-h.free }()
	h.runs.Add(1)
	// The same letters typed on another keyboard may be composed otherwise.
	return argon2.IDKey(norm.NFC.Bytes([]byte(password)), salt, c.passes, c.memory, c.lanes, uint32(length)), nil
}

// hash returns a fresh hash of password, at the current cost, with all that is needed to verify it.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltBytes)
	rand.Read(salt) // never fails (crypto/rand since Go 1.24)
	key, err := h.derive(ctx, password, currentCost, salt, hashBytes)
	if err != nil {
		return "", err
	}
	return phc(currentCost, salt, key), nil
}

// verify tells whether stored is a hash of password, and whether it should be made anew since its cost is not the
// current one. An empty stored hash is of no password; to find that out takes as long.
func (h *hasher) verify(ctx context.Context, stored, password string) (ok, outdated bool, err error) {
	known := stored != ""
	if !known {
		stored = noHash
	}
	c, salt, want, err := parsePHC(stored)
	if err != nil {
		return false, false, err
	}
	got, err := h.derive(ctx, password, c, salt, len(want))
	if err != nil {
		return false, false, err
	}
	same := subtle.ConstantTimeCompare(got, want) == 1
	return same && known, c != currentCost, nil
}

// phc writes a hash in the PHC string format, as the reference implementation of Argon2 does.
func phc(c argon2Cost, salt, key []byte) string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, c.memory, c.passes, c.lanes, b64.EncodeToString(salt), b64.EncodeToString(key))
}

var errBadHash = errors.New("the stored hash of a password cannot be read")

// parsePHC reads what phc writes.
func parsePHC(s string) (c argon2Cost, salt, key []byte, err error) {
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return c, nil, nil, errBadHash
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &c.memory, &c.passes, &c.lanes); err != nil {
		return c, nil, nil, errBadHash
	}
	b64 := base64.RawStdEncoding.Strict()
	salt, saltErr := b64.DecodeString(parts[4])
	key, keyErr := b64.DecodeString(parts[5])
	if saltErr != nil || keyErr != nil || len(salt) < 8 || len(key) < 16 || len(key) > 64 || !c.sane() || phc(c, salt, key) != s {
		return c, nil, nil, errBadHash
	}
	return c, salt, key, nil
}

func (c argon2Cost) sane() bool {
	return c.passes >= 1 && c.passes <= maxCost.passes && c.lanes >= 1 && c.lanes <= maxCost.lanes &&
		c.memory >= 8*uint32(c.lanes) && c.memory <= maxCost.memory
}
