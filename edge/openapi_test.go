package edge_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"

	"github.com/docket-tasks/docket/edge"
)

// document returns an API with one operation whose answer has the schema Answer, made from O.
func document[O any](path, id string) *huma.OpenAPI {
	api := edge.NewAPI(http.NewServeMux(), "test "+path)
	huma.Register(api, huma.Operation{OperationID: id, Method: http.MethodGet, Path: path},
		func(context.Context, *struct{}) (*O, error) { return nil, nil })
	return api.OpenAPI()
}

type plainOutput struct{ Body Answer }

// Answer is the body of plainOutput; its name is that of its schema.
type Answer struct {
	Text string `json:"text"`
}

// TestMergeOpenAPI joins two services' documents into one that a strict reader accepts.
func TestMergeOpenAPI(t *testing.T) {
	mux := http.NewServeMux()
	merged, err := edge.MergeOpenAPI("docket", "1.2.3", notesAPI(mux).OpenAPI(), document[plainOutput]("/audit", "get-audit"), document[plainOutput]("/other", "get-other"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(merged)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/notes/{id}", "/big", "/audit", "/other"} {
		if doc.Paths.Value(path) == nil {
			t.Errorf("%s is missing", path)
		}
	}
	var statuses []string
	for status := range doc.Paths.Value("/notes/{id}").Put.Responses.Map() {
		statuses = append(statuses, status)
	}
	if strings.Contains(strings.Join(statuses, " "), "422") || doc.Paths.Value("/notes/{id}").Put.Responses.Value("400") == nil {
		t.Errorf("PUT /notes/{id} documents %v; validation is a 400", statuses)
	}
	fields := doc.Components.Schemas["Problem"].Value.Properties
	if len(fields) != 6 || fields["code"] == nil || strings.Contains(string(text), "$schema") || !strings.Contains(string(text), "application/problem+json") {
		t.Errorf("problems are not documented as they are sent: %v", fields)
	}
	want := []map[string][]string{{"token": {}}, {"session": {}}}
	if diff := cmp.Diff(want, merged.Security); diff != "" {
		t.Errorf("security differs (-want +got):\n%s", diff)
	}
}

// TestMergeClashes refuses documents that contradict each other, saying where.
func TestMergeClashes(t *testing.T) {
	type otherOutput struct {
		Body struct {
			Text int `json:"text"`
		}
	}
	different := document[otherOutput]("/b", "b")
	different.Components.Schemas.Map()["Answer"] = &huma.Schema{Type: huma.TypeInteger}
	for name, c := range map[string]struct {
		a, b *huma.OpenAPI
		says string
	}{
		"path":   {document[plainOutput]("/a", "a"), document[plainOutput]("/a", "b"), "/a"},
		"id":     {document[plainOutput]("/a", "a"), document[plainOutput]("/b", "a"), "operation id a"},
		"schema": {document[plainOutput]("/a", "a"), different, "schema Answer"},
	} {
		if _, err := edge.MergeOpenAPI("x", "1", c.a, c.b); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %v, want one about %q", name, err, c.says)
		}
	}
}
