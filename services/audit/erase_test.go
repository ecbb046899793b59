package audit_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/docket-tasks/docket/services/audit"
)

// erase asks for an erasure and returns how many versions are missing.
func (s *stage) erase(list string, from, to int64) (missing int) {
	s.t.Helper()
	w := s.asksToErase(fmt.Sprintf(`{"list_id":%q,"from":%d,"to":%d}`, list, from, to))
	var a struct{ Missing int }
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil || w.Code != http.StatusOK {
		s.t.Fatalf("%d %s", w.Code, w.Body)
	}
	return a.Missing
}

func (s *stage) asksToErase(body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.service.Runtime.ServeHTTP(w, httptest.NewRequestWithContext(s.t.Context(), http.MethodPost, "/internal/erasures", strings.NewReader(body)))
	return w
}

// Of a deleted account's entries ids, types and times are left, in the list's history as in a task's; what comes in late is
// erased by asking again, and nobody else's history changes.
func TestErasure(t *testing.T) {
	s := newStage(t, false)
	events, others := history(t, ada, 300, 3), history(t, bob, 3, 1)
	late := events[200]
	s.keep(events[:200]...)
	s.keep(events[201:]...)
	s.keep(others...)
	before := s.get(bob, "/api/audit")
	if missing := s.erase(ada, 1, 301); missing != 2 { // 201, and 301, which there is not
		t.Errorf("%d are missing, want 2", missing)
	}
	s.keep(late)
	if got := s.get(ada, "/api/audit?limit=1").header.Get("Audit-Gaps"); got != "" {
		t.Errorf("gaps %s", got)
	}
	for range 2 {
		if missing := s.erase(ada, 1, 300); missing != 0 {
			t.Errorf("%d are missing, want none", missing)
		}
	}
	whole := s.get(ada, "/api/audit?limit=200").entries
	if len(whole) != 200 {
		t.Fatalf("%d entries on the page", len(whole))
	}
	for i, e := range append(whole, s.get(ada, "/api/tasks/"+taskID(ada, 0)+"/history?limit=200").entries...) {
		was := events[e.ListVersion-1]
		if !e.Erased() || string(e.Payload.RawMessage) != "{}" || string(e.Actor.RawMessage) != `{"kind":"user","id":"`+ada+`","name":""}` {
			t.Fatalf("entry %d still says %s by %s", i, e.Payload.RawMessage, e.Actor.RawMessage)
		}
		if e.EventID != was.EventID || e.EventType != string(was.EventType) || e.TaskID != was.TaskID || !e.EventTimestamp.Equal(was.Timestamp) || e.ReceivedAt.IsZero() {
			t.Errorf("entry %d has lost more than its contents: %+v", i, e)
		}
	}
	if after := s.get(bob, "/api/audit"); string(after.body) != string(before.body) {
		t.Errorf("another's history has become %s", after.body)
	}
	s.publish(events[:10]...) // delivered again
	for id, err := range s.await(1, events[:10]...) {
		if err != nil {
			t.Errorf("event %s again: %v", id, err)
		}
	}
	if got := s.get(ada, "/api/audit?limit=200").entries; !got[len(got)-1].Erased() || s.count("refused") != 0 {
		t.Error("a repeated delivery brings the contents back, or is refused")
	}
}

func TestErasureIsChecked(t *testing.T) {
	s := newStage(t, false)
	for _, body := range []string{"", "{}", `{"list_id":"x","from":0,"to":1}`, `{"list_id":"x","from":2,"to":1}`, `{"list_id":"x","from":1,"to":1025}`, `{"from":1,"to":2}`} {
		if w := s.asksToErase(body); w.Code != http.StatusBadRequest {
			t.Errorf("%s: %d", body, w.Code)
		}
	}
	if (audit.Entry{}).Erased() {
		t.Error("an empty entry counts as erased")
	}
}
