//go:build unix

package embedded

import (
	"bufio"
	"bytes"
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/docket-tasks/docket/host"
)

func closed(t *testing.T, n *Node) {
	t.Helper()
	if err := n.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func mustCommit(t *testing.T, s host.State, tx host.Tx) {
	t.Helper()
	if err := s.Commit(t.Context(), tx); err != nil {
		t.Fatal(err)
	}
}

// Another process on the folder is named, and when it dies, however it dies, the folder is free.
func TestInUse(t *testing.T) {
	dir := t.TempDir()
	holder := child(t, "holder", dir, nil)
	out, err := holder.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "open\n" {
		t.Fatalf("holder said %q, %v", line, err)
	}
	_, err = Open(t.Context(), Options{Dir: dir})
	var inUse *InUseError
	if !errors.As(err, &inUse) || inUse.PID != holder.Process.Pid {
		t.Errorf("opening a folder in use: %v, want an InUseError with pid %d", err, holder.Process.Pid)
	}
	if err := Restore(t.Context(), "any", dir); !errors.As(err, &inUse) {
		t.Errorf("restoring into a folder in use: %v", err)
	}
	backup := filepath.Join(t.TempDir(), "backup.db")
	if err := Backup(t.Context(), dir, backup); err != nil {
		t.Errorf("backup beside a running process: %v", err)
	}
	if err := holder.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = holder.Wait() // killed, as asked
	n := openNode(t, Options{Dir: dir})
	if got := mustGet(t, n.Host("worker").State, "k"); string(got.Value) != "held" {
		t.Errorf("after the holder's death k = %q", got.Value)
	}
}

func holderChild(ctx context.Context, dir string) error {
	n, err := Open(ctx, Options{Dir: dir})
	if err != nil {
		return err
	}
	if err := n.Host("worker").State.Commit(ctx, host.Tx{Ops: []host.Op{host.Put("k", []byte("held"))}}); err != nil {
		return err
	}
	say("open")
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return err
	}
	select {} // until killed
}

func TestNewerData(t *testing.T) {
	dir := t.TempDir()
	closed(t, openNode(t, Options{Dir: dir, Version: "9.9"}))
	edit(t, filepath.Join(dir, databaseName), fmt.Sprintf("PRAGMA user_version = %d", len(migrations)+2))
	_, err := Open(t.Context(), Options{Dir: dir})
	var newer *NewerDataError
	if !errors.As(err, &newer) || newer.Have != len(migrations)+2 || newer.WrittenBy != "9.9" {
		t.Errorf("opening newer data: %v", err)
	}
	if _, err := OpenReader(t.Context(), dir); !errors.As(err, &newer) {
		t.Errorf("reading newer data: %v", err)
	}
}

func edit(t *testing.T, file, sql string) {
	t.Helper()
	db, err := openConn(t.Context(), file, writing)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.exec(sql), db.close()); err != nil {
		t.Fatal(err)
	}
}

func TestForeignFile(t *testing.T) {
	for name, make := range map[string]func(t *testing.T, file string){
		"text":              func(t *testing.T, file string) { writeFile(t, file, strings.Repeat("this is no database\n", 100)) },
		"another program's": func(t *testing.T, file string) { edit(t, file, "CREATE TABLE theirs (x)") },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			make(t, filepath.Join(dir, databaseName))
			var not *NotDataError
			if _, err := Open(t.Context(), Options{Dir: dir}); !errors.As(err, &not) {
				t.Errorf("opened: %v, want a NotDataError", err)
			}
			if err := Restore(t.Context(), filepath.Join(dir, databaseName), t.TempDir()); !errors.As(err, &not) {
				t.Errorf("restored: %v, want a NotDataError", err)
			}
		})
	}
}

func writeFile(t *testing.T, file, content string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestNotWritable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a-file")
	writeFile(t, file, "")
	for _, dir := range []string{file, filepath.Join(file, "below")} {
		var not *NotWritableError
		if _, err := Open(t.Context(), Options{Dir: dir}); !errors.As(err, &not) {
			t.Errorf("Open(%s): %v, want a NotWritableError", dir, err)
		}
	}
	dir := filepath.Join(t.TempDir(), "new")
	closed(t, openNode(t, Options{Dir: dir}))
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the new folder: %v, %v", info.Mode(), err)
	}
}

// Data of an older format is copied aside, then migrated, and opens as before.
func TestMigration(t *testing.T) {
	dir := t.TempDir()
	n := openNode(t, Options{Dir: dir})
	mustCommit(t, n.Host("worker").State, host.Tx{Ops: []host.Op{host.Put("k", []byte("v"))}})
	closed(t, n)
	released := migrations
	defer func() { migrations = released }()
	migrations = append(released[:len(released):len(released)], "CREATE TABLE of_a_later_version (x)")
	n = openNode(t, Options{Dir: dir, Logger: quiet()})
	if got := mustGet(t, n.Host("worker").State, "k"); string(got.Value) != "v" {
		t.Errorf("after the migration k = %q", got.Value)
	}
	closed(t, n)

	migrations = released
	restored := t.TempDir()
	backup := filepath.Join(dir, fmt.Sprintf("before-format-%d.db", len(released)+1))
	if err := Restore(t.Context(), backup, restored); err != nil {
		t.Fatal(err)
	}
	n = openNode(t, Options{Dir: restored})
	if got := mustGet(t, n.Host("worker").State, "k"); string(got.Value) != "v" {
		t.Errorf("from the backup k = %q", got.Value)
	}
}

func TestBackupAndRestore(t *testing.T) {
	n := openNode(t, Options{})
	s := n.Host("worker").State
	mustCommit(t, s, host.Tx{
		Ops:      []host.Op{host.Put("k", []byte("v"))},
		Messages: []host.Message{{Topic: "events", Key: "a", ID: "1", Data: []byte("d")}},
	})
	backup := filepath.Join(t.TempDir(), "backup.db")
	if err := Backup(t.Context(), n.dir, backup); err != nil {
		t.Fatal(err)
	}
	mustCommit(t, s, host.Tx{Ops: []host.Op{host.Put("k", []byte("later"))}})
	if info, err := os.Stat(backup); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the backup: %v, %v", info.Mode(), err)
	}
	var exists *ExistsError
	if err := Backup(t.Context(), n.dir, backup); !errors.As(err, &exists) {
		t.Errorf("overwriting a backup: %v", err)
	}
	if err := Backup(t.Context(), t.TempDir(), backup+"2"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("backup of nothing: %v", err)
	}
	dir := filepath.Join(t.TempDir(), "restored")
	if err := Restore(t.Context(), backup, dir); err != nil {
		t.Fatal(err)
	}
	if err := Restore(t.Context(), backup, dir); !errors.As(err, &exists) {
		t.Errorf("restoring over data: %v", err)
	}
	restored := openNode(t, Options{Dir: dir})
	if got := mustGet(t, restored.Host("worker").State, "k"); string(got.Value) != "v" {
		t.Errorf("restored k = %q", got.Value)
	}
	closed(t, restored)
	if err := Backup(t.Context(), dir, backup+".2"); err != nil {
		t.Errorf("backup without a process running: %v", err)
	}
	if err := os.Remove(backup + ".2"); err != nil {
		t.Error(err)
	}
	if names := listing(t, filepath.Dir(backup)); len(names) != 1 {
		t.Errorf("left beside the backup: %v", names)
	}
}

func TestDamagedBackup(t *testing.T) {
	n := openNode(t, Options{})
	for i := range 20 {
		mustCommit(t, n.Host("worker").State, host.Tx{Ops: []host.Op{host.Put(fmt.Sprint("k", i), make([]byte, 3000))}})
	}
	backup := filepath.Join(t.TempDir(), "backup.db")
	if err := Backup(t.Context(), n.dir, backup); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(backup)
	if err != nil {
		t.Fatal(err)
	}
	overwritten := slices.Clone(b)
	copy(overwritten[4096:], bytes.Repeat([]byte{0xff}, 4096))
	for name, content := range map[string][]byte{"overwritten": overwritten, "cut off": b[:len(b)/2], "empty": nil} {
		writeFile(t, backup, string(content))
		var not *NotDataError
		dir := t.TempDir()
		if err := Restore(t.Context(), backup, dir); !errors.As(err, &not) {
			t.Errorf("restoring a backup that is %s: %v", name, err)
		}
		if _, err := os.Stat(filepath.Join(dir, databaseName)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: a refused restore left data behind (%v)", name, err)
		}
	}
}

func listing(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// A reader sees one moment, whatever is written meanwhile.
func TestReader(t *testing.T) {
	n := openNode(t, Options{})
	s := n.Host("worker").State
	mustCommit(t, n.Host("other").State, host.Tx{Ops: []host.Op{host.Put("task/9", []byte("not the worker's"))}})
	mustCommit(t, s, host.Tx{
		Ops:      []host.Op{host.Put("task/2", []byte("2")), host.Put("task/1", []byte("1")), host.Put("tasks", nil)},
		Messages: []host.Message{{Topic: "events", Key: "a", ID: "m1"}, {Topic: "others", Key: "a", ID: "x"}, {Topic: "events", Key: "b", ID: "m2"}},
	})
	r, err := OpenReader(t.Context(), n.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	mustCommit(t, s, host.Tx{Ops: []host.Op{host.Put("task/3", nil), host.Delete("task/1")}})
	var got []string
	err = errors.Join(
		r.Scan("worker", "task/", func(key string, value []byte) error {
			got = append(got, key+"="+string(value))
			return nil
		}),
		r.Undelivered("worker", "events", func(m host.Message) error {
			got = append(got, m.Topic+" "+m.Key+" "+m.ID)
			return nil
		}))
	if want := "[task/1=1 task/2=2 events a m1 events b m2]"; err != nil || fmt.Sprint(got) != want {
		t.Errorf("read %v, %v, want %s", got, err, want)
	}
	stop := errors.New("enough")
	if err := r.Scan("worker", "", func(string, []byte) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("the callback's error became %v", err)
	}
}

// What one has not handled, parked or not, and what it refused, can be read beside the process.
func TestReaderSeesWhatIsOwed(t *testing.T) {
	n := openNode(t, Options{Logger: quiet()})
	failed := make(chan string, 1000)
	err := n.Start(t.Context(), host.Service{Name: "worker", Subscriptions: []host.Subscription{{
		Topic: "events", Handle: func(_ context.Context, m host.Message) error {
			if m.ID == "bad" {
				return host.Permanent(errors.New("the reason"))
			}
			select {
			case failed <- m.ID:
			default:
			}
			return errors.New("on purpose")
		},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	mustCommit(t, n.Host("worker").State, host.Tx{Messages: []host.Message{
		{Topic: "events", Key: "a", ID: "bad"}, {Topic: "events", Key: "a", ID: "m1"}, {Topic: "events", Key: "a", ID: "m2"},
	}})
	for range parkAfter + 1 {
		<-failed
	}
	r, err := OpenReader(t.Context(), n.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var got []string
	err = errors.Join(
		r.Undelivered("worker", "events", func(m host.Message) error {
			got = append(got, m.ID)
			return nil
		}),
		r.DeadLetters(func(service string, m host.Message, reason string) error {
			got = append(got, service+" "+m.ID+" "+reason)
			return nil
		}),
		r.db.query("SELECT seq FROM parked", func([]driver.Value) error {
			got = append(got, "parked")
			return nil
		}))
	if want := "[m1 m2 worker bad permanent: the reason parked parked]"; err != nil || fmt.Sprint(got) != want {
		t.Errorf("read %v, %v, want %s", got, err, want)
	}
}

// A folder may be named relative to the working directory, by every command.
func TestRelativeFolder(t *testing.T) {
	t.Chdir(t.TempDir())
	n := openNode(t, Options{Dir: "data"})
	mustCommit(t, n.Host("worker").State, host.Tx{Ops: []host.Op{host.Put("k", []byte("v"))}})
	if err := Backup(t.Context(), "data", "backup.db"); err != nil {
		t.Error(err)
	}
	if err := Restore(t.Context(), "backup.db", "restored"); err != nil {
		t.Error(err)
	}
	r, err := OpenReader(t.Context(), "restored")
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}
