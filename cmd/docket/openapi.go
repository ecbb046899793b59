package main

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/spf13/cobra"

	"github.com/docket-tasks/docket/edge"
)

//go:generate sh -c "go run . openapi > ../../api/openapi.json"

// openAPI is the one document of all services' routes.
func openAPI() ([]byte, error) {
	var docs []*huma.OpenAPI
	for _, s := range services {
		if s.register != nil {
			api := edge.NewAPI(http.NewServeMux(), s.name)
			s.register(api)
			docs = append(docs, api.OpenAPI())
		}
	}
	doc, err := edge.MergeOpenAPI("docket", "1", docs...)
	if err != nil {
		return nil, fmt.Errorf("describe the API: %w", err)
	}
	b, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("describe the API: %w", err)
	}
	return append(b, '\n'), nil
}

func openAPICommand() *cobra.Command {
	return &cobra.Command{Use: "openapi", Short: "Print the description of the API (OpenAPI 3.1)", GroupID: "server", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			doc, err := openAPI()
			if err != nil {
				return err
			}
			_, err = cmd.OutOrStdout().Write(doc)
			return err
		}}
}
