package host

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
)

// Forwarder is a transport, such as a [Host]'s Client has, that can let a service write its answer straight to w instead of
// making a response of it first.
type Forwarder interface {
	http.RoundTripper
	// Forward is [Forward], by this transport.
	Forward(w http.ResponseWriter, r *http.Request) error
}

// Forward has r answered by the service that transport reaches, and passes status, headers and body on to w as they come;
// headers for one connection only stay behind (RFC 9110 section 7.6.1). Everything in r is the service's from now on.
// An error says that the service was not reached, or that its answer broke off: where w has a status by then, only
// cutting the connection tells the caller.
func Forward(transport http.RoundTripper, w http.ResponseWriter, r *http.Request) error {
	if f, ok := transport.(Forwarder); ok {
		return f.Forward(w, r)
	}
	if transport == nil {
		transport = http.DefaultTransport
	}
	res, err := transport.RoundTrip(r)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	passHeader(w.Header(), res.Header)
	w.WriteHeader(res.StatusCode)
	buffer := buffers.Get().(*[32 << 10]byte)
	defer buffers.Put(buffer)
	if _, err := io.CopyBuffer(w, res.Body, buffer[:]); err != nil {
		return fmt.Errorf("answer broke off: %w", err)
	}
	return nil
}

var buffers = sync.Pool{New: func() any { return new([32 << 10]byte) }}

// passHeader copies what is not meant for one connection only.
func passHeader(to, from http.Header) {
	for name, values := range from {
		switch name {
		case "Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade":
		default:
			to[name] = values
		}
	}
	for _, names := range from["Connection"] {
		for name := range strings.SplitSeq(names, ",") {
			to.Del(strings.TrimSpace(name))
		}
	}
}
