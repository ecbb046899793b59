package frontend

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/docket-tasks/docket/edge"
)

// upstream is a service that requests are forwarded to.
type upstream struct {
	name      string
	transport http.RoundTripper
}

// newUpstream uses the client's transport alone: a redirect is the caller's business, and an answer may last.
func newUpstream(name string, client *http.Client) *upstream {
	if client.Transport == nil {
		return &upstream{name, http.DefaultTransport}
	}
	return &upstream{name, client.Transport}
}

func (u *upstream) send(r *http.Request) (*http.Response, error) {
	res, err := u.transport.RoundTrip(r)
	if err != nil {
		return nil, unreachable(err)
	}
	return res, nil
}

// answer copies the service's answer to the caller as it comes.
func (u *upstream) answer(w http.ResponseWriter, r *http.Request, res *http.Response) {
	defer func() { _ = res.Body.Close() }()
	h := w.Header()
	copyHeader(h, res.Header)
	if _, set := h["Cache-Control"]; !set {
		h["Cache-Control"] = noStore
		if _, versioned := h["Etag"]; versioned {
			h["Cache-Control"] = privateCheck
		}
	}
	if res.StatusCode == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", "Bearer")
	}
	w.WriteHeader(res.StatusCode)
	live := strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream")
	if err := copyBody(w, res.Body, live); err != nil && r.Context().Err() == nil {
		edge.LoggerOf(r.Context()).WarnContext(r.Context(), "answer broke off", "upstream", u.name, "error", err)
		panic(http.ErrAbortHandler) // the status is sent: all that is left is to cut the connection
	}
}

// copyHeader leaves out what is meant for one connection only (RFC 9110 section 7.6.1) or for the runtime.
func copyHeader(to, from http.Header) {
	for name, values := range from {
		switch name {
		case "Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding",
			"Upgrade", "Server", "Date", "X-Request-Id":
			continue
		}
		if !edge.SidecarHeader(name) {
			to[name] = values
		}
	}
	for _, names := range from["Connection"] {
		for name := range strings.SplitSeq(names, ",") {
			to.Del(strings.TrimSpace(name))
		}
	}
}

var buffers = sync.Pool{New: func() any { return new([32 << 10]byte) }}

// pieceTime is how long a caller may take to receive one piece of a live answer, which has no limit as a whole.
const pieceTime = 30 * time.Second

// copyBody copies what comes; live sends each piece on at once.
func copyBody(w http.ResponseWriter, body io.Reader, live bool) error {
	buffer := buffers.Get().(*[32 << 10]byte)
	defer buffers.Put(buffer)
	if !live {
		_, err := io.CopyBuffer(w, body, buffer[:])
		return err
	}
	control := http.NewResponseController(w)
	if err := control.Flush(); err != nil {
		return err
	}
	for {
		n, err := body.Read(buffer[:])
		if n > 0 {
			if err := control.SetWriteDeadline(time.Now().Add(pieceTime)); err != nil && !errors.Is(err, http.ErrNotSupported) {
				return err
			}
			if _, err := w.Write(buffer[:n]); err != nil {
				return err
			}
			if err := control.Flush(); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}
