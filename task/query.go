package task

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// SortKey is a field a list can be sorted by.
type SortKey string

// The sort keys. [ByPriority] ascends from low to high; [ByTitle] compares the titles' code points after case
// folding; [ByDue] compares instants in the list's zone, a date without time being the last moment of its day.
const (
	ByCreated  SortKey = "created_at"
	ByUpdated  SortKey = "updated_at"
	ByDue      SortKey = "due_date"
	ByPriority SortKey = "priority"
	ByTitle    SortKey = "title"
)

// sortKeys gives each sort key its number in an [Index].
var sortKeys = [...]SortKey{ByCreated, ByUpdated, ByDue, ByPriority, ByTitle}

// Limits of a query.
const (
	DefaultLimit = 50
	MaxLimit     = 200
	// MaxSearch is the longest text to search for, in code points.
	MaxSearch = 255
	// maxCursor is above any cursor of ours: a folded title, an id and a few numbers in base64.
	maxCursor = 4096
)

// Query asks for one page of a list. The zero Query is the first page of what is not deleted, oldest first.
type Query struct {
	// Search is looked for as one text, without the white space around it, in titles and in descriptions; upper and
	// lower case are the same (Unicode simple case folding). Empty finds all.
	Search string
	// Priorities and Statuses: any of them. No priority is all three, no status is pending and completed.
	Priorities []Priority
	Statuses   []Status
	// Tags: all of them, without regard to case.
	Tags []string
	// DueBefore finds what is due strictly before an instant, DueAfter strictly after it. A date stands for its whole
	// day: before its first instant, after its last. A task without a due date is found by neither.
	DueBefore, DueAfter Due
	// SortBy is ByCreated if empty. Tasks equal in it are in the order of creation, then of id, all reversed by Desc;
	// those without a due date come last in both directions.
	SortBy SortKey
	Desc   bool
	// Limit is the size of the page, DefaultLimit if zero.
	Limit int
	// Cursor is a [Page.Next] of the same query, empty for the first page.
	Cursor string
}

// ParseQuery reads the parameters of GET /api/tasks: search, priority, tag, status, due_before, due_after, sort_by,
// sort_order, limit and cursor. priority, tag and status may be repeated. Without sort_order, due_date and title
// ascend; created_at, updated_at and priority descend. The error is [Invalid] with every parameter at fault.
func ParseQuery(v url.Values) (Query, error) {
	q := Query{SortBy: ByCreated, Limit: DefaultLimit, Statuses: []Status{Pending, Completed}}
	var f faults
	names := make([]string, 0, len(v))
	for name := range v {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		q.read(name, v[name], &f)
	}
	if !v.Has("sort_order") {
		q.Desc = q.SortBy != ByDue && q.SortBy != ByTitle
	}
	if err := f.err(); err != nil {
		return Query{}, err
	}
	return q, nil
}

// read reads one parameter.
func (q *Query) read(name string, values []string, f *faults) {
	switch name {
	case "priority":
		q.Priorities = oneOf(name, values, []Priority{High, Medium, Low}, f)
	case "status":
		q.Statuses = oneOf(name, values, []Status{Pending, Completed, Deleted}, f)
	case "tag":
		q.Tags = cleanTags(name, values, f)
	case "search", "due_before", "due_after", "sort_by", "sort_order", "limit", "cursor":
		if len(values) != 1 {
			f.add(name, "is given %d times: give it once", len(values))
			return
		}
		q.readOne(name, values[0], f)
	default:
		f.add(fieldName(name), "is no parameter of a list: use search, priority, tag, status, due_before, due_after, sort_by, sort_order, limit or cursor")
	}
}

func (q *Query) readOne(name, s string, f *faults) {
	switch name {
	case "search":
		q.Search = strings.TrimSpace(s)
		checkText(name, q.Search, MaxSearch, "\n\r\t", f)
	case "due_before":
		q.DueBefore = dueBound(name, s, f)
	case "due_after":
		q.DueAfter = dueBound(name, s, f)
	case "sort_by":
		q.SortBy = oneOf(name, []string{s}, sortKeys[:], f)[0]
	case "sort_order":
		q.Desc = oneOf(name, []string{s}, []string{"asc", "desc"}, f)[0] == "desc"
	case "limit":
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || n > MaxLimit || strconv.Itoa(n) != s {
			f.add(name, "is %q: give a whole number from 1 to %d", shorten(s), MaxLimit)
		}
		q.Limit = n
	case "cursor":
		if len(s) > maxCursor {
			f.add(name, "%s", badCursor)
		}
		q.Cursor = s
	}
}

// oneOf returns the values, each of which has to be one of those allowed, without repetitions.
func oneOf[T ~string](name string, values []string, allowed []T, f *faults) []T {
	var out []T
	for _, s := range values {
		if !slices.Contains(allowed, T(s)) {
			f.add(name, "is %q: use %s", shorten(s), alternatives(allowed))
		}
		if !slices.Contains(out, T(s)) {
			out = append(out, T(s))
		}
	}
	return out
}

func alternatives[T ~string](list []T) string {
	s := string(list[0])
	for _, x := range list[1 : len(list)-1] {
		s += ", " + string(x)
	}
	return s + " or " + string(list[len(list)-1])
}

func dueBound(name, s string, f *faults) Due {
	due, err := ParseDue(s)
	if err != nil {
		hint := ""
		if strings.Contains(s, " ") {
			hint = " (in a URL, + is written %2B)"
		}
		f.add(name, "%s%s", because(err), hint)
	} else if due.IsZero() {
		f.add(name, "is empty: leave it out or give a date")
	}
	return due
}

// plan is a query made ready: texts folded, sets as bits, bounds as due keys.
type plan struct {
	needle     string
	tags       []string // folded, sorted
	priorities uint8    // bit = rank
	statuses   uint8    // bit = rank
	after      int64    // due keys strictly between the two
	before     int64
	bounded    bool
	by         int // index in sortKeys
	desc       bool
	limit      int
	hash       uint64
}

// plan makes q ready for a list in x's zone. The error is [Invalid].
func (x *Index) plan(q Query) (plan, error) {
	p := plan{desc: q.Desc, limit: q.Limit, by: slices.Index(sortKeys[:], q.SortBy), statuses: 1<<rankPending | 1<<rankCompleted,
		priorities: 1<<rankLow | 1<<rankMedium | 1<<rankHigh}
	if p.limit == 0 {
		p.limit = DefaultLimit
	}
	if q.SortBy == "" {
		p.by = 0
	}
	if p.by < 0 {
		return p, Invalid{{"sort_by", fmt.Sprintf("is %q: use %s", q.SortBy, alternatives(sortKeys[:]))}}
	}
	if p.limit < 1 {
		return p, Invalid{{"limit", fmt.Sprintf("is %d: give a number from 1 to %d", p.limit, MaxLimit)}}
	}
	p.needle = fold(strings.TrimSpace(q.Search))
	for _, tag := range q.Tags {
		p.tags = append(p.tags, fold(tag))
	}
	slices.Sort(p.tags)
	p.tags = slices.Compact(p.tags)
	if len(q.Statuses) > 0 {
		p.statuses = 0
	}
	for _, s := range q.Statuses {
		p.statuses |= 1 << statusRank(s)
	}
	if len(q.Priorities) > 0 {
		p.priorities = 0
	}
	for _, r := range q.Priorities {
		p.priorities |= 1 << priorityRank(r)
	}
	p.bounded = !q.DueAfter.IsZero() || !q.DueBefore.IsZero()
	p.after, p.before = dueKey(q.DueAfter, x.zone), noDue
	if q.DueAfter.IsZero() {
		p.after = -noDue
	}
	if !q.DueBefore.IsZero() {
		p.before = dueStart(q.DueBefore, x.zone)
	}
	p.hash = p.sum(q.DueAfter, q.DueBefore)
	return p, nil
}
