package notification

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/docket-tasks/docket/host"
)

// TLSPolicy says how the connection to the mail server is protected.
type TLSPolicy string

const (
	// StartTLS demands STARTTLS (RFC 3207), and is the default.
	StartTLS TLSPolicy = "starttls"
	// StartTLSIfOffered uses STARTTLS where the server offers it, and else sends in the clear.
	StartTLSIfOffered TLSPolicy = "opportunistic"
	// ImplicitTLS begins with TLS (RFC 8314 §3.3), as on port 465.
	ImplicitTLS TLSPolicy = "implicit"
	// NoTLS sends in the clear: for a relay on the same machine.
	NoTLS TLSPolicy = "none"
)

// Valid tells whether it is one of the four, or empty, which is [StartTLS].
func (p TLSPolicy) Valid() bool {
	return p == "" || p == StartTLS || p == StartTLSIfOffered || p == ImplicitTLS || p == NoTLS
}

// ParseSender reads who e-mail is from: "docket@example.org" or "Docket <docket@example.org>".
func ParseSender(v string) (*mail.Address, error) {
	from, err := mail.ParseAddress(v)
	if err != nil {
		return nil, fmt.Errorf("is %q: use an address such as docket@example.org", v)
	}
	return from, nil
}

// SMTP says how e-mail leaves. The zero SMTP sends none.
type SMTP struct {
	// Host is the mail server's name; empty sends no e-mail, and every notification by e-mail fails.
	Host string
	// Port is the mail server's; 0 means 465 for [ImplicitTLS] and 587 otherwise.
	Port int
	// From is the sender, "docket@example.org" or "Docket <docket@example.org>".
	From string
	// User signs in at the server with the secret "smtp-password"; empty does not sign in.
	User string
	TLS  TLSPolicy
	// RootCAs vouch for the server; nil means those of the system.
	RootCAs *x509.CertPool
}

const (
	// smtpTimeout bounds one attempt's connection and each step of the dialogue.
	smtpTimeout  = 20 * time.Second
	smtpPassword = "smtp-password"
)

// email sends notifications by SMTP (RFC 5321).
type email struct {
	smtp    SMTP
	from    *mail.Address
	secrets host.Secrets
	now     func() time.Time
}

func newEmail(cfg SMTP, secrets host.Secrets, now func() time.Time) (*email, error) {
	from, err := ParseSender(cfg.From)
	if err != nil {
		return nil, fmt.Errorf("smtp from: %w", err)
	}
	if !cfg.TLS.Valid() {
		return nil, fmt.Errorf("smtp tls %q: must be %s, %s, %s or %s", cfg.TLS, StartTLS, StartTLSIfOffered, ImplicitTLS, NoTLS)
	}
	cfg.TLS = cmp.Or(cfg.TLS, StartTLS)
	if cfg.Port < 0 || cfg.Port > 65535 {
		return nil, fmt.Errorf("smtp port %d: must be between 0 and 65535", cfg.Port)
	}
	return &email{smtp: cfg, from: from, secrets: secrets, now: now}, nil
}

func (e *email) Name() string { return "email" }

func (e *email) Targets(_ context.Context, to Recipient) ([]string, error) {
	if !to.Channels.Email || to.Email == "" {
		return nil, nil
	}
	return []string{""}, nil
}

// noMail stands in for e-mail where no mail server is set: whoever wants to be reminded by e-mail is told why no message
// came, where saying nothing would let them rely on it. What it has of email, which is nil, needs no server.
type noMail struct{ *email }

func (noMail) Deliver(context.Context, Recipient, Notification) (Answer, error) {
	return Answer{Outcome: Failed, Text: "no mail server is set (--smtp-host)"}, nil
}

func (e *email) Deliver(ctx context.Context, to Recipient, n Notification) (Answer, error) {
	msg, err := e.message(to, n)
	if err != nil {
		return Answer{Outcome: Failed, Text: err.Error()}, nil
	}
	return e.send(ctx, msg)
}

// send makes one attempt.
func (e *email) send(ctx context.Context, msg *gomail.Msg) (Answer, error) {
	var line connection
	defer line.close()
	client, err := e.client(ctx, &line)
	if err != nil {
		return Answer{}, err
	}
	// Until it has taken us in, whatever the server says is about us and not about this message: try again.
	if err := client.DialWithContext(ctx); err != nil {
		return Answer{Outcome: Retry, Text: err.Error()}, nil
	}
	defer client.Close() //nolint:errcheck // the server has the message or has said why not
	defer context.AfterFunc(ctx, line.close)()
	err = client.Send(msg)
	return judgeSMTP(msg, err), nil
}

// judgeSMTP reads the reply: 4yz is transient, 5yz permanent (RFC 5321 §4.2.1), no reply a broken connection. Once
// the text was taken the message is delivered, whatever the reply to a later command.
func judgeSMTP(msg *gomail.Msg, err error) Answer {
	if msg.IsDelivered() {
		return Answer{Outcome: Delivered, Text: strings.TrimSpace("250 " + msg.ServerResponse())}
	}
	var send *gomail.SendError
	if errors.As(err, &send) && send.ErrorCode() >= 500 {
		return Answer{Outcome: Failed, Text: err.Error()}
	}
	return Answer{Outcome: Retry, Text: fmt.Sprint(err)}
}

// client is made for each attempt, so that a changed password counts at once.
func (e *email) client(ctx context.Context, line *connection) (*gomail.Client, error) {
	secure := &tls.Config{ServerName: e.smtp.Host, RootCAs: e.smtp.RootCAs, MinVersion: tls.VersionTLS12}
	port, policy := 587, gomail.NoTLS
	switch e.smtp.TLS {
	case StartTLS:
		policy = gomail.TLSMandatory
	case StartTLSIfOffered:
		policy = gomail.TLSOpportunistic
	case ImplicitTLS:
		port, line.secure = 465, secure
	}
	if e.smtp.Port != 0 {
		port = e.smtp.Port
	}
	options := []gomail.Option{
		gomail.WithTimeout(smtpTimeout), gomail.WithTLSConfig(secure), gomail.WithTLSPolicy(policy), gomail.WithPort(port),
		gomail.WithDialContextFunc(line.dial),
	}
	if e.smtp.User != "" {
		password, err := e.secrets.Get(ctx, smtpPassword)
		if err != nil {
			return nil, fmt.Errorf("read secret %s: %w", smtpPassword, err)
		}
		// PLAIN and LOGIN refuse to show the password on a connection in the clear.
		options = append(options, gomail.WithUsername(e.smtp.User), gomail.WithPassword(password),
			gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin))
	}
	client, err := gomail.NewClient(e.smtp.Host, options...)
	if err != nil {
		return nil, fmt.Errorf("set up smtp client for %s: %w", e.smtp.Host, err)
	}
	return client, nil
}

// connection is the one of an attempt. It is kept at hand because go-mail leaves it open when the server turns us
// away, and does not look at the context once it is made.
type connection struct {
	// secure, if set, begins it with TLS.
	secure *tls.Config
	conn   net.Conn
}

func (c *connection) dial(ctx context.Context, network, address string) (conn net.Conn, err error) {
	if c.secure != nil {
		conn, err = (&tls.Dialer{Config: c.secure}).DialContext(ctx, network, address)
	} else {
		conn, err = new(net.Dialer).DialContext(ctx, network, address)
	}
	if err == nil {
		c.conn = conn
	}
	return conn, err
}

func (c *connection) close() {
	if c.conn != nil {
		_ = c.conn.Close() // there is nothing left to say
	}
}

// message is the same at every attempt.
func (e *email) message(to Recipient, n Notification) (*gomail.Msg, error) {
	msg, err := e.addressed(to.Email, to.Name, n.NotificationID, n.CreatedAt.Time)
	if err != nil {
		return nil, err
	}
	msg.Subject(strings.Join(strings.Fields(n.Message), " "))
	at := n.ScheduledTime.In(to.zone()).Format("Monday, 2 January 2006, 15:04 MST")
	msg.SetBodyString(gomail.TypeTextPlain, fmt.Sprintf("%s\n\nReminder set for %s.\n", n.Message, at))
	return msg, nil
}

// addressed begins a message whose id, the same at every attempt, lets mailboxes fold repeats into one (RFC 5322 §3.6.4).
func (e *email) addressed(to, name, id string, at time.Time) (*gomail.Msg, error) {
	address, err := mail.ParseAddress(to)
	if err != nil {
		return nil, errors.New("the user's e-mail address cannot be read")
	}
	address.Name = name
	msg := gomail.NewMsg()
	msg.FromMailAddress(e.from)
	msg.ToMailAddress(address)
	msg.SetMessageIDWithValue(id + "@" + e.from.Address[strings.LastIndexByte(e.from.Address, '@')+1:])
	msg.SetDateWithValue(at)
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834 §5: no out-of-office replies
	return msg, nil
}
