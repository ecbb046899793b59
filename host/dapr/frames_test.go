package dapr

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

func answerInFrames(handler http.HandlerFunc) *http.Response {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set(framedHeader, "1")
	w := httptest.NewRecorder()
	framing(handler).ServeHTTP(w, r)
	return w.Result()
}

// A body comes back as it was written, whatever the pieces it is written and read in; cut anywhere, it is an error.
func TestFramesAreWholeOrAnError(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pieces := rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 0, 300), 0, 5).Draw(t, "pieces")
		res := answerInFrames(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "12345")
			w.WriteHeader(http.StatusCreated)
			for _, p := range pieces {
				if n, err := w.Write(p); n != len(p) || err != nil {
					t.Fatalf("wrote %d of %d: %v", n, len(p), err)
				}
			}
		})
		sent, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		read := func(sent []byte) ([]byte, error) {
			res := &http.Response{Header: res.Header.Clone(), Body: io.NopCloser(iotest.OneByteReader(bytes.NewReader(sent)))}
			if !unframe(res, http.MethodGet) || res.Header.Get("Content-Length") != "" || res.Header.Get(framedHeader) != "" {
				t.Fatalf("headers %v", res.Header)
			}
			return io.ReadAll(res.Body)
		}
		if got, err := read(sent); err != nil || !bytes.Equal(got, bytes.Join(pieces, nil)) {
			t.Fatalf("read %q, %v; wrote %q", got, err, pieces)
		}
		cut := rapid.IntRange(0, len(sent)-1).Draw(t, "cut")
		if got, err := read(sent[:cut]); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("cut at %d of %d: read %q, %v", cut, len(sent), got, err)
		}
	})
}

// What has no body is marked all the same; what was not asked for in frames goes as it is.
func TestFramesWhereThereAreNone(t *testing.T) {
	for _, status := range []int{http.StatusNoContent, http.StatusNotModified} {
		res := answerInFrames(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
		if body, err := io.ReadAll(res.Body); !unframe(res, http.MethodGet) || len(body) != 0 || err != nil {
			t.Errorf("%d: %q, %v", status, body, err)
		}
	}
	w := httptest.NewRecorder()
	framing(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "plain") })).
		ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	if res := w.Result(); unframe(res, http.MethodGet) || w.Body.String() != "plain" {
		t.Errorf("without being asked: %q", w.Body)
	}
}

// The status of a stream that is flushed before anything is written, and what kind of text it is, are what they would be.
func TestFramesKeepStatusAndType(t *testing.T) {
	res := answerInFrames(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "<!doctype html>")
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
	})
	if kind := res.Header.Get("Content-Type"); res.StatusCode != http.StatusOK || !strings.HasPrefix(kind, "text/html") {
		t.Errorf("%d %s", res.StatusCode, kind)
	}
	flushed := answerInFrames(func(w http.ResponseWriter, _ *http.Request) { _ = http.NewResponseController(w).Flush() })
	if body, err := io.ReadAll(flushed.Body); flushed.Header.Get(framedHeader) == "" || string(body) != "\x00" || err != nil {
		t.Errorf("flushed first: %v %q %v", flushed.Header, body, err)
	}
}
