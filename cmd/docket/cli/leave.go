package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// forGood is what deleting an account means, for the help of both commands that do it.
const forGood = `Deletes it for good: every sign-in and token ends at once; tasks, filters, notifications and settings are erased, and of the
history all but ids, types and times. Nothing brings them back. docket export --all FILE, by whom the account belongs to,
has everything before. The name of the account is asked for, unless --yes is given.`

func userDeleteCommand(o *options) *cobra.Command {
	var yes bool
	c := &cobra.Command{
		Use: "delete NAME", Short: "Delete a user's account for good", Args: cobra.ExactArgs(1), Long: forGood,
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := o.open(cmd)
			if err != nil {
				return err
			}
			u, err := s.userNamed(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if err := s.confirm(u, yes, cmd.InOrStdin()); err != nil {
				return err
			}
			if _, err := s.do(cmd.Context(), request{method: http.MethodDelete, path: "/api/users/" + u.ID}); err != nil {
				return err
			}
			s.line("deleted", clean(u.Name))
			return nil
		},
	}
	c.Flags().BoolVar(&yes, "yes", false, "do not ask for the name")
	return c
}

// leaveFlags is how one shows that the account is one's own.
type leaveFlags struct {
	yes, fromStdin bool
	factor         string
}

func meDeleteCommand(o *options) *cobra.Command {
	var f leaveFlags
	c := &cobra.Command{
		Use: "delete", Short: "Delete your account for good", Args: cobra.NoArgs,
		Long: forGood + " Your password is asked for, and a code where the second factor is on.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := o.open(cmd)
			if err != nil {
				return err
			}
			return s.leave(cmd.Context(), f, cmd.InOrStdin())
		},
	}
	c.Flags().BoolVar(&f.yes, "yes", false, "do not ask for the name")
	c.Flags().BoolVar(&f.fromStdin, "password-stdin", false, "read the password from the input, to its first line break")
	c.Flags().StringVar(&f.factor, "code", "", "a code of your authenticator, or a recovery code, where there is a second factor; default: asked for")
	return c
}

// confirm has the name of the account typed on the terminal.
func (s *session) confirm(u user, yes bool, in io.Reader) error {
	if yes {
		return nil
	}
	terminal, isFile := in.(*os.File)
	if !isFile || !term.IsTerminal(int(terminal.Fd())) {
		return exit(badInput, "there is no terminal to ask on: give --yes to delete the account of %s for good", clean(u.Name))
	}
	fmt.Fprintf(s.errs, "This deletes the account of %s on %s for good. Type the name to go on: ", clean(u.Name), s.server)
	typed, err := inputLine(terminal)
	if err == nil && typed != u.Name {
		err = exit(badInput, "that is not the name: nothing has been deleted")
	}
	return err
}

// leave deletes the account of whoever asks, and forgets the login that is over with it.
func (s *session) leave(ctx context.Context, f leaveFlags, in io.Reader) error {
	u, err := s.me(ctx)
	if err != nil {
		return err
	}
	if u.First { // nobody has to type a password to hear that
		return exit(failed, "this is the account that docket was set up with, which cannot be deleted: to end it, stop docket and delete its data")
	}
	if err := s.confirm(u, f.yes, in); err != nil {
		return err
	}
	proof := map[string]string{}
	if f.factor != "" {
		proof["second_factor"] = f.factor
	}
	if f.fromStdin {
		if proof["password"], err = inputLine(in); err != nil {
			return err
		}
	}
	if err := s.prove(ctx, proof, in); err != nil {
		return err
	}
	s.line("deleted", clean(u.Name))
	if l, file, err := savedLogin(); err == nil && l.Token == s.token {
		return os.Remove(file)
	}
	return nil
}

// prove deletes the account with the proof given, and asks for what the server finds missing in it: the password, then a code.
func (s *session) prove(ctx context.Context, proof map[string]string, in io.Reader) error {
	questions := map[string]struct{ field, prompt, flag string }{
		"validation_failed": {"password", "Password: ", "--password-stdin"}, "second_factor_needed": {"second_factor", "Code: ", "--code"},
	}
	for {
		_, err := s.do(ctx, request{method: http.MethodDelete, path: "/api/me", body: proof})
		p, refused := errors.AsType[*problem](err)
		if !refused {
			return err
		}
		q, known := questions[p.Code]
		if !known || proof[q.field] != "" {
			return err
		}
		if proof[q.field], err = s.askSecret(q.prompt, q.flag, false, in); err != nil {
			return err
		}
	}
}
