package main

import (
	"errors"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/docket-tasks/docket/deploy/local"
	"github.com/docket-tasks/docket/host/embedded"
)

// The verification can fail: with the data damaged between kill and start, as a docket would leave it that cannot
// recover, each run finds what is wrong.
//
// [Task]: T092
func TestWithoutRecoveryTheRunFails(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "docket")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "../../cmd/docket").CombinedOutput(); err != nil {
		t.Fatalf("build docket: %v\n%s", err, out)
	}
	// Which of several violations shows first depends on the moment of the kill.
	for name, kinds := range map[string][]string{
		"audit":    {"list version", "lost event"},
		"log":      {"list version", "lost event"},
		"jobs":     {"reminder"},
		"commits":  {"lost"},
		"half":     {"state"},
		"reminder": {"reminder"},
		"dead":     {"docket check"},
	} {
		t.Run(name, func(t *testing.T) {
			if testing.Short() && name != "commits" {
				t.Skip("one kind of damage is enough for a short run")
			}
			t.Parallel()
			dir := t.TempDir()
			damage, err := sabotageOf(name)
			if err != nil {
				t.Fatal(err)
			}
			o := options{binary: binary, clients: 16, seed: 1, out: io.Discard, patience: time.Minute, settle: 10 * time.Second}
			w, err := newWorld(t.Context(), o, filepath.Join(dir, "data"), wave, newTally())
			if err != nil {
				t.Fatal(err)
			}
			defer w.kill()
			err = w.damaged(t.Context(), *damage)
			if kind := kindOf(err); !slices.Contains(kinds, kind) {
				t.Errorf("the run ended with kind %q, want one of %q: %v", kind, kinds, err)
			}
		})
	}
}

// Behind Dapr, too: what a replica had still to send is forgotten, and the run fails.
//
// [Task]: T092
func TestWithoutOutboxTheRunFails(t *testing.T) {
	local.Require(t)
	binary := filepath.Join(t.TempDir(), "docket")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "../../cmd/docket").CombinedOutput(); err != nil {
		t.Fatalf("build docket: %v\n%s", err, out)
	}
	o := options{binary: binary, clients: 8, rounds: 1, seed: 1, out: io.Discard, patience: time.Minute, settle: 10 * time.Second,
		dapr: true, root: "../..", broker: local.Fake, sabotage: forgetOutbox}
	b, err := newBehind(t.Context(), o, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer b.machine.Stop()
	err = b.all(t.Context())
	if kind := kindOf(err); !slices.Contains([]string{"lost event", "list version", "reminder"}, kind) {
		t.Errorf("the run ended with kind %q, want a lost message: %v", kind, err)
	}
}

// kindOf is the kind of the violation that err is, "" where it is none.
func kindOf(err error) string {
	if many, ok := errors.AsType[violations](err); ok {
		return many[0].kind
	}
	one, _ := errors.AsType[violation](err)
	return one.kind
}

// Every step of the host is killed at, here or elsewhere, and no way leads to a step that does not exist.
func TestEveryStepHasAWay(t *testing.T) {
	all := embedded.Failpoints()
	for step := range ways {
		if !slices.Contains(all, step) {
			t.Errorf("there is a way to %q, which is no step of the host", step)
		}
	}
	if n := len(steps(byLoad, byFullDisk, byPoison, byTerm, byExpiry, elsewhere)); n != len(all) {
		t.Errorf("%d of %d steps have a way", n, len(all))
	}
}
