package main

import (
	"os"
	"strconv"
	"strings"
	"sync/atomic"
)

// failpoint kills this process, as kill -9 does, at a named step of the host, for the crash tests:
// DOCKET_FAILPOINT="name" at the first time it is reached, "name#n" at the nth. It is nil without the variable.
func failpoint() func(string) {
	name, count, counted := strings.Cut(os.Getenv("DOCKET_FAILPOINT"), "#")
	if name == "" {
		return nil
	}
	n := int64(1)
	if counted {
		if v, err := strconv.ParseInt(count, 10, 64); err == nil {
			n = v
		}
	}
	var reached atomic.Int64
	return func(step string) {
		if step == name && reached.Add(1) == n {
			if self, err := os.FindProcess(os.Getpid()); err == nil {
				_ = self.Kill()
			}
			select {} // the end is on its way
		}
	}
}
