package main

import (
	"errors"
	"io"
	"net"
	"net/url"
	"testing"
)

// Requests that failed for the same reason are counted as one, whatever address, port or task was in it; what was refused has not failed.
func TestFailuresAreToldApart(t *testing.T) {
	refused := &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{Port: 30080}, Err: errors.New("connect: connection refused")}
	for want, c := range map[string]struct {
		res answer
		err error
	}{
		"dial: connect: connection refused": {err: &url.Error{Op: "Post", URL: "http://10.0.0.1/api/tasks/7", Err: refused}},
		"EOF":                               {err: &url.Error{Op: "Post", URL: "http://10.0.0.1/api/tasks/7", Err: io.EOF}},
		"503 unavailable: try again":        {res: answer{status: 503, body: []byte(`{"status":503,"code":"unavailable","detail":"try again"}`)}},
		"502 : ":                            {res: answer{status: 502, body: []byte(`<html>`)}},
		"":                                  {res: answer{status: 409, body: []byte(`{"status":409,"code":"deleted"}`)}},
	} {
		l := newLedger()
		l.answered(c.res, c.err)
		sent, failed := l.failures()
		n := 1
		if want == "" {
			n = 0
		}
		if sent != 1 || len(failed) != n || failed[want] != n {
			t.Errorf("%v %s: %d sent, failed %v; want %q", c.err, c.res.body, sent, failed, want)
		}
	}
}
