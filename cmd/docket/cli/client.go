package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	defaultServer = "http://127.0.0.1:8080"
	defaultData   = "./docket-data"
	// tryTime bounds one try of a request, tries how many there are.
	tryTime = 15 * time.Second
	tries   = 5
	// longestWait bounds what a Retry-After can ask for; of one who has asked too often (429), what is waited for at all.
	longestWait   = 5 * time.Second
	longestObeyed = 30 * time.Second
	// maxAnswer bounds what is read of an answer: a page of 200 tasks is below 4 MiB.
	maxAnswer = 64 << 20
)

// client speaks to one server as one user.
type client struct {
	server string // base URL without a slash at its end
	token  string
	// cookie is a session's, shown instead of the token.
	cookie string
	// origin says where the token is from, for error messages.
	origin string
	http   *http.Client
}

func newClient(server string) *client {
	return &client{server: server, http: &http.Client{
		Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, DialContext: (&net.Dialer{Timeout: 5 * time.Second}).DialContext},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// client finds out which server is meant and who asks: by flag, by environment, by the login, by the data folder. A data
// folder that was named goes before the login.
func (o *options) client() (*client, error) {
	token, origin := o.token, "--token"
	if token == "" {
		token, origin = os.Getenv("DOCKET_TOKEN"), "DOCKET_TOKEN"
	}
	var in login // which goes as a whole: its token is for its server alone
	if token == "" && o.data == defaultData {
		var err error
		if in, origin, err = savedLogin(); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	base, named, err := o.address(in)
	if err != nil {
		return nil, err
	}
	c := newClient(base)
	c.token, c.origin = token, origin
	if in.Server == base {
		c.token = in.Token
	}
	if c.token == "" {
		if c.token, c.origin, err = o.ownerToken(base, named); err != nil {
			return nil, err
		}
	}
	if strings.ContainsFunc(c.token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, exit(badInput, "%s: is no token: tokens are printed when they are made and begin with dkt_", c.origin)
	}
	return c, nil
}

// address is that of the server that is meant, and whether it was named: by flag, environment or login, if there is one.
func (o *options) address(in login) (base string, named bool, err error) {
	server := env("DOCKET_SERVER", "")
	if o.server != "" {
		server = o.server
	}
	if server == "" {
		server = in.Server
	}
	if named = server != ""; !named {
		server = o.folderServer()
	}
	base, err = serverURL(server)
	return base, named, err
}

// folderServer is the address that the server of the data folder has left there.
func (o *options) folderServer() string {
	if s, err := readLine(filepath.Join(o.data, "server")); err == nil {
		return s
	}
	return defaultServer
}

// ownerToken reads the token of the data folder. It may do anything on the server that the folder is of, and is shown
// to no other.
func (o *options) ownerToken(base string, named bool) (token, file string, err error) {
	file = filepath.Join(o.data, "owner.token")
	if token, err = readLine(file); err != nil {
		return "", file, o.noToken(err, base, named)
	}
	if own := o.folderServer(); spelled(own) != spelled(base) {
		return "", file, exit(badInput, "no token for %s: that in %s is for %s alone; give another with --token or DOCKET_TOKEN, or see docket login", base, file, clean(own))
	}
	return token, file, nil
}

// spelled writes the names of this machine as one.
func spelled(base string) string {
	u, err := url.Parse(base)
	if err == nil && (u.Hostname() == "localhost" || u.Hostname() == "::1") {
		u.Host = strings.TrimSuffix(net.JoinHostPort("127.0.0.1", u.Port()), ":")
		return u.String()
	}
	return base
}

// noToken says what is missing: a server that ran here has left its data folder.
func (o *options) noToken(err error, base string, named bool) error {
	if _, gone := os.Stat(o.data); errors.Is(gone, fs.ErrNotExist) && !named {
		return exit(unreachable, "no server at %s: start one with `docket`, or name it with --server (and its folder with --data)", base)
	}
	return exit(badInput, "no token: %w; name the server's folder with --data, or a token with --token or DOCKET_TOKEN, or see docket login", err)
}

func readLine(file string) (string, error) {
	b, err := os.ReadFile(file)
	line := strings.TrimSpace(string(b))
	if err == nil && line == "" {
		err = fmt.Errorf("%s is empty", file)
	}
	return line, err
}

// serverURL checks an address. One without a scheme means HTTPS, for a token goes there, and plain HTTP on this machine.
func serverURL(s string) (string, error) {
	full := s
	if !strings.Contains(s, "://") {
		full = "https://" + s
		if u, err := url.Parse(full); err == nil && onThisMachine(u.Hostname()) {
			full = "http://" + s
		}
	}
	u, err := url.Parse(full)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return "", exit(badInput, "--server: %q is no address of a server: give one such as %s", s, defaultServer)
	}
	return strings.TrimRight(full, "/"), nil
}

func onThisMachine(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// request is one call of the API.
type request struct {
	method, path string
	query        url.Values
	body         any
	// key is an Idempotency-Key.
	key string
	// once says that doing it twice is not the same as doing it once.
	once bool
}

type answer struct {
	header http.Header
	body   []byte
}

// do carries a request out. Where the server asks to come again, or the connection breaks, it tries again, unless
// that could do something twice.
func (c *client) do(ctx context.Context, r request) (answer, error) {
	var body []byte
	if r.body != nil {
		var err error
		if body, err = json.Marshal(r.body); err != nil {
			return answer{}, fmt.Errorf("encode request: %w", err)
		}
	}
	for try := 1; ; try++ {
		a, wait, err := c.try(ctx, r, body)
		if err == nil || wait < 0 || try == tries {
			return a, err
		}
		if wait == 0 {
			wait = 100 * time.Millisecond << try
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return answer{}, ctx.Err()
		}
	}
}

// try sends a request once. After an error wait is how long to wait before the next try, 0 for the usual time,
// negative where another try makes no sense.
func (c *client) try(ctx context.Context, r request, body []byte) (a answer, wait time.Duration, err error) {
	limited, cancel := context.WithTimeout(ctx, tryTime)
	defer cancel()
	req, err := c.build(limited, r, body)
	if err != nil {
		return a, -1, err
	}
	res, err := c.http.Do(req)
	if err == nil {
		defer res.Body.Close()
		a.header = res.Header
		a.body, err = io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	}
	switch {
	case ctx.Err() != nil:
		return a, -1, ctx.Err()
	case err != nil:
		return a, c.again(r, err), c.unreachable(err)
	case res.StatusCode >= 200 && res.StatusCode < 300:
		return a, 0, nil
	}
	p := c.problem(res, a.body)
	return a, r.waitAfter(res, p), p.failure()
}

// download writes an answer of any length as it comes. One that broke off is an error.
func (c *client) download(ctx context.Context, path string, w io.Writer) error {
	req, err := c.build(ctx, request{method: http.MethodGet, path: path}, nil)
	if err != nil {
		return err
	}
	res, err := c.http.Do(req)
	if err != nil {
		return c.unreachable(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
		return c.problem(res, body).failure()
	}
	if _, err := io.Copy(w, res.Body); err != nil {
		return exit(failed, "the answer broke off: %w", err)
	}
	return nil
}

// waitAfter is how long to wait after an error answer, as try tells it.
func (r request) waitAfter(res *http.Response, p *problem) time.Duration {
	seconds, _ := strconv.Atoi(res.Header.Get("Retry-After"))
	asked := max(0, time.Duration(seconds)*time.Second)
	switch {
	case res.StatusCode == http.StatusTooManyRequests && asked <= longestObeyed: // nothing was done, so not even once
		return asked
	case res.StatusCode == http.StatusServiceUnavailable && (!r.once || p.Code == "unavailable"):
		return min(longestWait, asked)
	}
	return -1
}

func (c *client) build(ctx context.Context, r request, body []byte) (*http.Request, error) {
	u := c.server + r.path
	if len(r.query) > 0 {
		u += "?" + r.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, r.method, u, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	switch {
	case c.cookie != "":
		req.Header.Set("Cookie", c.cookie)
	case c.token != "":
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if r.key != "" {
		req.Header.Set("Idempotency-Key", r.key)
	}
	return req, nil
}

// again is the wait after a failed connection: none where nobody listens, or where it took all the time it had.
func (c *client) again(r request, err error) time.Duration {
	if r.once || errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, context.DeadlineExceeded) {
		return -1
	}
	if _, unknown := errors.AsType[*net.DNSError](err); unknown {
		return -1
	}
	return 0
}

func (c *client) unreachable(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return exit(unreachable, "the server at %s does not answer (waited %v): try again, or see its log", c.server, tryTime)
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		return exit(unreachable, "no server at %s: start one with `docket`, or name it with --server", c.server)
	}
	if errors.Is(err, http.ErrSchemeMismatch) {
		return exit(unreachable, "the server at %s speaks plain HTTP: give its address with http://, if nobody else is on the way there", c.server)
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	return exit(unreachable, "cannot reach the server at %s: %w; name another with --server", c.server, err)
}

// problem is an error as the server tells it (RFC 9457), and what to do about it.
type problem struct {
	Status int    `json:"status"`
	Title  string `json:"title"`
	Detail string `json:"detail"`
	Code   string `json:"code"`
	Errors []struct {
		Field  string `json:"field"`
		Detail string `json:"detail"`
	} `json:"errors"`
	hint string
}

func (c *client) problem(res *http.Response, body []byte) *problem {
	p := &problem{}
	if err := json.Unmarshal(body, p); err != nil || p.Title == "" {
		p = &problem{Title: res.Status, Detail: fmt.Sprintf("%s answered %q: is that a docket server?", c.server, res.Status)}
	}
	p.Status = res.StatusCode
	switch p.Status {
	case http.StatusUnauthorized:
		p.hint = fmt.Sprintf("; the token is from %s: make a new one with `docket token create` where you are signed in", c.origin)
	case http.StatusServiceUnavailable:
		p.hint = fmt.Sprintf(" (server %s)", c.server)
	}
	return p
}

// Error has a line for each field at fault.
func (p *problem) Error() string {
	lines := make([]string, 0, len(p.Errors))
	for _, f := range p.Errors {
		lines = append(lines, clean(f.Field+": "+f.Detail))
	}
	if len(lines) == 0 {
		if lines = append(lines, clean(p.Detail)); p.Detail == "" {
			lines[0] = clean(p.Title)
		}
	}
	return strings.Join(lines, "\ndocket: ") + p.hint
}

// failure gives the problem its exit code.
func (p *problem) failure() error {
	code := failed
	switch p.Status {
	case http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusRequestEntityTooLarge:
		code = badInput
	case http.StatusNotFound:
		code = notFound
	case http.StatusServiceUnavailable, http.StatusBadGateway, http.StatusGatewayTimeout:
		code = unreachable
	}
	return &exitError{code, p}
}

// get reads one JSON value.
func get[T any](ctx context.Context, c *client, path string, query url.Values) (T, http.Header, error) {
	return call[T](ctx, c, request{method: http.MethodGet, path: path, query: query})
}

// call carries out a request and reads the JSON value of its answer.
func call[T any](ctx context.Context, c *client, r request) (T, http.Header, error) {
	var v T
	a, err := c.do(ctx, r)
	if err != nil {
		return v, nil, err
	}
	if err := json.Unmarshal(a.body, &v); err != nil {
		return v, nil, exit(failed, "%s %s: the answer is not what docket sends: %w", r.method, r.path, err)
	}
	return v, a.header, nil
}

// pages calls each with every element of a list, following the links to the next pages, until it returns false.
func (c *client) pages(ctx context.Context, path string, query url.Values, each func(doc json.RawMessage, h http.Header) (more bool, err error)) error {
	for {
		docs, h, err := get[[]json.RawMessage](ctx, c, path, query)
		if err != nil {
			return err
		}
		for _, doc := range docs {
			if more, err := each(doc, h); err != nil || !more {
				return err
			}
		}
		next, ok := nextPage(h.Get("Link"))
		if !ok {
			return nil
		}
		query = next
	}
}

// nextPage is the query of the link to the next page (RFC 8288); its path is the one asked.
func nextPage(link string) (url.Values, bool) {
	target, rel, ok := strings.Cut(strings.TrimPrefix(link, "<"), ">")
	if !ok || !strings.Contains(rel, `rel="next"`) {
		return nil, false
	}
	u, err := url.Parse(target)
	if err != nil {
		return nil, false
	}
	return u.Query(), true
}
