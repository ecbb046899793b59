package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

func userCommand(o *options) *cobra.Command {
	c := &cobra.Command{Use: "user", Short: "Make, invite and help users, as an administrator", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return exit(badInput, "say what to do: docket user add NAME, or see docket user --help")
		}}
	c.AddCommand(userAddCommand(o), userPasswordCommand(o), userUnlockCommand(o), userDeleteCommand(o), inviteCommand(o), invitationsCommand(o))
	return c
}

func userAddCommand(o *options) *cobra.Command {
	var email, zone string
	var admin bool
	add := &cobra.Command{
		Use: "add NAME", Short: "Make a user and print their first token", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := o.open(cmd)
			if err != nil {
				return err
			}
			return s.addUser(cmd.Context(), map[string]any{"name": args[0], "email": email, "time_zone": zone, "admin": admin})
		},
	}
	add.Flags().StringVar(&email, "email", "", "e-mail address")
	add.Flags().StringVar(&zone, "zone", "", "time zone, such as Europe/Berlin; default: that of the first sign-in")
	add.Flags().BoolVar(&admin, "admin", false, "let the user make users too")
	jsonFlag(add)
	return add
}

func (s *session) addUser(ctx context.Context, body map[string]any) error {
	for name, v := range body {
		if v == "" && name != "name" {
			delete(body, name)
		}
	}
	doc, _, err := call[json.RawMessage](ctx, s.client, request{method: http.MethodPost, path: "/api/users", body: body, once: true})
	if err != nil {
		return err
	}
	if s.asJSON {
		s.print(doc)
		return nil
	}
	var made struct {
		User  user   `json:"user"`
		Token string `json:"token"`
	}
	if err := json.Unmarshal(doc, &made); err != nil {
		return exit(failed, "the user is not what docket sends: %w", err)
	}
	s.card("created", clean(made.User.Name), []field{{"id", made.User.ID}, {"zone", made.User.TimeZone}, {"token", made.Token},
		{"shell", "DOCKET_SERVER=" + s.server + " DOCKET_TOKEN=" + made.Token + " docket ls"},
		{"browser", "DOCKET_SERVER=" + s.server + " DOCKET_TOKEN=" + made.Token + " docket link"}})
	return nil
}

func userPasswordCommand(o *options) *cobra.Command {
	var fromStdin, removePasskeys bool
	c := &cobra.Command{
		Use: "password NAME", Short: "Print a one-time link by which a user sets a new password", Args: cobra.ExactArgs(1),
		Long: `Prints a link by which the user can set a new password, once, within the hour. With --password-stdin the first line of
the input is the new password. Either signs the user out everywhere; API tokens stay, and so do passkeys without
--remove-passkeys.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := o.open(cmd)
			if err != nil {
				return err
			}
			change := s.resetPassword
			if fromStdin {
				password, err := inputLine(cmd.InOrStdin())
				if err != nil {
					return err
				}
				change = func(ctx context.Context, u user) error { return s.replacePassword(ctx, u, password) }
			}
			u, err := s.userNamed(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if err := change(cmd.Context(), u); err != nil {
				return err
			}
			return s.otherWaysIn(cmd.Context(), u, removePasskeys)
		},
	}
	c.Flags().BoolVar(&fromStdin, "password-stdin", false, "set the password to the first line of the input")
	c.Flags().BoolVar(&removePasskeys, "remove-passkeys", false, "remove the user's passkeys too")
	jsonFlag(c)
	return c
}

// userNamed finds a user, as an administrator.
func (s *session) userNamed(ctx context.Context, name string) (user, error) {
	users, _, err := get[[]user](ctx, s.client, "/api/users", url.Values{"name": {name}})
	if err != nil {
		return user{}, err
	}
	if len(users) == 0 {
		return user{}, exit(notFound, "no user %q", clean(name))
	}
	return users[0], nil
}

// otherWaysIn removes the passkeys of a user who has a new password, or tells of those that stay.
func (s *session) otherWaysIn(ctx context.Context, u user, remove bool) error {
	switch {
	case remove: // also those that do not sign in now: another address would bring them back
		_, err := s.do(ctx, request{method: http.MethodDelete, path: "/api/users/" + u.ID + "/passkeys"})
		return err
	case u.Passkeys == 0:
		return nil
	}
	fmt.Fprintf(s.errs, "%s still signs in by passkey (%d): --remove-passkeys removes them\n", clean(u.Name), u.Passkeys)
	return nil
}

func (s *session) resetPassword(ctx context.Context, u user) error {
	doc, _, err := call[json.RawMessage](ctx, s.client, request{method: http.MethodPost, path: "/api/users/" + u.ID + "/password-reset", once: true})
	if err != nil {
		return err
	}
	var reset struct {
		Code string `json:"code"`
	}
	if err := json.Unmarshal(doc, &reset); err != nil || reset.Code == "" {
		return exit(failed, "the code is not what docket sends")
	}
	if s.asJSON {
		s.print(doc)
	} else {
		s.line(s.server + "/reset#" + reset.Code)
	}
	return nil
}

func (s *session) replacePassword(ctx context.Context, u user, password string) error {
	body := map[string]string{"password": password}
	if _, err := s.do(ctx, request{method: http.MethodPut, path: "/api/users/" + u.ID + "/password", body: body}); err != nil {
		return err
	}
	s.line("changed", clean(u.Name))
	return nil
}

func userUnlockCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use: "unlock NAME", Short: "Switch off the second factor of a user who has lost it", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := o.open(cmd)
			if err != nil {
				return err
			}
			u, err := s.userNamed(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if _, err := s.do(cmd.Context(), request{method: http.MethodDelete, path: "/api/users/" + u.ID + "/second-factor"}); err != nil {
				return err
			}
			s.line("unlocked", clean(u.Name))
			return nil
		},
	}
}

// invitation lets somebody make an account.
type invitation struct {
	ID        string    `json:"id"`
	Note      string    `json:"note"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at"`
	// Code is there only when the invitation was just made.
	Code string `json:"code"`
}

func inviteCommand(o *options) *cobra.Command {
	var expires string
	c := &cobra.Command{
		Use: "invite [NOTE]", Short: "Print a one-time link by which somebody makes an account", Args: cobra.MaximumNArgs(1),
		Long: `Prints a link by which one person can make an account, once. It is not shown again; docket user invitations lists what is
open, with the NOTE that says whom it is for. The server has to run with --sign-up invitation (or open).`,
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := o.open(cmd)
			if err != nil {
				return err
			}
			body := map[string]any{"note": strings.Join(args, "")}
			if expires != "" {
				end, err := expiry(expires, s.now)
				if err != nil {
					return err
				}
				body["expires_at"] = end.UTC().Format(time.RFC3339)
			}
			return s.invite(cmd.Context(), body)
		},
	}
	c.Flags().StringVar(&expires, "expires", "", "when it ends: 12h, 30d, 4w or a date such as 2027-01-31; default: in 7 days")
	jsonFlag(c)
	return c
}

func (s *session) invite(ctx context.Context, body map[string]any) error {
	doc, _, err := call[json.RawMessage](ctx, s.client, request{method: http.MethodPost, path: "/api/invitations", body: body, once: true})
	if err != nil {
		return err
	}
	if s.asJSON {
		s.print(doc)
		return nil
	}
	var made invitation
	if err := json.Unmarshal(doc, &made); err != nil || made.Code == "" {
		return exit(failed, "the invitation is not what docket sends")
	}
	if err := s.home(ctx); err != nil {
		return err
	}
	s.card("invited", clean(made.Note), []field{{"id", made.ID}, {"expires", s.moment(made.ExpiresAt)}, {"link", s.server + "/signup#" + made.Code}})
	return nil
}

func invitationsCommand(o *options) *cobra.Command {
	c := &cobra.Command{
		Use: "invitations", Short: "List the invitations that are open, or revoke some", Args: cobra.NoArgs,
		Long: "Lists the invitations that nobody has used yet. In a pipe each is one line of id, note, created and expires, separated by tabs.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := o.open(cmd)
			if err != nil {
				return err
			}
			return show(cmd.Context(), s, "/api/invitations", s.invitationCard)
		},
	}
	jsonFlag(c)
	c.AddCommand(&cobra.Command{
		Use: "rm ID…", Short: "Revoke invitations", Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := o.open(cmd)
			if err != nil {
				return err
			}
			return s.uninvite(cmd.Context(), args)
		},
	})
	return c
}

// invitationCard prints an invitation.
func (s *session) invitationCard(i invitation) {
	if s.plain() {
		s.line(i.ID, clean(i.Note), s.moment(i.CreatedAt), s.moment(i.ExpiresAt))
		return
	}
	s.card("invitation", clean(i.Note), []field{{"id", i.ID}, {"created", s.moment(i.CreatedAt)}, {"expires", s.moment(i.ExpiresAt)}})
}

// uninvite looks all of them up before it revokes one.
func (s *session) uninvite(ctx context.Context, ids []string) error {
	open, _, err := get[[]invitation](ctx, s.client, "/api/invitations", nil)
	if err != nil {
		return err
	}
	notes := map[string]string{}
	for _, i := range open {
		notes[i.ID] = i.Note
	}
	for _, id := range ids {
		if _, ok := notes[id]; !ok {
			return exit(notFound, "no open invitation %q: `docket user invitations` lists them", clean(id))
		}
	}
	for _, id := range ids {
		if _, err := s.do(ctx, request{method: http.MethodDelete, path: "/api/invitations/" + id}); err != nil {
			return err
		}
		s.line("revoked", id, clean(notes[id]))
	}
	return nil
}
