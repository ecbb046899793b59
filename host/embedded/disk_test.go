//go:build unix

package embedded

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	"github.com/docket-tasks/docket/host"
)

// A full database says so, changes nothing, and goes on when there is room again.
func TestFull(t *testing.T) {
	n := openNode(t, Options{Logger: quiet()})
	state := n.Host("worker").State
	limit := func(pages int) {
		n.writer.between(func() {
			if err := n.writer.db.exec(fmt.Sprintf("PRAGMA max_page_count = %d", pages)); err != nil {
				t.Error(err)
			}
		})
	}
	limit(1) // SQLite makes that what there is
	tx := host.Tx{Ops: []host.Op{host.Put("small", []byte("x")), host.Put("big", make([]byte, 500<<10))}}
	err := state.Commit(t.Context(), tx)
	if !errors.Is(err, host.ErrUnavailable) || !bytes.Contains([]byte(err.Error()), []byte("is full; free some space")) {
		t.Fatalf("commit on a full disk: %v", err)
	}
	if mustGet(t, state, "small").Exists() {
		t.Error("half of the refused commit is there")
	}
	limit(1 << 30)
	if err := state.Commit(t.Context(), tx); err != nil {
		t.Errorf("commit with space again: %v", err)
	}
}

// A start on a full disk says which folder it is about and what to do, wherever it stops.
func TestStartOnFullDisk(t *testing.T) {
	n := openNode(t, Options{Logger: quiet()})
	n.writer.between(func() {
		if err := n.writer.db.exec("PRAGMA max_page_count = 1"); err != nil {
			t.Error(err)
		}
	})
	state := n.Host("worker").State
	for size := 64 << 10; size > 0; size /= 2 { // until the pages that there are have no room either
		for i := 0; state.Commit(t.Context(), host.Tx{Ops: []host.Op{host.Put(fmt.Sprint(size, "/", i), make([]byte, size))}}) == nil; i++ {
		}
	}
	none := func(context.Context, host.Message) error { return nil }
	var subscriptions []host.Subscription
	for i := range 500 { // more names than the last page of their table takes
		subscriptions = append(subscriptions, host.Subscription{Topic: fmt.Sprint("topic", i), Mode: host.Shared, Handle: none})
	}
	started := n.Start(t.Context(), host.Service{Name: "worker", Subscriptions: subscriptions})
	lock := refused(n.dir, &fs.PathError{Op: "open", Path: lockName, Err: syscall.ENOSPC})
	for where, err := range map[string]error{"deliveries": started, "lock": lock, "database": n.openError(errors.Unwrap(errors.Unwrap(started)))} {
		var full *FullError
		if !errors.As(err, &full) || full.Dir != n.dir || !strings.Contains(err.Error(), n.dir+" is full (") || !strings.Contains(err.Error(), "free some space") {
			t.Errorf("%s: %v", where, err)
		}
	}
}

// The kernel refuses to let the files grow: commits fail whole, and succeed again when it no longer does.
func TestKernelRefusesToGrow(t *testing.T) {
	dir := t.TempDir()
	out, err := child(t, "limited", dir, nil).Output()
	if err != nil {
		t.Fatalf("child: %v, said %.300s", err, out)
	}
	said := lines(bytes.NewReader(out))
	if len(said["ok"]) == 0 || len(said["refused"]) < 2 || len(said["after"]) != 1 {
		t.Fatalf("child said %.500v", said)
	}
	state := openNode(t, Options{Dir: dir}).Host("worker").State
	for _, key := range append(said["ok"], said["after"]...) {
		if !mustGet(t, state, key).Exists() || !mustGet(t, state, key+"/twin").Exists() {
			t.Errorf("%s was acknowledged and is not whole", key)
		}
	}
	for _, key := range said["refused"] {
		if mustGet(t, state, key).Exists() || mustGet(t, state, key+"/twin").Exists() {
			t.Errorf("%s was refused and is there", key)
		}
	}
}

func limitedChild(ctx context.Context, dir string) error {
	signal.Ignore(syscall.SIGXFSZ)
	n, err := Open(ctx, Options{Dir: dir, Logger: quiet()})
	if err != nil {
		return err
	}
	state := n.Host("worker").State
	put := func(key string) error {
		return state.Commit(ctx, host.Tx{Ops: []host.Op{host.Put(key, make([]byte, 20<<10)), host.Put(key+"/twin", nil)}})
	}
	var normal syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &normal); err != nil {
		return err
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 1 << 20, Max: normal.Max}); err != nil {
		return err
	}
	refused := 0
	for i := 0; refused < 5 && i < 1000; i++ {
		key := fmt.Sprint("k", i)
		switch err := put(key); {
		case err == nil:
			say("ok %s", key)
		case errors.Is(err, host.ErrUnavailable):
			refused++
			say("refused %s", key)
		default:
			return err
		}
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &normal); err != nil {
		return err
	}
	if err := put("last"); err != nil {
		return err
	}
	say("after last")
	return n.Close(ctx)
}
