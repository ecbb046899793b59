// Package passkey has the two ceremonies of passkeys (Web Authentication Level 3): making one, and signing in by one. It
// says what a browser is to ask an authenticator for, and whether what comes back holds. It knows nothing of docket's users;
// package account says whose a passkey is.
//
// A passkey is asked to know by itself whom it is for, so that nobody types a name, and to check its user by a PIN or the
// body: so it is two factors in one. Who has made the authenticator is not asked (attestation "none").
//
// [Task]: T026
package passkey

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/protocol/webauthncose"
)

const (
	// Patience is how long a browser gives its user.
	Patience = 5 * time.Minute
	// maxPublicKey is more than an RSA key of 8192 bits takes, in bytes.
	maxPublicKey = 2 << 10
)

var (
	// ErrRefused means that what the browser has sent does not hold: it is for another site or challenge, nobody's PIN or
	// body was checked, the signature is another key's, or it cannot be read.
	ErrRefused = errors.New("the passkey does not prove anything")
	// ErrCopied means that everything holds but the counter, which has not grown: there may be two of this authenticator
	// (section 7.2 step 22).
	ErrCopied = errors.New("the passkey may have been copied")
)

// algorithms are those that a passkey may sign by, the ones we like best first (RFC 9053).
var algorithms = []protocol.CredentialParameter{
	{Type: protocol.PublicKeyCredentialType, Algorithm: webauthncose.AlgES256},
	{Type: protocol.PublicKeyCredentialType, Algorithm: webauthncose.AlgEdDSA},
	{Type: protocol.PublicKeyCredentialType, Algorithm: webauthncose.AlgRS256},
}

// Key is what is kept of a passkey, the credential record of section 4. Nothing of it is secret.
type Key struct {
	// ID is the authenticator's name for it, 1 to 1023 bytes.
	ID []byte `json:"id"`
	// Public is a COSE_Key.
	Public []byte `json:"public"`
	// Counter is how often it has signed, or stays 0.
	Counter uint32 `json:"counter"`
	// Synced tells that it may be on several devices of its user ("backup eligible"). It never changes.
	Synced bool `json:"synced"`
}

// Holder is who a passkey is made for.
type Holder struct {
	// ID comes back with every signature; 1 to 64 bytes.
	ID string
	// Name is what the authenticator calls them.
	Name string
}

// Create returns a challenge, and what to ask a browser for to make a passkey: PublicKeyCredentialCreationOptionsJSON. An
// authenticator that has one of those that are known makes no other.
func (s Site) Create(who Holder, known []Key) (challenge string, options json.RawMessage) {
	named := func(name string) protocol.CredentialEntity { return protocol.CredentialEntity{Name: name} }
	o := protocol.PublicKeyCredentialCreationOptions{
		RelyingParty: protocol.RelyingPartyEntity{CredentialEntity: named("docket"), ID: s.ID},
		User:         protocol.UserEntity{CredentialEntity: named(who.Name), DisplayName: who.Name, ID: protocol.URLEncodedBase64(who.ID)},
		Challenge:    newChallenge(),
		Parameters:   algorithms,
		Timeout:      int(Patience / time.Millisecond),
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			RequireResidentKey: protocol.ResidentKeyRequired(),
			ResidentKey:        protocol.ResidentKeyRequirementRequired,
			UserVerification:   protocol.VerificationRequired,
		},
		Attestation: protocol.PreferNoAttestation,
	}
	for _, k := range known {
		o.CredentialExcludeList = append(o.CredentialExcludeList, protocol.CredentialDescriptor{Type: protocol.PublicKeyCredentialType, CredentialID: k.ID})
	}
	return o.Challenge.String(), encode(o)
}

// Request returns a challenge, and what to ask a browser for to sign in: PublicKeyCredentialRequestOptionsJSON. It names
// nobody: the user chooses among the passkeys that they have for the site.
func (s Site) Request() (challenge string, options json.RawMessage) {
	o := protocol.PublicKeyCredentialRequestOptions{
		Challenge:        newChallenge(),
		Timeout:          int(Patience / time.Millisecond),
		RelyingPartyID:   s.ID,
		UserVerification: protocol.VerificationRequired,
	}
	return o.Challenge.String(), encode(o)
}

// Created returns the passkey that was made for the challenge, from a RegistrationResponseJSON (section 7.1). [ErrRefused].
func (s Site) Created(challenge string, response []byte) (Key, error) {
	made, err := protocol.ParseCredentialCreationResponseBytes(response)
	if err != nil {
		return Key{}, refused(err)
	}
	_, err = made.Verify(challenge, s.ID, []string{s.Origin}, nil, nil, protocol.TopOriginExplicitVerificationMode,
		false, true, true, nil, algorithms, protocol.AttestationPolicy{}, protocol.SignaturePolicy{})
	if err != nil {
		return Key{}, refused(err)
	}
	data := made.Response.AttestationObject.AuthData
	k := Key{ID: data.AttData.CredentialID, Public: data.AttData.CredentialPublicKey, Counter: data.Counter, Synced: data.Flags.HasBackupEligible()}
	if len(k.Public) > maxPublicKey {
		return Key{}, refused(fmt.Errorf("its public key has %d bytes", len(k.Public)))
	}
	if _, err := webauthncose.ParsePublicKey(k.Public); err != nil {
		return Key{}, refused(err)
	}
	return k, backedUp(data.Flags, k)
}

// Answer is what a browser has sent to sign in, which proves nothing before it is verified.
type Answer struct {
	// KeyID is the ID of the [Key] that it says it is signed by.
	KeyID []byte
	// Holder is the ID of whom the authenticator takes its user for.
	Holder string
	data   *protocol.ParsedCredentialAssertionData
}

// Read reads an AuthenticationResponseJSON. [ErrRefused].
func Read(response []byte) (*Answer, error) {
	data, err := protocol.ParseCredentialRequestResponseBytes(response)
	if err != nil {
		return nil, refused(err)
	}
	return &Answer{KeyID: data.RawID, Holder: string(data.Response.UserHandle), data: data}, nil
}

// Verify returns the key, with its new counter, where the answer is to the challenge and signed by it (section 7.2). That it
// is the holder's is for the caller to see. [ErrRefused], [ErrCopied].
func (s Site) Verify(challenge string, a *Answer, k Key) (Key, error) {
	err := a.data.Verify(challenge, s.ID, "", []string{s.Origin}, nil, nil, protocol.TopOriginExplicitVerificationMode,
		false, true, true, k.Public, protocol.SignaturePolicy{})
	if err != nil {
		return Key{}, refused(err)
	}
	data := a.data.Response.AuthenticatorData
	if err := backedUp(data.Flags, k); err != nil {
		return Key{}, err
	}
	if data.Counter <= k.Counter && (data.Counter != 0 || k.Counter != 0) {
		return Key{}, ErrCopied
	}
	k.Counter = data.Counter
	return k, nil
}

// backedUp holds what an authenticator says of its copies to what it has said before (section 7.2 steps 17 to 19).
func backedUp(flags protocol.AuthenticatorFlags, k Key) error {
	if flags.HasBackupEligible() != k.Synced || flags.HasBackupState() && !k.Synced {
		return refused(errors.New("what it says of its copies contradicts itself"))
	}
	return nil
}

// refused keeps of the library's error what says which check failed, and nothing that was sent.
func refused(err error) error { return fmt.Errorf("%w: %w", ErrRefused, err) }

// newChallenge is longer than the 16 bytes that section 13.4.3 asks for.
func newChallenge() protocol.URLEncodedBase64 {
	b := make([]byte, 32)
	rand.Read(b) // never fails (crypto/rand since Go 1.24)
	return b
}

// encode marshals options; all of them can be.
func encode(options any) json.RawMessage {
	b, err := json.Marshal(options)
	if err != nil {
		panic(fmt.Sprintf("passkey: encode %T: %v", options, err))
	}
	return b
}
