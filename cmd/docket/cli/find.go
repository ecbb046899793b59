package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/google/uuid"

	"github.com/docket-tasks/docket/task"
)

// naming explains how tasks are named, for the help of every command that takes one.
const naming = `A TASK is its number in the last "docket ls", a beginning of its id that no other has, or words of its
title in quotation marks: all of them have to occur in it, upper and lower case being the same. A title given
in full wins over longer ones. A number alone is one of that list, or 8 digits or more of an id, never a word.`

// found is a task and its JSON as it came.
type found struct {
	task.Task
	doc json.RawMessage
}

func decodeTask(doc json.RawMessage) (found, error) {
	t, err := task.Decode(doc)
	if err != nil {
		return found{}, exit(failed, "the answer is not what docket sends: %w", err)
	}
	return found{t, doc}, nil
}

// find returns the tasks that the names mean, each once. Of tasks that a name fits, those of the first status that
// has any count: a repeating task leaves many done ones of the same title behind.
func (c *client) find(ctx context.Context, names []string, order ...task.Status) ([]found, error) {
	last := c.recall()
	var out []found
	for _, name := range names {
		f, err := c.findOne(ctx, name, last, order)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(out, func(o found) bool { return o.ID == f.ID }) {
			out = append(out, f)
		}
	}
	return out, nil
}

func (c *client) findOne(ctx context.Context, name string, last []string, order []task.Status) (found, error) {
	name = strings.TrimSpace(name)
	if name == "" {
		return found{}, exit(badInput, "TASK: is empty: give a number of the last `docket ls`, an id, or words of the title")
	}
	if n, err := strconv.Atoi(name); err == nil && n >= 1 && n <= len(last) {
		return c.byID(ctx, last[n-1])
	}
	if isNumber(name) && len(name) < minDigits {
		return found{}, noSuchTask(name, len(last))
	}
	if id, err := uuid.Parse(name); err == nil && len(name) == 36 {
		return c.byID(ctx, id.String())
	}
	for _, status := range order {
		candidates, err := c.candidates(ctx, name, status)
		if err != nil {
			return found{}, err
		}
		if matches := match(candidates, name); len(matches) == 1 {
			return matches[0], nil
		} else if len(matches) > 1 {
			return found{}, ambiguity(name, matches)
		}
	}
	return found{}, noSuchTask(name, len(last))
}

// alsoFits returns the tasks that a name fits though another, of a status earlier in order, was taken: of a repeating
// task, say, the done ones. A number or an id means one task alone.
func (c *client) alsoFits(ctx context.Context, name string, taken found, order ...task.Status) (out []found, err error) {
	if isNumber(strings.TrimSpace(name)) || strings.HasPrefix(taken.ID, strings.ToLower(name)) {
		return nil, nil
	}
	for _, status := range order[slices.Index(order, taken.Status)+1:] {
		candidates, err := c.candidates(ctx, strings.TrimSpace(name), status)
		if err != nil {
			return nil, err
		}
		out = append(out, match(candidates, strings.TrimSpace(name))...)
	}
	return out, nil
}

// sayWhich tells, beside the output, which of the tasks that a name fits was meant, and how to name the others.
func (s *session) sayWhich(ctx context.Context, name string, taken found, order ...task.Status) error {
	others, err := s.alsoFits(ctx, name, taken, order...)
	if err != nil || len(others) == 0 {
		return err
	}
	fmt.Fprintf(s.errs, "%q is the %s task here; it also fits, to be named by id:%s\n", clean(name), taken.Status, listed(others))
	return nil
}

func noSuchTask(name string, last int) error {
	if !isNumber(name) {
		return exit(notFound, "no task %q: `docket ls` shows what there is", clean(name))
	}
	if last == 0 {
		return exit(notFound, "no task %s: run `docket ls` first, its numbers are what can be given here", name)
	}
	return exit(notFound, "no task %s: the last `docket ls` showed 1 to %d", name, last)
}

func (c *client) byID(ctx context.Context, id string) (found, error) {
	doc, _, err := get[json.RawMessage](ctx, c, "/api/tasks/"+id, nil)
	if err != nil {
		return found{}, err
	}
	return decodeTask(doc)
}

// candidates reads the tasks that a name could mean: all where it may begin an id, else those that hold its longest
// word, which the server finds faster.
func (c *client) candidates(ctx context.Context, name string, status task.Status) ([]found, error) {
	query := url.Values{"status": {string(status)}, "sort_by": {"updated_at"}}
	if !beginsID(name) {
		query.Set("search", longest(strings.Fields(name)))
	}
	tasks, _, err := c.read(ctx, query, 0)
	return tasks, err
}

// minPrefix is how much of an id has to be given, minDigits where it is a number: more than any list has lines, so that
// it is not one of a list that was forgotten.
const (
	minPrefix = 4
	minDigits = 8
)

func isNumber(name string) bool { return strings.Trim(name, "0123456789") == "" }

func beginsID(name string) bool {
	return len(name) >= minPrefix && len(name) <= 36 && !strings.ContainsFunc(name, func(r rune) bool {
		return !strings.ContainsRune("0123456789abcdefABCDEF-", r)
	})
}

func longest(words []string) string {
	return slices.MaxFunc(words, func(a, b string) int { return len(a) - len(b) })
}

// match returns the tasks that a name fits: those with just that title, else those whose id begins so or whose title
// holds all its words. A number is no word: what it was meant to be the number of may have left the list.
func match(tasks []found, name string) []found {
	folded := fold(name)
	words, number := strings.Fields(folded), isNumber(name)
	var exact, fit []found
	for _, t := range tasks {
		title := fold(t.Title)
		switch {
		case !number && title == folded:
			exact = append(exact, t)
		case beginsID(name) && strings.HasPrefix(t.ID, strings.ToLower(name)), !number && holdsAll(title, words):
			fit = append(fit, t)
		}
	}
	if len(exact) > 0 {
		return exact
	}
	return fit
}

func holdsAll(title string, words []string) bool {
	return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(title, w) })
}

// fold maps every letter to one of those it is the same as, case apart (Unicode simple case folding).
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		least := r
		for o := unicode.SimpleFold(r); o != r; o = unicode.SimpleFold(o) {
			least = min(least, o)
		}
		return least
	}, s)
}

// maxCandidates is how many tasks an ambiguous name lists.
const maxCandidates = 10

func ambiguity(name string, tasks []found) error {
	return exit(ambiguous, "%q fits %d tasks: say more of the title, or give the id%s", clean(name), len(tasks), listed(tasks))
}

// listed puts tasks below each other, the first of them.
func listed(tasks []found) string {
	var b strings.Builder
	for _, t := range tasks[:min(len(tasks), maxCandidates)] {
		fmt.Fprintf(&b, "\n  %s  %s", t.ID, clean(t.Title))
		if !t.DueDate.IsZero() {
			fmt.Fprintf(&b, "  (due %s)", t.DueDate)
		}
		if t.Status == task.Completed || t.Status == task.Deleted {
			fmt.Fprintf(&b, "  (%s)", t.Status)
		}
	}
	if more := len(tasks) - maxCandidates; more > 0 {
		fmt.Fprintf(&b, "\n  and %d more", more)
	}
	return b.String()
}
