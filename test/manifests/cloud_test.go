package manifests

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/oasdiff/yaml"
)

var clouds = []string{"gke", "aks", "oke"}

// plan is what deploy/cloud/deploy.sh says it would do: its commands, and the objects it would apply.
type plan struct {
	commands []string
	objects  []map[string]any
	text     string
}

// deploy runs the script with a PATH in which neither kubectl nor helm is, so that nothing can be changed.
func deploy(t *testing.T, args ...string) (plan, error) {
	t.Helper()
	cmd := exec.Command("bash", append([]string{"deploy/cloud/deploy.sh"}, args...)...)
	cmd.Dir = "../.."
	cmd.Env = []string{"PATH=" + harmless(t), "GCP_PROJECT=project", "GCP_LOCATION=europe-west1", "CLUSTER=docket",
		"AZURE_VAULT_URL=https://docket.vault.azure.net", "AZURE_CLIENT_ID=client", "OCI_VAULT=ocid1.vault", "OCI_REGION=eu-frankfurt-1"}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	p := plan{text: string(out) + stderr.String()}
	var manifest strings.Builder
	for line := range strings.Lines(string(out)) {
		if command, ok := strings.CutPrefix(line, "+ "); ok {
			p.commands = append(p.commands, strings.TrimSpace(command))
			manifest.WriteString("\n---\n")
		} else if content, ok := strings.CutPrefix(line, "| "); ok {
			manifest.WriteString(content)
		}
	}
	for doc := range strings.SplitSeq(manifest.String(), "\n---\n") {
		if strings.TrimSpace(doc) == "" {
			continue
		}
		var o map[string]any
		if _, err := yaml.Unmarshal([]byte(doc), &o, yaml.DecodeOpts{}); err != nil {
			t.Fatalf("%v in\n%s", err, doc)
		}
		p.objects = append(p.objects, o)
	}
	return p, err
}

// harmless is a folder with the few commands that the script needs to say what it would do.
func harmless(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"bash", "cat", "dirname", "git", "sed"} {
		path, err := exec.LookPath(name)
		if err != nil {
			t.Skipf("no %s here", name)
		}
		if err := os.Symlink(path, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// The plan for each cloud installs what docket needs, in versions that are named, so that no pod starts without its sidecar and an
// upgrade that fails is taken back; and all that it applies can be read.
//
// [Task]: T086
func TestCloudPlan(t *testing.T) {
	module, err := os.ReadFile("../../tools/daprd/go.mod")
	if err != nil {
		t.Fatal(err)
	}
	dapr := regexp.MustCompile(`github\.com/dapr/dapr v(\S+)`).FindStringSubmatch(string(module))[1]
	kinds := map[string][]string{
		"gke": {"Certificate", "ExternalSecret", "GCPBackendPolicy", "Gateway", "HealthCheckPolicy", "Issuer", "Namespace", "Secret", "SecretStore", "ServiceAccount"},
		"aks": {"Certificate", "ExternalSecret", "Issuer", "Namespace", "Secret", "SecretStore", "ServiceAccount"},
		"oke": {"Certificate", "ExternalSecret", "Issuer", "Namespace", "Secret", "SecretStore", "ServiceAccount"},
	}
	for _, cloud := range clouds {
		p, err := deploy(t, cloud, "--host", "docket.example.com", "--email", "ops@example.com", "--dry-run")
		if err != nil {
			t.Fatalf("%s: %v\n%s", cloud, err, p.text)
		}
		all := strings.Join(p.commands, "\n")
		for _, want := range []string{
			"dapr dapr --repo https://dapr.github.io/helm-charts --version " + dapr, "global.ha.enabled=true", "webhookFailurePolicy=Fail",
			"dapr_scheduler.replicaCount=3", "strimzi-kafka-operator", "--values deploy/helm/docket/values-cloud.yaml --values deploy/helm/docket/values-" + cloud + ".yaml",
			"--atomic", ".host=docket.example.com", "wait --for=condition=Ready externalsecret/docket-postgresql", "wait --for=condition=Ready kafka/docket",
		} {
			if !strings.Contains(all, want) {
				t.Errorf("%s: nothing does %q in\n%s", cloud, want, all)
			}
		}
		for _, command := range p.commands {
			if strings.Contains(command, " --repo ") && !regexp.MustCompile(` --version v?\d+\.\d+\.\d+ `).MatchString(command) {
				t.Errorf("%s: without a version: %s", cloud, command)
			}
			for _, m := range regexp.MustCompile(`--values (\S+)`).FindAllStringSubmatch(command, -1) {
				if _, err := os.Stat(filepath.Join("../..", m[1])); err != nil {
					t.Errorf("%s: %v", cloud, err)
				}
			}
		}
		var have []string
		for _, o := range p.objects {
			have = append(have, o["kind"].(string))
			if m, ok := o["metadata"].(map[string]any); !ok || m["name"] == nil || o["apiVersion"] == nil {
				t.Errorf("%s: an object without a name or a version: %v", cloud, o)
			}
		}
		slices.Sort(have)
		if have = slices.Compact(have); !slices.Equal(have, kinds[cloud]) {
			t.Errorf("%s: applies %q, want %q", cloud, have, kinds[cloud])
		}
	}
}

// The Gateway has the listeners that the chart's routes are for, in the clear and with TLS, or nobody would get in.
//
// [Task]: T086
func TestCloudGatewayHasTheListeners(t *testing.T) {
	p, err := deploy(t, "gke", "--host", "docket.example.com", "--email", "ops@example.com", "--dry-run")
	if err != nil {
		t.Fatal(p.text)
	}
	text, err := os.ReadFile("../../deploy/helm/frontend/values.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var values struct {
		Gateway struct {
			HTTP  string `json:"httpListener"`
			HTTPS string `json:"httpsListener"`
		} `json:"gateway"`
	}
	if _, err := yaml.Unmarshal(text, &values, yaml.DecodeOpts{}); err != nil {
		t.Fatal(err)
	}
	protocols := map[any]any{}
	for _, o := range p.objects {
		if o["kind"] == "Gateway" {
			for _, l := range o["spec"].(map[string]any)["listeners"].([]any) {
				listener := l.(map[string]any)
				protocols[listener["name"]] = listener["protocol"]
			}
		}
	}
	if protocols[values.Gateway.HTTP] != "HTTP" || protocols[values.Gateway.HTTPS] != "HTTPS" {
		t.Errorf("the Gateway has %v, the chart's routes are for %+v", protocols, values.Gateway)
	}
}

// A release touches the services alone, and a broker that is there is not made.
//
// [Task]: T086
func TestCloudPlanDoesNoMoreThanAsked(t *testing.T) {
	p, err := deploy(t, "aks", "--host", "docket.example.com", "--release-only", "--image-tag", "v9", "--dry-run")
	if err != nil {
		t.Fatal(p.text)
	}
	helm := slices.DeleteFunc(slices.Clone(p.commands), func(c string) bool { return !strings.HasPrefix(c, "helm ") })
	if len(helm) != 1 || !strings.Contains(helm[0], "global.imageTag=v9") || len(p.objects) > 0 {
		t.Errorf("a release does\n%s", p.text)
	}
	p, err = deploy(t, "oke", "--host", "docket.example.com", "--email", "a@b.c", "--kafka", "external", "--dry-run")
	if err != nil || strings.Contains(p.text, "strimzi") || !strings.Contains(p.text, "externalsecret/docket-kafka") {
		t.Errorf("with a broker of its own: %v\n%s", err, p.text)
	}
}

// What is wrong is refused with its name before anything is done.
//
// [Task]: T086
func TestCloudRefuses(t *testing.T) {
	good := []string{"gke", "--host", "docket.example.com", "--email", "a@b.c", "--dry-run"}
	for _, test := range []struct {
		args []string
		says string
	}{
		{nil, "which cloud?"},
		{[]string{"eks"}, "unknown cloud eks"},
		{[]string{"gke", "--email", "a@b.c"}, "--host is ''"},
		{[]string{"gke", "--host", "a;rm -rf b", "--email", "a@b.c"}, "--host is 'a;rm -rf b'"},
		{[]string{"gke", "--host", "docket.example.com"}, "--email"},
		{append(slices.Clone(good), "--kafka", "rabbit"), "--kafka is 'rabbit'"},
		{append(slices.Clone(good), "--secrets", "none"), "--secrets is 'none'"},
		{append(slices.Clone(good), "--wait"), "unknown option --wait"},
		{append(slices.Clone(good), "--host"), "--host needs a value"},
		{append(slices.Clone(good), "--values", "nowhere.yaml"), "the file of values nowhere.yaml"},
		{[]string{"gke", "--host", "docket.example.com", "--email", "a@b.c"}, "missing: kubectl"},
	} {
		p, err := deploy(t, test.args...)
		if err == nil || !strings.Contains(p.text, test.says) || len(p.commands) > 0 {
			t.Errorf("%q: %v, and says\n%s\nwant %q and nothing done", test.args, err, p.text, test.says)
		}
	}
}
