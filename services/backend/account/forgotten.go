package account

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/task"
)

// Who has forgotten the password gets a link by e-mail to set a new one. What is asked for is put down as a job before anything
// is looked up, so that neither the answer nor its time tells who has an account, and a crash loses nothing. The code in the
// link is made just before it is sent and is in no store but as its hash: an attempt that fails is made again with another code.

// Bounds of the letters within [CodeLife]: whoever types another's name again and again must not fill their mailbox.
const (
	maxUserLetters    = 3
	maxMailboxLetters = 10 // where several users share it
)

// Pauses between the attempts to send a letter; each is twice the one before.
const (
	firstLetterPause   = 30 * time.Second
	longestLetterPause = 10 * time.Minute
)

var (
	// ErrNoMail means that this server cannot send a link by e-mail.
	ErrNoMail = errors.New("no e-mail is sent here")
	// ErrLetterRefused means that a letter cannot be delivered, now or later.
	ErrLetterRefused = errors.New("the letter was refused")
)

// Letter is an e-mail to a user. Its text may hold a code: it goes into no log.
type Letter struct {
	// ID is the same at every attempt.
	ID      string `json:"id"`
	To      string `json:"to"`
	Name    string `json:"name"`
	Subject string `json:"subject"`
	Text    string `json:"text"`
}

// Forgotten is the data of the jobs named forgot-<id> and forgot-<id>-<user>-<attempt>: somebody has forgotten a password.
type Forgotten struct {
	ID string `json:"id"`
	// Account is the name or the e-mail address that was typed.
	Account string `json:"account"`
	// Client is the browser's, as Browser has it.
	Client string `json:"client,omitempty"`
	// At is when it was asked for. After [CodeLife] nobody waits for a letter any more.
	At time.Time `json:"at"`
	// User is who it turned out to be; the first job, which finds that out, has none. Attempt counts the letters, from 0.
	User    string `json:"user,omitempty"`
	Attempt int    `json:"attempt,omitempty"`
}

func (f Forgotten) job(due time.Time) host.JobIntent {
	name := "forgot-" + f.ID
	if f.User != "" {
		name = fmt.Sprintf("%s-%s-%d", name, f.User, f.Attempt)
	}
	return host.Schedule(name, due, encode(f))
}

// resetsByMail tells whether a forgotten password can be set anew by e-mail: to write a link one has to know where it leads, and
// what a request says of that could be anybody's.
func (s *Store) resetsByMail() bool { return s.post != nil && s.publicURL != "" }

// OnForgotten does one of the jobs: it finds out who is meant, or writes to one of them.
func (s *Store) OnForgotten(ctx context.Context, f Forgotten) error {
	if !s.resetsByMail() || s.now().Sub(f.At) >= CodeLife {
		s.log.WarnContext(ctx, "no link for a new password sent: too late, or there is no mail server any more", "user_id", f.User)
		return nil
	}
	if f.User != "" {
		return s.sendReset(ctx, f)
	}
	ids, err := s.meant(ctx, f.Account)
	if err != nil {
		return fmt.Errorf("find who has forgotten a password: %w", err)
	}
	var tx host.Tx
	for _, f.User = range ids {
		tx.Jobs = append(tx.Jobs, f.job(s.now()))
	}
	if len(tx.Jobs) == 0 {
		return nil
	}
	return s.state.Commit(ctx, tx)
}

// meant are the ids of the users of that name or e-mail address.
func (s *Store) meant(ctx context.Context, account string) (ids []string, err error) {
	if strings.Contains(account, "@") {
		if ids, err = s.addressees(ctx, account); err != nil {
			return nil, err
		}
	}
	var named string
	if _, err := s.load(ctx, nameKey(account), &named); err != nil {
		return nil, err
	}
	if named != "" && !slices.Contains(ids, named) {
		ids = append(ids, named)
	}
	return ids, nil
}

// sendReset writes to the user, who has to have an address, and a password that can be forgotten: who signs in otherwise shall not
// become one whom a mailbox lets in.
func (s *Store) sendReset(ctx context.Context, f Forgotten) error {
	u, err := s.User(ctx, f.User)
	if errors.Is(err, ErrNoUser) || err == nil && u.Email == "" {
		return nil
	}
	if err != nil {
		return err
	}
	password, err := s.state.Get(ctx, passwordKey(u.ID))
	if err != nil || !password.Exists() {
		return err
	}
	code, err := s.letterCode(ctx, f, u)
	if err != nil {
		return err
	}
	if code == "" {
		s.log.InfoContext(ctx, "no link for a new password sent: there were enough within the hour", "user_id", u.ID)
		return nil
	}
	err = s.post(ctx, s.resetLetter(f, u, code))
	switch {
	case errors.Is(err, ErrLetterRefused):
		s.log.WarnContext(ctx, "link for a new password not sent", "user_id", u.ID, "error", err)
		return nil
	case err != nil:
		s.log.WarnContext(ctx, "link for a new password not sent, it will be tried again", "user_id", u.ID, "error", err)
		pause := min(firstLetterPause<<min(f.Attempt, 10), longestLetterPause)
		f.Attempt++
		return s.state.Commit(ctx, host.Tx{Jobs: []host.JobIntent{f.job(s.now().Add(pause))}})
	}
	return nil
}

// sentLetter is an entry of the list at reset-letters/<hash of the address>.
type sentLetter struct {
	ID   string    `json:"id"`
	User string    `json:"user"`
	At   task.Time `json:"at"`
}

func lettersKey(email string) string { return "reset-letters/" + digest(fold(email)) }

// letterCode returns a code that counts from now on, or none where the mailbox or the user has got enough letters. One that is
// tried again is one letter, however many codes it takes.
func (s *Store) letterCode(ctx context.Context, f Forgotten, u User) (code string, err error) {
	err = host.Retry(ctx, func() error {
		var sent []sentLetter
		etag, err := s.load(ctx, lettersKey(u.Email), &sent)
		if err != nil {
			return err
		}
		now, mine, again := s.now(), 0, false
		sent = slices.DeleteFunc(sent, func(l sentLetter) bool { return now.Sub(l.At.Time) >= CodeLife })
		for _, l := range sent {
			if l.User == u.ID {
				mine++
				again = again || l.ID == f.ID
			}
		}
		secret, _, create := s.newReset(u.ID)
		ops := []host.Op{create}
		if !again {
			if mine >= maxUserLetters || len(sent) >= maxMailboxLetters {
				code = ""
				return nil
			}
			note, err := s.noting(ctx, u.ID, accessResetSent, f.Client)
			if err != nil {
				return err
			}
			sent = append(sent, sentLetter{f.ID, u.ID, task.At(now)})
			ops = append(ops, note, put(lettersKey(u.Email), encode(sent), etag).Expiring(CodeLife))
		}
		code = secret
		return s.state.Commit(ctx, host.Tx{Ops: ops})
	})
	if err != nil {
		return "", fmt.Errorf("make a code for a new password: %w", err)
	}
	return code, nil
}

func (s *Store) resetLetter(f Forgotten, u User, code string) Letter {
	return Letter{
		ID: "forgot-" + f.ID + "-" + u.ID, To: u.Email, Name: u.Name, Subject: "docket: set a new password",
		Text: fmt.Sprintf(`Somebody, probably you, has asked for a new password of the docket account "%s".

To set one, open this link within the hour. It works once:

%s/reset#%s

It signs you out everywhere. If it was not you, there is nothing to do: the password stays as it is, and nobody else has
got this link.
`, u.Name, s.publicURL, code),
	}
}

type forgottenInput struct {
	scheme
	Body struct {
		Account string `json:"account" minLength:"1" maxLength:"254" doc:"The user's name, or the e-mail address"`
	}
}

func (s *Store) forgottenRoute(api huma.API) {
	o := open(op("forgot-password", http.MethodPost, "/api/password/forgotten", "Have a link to set a new password sent to the account's e-mail address", http.StatusNoContent, 400, 409))
	o.Description = `The answer is the same whether or not there is such an account, and whether or not it has an e-mail address and a password. The
link works once, within the hour; an account gets three of them in an hour at most. 409 no_mail: this server sends none.`
	register(api, o, s.postForgotten)
}

func (s *Store) postForgotten(ctx context.Context, in *forgottenInput) (*struct{}, error) {
	if !s.resetsByMail() {
		return nil, ErrNoMail
	}
	now := s.now()
	f := Forgotten{ID: newSecret("")[:22], Account: in.Body.Account, Client: in.client, At: now}
	if err := s.state.Commit(ctx, host.Tx{Jobs: []host.JobIntent{f.job(now)}}); err != nil {
		return nil, fmt.Errorf("note that a password was forgotten: %w", err)
	}
	return nil, nil
}
