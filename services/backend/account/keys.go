package account

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/host"
)

// signingKey names the secret, and the row where there is no such secret. The secret holds one or two keys, each
// a PKCS#8 PEM block of an Ed25519 key (RFC 8410) or a base64 seed of 32 bytes. The first signs, both verify.
const signingKey = "signing-key"

// keyRow is the row at signing-key.
type keyRow struct {
	Seed []byte `json:"seed"`
}

// issuer returns the issuer of identities. Its keys are read once per process: a rotation is a restart.
func (s *Store) issuer(ctx context.Context) (*edge.Issuer, error) {
	s.mu.Lock()
	known := s.signer
	s.mu.Unlock()
	if known != nil {
		return known, nil
	}
	keys, err := s.signingKeys(ctx)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.signer == nil { // two that read at once have read the same
		s.signer = edge.NewIssuer(keys, s.now)
	}
	return s.signer, nil
}

func (s *Store) signingKeys(ctx context.Context) ([]edge.SigningKey, error) {
	secret, err := s.secrets.Get(ctx, signingKey)
	if errors.Is(err, host.ErrNoSecret) {
		seed, err := s.storedSeed(ctx)
		if err != nil {
			return nil, err
		}
		return []edge.SigningKey{newSigningKey(ed25519.NewKeyFromSeed(seed))}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read secret %s: %w", signingKey, err)
	}
	keys, err := parseSigningKeys(secret)
	if err != nil {
		return nil, fmt.Errorf("secret %s: %w", signingKey, err)
	}
	return keys, nil
}

// storedSeed returns the seed kept in state. The first to ask makes it; who loses that race reads the winner's.
func (s *Store) storedSeed(ctx context.Context) ([]byte, error) {
	var row keyRow
	fresh := make([]byte, ed25519.SeedSize)
	rand.Read(fresh) // never fails (crypto/rand since Go 1.24)
	err := host.Retry(ctx, func() error {
		etag, err := s.load(ctx, signingKey, &row)
		if err != nil || etag != "" {
			return err
		}
		row.Seed = fresh
		return s.state.Commit(ctx, host.Tx{Ops: []host.Op{host.Create(signingKey, encode(row))}})
	})
	if err != nil {
		return nil, fmt.Errorf("make %s: %w", signingKey, err)
	}
	if len(row.Seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("the stored %s is not a seed of %d bytes", signingKey, ed25519.SeedSize)
	}
	return row.Seed, nil
}

// newSigningKey names the key after its public half.
func newSigningKey(private ed25519.PrivateKey) edge.SigningKey {
	sum := sha256.Sum256(private.Public().(ed25519.PublicKey))
	return edge.SigningKey{KID: base64.RawURLEncoding.EncodeToString(sum[:12]), Private: private}
}

// parseSigningKeys reads the secret. Its errors do not repeat it.
func parseSigningKeys(secret string) ([]edge.SigningKey, error) {
	parse := parseSeeds
	if strings.Contains(secret, "-----BEGIN") {
		parse = parsePEM
	}
	private, err := parse(secret)
	if err != nil {
		return nil, err
	}
	if len(private) < 1 || len(private) > 2 {
		return nil, fmt.Errorf("holds %d keys, not one or two", len(private))
	}
	keys := make([]edge.SigningKey, len(private))
	for i, p := range private {
		keys[i] = newSigningKey(p)
	}
	return keys, nil
}

func parsePEM(secret string) ([]ed25519.PrivateKey, error) {
	var keys []ed25519.PrivateKey
	rest := []byte(secret)
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		key, ok := parsed.(ed25519.PrivateKey)
		if err != nil || !ok {
			return nil, fmt.Errorf("PEM block %d is not a PKCS#8 Ed25519 key", len(keys)+1)
		}
		keys = append(keys, key)
	}
	if strings.TrimSpace(string(rest)) != "" {
		return nil, fmt.Errorf("something after PEM block %d is not one", len(keys))
	}
	return keys, nil
}

func parseSeeds(secret string) ([]ed25519.PrivateKey, error) {
	var keys []ed25519.PrivateKey
	for i, word := range strings.Fields(secret) {
		seed, err := base64.StdEncoding.DecodeString(word)
		if err != nil {
			seed, err = base64.RawURLEncoding.DecodeString(word)
		}
		if err != nil || len(seed) != ed25519.SeedSize {
			return nil, fmt.Errorf("key %d is not a base64 seed of %d bytes", i+1, ed25519.SeedSize)
		}
		keys = append(keys, ed25519.NewKeyFromSeed(seed))
	}
	return keys, nil
}
