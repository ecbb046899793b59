package notification

import (
	"net/http"
	"net/http/httptest"
	"net/mail"
	"strings"
	"testing"

	"github.com/docket-tasks/docket/host/embedded"
	"github.com/docket-tasks/docket/test/mailserver"
)

// post asks for a letter to be sent.
func (w *world) post(body string) *httptest.ResponseRecorder {
	w.t.Helper()
	r := httptest.NewRequestWithContext(w.t.Context(), http.MethodPost, "/internal/letters", strings.NewReader(body))
	answer := httptest.NewRecorder()
	w.service.Runtime.ServeHTTP(answer, r)
	return answer
}

const testLetter = `{"id":"forgot-1","to":"ada@example.com","name":"Ada","subject":"A new password","text":"https://docket.test/reset#secret"}`

// A letter is sent while its sender waits, and told to be worth another try or not; it is kept nowhere.
func TestLetter(t *testing.T) {
	for name, tc := range map[string]struct {
		replies map[string]string
		want    int
	}{
		"taken":             {nil, http.StatusNoContent},
		"no such mailbox":   {map[string]string{"RCPT": "550 5.1.1 nobody here"}, http.StatusUnprocessableEntity},
		"not now":           {map[string]string{"RCPT": "451 4.7.1 later"}, http.StatusServiceUnavailable},
		"not taken in":      {map[string]string{"EHLO": "554 5.7.1 go away"}, http.StatusServiceUnavailable},
		"the text is spam":  {map[string]string{".": "554 5.7.1 no"}, http.StatusUnprocessableEntity},
		"the text not now ": {map[string]string{".": "452 4.3.1 full"}, http.StatusServiceUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			server := &mailserver.Server{Replies: tc.replies}
			pool := listen(t, server)
			w := open(t, t.TempDir(), Config{SMTP: SMTP{Host: "localhost", Port: server.Port, From: "Docket <docket@example.org>", RootCAs: pool}}, embedded.Options{})
			if got := w.post(testLetter); got.Code != tc.want {
				t.Fatalf("%d %s", got.Code, got.Body)
			}
			w.inspect("", func(key string, value []byte) {
				if strings.Contains(string(value), "secret") {
					t.Errorf("%s holds the letter", key)
				}
			})
			if strings.Contains(w.log.String(), "secret") {
				t.Errorf("the log holds the letter:\n%s", w.log)
			}
			if tc.want != http.StatusNoContent {
				return
			}
			all := server.Received()
			if len(all) != 1 || all[0].To != "ada@example.com" || !all[0].Encrypted {
				t.Fatalf("received %+v", all)
			}
			msg, err := mail.ReadMessage(strings.NewReader(all[0].Data))
			if err != nil || msg.Header.Get("Subject") != "A new password" || msg.Header.Get("Message-Id") != "<forgot-1@example.org>" {
				t.Errorf("%+v, %v", msg, err)
			}
			if !strings.Contains(all[0].Data, "https://docket.test/reset#secret") {
				t.Errorf("the link is not in\n%s", all[0].Data)
			}
		})
	}
}

func TestLettersThatCannotBeSent(t *testing.T) {
	w := open(t, t.TempDir(), Config{}, embedded.Options{})
	for body, want := range map[string]int{testLetter: http.StatusConflict, `{"id":"1","to":"ada@example.com"}`: http.StatusBadRequest, `x`: http.StatusBadRequest} {
		if got := w.post(body); got.Code != want {
			t.Errorf("%s: %d %s", body, got.Code, got.Body)
		}
	}
}
