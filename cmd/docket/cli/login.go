package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// login is what docket login keeps in the user's configuration folder, in a file that nobody else can read.
type login struct {
	Server string `json:"server"`
	User   string `json:"user"`
	// TokenID names the token to the server, which revokes it at logout.
	TokenID string `json:"token_id"`
	Token   string `json:"token"`
}

// loginFile is where a login is kept; ErrNotExist where this machine has no place for it.
func loginFile() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("%w: %w", fs.ErrNotExist, err)
	}
	return filepath.Join(dir, "docket", "login.json"), nil
}

// savedLogin is the login there is; an error that is fs.ErrNotExist where there is none.
func savedLogin() (l login, file string, err error) {
	if file, err = loginFile(); err != nil {
		return l, file, err
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return l, file, err
	}
	if err := json.Unmarshal(b, &l); err != nil || l.Server == "" || l.Token == "" {
		return l, file, exit(badInput, "%s is not what docket login writes: delete it and log in again", file)
	}
	return l, file, nil
}

func (l login) save(file string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return fmt.Errorf("keep login: %w", err)
	}
	return replaceFile(file, func(w io.Writer) error { return json.NewEncoder(w).Encode(l) })
}

// loginFlags is who logs in, and for what.
type loginFlags struct {
	name, scope, expires, factor string
	fromStdin                    bool
}

func loginCommand(o *options) *cobra.Command {
	var e loginFlags
	c := &cobra.Command{
		Use: "login [SERVER]", Short: "Log in to a server with name and password", Args: cobra.MaximumNArgs(1),
		Long: `Asks for name and password, makes an API token, and keeps it in your configuration folder, where only you can read it. The
other commands use it from then on, unless --server, --token, --data or their variables say otherwise. The password is
not kept. docket logout revokes the token.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				o.server = args[0]
			}
			if !slices.Contains(scopes, e.scope) {
				return exit(badInput, "--scope: %q: use %s", e.scope, strings.Join(scopes, ", "))
			}
			s, err := o.anonymous(cmd)
			if err != nil {
				return err
			}
			return s.login(cmd.Context(), e, cmd.InOrStdin())
		},
	}
	c.Flags().StringVar(&e.name, "name", "", "your name on the server; default: asked for")
	c.Flags().StringVar(&e.scope, "scope", "write", "what the token may: read, write, or admin, which manages users besides")
	c.Flags().StringVar(&e.expires, "expires", "", "when the token ends: 12h, 90d, 4w or a date such as 2027-01-31; default: never")
	c.Flags().StringVar(&e.factor, "code", "", "a code of your authenticator, or a recovery code, where there is a second factor; default: asked for")
	c.Flags().BoolVar(&e.fromStdin, "password-stdin", false, "read the password from the input, to its first line break")
	return c
}

// anonymous is open for one who has no credential yet.
func (o *options) anonymous(cmd *cobra.Command) (*session, error) {
	base, _, err := o.address(login{})
	if err != nil {
		return nil, err
	}
	o.screen = newScreen(cmd.OutOrStdout(), cmd.ErrOrStderr())
	return &session{client: newClient(base), screen: o.screen}, nil
}

func (s *session) login(ctx context.Context, e loginFlags, in io.Reader) error {
	old, file, err := savedLogin()
	switch {
	case err == nil:
		return exit(badInput, "you are logged in to %s as %s: `docket logout` first", clean(old.Server), clean(old.User))
	case file == "" || !errors.Is(err, fs.ErrNotExist):
		return err
	}
	body := map[string]any{"name": "docket login", "scope": e.scope}
	if host, err := os.Hostname(); err == nil {
		body["name"] = "docket login on " + host
	}
	if e.expires != "" {
		end, err := expiry(e.expires, s.now)
		if err != nil {
			return err
		}
		body["expires_at"] = end.UTC()
	}
	s.warnOfPlain()
	name, password, err := s.ask(e, in)
	if err != nil {
		return err
	}
	u, cookie, err := s.signIn(ctx, name, password, e.factor)
	if p, refused := errors.AsType[*problem](err); refused && p.Code == "second_factor_needed" {
		if e.fromStdin {
			return exit(badInput, "a second factor is needed: give --code and what your authenticator shows, or a recovery code")
		}
		code, asked := s.askSecret("Code: ", "--code", false, in)
		if asked != nil {
			return asked
		}
		u, cookie, err = s.signIn(ctx, name, password, code)
	}
	if err != nil {
		return err
	}
	made, err := s.tokenBySession(ctx, cookie, body)
	if err != nil {
		return err
	}
	if err := (login{Server: s.server, User: u.Name, TokenID: made.ID, Token: made.Secret}).save(file); err != nil {
		return err
	}
	s.line("logged in", clean(u.Name), s.server)
	return nil
}

// warnOfPlain says that a password would go over the network as it is.
func (s *session) warnOfPlain() {
	u, err := url.Parse(s.server)
	if err == nil && u.Scheme == "http" && !onThisMachine(u.Hostname()) {
		fmt.Fprintf(s.errs, "the connection to %s is not encrypted: whoever is on the way can read the password\n", u.Host)
	}
}

// ask asks on the terminal for what is not given; the password is not shown.
func (s *session) ask(e loginFlags, in io.Reader) (name, password string, err error) {
	terminal, isFile := in.(*os.File)
	prompts := isFile && term.IsTerminal(int(terminal.Fd()))
	if name = e.name; name == "" {
		if !prompts || e.fromStdin {
			return "", "", exit(badInput, "--name: is needed where nobody can be asked")
		}
		fmt.Fprint(s.errs, "Name: ")
		if name, err = inputLine(terminal); err != nil {
			return "", "", err
		}
	}
	password, err = s.askSecret("Password: ", "--password-stdin", e.fromStdin, in)
	return name, password, err
}

// askSecret reads a line that is not shown: from the terminal, or from the input where the flag asks for that.
func (s *session) askSecret(prompt, flag string, fromStdin bool, in io.Reader) (string, error) {
	if fromStdin {
		return inputLine(in)
	}
	terminal, isFile := in.(*os.File)
	if !isFile || !term.IsTerminal(int(terminal.Fd())) {
		return "", exit(badInput, "there is no terminal to ask on: give %s and the password on the input", flag)
	}
	fmt.Fprint(s.errs, prompt)
	secret, err := term.ReadPassword(int(terminal.Fd()))
	fmt.Fprintln(s.errs)
	if err != nil {
		return "", exit(failed, "read from the terminal: %w", err)
	}
	return notEmpty(string(secret))
}

// inputLine reads up to a line break, and nothing of what is behind it.
func inputLine(in io.Reader) (string, error) {
	var line []byte
	one := make([]byte, 1)
	for len(line) <= bufio.MaxScanTokenSize {
		n, err := in.Read(one)
		if n == 1 && one[0] != '\n' {
			line = append(line, one[0])
		}
		if n == 1 && one[0] == '\n' || errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "", exit(failed, "read the input: %w", err)
		}
	}
	return notEmpty(strings.TrimSuffix(string(line), "\r"))
}

func notEmpty(line string) (string, error) {
	if line == "" {
		return "", exit(badInput, "nothing was given")
	}
	return line, nil
}

// signIn opens a session and returns its cookie.
func (s *session) signIn(ctx context.Context, name, password, factor string) (user, string, error) {
	var in struct {
		User user `json:"user"`
	}
	body := map[string]string{"name": name, "password": password}
	if factor != "" {
		body["second_factor"] = factor
	}
	a, err := s.do(ctx, request{method: http.MethodPost, path: "/api/session", body: body, once: true})
	if err != nil {
		return user{}, "", err
	}
	cookies := (&http.Response{Header: a.header}).Cookies()
	if err := json.Unmarshal(a.body, &in); err != nil || len(cookies) == 0 {
		return user{}, "", exit(failed, "%s does not sign in as docket does: is that a docket server?", s.server)
	}
	return in.User, cookies[0].Name + "=" + cookies[0].Value, nil
}

// tokenBySession makes an API token, and ends the session that was opened for it. Where only that fails the token is good.
func (s *session) tokenBySession(ctx context.Context, cookie string, body map[string]any) (token, error) {
	s.cookie = cookie
	defer func() { s.cookie = "" }()
	made, _, err := call[token](ctx, s.client, request{method: http.MethodPost, path: "/api/tokens", body: body, once: true})
	_, signOut := s.do(ctx, request{method: http.MethodDelete, path: "/api/session"})
	switch {
	case err != nil:
		return made, errors.Join(err, signOut)
	case made.Secret == "":
		return made, exit(failed, "the token is not what docket sends")
	case signOut != nil:
		fmt.Fprintf(s.errs, "the session that made the token is still open, end it in the settings: %v\n", signOut)
	}
	return made, nil
}

func logoutCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use: "logout", Short: "Revoke the token of docket login, and forget it", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			l, file, err := savedLogin()
			if errors.Is(err, fs.ErrNotExist) {
				return exit(badInput, "you are not logged in: see docket login --help")
			}
			if err != nil {
				return err
			}
			c := newClient(l.Server)
			c.token, c.origin = l.Token, file
			o.screen = newScreen(cmd.OutOrStdout(), cmd.ErrOrStderr())
			s := &session{client: c, screen: o.screen}
			return s.logout(cmd.Context(), l, file)
		},
	}
}

// logout forgets a login whose token is, or cannot be, revoked; where the server cannot be asked it stays.
func (s *session) logout(ctx context.Context, l login, file string) error {
	_, err := s.do(ctx, request{method: http.MethodDelete, path: "/api/tokens/" + l.TokenID})
	p, refused := errors.AsType[*problem](err)
	switch {
	case err == nil:
	case refused && (p.Status == http.StatusUnauthorized || p.Status == http.StatusNotFound): // it is revoked
	case refused && p.Status == http.StatusForbidden:
		fmt.Fprintf(s.errs, "the token may only read, and so cannot revoke itself: do that with docket token rm %s, or in the settings\n", l.TokenID)
	default:
		return err
	}
	if err := os.Remove(file); err != nil {
		return fmt.Errorf("forget login: %w", err)
	}
	s.line("logged out", clean(l.User), l.Server)
	return nil
}
