package cli

import (
	"context"
	"time"
)

// user is what the API says of the one who asks.
type user struct {
	ID              string `json:"id"`
	Name            string `json:"name"`
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
}

// home makes the user's time zone the one that dates are told in.
func (s *session) home(ctx context.Context) error {
	u, _, err := get[user](ctx, s.client, "/api/me", nil)
	if err != nil {
		return err
	}
	if zone, err := time.LoadLocation(u.TimeZone); err == nil { // unknown here: this machine's has to do
		s.zone = zone
	}
	return nil
}
