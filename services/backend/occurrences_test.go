package backend

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/docket-tasks/docket/event"
	"github.com/docket-tasks/docket/task"
)

// continueSeries asks for the occurrence after a completed task, as recurring-task does.
func (f *fixture) continueSeries(done task.Task) string {
	f.t.Helper()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		f.t.Fatal(err)
	}
	next, ok, err := task.Next(done, zone)
	if err != nil || !ok {
		f.t.Fatalf("next occurrence: %v %v", ok, err)
	}
	w := f.runtime("POST", "/internal/occurrences", occurrenceRequest{CompletedID: done.ID, CompletedVersion: done.Version, Occurrence: next})
	var a occurrenceAnswer
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil || w.Code != http.StatusOK {
		f.t.Fatalf("%d %s", w.Code, w.Body)
	}
	return a.Outcome
}

// successor reads the occurrence that follows, and its status code.
func (f *fixture) successor(id string) (task.Task, int) {
	f.t.Helper()
	w := f.me.do("GET", "/api/tasks/"+event.SuccessorID(id), "")
	if w.Code != http.StatusOK {
		return task.Task{}, w.Code
	}
	t, err := task.Decode(w.Body.Bytes())
	if err != nil {
		f.t.Fatal(err)
	}
	return t, w.Code
}

const daily = `{"title":"water plants","due_date":"2030-05-01","recurrence_pattern":"daily","tags":["home"],"priority":"high"}`

// A completion continues the series once, however often it is asked for.
//
// [Task]: T041, T042
func TestSeriesContinuesOnce(t *testing.T) {
	f := start(t)
	first := f.me.must("POST", "/api/tasks", daily)
	done := f.me.must("POST", "/api/tasks/"+first.ID+"/complete", "")
	for i, want := range []string{"created", "exists", "exists"} {
		if got := f.continueSeries(done); got != want {
			t.Errorf("request %d: %s, want %s", i, got, want)
		}
	}
	next, _ := f.successor(first.ID)
	if next.DueDate.String() != "2030-05-02" || next.Title != first.Title || next.Priority != task.High || len(next.Tags) != 1 ||
		*next.RecurrenceParentID != first.ID || *next.OccurrenceNumber != 2 || next.Version != 1 {
		t.Errorf("the next occurrence: %+v", next)
	}
	if all, _ := f.me.list("?status=pending"); len(all) != 1 {
		t.Errorf("%d pending tasks", len(all))
	}
}

// Editing or deleting the completed task does not end the series: its completion is still in force.
func TestSeriesContinuesAfterAnEdit(t *testing.T) {
	f := start(t)
	first := f.me.must("POST", "/api/tasks", daily)
	done := f.me.must("POST", "/api/tasks/"+first.ID+"/complete", "")
	f.me.must("PATCH", "/api/tasks/"+first.ID, `{"description":"done well"}`)
	f.me.must("DELETE", "/api/tasks/"+first.ID, "")
	if got := f.continueSeries(done); got != "created" {
		t.Errorf("outcome %s", got)
	}
}

// A completion that was taken back continues nothing; another one does.
func TestReopenedBeforeTheSeriesContinued(t *testing.T) {
	f := start(t)
	first := f.me.must("POST", "/api/tasks", daily)
	done := f.me.must("POST", "/api/tasks/"+first.ID+"/complete", "")
	f.me.must("POST", "/api/tasks/"+first.ID+"/reopen", "")
	if got := f.continueSeries(done); got != "superseded" {
		t.Errorf("outcome %s", got)
	}
	again := f.me.must("POST", "/api/tasks/"+first.ID+"/complete", "")
	if got := f.continueSeries(done); got != "superseded" {
		t.Errorf("outcome for the first completion: %s", got)
	}
	if got := f.continueSeries(again); got != "created" {
		t.Errorf("outcome for the second: %s", got)
	}
}

// Reopening removes a successor that nobody changed; completing again brings it back.
func TestReopenWithdrawsTheSuccessor(t *testing.T) {
	f := start(t)
	first := f.me.must("POST", "/api/tasks", daily)
	path := "/api/tasks/" + first.ID
	f.continueSeries(f.me.must("POST", path+"/complete", ""))
	f.me.must("POST", path+"/reopen", "")
	if next, _ := f.successor(first.ID); next.Status != task.Deleted {
		t.Errorf("after reopening: %+v", next)
	}
	if got := f.continueSeries(f.me.must("POST", path+"/complete", "")); got != "created" {
		t.Errorf("completed again: %s", got)
	}
	next, _ := f.successor(first.ID)
	if next.Status != task.Pending || next.Version != 3 || next.DueDate.String() != "2030-05-02" {
		t.Errorf("brought back: %+v", next)
	}
	f.me.must("POST", path+"/reopen", "") // still unchanged by anybody
	if next, _ := f.successor(first.ID); next.Status != task.Deleted {
		t.Errorf("after reopening again: %+v", next)
	}
}

// A completion continues the series also where it was taken back so long ago that what is deleted is gone for good.
func TestBroughtBackAfterMonths(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t)
		first := f.me.must("POST", "/api/tasks", daily)
		path := "/api/tasks/" + first.ID
		f.continueSeries(f.me.must("POST", path+"/complete", ""))
		f.me.must("POST", path+"/reopen", "")
		pass(3 * task.RestoreWindow)
		if got := f.continueSeries(f.me.must("POST", path+"/complete", "")); got != "created" {
			t.Errorf("completed again: %s", got)
		}
		if next, code := f.successor(first.ID); next.Status != task.Pending {
			t.Errorf("the successor: %d %+v", code, next)
		}
	})
}

// A successor that comes back after the completed task was changed is what that one is now, and its history tells how
// it came to be so.
func TestBroughtBackAsTheTaskIsNow(t *testing.T) {
	f := start(t)
	first := f.me.must("POST", "/api/tasks", daily)
	path := "/api/tasks/" + first.ID
	f.continueSeries(f.me.must("POST", path+"/complete", ""))
	f.me.must("POST", path+"/reopen", "")
	f.me.must("PATCH", path, `{"title":"water all plants","tags":["garden"]}`)
	if got := f.continueSeries(f.me.must("POST", path+"/complete", "")); got != "created" {
		t.Errorf("completed again: %s", got)
	}
	next, _ := f.successor(first.ID)
	if next.Status != task.Pending || next.Title != "water all plants" || len(next.Tags) != 1 || next.Tags[0] != "garden" || next.Version != 4 {
		t.Errorf("brought back: %+v", next)
	}
	f.sent.wait(t, "the events of both tasks", func() bool { return len(f.sent.events) == 9 })
	f.sent.mu.Lock()
	defer f.sent.mu.Unlock()
	events := slices.SortedFunc(maps.Values(f.sent.events), func(a, b event.TaskEvent) int { return int(a.ListVersion - b.ListVersion) })
	if h := event.Replay(slices.Values(events)); len(h.Problems) > 0 {
		t.Errorf("the history: %v", h.Problems)
	}
	f.me.must("POST", path+"/reopen", "") // still unchanged by anybody
	if next, _ := f.successor(first.ID); next.Status != task.Deleted {
		t.Errorf("after reopening again: %+v", next)
	}
}

// A successor that somebody changed, or deleted, is theirs: reopening leaves it. Completing again brings back one that is
// deleted.
func TestReopenLeavesAChangedSuccessor(t *testing.T) {
	f := start(t)
	first := f.me.must("POST", "/api/tasks", daily)
	path := "/api/tasks/" + first.ID
	f.continueSeries(f.me.must("POST", path+"/complete", ""))
	nextPath := "/api/tasks/" + event.SuccessorID(first.ID)
	f.me.must("PATCH", nextPath, `{"title":"water all plants"}`)
	f.me.must("POST", path+"/reopen", "")
	if next, _ := f.successor(first.ID); next.Status != task.Pending {
		t.Errorf("a changed successor: %+v", next)
	}
	f.me.must("DELETE", nextPath, "")
	if got := f.continueSeries(f.me.must("POST", path+"/complete", "")); got != "created" {
		t.Errorf("after the pending occurrence was deleted: %s", got)
	}
	if next, _ := f.successor(first.ID); next.Status != task.Pending || next.Title != first.Title {
		t.Errorf("a deleted successor came back as %+v", next)
	}
}

// again completes the task once more.
func (f *fixture) again(id string) task.Task {
	f.t.Helper()
	f.me.must("POST", "/api/tasks/"+id+"/reopen", "")
	return f.me.must("POST", "/api/tasks/"+id+"/complete", "")
}

// outcomes asks for the occurrence after a completion once for each answer wanted.
func (f *fixture) outcomes(done task.Task, want ...string) {
	f.t.Helper()
	for i, want := range want {
		if got := f.continueSeries(done); got != want {
			f.t.Errorf("request %d for version %d: %s, want %s", i, done.Version, got, want)
		}
	}
}

// pendingOnes demands that these tasks of mine are pending, and no others.
func (f *fixture) pendingOnes(want ...string) {
	f.t.Helper()
	var got []string
	all, _ := f.me.list("?status=pending")
	for _, p := range all {
		got = append(got, p.ID)
	}
	if !slices.Equal(got, want) {
		f.t.Errorf("pending: %v, want %v", got, want)
	}
}

// A completion brings back the occurrence of an earlier one that was deleted before, and does so once: there never is another
// in its place, also where it is restored by hand.
func TestDeletedSuccessorComesBack(t *testing.T) {
	f := start(t)
	first := f.me.must("POST", "/api/tasks", daily)
	next := event.SuccessorID(first.ID)
	one := f.me.must("POST", "/api/tasks/"+first.ID+"/complete", "")
	f.outcomes(one, "created")
	f.me.must("DELETE", "/api/tasks/"+next, "")
	f.outcomes(one, "exists") // deleted, but of this completion
	f.pendingOnes()

	two := f.again(first.ID)
	f.outcomes(one, "superseded")
	f.outcomes(two, "created", "exists")
	f.pendingOnes(next)
	f.me.must("DELETE", "/api/tasks/"+next, "")
	f.outcomes(two, "exists")
	f.pendingOnes()

	three := f.again(first.ID)
	f.me.must("POST", "/api/tasks/"+next+"/restore", "") // before the series is continued
	f.outcomes(three, "exists")
	f.me.must("DELETE", "/api/tasks/"+next, "")
	f.outcomes(three, "exists")
	f.pendingOnes()

	f.me.must("POST", "/api/tasks/"+first.ID+"/reopen", "")
	f.pendingOnes(first.ID)
	four := f.me.must("POST", "/api/tasks/"+first.ID+"/complete", "")
	f.me.must("POST", "/api/tasks/"+first.ID+"/reopen", "") // before the series is continued
	f.outcomes(four, "superseded")
	f.pendingOnes(first.ID)
	five := f.me.must("POST", "/api/tasks/"+first.ID+"/complete", "")
	f.outcomes(five, "created", "exists")
	f.pendingOnes(next)
}

// A completion makes an occurrence of its own where that of an earlier one was deleted for good, and makes it once.
func TestSeriesContinuesAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t)
		first := f.me.must("POST", "/api/tasks", daily)
		one := f.me.must("POST", "/api/tasks/"+first.ID+"/complete", "")
		f.outcomes(one, "created")
		f.me.must("DELETE", "/api/tasks/"+event.SuccessorID(first.ID), "")
		pass(task.RestoreWindow + 2*time.Hour)
		f.outcomes(one, "exists") // deleted, but of this completion
		f.pendingOnes()

		two := f.again(first.ID)
		anew := event.LaterSuccessorID(first.ID, two.Version)
		f.outcomes(one, "superseded")
		f.outcomes(two, "created", "exists")
		f.pendingOnes(anew)

		three := f.again(first.ID) // withdraws it
		f.pendingOnes()
		f.outcomes(three, "created", "exists")
		f.pendingOnes(anew)

		f.me.must("PATCH", "/api/tasks/"+anew, `{"title":"mine"}`)
		f.outcomes(f.again(first.ID), "exists") // leaves it
		f.me.must("DELETE", "/api/tasks/"+anew, "")
		four := f.again(first.ID)
		pass(task.RestoreWindow + 2*time.Hour) // it stays to be brought back, however late the event comes
		f.outcomes(four, "created", "exists")
		f.outcomes(two, "superseded")
		f.pendingOnes(anew)
	})
}

// A successor that was completed goes on by what follows it, also when it is deleted afterwards, even for good; in a series
// of another rule it does not.
func TestCompletedSuccessor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t)
		first := f.me.must("POST", "/api/tasks", daily)
		path, next := "/api/tasks/"+first.ID, "/api/tasks/"+event.SuccessorID(first.ID)
		f.continueSeries(f.me.must("POST", path+"/complete", ""))
		f.continueSeries(f.me.must("POST", next+"/complete", ""))
		again := func(want string) task.Task {
			t.Helper()
			done := f.me.must("POST", path+"/complete", "")
			if got := f.continueSeries(done); got != want {
				t.Errorf("completed again: %s, want %s", got, want)
			}
			return done
		}
		f.me.must("POST", path+"/reopen", "")
		again("exists")
		f.me.must("POST", path+"/reopen", "")
		f.me.must("PATCH", path, `{"recurrence_pattern":"weekly"}`)
		anew := "/api/tasks/" + event.LaterSuccessorID(first.ID, again("created").Version)
		if got := f.me.must("POST", anew+"/complete", ""); *got.RecurrencePattern != "weekly" {
			t.Errorf("made anew: %+v", got)
		}
		f.me.must("DELETE", anew, "")
		f.me.must("POST", path+"/reopen", "")
		again("exists")
		pass(task.RestoreWindow + 2*time.Hour)
		f.me.must("POST", path+"/reopen", "")
		again("exists")
	})
}
