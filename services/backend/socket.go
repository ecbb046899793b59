package backend

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/docket-tasks/docket/edge"
)

const (
	// outboxSize is how many frames may wait for a client before it counts as too slow.
	outboxSize = 1024
	// writeTime bounds the sending of one frame.
	writeTime = 10 * time.Second
	// partTime bounds the close handshake, so that clients that do not read do not hold up a stop.
	partTime = 2 * time.Second
	// pingEvery is how often a silent connection is tried, and how often its credential is looked at again.
	pingEvery = 30 * time.Second
)

// socket is one open client. cursor and joined belong to its room's lock.
type socket struct {
	conn     *websocket.Conn
	identity edge.IdentityRequest
	session  string // id of the session or token it was opened with

	cursor int64
	joined bool

	outbox chan []byte
	once   sync.Once
	closed chan struct{}
	code   websocket.StatusCode
	reason string
}

// send queues a frame; a client that does not keep up is disconnected rather than waited for.
func (s *socket) send(frame []byte) {
	select {
	case s.outbox <- frame:
	default:
		s.close(websocket.StatusPolicyViolation, "too slow: reconnect with since")
	}
}

// part ends the connection with a close handshake, for which a client that does not read gets partTime.
func (s *socket) part() {
	impatience := time.AfterFunc(partTime, func() { _ = s.conn.CloseNow() })
	defer impatience.Stop()
	_ = s.conn.Close(s.code, s.reason)
}

func (s *socket) close(code websocket.StatusCode, reason string) {
	s.once.Do(func() {
		s.code, s.reason = code, reason
		close(s.closed)
	})
}

// wsParameters are the parameters of GET /ws; none may be repeated.
var wsParameters = map[string]bool{"since": false}

// serveWS serves GET /ws: the live updates of the caller's list, from the version given by since. It checks
// cookie or bearer token and the Origin itself, for it may be reached without the gateway.
//
// [Task]: T065
func (s *Service) serveWS(w http.ResponseWriter, r *http.Request) {
	if err := edge.CheckQuery(r.URL.RawQuery, wsParameters); err != nil {
		edge.WriteProblem(w, r, err)
		return
	}
	since := int64(-1)
	if v := r.URL.Query().Get("since"); v != "" {
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil || n < 0 {
			edge.WriteProblem(w, r, edge.NewProblem(http.StatusBadRequest, "validation_failed", "since is not a list version",
				edge.FieldError{Field: "since", Detail: "must be a number from a List-Version header"}))
			return
		}
		since = n
	}
	identity := identityOf(r)
	who, err := s.accounts.Principal(r.Context(), identity)
	if err != nil {
		edge.WriteProblem(w, r, unauthorized(err))
		return
	}
	rise, err := s.live.sit(who.UserID)
	if err != nil {
		edge.WriteProblem(w, r, err)
		return
	}
	defer rise()
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{CompressionMode: websocket.CompressionDisabled})
	if err != nil {
		return // Accept has answered
	}
	sock := &socket{conn: conn, identity: identity, session: who.Session, outbox: make(chan []byte, outboxSize), closed: make(chan struct{})}
	s.sockets.Add(1)
	defer s.sockets.Done()
	defer s.live.leave(who.UserID, sock)
	ctx := conn.CloseRead(context.WithoutCancel(r.Context()))
	if err := s.live.join(ctx, who.UserID, sock, since); err != nil {
		s.log.WarnContext(ctx, "socket not joined", "user_id", who.UserID, "error", err)
		_ = conn.Close(websocket.StatusTryAgainLater, "storage is unavailable")
		return
	}
	if s.draining.Load() { // drain, which sets it first, may have looked before this socket was there
		sock.close(websocket.StatusGoingAway, stopping)
	}
	s.pump(ctx, sock)
}

// pump sends the socket's frames until either side ends it.
func (s *Service) pump(ctx context.Context, sock *socket) {
	ping := time.NewTicker(pingEvery)
	defer ping.Stop()
	for {
		select {
		case frame := <-sock.outbox:
			if err := write(ctx, sock.conn, frame); err != nil {
				_ = sock.conn.CloseNow()
				return
			}
		case <-ping.C:
			if !s.alive(ctx, sock) {
				return
			}
		case <-sock.closed:
			sock.part()
			return
		case <-ctx.Done():
			_ = sock.conn.CloseNow()
			return
		}
	}
}

func write(ctx context.Context, conn *websocket.Conn, frame []byte) error {
	ctx, cancel := context.WithTimeout(ctx, writeTime)
	defer cancel()
	return conn.Write(ctx, websocket.MessageText, frame)
}

// alive pings the client and checks that its credential still holds, which another replica may have revoked.
func (s *Service) alive(ctx context.Context, sock *socket) bool {
	ctx, cancel := context.WithTimeout(ctx, writeTime)
	defer cancel()
	if _, err := s.accounts.Principal(ctx, sock.identity); isNoIdentity(err) {
		_ = sock.conn.Close(websocket.StatusPolicyViolation, "signed out")
		return false
	}
	if err := sock.conn.Ping(ctx); err != nil {
		_ = sock.conn.CloseNow()
		return false
	}
	return true
}

// signedOut closes the sockets of a session or token that ended.
func (s *Service) signedOut(session string) {
	s.live.each(func(sock *socket) {
		if sock.session == session {
			sock.close(websocket.StatusPolicyViolation, "signed out")
		}
	})
}

const stopping = "the server is stopping"

// drain asks every client to connect elsewhere and waits for them to be gone.
func (s *Service) drain(ctx context.Context) {
	s.draining.Store(true)
	s.live.each(func(sock *socket) { sock.close(websocket.StatusGoingAway, stopping) })
	s.stop()
	gone := make(chan struct{})
	go func() {
		s.sockets.Wait()
		s.work.Wait()
		close(gone)
	}()
	select {
	case <-gone:
	case <-ctx.Done():
	}
	s.accounts.Drain(ctx)
}
