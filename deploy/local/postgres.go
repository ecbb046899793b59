package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// ErrNoPostgreSQL means that PostgreSQL's server is not installed; its text says what installs it.
var ErrNoPostgreSQL = errors.New("PostgreSQL is not installed: apt-get install postgresql (Debian, Ubuntu), brew install postgresql (macOS)")

// FindPostgreSQL returns the folder of PostgreSQL's programs: on PATH, or where Debian keeps them.
func FindPostgreSQL() (string, error) {
	if initdb, err := exec.LookPath("initdb"); err == nil {
		initdb, err = filepath.EvalSymlinks(initdb) // its neighbours need not be on PATH
		return filepath.Dir(initdb), err
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", ErrNoPostgreSQL
	}
	newest := slices.MaxFunc(found, func(a, b string) int { return major(a) - major(b) })
	return filepath.Dir(newest), nil
}

// major is the version in /usr/lib/postgresql/17/bin/initdb.
func major(path string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path)))) // 0 where it is none
	return n
}

// Require lets a test go on where PostgreSQL is installed, and skips it elsewhere, saying what to install. In CI a tier
// that is not run is a failure.
func Require(t interface {
	Helper()
	Fatal(...any)
	Skip(...any)
}) {
	t.Helper()
	_, err := FindPostgreSQL()
	switch {
	case err != nil && os.Getenv("CI") == "true":
		t.Fatal(err)
	case err != nil:
		t.Skip(err)
	}
}

// postgres is one database server on a folder of its own.
type postgres struct {
	bin, data, password string
	port                int
}

// settings of the server. A commit is on disk before it is answered, which is the default; the rest is for tests that kill
// and start it often, and for many sidecars with 16 connections each.
var settings = []string{"max_connections=500", "listen_addresses=127.0.0.1", "unix_socket_directories=", "shared_buffers=256MB",
	"max_wal_size=4GB", "timezone=UTC", "log_timezone=UTC"}

// newPostgres makes the folder of data where there is none.
func newPostgres(ctx context.Context, dir string) (p postgres, err error) {
	if p.bin, err = FindPostgreSQL(); err != nil {
		return p, err
	}
	if p.port, err = freePort(); err != nil {
		return p, err
	}
	p.data = filepath.Join(dir, "data")
	passwordFile := filepath.Join(dir, "password")
	if b, err := os.ReadFile(passwordFile); err == nil {
		p.password = string(b)
		return p, nil
	}
	if err := os.MkdirAll(p.data, 0o700); err != nil {
		return p, err
	}
	if err := giveAway(p.data); err != nil {
		return p, err
	}
	p.password = newToken()
	if err := os.WriteFile(passwordFile+".new", []byte(p.password), 0o600); err != nil {
		return p, err
	}
	cmd := exec.CommandContext(ctx, filepath.Join(p.bin, "initdb"), "--pgdata", p.data, "--username", databaseUser, "--pwfile", passwordFile+".new",
		"--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C")
	cmd.SysProcAttr, cmd.Dir = attributes(true), anywhere
	if out, err := cmd.CombinedOutput(); err != nil {
		return p, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return p, os.Rename(passwordFile+".new", passwordFile) // only now is the folder whole
}

// anywhere is a folder that everybody may be in: the right to pass by permissions begins with the program, after its
// working folder has been entered.
const anywhere = "/"

// databaseUser owns every database here.
const databaseUser = "docket"

func (p *postgres) command() command {
	args := []string{"-D", p.data, "-p", strconv.Itoa(p.port)}
	for _, s := range settings {
		args = append(args, "-c", s)
	}
	// SIGINT ends open sessions at once: daprd keeps its own open for good.
	return command{path: filepath.Join(p.bin, "postgres"), args: args, dir: anywhere, unprivileged: true, quit: syscall.SIGINT}
}

func (p *postgres) ready(ctx context.Context) error {
	_, err := p.query(ctx, "postgres", "select 1")
	return err
}

// dsn is the string to connect with.
func (p *postgres) dsn(database string) string {
	return fmt.Sprintf("host=127.0.0.1 port=%d user=%s password=%s dbname=%s sslmode=disable", p.port, databaseUser, p.password, database)
}

// query runs statements as psql does and returns the rows, one a line, columns separated by |.
func (p *postgres) query(ctx context.Context, database string, statements ...string) (string, error) {
	args := []string{"--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set", "ON_ERROR_STOP=1", p.dsn(database)}
	for _, s := range statements {
		args = append(args, "--command", s)
	}
	out, err := exec.CommandContext(ctx, filepath.Join(p.bin, "psql"), args...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("psql: %w: %s", err, out)
	}
	return strings.TrimSpace(string(out)), nil
}

// Query runs SQL on a database of this machine's server: for tests that look at what is really there.
func (m *Machine) Query(ctx context.Context, database string, statements ...string) (string, error) {
	return m.postgres.query(ctx, database, statements...)
}
