// Package filter keeps users' saved filters: queries of the task list that have a name, in an order of the user's own.
//
// All filters of a user are one document at filters/<user>, whose version grows by one at each change. So a change of
// any of them is one commit against that version, the order is part of the document, and a client knows by one number
// whether it has the newest.
//
// [Task]: T057, T062
package filter

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/task"
)

// Limits.
const (
	// Max is how many filters a user may have.
	Max = 100
	// MaxName is the longest name, in code points.
	MaxName = 50
	// maxDays is how far from today a relative bound may lie.
	maxDays = 3660
)

// Filter is one saved filter.
type Filter struct {
	ID        string      `json:"id" format:"uuid"`
	Name      string      `json:"name" minLength:"1" maxLength:"50"`
	Query     FilterQuery `json:"query"`
	CreatedAt task.Time   `json:"created_at" format:"date-time"`
	UpdatedAt task.Time   `json:"updated_at" format:"date-time"`
}

// FilterQuery is what a filter asks for: parameters of GET /api/tasks, and of its due dates also ones that move with the day.
type FilterQuery struct {
	Search    string   `json:"search,omitempty" maxLength:"255"`
	Priority  []string `json:"priority,omitempty" maxItems:"3" doc:"Any of these: high, medium, low"`
	Tag       []string `json:"tag,omitempty" maxItems:"20" doc:"All of these"`
	Status    []string `json:"status,omitempty" maxItems:"3" doc:"Any of these: pending, completed, deleted"`
	DueBefore string   `json:"due_before,omitempty" doc:"As GET /api/tasks takes it, or today, today+7, today-1: days from the day on which the client asks, which puts the date in its place" example:"today+7"`
	DueAfter  string   `json:"due_after,omitempty" doc:"Likewise" example:"today-1"`
	SortBy    string   `json:"sort_by,omitempty" doc:"created_at, updated_at, due_date, priority or title"`
	SortOrder string   `json:"sort_order,omitempty" doc:"asc or desc"`
}

// values are the parameters of GET /api/tasks that the query stands for on a day.
func (q FilterQuery) values(today time.Time) url.Values {
	v := url.Values{}
	for name, list := range map[string][]string{"priority": q.Priority, "tag": q.Tag, "status": q.Status} {
		if len(list) > 0 {
			v[name] = list
		}
	}
	for name, text := range map[string]string{"search": q.Search, "sort_by": q.SortBy, "sort_order": q.SortOrder,
		"due_before": onDay(q.DueBefore, today), "due_after": onDay(q.DueAfter, today)} {
		if text != "" {
			v.Set(name, text)
		}
	}
	return v
}

var relative = regexp.MustCompile(`^today([+-][0-9]{1,4})?$`)

// onDay puts a date in place of a bound that is relative to today; any other stays as it is.
func onDay(bound string, today time.Time) string {
	m := relative.FindStringSubmatch(bound)
	if m == nil {
		return bound
	}
	days, err := strconv.Atoi("0" + strings.TrimLeft(m[1], "+-"))
	if err != nil || days > maxDays {
		return bound
	}
	if strings.HasPrefix(m[1], "-") {
		days = -days
	}
	return today.AddDate(0, 0, days).Format(time.DateOnly)
}

// anyDay is one on which all relative bounds are dates that a task may have.
var anyDay = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// check lists what is wrong with a query, by the rules of the list itself.
func (q FilterQuery) check() []edge.FieldError {
	_, err := task.ParseQuery(q.values(anyDay))
	faults, _ := errors.AsType[task.Invalid](err)
	var out []edge.FieldError
	for _, f := range faults {
		out = append(out, edge.FieldError{Field: "query." + f.Field, Detail: f.Detail})
	}
	return out
}

// checkName lists what is wrong with a name.
func checkName(name string) []edge.FieldError {
	fault := func(format string, args ...any) []edge.FieldError {
		return []edge.FieldError{{Field: "name", Detail: fmt.Sprintf(format, args...)}}
	}
	switch n := utf8.RuneCountInString(name); {
	case n < 1 || n > MaxName:
		return fault("must have 1 to %d characters", MaxName)
	case strings.TrimSpace(name) != name:
		return fault("must not begin or end with white space")
	case strings.ContainsFunc(name, unicode.IsControl):
		return fault("must not contain control characters")
	}
	return nil
}
