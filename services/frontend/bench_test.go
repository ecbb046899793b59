package frontend_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/fstest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/services/frontend"
)

// instant answers at once, so that what is measured is the door alone.
type instant struct {
	page   []byte
	header http.Header
	issuer *edge.Issuer
}

func (s *instant) RoundTrip(r *http.Request) (*http.Response, error) {
	res := &http.Response{StatusCode: http.StatusOK, Header: s.header, ContentLength: int64(len(s.page)), Body: io.NopCloser(onlyReader{bytes.NewReader(s.page)}), Request: r}
	if r.URL.Path == "/internal/identity" {
		token, expires, err := s.issuer.Issue(edge.Principal{UserID: "ann", Scope: edge.ScopeWrite})
		if err != nil {
			return nil, err
		}
		body, err := json.Marshal(edge.IdentityAnswer{JWT: token, Expires: expires})
		if err != nil {
			return nil, err
		}
		res.Body = io.NopCloser(bytes.NewReader(body))
	}
	return res, nil
}

// onlyReader hides WriterTo: a body from the network has none.
type onlyReader struct{ io.Reader }

// discard is a ResponseWriter that keeps nothing.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
func (d *discard) WriteHeader(int)             {}

// BenchmarkForward passes on an answer of 25 KB, with metrics, for a caller whose identity is known.
func BenchmarkForward(b *testing.B) {
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		b.Fatal(err)
	}
	up := &instant{
		page:   bytes.Repeat([]byte("x"), 25<<10),
		header: http.Header{"Content-Type": {"application/json"}, "Etag": {`"7"`}, "X-Total-Count": {"50"}, "List-Version": {"7"}},
		issuer: edge.NewIssuer([]edge.SigningKey{{KID: "one", Private: private}}, time.Now),
	}
	service, err := frontend.New(frontend.Config{
		Now: time.Now, Static: fstest.MapFS{"index.html": {}}, Logger: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry(),
	}, host.Host{Client: func(string) *http.Client { return &http.Client{Transport: up} }})
	if err != nil {
		b.Fatal(err)
	}
	for name, header := range map[string][2]string{"token": {"Authorization", bearer}, "cookie": {"Cookie", "docket_session=good-session"}} {
		r := httptest.NewRequest("GET", "/api/tasks?limit=50", nil)
		r.Header.Set(header[0], header[1])
		r.Header.Set("User-Agent", "bench")
		r.Header.Set("Accept", "application/json")
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				service.Public.ServeHTTP(&discard{http.Header{}}, r)
			}
		})
	}
}
