package notification

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/task"
)

func (s *service) registerPush(api huma.API) {
	op := func(id, method, path, summary string, errs ...int) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, Tags: []string{"notifications"},
			Errors: append(errs, http.StatusUnauthorized)}
	}
	key := op("get-push-key", http.MethodGet, "/api/push/key", "The key that browsers subscribe to")
	huma.Register(api, key, s.getPushKey)
	list := op("list-push-subscriptions", http.MethodGet, "/api/push/subscriptions", "The browsers that get Web Push, oldest first")
	huma.Register(api, list, s.listSubscriptions)
	put := op("put-push-subscription", http.MethodPut, "/api/push/subscriptions", "Subscribe a browser to Web Push, or renew its subscription", 400, 409)
	put.Description = "Send what PushSubscription.toJSON() says, with a name if you like. A browser belongs to the user who subscribed it last; " +
		"remove its subscription when signing out. A subscription that the push service calls gone is removed. " +
		"Each message is JSON with notification_id, task_id, title, message and user_id."
	put.RequestBody = &huma.RequestBody{Content: map[string]*huma.MediaType{"application/json": {Example: map[string]any{
		"endpoint": "https://updates.push.services.mozilla.com/wpush/v2/gAAAAA", "expirationTime": nil, "name": "Firefox on Linux",
		"keys": map[string]string{"auth": "BTBZMqHH6r4Tts7J_aSIgg",
			"p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"},
	}}}}
	huma.Register(api, put, s.putSubscription)
	del := op("delete-push-subscription", http.MethodDelete, "/api/push/subscriptions/{id}", "Remove a browser's subscription", 404)
	del.DefaultStatus = http.StatusNoContent
	huma.Register(api, del, s.deleteSubscription)
}

// PushKey is our public key.
type PushKey struct {
	Key string `json:"key" doc:"applicationServerKey of PushManager.subscribe(): base64url without padding of 65 bytes" example:"BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8"`
}

type pushKeyOutput struct{ Body PushKey }

func (s *service) getPushKey(ctx context.Context, _ *struct{}) (*pushKeyOutput, error) {
	key, err := s.push.keys.get(ctx)
	if err != nil {
		return nil, err
	}
	return &pushKeyOutput{PushKey{key.public}}, nil
}

type subscriptionsOutput struct {
	Body []PushSubscription `nullable:"false"`
}

func (s *service) listSubscriptions(ctx context.Context, _ *struct{}) (*subscriptionsOutput, error) {
	caller, err := edge.Caller(ctx)
	if err != nil {
		return nil, err
	}
	list, err := s.push.subscriptions.list(ctx, caller.UserID)
	if err != nil {
		return nil, err
	}
	out := &subscriptionsOutput{Body: make([]PushSubscription, len(list))}
	for i, sub := range list {
		out.Body[i] = sub.PushSubscription
	}
	return out, nil
}

// NewPushSubscription is a subscription as the browser writes it.
type NewPushSubscription struct {
	Endpoint string `json:"endpoint" format:"uri" maxLength:"2048"`
	// ExpirationTime is in milliseconds since 1970, as the Push API has it.
	ExpirationTime *float64 `json:"expirationTime,omitempty" nullable:"true" doc:"Milliseconds since 1970; null: the subscription does not end"`
	Keys           PushKeys `json:"keys"`
	Name           string   `json:"name,omitempty" maxLength:"100" doc:"What to call this browser in a list"`
}

// PushKeys are the browser's, each as base64url without padding.
type PushKeys struct {
	P256dh string `json:"p256dh" doc:"65 bytes as base64url"`
	Auth   string `json:"auth" doc:"16 bytes as base64url"`
}

type subscribeInput struct{ Body NewPushSubscription }

type subscriptionOutput struct{ Body PushSubscription }

func (s *service) putSubscription(ctx context.Context, in *subscribeInput) (*subscriptionOutput, error) {
	caller, err := edge.Caller(ctx)
	if err != nil {
		return nil, err
	}
	ends, ending := in.Body.expiry(s.now())
	faults := slices.Concat(
		faultOf("endpoint", checkEndpoint(in.Body.Endpoint, s.push.allowPrivate)), faultOf("expirationTime", ending),
		faultOf("keys.p256dh", checkKey(in.Body.Keys.P256dh)), faultOf("keys.auth", checkAuth(in.Body.Keys.Auth)))
	if len(faults) > 0 {
		return nil, edge.NewProblem(http.StatusBadRequest, "validation_failed", faults[0].Error(), faults...)
	}
	u, err := url.Parse(in.Body.Endpoint)
	if err != nil {
		return nil, err // checked above
	}
	sub := subscription{Endpoint: in.Body.Endpoint, P256dh: in.Body.Keys.P256dh, Auth: in.Body.Keys.Auth,
		PushSubscription: PushSubscription{Name: in.Body.Name, Service: u.Hostname(), ExpiresAt: ends}}
	made, err := s.push.subscriptions.put(ctx, caller.UserID, sub)
	if errors.Is(err, errSubscriptions) {
		return nil, edge.NewProblem(http.StatusConflict, "too_many_subscriptions", fmt.Sprintf("%d browsers are subscribed already: remove one first", maxSubscriptions))
	}
	if err != nil {
		return nil, fmt.Errorf("subscribe a browser: %w", err)
	}
	s.log.InfoContext(ctx, "browser subscribed", "user_id", caller.UserID, "push_service", made.Service)
	return &subscriptionOutput{made}, nil
}

// expiry is when the subscription ends, nil for never.
func (n NewPushSubscription) expiry(now time.Time) (*task.Time, error) {
	if n.ExpirationTime == nil {
		return nil, nil
	}
	const year9999 = 253402300799999 // in milliseconds
	if ms := *n.ExpirationTime; math.IsNaN(ms) || ms <= float64(now.UnixMilli()) || ms > year9999 {
		return nil, errors.New("must be milliseconds since 1970, in the future and before the year 10000, or null")
	}
	ends := task.At(time.UnixMilli(int64(*n.ExpirationTime)))
	return &ends, nil
}

type subscriptionPath struct {
	ID string `path:"id" maxLength:"64"`
}

func (s *service) deleteSubscription(ctx context.Context, in *subscriptionPath) (*struct{}, error) {
	caller, err := edge.Caller(ctx)
	if err != nil {
		return nil, err
	}
	err = s.push.subscriptions.remove(ctx, caller.UserID, in.ID)
	if errors.Is(err, errNoSubscription) {
		return nil, edge.NewProblem(http.StatusNotFound, "", "you have no such subscription")
	}
	return nil, err
}
