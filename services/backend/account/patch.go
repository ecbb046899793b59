package account

import (
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/docket-tasks/docket/edge"
)

// invalid collects what is wrong with an input, one entry a field.
type invalid []edge.FieldError

func (e invalid) Error() string {
	s := "invalid"
	for _, f := range e {
		s += "; " + f.Error()
	}
	return s
}

// check notes err, if there is one, as the fault of field.
func (e *invalid) check(field string, err error) {
	if err == nil {
		return
	}
	if nested, ok := errors.AsType[invalid](err); ok {
		for _, f := range nested {
			*e = append(*e, edge.FieldError{Field: field + "." + f.Field, Detail: f.Detail})
		}
		return
	}
	*e = append(*e, edge.FieldError{Field: field, Detail: err.Error()})
}

// err is nil where nothing is wrong.
func (e invalid) err() error {
	if len(e) == 0 {
		return nil
	}
	return e
}

// parsePatch reads a JSON merge patch (RFC 7396) of a user and returns the change it asks for, and the password that was shown for
// it. What can be refused without knowing the user is refused here, all faults at once, as an invalid; the rest by the change.
func parsePatch(body []byte) (do change, password string, err error) {
	members, err := object(body)
	if err != nil {
		return nil, "", invalid{{Field: "body", Detail: err.Error()}}
	}
	var faults invalid
	var steps []func(*storedUser)
	for _, m := range members {
		if m.name == "password" {
			password, err = text(m.value, checkShown)
			faults.check(m.name, err)
			continue
		}
		step, err := parseMember(m)
		faults.check(m.name, err)
		steps = append(steps, step)
	}
	if err := faults.err(); err != nil {
		return nil, "", err
	}
	freshSecret := newWebhookSecret()
	return func(u *storedUser) error {
		for _, step := range steps {
			step(u)
		}
		return completeChannels(u, freshSecret)
	}, password, nil
}

// checkShown says what is wrong with what is shown as the password there is.
func checkShown(v string) error {
	if n := utf8.RuneCountInString(v); n < 1 || n > MaxPassword {
		return fmt.Errorf("must have 1 to %d characters", MaxPassword)
	}
	return nil
}

// parseMember reads one member of a user's merge patch.
func parseMember(m member) (func(*storedUser), error) {
	switch m.name {
	case "name":
		v, err := text(m.value, checkName)
		return func(u *storedUser) { u.Name = v }, err
	case "email":
		v, err := textOr("", m.value, checkEmail)
		return func(u *storedUser) { u.Email = v }, err
	case "time_zone":
		v, err := text(m.value, checkZone)
		return func(u *storedUser) { u.TimeZone, u.ZoneChosen = v, true }, err
	case "locale":
		v, err := textOr(defaultLocale, m.value, checkLocale)
		return func(u *storedUser) { u.Locale = v }, err
	case "reminder_minutes":
		v, err := minutes(m.value)
		return func(u *storedUser) { u.ReminderMinutes = v }, err
	case "channels":
		step, err := parseChannels(m.value)
		return func(u *storedUser) { step(&u.Channels) }, err
	case "id", "admin", "first", "created_at", "version":
		return nil, errors.New("cannot be changed")
	}
	return nil, errUnknownField
}

var errUnknownField = errors.New("is not a known field")

// parseChannels reads the merge patch of channels; null puts the defaults back.
func parseChannels(value json.RawMessage) (func(*Channels), error) {
	if isNull(value) {
		return func(c *Channels) { *c = defaultChannels() }, nil
	}
	members, err := object(value)
	if err != nil {
		return nil, err
	}
	var faults invalid
	var steps []func(*Channels)
	for _, m := range members {
		switch m.name {
		case "email":
			v, err := boolean(m.value)
			faults.check(m.name, err)
			steps = append(steps, func(c *Channels) { c.Email = v })
		case "push":
			v, err := boolean(m.value)
			faults.check(m.name, err)
			steps = append(steps, func(c *Channels) { c.Push = v })
		case "webhook":
			step, err := parseWebhook(m.value)
			faults.check(m.name, err)
			steps = append(steps, step)
		default:
			faults.check(m.name, errUnknownField)
		}
	}
	return func(c *Channels) {
		for _, step := range steps {
			step(c)
		}
	}, faults.err()
}

// parseWebhook reads the merge patch of channels.webhook; null removes it. A secret of null becomes empty, which
// completeChannels fills.
func parseWebhook(value json.RawMessage) (func(*Channels), error) {
	if isNull(value) {
		return func(c *Channels) { c.Webhook = nil }, nil
	}
	members, err := object(value)
	if err != nil {
		return nil, err
	}
	var faults invalid
	var steps []func(*Webhook)
	for _, m := range members {
		switch m.name {
		case "url":
			v, err := text(m.value, checkWebhookURL)
			faults.check(m.name, err)
			steps = append(steps, func(w *Webhook) { w.URL = v })
		case "secret":
			v, err := textOr("", m.value, checkWebhookSecret)
			faults.check(m.name, err)
			steps = append(steps, func(w *Webhook) { w.Secret = v })
		default:
			faults.check(m.name, errUnknownField)
		}
	}
	return func(c *Channels) {
		var w Webhook // a copy: the one in place is shared
		if c.Webhook != nil {
			w = *c.Webhook
		}
		for _, step := range steps {
			step(&w)
		}
		c.Webhook = &w
	}, faults.err()
}

// completeChannels checks what depends on several fields and gives a webhook without a secret the one given.
func completeChannels(u *storedUser, secret string) error {
	var faults invalid
	if u.Channels.Email && u.Email == "" {
		faults.check("channels.email", errors.New("needs an address in email"))
	}
	if w := u.Channels.Webhook; w != nil {
		if w.URL == "" {
			faults.check("channels.webhook.url", errors.New("is required"))
		}
		if w.Secret == "" {
			u.Channels.Webhook = &Webhook{URL: w.URL, Secret: secret}
		}
	}
	return faults.err()
}
