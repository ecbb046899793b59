package account

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/task"
)

// Routes adds the routes of a signed-in user. They stand behind edge.Verifier.Require.
func (s *Store) Routes(api huma.API) {
	register(api, op("get-me", http.MethodGet, "/api/me", "The user who asks", http.StatusOK), s.getMe)
	register(api, patchOp(api), s.patchMe)
	s.passwordRoute(api)
	s.sessionRoutes(api)
	s.invitationRoutes(api)
	s.userRoutes(api)
	s.factorRoutes(api)
	s.connectionRoutes(api)
	s.passkeyRoutes(api)
	s.accessRoute(api)
	s.deletionRoutes(api)
	register(api, op("list-tokens", http.MethodGet, "/api/tokens", "The user's API tokens, oldest first", http.StatusOK), s.listTokens)
	register(api, op("create-token", http.MethodPost, "/api/tokens", "Make an API token; its secret is shown once", http.StatusCreated, 400, 403, 409), s.postToken)
	register(api, op("delete-token", http.MethodDelete, "/api/tokens/{id}", "Revoke an API token; identities made from it end within a minute", http.StatusNoContent, 404), s.deleteToken)
	register(api, op("create-sign-in-code", http.MethodPost, "/api/session/link", "Make a one-time code that signs oneself in elsewhere", http.StatusCreated, 403), s.postLink)
	register(api, op("sign-out", http.MethodDelete, "/api/session", "Sign out: end the session in use", http.StatusNoContent, 400), s.deleteSession)
}

// OpenPatterns are the routes of OpenRoutes, for the mux that is asked before a caller is known.
var OpenPatterns = []string{"POST /api/session", "GET /api/session/options", "POST /api/accounts", "POST /api/password/reset",
	"POST /api/password/forgotten", "POST /api/session/openid/start", "POST /api/session/openid/finish",
	"POST /api/session/passkey/start", "POST /api/session/passkey/finish"}

// OpenRoutes adds the routes of those who are not signed in: they need no credential, and take none into account.
func (s *Store) OpenRoutes(api huma.API) {
	s.signInRoute(api)
	s.optionsRoute(api)
	s.signUpRoute(api)
	s.resetRoute(api)
	s.forgottenRoute(api)
	s.openIDRoutes(api)
	s.passkeySignInRoutes(api)
}

// open describes an operation that needs no credential.
func open(o huma.Operation) huma.Operation {
	o.Security = []map[string][]string{{}}
	return o
}

func op(id, method, path, summary string, status int, errors ...int) huma.Operation {
	return huma.Operation{
		OperationID: id, Method: method, Path: path, Summary: summary, DefaultStatus: status,
		Errors: append(errors, http.StatusUnauthorized, http.StatusServiceUnavailable), Tags: []string{"account"},
	}
}

// register adds a route whose handler's errors become problems.
func register[I, O any](api huma.API, o huma.Operation, handle func(context.Context, *I) (*O, error)) {
	huma.Register(api, o, func(ctx context.Context, in *I) (*O, error) {
		out, err := handle(ctx, in)
		if err != nil {
			return nil, problem(err)
		}
		return out, nil
	})
}

type meAnswer struct {
	ETag string `header:"ETag"`
	Body User
}

// Visible is what the caller, who is the user, may see: a read-only token no secret.
func Visible(u User, p edge.Principal) User {
	if w := u.Channels.Webhook; w != nil && p.Scope == edge.ScopeRead {
		u.Channels.Webhook = &Webhook{URL: w.URL} // with the secret one could forge what docket sends
	}
	return u
}

func answerUser(u User, p edge.Principal) *meAnswer {
	return &meAnswer{ETag: edge.ETag(u.Version), Body: Visible(u, p)}
}

func (s *Store) getMe(ctx context.Context, _ *struct{}) (*meAnswer, error) {
	p, err := edge.Caller(ctx)
	if err != nil {
		return nil, err
	}
	u, err := s.User(ctx, p.UserID)
	if err != nil {
		return nil, err
	}
	return answerUser(u, p), nil
}

// UserPatch documents the merge patch of a user: parsePatch reads it.
type UserPatch struct {
	Name            *string        `json:"name,omitempty" minLength:"1" maxLength:"100"`
	Email           *string        `json:"email,omitempty" nullable:"true" maxLength:"254"`
	TimeZone        *string        `json:"time_zone,omitempty" doc:"IANA time zone; changing it moves the reminders of floating and date-only tasks"`
	Locale          *string        `json:"locale,omitempty" nullable:"true" maxLength:"64" doc:"BCP 47 language tag; null: en"`
	ReminderMinutes []int          `json:"reminder_minutes,omitempty" nullable:"true" maxItems:"10" doc:"null: [30]"`
	Channels        *ChannelsPatch `json:"channels,omitempty" doc:"null: no e-mail, no webhook, push to the browsers that have subscribed"`
	// Password is no field of the user.
	Password *string `json:"password,omitempty" minLength:"1" maxLength:"256" doc:"The user's, which has to be shown to change email, but by a token of the scope admin, or in a session where there is none; it is not changed by this"`
}

// ChannelsPatch documents the merge patch of a user's channels.
type ChannelsPatch struct {
	Email   *bool         `json:"email,omitempty" doc:"true needs an address in email"`
	Push    *bool         `json:"push,omitempty" doc:"false: no browser gets reminders, though it has subscribed"`
	Webhook *WebhookPatch `json:"webhook,omitempty" doc:"null removes it"`
}

// WebhookPatch documents the merge patch of a user's webhook.
type WebhookPatch struct {
	URL    *string `json:"url,omitempty" format:"uri" maxLength:"2048"`
	Secret *string `json:"secret,omitempty" nullable:"true" doc:"whsec_ and base64 of 24 to 64 bytes; null makes a new one"`
}

// TransformSchema implements huma.SchemaTransformer.
func (UserPatch) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return orNull(s, "channels")
}

// TransformSchema implements huma.SchemaTransformer.
func (ChannelsPatch) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return orNull(s, "webhook")
}

// TransformSchema implements huma.SchemaTransformer.
func (Channels) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return orNull(s, "webhook")
}

// orNull documents that the object at field may be null, which huma has no tag for.
func orNull(s *huma.Schema, field string) *huma.Schema {
	object := s.Properties[field]
	s.Properties[field] = &huma.Schema{
		Description: object.Description,
		OneOf:       []*huma.Schema{{Ref: object.Ref}, {Type: "null"}},
	}
	return s
}

// patchOp documents the body by UserPatch, and leaves the checking of it to parsePatch.
func patchOp(api huma.API) huma.Operation {
	o := op("update-me", http.MethodPatch, "/api/me", "Change the user who asks (JSON merge patch)", http.StatusOK, 400, 403, 409, 412, 429)
	o.Description = "Absent fields stay as they are. With If-Match, only at that version; without it the last write wins, field by field."
	o.SkipValidateBody = true
	content := &huma.MediaType{Schema: api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[UserPatch](), true, "UserPatch")}
	o.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		"application/json": content, "application/merge-patch+json": content,
	}}
	return o
}

type patchInput struct {
	IfMatch string `header:"If-Match" doc:"ETag: change only at this version"`
	Body    json.RawMessage
}

func (s *Store) patchMe(ctx context.Context, in *patchInput) (*meAnswer, error) {
	p, err := edge.Caller(ctx)
	if err != nil {
		return nil, err
	}
	do, password, err := parsePatch(in.Body)
	if err != nil {
		return nil, err
	}
	if do, err = s.guarded(ctx, p, do, password); err != nil {
		return nil, err
	}
	u, err := s.updateUser(ctx, p.UserID, in.IfMatch, do)
	if err != nil {
		return nil, err
	}
	return answerUser(u, p), nil
}

// guarded returns the change where it may be made with a password that was shown, or none: whoever has got hold of a session or a
// token does not change the address, to which a link for a new password goes, unless they know the password. A session needs none
// where there is none: no such link is sent then, and whoever is signed in could set a first password anyway. Neither does a token
// that may all an administrator may, which is to set passwords.
func (s *Store) guarded(ctx context.Context, p edge.Principal, do change, password string) (change, error) {
	session := p.Actor.Kind == "user"
	if !session && p.Admin {
		return do, nil
	}
	if password != "" {
		_, err := s.checkOwnPassword(ctx, p.UserID, "password", password)
		if session && errors.Is(err, ErrNoPassword) {
			err = nil
		}
		return do, err
	}
	return func(u *storedUser) error {
		before := u.Email
		if err := do(u); err != nil || u.Email == before {
			return err
		}
		if session {
			row, err := s.state.Get(ctx, passwordKey(u.ID))
			if err != nil || !row.Exists() {
				return err
			}
		}
		return edge.NewProblem(http.StatusForbidden, "password_needed", "the e-mail address changes only together with the user's password",
			edge.FieldError{Field: "password", Detail: "is needed to change the e-mail address: links to set a new password go there"})
	}, nil
}

type tokensAnswer struct {
	Body []Token `nullable:"false"`
}

func (s *Store) listTokens(ctx context.Context, _ *struct{}) (*tokensAnswer, error) {
	p, err := edge.Caller(ctx)
	if err != nil {
		return nil, err
	}
	tokens, err := s.Tokens(ctx, p.UserID)
	return &tokensAnswer{tokens}, err
}

type tokenInput struct {
	Body struct {
		Name      string     `json:"name" minLength:"1" maxLength:"100" doc:"What the token is for"`
		Scope     string     `json:"scope" enum:"read,write,admin" doc:"read changes nothing; admin, for administrators, may manage users besides"`
		ExpiresAt *time.Time `json:"expires_at,omitempty" nullable:"true" doc:"In the future; null: never"`
	}
}

// NewTokenAnswer shows a new token with its secret, once.
type NewTokenAnswer struct {
	Token
	Secret string `json:"token" doc:"The token itself; it is not shown again"`
}

type newTokenAnswer struct{ Body NewTokenAnswer }

func (s *Store) postToken(ctx context.Context, in *tokenInput) (*newTokenAnswer, error) {
	p, err := edge.Caller(ctx)
	if err != nil {
		return nil, err
	}
	if in.Body.Scope == ScopeAdmin && !p.Admin {
		return nil, needsAdmin("only an administrator, signed in or with a token of the scope admin, may make a token of that scope",
			edge.FieldError{Field: "scope", Detail: "must be read or write"})
	}
	var faults invalid
	faults.check("name", checkName(in.Body.Name))
	faults.check("expires_at", checkExpiry(in.Body.ExpiresAt, s.now()))
	if err := faults.err(); err != nil {
		return nil, err
	}
	t, secret, err := s.NewToken(ctx, p.UserID, TokenRequest(in.Body))
	return &newTokenAnswer{NewTokenAnswer{t, secret}}, err
}

type tokenPath struct {
	ID string `path:"id" maxLength:"100"`
}

func (s *Store) deleteToken(ctx context.Context, in *tokenPath) (*struct{}, error) {
	p, err := edge.Caller(ctx)
	if err != nil {
		return nil, err
	}
	return nil, s.DeleteToken(ctx, p.UserID, in.ID)
}

// SignInCode is a one-time code.
type SignInCode struct {
	Code      string    `json:"code" doc:"Give it to POST /api/session, once"`
	ExpiresAt task.Time `json:"expires_at" format:"date-time"`
}

type linkAnswer struct{ Body SignInCode }

func (s *Store) postLink(ctx context.Context, _ *struct{}) (*linkAnswer, error) {
	p, err := edge.Caller(ctx)
	if err != nil {
		return nil, err
	}
	u, err := s.User(ctx, p.UserID)
	if err != nil {
		return nil, err
	}
	if u.Admin && !p.Admin { // the code makes a session, which may all its user may: no more than whoever asks for it
		return nil, needsAdmin("a sign-in code of an administrator is made by a token of the scope admin, or where one is signed in")
	}
	end := task.At(s.now().Add(CodeLife))
	code, err := s.NewSignInCode(ctx, p.UserID)
	return &linkAnswer{SignInCode{code, end}}, err
}
