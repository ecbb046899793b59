// Command load measures docket against bare loops and prints the figures as a table.
//
//	go run ./test/load            everything, about half an hour on two cores
//	go run ./test/load -quick     all rows, smaller
//	go run ./test/load -run list  the rows whose name matches
//
// A number of requests per second says more about the machine than about the program, so the rows that count are
// ratios: docket against the least code that does the same work, in the same run. Both are processes of their own, on
// 127.0.0.1, with their data in temporary folders on the same disk; this process is the client of both, with the same
// code (client.go). They take turns (docket, bare, docket, bare …) after one turn each to warm up; a row's ratio
// is the median over the pairs, and the least and the largest stand beside it. What the bare loop of a row does, and what
// it leaves out, is said where the row is defined.
//
// docket is the binary as it ships, all five services in one process. Requests go through the gateway with an API
// token. A row of writes ends when the audit log holds every event, so what docket puts off until later is counted.
//
// The command fails where a ratio misses its bound, unless it was asked only to report. Figures without a bare loop have a
// goal, which is printed and does not fail the command.
//
// [Task]: T092
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var o options
	var only, bare string
	flag.StringVar(&o.binary, "docket", filepath.Join("bin", "docket"), "the binary to measure")
	flag.StringVar(&o.dir, "dir", "", "where the temporary data folders go (default: beside the binary); not a RAM disk")
	flag.StringVar(&only, "run", "", "only the rows whose name matches this regular expression")
	flag.BoolVar(&o.quick, "quick", false, "smaller and shorter, for CI: all rows")
	flag.IntVar(&o.runs, "runs", 5, "pairs of runs of each ratio")
	flag.IntVar(&o.users, "users", 10_000, "users of the crowded server, 100 tasks each: 10000 take ten minutes and 6 GB to load; -quick takes a tenth of them")
	flag.BoolVar(&o.dapr, "dapr", false, "measure docket behind Dapr instead (behind.go)")
	flag.BoolVar(&o.json, "json", false, "print JSON instead of a table")
	flag.BoolVar(&o.report, "report", false, "do not fail where a ratio misses its bound: only print")
	flag.StringVar(&bare, "bare", "", "internal: be the bare server, with its data in this folder")
	flag.Parse()
	err := func() (err error) {
		if bare != "" {
			return serveBare(ctx, bare)
		}
		if o.only, err = regexp.Compile(only); err != nil {
			return fmt.Errorf("-run: %w", err)
		}
		if o.runs < 1 {
			return fmt.Errorf("-runs is %d: at least 1", o.runs)
		}
		if o.users < 20*fewUsers {
			return fmt.Errorf("-users is %d: at least %d", o.users, 20*fewUsers)
		}
		return run(ctx, o)
	}()
	if err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

// options say what is measured.
type options struct {
	binary, dir string
	only        *regexp.Regexp
	quick, json bool
	report      bool
	dapr        bool
	runs, users int
}

// size is full, or small where the run is a quick one.
func (o options) size(full, small int) int {
	if o.quick {
		return small
	}
	return full
}

// errMissed says that a ratio is below its bound.
var errMissed = errors.New("a ratio is below its bound")

// run measures every part of the table and prints it.
func run(ctx context.Context, o options) (err error) {
	if _, err := os.Stat(o.binary); err != nil {
		return fmt.Errorf("find docket: %w; make build makes it", err)
	}
	if o.dir == "" {
		o.dir = filepath.Dir(o.binary)
	}
	dir, err := os.MkdirTemp(o.dir, "load-*")
	if err != nil {
		return fmt.Errorf("make a folder for data: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	b := &bench{options: o, dir: dir}
	parts := []func(context.Context, *bench) error{writes, reads, live, reminders, footprint, cost, users}
	if o.dapr {
		parts = []func(context.Context, *bench) error{behindDapr}
	}
	for _, part := range parts {
		if err := part(ctx, b); err != nil {
			return err
		}
	}
	if err := b.print(os.Stdout, fmt.Sprintf("%s/%s, %d CPUs, %s", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version())); err != nil {
		return err
	}
	if b.missed() && !o.report {
		return errMissed
	}
	return nil
}
