package dapr

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/docket-tasks/docket/host"
)

// 64 of the largest messages that docket sends are no more than what is read of a batch.
func TestLargestBatchIsRead(t *testing.T) {
	escaped := strings.Repeat("%FF", maxKey)
	one, err := json.Marshal(entry{ID: escaped, Data: make([]byte, maxData), Headers: map[string]string{idHeader: escaped, keyHeader: escaped, "__key": escaped}})
	if err != nil {
		t.Fatal(err)
	}
	if all := 64 * (len(one) + len(",")); all > maxBatch {
		t.Errorf("%d bytes, at most %d are read", all, maxBatch)
	}
}

// Of a larger one no more than that is read, an error says so, and it comes again.
func TestBatchIsBounded(t *testing.T) {
	var log bytes.Buffer
	n := &Node{Options: Options{Service: "audit", Logger: slog.New(slog.NewTextHandler(&log, nil))}}
	n.metrics, _ = newMetrics(nil, nil)
	b := newBus(n)
	said := func(body io.Reader) string {
		t.Helper()
		log.Reset()
		r := httptest.NewRequestWithContext(t.Context(), "POST", "/events/pubsub/nowhere", body)
		r.SetPathValue("topic", "nowhere")
		w := httptest.NewRecorder()
		b.serveBatch(w, r, b.deliverAll)
		if w.Code != 503 {
			t.Errorf("answered with %d", w.Code)
		}
		return log.String()
	}

	if got := said(strings.NewReader(`{"entries":[{"entryId":"1","event":""}]}`)); !strings.Contains(got, "does not subscribe to nowhere") {
		t.Errorf("of a batch that can be read: %s", got)
	}

	body := &endless{}
	got := said(io.MultiReader(strings.NewReader(`{"entries":[{"event":"`), body))
	if !strings.Contains(got, "level=ERROR") || !strings.Contains(got, "more than 100663296 bytes") {
		t.Errorf("of a batch that does not end: %s", got)
	}
	if body.read > maxBatch+1<<20 {
		t.Errorf("%d bytes of it were read", body.read)
	}
}

// A replica that wants every message gets each of a batch once, in their order, whatever its handler says.
//
// [Task]: T066
func TestWakingIsNotRepeated(t *testing.T) {
	n := &Node{Options: Options{Service: "backend", Logger: slog.New(slog.DiscardHandler), Failpoint: func(string) {}}, handling: t.Context()}
	n.metrics, _ = newMetrics(nil, nil)
	b := newBus(n)
	var woken []string
	b.every["updates"] = host.Subscription{Topic: "updates", Mode: host.Every, Handle: func(_ context.Context, m host.Message) error {
		woken = append(woken, m.ID+" of "+m.Key)
		return errors.New("not now")
	}}
	body := `{"entries":[{"entryId":"0","event":"e30=","metadata":{"docket-id":"a","docket-key":"list%2F1"}},` +
		`{"entryId":"1","event":"e30=","metadata":{}},{"entryId":"2","event":"e30=","metadata":{"docket-id":"b","docket-key":"list%2F1"}}]}`
	for topic, want := range map[string][]string{"updates": {"a of list/1", "b of list/1"}, "others": nil} {
		woken = nil
		r := httptest.NewRequestWithContext(t.Context(), "POST", "/events/broadcast/"+topic, strings.NewReader(body))
		r.SetPathValue("component", everyBus)
		r.SetPathValue("topic", topic)
		w := httptest.NewRecorder()
		b.ServeHTTP(w, r)
		all := `{"statuses":[{"entryId":"0","status":"SUCCESS"},{"entryId":"1","status":"SUCCESS"},{"entryId":"2","status":"SUCCESS"}]}`
		if got := strings.TrimSpace(w.Body.String()); w.Code != 200 || got != all {
			t.Errorf("%s: %d %s", topic, w.Code, got)
		}
		if !slices.Equal(woken, want) {
			t.Errorf("%s: %q, want %q", topic, woken, want)
		}
	}
}

// endless is the letter A again and again.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'A'
	}
	e.read += len(p)
	return len(p), nil
}
