package account

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/docket-tasks/docket/edge"
)

// maxIdentityRequest is the largest body of an exchange, in bytes; a credential has about 50.
const maxIdentityRequest = 4 << 10

// Principal returns whom a credential stands for: an API token, or else a session. ErrNoIdentity where it is
// unknown, revoked or expired; other errors are the host's. That it was used is noted at most once an hour, in
// the background.
func (s *Store) Principal(ctx context.Context, req edge.IdentityRequest) (edge.Principal, error) {
	switch {
	case req.Token != "":
		return s.byToken(ctx, req.Token)
	case req.Session != "":
		return s.bySession(ctx, req.Session)
	}
	return edge.Principal{}, ErrNoIdentity
}

// Internal adds the routes for other services: the exchange of a credential for an identity, the keys that
// identities are signed with, and users.
func (s *Store) Internal(mux *http.ServeMux) {
	mux.HandleFunc("POST /internal/identity", s.serveIdentity)
	mux.HandleFunc("GET /internal/keys", s.serveKeys)
	mux.HandleFunc("GET /internal/users/{id}", s.serveUser)
}

func (s *Store) serveIdentity(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxIdentityRequest))
	if err != nil {
		edge.WriteProblem(w, r, fmt.Errorf("read identity request: %w", err))
		return
	}
	var req edge.IdentityRequest
	if err := edge.UnmarshalJSON(body, &req); err != nil {
		edge.WriteProblem(w, r, problem(invalid{{Field: "body", Detail: err.Error()}}))
		return
	}
	p, err := s.Principal(r.Context(), req)
	if err != nil {
		edge.WriteProblem(w, r, problem(err))
		return
	}
	token, expires, err := s.issue(r.Context(), p)
	if err != nil {
		edge.WriteProblem(w, r, err)
		return
	}
	s.answer(w, r, edge.IdentityAnswer{JWT: token, Expires: expires, UserID: p.UserID})
}

func (s *Store) issue(ctx context.Context, p edge.Principal) (jwt string, expires time.Time, err error) {
	issuer, err := s.issuer(ctx)
	if err != nil {
		return "", expires, err
	}
	return issuer.Issue(p)
}

// Identity returns a fresh JWT of a caller who has shown one, to ask another service on their behalf.
func (s *Store) Identity(ctx context.Context, p edge.Principal) (jwt string, err error) {
	jwt, _, err = s.issue(ctx, p)
	return jwt, err
}

func (s *Store) serveKeys(w http.ResponseWriter, r *http.Request) {
	issuer, err := s.issuer(r.Context())
	if err != nil {
		edge.WriteProblem(w, r, err)
		return
	}
	s.answer(w, r, issuer.PublicKeys())
}

func (s *Store) serveUser(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	if uuid.Validate(id) != nil {
		edge.WriteProblem(w, r, problem(ErrNoUser))
		return
	}
	u, err := s.User(r.Context(), id)
	if err != nil {
		edge.WriteProblem(w, r, problem(err))
		return
	}
	s.answer(w, r, u)
}

// answer writes v as JSON that nobody may keep.
func (s *Store) answer(w http.ResponseWriter, r *http.Request, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if err := json.NewEncoder(w).Encode(v); err != nil {
		s.log.DebugContext(r.Context(), "answer not sent", "error", err) // the caller has gone
	}
}

// problem turns this package's errors into what a caller sees; others pass through, for edge to judge.
func problem(err error) error {
	if faults, ok := errors.AsType[invalid](err); ok {
		return edge.NewProblem(http.StatusBadRequest, "validation_failed", faults[0].Error(), faults...)
	}
	switch {
	case errors.Is(err, ErrNoUser):
		return edge.NewProblem(http.StatusNotFound, "not_found", "there is no such user")
	case errors.Is(err, ErrNoToken):
		return edge.NewProblem(http.StatusNotFound, "not_found", "you have no such token")
	case errors.Is(err, ErrNoIdentity):
		return edge.NewProblem(http.StatusUnauthorized, "unauthorized", "the credential is unknown, was revoked or has expired")
	case errors.Is(err, ErrBadCode):
		return edge.NewProblem(http.StatusBadRequest, "invalid_code", "the sign-in code is unknown, was used or has expired: ask for a new one")
	case errors.Is(err, ErrSignUpClosed):
		return edge.NewProblem(http.StatusForbidden, "sign_up_closed", "nobody can make an account here: ask whoever runs this server for one")
	case errors.Is(err, ErrFactorNeeded):
		return edge.NewProblem(http.StatusBadRequest, "second_factor_needed", "the password is right; a code of the authenticator, or a recovery code, is needed besides",
			edge.FieldError{Field: "second_factor", Detail: "is needed"})
	case errors.Is(err, ErrWrongFactor):
		return edge.NewProblem(http.StatusBadRequest, "wrong_code", "the code is not right, or was used: wait for the next one, or use a recovery code")
	case errors.Is(err, ErrNoFactor):
		return edge.NewProblem(http.StatusNotFound, "not_found", "there is no such second factor")
	case errors.Is(err, ErrFactorSet):
		return edge.NewProblem(http.StatusConflict, "second_factor_set", "there is a second factor already: switch it off first")
	case errors.Is(err, ErrFirstUser):
		return edge.NewProblem(http.StatusConflict, "first_user", "the first user stands for whoever runs this server, and cannot be deleted: to end it, stop docket and delete its data")
	case errors.Is(err, ErrNoPassword):
		return edge.NewProblem(http.StatusConflict, "no_password", "there is no password yet: set one first")
	case errors.Is(err, ErrBadReset):
		return edge.NewProblem(http.StatusBadRequest, "invalid_code", "the code is unknown, was used or has expired: ask for a new one",
			edge.FieldError{Field: "code", Detail: "is not, or no longer, valid"})
	case errors.Is(err, ErrNoMail):
		return edge.NewProblem(http.StatusConflict, "no_mail", "this server sends no e-mail: ask whoever runs it for a link to set a new password")
	case errors.Is(err, ErrBadInvitation):
		return edge.NewProblem(http.StatusBadRequest, "invalid_invitation", "the invitation is unknown, was used, revoked or has expired: ask for a new one",
			edge.FieldError{Field: "invitation", Detail: "is not, or no longer, valid"})
	case errors.Is(err, ErrNoInvitation):
		return edge.NewProblem(http.StatusNotFound, "not_found", "there is no such invitation, or it was used or has expired")
	case errors.Is(err, ErrTooManyInvitations):
		return edge.NewProblem(http.StatusConflict, "too_many_invitations", fmt.Sprintf("there are %d open invitations already: revoke one first", MaxInvitations))
	case errors.Is(err, ErrWrongPassword):
		return edge.NewProblem(http.StatusBadRequest, "wrong_password", "there is no user of that name with that password")
	case errors.Is(err, ErrNoSession):
		return edge.NewProblem(http.StatusNotFound, "not_found", "you have no such session")
	case errors.Is(err, ErrNameTaken):
		return edge.NewProblem(http.StatusConflict, "conflict", "another user has that name",
			edge.FieldError{Field: "name", Detail: "is taken"})
	case errors.Is(err, ErrStale):
		return edge.NewProblem(http.StatusPreconditionFailed, "version_conflict", "the user has changed since you read it: read it again",
			edge.FieldError{Field: "If-Match", Detail: "does not match"})
	case errors.Is(err, ErrTooManyTokens):
		return edge.NewProblem(http.StatusConflict, "too_many_tokens", fmt.Sprintf("you have %d tokens already: delete one first", MaxTokens))
	}
	return connectionProblem(err)
}
