package cli

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// token is an API token as the API shows it.
type token struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	Scope      string     `json:"scope"`
	CreatedAt  time.Time  `json:"created_at"`
	ExpiresAt  *time.Time `json:"expires_at"`
	LastUsedAt *time.Time `json:"last_used_at"`
	// Secret is there only when the token was just made.
	Secret string `json:"token"`
}

func tokenCommand(o *options) *cobra.Command {
	c := &cobra.Command{
		Use: "token", Short: "List, make and revoke API tokens", Args: cobra.NoArgs,
		Long: "Lists your API tokens. In a pipe each is one line of id, name, scope, created, expires and last used, separated by tabs.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := o.open(cmd)
			if err != nil {
				return err
			}
			return show(cmd.Context(), s, "/api/tokens", s.tokenCard)
		},
	}
	jsonFlag(c)
	c.AddCommand(tokenCreateCommand(o), tokenRemoveCommand(o))
	return c
}

// show prints a list of the API: as it came where JSON is asked for, and else element by element.
func show[T any](ctx context.Context, s *session, path string, one func(T)) error {
	doc, _, err := get[json.RawMessage](ctx, s.client, path, nil)
	if err != nil {
		return err
	}
	if s.asJSON {
		s.print(doc)
		return nil
	}
	if err := s.home(ctx); err != nil {
		return err
	}
	var list []T
	if err := json.Unmarshal(doc, &list); err != nil {
		return exit(failed, "%s is not what docket sends: %w", path, err)
	}
	for _, v := range list {
		one(v)
	}
	return nil
}

// tokenCard prints a token.
func (s *session) tokenCard(t token) {
	if s.plain() {
		s.line(t.ID, clean(t.Name), t.Scope, s.moment(t.CreatedAt), s.perhaps(t.ExpiresAt), s.perhaps(t.LastUsedAt))
		return
	}
	s.card(t.Scope, clean(t.Name), []field{{"id", t.ID}, {"created", s.moment(t.CreatedAt)}, {"expires", s.perhaps(t.ExpiresAt)}, {"last used", s.perhaps(t.LastUsedAt)}})
}

// perhaps tells a moment that may not be there.
func (s *screen) perhaps(t *time.Time) string {
	if t == nil {
		return "never"
	}
	return s.moment(*t)
}

// scopes are what a token may be made for.
var scopes = []string{"read", "write", "admin"}

func tokenCreateCommand(o *options) *cobra.Command {
	var readOnly bool
	var scope, expires string
	c := &cobra.Command{
		Use: "create NAME", Short: "Make an API token; it is shown once", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := o.open(cmd)
			if err != nil {
				return err
			}
			if readOnly {
				scope = "read"
			}
			if !slices.Contains(scopes, scope) {
				return exit(badInput, "--scope: %q: use %s", scope, strings.Join(scopes, ", "))
			}
			body := map[string]any{"name": args[0], "scope": scope}
			if expires != "" {
				end, err := expiry(expires, s.now)
				if err != nil {
					return err
				}
				body["expires_at"] = end.UTC().Format(time.RFC3339)
			}
			return s.createToken(cmd.Context(), body)
		},
	}
	c.Flags().StringVar(&scope, "scope", "write", "what the token may: read, write, or admin, which manages users besides")
	c.Flags().BoolVar(&readOnly, "read-only", false, "short for --scope read")
	c.MarkFlagsMutuallyExclusive("scope", "read-only")
	c.Flags().StringVar(&expires, "expires", "", "when it ends: 12h, 90d, 4w or a date such as 2027-01-31; default: never")
	jsonFlag(c)
	return c
}

func (s *session) createToken(ctx context.Context, body map[string]any) error {
	doc, _, err := call[json.RawMessage](ctx, s.client, request{method: http.MethodPost, path: "/api/tokens", body: body, once: true})
	if err != nil {
		return err
	}
	if s.asJSON {
		s.print(doc)
		return nil
	}
	var t token
	if err := json.Unmarshal(doc, &t); err != nil {
		return exit(failed, "the token is not what docket sends: %w", err)
	}
	s.card("created", clean(t.Name), []field{{"id", t.ID}, {"scope", t.Scope}, {"expires", s.perhaps(t.ExpiresAt)}, {"token", t.Secret}})
	if !s.plain() {
		s.line("", s.paint(dim, "The token is not shown again. Use it with DOCKET_TOKEN, --token, or as Authorization: Bearer."))
	}
	return nil
}

// expiry reads a time to live, or a date, whose end is meant.
func expiry(v string, now time.Time) (time.Time, error) {
	if day, err := time.ParseInLocation(time.DateOnly, v, time.Local); err == nil {
		return day.AddDate(0, 0, 1), nil
	}
	hours := map[string]int{"h": 1, "d": 24, "w": 7 * 24}
	if len(v) > 1 {
		n, err := strconv.ParseUint(v[:len(v)-1], 10, 16)
		if per := hours[v[len(v)-1:]]; err == nil && n > 0 && per > 0 {
			return now.Add(time.Duration(n) * time.Duration(per) * time.Hour), nil
		}
	}
	return time.Time{}, exit(badInput, "--expires: %q is not understood: give 12h, 90d, 4w or a date such as 2027-01-31", clean(v))
}

func tokenRemoveCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use: "rm ID|NAME…", Short: "Revoke API tokens", Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := o.open(cmd)
			if err != nil {
				return err
			}
			return s.revoke(cmd.Context(), args)
		},
	}
}

func (s *session) revoke(ctx context.Context, names []string) error {
	tokens, _, err := get[[]token](ctx, s.client, "/api/tokens", nil)
	if err != nil {
		return err
	}
	var meant []token
	for _, name := range names {
		var fit []token
		for _, t := range tokens {
			if t.ID == strings.ToLower(name) || t.Name == name {
				fit = append(fit, t)
			}
		}
		switch len(fit) {
		case 0:
			return exit(notFound, "no token %q: `docket token` lists them", clean(name))
		case 1:
			meant = append(meant, fit[0])
		default:
			return exit(ambiguous, "%q is the name of %d tokens: give the id of one, from `docket token`", clean(name), len(fit))
		}
	}
	for _, t := range meant {
		if _, err := s.do(ctx, request{method: http.MethodDelete, path: "/api/tokens/" + t.ID}); err != nil {
			return err
		}
		s.line("revoked", t.ID, clean(t.Name))
	}
	return nil
}

func linkCommand(o *options) *cobra.Command {
	c := &cobra.Command{
		Use: "link", Short: "Make a one-time link that signs you in, in a browser", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := o.open(cmd)
			if err != nil {
				return err
			}
			doc, _, err := call[json.RawMessage](cmd.Context(), s.client, request{method: http.MethodPost, path: "/api/session/link", once: true})
			if err != nil {
				return err
			}
			var link struct {
				Code string `json:"code"`
			}
			if err := json.Unmarshal(doc, &link); err != nil || link.Code == "" {
				return exit(failed, "the sign-in code is not what docket sends")
			}
			if s.asJSON {
				s.print(doc)
			} else {
				s.line(s.server + "/signin#" + link.Code)
			}
			return nil
		},
	}
	jsonFlag(c)
	return c
}
