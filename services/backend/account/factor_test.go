package account

import (
	"encoding/base32"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/docket-tasks/docket/edge"
)

// The values of RFC 4226 appendix D.
func TestHOTP(t *testing.T) {
	for i, want := range []string{"755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"} {
		if got := hotp([]byte("12345678901234567890"), int64(i), 6); got != want {
			t.Errorf("counter %d: %s, want %s", i, got, want)
		}
	}
}

// The values of RFC 6238 appendix B, SHA-1.
func TestTOTP(t *testing.T) {
	for at, want := range map[int64]string{
		59: "94287082", 1111111109: "07081804", 1111111111: "14050471", 1234567890: "89005924", 2000000000: "69279037", 20000000000: "65353130",
	} {
		if got := hotp([]byte("12345678901234567890"), stepOf(time.Unix(at, 0)), 8); got != want {
			t.Errorf("at %d: %s, want %s", at, got, want)
		}
	}
}

// prove signs in by password and a code.
func (st *site) prove(name, password, factor string) response {
	st.t.Helper()
	body := map[string]string{"name": name, "password": password, "second_factor": factor}
	return st.serve(st.public, http.MethodPost, "/api/session", nil, string(encode(body)))
}

// authenticator is what a user has on their phone.
type authenticator struct {
	st     *site
	secret []byte
}

func (a authenticator) code(ahead int64) string {
	return hotp(a.secret, stepOf(a.st.clock.now())+ahead, 6)
}

// enrol sets one up; confirm switches it on and returns the recovery codes.
func (st *site) enrol(as edge.IdentityRequest) (Enrolment, authenticator) {
	st.t.Helper()
	var made Enrolment
	st.call(as, http.MethodPost, "/api/me/second-factor", `{"password":"`+goodPassword+`"}`).want(st.t, http.StatusCreated, &made)
	secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(made.Secret)
	if err != nil || len(secret) != 20 {
		st.t.Fatalf("secret of %d bytes, %v", len(secret), err)
	}
	return made, authenticator{st, secret}
}

func (st *site) confirm(as edge.IdentityRequest, id, code string) response {
	st.t.Helper()
	return st.call(as, http.MethodPost, "/api/me/second-factor/"+id+"/confirm", `{"code":"`+code+`"}`)
}

// guarded is an account with a second factor, confirmed by the code of now.
func (st *site) guarded(name string) (u User, session edge.IdentityRequest, phone authenticator, recovery []string) {
	st.t.Helper()
	u, session = st.account(name)
	made, phone := st.enrol(session)
	var shown struct {
		RecoveryCodes []string `json:"recovery_codes"`
	}
	st.confirm(session, made.ID, phone.code(0)).want(st.t, http.StatusOK, &shown)
	return u, session, phone, shown.RecoveryCodes
}

func TestSecondFactor(t *testing.T) {
	st := newSite(t)
	_, admin := st.first()
	st.call(admin, http.MethodPost, "/api/me/second-factor", `{"password":"x"}`).wantProblem(t, http.StatusConflict, "no_password", "")
	_, ada := st.account("Ada Ü")
	st.call(ada, http.MethodPost, "/api/me/second-factor", `{"password":"x"}`).wantProblem(t, http.StatusBadRequest, "validation_failed", "password")
	first, _ := st.enrol(ada)
	made, phone := st.enrol(ada) // instead of the first
	uri, err := url.Parse(made.URI)
	if err != nil || uri.Scheme != "otpauth" || uri.Host != "totp" || uri.Path != "/docket:Ada Ü" || uri.Query().Get("secret") != made.Secret || uri.Query().Get("issuer") != "docket" {
		t.Errorf("%s, %v", made.URI, err)
	}
	st.prove("Ada Ü", goodPassword, "").want(t, http.StatusCreated, nil) // it does not count yet
	st.confirm(ada, first.ID, phone.code(0)).wantProblem(t, http.StatusNotFound, "not_found", "")
	st.confirm(admin, made.ID, phone.code(0)).wantProblem(t, http.StatusNotFound, "not_found", "")
	st.confirm(ada, made.ID, "000000").wantProblem(t, http.StatusBadRequest, "wrong_code", "")
	var shown struct {
		RecoveryCodes []string `json:"recovery_codes"`
	}
	st.confirm(ada, made.ID, phone.code(0)).want(t, http.StatusOK, &shown)
	st.confirm(ada, made.ID, phone.code(1)).wantProblem(t, http.StatusConflict, "second_factor_set", "")
	st.call(ada, http.MethodPost, "/api/me/second-factor", `{"password":"`+goodPassword+`"}`).wantProblem(t, http.StatusConflict, "second_factor_set", "")
	var state SecondFactor
	st.call(ada, http.MethodGet, "/api/me/second-factor", "").want(t, http.StatusOK, &state)
	if !state.Enabled || state.RecoveryCodes != RecoveryCodes || len(shown.RecoveryCodes) != RecoveryCodes || !state.EnabledAt.Equal(st.clock.now()) {
		t.Errorf("%+v, %q", state, shown.RecoveryCodes)
	}

	st.prove("Ada Ü", goodPassword, "").wantProblem(t, http.StatusBadRequest, "second_factor_needed", "second_factor")
	st.prove("Ada Ü", "wrong-"+goodPassword, phone.code(1)).wantProblem(t, http.StatusBadRequest, "wrong_password", "")
	st.prove("Ada Ü", goodPassword, phone.code(0)).wantProblem(t, http.StatusBadRequest, "wrong_code", "") // it has confirmed
	st.prove("Ada Ü", goodPassword, phone.code(2)).wantProblem(t, http.StatusBadRequest, "wrong_code", "")
	st.prove("Ada Ü", goodPassword, phone.code(1)).want(t, http.StatusCreated, nil)
	st.prove("Ada Ü", goodPassword, phone.code(1)).wantProblem(t, http.StatusBadRequest, "wrong_code", "")
	st.clock.advance(2 * totpPeriod)
	st.prove("Ada Ü", goodPassword, phone.code(-1)).wantProblem(t, http.StatusBadRequest, "wrong_code", "") // of the period that was used
	st.prove("Ada Ü", goodPassword, phone.code(0)).want(t, http.StatusCreated, nil)

	st.clock.advance(totpPeriod)
	off := func(password, code string) response {
		return st.call(ada, http.MethodPost, "/api/me/second-factor/disable", string(encode(map[string]string{"password": password, "code": code})))
	}
	off("x", phone.code(0)).wantProblem(t, http.StatusBadRequest, "validation_failed", "password")
	off(goodPassword, "000000").wantProblem(t, http.StatusBadRequest, "wrong_code", "")
	off(goodPassword, phone.code(0)).want(t, http.StatusNoContent, nil)
	off(goodPassword, phone.code(1)).wantProblem(t, http.StatusNotFound, "not_found", "")
	st.prove("Ada Ü", goodPassword, "").want(t, http.StatusCreated, nil)
}

func TestRecoveryCodesWorkOnce(t *testing.T) {
	st := newSite(t)
	st.first()
	u, _, _, recovery := st.guarded("Ada")
	if row := string(st.item(factorKey(u.ID)).Value); strings.Contains(row, recovery[0]) || strings.Contains(row, strings.ReplaceAll(recovery[0], "-", "")) {
		t.Error("a recovery code is stored")
	}
	var in atomic.Int32
	sites := st.replicas(4)
	atOnce(len(sites), func(i int) {
		if sites[i].prove("Ada", goodPassword, recovery[0]).status == http.StatusCreated {
			in.Add(1)
		}
	})
	if in.Load() != 1 {
		t.Errorf("signed in %d times", in.Load())
	}
	typed := strings.ToUpper(strings.ReplaceAll(recovery[1], "-", " "))
	st.prove("Ada", goodPassword, typed).want(t, http.StatusCreated, nil)
	st.prove("Ada", goodPassword, recovery[1]).wantProblem(t, http.StatusBadRequest, "wrong_code", "")
	st.prove("Ada", goodPassword, "aaaa-aaaa-aaaa-aaaa").wantProblem(t, http.StatusBadRequest, "wrong_code", "")
}

// New recovery codes are for who knows the password and has a code; those before count no more, nor does that code.
func TestRecoveryCodesAreRenewed(t *testing.T) {
	st := newSite(t)
	st.first()
	_, ada, phone, before := st.guarded("Ada")
	st.clock.advance(totpPeriod)
	renew := func(password, code string) response {
		return st.call(ada, http.MethodPost, "/api/me/second-factor/recovery-codes", string(encode(map[string]string{"password": password, "code": code})))
	}
	renew("x", phone.code(0)).wantProblem(t, http.StatusBadRequest, "validation_failed", "password")
	renew(goodPassword, phone.code(9)).wantProblem(t, http.StatusBadRequest, "wrong_code", "")
	st.prove("Ada", goodPassword, before[0]).want(t, http.StatusCreated, nil) // nothing was changed
	var shown struct {
		RecoveryCodes []string `json:"recovery_codes"`
	}
	renew(goodPassword, phone.code(0)).want(t, http.StatusOK, &shown)
	renew(goodPassword, phone.code(0)).wantProblem(t, http.StatusBadRequest, "wrong_code", "")
	if len(shown.RecoveryCodes) != RecoveryCodes || slices.ContainsFunc(shown.RecoveryCodes, func(c string) bool { return slices.Contains(before, c) }) {
		t.Errorf("%q after %q", shown.RecoveryCodes, before)
	}
	st.prove("Ada", goodPassword, before[1]).wantProblem(t, http.StatusBadRequest, "wrong_code", "")
	st.prove("Ada", goodPassword, shown.RecoveryCodes[0]).want(t, http.StatusCreated, nil)
	var seen []Access
	st.call(ada, http.MethodGet, "/api/me/access", "").want(t, http.StatusOK, &seen)
	if !slices.ContainsFunc(seen, func(a Access) bool { return a.Kind == accessRecoveryRenewed }) {
		t.Errorf("the renewal is not noted: %+v", seen)
	}
	_, bob := st.account("Bob")
	st.call(bob, http.MethodPost, "/api/me/second-factor/recovery-codes", `{"password":"`+goodPassword+`","code":"000000"}`).wantProblem(t, http.StatusNotFound, "not_found", "")
}

// Guesses are counted by account, those at once on several replicas too; recovery codes are good all the same.
func TestGuessesOfCodesAreLimited(t *testing.T) {
	st := newSite(t)
	st.first()
	_, _, phone, recovery := st.guarded("Ada")
	sites := st.replicas(3)
	var wrong, refused atomic.Int32
	atOnce(len(sites), func(i int) {
		for range 4 {
			switch res := sites[i].prove("Ada", goodPassword, phone.code(9)); res.status {
			case http.StatusBadRequest:
				wrong.Add(1)
			case http.StatusTooManyRequests:
				refused.Add(1)
			}
		}
	})
	if wrong.Load() != maxMisses || refused.Load() != 12-maxMisses {
		t.Errorf("%d wrong, %d refused; want %d, %d", wrong.Load(), refused.Load(), maxMisses, 12-maxMisses)
	}
	res := st.prove("Ada", goodPassword, phone.code(1))
	res.wantProblem(t, http.StatusTooManyRequests, "rate_limited", "")
	if after := res.header.Get("Retry-After"); after != "900" {
		t.Errorf("Retry-After %q", after)
	}
	st.prove("Ada", goodPassword, recovery[0]).want(t, http.StatusCreated, nil)
	st.prove("Ada", goodPassword, phone.code(1)).wantProblem(t, http.StatusTooManyRequests, "rate_limited", "")
	st.clock.advance(missTime)
	st.prove("Ada", goodPassword, phone.code(0)).want(t, http.StatusCreated, nil)
}

// A new password, whoever sets it, is no way past the second factor; an administrator can take that away.
func TestResetKeepsTheSecondFactor(t *testing.T) {
	st := newSite(t)
	me, admin := st.first()
	u, _, _, _ := st.guarded("Ada")
	st.reset(st.resetCode(admin, u.ID).Code, otherPassword).want(t, http.StatusNoContent, nil)
	st.prove("Ada", otherPassword, "").wantProblem(t, http.StatusBadRequest, "second_factor_needed", "")
	st.call(admin, http.MethodDelete, "/api/users/"+u.ID+"/second-factor", "").want(t, http.StatusNoContent, nil)
	res := st.prove("Ada", otherPassword, "")
	res.want(t, http.StatusCreated, nil)
	session := edge.IdentityRequest{Session: res.cookie.Value}
	st.call(session, http.MethodDelete, "/api/users/"+me.ID+"/second-factor", "").wantProblem(t, http.StatusForbidden, "forbidden", "")
}

// An authenticator that was set up long ago cannot be confirmed: whoever has seen its secret may still have it.
func TestEnrolmentExpires(t *testing.T) {
	st := newSite(t)
	st.first()
	_, ada := st.account("Ada")
	made, phone := st.enrol(ada)
	st.clock.advance(enrolLife)
	st.confirm(ada, made.ID, phone.code(0)).wantProblem(t, http.StatusNotFound, "not_found", "")
}
