package local

import (
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// capDacOverride lets a process pass by the permissions of files (capabilities(7)): PostgreSQL refuses to run as root, and
// as anybody else it could not get through to a folder of root's.
const capDacOverride = 1

// attributes put a process into a group of its own, so that Ctrl-C reaches only us and we end the others in order, and
// let it die with us where we are killed ourselves.
func attributes(unprivileged bool) *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if unprivileged && os.Geteuid() == 0 {
		uid, gid := nobody()
		a.Credential = &syscall.Credential{Uid: uid, Gid: gid}
		a.AmbientCaps = []uintptr{capDacOverride}
	}
	return a
}

// nobody is who unprivileged processes run as, where we are root.
func nobody() (uid, gid uint32) {
	for _, name := range []string{"postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			uid, uerr := strconv.ParseUint(u.Uid, 10, 32)
			gid, gerr := strconv.ParseUint(u.Gid, 10, 32)
			if uerr == nil && gerr == nil {
				return uint32(uid), uint32(gid)
			}
		}
	}
	return 65534, 65534
}

// giveAway makes a folder belong to the one that unprivileged processes run as.
func giveAway(dir string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	uid, gid := nobody()
	return os.Chown(dir, int(uid), int(gid))
}
