package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// notification is one entry of the inbox.
type notification struct {
	ID        string     `json:"notification_id"`
	Message   string     `json:"message"`
	CreatedAt time.Time  `json:"created_at"`
	Read      bool       `json:"read"`
	Channels  []delivery `json:"channels"`
	doc       json.RawMessage
}

// delivery is what became of a reminder on one way.
type delivery struct {
	Channel string `json:"channel"`
	Status  string `json:"delivery_status"`
}

func inboxCommand(o *options) *cobra.Command {
	var unread bool
	var limit int
	c := &cobra.Command{
		Use: "inbox", Short: "Show reminders that have come, and mark them as read", Args: cobra.NoArgs,
		Long: `Shows the reminders that have come, the newest first, and what became of each on every way it was sent.

In a pipe each is one line of time, unread or read, id, message and deliveries, separated by tabs.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := o.open(cmd)
			if err != nil {
				return err
			}
			return s.inbox(cmd.Context(), unread, limit)
		},
	}
	c.Flags().BoolVar(&unread, "unread", false, "only what has not been read")
	c.Flags().IntVarP(&limit, "limit", "n", 20, "how many to show at most; 0 shows all")
	jsonFlag(c)
	c.AddCommand(&cobra.Command{
		Use: "read [ID…]", Short: "Mark reminders as read, all without an ID",
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := o.open(cmd)
			if err != nil {
				return err
			}
			return s.markRead(cmd.Context(), args)
		},
	})
	return c
}

// notifications reads the inbox, up to limit entries unless that is 0.
func (c *client) notifications(ctx context.Context, unread bool, limit int) (out []notification, err error) {
	q := url.Values{"limit": {strconv.Itoa(maxPage)}, "unread": {strconv.FormatBool(unread)}}
	if limit > 0 {
		q.Set("limit", strconv.Itoa(min(limit, maxPage)))
	}
	err = c.pages(ctx, "/api/notifications", q, func(doc json.RawMessage, _ http.Header) (bool, error) {
		n := notification{doc: doc}
		if err := json.Unmarshal(doc, &n); err != nil {
			return false, exit(failed, "the inbox is not what docket sends: %w", err)
		}
		out = append(out, n)
		return len(out) != limit, nil
	})
	return out, err
}

func (s *session) inbox(ctx context.Context, unread bool, limit int) error {
	if limit < 0 {
		return exit(badInput, "--limit: is %d: give a number of reminders, or 0 for all", limit)
	}
	entries, err := s.notifications(ctx, unread, limit)
	if err != nil {
		return err
	}
	if s.asJSON {
		docs := make([]found, len(entries))
		for i, n := range entries {
			docs[i].doc = n.doc
		}
		s.print(array(docs))
		return nil
	}
	if err := s.home(ctx); err != nil {
		return err
	}
	for _, n := range entries {
		s.notification(n)
	}
	return nil
}

func (s *screen) notification(n notification) {
	state, st := "unread", bold
	if n.Read {
		state, st = "read", dim
	}
	ways := make([]string, len(n.Channels))
	for i, d := range n.Channels {
		ways[i] = d.Channel + " " + d.Status
	}
	if s.plain() {
		s.line(s.moment(n.CreatedAt), state, n.ID, clean(n.Message), strings.Join(ways, ", "))
		return
	}
	line := s.paint(dim, s.moment(n.CreatedAt)) + "  " + s.paint(st, clean(n.Message))
	for _, d := range n.Channels {
		if d.Status == "failed" {
			line += "  " + s.paint(red, clean(d.Channel)+" failed")
		}
	}
	s.line(line)
}

func (s *session) markRead(ctx context.Context, ids []string) error {
	if len(ids) == 0 {
		entries, err := s.notifications(ctx, true, 0)
		if err != nil {
			return err
		}
		for _, n := range entries {
			ids = append(ids, n.ID)
		}
	}
	for _, id := range ids {
		_, err := s.do(ctx, request{method: http.MethodPost, path: "/api/notifications/" + url.PathEscape(id) + "/read"})
		if err != nil {
			return exit(ExitCode(err), "%w (notification %s)", err, clean(id))
		}
	}
	s.line("read", fmt.Sprint(len(ids)))
	return nil
}
