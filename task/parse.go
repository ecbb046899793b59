package task

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Draft is what a new task is made of. Zero fields mean the default.
type Draft struct {
	// Quick is a text for the quick-add grammar. It comes alone; the caller turns it into the other fields
	// before [Create].
	Quick string
	// Plain are parts of Quick that are to stay title.
	Plain       []string
	Title       string
	Description string
	// Priority is Medium if empty.
	Priority Priority
	DueDate  Due
	Tags     []string
	// RecurrencePattern is empty for a task that does not repeat.
	RecurrencePattern string
	// ReminderMinutes is nil for the user's default, empty for no reminders.
	ReminderMinutes []int
}

// Field is a field of a [Patch]: unchanged unless Set.
type Field[T any] struct {
	Set   bool
	Value T
}

// To returns a field that is set to v.
func To[T any](v T) Field[T] { return Field[T]{true, v} }

// Patch is a JSON merge patch of a task (RFC 7396): an absent field stays, null clears it, which is here the zero
// value. A cleared priority is medium, cleared reminder_minutes are the user's default (nil; empty is none), and a
// title cannot be cleared.
type Patch struct {
	Title             Field[string]
	Description       Field[string]
	Priority          Field[Priority]
	DueDate           Field[Due]
	Tags              Field[[]string]
	RecurrencePattern Field[string]
	ReminderMinutes   Field[[]int]
}

// TagChange changes a task's tags: it replaces them all with Tags if Replace, else takes Remove away and adds Add.
type TagChange struct {
	Replace bool
	Tags    []string
	Add     []string
	Remove  []string
}

// ParseDraft reads the body of a creation: strict JSON with the writable fields of a task, or with "quick" and perhaps
// "plain" alone.
// The error is [Invalid] with every field at fault.
func ParseDraft(body []byte) (Draft, error) {
	members, err := readObject(body)
	if err != nil {
		return Draft{}, err
	}
	if slices.ContainsFunc(members, func(m value) bool { return m.name == "quick" }) {
		return quickDraft(members)
	}
	p, f := readPatch(members)
	if !p.Title.Set {
		f.add("title", "is missing: a task needs a title of 1 to %d characters", MaxTitle)
	}
	if err := f.err(); err != nil {
		return Draft{}, err
	}
	return Draft{
		Title:             p.Title.Value,
		Description:       p.Description.Value,
		Priority:          p.Priority.Value,
		DueDate:           p.DueDate.Value,
		Tags:              p.Tags.Value,
		RecurrencePattern: p.RecurrencePattern.Value,
		ReminderMinutes:   p.ReminderMinutes.Value,
	}, nil
}

// maxPlain is how many parts of a quick text can be kept out of what is understood: more than it can have.
const maxPlain = 50

func quickDraft(members []value) (Draft, error) {
	var d Draft
	var f faults
	for _, m := range members {
		switch m.name {
		case "quick":
			if d.Quick = asText(m, &f); m.kind == text && strings.TrimSpace(d.Quick) == "" {
				f.add(m.name, "is empty: write what is to be done")
			}
		case "plain":
			if d.Plain = asTexts(m, &f); len(d.Plain) > maxPlain {
				f.add(m.name, "has %d entries: at most %d are allowed", len(d.Plain), maxPlain)
			}
		default:
			f.add(fieldName(m.name), "cannot come with quick: send quick alone or with plain, or the fields without it")
		}
	}
	return d, f.err()
}

// ParsePatch reads a JSON merge patch (RFC 7396), strictly. The error is [Invalid] with every field at fault.
func ParsePatch(body []byte) (Patch, error) {
	members, err := readObject(body)
	if err != nil {
		return Patch{}, err
	}
	p, f := readPatch(members)
	if err := f.err(); err != nil {
		return Patch{}, err
	}
	return p, nil
}

// ParseTagChange reads {"tags": […]}, which replaces all tags, or {"add": […], "remove": […]}, either of which may
// be absent. The error is [Invalid] with every field at fault.
func ParseTagChange(body []byte) (TagChange, error) {
	members, err := readObject(body)
	if err != nil {
		return TagChange{}, err
	}
	var c TagChange
	var f faults
	for _, m := range members {
		switch m.name {
		case "tags":
			c.Replace, c.Tags = true, asTexts(m, &f)
		case "add":
			c.Add = asTexts(m, &f)
		case "remove":
			c.Remove = asTexts(m, &f)
		default:
			f.add(fieldName(m.name), "is no field of a tag change: use tags, or add and remove")
		}
	}
	if len(members) == 0 {
		f.add("tags", `is missing: send {"tags": […]}, or {"add": […], "remove": […]}`)
	}
	if c.Replace && (c.Add != nil || c.Remove != nil) {
		f.add("tags", replaceOrChange)
	}
	c.rules(&f)
	if err := f.err(); err != nil {
		return TagChange{}, err
	}
	return c, nil
}

const replaceOrChange = "replaces all tags and cannot come with add or remove: send one or the other"

// rules brings the tags of c into the form a task keeps them in.
func (c *TagChange) rules(f *faults) {
	if c.Replace && len(c.Add)+len(c.Remove) > 0 {
		f.add("tags", replaceOrChange)
	}
	c.Tags = cleanTags("tags", c.Tags, f)
	c.Add = cleanTags("add", c.Add, f)
	c.Remove = cleanTags("remove", c.Remove, f)
	for _, tag := range c.Add {
		if hasTag(c.Remove, tag) {
			f.add("add", "holds %q, which remove holds too: keep it in one of them", tag)
		}
	}
}

// readPatch reads the members of a body by the table of fields.
func readPatch(members []value) (Patch, faults) {
	var p Patch
	var f faults
	for _, m := range members {
		switch field := fieldNamed(m.name); {
		case field == nil:
			f.add(fieldName(m.name), "is no field of a task: use %s", writable)
		case field.read == nil:
			f.add(m.name, "is read-only: %s", field.instead)
		default:
			field.read(&p, m, &f)
		}
	}
	p.rules(&f)
	return p, f
}

func readTitle(p *Patch, v value, f *faults) {
	if v.kind == null {
		f.add("title", "cannot be null: a task needs a title of 1 to %d characters", MaxTitle)
	}
	p.Title = To(asText(v, f))
}

func readDescription(p *Patch, v value, f *faults) {
	p.Description = To("")
	if v.kind != null {
		p.Description.Value = asText(v, f)
	}
}

func readPriority(p *Patch, v value, f *faults) {
	p.Priority = To(Medium)
	if v.kind == null {
		return
	}
	if p.Priority.Value = Priority(asText(v, f)); p.Priority.Value == "" {
		f.add("priority", "is empty: use high, medium or low, or null for medium")
	}
}

func readDueDate(p *Patch, v value, f *faults) {
	p.DueDate = To(Due{})
	if v.kind == null {
		return
	}
	s := asText(v, f)
	if f.has("due_date") {
		return
	}
	due, err := ParseDue(s)
	switch {
	case err != nil:
		f.add("due_date", "%s", because(err))
	case due.IsZero():
		f.add("due_date", "is empty: give a date such as 2026-03-31 or 2026-03-31T09:00:00, or null for none")
	}
	p.DueDate.Value = due
}

func readTags(p *Patch, v value, f *faults) {
	p.Tags = To([]string{})
	if v.kind != null {
		p.Tags.Value = asTexts(v, f)
	}
}

func readPattern(p *Patch, v value, f *faults) {
	p.RecurrencePattern = To("")
	if v.kind == null {
		return
	}
	s := asText(v, f)
	if f.has("recurrence_pattern") {
		return
	}
	if s == "" {
		f.add("recurrence_pattern", "is empty: use daily, weekly, monthly, yearly or RRULE:…, or null for none")
	} else if _, err := ParsePattern(s); err != nil {
		f.add("recurrence_pattern", "%s", because(err))
	}
	p.RecurrencePattern.Value = s
}

func readReminders(p *Patch, v value, f *faults) {
	p.ReminderMinutes = To[[]int](nil)
	if v.kind == null {
		return
	}
	if v.kind != array {
		f.add(v.name, "must be an array of integers, not %s", v.kind.what())
		return
	}
	minutes := make([]int, len(v.items))
	for i, item := range v.items {
		n, detail := asInt(item)
		if detail != "" {
			f.add(v.name, "entry %d %s", i+1, detail)
			return
		}
		minutes[i] = n
	}
	p.ReminderMinutes.Value = minutes
}

// asInt returns the integer v is, or what is wrong with it. 30.0 and 3e1 are not taken for integers.
func asInt(v value) (n int, detail string) {
	if v.kind != number {
		return 0, "must be an integer, not " + v.kind.what()
	}
	if strings.ContainsAny(v.text, ".eE") {
		return 0, fmt.Sprintf("is %s: give a whole number without fraction or exponent", shorten(v.text))
	}
	n, err := strconv.Atoi(v.text)
	if err != nil {
		return 0, fmt.Sprintf("is %s, which is out of range", shorten(v.text))
	}
	return n, ""
}

func asText(v value, f *faults) string {
	if v.kind != text {
		f.add(v.name, "must be a string, not %s", v.kind.what())
	}
	return v.text
}

func asTexts(v value, f *faults) []string {
	if v.kind != array {
		f.add(v.name, "must be an array of strings, not %s", v.kind.what())
		return nil
	}
	out := make([]string, len(v.items))
	for i, item := range v.items {
		if item.kind != text {
			f.add(v.name, "entry %d must be a string, not %s", i+1, item.kind.what())
			return nil
		}
		out[i] = item.text
	}
	return out
}
