package edge

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/danielgtaylor/huma/v2"
)

// MergeOpenAPI returns one document of all routes in docs. It fails where two of them have the same path or
// operation id, or give one name to two different schemas. It declares how users authenticate: by API token or
// session cookie, unless an operation says otherwise.
func MergeOpenAPI(title, version string, docs ...*huma.OpenAPI) (*huma.OpenAPI, error) {
	schemas := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	merged := &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info:    &huma.Info{Title: title, Version: version},
		Paths:   map[string]*huma.PathItem{},
		Components: &huma.Components{Schemas: schemas, SecuritySchemes: map[string]*huma.SecurityScheme{
			"token":   {Type: "http", Scheme: "bearer", Description: "An API token"},
			"session": {Type: "apiKey", In: "cookie", Name: "docket_session", Description: "The cookie that POST /api/session sets (__Host-docket_session over TLS)"},
		}},
		Security: []map[string][]string{{"token": {}}, {"session": {}}},
	}
	ids := map[string]string{}
	for _, doc := range docs {
		for path, item := range doc.Paths {
			if _, taken := merged.Paths[path]; taken {
				return nil, fmt.Errorf("merge API documents: %s: path %s is in another one too", doc.Info.Title, path)
			}
			for _, op := range operations(item) {
				if other, taken := ids[op.OperationID]; taken && op.OperationID != "" {
					return nil, fmt.Errorf("merge API documents: operation id %s names both %s and %s", op.OperationID, other, path)
				}
				ids[op.OperationID] = path
			}
			merged.Paths[path] = item
		}
		merged.Tags = append(merged.Tags, doc.Tags...)
		if err := mergeSchemas(schemas.Map(), doc); err != nil {
			return nil, err
		}
	}
	return merged, nil
}

func operations(item *huma.PathItem) []*huma.Operation {
	var ops []*huma.Operation
	for _, op := range []*huma.Operation{item.Get, item.Put, item.Post, item.Delete, item.Options, item.Head, item.Patch, item.Trace} {
		if op != nil {
			ops = append(ops, op)
		}
	}
	return ops
}

func mergeSchemas(into map[string]*huma.Schema, doc *huma.OpenAPI) error {
	if doc.Components == nil || doc.Components.Schemas == nil {
		return nil
	}
	for name, schema := range doc.Components.Schemas.Map() {
		known, ok := into[name]
		if !ok {
			into[name] = schema
			continue
		}
		a, err := json.Marshal(known)
		if err != nil {
			return fmt.Errorf("merge API documents: schema %s: %w", name, err)
		}
		b, err := json.Marshal(schema)
		if err != nil {
			return fmt.Errorf("merge API documents: schema %s: %w", name, err)
		}
		if !bytes.Equal(a, b) {
			return fmt.Errorf("merge API documents: %s: schema %s differs from another one of that name", doc.Info.Title, name)
		}
	}
	return nil
}
