package frontend

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// oneConn is a listener of one connection.
type oneConn struct {
	conn   chan net.Conn
	closed chan struct{}
}

func (l *oneConn) Accept() (net.Conn, error) {
	select {
	case c := <-l.conn:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *oneConn) Close() error   { close(l.closed); return nil }
func (l *oneConn) Addr() net.Addr { return &net.TCPAddr{} }

// stream runs play as the caller of an answer to which a piece is added each minute, at a server that gives an answer a minute and
// a half. It returns how the server's side ended.
func stream(t *testing.T, play func(body io.Reader)) (err error) {
	synctest.Test(t, func(t *testing.T) {
		ctx, gone := context.WithCancel(t.Context())
		defer gone()
		out, in := io.Pipe()
		go func() {
			for ctx.Err() == nil {
				time.Sleep(time.Minute)
				if _, err := io.WriteString(in, "data: x\n\n"); err != nil {
					return
				}
			}
			_ = in.Close()
		}()
		ended := make(chan error, 1)
		srv := &http.Server{WriteTimeout: 90 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			ended <- copyBody(w, out, true)
			_ = out.Close()
		})}
		l := &oneConn{make(chan net.Conn), make(chan struct{})}
		served := make(chan error)
		go func() { served <- srv.Serve(l) }()
		ours, theirs := net.Pipe()
		l.conn <- theirs
		if _, err := io.WriteString(ours, "GET / HTTP/1.1\r\nHost: docket.test\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		res, resErr := http.ReadResponse(bufio.NewReader(ours), nil)
		if resErr != nil {
			t.Fatal(resErr)
		}
		play(res.Body)
		gone()
		err = <-ended
		_ = ours.Close()
		_ = srv.Close()
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return err
}

// A live answer has no end, and is not cut off for that.
func TestLiveAnswerLasts(t *testing.T) {
	err := stream(t, func(body io.Reader) {
		for range 30 {
			if _, err := io.ReadFull(body, make([]byte, len("data: x\n\n"))); err != nil {
				t.Fatal(err)
			}
		}
		go func() { _, _ = io.Copy(io.Discard, body) }()
	})
	if err != nil {
		t.Error(err)
	}
}

// A caller who does not take the pieces is let go.
func TestLiveAnswerIsTaken(t *testing.T) {
	if err := stream(t, func(io.Reader) { time.Sleep(time.Hour) }); err == nil {
		t.Error("a caller who reads nothing is sent to for ever")
	}
}
