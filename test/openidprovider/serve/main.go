// Command serve runs an OpenID provider for tests that are not in Go. It prints its address and serves until it is interrupted;
// whoever it is told of can sign in there by their subject alone.
//
//	go run ./test/openidprovider/serve REDIRECT SUBJECT NAME EMAIL
//
// [Task]: T021
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"

	"github.com/docket-tasks/docket/test/openidprovider"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := serve(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "serve:", err)
		os.Exit(1)
	}
}

func serve(ctx context.Context, args []string) error {
	if len(args) != 4 {
		return fmt.Errorf("want REDIRECT SUBJECT NAME EMAIL, got %q", args)
	}
	p, err := openidprovider.Start("127.0.0.1:0", args[0])
	if err != nil {
		return err
	}
	p.Add(args[1], args[2], args[3], true)
	fmt.Println(p.Issuer)
	<-ctx.Done()
	return p.Close()
}
