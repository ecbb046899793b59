package account

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/services/backend/passkey"
)

// site is what passkeys are for where the browser asks; together with an error, where else.
func (s *Store) site(at scheme) (passkey.Site, error) {
	name := "http"
	if at.secure {
		name = "https"
	}
	site, err := passkey.SiteOf(s.publicURL, name, at.host)
	if errors.Is(err, passkey.ErrElsewhere) {
		err = edge.NewProblem(http.StatusBadRequest, "passkeys_elsewhere", "browsers have no passkeys for an IP address: open docket at "+site.Origin)
	}
	return site, err
}

// passkeySignInRoutes adds the way in by a passkey.
func (s *Store) passkeySignInRoutes(api huma.API) {
	o := open(op("start-passkey-sign-in", http.MethodPost, "/api/session/passkey/start", "Begin to sign in by a passkey: ask the browser for one", http.StatusOK, 400, 429))
	o.Description = "A cookie binds it to one browser, for ten minutes and one try. It needs no name: the user chooses among the passkeys they have for docket."
	register(api, o, s.postPasskeyStart)
	o = open(op("finish-passkey-sign-in", http.MethodPost, "/api/session/passkey/finish", "Sign in by what the browser has got of the passkey: sets the session's cookie", http.StatusCreated, 400, 429))
	o.Description = "The second factor is not asked for: whoever has the passkey has shown their PIN or body to it."
	register(api, o, s.postPasskeyFinish)
}

// passkeyRoutes adds what users do about their passkeys, and administrators about others'.
func (s *Store) passkeyRoutes(api huma.API) {
	register(api, op("list-passkeys", http.MethodGet, "/api/me/passkeys", "The passkeys by which the user signs in, oldest first", http.StatusOK), s.listPasskeys)
	o := op("start-passkey", http.MethodPost, "/api/me/passkeys/start", "Begin to add a passkey, for who is signed in: ask the browser to make one", http.StatusOK, 400, 403, 409, 429)
	register(api, o, s.postPasskeyAttempt)
	o = op("create-passkey", http.MethodPost, "/api/me/passkeys", "Add the passkey that the browser has made", http.StatusCreated, 400, 403, 409)
	register(api, o, s.postPasskey)
	register(api, op("rename-passkey", http.MethodPatch, "/api/me/passkeys/{id}", "Give a passkey another name", http.StatusOK, 400, 403, 404), s.patchPasskey)
	register(api, op("delete-passkey", http.MethodDelete, "/api/me/passkeys/{id}", "Remove a passkey: nobody signs in by it any more; sessions stay", http.StatusNoContent, 403, 404, 409), s.deletePasskey)
	register(api, op("delete-user-passkeys", http.MethodDelete, "/api/users/{id}/passkeys", "Remove all passkeys of a user, as an administrator; sessions stay", http.StatusNoContent, 403, 404), s.deleteUserPasskeys)
}

type passkeyStartAnswer struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
	Body      struct {
		PublicKey json.RawMessage `json:"public_key" doc:"For navigator.credentials.get: PublicKeyCredentialRequestOptionsJSON of Web Authentication Level 3"`
	}
}

func (s *Store) postPasskeyStart(ctx context.Context, in *struct{ scheme }) (*passkeyStartAnswer, error) {
	site, err := s.site(in.scheme)
	if err != nil {
		return nil, err
	}
	secret, options, err := s.BeginSignIn(ctx, site)
	if err != nil {
		return nil, err
	}
	out := &passkeyStartAnswer{SetCookie: passkeyAttempts.given(secret, in.secure)}
	out.Body.PublicKey = options
	return out, nil
}

type passkeyFinishInput struct {
	comeBack
	Body struct {
		Credential json.RawMessage `json:"credential" doc:"As the browser has it: AuthenticationResponseJSON of Web Authentication Level 3"`
		TimeZone   string          `json:"time_zone,omitempty" maxLength:"64" doc:"The browser's; taken where the user has chosen none and the server knows it"`
	}
}

type passkeyFinishAnswer struct {
	SetCookie []http.Cookie `header:"Set-Cookie"`
	Body      struct {
		User User `json:"user"`
	}
}

func (s *Store) postPasskeyFinish(ctx context.Context, in *passkeyFinishInput) (*passkeyFinishAnswer, error) {
	site, err := s.site(in.scheme)
	if err != nil {
		return nil, err
	}
	b := Browser{TimeZone: in.Body.TimeZone, Client: in.client}
	u, session, err := s.SignInByPasskey(ctx, site, in.attempt(passkeyAttempts), in.Body.Credential, b)
	if err != nil {
		return nil, err
	}
	out := &passkeyFinishAnswer{SetCookie: []http.Cookie{passkeyAttempts.gone(in.secure), sessionCookie(session, in.secure)}}
	out.Body.User = u
	return out, nil
}

type passkeysAnswer struct {
	Body []Passkey `nullable:"false"`
}

func (s *Store) listPasskeys(ctx context.Context, _ *struct{}) (*passkeysAnswer, error) {
	p, err := edge.Caller(ctx)
	if err != nil {
		return nil, err
	}
	list, err := s.Passkeys(ctx, p.UserID)
	return &passkeysAnswer{list}, err
}

type passkeyAttemptInput struct {
	scheme
	Body struct {
		Password string `json:"password,omitempty" maxLength:"256" doc:"The user's; needed where there is one"`
		Factor   string `json:"second_factor,omitempty" maxLength:"100" doc:"A code of the authenticator, or a recovery code; needed where the second factor is on"`
	}
}

type passkeyAttemptAnswer struct {
	Body struct {
		Attempt   string          `json:"attempt" doc:"For POST /api/me/passkeys, once, within ten minutes and in this session"`
		PublicKey json.RawMessage `json:"public_key" doc:"For navigator.credentials.create: PublicKeyCredentialCreationOptionsJSON of Web Authentication Level 3"`
	}
}

func (s *Store) postPasskeyAttempt(ctx context.Context, in *passkeyAttemptInput) (*passkeyAttemptAnswer, error) {
	p, err := inBrowser(ctx)
	if err != nil {
		return nil, err
	}
	site, err := s.site(in.scheme)
	if err != nil {
		return nil, err
	}
	u, err := s.User(ctx, p.UserID)
	if err != nil {
		return nil, err
	}
	out := &passkeyAttemptAnswer{}
	out.Body.Attempt, out.Body.PublicKey, err = s.BeginPasskey(ctx, site, p.Session, u, in.Body.Password, in.Body.Factor)
	return out, err
}

type passkeyInput struct {
	scheme
	Body struct {
		Attempt    string          `json:"attempt" minLength:"1" maxLength:"100"`
		Credential json.RawMessage `json:"credential" doc:"As the browser has it: RegistrationResponseJSON of Web Authentication Level 3"`
		Name       string          `json:"name,omitempty" maxLength:"100" doc:"Absent: the browser and its system"`
	}
}

type passkeyAnswer struct{ Body Passkey }

func (s *Store) postPasskey(ctx context.Context, in *passkeyInput) (*passkeyAnswer, error) {
	p, err := inBrowser(ctx)
	if err != nil {
		return nil, err
	}
	if err := checkNote(in.Body.Name); err != nil {
		return nil, invalid{{Field: "name", Detail: err.Error()}}
	}
	site, err := s.site(in.scheme)
	if err != nil {
		return nil, err
	}
	made, err := s.AddPasskey(ctx, site, p, in.Body.Attempt, cmp.Or(in.Body.Name, in.client, "passkey"), in.Body.Credential)
	return &passkeyAnswer{made}, err
}

type passkeyPath struct {
	ID string `path:"id" minLength:"43" maxLength:"43" pattern:"^[A-Za-z0-9_-]*$"`
}

type passkeyPatchInput struct {
	ID   string `path:"id" minLength:"43" maxLength:"43" pattern:"^[A-Za-z0-9_-]*$"`
	Body struct {
		Name string `json:"name" minLength:"1" maxLength:"100"`
	}
}

func (s *Store) patchPasskey(ctx context.Context, in *passkeyPatchInput) (*passkeyAnswer, error) {
	u, err := s.ownAccount(ctx)
	if err != nil {
		return nil, err
	}
	if err := checkName(in.Body.Name); err != nil {
		return nil, invalid{{Field: "name", Detail: err.Error()}}
	}
	p, err := s.RenamePasskey(ctx, u.ID, in.ID, in.Body.Name)
	return &passkeyAnswer{p}, err
}

func (s *Store) deletePasskey(ctx context.Context, in *passkeyPath) (*struct{}, error) {
	u, err := s.ownAccount(ctx)
	if err != nil {
		return nil, err
	}
	return nil, s.RemovePasskey(ctx, u.ID, in.ID)
}

func (s *Store) deleteUserPasskeys(ctx context.Context, in *userPath) (*struct{}, error) {
	if err := adminOnly(ctx); err != nil {
		return nil, err
	}
	if _, err := s.User(ctx, in.ID); err != nil {
		return nil, err
	}
	return nil, s.RemovePasskeys(ctx, in.ID)
}

// passkeyProblem does what problem does, for the errors about passkeys.
func passkeyProblem(err error) error {
	switch {
	case errors.Is(err, passkey.ErrNowhere):
		return edge.NewProblem(http.StatusBadRequest, "passkeys_unavailable", "passkeys need an address with a name: whoever runs this server names its https address with --public-url")
	case errors.Is(err, passkey.ErrRefused):
		return edge.NewProblem(http.StatusBadRequest, "passkey_refused", "what the browser sent does not hold for this address and this attempt: start again")
	case errors.Is(err, passkey.ErrCopied):
		return edge.NewProblem(http.StatusBadRequest, "passkey_copied", "this passkey has counted back, as a copy does: sign in another way, and remove it")
	case errors.Is(err, ErrUnknownPasskey):
		return edge.NewProblem(http.StatusBadRequest, "unknown_passkey", "nobody here has this passkey (any more): sign in another way")
	case errors.Is(err, ErrNoPasskey):
		return edge.NewProblem(http.StatusNotFound, "not_found", "you have no such passkey")
	case errors.Is(err, ErrPasskeyTaken):
		return edge.NewProblem(http.StatusConflict, "passkey_taken", "this passkey was added before")
	case errors.Is(err, ErrTooManyPasskeys):
		return edge.NewProblem(http.StatusConflict, "too_many_passkeys", fmt.Sprintf("you have %d passkeys already: remove one first", MaxPasskeys))
	}
	return err
}
