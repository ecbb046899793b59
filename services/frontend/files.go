package frontend

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/docket-tasks/docket/edge"
)

const (
	index = "index.html"
	// smallFile is below what compression is worth, in bytes.
	smallFile = 1 << 10
)

// kinds are the media types of what a web client consists of, the same on every machine.
var kinds = map[string]string{
	".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".txt": "text/plain; charset=utf-8",
	".js": "text/javascript; charset=utf-8", ".mjs": "text/javascript; charset=utf-8", ".json": "application/json", ".map": "application/json",
	".webmanifest": "application/manifest+json", ".svg": "image/svg+xml", ".png": "image/png", ".ico": "image/x-icon",
	".jpg": "image/jpeg", ".webp": "image/webp", ".woff2": "font/woff2", ".wasm": "application/wasm",
}

// files serves the web client from memory.
type files map[string]*file

type file struct {
	body    []byte
	gzipped func() []byte // made when first asked for; nil where it does not pay
	header  http.Header
}

// loadFiles reads the web client. Files under assets/ never change under their name; all others are asked about
// each time.
func loadFiles(source fs.FS) (files, error) {
	loaded := files{}
	err := fs.WalkDir(source, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := fs.ReadFile(source, name)
		loaded[name] = newFile(name, body)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("frontend: load web client: %w", err)
	}
	if loaded[index] == nil {
		return nil, errors.New("frontend: the web client has no " + index)
	}
	return loaded, nil
}

func newFile(name string, body []byte) *file {
	kind := kinds[path.Ext(name)]
	if kind == "" {
		kind = "application/octet-stream"
	}
	caching := "no-cache"
	if strings.HasPrefix(name, "assets/") {
		caching = "public, max-age=31536000, immutable"
	}
	sum := sha256.Sum256(body)
	f := &file{body: body, header: http.Header{
		"Content-Type":            {kind},
		"Cache-Control":           {caching},
		"Etag":                    {`"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`},
		"Content-Security-Policy": pagePolicy,
	}}
	if compressible(kind) && len(body) >= smallFile {
		f.header["Vary"] = []string{"Accept-Encoding"}
		f.gzipped = sync.OnceValue(func() []byte { return compress(body) })
	}
	return f
}

func compressible(kind string) bool {
	kind, _, _ = strings.Cut(kind, ";")
	return strings.HasPrefix(kind, "text/") || strings.HasSuffix(kind, "javascript") || strings.HasSuffix(kind, "json") || kind == "image/svg+xml"
}

func compress(body []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write(body) // a Buffer takes everything
	_ = z.Close()
	return b.Bytes()
}

// ServeHTTP answers with the file; a path without an extension is a view of the client, which index.html shows.
func (fs files) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		edge.WriteProblem(w, r, edge.NewProblem(http.StatusMethodNotAllowed, "", "pages can only be read"))
		return
	}
	name := strings.TrimPrefix(r.URL.Path, "/")
	f := fs[name]
	if f == nil && isView(name) {
		f = fs[index]
	}
	if f == nil {
		nowhere(w, r)
		return
	}
	h, body := w.Header(), f.body
	for name, values := range f.header {
		h[name] = values
	}
	if f.gzipped != nil && acceptsGzip(r) {
		body = f.gzipped()
		h["Content-Encoding"] = []string{"gzip"}
		h["Etag"] = []string{strings.TrimSuffix(f.header["Etag"][0], `"`) + `-gz"`}
	}
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(body))
}

// isView tells a view of the client from a file that is not there and from what is reserved, in whatever case.
func isView(name string) bool {
	first, _, _ := strings.Cut(strings.ToLower(name), "/")
	return path.Ext(name) == "" && first != "assets" && !slices.Contains(reserved, first)
}

// acceptsGzip reads Accept-Encoding (RFC 9110 section 12.5.3) as far as it names gzip.
func acceptsGzip(r *http.Request) bool {
	for coding := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, quality, _ := strings.Cut(strings.TrimSpace(coding), ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			return strings.Trim(strings.TrimSpace(quality), "q=0.") != "" || quality == ""
		}
	}
	return false
}
