package dapr

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net/http"
)

// framedHeader asks for an answer in frames, and marks one, also one without a body.
//
// A sidecar passes an answer that broke off, because the service died or cut it, on as a whole one: the length that the service
// announced is lost on the way, the end of a stream looks like any other, and where not even the headers came it is an empty 200. So
// between two hosts a body travels in frames, each with its length (unsigned LEB128) in front, and an empty one says that all has been
// sent; and what is not marked is not the service's.
const framedHeader = "docket-framed"

// framing answers in frames where that is asked for.
func framing(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get(framedHeader) == "" {
			next.ServeHTTP(w, r)
			return
		}
		r.Header.Del(framedHeader)
		f := &frameWriter{ResponseWriter: w}
		next.ServeHTTP(f, r) // a panic ends the answer without its last frame
		f.end()
	})
}

// frameWriter writes each piece of a body as a frame.
type frameWriter struct {
	http.ResponseWriter
	begun    bool
	bodiless bool // the status allows no body
}

// WriteHeader implements [http.ResponseWriter].
func (f *frameWriter) WriteHeader(status int) {
	if status >= 200 && !f.begun {
		f.begun = true
		f.bodiless = bodiless(status)
		f.Header().Del("Content-Length")
		f.Header().Set(framedHeader, "1")
	}
	f.ResponseWriter.WriteHeader(status)
}

// Write implements [http.ResponseWriter].
func (f *frameWriter) Write(p []byte) (int, error) {
	if !f.begun {
		if f.Header().Get("Content-Type") == "" {
			f.Header().Set("Content-Type", http.DetectContentType(p))
		}
		f.WriteHeader(http.StatusOK)
	}
	if f.bodiless || len(p) == 0 {
		return f.ResponseWriter.Write(p)
	}
	if _, err := f.ResponseWriter.Write(binary.AppendUvarint(nil, uint64(len(p)))); err != nil {
		return 0, err
	}
	return f.ResponseWriter.Write(p)
}

// FlushError serves [http.ResponseController].
func (f *frameWriter) FlushError() error {
	if !f.begun {
		f.WriteHeader(http.StatusOK)
	}
	return http.NewResponseController(f.ResponseWriter).Flush()
}

// Flush implements [http.Flusher].
func (f *frameWriter) Flush() { _ = f.FlushError() } // a caller who wants to know asks FlushError

// Unwrap serves [http.ResponseController].
func (f *frameWriter) Unwrap() http.ResponseWriter { return f.ResponseWriter }

func (f *frameWriter) end() {
	if !f.begun {
		f.WriteHeader(http.StatusOK)
	}
	if !f.bodiless {
		_, _ = f.ResponseWriter.Write([]byte{0}) // the caller sees it missing
	}
}

func bodiless(status int) bool {
	return status == http.StatusNoContent || status == http.StatusNotModified
}

// unframe has the body of a service's answer to a request of that method read as it was written, and tells whether it is a
// service's.
func unframe(res *http.Response, method string) bool {
	if res.Header.Get(framedHeader) == "" {
		return false
	}
	res.Header.Del(framedHeader)
	if method == http.MethodHead || bodiless(res.StatusCode) {
		return true
	}
	res.Header.Del("Content-Length")
	res.ContentLength = -1
	res.Body = &frameReader{in: bufio.NewReader(res.Body), Closer: res.Body}
	return true
}

// frameReader reads a body in frames. One that ends without the last of them ends with [io.ErrUnexpectedEOF].
type frameReader struct {
	in *bufio.Reader
	io.Closer
	left uint64 // of the frame that is being read
	err  error  // for good
}

// Read implements [io.Reader].
func (f *frameReader) Read(p []byte) (int, error) {
	if f.err != nil || len(p) == 0 {
		return 0, f.err
	}
	if f.left == 0 {
		if f.left, f.err = binary.ReadUvarint(f.in); f.err != nil {
			f.err = broken(f.err)
			return 0, f.err
		}
		if f.left == 0 {
			_, _ = f.in.ReadByte() // the end of the stream, so that the connection can be used again
			f.err = io.EOF
			return 0, f.err
		}
	}
	n, err := f.in.Read(p[:min(uint64(len(p)), f.left)])
	f.left -= uint64(n)
	f.err = broken(err)
	return n, f.err
}

func broken(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
