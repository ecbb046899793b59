package local

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

const (
	// startWait is how long a server may take until it answers: it bounds failures, not successes.
	startWait = 90 * time.Second
	// stopWait is what it has to end in order; then it is killed.
	stopWait = 15 * time.Second
	// pollEvery is how often a server that starts is asked whether it answers.
	pollEvery = 25 * time.Millisecond
	// againAfter is the pause before one that has ended is started again.
	againAfter = 300 * time.Millisecond
)

// command is how a process is started.
type command struct {
	path string
	args []string
	dir  string   // "" for that of the log
	env  []string // besides this process's own
	// unprivileged gives up root's identity, where this process has it.
	unprivileged bool
	// follows marks what no request waits for: it reacts to changes.
	follows bool
	// quit is the signal that ends it in order; nil means SIGTERM.
	quit os.Signal
}

// politeness is the nice value of what follows: where a machine has more to do than processors, requests go first.
const politeness = "10"

// polite has what follows give way, where the system has nice(1).
func (c command) polite() command {
	if nice, err := exec.LookPath("nice"); err == nil && c.follows {
		c.path, c.args = nice, append([]string{"-n", politeness, c.path}, c.args...)
	}
	return c
}

// Process is one server. It keeps its ports and its data over any number of starts. The zero Process is not usable.
type Process struct {
	Name string
	// LogFile gets what it says, of all its starts.
	LogFile string

	command func() command
	ready   func(context.Context) error
	// again starts it anew where it ends instead of answering. PostgreSQL does while children of a killed server are left;
	// a sidecar does when several create the tables of a new database at once, and is started again by Kubernetes.
	again bool

	mu     sync.Mutex
	cmd    *exec.Cmd
	quit   os.Signal
	exited chan struct{} // closed when the last start has ended
}

// Start starts it and waits until it answers. It has to be stopped, or never started.
func (p *Process) Start(ctx context.Context) error {
	if err := p.Launch(); err != nil {
		return err
	}
	return p.Ready(ctx)
}

// Launch starts it and does not wait.
func (p *Process) Launch() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running() {
		return fmt.Errorf("%s is running already", p.Name)
	}
	if err := os.MkdirAll(filepath.Dir(p.LogFile), 0o700); err != nil {
		return err
	}
	log, err := os.OpenFile(p.LogFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	c := p.command().polite()
	cmd := exec.Command(c.path, c.args...)
	cmd.Env, cmd.Dir = append(os.Environ(), c.env...), c.dir
	if cmd.Dir == "" {
		cmd.Dir = filepath.Dir(p.LogFile)
	}
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = attributes(c.unprivileged)
	err = errors.Join(cmd.Start(), log.Close())
	if err != nil {
		return fmt.Errorf("start %s: %w", p.Name, err)
	}
	exited := make(chan struct{})
	p.cmd, p.exited, p.quit = cmd, exited, c.quit
	go func() {
		_ = cmd.Wait() // how it ended is in its log
		close(exited)
	}()
	return nil
}

// Ready waits until it answers.
func (p *Process) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startWait)
	defer cancel()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		err := p.ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-p.Exited():
			if p.again {
				if err := errors.Join(sleep(ctx, againAfter), p.Launch()); err != nil {
					return fmt.Errorf("%w; it said:\n%s", err, p.tail())
				}
				continue
			}
			return fmt.Errorf("%s has ended instead of answering; it said:\n%s", p.Name, p.tail())
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer: %w; it said:\n%s", p.Name, err, p.tail())
		case <-tick.C:
		}
	}
}

// sleep waits for d, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// Exited is closed when it is not running.
func (p *Process) Exited() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.exited == nil {
		never := make(chan struct{})
		close(never)
		return never
	}
	return p.exited
}

// running is called with mu held.
func (p *Process) running() bool {
	if p.exited == nil {
		return false
	}
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

// Kill ends it as kill -9 does, and returns when it is gone.
func (p *Process) Kill() { p.signal(os.Kill) }

// Stop asks it to end and returns when it has; after 15 s it is killed.
func (p *Process) Stop() {
	p.mu.Lock()
	quit := p.quit
	p.mu.Unlock()
	if quit == nil {
		quit = syscall.SIGTERM
	}
	p.signal(quit)
}

func (p *Process) signal(s os.Signal) {
	p.mu.Lock()
	cmd, exited, running := p.cmd, p.exited, p.running()
	p.mu.Unlock()
	if !running {
		return
	}
	_ = cmd.Process.Signal(s) // unless it has just ended
	limit := time.NewTimer(stopWait)
	defer limit.Stop()
	select {
	case <-exited:
	case <-limit.C:
		_ = cmd.Process.Kill()
		<-exited
	}
}

// tailBytes is how much of a log an error shows.
const tailBytes = 4 << 10

func (p *Process) tail() string {
	b, err := os.ReadFile(p.LogFile)
	if err != nil {
		return err.Error()
	}
	return string(b[max(0, len(b)-tailBytes):])
}

// listens tells whether something accepts connections at the port.
func listens(ctx context.Context, port int) error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address(port))
	if err != nil {
		return err
	}
	return conn.Close()
}

// answers tells whether a GET of the path is answered with 2xx.
func answers(ctx context.Context, port int, path string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address(port)+path, nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	if err := res.Body.Close(); err != nil {
		return err
	}
	if res.StatusCode/100 != 2 {
		return fmt.Errorf("%s answers %s", req.URL, res.Status)
	}
	return nil
}
