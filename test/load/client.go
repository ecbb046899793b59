package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// conn is one kept-alive connection. It speaks just enough HTTP/1.1 (RFC 9112) for the servers measured here, since
// client and server share the machine: what the client costs would blur the difference between the two servers.
type conn struct {
	net.Conn
	r    *bufio.Reader
	body []byte // of the last reply, where it was kept
	keep bool
}

// reply is what is read of a response.
type reply struct {
	status      int
	listVersion int64
	total       int // X-Total-Count
	length      int
	body        []byte // valid until the next request; nil unless the connection keeps bodies
}

func dial(ctx context.Context, addr string) (*conn, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", addr, err)
	}
	return &conn{Conn: c, r: bufio.NewReaderSize(c, 64<<10)}, nil
}

// request is a request as it goes over the wire. Docket's token is sent to the bare server as well.
func request(method, path, token string, body []byte) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: docket\r\nAuthorization: Bearer %s\r\n", method, path, token)
	if body != nil {
		fmt.Fprintf(&b, "Content-Type: application/json\r\nContent-Length: %d\r\n", len(body))
	}
	b.WriteString("\r\n")
	b.Write(body)
	return b.Bytes()
}

// do sends a request and reads its reply; a status from 400 on is an error.
func (c *conn) do(req []byte) (reply, error) {
	if _, err := c.Write(req); err != nil {
		return reply{}, err
	}
	res, err := c.read()
	if err == nil && res.status >= 400 {
		line, _, _ := bytes.Cut(req, []byte("\r\n"))
		err = fmt.Errorf("%s: status %d: %s", line, res.status, res.body)
	}
	return res, err
}

func (c *conn) read() (reply, error) {
	var res reply
	line, err := c.r.ReadSlice('\n')
	if err != nil {
		return res, err
	}
	if len(line) < 12 {
		return res, fmt.Errorf("status line %q", line)
	}
	res.status = number(line[9:12])
	chunked := false
	for {
		if line, err = c.r.ReadSlice('\n'); err != nil {
			return res, err
		}
		if len(line) <= 2 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(": "))
		value = bytes.TrimRight(value, "\r\n")
		switch string(name) { // as net/http writes them
		case "Content-Length":
			res.length = number(value)
		case "List-Version":
			res.listVersion = int64(number(value))
		case "X-Total-Count":
			res.total = number(value)
		case "Transfer-Encoding":
			chunked = true
		}
	}
	c.body = c.body[:0]
	if chunked {
		res.length, err = c.chunks(c.keep || res.status >= 400)
	} else {
		err = c.take(res.length, c.keep || res.status >= 400)
	}
	res.body = c.body
	return res, err
}

// take reads n bytes of the body.
func (c *conn) take(n int, keep bool) error {
	if !keep {
		_, err := c.r.Discard(n)
		return err
	}
	at := len(c.body)
	c.body = append(c.body, make([]byte, n)...)
	_, err := io.ReadFull(c.r, c.body[at:])
	return err
}

// chunks reads a chunked body (RFC 9112 §7.1) and returns its length.
func (c *conn) chunks(keep bool) (length int, err error) {
	for {
		line, err := c.r.ReadSlice('\n')
		if err != nil {
			return length, err
		}
		n, err := strconv.ParseInt(string(bytes.TrimRight(line, "\r\n")), 16, 32)
		if err != nil {
			return length, fmt.Errorf("chunk: %w", err)
		}
		if err := c.take(int(n), keep); err != nil {
			return length, err
		}
		if _, err := c.r.Discard(2); err != nil || n == 0 {
			return length, err
		}
		length += int(n)
	}
}

// number reads digits; our servers write nothing else there.
func number(b []byte) (n int) {
	for _, d := range b {
		n = n*10 + int(d-'0')
	}
	return n
}

// load is a stream of requests by several clients at once.
type load struct {
	addr    string
	clients int
	// count ends it after so many requests, or time after so long.
	count int
	time  time.Duration
	// next returns the nth request, from 0 on; client is the number of who sends it.
	next func(client, n int) []byte
	// seen, if set, gets each reply; it is called by several clients at once.
	seen func(client, n int, r reply)
}

// run sends the requests and returns how many were answered, and in what time. The first error ends it.
func (l load) run(ctx context.Context) (int, time.Duration, error) {
	conns := make([]*conn, l.clients)
	for i := range conns {
		c, err := dial(ctx, l.addr)
		if err != nil {
			return 0, 0, err
		}
		defer c.Close()
		conns[i] = c
	}
	var sent, answered atomic.Int64
	var failed atomic.Pointer[error]
	var all sync.WaitGroup
	start := time.Now()
	for i, c := range conns {
		all.Go(func() {
			for failed.Load() == nil && ctx.Err() == nil && (l.time == 0 || time.Since(start) < l.time) {
				n := int(sent.Add(1)) - 1
				if l.count > 0 && n >= l.count {
					return
				}
				res, err := c.do(l.next(i, n))
				if err != nil {
					failed.CompareAndSwap(nil, &err)
					return
				}
				answered.Add(1)
				if l.seen != nil {
					l.seen(i, n, res)
				}
			}
		})
	}
	all.Wait()
	took := time.Since(start)
	if err := failed.Load(); err != nil {
		return 0, 0, errors.Join(*err, ctx.Err())
	}
	return int(answered.Load()), took, ctx.Err()
}
