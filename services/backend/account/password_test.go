package account

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/host"
)

const (
	goodPassword  = "marble-otter-quiet-lantern"
	otherPassword = "Ünder-the-blue-bridge"
)

// password is the body of a change of the password.
func password(password, old string) string {
	b := map[string]string{"password": password}
	if old != "" {
		b["old_password"] = old
	}
	return string(encode(b))
}

// enter signs in by password and returns the session.
func (st *site) enter(name, password string) (edge.IdentityRequest, response) {
	st.t.Helper()
	body := encode(map[string]string{"name": name, "password": password})
	res := st.serve(st.public, http.MethodPost, "/api/session", http.Header{"User-Agent": {"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}}, string(body))
	if res.cookie == nil {
		return edge.IdentityRequest{}, res
	}
	return edge.IdentityRequest{Session: res.cookie.Value}, res
}

func TestSignInByPassword(t *testing.T) {
	st := newSite(t)
	u, me := st.first()
	_, res := st.enter(u.Name, goodPassword)
	res.wantProblem(t, http.StatusBadRequest, "wrong_password", "")
	st.call(me, http.MethodPut, "/api/me/password", password(goodPassword, "")).want(t, http.StatusNoContent, nil)

	browser, res := st.enter("ME", goodPassword) // names are compared without case
	var signedIn struct{ User User }
	res.want(t, http.StatusCreated, &signedIn)
	if signedIn.User.ID != u.ID {
		t.Errorf("signed in as %+v", signedIn.User)
	}
	st.call(browser, http.MethodGet, "/api/me", "").want(t, http.StatusOK, nil)
	for _, wrong := range [][2]string{{u.Name, goodPassword + "x"}, {u.Name, strings.ToUpper(goodPassword)}, {"Nobody", goodPassword}} {
		_, res := st.enter(wrong[0], wrong[1])
		res.wantProblem(t, http.StatusBadRequest, "wrong_password", "")
	}
}

func TestSignInIsChecked(t *testing.T) {
	st := newSite(t)
	for body, field := range map[string]string{
		`{}`:                                    "name",
		`{"name":"Me"}`:                         "password",
		`{"password":"x"}`:                      "name",
		`{"code":"x","name":"Me"}`:              "code",
		`{"code":""}`:                           "code",
		`{"name":"Me","password":"x","otp":""}`: "otp",
	} {
		st.serve(st.public, http.MethodPost, "/api/session", nil, body).wantProblem(t, http.StatusBadRequest, "validation_failed", field)
	}
}

func TestNewPasswordIsChecked(t *testing.T) {
	st := newSite(t)
	u, me := st.first()
	for p, want := range map[string]string{
		"Short-7":                          "8",
		strings.Repeat("ö", MaxPassword+1): "256",
		"baseball":                         "tried first",
		"PassWord1":                        "tried first",
	} {
		res := st.call(me, http.MethodPut, "/api/me/password", password(p, ""))
		res.wantProblem(t, http.StatusBadRequest, "validation_failed", "password")
		if !strings.Contains(string(res.body), want) {
			t.Errorf("%d characters: %s", len(p), res.body)
		}
	}
	st.call(me, http.MethodPut, "/api/me/password", `{"password":"`+goodPassword+`","old":"x"}`).wantProblem(t, http.StatusBadRequest, "validation_failed", "old")
	if st.item(passwordKey(u.ID)).Exists() {
		t.Error("a refused password is stored")
	}
	longest := strings.Repeat("ö", MaxPassword)
	st.call(me, http.MethodPut, "/api/me/password", password(longest, "")).want(t, http.StatusNoContent, nil)
	_, res := st.enter(u.Name, strings.Repeat("o\u0308", MaxPassword/2)) // half as many
	res.wantProblem(t, http.StatusBadRequest, "wrong_password", "")
	_, res = st.enter(u.Name, longest)
	res.want(t, http.StatusCreated, nil)
}

func TestCommonPasswords(t *testing.T) {
	list := strings.Fields(commonPasswords)
	if len(list) != 10_000 {
		t.Errorf("%d common passwords, want 10000", len(list))
	}
	for _, p := range []string{list[0], strings.ToUpper(list[1]), list[len(list)-1]} {
		if !isCommon(p) {
			t.Errorf("%q is not found", p)
		}
	}
	for _, p := range []string{"", "\n", list[0] + "\n", list[0] + "\n" + list[1], goodPassword} {
		if isCommon(p) {
			t.Errorf("%q is found", p)
		}
	}
}

// A change of the password needs the old one, ends the other sessions and voids sign-in codes.
func TestPasswordChangeEndsOtherSessions(t *testing.T) {
	st := newSite(t)
	u, token := st.first()
	st.call(token, http.MethodPut, "/api/me/password", password(goodPassword, "")).want(t, http.StatusNoContent, nil)
	st.clock.advance(time.Second)
	here, _ := st.enter(u.Name, goodPassword)
	there, _ := st.enter(u.Name, goodPassword)
	unlisted := newSecret("") // as a replica of the version before makes them
	now := encode(st.clock.now())
	row := []byte(`{"user":"` + u.ID + `","created_at":` + string(now) + `,"last_used_at":` + string(now) + `}`)
	if err := st.host.State.Commit(t.Context(), host.Tx{Ops: []host.Op{host.Create(sessionKey(hash(unlisted)), row)}}); err != nil {
		t.Fatal(err)
	}
	old := edge.IdentityRequest{Session: unlisted}
	st.call(old, http.MethodGet, "/api/me", "").want(t, http.StatusOK, nil)
	code, err := st.store.NewSignInCode(t.Context(), u.ID)
	if err != nil {
		t.Fatal(err)
	}
	st.clock.advance(time.Second)
	var ended []string
	st.store.OnSignOut(func(id string) { ended = append(ended, id) })

	for _, wrong := range []string{"", "not-the-old-one"} {
		st.call(here, http.MethodPut, "/api/me/password", password(otherPassword, wrong)).wantProblem(t, http.StatusBadRequest, "validation_failed", "old_password")
	}
	st.call(there, http.MethodGet, "/api/me", "").want(t, http.StatusOK, nil) // nothing has ended yet
	st.call(here, http.MethodPut, "/api/me/password", password(otherPassword, goodPassword)).want(t, http.StatusNoContent, nil)

	for name, gone := range map[string]edge.IdentityRequest{"the other": there, "the unlisted": old} {
		if _, ok := st.exchange(gone); ok {
			t.Errorf("%s session is still good", name)
		}
	}
	for _, stays := range []edge.IdentityRequest{here, token} {
		st.call(stays, http.MethodGet, "/api/me", "").want(t, http.StatusOK, nil)
	}
	if len(ended) != 1 || ended[0] != hash(there.Session) {
		t.Errorf("told to end %v", ended)
	}
	st.serve(st.public, http.MethodPost, "/api/session", nil, `{"code":"`+code+`"}`).wantProblem(t, http.StatusBadRequest, "invalid_code", "")
	_, res := st.enter(u.Name, goodPassword)
	res.wantProblem(t, http.StatusBadRequest, "wrong_password", "")
	_, res = st.enter(u.Name, "U\u0308nder-the-blue-bridge") // the same letters, composed otherwise
	res.want(t, http.StatusCreated, nil)
}

// Whether there is such a user, and whether they have a password, makes no difference to what is computed.
func TestUnknownNamesCostTheSame(t *testing.T) {
	st := newSite(t)
	u, me := st.first()
	cost := func(name string) int64 {
		t.Helper()
		before := st.store.hasher.runs.Load()
		_, res := st.enter(name, "wrong-"+goodPassword)
		res.wantProblem(t, http.StatusBadRequest, "wrong_password", "")
		return st.store.hasher.runs.Load() - before
	}
	unknown, without := cost("Nobody"), cost(u.Name)
	st.call(me, http.MethodPut, "/api/me/password", password(goodPassword, "")).want(t, http.StatusNoContent, nil)
	if known := cost(u.Name); unknown != 1 || without != 1 || known != 1 {
		t.Errorf("hashes computed: %d unknown, %d without password, %d known; want 1 each", unknown, without, known)
	}
	c, _, _, err := parsePHC(noHash)
	if err != nil || c != currentCost {
		t.Errorf("the hash of nobody: %+v, %v", c, err)
	}
}

// A hash made at another cost is verified as it was made, and made anew at the next sign-in.
func TestOldHashesAreMadeAnew(t *testing.T) {
	st := newSite(t)
	u, _ := st.first()
	cheap, salt := argon2Cost{memory: 1 << 10, passes: 1, lanes: 1}, []byte("sixteen bytes...")
	key, err := st.store.hasher.derive(t.Context(), goodPassword, cheap, salt, hashBytes)
	if err != nil {
		t.Fatal(err)
	}
	row := passwordRow{Hash: phc(cheap, salt, key)}
	if err := st.host.State.Commit(t.Context(), host.Tx{Ops: []host.Op{host.Create(passwordKey(u.ID), encode(row))}}); err != nil {
		t.Fatal(err)
	}
	stored := func() string {
		t.Helper()
		if err := json.Unmarshal(st.item(passwordKey(u.ID)).Value, &row); err != nil {
			t.Fatal(err)
		}
		return row.Hash
	}
	st.enter(u.Name, "wrong-"+goodPassword)
	if stored() != phc(cheap, salt, key) {
		t.Error("made anew by a wrong password")
	}
	for range 2 {
		_, res := st.enter(u.Name, goodPassword)
		res.want(t, http.StatusCreated, nil)
		if c, _, _, err := parsePHC(stored()); err != nil || c != currentCost {
			t.Errorf("%+v, %v", c, err)
		}
	}
}

func TestUnreadableHashes(t *testing.T) {
	good := phc(currentCost, make([]byte, saltBytes), make([]byte, hashBytes))
	for _, s := range []string{
		"", "x", strings.Replace(good, "argon2id", "argon2i", 1), strings.Replace(good, "v=19", "v=16", 1), strings.Replace(good, "t=2", "t=0", 1),
		strings.Replace(good, "m=19456", "m=99999999", 1), strings.Replace(good, "p=1", "p=0", 1), good + "$", good + "=", strings.Replace(good, "t=2", "t=02", 1),
	} {
		if _, _, _, err := parsePHC(s); err == nil {
			t.Errorf("%q is read", s)
		}
	}
}

func FuzzParsePHC(f *testing.F) {
	f.Add(noHash)
	f.Fuzz(func(t *testing.T, s string) {
		if c, salt, key, err := parsePHC(s); err == nil && phc(c, salt, key) != s {
			t.Errorf("%q is read as %q", s, phc(c, salt, key))
		}
	})
}

// No password is logged or stored, whatever happens to it.
func TestPasswordsAreNotKept(t *testing.T) {
	st := newSite(t)
	var log bytes.Buffer
	st.store.log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	u, me := st.first()
	for _, p := range []string{goodPassword, "baseball", "Short-7"} {
		res := st.call(me, http.MethodPut, "/api/me/password", password(p, ""))
		if bytes.Contains(res.body, []byte(p)) {
			t.Errorf("the answer holds the password: %s", res.body)
		}
	}
	if row := st.item(passwordKey(u.ID)).Value; bytes.Contains(row, []byte(goodPassword)) || !bytes.Contains(row, []byte("$argon2id$v=19$m="+strconv.Itoa(int(currentCost.memory)))) {
		t.Errorf("stored: %s", row)
	}
	_, res := st.enter(u.Name, "wrong-"+goodPassword)
	if strings.Contains(log.String(), goodPassword) || bytes.Contains(res.body, []byte(goodPassword)) {
		t.Errorf("logged or answered: %s %s", log.String(), res.body)
	}
}
