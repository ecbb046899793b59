package embedded

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Backup writes a consistent copy of the data in dir to file, also while a process runs on it. It fails with
// [*ExistsError] rather than overwrite; the copy is on disk when it returns. Secrets in files are not part of it.
func Backup(ctx context.Context, dir, file string) error {
	db, err := openExisting(ctx, filepath.Join(dir, databaseName))
	if err != nil {
		return err
	}
	return errors.Join(copyTo(db, file), db.close())
}

// Restore makes the backup in file the data of dir. It fails with [*ExistsError] where dir has data already, with
// [*NotDataError] for a file that is no sound backup, with [*NewerDataError] for one of a later docket and with
// [*InUseError] while a process runs on dir.
func Restore(ctx context.Context, file, dir string) error {
	lock, err := lockDir(dir)
	if err != nil {
		return err
	}
	return errors.Join(restore(ctx, file, dir), lock.release())
}

func restore(ctx context.Context, file, dir string) error {
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := absent(filepath.Join(dir, databaseName+suffix)); err != nil {
			return err
		}
	}
	db, err := openExisting(ctx, file)
	if err != nil {
		return err
	}
	err = checkSound(db, file)
	if err == nil {
		err = copyTo(db, filepath.Join(dir, databaseName))
	}
	return errors.Join(err, db.close())
}

// openExisting opens a database of docket's for reading.
func openExisting(ctx context.Context, file string) (*conn, error) {
	if _, err := os.Stat(file); err != nil {
		return nil, fmt.Errorf("open data: %w", err)
	}
	db, err := openConn(context.WithoutCancel(ctx), file, existing)
	if err != nil {
		return nil, &NotDataError{File: file, Reason: err.Error()}
	}
	format, err := db.number("PRAGMA user_version")
	if err != nil {
		err = &NotDataError{File: file, Reason: err.Error()}
	} else if format == 0 {
		err = &NotDataError{File: file, Reason: "it holds no data of docket's"}
	} else {
		err = checkFormat(db, file, format)
	}
	if err != nil {
		return nil, errors.Join(err, db.close())
	}
	return db, nil
}

// checkSound reads the whole file.
func checkSound(db *conn, file string) error {
	var found []string
	err := db.query("PRAGMA integrity_check(1)", func(row []driver.Value) error {
		found = append(found, text(row[0]))
		return nil
	})
	if err != nil {
		return &NotDataError{File: file, Reason: err.Error()}
	}
	if len(found) != 1 || found[0] != "ok" {
		return &NotDataError{File: file, Reason: fmt.Sprintf("damaged: %v", found)}
	}
	return nil
}

func absent(path string) error {
	switch _, err := os.Lstat(path); {
	case err == nil:
		return &ExistsError{Path: path}
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	return nil
}

// copyTo writes what db holds now to a new file. The file gets its name only when it is whole and on disk.
func copyTo(db *conn, file string) error {
	if err := absent(file); err != nil {
		return err
	}
	dir := filepath.Dir(file)
	f, err := os.CreateTemp(dir, "."+filepath.Base(file)+".*") // mode 0600
	if err != nil {
		return fmt.Errorf("create copy: %w", err)
	}
	defer os.Remove(f.Name()) // gone already if all went well
	if err := db.exec("VACUUM INTO ?", f.Name()); err != nil {
		return fmt.Errorf("copy data to %s: %w", file, errors.Join(err, f.Close()))
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("flush %s: %w", file, err)
	}
	if err := absent(file); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), file); err != nil {
		return fmt.Errorf("name the copy: %w", err)
	}
	return syncDir(dir)
}
