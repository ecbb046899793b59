package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/docket-tasks/docket/event"
	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/host/embedded"
	"github.com/docket-tasks/docket/services/backend"
)

// folder is the data of the embedded host.
type folder struct{ binary, dir string }

// check runs the command docket check.
func (f folder) check(ctx context.Context) error {
	out, err := exec.CommandContext(ctx, f.binary, "check", "--data", f.dir).CombinedOutput()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return violation{kind: "docket check", detail: strings.TrimSpace(string(out))}
	}
	return err
}

// sent reads which reminders were sent, and demands that no message of one is there twice.
func (f folder) sent(ctx context.Context) (ids map[string]bool, err error) {
	r, err := embedded.OpenReader(ctx, f.dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	ids = map[string]bool{}
	err = r.Scan(backend.Name, "reminder/", func(key string, value []byte) error {
		var row struct {
			ReminderID string `json:"reminder_id"`
		}
		if err := json.Unmarshal(value, &row); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		ids[row.ReminderID] = true
		return nil
	})
	if err != nil {
		return nil, err
	}
	// A group that never was has handled nothing: that is the whole log, as far as it has not been trimmed.
	seen := map[string]bool{}
	return ids, r.Undelivered("nobody", event.TopicReminders, func(m host.Message) error {
		if seen[m.ID] {
			return violation{kind: "reminder", detail: "notification " + m.ID + " was published twice"}
		}
		seen[m.ID] = true
		return nil
	})
}

// deadLetters counts them by the id of their message.
func deadLetters(ctx context.Context, dir string) (count map[string]int, err error) {
	r, err := embedded.OpenReader(ctx, dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	count = map[string]int{}
	return count, r.DeadLetters(func(_ string, m host.Message, _ string) error {
		count[m.ID]++
		return nil
	})
}

// alter changes the data of a server that is not running, which no docket does, and tells how many rows it has
// changed in all.
func alter(ctx context.Context, dir string, statements ...string) (rows int64, err error) {
	db, err := sql.Open("sqlite", filepath.Join(dir, "docket.db"))
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	for _, s := range statements {
		res, err := db.ExecContext(ctx, s)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", s, err)
		}
		n, err := res.RowsAffected()
		if err != nil {
			return 0, err
		}
		rows += n
	}
	return rows, nil
}
