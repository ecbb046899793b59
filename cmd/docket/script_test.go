package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// The scripts run the program as its users do: the server as a process with a data folder of its own, and the client
// against it, through every service: from a change to its event, to the history, the next occurrence, the reminder
// in the inbox and the live update.
//
// [Task]: T092
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv("DOCKET_DATA", filepath.Join(e.WorkDir, "data"))
			e.Setenv("XDG_CACHE_HOME", filepath.Join(e.WorkDir, "cache"))
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("TZ", "UTC")
			jobs := &processes{running: map[string]*process{}}
			e.Values[processesKey] = jobs
			e.Defer(jobs.killAll)
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"start":  cmdStart,
			"expect": cmdExpect,
			"halt":   cmdHalt,
			"exits":  cmdExits,
			"keep":   cmdKeep,
			"shows":  cmdShows,
		},
	})
}

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"docket": func() {
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
			code := run(ctx, os.Args[1:])
			stop()
			os.Exit(code)
		},
	})
}

const processesKey = "processes"

// scriptTime bounds what a script waits for.
const scriptTime = 30 * time.Second

// processes are what a script has started.
type processes struct{ running map[string]*process }

func (p *processes) killAll() {
	for _, proc := range p.running {
		_ = proc.cmd.Process.Kill()
		<-proc.ended
	}
}

// process is one docket in the background.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{}
	err   error

	mu   sync.Mutex
	text bytes.Buffer
	more chan struct{} // closed when text grows
}

func (p *process) collect(r io.Reader) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		p.mu.Lock()
		p.text.Write(lines.Bytes())
		p.text.WriteByte('\n')
		close(p.more)
		p.more = make(chan struct{})
		p.mu.Unlock()
	}
}

func (p *process) soFar() (string, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String(), p.more
}

// cmdStart starts docket: start NAME ARG…
func cmdStart(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: start NAME ARG…")
	}
	program := filepath.Join(filepath.SplitList(ts.Getenv("PATH"))[0], "docket")
	p := &process{cmd: exec.Command(program, args[1:]...), ended: make(chan struct{}), more: make(chan struct{})}
	p.cmd.Dir = ts.MkAbs(".")
	for _, name := range []string{"PATH", "HOME", "XDG_CACHE_HOME", "DOCKET_DATA", "DOCKET_TOKEN", "DOCKET_SERVER", "TZ"} {
		if v := ts.Getenv(name); v != "" {
			p.cmd.Env = append(p.cmd.Env, name+"="+v)
		}
	}
	r, w, err := os.Pipe()
	ts.Check(err)
	p.cmd.Stdout, p.cmd.Stderr = w, w
	ts.Check(p.cmd.Start())
	ts.Check(w.Close())
	go func() {
		p.collect(r)
		p.err = errors.Join(p.cmd.Wait(), r.Close())
		close(p.ended)
	}()
	ts.Value(processesKey).(*processes).running[args[0]] = p
}

func named(ts *testscript.TestScript, name string) *process {
	p := ts.Value(processesKey).(*processes).running[name]
	if p == nil {
		ts.Fatalf("%s was not started", name)
	}
	return p
}

// cmdExpect waits until the output of a process has what a regular expression describes: expect NAME REGEXP.
func cmdExpect(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: expect NAME REGEXP")
	}
	p, want := named(ts, args[0]), regexp.MustCompile("(?m)"+args[1])
	limit := time.After(scriptTime)
	for {
		text, more := p.soFar()
		if want.MatchString(text) {
			return
		}
		select {
		case <-more:
		case <-p.ended:
			if text, _ = p.soFar(); !want.MatchString(text) {
				ts.Fatalf("%s ended (%v) without %q:\n%s", args[0], p.err, args[1], text)
			}
			return
		case <-limit:
			ts.Fatalf("%s has no %q:\n%s", args[0], args[1], text)
		}
	}
}

// cmdHalt interrupts a process, as ctrl-c does, and holds it to end well; with -kill it is killed: halt [-kill] NAME. It is
// not named stop, as testscript's own command of that name comes first, and ends the script as passed.
func cmdHalt(ts *testscript.TestScript, neg bool, args []string) {
	kill := len(args) == 2 && args[0] == "-kill"
	if kill {
		args = args[1:]
	}
	if neg || len(args) != 1 {
		ts.Fatalf("usage: halt [-kill] NAME")
	}
	p := named(ts, args[0])
	how := os.Interrupt
	if kill {
		how = os.Kill
	}
	ts.Check(p.cmd.Process.Signal(how))
	select {
	case <-p.ended:
	case <-time.After(scriptTime):
		ts.Fatalf("%s does not end", args[0])
	}
	if p.err != nil && !kill {
		text, _ := p.soFar()
		ts.Fatalf("%s: %v\n%s", args[0], p.err, text)
	}
}

// cmdShows runs docket until its output has what a regular expression describes, as services hear of a change one after the
// other: shows REGEXP ARG…
func cmdShows(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: shows REGEXP ARG…")
	}
	want := regexp.MustCompile("(?m)" + args[0])
	for limit := time.Now().Add(scriptTime); ; time.Sleep(20 * time.Millisecond) {
		ts.Check(ts.Exec("docket", args[1:]...))
		if want.MatchString(ts.ReadFile("stdout")) {
			return
		}
		if time.Now().After(limit) {
			ts.Fatalf("docket %v does not show %q", args[1:], args[0])
		}
	}
}

// cmdExits runs docket and holds it to an exit code: exits CODE ARG…
func cmdExits(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[0])
	if neg || err != nil || len(args) < 2 {
		ts.Fatalf("usage: exits CODE ARG…")
	}
	got := 0
	if err := ts.Exec("docket", args[1:]...); err != nil {
		failed, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = failed.ExitCode()
	}
	if got != want {
		ts.Fatalf("docket %q exits with %d, want %d", args[1:], got, want)
	}
}

// cmdKeep puts what the first group of a regular expression finds in the last output into a variable: keep NAME REGEXP.
func cmdKeep(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: keep NAME REGEXP")
	}
	out := ts.ReadFile("stdout")
	found := regexp.MustCompile("(?m)" + args[1]).FindStringSubmatch(out)
	if len(found) < 2 {
		ts.Fatalf("no %q in:\n%s", args[1], out)
	}
	ts.Setenv(args[0], found[1])
}
