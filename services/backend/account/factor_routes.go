package account

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/task"
)

// SecondFactor is what a user may know of theirs.
type SecondFactor struct {
	Enabled bool `json:"enabled"`
	// EnabledAt is nil where it is not.
	EnabledAt     *task.Time `json:"enabled_at" format:"date-time"`
	RecoveryCodes int        `json:"recovery_codes" doc:"How many are left"`
}

// Enrolment is an authenticator that is to be confirmed.
type Enrolment struct {
	ID     string `json:"id"`
	Secret string `json:"secret" doc:"Base32, to type into an authenticator app: RFC 6238 with SHA-1, 6 digits, 30 seconds. It is not shown again"`
	URI    string `json:"uri" doc:"The same as an otpauth address, for a QR code"`
}

// factorRoutes adds what a user does about a second factor.
func (s *Store) factorRoutes(api huma.API) {
	register(api, op("get-second-factor", http.MethodGet, "/api/me/second-factor", "Whether a code is asked for at sign-in, besides the password", http.StatusOK), s.getFactor)
	o := op("enrol-second-factor", http.MethodPost, "/api/me/second-factor", "Set up an authenticator app; it counts once it is confirmed", http.StatusCreated, 400, 403, 409, 429)
	register(api, o, s.postFactor)
	o = op("confirm-second-factor", http.MethodPost, "/api/me/second-factor/{id}/confirm", "Switch the second factor on, by a first code; the recovery codes are shown once", http.StatusOK, 400, 403, 404, 409)
	register(api, o, s.postConfirm)
	o = op("disable-second-factor", http.MethodPost, "/api/me/second-factor/disable", "Switch the second factor off", http.StatusNoContent, 400, 403, 404, 429)
	register(api, o, s.postDisable)
	o = op("renew-recovery-codes", http.MethodPost, "/api/me/second-factor/recovery-codes", "Make new recovery codes, which are shown once, instead of all that are left", http.StatusOK, 400, 403, 404)
	register(api, o, s.postRecoveryCodes)
	o = op("delete-user-second-factor", http.MethodDelete, "/api/users/{id}/second-factor", "Switch off the second factor of a user who has lost it, as an administrator", http.StatusNoContent, 403, 404)
	register(api, o, s.deleteUserFactor)
}

// ownAccount is the caller, who may all that the user may: what keeps others out is not for a lesser credential.
func (s *Store) ownAccount(ctx context.Context) (User, error) {
	p, err := edge.Caller(ctx)
	if err != nil {
		return User{}, err
	}
	u, err := s.User(ctx, p.UserID)
	if err == nil && u.Admin && !p.Admin {
		err = needsAdmin("an administrator does this signed in, or by a token of the scope admin")
	}
	return u, err
}

type factorAnswer struct{ Body SecondFactor }

func (s *Store) getFactor(ctx context.Context, _ *struct{}) (*factorAnswer, error) {
	p, err := edge.Caller(ctx)
	if err != nil {
		return nil, err
	}
	row, _, err := s.factor(ctx, p.UserID)
	return &factorAnswer{SecondFactor{row.enabled(), row.EnabledAt, len(row.Recovery)}}, err
}

type enrolInput struct {
	Body struct {
		Password string `json:"password" minLength:"1" maxLength:"256" doc:"The user's, to show that it is them"`
	}
}

type enrolAnswer struct{ Body Enrolment }

func (s *Store) postFactor(ctx context.Context, in *enrolInput) (*enrolAnswer, error) {
	u, err := s.ownAccount(ctx)
	if err != nil {
		return nil, err
	}
	id, secret, err := s.Enrol(ctx, u.ID, in.Body.Password)
	return &enrolAnswer{Enrolment{id, secretEncoding.EncodeToString(secret), keyURI(u.Name, secret)}}, err
}

type confirmInput struct {
	ID   string `path:"id" maxLength:"100"`
	Body struct {
		Code string `json:"code" minLength:"6" maxLength:"6" doc:"As the authenticator shows it"`
	}
}

type recoveryAnswer struct {
	Body struct {
		RecoveryCodes []string `json:"recovery_codes" nullable:"false" doc:"Each signs in once instead of a code; they are not shown again"`
	}
}

func (s *Store) postConfirm(ctx context.Context, in *confirmInput) (*recoveryAnswer, error) {
	u, err := s.ownAccount(ctx)
	if err != nil {
		return nil, err
	}
	out := &recoveryAnswer{}
	out.Body.RecoveryCodes, err = s.Confirm(ctx, u.ID, in.ID, in.Body.Code)
	return out, err
}

// provenInput shows that it is the user who asks.
type provenInput struct {
	Body struct {
		Password string `json:"password" minLength:"1" maxLength:"256"`
		Code     string `json:"code" minLength:"1" maxLength:"100" doc:"Of the authenticator, or a recovery code"`
	}
}

func (s *Store) postDisable(ctx context.Context, in *provenInput) (*struct{}, error) {
	u, err := s.ownAccount(ctx)
	if err != nil {
		return nil, err
	}
	return nil, s.Disable(ctx, u.ID, in.Body.Password, in.Body.Code)
}

func (s *Store) postRecoveryCodes(ctx context.Context, in *provenInput) (*recoveryAnswer, error) {
	u, err := s.ownAccount(ctx)
	if err != nil {
		return nil, err
	}
	out := &recoveryAnswer{}
	out.Body.RecoveryCodes, err = s.RenewRecovery(ctx, u.ID, in.Body.Password, in.Body.Code)
	return out, err
}

func (s *Store) deleteUserFactor(ctx context.Context, in *userPath) (*struct{}, error) {
	if err := adminOnly(ctx); err != nil {
		return nil, err
	}
	if _, err := s.User(ctx, in.ID); err != nil {
		return nil, err
	}
	return nil, s.RemoveFactor(ctx, in.ID)
}
