package notification

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"mime"
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/test/mailserver"
)

// passwords is a secret store as a file would be: what is not in it does not exist.
type passwords map[string]string

func (p passwords) Get(_ context.Context, name string) (string, error) {
	if s, ok := p[name]; ok {
		return s, nil
	}
	return "", host.ErrNoSecret
}

// listen starts a mail server, which ends with the test.
func listen(t *testing.T, s *mailserver.Server) *x509.CertPool {
	t.Helper()
	pool, err := s.Listen()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return pool
}

func testEmail(t *testing.T, s *mailserver.Server, cfg SMTP, secrets passwords) *email {
	t.Helper()
	cfg.RootCAs = listen(t, s)
	cfg.Host, cfg.Port, cfg.From = "localhost", s.Port, "Docket <docket@example.org>"
	e, err := newEmail(cfg, secrets, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func mailTo(address string) Recipient {
	to := Recipient{ID: "u1", Name: "Jürgen", Email: address, TimeZone: "Europe/Berlin"}
	to.Channels.Email = true
	return to
}

// TestEmailDelivered sends over STARTTLS with a password, and looks at what arrived.
func TestEmailDelivered(t *testing.T) {
	server := &mailserver.Server{User: "docket", Password: "p@ss"}
	e := testEmail(t, server, SMTP{User: "docket"}, passwords{"smtp-password": "p@ss"})
	n := testNotification
	n.Message = "Ärzte anrufen\r\nBcc: everybody@example.com\r\n\r\n.\r\nQUIT"
	a, err := e.Deliver(t.Context(), mailTo("j@example.com"), n)
	if err != nil || a.Outcome != Delivered || !strings.Contains(a.Text, "queued as M1") {
		t.Fatalf("answer %+v, %v", a, err)
	}
	all := server.Received()
	if len(all) != 1 || !all[0].Encrypted || all[0].User != "docket" || all[0].To != "j@example.com" || all[0].From != "docket@example.org" {
		t.Fatalf("received %+v", all)
	}
	msg, err := mail.ReadMessage(strings.NewReader(all[0].Data))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(msg.Header.Get("Subject"))
	if err != nil || subject != "Ärzte anrufen Bcc: everybody@example.com . QUIT" {
		t.Errorf("subject %q, %v", subject, err)
	}
	for name, want := range map[string]string{
		"Message-Id": "<" + n.NotificationID + "@example.org>", "Auto-Submitted": "auto-generated", "Bcc": "",
		"Date": "Sun, 29 Mar 2026 07:00:01 +0000", "From": `"Docket" <docket@example.org>`,
	} {
		if got := msg.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	body, err := io.ReadAll(msg.Body)
	if err != nil || !strings.Contains(string(body), "09:00 CEST") {
		t.Errorf("body %q, %v: want the time in the user's zone", body, err)
	}
}

// TestEmailReplies: 4yz is worth another attempt, 5yz about the message is not, and neither is what happens before
// the server has taken us in.
func TestEmailReplies(t *testing.T) {
	for name, tc := range map[string]struct {
		verb, reply string
		outcome     Outcome
	}{
		"greylisted":        {"RCPT", "450 4.2.0 greylisted", Retry},
		"no such mailbox":   {"RCPT", "550 5.1.1 no such mailbox", Failed},
		"sender refused":    {"MAIL", "553 5.7.1 not from you", Failed},
		"server busy":       {"MAIL", "451 4.3.2 busy", Retry},
		"spam":              {".", "554 5.7.1 looks like spam", Failed},
		"disk full":         {".", "452 4.3.1 no space", Retry},
		"delivered anyway":  {"RSET", "421 4.3.2 going down", Delivered},
		"TLS refused":       {"STARTTLS", "454 4.7.0 not now", Retry},
		"TLS not available": {"STARTTLS", "502 5.5.1 never", Retry},
	} {
		t.Run(name, func(t *testing.T) {
			server := &mailserver.Server{Replies: map[string]string{tc.verb: tc.reply}}
			e := testEmail(t, server, SMTP{}, nil)
			a, err := e.Deliver(t.Context(), mailTo("j@example.com"), testNotification)
			if err != nil || a.Outcome != tc.outcome {
				t.Errorf("answer %+v, %v, want %s", a, err, tc.outcome)
			}
			if tc.outcome != Delivered && !strings.Contains(a.Text, tc.reply[:3]) {
				t.Errorf("answer %q does not tell the reply", a.Text)
			}
		})
	}
}

// TestEmailTLS: without STARTTLS nothing is sent unless the operator allows it.
func TestEmailTLS(t *testing.T) {
	for policy, want := range map[TLSPolicy]Outcome{StartTLS: Retry, StartTLSIfOffered: Delivered, NoTLS: Delivered} {
		server := &mailserver.Server{Plain: true}
		a, err := testEmail(t, server, SMTP{TLS: policy}, nil).Deliver(t.Context(), mailTo("j@example.com"), testNotification)
		if err != nil || a.Outcome != want || (len(server.Received()) == 1) != (want == Delivered) {
			t.Errorf("%s: answer %+v, %v, received %d", policy, a, err, len(server.Received()))
		}
	}
	server := &mailserver.Server{Implicit: true, User: "docket", Password: "p@ss"}
	secure := testEmail(t, server, SMTP{TLS: ImplicitTLS, User: "docket"}, passwords{"smtp-password": "p@ss"})
	if a, err := secure.Deliver(t.Context(), mailTo("j@example.com"), testNotification); err != nil || a.Outcome != Delivered {
		t.Errorf("%s: answer %+v, %v", ImplicitTLS, a, err)
	}
	e := testEmail(t, &mailserver.Server{}, SMTP{TLS: StartTLS}, nil)
	e.smtp.RootCAs = nil
	if a, err := e.Deliver(t.Context(), mailTo("j@example.com"), testNotification); err != nil || a.Outcome != Retry {
		t.Errorf("unknown certificate: answer %+v, %v", a, err)
	}
}

// TestEmailPassword: a wrong password is the operator's to mend within the attempts, a missing one no attempt at all.
func TestEmailPassword(t *testing.T) {
	server := &mailserver.Server{User: "docket", Password: "right"}
	e := testEmail(t, server, SMTP{User: "docket"}, passwords{"smtp-password": "wrong"})
	a, err := e.Deliver(t.Context(), mailTo("j@example.com"), testNotification)
	if err != nil || a.Outcome != Retry || !strings.Contains(a.Text, "535") {
		t.Errorf("wrong password: answer %+v, %v", a, err)
	}
	e.secrets = passwords{}
	if _, err := e.Deliver(t.Context(), mailTo("j@example.com"), testNotification); !errors.Is(err, host.ErrNoSecret) {
		t.Errorf("missing password: %v", err)
	}
	if len(server.Received()) != 0 {
		t.Error("mail was taken without a password")
	}
}

// TestEmailConfig: each mistake is named.
func TestEmailConfig(t *testing.T) {
	for field, cfg := range map[string]SMTP{
		"from": {From: "nobody"}, "tls": {From: "a@b.c", TLS: "ssl"}, "port": {From: "a@b.c", Port: 70000},
	} {
		if _, err := newEmail(cfg, nil, time.Now); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v", field, err)
		}
	}
	if a, err := (&email{}).Targets(t.Context(), Recipient{Email: "j@example.com"}); err != nil || a != nil {
		t.Errorf("targets %v, %v of a user without e-mail", a, err)
	}
}
