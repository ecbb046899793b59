package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener without a network, so that time is the test's.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.closed); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// against runs play with a connection to the server that docket runs, in front of handle.
func against(t *testing.T, handle http.HandlerFunc, play func(t *testing.T, conn net.Conn)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
		srv := newServer(t.Context(), handle, slog.New(slog.DiscardHandler))
		done := make(chan error)
		go func() { done <- srv.Serve(l) }()
		ours, theirs := net.Pipe()
		l.conns <- theirs
		play(t, ours)
		_ = ours.Close()
		time.Sleep(time.Second) // the server lingers over a connection that it has closed itself
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
}

// trickle sends one byte each second until the other end is closed, and returns how long that took.
func trickle(conn net.Conn) time.Duration {
	start := time.Now()
	for {
		if _, err := io.WriteString(conn, "a"); err != nil {
			return time.Since(start)
		}
		time.Sleep(time.Second)
	}
}

// between tells that d is at least least, and hardly more: the byte that finds the connection closed comes a second later.
func between(d, least time.Duration) bool { return d >= least && d <= least+2*time.Second }

func TestSlowHeader(t *testing.T) {
	handle := func(http.ResponseWriter, *http.Request) {
		t.Error("a request without an end to its header was handled")
	}
	against(t, handle, func(t *testing.T, conn net.Conn) {
		go func() { _, _ = io.Copy(io.Discard, conn) }()
		if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: docket.test\r\nX-Long: "); err != nil {
			t.Fatal(err)
		}
		if took := trickle(conn); !between(took, headerTime) {
			t.Errorf("cut off after %v, want %v", took, headerTime)
		}
	})
}

func TestSlowBody(t *testing.T) {
	var told atomic.Bool
	handle := func(_ http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body)
		told.Store(err != nil)
	}
	against(t, handle, func(t *testing.T, conn net.Conn) {
		go func() { _, _ = io.Copy(io.Discard, conn) }()
		if _, err := io.WriteString(conn, "POST / HTTP/1.1\r\nHost: docket.test\r\nContent-Length: 1000\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		if took := trickle(conn); !between(took, bodyTime) {
			t.Errorf("cut off after %v, want %v", took, bodyTime)
		}
		synctest.Wait()
		if !told.Load() {
			t.Error("the handler was not told")
		}
	})
}

// A client that does not take its answer holds nothing for ever.
func TestSlowReader(t *testing.T) {
	var ended atomic.Int64
	handle := func(w http.ResponseWriter, _ *http.Request) {
		start := time.Now()
		for {
			if _, err := w.Write(make([]byte, 8<<10)); err != nil {
				ended.Store(int64(time.Since(start)))
				return
			}
		}
	}
	against(t, handle, func(t *testing.T, conn net.Conn) {
		if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: docket.test\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * answerTime)
		if took := time.Duration(ended.Load()); !between(took, answerTime) {
			t.Errorf("given up after %v, want %v", took, answerTime)
		}
	})
}

func TestIdleConnection(t *testing.T) {
	against(t, func(http.ResponseWriter, *http.Request) {}, func(t *testing.T, conn net.Conn) {
		answers := bufio.NewReader(conn)
		if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: docket.test\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		if _, err := http.ReadResponse(answers, nil); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if _, err := answers.ReadByte(); !errors.Is(err, io.EOF) || !between(time.Since(start), idleTime) {
			t.Errorf("%v after %v, want the end after %v", err, time.Since(start), idleTime)
		}
	})
}

func TestLargeHeader(t *testing.T) {
	handle := func(http.ResponseWriter, *http.Request) { t.Error("a header that is too large was handled") }
	against(t, handle, func(t *testing.T, conn net.Conn) {
		go func() { // the server does not read to the end
			_, _ = fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: docket.test\r\nX-Long: %s\r\n\r\n", strings.Repeat("a", 2*maxHeaderSize))
		}()
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || res.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
			t.Errorf("%v, %v", res, err)
		}
	})
}

// A connection that has become a WebSocket is nobody's to cut off, however long it is silent.
func TestTakenOverConnection(t *testing.T) {
	handle := func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		go func() {
			defer conn.Close() //nolint:errcheck // the test's end
			_, _ = io.Copy(conn, conn)
		}()
	}
	against(t, handle, func(t *testing.T, conn net.Conn) {
		if _, err := io.WriteString(conn, "GET /ws HTTP/1.1\r\nHost: docket.test\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		if _, err := io.WriteString(conn, "x"); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Read(make([]byte, 1)); err != nil {
			t.Error(err)
		}
	})
}

// A stop waits for a slow request no longer than it may.
func TestStopDoesNotWaitForSlowClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		handle := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
		go func() { done <- serveHTTP(ctx, t.Context(), l, handle, slog.New(slog.DiscardHandler)) }()
		ours, theirs := net.Pipe()
		l.conns <- theirs
		if _, err := io.WriteString(ours, "POST / HTTP/1.1\r\nHost: docket.test\r\nContent-Length: 1000\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		stop()
		if err := <-done; err != nil || time.Since(start) > requestTime+time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		_ = ours.Close()
	})
}

// A server that parts answers what comes, says that the connection ends with it, and stops when its time is over.
func TestPartingAsksClientsToConnectAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		handle := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
		go func() { done <- servePublic(ctx, t.Context(), l, handle, slog.New(slog.DiscardHandler), 3*time.Second) }()
		ours, theirs := net.Pipe()
		defer ours.Close() //nolint:errcheck // the test's end
		l.conns <- theirs
		in := bufio.NewReader(ours)
		ask := func() *http.Response {
			if _, err := io.WriteString(ours, "GET / HTTP/1.1\r\nHost: docket.test\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
			res, err := http.ReadResponse(in, nil)
			if err != nil {
				t.Fatal(err)
			}
			return res
		}
		if res := ask(); res.Close {
			t.Error("the connection ends before the server parts")
		}
		start := time.Now()
		stop()
		synctest.Wait()
		if res := ask(); !res.Close || res.StatusCode != http.StatusNoContent {
			t.Errorf("while it parts: %s, connection ends: %t", res.Status, res.Close)
		}
		if err := <-done; err != nil || time.Since(start) != 3*time.Second {
			t.Errorf("%v after %v, want 3 s", err, time.Since(start))
		}
	})
}
