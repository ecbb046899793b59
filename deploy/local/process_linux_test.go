package local

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// What no request waits for gives way to what requests wait for.
//
// [Task]: T092
func TestWhatFollowsGivesWay(t *testing.T) {
	priority, err := syscall.Getpriority(syscall.PRIO_PROCESS, 0)
	if err != nil {
		t.Fatal(err)
	}
	own := 20 - priority // the system call has no negative results (getpriority(2))
	for follows, want := range map[bool]int{false: own, true: min(own+10, 19)} {
		p := &Process{Name: "nice", LogFile: filepath.Join(t.TempDir(), "log"), command: func() command {
			return command{path: "nice", follows: follows} // which says how nice it is, and ends
		}}
		if err := p.Launch(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(p.Kill)
		<-p.Exited()
		said, err := os.ReadFile(p.LogFile)
		if err != nil {
			t.Fatal(err)
		}
		if nice := strings.TrimSpace(string(said)); nice != strconv.Itoa(want) {
			t.Errorf("follows %v: a nice value of %q, want %d", follows, nice, want)
		}
	}
}
