package pushservice

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// maxMessage is the largest body that a push service has to take (RFC 8030 §7.2).
const maxMessage = 4096

// refusal is why a message is not taken.
type refusal struct {
	status int
	text   string
}

func (r refusal) Error() string { return r.text }

func refuse(status int, format string, args ...any) error {
	return refusal{status, fmt.Sprintf(format, args...)}
}

// push takes a message for a subscription (RFC 8030 §5).
func (s *Service) push(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sub := s.subscriptions[r.PathValue("id")]
	if sub == nil {
		http.Error(w, errNone.Error(), http.StatusNotFound)
		return
	}
	m, err := sub.accept(r)
	if why, ok := errors.AsType[refusal](err); ok {
		http.Error(w, why.text, why.status)
		return
	}
	if len(sub.answers) > 0 {
		a := sub.answers[0]
		sub.answers = sub.answers[1:]
		if a.RetryAfter != "" {
			w.Header().Set("Retry-After", a.RetryAfter)
		}
		w.WriteHeader(a.Status)
		return
	}
	sub.messages = append(sub.messages, m)
	close(sub.changed)
	sub.changed = make(chan struct{})
	w.Header().Set("Location", fmt.Sprintf("%s/message/%s/%d", origin(r), sub.id, len(sub.messages)))
	w.WriteHeader(http.StatusCreated)
}

var topic = regexp.MustCompile(`^[A-Za-z0-9_-]{1,32}$`)

// accept checks everything that the protocol asks of a message and opens it.
func (sub *subscription) accept(r *http.Request) (m Message, err error) {
	if m.Contact, err = sub.sender(r); err != nil {
		return m, err
	}
	m.Urgency, m.Topic = r.Header.Get("Urgency"), r.Header.Get("Topic")
	if m.TTL, err = strconv.Atoi(r.Header.Get("TTL")); err != nil || m.TTL < 0 {
		return m, refuse(http.StatusBadRequest, "TTL %q: a number of seconds is needed (RFC 8030 §5.2)", r.Header.Get("TTL"))
	}
	if m.Urgency != "" && !slices.Contains([]string{"very-low", "low", "normal", "high"}, m.Urgency) {
		return m, refuse(http.StatusBadRequest, "Urgency %q is none (RFC 8030 §5.3)", m.Urgency)
	}
	if m.Topic != "" && !topic.MatchString(m.Topic) {
		return m, refuse(http.StatusBadRequest, "Topic %q is none (RFC 8030 §5.4)", m.Topic)
	}
	if coding := r.Header.Get("Content-Encoding"); coding != "aes128gcm" {
		return m, refuse(http.StatusUnsupportedMediaType, "Content-Encoding %q: aes128gcm is needed (RFC 8291 §4)", coding)
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxMessage+1))
	if err != nil {
		return m, refuse(http.StatusBadRequest, "the body did not arrive")
	}
	if len(body) > maxMessage {
		return m, refuse(http.StatusRequestEntityTooLarge, "more than %d bytes", maxMessage)
	}
	plain, err := decrypt(body, sub.private, sub.auth)
	if err != nil {
		return m, refuse(http.StatusBadRequest, "cannot be decrypted: %v", err)
	}
	m.Payload = string(plain)
	return m, nil
}

// maxToken is how far ahead a token may expire (RFC 8292 §2).
const maxToken = 24 * time.Hour

// sender verifies who sends (RFC 8292) and returns how to reach them.
func (sub *subscription) sender(r *http.Request) (contact string, err error) {
	parameters, ok := strings.CutPrefix(r.Header.Get("Authorization"), "vapid ")
	if !ok {
		return "", refuse(http.StatusUnauthorized, "Authorization: vapid is needed (RFC 8292 §3)")
	}
	given := map[string]string{}
	for p := range strings.SplitSeq(parameters, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		given[name] = value
	}
	key, err := base64.RawURLEncoding.DecodeString(given["k"])
	if err != nil || !bytes.Equal(key, sub.server) {
		return "", refuse(http.StatusForbidden, "k is not the key that the subscription was made for (RFC 8292 §4.2)")
	}
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), key)
	if err != nil {
		return "", refuse(http.StatusForbidden, "k: %v", err)
	}
	var claims jwt.RegisteredClaims
	_, err = jwt.ParseWithClaims(given["t"], &claims, func(*jwt.Token) (any, error) { return public, nil },
		jwt.WithValidMethods([]string{"ES256"}), jwt.WithAudience(origin(r)), jwt.WithExpirationRequired())
	switch {
	case err != nil:
		return "", refuse(http.StatusForbidden, "t: %v (RFC 8292 §2)", err)
	case claims.ExpiresAt.After(time.Now().Add(maxToken)):
		return "", refuse(http.StatusForbidden, "t expires in more than a day (RFC 8292 §2)")
	case !strings.HasPrefix(claims.Subject, "mailto:") && !strings.HasPrefix(claims.Subject, "https:"):
		return "", refuse(http.StatusForbidden, "sub %q is no way to reach the sender (RFC 8292 §2.1)", claims.Subject)
	}
	return claims.Subject, nil
}
