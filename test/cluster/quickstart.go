package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
)

// quickstart has test/quickstart follow docs/quickstart.md in the cluster, as a user who is new.
func (r *run) quickstart(ctx context.Context) error {
	url, err := r.url(ctx)
	if err != nil {
		return err
	}
	token, err := r.newUser(ctx, url)
	if err != nil {
		return fmt.Errorf("make a user: %w", err)
	}
	_, server, _ := strings.Cut(url, "://")
	_, err = r.command(ctx, true, []string{"QUICKSTART_SERVER=" + server, "QUICKSTART_TOKEN=" + token}, "go", "test", "-count=1", "-run", "^TestQuickstart$", "./test/quickstart")
	return err
}

// newUser makes a user, with a token of the first user's, who signs in by a one-time link, and returns the new one's.
func (r *run) newUser(ctx context.Context, url string) (string, error) {
	out, err := r.kubectl(ctx, "exec", "deployment/backend", "--container", "backend", "--", "/docket", "owner")
	if err != nil {
		return "", err
	}
	code := regexp.MustCompile(`/signin#(\S+)`).FindStringSubmatch(out)
	if code == nil {
		return "", fmt.Errorf("no link in %q", out)
	}
	browser := http.Header{}
	var made struct {
		Token string `json:"token"`
	}
	for _, step := range []struct{ path, body string }{
		{"/api/session", `{"code":"` + code[1] + `"}`},
		{"/api/tokens", `{"name":"quickstart","scope":"admin"}`},
		{"/api/users", fmt.Sprintf(`{"name":"quickstart-%d","time_zone":"UTC"}`, r.began.UnixMilli())},
	} {
		header, answer, err := send(ctx, url+step.path, browser, step.body)
		if err != nil {
			return "", err
		}
		if cookie, _, ok := strings.Cut(header.Get("Set-Cookie"), ";"); ok {
			browser.Set("Cookie", cookie)
			continue
		}
		if err := json.Unmarshal(answer, &made); err != nil {
			return "", err
		}
		browser = http.Header{"Authorization": {"Bearer " + made.Token}}
	}
	return made.Token, nil
}

// send posts JSON, which has to create something.
func send(ctx context.Context, url string, header http.Header, body string) (http.Header, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewBufferString(body))
	if err != nil {
		return nil, nil, err
	}
	req.Header = header.Clone()
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, nil, err
	}
	answer, err := io.ReadAll(res.Body)
	if err := errors.Join(err, res.Body.Close()); err != nil {
		return nil, nil, err
	}
	if res.StatusCode != http.StatusCreated {
		return nil, nil, fmt.Errorf("POST %s: %s %s", url, res.Status, answer)
	}
	return res.Header, answer, nil
}
