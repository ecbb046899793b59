package local

import (
	"errors"
	"math/rand/v2"
	"net"
	"sync"
)

// Ports are taken from below the range that systems take outgoing connections from: a server that was killed finds its
// port free when it is started again. Several tests may run at once, so each process takes blocks for itself: who listens on
// the first port of a block has all of it.
const firstPort, lastPort, blockSize = 20000, 32000, 100

var ports struct {
	sync.Mutex
	next, end int            // what is left of the block
	held      []net.Listener // the first port of each block, until this process ends
}

// freePort returns a port of 127.0.0.1 that nobody listens on and that nobody else is given.
func freePort() (int, error) {
	ports.Lock()
	defer ports.Unlock()
	for range 1000 {
		if ports.next == ports.end && !takeBlock() {
			continue
		}
		port := ports.next
		ports.next++
		l, err := net.Listen("tcp", address(port))
		if err != nil { // somebody's who does not know of blocks
			continue
		}
		return port, l.Close()
	}
	return 0, errors.New("no free port on 127.0.0.1")
}

// takeBlock tries to take one block, chosen at random.
func takeBlock() bool {
	first := firstPort + blockSize*rand.IntN((lastPort-firstPort)/blockSize)
	l, err := net.Listen("tcp", address(first))
	if err != nil {
		return false
	}
	ports.held = append(ports.held, l)
	ports.next, ports.end = first+1, first+blockSize
	return true
}

// freePorts fills in ports.
func freePorts(ports ...*int) (err error) {
	for _, p := range ports {
		if *p, err = freePort(); err != nil {
			return err
		}
	}
	return nil
}
