package embedded

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// keepEvery is the pace of the work below while little is written; nothing is done where nothing was.
	keepEvery = 30 * time.Second
	// checkpointRows is how many rows are written between two checkpoints, one to three pages each.
	checkpointRows = 6000
	// trimMessages is how many messages are logged between two trims.
	trimMessages = 2000
	// walTooLong is the length of the write-ahead log, in pages of 4 KiB, at which the writer has to wait for the end of
	// a checkpoint. Otherwise a log that is written without pause would never start again from its beginning.
	walTooLong = 8192
	sweepChunk = 500
)

// keeper does what can wait: checkpoints, trimming the message log, removing expired items.
type keeper struct {
	node    *Node
	mu      sync.Mutex // one at a time on db
	db      *conn
	rows    atomic.Int64
	logged  atomic.Int64
	kick    chan struct{}
	closing chan struct{}
	stopped chan struct{}
}

func newKeeper(forever context.Context, n *Node, file string) (*keeper, error) {
	db, err := openConn(forever, file, writing)
	if err != nil {
		return nil, err
	}
	return &keeper{
		node: n, db: db, kick: make(chan struct{}, 1), closing: make(chan struct{}), stopped: make(chan struct{}),
	}, nil
}

// wrote tells the keeper what a transaction has written.
func (k *keeper) wrote(rows, messages int) {
	r, m := k.rows.Add(int64(rows)), k.logged.Add(int64(messages))
	if r >= checkpointRows || m >= trimMessages {
		select {
		case k.kick <- struct{}{}:
		default:
		}
	}
}

func (k *keeper) loop() {
	defer close(k.stopped)
	tick := time.NewTicker(keepEvery)
	defer tick.Stop()
	for {
		idle := false
		select {
		case <-k.closing:
			return
		case <-k.kick:
		case <-tick.C:
			idle = true
		}
		if err := k.keep(idle); err != nil {
			k.node.log.Warn("tidying the data folder failed, trying again later", "error", err)
		}
	}
}

func (k *keeper) keep(idle bool) error {
	var errs []error
	if n := k.logged.Load(); n >= trimMessages || idle && n > 0 {
		k.logged.Store(0)
		errs = append(errs, k.trim())
	}
	if idle {
		errs = append(errs, k.sweep())
	}
	if n := k.rows.Load(); n >= checkpointRows || idle && n > 0 {
		k.rows.Store(0)
		errs = append(errs, k.checkpoint())
	}
	return errors.Join(errs...)
}

// trim deletes the messages that every group has passed.
func (k *keeper) trim() error {
	n := k.node
	for more := true; more; {
		err := n.persistNow(background(n.handling), func(w *writer) (err error) {
			n.failAt(stepTrim)
			more, err = n.bus.trim(w)
			n.failAt(stepTrimmed)
			return err
		})
		if err != nil {
			return fmt.Errorf("trim the message log: %w", err)
		}
	}
	return nil
}

// sweep deletes expired items. Readers have not seen them since they expired.
func (k *keeper) sweep() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	n := k.node
	for {
		now := time.Now().UnixMilli()
		expired, err := k.db.number("SELECT count(*) FROM (SELECT 1 FROM state WHERE expires <= ? LIMIT 1)", now)
		if err != nil || expired == 0 {
			return err
		}
		err = n.persistNow(background(n.handling), func(w *writer) error {
			n.failAt(stepSweep)
			err := w.db.exec("DELETE FROM state WHERE key IN (SELECT key FROM state WHERE expires <= ? LIMIT ?)", now, int64(sweepChunk))
			n.failAt(stepSwept)
			return err
		})
		if err != nil {
			return fmt.Errorf("remove expired items: %w", err)
		}
	}
}

// checkpoint copies the write-ahead log into the database while the writer goes on; if the log has become long
// nevertheless, the writer waits for the rest.
func (k *keeper) checkpoint() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.node.failAt(stepCheckpoint)
	length, err := k.passive()
	if err == nil && length > walTooLong {
		k.node.writer.between(func() { _, err = k.passive() })
	}
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	k.node.failAt(stepCheckpointed)
	return nil
}

// passive returns how many pages the log holds.
func (k *keeper) passive() (length int64, err error) {
	err = k.db.query("PRAGMA wal_checkpoint(PASSIVE)", func(row []driver.Value) error {
		length = integer(row[1])
		return nil
	})
	return length, err
}

// close ends the goroutine and folds the log into the database, so that the one file is all there is.
func (k *keeper) close() {
	close(k.closing)
	<-k.stopped
	if err := k.db.exec("PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		k.node.log.Warn("last checkpoint failed, the next start does it", "error", err)
	}
}
