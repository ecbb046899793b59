package manifests

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/oasdiff/yaml"
)

type (
	workflow struct {
		Name        string         `json:"name"`
		Permissions any            `json:"permissions"`
		Concurrency map[string]any `json:"concurrency"`
		Jobs        map[string]job `json:"jobs"`
	}
	job struct {
		Permissions map[string]string `json:"permissions"`
		Timeout     int               `json:"timeout-minutes"`
		RunsOn      string            `json:"runs-on"`
		Environment string            `json:"environment"`
		Steps       []struct {
			Uses string            `json:"uses"`
			Run  string            `json:"run"`
			With map[string]any    `json:"with"`
			Env  map[string]string `json:"env"`
		} `json:"steps"`
	}
)

func workflows(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("../../.github/workflows/*")
	if err != nil || len(files) < 3 {
		t.Fatal(files, err)
	}
	out := map[string]string{}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(file)] = string(b)
	}
	return out
}

// A workflow has no right but those that a job asks for, ends in time, and does not run twice at once. Only what is given to it by
// an expression in its environment reaches a script: an expression within one would be run.
//
// [Task]: T084, T085
func TestWorkflowsHaveNoMoreRightsThanTheyNeed(t *testing.T) {
	mayWrite := map[string][]string{
		"ci.yaml": nil, "cd.yaml": {"packages", "id-token"}, "release.yaml": {"packages", "id-token", "attestations", "contents"},
	}
	for name, text := range workflows(t) {
		var w workflow
		if _, err := yaml.Unmarshal([]byte(text), &w, yaml.DecodeOpts{}); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if rights, ok := w.Permissions.(map[string]any); !ok || len(rights) > 0 {
			t.Errorf("%s: permissions are %v, want {}", name, w.Permissions)
		}
		if w.Concurrency["group"] == nil {
			t.Errorf("%s may run twice at once", name)
		}
		for id, j := range w.Jobs {
			if j.Timeout == 0 || j.Permissions == nil || j.RunsOn == "" || strings.HasSuffix(j.RunsOn, "-latest") {
				t.Errorf("%s: %s has no timeout, no permissions or no fixed machine", name, id)
			}
			for right, access := range j.Permissions {
				if access != "read" && !strings.Contains(strings.Join(mayWrite[name], " "), right) {
					t.Errorf("%s: %s has %s: %s", name, id, right, access)
				}
			}
			for _, s := range j.Steps {
				if strings.Contains(s.Run, "${{") {
					t.Errorf("%s: %s has an expression in a script: %s", name, id, s.Run)
				}
				if strings.HasPrefix(s.Uses, "actions/checkout@") && s.With["persist-credentials"] != false {
					t.Errorf("%s: %s leaves the token in the checkout", name, id)
				}
			}
		}
	}
}

// An action is pinned by its commit and says its version; the same action is the same commit everywhere.
//
// [Task]: T084, T085
func TestActionsArePinned(t *testing.T) {
	pinned := regexp.MustCompile(`^([\w-]+/[\w./-]+)@([0-9a-f]{40}) # (v\d+\.\d+\.\d+)$`)
	known := map[string]string{}
	uses := regexp.MustCompile(`(?m)\buses:\s*(.*)$`)
	found := 0
	for name, text := range workflows(t) {
		for _, m := range uses.FindAllStringSubmatch(text, -1) {
			found++
			p := pinned.FindStringSubmatch(m[1])
			if p == nil {
				t.Errorf("%s: %s is not pinned as OWNER/NAME@COMMIT # vX.Y.Z", name, m[1])
				continue
			}
			if before := known[p[1]]; before != "" && before != m[1] {
				t.Errorf("%s: %s, elsewhere %s", name, m[1], before)
			}
			known[p[1]] = m[1]
		}
	}
	if found < 20 {
		t.Errorf("only %d actions are used", found)
	}
}

// What workflows run is there: scripts and make's targets.
//
// [Task]: T084, T085
func TestWorkflowsRunWhatThereIs(t *testing.T) {
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	script := regexp.MustCompile(`\bbash ([\w./-]+)`)
	target := regexp.MustCompile(`(?m)\brun: make ([\w ./-]+)`)
	for name, text := range workflows(t) {
		for _, m := range script.FindAllStringSubmatch(text, -1) {
			if _, err := os.Stat(filepath.Join("../..", m[1])); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		for _, m := range target.FindAllStringSubmatch(text, -1) {
			for _, goal := range strings.Fields(m[1]) {
				if goal != strings.ToUpper(goal) && !strings.Contains(string(makefile), "\n"+goal+":") {
					t.Errorf("%s: make has no %s", name, goal)
				}
			}
		}
	}
}
