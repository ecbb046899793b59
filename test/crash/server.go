package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"sync/atomic"
	"syscall"
	"time"
)

// server is one process of docket.
type server struct {
	cmd   *exec.Cmd
	url   string
	began time.Time
	// gone is closed when the process has ended.
	gone chan struct{}
	// killed is set before this program kills it; another end by a signal is that of a failpoint.
	killed atomic.Bool
	line   chan string
}

// errGone says that the process ended before it was of use.
var errGone = errors.New("docket ended while starting")

var firstLine = regexp.MustCompile(`serves (http://[^,\s]+)`)

// spawn runs docket on the folder. A failpoint, unless empty, is "name#n".
func spawn(ctx context.Context, binary, dir, failpoint string) (*server, error) {
	log, err := os.OpenFile(dir+".log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close() // the child has its own
	s := &server{gone: make(chan struct{}), line: make(chan string, 1), began: time.Now()}
	s.cmd = exec.CommandContext(ctx, binary, "serve", "--listen", "127.0.0.1:0", "--data", dir, "--log-level", "warn")
	s.cmd.Env = append(os.Environ(), "DOCKET_FAILPOINT="+failpoint)
	s.cmd.Stderr = log
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(log, "--- start, failpoint %q\n", failpoint)
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start docket: %w", err)
	}
	go func() {
		in := bufio.NewReader(out)
		first, _ := in.ReadString('\n') // an end without a line is seen by serving
		s.line <- first
		_, _ = io.Copy(io.Discard, in)
		_ = s.cmd.Wait() // how it ended is in ProcessState
		close(s.gone)
	}()
	return s, nil
}

// serving waits until docket says where it serves; errGone where it ends before that.
func (s *server) serving(limit time.Duration) error {
	select {
	case first := <-s.line:
		m := firstLine.FindStringSubmatch(first)
		if m == nil {
			<-s.gone
			return errGone
		}
		s.url = m[1]
		return nil
	case <-time.After(limit):
		s.kill()
		return fmt.Errorf("docket has not said where it serves for %s", limit)
	}
}

// kill ends the process with SIGKILL and waits for its end.
func (s *server) kill() {
	s.killed.Store(true)
	_ = s.cmd.Process.Kill() // it may have ended by itself
	<-s.gone
}

// atFailpoint tells whether the process, which has ended, killed itself.
func (s *server) atFailpoint() bool { return !s.killed.Load() && s.cmd.ProcessState.ExitCode() == -1 }

// terminate asks the process to end and demands that it does so in time and without an error.
func (s *server) terminate(limit time.Duration) error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("terminate docket: %w", err)
	}
	select {
	case <-s.gone:
	case <-time.After(limit):
		return violation{kind: "shutdown", detail: fmt.Sprintf("docket still runs %s after SIGTERM", limit)}
	}
	if code := s.cmd.ProcessState.ExitCode(); code != 0 {
		return violation{kind: "shutdown", detail: fmt.Sprintf("after SIGTERM docket ended with code %d", code)}
	}
	return nil
}

// hasEnded tells whether the process has ended or, after a moment, does: an answer that broke off says so first.
func (s *server) hasEnded() bool {
	select {
	case <-s.gone:
		return true
	case <-time.After(2 * time.Second):
		return false
	}
}
