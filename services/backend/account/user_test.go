package account

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/host"
)

// Several processes that start at once make one first user, and one of them gets its token.
func TestBootstrapHappensOnce(t *testing.T) {
	st := newSite(t)
	const processes = 8
	var users [processes]User
	var tokens [processes]string
	var created atomic.Int32
	atOnce(processes, func(i int) {
		s := New(Config{Now: st.clock.now, Logger: quiet}, st.host.State, st.host.Secrets)
		u, token, made, err := s.Bootstrap(t.Context(), fmt.Sprintf("Me %d", i), "Europe/Berlin")
		if err != nil {
			t.Error(err)
		}
		if made {
			created.Add(1)
		}
		users[i], tokens[i] = u, token
	})
	if created.Load() != 1 {
		t.Fatalf("created %d times, want once", created.Load())
	}
	for i, u := range users {
		if diff := cmp.Diff(users[0], u); diff != "" {
			t.Errorf("process %d has another first user (-0 +%d):\n%s", i, i, diff)
		}
	}
	token := slices.MaxFunc(tokens[:], strings.Compare)
	p, err := st.store.Principal(t.Context(), edge.IdentityRequest{Token: token})
	if err != nil {
		t.Fatal(err)
	}
	if p.UserID != users[0].ID || !p.Admin || p.Scope != edge.ScopeWrite {
		t.Errorf("the first token stands for %+v", p)
	}
	if users[0].TimeZone != "Europe/Berlin" || uuid.MustParse(users[0].ID).Version() != 7 {
		t.Errorf("first user: %+v", users[0])
	}
}

// A first user from before users knew that they were is told at the next start, and cannot be deleted meanwhile.
func TestFirstUserFromBefore(t *testing.T) {
	st := newSite(t)
	u, _ := st.first()
	_, err := st.store.updateUser(t.Context(), u.ID, "", func(u *storedUser) error {
		u.First = false
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := st.store.Delete(t.Context(), u.ID); !errors.Is(err, ErrFirstUser) {
		t.Errorf("delete: %v", err)
	}
	again, _, created, err := st.store.Bootstrap(t.Context(), "Me", "")
	if err != nil || created || again.ID != u.ID || !again.First {
		t.Errorf("%+v, created %v, error %v", again, created, err)
	}
}

func TestUser(t *testing.T) {
	st := newSite(t)
	u, me := st.first()
	var got User
	res := st.call(me, http.MethodGet, "/api/me", "")
	res.want(t, http.StatusOK, &got)
	if diff := cmp.Diff(u, got); diff != "" {
		t.Errorf("GET /api/me (-want +got):\n%s", diff)
	}
	if tag := res.header.Get("ETag"); tag != `"1"` {
		t.Errorf("ETag %s", tag)
	}
	golden := fmt.Sprintf(`{"id":%q,"name":"Me","email":"","time_zone":"UTC","locale":"en","reminder_minutes":[30],`+
		`"channels":{"email":false,"push":true,"webhook":null},"admin":true,"first":true,"created_at":"2026-03-01T09:00:00.000Z","version":1}`, u.ID)
	if string(res.body) != golden {
		t.Errorf("body %s\nwant %s", res.body, golden)
	}
	internal := st.serve(st.internal, http.MethodGet, "/internal/users/"+u.ID, nil, "")
	internal.want(t, http.StatusOK, nil)
	if string(internal.body) != golden {
		t.Errorf("internal body %s\nwant %s", internal.body, golden)
	}
	for _, id := range []string{uuid.NewString(), "x", "%00", "a%7C%7Cb"} {
		st.serve(st.internal, http.MethodGet, "/internal/users/"+id, nil, "").wantProblem(t, http.StatusNotFound, "not_found", "")
	}
	if _, err := st.store.User(t.Context(), uuid.NewString()); !errors.Is(err, ErrNoUser) {
		t.Errorf("an unknown user: %v", err)
	}
	if _, err := st.store.Decode(host.Item{Key: UserKey("x")}); !errors.Is(err, ErrNoUser) {
		t.Errorf("an absent item: %v", err)
	}
}

// Another replica's change is seen at once: what is decoded counts at its ETag only.
func TestUserIsNeverStale(t *testing.T) {
	st := newSite(t)
	u, me := st.first()
	other := siteOn(t, st.host, st.clock)
	for i := range 20 {
		locale := []string{"de", "fr"}[i%2]
		st.call(me, http.MethodPatch, "/api/me", `{"locale":"`+locale+`"}`).want(t, http.StatusOK, nil)
		got, err := other.store.User(t.Context(), u.ID)
		if err != nil {
			t.Fatal(err)
		}
		if got.Locale != locale {
			t.Fatalf("change %d: the other replica sees %q, want %q", i, got.Locale, locale)
		}
	}
}

func TestPatchRefuses(t *testing.T) {
	st := newSite(t)
	u, me := st.first()
	before := st.item(UserKey(u.ID))
	for _, c := range []struct{ body, field string }{
		{`{"name":""}`, "name"},
		{`{"name":null}`, "name"},
		{`{"name":5}`, "name"},
		{`{"name":" Ada"}`, "name"},
		{`{"name":"A\nB"}`, "name"},
		{`{"name":"` + strings.Repeat("é", 101) + `"}`, "name"},
		{`{"email":"ada"}`, "email"},
		{`{"email":"Ada <ada@example.org>"}`, "email"},
		{`{"email":"ada@example.org\r\nBcc: x@y.z"}`, "email"},
		{`{"email":"` + strings.Repeat("a", 250) + `@b.de"}`, "email"},
		{`{"time_zone":""}`, "time_zone"},
		{`{"time_zone":"Local"}`, "time_zone"},
		{`{"time_zone":null}`, "time_zone"},
		{`{"time_zone":"../../etc/passwd"}`, "time_zone"},
		{`{"time_zone":"right/Europe/Berlin"}`, "time_zone"},
		{`{"time_zone":"Mars/Olympus"}`, "time_zone"},
		{`{"locale":"tlh-XX-1"}`, "locale"},
		{`{"locale":"en_US"}`, "locale"},
		{`{"locale":""}`, "locale"},
		{`{"reminder_minutes":[-1]}`, "reminder_minutes"},
		{`{"reminder_minutes":[40321]}`, "reminder_minutes"},
		{`{"reminder_minutes":[5,5]}`, "reminder_minutes"},
		{`{"reminder_minutes":[1.5]}`, "reminder_minutes"},
		{`{"reminder_minutes":[null]}`, "reminder_minutes"},
		{`{"reminder_minutes":["5"]}`, "reminder_minutes"},
		{`{"reminder_minutes":5}`, "reminder_minutes"},
		{`{"reminder_minutes":[0,1,2,3,4,5,6,7,8,9,10]}`, "reminder_minutes"},
		{`{"channels":[]}`, "channels"},
		{`{"channels":{"sms":true}}`, "channels.sms"},
		{`{"channels":{"email":"yes"}}`, "channels.email"},
		{`{"channels":{"push":null}}`, "channels.push"},
		{`{"channels":{"email":null}}`, "channels.email"},
		{`{"channels":{"email":true}}`, "channels.email"},
		{`{"channels":{"webhook":{}}}`, "channels.webhook.url"},
		{`{"channels":{"webhook":{"url":null}}}`, "channels.webhook.url"},
		{`{"channels":{"webhook":{"url":"/relative"}}}`, "channels.webhook.url"},
		{`{"channels":{"webhook":{"url":"ftp://example.org/"}}}`, "channels.webhook.url"},
		{`{"channels":{"webhook":{"url":"https://"}}}`, "channels.webhook.url"},
		{`{"channels":{"webhook":{"url":"https://example.org/` + strings.Repeat("a", 2048) + `"}}}`, "channels.webhook.url"},
		{`{"channels":{"webhook":{"url":"https://example.org/","secret":"whsec_c2hvcnQ="}}}`, "channels.webhook.secret"},
		{`{"channels":{"webhook":{"url":"https://example.org/","secret":"MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"}}}`, "channels.webhook.secret"},
		{`{"channels":{"webhook":{"url":"https://example.org/","method":"PUT"}}}`, "channels.webhook.method"},
		{`{"id":"x"}`, "id"},
		{`{"admin":false}`, "admin"},
		{`{"first":false}`, "first"},
		{`{"version":9}`, "version"},
		{`{"created_at":null}`, "created_at"},
		{`{"Name":"Ada"}`, "Name"},
		{`{"shoe_size":43}`, "shoe_size"},
		{`{"locale":"de","shoe_size":43}`, "shoe_size"},
		{`{"locale":"de","locale":"fr"}`, "body"},
		{`{"name":"\ud800"}`, "body"},
		{"{\"name\":\"\xff\"}", "body"},
		{`[]`, "body"},
		{`null`, "body"},
		{`{"name":`, "body"},
		{`{} {}`, "body"},
	} {
		st.call(me, http.MethodPatch, "/api/me", c.body).wantProblem(t, http.StatusBadRequest, "validation_failed", c.field)
	}
	st.call(me, http.MethodPatch, "/api/me", `{"name":"`+strings.Repeat("a", 64<<10)+`"}`).want(t, http.StatusRequestEntityTooLarge, nil)
	if after := st.item(UserKey(u.ID)); after.ETag != before.ETag {
		t.Error("a refused patch changed the user")
	}
}

func TestPatch(t *testing.T) {
	st := newSite(t)
	_, me := st.first()
	patch := func(body string) (u User) {
		t.Helper()
		st.call(me, http.MethodPatch, "/api/me", body, "Content-Type", "application/merge-patch+json").want(t, http.StatusOK, &u)
		return u
	}
	u := patch(`{"name":"Ada Lovelace","email":"ada@example.org","locale":"pt-BR","reminder_minutes":[5,60,0]}`)
	if u.Name != "Ada Lovelace" || u.Email != "ada@example.org" || u.Locale != "pt-BR" || !slices.Equal(u.ReminderMinutes, []int{60, 5, 0}) || u.Version != 2 {
		t.Errorf("%+v", u)
	}
	if u = patch(`{"reminder_minutes":[],"channels":{"email":true,"webhook":{"url":"https://example.org/hook"}}}`); u.Version != 3 {
		t.Errorf("version %d, want 3", u.Version)
	}
	if len(u.ReminderMinutes) != 0 || u.ReminderMinutes == nil || !u.Channels.Email || checkWebhookSecret(u.Channels.Webhook.Secret) != nil {
		t.Errorf("%+v %+v", u, u.Channels.Webhook)
	}
	secret := u.Channels.Webhook.Secret
	if u = patch(`{"channels":{"webhook":{"url":"http://example.org:8080/other"}}}`); u.Channels.Webhook.Secret != secret || !u.Channels.Email {
		t.Errorf("a merge patch changed what it does not name: %+v", u.Channels)
	}
	if u = patch(`{"channels":{"push":false}}`); u.Channels.Push || !u.Channels.Email {
		t.Errorf("push switched off: %+v", u.Channels)
	}
	if u = patch(`{"channels":{"webhook":{"secret":null}}}`); u.Channels.Webhook.Secret == secret || checkWebhookSecret(u.Channels.Webhook.Secret) != nil {
		t.Errorf("secret null made %q", u.Channels.Webhook.Secret)
	}
	st.call(me, http.MethodPatch, "/api/me", `{"email":null}`).wantProblem(t, http.StatusBadRequest, "validation_failed", "channels.email")
	u = patch(`{"email":null,"locale":null,"reminder_minutes":null,"channels":null}`)
	if u.Email != "" || u.Locale != "en" || !slices.Equal(u.ReminderMinutes, []int{30}) || u.Channels != (Channels{Push: true}) {
		t.Errorf("%+v", u)
	}
	if again := patch(`{"email":"","locale":"en"}`); again.Version != u.Version {
		t.Errorf("a patch that changes nothing made version %d of %d", again.Version, u.Version)
	}
}

func TestPatchIfMatch(t *testing.T) {
	st := newSite(t)
	_, me := st.first()
	try := func(tag, locale string) response {
		return st.call(me, http.MethodPatch, "/api/me", `{"locale":"`+locale+`"}`, "If-Match", tag)
	}
	try(`"1"`, "de").want(t, http.StatusOK, nil)
	for _, tag := range []string{`"1"`, `W/"2"`, `2`, `"x"`} {
		try(tag, "fr").wantProblem(t, http.StatusPreconditionFailed, "version_conflict", "If-Match")
	}
	try(`"1", "2"`, "it").want(t, http.StatusOK, nil)
	try(`*`, "es").want(t, http.StatusOK, nil)
}

// Without If-Match, patches made at once on several replicas lose nothing: the last wins field by field.
func TestPatchesAtOnce(t *testing.T) {
	st := newSite(t)
	u, me := st.first()
	bodies := []string{`{"name":"Ada"}`, `{"email":"ada@example.org"}`, `{"locale":"de"}`, `{"reminder_minutes":[7]}`, `{"channels":{"webhook":{"url":"https://example.org"}}}`}
	replicas := st.replicas(len(bodies))
	atOnce(len(bodies), func(i int) {
		if res := replicas[i].call(me, http.MethodPatch, "/api/me", bodies[i]); res.status != http.StatusOK {
			t.Errorf("%s: %d %s", bodies[i], res.status, res.body)
		}
	})
	got, err := st.store.User(t.Context(), u.ID)
	if err != nil {
		t.Fatal(err)
	}
	if got.Name != "Ada" || got.Email != "ada@example.org" || got.Locale != "de" || got.ReminderMinutes[0] != 7 || got.Channels.Webhook == nil || got.Version != 6 {
		t.Errorf("%+v", got)
	}
}

// A change of the time zone, and no other, carries the jobs that compute the reminders anew: at once, and when changes under way have settled.
func TestZoneChangeSchedulesJobs(t *testing.T) {
	node := openNode(t, t.TempDir())
	st := siteOn(t, node.Host("backend"), newClock())
	u, me := st.first()
	jobs := make(chan host.Job, 4)
	err := node.Start(t.Context(), host.Service{Name: "backend", Job: func(_ context.Context, j host.Job) error {
		jobs <- j
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	st.call(me, http.MethodPatch, "/api/me", `{"locale":"de"}`).want(t, http.StatusOK, nil)
	st.call(me, http.MethodPatch, "/api/me", `{"time_zone":"Asia/Tokyo"}`).want(t, http.StatusOK, nil)
	want := ZoneChange{UserID: u.ID, Version: 3, From: "UTC", At: st.clock.now()}
	j := <-jobs
	var data ZoneChange
	if err := json.Unmarshal(j.Data, &data); err != nil || data != want {
		t.Errorf("data %s: %v", j.Data, err)
	}
	if j.Name != "zone-"+u.ID+"-3" || !j.Due.Equal(st.clock.now()) {
		t.Errorf("job %s at %v", j.Name, j.Due)
	}
	got, err := st.store.User(t.Context(), u.ID)
	if err != nil {
		t.Fatal(err)
	}
	if got.Zone().String() != "Asia/Tokyo" {
		t.Errorf("zone %v", got.Zone())
	}
	if (User{TimeZone: "Mars/Olympus"}).Zone() != time.UTC {
		t.Error("a zone this machine does not know is not UTC")
	}
}

func TestNewUsers(t *testing.T) {
	st := newSite(t)
	_, admin := st.first()
	var made NewUserAnswer
	st.call(admin, http.MethodPost, "/api/users", `{"name":"Straße","email":"s@example.org","time_zone":"Europe/Paris"}`).want(t, http.StatusCreated, &made)
	if made.User.Admin || made.User.TimeZone != "Europe/Paris" || made.User.Email != "s@example.org" {
		t.Errorf("%+v", made.User)
	}
	ada := edge.IdentityRequest{Token: made.Token}
	st.call(ada, http.MethodGet, "/api/me", "").want(t, http.StatusOK, nil)
	st.call(ada, http.MethodPost, "/api/users", `{"name":"Eve"}`).wantProblem(t, http.StatusForbidden, "forbidden", "")
	for _, name := range []string{"Straße", "STRASSE", "me"} {
		st.call(admin, http.MethodPost, "/api/users", `{"name":"`+name+`"}`).wantProblem(t, http.StatusConflict, "conflict", "name")
	}
	for body, field := range map[string]string{
		`{}`:                                    "name",
		`{"name":"x","shoe_size":1}`:            "shoe_size",
		`{"name":" x"}`:                         "name",
		`{"name":"x","email":"no"}`:             "email",
		`{"name":"x","time_zone":"Nowhere/At"}`: "time_zone",
		`{"name":"x","locale":"a_b"}`:           "locale",
	} {
		st.call(admin, http.MethodPost, "/api/users", body).wantProblem(t, http.StatusBadRequest, "validation_failed", field)
	}

	// A new name frees the old one, and is taken from then on; names hold what a key must not.
	st.call(ada, http.MethodPatch, "/api/me", `{"name":"ME"}`).wantProblem(t, http.StatusConflict, "conflict", "name")
	st.call(ada, http.MethodPatch, "/api/me", `{"name":"a||b/c"}`).want(t, http.StatusOK, nil)
	st.call(ada, http.MethodPatch, "/api/me", `{"name":"A||B/C"}`).want(t, http.StatusOK, nil)
	st.call(admin, http.MethodPost, "/api/users", `{"name":"a||B/c"}`).wantProblem(t, http.StatusConflict, "conflict", "name")
	st.call(admin, http.MethodPost, "/api/users", `{"name":"Straße"}`).want(t, http.StatusCreated, nil)
}

// Of two users made at once with one name, one is.
func TestNamesAreUniqueAtOnce(t *testing.T) {
	st := newSite(t)
	_, admin := st.first()
	var made, refused atomic.Int32
	names := []string{"ada", "Ada", "ADA", "aDa"}
	atOnce(len(names), func(i int) {
		switch res := st.call(admin, http.MethodPost, "/api/users", `{"name":"`+names[i]+`"}`); res.status {
		case http.StatusCreated:
			made.Add(1)
		case http.StatusConflict:
			refused.Add(1)
		}
	})
	if made.Load() != 1 || refused.Load() != 3 {
		t.Errorf("%d made, %d refused", made.Load(), refused.Load())
	}
}

func BenchmarkUser(b *testing.B) {
	st := newSite(b)
	u, _ := st.first()
	for b.Loop() {
		if _, err := st.store.User(b.Context(), u.ID); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	st := newSite(b)
	u, _ := st.first()
	item := st.item(UserKey(u.ID))
	for b.Loop() {
		if _, err := st.store.Decode(item); err != nil {
			b.Fatal(err)
		}
	}
}
