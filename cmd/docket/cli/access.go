package cli

import (
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
			return show(cmd.Context(), s, "/api/me/access", s.accessCard)
		},
	}
	jsonFlag(c)
	return c
}

// access is one thing that happened to an account's access.
type access struct {
	At    time.Time `json:"at"`
	Kind  string    `json:"kind"`
	With  string    `json:"with"`
	Times int       `json:"times"`
}

// accessCard prints one.
func (s *session) accessCard(a access) {
	times := strconv.Itoa(a.Times)
	if s.plain() {
		s.line(s.moment(a.At), a.Kind, clean(a.With), times)
		return
	}
	what := strings.ReplaceAll(clean(a.Kind), "_", " ")
	if a.Times > 1 {
		what += " " + times + " times"
	}
	s.card(s.moment(a.At), what, []field{{"with", clean(a.With)}})
}
