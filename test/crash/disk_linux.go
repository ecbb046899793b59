package main

import (
	"context"
	"time"

	"golang.org/x/sys/unix"
)

const canFillDisk = true

// fillDisk lets the process find the disk full, for a fifth of a second at a time, until ctx ends or it is gone. Its
// limit on the size of files (setrlimit(2), RLIMIT_FSIZE) is lowered to nothing: every write then fails as on a full
// disk.
func (s *server) fillDisk(ctx context.Context) {
	full := false
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			full = !full
		case <-s.gone:
			return
		case <-ctx.Done():
			return
		}
		limit := unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY}
		if full {
			limit.Cur = 0
		}
		// An error means that the process has just ended, or that nobody may do this here: then the step is not reached.
		_ = unix.Prlimit(s.cmd.Process.Pid, unix.RLIMIT_FSIZE, &limit, nil)
	}
}
