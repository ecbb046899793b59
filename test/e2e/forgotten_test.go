package e2e

import (
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/docket-tasks/docket/test/mailserver"
)

// mailServer serves as long as the tests run.
var mailServer = sync.OnceValue(func() *mailserver.Server {
	s := &mailserver.Server{Plain: true}
	if _, err := s.Listen(); err != nil {
		panic(err)
	}
	return s
})

// mailing are the settings by which docket sends e-mail, and knows where the links in it lead.
func mailing() []string {
	return []string{"--public-url", publicURL, "--smtp-host", "127.0.0.1", "--smtp-port", strconv.Itoa(mailServer().Port),
		"--smtp-from", "docket@docket.test", "--smtp-tls", "none"}
}

// resetLink is the link in a letter; a line break in it would be quoted (RFC 2045 section 6.7).
var resetLink = regexp.MustCompile(regexp.QuoteMeta(publicURL) + `/reset#([\w-]+)`)

// lettersTo are the links that were sent to an address, oldest first.
func lettersTo(t *testing.T, address string) (codes []string) {
	t.Helper()
	for _, m := range mailServer().Received() {
		if m.To != address {
			continue
		}
		link := resetLink.FindStringSubmatch(strings.ReplaceAll(m.Data, "=\r\n", ""))
		if link == nil {
			t.Fatalf("no link in\n%s", m.Data)
		}
		codes = append(codes, link[1])
	}
	return codes
}

// Who has forgotten the password gets a link by e-mail, sets a new one and is in again; whoever was in by the old one is out.
func TestForgottenPassword(t *testing.T) {
	scenario(t, func(t *testing.T, w *world) {
		ada := w.user("Ada", "UTC")
		address := "ada." + ada.id + "@example.org"
		ada.do("PUT", "/api/me/password", newPassword).want(204)
		ada.do("PATCH", "/api/me", object{"email": address, "password": newPassword["password"]}).want(200)
		old := ada.signIn()
		anybody := ada.as("")
		var options struct {
			ResetByMail bool `json:"reset_by_mail"`
		}
		if anybody.get("/api/session/options").want(200).into(&options); !options.ResetByMail {
			t.Fatal("it is not offered")
		}
		known := anybody.post("/api/password/forgotten", object{"account": ada.name}).want(204)
		unknown := anybody.post("/api/password/forgotten", object{"account": "nobody of " + t.Name()}).want(204)
		if string(known.body) != string(unknown.body) || len(known.header) != len(unknown.header) {
			t.Errorf("a name that there is: %q %v\none that there is not: %q %v", known.body, known.header, unknown.body, unknown.header)
		}
		eventually(t, "the letter", func() bool { return len(lettersTo(t, address)) > 0 })
		const changed = "velvet-harbor-acorn-thimble"
		code := lettersTo(t, address)[0]
		anybody.post("/api/password/reset", object{"code": code, "password": changed}).want(204)
		anybody.post("/api/password/reset", object{"code": code, "password": changed}).want(400).problem()
		old.get("/api/me").want(401).problem()
		anybody.post("/api/session", object{"name": ada.name, "password": newPassword["password"]}).want(400).problem()
		anybody.post("/api/session", object{"name": ada.name, "password": changed}).want(201)
	})
}
