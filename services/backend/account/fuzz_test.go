package account

import (
	"crypto/tls"
	"net/http"
	"strings"
	"testing"

	"github.com/docket-tasks/docket/edge"
)

// FuzzSessionCookie reads any Cookie and X-Forwarded-Proto: over TLS no cookie counts that another host may have set.
func FuzzSessionCookie(f *testing.F) {
	for _, seed := range []string{"docket_session=a", "__Host-docket_session=a", "docket_session=a; __Host-docket_session=b", "__Host-docket_session=\"a\"", "=;;", "\x00=1"} {
		f.Add(seed, "http", false)
		f.Add(seed, "https, http", true)
	}
	f.Fuzz(func(t *testing.T, cookie, proto string, secure bool) {
		r := &http.Request{Header: http.Header{"Cookie": {cookie}, "X-Forwarded-Proto": {proto}}}
		if secure {
			r.TLS = new(tls.ConnectionState)
		}
		got := SessionCookie(r)
		if got != "" && !strings.Contains(cookie, got) {
			t.Errorf("%q has the session %q", cookie, got)
		}
		if got != "" && (secure || edge.ForwardedTLS(r.Header)) && !strings.Contains(cookie, SecureCookie) {
			t.Errorf("over TLS, %q has the session %q", cookie, got)
		}
	})
}

// FuzzPrincipal exchanges any token and session: none but those that were made stand for somebody, in no other writing.
func FuzzPrincipal(f *testing.F) {
	st := newSite(f)
	u, me := st.first()
	browser := st.signIn(u.ID)
	for _, seed := range []edge.IdentityRequest{me, browser, {Token: "dkt_"}, {Token: browser.Session}, {Session: me.Token}, {Token: me.Token + "="}, {Session: "../user/" + u.ID}} {
		f.Add(seed.Token, seed.Session)
	}
	f.Fuzz(func(t *testing.T, token, session string) {
		_, err := st.store.Principal(t.Context(), edge.IdentityRequest{Token: token, Session: session})
		if known := token == me.Token || token == "" && session == browser.Session; (err == nil) != known {
			t.Errorf("token %q, session %q: %v", token, session, err)
		}
	})
}
