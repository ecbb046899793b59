package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"

	"github.com/docket-tasks/docket/cmd/docket/cli"
	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/event"
	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/host/dapr"
	"github.com/docket-tasks/docket/services/backend"
	"github.com/docket-tasks/docket/services/backend/account"
	"github.com/docket-tasks/docket/services/frontend"
	"github.com/docket-tasks/docket/services/notification"
)

// sidecarOptions say where the sidecar of a service is, and where that service listens. Dapr sets most of them in the
// environment of the app.
type sidecarOptions struct {
	httpPort, grpcPort string
	appListen          string // where the sidecar reaches the service
	opsListen          string // health and metrics
	backendWS          string // where the frontend finds /ws
	ownerTokenFile     string
	linger             string // a duration; see [dapr.Options]
}

func defaultSidecarOptions() *sidecarOptions {
	return &sidecarOptions{
		httpPort: env("DAPR_HTTP_PORT", "3500"), grpcPort: env("DAPR_GRPC_PORT", "50001"),
		appListen: env("DOCKET_APP_LISTEN", "127.0.0.1:"+env("APP_PORT", "3000")), opsListen: env("DOCKET_OPS_LISTEN", ""),
		backendWS: env("DOCKET_BACKEND_WS", ""), ownerTokenFile: env("DOCKET_OWNER_TOKEN_FILE", ""), linger: env("DOCKET_LINGER", "0s"),
	}
}

// reach are the flags of every command that uses a sidecar.
func (o *sidecarOptions) reach(f *pflag.FlagSet) {
	f.StringVar(&o.httpPort, "dapr-http-port", o.httpPort, "HTTP port of the Dapr sidecar (DAPR_HTTP_PORT)")
	f.StringVar(&o.grpcPort, "dapr-grpc-port", o.grpcPort, "gRPC port of the Dapr sidecar (DAPR_GRPC_PORT)")
}

// serve are those of serve.
func (o *sidecarOptions) serve(f *pflag.FlagSet) {
	o.reach(f)
	f.StringVar(&o.appListen, "app-listen", o.appListen, "behind Dapr: address for the sidecar alone (DOCKET_APP_LISTEN, or APP_PORT)")
	f.StringVar(&o.opsListen, "ops-listen", o.opsListen, "behind Dapr: address for /healthz, /readyz and /metrics (DOCKET_OPS_LISTEN)")
	f.StringVar(&o.backendWS, "backend-ws", o.backendWS, "frontend behind Dapr: where backend's replicas serve users, for /ws if no ingress routes it: URL[,URL…] (DOCKET_BACKEND_WS)")
	f.StringVar(&o.linger, "linger", o.linger, "behind Dapr: how long a service that has stopped still sends callers elsewhere, until its sidecar is gone too (DOCKET_LINGER)")
	f.StringVar(&o.ownerTokenFile, "owner-token-file", o.ownerTokenFile, "backend behind Dapr: file for the first user's API token (DOCKET_OWNER_TOKEN_FILE)")
}

// instance names this replica over all its starts: pods have names of their own, replicas on one machine ports.
func (o *sidecarOptions) instance() string {
	name, err := os.Hostname()
	if err != nil {
		return "" // recovery takes a little longer
	}
	return name + " " + o.appListen
}

// open opens the host for a service; instance is empty for what only looks in.
func (o *sidecarOptions) open(ctx context.Context, s service, instance string, log *slog.Logger, metrics prometheus.Registerer) (*dapr.Node, error) {
	httpPort, err := port("--dapr-http-port", o.httpPort)
	if err != nil {
		return nil, err
	}
	grpcPort, err := port("--dapr-grpc-port", o.grpcPort)
	if err != nil {
		return nil, err
	}
	return dapr.Open(ctx, dapr.Options{Service: s.name, Instance: instance, HTTPPort: httpPort, GRPCPort: grpcPort, APIToken: env("DAPR_API_TOKEN", ""), AppToken: env("APP_API_TOKEN", ""),
		Stateless: s.stateless, Hot: s.hot, ContentType: event.ContentType, Logger: log, Metrics: metrics, Failpoint: failpoint()})
}

// lingering is how long, and an error where that is no time.
func (o *sidecarOptions) lingering() (time.Duration, error) {
	d, err := time.ParseDuration(o.linger)
	if err != nil || d < 0 {
		return 0, cli.Usage(fmt.Errorf("--linger %q: want a duration such as 15s", o.linger))
	}
	return d, nil
}

func port(flag, value string) (int, error) {
	n, err := strconv.ParseUint(value, 10, 16)
	if err != nil || n == 0 {
		return 0, cli.Usage(fmt.Errorf("%s %q: want a port, 1 to 65535", flag, value))
	}
	return int(n), nil
}

// serveSidecar runs one service behind its Dapr sidecar until ctx ends. In this order: the ports; the sidecar, which
// must be there before anything else works; the service; the sidecar's door, through which messages then come; the users' door.
func serveSidecar(ctx context.Context, o *serveOptions, so *sidecarOptions, s service, users bool, out io.Writer) (err error) {
	if err := o.checkLog(); err != nil {
		return err
	}
	log := edge.NewLogger(os.Stderr, s.name, o.logLevel, o.logFormat)
	metrics := newRegistry()
	set, err := o.settings(log, metrics, s.name == notification.Name)
	if err != nil {
		return err
	}
	linger, err := so.lingering()
	if err != nil {
		return err
	}
	doors, err := openDoors(o, so, s, users)
	if err != nil {
		return err
	}
	defer doors.close()
	stopTracing, err := startTracing(ctx, s.name)
	if err != nil {
		return err
	}
	defer stopTracing()
	node, err := so.open(ctx, s, so.instance(), log, metrics)
	if err != nil {
		return err
	}
	node.Linger = linger
	background, stopBackground := context.WithCancel(context.WithoutCancel(ctx))
	defer stopBackground()
	defer func() {
		limit, cancel := context.WithTimeout(background, stopTime)
		defer cancel()
		err = errors.Join(err, node.Close(limit))
	}()
	if s.name == frontend.Name && so.backendWS != "" {
		if set.sockets, err = socketProxy(so.backendWS); err != nil {
			return err
		}
	}
	unit, err := s.new(background, set, node.Host())
	if err != nil {
		return fmt.Errorf("start %s: %w", s.name, err)
	}
	if s.name == backend.Name {
		if err := greet(ctx, so, set.public, node.Host(), log, out); err != nil {
			return err
		}
	}
	if err := node.Start(background, doors.app, unit); err != nil {
		return err
	}
	fmt.Fprintf(out, "docket %s: %s is up\n", version(), s.name)
	return doors.serve(ctx, background, unit, log, min(linger, farewellTime))
}

// doors are the listeners of a service: the sidecar's, the users' and the operators'; the last two may be nil.
type doors struct{ app, users, ops net.Listener }

func openDoors(o *serveOptions, so *sidecarOptions, s service, users bool) (d doors, err error) {
	if d.app, err = listen(so.appListen); err != nil {
		return d, fmt.Errorf("for the sidecar (--app-listen): %w", err)
	}
	if users {
		if d.users, err = listen(o.listen); err != nil {
			d.close()
			return d, err
		}
	}
	if so.opsListen != "" {
		if d.ops, err = listen(so.opsListen); err != nil {
			d.close()
			return d, fmt.Errorf("for health and metrics (--ops-listen): %w", err)
		}
	}
	return d, nil
}

func (d doors) close() {
	for _, l := range []net.Listener{d.app, d.users, d.ops} {
		if l != nil {
			_ = l.Close()
		}
	}
}

// farewellTime is how long users are still served, and asked to connect anew, by a replica that others outlive.
const farewellTime = 3 * time.Second

// serve serves users and operators until ctx ends.
func (d doors) serve(ctx, background context.Context, unit host.Service, log *slog.Logger, farewell time.Duration) error {
	serving, ctx := errgroup.WithContext(ctx)
	if d.ops != nil {
		serving.Go(func() error { return serveHTTP(ctx, background, d.ops, unit.Runtime, log) })
	}
	if d.users != nil {
		serving.Go(func() error { return servePublic(ctx, background, d.users, usersDoor(unit), log, farewell) })
	}
	serving.Go(func() error {
		<-ctx.Done()
		return nil
	})
	return serving.Wait()
}

// usersDoor is what stands at the users' port of one service. That of backend is there for WebSockets and those who have been identified:
// who wants to sign in comes by frontend, which counts attempts.
func usersDoor(unit host.Service) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", unit.Public)
	if unit.Name == backend.Name {
		for _, pattern := range account.OpenPatterns {
			mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
				edge.WriteProblem(w, r, edge.NewProblem(http.StatusNotFound, "", "this is for the frontend: ask there"))
			})
		}
	}
	mux.Handle("GET /healthz", unit.Runtime)
	mux.Handle("GET /readyz", unit.Runtime)
	mux.Handle("GET /metrics", localOnly(unit.Runtime))
	return mux
}

// socketProxy passes WebSockets on to the replicas of backend in turn, which service invocation cannot. The Host stays as it
// was: backend compares the Origin with it.
func socketProxy(addresses string) (http.Handler, error) {
	pool := &replicas{next: http.DefaultTransport}
	for _, a := range strings.Split(addresses, ",") {
		target, err := url.Parse(strings.TrimSpace(a))
		if err != nil || target.Host == "" || target.Scheme != "http" && target.Scheme != "https" {
			return nil, cli.Usage(fmt.Errorf("--backend-ws %q: want addresses like http://127.0.0.1:8081", addresses))
		}
		pool.targets = append(pool.targets, target)
	}
	return &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.Out.Host = r.In.Host },
		Transport: pool,
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			edge.LoggerOf(r.Context()).WarnContext(r.Context(), "backend is not reached for a WebSocket", "error", err)
			edge.WriteProblem(w, r, edge.NewProblem(http.StatusServiceUnavailable, "unavailable", "live updates cannot be reached, try again").After(time.Second))
		},
	}, nil
}

// replicas sends requests without a body to one address after the other, and past those where nobody listens.
type replicas struct {
	targets []*url.URL
	turn    atomic.Uint32
	next    http.RoundTripper
}

func (p *replicas) RoundTrip(r *http.Request) (resp *http.Response, err error) {
	first := p.turn.Add(1)
	for i := range p.targets {
		t := p.targets[(int(first)+i)%len(p.targets)]
		out := r.Clone(r.Context())
		out.URL.Scheme, out.URL.Host = t.Scheme, t.Host
		resp, err = p.next.RoundTrip(out)
		if dial, ok := errors.AsType[*net.OpError](err); !ok || dial.Op != "dial" {
			return resp, err
		}
	}
	return resp, err
}

// greet creates the first user at the first start and tells how to sign in. However many replicas start, one does so.
func greet(ctx context.Context, so *sidecarOptions, publicURL string, h host.Host, log *slog.Logger, out io.Writer) error {
	accounts := backend.Accounts(account.Config{Now: time.Now, Logger: log}, h)
	user, token, created, err := accounts.Bootstrap(ctx, "me", localZone())
	if err != nil {
		return err
	}
	if so.ownerTokenFile != "" {
		if err := keepOwnerToken(ctx, accounts, user.ID, so.ownerTokenFile, token); err != nil {
			return err
		}
	}
	if !created {
		return nil
	}
	return signInLink(ctx, accounts, user.ID, publicURL, out)
}

// keepOwnerToken writes the first user's token; a new one where another replica was the first, or the file was lost.
func keepOwnerToken(ctx context.Context, accounts *account.Store, userID, file, token string) error {
	if token == "" {
		_, err := os.Stat(file)
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if _, token, err = accounts.NewToken(ctx, userID, account.TokenRequest{Name: filepath.Base(file), Scope: account.ScopeAdmin}); err != nil {
			return fmt.Errorf("make a token for the owner: %w", err)
		}
	}
	return writePrivate(file, token)
}

func signInLink(ctx context.Context, accounts *account.Store, userID, publicURL string, out io.Writer) error {
	code, err := accounts.NewSignInCode(ctx, userID)
	if err != nil {
		return fmt.Errorf("make a sign-in link: %w", err)
	}
	fmt.Fprintf(out, "This link signs the first user in, once, within the hour:\n  %s/signin#%s\n", cmp.Or(publicURL, "http://127.0.0.1:8080"), code)
	return nil
}

// besideTime is how long a command waits for a sidecar, which has to be there already.
const besideTime = 15 * time.Second

// beside runs do with the state of a service that runs behind Dapr, through the sidecar of one of its replicas.
func beside(ctx context.Context, so *sidecarOptions, name string, do func(context.Context, *dapr.Node) error) (err error) {
	s, err := serviceNamed(name)
	if err != nil {
		return err
	}
	log := edge.NewLogger(os.Stderr, s.name, "warn", "text")
	opening, cancel := context.WithTimeout(ctx, besideTime)
	defer cancel()
	node, err := so.open(opening, s, "", log, nil)
	if err != nil {
		return err
	}
	defer func() {
		limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
		defer cancel()
		err = errors.Join(err, node.Close(limit))
	}()
	return do(ctx, node)
}

func ownerCommand() *cobra.Command {
	so, publicURL := defaultSidecarOptions(), env("DOCKET_PUBLIC_URL", "")
	c := &cobra.Command{Use: "owner", Short: "Make a sign-in link for the first user (behind Dapr)", GroupID: "server", Args: cobra.NoArgs,
		Long: `Run where a replica of backend runs, for instance with kubectl exec: it uses that replica's sidecar.
The link signs in once, within the hour. Where there is no user yet, the first is created.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return beside(cmd.Context(), so, backend.Name, func(ctx context.Context, n *dapr.Node) error {
				h := n.Host()
				accounts := backend.Accounts(account.Config{Now: time.Now, Logger: n.Logger}, h)
				user, _, _, err := accounts.Bootstrap(ctx, "me", localZone())
				if err != nil {
					return fmt.Errorf("find the first user: %w", err)
				}
				return signInLink(ctx, accounts, user.ID, publicURL, cmd.OutOrStdout())
			})
		}}
	so.reach(c.Flags())
	c.Flags().StringVar(&publicURL, "public-url", publicURL, "the address in the link (DOCKET_PUBLIC_URL)")
	return c
}

func deadLetterCommand() *cobra.Command {
	c := &cobra.Command{Use: "deadletter", Short: "List and replay messages that a service refused for good (behind Dapr)", GroupID: "server", Args: cobra.NoArgs,
		Long: "Run where a replica of the service runs, for instance with kubectl exec: it uses that replica's sidecar."}
	so := defaultSidecarOptions()
	list := &cobra.Command{Use: "list SERVICE", Short: "List the dead letters: topic, event, when, why", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return beside(cmd.Context(), so, args[0], func(ctx context.Context, n *dapr.Node) error {
				letters, err := n.DeadLetters(ctx)
				for _, l := range letters {
					fmt.Fprintf(cmd.OutOrStdout(), "%s\t%s\t%s\t%s\n", l.Topic, l.ID, l.At.Format(time.RFC3339), l.Error)
				}
				return err
			})
		}}
	replay := &cobra.Command{Use: "replay SERVICE TOPIC EVENT", Short: "Have the service handle one again", Args: cobra.ExactArgs(3),
		RunE: func(cmd *cobra.Command, args []string) error {
			return beside(cmd.Context(), so, args[0], func(ctx context.Context, n *dapr.Node) error { return n.Replay(ctx, args[1], args[2]) })
		}}
	so.reach(list.Flags())
	so.reach(replay.Flags())
	c.AddCommand(list, replay)
	return c
}
