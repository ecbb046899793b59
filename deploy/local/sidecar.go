package local

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Sidecar is one daprd, for one replica of an app.
type Sidecar struct {
	*Process
	AppID string
	// HTTPPort and GRPCPort are where the app reaches Dapr, AppPort where Dapr reaches the app.
	HTTPPort, GRPCPort, AppPort int

	space                    *Space
	internalPort, metricPort int
}

// Sidecar prepares one more sidecar of the app; Start starts it.
func (s *Space) Sidecar(appID string) (*Sidecar, error) {
	s.mu.Lock()
	s.sidecars[appID]++
	n := s.sidecars[appID]
	s.mu.Unlock()
	c := &Sidecar{AppID: appID, space: s}
	if err := freePorts(&c.HTTPPort, &c.GRPCPort, &c.AppPort, &c.internalPort, &c.metricPort); err != nil {
		return nil, err
	}
	name := fmt.Sprintf("%s-%s-%d-daprd", s.Name, appID, n)
	c.Process = s.process(name, c.command, c.outboundReady)
	c.again = true
	return c, nil
}

// maxBody is the largest message of the two APIs: a bulk read of many keys is one.
const maxBody = "64Mi"

// namespace is the one that the access control of deploy/dapr/configuration.yaml names.
const namespace = "docket"

// gc is how much a sidecar's heap grows before it is collected, in percent, in the charts too: what lives in it is a few MB,
// and a tenth of a busy sidecar's time went into looking through that.
const gc = "400"

func (c *Sidecar) command() command {
	s := c.space
	args := []string{
		"--app-id", c.AppID, "--app-port", strconv.Itoa(c.AppPort), "--app-protocol", "http", "--app-channel-address", "127.0.0.1",
		"--dapr-http-port", strconv.Itoa(c.HTTPPort), "--dapr-grpc-port", strconv.Itoa(c.GRPCPort), "--dapr-listen-addresses", "127.0.0.1",
		"--dapr-internal-grpc-port", strconv.Itoa(c.internalPort), "--dapr-internal-grpc-listen-address", "127.0.0.1",
		"--metrics-port", strconv.Itoa(c.metricPort), "--metrics-listen-address", "127.0.0.1",
		"--resources-path", s.resources(), "--max-body-size", maxBody, "--read-buffer-size", "64Ki",
		"--placement-host-address", address(s.control.placementPort), "--scheduler-host-address", address(s.control.schedulerPort),
		"--enable-mtls", "--sentry-address", address(s.control.sentryPort), "--control-plane-trust-domain", trustDomain,
		"--log-level", "info",
	}
	for _, file := range s.configurations() {
		args = append(args, "--config", file)
	}
	anchors, err := os.ReadFile(s.control.anchors())
	if err != nil {
		anchors = []byte(err.Error()) // which the sidecar then complains of
	}
	return command{path: s.tools.daprd, args: args, dir: s.Dir, follows: follows[c.AppID], env: append(c.Env(), "DAPR_TRUST_ANCHORS="+string(anchors),
		"DAPR_HOST_IP=127.0.0.1", "NAMESPACE="+namespace, "GOGC="+gc)}
}

// Env is the environment in which the app finds its sidecar, and the sidecar its app.
func (c *Sidecar) Env() []string {
	return []string{
		"DAPR_HTTP_PORT=" + strconv.Itoa(c.HTTPPort), "DAPR_GRPC_PORT=" + strconv.Itoa(c.GRPCPort),
		"APP_PORT=" + strconv.Itoa(c.AppPort), "APP_ID=" + c.AppID, "DAPR_HOST_IP=127.0.0.1",
		"DAPR_API_TOKEN=" + c.space.daprAPI, "APP_API_TOKEN=" + c.space.appAPI,
	}
}

// Getenv is one value of Env, for an app in this process.
func (c *Sidecar) Getenv(name string) string {
	for _, v := range c.Env() {
		if value, ok := strings.CutPrefix(v, name+"="); ok {
			return value
		}
	}
	return ""
}

// outboundReady tells whether the app can use its sidecar. The sidecar itself waits for the app before it delivers.
func (c *Sidecar) outboundReady(ctx context.Context) error {
	return answers(ctx, c.HTTPPort, "/v1.0/healthz/outbound")
}
