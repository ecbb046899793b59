// Command kafka is what the local run and the tests need of Kafka besides a broker: it declares topics on any broker, and
// is itself a broker, kept on disk, where there is no Java to run Apache Kafka with.
//
//	kafka declare -broker 127.0.0.1:9092 deploy/kafka/topics.yaml
//	kafka fake -port 9092 -data ./kafka
//
// [Task]: T010
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
)

const usage = "usage: kafka declare -broker HOST:PORT FILE… | kafka fake -port PORT -data FOLDER"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "kafka:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errors.New(usage)
	}
	flags := flag.NewFlagSet(args[0], flag.ExitOnError)
	switch args[0] {
	case "declare":
		broker := flags.String("broker", "127.0.0.1:9092", "the broker to declare the topics on")
		wait := flags.Duration("wait", time.Minute, "how long to wait for the broker to answer")
		if err := flags.Parse(args[1:]); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(ctx, *wait)
		defer cancel()
		return declare(ctx, *broker, flags.Args())
	case "fake":
		port := flags.Int("port", 9092, "the port on 127.0.0.1")
		data := flags.String("data", "kafka", "the folder that keeps what was published")
		if err := flags.Parse(args[1:]); err != nil {
			return err
		}
		return fake(ctx, *port, *data)
	}
	return errors.New(usage)
}

// fake serves until ctx ends. Every batch is on disk before it is acknowledged, so that kill -9 loses none: the real
// broker of the tests survives its kill in the page cache, this one's own buffers would not.
func fake(ctx context.Context, port int, data string) error {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.Ports(port), kfake.DataDir(data), kfake.SyncWrites())
	if err != nil {
		return fmt.Errorf("start the broker on port %d: %w", port, err)
	}
	<-ctx.Done()
	cluster.Close()
	return nil
}
