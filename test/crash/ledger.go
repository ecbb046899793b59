package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// outcome is what a client knows of its request.
type outcome int

const (
	unknown outcome = iota // no answer: it may have happened
	acked
	refused // the answer was a 4xx: it did not happen
)

// request is one change that a client asked for. Its mark is unlike that of any other request, and is in what it
// writes where it writes text: so history tells how often it happened.
type request struct {
	mark    string
	op      string // of POST /api/tasks/batch: create, update, tags, complete, reopen, delete, restore
	user    *user
	task    string // "" for a create that was not acknowledged
	key     string // Idempotency-Key
	body    []byte
	outcome outcome
	status  int
	// doc is the task as the answer showed it and version its version; nil for a delete.
	doc     json.RawMessage
	version int64
	// listVersion is the list's after the change, or after the last one of its batch.
	batch       bool
	listVersion int64
}

// marked tells whether the request writes its mark into the task.
func (r *request) marked() bool { return r.op == "create" || r.op == "update" || r.op == "tags" }

// ledger is all that the clients of one data folder have asked for, from the first round on.
type ledger struct {
	mu       sync.Mutex
	requests []*request
	marks    map[string]*request
	count    map[outcome]int
	// sent is how many HTTP requests were made, and failed how many of them had no answer, or one from 500 on, by what was wrong.
	sent   int
	failed map[string]int
	// last is when a change was acknowledged last, gap the longest time between two since resume.
	last time.Time
	gap  time.Duration
}

// resume begins to measure how long no change is acknowledged.
func (l *ledger) resume() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last, l.gap = time.Now(), 0
}

// outage is the longest time since resume in which no change was acknowledged.
func (l *ledger) outage() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return max(l.gap, time.Since(l.last))
}

func newLedger() *ledger {
	return &ledger{marks: map[string]*request{}, count: map[outcome]int{}, failed: map[string]int{}}
}

// answered notes what came of an HTTP request, whatever number of changes was in it.
func (l *ledger) answered(res answer, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sent++
	if cause := failure(res, err); cause != "" {
		l.failed[cause]++
	}
}

// failure says why a request has failed, in words that do not differ between requests; "" where it has not.
func failure(res answer, err error) string {
	if err != nil {
		if wrapped, ok := errors.AsType[*url.Error](err); ok {
			err = wrapped.Err // without method and address
		}
		if broken, ok := errors.AsType[*net.OpError](err); ok {
			return broken.Op + ": " + broken.Err.Error() // without the ports
		}
		return err.Error()
	}
	if res.status < http.StatusInternalServerError {
		return ""
	}
	var problem struct{ Code, Detail string }
	_ = json.Unmarshal(res.body, &problem) // a proxy's answer is none
	return fmt.Sprintf("%d %s: %s", res.status, problem.Code, problem.Detail)
}

// failures returns how many requests were made, and those that failed, by what was wrong.
func (l *ledger) failures() (sent int, failed map[string]int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sent, maps.Clone(l.failed)
}

// issue notes a request before it is sent.
func (l *ledger) issue(rs ...*request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range rs {
		l.requests = append(l.requests, r)
		l.marks[r.mark] = r
		l.count[unknown]++
	}
}

// settle notes what the answer to a request said: its status, the task in it and the list's version. Answers from 500
// on say that nothing happened, but a client cannot count on it.
func (l *ledger) settle(r *request, status int, doc []byte, listVersion int64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	r.status = status
	switch {
	case status >= 500:
		return nil
	case status >= 300:
		l.count[unknown]--
		l.count[refused]++
		r.outcome = refused
		return nil
	}
	if r.op != "delete" {
		var t struct {
			ID      string `json:"id"`
			Version int64  `json:"version"`
		}
		if err := json.Unmarshal(doc, &t); err != nil {
			return err
		}
		r.doc, r.task, r.version = doc, t.ID, t.Version
	}
	l.count[unknown]--
	l.count[acked]++
	now := time.Now()
	l.gap, l.last = max(l.gap, now.Sub(l.last)), now
	r.outcome, r.listVersion = acked, listVersion
	return nil
}

// open lists the creates with an Idempotency-Key of which nobody knows whether they happened.
func (l *ledger) open() (out []*request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range l.requests {
		if r.key != "" && r.outcome == unknown {
			out = append(out, r)
		}
	}
	return out
}

// counts returns how many requests were acknowledged, refused, and neither.
func (l *ledger) counts() (ack, refusal, neither int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.count[acked], l.count[refused], l.count[unknown]
}
