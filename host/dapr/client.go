package dapr

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
)

// reconnect lets a sidecar that has come back be found within two seconds.
var reconnect = grpc.ConnectParams{
	Backoff:           backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 2 * time.Second},
	MinConnectTimeout: 2 * time.Second,
}

// client returns an HTTP client whose requests the sidecars carry to the service named in their address.
func (n *Node) client(service string) *http.Client {
	c := *n.sidecar.http
	if service == n.Service {
		c.Transport = toSelf{n, c.Transport.(invocation).next}
	}
	c.Transport = named{service, c.Transport}
	return &c
}

// toSelf sends requests of a service to itself straight to its own port: a sidecar carries such a one without telling who calls.
type toSelf struct {
	node *Node
	next http.RoundTripper
}

func (t toSelf) RoundTrip(r *http.Request) (*http.Response, error) {
	address := t.node.address.Load()
	if address == nil {
		return nil, fmt.Errorf("request of %s to itself before it has started", t.node.Service)
	}
	out := r.Clone(r.Context())
	out.URL.Scheme, out.URL.Host = "http", *address
	out.Header.Set(callerHeader, t.node.Service)
	out.Header.Set(apiTokenHeader, t.node.AppToken)
	out.Header.Set(framedHeader, "1")
	res, err := t.next.RoundTrip(out)
	if err == nil {
		unframe(res, r.Method)
	}
	return res, err
}

// named refuses requests to another service than the client is for.
type named struct {
	service string
	next    http.RoundTripper
}

func (t named) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host != t.service {
		return nil, fmt.Errorf("request to %q by the client for %q", r.URL.Host, t.service)
	}
	return t.next.RoundTrip(r)
}

// invocation is Dapr's service invocation: the request as it is, to the sidecar, with the service's name in a header.
//
// A sidecar repeats a request whose connection broke off, though it may have been carried out. It cannot repeat one whose
// length it does not know, so what is not idempotent (RFC 9110 section 9.2.2) goes as such a stream, and PUT, which changes
// tags by adding to them, too: a change happens once, and the caller is told where nobody knows.
type invocation struct {
	sidecar *sidecar
	next    http.RoundTripper
}

func (t invocation) RoundTrip(r *http.Request) (*http.Response, error) {
	if t.sidecar.dead.Load() {
		return nil, errDead
	}
	out := t.addressed(r)
	body := &replay{from: r.Body}
	limit := time.NewTimer(elsewhereTime)
	defer limit.Stop()
	for pause := elsewherePause; ; pause = min(2*pause, longestPause) {
		one, reading := out.WithContext(r.Context()), body.again()
		if r.Body != nil && r.Body != http.NoBody || out.ContentLength < 0 {
			one.Body = reading
		} else {
			_ = reading.Close() // there is nothing to read
		}
		res, said, elsewhere, err := t.once(one)
		if elsewhere && resend(r.Context(), reading, limit.C, pause) {
			continue
		}
		reading.end()
		if said != "" {
			t.sidecar.Logger.Warn("a service is not reached", "to", r.URL.Host, "error", said)
			return unavailable(r), nil
		}
		return res, err
	}
}

// addressed is the request as the sidecar wants it, without its body.
func (t invocation) addressed(r *http.Request) *http.Request {
	out := r.Clone(r.Context())
	out.URL.Scheme, out.URL.Host, out.Host = t.sidecar.base.Scheme, t.sidecar.base.Host, ""
	out.Header.Set(appIDHeader, r.URL.Host)
	out.Header.Set(framedHeader, "1")
	out.Header.Del(pathHeader)
	if r.URL.RawPath != "" {
		out.Header.Set(pathHeader, r.URL.RawPath)
	}
	if t.sidecar.APIToken != "" {
		out.Header.Set(apiTokenHeader, t.sidecar.APIToken)
	}
	if r.Method == http.MethodPost || r.Method == http.MethodPut || r.Method == http.MethodPatch {
		out.ContentLength = -1
	}
	return out
}

// once sends the request. Where the answer is none of the service's it is closed, and said is what the sidecar says or what is wrong;
// elsewhere tells that nothing was done, so that the request may be sent again.
func (t invocation) once(out *http.Request) (res *http.Response, said string, elsewhere bool, err error) {
	res, err = t.next.RoundTrip(out)
	switch {
	case err != nil:
		return nil, "", false, err
	case res.Header.Get(elsewhereHeader) != "":
		return nil, "its replica is stopping", true, res.Body.Close()
	case unframe(res, out.Method): // so it is the service's own
		return res, "", false, nil
	}
	said, err = sidecarError(res)
	if err == nil && said == "" && res.StatusCode < http.StatusBadRequest {
		return nil, "the answer was lost on the way", false, res.Body.Close() // nothing in it is the service's
	}
	return res, said, untouched(said), err
}

// resend waits until a request may be sent once more: the transport has let go of its body, and the pause is over. It tells whether there
// is still time for that, and all of the body.
func resend(ctx context.Context, last *reading, limit <-chan time.Time, pause time.Duration) bool {
	select {
	case <-last.closed:
	case <-limit:
		return false
	case <-ctx.Done():
		return false
	}
	if last.lost {
		return false
	}
	select {
	case <-time.After(pause):
		return true
	case <-limit:
		return false
	case <-ctx.Done():
		return false
	}
}

// unavailable is the answer where a sidecar has none of the service: nobody knows whether the service has seen the request.
func unavailable(r *http.Request) *http.Response {
	const problem = `{"type":"about:blank","title":"Service Unavailable","status":503,"detail":"this part of docket cannot be reached just now, try again","code":"unavailable"}` + "\n"
	return &http.Response{Status: "503 Service Unavailable", StatusCode: http.StatusServiceUnavailable, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/problem+json"}, "Retry-After": {"1"}}, ContentLength: int64(len(problem)), Body: io.NopCloser(strings.NewReader(problem))}
}

// maxSidecarError bounds what is read of a sidecar's error, in bytes.
const maxSidecarError = 16 << 10

// sidecarError is what the sidecar says, with the answer closed, where the answer is its own: it has not reached the service, lost
// it, or was not let in. Services answer with errors as application/problem+json (RFC 9457), sidecars as plain JSON.
func sidecarError(res *http.Response) (said string, err error) {
	kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if res.StatusCode < http.StatusBadRequest || kind != "application/json" {
		return "", nil
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxSidecarError))
	if err != nil {
		return "", errors.Join(err, res.Body.Close())
	}
	var own struct {
		Code    string `json:"errorCode"`
		Message string `json:"message"`
	}
	if json.Unmarshal(body, &own) != nil || own.Code == "" { // a service's, after all
		res.Body = rest{io.MultiReader(bytes.NewReader(body), res.Body), res.Body}
		return "", nil
	}
	return own.Code + ": " + own.Message, res.Body.Close()
}

// rest is a body of which something has been read already.
type rest struct {
	io.Reader
	io.Closer
}
