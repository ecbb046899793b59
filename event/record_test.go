package event

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// goldenRecords are the golden files of task events, as Encode writes them: without white space.
func goldenRecords(tb testing.TB) map[string][]byte {
	tb.Helper()
	files, err := filepath.Glob("testdata/task.*.json")
	if err != nil || len(files) == 0 {
		tb.Fatal(files, err)
	}
	out := make(map[string][]byte)
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		out[file] = b
	}
	return out
}

func sameRecord(tb testing.TB, b []byte) (own bool) {
	tb.Helper()
	r, trace, own := ownRecord(b)
	if !own {
		return false
	}
	want, wantTrace, err := anyRecord(b)
	if diff := cmp.Diff(want, r); err != nil || diff != "" || trace != wantTrace {
		tb.Fatalf("read in one pass, not as encoding/json reads it: %v, traces %q and %q\n%s\n%s", err, trace, wantTrace, diff, b)
	}
	return true
}

// Every event that is made here is read in one pass, and as encoding/json reads it. What only looks like one is left to
// encoding/json, to be refused or read there.
func TestRecordInOnePass(t *testing.T) {
	for file, b := range goldenRecords(t) {
		b := []byte(strings.TrimSpace(string(b)))
		if strings.Contains(file, "task.update.") {
			if _, _, own := ownRecord(b); own {
				t.Errorf("%s is no event of a task, but was read as one", file)
			}
			continue
		}
		if !sameRecord(t, b) {
			t.Errorf("%s is not read in one pass", file)
		}
		for old, news := range map[string][]string{
			`}}}}`:        {`}}},"late":1}}`, `}},"task":{"version":9}}}`, `}}}`, `},"version":9}}}`, `,"x":{"version":9}}}}}`},
			`"payload":{`: {`"payload":{"task":{"version":9},`, `"payload":{"changes":{"task":{"version":9}},`, `"payload":{]`},
			`"actor":{`:   {`"actor":{"name":",\"payload\":{}",`, `"actor":{"payload":{},`, `"actor":[`},
		} {
			for _, other := range news {
				changed := strings.Replace(string(b), old, other, 1)
				if changed == string(b) {
					t.Fatalf("%s holds no %s", file, old)
				}
				sameRecord(t, []byte(changed))
			}
		}
	}
}

func FuzzRecordInOnePass(f *testing.F) {
	for _, b := range goldenRecords(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) { sameRecord(t, b) })
}
