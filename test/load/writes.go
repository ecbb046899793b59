package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"time"
)

const (
	writers = 64
	// listSize is how many tasks the user of a row has, unless it says otherwise.
	listSize = 10_000

	createAlone  = "create, 1 client, durable"
	createInList = "create in one list, 64 clients"
	createSpread = "create in 64 lists of 64 users, 64 clients"
)

// footprintOfCreate is how many bytes docket's commit of a creation holds: the rows of task and list, the event, the
// reminder's job, each with its key.
type footprintOfCreate struct {
	Task  int `json:"task"`
	List  int `json:"list"` // on average
	Event int `json:"event"`
	Job   int `json:"job"`
	// Answer is the length of the response's body.
	Answer int `json:"answer"`
}

// writes measures the creation of tasks. docket's clock stops when the audit log holds every event.
//
// The bare loops are a net/http handler that reads the same body, writes the bytes of docket's commit of that change in one
// transaction with synchronous=FULL (task, list, event, job: as many bytes as docket's data hold, in four rows), and
// answers with as many bytes. It has no checks, no identity, no order or search, no consumers and no audit log, which
// writes each event a second time, no index beside its tables (docket has two: of its state by key, of its jobs by when they
// are due), and it talks to the same SQLite driver without database/sql. With one client each
// request is a transaction; with 64 all that wait share one (group commit), and a list is written once in it, as in docket.
// Its tables hold as many tasks as docket's lists do.
func writes(ctx context.Context, b *bench) (err error) {
	if !b.wants(createAlone, createInList, createSpread) {
		return nil
	}
	d, err := b.docket(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.stop()) }()
	bare, err := b.bareServer(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, bare.stop()) }()
	w, err := prepareWrites(ctx, b, d, bare)
	if err != nil {
		return err
	}
	one, many := b.size(2000, 500), b.size(10_000, 3000)
	if err := b.compare(ctx, row{work: createAlone, unit: "/s", least: 0.5},
		w.ours(w.users[:1], 1, one), w.bare("/single", w.users[:1], 1, one)); err != nil {
		return err
	}
	if err := b.compare(ctx, row{work: createInList, unit: "/s", least: 0.35},
		w.ours(w.users[1:2], writers, many), w.bare("/group", w.users[1:2], writers, many)); err != nil {
		return err
	}
	return b.compare(ctx, row{work: createSpread, unit: "/s", least: 0.35},
		w.ours(w.users[2:], writers, many), w.bare("/group", w.users[2:], writers, many))
}

// writeSides are docket and the bare server, ready to take writes.
type writeSides struct {
	docket *docket
	other  *process
	users  []user // two with one long list each, and one for each writer
	bodies [][]byte
}

func prepareWrites(ctx context.Context, b *bench, d *docket, bare *process) (*writeSides, error) {
	w := &writeSides{docket: d, other: bare}
	for i := range 1000 {
		body, err := json.Marshal(draft{Title: fmt.Sprintf("Call the plumber %04d", i), Description: "about the tap in the kitchen",
			Priority: "high", Tags: []string{"home"}, Due: fmt.Sprintf("%d-03-31T09:00:00Z", year)})
		if err != nil {
			return nil, err
		}
		w.bodies = append(w.bodies, body)
	}
	var err error
	if w.users, err = d.users(ctx, 2+writers); err != nil {
		return nil, err
	}
	err = parallel(4, len(w.users), func(i int) error {
		n := listSize
		if i >= 2 {
			n = listSize / writers
		}
		_, err := d.create(ctx, w.users[i], drafts(n, uint64(i)))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("load tasks: %w", err)
	}
	size, err := measureCreate(ctx, d, w.bodies[0])
	if err != nil {
		return nil, err
	}
	b.progress("a creation is %d bytes of task, %d of list, %d of event, %d of job, keys included; the answer is %d",
		size.Task, size.List, size.Event, size.Job, size.Answer)
	if err := post(ctx, bare.addr, "/setup", size); err != nil {
		return nil, err
	}
	prefill := load{addr: bare.addr, clients: writers, count: 3 * listSize, next: w.next("/group", w.users)}
	if _, _, err := prefill.run(ctx); err != nil {
		return nil, fmt.Errorf("fill the bare table: %w", err)
	}
	return w, d.settled(ctx)
}

// next returns the requests of the writers: client n writes as user n, or as the only one.
func (w *writeSides) next(path string, users []user) func(client, n int) []byte {
	ready := make([][][]byte, len(users))
	for i, u := range users {
		for _, body := range w.bodies {
			ready[i] = append(ready[i], request(http.MethodPost, path, u.token, body))
		}
	}
	return func(client, n int) []byte { return ready[client%len(ready)][n%len(w.bodies)] }
}

// ours creates count tasks and waits until the audit log has every event, which docket's own gauge of what is still to be
// handled says without delay; that each list is there as a whole is checked when the clock has stopped.
func (w *writeSides) ours(users []user, clients, count int) measure {
	next := w.next("/api/tasks", users)
	return func(ctx context.Context) (float64, error) {
		return untilAudited(ctx, load{addr: w.docket.addr, clients: clients, count: count, next: next}, users, w.docket, w.docket.settled)
	}
}

// untilAudited sends creations, of which client n's belong to users[n % len(users)], and returns how many per second were in
// the audit log that the server shows. The clock stops when settled returns, if the log is whole then; where settled is nil,
// when the log has been seen.
func untilAudited(ctx context.Context, l load, users []user, server *docket, settled func(context.Context) error) (float64, error) {
	reached := make([]atomic.Int64, len(users))
	l.seen = func(client, _ int, r reply) {
		version := &reached[client%len(users)]
		for was := version.Load(); was < r.listVersion && !version.CompareAndSwap(was, r.listVersion); was = version.Load() {
		}
	}
	n, took, err := l.run(ctx)
	if err != nil {
		return 0, err
	}
	acknowledged := time.Now()
	if settled != nil {
		if err := settled(ctx); err != nil {
			return 0, err
		}
	}
	audited := time.Now()
	for i, u := range users {
		atOnce, err := server.audited(ctx, u, reached[i].Load())
		if err != nil {
			return 0, err
		}
		if settled == nil || !atOnce {
			audited = time.Now()
		}
	}
	took += audited.Sub(acknowledged)
	return float64(n) / took.Seconds(), nil
}

// bare sends the same requests to the bare server.
func (w *writeSides) bare(path string, users []user, clients, count int) measure {
	next := w.next(path, users)
	return func(ctx context.Context) (float64, error) {
		l := load{addr: w.other.addr, clients: clients, count: count, next: next}
		n, took, err := l.run(ctx)
		return float64(n) / took.Seconds(), err
	}
}

// measureCreate creates one task and looks what docket has stored for it. The log keeps the messages for a while after they
// were delivered; of the lists, which grow until they start anew, it takes the average.
func measureCreate(ctx context.Context, d *docket, body []byte) (footprintOfCreate, error) {
	var size footprintOfCreate
	var made struct{ ID string }
	res, err := d.call(ctx, d.owner, http.MethodPost, "/api/tasks", json.RawMessage(body), &made)
	if err != nil {
		return size, err
	}
	size.Answer = res.length
	db, err := sql.Open("sqlite", "file:"+filepath.ToSlash(filepath.Join(d.dir, "docket.db"))+"?mode=ro")
	if err != nil {
		return size, err
	}
	defer db.Close()
	for _, part := range []struct {
		into  *int
		query string
	}{
		{&size.Task, `SELECT octet_length(key) + octet_length(value) FROM state WHERE key = 'backend/task/' || ?`},
		{&size.List, `SELECT CAST(avg(octet_length(key) + octet_length(value)) AS INTEGER) FROM state
			WHERE key GLOB 'backend/list/*' AND key NOT GLOB 'backend/list/*/*' AND ? <> ''`},
		{&size.Event, `SELECT octet_length(topic) + octet_length(key) + octet_length(id) + octet_length(data) FROM log WHERE topic = 'task-events' AND key = ?`},
		{&size.Job, `SELECT octet_length(key) + octet_length(data) FROM jobs WHERE key GLOB 'backend/r-' || ? || '-*'`},
	} {
		if err := db.QueryRowContext(ctx, part.query, made.ID).Scan(part.into); err != nil {
			return size, fmt.Errorf("look what docket has stored: %w", err)
		}
	}
	return size, nil
}
