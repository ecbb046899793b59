package dapr

import (
	"io"
	"net/http"
	"sync"
	"time"
)

// elsewhereHeader marks the answer of a replica that is stopping: it has done nothing, and another one will.
//
// Callers' sidecars keep their connections to the sidecar of a replica until that ends, and go on sending it requests long after
// name resolution has dropped it. So a replica that stops refuses for as long as its sidecar may bring something ([Options.Linger]), and
// callers take what is refused elsewhere: they can, where they could not tell a request that was carried out from one that was lost.
const elsewhereHeader = "docket-elsewhere"

// How long a request that nobody has begun is tried again, and with what pauses: at first at once, for the next try goes to another
// replica more often than not.
const (
	elsewhereTime  = 5 * time.Second
	elsewherePause = 5 * time.Millisecond
	longestPause   = 160 * time.Millisecond
)

// admission lets requests in until it is closed, and tells when the last one is out.
type admission struct {
	mu     sync.Mutex
	inside int
	empty  chan struct{} // nil until it is closed
}

// enter tells whether a request may come in; own ones come of what is inside, and may as long as anything is.
func (a *admission) enter(own bool) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.empty != nil && (!own || a.inside == 0) {
		return false
	}
	a.inside++
	return true
}

func (a *admission) leave() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.inside--; a.inside == 0 && a.empty != nil {
		close(a.empty)
	}
}

// close lets nobody in any more; the channel is closed when nobody is inside. It is called once.
func (a *admission) close() <-chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.empty = make(chan struct{})
	if a.inside == 0 {
		close(a.empty)
	}
	return a.empty
}

// admitted refuses what comes when the replica is stopping.
func (n *Node) admitted(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !n.admission.enter(r.Header.Get(callerHeader) == n.Service) {
			w.Header().Set(elsewhereHeader, "1")
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		defer n.admission.leave()
		next.ServeHTTP(w, r)
	})
}

// longestReplay is how much of a body is kept for another try, in bytes: no request that docket accepts is longer.
const longestReplay = 5 << 20

// replay is the body of a request that may have to be sent again: what was read of it is kept.
type replay struct {
	from io.ReadCloser // may be nil
	kept []byte
	lost bool // there was more than is kept
}

// reading reads a replay from its beginning. A transport may go on reading after it has an answer, until it closes it.
type reading struct {
	*replay
	at     int
	once   sync.Once
	closed chan struct{}
}

func (p *replay) again() *reading { return &reading{replay: p, closed: make(chan struct{})} }

// Read implements [io.Reader].
func (r *reading) Read(p []byte) (n int, err error) {
	switch {
	case r.at < len(r.kept):
		n = copy(p, r.kept[r.at:])
	case r.from == nil:
		return 0, io.EOF
	default:
		n, err = r.from.Read(p)
		if r.lost = r.lost || len(r.kept)+n > longestReplay; !r.lost {
			r.kept = append(r.kept, p[:n]...)
		}
	}
	r.at += n
	return n, err
}

// Close implements [io.Closer]; the body itself stays open for another reading.
func (r *reading) Close() error {
	r.once.Do(func() { close(r.closed) })
	return nil
}

// end closes the body once this, the last reading, is closed.
func (r *reading) end() {
	if r.from == nil {
		return
	}
	select {
	case <-r.closed:
		_ = r.from.Close()
	default:
		go func() {
			<-r.closed
			_ = r.from.Close()
		}()
	}
}
