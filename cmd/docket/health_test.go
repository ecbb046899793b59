package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// Every address is asked, also after one that is not well, and the error says which and why.
func TestHealth(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/away" {
			http.Error(w, "the state cannot be read", http.StatusServiceUnavailable)
		}
	}))
	defer s.Close()
	var out strings.Builder
	if err := health(t.Context(), []string{s.URL + "/readyz"}, &out); err != nil || !strings.Contains(out.String(), "/readyz is well") {
		t.Errorf("%q, %v", out.String(), err)
	}
	out.Reset()
	err := health(t.Context(), []string{s.URL + "/away", "http://127.0.0.1:1/", s.URL + "/readyz"}, &out)
	if err == nil || !strings.Contains(err.Error(), "/away: 503") || !strings.Contains(err.Error(), "the state cannot be read") ||
		!strings.Contains(err.Error(), "127.0.0.1:1") || !strings.Contains(out.String(), "/readyz is well") {
		t.Errorf("%q, %v", out.String(), err)
	}
}
