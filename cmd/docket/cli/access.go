package cli

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

func accessCommand(o *options) *cobra.Command {
	c := &cobra.Command{
		Use: "access", Short: "Show who got into your account, or failed to, and when", Args: cobra.NoArgs,
		Long: `Shows sign-ins, failures, and changes of what lets one in, newest first. In a pipe each is one line of when, what, with which
browser or token, and how often, separated by tabs.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := o.open(cmd)
			if err != nil {
				return err
			}
			return s.access(cmd.Context())
		},
	}
	jsonFlag(c)
	return c
}

func (s *session) access(ctx context.Context) error {
	doc, _, err := get[json.RawMessage](ctx, s.client, "/api/me/access", nil)
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
	var list []struct {
		At    time.Time `json:"at"`
		Kind  string    `json:"kind"`
		With  string    `json:"with"`
		Times int       `json:"times"`
	}
	if err := json.Unmarshal(doc, &list); err != nil {
		return exit(failed, "the accesses are not what docket sends: %w", err)
	}
	for _, a := range list {
		times := strconv.Itoa(a.Times)
		if s.plain() {
			s.line(s.moment(a.At), a.Kind, clean(a.With), times)
			continue
		}
		what := strings.ReplaceAll(clean(a.Kind), "_", " ")
		if a.Times > 1 {
			what += " " + times + " times"
		}
		s.card(s.moment(a.At), what, []field{{"with", clean(a.With)}})
	}
	return nil
}
