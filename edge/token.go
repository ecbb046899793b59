package edge

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	// tokenLife is how long an issued JWT is valid.
	tokenLife = time.Minute
	// clockSkew is how far two machines' clocks may be apart: half a minute, and what a request takes.
	clockSkew = 35 * time.Second
	issuer    = "docket"
)

// SigningKey is a private key with the id that tokens name it by.
type SigningKey struct {
	KID     string
	Private ed25519.PrivateKey
}

// PublicKey is one key of a JSON Web Key Set (RFC 7517, RFC 8037 section 2).
type PublicKey struct {
	Type      string `json:"kty"`
	Curve     string `json:"crv"`
	Use       string `json:"use"`
	Algorithm string `json:"alg"`
	KID       string `json:"kid"`
	X         string `json:"x"`
}

// PublicKeys is the JSON document at backend's GET /internal/keys: a JSON Web Key Set of Ed25519 keys.
type PublicKeys struct {
	Keys []PublicKey `json:"keys"`
}

// byKID decodes the keys; those of another kind are left out (RFC 7517 section 5).
func (p PublicKeys) byKID() (map[string]ed25519.PublicKey, error) {
	keys := make(map[string]ed25519.PublicKey, len(p.Keys))
	for _, k := range p.Keys {
		if k.Type != "OKP" || k.Curve != "Ed25519" {
			continue
		}
		x, err := base64.RawURLEncoding.DecodeString(k.X)
		if err != nil || len(x) != ed25519.PublicKeySize {
			return nil, fmt.Errorf("key %q: x is not an Ed25519 public key", k.KID)
		}
		keys[k.KID] = x
	}
	return keys, nil
}

// claims are what a token says.
type claims struct {
	jwt.RegisteredClaims
	Actor   Actor  `json:"actor"`
	Admin   bool   `json:"admin,omitempty"`
	Scope   string `json:"scope"`
	Session string `json:"sid"`
}

func (c *claims) principal() Principal {
	return Principal{UserID: c.Subject, Actor: c.Actor, Admin: c.Admin, Scope: c.Scope, Session: c.Session}
}

// Issuer signs identities. To rotate keys without refusing anybody, publish the new key as the second for ten
// minutes, then put it first, and drop the old one a minute later.
type Issuer struct {
	keys []SigningKey
	now  func() time.Time
}

// NewIssuer returns an issuer that signs with the first of keys and publishes them all.
func NewIssuer(keys []SigningKey, now func() time.Time) *Issuer {
	return &Issuer{keys: keys, now: now}
}

// Issue returns a signed JWT (RFC 7519, EdDSA of RFC 8037) for p and the time it expires, one minute from now.
// It fails where p is incomplete or there is no usable key.
func (i *Issuer) Issue(p Principal) (token string, expires time.Time, err error) {
	if len(i.keys) == 0 || len(i.keys[0].Private) != ed25519.PrivateKeySize {
		return "", time.Time{}, errors.New("issue token: no usable signing key")
	}
	if p.UserID == "" || p.Scope != ScopeRead && p.Scope != ScopeWrite {
		return "", time.Time{}, errors.New("issue token: a principal needs a user id and a scope, read or write")
	}
	now := i.now()
	expires = now.Add(tokenLife).Truncate(time.Second)
	t := jwt.NewWithClaims(jwt.SigningMethodEdDSA, &claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: issuer, Audience: jwt.ClaimStrings{issuer}, Subject: p.UserID,
			IssuedAt: jwt.NewNumericDate(now), NotBefore: jwt.NewNumericDate(now.Add(-clockSkew)), ExpiresAt: jwt.NewNumericDate(expires),
		},
		Actor: p.Actor, Admin: p.Admin, Scope: p.Scope, Session: p.Session,
	})
	t.Header["kid"] = i.keys[0].KID
	token, err = t.SignedString(i.keys[0].Private)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("issue token: %w", err)
	}
	return token, expires, nil
}

// PublicKeys returns the public halves of the keys.
func (i *Issuer) PublicKeys() PublicKeys {
	doc := PublicKeys{Keys: make([]PublicKey, 0, len(i.keys))}
	for _, k := range i.keys {
		if len(k.Private) != ed25519.PrivateKeySize {
			continue
		}
		x := k.Private[ed25519.PrivateKeySize-ed25519.PublicKeySize:]
		doc.Keys = append(doc.Keys, PublicKey{
			Type: "OKP", Curve: "Ed25519", Use: "sig", Algorithm: "EdDSA",
			KID: k.KID, X: base64.RawURLEncoding.EncodeToString(x),
		})
	}
	return doc
}

// IdentityRequest is the body of POST /internal/identity at backend: an API token or a session's cookie value.
type IdentityRequest struct {
	Token   string `json:"token,omitempty"`
	Session string `json:"session,omitempty"`
}

// IdentityAnswer is its answer; a credential that is not (or no longer) valid is answered with 401.
type IdentityAnswer struct {
	JWT     string    `json:"jwt"`
	Expires time.Time `json:"expires"`
	UserID  string    `json:"user_id"`
}
