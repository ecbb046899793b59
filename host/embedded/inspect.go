package embedded

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/docket-tasks/docket/host"
)

// Reader reads a data folder as it was at one moment, beside a running process or without one. It changes nothing.
type Reader struct {
	db  *conn
	now int64
}

// OpenReader opens the data in dir and fixes the moment; [Reader.Close] lets go of it. A long-lived reader keeps the
// write-ahead log of a running process from shrinking.
func OpenReader(ctx context.Context, dir string) (*Reader, error) {
	db, err := openExisting(ctx, filepath.Join(dir, databaseName))
	if err != nil {
		return nil, err
	}
	if err := db.exec("BEGIN"); err != nil {
		return nil, errors.Join(err, db.close())
	}
	if _, err := db.number("SELECT epoch FROM meta"); err != nil { // the first read fixes the snapshot
		return nil, errors.Join(fmt.Errorf("read %s: %w", dir, err), db.close())
	}
	return &Reader{db: db, now: time.Now().UnixMilli()}, nil
}

// Close ends the snapshot.
func (r *Reader) Close() error {
	return errors.Join(r.db.exec("ROLLBACK"), r.db.close())
}

// Scan hands the items of a service whose keys begin with prefix to fn, in order of their keys, without expired ones.
func (r *Reader) Scan(service, prefix string, fn func(key string, value []byte) error) error {
	from := service + "/" + prefix
	return r.db.query("SELECT key, value FROM state WHERE key >= ? AND key < ? AND (expires IS NULL OR expires > ?) ORDER BY key",
		func(row []driver.Value) error {
			return fn(text(row[0])[len(service)+1:], blob(row[1]))
		}, from, from+"\U0010FFFF", r.now)
}

// Undelivered hands the messages to fn that the service's consumer group of the topic has not handled as far as was
// noted: parked ones first, then the log's. A few of the log's may have been handled just now.
func (r *Reader) Undelivered(service, topic string, fn func(host.Message) error) error {
	each := func(row []driver.Value) error {
		return fn(host.Message{Topic: topic, Key: text(row[0]), ID: text(row[1]), Data: blob(row[2])})
	}
	group := service + "/" + topic
	if err := r.db.query("SELECT key, id, data FROM parked WHERE grp = ? ORDER BY seq", each, group); err != nil {
		return err
	}
	return r.db.query("SELECT key, id, data FROM log WHERE topic = ?1 AND seq > ifnull((SELECT low FROM groups WHERE name = ?2), 0)"+
		" AND seq NOT IN (SELECT seq FROM parked WHERE grp = ?2) ORDER BY seq", each, topic, group)
}

// DeadLetters hands every dead letter to fn, oldest first, with the service that refused it and why.
func (r *Reader) DeadLetters(fn func(service string, m host.Message, reason string) error) error {
	return r.db.query("SELECT service, topic, key, id, data, reason FROM dead_letters ORDER BY n", func(row []driver.Value) error {
		return fn(text(row[0]), host.Message{Topic: text(row[1]), Key: text(row[2]), ID: text(row[3]), Data: blob(row[4])}, text(row[5]))
	})
}
