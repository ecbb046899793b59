// Command crash kills docket with kill -9, again and again, and then asks whether anything was lost or done twice.
//
//	go run ./test/crash -rounds 50
//
// It runs the real binary on a data folder that is kept over all rounds, under 64 clients that write, and ends the
// process in two ways: half of the rounds at a random moment, the others at a named step of the host
// (embedded.Failpoints), each of which has to be reached at least once in every run. Steps that no client's load
// leads to are provoked from outside (provoke.go). After each kill it starts docket again and verifies, from what
// clients were told (ledger.go) and what the audit log, the tasks and the inbox say (verify.go, occurrences.go,
// reminders.go):
//
//   - every acknowledged change is there, and an unacknowledged one happened once, or not, but never half;
//   - every change has exactly one audit entry, and list versions have no gap and no duplicate;
//   - each completion in force of a repeating task has exactly one successor;
//   - each reminder whose moment passed while its task was pending came exactly once, and none came early;
//   - the command docket check finds nothing wrong, no dead letter above all.
//
// It prints what it has counted, and exits with 1 and the details where one of these does not hold.
//
// [Task]: T092
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	o := options{out: os.Stdout, root: ".", patience: time.Minute, settle: time.Minute}
	flag.IntVar(&o.rounds, "rounds", 50, "how often to kill; the steps to be reached may need some more")
	flag.StringVar(&o.binary, "docket", filepath.Join("bin", "docket"), "the binary")
	flag.IntVar(&o.clients, "clients", 64, "clients that write at once")
	flag.Uint64Var(&o.seed, "seed", uint64(time.Now().UnixNano()), "of the random choices")
	flag.BoolVar(&o.dapr, "dapr", false, "behind Dapr: kill its parts, the broker and the database as well (behind.go)")
	flag.DurationVar(&o.outage, "outage", 2*time.Minute, "behind Dapr: how long the broker is away in the last round; 0: no such round")
	flag.StringVar(&o.namespace, "cluster", "", "in the Kubernetes cluster of KUBECONFIG: the namespace that docket is in; -rounds bounds how many of its pods are lost (cluster.go)")
	flag.StringVar(&o.url, "url", "", "in a cluster: where its users find docket, such as http://192.168.49.2:30080")
	flag.StringVar(&o.upgrade, "upgrade", "", "in a cluster: the command that upgrades all services, at the end; empty: none")
	flag.IntVar(&o.allowed, "failures", 0, "in a cluster: how many requests may fail during the upgrade")
	flag.StringVar(&o.sabotage, "sabotage", "", "damage the data after the first kill, to see the run fail: "+sabotageNames()+"; behind Dapr: "+forgetOutbox)
	flag.Parse()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "crash:", err)
		os.Exit(1)
	}
}

// options say how a run goes.
type options struct {
	rounds, clients  int
	binary, sabotage string
	// dapr runs it behind Dapr, and takes the broker away for outage in the end.
	dapr   bool
	outage time.Duration
	// In a cluster: the namespace, the address for users, the command of the upgrade and how many requests may fail in it.
	namespace, url, upgrade string
	allowed                 int
	// root is the repository's, for what is built from it; broker is one of package local's, "" for the best there is.
	root, broker string
	seed         uint64
	out          io.Writer
	// patience is how long a start may take, or a step to be reached: only how long a failure takes to be noticed.
	patience time.Duration
	// settle is how long what is on its way to audit log, list or inbox may take to arrive. It, too, decides only that.
	settle time.Duration
}

// run is the whole test. The data folder stays where something was wrong.
func run(ctx context.Context, o options) (err error) {
	if o.rounds < 1 || o.clients < 1 {
		return fmt.Errorf("-rounds %d and -clients %d: must be at least 1", o.rounds, o.clients)
	}
	if o.namespace != "" {
		return runCluster(ctx, o)
	}
	if o.dapr {
		return runBehind(ctx, o)
	}
	damage, err := sabotageOf(o.sabotage)
	if err != nil {
		return err
	}
	if o.binary, err = filepath.Abs(o.binary); err != nil {
		return err
	}
	if _, err := os.Stat(o.binary); err != nil {
		return fmt.Errorf("%w: build it first (make build)", err)
	}
	dir, err := os.MkdirTemp("", "docket-crash-")
	if err != nil {
		return err
	}
	fmt.Fprintf(o.out, "data in %s, seed %d\n", dir, o.seed)
	r := &runner{options: o, dir: dir, damage: damage, tally: newTally(), rand: rand.New(rand.NewPCG(o.seed, 1))}
	began := time.Now()
	err = r.all(ctx)
	r.tally.print(o.out, time.Since(began))
	if err != nil {
		return fmt.Errorf("%w\nthe data and the server's log stay in %s", err, dir)
	}
	return os.RemoveAll(dir)
}
