package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// cluster is a run in a Kubernetes cluster that docket is installed in: each pod of it is taken away in turn, without
// a moment to end in, while clients write; then all services are upgraded at once. It needs kubectl, and psql where the database
// is not the cluster's own.
type cluster struct {
	*siege
	space
	// upgrade is the command that rolls all services.
	upgrade string
}

// space is the namespace in which docket is.
type space string

// kubectl runs a command in it and returns what it prints.
func (s space) kubectl(ctx context.Context, args ...string) (string, error) {
	return command(ctx, "kubectl", append([]string{"--namespace", string(s)}, args...)...)
}

func command(ctx context.Context, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, errs.String())
	}
	return string(out), nil
}

// calm is how long the clients write before something happens, and after it.
const calm = 5 * time.Second

// runCluster is the whole test.
func runCluster(ctx context.Context, o options) (err error) {
	dir, err := os.MkdirTemp("", "docket-crash-cluster-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	s := space(o.namespace)
	token, err := s.ownerToken(ctx, o.url)
	if err != nil {
		return fmt.Errorf("sign in as the first user: %w", err)
	}
	file := filepath.Join(dir, "owner.token")
	if err := os.WriteFile(file, []byte(token), 0o600); err != nil {
		return err
	}
	w := &world{options: o, dir: dir, tally: newTally(), data: s, shared: true}
	if err := w.populate(ctx, o.url, file, pace); err != nil {
		return err
	}
	c := &cluster{siege: newSiege(w), space: s, upgrade: o.upgrade}
	began := time.Now()
	err = c.all(ctx)
	c.print(o.out, time.Since(began))
	return err
}

// all takes away each pod, then upgrades.
func (c *cluster) all(ctx context.Context) error {
	out, err := c.kubectl(ctx, "get", "pods", "--selector", "app.kubernetes.io/part-of=docket,app.kubernetes.io/name!=postgresql",
		"--field-selector", "status.phase=Running", "--output", `jsonpath={range .items[*]}{.metadata.name} {.metadata.labels.app\.kubernetes\.io/name}{"\n"}{end}`)
	if err != nil {
		return err
	}
	pods := strings.Fields(out)
	for i := 0; i+1 < len(pods) && i < 2*c.rounds; i += 2 {
		if err := c.lose(ctx, pods[i], pods[i+1]); err != nil {
			return fmt.Errorf("pod %s: %w", pods[i], err)
		}
	}
	if c.upgrade != "" {
		if err := c.roll(ctx); err != nil {
			return fmt.Errorf("upgrade: %w", err)
		}
	}
	return c.finally(ctx)
}

// lose takes a pod away as the loss of its node would, and waits for its successor.
func (c *cluster) lose(ctx context.Context, pod, service string) error {
	began := time.Now()
	err := c.under(ctx, "pod of "+service, func() error {
		if err := wait(ctx, calm); err != nil {
			return err
		}
		c.ledger.resume()
		if _, err := c.kubectl(ctx, "delete", "pod", pod, "--grace-period=0", "--force", "--wait=false"); err != nil {
			return err
		}
		if _, err := c.kubectl(ctx, "rollout", "status", "deployment/"+service, "--timeout=5m"); err != nil {
			return err
		}
		return wait(ctx, calm)
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "%s is lost and replaced; nothing else is (%.0f s)\n", pod, time.Since(began).Seconds())
	return nil
}

// roll runs the upgrade under load and counts the requests that fail meanwhile: each one that was not answered, or with 5xx.
func (c *cluster) roll(ctx context.Context) error {
	sentBefore, failedBefore := c.ledger.failures()
	began := time.Now()
	err := c.under(ctx, "upgrade of everything", func() error {
		c.ledger.resume()
		if _, err := command(ctx, "sh", "-c", c.upgrade); err != nil {
			return err
		}
		return wait(ctx, calm)
	})
	sent, failed := c.ledger.failures()
	total := 0
	for _, cause := range slices.Sorted(maps.Keys(failed)) {
		if n := failed[cause] - failedBefore[cause]; n > 0 {
			fmt.Fprintf(c.out, "%4d × %s\n", n, cause)
			total += n
		}
	}
	fmt.Fprintf(c.out, "upgrade of everything under load: %d of %d requests failed (%.0f s)\n", total, sent-sentBefore, time.Since(began).Seconds())
	if err == nil && total > c.allowed {
		err = violation{kind: "failed", detail: fmt.Sprintf("%d requests failed, at most %d may", total, c.allowed)}
	}
	return err
}

// ownerToken signs in with a one-time link and makes an API token.
func (s space) ownerToken(ctx context.Context, url string) (string, error) {
	out, err := s.kubectl(ctx, "exec", "deployment/backend", "--container", "backend", "--", "/docket", "owner")
	if err != nil {
		return "", err
	}
	code := regexp.MustCompile(`/signin#(\S+)`).FindStringSubmatch(out)
	if code == nil {
		return "", fmt.Errorf("no link in %q", out)
	}
	cookies, _, err := post(ctx, url+"/api/session", nil, map[string]string{"code": code[1]})
	if err != nil {
		return "", err
	}
	_, body, err := post(ctx, url+"/api/tokens", cookies, map[string]string{"name": "crash", "scope": "admin"})
	if err != nil {
		return "", err
	}
	var made struct {
		Token string `json:"token"`
	}
	err = json.Unmarshal(body, &made)
	return made.Token, err
}

func post(ctx context.Context, url string, cookies []*http.Cookie, in any) (_ []*http.Cookie, body []byte, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(encode(in)))
	if err != nil {
		return nil, nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	for _, c := range cookies {
		r.AddCookie(c)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, nil, err
	}
	body, err = io.ReadAll(res.Body)
	if err := errors.Join(err, res.Body.Close()); err != nil {
		return nil, nil, err
	}
	if res.StatusCode != http.StatusCreated {
		return nil, nil, fmt.Errorf("POST %s: %s %s", url, res.Status, body)
	}
	return res.Cookies(), body, nil
}

// sent implements [store] by the rows that backend has created for reminders.
func (s space) sent(ctx context.Context) (map[string]bool, error) {
	const query = `select convert_from(value, 'UTF8')::json->>'reminder_id' from docket_state where key like 'backend||reminder/%'`
	var rows string
	pod, err := s.kubectl(ctx, "get", "pods", "--selector", "app.kubernetes.io/name=postgresql", "--output", "name")
	switch {
	case err != nil:
	case strings.TrimSpace(pod) != "":
		rows, err = s.kubectl(ctx, "exec", strings.TrimSpace(pod), "--", "psql", "--username=docket", "--tuples-only", "--no-align", "--command", query)
	default:
		var connection string
		if connection, err = s.kubectl(ctx, "get", "secret", "docket-postgresql", "--output", "go-template={{.data.connectionString | base64decode}}"); err == nil {
			rows, err = command(ctx, "psql", connection, "--tuples-only", "--no-align", "--command", query)
		}
	}
	ids := map[string]bool{}
	for id := range strings.Lines(rows) {
		ids[strings.TrimSpace(id)] = true
	}
	return ids, err
}

// check implements [store]: nobody has refused a message for good.
func (s space) check(ctx context.Context) error {
	for _, service := range []string{"audit", "recurring-task", "notification"} {
		out, err := s.kubectl(ctx, "exec", "deployment/"+service, "--container", service, "--", "/docket", "deadletter", "list", service)
		if err != nil {
			return fmt.Errorf("list the dead letters of %s: %w", service, err)
		}
		if letters := strings.TrimSpace(out); letters != "" {
			return violation{kind: "dead letter", detail: service + ": " + letters}
		}
	}
	return nil
}
