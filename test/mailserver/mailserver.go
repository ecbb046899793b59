// Package mailserver is a mail server to test against: it speaks SMTP (RFC 5321) with STARTTLS (RFC 3207) and AUTH PLAIN
// (RFC 4954) as far as a client that sends one message needs it, and keeps what it was sent.
//
// [Task]: T052
package mailserver

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
	"time"
)

// Server runs on 127.0.0.1. The zero Server offers STARTTLS and asks for no password.
type Server struct {
	// Port is where it listens, once it does.
	Port int
	// Plain leaves STARTTLS out of the greeting, Implicit begins with TLS.
	Plain, Implicit bool
	// Replies answer a command, or "." the end of the text, other than with success.
	Replies map[string]string
	// User and Password are demanded where they are set.
	User, Password string

	cert     tls.Certificate
	listener net.Listener
	sessions sync.WaitGroup

	mu   sync.Mutex
	mail []Mail
}

// Mail is one message as it came.
type Mail struct {
	From, To string
	// Data is header and text.
	Data string
	// Encrypted tells that it came by TLS; User is who had signed in.
	Encrypted bool
	User      string
}

// Listen starts the server; the pool returned trusts its certificate, which is for "localhost".
func (s *Server) Listen() (*x509.CertPool, error) {
	cert, pool, err := selfSigned()
	if err != nil {
		return nil, err
	}
	s.cert = cert
	if s.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	s.Port = s.listener.Addr().(*net.TCPAddr).Port
	s.sessions.Go(func() {
		for {
			conn, err := s.listener.Accept()
			if err != nil {
				return
			}
			s.sessions.Go(func() { (&session{server: s, conn: conn}).serve() })
		}
	})
	return pool, nil
}

// Close ends it, when those who are sending have finished.
func (s *Server) Close() {
	_ = s.listener.Close() // whatever it says, it is closed
	s.sessions.Wait()
}

// Received are the messages that were taken, oldest first.
func (s *Server) Received() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Mail(nil), s.mail...)
}

type session struct {
	server *Server
	conn   net.Conn
	r      *bufio.Reader
	now    Mail
}

func (s *session) reply(lines ...string) {
	_, _ = s.conn.Write([]byte(strings.Join(lines, "\r\n") + "\r\n"))
}

func (s *session) serve() {
	defer func() { _ = s.conn.Close() }()
	_ = s.conn.SetDeadline(time.Now().Add(30 * time.Second)) // a client that hangs must not hang the test
	if s.server.Implicit && !s.encrypt() {
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
		if answer := s.server.Replies[verb]; answer != "" {
			s.reply(answer)
			continue
		}
		if !s.command(verb, rest) {
			return
		}
	}
}

// command answers one command and tells whether the session goes on.
func (s *session) command(verb, rest string) bool {
	switch verb {
	case "EHLO":
		s.reply(s.greeting()...)
	case "STARTTLS":
		s.reply("220 go ahead")
		return s.encrypt()
	case "AUTH":
		s.auth(rest)
	case "MAIL":
		if s.server.User != "" && s.now.User == "" {
			s.reply("530 5.7.0 authentication required")
			return true
		}
		s.now.From = between(rest)
		s.reply("250 2.1.0 ok")
	case "RCPT":
		s.now.To = between(rest)
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

func (s *session) encrypt() bool {
	secure := tls.Server(s.conn, &tls.Config{Certificates: []tls.Certificate{s.server.cert}})
	if secure.Handshake() != nil {
		return false
	}
	s.conn, s.r, s.now.Encrypted = secure, bufio.NewReader(secure), true
	return true
}

func (s *session) greeting() []string {
	lines := []string{"250-localhost", "250-8BITMIME", "250-ENHANCEDSTATUSCODES"}
	if !s.server.Plain && !s.now.Encrypted {
		lines = append(lines, "250-STARTTLS")
	}
	if s.server.User != "" && s.now.Encrypted {
		lines = append(lines, "250-AUTH PLAIN")
	}
	return append(lines, "250 SIZE 1000000")
}

func (s *session) auth(rest string) {
	token, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(rest, "PLAIN "))
	if err != nil || string(token) != "\x00"+s.server.User+"\x00"+s.server.Password {
		s.reply("535 5.7.8 credentials invalid")
		return
	}
	s.now.User = s.server.User
	s.reply("235 2.7.0 welcome")
}

// data reads the text up to the lone dot and undoes the stuffing (RFC 5321 §4.5.2).
func (s *session) data() bool {
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
	if answer := s.server.Replies["."]; answer != "" {
		s.reply(answer)
		return true
	}
	s.now.Data = text.String()
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

func selfSigned() (tls.Certificate, *x509.CertPool, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Unix(0, 0), NotAfter: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool, nil
}
