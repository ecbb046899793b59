package e2e

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/docket-tasks/docket/deploy/local"
)

// behindDapr is each service as a process of its own, two replicas of backend among them, each behind its daprd, on
// PostgreSQL and a broker of Kafka's protocol. Live updates come from another replica than most requests go to.
type behindDapr struct{ *local.Docket }

// installation is a machine and docket on it. Topics and consumer groups are the broker's, so no two deployments share one.
type installation struct {
	dir     string
	machine *local.Machine
	behindDapr
}

func install(ctx context.Context) (i *installation, err error) {
	i = &installation{}
	if i.dir, err = os.MkdirTemp("", "docket-e2e-dapr-"); err != nil {
		return i, err
	}
	if i.machine, err = local.Start(ctx, local.Options{Root: "../..", Dir: i.dir, Broker: local.Fake}); err != nil {
		return i, err
	}
	space, err := i.machine.Space(ctx, local.SpaceOptions{Name: "docket"})
	if err != nil {
		return i, err
	}
	i.Docket, err = space.Docket(local.DocketOptions{Binary: binary, Replicas: map[string]int{"backend": 2},
		Args: append([]string{"--allow-private-webhooks", "--sign-up", "invitation", "--log-level", "warn"}, mailing()...), Env: append(tracing(), "TZ=Europe/Berlin")})
	return i, err
}

// uninstall leaves nothing behind.
func (i *installation) uninstall() {
	if i.machine != nil {
		i.machine.Stop()
	}
	if i.dir != "" {
		_ = os.RemoveAll(i.dir)
	}
}

// common is what most scenarios share behind Dapr: eleven processes take their time to start. The first scenario that
// needs it starts it, TestMain ends it.
var common struct {
	once sync.Once
	*installation
	err error
}

// sharedDapr is a deployment that a scenario neither starts nor stops; its users are the scenario's own.
type sharedDapr struct{ *behindDapr }

func newBehindDapr(t *testing.T, alone bool) deployment {
	t.Helper()
	local.Require(t)
	if alone {
		i, err := install(t.Context())
		t.Cleanup(func() {
			if i.Docket != nil {
				i.Kill()
				if said := i.said(t.Failed()); t.Failed() {
					t.Log(said)
				} else if said != "" {
					t.Error(said)
				}
			}
			i.uninstall()
		})
		if err != nil {
			t.Fatal(err)
		}
		return &i.behindDapr
	}
	common.once.Do(func() {
		if common.installation, common.err = install(context.Background()); common.err == nil {
			common.err = common.Start(context.Background())
		}
	})
	if common.err != nil {
		t.Fatal(common.err)
	}
	return sharedDapr{&common.behindDapr}
}

// endCommon ends what scenarios have shared, and returns what is wrong with it then.
func endCommon() (err error) {
	if common.installation == nil {
		return nil
	}
	defer common.uninstall()
	if common.err == nil {
		err = errors.Join(common.stopAll(), common.deadLetters(context.Background()))
	}
	if said := common.said(false); said != "" {
		err = errors.Join(err, errors.New(said))
	}
	return err
}

func (sharedDapr) start(*testing.T)  {}
func (sharedDapr) stop(*testing.T)   {}
func (sharedDapr) check(*testing.T)  {}
func (sharedDapr) kill(t *testing.T) { t.Fatal("a deployment that is shared cannot be killed") }
func (sharedDapr) shared() bool      { return true }

func (*behindDapr) shared() bool        { return false }
func (b *behindDapr) gateway() string   { return b.Gateway() }
func (b *behindDapr) socket() string    { return "ws://" + b.Running["backend"][1].Users + "/ws" }
func (b *behindDapr) kill(*testing.T)   { b.Kill() }
func (b *behindDapr) stop(t *testing.T) { must(t, b.stopAll()) }

func (b *behindDapr) start(t *testing.T) { must(t, b.Start(t.Context())) }

// check holds that no service has refused a message for good.
func (b *behindDapr) check(t *testing.T) { must(t, b.deadLetters(t.Context())) }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (b *behindDapr) ownerToken(t *testing.T) string {
	t.Helper()
	token, err := os.ReadFile(b.OwnerTokenFile())
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(token))
}

// replicas are all of them.
func (b *behindDapr) replicas() (all []*local.Replica) {
	for _, service := range local.Services {
		all = append(all, b.Running[service]...)
	}
	return all
}

func (b *behindDapr) figures() (all []string) {
	for _, r := range b.replicas() {
		all = append(all, r.Ops()+"/metrics")
	}
	return all
}

// stopAll ends each service before its sidecar, as a pod does.
func (b *behindDapr) stopAll() error {
	var stopping sync.WaitGroup
	errs := make([]error, len(b.replicas()))
	for i, r := range b.replicas() {
		stopping.Go(func() {
			began := time.Now()
			r.App.Stop()
			if time.Since(began) > stopTime {
				errs[i] = fmt.Errorf("%s has not stopped in time", r.App.Name)
			}
			r.Sidecar.Stop()
		})
	}
	stopping.Wait()
	return errors.Join(errs...)
}

// deadLetters are an error.
func (b *behindDapr) deadLetters(ctx context.Context) error {
	var errs []error
	for _, service := range local.Services {
		if service == "frontend" { // which gets no messages
			continue
		}
		side := b.Running[service][0].Sidecar
		if err := side.Start(ctx); err != nil {
			return err
		}
		cmd := exec.Command(binary, "deadletter", "list", service)
		cmd.Env = append(environment(), side.Env()...)
		if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
			errs = append(errs, fmt.Errorf("dead letters of %s: %v\n%s", service, err, out))
		}
		side.Stop()
	}
	return errors.Join(errs...)
}

// said is what those services have said that have logged an error, or all of them.
func (b *behindDapr) said(all bool) string {
	var out strings.Builder
	for _, r := range b.replicas() {
		said, err := os.ReadFile(r.App.LogFile)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			fmt.Fprintln(&out, err)
		}
		if all || strings.Contains(string(said), `"level":"ERROR"`) {
			fmt.Fprintf(&out, "%s has logged:\n%s\n", r.App.Name, said)
		}
	}
	return out.String()
}
