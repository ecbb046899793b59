package manifests

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/oasdiff/yaml"
)

// watching is deploy/observability. That its alerts and panels ask for what docket exports is shown in test/e2e.
const watching = "../../deploy/observability"

type (
	ruleFile struct {
		Groups []ruleGroup `json:"groups"`
	}
	ruleGroup struct {
		Name  string `json:"name"`
		Rules []rule `json:"rules"`
	}
	rule struct {
		Alert       string            `json:"alert"`
		Expr        string            `json:"expr"`
		For         string            `json:"for"`
		Labels      map[string]string `json:"labels"`
		Annotations map[string]string `json:"annotations"`
	}
)

func readRules(t *testing.T, file string, into any) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(watching, file))
	if err == nil {
		_, err = yaml.Unmarshal(b, into, yaml.DecodeOpts{}, strict)
	}
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// Prometheus and its operator are given the same rules.
func TestOperatorHasTheSameRules(t *testing.T) {
	var plain ruleFile
	var wrapped struct {
		meta
		Spec ruleFile `json:"spec"`
	}
	readRules(t, "alerts.yaml", &plain)
	readRules(t, "prometheusrule.yaml", &wrapped)
	if d := cmp.Diff(plain, wrapped.Spec); d != "" {
		t.Errorf("alerts.yaml and prometheusrule.yaml differ:\n%s", d)
	}
	if wrapped.Kind != "PrometheusRule" {
		t.Errorf("kind %s", wrapped.Kind)
	}
}

// Every alert says how urgent it is and what it means, and leads to a section of docs/operations.md; every such section has an alert.
//
// [Task]: T088
func TestEveryAlertHasARunbook(t *testing.T) {
	page, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	sections := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^### (Docket\w+)$`).FindAllStringSubmatch(string(page), -1) {
		sections[m[1]] = true
	}
	var rules ruleFile
	readRules(t, "alerts.yaml", &rules)
	for _, g := range rules.Groups {
		for _, r := range g.Rules {
			if s := r.Labels["severity"]; s != "critical" && s != "warning" {
				t.Errorf("%s has severity %q", r.Alert, s)
			}
			if r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
				t.Errorf("%s does not say what it means", r.Alert)
			}
			link, anchor, _ := strings.Cut(r.Annotations["runbook_url"], "#")
			if !strings.HasSuffix(link, "/docs/operations.md") || anchor != strings.ToLower(r.Alert) || !sections[r.Alert] {
				t.Errorf("%s leads to %s#%s, which does not exist", r.Alert, link, anchor)
			}
			delete(sections, r.Alert)
		}
	}
	for s := range sections {
		t.Errorf("docs/operations.md explains %s, which is no alert", s)
	}
}

// Panels have a place of their own, and every query goes to the data source that the reader has chosen.
func TestDashboard(t *testing.T) {
	var d struct {
		UID    string
		Panels []struct {
			ID      int
			Type    string
			Title   string
			GridPos struct{ X, Y, W, H int }
			Targets []struct{ Datasource struct{ UID string } }
		}
	}
	b, err := os.ReadFile(filepath.Join(watching, "dashboard.json"))
	if err == nil {
		err = json.Unmarshal(b, &d)
	}
	if err != nil {
		t.Fatal(err)
	}
	taken, ids := map[[2]int]string{}, map[int]bool{}
	for _, p := range d.Panels {
		if ids[p.ID] || p.Title == "" || p.GridPos.X+p.GridPos.W > 24 {
			t.Errorf("panel %d %q at %+v: its id is taken, it has no title, or it is too wide", p.ID, p.Title, p.GridPos)
		}
		ids[p.ID] = true
		for x := range p.GridPos.W {
			for y := range p.GridPos.H {
				at := [2]int{p.GridPos.X + x, p.GridPos.Y + y}
				if other := taken[at]; other != "" {
					t.Fatalf("%q lies on %q", p.Title, other)
				}
				taken[at] = p.Title
			}
		}
		if p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("%q asks for nothing", p.Title)
		}
		for _, target := range p.Targets {
			if target.Datasource.UID != "${datasource}" {
				t.Errorf("%q asks %q", p.Title, target.Datasource.UID)
			}
		}
	}
}

// What the operator reads is what kustomize is told of, and it gives series the labels that alerts and panels go by.
func TestPodMonitor(t *testing.T) {
	var monitor struct {
		meta
		Spec struct {
			Selector  struct{ MatchLabels map[string]string }
			Endpoints []struct {
				Port        string
				Path        string
				Interval    string
				Relabelings []struct {
					TargetLabel  string
					Replacement  string
					SourceLabels []string
				}
			} `json:"podMetricsEndpoints"`
		} `json:"spec"`
	}
	readRules(t, "podmonitor.yaml", &monitor)
	for _, e := range monitor.Spec.Endpoints {
		labels := map[string]bool{}
		for _, r := range e.Relabelings {
			labels[r.TargetLabel] = r.Replacement != "" || len(r.SourceLabels) > 0
		}
		if !labels["job"] || !labels["app"] {
			t.Errorf("the port %s gives no job or no app", e.Port)
		}
	}
	var all struct {
		meta
		Resources  []string         `json:"resources"`
		ConfigMaps []map[string]any `json:"configMapGenerator"`
	}
	readRules(t, "kustomization.yaml", &all)
	if len(all.Resources) != 3 || len(all.ConfigMaps) != 1 {
		t.Errorf("kustomize is told of %q and %v", all.Resources, all.ConfigMaps)
	}
	for _, f := range all.Resources {
		if _, err := os.Stat(filepath.Join(watching, f)); err != nil {
			t.Error(err)
		}
	}
}
