package task

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// faults collects what is wrong, the first fault of each field.
type faults Invalid

func (f *faults) add(field, format string, args ...any) {
	if !f.has(field) {
		*f = append(*f, FieldError{field, fmt.Sprintf(format, args...)})
	}
}

func (f faults) has(field string) bool {
	return slices.ContainsFunc(f, func(e FieldError) bool { return e.Field == field })
}

// err is nil without faults.
func (f faults) err() error {
	if len(f) == 0 {
		return nil
	}
	return Invalid(f)
}

// because returns what an error says about its field.
func because(err error) string {
	var invalid Invalid
	if errors.As(err, &invalid) && len(invalid) > 0 {
		return invalid[0].Detail
	}
	return err.Error()
}

// rules brings the fields that p sets into the form a task keeps them in, and reports each that breaks a rule.
// It changes nothing in a patch that has passed it before. Patterns are left to [ParsePattern] and [Begin].
func (p *Patch) rules(f *faults) {
	if p.Title.Set {
		p.Title.Value = cleanTitle(p.Title.Value, f)
	}
	if p.Description.Set {
		checkText("description", p.Description.Value, MaxDescription, "\n\r\t", f)
	}
	if p.Priority.Set {
		p.Priority.Value = cleanPriority(p.Priority.Value, f)
	}
	if p.Tags.Set {
		p.Tags.Value = cleanTags("tags", p.Tags.Value, f)
	}
	if p.ReminderMinutes.Set {
		p.ReminderMinutes.Value = cleanReminders(p.ReminderMinutes.Value, f)
	}
}

// checkText reports a text that is too long, no Unicode, or holds a control character that is not allowed in it.
func checkText(field, s string, most int, allowed string, f *faults) {
	if n := utf8.RuneCountInString(s); n > most {
		f.add(field, "has %d characters: shorten it to at most %d", n, most)
	}
	if !utf8.ValidString(s) {
		f.add(field, "is not valid UTF-8")
	}
	for _, r := range s {
		if unicode.IsControl(r) && !strings.ContainsRune(allowed, r) {
			f.add(field, "holds the control character U+%04X: remove it", r)
			return
		}
	}
}

func cleanTitle(s string, f *faults) string {
	s = strings.TrimSpace(s)
	if s == "" {
		f.add("title", "is empty: give 1 to %d characters that are not all white space", MaxTitle)
	}
	checkText("title", s, MaxTitle, "", f)
	return s
}

func cleanPriority(p Priority, f *faults) Priority {
	switch p {
	case High, Medium, Low:
	case "":
		return Medium
	default:
		f.add("priority", "is %q: use high, medium or low", shorten(string(p)))
	}
	return p
}

// cleanTags trims each tag and drops those that repeat an earlier one without regard to case.
func cleanTags(field string, tags []string, f *faults) []string {
	out := make([]string, 0, len(tags))
	for i, tag := range tags {
		tag = strings.TrimSpace(tag)
		if tag == "" {
			f.add(field, "tag %d is empty: leave it out", i+1)
		}
		var own faults
		if checkText(field, tag, MaxTag, "", &own); len(own) > 0 {
			f.add(field, "tag %d %s", i+1, own[0].Detail)
		}
		if out = addTag(out, tag); len(out) > MaxTags {
			f.add(field, "has more than %d different tags: give at most %d", MaxTags, MaxTags)
			break
		}
	}
	return out
}

// addTag appends tag unless tags has it, without regard to case.
func addTag(tags []string, tag string) []string {
	if hasTag(tags, tag) {
		return tags
	}
	return append(tags, tag)
}

// hasTag says whether tags has tag, without regard to case.
func hasTag(tags []string, tag string) bool {
	return slices.ContainsFunc(tags, func(t string) bool { return strings.EqualFold(t, tag) })
}

// cleanReminders sorts minutes, largest first, and drops repeated ones. Nil, the user's default, stays nil.
func cleanReminders(minutes []int, f *faults) []int {
	if minutes == nil {
		return nil
	}
	const field = "reminder_minutes"
	for _, m := range minutes {
		if m < 0 || m > MaxReminderMinutes {
			f.add(field, "holds %d: give minutes before the due date from 0 to %d", m, MaxReminderMinutes)
		}
	}
	out := slices.Clone(minutes)
	slices.SortFunc(out, func(a, b int) int { return b - a })
	if out = slices.Compact(out); len(out) > MaxReminders {
		f.add(field, "has %d different entries: give at most %d", len(out), MaxReminders)
	}
	return out
}
