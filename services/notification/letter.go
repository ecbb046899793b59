package notification

import (
	"context"
	"encoding/json"
	"net/http"

	gomail "github.com/wneessen/go-mail"

	"github.com/docket-tasks/docket/edge"
)

// letter is an e-mail of another service. It may hold a secret, so nothing of it is kept here and no word of it logged: it is sent
// while its sender waits, and trying again is left to that one.
type letter struct {
	// ID is the same at every attempt.
	ID      string `json:"id"`
	To      string `json:"to"`
	Name    string `json:"name"`
	Subject string `json:"subject"`
	Text    string `json:"text"`
}

// serveLetter serves POST /internal/letters: 204 once the mail server has taken the letter. 503: not yet, which may change;
// 422: it never will. 409: there is no mail server.
func (s *service) serveLetter(w http.ResponseWriter, r *http.Request) {
	var in letter
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, edge.MaxBody)).Decode(&in); err != nil || in.ID == "" || in.To == "" || in.Subject == "" {
		edge.WriteProblem(w, r, edge.NewProblem(http.StatusBadRequest, "validation_failed", "the body is no letter: id, to and subject are needed"))
		return
	}
	if s.email == nil {
		edge.WriteProblem(w, r, edge.NewProblem(http.StatusConflict, "no_mail_server", "this server sends no e-mail"))
		return
	}
	answer, err := s.email.post(r.Context(), in)
	switch {
	case err != nil:
		edge.WriteProblem(w, r, err)
	case answer.Outcome == Delivered:
		w.WriteHeader(http.StatusNoContent)
	case answer.Outcome == Failed:
		edge.WriteProblem(w, r, edge.NewProblem(http.StatusUnprocessableEntity, "mail_refused", cut(answer.Text)))
	default:
		edge.WriteProblem(w, r, edge.NewProblem(http.StatusServiceUnavailable, "mail_unavailable", cut(answer.Text)))
	}
}

func (e *email) post(ctx context.Context, l letter) (Answer, error) {
	msg, err := e.addressed(l.To, l.Name, l.ID, e.now())
	if err != nil {
		return Answer{Outcome: Failed, Text: err.Error()}, nil
	}
	msg.Subject(l.Subject)
	msg.SetBodyString(gomail.TypeTextPlain, l.Text)
	return e.send(ctx, msg)
}
