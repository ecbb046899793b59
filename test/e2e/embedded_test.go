package e2e

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// embedded is the real binary without a command: all services in one process, on one folder of data.
type embedded struct {
	dir     string
	address string
	log     log
	running *process
}

// process is one run of the binary.
type process struct {
	cmd    *exec.Cmd
	exited chan struct{} // closed when it has ended; then err is its outcome
	err    error
}

// log keeps what all runs have said.
type log struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

var serves = regexp.MustCompile(`serves http://([^,\s]+)`)

func (e *embedded) data() string { return filepath.Join(e.dir, "data") }

func (e *embedded) start(t *testing.T) {
	t.Helper()
	if e.running == nil { // the first time
		t.Cleanup(func() { e.end(t) })
	}
	cmd := exec.Command(binary, "--listen", "127.0.0.1:0", "--data", e.data(), "--allow-private-webhooks", "--sign-up", "invitation", "--log-level", "warn")
	cmd.Args = slices.Concat(cmd.Args, mailing(), providing())
	cmd.Env, cmd.Dir = slices.Concat(environment(), tracing(), []string{clientSecret}), e.dir
	cmd.Stderr = &e.log
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{cmd: cmd, exited: make(chan struct{})}
	e.running = p
	address := make(chan string, 1)
	go func() {
		lines := bufio.NewReader(out)
		first, _ := lines.ReadString('\n') // an end of file shows below, as no address
		if m := serves.FindStringSubmatch(first); m != nil {
			address <- m[1]
		}
		_, _ = io.Copy(&e.log, lines)
		p.err = cmd.Wait()
		close(p.exited)
	}()
	select {
	case e.address = <-address:
	case <-p.exited:
		t.Fatalf("docket did not start: %v", p.err)
	case <-time.After(patience):
		t.Fatal("docket does not say where it serves")
	}
}

// environment is this process's without settings for docket, and with a zone that does not vary.
func environment() []string {
	env := []string{"TZ=Europe/Berlin"}
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "DOCKET_") && !strings.HasPrefix(v, "TZ=") {
			env = append(env, v)
		}
	}
	return env
}

// tracing has every span sent to the collector of the tests.
func tracing() []string {
	return []string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + collecting().URL, "OTEL_BSP_SCHEDULE_DELAY=100"}
}

func (*embedded) shared() bool        { return false }
func (e *embedded) gateway() string   { return "http://" + e.address }
func (e *embedded) figures() []string { return []string{e.gateway() + "/metrics"} }
func (e *embedded) socket() string    { return "ws://" + e.address + "/ws" }

func (e *embedded) ownerToken(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(e.data(), "owner.token"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(b))
}

// stopTime is what SPEC.md gives a process to finish what it has begun; half a second more is for the machine.
const stopTime = 10*time.Second + 500*time.Millisecond

func (e *embedded) stop(t *testing.T) {
	t.Helper()
	p := e.running
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-p.exited:
	case <-time.After(stopTime):
		t.Fatal("docket has not stopped in time")
	}
	if p.err != nil {
		t.Errorf("docket stopped with %v", p.err)
	}
}

func (e *embedded) kill(t *testing.T) {
	t.Helper()
	if err := e.running.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-e.running.exited
}

func (e *embedded) check(t *testing.T) {
	t.Helper()
	cmd := exec.Command(binary, "check", "--data", e.data())
	cmd.Env = environment()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("docket check: %v\n%s", err, out)
	}
}

// end leaves no process behind, and shows the log of a scenario that failed.
func (e *embedded) end(t *testing.T) {
	select {
	case <-e.running.exited:
	default:
		_ = e.running.cmd.Process.Kill()
		<-e.running.exited
	}
	if said := e.log.String(); t.Failed() {
		t.Logf("what docket said:\n%s", said)
	} else if strings.Contains(said, "level=ERROR") {
		t.Errorf("docket has logged an error:\n%s", said)
	}
}
