//go:build unix

package embedded

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Some tests need a process they can kill, trace or limit: they run this test binary again, with the name of one of
// these in the environment.
const childVariable = "DOCKET_TEST_CHILD"

var children = map[string]func(ctx context.Context, dir string) error{
	"crash":   crashChild,
	"fsync":   fsyncChild,
	"flush":   flushChild,
	"limited": limitedChild,
	"holder":  holderChild,
}

func TestMain(m *testing.M) {
	if child, ok := children[os.Getenv(childVariable)]; ok {
		if err := child(context.Background(), os.Getenv("DOCKET_TEST_DIR")); err != nil {
			fmt.Fprintln(os.Stderr, "child:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child prepares a run of this binary as the child of that name on dir; prefix is a program to run it under.
func child(t *testing.T, name, dir string, prefix []string, env ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	argv := append(append([]string{}, prefix...), self)
	cmd := exec.CommandContext(t.Context(), argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), append(env, childVariable+"="+name, "DOCKET_TEST_DIR="+dir)...)
	cmd.Stderr = os.Stderr
	return cmd
}

// lines reads what a child reports, grouped by the first word.
func lines(r io.Reader) map[string][]string {
	said := map[string][]string{}
	for s := bufio.NewScanner(r); s.Scan(); {
		word, rest, _ := strings.Cut(s.Text(), " ")
		said[word] = append(said[word], rest)
	}
	return said
}

// say reports a line to the parent with one write(2), which survives the death that follows.
func say(format string, args ...any) {
	_, _ = os.Stdout.WriteString(fmt.Sprintf(format, args...) + "\n") // a parent that has gone needs no report
}

// needs skips the test where a program is missing; in CI that is a failure.
func needs(t *testing.T, program, line string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err == nil {
		return path
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is missing in CI: %s", program, line)
	}
	t.Skipf("%s is missing: %s", program, line)
	return ""
}
