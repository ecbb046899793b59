package edge

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

const (
	// invokeWait bounds one call of another service, from the connection to the end of the answer.
	invokeWait = 10 * time.Second
	// maxInvokeAnswer bounds its answer, in bytes.
	maxInvokeAnswer = 64 << 10
)

// Invoke calls another service by the client for it: it sends request as JSON, where there is one, and decodes the
// answer into answer, unless that is nil. An answer other than 2xx is an error; its status is returned with it, 0 where
// there was no answer that could be read.
func Invoke(ctx context.Context, client *http.Client, method, url string, request, answer any) (status int, err error) {
	ctx, cancel := context.WithTimeout(ctx, invokeWait)
	defer cancel()
	var body io.Reader
	if request != nil {
		encoded, err := json.Marshal(request)
		if err != nil {
			return 0, fmt.Errorf("%s %s: %w", method, url, err)
		}
		body = bytes.NewReader(encoded)
	}
	req, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return 0, fmt.Errorf("%s %s: %w", method, url, err)
	}
	if request != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := client.Do(req)
	if err != nil {
		return 0, err // which names method and URL
	}
	defer func() { err = errors.Join(err, res.Body.Close()) }()
	content := io.LimitReader(res.Body, maxInvokeAnswer)
	if res.StatusCode/100 != 2 {
		var p Problem // its text says what is wrong; it is meant for the caller
		_ = json.NewDecoder(content).Decode(&p)
		return res.StatusCode, fmt.Errorf("%s %s: answered %s: %s", method, url, res.Status, p.Detail)
	}
	if answer != nil {
		if err := json.NewDecoder(content).Decode(answer); err != nil {
			return 0, fmt.Errorf("%s %s: read answer: %w", method, url, err)
		}
	}
	return res.StatusCode, nil
}
