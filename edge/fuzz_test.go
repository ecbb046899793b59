package edge

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// FuzzPreconditions reads any If-Match and If-None-Match: what does not name the version neither allows a change nor
// saves an answer.
func FuzzPreconditions(f *testing.F) {
	for _, seed := range []string{"", "*", `"7"`, `W/"7"`, `"6", "7"`, `"7`, "7", `,"7",`, ` "7" `, `""7""`, "\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		const version = 7
		free := strings.TrimSpace(header) == "" || strings.TrimSpace(header) == "*"
		named := strings.Contains(header, ETag(version))
		if IfMatch(header, version) && !free && !named {
			t.Errorf("If-Match %q allows a change of version %d", header, version)
		}
		if !IfNoneMatch(header, ETag(version)) && !named && strings.TrimSpace(header) != "*" {
			t.Errorf("If-None-Match %q saves the answer at version %d", header, version)
		}
	})
}

var requestID = regexp.MustCompile(`^[0-9a-f]{32}$`)

// FuzzTraceparent sends any traceparent: the answer and the logs name a trace of 32 hexadecimal digits, and nothing else of it.
func FuzzTraceparent(f *testing.F) {
	f.Add("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	f.Add("00-00000000000000000000000000000000-b7ad6b7169203331-01")
	f.Add("00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01\r\nX-Evil: 1")
	h := Handler(HandlerOptions{Service: "test", Logger: slog.New(slog.DiscardHandler)}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if trace := Trace(r.Context()); !validTrace(trace) {
			panic("the trace is " + trace)
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	f.Fuzz(func(t *testing.T, trace string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header["Traceparent"] = []string{trace}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if id := w.Header().Get("X-Request-Id"); w.Code != http.StatusNoContent || !requestID.MatchString(id) {
			t.Errorf("traceparent %q: %d, X-Request-Id %q", trace, w.Code, id)
		}
	})
}

// FuzzCheckQuery reads any query: what it lets pass, net/url reads whole.
func FuzzCheckQuery(f *testing.F) {
	for _, seed := range []string{"", "tag=x&tag=%3B", "search=100%", "tag=no;such", "search=%zz", "search=%ff", ";", "&;=&", "=;"} {
		f.Add(seed)
	}
	known := map[string]bool{"": true, "search": false, "tag": true}
	f.Fuzz(func(t *testing.T, raw string) {
		if _, err := url.ParseQuery(raw); err != nil && CheckQuery(raw, known) == nil {
			t.Errorf("%q passes, and is read without a part of it: %v", raw, err)
		}
	})
}

// FuzzBearerToken reads any Authorization header: what is taken for a token is all that is behind the scheme.
func FuzzBearerToken(f *testing.F) {
	for _, seed := range []string{"Bearer x", "bearer  x ", "Basic x", "Bearer", "Bearer ", "BearerX y", "Bearer\tx", "Bearer x y"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		token, ok := BearerToken(http.Header{"Authorization": {header}})
		if ok && (token == "" || len(header) < 7 || !strings.EqualFold(header[:7], "Bearer ") || strings.Trim(header[7:], " ") != token) {
			t.Errorf("%q has the token %q", header, token)
		}
		if _, ok := BearerToken(http.Header{"Authorization": {header, header}}); ok {
			t.Errorf("%q twice is taken", header)
		}
	})
}
