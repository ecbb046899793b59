package hosttest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/docket-tasks/docket/host"
)

// alone starts a service that only has state and returns that.
func alone(t *testing.T, c Cluster) host.State {
	t.Helper()
	c.Start(t, host.Service{Name: "alone"})
	return c.Host("alone").State
}

func keysBelongToTheService(t *testing.T, c Cluster) {
	c.Start(t, host.Service{Name: "one"}, host.Service{Name: "two"})
	one, two := c.Host("one").State, c.Host("two").State
	put(t, one, "key", "of one")
	wantAbsent(t, two, "key")
	put(t, two, "key", "of two")
	wantValue(t, one, "key", "of one")
	commit(t, two, host.Tx{Ops: []host.Op{host.Delete("key")}})
	wantValue(t, one, "key", "of one")
}

func absentIsNoError(t *testing.T, c Cluster) {
	s := alone(t, c)
	wantAbsent(t, s, "never/written")
	put(t, s, "empty", "")
	if it := get(t, s, "empty"); !it.Exists() || len(it.Value) != 0 {
		t.Errorf("an empty value came back as %q, exists %t", it.Value, it.Exists())
	}
	commit(t, s, host.Tx{Ops: []host.Op{host.Delete("empty"), host.Delete("never/written")}})
	wantAbsent(t, s, "empty")
}

func bulkKeepsTheOrder(t *testing.T, c Cluster) {
	s := alone(t, c)
	var keys []string
	for i := range 300 {
		key := fmt.Sprintf("item/%d", i)
		if i%3 != 0 {
			put(t, s, key, key)
		}
		keys = append([]string{key}, keys...)
	}
	keys = append(keys, keys[0])
	items, err := s.GetBulk(t.Context(), keys)
	if err != nil {
		t.Fatal(err)
	}
	if len(items) != len(keys) {
		t.Fatalf("%d items for %d keys", len(items), len(keys))
	}
	for i, it := range items {
		n, _ := strconv.Atoi(strings.TrimPrefix(keys[i], "item/"))
		want := ""
		if n%3 != 0 {
			want = keys[i]
		}
		if it.Key != keys[i] || string(it.Value) != want || it.Exists() != (want != "") {
			t.Errorf("item %d is %s = %q, exists %t, want %s = %q", i, it.Key, it.Value, it.Exists(), keys[i], want)
		}
	}
	if none, err := s.GetBulk(t.Context(), nil); err != nil || len(none) != 0 {
		t.Errorf("no keys: %v, %v", none, err)
	}
}

func readsAreCurrent(t *testing.T, c Cluster) {
	s := alone(t, c)
	const last = 100
	var acknowledged atomic.Int64
	put(t, s, "n", "0")
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for {
				floor := acknowledged.Load()
				if floor == last {
					return
				}
				items, err := s.GetBulk(t.Context(), []string{"n"})
				if err != nil {
					t.Error(err)
					return
				}
				if n, err := strconv.ParseInt(string(items[0].Value), 10, 64); err != nil || n < floor {
					t.Errorf("read %q after %d had been acknowledged", items[0].Value, floor)
					return
				}
			}
		})
	}
	defer wg.Wait()
	defer acknowledged.Store(last)
	for i := range int64(last) {
		put(t, s, "n", strconv.FormatInt(i+1, 10))
		acknowledged.Store(i)
		wantValue(t, s, "n", strconv.FormatInt(i+1, 10))
	}
}

func allOrNothing(t *testing.T, c Cluster) {
	s := alone(t, c)
	put(t, s, "taken", "before")
	err := s.Commit(t.Context(), host.Tx{Ops: []host.Op{
		host.Put("a", []byte("1")), host.Delete("taken2"), host.Create("taken", []byte("2")), host.Put("b", []byte("3")),
	}})
	wantErr(t, err, host.ErrConflict)
	wantAbsent(t, s, "a")
	wantAbsent(t, s, "b")
	wantValue(t, s, "taken", "before")
	commit(t, s, host.Tx{Ops: []host.Op{host.Put("a", []byte("1")), host.Delete("taken"), host.Create("b", []byte("3"))}})
	wantValue(t, s, "a", "1")
	wantValue(t, s, "b", "3")
	wantAbsent(t, s, "taken")

	// Also where all that is written is to be created, and what was taken back can be created later.
	err = s.Commit(t.Context(), host.Tx{Ops: []host.Op{host.Create("c", []byte("4")), host.Create("b", []byte("5")), host.Create("d", []byte("6"))}})
	wantErr(t, err, host.ErrConflict)
	wantAbsent(t, s, "c")
	wantAbsent(t, s, "d")
	wantValue(t, s, "b", "3")
	commit(t, s, host.Tx{Ops: []host.Op{host.Create("c", []byte("7")), host.Create("taken", []byte("8")), host.Create("d", nil)}})
	wantValue(t, s, "c", "7")
	wantValue(t, s, "taken", "8")
}

func conflicts(t *testing.T, c Cluster) {
	s := alone(t, c)
	put(t, s, "k", "1")
	old := get(t, s, "k").ETag
	put(t, s, "k", "2")
	current := get(t, s, "k").ETag
	if old == current {
		t.Fatalf("the ETag did not change: %q", old)
	}
	for name, o := range map[string]host.Op{
		"replace with a stale ETag":     host.Replace("k", nil, old),
		"replace with an invented ETag": host.Replace("k", nil, "999999999"),
		"replace what is absent":        host.Replace("none", nil, current),
		"create what exists":            host.Create("k", nil),
		"replace that means create":     host.Replace("k", nil, ""),
		"remove with a stale ETag":      host.Remove("k", old),
		"remove what is absent":         host.Remove("none", current),
	} {
		if err := s.Commit(t.Context(), host.Tx{Ops: []host.Op{o}}); !errors.Is(err, host.ErrConflict) {
			t.Errorf("%s: %v, want a conflict", name, err)
		}
	}
	wantValue(t, s, "k", "2")
	commit(t, s, host.Tx{Ops: []host.Op{host.Replace("k", []byte("3"), current)}})
	wantValue(t, s, "k", "3")
	commit(t, s, host.Tx{Ops: []host.Op{host.Remove("k", get(t, s, "k").ETag)}})
	wantAbsent(t, s, "k")
}

func etagsNeverComeBack(t *testing.T, c Cluster) {
	s := alone(t, c)
	seen := map[string]bool{}
	note := func() {
		t.Helper()
		put(t, s, "k", "the same value")
		etag := get(t, s, "k").ETag
		if seen[etag] {
			t.Errorf("ETag %q came back", etag)
		}
		seen[etag] = true
	}
	note()
	note()
	commit(t, s, host.Tx{Ops: []host.Op{host.Delete("k")}})
	note()
	c.Kill(t)
	s = alone(t, c)
	note()
}

func oneOfManyCreates(t *testing.T, c Cluster) {
	s := alone(t, c)
	for round := range 5 {
		key := fmt.Sprintf("contended/%d", round)
		var winners, losers atomic.Int64
		var winner atomic.Value
		var wg sync.WaitGroup
		for i := range 64 {
			wg.Go(func() {
				value := fmt.Sprint("writer ", i)
				tx := host.Tx{Ops: []host.Op{host.Create(key, []byte(value)), host.Put(fmt.Sprintf("%s/by/%d", key, i), nil)}}
				switch err := s.Commit(t.Context(), tx); {
				case err == nil:
					winners.Add(1)
					winner.Store(value)
				case errors.Is(err, host.ErrConflict):
					losers.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if winners.Load() != 1 || losers.Load() != 63 {
			t.Fatalf("%d created it and %d met a conflict, want 1 and 63", winners.Load(), losers.Load())
		}
		wantValue(t, s, key, winner.Load().(string))
		traces := 0
		for i := range 64 {
			if get(t, s, fmt.Sprintf("%s/by/%d", key, i)).Exists() {
				traces++
			}
		}
		if traces != 1 {
			t.Errorf("%d transactions left a trace, want the winner's", traces)
		}
	}
}

func noUpdateIsLost(t *testing.T, c Cluster) {
	s := alone(t, c)
	for key, read := range map[string]func(context.Context, string) (host.Item, error){"sum": s.Get, "hot/read": s.Get, "hot/recalled": s.Recall} {
		const writers, each = 8, 12
		var wg sync.WaitGroup
		for range writers {
			wg.Go(func() {
				for done := 0; done < each; {
					it, err := read(t.Context(), key)
					if err != nil {
						t.Error(err)
						return
					}
					n, _ := strconv.Atoi(string(it.Value))
					err = s.Commit(t.Context(), host.Tx{Ops: []host.Op{host.Replace(key, []byte(strconv.Itoa(n+1)), it.ETag)}})
					switch {
					case err == nil:
						done++
					case !errors.Is(err, host.ErrConflict):
						t.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
		wantValue(t, s, key, strconv.Itoa(writers*each))
	}
}

func hotKeys(t *testing.T, c Cluster) {
	s := alone(t, c)
	put(t, s, "other", "1")
	wantAbsent(t, s, "hot/k")
	var old string
	for n := range 40 {
		value := strconv.Itoa(n)
		it, err := s.Recall(t.Context(), "hot/k")
		if err != nil {
			t.Fatal(err)
		}
		if want := strconv.Itoa(n - 1); it.Exists() != (n > 0) || n > 0 && string(it.Value) != want || it.Key != "hot/k" {
			t.Fatalf("recalled %+v, want %s", it, want)
		}
		commit(t, s, host.Tx{Ops: []host.Op{host.Replace("hot/k", []byte(value), it.ETag)}})
		for _, o := range []host.Op{host.Create("hot/k", nil), host.Replace("hot/k", nil, it.ETag), host.Replace("hot/k", nil, "999999999")} {
			wantErr(t, s.Commit(t.Context(), host.Tx{Ops: []host.Op{o, host.Put("other", nil)}}), host.ErrConflict)
		}
		items, err := s.GetBulk(t.Context(), []string{"other", "hot/k", "none", "hot/none"})
		if err != nil {
			t.Fatal(err)
		}
		if string(items[0].Value) != "1" || string(items[1].Value) != value || items[1].ETag == old || items[2].Exists() || items[3].Exists() {
			t.Fatalf("after %s was written: %+v", value, items)
		}
		old = items[1].ETag
		wantValue(t, s, "hot/k", value)
	}
	c.Kill(t)
	s = alone(t, c)
	wantValue(t, s, "hot/k", "39")
	commit(t, s, host.Tx{Ops: []host.Op{host.Replace("hot/k", nil, get(t, s, "hot/k").ETag)}})
	wantValue(t, s, "hot/k", "")
}

func itemsExpire(t *testing.T, c Cluster) {
	s := alone(t, c)
	commit(t, s, host.Tx{Ops: []host.Op{
		host.Put("short", []byte("1")).Expiring(time.Second), host.Put("long", []byte("2")).Expiring(time.Hour),
		host.Put("renewed", []byte("3")).Expiring(time.Second),
	}})
	wantValue(t, s, "short", "1")
	put(t, s, "renewed", "for good")
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	timeout := time.After(patience)
	for get(t, s, "short").Exists() {
		select {
		case <-tick.C:
		case <-timeout:
			t.Fatal("the item does not expire")
		}
	}
	wantValue(t, s, "long", "2")
	wantValue(t, s, "renewed", "for good")
	if items, err := s.GetBulk(t.Context(), []string{"short"}); err != nil || items[0].Exists() {
		t.Errorf("bulk still has the expired item (%v)", err)
	}
	commit(t, s, host.Tx{Ops: []host.Op{host.Create("short", []byte("again"))}})
	wantValue(t, s, "short", "again")
}

func limits(t *testing.T, c Cluster) {
	s := alone(t, c)
	var ops []host.Op
	for i := range 257 {
		ops = append(ops, host.Put(fmt.Sprintf("many/%d", i), []byte("v")))
	}
	var messages []host.Message
	for i := range 129 {
		messages = append(messages, message("limits", "k", fmt.Sprint(i)))
	}
	wantErr(t, s.Commit(t.Context(), host.Tx{Ops: ops}), host.ErrTooLarge)
	wantErr(t, s.Commit(t.Context(), host.Tx{Ops: ops[:1], Messages: messages}), host.ErrTooLarge)
	wantErr(t, s.Commit(t.Context(), host.Tx{Ops: []host.Op{host.Put("big", make([]byte, 1<<20+1))}}), host.ErrTooLarge)
	wantAbsent(t, s, "many/0")
	wantAbsent(t, s, "big")
	commit(t, s, host.Tx{Ops: ops[:256], Messages: messages[:128]})
	wantValue(t, s, "many/255", "v")
	commit(t, s, host.Tx{Ops: []host.Op{host.Put("big", make([]byte, 1<<20))}})
	if n := len(get(t, s, "big").Value); n != 1<<20 {
		t.Errorf("a value of 1 MiB came back with %d bytes", n)
	}
}

func programmingErrors(t *testing.T, c Cluster) {
	s := alone(t, c)
	for name, tx := range map[string]host.Tx{
		"a key twice":         {Ops: []host.Op{host.Put("a", nil), host.Delete("a")}},
		"an empty key":        {Ops: []host.Op{host.Put("", nil), host.Put("a", nil)}},
		"a key with ||":       {Ops: []host.Op{host.Put("x||y", nil), host.Put("a", nil)}},
		"a job name with /":   {Ops: []host.Op{host.Put("a", nil)}, Jobs: []host.JobIntent{host.Schedule("x/y", time.Now(), nil)}},
		"an empty job name":   {Ops: []host.Op{host.Put("a", nil)}, Jobs: []host.JobIntent{host.Cancel("")}},
		"a long job name":     {Ops: []host.Op{host.Put("a", nil)}, Jobs: []host.JobIntent{host.Cancel(strings.Repeat("n", 201))}},
		"a message sans ID":   {Ops: []host.Op{host.Put("a", nil)}, Messages: []host.Message{{Topic: "t", Key: "k"}}},
		"a message to no-one": {Ops: []host.Op{host.Put("a", nil)}, Messages: []host.Message{{ID: "1", Key: "k"}}},
	} {
		err := s.Commit(t.Context(), tx)
		for _, sentinel := range []error{nil, host.ErrConflict, host.ErrUnavailable, host.ErrUnknown, host.ErrTooLarge} {
			if errors.Is(err, sentinel) {
				t.Errorf("%s: %v, want an error that no caller takes for an outcome", name, err)
			}
		}
	}
	wantAbsent(t, s, "a")
	if _, err := s.Get(t.Context(), ""); err == nil {
		t.Error("an empty key can be read")
	}
}

func cancelledBeforeItBegan(t *testing.T, c Cluster) {
	s := alone(t, c)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := s.Commit(ctx, host.Tx{Ops: []host.Op{host.Put("k", []byte("v"))}})
	wantErr(t, err, host.ErrUnavailable)
	wantErr(t, err, context.Canceled)
	wantAbsent(t, s, "k")
}

func acknowledgedSurvivesKill(t *testing.T, c Cluster) {
	s := alone(t, c)
	var mu sync.Mutex
	acknowledged := map[string]bool{}
	var wg sync.WaitGroup
	enough := make(chan struct{})
	for w := range 8 {
		wg.Go(func() {
			for i := 0; ; i++ {
				key := fmt.Sprintf("%d/%d", w, i)
				if err := s.Commit(t.Context(), host.Tx{Ops: []host.Op{host.Put(key+"/a", []byte(key)), host.Put(key+"/b", []byte(key))}}); err != nil {
					return // killed
				}
				mu.Lock()
				acknowledged[key] = true
				if len(acknowledged) == 300 {
					close(enough)
				}
				mu.Unlock()
			}
		})
	}
	await(t, enough, "300 commits")
	c.Kill(t)
	wg.Wait()
	s = alone(t, c)
	for key := range acknowledged {
		wantValue(t, s, key+"/a", key)
		wantValue(t, s, key+"/b", key)
	}
	for w := range 8 { // the ones under way: whole or not at all
		for i := range len(acknowledged) + 1 {
			key := fmt.Sprintf("%d/%d", w, i)
			if get(t, s, key+"/a").Exists() != get(t, s, key+"/b").Exists() {
				t.Errorf("half of commit %s is there", key)
			}
		}
	}
}
