package frontend

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/docket-tasks/docket/edge"
)

// Build says what is running.
type Build struct {
	Version string `json:"version" doc:"As docket --version prints it"`
	Commit  string `json:"commit" doc:"The commit it was built from; empty where that is not known"`
	Go      string `json:"go" doc:"The version of Go it was built with" example:"go1.26.4"`
}

type aboutOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         Build
}

// Register adds the service's own operation to an API without serving anything: for the OpenAPI document.
func Register(api huma.API) { registerAbout(api, Build{}) }

// about serves what is running: to anybody, for a page that cannot sign in has to say what it is a page of.
func about(build Build) http.Handler {
	mux := http.NewServeMux()
	registerAbout(edge.NewAPI(mux, "docket"), build)
	return mux
}

func registerAbout(api huma.API, build Build) {
	huma.Register(api, huma.Operation{
		OperationID: "about", Method: http.MethodGet, Path: "/api/about", Tags: []string{"about"},
		Summary: "Which version is running; needs no credential", Security: []map[string][]string{},
		Errors: []int{http.StatusServiceUnavailable},
	}, func(context.Context, *struct{}) (*aboutOutput, error) {
		return &aboutOutput{CacheControl: noStore[0], Body: build}, nil
	})
}
