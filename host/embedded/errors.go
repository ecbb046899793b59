package embedded

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"syscall"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/docket-tasks/docket/host"
)

// InUseError says that another process has the data folder open.
type InUseError struct {
	Dir string
	// PID of that process, 0 where it is not known.
	PID int
}

func (e *InUseError) Error() string {
	who := "another process"
	if e.PID != 0 {
		who = fmt.Sprintf("process %d", e.PID)
	}
	return fmt.Sprintf("the data folder %s is in use by %s: stop it, or choose another folder", e.Dir, who)
}

// NewerDataError says that a later version of docket has written the data.
type NewerDataError struct {
	File string
	// Have is the version of the data, Want the latest this binary knows.
	Have, Want int
	// WrittenBy is the version of docket that wrote it, where it can be read.
	WrittenBy string
}

func (e *NewerDataError) Error() string {
	by := ""
	if e.WrittenBy != "" {
		by = " by docket " + e.WrittenBy
	}
	return fmt.Sprintf("%s was written%s in format %d, this docket knows formats up to %d: start a newer docket, or restore a backup made with this one",
		e.File, by, e.Have, e.Want)
}

// NotWritableError says that the data folder cannot be created or written.
type NotWritableError struct {
	Dir string
	Err error
}

func (e *NotWritableError) Error() string {
	return fmt.Sprintf("the data folder %s cannot be written (%v): give this user the right to, or choose another folder", e.Dir, e.Err)
}

func (e *NotWritableError) Unwrap() error { return e.Err }

// FullError says that the disk of the data folder has no space left.
type FullError struct {
	Dir string
	Err error
}

func (e *FullError) Error() string {
	return fmt.Sprintf("the disk that holds the data folder %s is full (%v): free some space, then start again", e.Dir, e.Err)
}

func (e *FullError) Unwrap() error { return e.Err }

// refused says what a person can do about a folder that took no writing.
func refused(dir string, err error) error {
	if code(err)&0xff == sqlite3.SQLITE_FULL || errors.Is(err, syscall.ENOSPC) {
		return &FullError{Dir: dir, Err: err}
	}
	return &NotWritableError{Dir: dir, Err: err}
}

// NotDataError says that a file is no docket database, or a damaged one.
type NotDataError struct {
	File   string
	Reason string
}

func (e *NotDataError) Error() string {
	return fmt.Sprintf("%s is not a sound docket database: %s", e.File, e.Reason)
}

// ExistsError says that a file or folder in the way would be overwritten.
type ExistsError struct{ Path string }

func (e *ExistsError) Error() string {
	return fmt.Sprintf("%s already exists and is not overwritten: choose another name, or move it away", e.Path)
}

// code is the SQLite result code of err, 0 where it has none.
func code(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code()
	}
	return 0
}

// openError makes what SQLite says of an unusable folder or file something a person can act on.
func (n *Node) openError(err error) error {
	switch code(err) & 0xff {
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_FULL:
		return refused(n.dir, err)
	}
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) || errors.Is(err, syscall.ENOSPC) {
		return refused(n.dir, err)
	}
	return n.damage(err)
}

// damage names the file where SQLite says that what is in it cannot be read.
func (n *Node) damage(err error) error {
	switch code(err) & 0xff {
	case sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT:
		return &NotDataError{File: filepath.Join(n.dir, databaseName), Reason: err.Error()}
	}
	return err
}

// readError is the outcome of a read that SQLite refused.
func (n *Node) readError(err error) error {
	return fmt.Errorf("%w (%w)", host.ErrUnavailable, n.damage(err))
}

// storeError is the outcome of a transaction that SQLite refused and that was rolled back.
func (n *Node) storeError(err error) error {
	switch c := code(err); {
	case c&0xff == sqlite3.SQLITE_FULL:
		return fmt.Errorf("the disk that holds %s is full; free some space, no restart is needed: %w (%w)", n.dir, host.ErrUnavailable, err)
	case c == sqlite3.SQLITE_TOOBIG:
		return fmt.Errorf("%w: %w", host.ErrTooLarge, err)
	}
	return fmt.Errorf("write to %s: %w (%w)", n.dir, host.ErrUnavailable, n.damage(err))
}

func flushFailed(err error) bool {
	c := code(err)
	return c == sqlite3.SQLITE_IOERR_FSYNC || c == sqlite3.SQLITE_IOERR_DIR_FSYNC
}

var errClosed = fmt.Errorf("the host is shutting down: %w", host.ErrUnavailable)
