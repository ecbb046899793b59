package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

// api is the contract that every answer is held to.
var api contract

// contract is api/openapi.json and which of its operations have been called.
type contract struct {
	doc *openapi3.T

	mu     sync.Mutex
	called map[string]bool // by operation id
}

func (c *contract) load(file string) error {
	doc, err := openapi3.NewLoader().LoadFromFile(file)
	if err != nil {
		return fmt.Errorf("read %s: %w", file, err)
	}
	if err := doc.Validate(context.Background()); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	c.doc, c.called = doc, map[string]bool{}
	return nil
}

// missing lists the operations that nobody has called.
func (c *contract) missing() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.doc == nil { // nothing ran
		return nil
	}
	var out []string
	for _, item := range c.doc.Paths.Map() {
		for _, op := range item.Operations() {
			if !c.called[op.OperationID] {
				out = append(out, op.OperationID)
			}
		}
	}
	slices.Sort(out)
	return out
}

// route finds the operation of a request; one with more literal segments wins over one with parameters.
func (c *contract) route(r *http.Request) (*routers.Route, map[string]string) {
	var best *routers.Route
	var bestParams map[string]string
	for path, item := range c.doc.Paths.Map() {
		params, ok := match(path, r.URL.Path)
		op := item.GetOperation(r.Method)
		if !ok || op == nil || best != nil && len(bestParams) <= len(params) {
			continue
		}
		best, bestParams = &routers.Route{Spec: c.doc, Path: path, PathItem: item, Method: r.Method, Operation: op}, params
	}
	return best, bestParams
}

func match(pattern, path string) (params map[string]string, ok bool) {
	want, got := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return nil, false
	}
	params = map[string]string{}
	for i, w := range want {
		if strings.HasPrefix(w, "{") {
			params[strings.Trim(w, "{}")] = got[i]
		} else if w != got[i] {
			return nil, false
		}
	}
	return params, true
}

var contractOptions = &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true, AuthenticationFunc: openapi3filter.NoopAuthenticationFunc}

// check holds an answer to the contract, and a request that was accepted too: what the server takes, the document
// must allow. Paths and methods that the document does not know are refused, by a problem like any other.
func (c *contract) check(r *http.Request, sent []byte, a *answer) error {
	route, params := c.route(r)
	if route == nil {
		if strings.HasPrefix(r.URL.Path, "/api/") && (a.status/100 != 4 || !strings.HasPrefix(a.header.Get("Content-Type"), "application/problem+json")) {
			return fmt.Errorf("is not in the document, and yet answered with %d %s", a.status, a.header.Get("Content-Type"))
		}
		return nil
	}
	c.mu.Lock()
	c.called[route.Operation.OperationID] = true
	c.mu.Unlock()
	in := &openapi3filter.RequestValidationInput{Request: r, PathParams: params, Route: route, Options: contractOptions}
	out := &openapi3filter.ResponseValidationInput{RequestValidationInput: in, Status: a.status, Header: a.header, Options: contractOptions}
	out.SetBodyBytes(a.body)
	if err := openapi3filter.ValidateResponse(r.Context(), out); err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	if a.status >= 300 {
		return nil
	}
	in.Request = r.Clone(r.Context())
	in.Request.Body = io.NopCloser(bytes.NewReader(sent))
	if len(sent) == 0 {
		in.Request.Body = http.NoBody
	}
	if err := openapi3filter.ValidateRequest(r.Context(), in); err != nil {
		return fmt.Errorf("accepted request: %w", err)
	}
	return nil
}
