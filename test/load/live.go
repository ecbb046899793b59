package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	socketCount = 1000
	seenBySome  = "a change seen by 1,000 sockets, p99"
)

// live measures how long after a client has begun to send a change the sockets of its user have seen it: 99 % of all
// pairs of change and socket. The next change is made when all have seen the one before.
//
// The bare loop is a net/http handler that answers with as many bytes, stores nothing, and writes a frame of as many
// bytes to one socket after the other, all of them by the library that docket uses.
func live(ctx context.Context, b *bench) (err error) {
	if !b.wants(seenBySome) {
		return nil
	}
	d, err := b.docket(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.stop()) }()
	bare, err := b.bareServer(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, bare.stop()) }()
	r := &readSides{docket: d}
	l, err := r.list(ctx, listSize)
	if err != nil {
		return err
	}
	frame, answer, err := sample(ctx, d, l)
	if err != nil {
		return err
	}
	if err := post(ctx, bare.addr, "/setup", footprintOfCreate{Answer: answer}); err != nil {
		return err
	}
	if err := post(ctx, bare.addr, "/frame", frame); err != nil {
		return err
	}
	changes := b.size(200, 50)
	ours, err := openAudience(ctx, d.addr, l.user, true)
	if err != nil {
		return err
	}
	defer ours.close()
	theirs, err := openAudience(ctx, bare.addr, l.user, false)
	if err != nil {
		return err
	}
	defer theirs.close()
	same := func() []byte { // the same bodies to the other address
		_, rest, _ := strings.Cut(string(l.next()), " HTTP/1.1")
		return []byte("POST /broadcast HTTP/1.1" + rest)
	}
	return b.compare(ctx, row{work: seenBySome, unit: "ms", least: 0.3, less: true},
		ours.slowest(changes, l.next), theirs.slowest(changes, same))
}

// next is the next write to the list.
func (l *taskList) next() []byte { return l.writes[int(l.written.Add(1)-1)%len(l.writes)] }

// sample makes one change and returns the frame that tells of it, and how long the answer was.
func sample(ctx context.Context, d *docket, l *taskList) (frame []byte, answer int, err error) {
	s, err := openSocket(ctx, d.addr, l.user)
	if err != nil {
		return nil, 0, err
	}
	defer s.Close()
	if _, err := s.frame(); err != nil { // hello
		return nil, 0, err
	}
	c, err := dial(ctx, d.addr)
	if err != nil {
		return nil, 0, err
	}
	defer c.Close()
	res, err := c.do(l.next())
	if err != nil {
		return nil, 0, err
	}
	frame, err = s.frame()
	return frame, res.length, err
}

// socket is a WebSocket (RFC 6455) that reads as cheaply as it can.
type socket struct{ *conn }

func openSocket(ctx context.Context, addr string, u user) (*socket, error) {
	c, err := dial(ctx, addr)
	if err != nil {
		return nil, err
	}
	const upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
	req := strings.TrimSuffix(string(request(http.MethodGet, "/ws", u.token, nil)), "\r\n") + upgrade
	res, err := c.do([]byte(req))
	if err == nil && res.status != http.StatusSwitchingProtocols {
		err = fmt.Errorf("open a socket: status %d", res.status)
	}
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return &socket{c}, nil
}

// frame returns the next text message, valid until the next call, and answers pings meanwhile.
func (s *socket) frame() ([]byte, error) {
	const text, closing, ping, pong = 1, 8, 9, 10
	for {
		head, err := s.r.Peek(2)
		if err != nil {
			return nil, err
		}
		opcode, length, skip := head[0]&15, int(head[1]&127), 2
		if length >= 126 {
			if head, err = s.r.Peek(4); err != nil {
				return nil, err
			}
			if length == 127 {
				return nil, errors.New("a frame of more than 64 KiB")
			}
			length, skip = int(binary.BigEndian.Uint16(head[2:])), 4
		}
		if _, err := s.r.Discard(skip); err != nil {
			return nil, err
		}
		if cap(s.body) < length {
			s.body = make([]byte, length)
		}
		s.body = s.body[:length]
		if _, err := io.ReadFull(s.r, s.body); err != nil {
			return nil, err
		}
		switch opcode {
		case text:
			return s.body, nil
		case closing:
			return nil, fmt.Errorf("the server has closed the socket: %q", s.body[min(2, length):])
		case ping:
			answer := append([]byte{0x80 | pong, 0x80 | byte(length), 0, 0, 0, 0}, s.body...) // masked with zeros
			if _, err := s.Write(answer); err != nil {
				return nil, err
			}
		}
	}
}

// audience is many sockets of one user.
type audience struct {
	addr    string
	sockets []*socket
	current atomic.Pointer[happening]
	failed  chan error
	reading sync.WaitGroup
}

// happening is one change on its way to the audience.
type happening struct {
	began time.Time
	took  []float64 // by socket, in milliseconds
	left  atomic.Int64
	seen  chan struct{} // closed when all have seen it
}

// openAudience opens the sockets; hello tells whether the server greets each.
func openAudience(ctx context.Context, addr string, u user, hello bool) (*audience, error) {
	a := &audience{addr: addr, sockets: make([]*socket, socketCount), failed: make(chan error, socketCount)}
	err := parallel(32, socketCount, func(i int) (err error) {
		if a.sockets[i], err = openSocket(ctx, addr, u); err == nil && hello {
			_, err = a.sockets[i].frame()
		}
		return err
	})
	if err != nil {
		a.close()
		return nil, err
	}
	for i, s := range a.sockets {
		a.reading.Go(func() { a.watch(i, s) })
	}
	return a, nil
}

// watch notes when socket i sees each change, which it must see once.
func (a *audience) watch(i int, s *socket) {
	for {
		f, err := s.frame()
		if err != nil {
			a.failed <- err
			return
		}
		h := a.current.Load()
		if h == nil || h.took[i] != 0 {
			a.failed <- fmt.Errorf("socket %d: more frames than changes: %.100s", i, f)
			return
		}
		h.took[i] = float64(time.Since(h.began)) / float64(time.Millisecond)
		if h.left.Add(-1) == 0 {
			close(h.seen)
		}
	}
}

func (a *audience) close() {
	for _, s := range a.sockets {
		if s != nil {
			_ = s.Close() // it only read
		}
	}
	a.reading.Wait()
}

// slowest makes so many changes and returns the 99th percentile over all sockets and changes, in milliseconds.
func (a *audience) slowest(changes int, next func() []byte) measure {
	return func(ctx context.Context) (float64, error) {
		c, err := dial(ctx, a.addr)
		if err != nil {
			return 0, err
		}
		defer c.Close()
		all := make([]float64, 0, changes*socketCount)
		for range changes {
			h := &happening{took: make([]float64, socketCount), seen: make(chan struct{})}
			h.left.Store(socketCount)
			req := next()
			h.began = time.Now()
			a.current.Store(h)
			if _, err := c.do(req); err != nil {
				return 0, err
			}
			select {
			case <-h.seen:
			case err := <-a.failed:
				return 0, err
			case <-time.After(patience):
				return 0, fmt.Errorf("%d of %d sockets have not seen a change", h.left.Load(), socketCount)
			}
			all = append(all, h.took...)
		}
		return percentile99(all), nil
	}
}
