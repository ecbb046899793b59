package cli

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/docket-tasks/docket/event"
	"github.com/docket-tasks/docket/task"
)

// maxImport bounds the file: 100,000 tasks, the most a list holds, of 2.5 KiB each.
const maxImport = 256 << 20

func importCommand(o *options) *cobra.Command {
	var dry bool
	c := &cobra.Command{
		Use: "import FILE", Short: "Add the tasks of a JSON export or an iCalendar file", Args: cobra.ExactArgs(1),
		Long: `Adds the tasks of FILE (- is the input): what docket export or docket ls --json wrote, or the to-dos (VTODO) of
an iCalendar file. Completed ones stay completed. Importing a file again, or a newer one, adds nothing twice and
changes nothing that is there: a series goes on as it is done here, and how many tasks are done here and not in the
file, or the other way round, is said. An import that broke off is completed by repeating it. What could not be
taken over is said, task by task; the moments of creation and completion and the history never are. Exits with 1
where a task was not imported at all.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := o.open(cmd)
			if err != nil {
				return err
			}
			return s.importFile(cmd.Context(), cmd.InOrStdin(), args[0], dry)
		},
	}
	c.Flags().BoolVar(&dry, "dry-run", false, "only say what would be done")
	return c
}

// wanted is a task as a file describes it.
type wanted struct {
	// uid identifies the task in its file, so that it is imported once.
	uid string
	task.Draft
	completed bool
	// start is where the series of a repeating task began, the zero Due if at DueDate.
	start task.Due
	// notes say what of the file could not be taken over.
	notes []string
}

func (w *wanted) note(format string, args ...any) {
	w.notes = append(w.notes, clean(fmt.Sprintf(format, args...)))
}

// fault notes which rules the task breaks.
func (w *wanted) fault(err error) {
	invalid, ok := errors.AsType[task.Invalid](err)
	if !ok {
		w.note("%v", err)
	}
	for _, f := range invalid {
		w.note("%s: %s", f.Field, f.Detail)
	}
}

func (s *session) importFile(ctx context.Context, in io.Reader, file string, dry bool) error {
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return exit(badInput, "FILE: %w", err)
		}
		defer f.Close()
		in = f
	}
	b, err := io.ReadAll(io.LimitReader(in, maxImport+1))
	if err != nil {
		return fmt.Errorf("read %s: %w", file, err)
	}
	if len(b) > maxImport {
		return exit(badInput, "FILE: %s is larger than %d MiB: split it", file, maxImport>>20)
	}
	u, err := s.me(ctx)
	if err != nil {
		return err
	}
	tasks, general, err := readImport(b, s.zone)
	if err != nil {
		return exit(badInput, "FILE: %s: %w", file, err)
	}
	for _, n := range general {
		fmt.Fprintf(s.errs, "docket: %s\n", n)
	}
	run := importRun{session: s, user: u.ID, env: task.Env{Now: s.now, Zone: s.zone, Reminders: u.ReminderMinutes}, dry: dry}
	if run.there, err = s.states(ctx); err != nil {
		return err
	}
	return run.all(ctx, tasks)
}

// readImport reads a file of either form; general says what was left aside that belongs to no task.
func readImport(b []byte, zone *time.Location) (tasks []wanted, general []string, err error) {
	b = bytes.TrimSpace(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")))
	switch {
	case len(b) == 0:
		return nil, nil, fmt.Errorf("is empty")
	case b[0] == '{' || b[0] == '[':
		return readExport(b)
	}
	return readCalendar(b, zone)
}

// state is what an import looks at of a task that is there.
type state struct {
	task.Status
	version int64
}

// begun tells whether the task of this id is as an import left it that broke off among these changes.
func (s state) begun(id string, group []change) bool {
	return s.version >= 1 && s.version < int64(len(group)) && id == group[1].ID && (s.Status == task.Completed) == (s.version > 1)
}

// states reads which tasks there are, deleted ones too.
func (c *client) states(ctx context.Context) (map[string]state, error) {
	there := map[string]state{}
	query := url.Values{"status": {"pending", "completed", "deleted"}, "sort_by": {"created_at"}, "limit": {strconv.Itoa(maxPage)}}
	err := c.pages(ctx, "/api/tasks", query, func(doc json.RawMessage, _ http.Header) (bool, error) {
		t, err := decodeTask(doc)
		there[t.ID] = state{t.Status, t.Version}
		return true, err
	})
	return there, err
}

// importRun is one import.
type importRun struct {
	*session
	user  string
	env   task.Env
	there map[string]state
	// series has the tasks of the file that a series there stands for, each with the id of that occurrence, or "" where
	// the series has not come to it.
	series map[string]string
	dry    bool

	// differ counts those of the known that are done here and not in the file, or the other way round.
	added, known, differ, refused int
	queue                         []change
}

// change is one change of a batch.
type change struct {
	Op      string         `json:"op"`
	ID      string         `json:"id,omitempty"`
	IfMatch string         `json:"if_match,omitempty"`
	Key     string         `json:"idempotency_key,omitempty"`
	Body    map[string]any `json:"body,omitempty"`

	title string
}

const (
	// batchChanges and batchBytes bound one request: the server takes 200 changes and 4 MiB.
	batchChanges = 200
	batchBytes   = 2 << 20
)

func (r *importRun) all(ctx context.Context, tasks []wanted) error {
	r.findSeries(tasks)
	size := 0
	seen := map[string]bool{}
	for _, w := range tasks {
		if seen[w.uid] {
			w.note("is in the file twice under the id %q: only the first is imported", w.uid)
			r.refuse(w)
			continue
		}
		seen[w.uid] = true
		group, ok := r.plan(w)
		if !ok {
			continue
		}
		b, err := json.Marshal(group)
		if err != nil {
			return fmt.Errorf("encode task %q: %w", w.Title, err)
		}
		if len(r.queue)+len(group) > batchChanges || size+len(b) > batchBytes {
			if err := r.send(ctx); err != nil {
				return err
			}
			size = 0
		}
		r.queue, size = append(r.queue, group...), size+len(b)
	}
	if err := r.send(ctx); err != nil {
		return err
	}
	return r.summary(len(tasks))
}

func (r *importRun) summary(tasks int) error {
	word := "added"
	if r.dry {
		word = "would add"
	}
	r.line(word, fmt.Sprint(r.added))
	r.line("there already", fmt.Sprint(r.known))
	r.line("refused", fmt.Sprint(r.refused))
	if r.differ > 0 {
		fmt.Fprintf(r.errs, "docket: of those there already %d are done here and not in the file, or the other way round: left as they are\n", r.differ)
	}
	if r.refused > 0 {
		return exit(failed, "%d of %d tasks were not imported: see above", r.refused, tasks)
	}
	return nil
}

// importWays are the changes that can follow the creation of an imported task, as importKey takes them.
var importWays = []string{"", " complete", " complete update", " update"}

// importKey is the Idempotency-Key of a task in a file: the same file gives the same. What is to follow the creation is
// part of it: of a task that stands as it was created it tells whether an import broke off there, or was done with it
// because the task was in its file so.
func importKey(uid, way string) string {
	sum := sha256.Sum256([]byte("import" + way + "\x00" + uid))
	return "import-" + hex.EncodeToString(sum[:16])
}

// lookUp returns the id and the state of a task that is there: of its own, as an import made it in any way, or as an
// occurrence of a series that is there.
func (r *importRun) lookUp(w wanted) (id string, is state, ok bool) {
	if is, ok = r.there[w.uid]; ok {
		return w.uid, is, true
	}
	if id, ok = r.series[w.uid]; ok {
		return id, r.there[id], true
	}
	for _, way := range importWays {
		id = event.KeyedTaskID(r.user, importKey(w.uid, way))
		if is, ok = r.there[id]; ok {
			return id, is, true
		}
	}
	return "", state{}, false
}

// findSeries finds the occurrences of the file that follow one that is there: its series goes on by itself when that is
// done, and those of the file would make it two.
func (r *importRun) findSeries(tasks []wanted) {
	listed := map[string]wanted{}
	for _, w := range tasks {
		listed[w.uid] = w
	}
	r.series = map[string]string{}
	for _, w := range tasks {
		id, is, ok := r.lookUp(w)
		if !ok || is.begun(id, w.changes(r.user)) {
			continue
		}
		for next, ok := listed[event.SuccessorID(w.uid)]; ok; next, ok = listed[event.SuccessorID(next.uid)] {
			if _, _, known := r.lookUp(next); known {
				break
			}
			id = event.SuccessorID(id)
			_, made := r.there[id]
			if !made && is.Status == task.Completed { // by an import, which leaves it to the file to bring the next one
				break
			}
			if !made {
				id = ""
			}
			r.series[next.uid], is = id, r.there[id]
		}
	}
}

// plan looks at one task and returns its changes; none where it breaks a rule or is there already. One that an
// earlier import began and did not finish has its later changes made up for.
func (r *importRun) plan(w wanted) ([]change, bool) {
	group := w.changes(r.user)
	if id, is, ok := r.lookUp(w); ok {
		r.known++
		switch {
		case is.Status == task.Deleted:
			w.note("is there, but deleted: `docket undelete` brings it back")
			r.say(w)
		case is.begun(id, group):
			return group[is.version:], !r.dry
		case (is.Status == task.Completed) != w.completed:
			r.differ++
		}
		return nil, false
	}
	if _, err := task.Create("", "", w.Draft, r.env); err != nil { // before it is sent, so that --dry-run can tell
		w.fault(err)
		r.refuse(w)
		return nil, false
	}
	r.say(w)
	if r.dry {
		r.added++
	}
	return group, !r.dry
}

// body is the task as the API's fields.
func (w wanted) body() map[string]any {
	body := map[string]any{"title": w.Title, "reminder_minutes": append([]int{}, w.ReminderMinutes...)}
	if w.Description != "" {
		body["description"] = w.Description
	}
	if w.Priority != "" {
		body["priority"] = w.Priority
	}
	if !w.DueDate.IsZero() {
		body["due_date"] = w.DueDate.String()
	}
	if len(w.Tags) > 0 {
		body["tags"] = w.Tags
	}
	if w.RecurrencePattern != "" {
		body["recurrence_pattern"] = w.RecurrencePattern
	}
	return body
}

// changes are what it takes to make the user's task: each but the first demands the version that the one before
// leaves, so that a second import carries out only what the first did not come to.
//
// A completed task is created without repetition and reminders, which would begin to act, and gets them when it is
// completed. A repeating one whose due date was moved off its series is created at the start of the series.
func (w wanted) changes(user string) []change {
	body, later := w.body(), map[string]any{}
	put := func(field string) {
		if v, ok := body[field]; ok {
			later[field] = v
			delete(body, field)
		}
	}
	switch {
	case w.completed:
		put("recurrence_pattern")
		if len(w.ReminderMinutes) > 0 {
			put("reminder_minutes")
			body["reminder_minutes"] = []int{}
		}
	case !w.start.IsZero() && w.RecurrencePattern != "":
		put("due_date")
		put("reminder_minutes")
		body["due_date"], body["reminder_minutes"] = w.start.String(), []int{}
	}
	group := []change{{Op: "create", Body: body, title: w.Title}}
	way := ""
	follow := func(op string, body map[string]any) {
		way += " " + op
		group = append(group, change{Op: op, IfMatch: strconv.Quote(strconv.Itoa(len(group))), Body: body, title: w.Title})
	}
	if w.completed {
		follow("complete", nil)
	}
	if len(later) > 0 {
		follow("update", later)
	}
	group[0].Key = importKey(w.uid, way)
	for i := range group[1:] {
		group[i+1].ID = event.KeyedTaskID(user, group[0].Key)
	}
	return group
}

// send carries out what is queued.
func (r *importRun) send(ctx context.Context) error {
	if len(r.queue) == 0 {
		return nil
	}
	out, _, err := call[struct {
		Results []struct {
			Status int      `json:"status"`
			Error  *problem `json:"error"`
		} `json:"results"`
	}](ctx, r.client, request{method: http.MethodPost, path: "/api/tasks/batch", body: map[string]any{"changes": r.queue}})
	if err != nil {
		return err
	}
	if len(out.Results) != len(r.queue) {
		return exit(failed, "the answer is not what docket sends: %d results of %d changes", len(out.Results), len(r.queue))
	}
	for i, c := range r.queue {
		p := out.Results[i].Error
		switch {
		case p == nil && c.Op == "create":
			r.added++
		case p == nil, c.Op != "create" && slices.Contains([]int{http.StatusNotFound, http.StatusPreconditionFailed}, p.Status):
			// done, or done before, or of a task that was refused
		case p.Status == http.StatusServiceUnavailable:
			return p.failure()
		default:
			r.refuse(wanted{Draft: task.Draft{Title: c.title}, notes: []string{p.Error()}})
		}
	}
	r.queue = r.queue[:0]
	return nil
}

func (r *importRun) refuse(w wanted) {
	r.refused++
	r.say(w)
}

// say writes what there is to say about one task.
func (r *importRun) say(w wanted) {
	for _, n := range w.notes {
		fmt.Fprintf(r.errs, "docket: %q: %s\n", cut(clean(w.Title), 60), n)
	}
}
