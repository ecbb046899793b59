package cli

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/spf13/cobra"
)

// user is what the API says of the one who asks.
type user struct {
	ID              string `json:"id"`
	Name            string `json:"name"`
	Passkeys        int    `json:"passkeys"` // of another user, as administrators see them
	Email           string `json:"email"`
	TimeZone        string `json:"time_zone"`
	Locale          string `json:"locale"`
	ReminderMinutes []int  `json:"reminder_minutes"`
	Channels        struct {
		Email   bool `json:"email"`
		Webhook *struct {
			URL    string `json:"url"`
			Secret string `json:"secret"`
		} `json:"webhook"`
	} `json:"channels"`
	Admin bool `json:"admin"`
	First bool `json:"first"`
}

// me reads who asks, and makes their time zone the one that dates are told in.
func (s *session) me(ctx context.Context) (user, error) {
	u, _, err := get[user](ctx, s.client, "/api/me", nil)
	if err != nil {
		return user{}, err
	}
	if zone, err := time.LoadLocation(u.TimeZone); err == nil { // unknown here: this machine's has to do
		s.zone = zone
	}
	return u, nil
}

// home is me for one who needs no more than the time zone.
func (s *session) home(ctx context.Context) error {
	_, err := s.me(ctx)
	return err
}

// meFlags are the settings of a user; "none" clears one.
type meFlags struct {
	name, email, zone, locale, remind, webhook string
	mail                                       bool
	// fromStdin has the password read from the input, where it is needed.
	fromStdin bool
}

func meCommand(o *options) *cobra.Command {
	var f meFlags
	c := &cobra.Command{
		Use: "me", Short: "Show or change your settings", Args: cobra.NoArgs,
		Long: `Shows your settings, or changes those that flags are given for. "none" clears one.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := o.open(cmd)
			if err != nil {
				return err
			}
			patch, err := f.patch(cmd.Flags().Changed)
			if err != nil {
				return err
			}
			if f.fromStdin {
				if patch["password"], err = inputLine(cmd.InOrStdin()); err != nil {
					return err
				}
			}
			return s.settings(cmd.Context(), patch, cmd.InOrStdin())
		},
	}
	c.AddCommand(meDeleteCommand(o))
	p := c.Flags()
	p.StringVar(&f.name, "name", "", "your name")
	p.StringVar(&f.email, "email", "", "your e-mail address; none")
	p.StringVar(&f.zone, "zone", "", "your time zone, such as Europe/Berlin: dates without offset are in it")
	p.StringVar(&f.locale, "locale", "", "your language, such as en; none")
	p.StringVar(&f.remind, "remind", "", "reminders of new tasks: 30m,1d or minutes before; none")
	p.StringVar(&f.webhook, "webhook", "", "address that reminders are posted to; none")
	p.BoolVar(&f.fromStdin, "password-stdin", false, "read the password, which a new e-mail address needs, from the input")
	p.BoolVar(&f.mail, "mail", false, "send reminders to your e-mail address too; --mail=false ends it")
	jsonFlag(c)
	return c
}

// patch is the merge patch of the flags given.
func (f meFlags) patch(given func(string) bool) (map[string]any, error) {
	patch, channels := map[string]any{}, map[string]any{}
	for flag, set := range map[string]struct{ field, value string }{
		"email": {"email", f.email}, "zone": {"time_zone", f.zone}, "locale": {"locale", f.locale},
	} {
		if given(flag) {
			patch[set.field] = orNull(set.value)
		}
	}
	if given("name") {
		patch["name"] = f.name
	}
	if given("remind") {
		minutes, err := remindFlag(f.remind)
		if err != nil {
			return nil, err
		}
		patch["reminder_minutes"] = minutes
	}
	if given("mail") {
		channels["email"] = f.mail
	}
	switch {
	case !given("webhook"):
	case f.webhook == none:
		channels["webhook"] = nil
	default:
		channels["webhook"] = map[string]string{"url": f.webhook}
	}
	if len(channels) > 0 {
		patch["channels"] = channels
	}
	return patch, nil
}

func (s *session) settings(ctx context.Context, patch map[string]any, in io.Reader) error {
	r := request{method: http.MethodGet, path: "/api/me"}
	if len(patch) > 0 {
		r.method, r.body = http.MethodPatch, patch
	}
	doc, _, err := call[json.RawMessage](ctx, s.client, r)
	if p, refused := errors.AsType[*problem](err); refused && p.Code == "password_needed" {
		if patch["password"], err = s.askSecret("Password: ", "--password-stdin", false, in); err != nil {
			return err
		}
		doc, _, err = call[json.RawMessage](ctx, s.client, r)
	}
	if err != nil {
		return err
	}
	if s.asJSON {
		s.print(doc)
		return nil
	}
	var u user
	if err := json.Unmarshal(doc, &u); err != nil {
		return exit(failed, "the user is not what docket sends: %w", err)
	}
	role, mail := "", ""
	if u.Admin {
		role = "administrator"
	}
	if u.Channels.Email {
		mail = "on"
	}
	fields := []field{
		{"id", u.ID}, {"role", role}, {"email", clean(u.Email)}, {"zone", clean(u.TimeZone)}, {"locale", clean(u.Locale)},
		{"reminders", s.reminders(u.ReminderMinutes)}, {"mail", mail},
	}
	if w := u.Channels.Webhook; w != nil {
		fields = append(fields, field{"webhook", clean(w.URL)}, field{"webhook secret", clean(w.Secret)})
	}
	s.card("user", clean(u.Name), fields)
	return nil
}
