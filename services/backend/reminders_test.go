package backend

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/docket-tasks/docket/event"
	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/task"
)

// In these tests time is the bubble's: it begins at midnight UTC of 1 January 2000, one o'clock in Berlin, and
// moves only when everything waits.

// floating is a local due date in Berlin, d from now.
func floating(d time.Duration) string {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		panic(err)
	}
	return time.Now().Add(d).In(zone).Format("2006-01-02T15:04:05")
}

func (r *recorder) reminded() []event.Reminder {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]event.Reminder, 0, len(r.reminders))
	for _, e := range r.reminders {
		out = append(out, e)
	}
	return out
}

// pass lets time go by, and everything that is due in it happen.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
	time.Sleep(time.Second) // back-off of a delivery, batching
	synctest.Wait()
}

// A reminder fires at the due date minus each of reminder_minutes, moves with the due date, and is void when the
// task is completed or deleted.
//
// [Task]: T047, T048, T049, T050, T054
func TestReminders(t *testing.T) {
	cases := []struct {
		name   string
		create string
		change func(f *fixture, path string)
		want   []time.Duration // after the start
	}{
		{"default", `{"title":"x","due_date":%q}`, nil, []time.Duration{90 * time.Minute}},
		{"several", `{"title":"x","due_date":%q,"reminder_minutes":[60,0]}`, nil, []time.Duration{time.Hour, 2 * time.Hour}},
		{"none", `{"title":"x","due_date":%q,"reminder_minutes":[]}`, nil, nil},
		{"moved", `{"title":"x","due_date":%q}`, func(f *fixture, path string) {
			f.me.must("PATCH", path, fmt.Sprintf(`{"due_date":%q}`, floating(4*time.Hour)))
		}, []time.Duration{210 * time.Minute}},
		{"other minutes", `{"title":"x","due_date":%q}`, func(f *fixture, path string) {
			f.me.must("PATCH", path, `{"reminder_minutes":[10]}`)
		}, []time.Duration{110 * time.Minute}},
		{"title changed", `{"title":"x","due_date":%q}`, func(f *fixture, path string) {
			f.me.must("PATCH", path, `{"title":"y"}`)
		}, []time.Duration{90 * time.Minute}},
		{"completed", `{"title":"x","due_date":%q}`, func(f *fixture, path string) { f.me.must("POST", path+"/complete", "") }, nil},
		{"deleted", `{"title":"x","due_date":%q}`, func(f *fixture, path string) { f.me.must("DELETE", path, "") }, nil},
		{"due date taken away", `{"title":"x","due_date":%q}`, func(f *fixture, path string) { f.me.must("PATCH", path, `{"due_date":null}`) }, nil},
		{"completed and reopened", `{"title":"x","due_date":%q}`, func(f *fixture, path string) {
			f.me.must("POST", path+"/complete", "")
			f.me.must("POST", path+"/reopen", "")
		}, []time.Duration{90 * time.Minute}},
		{"deleted and restored when its moment has passed", `{"title":"x","due_date":%q}`, func(f *fixture, path string) {
			f.me.must("DELETE", path, "")
			pass(100 * time.Minute)
			f.me.must("POST", path+"/restore", "")
		}, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := start(t)
				began := time.Now()
				made := f.me.must("POST", "/api/tasks", fmt.Sprintf(c.create, floating(2*time.Hour)))
				if c.change != nil {
					c.change(f, "/api/tasks/"+made.ID)
				}
				pass(5 * time.Hour)
				got := map[time.Duration]bool{}
				for _, r := range f.sent.reminded() {
					got[r.ScheduledTime.Sub(began)] = true
					if late := r.Timestamp.Sub(r.ScheduledTime); late < 0 {
						t.Errorf("the reminder for %s came %s early", r.ScheduledTime, -late)
					}
				}
				if len(got) != len(c.want) {
					t.Errorf("reminded at %v, want %v", got, c.want)
				}
				for _, w := range c.want {
					if !got[w] {
						t.Errorf("no reminder at %s: %v", w, got)
					}
				}
			})
		})
	}
}

// A due date whose moments have passed sends one reminder at once, which says overdue only if it is.
func TestDueDateWhoseMomentsHavePassed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t)
		f.me.must("POST", "/api/tasks", fmt.Sprintf(`{"title":"soon","due_date":%q,"reminder_minutes":[60,30]}`, floating(10*time.Minute)))
		f.me.must("POST", "/api/tasks", fmt.Sprintf(`{"title":"late","due_date":%q,"reminder_minutes":[60,30]}`, floating(-10*time.Minute)))
		pass(time.Second)
		got := map[string]bool{}
		for _, r := range f.sent.reminded() {
			got[r.Message] = true
		}
		if len(f.sent.reminded()) != 2 || !got["soon (due 1 January 2000, 01:10)"] || !got["late (overdue: was due 1 January 2000, 00:50)"] {
			t.Errorf("reminded: %v", got)
		}
		pass(time.Hour)
		if n := len(f.sent.reminded()); n != 2 {
			t.Errorf("%d reminders in all", n)
		}
	})
}

// The reminder of a due date that has passed also comes where the next change of the task is in the same commit.
func TestRemindedThoughChangedInTheSameCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t)
		made := f.me.must("POST", "/api/tasks", `{"title":"x","reminder_minutes":[0]}`)
		body := fmt.Sprintf(`{"changes":[{"op":"update","id":%q,"body":{"due_date":%q}},{"op":"update","id":%q,"body":{"priority":"high"}}]}`,
			made.ID, floating(-10*time.Minute), made.ID)
		if w := f.me.do("POST", "/api/tasks/batch", body); w.Code != http.StatusOK {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		pass(time.Second)
		if n := len(f.sent.reminded()); n != 1 {
			t.Errorf("%d reminders", n)
		}
	})
}

// Date-only and floating due dates follow the user to another zone; a zoned one stays.
func TestRemindersFollowTheZone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t)
		began := time.Now()
		f.me.must("POST", "/api/tasks", `{"title":"floating","due_date":"2000-01-01T12:00:00","reminder_minutes":[0]}`)
		f.me.must("POST", "/api/tasks", `{"title":"zoned","due_date":"2000-01-01T12:00:00+01:00","reminder_minutes":[0]}`)
		f.me.must("POST", "/api/tasks", `{"title":"early","due_date":"2000-01-01T02:00:00","reminder_minutes":[0]}`)
		pass(2 * time.Hour) // "early" has been sent in Berlin
		if w := f.me.do("PATCH", "/api/me", `{"time_zone":"Asia/Tokyo"}`); w.Code != http.StatusOK {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		pass(20 * time.Hour)
		got := map[string][]time.Duration{}
		for _, r := range f.sent.reminded() {
			got[r.Message] = append(got[r.Message], r.ScheduledTime.Sub(began))
		}
		for message, at := range map[string]time.Duration{
			"floating (due 1 January 2000, 12:00)": 3 * time.Hour, // noon in Tokyo
			"zoned (due 1 January 2000, 20:00)":    11 * time.Hour,
			"early (due 1 January 2000, 02:00)":    time.Hour,
		} {
			if len(got[message]) != 1 || got[message][0] != at {
				t.Errorf("%s: %v, want %s; all: %v", message, got[message], at, got)
			}
		}
	})
}

// A change of a task that was under way when its owner moved to another zone reminds in the new one.
func TestChangeUnderWayWhenTheZoneChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t)
		began := time.Now()
		d, err := task.ParseDraft([]byte(`{"title":"x","due_date":"2000-01-01T12:00:00","reminder_minutes":[0]}`))
		if err != nil {
			t.Fatal(err)
		}
		state := f.node.Host(Name).State
		w := f.replica(scattered{commit: func(tx host.Tx) error {
			if w := f.me.do("PATCH", "/api/me", `{"time_zone":"Asia/Tokyo"}`); w.Code != http.StatusOK {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			pass(time.Second) // the tasks that are there are moved
			return state.Commit(t.Context(), tx)
		}})
		wish := create(f.me.user, "01900000-0000-7000-8000-000000000000", d, "", somebody)
		if _, _, err := w.do(t.Context(), f.me.user, wish.needs, wish.apply); err != nil {
			t.Fatal(err)
		}
		pass(20 * time.Hour)
		if got := f.sent.reminded(); len(got) != 1 || got[0].ScheduledTime.Sub(began) != 3*time.Hour {
			t.Errorf("reminded %+v, want once, at noon in Tokyo", got)
		}
	})
}

// A task made in the new zone, whose moment has passed there and not in the old one, reminds once.
func TestRemindedOnceAfterTheZoneChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t)
		if w := f.me.do("PATCH", "/api/me", `{"time_zone":"Asia/Tokyo"}`); w.Code != http.StatusOK {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		pass(time.Second)
		f.me.must("POST", "/api/tasks", `{"title":"x","due_date":"2000-01-01T05:00:00","reminder_minutes":[0]}`)
		pass(20 * time.Hour)
		if got := f.sent.reminded(); len(got) != 1 {
			t.Errorf("reminded %d times: %+v", len(got), got)
		}
	})
}

// Other minutes, or completing and reopening, right after a due date was set that has passed do not lose its one
// reminder; setting it to and fro does not double it.
func TestPassedDueDateRemindsOnceWhateverFollows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, past := start(t), floating(-48*time.Hour)
		due := func(id string, date string) string {
			return fmt.Sprintf(`{"op":"update","id":%q,"body":{"due_date":%s}}`, id, date)
		}
		first, second, third, none := f.me.must("POST", "/api/tasks", `{"title":"minutes"}`), f.me.must("POST", "/api/tasks", `{"title":"reopened"}`),
			f.me.must("POST", "/api/tasks", `{"title":"to and fro"}`), f.me.must("POST", "/api/tasks", `{"title":"none"}`)
		date := fmt.Sprintf("%q", past)
		changes := []string{due(first.ID, date), fmt.Sprintf(`{"op":"update","id":%q,"body":{"reminder_minutes":[5]}}`, first.ID),
			due(second.ID, date), fmt.Sprintf(`{"op":"complete","id":%q}`, second.ID), fmt.Sprintf(`{"op":"reopen","id":%q}`, second.ID),
			due(third.ID, date), due(third.ID, "null"), due(third.ID, date),
			due(none.ID, date), fmt.Sprintf(`{"op":"update","id":%q,"body":{"reminder_minutes":[]}}`, none.ID)}
		if w := f.me.do("POST", "/api/tasks/batch", `{"changes":[`+strings.Join(changes, ",")+`]}`); w.Code != http.StatusOK {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		pass(time.Minute)
		got := map[string]int{}
		for _, r := range f.sent.reminded() {
			got[r.TaskID]++
		}
		if len(got) != 3 || got[first.ID] != 1 || got[second.ID] != 1 || got[third.ID] != 1 {
			t.Errorf("reminded %v", got)
		}
	})
}

// A reminder names the day that a date-only task is due, also where clocks change on it.
func TestMessageNamesTheDay(t *testing.T) {
	for zone, day := range map[string]string{"Europe/Berlin": "2026-03-29", "Asia/Tokyo": "2026-10-25", "Africa/Cairo": "2026-04-23", "America/New_York": "2026-11-01"} {
		loc, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		due, err := task.ParseDue(day)
		if err != nil {
			t.Fatal(err)
		}
		want, _ := time.Parse(time.DateOnly, day)
		if got := message(&task.Task{Title: "x", DueDate: due}, loc, time.Time{}); got != "x (due "+want.Format("2 January 2006")+")" {
			t.Errorf("%s in %s: %s", day, zone, got)
		}
	}
}

// What became of each reminder can be read.
//
// [Task]: T016
func TestListReminders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t)
		made := f.me.must("POST", "/api/tasks", fmt.Sprintf(`{"title":"x","due_date":%q,"reminder_minutes":[60,0]}`, floating(2*time.Hour)))
		statuses := func() string {
			var list []Reminder
			if err := json.Unmarshal(f.me.do("GET", "/api/tasks/"+made.ID+"/reminders", "").Body.Bytes(), &list); err != nil {
				t.Fatal(err)
			}
			var out string
			for _, r := range list {
				out += r.Status + " "
				if !r.CreatedAt.Equal(made.CreatedAt.Time) {
					t.Errorf("created at %s, want %s", r.CreatedAt, made.CreatedAt)
				}
			}
			return out
		}
		if got := statuses(); got != "pending pending " {
			t.Errorf("at first: %s", got)
		}
		pass(61 * time.Minute)
		f.me.must("PATCH", "/api/tasks/"+made.ID, `{"title":"y"}`) // which does not make them anew
		if got := statuses(); got != "sent pending " {
			t.Errorf("after the first: %s", got)
		}
		f.me.must("POST", "/api/tasks/"+made.ID+"/complete", "")
		if got := statuses(); got != "sent cancelled " {
			t.Errorf("when completed: %s", got)
		}
		made = f.me.must("POST", "/api/tasks", `{"title":"x"}`)
		f.me.must("POST", "/api/tasks/"+made.ID+"/complete", "")
		f.me.must("PATCH", "/api/tasks/"+made.ID, fmt.Sprintf(`{"due_date":%q}`, floating(2*time.Hour)))
		if got := statuses(); got != "cancelled " {
			t.Errorf("of a due date set when completed: %s", got)
		}
	})
}

// The callback route does what the host's own delivery does, once however often it is called.
//
// [Task]: T048
func TestJobTrigger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t)
		due := time.Now().Add(2 * time.Hour)
		made := f.me.must("POST", "/api/tasks", fmt.Sprintf(`{"title":"x","due_date":%q}`, due.Format(time.RFC3339)))
		at := due.Add(-30 * time.Minute)
		job := map[string]any{"name": reminderJobName(made.ID, 1, 30), "data": reminderJob{Task: made.ID, List: f.me.user, At: at, Minutes: 30}}
		for range 3 {
			if w := f.runtime("POST", "/api/jobs/trigger", job); w.Code != http.StatusNoContent {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
		}
		pass(3 * time.Hour)
		if n := len(f.sent.reminded()); n != 1 {
			t.Errorf("%d reminders", n)
		}
		if w := f.runtime("POST", "/api/jobs/trigger", map[string]any{"name": "unheard-of", "data": 1}); w.Code != http.StatusBadRequest {
			t.Errorf("unknown job: %d %s", w.Code, w.Body)
		}
	})
}

// contested is a state whose commits all meet a conflict, as those of a replica do that slept for so long that another took it for dead.
type contested struct{ host.State }

func (contested) Commit(context.Context, host.Tx) error { return host.ErrConflict }

// A conflict does not say that a reminder was sent: the job is not done, and comes again.
func TestAConflictAloneIsNoReminder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t)
		due := time.Now().Add(2 * time.Hour)
		made := f.me.must("POST", "/api/tasks", fmt.Sprintf(`{"title":"x","due_date":%q}`, due.Format(time.RFC3339)))
		h := f.node.Host(Name)
		h.State = contested{h.State}
		other := New(t.Context(), Config{Logger: f.log}, h)
		defer other.Drain(t.Context())
		data, err := json.Marshal(reminderJob{Task: made.ID, List: f.me.user, At: due.Add(-30 * time.Minute), Minutes: 30})
		if err != nil {
			t.Fatal(err)
		}
		job := host.Job{Name: reminderJobName(made.ID, 1, 30), Data: data}
		if err := other.Job(t.Context(), job); !errors.Is(err, host.ErrConflict) {
			t.Errorf("a job whose commit met a conflict: %v", err)
		}
		pass(3 * time.Hour)
		if n := len(f.sent.reminded()); n != 1 {
			t.Errorf("%d reminders", n)
		}
		if err := other.Job(t.Context(), job); err != nil { // now there is one
			t.Errorf("a job that is repeated: %v", err)
		}
	})
}

// A task deleted 30 days ago is gone for good; its id is never used again.
func TestPurge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t)
		made := f.me.must("POST", "/api/tasks", `{"title":"x"}`, "Idempotency-Key", "k")
		kept := f.me.must("POST", "/api/tasks", `{"title":"y"}`)
		f.me.must("DELETE", "/api/tasks/"+made.ID, "")
		all, header := f.me.list("?status=deleted")
		if len(all) != 1 {
			t.Errorf("deleted: %v", all)
		}
		pass(task.RestoreWindow + 2*time.Hour)
		if w := f.me.do("GET", "/api/tasks?status=deleted", "", "If-None-Match", header.Get("ETag")); w.Code != http.StatusOK {
			t.Errorf("the page of deleted tasks is not the same any more: %d", w.Code)
		}
		if w := f.me.do("POST", "/api/tasks/"+made.ID+"/restore", ""); w.Code != http.StatusGone {
			t.Errorf("restore: %d %s", w.Code, w.Body)
		}
		f.me.must("DELETE", "/api/tasks/"+made.ID, "") // as it was before
		if w := f.me.do("POST", "/api/tasks", `{"title":"x"}`, "Idempotency-Key", "k"); w.Code != http.StatusGone {
			t.Errorf("create again: %d %s", w.Code, w.Body)
		}
		if all, _ := f.me.list("?status=deleted&status=pending"); len(all) != 1 || all[0].ID != kept.ID {
			t.Errorf("left: %v", all)
		}
	})
}

// A reminder that was put off is listed before it comes, and after; asking for the same moment again adds none.
func TestSnoozedRemindersAreListed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t)
		made := f.me.must("POST", "/api/tasks", `{"title":"x"}`)
		at := time.Now().Add(10 * time.Minute).UTC()
		later := at.Add(time.Hour)
		for _, when := range []time.Time{at, at, later} {
			wish := map[string]any{"task_id": made.ID, "user_id": f.me.user, "at": when}
			if w := f.runtime("POST", "/internal/reminders", wish); w.Code != http.StatusAccepted {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
		}
		want := func(status ...string) {
			t.Helper()
			got := f.reminders(made.ID)
			if len(got) != 2 || !got[0].Snoozed || !got[0].ScheduledTime.Equal(at) || got[0].Status != status[0] || got[1].Status != status[1] {
				t.Errorf("reminders %+v, want %v", got, status)
			}
		}
		want("pending", "pending")
		pass(20 * time.Minute)
		want("sent", "pending")
		if ids := f.sent.reminded(); len(ids) != 1 || ids[0].ReminderID != f.reminders(made.ID)[0].ReminderID {
			t.Errorf("sent %+v", ids)
		}
		f.me.must("POST", "/api/tasks/"+made.ID+"/complete", "")
		want("sent", "cancelled")
	})
}

// A reminder whose job is late is still pending; one whose moment had passed when it was set never was.
func TestLateRemindersArePending(t *testing.T) {
	f := start(t)
	made := f.me.must("POST", "/api/tasks", fmt.Sprintf(`{"title":"x","due_date":%q,"reminder_minutes":[30,180]}`, floating(2*time.Hour)))
	hoursLater := &Service{state: f.node.Host(Name).State, now: func() time.Time { return time.Now().Add(5 * time.Hour) }}
	r, err := hoursLater.record(t.Context(), made.ID)
	if err != nil {
		t.Fatal(err)
	}
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	got, err := hoursLater.remindersOf(t.Context(), r, berlin)
	if err != nil || len(got) < 2 || got[0].Status != "cancelled" || got[1].Status != "pending" {
		t.Errorf("%+v, %v", got, err)
	}
}

// reminders lists those of a task.
func (f *fixture) reminders(id string) (out []Reminder) {
	f.t.Helper()
	w := f.me.do("GET", "/api/tasks/"+id+"/reminders", "")
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
		f.t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	return out
}
