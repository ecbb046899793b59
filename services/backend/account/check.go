package account

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/mail"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/language"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/task"
)

// Limits of a user's fields. Lengths count Unicode code points.
const (
	MaxName       = 100
	MaxEmail      = 254 // RFC 5321 section 4.5.3.1.3, without the brackets
	MaxLocale     = 64
	MaxWebhookURL = 2048
	maxZone       = 64
)

// Bounds of a webhook's secret, in bytes before base64 (Standard Webhooks, "Signature scheme").
const (
	minWebhookSecret    = 24
	maxWebhookSecret    = 64
	webhookSecretPrefix = "whsec_"
)

// checkName says what is wrong with the name of a user or a token; nil: nothing.
func checkName(v string) error {
	n := utf8.RuneCountInString(v)
	switch {
	case n < 1 || n > MaxName:
		return fmt.Errorf("must have 1 to %d characters", MaxName)
	case strings.TrimSpace(v) != v:
		return errors.New("must not begin or end with white space")
	case strings.ContainsFunc(v, unicode.IsControl):
		return errors.New("must not contain control characters")
	}
	return nil
}

// checkNote says what is wrong with a name that may be empty.
func checkNote(v string) error {
	if v == "" {
		return nil
	}
	return checkName(v)
}

// checkEmail accepts one bare address (RFC 5322 addr-spec), or none.
func checkEmail(v string) error {
	if v == "" {
		return nil
	}
	if len(v) > MaxEmail {
		return fmt.Errorf("must have at most %d characters", MaxEmail)
	}
	a, err := mail.ParseAddress(v)
	if err != nil || a.Address != v {
		return errors.New("must be an e-mail address such as ada@example.org")
	}
	return nil
}

// checkZone accepts the name of an IANA time zone that this machine can load. The copies of the database with
// leap seconds (right/) and under other names are no zones of the user's.
func checkZone(v string) error {
	strange := func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/_-+", r))
	}
	bad := v == "" || v == "Local" || len(v) > maxZone || strings.ContainsFunc(v, strange) ||
		slices.Contains([]string{"localtime", "posixrules", "Factory"}, v) ||
		strings.HasPrefix(v, "right/") || strings.HasPrefix(v, "posix/")
	if !bad {
		_, err := zone(v)
		bad = err != nil
	}
	if bad {
		return errors.New("must be an IANA time zone such as Europe/Berlin")
	}
	return nil
}

// checkLocale accepts a well-formed BCP 47 tag of registered subtags.
func checkLocale(v string) error {
	if v != "" && len(v) <= MaxLocale && !strings.Contains(v, "_") {
		if _, err := language.Parse(v); err == nil {
			return nil
		}
	}
	return errors.New("must be a BCP 47 language tag such as en or pt-BR")
}

func checkWebhookURL(v string) error {
	if utf8.RuneCountInString(v) > MaxWebhookURL {
		return fmt.Errorf("must have at most %d characters", MaxWebhookURL)
	}
	u, err := url.Parse(v)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return errors.New("must be an absolute http or https address")
	}
	return nil
}

func checkWebhookSecret(v string) error {
	encoded, ok := strings.CutPrefix(v, webhookSecretPrefix)
	key, err := base64.StdEncoding.Strict().DecodeString(encoded)
	// The decoder skips line breaks; a secret holds none.
	if !ok || err != nil || strings.ContainsAny(encoded, "\r\n") || len(key) < minWebhookSecret || len(key) > maxWebhookSecret {
		return fmt.Errorf("must be %s and base64 of %d to %d bytes", webhookSecretPrefix, minWebhookSecret, maxWebhookSecret)
	}
	return nil
}

func newWebhookSecret() string {
	var key [32]byte
	rand.Read(key[:]) // never fails (crypto/rand since Go 1.24)
	return webhookSecretPrefix + base64.StdEncoding.EncodeToString(key[:])
}

// checkExpiry accepts an end in the future, in a year that can be written, or none.
func checkExpiry(end *time.Time, now time.Time) error {
	if end != nil && (!end.After(now) || end.UTC().Year() > 9999) {
		return errors.New("must be in the future, up to the year 9999")
	}
	return nil
}

// member is one member of a JSON object.
type member struct {
	name  string
	value json.RawMessage
}

// object reads the members of a JSON object, sorted by name.
func object(value []byte) ([]member, error) {
	if value = bytes.TrimSpace(value); len(value) == 0 || value[0] != '{' {
		return nil, errors.New("must be an object")
	}
	var fields map[string]json.RawMessage
	if err := edge.UnmarshalJSON(value, &fields); err != nil {
		return nil, err
	}
	members := make([]member, 0, len(fields))
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		members = append(members, member{name, fields[name]})
	}
	return members, nil
}

func isNull(value json.RawMessage) bool { return string(value) == "null" }

// text reads a string that check accepts.
func text(value json.RawMessage, check func(string) error) (string, error) {
	var v string
	if len(value) == 0 || value[0] != '"' || json.Unmarshal(value, &v) != nil {
		return "", errors.New("must be a string")
	}
	return v, check(v)
}

// textOr is text, null meaning fallback.
func textOr(fallback string, value json.RawMessage, check func(string) error) (string, error) {
	if isNull(value) {
		return fallback, nil
	}
	return text(value, check)
}

func boolean(value json.RawMessage) (bool, error) {
	switch string(value) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, errors.New("must be true or false")
}

// minutes reads reminder_minutes, largest first; null puts the default back.
func minutes(value json.RawMessage) ([]int, error) {
	if isNull(value) {
		return defaultReminders(), nil
	}
	var raw []json.RawMessage
	if json.Unmarshal(value, &raw) != nil {
		return nil, errors.New("must be an array of whole numbers")
	}
	if len(raw) > task.MaxReminders {
		return nil, fmt.Errorf("must have at most %d entries", task.MaxReminders)
	}
	list := make([]int, 0, len(raw))
	for _, r := range raw {
		n, err := strconv.Atoi(string(r))
		if err != nil || n < 0 || n > task.MaxReminderMinutes {
			return nil, fmt.Errorf("must be whole numbers from 0 to %d", task.MaxReminderMinutes)
		}
		if slices.Contains(list, n) {
			return nil, fmt.Errorf("has %d twice", n)
		}
		list = append(list, n)
	}
	slices.Sort(list)
	slices.Reverse(list)
	return list, nil
}
