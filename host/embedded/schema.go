package embedded

import (
	"database/sql/driver"
	"fmt"
	"log/slog"
	"path/filepath"
)

const (
	databaseName = "docket.db"
	// applicationID marks the file as docket's (PRAGMA application_id): "dckt".
	applicationID = 0x64636b74
)

// migrations[i] takes the data from format i to i+1; the format is kept in PRAGMA user_version. Formats are only
// ever added to: what has been released stays as it is.
var migrations = []string{
	// rev is a number that never repeats, it makes the ETag; expires is in Unix milliseconds, due in microseconds.
	// state has rowids, so that new rows lie side by side whatever their keys, and values of up to 4 KB need no
	// page of their own: a commit touches half as many pages as it would in the order of the keys.
	`CREATE TABLE meta (epoch INTEGER NOT NULL, written_by TEXT NOT NULL, fences INTEGER NOT NULL);
	 INSERT INTO meta VALUES (0, '', 0);
	 CREATE TABLE state (key TEXT NOT NULL UNIQUE, value BLOB NOT NULL, rev INTEGER NOT NULL, expires INTEGER);
	 CREATE INDEX state_expires ON state (expires) WHERE expires IS NOT NULL;
	 CREATE TABLE log (seq INTEGER PRIMARY KEY, topic TEXT NOT NULL, key TEXT NOT NULL, id TEXT NOT NULL, data BLOB);
	 CREATE TABLE groups (name TEXT PRIMARY KEY, topic TEXT NOT NULL, low INTEGER NOT NULL) WITHOUT ROWID;
	 CREATE TABLE parked (grp TEXT NOT NULL, seq INTEGER NOT NULL, topic TEXT NOT NULL, key TEXT NOT NULL, id TEXT NOT NULL, data BLOB,
	   PRIMARY KEY (grp, seq)) WITHOUT ROWID;
	 CREATE TABLE dead_letters (n INTEGER PRIMARY KEY, service TEXT NOT NULL, seq INTEGER NOT NULL, topic TEXT NOT NULL, key TEXT NOT NULL,
	   id TEXT NOT NULL, data BLOB, reason TEXT NOT NULL, at INTEGER NOT NULL, UNIQUE (service, topic, seq));
	 CREATE TABLE jobs (key TEXT PRIMARY KEY, due INTEGER NOT NULL, rev INTEGER NOT NULL, data BLOB) WITHOUT ROWID;
	 CREATE INDEX jobs_due ON jobs (due, key);`,
	// The tables are as they were. Since this format the head of a list says who its owner is, and no version from before reads it.
	`UPDATE meta SET fences = fences`,
}

// prepareData brings the database to the current format and returns the epoch of this run: the high bits of every
// revision and sequence number it will give out, so that none repeats one of an earlier run.
func prepareData(db *conn, dir, version string, log *slog.Logger, failAt func(string)) (epoch int64, err error) {
	format, err := db.number("PRAGMA user_version")
	if err != nil {
		return 0, fmt.Errorf("read the data's format: %w", err)
	}
	if err := checkFormat(db, filepath.Join(dir, databaseName), format); err != nil {
		return 0, err
	}
	if 0 < format && format < int64(len(migrations)) {
		file := filepath.Join(dir, fmt.Sprintf("before-format-%d.db", len(migrations)))
		log.Info("older data: making a backup, then migrating", "format", format, "to", len(migrations), "backup", file)
		if err := copyTo(db, file); err != nil {
			return 0, fmt.Errorf("back up before migrating: %w", err)
		}
		failAt(stepMigrate)
	}
	if err := migrate(db, int(format), version); err != nil {
		return 0, fmt.Errorf("prepare data of format %d: %w", format, err)
	}
	if epoch, err = db.number("SELECT epoch FROM meta"); err != nil {
		return 0, fmt.Errorf("read the epoch: %w", err)
	}
	return epoch, nil
}

// checkFormat refuses a database that is not docket's or is of a later version.
func checkFormat(db *conn, file string, format int64) error {
	id, err := db.number("PRAGMA application_id")
	if err != nil {
		return fmt.Errorf("read the data's mark: %w", err)
	}
	tables, err := db.number("SELECT count(*) FROM sqlite_schema")
	if err != nil {
		return fmt.Errorf("read the data's tables: %w", err)
	}
	if id != applicationID && tables > 0 {
		return &NotDataError{File: file, Reason: "another program's tables are in it"}
	}
	if format <= int64(len(migrations)) {
		return nil
	}
	newer := &NewerDataError{File: file, Have: int(format), Want: len(migrations)}
	// A future format may have moved the name of its writer; the error is clear enough without.
	_ = db.query("SELECT written_by FROM meta", func(row []driver.Value) error {
		newer.WrittenBy = text(row[0])
		return nil
	})
	return newer
}

// migrate runs the missing migrations and begins a new epoch, in one transaction.
func migrate(db *conn, format int, version string) error {
	if err := db.exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	steps := append([]string{}, migrations[format:]...)
	steps = append(steps, fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d", applicationID, len(migrations)))
	for _, sql := range steps {
		if err := db.exec(sql); err != nil {
			return rolledBack(db, err)
		}
	}
	if err := db.exec("UPDATE meta SET epoch = epoch + 1, written_by = ?", version); err != nil {
		return rolledBack(db, err)
	}
	if err := db.exec("COMMIT"); err != nil {
		return rolledBack(db, err)
	}
	return nil
}

// rolledBack ends a transaction that err made useless. SQLite may have ended it itself, so an error of the ROLLBACK
// says nothing new.
func rolledBack(db *conn, err error) error {
	_ = db.exec("ROLLBACK")
	return err
}
