package embedded

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"

	"github.com/docket-tasks/docket/host"
)

// client returns the HTTP client for a service: requests go to its handler without a network.
func (n *Node) client(service string) *http.Client {
	return &http.Client{
		Transport: &invoker{node: n, service: service},
		// A redirect is the caller's to follow or to pass on.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// UnknownServiceError says that no such service runs here.
type UnknownServiceError struct{ Service string }

func (e *UnknownServiceError) Error() string {
	return fmt.Sprintf("service %q is not running in this process", e.Service)
}

// streamAfter is how many bytes of a response are kept before it is handed over as a stream.
const streamAfter = 64 << 10

// invoker implements http.RoundTripper for one service.
type invoker struct {
	node    *Node
	service string
}

// RoundTrip implements [http.RoundTripper].
func (i *invoker) RoundTrip(r *http.Request) (*http.Response, error) {
	handler, err := i.handler(r.URL.Path)
	if err != nil {
		if r.Body != nil {
			_ = r.Body.Close() // a RoundTripper always closes it; the error that matters is err
		}
		return nil, err
	}
	ctx, cancel := context.WithCancel(callContext{r.Context()})
	x := &exchange{ctx: ctx, cancel: cancel, ready: make(chan struct{}), head: r.Method == http.MethodHead}
	in := incoming(ctx, r)
	in.Header = in.Header.Clone() // the caller keeps its own
	i.node.crew.run(func() { x.serve(i.node, handler, in) })
	select {
	case <-x.ready:
	case <-r.Context().Done():
		cancel()
		return nil, r.Context().Err()
	}
	if x.panicked {
		cancel()
		return nil, i.gaveUp()
	}
	return x.response(r), nil
}

// Forward implements [host.Forwarder]: the handler runs on the caller's goroutine and writes to w itself, which saves a copy of
// every answer.
func (i *invoker) Forward(w http.ResponseWriter, r *http.Request) (err error) {
	handler, err := i.handler(r.URL.Path)
	if err != nil {
		return err
	}
	defer func() {
		p := recover()
		if p != nil && p != http.ErrAbortHandler {
			i.node.panicked(r, p)
		}
		if p != nil {
			err = i.gaveUp()
		}
	}()
	handler.ServeHTTP(w, incoming(callContext{r.Context()}, r))
	return nil
}

func (i *invoker) gaveUp() error {
	return fmt.Errorf("service %s: the handler gave up on the request: %w", i.service, http.ErrAbortHandler)
}

// panicked notes that a service's handler did.
func (n *Node) panicked(r *http.Request, cause any) {
	n.log.Error("request handler panicked", "path", r.URL.Path, "panic", cause, "stack", string(debug.Stack()))
}

func (i *invoker) handler(path string) (http.Handler, error) {
	i.node.mu.Lock()
	s, ok := i.node.services[i.service]
	i.node.mu.Unlock()
	h := s.Public
	if strings.HasPrefix(path, "/internal/") {
		h = s.Runtime
	}
	switch {
	case !ok:
		return nil, &UnknownServiceError{Service: i.service}
	case h == nil:
		return http.NotFoundHandler(), nil
	}
	return h, nil
}

// callContext carries the caller's deadline and cancellation, and of its values only the host's own: what one service
// keeps in a context is none of another's business.
type callContext struct{ context.Context }

// Value implements [context.Context].
func (c callContext) Value(key any) any {
	if _, ok := key.(backgroundKey); ok {
		return c.Context.Value(key)
	}
	return nil
}

// incoming is r as a server would have read it off the wire; the headers are r's own.
func incoming(ctx context.Context, r *http.Request) *http.Request {
	in := r.WithContext(ctx)
	in.URL = &url.URL{Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery}
	if in.URL.Path == "" {
		in.URL.Path = "/"
	}
	in.RequestURI = in.URL.RequestURI()
	if in.Header == nil {
		in.Header = http.Header{}
	}
	if in.Host == "" {
		in.Host = r.URL.Host
	}
	if in.Method == "" {
		in.Method = http.MethodGet
	}
	if in.Body == nil {
		in.Body = http.NoBody
	}
	in.RemoteAddr = "127.0.0.1:0"
	in.Proto, in.ProtoMajor, in.ProtoMinor = "HTTP/1.1", 1, 1
	in.Close, in.GetBody, in.Response = false, nil, nil
	return in
}

// exchange is one call; it implements http.ResponseWriter for the handler. A response is kept until the handler returns,
// and handed over whole; if it is flushed or grows it becomes a stream.
type exchange struct {
	header  http.Header
	status  int
	sent    http.Header // as it was when the status was written
	buffer  []byte
	pooled  *[]byte // where buffer came from
	head    bool    // no body is wanted
	written int64

	pipe     *io.PipeWriter
	body     *io.PipeReader
	ready    chan struct{}   // closed when there is a response to return
	ctx      context.Context // the handler's: it ends with the caller's, or when the caller closes the body
	cancel   context.CancelFunc
	panicked bool
}

func (x *exchange) serve(n *Node, h http.Handler, r *http.Request) {
	defer func() {
		p := recover()
		if p != nil && p != http.ErrAbortHandler {
			n.panicked(r, p)
		}
		x.end(p)
		_ = r.Body.Close() // the caller's body, all that can be read has been read
	}()
	h.ServeHTTP(x, r)
}

// end completes the response after the handler; p is what it panicked with.
func (x *exchange) end(p any) {
	switch {
	case x.pipe != nil && p != nil:
		_ = x.pipe.CloseWithError(io.ErrUnexpectedEOF)
	case x.pipe != nil:
		_ = x.pipe.Close() // never fails
	case p == http.ErrAbortHandler:
		x.panicked = true
		close(x.ready)
	case p != nil:
		x.header, x.sent, x.status, x.buffer = nil, nil, 0, nil
		http.Error(x, "internal error", http.StatusInternalServerError)
		close(x.ready)
	default:
		x.WriteHeader(http.StatusOK)
		close(x.ready)
	}
}

// Header implements [http.ResponseWriter]. Once the status is written changes have no effect; until the response is handed
// over what was written can be read.
func (x *exchange) Header() http.Header {
	if x.header == nil {
		x.header = http.Header{}
		if x.pipe == nil {
			maps.Copy(x.header, x.sent)
		}
	}
	return x.header
}

// WriteHeader implements [http.ResponseWriter]. Informational responses are not passed on.
func (x *exchange) WriteHeader(status int) {
	if x.status == 0 && status >= 200 {
		x.status = status
		x.sent, x.header = x.Header(), nil
	}
}

// Write implements [http.ResponseWriter].
func (x *exchange) Write(p []byte) (int, error) {
	if x.status == 0 {
		if x.Header().Get("Content-Type") == "" {
			x.Header().Set("Content-Type", http.DetectContentType(p))
		}
		x.WriteHeader(http.StatusOK)
	}
	if x.status == http.StatusNoContent || x.status == http.StatusNotModified {
		return 0, http.ErrBodyNotAllowed
	}
	x.written += int64(len(p))
	if x.head {
		return len(p), nil
	}
	if x.pipe == nil && len(x.buffer)+len(p) <= streamAfter {
		if x.buffer == nil {
			x.pooled = buffers.Get().(*[]byte)
			x.buffer = (*x.pooled)[:0]
		}
		x.buffer = append(x.buffer, p...)
		return len(p), nil
	}
	x.stream()
	return x.pipe.Write(p)
}

// Flush implements [http.Flusher].
func (x *exchange) Flush() { x.stream() }

// stream hands the response over as it stands; what follows goes through a pipe.
func (x *exchange) stream() {
	if x.pipe != nil {
		return
	}
	x.WriteHeader(http.StatusOK)
	x.body, x.pipe = io.Pipe()
	// The stream ends with the request, as a connection would, also where the caller has left without a response.
	context.AfterFunc(x.ctx, func() { _ = x.body.CloseWithError(x.ctx.Err()) })
	close(x.ready)
}

// response is called once ready is closed. Until then the handler's goroutine owns everything, from then on only the
// pipe.
func (x *exchange) response(r *http.Request) *http.Response {
	resp := &http.Response{
		StatusCode: x.status, Status: strconv.Itoa(x.status) + " " + http.StatusText(x.status),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: x.sent, Request: r,
	}
	if x.body != nil {
		resp.ContentLength = -1
		resp.Body = &streamBody{Reader: io.MultiReader(bytes.NewReader(x.buffer), x.body), exchange: x}
		if n, err := strconv.ParseInt(x.sent.Get("Content-Length"), 10, 64); err == nil {
			resp.ContentLength = n
		}
		return resp
	}
	x.cancel()
	resp.ContentLength = x.written
	if x.sent.Get("Content-Length") == "" && x.status != http.StatusNoContent && x.status != http.StatusNotModified {
		resp.Header.Set("Content-Length", strconv.FormatInt(x.written, 10))
	}
	resp.Body = &shortBody{rest: x.buffer, buffer: x.buffer, pooled: x.pooled}
	return resp
}

// buffers are those of short answers whose callers have closed them: an answer is copied once on its way, and that is
// nearly all the memory it takes.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// shortBody is a body that is there as a whole. Closing it gives its buffer back, at once or when a read under way
// has ended.
type shortBody struct {
	mu     sync.Mutex
	rest   []byte // not read yet
	buffer []byte
	pooled *[]byte
}

// Read implements [io.Reader].
func (b *shortBody) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.rest) == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	return n, nil
}

// WriteTo implements [io.WriterTo]: one write, without another copy.
func (b *shortBody) WriteTo(w io.Writer) (int64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.rest) == 0 {
		return 0, nil
	}
	n, err := w.Write(b.rest)
	b.rest = b.rest[n:]
	return int64(n), err
}

// Close implements [io.Closer]. What is read after it is empty.
func (b *shortBody) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.pooled != nil {
		*b.pooled = b.buffer[:0]
		buffers.Put(b.pooled)
	}
	b.rest, b.buffer, b.pooled = nil, nil, nil
	return nil
}

// streamBody is a body that the handler is still writing; closing it ends the handler's context.
type streamBody struct {
	io.Reader
	exchange *exchange
}

// Close implements [io.Closer].
func (b *streamBody) Close() error {
	b.exchange.cancel()
	return b.exchange.body.Close()
}

var (
	_ host.Forwarder = (*invoker)(nil)
	_ io.WriterTo    = (*shortBody)(nil)
	_ http.Flusher   = (*exchange)(nil)
	_ host.Secrets   = secrets{}
)
