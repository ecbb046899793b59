package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/docket-tasks/docket/deploy/local"
)

// database is the data behind Dapr.
type database struct{ docket *local.Docket }

// sent implements [store] by the rows that backend has created for reminders.
func (d database) sent(ctx context.Context) (map[string]bool, error) {
	rows, err := d.docket.Query(ctx, d.docket.Name,
		`select convert_from(value, 'UTF8')::json->>'reminder_id' from docket_state where key like 'backend||reminder/%'`)
	if err != nil {
		return nil, err
	}
	ids := map[string]bool{}
	for id := range strings.Lines(rows) {
		ids[strings.TrimSpace(id)] = true
	}
	return ids, nil
}

// check implements [store]: nobody has refused a message for good, and nothing is in a dead-letter topic.
func (d database) check(ctx context.Context) error {
	for _, service := range []string{"audit", "recurring-task", "notification"} {
		cmd := exec.CommandContext(ctx, d.docket.Binary, "deadletter", "list", service)
		cmd.Env = append(os.Environ(), d.docket.Running[service][0].Sidecar.Env()...)
		out, err := cmd.Output()
		if err != nil {
			return fmt.Errorf("list the dead letters of %s: %w", service, err)
		}
		if letters := strings.TrimSpace(string(out)); letters != "" {
			return violation{kind: "dead letter", detail: service + ": " + letters}
		}
	}
	return nil
}
