package dapr

import (
	"fmt"
	"net/http"
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
	return t.next.RoundTrip(out)
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
type invocation struct {
	sidecar *sidecar
	next    http.RoundTripper
}

func (t invocation) RoundTrip(r *http.Request) (*http.Response, error) {
	if t.sidecar.dead.Load() {
		return nil, errDead
	}
	out := r.Clone(r.Context())
	out.URL.Scheme, out.URL.Host, out.Host = t.sidecar.base.Scheme, t.sidecar.base.Host, ""
	out.Header.Set(appIDHeader, r.URL.Host)
	out.Header.Del(pathHeader)
	if r.URL.RawPath != "" {
		out.Header.Set(pathHeader, r.URL.RawPath)
	}
	if t.sidecar.APIToken != "" {
		out.Header.Set(apiTokenHeader, t.sidecar.APIToken)
	}
	return t.next.RoundTrip(out)
}
