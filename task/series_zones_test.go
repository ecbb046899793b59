package task

import (
	_ "embed"
	"hash/fnv"
	"strings"
	"testing"
	"time"
)

// zoneNames are all zones of the IANA database, one in each line.
//
//go:embed testdata/zones.txt
var zoneNames string

// zonesByClock returns one zone for each way in which clocks run from 2020 to 2037: two zones whose offsets agree in
// every hour of these years cannot differ in any slot.
func zonesByClock(t *testing.T) []*time.Location {
	var zones []*time.Location
	seen := map[uint64]bool{}
	first, last := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC).Unix(), time.Date(2038, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	for name := range strings.FieldsSeq(zoneNames) {
		loc := zone(t, name)
		hash := fnv.New64a()
		for at, buf := first, []byte(nil); at < last; at += 3600 {
			offset := offsetAt(at, loc) / 60
			buf = append(buf[:0], byte(offset), byte(offset>>8))
			hash.Write(buf)
		}
		if !seen[hash.Sum64()] {
			seen[hash.Sum64()] = true
			zones = append(zones, loc)
		}
	}
	return zones
}

// In no zone of the world does a daily task come twice a day or leave one out, from 2020 to 2037, completed each time
// at the very moment it is due. Its time on the clock stays the same, but for the times that a zone's clocks skip.
//
// [Task]: T041, T045
func TestDailyInEveryZone(t *testing.T) {
	zones := zonesByClock(t)
	if len(zones) < 80 {
		t.Fatalf("only %d zones with clocks of their own", len(zones))
	}
	gaps, twice := 0, 0
	for _, loc := range zones {
		for _, clock := range []string{"00:00:00", "00:30:00", "01:30:00", "02:00:00", "02:30:00", "23:30:00"} {
			g, w := walkDaily(t, loc, clock)
			gaps, twice = gaps+g, twice+w
		}
	}
	if gaps < 500 || twice < 500 {
		t.Errorf("met only %d gaps and %d times that come twice: the clocks are not those of the world", gaps, twice)
	}
}

// walkDaily completes a daily task from 2020 to 2037 and returns how often its time was skipped or came twice.
func walkDaily(t *testing.T, loc *time.Location, clock string) (gaps, twice int) {
	task := begun(t, "daily", "2020-01-01T"+clock, loc)
	name := loc.String()
	task.SeriesZone = &name
	local, err := time.Parse(localLayout, "2020-01-01T"+clock)
	if err != nil {
		t.Fatal(err)
	}
	for number := 2; ; number++ {
		was := task.DueDate.Instant(loc)
		task.CompletedAt = &Time{was}
		occ, ok, err := Next(task, loc)
		if err != nil || !ok {
			t.Fatalf("%s: after %s comes %t, %v", name, task.DueDate, ok, err)
		}
		local = local.AddDate(0, 0, 1)
		if local.Year() == 2038 {
			return gaps, twice
		}
		if occ.Number != number || occ.Slot != local.Format(localLayout) {
			t.Fatalf("%s: after %s comes %+v, want number %d on %s", name, task.DueDate, occ, number, local)
		}
		is := occ.Due.Instant(loc)
		if !is.After(was) {
			t.Fatalf("%s: %s is not after %s", name, occ.Due, task.DueDate)
		}
		shown := wallTime(wallOf(is.In(loc)))
		if occ.Due.String()[:len(localLayout)] != shown.Format(localLayout) {
			t.Fatalf("%s: %s is written as %s", name, shown, occ.Due)
		}
		if !shown.Equal(local) {
			gaps++
			checkGap(t, loc, local, is)
		} else if alsoShown(loc, local, is, -1) {
			t.Fatalf("%s: %s is the second of two", name, occ.Due)
		} else if alsoShown(loc, local, is, +1) {
			twice++
		}
		task.DueDate, task.Occurrence, task.OccurrenceNumber = occ.Due, &occ.Slot, &occ.Number
	}
}

// changes are the amounts by which clocks are changed in these years.
var changes = []time.Duration{20 * time.Minute, 30 * time.Minute, time.Hour, 90 * time.Minute, 2 * time.Hour, 3 * time.Hour}

// alsoShown tells whether clocks in loc show local at another moment too, before (-1) or after (+1) the one at.
func alsoShown(loc *time.Location, local, at time.Time, direction time.Duration) bool {
	for _, change := range changes {
		if wallOf(at.Add(direction*change).In(loc)) == local.Unix() {
			return true
		}
	}
	return false
}

// checkGap verifies that clocks in loc never show local, and that at is as far behind the change as local would be.
func checkGap(t *testing.T, loc *time.Location, local, at time.Time) {
	moved := wallOf(at.In(loc)) - local.Unix()
	changed := false
	for minutes := range 4 * 60 {
		before := at.Add(-time.Duration(minutes) * time.Minute)
		if wallOf(before.In(loc)) == local.Unix() {
			t.Fatalf("%s: clocks do show %s, at %s", loc, local, before)
		}
		if step := offsetAt(at.Unix(), loc) - offsetAt(before.Unix(), loc); step != 0 {
			changed = changed || step == moved
		}
	}
	if !changed {
		t.Fatalf("%s: %s moved by %d s, which is not the length of the gap", loc, local, moved)
	}
}
