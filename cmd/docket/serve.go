package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/docket-tasks/docket/cmd/docket/cli"
	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/host/embedded"
	"github.com/docket-tasks/docket/services/backend"
	"github.com/docket-tasks/docket/services/backend/account"
	"github.com/docket-tasks/docket/services/backend/openid"
	"github.com/docket-tasks/docket/services/frontend"
	"github.com/docket-tasks/docket/services/notification"
)

// A stop takes 10 seconds at most: first requests that have begun may finish, then the services and their data.
const (
	requestTime = 4 * time.Second
	stopTime    = 6 * time.Second
)

// serveOptions are the server's settings; flags win over the environment.
type serveOptions struct {
	listen, data        string
	logLevel, logFormat string
	tls, proxied        bool
	proxyHops           string
	smtp                notification.SMTP
	smtpPort            string
	privateWebhooks     bool
	pushContact         string
	rateLimit           string
	signUp              string
	openID, publicURL   string
}

func env(name, otherwise string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return otherwise
}

func defaultServeOptions() *serveOptions {
	return &serveOptions{
		listen: env("DOCKET_LISTEN", "127.0.0.1:8080"), data: env("DOCKET_DATA", "./docket-data"),
		logLevel: env("DOCKET_LOG_LEVEL", "warn"), logFormat: env("DOCKET_LOG_FORMAT", "text"),
		smtp: notification.SMTP{Host: env("DOCKET_SMTP_HOST", ""), From: env("DOCKET_SMTP_FROM", ""), User: env("DOCKET_SMTP_USER", ""),
			TLS: notification.TLSPolicy(env("DOCKET_SMTP_TLS", string(notification.StartTLS)))},
		smtpPort:  env("DOCKET_SMTP_PORT", "0"),
		proxyHops: env("DOCKET_PROXY_HOPS", "1"), pushContact: env("DOCKET_PUSH_CONTACT", ""), rateLimit: env("DOCKET_RATE_LIMIT", "50"),
		signUp: env("DOCKET_SIGN_UP", string(account.SignUpClosed)),
		openID: env("DOCKET_OIDC", ""), publicURL: env("DOCKET_PUBLIC_URL", ""),
	}
}

func (o *serveOptions) flags(f *pflag.FlagSet) {
	f.StringVar(&o.listen, "listen", o.listen, "address to serve on (DOCKET_LISTEN)")
	f.StringVar(&o.data, "data", o.data, "folder for the data (DOCKET_DATA)")
	f.StringVar(&o.logLevel, "log-level", o.logLevel, "debug, info, warn or error (DOCKET_LOG_LEVEL)")
	f.StringVar(&o.logFormat, "log-format", o.logFormat, "text or json (DOCKET_LOG_FORMAT)")
	f.BoolVar(&o.tls, "behind-tls", o.tls, "a proxy in front terminates TLS: use secure cookies (DOCKET_BEHIND_TLS)")
	f.BoolVar(&o.proxied, "trust-proxy", o.proxied, "believe the X-Forwarded headers of the proxy in front (DOCKET_TRUST_PROXY)")
	f.StringVar(&o.proxyHops, "proxy-hops", o.proxyHops, "with --trust-proxy: how many entries the proxies in front append to X-Forwarded-For, 1 to 10 (DOCKET_PROXY_HOPS)")
	f.StringVar(&o.smtp.Host, "smtp-host", o.smtp.Host, "mail server for reminders, and links to set a forgotten password, by e-mail (DOCKET_SMTP_HOST)")
	f.StringVar(&o.smtpPort, "smtp-port", o.smtpPort, "port of the mail server; 0 is 587, and 465 with implicit TLS (DOCKET_SMTP_PORT)")
	f.StringVar(&o.smtp.From, "smtp-from", o.smtp.From, "sender of e-mail (DOCKET_SMTP_FROM)")
	f.StringVar(&o.smtp.User, "smtp-user", o.smtp.User, "user at the mail server (DOCKET_SMTP_USER); the password is DOCKET_SECRET_SMTP_PASSWORD")
	f.StringVar((*string)(&o.smtp.TLS), "smtp-tls", string(o.smtp.TLS), "starttls, opportunistic (where the mail server offers it), implicit (port 465) or none (DOCKET_SMTP_TLS)")
	f.BoolVar(&o.privateWebhooks, "allow-private-webhooks", o.privateWebhooks, "let webhooks and push messages reach private addresses, and plain http (DOCKET_ALLOW_PRIVATE_WEBHOOKS)")
	f.StringVar(&o.pushContact, "push-contact", o.pushContact, "e-mail or https address at which push services can reach you (DOCKET_PUSH_CONTACT)")
	f.StringVar(&o.rateLimit, "rate-limit", o.rateLimit, "requests a second that one token or session may make from another machine, at most; 0: no limit (DOCKET_RATE_LIMIT)")
	f.StringVar(&o.signUp, "sign-up", o.signUp, "who may make an account: open (anybody), invitation (see docket user invite) or closed: administrators make users (DOCKET_SIGN_UP)")
	f.StringVar(&o.openID, "oidc", o.openID, "OpenID providers to sign in with: a JSON file, or its contents (DOCKET_OIDC); the client secret of each is DOCKET_SECRET_OIDC_ and its id")
	f.StringVar(&o.publicURL, "public-url", o.publicURL, "where browsers reach docket, such as https://tasks.example.org: for OpenID providers, passkeys, links in e-mails, and links behind Dapr (DOCKET_PUBLIC_URL)")
}

// switches are the variables of the flags that are on or off.
var switches = [][2]string{
	{"behind-tls", "DOCKET_BEHIND_TLS"}, {"trust-proxy", "DOCKET_TRUST_PROXY"}, {"allow-private-webhooks", "DOCKET_ALLOW_PRIVATE_WEBHOOKS"},
}

// readSwitches sets those that the command line leaves to the environment: as its default a flag could not tell what is neither.
func readSwitches(c *cobra.Command, _ []string) error {
	for _, s := range switches {
		flag, name := s[0], s[1]
		v := env(name, "")
		if v == "" || c.Flags().Changed(flag) {
			continue
		}
		if err := c.Flags().Set(flag, v); err != nil {
			return cli.Usage(fmt.Errorf("--%s (%s): is %q: use true or false", flag, name, v))
		}
	}
	return nil
}

// checkLog refuses settings of the log that would have to be guessed at.
func (o *serveOptions) checkLog() error {
	if !slices.Contains([]string{"debug", "info", "warn", "error"}, o.logLevel) {
		return cli.Usage(fmt.Errorf("--log-level (DOCKET_LOG_LEVEL): is %q: use debug, info, warn or error", o.logLevel))
	}
	if o.logFormat != "text" && o.logFormat != "json" {
		return cli.Usage(fmt.Errorf("--log-format (DOCKET_LOG_FORMAT): is %q: use text or json", o.logFormat))
	}
	return nil
}

// providers reads the OpenID providers, which need to know where docket is.
func (o *serveOptions) providers() ([]openid.Settings, error) {
	if o.openID == "" {
		return nil, nil
	}
	text := []byte(o.openID)
	if !strings.HasPrefix(strings.TrimSpace(o.openID), "[") {
		var err error
		if text, err = os.ReadFile(o.openID); err != nil {
			return nil, fmt.Errorf("--oidc (DOCKET_OIDC): %w", err)
		}
	}
	list, err := openid.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("--oidc (DOCKET_OIDC): %w", err)
	}
	if err := openid.CheckAddress(o.publicURL); err != nil && len(list) > 0 {
		return nil, fmt.Errorf("--public-url (DOCKET_PUBLIC_URL): it is where providers send browsers back to, and %w", err)
	}
	return list, nil
}

const (
	maxRateLimit = 1e6 // more than a replica can answer
	maxProxyHops = 10  // more than anybody has in front
)

// mail is how e-mail leaves, checked though no mail server may be named yet: what is wrong would be found only then. Behind Dapr
// all but the notification service at most know that there is one: only who sends needs a sender.
func (o *serveOptions) mail(sends bool) (notification.SMTP, error) {
	smtp := o.smtp
	if !smtp.TLS.Valid() {
		return smtp, cli.Usage(fmt.Errorf("--smtp-tls (DOCKET_SMTP_TLS): is %q: use starttls, opportunistic, implicit or none", smtp.TLS))
	}
	port, err := strconv.ParseUint(o.smtpPort, 10, 16)
	if err != nil {
		return smtp, cli.Usage(fmt.Errorf("--smtp-port (DOCKET_SMTP_PORT): is %q: use a port, 1 to 65535, or 0 for the usual one", o.smtpPort))
	}
	smtp.Port = int(port)
	if smtp.From != "" || smtp.Host != "" && sends {
		if _, err := notification.ParseSender(smtp.From); err != nil {
			return smtp, cli.Usage(fmt.Errorf("--smtp-from (DOCKET_SMTP_FROM): %w", err))
		}
	}
	return smtp, nil
}

// settings are those of the services; sends tells whether the one that sends e-mail is among them.
func (o *serveOptions) settings(log *slog.Logger, metrics *prometheus.Registry, sends bool) (settings, error) {
	limit, err := strconv.ParseFloat(o.rateLimit, 64)
	if err != nil || !(limit >= 0 && limit <= maxRateLimit) {
		return settings{}, cli.Usage(fmt.Errorf("--rate-limit (DOCKET_RATE_LIMIT): is %q: use a number of requests a second from 0 (no limit) to %.0f", o.rateLimit, maxRateLimit))
	}
	hops, err := strconv.Atoi(o.proxyHops)
	if err != nil || hops < 1 || hops > maxProxyHops {
		return settings{}, cli.Usage(fmt.Errorf("--proxy-hops (DOCKET_PROXY_HOPS): is %q: use a number of entries of X-Forwarded-For from 1 to %d", o.proxyHops, maxProxyHops))
	}
	signUp := account.SignUp(o.signUp)
	if !signUp.Valid() {
		return settings{}, cli.Usage(fmt.Errorf("--sign-up (DOCKET_SIGN_UP): is %q: use open, invitation or closed", o.signUp))
	}
	providers, err := o.providers()
	if err != nil {
		return settings{}, cli.Usage(err)
	}
	if v := o.publicURL; v != "" && !strings.HasPrefix(v, "https://") && !strings.HasPrefix(v, "http://") {
		return settings{}, cli.Usage(fmt.Errorf("--public-url (DOCKET_PUBLIC_URL): is %q: use an address such as https://tasks.example.org", v))
	}
	smtp, err := o.mail(sends)
	if err != nil {
		return settings{}, err
	}
	if o.pushContact != "" {
		if err := notification.CheckContact(o.pushContact); err != nil {
			return settings{}, cli.Usage(fmt.Errorf("--push-contact (DOCKET_PUSH_CONTACT): %w", err))
		}
	}
	if smtp.Host != "" && o.publicURL == "" {
		log.Info("a forgotten password cannot be set anew by e-mail: --public-url, where the link leads, is not set")
	}
	return settings{openID: providers, public: strings.TrimSuffix(o.publicURL, "/"), signUp: signUp, rate: limit, log: log, metrics: metrics, tls: o.tls, proxied: o.proxied, hops: hops, smtp: smtp, private: o.privateWebhooks, contact: o.pushContact}, nil
}

func serveCommand() *cobra.Command {
	o, so, on := defaultServeOptions(), defaultSidecarOptions(), env("DOCKET_HOST", "embedded")
	c := &cobra.Command{Use: "serve [SERVICE]", Short: "Run the server (as docket without a command), or one service behind Dapr", GroupID: "server", Args: cobra.MaximumNArgs(1),
		Long: `Without a service: all of them in this process, data in one folder.
With --host dapr and a service: that one, behind its Dapr sidecar, which is started beside it. Only frontend listens for
users by default, on --listen; the others do where --listen is given.`,
		PreRunE: readSwitches,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case on == "embedded" && len(args) == 0:
				return serve(cmd.Context(), o, cmd.OutOrStdout())
			case on == "embedded":
				return cli.Usage(fmt.Errorf("one service alone runs behind Dapr: docket serve %s --host dapr", args[0]))
			case on != "dapr":
				return cli.Usage(fmt.Errorf("--host %q: want embedded or dapr", on))
			case len(args) == 0:
				return cli.Usage(errors.New("with --host dapr each service is a process: docket serve SERVICE --host dapr"))
			}
			s, err := serviceNamed(args[0])
			if err != nil {
				return err
			}
			users := s.name == frontend.Name || cmd.Flags().Changed("listen") || os.Getenv("DOCKET_LISTEN") != ""
			return serveSidecar(cmd.Context(), o, so, s, users, cmd.OutOrStdout())
		}}
	o.flags(c.Flags())
	so.serve(c.Flags())
	c.Flags().StringVar(&on, "host", on, "embedded, or dapr (DOCKET_HOST)")
	return c
}

// remedy says what to do where data cannot be read; how that came out is of no more use then.
func remedy(err error) error {
	var damaged *embedded.NotDataError
	if errors.As(err, &damaged) {
		return fmt.Errorf("%w: restore a backup into a new folder with `docket restore FILE --data FOLDER`, and start docket with that --data", damaged)
	}
	return err
}

// serve runs all services on the embedded host until ctx ends. In this order: the settings, which open nothing; the port,
// because two servers fight over it most often; the data, which a second process must not open; the services; and the door last,
// so that nobody comes in before everything stands.
func serve(ctx context.Context, o *serveOptions, out io.Writer) (err error) {
	defer func() { err = remedy(err) }()
	if err := o.checkLog(); err != nil {
		return err
	}
	unnamed := edge.NewLogger(os.Stderr, "", o.logLevel, o.logFormat) // each service adds its own name
	log := unnamed.With("service", "docket")
	metrics := newRegistry()
	set, err := o.settings(unnamed, metrics, true)
	if err != nil {
		return err
	}
	listener, err := listen(o.listen)
	if err != nil {
		return err
	}
	defer listener.Close()
	stopTracing, err := startTracing(ctx, "docket")
	if err != nil {
		return err
	}
	defer stopTracing()
	node, err := embedded.Open(ctx, embedded.Options{Dir: o.data, Logger: log, Metrics: metrics, Version: version(), Failpoint: failpoint()})
	if err != nil {
		return err
	}
	background, stopBackground := context.WithCancel(context.WithoutCancel(ctx))
	defer stopBackground()
	closeNode := func() error {
		limit, cancel := context.WithTimeout(background, stopTime)
		defer cancel()
		return node.Close(limit)
	}
	defer func() { err = errors.Join(err, closeNode()) }()

	running, err := start(background, node, set)
	if err != nil {
		return err
	}
	if err := welcome(ctx, o, node, listener.Addr(), log, out); err != nil {
		return err
	}
	return serveHTTP(ctx, background, listener, door(running), log)
}

// newRegistry returns the registry of the process's metrics.
func newRegistry() *prometheus.Registry {
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return reg
}

// start makes every service of the table and runs them on the node.
func start(ctx context.Context, node *embedded.Node, set settings) (map[string]host.Service, error) {
	running := make(map[string]host.Service, len(services))
	all := make([]host.Service, 0, len(services))
	base := set.log
	for _, s := range services {
		set.log = base.With("service", s.name)
		unit, err := s.new(ctx, set, node.Host(s.name))
		if err != nil {
			return nil, fmt.Errorf("start %s: %w", s.name, err)
		}
		if running[s.name] = unit; s.name == backend.Name {
			set.sockets = unit.Public
		}
		all = append(all, unit)
	}
	return running, node.Start(ctx, all...)
}

// door is what stands at the port: the gateway, and beside it what is for operators: the figures are for this machine only.
func door(running map[string]host.Service) http.Handler {
	gateway, back := running[frontend.Name], running[backend.Name]
	mux := http.NewServeMux()
	mux.Handle("/", gateway.Public)
	mux.Handle("GET /healthz", back.Runtime)
	mux.Handle("GET /readyz", back.Runtime)
	mux.Handle("GET /metrics", localOnly(back.Runtime))
	return mux
}

// localOnly lets in requests from this machine that no proxy has passed on.
func localOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		addr, _, _ := net.SplitHostPort(r.RemoteAddr)
		ip := net.ParseIP(addr)
		if ip == nil || !ip.IsLoopback() || r.Header.Get("X-Forwarded-For") != "" || r.Header.Get("Forwarded") != "" {
			edge.WriteProblem(w, r, edge.NewProblem(http.StatusNotFound, "", "there is nothing at this path"))
			return
		}
		next.ServeHTTP(w, r)
	})
}

func listen(addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s is in use: another server, perhaps docket itself, is running there; stop it or choose another address with --listen", addr)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %q: %w; choose another address with --listen", addr, err)
	}
	return l, nil
}

// welcome creates the owner at the first start and says how to begin.
func welcome(ctx context.Context, o *serveOptions, node *embedded.Node, addr net.Addr, log *slog.Logger, out io.Writer) error {
	h := node.Host(backend.Name)
	accounts := backend.Accounts(account.Config{Now: time.Now, Logger: log}, h)
	user, token, created, err := accounts.Bootstrap(ctx, "me", localZone())
	if err != nil {
		return err
	}
	file := filepath.Join(o.data, "owner.token")
	if _, err := os.Stat(file); !created && errors.Is(err, fs.ErrNotExist) { // lost, or the first start was cut short
		if _, token, err = accounts.NewToken(ctx, user.ID, account.TokenRequest{Name: "owner.token", Scope: account.ScopeAdmin}); err != nil {
			return fmt.Errorf("make a token for the owner: %w", err)
		}
	}
	if token != "" {
		if err := writePrivate(file, token); err != nil {
			return err
		}
	}
	url := localURL(addr)
	if err := writePrivate(filepath.Join(o.data, "server"), url); err != nil { // where the client finds it
		return err
	}
	fmt.Fprintf(out, "docket %s serves %s, data in %s\n", version(), url, o.data)
	if !created {
		return nil
	}
	code, err := accounts.NewSignInCode(ctx, user.ID)
	if err != nil {
		return fmt.Errorf("make a sign-in link: %w", err)
	}
	fmt.Fprintf(out, `
Welcome. This is the first start, so here is how to begin:

  In the browser (this link signs you in, once, within the hour):
    %[1]s/signin#%[2]s

  In another terminal:
    docket add "Pay rent" --due tomorrow --repeat monthly%[3]s
    docket ls%[3]s
    docket help

Your API token is in %[4]s.
`, url, code, clientHint(o), file)
	return nil
}

// clientHint is what the client needs to be told where it would not find the server by itself.
func clientHint(o *serveOptions) string {
	if o.data == "./docket-data" {
		return ""
	}
	return " --data " + o.data
}

// localURL is how a client on this machine reaches the address that is listened on.
func localURL(addr net.Addr) string {
	if tcp, ok := addr.(*net.TCPAddr); ok && tcp.IP.IsUnspecified() {
		return "http://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(tcp.Port))
	}
	return "http://" + addr.String()
}

// writePrivate keeps a line where only the owner of the file can read it, whole and on disk before anyone relies on it.
func writePrivate(file, line string) error {
	f, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*") // mode 0600
	if err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	_, err = f.WriteString(line + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", file, errors.Join(err, os.Remove(f.Name())))
	}
	return nil
}

// localZone is the IANA name of this machine's time zone, UTC where that cannot be told.
func localZone() string {
	if tz := strings.TrimPrefix(os.Getenv("TZ"), ":"); tz != "" {
		return validZone(tz)
	}
	if target, err := filepath.EvalSymlinks("/etc/localtime"); err == nil {
		if _, name, ok := strings.Cut(target, "/zoneinfo/"); ok {
			return validZone(name)
		}
	}
	return validZone(time.Local.String())
}

func validZone(name string) string {
	if name == "Local" {
		return "UTC"
	}
	if _, err := time.LoadLocation(name); err != nil {
		return "UTC"
	}
	return name
}
