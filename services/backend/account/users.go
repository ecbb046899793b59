package account

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/task"
)

// userRoutes adds what administrators do about users.
func (s *Store) userRoutes(api huma.API) {
	register(api, op("find-users", http.MethodGet, "/api/users", "The user of a name, for an administrator", http.StatusOK, 403), s.findUsers)
	register(api, op("create-user", http.MethodPost, "/api/users", "Make a user, as an administrator", http.StatusCreated, 400, 403, 409), s.postUser)
	o := op("set-user-password", http.MethodPut, "/api/users/{id}/password", "Set a user's password, as an administrator; signs the user out everywhere", http.StatusNoContent, 400, 403, 404)
	register(api, o, s.putUserPassword)
	o = op("create-password-reset", http.MethodPost, "/api/users/{id}/password-reset", "Make a one-time code by which a user sets a new password, as an administrator", http.StatusCreated, 403, 404)
	register(api, o, s.postUserReset)
}

// adminOnly is nil for an administrator.
func adminOnly(ctx context.Context) error {
	p, err := edge.Caller(ctx)
	if err == nil && !p.Admin {
		err = needsAdmin("this is for an administrator, signed in or with a token of the scope admin")
	}
	return err
}

func needsAdmin(detail string, fields ...edge.FieldError) *edge.Problem {
	return edge.NewProblem(http.StatusForbidden, "forbidden", detail, fields...)
}

type usersQuery struct {
	Name string `query:"name" required:"true" minLength:"1" maxLength:"100" doc:"The whole name, upper and lower case being the same"`
}

// UserSummary is what an administrator sees of another user.
type UserSummary struct {
	ID        string    `json:"id" format:"uuid"`
	Name      string    `json:"name"`
	Email     string    `json:"email" doc:"Empty: none"`
	Admin     bool      `json:"admin"`
	Passkeys  int       `json:"passkeys" minimum:"0" doc:"How many sign the user in, without the password; those for another host than docket has now do not"`
	CreatedAt task.Time `json:"created_at" format:"date-time"`
}

type usersAnswer struct {
	Body []UserSummary `nullable:"false" doc:"One, or none"`
}

func (s *Store) findUsers(ctx context.Context, in *usersQuery) (*usersAnswer, error) {
	if err := adminOnly(ctx); err != nil {
		return nil, err
	}
	var id string
	etag, err := s.load(ctx, nameKey(in.Name), &id)
	if err != nil || etag == "" {
		return &usersAnswer{[]UserSummary{}}, err
	}
	u, err := s.User(ctx, id)
	if errors.Is(err, ErrNoUser) {
		return &usersAnswer{[]UserSummary{}}, nil
	}
	if err != nil {
		return nil, err
	}
	keys, _, err := s.passkeys(ctx, id)
	return &usersAnswer{[]UserSummary{{u.ID, u.Name, u.Email, u.Admin, working(keys), u.CreatedAt}}}, err
}

type userInput struct {
	Body struct {
		Name     string `json:"name" minLength:"1" maxLength:"100"`
		Email    string `json:"email,omitempty" maxLength:"254"`
		TimeZone string `json:"time_zone,omitempty" doc:"IANA time zone; absent: UTC until the first sign-in brings the browser's"`
		Locale   string `json:"locale,omitempty" maxLength:"64" doc:"BCP 47 language tag; absent: en"`
		Admin    bool   `json:"admin,omitempty"`
	}
}

// NewUserAnswer shows a new user with a first API token, once.
type NewUserAnswer struct {
	User  User   `json:"user"`
	Token string `json:"token" doc:"An API token with the scope write, or admin for an administrator; it is not shown again"`
}

type newUserAnswer struct{ Body NewUserAnswer }

func (s *Store) postUser(ctx context.Context, in *userInput) (*newUserAnswer, error) {
	if err := adminOnly(ctx); err != nil {
		return nil, err
	}
	u, err := s.newUser(in.Body.Name)
	if err != nil {
		return nil, err
	}
	var faults invalid
	faults.check("name", checkName(in.Body.Name))
	faults.check("email", checkEmail(in.Body.Email))
	u.Email, u.Admin = in.Body.Email, in.Body.Admin
	if in.Body.TimeZone != "" {
		faults.check("time_zone", checkZone(in.Body.TimeZone))
		u.TimeZone, u.ZoneChosen = in.Body.TimeZone, true
	}
	if in.Body.Locale != "" {
		faults.check("locale", checkLocale(in.Body.Locale))
		u.Locale = in.Body.Locale
	}
	if err := faults.err(); err != nil {
		return nil, err
	}
	token, err := s.createUser(ctx, u)
	return &newUserAnswer{NewUserAnswer{u.User, token}}, err
}

type userPath struct {
	ID string `path:"id" format:"uuid"`
}

type userPasswordInput struct {
	ID   string `path:"id" format:"uuid"`
	Body struct {
		Password string `json:"password" minLength:"8" maxLength:"256" doc:"Not one of the 10,000 most common"`
	}
}

func (s *Store) putUserPassword(ctx context.Context, in *userPasswordInput) (*struct{}, error) {
	if err := adminOnly(ctx); err != nil {
		return nil, err
	}
	if err := checkPassword(in.Body.Password); err != nil {
		return nil, invalid{{Field: "password", Detail: err.Error()}}
	}
	if _, err := s.User(ctx, in.ID); err != nil {
		return nil, err
	}
	return nil, s.ReplacePassword(ctx, in.ID, in.Body.Password)
}

type resetAnswer struct{ Body ResetCode }

func (s *Store) postUserReset(ctx context.Context, in *userPath) (*resetAnswer, error) {
	if err := adminOnly(ctx); err != nil {
		return nil, err
	}
	code, end, err := s.NewResetCode(ctx, in.ID)
	return &resetAnswer{ResetCode{code, end}}, err
}
