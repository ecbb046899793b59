// Package quickstart runs the commands of docs/quickstart.md as they are written there, one after the other in one shell, and holds
// what they print to what the page says. Two things differ from a reader's machine: the folder, and a port that is free.
//
// With QUICKSTART_SERVER, the address of a docket that is there, and QUICKSTART_TOKEN, a new user's, it runs against that instead all but
// what is about a server and its folder on one machine: test/cluster does so in a cluster.
//
// [Task]: T093
package quickstart

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// address is where the page says that docket serves.
const address = "127.0.0.1:8080"

// patience bounds a page that hangs, not one that passes.
const patience = 5 * time.Minute

// block is one of the page's: commands, and what they print where the page says so.
type block struct{ commands, prints string }

func blocks(t *testing.T) (all []block) {
	t.Helper()
	page, err := os.ReadFile("../../docs/quickstart.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile("(?ms)^```sh\n(.*?)^```\n(?:```text\n(.*?)^```\n)?").FindAllStringSubmatch(string(page), -1) {
		all = append(all, block{m[1], m[2]})
	}
	if len(all) < 10 {
		t.Fatalf("only %d blocks", len(all))
	}
	return all
}

// onOneMachine is what only the owner of a server's process and folder can do.
var onOneMachine = regexp.MustCompile(`docket (serve|check|backup)|kill %1`)

func TestQuickstart(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("date", "-d", "+3 seconds").CombinedOutput(); err != nil {
		t.Skipf("the page needs GNU date: %s", out)
	}
	dir := t.TempDir()
	openSources(t, root)
	build := "go() { (cd '" + root + "' && command go build -o '" + dir + "/bin/docket' ./cmd/docket); }\n"
	page := blocks(t)
	if server := os.Getenv("QUICKSTART_SERVER"); server != "" {
		all := len(page)
		page = slices.DeleteFunc(page, func(b block) bool { return onOneMachine.MatchString(b.commands) })
		if all-len(page) != 4 {
			t.Errorf("%d of %d blocks are about one machine, want 4", all-len(page), all)
		}
		lookLikeAServersFolder(t, dir, server)
		follow(t, dir, build+"go build\nalias docket=$PWD/bin/docket\n", page, server)
		return
	}
	follow(t, dir, build, page, freeAddress(t))
}

// lookLikeAServersFolder writes address and token where a server on this machine would have.
func lookLikeAServersFolder(t *testing.T, dir, server string) {
	t.Helper()
	folder := filepath.Join(dir, "docket-data")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"server": "http://" + server, "owner.token": os.Getenv("QUICKSTART_TOKEN")} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// follow runs the page in one shell, with the address of a server in place of the page's; first is what comes before it.
func follow(t *testing.T, dir, first string, page []block, server string) {
	t.Helper()
	const end = "== end of block"
	script := strings.Builder{}
	script.WriteString("set -eu -o pipefail\nshopt -s expand_aliases\n" + first)
	for i, b := range page {
		commands := strings.ReplaceAll(b.commands, address, server)
		// Commands are read as they come, so that an alias counts from the next line on.
		fmt.Fprintf(&script, "%s\necho '%s %d'\n", commands, end, i)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	shell := exec.CommandContext(ctx, "bash", "-s")
	shell.Dir = dir
	shell.Stdin = strings.NewReader(script.String())
	shell.Env = append(environment(), "TZ=UTC", "DOCKET_LISTEN="+server)
	shell.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	shell.Cancel = func() error { return syscall.Kill(-shell.Process.Pid, syscall.SIGKILL) }
	out, err := shell.CombinedOutput()
	if err != nil {
		_ = syscall.Kill(-shell.Process.Pid, syscall.SIGKILL) // the server, where the page ended before its end
		log, _ := os.ReadFile(filepath.Join(dir, "docket.log"))
		t.Fatalf("%v\n%s\ndocket said:\n%s", err, out, log)
	}
	rest := string(out)
	for i, b := range page {
		printed, after, ok := strings.Cut(rest, fmt.Sprintf("%s %d\n", end, i))
		if !ok {
			t.Fatalf("block %d has not ended:\n%s", i, rest)
		}
		rest = after
		if b.prints != "" && !says(b.prints).MatchString(printed) {
			t.Errorf("this block:\n%s\nprints:\n%s\nbut the page says:\n%s", b.commands, printed, b.prints)
		}
	}
}

// openSources has the go command see what the page's own build reads: it keeps a result for as long as that is the same.
func openSources(t *testing.T, root string) {
	t.Helper()
	list := exec.Command("go", "list", "-deps", "-f", "{{if and .Module .Module.Main}}{{range .GoFiles}}{{$.Dir}}/{{.}}\n{{end}}{{end}}", "./cmd/docket")
	list.Dir = root
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	for file := range strings.Lines(string(out)) {
		if file = strings.TrimSpace(file); file == "" {
			continue
		}
		if _, err := os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
	}
}

// says is the page's text as a pattern: … is any text, and on a line of its own any lines.
func says(text string) *regexp.Regexp {
	pattern := regexp.QuoteMeta(text)
	pattern = regexp.MustCompile(`(?m)^…\n`).ReplaceAllString(pattern, "(?:.*\n)*?")
	return regexp.MustCompile("^" + strings.ReplaceAll(pattern, "…", ".*?") + "$")
}

// environment is this process's, without settings for docket.
func environment() (env []string) {
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "DOCKET_") && !strings.HasPrefix(v, "TZ=") {
			env = append(env, v)
		}
	}
	return env
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
