// Package e2e holds docket to its promises from outside: every scenario drives a whole deployment over HTTP and
// WebSocket as its users do, and knows nothing of how it is put together. A second kind of deployment is one more
// entry of deployments.
//
// Whatever a scenario is about, three things are checked besides. Every answer is what api/openapi.json says, and no
// answer is an internal error (contract_test.go). Every event that reached the audit log is valid by its JSON
// Schema, and each history is whole and truthful. And in the end the deployment stops in order, and its data
// agree with its history.
//
// [Task]: T039, T046, T056, T071, T092
package e2e

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// binary is the docket under test.
var binary string

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(runAll(m))
}

func runAll(m *testing.M) int {
	dir, err := os.MkdirTemp("", "docket-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
	binary = filepath.Join(dir, "docket")
	code := m.Run()
	if err := endCommon(); err != nil {
		fmt.Fprintf(os.Stderr, "FAIL: %v\n", err)
		return 1
	}
	if missing := api.missing(); code == 0 && everythingRan() && len(missing) > 0 {
		fmt.Fprintf(os.Stderr, "FAIL: no scenario has called %q\n", missing)
		return 1
	}
	return code
}

// prepare builds the binary and reads the contract, once.
var prepare = sync.OnceValue(func() error {
	root := filepath.Join("..", "..")
	if err := openSources(root); err != nil {
		return err
	}
	build := exec.Command("go", "build", "-o", binary, "./cmd/docket")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build docket: %w\n%s", err, out)
	}
	return api.load(filepath.Join(root, "api", "openapi.json"))
})

// openSources opens everything that the binary is built from. The go command keeps a passing result as long as the
// files are the same that the test has opened while it ran; it knows nothing of a build inside.
func openSources(root string) error {
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && path != root && (strings.HasPrefix(name, ".") || name == "node_modules") {
			return filepath.SkipDir
		}
		if ext := filepath.Ext(name); ext != ".go" && ext != ".mod" && ext != ".sum" && !strings.Contains(path, "dist") {
			return nil
		}
		f, err := os.Open(path)
		if errors.Is(err, fs.ErrNotExist) { // an editor's, gone again
			return nil
		}
		if err != nil {
			return err
		}
		return f.Close()
	})
}

// everythingRan tells that no scenario was left out by a flag.
func everythingRan() bool {
	for _, name := range []string{"test.run", "test.skip", "test.list"} {
		if flag.Lookup(name).Value.String() != "" {
			return false
		}
	}
	return true
}

// patience is how long anything may take before a scenario gives up on it. It bounds failures, not successes: on two cores that other
// packages use as well, the audit log is half a minute behind 9,000 changes made at once.
const patience = 90 * time.Second

// eventually waits until ok holds.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	limit, tick := time.After(patience), time.NewTicker(10*time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-limit:
			t.Fatalf("gave up waiting: %s", what)
		case <-tick.C:
		}
	}
}
