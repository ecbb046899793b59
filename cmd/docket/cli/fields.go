package cli

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/docket-tasks/docket/quick"
	"github.com/docket-tasks/docket/task"
)

// fieldFlags are the flags that say what a task is to be like. "none" clears a field.
type fieldFlags struct {
	due, repeat, priority, description, remind string
	tags                                       []string
	// set has the names of the flags given.
	set map[string]bool
}

func (f *fieldFlags) flags(s *pflag.FlagSet) {
	s.StringVar(&f.due, "due", "", `due date: 2026-12-01, 2026-12-01T09:00:00, "tomorrow 9am"; none`)
	s.StringVar(&f.repeat, "repeat", "", `daily, weekly, monthly, yearly, "every 2 weeks", RRULE:…; none`)
	s.StringVarP(&f.priority, "priority", "p", "", "high, medium or low")
	s.StringVar(&f.description, "description", "", "description, in Markdown")
	s.StringVar(&f.remind, "remind", "", "when to remind before the due date: 30m,1d or minutes; none, default")
}

// changed notes which flags were given.
func (f fieldFlags) changed(cmd *cobra.Command) fieldFlags {
	f.set = map[string]bool{}
	cmd.Flags().Visit(func(p *pflag.Flag) { f.set[p.Name] = true })
	return f
}

// none tells whether no flag says anything about the task.
func (f fieldFlags) none() bool {
	for _, name := range []string{"due", "repeat", "priority", "description", "remind", "tag"} {
		if f.set[name] {
			return false
		}
	}
	return true
}

// fields puts what the flags say into a body. What is not in the API's own forms is given to the server's parser.
func (s *session) fields(ctx context.Context, f fieldFlags, body map[string]any) error {
	if f.set["repeat"] {
		if err := s.repeatFlag(ctx, f.repeat, body); err != nil {
			return err
		}
	}
	if f.set["due"] {
		due, err := s.dueFlag(ctx, "--due", f.due)
		if err != nil {
			return err
		}
		body["due_date"] = due
	}
	if f.set["priority"] {
		body["priority"] = orNull(f.priority)
	}
	if f.set["description"] {
		body["description"] = orNull(f.description)
	}
	if f.set["remind"] {
		minutes, err := remindFlag(f.remind)
		if err != nil {
			return err
		}
		body["reminder_minutes"] = minutes
	}
	return nil
}

// apart refuses flags that contradict each other.
func apart(cmd *cobra.Command, flags ...string) error {
	given := ""
	for _, f := range flags {
		switch {
		case !cmd.Flags().Changed(f):
		case given == "":
			given = f
		default:
			return exit(badInput, "--%s cannot come with --%s: give one of them", f, given)
		}
	}
	return nil
}

const none = "none"

// orNull is the JSON value of a flag: null for none.
func orNull(s string) any {
	if s == none {
		return nil
	}
	return s
}

// probe is a word that the grammar takes for a title, so that what follows it is read as date or repetition.
const probe = "docket"

// isoDate is how the strict forms of a due date begin: with them the parser of words has nothing to add.
var isoDate = regexp.MustCompile(`^\d{4}-\d\d-\d\d(T.*)?$`)

// dueFlag reads a due date: nil for none, a strict form as it stands, words as the server understands them.
func (s *session) dueFlag(ctx context.Context, flag, value string) (any, error) {
	if value == none {
		return nil, nil
	}
	if _, err := task.ParseDue(value); err == nil && value != "" {
		return value, nil
	} else if isoDate.MatchString(value) && len(value) != len("2026-12-01T09:00") {
		return nil, exit(badInput, "%s: %w", flag, err)
	}
	r, err := s.parse(ctx, probe+" "+value)
	if err != nil {
		return nil, err
	}
	if r.Due == "" || r.Pattern != "" || !whole(r) {
		return nil, exit(badInput, `%s: %q is not understood: give a date such as 2026-12-01 or 2026-12-01T09:00:00, words such as "tomorrow 9am", or none`, flag, clean(value))
	}
	return r.Due, nil
}

// whole tells whether all that followed the probe was understood, as date and repetition alone.
func whole(r quick.Result) bool {
	return r.Title == probe && len(r.Tags) == 0 && r.Priority == "" && r.ReminderMinutes == nil
}

// repeatFlag reads a repetition; words may bring the first due date along.
func (s *session) repeatFlag(ctx context.Context, value string, body map[string]any) error {
	switch {
	case value == none:
		body["recurrence_pattern"] = nil
		return nil
	case strings.HasPrefix(value, "RRULE:"), value == "daily", value == "weekly", value == "monthly", value == "yearly":
		body["recurrence_pattern"] = value
		return nil
	}
	for _, text := range []string{value, "every " + value} {
		r, err := s.parse(ctx, probe+" "+text)
		if err != nil {
			return err
		}
		if r.Pattern != "" && whole(r) {
			body["recurrence_pattern"] = r.Pattern
			if _, given := body["due_date"]; !given {
				body["due_date"] = r.Due
			}
			return nil
		}
	}
	return exit(badInput, `--repeat: %q is not understood: give daily, weekly, monthly, yearly, words such as "every 2 weeks", an RRULE:, or none`, clean(value))
}

// remindFlag reads minutes before the due date: empty for none, nil for the user's default.
func remindFlag(value string) (any, error) {
	switch value {
	case none:
		return []int{}, nil
	case "default":
		return nil, nil
	}
	var out []int
	for part := range strings.SplitSeq(value, ",") {
		m, err := parseMinutes(strings.TrimSpace(part))
		if err != nil {
			return nil, exit(badInput, "--remind: %w", err)
		}
		out = append(out, m)
	}
	return out, nil
}

// parseMinutes reads "30", "30m", "2h", "1d" or "1w".
func parseMinutes(s string) (int, error) {
	number, per := s, 1
	for _, u := range units {
		if n, ok := strings.CutSuffix(s, u.letter); ok {
			number, per = n, u.minutes
		}
	}
	n, err := strconv.ParseUint(number, 10, 32)
	if err != nil || n*uint64(per) > task.MaxReminderMinutes {
		return 0, fmt.Errorf("%q is not understood: give minutes before the due date, such as 30, 30m, 2h, 1d or 1w, up to 4w, or none", clean(s))
	}
	return int(n) * per, nil
}
