package main

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"sync"

	"modernc.org/sqlite"
)

// store is the least that makes a change durable: tables of tasks and of lists, a log of messages, a table of jobs.
type store struct {
	ctx  context.Context
	conn driver.Conn

	begin, commit, rollback, task, list, message, job statement

	mu    sync.Mutex // of the connection, and n
	n     int64
	queue chan *insertion
	ended chan struct{}
}

type statement interface {
	driver.Stmt
	driver.StmtExecContext
}

type insertion struct {
	list string
	body []byte
	size footprintOfCreate
	done chan error
}

func openStore(ctx context.Context, file string) (*store, error) {
	ctx = context.WithoutCancel(ctx) // no statement ends half-way
	dsn := url.URL{Scheme: "file", Path: filepath.ToSlash(file), RawQuery: "_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=cache_size(-16384)"}
	if !filepath.IsAbs(file) {
		dsn = url.URL{Scheme: "file", Opaque: filepath.ToSlash(file), RawQuery: dsn.RawQuery}
	}
	c, err := new(sqlite.Driver).Open(dsn.String())
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", file, err)
	}
	s := &store{ctx: ctx, conn: c, queue: make(chan *insertion, 1024), ended: make(chan struct{})}
	for _, sql := range []string{"CREATE TABLE task (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
		"CREATE TABLE list (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
		"CREATE TABLE log (seq INTEGER PRIMARY KEY, data BLOB NOT NULL)",
		"CREATE TABLE job (key TEXT PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID"} {
		var st statement
		if err := s.prepare(&st, sql); err != nil {
			return nil, err
		}
		if err := s.exec(st); err != nil {
			return nil, err
		}
	}
	for into, sql := range map[*statement]string{
		&s.begin: "BEGIN IMMEDIATE", &s.commit: "COMMIT", &s.rollback: "ROLLBACK",
		&s.task:    "INSERT INTO task (key, value) VALUES (?, ?)",
		&s.list:    "INSERT INTO list (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
		&s.message: "INSERT INTO log (seq, data) VALUES (?, ?)",
		&s.job:     "INSERT INTO job (key, data) VALUES (?, ?)",
	} {
		if err := s.prepare(into, sql); err != nil {
			return nil, err
		}
	}
	go s.commitTogether()
	return s, nil
}

func (s *store) prepare(into *statement, sql string) error {
	st, err := s.conn.Prepare(sql)
	if err != nil {
		return fmt.Errorf("prepare %q: %w", sql, err)
	}
	var ok bool
	if *into, ok = st.(statement); !ok {
		return fmt.Errorf("prepare %q: the driver's %T cannot execute", sql, st)
	}
	return nil
}

func (s *store) close() error {
	close(s.queue)
	<-s.ended
	return s.conn.Close()
}

func (s *store) exec(st statement, args ...driver.Value) error {
	named := make([]driver.NamedValue, len(args))
	for i, v := range args {
		named[i] = driver.NamedValue{Ordinal: i + 1, Value: v}
	}
	_, err := st.ExecContext(s.ctx, named)
	return err
}

// insert makes one body durable in a transaction of its own.
func (s *store) insert(list string, body []byte, size footprintOfCreate) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.transact([]*insertion{{list: list, body: body, size: size}})
}

// insertTogether makes a body durable in a transaction with all others that wait.
func (s *store) insertTogether(list string, body []byte, size footprintOfCreate) error {
	i := &insertion{list: list, body: body, size: size, done: make(chan error, 1)}
	s.queue <- i
	return <-i.done
}

// commitTogether is the group commit: whoever waits goes into the next transaction.
func (s *store) commitTogether() {
	defer close(s.ended)
	var batch []*insertion
	for first := range s.queue {
		batch = append(batch[:0], first)
		for more := true; more && len(batch) < cap(s.queue); {
			select {
			case i, ok := <-s.queue:
				if more = ok; ok {
					batch = append(batch, i)
				}
			default:
				more = false
			}
		}
		s.mu.Lock()
		err := s.transact(batch)
		s.mu.Unlock()
		for _, i := range batch {
			i.done <- err
		}
	}
}

func (s *store) transact(batch []*insertion) error {
	if err := s.exec(s.begin); err != nil {
		return err
	}
	lists := make(map[string]*insertion, len(batch)) // written once each, as docket does
	for _, i := range batch {
		lists[i.list] = i
		if err := s.write(i); err != nil {
			return errors.Join(err, s.exec(s.rollback))
		}
	}
	for list, i := range lists {
		if err := s.exec(s.list, "backend/list/"+list, padded(i.body, i.size.List)); err != nil {
			return errors.Join(err, s.exec(s.rollback))
		}
	}
	return s.exec(s.commit)
}

// write inserts the rows of one creation but the list's, with as many bytes each as docket's have, keys included.
func (s *store) write(i *insertion) error {
	s.n++
	key := fmt.Sprintf("backend/task/%036d", s.n)
	if err := s.exec(s.task, key, padded(i.body, i.size.Task-len(key))); err != nil {
		return err
	}
	if err := s.exec(s.message, s.n, padded(i.body, i.size.Event)); err != nil {
		return err
	}
	key = fmt.Sprintf("backend/r-%036d-1-30", s.n)
	return s.exec(s.job, key, padded(i.body, i.size.Job-len(key)))
}

// padded is the body made as long as what docket stores in its place.
func padded(body []byte, length int) []byte {
	out := make([]byte, length)
	copy(out, body)
	return out
}
