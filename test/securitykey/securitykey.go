// Package securitykey is an authenticator for passkeys in software, with the browser before it, for docket to be tested against: it
// makes real keys and real signatures (Web Authentication Level 3, sections 5.1 and 6), and writes by itself what it sends.
// Its fields are what a test may have it do wrong.
//
// [Task]: T026
package securitykey

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// Flags of authenticator data (section 6.1).
const (
	Present        = 1 << 0
	Verified       = 1 << 2
	BackupEligible = 1 << 3
	BackedUp       = 1 << 4
	attested       = 1 << 6
)

// ErrExcluded means that the authenticator has one of the passkeys that it should not make another beside.
var ErrExcluded = errors.New("this authenticator has a passkey there already")

// Authenticator has passkeys, of which it uses the last one that is for a site.
type Authenticator struct {
	// Origin is that of the page that asks.
	Origin string
	// RPID is the site that it signs for; empty: the one it is asked for.
	RPID string
	// Flags are what it says of the user: present and verified, unless a test has it say something else.
	Flags byte
	// Counter is how often it has signed; 0 stays 0, as that of a passkey on several devices does.
	Counter uint32

	keys []Passkey
}

// Passkey is one that an authenticator has.
type Passkey struct {
	ID     []byte
	RPID   string
	Holder []byte
	Key    *ecdsa.PrivateKey
}

// New returns an authenticator without passkeys, behind a browser that shows a page of the origin.
func New(origin string) *Authenticator {
	return &Authenticator{Origin: origin, Flags: Present | Verified}
}

// Last is the passkey it made last.
func (a *Authenticator) Last() Passkey { return a.keys[len(a.keys)-1] }

// Copy is another authenticator with the same passkeys.
func (a *Authenticator) Copy() *Authenticator {
	c := *a
	c.keys = slices.Clone(a.keys)
	return &c
}

// b64 is base64url without padding in JSON.
type b64 []byte

// MarshalText implements encoding.TextMarshaler.
func (b b64) MarshalText() ([]byte, error) {
	return []byte(base64.RawURLEncoding.EncodeToString(b)), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (b *b64) UnmarshalText(text []byte) (err error) {
	*b, err = base64.RawURLEncoding.DecodeString(string(text))
	return err
}

// response is what both ceremonies send.
type response struct {
	ID         b64            `json:"id"`
	RawID      b64            `json:"rawId"`
	Type       string         `json:"type"`
	Extensions map[string]any `json:"clientExtensionResults"`
	Response   map[string]b64 `json:"response"`
}

func encode(id []byte, fields map[string]b64) []byte {
	b, err := json.Marshal(response{id, id, "public-key", map[string]any{}, fields})
	if err != nil {
		panic(err) // every such value can be marshalled
	}
	return b
}

// Create makes a passkey as navigator.credentials.create() does, from PublicKeyCredentialCreationOptionsJSON to
// RegistrationResponseJSON. [ErrExcluded].
func (a *Authenticator) Create(options []byte) ([]byte, error) {
	var o struct {
		RP        struct{ ID string }
		User      struct{ ID b64 }
		Challenge b64
		Exclude   []struct{ ID b64 } `json:"excludeCredentials"`
	}
	if err := json.Unmarshal(options, &o); err != nil {
		return nil, fmt.Errorf("read options: %w", err)
	}
	for _, e := range o.Exclude {
		if slices.ContainsFunc(a.keys, func(k Passkey) bool { return slices.Equal(k.ID, e.ID) }) {
			return nil, ErrExcluded
		}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	id := make([]byte, 16)
	rand.Read(id)
	a.keys = append(a.keys, Passkey{ID: id, RPID: o.RP.ID, Holder: o.User.ID, Key: key})

	data := a.data(o.RP.ID, attested)
	data = append(data, make([]byte, 16)...) // the maker, of whom nothing is told
	data = binary.BigEndian.AppendUint16(data, uint16(len(id)))
	data = append(append(data, id...), coseKey(&key.PublicKey)...)
	object := cborMap(cborText("fmt"), cborText("none"), cborText("attStmt"), cborMap(), cborText("authData"), cborBytes(data))
	return encode(id, map[string]b64{"clientDataJSON": a.clientData("webauthn.create", o.Challenge), "attestationObject": object}), nil
}

// Get signs by the last passkey for the site as navigator.credentials.get() does, from PublicKeyCredentialRequestOptionsJSON to
// AuthenticationResponseJSON.
func (a *Authenticator) Get(options []byte) ([]byte, error) {
	var o struct {
		RPID      string `json:"rpId"`
		Challenge b64
	}
	if err := json.Unmarshal(options, &o); err != nil {
		return nil, fmt.Errorf("read options: %w", err)
	}
	for _, k := range slices.Backward(a.keys) {
		if k.RPID != o.RPID {
			continue
		}
		if a.Counter > 0 {
			a.Counter++
		}
		client, data := a.clientData("webauthn.get", o.Challenge), a.data(o.RPID, 0)
		hash := sha256.Sum256(client)
		sum := sha256.Sum256(slices.Concat(data, hash[:]))
		signature, err := ecdsa.SignASN1(rand.Reader, k.Key, sum[:])
		if err != nil {
			return nil, fmt.Errorf("sign: %w", err)
		}
		return encode(k.ID, map[string]b64{"clientDataJSON": client, "authenticatorData": data, "signature": signature, "userHandle": k.Holder}), nil
	}
	return nil, fmt.Errorf("there is no passkey for %q", o.RPID)
}

// clientData is what the browser has signed besides (section 5.8.1).
func (a *Authenticator) clientData(ceremony string, challenge b64) []byte {
	b, err := json.Marshal(map[string]any{"type": ceremony, "challenge": challenge, "origin": a.Origin, "crossOrigin": false})
	if err != nil {
		panic(err) // every such value can be marshalled
	}
	return b
}

// data is the head of authenticator data (section 6.1).
func (a *Authenticator) data(rpID string, more byte) []byte {
	if a.RPID != "" {
		rpID = a.RPID
	}
	hash := sha256.Sum256([]byte(rpID))
	return binary.BigEndian.AppendUint32(append(hash[:], a.Flags|more), a.Counter)
}

// coseKey is a public key for ES256 (RFC 9053 section 7.1.1): kty EC2, alg, crv P-256, x and y.
func coseKey(k *ecdsa.PublicKey) []byte {
	point, err := k.Bytes() // 4, x and y
	if err != nil {
		panic(err) // it was just made
	}
	return cborMap([]byte{1}, []byte{2}, []byte{3}, []byte{0x26}, []byte{0x20}, []byte{1}, []byte{0x21}, cborBytes(point[1:33]), []byte{0x22}, cborBytes(point[33:]))
}

// cborMap, cborText and cborBytes write CBOR (RFC 8949 section 3); a map of keys and values in turn, fewer than 24 of each.
func cborMap(keysAndValues ...[]byte) []byte {
	return append([]byte{0xa0 | byte(len(keysAndValues)/2)}, slices.Concat(keysAndValues...)...)
}

func cborText(v string) []byte { return append([]byte{0x60 | byte(len(v))}, v...) }

func cborBytes(v []byte) []byte {
	switch n := len(v); {
	case n < 24:
		return append([]byte{0x40 | byte(n)}, v...)
	case n < 1<<8:
		return append([]byte{0x58, byte(n)}, v...)
	default:
		return append(binary.BigEndian.AppendUint16([]byte{0x59}, uint16(n)), v...)
	}
}
