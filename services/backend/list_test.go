package backend

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/services/backend/account"
	"github.com/docket-tasks/docket/task"
)

func stored(h head) host.Item { return host.Item{Key: "list/l", Value: h.encode(), ETag: "1"} }

// A head comes back as it was written, and its log tells of every version of the open block.
func TestHeadIsReadAsWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := head{Live: rapid.IntRange(0, maxLive).Draw(t, "live"), Purges: rapid.IntRange(0, 1<<40).Draw(t, "purges"), Tags: rapid.IntRange(0, maxTags).Draw(t, "tags"), TagsCounted: rapid.Int64Range(0, 1<<50).Draw(t, "counted")}
		h.closed = rapid.Bool().Draw(t, "closed")
		h.Version = rapid.Int64Range(0, 1<<50).Draw(t, "version")
		block := h.Version / blockSize
		var want []logEntry
		for v := max(block*blockSize, 1); v <= h.Version; v++ {
			e := logEntry{Version: v, Task: uuid.NewString(), TaskVersion: rapid.Int64Range(1, 1<<40).Draw(t, "task version")}
			want, h.log = append(want, e), h.log.add(e.Task, e.TaskVersion)
		}
		var ids []string
		for range rapid.IntRange(0, segmentSize).Draw(t, "ids") {
			id := uuid.NewString()
			ids, h.ids = append(ids, id), h.ids.add(id)
		}
		h.Segments = rapid.IntRange(0, 1<<20).Draw(t, "segments")
		h.owner = account.User{Version: rapid.Int64Range(0, 1<<50).Draw(t, "owner"), TimeZone: rapid.String().Draw(t, "zone"),
			ReminderMinutes: rapid.SliceOfN(rapid.IntRange(0, task.MaxReminderMinutes), 0, 10).Draw(t, "reminders")}

		got, err := decodeHead(stored(h))
		if err != nil {
			t.Fatal(err)
		}
		entries, err := got.log.entries(block)
		if err != nil || !slices.Equal(entries, want) || !slices.Equal(got.ids.all(), ids) {
			t.Fatalf("log %v (%v), want %v; ids %v, want %v", entries, err, want, got.ids.all(), ids)
		}
		if got.Version != h.Version || got.Segments != h.Segments || got.Live != h.Live || got.Purges != h.Purges || got.Tags != h.Tags || got.TagsCounted != h.TagsCounted || got.closed != h.closed ||
			got.owner.Version != h.owner.Version || got.owner.TimeZone != h.owner.TimeZone || !slices.Equal(got.owner.ReminderMinutes, h.owner.ReminderMinutes) {
			t.Fatalf("read %+v, wrote %+v", got, h)
		}
	})
}

// Two full heads stay within a page of the store (4 KiB less what rows and the page need themselves).
func TestFullHeadFitsHalfAPage(t *testing.T) {
	h := head{Version: 1<<50 - 1, Segments: 1 << 20, Live: maxLive, Purges: 1 << 40, Tags: maxTags, TagsCounted: 1<<50 - 1,
		owner: account.User{Version: 1 << 30, TimeZone: "America/Argentina/ComodRivadavia", ReminderMinutes: slices.Repeat([]int{task.MaxReminderMinutes}, 10)}}
	for range blockSize {
		h.log = h.log.add(uuid.NewString(), 10_000)
	}
	for range segmentSize {
		h.ids = h.ids.add(uuid.NewString())
	}
	if n := len(h.encode()); n > 1900 {
		t.Errorf("%d bytes", n)
	}
}

// An open segment that has grown longer than segments are now is a row of its own when the next task comes, and read as it is.
func TestSegmentFromBefore(t *testing.T) {
	f := start(t)
	p := &plan{list: f.me.user, rows: map[string][]byte{}, view: view{head: head{Segments: 1}}}
	var want []string
	for range 100 {
		want = append(want, uuid.NewString())
		p.head.ids = p.head.ids.add(want[len(want)-1])
	}
	want = append(want, uuid.NewString())
	if n := p.enlist(want[100]); n != 1 {
		t.Errorf("the next task is in segment %d, want 1", n)
	}
	tx := host.Tx{Ops: []host.Op{host.Put(headKey(p.list), p.head.encode())}}
	for key, row := range p.rows {
		tx.Ops = append(tx.Ops, host.Put(key, row))
	}
	if err := f.node.Host(Name).State.Commit(t.Context(), tx); err != nil {
		t.Fatal(err)
	}
	if got := f.ids(p.list); !slices.Equal(got, want) {
		t.Fatal(cmp.Diff(want, got))
	}
}

// A head from before it knew of its owner, or its tags, is read without: the owner is read for the next change, and tags are
// counted when the next one is added.
func TestHeadsFromBefore(t *testing.T) {
	h := head{Version: 2, Segments: 1, Live: 1, Tags: 7, log: packedLog(nil).add(uuid.NewString(), 1), ids: packedIDs(nil).add(uuid.NewString())}
	ownerless := slices.Delete(h.encode(), 8, 11) // the format and each number are a byte
	untagged := slices.Delete(slices.Clone(ownerless), 5, 7)
	for _, was := range []struct {
		format byte
		value  []byte
		tags   int
		closed bool
	}{
		{untaggedFormat, untagged, tagsUnknown, false}, {untaggedClosedFormat, untagged, tagsUnknown, true},
		{ownerlessFormat, ownerless, 7, false}, {ownerlessClosedFormat, ownerless, 7, true},
	} {
		was.value[0] = was.format
		got, err := decodeHead(host.Item{Key: "list/l", Value: was.value, ETag: "1"})
		if err != nil {
			t.Fatal(err)
		}
		if got.Tags != was.tags || got.owner.Version != 0 || got.closed != was.closed || got.Version != 2 || !slices.Equal(got.ids.all(), h.ids.all()) {
			t.Errorf("format %d: read %+v", was.format, got)
		}
	}
}

// What is not a head is an error that names the row, whatever it is.
func FuzzDecodeHead(f *testing.F) {
	f.Add(head{Version: 2, Segments: 1, Live: 1, log: packedLog(nil).add(uuid.NewString(), 1), ids: packedIDs(nil).add(uuid.NewString())}.encode())
	f.Add([]byte(`{"version":3,"segments":1,"last":2,"live":2,"purges":0}`))
	f.Add([]byte{headFormat, 0xff})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, value []byte) {
		h, err := decodeHead(host.Item{Key: "list/l", Value: value, ETag: "1"})
		if err != nil && !strings.Contains(err.Error(), "list/l") {
			t.Errorf("the error does not say where: %v", err)
		}
		if err == nil {
			_, _ = h.log.entries(h.Version / blockSize) // may be damaged, must not panic
			_ = h.ids.all()
		}
	})
}

// setApart writes a list as it was written before its head carried the open block and segment.
func (f *fixture) setApart(list string) {
	f.t.Helper()
	ctx, st := f.t.Context(), f.node.Host(Name).State
	it, err := st.Get(ctx, headKey(list))
	if err != nil {
		f.t.Fatal(err)
	}
	h, err := decodeHead(it)
	if err != nil {
		f.t.Fatal(err)
	}
	block, err := h.log.row(h.Version / blockSize)
	if err != nil {
		f.t.Fatal(err)
	}
	old := fmt.Sprintf(`{"version":%d,"segments":%d,"last":%d,"live":%d,"purges":%d}`, h.Version, h.Segments, h.ids.len(), h.Live, h.Purges)
	if err := st.Commit(ctx, host.Tx{Ops: []host.Op{host.Replace(headKey(list), []byte(old), it.ETag),
		host.Put(logKey(list, h.Version/blockSize), block), host.Put(segmentKey(list, h.Segments-1), h.ids.row())}}); err != nil {
		f.t.Fatal(err)
	}
}

// Lists from before the head carried its open parts are read, changed and followed as if nothing had been.
func TestHeadFromBefore(t *testing.T) {
	f := start(t)
	var want []string
	for i := range 3 {
		for range segmentSize/2 + 7 {
			want = append(want, f.me.must("POST", "/api/tasks", fmt.Sprintf(`{"title":"task %d"}`, len(want))).ID)
		}
		f.setApart(f.me.user)
		if i == 0 { // a reader comes first
			if got := f.ids(f.me.user); !slices.Equal(got, want) {
				t.Fatal(cmp.Diff(want, got))
			}
		}
	}
	want = append(want, f.me.must("POST", "/api/tasks", `{"title":"the last"}`).ID)
	if got := f.ids(f.me.user); !slices.Equal(got, want) {
		t.Fatal(cmp.Diff(want, got))
	}
	f.followed(f.me.user, want)
}

// ids reads the list's segments.
func (f *fixture) ids(list string) []string {
	f.t.Helper()
	h := f.head(list)
	ids, err := readSegments(f.t.Context(), f.node.Host(Name).State, list, h, 0, h.Segments)
	if err != nil {
		f.t.Fatal(err)
	}
	return ids
}

func (f *fixture) head(list string) head {
	f.t.Helper()
	st := f.node.Host(Name).State
	it, err := st.Get(f.t.Context(), headKey(list))
	if err != nil {
		f.t.Fatal(err)
	}
	h, err := openHead(f.t.Context(), st, list, it)
	if err != nil {
		f.t.Fatal(err)
	}
	return h
}

// followed checks that the log tells of the creation of these tasks, in this order, from each version on.
func (f *fixture) followed(list string, ids []string) {
	f.t.Helper()
	h := f.head(list)
	for since := range int64(len(ids)) {
		entries, err := changesSince(context.WithoutCancel(f.t.Context()), f.node.Host(Name).State, list, since, h)
		if err != nil {
			f.t.Fatal(err)
		}
		for i, e := range entries {
			if want := (logEntry{Version: since + int64(i) + 1, Task: ids[since+int64(i)], TaskVersion: 1}); e != want {
				f.t.Fatalf("since %d: change %d is %v, not %v", since, i, e, want)
			}
		}
		if len(entries) != len(ids)-int(since) {
			f.t.Fatalf("since %d: %d changes", since, len(entries))
		}
	}
}

// A list that has outgrown several blocks and segments in batches keeps all of its tasks and changes.
func TestLogAndSegmentsGoOn(t *testing.T) {
	f := start(t)
	one := `{"op":"create","body":{"title":"x"}}`
	for range 3 {
		if w := f.me.do("POST", "/api/tasks/batch", `{"changes":[`+strings.Repeat(one+",", 149)+one+`]}`); w.Code != 200 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	ids := f.ids(f.me.user)
	if len(ids) != 450 {
		t.Fatalf("%d tasks", len(ids))
	}
	f.followed(f.me.user, ids)
}
