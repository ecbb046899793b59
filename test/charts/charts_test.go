// Package charts holds the charts of deploy/helm to their word: every value has a comment and a place in a schema that refuses
// what it does not know, the overlays agree with each other, what is rendered is what the code and deploy/dapr need, and
// what cannot work is refused with a reason.
//
// [Task]: T009, T077, T078, T079, T080, T081, T087
package charts

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/oasdiff/yaml"
)

const (
	root = "../.."
	helm = root + "/deploy/helm"
)

// services are the five, each with a chart of its name.
var services = []string{"backend", "notification", "recurring-task", "audit", "frontend"}

func text(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.FromSlash(path))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// object reads one YAML or JSON file.
func object(t *testing.T, path string) map[string]any {
	t.Helper()
	var v map[string]any
	if _, err := yaml.Unmarshal([]byte(text(t, path)), &v, yaml.DecodeOpts{}); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return v
}

// Every value is explained above its line, and its schema names it and refuses what it does not name.
func TestEveryValueIsDocumented(t *testing.T) {
	for _, chart := range append([]string{"docket", "kafka"}, services...) {
		lines := strings.Split(text(t, helm+"/"+chart+"/values.yaml"), "\n")
		key := regexp.MustCompile(`^( *)([a-zA-Z-]+):(.*)$`)
		for i, line := range lines {
			m := key.FindStringSubmatch(line)
			if m == nil || m[3] == "" && i+1 < len(lines) { // a group: its values are explained one by one
				continue
			}
			if comment := strings.TrimSpace(lines[i-1]); !strings.HasPrefix(comment, "# ") || !strings.HasSuffix(comment, ".") {
				t.Errorf("%s/values.yaml:%d: %s has no sentence above it", chart, i+1, m[2])
			}
		}
		var schema map[string]any
		if err := json.Unmarshal([]byte(text(t, helm+"/"+chart+"/values.schema.json")), &schema); err != nil {
			t.Fatal(err)
		}
		inSchema(t, chart, schema, object(t, helm+"/"+chart+"/values.yaml"))
	}
}

// inSchema demands that a schema lists exactly the keys that the values have, on every level; what the library and an umbrella pass
// along is in the schema alone.
func inSchema(t *testing.T, where string, schema map[string]any, values map[string]any) {
	t.Helper()
	if schema["additionalProperties"] != false {
		t.Errorf("%s: a typo would pass: additionalProperties is %v", where, schema["additionalProperties"])
	}
	properties, _ := schema["properties"].(map[string]any)
	for name, p := range properties {
		inner := p.(map[string]any)
		value, there := values[name]
		if !there {
			if name != "global" && name != "lib" {
				t.Errorf("%s.%s is in the schema, but has no value", where, name)
			}
			continue
		}
		if o, ok := value.(map[string]any); ok && len(o) > 0 {
			inSchema(t, where+"."+name, inner, o)
		}
		if inner["type"] == nil {
			t.Errorf("%s.%s may be of any type", where, name)
		}
	}
	for name := range values {
		if properties[name] == nil {
			t.Errorf("%s.%s is a value that the schema does not know", where, name)
		}
	}
}

// What the five services have in common has the same values' names and the same rules in each.
func TestServicesAreAlike(t *testing.T) {
	first := object(t, helm+"/audit/values.schema.json")["properties"].(map[string]any)
	for _, s := range services {
		schema := object(t, helm+"/"+s+"/values.schema.json")["properties"].(map[string]any)
		for name, rules := range first {
			if !reflect.DeepEqual(schema[name], rules) {
				t.Errorf("%s: the schema of %s differs from audit's", s, name)
			}
		}
	}
}

// The umbrella's values for the cloud are those of the services, which are at least two everywhere.
func TestCloudValuesAgree(t *testing.T) {
	umbrella := object(t, helm+"/docket/values-cloud.yaml")
	for _, s := range services {
		own := object(t, helm+"/"+s+"/values-cloud.yaml")
		if !reflect.DeepEqual(umbrella[s], own) {
			t.Errorf("%s: the umbrella has %v, the chart itself %v", s, umbrella[s], own)
		}
		if n, _ := own["replicas"].(float64); n < 2 {
			t.Errorf("%s: %v replicas in the cloud", s, own["replicas"])
		}
		delete(umbrella, s)
	}
	if len(umbrella) != 0 {
		t.Errorf("besides the services the umbrella has %v", umbrella)
	}
}

// There is one source of Dapr's files and of the topics: charts have links to it, not copies.
func TestChartsHaveNoCopies(t *testing.T) {
	links := map[string]string{"docket/dapr": "../../dapr", "kafka/topics": "../../kafka", "docket/charts/lib": "../../lib"}
	for _, s := range services {
		links[s+"/dapr"], links[s+"/charts/lib"], links["docket/charts/"+s] = "../../dapr", "../../lib", "../../"+s
	}
	for link, want := range links {
		if got, err := os.Readlink(filepath.Join(helm, filepath.FromSlash(link))); err != nil || got != want {
			t.Errorf("%s leads to %q, %v, want %q", link, got, err, want)
		}
	}
	for _, file := range []string{"docket/Chart.yaml", "lib/Chart.yaml", "kafka/Chart.yaml"} {
		if version := object(t, helm+"/"+file)["version"]; version != "0.1.0" {
			t.Errorf("%s has version %v: charts go together", file, version)
		}
	}
	umbrella := object(t, helm+"/docket/Chart.yaml")
	var dependencies []string
	for _, d := range umbrella["dependencies"].([]any) {
		dependencies = append(dependencies, d.(map[string]any)["name"].(string))
	}
	if want := append([]string{"lib"}, services...); !slices.Equal(dependencies, want) {
		t.Errorf("the umbrella has %q, want %q", dependencies, want)
	}
}
