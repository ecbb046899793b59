package account

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/docket-tasks/docket/host"
)

// FuzzPatch: whatever the body, it is either refused with a field named, or makes a valid user of a valid one,
// the same one when applied twice, and leaves the old value alone (it is shared).
func FuzzPatch(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"name":"Ada","email":"ada@example.org","locale":"pt-BR","time_zone":"Europe/Berlin"}`,
		`{"reminder_minutes":[0,40320,5],"channels":{"email":true,"webhook":{"url":"https://x.org/a?b#c","secret":null}}}`,
		`{"channels":null,"email":null,"reminder_minutes":null}`, `{"channels":{"webhook":null}}`,
		`{"name":"\ud83d\ude00","name":"b"}`, `{"time_zone":"../x"}`, `[]`, `{"locale":"x-private"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		do, _, err := parsePatch(body)
		if err != nil {
			wantNamed(t, err)
			return
		}
		old, before := sample(), sample()
		u := old
		err = do(&u)
		if diff := cmp.Diff(before, old); diff != "" {
			t.Fatalf("the old value was changed:\n%s", diff)
		}
		if err != nil {
			wantNamed(t, err)
			return
		}
		wantValid(t, u)
		again := u
		if err := do(&again); err != nil {
			t.Fatalf("applied twice: %v", err)
		}
		if diff := cmp.Diff(u, again); diff != "" {
			t.Errorf("applied twice:\n%s", diff)
		}
		if u.ID != old.ID || u.Version != old.Version || u.Admin != old.Admin || u.CreatedAt != old.CreatedAt {
			t.Errorf("a read-only field was changed: %+v", u)
		}
	})
}

func sample() storedUser {
	return storedUser{User: User{
		ID: "0199a0d2-7c00-7000-8000-000000000001", Name: "Me", Email: "me@example.org", TimeZone: "UTC", Locale: "en",
		ReminderMinutes: []int{30}, Version: 7,
		Channels: Channels{Email: true, Webhook: &Webhook{URL: "https://example.org/", Secret: "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"}},
	}}
}

func wantNamed(t *testing.T, err error) {
	t.Helper()
	faults, ok := errors.AsType[invalid](err)
	if !ok || len(faults) == 0 {
		t.Fatalf("not an invalid: %v", err)
	}
	for _, f := range faults {
		if f.Detail == "" {
			t.Errorf("nothing said about %q", f.Field)
		}
	}
}

func wantValid(t *testing.T, u storedUser) {
	t.Helper()
	errs := []error{checkName(u.Name), checkEmail(u.Email), checkZone(u.TimeZone), checkLocale(u.Locale)}
	if w := u.Channels.Webhook; w != nil {
		errs = append(errs, checkWebhookURL(w.URL), checkWebhookSecret(w.Secret))
	}
	if u.Channels.Email && u.Email == "" {
		errs = append(errs, errors.New("e-mail without an address"))
	}
	list := slices.Clone(u.ReminderMinutes)
	slices.Sort(list)
	if len(list) > 10 || len(slices.Compact(list)) != len(u.ReminderMinutes) || len(list) > 0 && (list[0] < 0 || list[len(list)-1] > 40320) {
		errs = append(errs, errors.New("reminders"))
	}
	if err := errors.Join(errs...); err != nil {
		t.Errorf("accepted %+v: %v", u, err)
	}
}

// A user who was stored before there was Web Push wants it like a new one; one who has switched it off does not.
func TestChannelsOfOlderUsers(t *testing.T) {
	s := newSite(t).store
	for row, want := range map[string]bool{`{"channels":{"email":true,"webhook":null}}`: true, `{}`: true, `{"channels":{"push":false}}`: false} {
		u, err := s.Decode(host.Item{Key: UserKey(row), Value: []byte(row), ETag: "1"})
		if err != nil || u.Channels.Push != want {
			t.Errorf("%s: push %t, %v", row, u.Channels.Push, err)
		}
	}
}
