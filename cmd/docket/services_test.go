package main

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/host/embedded"
	"github.com/docket-tasks/docket/services/backend"
	"github.com/docket-tasks/docket/services/backend/account"
)

// Every service of the table starts with nothing configured, is ready, and is not ready any more once it stops, so
// that no request is sent to it.
//
// [Task]: T023
func TestReadiness(t *testing.T) {
	node, err := embedded.Open(t.Context(), embedded.Options{Dir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	var units []host.Service
	for _, s := range services {
		unit, err := s.new(t.Context(), settings{}, node.Host(s.name))
		if err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		units = append(units, unit)
	}
	if err := node.Start(t.Context(), units...); err != nil {
		t.Fatal(err)
	}
	ready := func(u host.Service, want int, says string) {
		t.Helper()
		w := httptest.NewRecorder()
		u.Runtime.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/readyz", nil))
		if w.Code != want || !strings.Contains(w.Body.String(), says) {
			t.Errorf("%s: %d %s, want %d %s", u.Name, w.Code, w.Body, want, says)
		}
	}
	for _, u := range units {
		ready(u, http.StatusOK, "ready")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := node.Close(ctx); err != nil {
		t.Fatal(err)
	}
	for _, u := range units {
		ready(u, http.StatusServiceUnavailable, "draining")
	}
}

// Past the frontend nobody counts who tries to sign in.
func TestNobodySignsInAtThePortOfBackend(t *testing.T) {
	node, err := embedded.Open(t.Context(), embedded.Options{Dir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = node.Close(context.WithoutCancel(t.Context())) })
	unit, err := newBackend(t.Context(), settings{}, node.Host(backend.Name))
	if err != nil {
		t.Fatal(err)
	}
	asked := func(pattern string) int {
		method, path, _ := strings.Cut(pattern, " ")
		w := httptest.NewRecorder()
		usersDoor(unit).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader("{}")))
		return w.Code
	}
	for _, pattern := range account.OpenPatterns {
		if status := asked(pattern); status != http.StatusNotFound {
			t.Errorf("%s: %d", pattern, status)
		}
	}
	if status := asked("GET /api/tasks"); status != http.StatusUnauthorized {
		t.Errorf("who has not been identified gets %d", status)
	}
}
