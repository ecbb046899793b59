package filter

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// A bound that moves with the day is the date of that day, and any other is left to the rules of the list.
//
// [Task]: T063
func TestRelativeBounds(t *testing.T) {
	today := time.Date(2026, 2, 27, 0, 0, 0, 0, time.UTC)
	for bound, want := range map[string]string{
		"today": "2026-02-27", "today+2": "2026-03-01", "today-27": "2026-01-31", "today+0": "2026-02-27", "today+3660": "2036-03-06",
		"today+3661": "today+3661", "today+": "today+", "Today": "Today", "2026-01-01T09:00:00": "2026-01-01T09:00:00", "": "",
	} {
		if got := onDay(bound, today); got != want {
			t.Errorf("%q is %q, want %q", bound, got, want)
		}
	}
}

// Every parameter of the list that a filter can hold reaches the list's own check.
func TestEveryMemberIsChecked(t *testing.T) {
	bad := "\x00"
	faults := FilterQuery{Search: bad, Priority: []string{bad}, Tag: []string{bad}, Status: []string{bad}, DueBefore: bad, DueAfter: bad, SortBy: bad, SortOrder: bad}.check()
	for _, field := range []string{"search", "priority", "tag", "status", "due_before", "due_after", "sort_by", "sort_order"} {
		if !strings.Contains(fmt.Sprint(faults), "query."+field) {
			t.Errorf("nothing is wrong with %s: %v", field, faults)
		}
	}
	if faults := (FilterQuery{}).check(); faults != nil {
		t.Errorf("the query for everything: %v", faults)
	}
}
