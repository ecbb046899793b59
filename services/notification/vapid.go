package notification

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/docket-tasks/docket/host"
)

// vapidKey names the secret, and the row where there is no such secret. The secret is a private key of P-256 as tools for
// Web Push write it: base64url of 32 bytes. Browsers subscribe to its public half, so it must not change: with another
// key every browser has to subscribe anew.
const vapidKey = "vapid-private-key"

// vapidPair is the key that tells push services who sends (RFC 8292), as base64url without padding.
type vapidPair struct {
	private string
	// public is the uncompressed point, 65 bytes.
	public string
}

// vapidKeys gives the key out. It is read once per process: another secret is a restart.
type vapidKeys struct {
	state   host.State
	secrets host.Secrets

	mu    sync.Mutex
	known *vapidPair
}

// get returns the key. Where Secrets has none and nobody has needed it yet, it is made.
func (k *vapidKeys) get(ctx context.Context) (vapidPair, error) {
	k.mu.Lock()
	known := k.known
	k.mu.Unlock()
	if known != nil {
		return *known, nil
	}
	private, err := k.private(ctx)
	if err != nil {
		return vapidPair{}, err
	}
	encode := base64.RawURLEncoding.EncodeToString
	pair := vapidPair{encode(private.Bytes()), encode(private.PublicKey().Bytes())}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.known = &pair // two that read at once have read the same
	return pair, nil
}

func (k *vapidKeys) private(ctx context.Context) (*ecdh.PrivateKey, error) {
	secret, err := k.secrets.Get(ctx, vapidKey)
	if errors.Is(err, host.ErrNoSecret) {
		return k.stored(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("read secret %s: %w", vapidKey, err)
	}
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(strings.TrimSpace(secret), "="))
	if err != nil {
		return nil, fmt.Errorf("secret %s: is not base64url", vapidKey)
	}
	private, err := ecdh.P256().NewPrivateKey(raw)
	if err != nil {
		return nil, fmt.Errorf("secret %s: is no private key of P-256, 32 bytes", vapidKey)
	}
	return private, nil
}

// vapidRow is the row at vapid-private-key.
type vapidRow struct {
	Private []byte `json:"private"`
}

// stored returns the key kept in state. The first to ask makes it; who loses that race reads the winner's.
func (k *vapidKeys) stored(ctx context.Context) (*ecdh.PrivateKey, error) {
	fresh, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make %s: %w", vapidKey, err)
	}
	var row vapidRow
	err = host.Retry(ctx, func() error {
		item, err := k.state.Get(ctx, vapidKey)
		if err != nil || item.Exists() {
			return errors.Join(err, decode(item, &row))
		}
		row.Private = fresh.Bytes()
		return k.state.Commit(ctx, host.Tx{Ops: []host.Op{host.Create(vapidKey, encode(row))}})
	})
	if err != nil {
		return nil, fmt.Errorf("make %s: %w", vapidKey, err)
	}
	private, err := ecdh.P256().NewPrivateKey(row.Private)
	if err != nil {
		return nil, fmt.Errorf("the stored %s is no private key of P-256", vapidKey)
	}
	return private, nil
}
