// Command run serves docket behind Dapr on this machine: PostgreSQL, a Kafka broker, Dapr's control plane, and the five
// services with their sidecars. Ctrl-C ends all of it in order; the data stay in their folder and are found again.
//
//	go run ./deploy/local/run -backends 2
//
// [Task]: T092
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/docket-tasks/docket/deploy/local"
)

type options struct {
	data, listen, broker, binary string
	backends                     int
}

func main() {
	var o options
	flag.StringVar(&o.data, "data", "docket-dapr-data", "folder for the data and the logs")
	flag.StringVar(&o.listen, "listen", "127.0.0.1:8080", "where users are served")
	flag.StringVar(&o.broker, "broker", "", "apache or fake; Apache Kafka where Java and Maven are installed if not said")
	flag.StringVar(&o.binary, "docket", filepath.Join("bin", "docket"), "the binary")
	flag.IntVar(&o.backends, "backends", 1, "replicas of backend")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, "run:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	binary, err := filepath.Abs(o.binary)
	if err != nil {
		return err
	}
	if _, err := os.Stat(binary); err != nil {
		return fmt.Errorf("%w: build it first (make build)", err)
	}
	fmt.Println("starting PostgreSQL, the broker and Dapr; the first time, Dapr is built from source, which takes minutes")
	m, err := local.Start(ctx, local.Options{Root: ".", Dir: o.data, Broker: o.broker})
	if err != nil {
		return err
	}
	defer m.Stop()
	fmt.Printf("PostgreSQL on %s\n%s on %s\n", m.PostgresAddress(), m.BrokerName(), m.BrokerAddress())
	space, err := m.Space(ctx, local.SpaceOptions{Name: "docket"})
	if err != nil {
		return err
	}
	d, err := space.Docket(local.DocketOptions{Binary: binary, Listen: o.listen, Replicas: map[string]int{"backend": o.backends}})
	if err != nil {
		return err
	}
	if err := d.Start(ctx); err != nil {
		return err
	}
	defer d.Stop()
	fmt.Printf("%s, each with its sidecar; data and logs in %s\n", d.Count(), o.data)
	fmt.Printf("\ndocket serves %s. Your API token is in %s\n", d.Gateway(), d.OwnerTokenFile())
	if err := signInLink(ctx, d); err != nil {
		return err
	}
	<-ctx.Done()
	fmt.Println("\nstopping")
	return nil
}

// signInLink has docket print a link that signs the first user in.
func signInLink(ctx context.Context, d *local.Docket) error {
	cmd := exec.CommandContext(ctx, d.Binary, "owner", "--public-url", d.Gateway())
	cmd.Env = append(os.Environ(), d.Running["backend"][0].Sidecar.Env()...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return errors.Join(errors.New("make a sign-in link"), err)
	}
	return nil
}
