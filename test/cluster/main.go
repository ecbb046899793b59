// Command cluster installs docket in a Kubernetes cluster that is there, as an operator does, and shows what the charts promise:
//
//	KUBECONFIG=… IMAGE_LOAD=… go run ./test/cluster
//
// With the values for Minikube and again with those for the cloud it runs deploy/minikube/deploy.sh --existing-cluster, finds every
// pod 2/2, and runs the smoke test and helm test. It follows docs/quickstart.md there, asks the sidecars what they must not allow
// (sidecars.go), and the cluster whether it would admit a pod that is not restricted. With two pods of each service it then has
// test/crash take each one away while 16 clients write, and upgrade all at once. At last it uninstalls, and looks for what is left.
//
// It has a namespace of its own, docket-test, and needs kubectl and helm. IMAGE_LOAD, KAFKA_BROKERS and POSTGRESQL are those of deploy.sh.
//
// [Task]: T083, T088, T093
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	r := run{namespace: "docket-test", began: time.Now()}
	flag.StringVar(&r.version, "version", "test", "the tag of the images; an upgrade is to this and -next")
	flag.StringVar(&r.docket, "docket", filepath.Join("bin", "docket"), "the binary, for the smoke test's client")
	flag.StringVar(&r.crash, "crash", "go run ./test/crash", "the command of the crash test")
	flag.IntVar(&r.failures, "failures", 0, "how many requests may fail during the upgrade")
	flag.BoolVar(&r.keep, "keep", false, "leave docket installed")
	flag.Parse()
	for _, name := range []string{"KUBECONFIG", "IMAGE_LOAD"} {
		if os.Getenv(name) == "" {
			fmt.Printf("skipped: %s is not set, so there is no cluster to install docket in (deploy/minikube/deploy.sh --help)\n", name)
			return
		}
	}
	if err := r.all(ctx); err != nil {
		fmt.Fprintf(os.Stderr, "cluster: %v\n", err)
		os.Exit(1)
	}
	fmt.Printf("all of it holds, in %.0f s\n", time.Since(r.began).Seconds())
}

// run is one run of the test.
type run struct {
	namespace, version, docket, crash string
	failures                          int
	keep                              bool
	began                             time.Time
}

func (r *run) all(ctx context.Context) error {
	for _, step := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"without its secrets nothing is installed", r.refused},
		{"with the values for Minikube", func(ctx context.Context) error { return r.installed(ctx, "values-minikube.yaml", 1) }},
		{"the quickstart", r.quickstart},
		{"a pod that is not restricted is not admitted", r.restricted},
		{"who may call whom, and who has what", r.sidecars},
		{"with the values for the cloud", func(ctx context.Context) error { return r.installed(ctx, "values-cloud.yaml", 2) }},
		{"each pod lost, and everything upgraded, under load", r.besieged},
		{"uninstalling leaves nothing", r.uninstalled},
	} {
		fmt.Printf("\n== %s (%.0f s)\n", step.name, time.Since(r.began).Seconds())
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	return nil
}

// command runs a program, shows what it prints where show says so, and returns it.
func (r *run) command(ctx context.Context, show bool, env []string, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(append(os.Environ(), "NAMESPACE="+r.namespace, "VERSION="+r.version), env...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if show {
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	}
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%s %s: %w: %s%s", name, strings.Join(args, " "), err, out.String(), errs.String())
	}
	return out.String(), nil
}

func (r *run) kubectl(ctx context.Context, args ...string) (string, error) {
	return r.command(ctx, false, nil, "kubectl", append([]string{"--namespace", r.namespace}, args...)...)
}

// refused installs into an empty namespace: the reason is a missing secret, and nothing has been made.
func (r *run) refused(ctx context.Context) error {
	if _, err := r.kubectl(ctx, "create", "namespace", r.namespace); err != nil {
		return fmt.Errorf("%w; deploy/minikube/down.sh --existing-cluster with NAMESPACE=%s takes away what an earlier run has left", err, r.namespace)
	}
	_, err := r.command(ctx, false, nil, "helm", "install", "docket", "deploy/helm/docket", "--namespace", r.namespace)
	if err == nil || !strings.Contains(err.Error(), "there is no secret") {
		return fmt.Errorf("want the name of a missing secret, got %v", err)
	}
	return r.empty(ctx)
}

// kinds are all that the charts make.
const kinds = "deployments,statefulsets,pods,services,serviceaccounts,roles,rolebindings,poddisruptionbudgets,horizontalpodautoscalers,networkpolicies,ingresses,jobs," +
	"components.dapr.io,subscriptions.dapr.io,configurations.dapr.io,resiliencies.dapr.io"

// empty demands that the namespace has nothing but what every namespace has.
func (r *run) empty(ctx context.Context) error {
	out, err := r.kubectl(ctx, "get", kinds, "--output", "name")
	if err != nil {
		return err
	}
	for name := range strings.Lines(out) {
		if name = strings.TrimSpace(name); name != "serviceaccount/default" {
			return fmt.Errorf("%s is there", name)
		}
	}
	return nil
}

// installed runs the script with a file of values, and all that looks at the result.
func (r *run) installed(ctx context.Context, values string, replicas int) error {
	if _, err := r.command(ctx, true, nil, "deploy/minikube/deploy.sh", r.deployArgs(values)...); err != nil {
		return err
	}
	if err := r.pods(ctx, 5*replicas); err != nil {
		return err
	}
	if _, err := r.command(ctx, true, []string{"DOCKET=" + r.docket}, "deploy/minikube/smoke-test.sh"); err != nil {
		return err
	}
	_, err := r.command(ctx, true, nil, "helm", "test", "docket", "--namespace", r.namespace, "--logs")
	return err
}

func (r *run) deployArgs(values string) []string {
	return []string{"--existing-cluster", "--values", "deploy/helm/docket/" + values, "--values", "test/cluster/values.yaml"}
}

// podsTime is how long pods may take to be ready, on a busy machine.
const podsTime = 5 * time.Minute

// pods waits until there are as many pods as expected and each has two containers that are ready.
func (r *run) pods(ctx context.Context, want int) error {
	limit, cancel := context.WithTimeout(ctx, podsTime)
	defer cancel()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		out, err := r.kubectl(limit, "get", "pods", "--selector", "app.kubernetes.io/part-of=docket,app.kubernetes.io/name!=postgresql",
			"--output", `jsonpath={range .items[*]}{.status.containerStatuses[*].ready}{"\n"}{end}`)
		if err == nil && strings.TrimSpace(out) == strings.TrimSpace(strings.Repeat("true true\n", want)) {
			fmt.Printf("%d pods, every one 2/2\n", want)
			return nil
		}
		select {
		case <-tick.C:
		case <-limit.Done():
			return errors.Join(fmt.Errorf("want %d pods, each 2/2, got %q", want, out), err)
		}
	}
}

// restricted asks the API server for a pod as root, which the namespace must refuse.
func (r *run) restricted(ctx context.Context) error {
	_, err := r.kubectl(ctx, "run", "root", "--image=none", "--restart=Never", "--dry-run=server", "--annotations=dapr.io/enabled=false")
	if err == nil || !strings.Contains(err.Error(), "violates PodSecurity") {
		return fmt.Errorf("want a violation of Pod Security, got %v", err)
	}
	fmt.Println("refused: it violates PodSecurity")
	return nil
}

// url is where docket's users find it.
func (r *run) url(ctx context.Context) (string, error) {
	url, err := r.command(ctx, false, nil, "bash", "-c", ". deploy/minikube/lib.sh && url")
	return strings.TrimSpace(url), err
}

// besieged has the crash test do its work on what is installed.
func (r *run) besieged(ctx context.Context) error {
	url, err := r.url(ctx)
	if err != nil {
		return err
	}
	upgrade := fmt.Sprintf("VERSION=%s-next deploy/minikube/deploy.sh %s >&2", r.version, strings.Join(r.deployArgs("values-cloud.yaml"), " "))
	crash := append(strings.Fields(r.crash), "-cluster", r.namespace, "-url", url, "-clients", "16",
		"-upgrade", upgrade, "-failures", fmt.Sprint(r.failures))
	_, err = r.command(ctx, true, nil, crash[0], crash[1:]...)
	return err
}

func (r *run) uninstalled(ctx context.Context) error {
	if r.keep {
		fmt.Println("left as it is: -keep")
		return nil
	}
	if _, err := r.command(ctx, true, nil, "deploy/minikube/down.sh", "--existing-cluster"); err != nil {
		return err
	}
	out, err := r.command(ctx, false, nil, "kubectl", "get", "namespace", r.namespace, "--ignore-not-found", "--output", "name")
	if err == nil && out != "" {
		err = fmt.Errorf("%s is still there", out)
	}
	return err
}
