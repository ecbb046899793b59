package local

import (
	"errors"
	"math/rand/v2"
	"net"
	"sync"
)

// Ports are taken from below the range that systems take outgoing connections from: a server that was killed finds its
// port free when it is started again.
const firstPort, lastPort = 20000, 32000

var taken = struct {
	sync.Mutex
	ports map[int]bool
}{ports: map[int]bool{}}

// freePort returns a port of 127.0.0.1 that nobody listens on and that this process has not been given before.
func freePort() (int, error) {
	taken.Lock()
	defer taken.Unlock()
	for range 1000 {
		port := firstPort + rand.IntN(lastPort-firstPort)
		if taken.ports[port] {
			continue
		}
		l, err := net.Listen("tcp", address(port))
		if err != nil {
			continue
		}
		if err := l.Close(); err != nil {
			return 0, err
		}
		taken.ports[port] = true
		return port, nil
	}
	return 0, errors.New("no free port on 127.0.0.1")
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
