package account

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/task"
)

// Limits of invitations.
const (
	// MaxInvitations is how many may be open at once.
	MaxInvitations = 100
	// InvitationLife is how long an invitation is good where whoever makes it says nothing.
	InvitationLife    = 7 * 24 * time.Hour
	maxInvitationLife = 90 * 24 * time.Hour
)

var (
	// ErrBadInvitation means that the code of an invitation is unknown, used, revoked or expired.
	ErrBadInvitation = errors.New("the invitation is unknown, was used, revoked or has expired")
	// ErrNoInvitation means that there is no invitation of that id.
	ErrNoInvitation = errors.New("no such invitation")
	// ErrTooManyInvitations means that [MaxInvitations] are open.
	ErrTooManyInvitations = errors.New("too many invitations")
)

// Invitation lets somebody make one account. It is kept at invitation/<id>.
type Invitation struct {
	// ID is the hash of the code.
	ID        string    `json:"id" doc:"Invites nobody: it is not the code"`
	Note      string    `json:"note" doc:"Whom it is for, for those who list them"`
	CreatedAt task.Time `json:"created_at" format:"date-time"`
	ExpiresAt task.Time `json:"expires_at" format:"date-time"`
}

// invitationsKey holds the ids of the invitations, oldest first; some may be used or over. Using one leaves the list
// alone, so that people who sign up at once do not wait for each other.
const invitationsKey = "invitations"

func invitationKey(id string) string { return "invitation/" + id }

// invitationID is that of the invitation with the code, empty for none.
func invitationID(code string) string {
	if code == "" {
		return ""
	}
	return hash(code)
}

// redeem returns the operation that uses up an invitation, none for an empty id, or [ErrBadInvitation].
func (s *Store) redeem(ctx context.Context, id string) ([]host.Op, error) {
	if id == "" {
		return nil, nil
	}
	var row Invitation
	key := invitationKey(id)
	etag, err := s.load(ctx, key, &row)
	if err != nil {
		return nil, err
	}
	if etag == "" || expired(&row.ExpiresAt, s.now()) {
		return nil, ErrBadInvitation
	}
	return []host.Op{host.Remove(key, etag)}, nil
}

// Invitations returns those that can still be used, oldest first.
func (s *Store) Invitations(ctx context.Context) ([]Invitation, error) {
	list, _, err := s.openInvitations(ctx)
	return list, err
}

func (s *Store) openInvitations(ctx context.Context) (open []Invitation, etag string, err error) {
	var ids []string
	if etag, err = s.load(ctx, invitationsKey, &ids); err != nil {
		return nil, "", err
	}
	keys := make([]string, len(ids))
	for i, id := range ids {
		keys[i] = invitationKey(id)
	}
	items, err := s.state.GetBulk(ctx, keys)
	if err != nil {
		return nil, "", fmt.Errorf("read invitations: %w", err)
	}
	open = []Invitation{}
	for _, item := range items {
		var row Invitation
		if err := decode(item, &row); err != nil {
			return nil, "", err
		}
		if item.Exists() && !expired(&row.ExpiresAt, s.now()) {
			open = append(open, row)
		}
	}
	return open, etag, nil
}

// Invite returns an invitation that is good until end, and its code, which is not kept. ErrTooManyInvitations.
func (s *Store) Invite(ctx context.Context, note string, end time.Time) (made Invitation, code string, err error) {
	code = newSecret("")
	made = Invitation{ID: hash(code), Note: note, CreatedAt: task.At(s.now()), ExpiresAt: task.At(end)}
	create := expiring(host.Create(invitationKey(made.ID), encode(made)), &made.ExpiresAt, s.now())
	err = host.Retry(ctx, func() error {
		open, etag, err := s.openInvitations(ctx)
		if err != nil {
			return err
		}
		if len(open) >= MaxInvitations {
			return ErrTooManyInvitations
		}
		ids := make([]string, 0, len(open)+1)
		for _, i := range open {
			ids = append(ids, i.ID)
		}
		return s.state.Commit(ctx, host.Tx{Ops: []host.Op{create, host.Replace(invitationsKey, encode(append(ids, made.ID)), etag)}})
	})
	if err != nil {
		return Invitation{}, "", fmt.Errorf("invite: %w", err)
	}
	return made, code, nil
}

// Uninvite revokes an invitation, or returns [ErrNoInvitation] where it is not open any more.
func (s *Store) Uninvite(ctx context.Context, id string) error {
	err := host.Retry(ctx, func() error {
		var row Invitation
		etag, err := s.load(ctx, invitationKey(id), &row)
		if err != nil {
			return err
		}
		if etag == "" || expired(&row.ExpiresAt, s.now()) {
			return ErrNoInvitation
		}
		return s.state.Commit(ctx, host.Tx{Ops: []host.Op{host.Remove(invitationKey(id), etag)}})
	})
	if err != nil {
		return fmt.Errorf("revoke invitation: %w", err)
	}
	return nil
}

// invitationRoutes adds what administrators do about invitations.
func (s *Store) invitationRoutes(api huma.API) {
	register(api, op("list-invitations", http.MethodGet, "/api/invitations", "The invitations that are open, oldest first, for an administrator", http.StatusOK, 403), s.listInvitations)
	o := op("create-invitation", http.MethodPost, "/api/invitations", "Invite somebody to make an account, as an administrator; the code is shown once", http.StatusCreated, 400, 403, 409)
	o.Description = "Its code makes one account. Where signing up is closed there is nothing to invite to: 409 sign_up_closed."
	register(api, o, s.postInvitation)
	register(api, op("delete-invitation", http.MethodDelete, "/api/invitations/{id}", "Revoke an invitation, as an administrator", http.StatusNoContent, 403, 404), s.deleteInvitation)
}

type invitationsAnswer struct {
	Body []Invitation `nullable:"false"`
}

func (s *Store) listInvitations(ctx context.Context, _ *struct{}) (*invitationsAnswer, error) {
	if err := adminOnly(ctx); err != nil {
		return nil, err
	}
	list, err := s.Invitations(ctx)
	return &invitationsAnswer{list}, err
}

type invitationInput struct {
	Body struct {
		Note      string     `json:"note,omitempty" maxLength:"100" doc:"Whom it is for, for those who list invitations"`
		ExpiresAt *time.Time `json:"expires_at,omitempty" nullable:"true" doc:"In the future, at most 90 days from now; absent: in 7 days"`
	}
}

// NewInvitationAnswer shows a new invitation with its code, once.
type NewInvitationAnswer struct {
	Invitation
	Code string `json:"code" doc:"Give it to POST /api/accounts, once; /signup# and the code is the page for it. It is not shown again"`
}

type newInvitationAnswer struct{ Body NewInvitationAnswer }

func (s *Store) postInvitation(ctx context.Context, in *invitationInput) (*newInvitationAnswer, error) {
	if err := adminOnly(ctx); err != nil {
		return nil, err
	}
	if s.signUp == SignUpClosed {
		return nil, edge.NewProblem(http.StatusConflict, "sign_up_closed", "signing up is closed here: start the server with --sign-up invitation, or make the user yourself")
	}
	end := s.now().Add(InvitationLife)
	if in.Body.ExpiresAt != nil {
		end = *in.Body.ExpiresAt
	}
	var faults invalid
	faults.check("note", checkNote(in.Body.Note))
	faults.check("expires_at", checkExpiry(&end, s.now()))
	if len(faults) == 0 && end.After(s.now().Add(maxInvitationLife)) {
		faults.check("expires_at", errors.New("must be at most 90 days from now"))
	}
	if err := faults.err(); err != nil {
		return nil, err
	}
	made, code, err := s.Invite(ctx, in.Body.Note, end)
	return &newInvitationAnswer{NewInvitationAnswer{made, code}}, err
}

type invitationPath struct {
	ID string `path:"id" minLength:"43" maxLength:"43" pattern:"^[A-Za-z0-9_-]*$"`
}

func (s *Store) deleteInvitation(ctx context.Context, in *invitationPath) (*struct{}, error) {
	if err := adminOnly(ctx); err != nil {
		return nil, err
	}
	return nil, s.Uninvite(ctx, in.ID)
}
