package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// stopper ends the server that writes to it once it is up.
type stopper struct {
	stop context.CancelFunc
	up   bool
}

func (s *stopper) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte("serves")) {
		s.up = true
		s.stop()
	}
	return len(p), nil
}

// serveOnce starts a server and stops it as soon as it is up, and tells whether it was; the error may be of what it still
// had to do then.
func serveOnce(t *testing.T, data string) (bool, error) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	o := defaultServeOptions()
	o.listen, o.data, o.logLevel = "127.0.0.1:0", data, "error"
	s := &stopper{stop: stop}
	err := serve(ctx, o, s)
	return s.up, err
}

// Whichever page of the database is damaged, a server that cannot start for it names the file once, and what to do.
func TestDamagedData(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "docket.db")
	if up, err := serveOnce(t, dir); !up {
		t.Fatal(err)
	}
	sound, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	const page = 4096
	refused := 0
	for at := page; at < len(sound); at += page {
		damaged := bytes.Clone(sound)
		copy(damaged[at:], bytes.Repeat([]byte{0xff}, page))
		if err := os.WriteFile(file, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		up, err := serveOnce(t, dir)
		if up {
			continue // nothing on that page is needed so early
		}
		refused++
		if err == nil || !strings.HasPrefix(err.Error(), file+" is not a sound docket database") || !strings.Contains(err.Error(), "docket restore") {
			t.Errorf("page %d: %v", at/page, err)
		}
	}
	if refused == 0 {
		t.Error("no damage kept the server from starting")
	}
}

// TestSwitches: a switch is a flag or a variable, and the flag wins.
func TestSwitches(t *testing.T) {
	for _, s := range switches {
		flag, name := s[0], s[1]
		for _, c := range []struct {
			variable string
			args     []string
			want     bool
		}{
			{"", []string{}, false}, {"true", []string{}, true}, {"1", []string{}, true}, {"false", []string{}, false},
			{"true", []string{"--" + flag + "=false"}, false}, {"false", []string{"--" + flag}, true}, {"perhaps", []string{"--" + flag}, true},
		} {
			t.Setenv(name, c.variable)
			o := defaultServeOptions()
			cmd := &cobra.Command{PreRunE: readSwitches, RunE: func(*cobra.Command, []string) error { return nil }}
			o.flags(cmd.Flags())
			cmd.SetArgs(c.args)
			if err := cmd.Execute(); err != nil || cmd.Flags().Lookup(flag).Value.String() != strconv.FormatBool(c.want) {
				t.Errorf("%s=%s %v: not %t, %v", name, c.variable, c.args, c.want, err)
			}
		}
		t.Setenv(name, "")
	}
}
