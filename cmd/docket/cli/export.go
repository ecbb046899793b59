package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/docket-tasks/docket/ical"
	"github.com/docket-tasks/docket/task"
)

func exportCommand(o *options) *cobra.Command {
	var format string
	var force, all bool
	c := &cobra.Command{
		Use: "export [FILE]", Short: "Write all tasks to a file, as JSON or iCalendar", Args: cobra.MaximumNArgs(1),
		Long: `Writes every pending and completed task to FILE, or to the output without one. The format is json, which keeps
everything, or ical (RFC 5545), which calendars and other task programs read; without --format it is ical for a FILE
that ends in .ics. docket import reads both. With --all it is everything that is yours, as JSON: settings, saved filters, the
history, the inbox, and deleted tasks that can be restored besides; docket import reads the tasks of it.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := o.open(cmd)
			if err != nil {
				return err
			}
			file := ""
			if len(args) > 0 && args[0] != "-" {
				file = args[0]
			}
			if strings.EqualFold(filepath.Ext(file), ".ics") && format == "" {
				format = "ical"
			}
			if all {
				return s.exportAll(cmd.Context(), format, file, force)
			}
			return s.export(cmd.Context(), format, file, force)
		},
	}
	c.Flags().StringVar(&format, "format", "", "json (default) or ical")
	c.Flags().BoolVar(&all, "all", false, "everything that is yours, not the tasks alone")
	c.Flags().BoolVar(&force, "force", false, "replace FILE if it exists")
	return c
}

// exported is the JSON form of an export.
type exported struct {
	// Format is the version of this form.
	Format     int               `json:"docket_export"`
	ExportedAt time.Time         `json:"exported_at"`
	User       string            `json:"user"`
	TimeZone   string            `json:"time_zone"`
	Tasks      []json.RawMessage `json:"tasks"`
}

const exportFormat = 1

func (s *session) export(ctx context.Context, format, file string, force bool) error {
	write := writeJSON
	switch format {
	case "", "json":
	case "ical":
		write = writeCalendar
	default:
		return exit(badInput, "--format: %q is none: give json or ical", clean(format))
	}
	if err := mayWrite(file, force); err != nil {
		return err
	}
	u, err := s.me(ctx)
	if err != nil {
		return err
	}
	tasks, _, err := s.read(ctx, url.Values{"status": {"pending", "completed"}, "sort_by": {"created_at"}, "sort_order": {"asc"}}, 0)
	if err != nil {
		return err
	}
	if file == "" {
		return write(s.out, u, tasks, s.now)
	}
	if err := replaceFile(file, func(w io.Writer) error { return write(w, u, tasks, s.now) }); err != nil {
		return err
	}
	fmt.Fprintf(s.errs, "exported %d tasks to %s\n", len(tasks), file)
	return nil
}

// mayWrite keeps a file that is there, unless told otherwise.
func mayWrite(file string, force bool) error {
	if _, err := os.Stat(file); file != "" && !errors.Is(err, fs.ErrNotExist) && !force {
		return exit(badInput, "%s is there already: give another name, or --force", file)
	}
	return nil
}

// exportAll writes what the server has of the user, as it comes.
func (s *session) exportAll(ctx context.Context, format, file string, force bool) error {
	if format != "" && format != "json" {
		return exit(badInput, "--format: everything is written as json; %s is for the tasks alone", clean(format))
	}
	if err := mayWrite(file, force); err != nil {
		return err
	}
	if file == "" {
		return s.download(ctx, "/api/me/export", s.out)
	}
	if err := replaceFile(file, func(w io.Writer) error { return s.download(ctx, "/api/me/export", w) }); err != nil {
		return err
	}
	fmt.Fprintf(s.errs, "exported everything to %s\n", file)
	return nil
}

func writeCalendar(w io.Writer, u user, tasks []found, now time.Time) error {
	zone, err := time.LoadLocation(u.TimeZone)
	if err != nil {
		zone = time.UTC
	}
	plain := make([]task.Task, len(tasks))
	for i, t := range tasks {
		plain[i] = t.Task
	}
	return ical.Write(w, zone, plain, now)
}

func writeJSON(w io.Writer, u user, tasks []found, now time.Time) error {
	e := exported{Format: exportFormat, ExportedAt: now.UTC().Truncate(time.Second), User: u.Name, TimeZone: u.TimeZone, Tasks: make([]json.RawMessage, len(tasks))}
	for i, t := range tasks {
		e.Tasks[i] = t.doc
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(e); err != nil {
		return fmt.Errorf("write export: %w", err)
	}
	return nil
}

// replaceFile writes a file as a whole or not at all, readable by its owner alone.
func replaceFile(file string, write func(io.Writer) error) error {
	tmp, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*")
	if err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	w := bufio.NewWriter(tmp)
	err = write(w)
	if err = errors.Join(err, w.Flush(), tmp.Sync(), tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), file)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", file, errors.Join(err, os.Remove(tmp.Name())))
	}
	return nil
}
