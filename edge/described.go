package edge

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// Describe adds an operation to the API's document, with its parameters and answers taken from the types I and O as
// for any other, and serves it by h alone: for a route that is asked so often that reading its parameters by
// reflection is much of its cost. h reads, checks and answers everything itself.
func Describe[I, O any](api huma.API, op huma.Operation, h http.HandlerFunc) {
	huma.Register(described{api, h}, op, func(context.Context, *I) (*O, error) {
		panic("an operation that is only described was called") // the adapter below registers h in its place
	})
}

type described struct {
	huma.API
	handler http.HandlerFunc
}

func (d described) Adapter() huma.Adapter {
	return describedAdapter{d.API.Adapter().(adapter), d.handler}
}

type describedAdapter struct {
	adapter
	handler http.HandlerFunc
}

func (a describedAdapter) Handle(op *huma.Operation, _ func(huma.Context)) {
	a.HandleFunc(strings.ToUpper(op.Method)+" "+op.Path, a.handler)
}
