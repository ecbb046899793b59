// Command serve runs a push service that stands in for those of browsers' makers, for tests that are not in Go. It prints
// its address and serves until it is interrupted.
//
//	go run ./test/pushservice/serve [address, 127.0.0.1:0 by itself]
//
// [Task]: T052
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"

	"github.com/docket-tasks/docket/test/pushservice"
)

func main() {
	address := "127.0.0.1:0"
	if len(os.Args) > 1 {
		address = os.Args[1]
	}
	if err := serve(address); err != nil {
		fmt.Fprintln(os.Stderr, "serve:", err)
		os.Exit(1)
	}
}

func serve(address string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	fmt.Printf("http://%s\n", listener.Addr())
	return http.Serve(listener, new(pushservice.Service))
}
