//go:build unix

package embedded

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/docket-tasks/docket/host"
)

const installStrace = "apt-get install strace"

// None of 1,000 acknowledgements is given before the write-ahead log has been flushed after its last write. The order is
// the kernel's, as strace sees it.
func TestNoAcknowledgementBeforeItsFsync(t *testing.T) {
	strace := needs(t, "strace", installStrace)
	trace := filepath.Join(t.TempDir(), "trace")
	cmd := child(t, "fsync", t.TempDir(), []string{strace, "-f", "-o", trace, "-e", "trace=open,openat,pwrite64,write,fsync,fdatasync"})
	if out, err := cmd.Output(); err != nil || bytes.Count(out, []byte("ack")) != 1000 {
		t.Fatalf("child: %v, said %.200s", err, out)
	}
	raw, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	acks, early := checkTrace(string(raw))
	if acks != 1000 || len(early) > 0 {
		t.Errorf("%d acknowledgements seen, before their fsync: %v", acks, early)
	}
}

func fsyncChild(ctx context.Context, dir string) error {
	n, err := Open(ctx, Options{Dir: dir})
	if err != nil {
		return err
	}
	for i := range 1000 {
		if err := n.Host("worker").State.Commit(ctx, host.Tx{Ops: []host.Op{host.Put("k"+strconv.Itoa(i%50), []byte(strconv.Itoa(i)))}}); err != nil {
			return err
		}
		say("ack %d", i)
	}
	return n.Close(ctx)
}

// A syscall is one line, or two where another thread came between.
var (
	opened  = regexp.MustCompile(`open(?:at)?\([^)]*-wal"[^)]*\) = (\d+)`)
	wrote   = regexp.MustCompile(`^\d+ +pwrite64\((\d+)`)
	flushed = regexp.MustCompile(`^(\d+) +(?:fsync|fdatasync)\((\d+)\) += 0`)
	began   = regexp.MustCompile(`^(\d+) +(?:fsync|fdatasync)\((\d+) <unfinished`)
	resumed = regexp.MustCompile(`^(\d+) +<\.\.\. (?:fsync|fdatasync) resumed>\) += 0`)
	acked   = regexp.MustCompile(`^\d+ +write\(1, "(ack \d+)`)
)

// checkTrace returns how many acknowledgements a trace has, and which came without a write and a flush before them.
func checkTrace(trace string) (acks int, early []string) {
	wal := map[string]bool{}
	pending := map[string]string{} // thread → descriptor being flushed
	written, durable := false, false
	for line := range strings.Lines(trace) {
		if m := opened.FindStringSubmatch(line); m != nil {
			wal[m[1]] = true
		} else if m := wrote.FindStringSubmatch(line); m != nil && wal[m[1]] {
			written, durable = true, false
		} else if m := began.FindStringSubmatch(line); m != nil {
			pending[m[1]] = m[2]
		} else if m := flushed.FindStringSubmatch(line); m != nil && wal[m[2]] {
			durable = written
		} else if m := resumed.FindStringSubmatch(line); m != nil && wal[pending[m[1]]] {
			durable = written
		} else if m := acked.FindStringSubmatch(line); m != nil {
			acks++
			if !durable {
				early = append(early, m[1])
			}
			written, durable = false, false
		}
	}
	return acks, early
}

// The check above must see what it is there for.
func TestTraceCheck(t *testing.T) {
	const open, write, flush = "1 openat(AT_FDCWD, \"/d/docket.db-wal\", O_RDWR) = 7\n", "1 pwrite64(7, \"x\", 1, 0) = 1\n", "1 fdatasync(7) = 0\n"
	for trace, early := range map[string]int{
		open + write + flush + "1 write(1, \"ack 0\\n\", 6) = 6\n":                                                      0,
		open + write + "2 fsync(7 <unfinished ...>\n1 x\n2 <... fsync resumed>) = 0\n1 write(1, \"ack 0\\n\", 6) = 6\n": 0,
		open + write + "1 write(1, \"ack 0\\n\", 6) = 6\n" + flush:                                                      1,
		open + write + "2 fsync(7 <unfinished ...>\n1 write(1, \"ack 0\\n\", 6) = 6\n2 <... fsync resumed>) = 0\n":      1,
		open + write + "1 fdatasync(7) = -1 EIO (Input/output error) (INJECTED)\n1 write(1, \"ack 0\\n\", 6) = 6\n":     1,
		open + flush + "1 write(1, \"ack 0\\n\", 6) = 6\n":                                                              1,
		open + write + flush + write + "1 write(1, \"ack 0\\n\", 6) = 6\n":                                              1,
		open + write + "1 fdatasync(8) = 0\n1 write(1, \"ack 0\\n\", 6) = 6\n":                                          1,
		open + write + flush + "1 write(1, \"ack 0\\n\", 6) = 6\n1 write(1, \"ack 1\\n\", 6) = 6\n":                     1,
	} {
		if _, got := checkTrace(trace); len(got) != early {
			t.Errorf("%d early acknowledgements found, want %d in\n%s", len(got), early, trace)
		}
	}
}

// A flush that fails is no acknowledgement. Where the next one succeeds the host knows that nothing happened, and goes on;
// where none does it says that it does not know.
func TestFlushFails(t *testing.T) {
	strace := needs(t, "strace", installStrace)
	for name, c := range map[string]struct{ when, outcome string }{
		"now and then": {"20+7", "unavailable"},
		"for good":     {"20+", "unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			inject := "inject=fsync,fdatasync:error=EIO:when=" + c.when
			cmd := child(t, "flush", dir, []string{strace, "-f", "-o", os.DevNull, "-e", "trace=fsync,fdatasync", "-e", inject})
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("child: %v, said %.300s", err, out)
			}
			said := lines(bytes.NewReader(out))
			if len(said["ok"]) == 0 || len(said[c.outcome]) == 0 || len(said["other"]) > 0 {
				t.Fatalf("%d ok, %d unavailable, %d unknown, others: %v; want some ok and some %s",
					len(said["ok"]), len(said["unavailable"]), len(said["unknown"]), said["other"], c.outcome)
			}
			state := openNode(t, Options{Dir: dir}).Host("worker").State
			for _, key := range said["ok"] {
				if !mustGet(t, state, key).Exists() {
					t.Errorf("%s was acknowledged and is lost", key)
				}
			}
			for _, key := range said["unavailable"] {
				if mustGet(t, state, key).Exists() {
					t.Errorf("%s was refused and is there", key)
				}
			}
		})
	}
}

func flushChild(ctx context.Context, dir string) error {
	n, err := Open(ctx, Options{Dir: dir, Logger: quiet()})
	if err != nil {
		return err
	}
	for i := range 300 {
		key := fmt.Sprint("k", i)
		switch err := n.Host("worker").State.Commit(ctx, host.Tx{Ops: []host.Op{host.Create(key, make([]byte, 3000))}}); {
		case err == nil:
			say("ok %s", key)
		case errors.Is(err, host.ErrUnavailable):
			say("unavailable %s", key)
		case errors.Is(err, host.ErrUnknown):
			say("unknown %s", key)
		default:
			say("other %v", err)
		}
	}
	return nil // as if it died: closing would flush again
}
