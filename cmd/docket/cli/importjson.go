package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/docket-tasks/docket/ical"
	"github.com/docket-tasks/docket/task"
)

// readExport reads what docket export wrote, or an array of tasks as docket ls --json and the API give it.
func readExport(b []byte) (tasks []wanted, general []string, err error) {
	var docs []json.RawMessage
	if b[0] == '[' {
		err = json.Unmarshal(b, &docs)
	} else {
		var e exported
		if err = json.Unmarshal(b, &e); err == nil && e.Format == 0 {
			return nil, nil, fmt.Errorf("is no export of docket: docket_export is missing")
		}
		if e.Format > exportFormat {
			general = append(general, fmt.Sprintf("the export has form %d, which a newer docket wrote; this one knows %d", e.Format, exportFormat))
		}
		docs = e.Tasks
	}
	if _, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return nil, nil, fmt.Errorf("is no export of docket: %w", misfit(err))
	}
	if err != nil {
		return nil, nil, fmt.Errorf("is not valid JSON: %w", err)
	}
	for i, doc := range docs {
		if doc[0] != '{' {
			return nil, nil, fmt.Errorf("task %d is no task: {…} with the fields of one is expected in its place", i+1)
		}
		w, err := readExported(doc)
		if err != nil {
			return nil, nil, fmt.Errorf("task %d: %w", i+1, misfit(err))
		}
		if w == nil {
			general = append(general, fmt.Sprintf("task %d is deleted: not imported", i+1))
			continue
		}
		tasks = append(tasks, *w)
	}
	return tasks, general, nil
}

// misfit says without Go's terms which field has a value of a kind that it cannot have.
func misfit(err error) error {
	if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("%s: cannot be of the kind %s", t.Field, t.Value)
	}
	return err
}

// readExported reads one task; nil for a deleted one.
func readExported(doc json.RawMessage) (*wanted, error) {
	t, err := task.Decode(doc)
	if err != nil {
		return nil, err
	}
	if t.Status == task.Deleted {
		return nil, nil
	}
	w := &wanted{uid: t.ID, completed: t.Status == task.Completed, Draft: task.Draft{
		Title: t.Title, Description: t.Description, Priority: t.Priority, DueDate: t.DueDate, Tags: t.Tags,
		ReminderMinutes: append([]int{}, t.ReminderMinutes...),
	}}
	if w.uid == "" {
		w.uid = contentID(doc)
	}
	if t.RecurrencePattern != nil {
		w.RecurrencePattern = *t.RecurrencePattern
	}
	if t.SeriesStart != nil && w.RecurrencePattern != "" {
		w.seriesFrom(*t.SeriesStart, t.SeriesZone)
	}
	strict := json.NewDecoder(bytes.NewReader(doc))
	strict.DisallowUnknownFields()
	if err := strict.Decode(&task.Task{}); err != nil {
		w.note("has a field that this docket does not know: %v", err)
	}
	return w, nil
}

// seriesFrom notes the start of the series, which is local to the zone if there is one, where it is not the due date.
func (w *wanted) seriesFrom(local string, zone *string) {
	var err error
	if w.start, err = ical.SeriesStart(local, zone, w.DueDate); err != nil {
		w.note("the series starts anew at the due date: %v", err)
	}
}
