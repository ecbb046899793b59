package account

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/host"
)

// scheduling is a store that shows which jobs are committed. Requests and what they leave behind commit at the same time.
type scheduling struct {
	host.State
	mu   sync.Mutex
	jobs []host.JobIntent
}

func (s *scheduling) Commit(ctx context.Context, tx host.Tx) error {
	err := s.State.Commit(ctx, tx)
	if err == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.jobs = append(s.jobs, tx.Jobs...)
	}
	return err
}

// waiting are the jobs that nobody has taken.
func (s *scheduling) waiting() []host.JobIntent {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.jobs)
}

// take takes a job that is due, if there is one.
func (s *scheduling) take(now time.Time) (j host.JobIntent, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.jobs, func(j host.JobIntent) bool { return !j.Due.After(now) })
	if i < 0 {
		return j, false
	}
	j = s.jobs[i]
	s.jobs = slices.Delete(s.jobs, i, i+1)
	return j, true
}

// postOffice is a site with a mail server, and who carries its jobs out.
type postOffice struct {
	*site
	jobs    *scheduling
	letters []Letter
	answer  error
}

func newPostOffice(t *testing.T) *postOffice {
	t.Helper()
	h := openNode(t, t.TempDir()).Host("backend")
	jobs := &scheduling{State: h.State}
	h.State = jobs
	o := &postOffice{site: siteOn(t, h, newClock()), jobs: jobs}
	o.store.publicURL = "https://docket.test"
	o.store.post = func(_ context.Context, l Letter) error {
		o.letters = append(o.letters, l)
		return o.answer
	}
	return o
}

// withAddress makes an account that has the address.
func (o *postOffice) withAddress(name, email string) User {
	o.t.Helper()
	u, here := o.account(name)
	o.call(here, http.MethodPatch, "/api/me", string(encode(map[string]string{"email": email, "password": goodPassword}))).want(o.t, http.StatusOK, &u)
	return u
}

// forgot asks for a link, does what is due, and returns the letters that were sent by that.
func (o *postOffice) forgot(account string) []Letter {
	o.t.Helper()
	before := len(o.letters)
	o.ask(account).want(o.t, http.StatusNoContent, nil)
	o.work()
	return o.letters[before:]
}

func (o *postOffice) ask(account string) response {
	o.t.Helper()
	return o.serve(o.public, http.MethodPost, "/api/password/forgotten", nil, string(encode(map[string]string{"account": account})))
}

// work does the jobs that are due, until there are none.
func (o *postOffice) work() {
	o.t.Helper()
	for {
		j, ok := o.jobs.take(o.clock.now())
		if !ok {
			return
		}
		if !strings.HasPrefix(j.Name, "forgot-") {
			continue
		}
		var f Forgotten
		if err := json.Unmarshal(j.Data, &f); err != nil || !strings.HasPrefix(j.Name, "forgot-"+f.ID) {
			o.t.Fatalf("job %s: %s, %v", j.Name, j.Data, err)
		}
		if err := o.store.OnForgotten(o.t.Context(), f); err != nil {
			o.t.Fatal(err)
		}
	}
}

var linkInLetter = regexp.MustCompile(`https://docket\.test/reset#(\S+)`)

// codeIn is what a letter's link holds.
func codeIn(t *testing.T, l Letter) string {
	t.Helper()
	m := linkInLetter.FindStringSubmatch(l.Text)
	if m == nil {
		t.Fatalf("no link in %q", l.Text)
	}
	return m[1]
}

func TestForgottenPassword(t *testing.T) {
	o := newPostOffice(t)
	ada := o.withAddress("Ada", "ada@example.org")
	for account, name := range map[string]string{"ada": "by name", "ADA@example.org": "by address"} {
		t.Run(name, func(t *testing.T) {
			letters := o.forgot(account)
			if len(letters) != 1 || letters[0].To != "ada@example.org" {
				t.Fatalf("%+v", letters)
			}
			o.reset(codeIn(t, letters[0]), otherPassword).want(t, http.StatusNoContent, nil)
			o.reset(codeIn(t, letters[0]), goodPassword).wantProblem(t, http.StatusBadRequest, "invalid_code", "code")
			_, res := o.enter("Ada", otherPassword)
			res.want(t, http.StatusCreated, nil)
			o.clock.advance(CodeLife)
		})
	}
	here := o.signIn(ada.ID)
	var seen []Access
	o.call(here, http.MethodGet, "/api/me/access", "").want(t, http.StatusOK, &seen)
	if n := len(slices.DeleteFunc(seen, func(a Access) bool { return a.Kind != accessResetSent })); n != 2 {
		t.Errorf("%d links are told of, want 2", n)
	}
}

// Whether there is such an account, and what it has, shows neither in the answer nor in what is done before it.
func TestForgottenTellsNothing(t *testing.T) {
	o := newPostOffice(t)
	o.withAddress("Ada", "ada@example.org")
	o.account("Bob") // has no address
	me, admin := o.first()
	o.call(admin, http.MethodPatch, "/api/me", `{"email":"me@example.org"}`).want(t, http.StatusOK, nil) // has no password
	first := o.ask("Ada")
	first.want(t, http.StatusNoContent, nil)
	for _, account := range []string{"ada@example.org", "Bob", me.Name, "me@example.org", "Nobody", "nobody@example.org", "@", " "} {
		before := len(o.jobs.waiting())
		res := o.ask(account)
		if res.status != first.status || string(res.body) != string(first.body) || len(res.header) != len(first.header) {
			t.Errorf("%s: %d %s %v", account, res.status, res.body, res.header)
		}
		if len(o.jobs.waiting()) != before+1 {
			t.Errorf("%s: %d jobs", account, len(o.jobs.waiting())-before)
		}
	}
	if len(o.letters) != 0 {
		t.Error("letters are sent before the answer")
	}
	o.work()
	for _, l := range o.letters {
		if l.To != "ada@example.org" {
			t.Errorf("a letter to %s", l.To)
		}
	}
	if len(o.letters) != 2 {
		t.Errorf("%d letters", len(o.letters))
	}
}

// Nobody can fill a mailbox, be it by one name or by the names of all who share it.
func TestForgottenIsLimited(t *testing.T) {
	o := newPostOffice(t)
	o.withAddress("Ada", "ada@example.org")
	for i := range 5 {
		if got, want := len(o.forgot("Ada")), min(1, max(0, maxUserLetters-i)); got != want {
			t.Errorf("letter %d: sent %d, want %d", i, got, want)
		}
	}
	for _, name := range []string{"Bob", "Cleo", "Dora", "Emil"} {
		o.withAddress(name, "all@example.org")
	}
	var n int
	for range 5 {
		n += len(o.forgot("all@example.org"))
	}
	if n != maxMailboxLetters {
		t.Errorf("%d letters to a mailbox that four share", n)
	}
	o.clock.advance(CodeLife)
	if len(o.forgot("Ada")) != 1 {
		t.Error("after an hour there is none")
	}
}

// A letter that could not be sent is sent again, with a code that is good, for as long as its reader may wait; one that was
// refused is not. No code is in the store but as its hash.
func TestForgottenIsTriedAgain(t *testing.T) {
	o := newPostOffice(t)
	ada := o.withAddress("Ada", "ada@example.org")
	o.answer = errors.New("the mail server is away")
	tries := len(o.forgot("Ada"))
	for range 5 {
		o.clock.advance(firstLetterPause << (tries - 1))
		o.work()
		tries++
	}
	if len(o.letters) != tries {
		t.Fatalf("tried %d times, want %d", len(o.letters), tries)
	}
	o.answer = nil
	o.clock.advance(longestLetterPause)
	o.work()
	last := o.letters[len(o.letters)-1]
	if len(o.letters) != tries+1 || last.ID != o.letters[0].ID {
		t.Fatalf("%d letters, %+v", len(o.letters), last)
	}
	for _, j := range o.jobs.waiting() {
		t.Errorf("job %s is left", j.Name)
	}
	if row := o.item(lettersKey(ada.Email)); strings.Contains(string(row.Value), codeIn(t, last)) {
		t.Errorf("the code is kept: %s", row.Value)
	}
	o.reset(codeIn(t, last), otherPassword).want(t, http.StatusNoContent, nil)

	o.answer = ErrLetterRefused
	if o.forgot("Ada"); len(o.jobs.waiting()) != 0 {
		t.Error("what was refused is tried again")
	}
	o.answer = errors.New("away")
	o.forgot("Ada")
	before := len(o.letters)
	o.clock.advance(CodeLife)
	if o.work(); len(o.letters) != before || len(o.jobs.waiting()) != 0 {
		t.Error("an hour later it is tried again")
	}
}

// An address finds who has it now, and nobody who has changed it or is gone.
func TestAddressFindsItsUsers(t *testing.T) {
	o := newPostOffice(t)
	ada := o.withAddress("Ada", "ada@example.org")
	o.withAddress("Bob", "ada@example.org")
	if got := len(o.forgot("ada@example.org")); got != 2 {
		t.Errorf("%d letters to two", got)
	}
	if err := o.store.Delete(t.Context(), ada.ID); err != nil {
		t.Fatal(err)
	}
	letters := o.forgot("ada@example.org")
	if len(letters) != 1 || letters[0].Name != "Bob" {
		t.Errorf("%+v", letters)
	}
	_, bob := o.enter("Bob", goodPassword)
	bob.want(t, http.StatusCreated, nil)
	session := edge.IdentityRequest{Session: bob.cookie.Value}
	o.call(session, http.MethodPatch, "/api/me", string(encode(map[string]string{"email": "bob@example.org", "password": goodPassword}))).want(t, http.StatusOK, nil)
	if got := o.forgot("ada@example.org"); len(got) != 0 || o.item(addressKey("ada@example.org")).Exists() {
		t.Errorf("the address that nobody has any more gets %+v", got)
	}
	if got := o.forgot("bob@example.org"); len(got) != 1 {
		t.Errorf("the new address gets %+v", got)
	}
}

// Without a mail server, or an address that the link could lead to, nobody is offered one.
func TestForgottenWithoutMail(t *testing.T) {
	st := newSite(t)
	offered := func() bool {
		var o Options
		st.serve(st.public, http.MethodGet, "/api/session/options", nil, "").want(t, http.StatusOK, &o)
		return o.ResetByMail
	}
	refused := func() {
		t.Helper()
		if offered() {
			t.Error("it is offered")
		}
		st.serve(st.public, http.MethodPost, "/api/password/forgotten", nil, `{"account":"Ada"}`).wantProblem(t, http.StatusConflict, "no_mail", "")
	}
	refused()
	st.store.post = func(context.Context, Letter) error { return nil }
	refused()
	st.store.publicURL = "https://docket.test"
	if !offered() {
		t.Error("it is not offered")
	}
}
