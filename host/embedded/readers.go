package embedded

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"runtime"
)

// readers are the connections that read while the writer writes. There are few: readers that spin on all cores
// starve the writer.
type readers struct {
	all  []*reader
	free chan *reader
}

// reader is one of them with its prepared statements.
type reader struct {
	db   *conn
	get  *stmt
	bulk *stmt
	logs *stmt
	park *stmt
	due  *stmt
}

func openReaders(forever context.Context, file string) (*readers, error) {
	n := min(max(runtime.NumCPU(), 2), 8)
	rs := &readers{free: make(chan *reader, n)}
	for range n {
		r, err := openReader(forever, file)
		if err != nil {
			return nil, errors.Join(err, rs.close())
		}
		rs.all = append(rs.all, r)
		rs.free <- r
	}
	return rs, nil
}

func openReader(forever context.Context, file string) (*reader, error) {
	db, err := openConn(forever, file, reading)
	if err != nil {
		return nil, err
	}
	r := &reader{db: db}
	for into, sql := range map[**stmt]string{
		&r.get:  "SELECT value, rev, expires FROM state WHERE key = ?",
		&r.bulk: "SELECT key, value, rev, expires FROM state WHERE key IN (SELECT value FROM json_each(?))",
		&r.logs: "SELECT seq, key, id, data FROM log WHERE seq > ? AND seq <= ? AND topic = ? ORDER BY seq LIMIT ?",
		&r.park: "SELECT topic, key, id, data FROM parked WHERE grp = ? AND seq = ?",
		&r.due:  "SELECT key, due, rev, data FROM jobs WHERE (due, key) > (?, ?) ORDER BY due, key LIMIT ?",
	} {
		if *into, err = db.prepare(sql); err != nil {
			return nil, errors.Join(err, db.close())
		}
	}
	return r, nil
}

// acquire waits for a free reader. There is none any more once the node has closed them.
func (rs *readers) acquire(ctx context.Context) (*reader, error) {
	select {
	case r, ok := <-rs.free:
		if !ok {
			return nil, errClosed
		}
		return r, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (rs *readers) release(r *reader) { rs.free <- r }

// close waits for the readers in use and closes all.
func (rs *readers) close() error {
	var errs []error
	for range rs.all {
		r := <-rs.free
		errs = append(errs, r.close())
	}
	close(rs.free)
	return errors.Join(errs...)
}

func (r *reader) close() error {
	return errors.Join(r.get.close(), r.bulk.close(), r.logs.close(), r.park.close(), r.due.close(), r.db.close())
}

// item reads the stored item of a full key.
func (r *reader) item(key string) (item, error) {
	var it item
	err := r.get.query(func(row []driver.Value) error {
		it = newItem(blob(row[0]), integer(row[1]), integer(row[2]))
		return nil
	}, key)
	return it, err
}

// items hands the stored items among those of the full keys to fn, in any order.
func (r *reader) items(keys []string, fn func(key string, it item)) error {
	list, err := json.Marshal(keys)
	if err != nil {
		return err
	}
	return r.bulk.query(func(row []driver.Value) error {
		fn(text(row[0]), newItem(blob(row[1]), integer(row[2]), integer(row[3])))
		return nil
	}, string(list))
}
