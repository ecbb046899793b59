package notification

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"math/big"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// smtpServer speaks SMTP (RFC 5321) with STARTTLS (RFC 3207) and AUTH PLAIN (RFC 4954) as far as a client that sends
// one message needs it. It runs on 127.0.0.1.
type smtpServer struct {
	port int
	cert tls.Certificate
	// plain leaves STARTTLS out of the greeting, implicit begins with TLS; replies answer a command other than with success.
	plain    bool
	implicit bool
	replies  map[string]string
	// user and password are demanded where they are set.
	user, password string

	mu   sync.Mutex
	mail []receivedMail
}

type receivedMail struct {
	from, to, data string
	encrypted      bool
	user           string
}

// listen starts the server; the pool returned trusts its certificate, which is for "localhost".
func (s *smtpServer) listen(t *testing.T) *x509.CertPool {
	t.Helper()
	cert, pool := selfSigned(t)
	s.cert = cert
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.port = l.Addr().(*net.TCPAddr).Port
	var sessions sync.WaitGroup
	sessions.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			sessions.Go(func() { (&smtpSession{server: s, conn: conn}).serve() })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		sessions.Wait()
	})
	return pool
}

func (s *smtpServer) received() []receivedMail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]receivedMail(nil), s.mail...)
}

type smtpSession struct {
	server *smtpServer
	conn   net.Conn
	r      *bufio.Reader
	now    receivedMail
}

func (s *smtpSession) reply(lines ...string) {
	_, _ = s.conn.Write([]byte(strings.Join(lines, "\r\n") + "\r\n"))
}

func (s *smtpSession) serve() {
	defer func() { _ = s.conn.Close() }()
	_ = s.conn.SetDeadline(time.Now().Add(30 * time.Second)) // a client that hangs must not hang the test
	if s.server.implicit && !s.encrypt() {
		return
	}
	s.r = bufio.NewReader(s.conn)
	s.reply("220 localhost ESMTP")
	for {
		line, err := s.r.ReadString('\n')
		if err != nil {
			return
		}
		verb, rest, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
		verb = strings.ToUpper(verb)
		if answer := s.server.replies[verb]; answer != "" {
			s.reply(answer)
			continue
		}
		if !s.command(verb, rest) {
			return
		}
	}
}

// command answers one command and tells whether the session goes on.
func (s *smtpSession) command(verb, rest string) bool {
	switch verb {
	case "EHLO":
		s.reply(s.greeting()...)
	case "STARTTLS":
		s.reply("220 go ahead")
		return s.encrypt()
	case "AUTH":
		s.auth(rest)
	case "MAIL":
		if s.server.user != "" && s.now.user == "" {
			s.reply("530 5.7.0 authentication required")
			return true
		}
		s.now.from = between(rest)
		s.reply("250 2.1.0 ok")
	case "RCPT":
		s.now.to = between(rest)
		s.reply("250 2.1.5 ok")
	case "DATA":
		return s.data()
	case "RSET", "NOOP":
		s.reply("250 2.0.0 ok")
	case "QUIT":
		s.reply("221 2.0.0 bye")
		return false
	default:
		s.reply("502 5.5.2 not known here")
	}
	return true
}

func (s *smtpSession) encrypt() bool {
	secure := tls.Server(s.conn, &tls.Config{Certificates: []tls.Certificate{s.server.cert}})
	if secure.Handshake() != nil {
		return false
	}
	s.conn, s.r, s.now.encrypted = secure, bufio.NewReader(secure), true
	return true
}

func (s *smtpSession) greeting() []string {
	lines := []string{"250-localhost", "250-8BITMIME", "250-ENHANCEDSTATUSCODES"}
	if !s.server.plain && !s.now.encrypted {
		lines = append(lines, "250-STARTTLS")
	}
	if s.server.user != "" && s.now.encrypted {
		lines = append(lines, "250-AUTH PLAIN")
	}
	return append(lines, "250 SIZE 1000000")
}

func (s *smtpSession) auth(rest string) {
	token, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(rest, "PLAIN "))
	if err != nil || string(token) != "\x00"+s.server.user+"\x00"+s.server.password {
		s.reply("535 5.7.8 credentials invalid")
		return
	}
	s.now.user = s.server.user
	s.reply("235 2.7.0 welcome")
}

// data reads the text up to the lone dot and undoes the stuffing (RFC 5321 §4.5.2).
func (s *smtpSession) data() bool {
	s.reply("354 go on")
	var text strings.Builder
	for {
		line, err := s.r.ReadString('\n')
		if err != nil {
			return false
		}
		if line == ".\r\n" {
			break
		}
		text.WriteString(strings.TrimPrefix(line, "."))
	}
	if answer := s.server.replies["."]; answer != "" {
		s.reply(answer)
		return true
	}
	s.now.data = text.String()
	s.server.mu.Lock()
	s.server.mail = append(s.server.mail, s.now)
	n := len(s.server.mail)
	s.server.mu.Unlock()
	s.reply("250 2.0.0 queued as M" + strconv.Itoa(n))
	return true
}

func between(s string) string {
	_, s, _ = strings.Cut(s, "<")
	s, _, _ = strings.Cut(s, ">")
	return s
}

func selfSigned(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Unix(0, 0), NotAfter: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}
