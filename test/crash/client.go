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
	"strconv"
	"time"
)

// user is one account of docket and its list, which bears the same id.
type user struct {
	ID   string `json:"id"`
	Zone string `json:"time_zone"`

	token string
	zone  *time.Location
}

// api is docket as one process serves it.
type api struct {
	http *http.Client
	url  string
}

// answer is a response that was read to its end.
type answer struct {
	status      int
	listVersion int64
	next        string // path of the next page
	body        []byte
}

var nextLink = regexp.MustCompile(`<([^>]+)>; rel="next"`)

// call makes one request. An error means that nobody knows whether it was carried out.
func (a *api) call(ctx context.Context, token, method, path, key string, body []byte) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, method, a.url+path, bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	res, err := a.http.Do(req)
	if err != nil {
		return answer{}, err
	}
	b, err := io.ReadAll(res.Body)
	if err := errors.Join(err, res.Body.Close()); err != nil {
		return answer{}, err
	}
	out := answer{status: res.StatusCode, body: b}
	out.listVersion, _ = strconv.ParseInt(res.Header.Get("List-Version"), 10, 64) // absent: 0
	if m := nextLink.FindStringSubmatch(res.Header.Get("Link")); m != nil {
		out.next = m[1]
	}
	return out, nil
}

// get reads one thing that has to be there.
func (a *api) get(ctx context.Context, token, path string, into any) (answer, error) {
	return a.ask(ctx, token, http.MethodGet, path, nil, into)
}

// ask makes a request that has to succeed and decodes the answer.
func (a *api) ask(ctx context.Context, token, method, path string, body []byte, into any) (answer, error) {
	res, err := a.call(ctx, token, method, path, "", body)
	if err != nil {
		return res, fmt.Errorf("%s %s: %w", method, path, err)
	}
	if res.status >= 300 {
		return res, fmt.Errorf("%s %s: %d %s", method, path, res.status, res.body)
	}
	if err := json.Unmarshal(res.body, into); err != nil {
		return res, fmt.Errorf("%s %s: answer: %w", method, path, err)
	}
	return res, nil
}
