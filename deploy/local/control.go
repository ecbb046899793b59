package local

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/oasdiff/yaml"
)

// trustDomain is that of the control plane; services are in the one that deploy/dapr/configuration.yaml names.
const trustDomain = "cluster.local"

// control is Dapr's control plane: sentry signs identities, placement would place actors, the scheduler keeps jobs.
type control struct {
	tools tools
	dir   string
	// configuration is the file that sentry reads the trust domain's rules from, as the sidecars do.
	configuration string
	// jobs are the scheduler's settings of deploy/dapr/jobs.yaml.
	jobs []string

	sentryPort, sentryHealth, sentryMetrics          int
	placementPort, placementHealth, placementMetrics int
	placementPeer                                    int
	schedulerPort, schedulerHealth, schedulerMetrics int
	schedulerPeer, schedulerClient                   int
}

func newControl(m *Machine) (c control, err error) {
	c = control{tools: m.tools, dir: filepath.Join(m.Dir, "dapr"), configuration: filepath.Join(m.Root, filepath.FromSlash(manifests), "configuration.yaml")}
	if err := os.MkdirAll(filepath.Join(c.dir, "issuer"), 0o700); err != nil {
		return c, err
	}
	if c.jobs, err = schedulerFlags(filepath.Join(m.Root, "deploy", "dapr", "jobs.yaml")); err != nil {
		return c, err
	}
	return c, freePorts(&c.sentryPort, &c.sentryHealth, &c.sentryMetrics,
		&c.placementPort, &c.placementHealth, &c.placementMetrics, &c.placementPeer,
		&c.schedulerPort, &c.schedulerHealth, &c.schedulerMetrics, &c.schedulerPeer, &c.schedulerClient)
}

// schedulerFlags are the values for Dapr's Helm chart as its templates hand them to the scheduler: each is a flag of the same
// name with dashes. Those of the chart alone, such as replicaCount, are none.
func schedulerFlags(file string) ([]string, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var values struct {
		Scheduler map[string]any `json:"dapr_scheduler"`
	}
	if _, err := yaml.Unmarshal(b, &values, yaml.DecodeOpts{}); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	var flags []string
	for name, value := range values.Scheduler {
		if name != "replicaCount" {
			flags = append(flags, fmt.Sprintf("--%s=%v", dashed(name), value))
		}
	}
	slices.Sort(flags)
	return flags, nil
}

// dashed is etcd-space-quota for etcdSpaceQuota.
func dashed(name string) string {
	var s strings.Builder
	for _, r := range name {
		if r >= 'A' && r <= 'Z' {
			s.WriteByte('-')
		}
		s.WriteRune(r)
	}
	return strings.ToLower(s.String())
}

// issuer is the folder in which sentry keeps its keys; it makes them at its first start.
func (c *control) issuer() string { return filepath.Join(c.dir, "issuer") }

// anchors is the file of the certificate that all identities are checked against.
func (c *control) anchors() string { return filepath.Join(c.issuer(), "ca.crt") }

func (c *control) sentry() command {
	return command{path: c.tools.sentry, dir: c.dir, args: []string{
		"--port", strconv.Itoa(c.sentryPort), "--listen-address", "127.0.0.1",
		"--healthz-port", strconv.Itoa(c.sentryHealth), "--healthz-listen-address", "127.0.0.1",
		"--metrics-port", strconv.Itoa(c.sentryMetrics), "--metrics-listen-address", "127.0.0.1",
		"--config", c.configuration, "--issuer-credentials", c.issuer(), "--trust-domain", trustDomain,
	}}
}

func (c *control) sentryReady(ctx context.Context) error {
	if _, err := os.Stat(c.anchors()); err != nil {
		return err
	}
	return answers(ctx, c.sentryHealth, "/healthz")
}

// identity are the flags by which a part of the control plane gets its certificate.
func (c *control) identity() []string {
	return []string{"--tls-enabled", "--trust-domain", trustDomain, "--trust-anchors-file", c.anchors(), "--sentry-address", address(c.sentryPort)}
}

func (c *control) placement() command {
	return command{path: c.tools.placement, dir: c.dir, follows: true, args: append(c.identity(),
		"--port", strconv.Itoa(c.placementPort), "--listen-address", "127.0.0.1",
		"--healthz-port", strconv.Itoa(c.placementHealth), "--healthz-listen-address", "127.0.0.1",
		"--metrics-port", strconv.Itoa(c.placementMetrics), "--metrics-listen-address", "127.0.0.1",
		"--initial-cluster", "dapr-placement-0="+address(c.placementPeer))}
}

func (c *control) placementReady(ctx context.Context) error {
	return answers(ctx, c.placementHealth, "/healthz")
}

func (c *control) scheduler() command {
	args := append(c.identity(),
		"--port", strconv.Itoa(c.schedulerPort), "--listen-address", "127.0.0.1",
		"--override-broadcast-host-port", address(c.schedulerPort),
		"--healthz-port", strconv.Itoa(c.schedulerHealth), "--healthz-listen-address", "127.0.0.1",
		"--metrics-port", strconv.Itoa(c.schedulerMetrics), "--metrics-listen-address", "127.0.0.1",
		"--etcd-data-dir", filepath.Join(c.dir, "scheduler"),
		"--etcd-client-port", strconv.Itoa(c.schedulerClient), "--etcd-client-listen-address", "127.0.0.1",
		"--etcd-initial-cluster", "dapr-scheduler-server-0=http://"+address(c.schedulerPeer),
		"--identity-directory-write", filepath.Join(c.dir, "scheduler-identity"))
	return command{path: c.tools.scheduler, dir: c.dir, follows: true, args: append(args, c.jobs...)}
}

func (c *control) schedulerReady(ctx context.Context) error {
	return answers(ctx, c.schedulerHealth, "/healthz")
}
