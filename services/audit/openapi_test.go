package audit_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/services/audit"
)

// The document has both routes, with everything a client can send and read.
func TestOpenAPI(t *testing.T) {
	api := edge.NewAPI(http.NewServeMux(), "audit")
	audit.Register(api)
	doc := api.OpenAPI()
	for path, want := range map[string]string{
		"/api/audit":              "cursor event_type from limit task_id to",
		"/api/tasks/{id}/history": "cursor event_type from id limit to",
	} {
		op := doc.Paths[path].Get
		var names []string
		for _, p := range op.Parameters {
			names = append(names, p.Name)
		}
		slices.Sort(names)
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%s takes %q, want %q", path, got, want)
		}
		for _, header := range []string{"Link", "List-Version", "Audit-Gaps"} {
			if op.Responses["200"].Headers[header] == nil {
				t.Errorf("%s does not document the header %s", path, header)
			}
		}
		if op.Responses["422"] != nil || op.Responses["400"] == nil {
			t.Errorf("%s does not document 400 for bad input", path)
		}
	}
	entry := doc.Components.Schemas.Map()["Entry"]
	if entry == nil || len(entry.Required) != 11 || entry.Properties["payload"].Properties["task"] == nil || entry.Properties["actor"].Ref == "" {
		t.Errorf("schema of an entry: %+v", entry)
	}
}
