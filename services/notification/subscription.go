package notification

import (
	"context"
	"crypto/ecdh"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"time"

	"github.com/SherClockHolmes/webpush-go"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/task"
)

const (
	// maxSubscriptions is how many browsers a user may subscribe.
	maxSubscriptions = 20
	maxEndpoint      = 2048 // bytes
	authLength       = 16   // bytes (RFC 8291 §3.2)
)

var (
	errNoSubscription = errors.New("no such subscription")
	errSubscriptions  = errors.New("too many subscriptions")
)

// PushSubscription is one subscribed browser, as its owner sees it. The endpoint is not shown: who knows it and our key
// can send there.
type PushSubscription struct {
	ID        string     `json:"id" doc:"base64url without padding of the SHA-256 of the endpoint; the target of notifications that were sent there"`
	Name      string     `json:"name" doc:"What the browser calls itself; may be empty"`
	Service   string     `json:"service" doc:"Host of the browser's push service" example:"updates.push.services.mozilla.com"`
	CreatedAt task.Time  `json:"created_at" format:"date-time"`
	ExpiresAt *task.Time `json:"expires_at" format:"date-time" doc:"When the browser's subscription ends, if it says so"`
}

// subscription is the same with what it takes to send.
type subscription struct {
	PushSubscription
	Endpoint string `json:"endpoint"`
	P256dh   string `json:"p256dh"`
	Auth     string `json:"auth"`
}

func (s subscription) target() *webpush.Subscription {
	return &webpush.Subscription{Endpoint: s.Endpoint, Keys: webpush.Keys{Auth: s.Auth, P256dh: s.P256dh}}
}

func subscriptionID(endpoint string) string {
	sum := sha256.Sum256([]byte(endpoint))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// checkEndpoint says what is wrong with an endpoint. A name is looked at again when it is resolved, for each message.
func checkEndpoint(endpoint string, allowPrivate bool) error {
	u, err := url.Parse(endpoint)
	switch {
	case len(endpoint) > maxEndpoint:
		return fmt.Errorf("must have at most %d characters", maxEndpoint)
	case err != nil || u.Hostname() == "" || u.User != nil || u.Fragment != "" || u.Scheme != "https" && !(allowPrivate && u.Scheme == "http"):
		return errors.New("must be an https address, as the browser's subscription has it")
	}
	if address, err := netip.ParseAddr(u.Hostname()); err == nil && !allowPrivate && !public(address) {
		return fmt.Errorf("%s %w", address, errNotPublic)
	}
	return nil
}

// checkKey says what is wrong with the browser's public key: base64url without padding of an uncompressed point of P-256.
func checkKey(p256dh string) error {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(p256dh)
	if err == nil {
		_, err = ecdh.P256().NewPublicKey(raw)
	}
	if err != nil {
		return errors.New("must be a public key of P-256, 65 bytes as base64url without padding")
	}
	return nil
}

// checkAuth says what is wrong with the authentication secret.
func checkAuth(auth string) error {
	if raw, err := base64.RawURLEncoding.Strict().DecodeString(auth); err != nil || len(raw) != authLength {
		return fmt.Errorf("must be %d bytes as base64url without padding", authLength)
	}
	return nil
}

// subscriptions keeps the browsers that users have subscribed.
type subscriptions struct {
	state host.State
	now   func() time.Time
}

// list returns the user's subscriptions, oldest first, without those that have expired.
func (b *subscriptions) list(ctx context.Context, user string) ([]subscription, error) {
	list, _, err := b.load(ctx, user)
	return list, err
}

func (b *subscriptions) load(ctx context.Context, user string) ([]subscription, string, error) {
	item, err := b.state.Get(ctx, pushKey(user))
	if err != nil {
		return nil, "", fmt.Errorf("read push subscriptions of %s: %w", user, err)
	}
	var list []subscription
	err = decode(item, &list)
	now := b.now()
	list = slices.DeleteFunc(list, func(s subscription) bool { return s.ExpiresAt != nil && !now.Before(s.ExpiresAt.Time) })
	return list, item.ETag, err
}

// put adds the user's subscription, or replaces the one of that endpoint. A browser belongs to one user: whoever
// subscribed it before gets nothing there any more.
func (b *subscriptions) put(ctx context.Context, user string, s subscription) (PushSubscription, error) {
	s.ID, s.CreatedAt = subscriptionID(s.Endpoint), task.At(b.now())
	err := host.Retry(ctx, func() error {
		var tx host.Tx
		item, err := b.state.Get(ctx, pushOwnerKey(s.ID))
		if err != nil {
			return fmt.Errorf("read owner of push subscription: %w", err)
		}
		var owner string
		if err := decode(item, &owner); err != nil {
			return err
		}
		if owner != "" && owner != user {
			list, etag, err := b.load(ctx, owner)
			if err != nil {
				return err
			}
			tx.Ops = append(tx.Ops, host.Replace(pushKey(owner), encode(without(list, s.ID)), etag))
		}
		list, etag, err := b.load(ctx, user)
		if err != nil {
			return err
		}
		if i := slices.IndexFunc(list, func(known subscription) bool { return known.ID == s.ID }); i >= 0 {
			s.CreatedAt = list[i].CreatedAt
		}
		if list = without(list, s.ID); len(list) >= maxSubscriptions {
			return errSubscriptions
		}
		tx.Ops = append(tx.Ops, host.Replace(pushKey(user), encode(append(list, s)), etag), host.Replace(pushOwnerKey(s.ID), encode(user), item.ETag))
		return b.state.Commit(ctx, tx)
	})
	return s.PushSubscription, err
}

// remove takes a subscription away, or returns errNoSubscription.
func (b *subscriptions) remove(ctx context.Context, user, id string) error {
	return host.Retry(ctx, func() error {
		list, etag, err := b.load(ctx, user)
		if err != nil {
			return err
		}
		rest := without(list, id)
		if len(rest) == len(list) {
			return errNoSubscription
		}
		return b.state.Commit(ctx, host.Tx{Ops: []host.Op{host.Replace(pushKey(user), encode(rest), etag), host.Delete(pushOwnerKey(id))}})
	})
}

func without(list []subscription, id string) []subscription {
	return slices.DeleteFunc(slices.Clone(list), func(s subscription) bool { return s.ID == id })
}

// faultOf is the fault of a field, none where err is nil.
func faultOf(field string, err error) []edge.FieldError {
	if err == nil {
		return nil
	}
	return []edge.FieldError{{Field: field, Detail: err.Error()}}
}
