package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// bare is the other side of every ratio: the least code that does the same work. It runs in a process of its own.
type bare struct {
	store *store
	size  footprintOfCreate
	made  []byte            // what a creation answers
	pages map[string][]byte // by raw query
	texts []string          // folded

	mu      sync.Mutex
	sockets []*websocket.Conn
	frame   []byte
}

// serveBare serves until ctx ends, with its data in dir.
func serveBare(ctx context.Context, dir string) (err error) {
	s, err := openStore(ctx, filepath.Join(dir, "bare.db"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	b := &bare{store: s}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	srv := &http.Server{Handler: b.routes(), ReadHeaderTimeout: 10 * time.Second}
	stopped := context.AfterFunc(ctx, func() { _ = srv.Close() }) // nobody waits for what is under way
	defer stopped()
	fmt.Fprintf(os.Stdout, "bare serves http://%s\n", l.Addr())
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func (b *bare) routes() http.Handler {
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{}))
	mux.HandleFunc("POST /setup", accept(func(size footprintOfCreate) {
		b.size, b.made = size, bytes.Repeat([]byte("x"), size.Answer)
	}))
	mux.HandleFunc("POST /single", b.create(b.store.insert))
	mux.HandleFunc("POST /group", b.create(b.store.insertTogether))
	mux.HandleFunc("POST /pages", accept(func(pages map[string][]byte) { b.pages = pages }))
	mux.HandleFunc("GET /api/tasks", b.page)
	mux.HandleFunc("PATCH /api/tasks/{id}", b.acknowledge)
	mux.HandleFunc("POST /texts", accept(func(texts []string) { b.texts = texts }))
	mux.HandleFunc("POST /scan", b.scan)
	mux.HandleFunc("GET /ws", b.join)
	mux.HandleFunc("POST /frame", accept(func(frame []byte) { b.frame = frame }))
	mux.HandleFunc("POST /broadcast", b.broadcast)
	return mux
}

// accept takes what the client prepares the server with, between two measurements.
func accept[T any](take func(T)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var v T
		if err := json.NewDecoder(r.Body).Decode(&v); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		take(v)
		w.WriteHeader(http.StatusNoContent)
	}
}

// post prepares the bare server.
func post(ctx context.Context, addr, path string, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	c, err := dial(ctx, addr)
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = c.do(request(http.MethodPost, path, "", body))
	return err
}

// create makes a body durable in the list of the token that comes with it: nobody checks whose that is.
func (b *bare) create(insert func(list string, body []byte, size footprintOfCreate) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = insert(r.Header.Get("Authorization"), body, b.size)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		_, _ = w.Write(b.made) // the client sees it missing
	}
}

// page sends the bytes of the page that docket sends for the query.
func (b *bare) page(w http.ResponseWriter, r *http.Request) {
	page, ok := b.pages[r.URL.RawQuery]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(page)))
	_, _ = w.Write(page) // the client sees it missing
}

// acknowledge answers a write without doing anything.
func (b *bare) acknowledge(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // the client sees an error of its connection
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(b.made) // the client sees it missing
}

// scan looks for each query in every text, as often as asked, and answers how many texts have it.
func (b *bare) scan(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Queries []string
		Times   int
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	found := make([]int, len(in.Queries))
	for range in.Times {
		for i, q := range in.Queries {
			found[i] = 0
			for _, text := range b.texts {
				if strings.Contains(text, q) {
					found[i]++
				}
			}
		}
	}
	_ = json.NewEncoder(w).Encode(found) // the client sees it missing
}

// join keeps a socket until it is closed.
func (b *bare) join(w http.ResponseWriter, r *http.Request) {
	c, err := websocket.Accept(w, r, &websocket.AcceptOptions{CompressionMode: websocket.CompressionDisabled})
	if err != nil {
		return // Accept has answered
	}
	closed := c.CloseRead(r.Context())
	b.mu.Lock()
	b.sockets = append(b.sockets, c)
	b.mu.Unlock()
	<-closed.Done()
}

// broadcast writes the frame to every socket, one after the other, and answers at once as docket does.
func (b *bare) broadcast(w http.ResponseWriter, r *http.Request) {
	b.acknowledge(w, r)
	go func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, c := range b.sockets {
			_ = c.Write(context.WithoutCancel(r.Context()), websocket.MessageText, b.frame) // the client counts
		}
	}()
}
