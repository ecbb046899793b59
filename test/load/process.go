package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// patience is how long anything may take that is sure to come.
const patience = 60 * time.Second

// process is a server that this program has started.
type process struct {
	cmd  *exec.Cmd
	addr string // host:port
	gone chan struct{}
}

var firstLine = regexp.MustCompile(`serves http://([^,\s]+)`)

// launch starts a server and waits until it says where it serves.
func launch(ctx context.Context, name string, args ...string) (*process, error) {
	p := &process{cmd: exec.CommandContext(ctx, name, args...), gone: make(chan struct{})}
	p.cmd.Stderr = os.Stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	line := make(chan string, 1)
	go func() {
		in := bufio.NewReader(out)
		first, _ := in.ReadString('\n') // an end without a line is seen below
		line <- first
		_, _ = io.Copy(io.Discard, in)
		_ = p.cmd.Wait() // how it ended is nobody's concern
		close(p.gone)
	}()
	select {
	case first := <-line:
		if m := firstLine.FindStringSubmatch(first); m != nil {
			p.addr = m[1]
			return p, nil
		}
		err = fmt.Errorf("%s has ended, or said %q, instead of where it serves", name, first)
	case <-time.After(patience):
		err = fmt.Errorf("%s has not said where it serves for %s", name, patience)
	}
	p.kill()
	return nil, err
}

// bareServer starts this program as the bare server.
func (b *bench) bareServer(ctx context.Context) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(b.dir, "bare-*")
	if err != nil {
		return nil, err
	}
	return launch(ctx, self, "-bare", dir)
}

// stop ends the process as an operator would, and with SIGKILL where that takes too long.
func (p *process) stop() error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended by itself
	select {
	case <-p.gone:
		return nil
	case <-time.After(patience):
		p.kill()
		return errors.New("the server did not end after SIGTERM")
	}
}

// kill ends the process at once.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended by itself
	<-p.gone
}

// metrics are the figures a server tells of itself, by name with labels as Prometheus writes them.
type metrics map[string]float64

// metrics asks the process.
func (p *process) metrics(ctx context.Context) (metrics, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.addr+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept-Encoding", "identity") // to compress it would be work of the one that is measured
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	out := metrics{}
	lines := bufio.NewScanner(res.Body)
	for lines.Scan() {
		name, value, ok := cutLast(lines.Text(), " ")
		if v, err := strconv.ParseFloat(value, 64); ok && err == nil && !strings.HasPrefix(name, "#") {
			out[name] = v
		}
	}
	return out, lines.Err()
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// sum adds the series of one metric.
func (m metrics) sum(name string) (total float64) {
	for series, v := range m {
		if series == name || strings.HasPrefix(series, name+"{") {
			total += v
		}
	}
	return total
}

// cpu is the processor time the process has used, in seconds, to the hundredth.
func (p *process) cpu(ctx context.Context) (float64, error) {
	m, err := p.metrics(ctx)
	if err != nil {
		return 0, err
	}
	v, ok := m["process_cpu_seconds_total"]
	if !ok {
		return 0, errors.New("the server does not tell its processor time on this system")
	}
	return v, nil
}

// docket is a running server with its data.
type docket struct {
	*process
	dir   string
	owner user
}

// docket starts the server on a new data folder.
func (b *bench) docket(ctx context.Context) (*docket, error) {
	dir, err := os.MkdirTemp(b.dir, "docket-*")
	if err != nil {
		return nil, err
	}
	return b.restart(ctx, dir)
}

// restart starts the server on a folder that may hold data.
func (b *bench) restart(ctx context.Context, dir string) (*docket, error) {
	p, err := launch(ctx, b.binary, "serve", "--listen", "127.0.0.1:0", "--data", dir, "--log-level", "error")
	if err != nil {
		return nil, err
	}
	token, err := os.ReadFile(filepath.Join(dir, "owner.token"))
	if err != nil {
		return nil, errors.Join(err, p.stop())
	}
	return &docket{process: p, dir: dir, owner: user{token: strings.TrimSpace(string(token))}}, nil
}

// settled waits until every event has been handled: by audit, by recurrence, by notification.
func (d *docket) settled(ctx context.Context) error {
	deadline := time.Now().Add(10 * patience)
	for time.Now().Before(deadline) {
		m, err := d.metrics(ctx)
		if err != nil {
			return err
		}
		if m.sum("docket_consumer_lag")+m.sum("docket_parked") == 0 {
			return nil
		}
		if err := pause(ctx, 5*time.Millisecond); err != nil {
			return err
		}
	}
	return errors.New("docket has not handled its events")
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
