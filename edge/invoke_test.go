package edge_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/docket-tasks/docket/edge"
)

// Invoke sends JSON, decodes the answer, and tells an answer that is no success, with what is wrong, from none at all.
func TestInvoke(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /double", func(w http.ResponseWriter, r *http.Request) {
		var in struct{ N int }
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("request %v: %v", r.Header, err)
		}
		_ = json.NewEncoder(w).Encode(map[string]int{"N": 2 * in.N})
	})
	mux.HandleFunc("GET /full", func(w http.ResponseWriter, r *http.Request) {
		edge.WriteProblem(w, r, edge.NewProblem(http.StatusConflict, "list_full", "the list is full"))
	})
	mux.HandleFunc("GET /nonsense", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{")) })
	server := httptest.NewServer(mux)
	defer server.Close()

	var out struct{ N int }
	if status, err := edge.Invoke(t.Context(), server.Client(), "POST", server.URL+"/double", map[string]int{"N": 21}, &out); err != nil || status != 200 || out.N != 42 {
		t.Errorf("%d %v %+v", status, err, out)
	}
	status, err := edge.Invoke(t.Context(), server.Client(), "GET", server.URL+"/full", nil, &out)
	if status != http.StatusConflict || err == nil || !strings.Contains(err.Error(), "the list is full") {
		t.Errorf("a refusal: %d %v", status, err)
	}
	if status, err := edge.Invoke(t.Context(), server.Client(), "GET", server.URL+"/nonsense", nil, &out); status != 0 || err == nil {
		t.Errorf("an answer that cannot be read: %d %v", status, err)
	}
	server.Close()
	if status, err := edge.Invoke(t.Context(), server.Client(), "GET", server.URL+"/full", nil, &out); status != 0 || err == nil {
		t.Errorf("nobody there: %d %v", status, err)
	}
}
