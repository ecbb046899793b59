package account

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// What authenticator apps expect where nothing else is said (RFC 6238 section 4, RFC 4226 section 5.3).
const (
	totpPeriod = 30 * time.Second
	totpDigits = 6
	totpSecret = 20 // bytes, as many as HMAC-SHA-1 gives (RFC 4226 section 4, R6)
	// totpSkew is how many periods a clock may be off, either way (RFC 6238 section 5.2).
	totpSkew = 1
)

var secretEncoding = base32.StdEncoding.WithPadding(base32.NoPadding)

// hotp is the one-time password of a counter (RFC 4226 section 5.3).
func hotp(secret []byte, counter int64, digits int) string {
	mac := hmac.New(sha1.New, secret)
	_ = binary.Write(mac, binary.BigEndian, counter) // a hash takes everything
	sum := mac.Sum(nil)
	offset := sum[len(sum)-1] & 0xf
	n := binary.BigEndian.Uint32(sum[offset:]) & 0x7fffffff
	mod := uint32(1)
	for range digits {
		mod *= 10
	}
	return fmt.Sprintf("%0*d", digits, n%mod)
}

// stepOf is the counter at a time (RFC 6238 section 4.2).
func stepOf(at time.Time) int64 { return at.Unix() / int64(totpPeriod/time.Second) }

// matchStep is the step, later than after and within the skew of now, whose password the code is; false where there is none.
func matchStep(secret []byte, code string, now time.Time, after int64) (step int64, ok bool) {
	for s := stepOf(now) - totpSkew; s <= stepOf(now)+totpSkew; s++ {
		if s > after && subtle.ConstantTimeCompare([]byte(hotp(secret, s, totpDigits)), []byte(code)) == 1 {
			step, ok = s, true
		}
	}
	return step, ok
}

// isTOTP tells a code of an authenticator from one for recovery.
func isTOTP(code string) bool {
	return len(code) == totpDigits && strings.Trim(code, "0123456789") == ""
}

// keyURI is what the QR code for an authenticator app holds (otpauth, as Google Authenticator defines it).
func keyURI(name string, secret []byte) string {
	query := url.Values{"secret": {secretEncoding.EncodeToString(secret)}, "issuer": {"docket"}}
	return "otpauth://totp/" + url.PathEscape("docket:"+name) + "?" + query.Encode()
}

// recoveryBytes is what a recovery code is made of: too much to be guessed, so that guesses need no limit.
const recoveryBytes = 10

// newRecoveryCode returns a code as it is shown: four groups of four letters and digits.
func newRecoveryCode() string {
	b := make([]byte, recoveryBytes)
	rand.Read(b) // never fails (crypto/rand since Go 1.24)
	s := strings.ToLower(secretEncoding.EncodeToString(b))
	return s[:4] + "-" + s[4:8] + "-" + s[8:12] + "-" + s[12:]
}

// newRecoveryCodes returns as many codes as one gets, and the hashes that are kept of them.
func newRecoveryCodes() (codes, hashes []string) {
	for range RecoveryCodes {
		code := newRecoveryCode()
		codes, hashes = append(codes, code), append(hashes, hashRecovery(code))
	}
	return codes, hashes
}

// hashRecovery is the form in which a recovery code is kept, however it is typed.
func hashRecovery(code string) string {
	return hash("recovery " + strings.ToLower(strings.NewReplacer("-", "", " ", "").Replace(code)))
}
