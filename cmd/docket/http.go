package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// How long a client may take. A WebSocket is bounded by its own service, and a stream of events by each of its pieces.
const (
	headerTime    = 10 * time.Second  // to send the header of a request
	bodyTime      = 60 * time.Second  // to send all of it
	answerTime    = 120 * time.Second // to be answered and take the answer: a page of 4 MiB at 35 KB/s
	idleTime      = 120 * time.Second // until the next request of a connection
	maxHeaderSize = 64 << 10          // bytes
)

// newServer returns a server that no client can hold up by being slow.
func newServer(background context.Context, h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerTime,
		ReadTimeout:       bodyTime,
		WriteTimeout:      answerTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    maxHeaderSize,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		BaseContext:       func(net.Listener) context.Context { return background },
	}
}

// serveHTTP serves until ctx ends, then lets requests that have begun finish.
func serveHTTP(ctx, background context.Context, l net.Listener, h http.Handler, log *slog.Logger) error {
	return servePublic(ctx, background, l, h, log, 0)
}

// servePublic serves until ctx ends. For a while longer, farewell, it answers all and asks clients with each answer not to come again on
// that connection: one that is closed just as its client sends the next request loses it, and the client cannot know that. Then requests
// that have begun may finish.
func servePublic(ctx, background context.Context, l net.Listener, h http.Handler, log *slog.Logger, farewell time.Duration) error {
	last := &parting{next: h}
	srv := newServer(background, last, log)
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(l) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	last.begun.Store(true)
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-time.After(farewell):
	}
	limit, cancel := context.WithTimeout(background, requestTime)
	defer cancel()
	err := srv.Shutdown(limit)
	if errors.Is(err, context.DeadlineExceeded) { // a client that does not send the rest of its request, say
		log.Warn("requests were cut off")
		err = srv.Close()
	}
	if err != nil {
		return fmt.Errorf("stop serving: %w", err)
	}
	return nil
}

// parting asks clients, once it has begun, to connect anew for their next request.
type parting struct {
	next  http.Handler
	begun atomic.Bool
}

// ServeHTTP implements [http.Handler].
func (p *parting) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if p.begun.Load() {
		w.Header().Set("Connection", "close")
	}
	p.next.ServeHTTP(w, r)
}
