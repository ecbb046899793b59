package embedded

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"strings"

	"modernc.org/sqlite"
)

// purpose says what a connection may do.
type purpose string

const (
	// writing: a commit returns after its fsync. The keeper checkpoints, never a commit on its way.
	writing purpose = "_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)" +
		"&_pragma=wal_autocheckpoint(0)&_pragma=cache_size(-16384)&_pragma=temp_store(MEMORY)"
	// reading: each commit of the writer empties the cache of whoever else reads, so a large one would be filled only on a server
	// that does nothing.
	reading  purpose = "_pragma=busy_timeout(10000)&_pragma=query_only(1)&_pragma=cache_size(-2048)&_pragma=temp_store(MEMORY)"
	existing purpose = "mode=ro&_pragma=busy_timeout(10000)&_pragma=temp_store(MEMORY)"
)

// conn is one connection, used by one goroutine at a time. It talks to the driver without database/sql, whose pool
// and conversions cost about as much as the statements here.
type conn struct {
	driver.Conn
	ctx context.Context // never ends: no statement is interrupted half-way
}

func openConn(forever context.Context, file string, p purpose) (*conn, error) {
	abs, err := filepath.Abs(file) // a file URI has no relative paths
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", file, err)
	}
	path := filepath.ToSlash(abs)
	if !strings.HasPrefix(path, "/") { // C:/… on Windows
		path = "/" + path
	}
	dsn := url.URL{Scheme: "file", Path: path, RawQuery: string(p)}
	c, err := new(sqlite.Driver).Open(dsn.String())
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", file, err)
	}
	return &conn{Conn: c, ctx: forever}, nil
}

func (c *conn) close() error { return c.Conn.Close() }

// exec runs SQL that is run rarely; it may hold several statements.
func (c *conn) exec(query string, args ...driver.Value) error {
	s, err := c.prepare(query)
	if err != nil {
		return err
	}
	return errors.Join(s.exec(args...), s.close())
}

// query runs a rare query and hands each row to fn; the row is only valid during the call.
func (c *conn) query(query string, fn func(row []driver.Value) error, args ...driver.Value) error {
	s, err := c.prepare(query)
	if err != nil {
		return err
	}
	return errors.Join(s.query(fn, args...), s.close())
}

// number runs a query for one integer.
func (c *conn) number(query string, args ...driver.Value) (int64, error) {
	var v int64
	err := c.query(query, func(row []driver.Value) error {
		v = integer(row[0])
		return nil
	}, args...)
	return v, err
}

// stmt is a prepared statement of one connection.
type stmt struct {
	conn *conn
	stmt interface {
		driver.Stmt
		driver.StmtExecContext
		driver.StmtQueryContext
	}
	args []driver.NamedValue
	row  []driver.Value
}

func (c *conn) prepare(query string) (*stmt, error) {
	s, err := c.Conn.Prepare(query)
	if err != nil {
		return nil, fmt.Errorf("prepare %q: %w", query, err)
	}
	p := &stmt{conn: c}
	var ok bool
	if p.stmt, ok = s.(interface {
		driver.Stmt
		driver.StmtExecContext
		driver.StmtQueryContext
	}); !ok {
		return nil, fmt.Errorf("prepare %q: the driver's %T cannot execute", query, s)
	}
	return p, nil
}

func (s *stmt) close() error { return s.stmt.Close() }

func (s *stmt) bind(args []driver.Value) []driver.NamedValue {
	s.args = s.args[:0]
	for i, v := range args {
		s.args = append(s.args, driver.NamedValue{Ordinal: i + 1, Value: v})
	}
	return s.args
}

func (s *stmt) exec(args ...driver.Value) error {
	_, err := s.stmt.ExecContext(s.conn.ctx, s.bind(args))
	return err
}

// changes executes and tells whether any row was inserted, updated or deleted.
func (s *stmt) changes(args ...driver.Value) (bool, error) {
	result, err := s.stmt.ExecContext(s.conn.ctx, s.bind(args))
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n > 0, err
}

// query hands each row to fn; the row is only valid during the call, its byte slices beyond it.
func (s *stmt) query(fn func(row []driver.Value) error, args ...driver.Value) error {
	rows, err := s.stmt.QueryContext(s.conn.ctx, s.bind(args))
	if err != nil {
		return err
	}
	if s.row == nil {
		s.row = make([]driver.Value, len(rows.Columns()))
	}
	for {
		err := rows.Next(s.row)
		if err == nil {
			err = fn(s.row)
		}
		if errors.Is(err, io.EOF) {
			return rows.Close()
		}
		if err != nil {
			return errors.Join(err, rows.Close())
		}
	}
}

// The driver hands out SQLite's storage classes; NULL and an empty blob become the zero value.

func integer(v driver.Value) int64 {
	n, _ := v.(int64)
	return n
}

func text(v driver.Value) string {
	s, _ := v.(string)
	return s
}

func blob(v driver.Value) []byte {
	b, _ := v.([]byte)
	return b
}
