package notification

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/docket-tasks/docket/host/embedded"
)

// erase asks for the erasure of a user.
func (w *world) erase(user string) {
	w.t.Helper()
	r := httptest.NewRequestWithContext(w.t.Context(), http.MethodPost, "/internal/erasures", strings.NewReader(`{"user_id":"`+user+`"}`))
	answer := httptest.NewRecorder()
	if w.service.Runtime.ServeHTTP(answer, r); answer.Code != http.StatusNoContent {
		w.t.Fatalf("%d %s", answer.Code, answer.Body)
	}
}

// left are the keys of the service's rows that are about the user.
func (w *world) left(user string) (keys []string) {
	w.t.Helper()
	w.inspect("", func(key string, value []byte) {
		if strings.Contains(key, "/"+user) || strings.Contains(string(value), `"`+user+`"`) {
			keys = append(keys, key)
		}
	})
	return keys
}

// Of a deleted account nothing stays: no entry, old or new, no subscription. Reminders that come later are dropped, as are
// attempts that were to be made; others lose nothing. It can be done again.
func TestErasure(t *testing.T) {
	w := withBrowsers(t, Config{})
	phone, sub := w.subscribe("ada", "phone")
	w.subscribe("bob", "laptop")
	const n = blockSize + 6
	for i := range n {
		w.publish(reminder("ada", i), reminder("bob", i))
	}
	w.kept(2 * n)
	w.delivery("ada", "push")
	if len(w.left("ada")) < n {
		t.Fatal("there is nothing to erase")
	}
	w.backend.remove("ada")
	for range 2 {
		w.erase("ada")
	}
	w.publish(reminder("ada", n))
	w.kept(1)
	if left := w.left("ada"); left != nil {
		t.Errorf("%q are left", left)
	}
	w.put("bob", "phone", sub) // the browser is free for somebody else
	if items := w.items("bob"); len(items) != 50 {
		t.Errorf("Bob has %d items: %+v", len(items), items[0])
	}
	w.erase("ada") // what was hers once is Bob's now
	if !strings.Contains(strings.Join(w.left("bob"), " "), pushOwnerKey(phone)) {
		t.Error("Bob has lost the browser")
	}
}

func TestErasureIsChecked(t *testing.T) {
	w := open(t, t.TempDir(), Config{}, embedded.Options{})
	for _, body := range []string{"", "{}", `{"user_id":""}`} {
		answer := httptest.NewRecorder()
		w.service.Runtime.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/internal/erasures", strings.NewReader(body)))
		if answer.Code != http.StatusBadRequest {
			t.Errorf("%s: %d", body, answer.Code)
		}
	}
}
