package charts

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oasdiff/yaml"

	"github.com/docket-tasks/docket/services/backend/openid"
)

// tool is a program that `make charts` builds into bin.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join(root, "bin", name))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Skipf("%s is not built: make charts builds it and runs this test", path)
	}
	return path
}

// run runs a program with a folder of its own for what it keeps.
func run(t *testing.T, in []byte, name string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = root
	home := t.TempDir()
	cmd.Env = append(os.Environ(), "HOME="+home, "HELM_CACHE_HOME="+home, "HELM_CONFIG_HOME="+home, "HELM_DATA_HOME="+home, "KUBECONFIG="+home+"/none")
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(in), &out, &errs
	err = cmd.Run()
	return out.String(), errs.String(), err
}

// template renders a chart offline; namespace is "tasks", which no file of docket names.
func template(t *testing.T, chart string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	return run(t, nil, tool(t, "helm"), append([]string{"template", "docket", "deploy/helm/" + chart, "--namespace", "tasks", "--kube-version", "1.34.0"}, args...)...)
}

// sets are all ways to install that the repository offers: the chart and its files of values.
func sets() (all [][]string) {
	for _, c := range append([]string{"docket", "kafka"}, services...) {
		all = append(all, []string{c}, []string{c, "values-cloud.yaml"})
	}
	for _, overlay := range []string{"gke", "aks", "oke"} {
		all = append(all, []string{"docket", "values-cloud.yaml", "values-" + overlay + ".yaml"})
	}
	return append(all, []string{"docket", "values-minikube.yaml"})
}

func valuesArgs(set []string) (args []string) {
	for _, file := range set[1:] {
		args = append(args, "--values", "deploy/helm/"+set[0]+"/"+file)
	}
	return args
}

// Each of them is accepted by helm lint, and what it renders by the types of Kubernetes.
func TestEverySetOfValues(t *testing.T) {
	helmTool, check := tool(t, "helm"), tool(t, "charts")
	used := map[string]bool{}
	for _, set := range sets() {
		t.Run(strings.Join(set, "+"), func(t *testing.T) {
			if out, errs, err := run(t, nil, helmTool, append([]string{"lint", "--strict", "deploy/helm/" + set[0]}, valuesArgs(set)...)...); err != nil {
				t.Errorf("helm lint: %v\n%s%s", err, out, errs)
			}
			out, errs, err := template(t, set[0], valuesArgs(set)...)
			if err != nil {
				t.Fatalf("helm template: %v\n%s", err, errs)
			}
			if _, errs, err := run(t, []byte(out), check); err != nil {
				t.Errorf("%v: %s", err, errs)
			}
		})
		for _, file := range set[1:] {
			used[filepath.Join(set[0], file)] = true
		}
	}
	files, err := filepath.Glob(filepath.Join(helm, "*", "values-*.yaml"))
	if err != nil || len(files) != len(used) {
		t.Errorf("there are %d files of values, %d are tested: %v", len(files), len(used), err)
	}
}

// kube is one object, with the parts that are looked at here.
type kube struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   struct {
		Name, Namespace string
		Annotations     map[string]string
	} `json:"metadata"`
	Scopes []string       `json:"scopes"`
	Spec   map[string]any `json:"spec"`
	Rules  []struct {
		ResourceNames []string `json:"resourceNames"`
		Verbs         []string `json:"verbs"`
	} `json:"rules"`
}

func objects(t *testing.T, rendered string) (all []kube) {
	t.Helper()
	for _, doc := range regexp.MustCompile(`(?m)^---$`).Split(rendered, -1) {
		var o kube
		if _, err := yaml.Unmarshal([]byte(doc), &o, yaml.DecodeOpts{}); err != nil {
			t.Fatalf("%v in\n%s", err, doc)
		}
		if o.Kind != "" {
			all = append(all, o)
		}
	}
	return all
}

func rendered(t *testing.T, set ...string) []kube {
	t.Helper()
	out, errs, err := template(t, set[0], valuesArgs(set)...)
	if err != nil {
		t.Fatalf("helm template: %v\n%s", err, errs)
	}
	return objects(t, out)
}

// at follows keys and indices into decoded YAML.
func at(v any, path ...any) any {
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[p]
		case int:
			l, _ := v.([]any)
			if p >= len(l) {
				return nil
			}
			v = l[p]
		}
	}
	return v
}

// A cluster gets the files of deploy/dapr, with its own namespace in the access control, and nothing else differs.
func TestDaprIsThatOfTheLocalRun(t *testing.T) {
	all := rendered(t, "docket")
	for _, file := range []string{"subscriptions", "resiliency", "secrets", "statestore", "pubsub", "broadcast", "configuration"} {
		source := strings.ReplaceAll(text(t, root+"/deploy/dapr/"+file+".yaml"), "namespace: docket", "namespace: tasks")
		for _, want := range objects(t, source) {
			found := slices.ContainsFunc(all, func(o kube) bool {
				return o.Kind == want.Kind && o.Metadata.Name == want.Metadata.Name && equal(t, o, want)
			})
			if !found {
				t.Errorf("%s: %s %s is not rendered as it stands there", file, want.Kind, want.Metadata.Name)
			}
		}
	}
}

func equal(t *testing.T, a, b kube) bool {
	t.Helper()
	x, err := yaml.Marshal(a)
	y, err2 := yaml.Marshal(b)
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	return bytes.Equal(x, y)
}

// Every pod is what Pod Security calls restricted, is reached by its sidecar alone, and stops in order; whether it has a token of
// the cluster's API, and for which secrets, is decided service by service.
func TestPods(t *testing.T) {
	reads := map[string][]string{
		"backend": {"docket", "docket-kafka", "docket-postgresql"}, "notification": {"docket", "docket-kafka", "docket-postgresql"},
		"recurring-task": {"docket-kafka", "docket-postgresql"}, "audit": {"docket-kafka", "docket-postgresql"}, "frontend": nil,
	}
	all := rendered(t, "docket", "values-cloud.yaml")
	seen := 0
	for _, o := range all {
		if o.Kind == "Role" && (len(o.Rules) != 1 || !slices.Equal(o.Rules[0].ResourceNames, reads[o.Metadata.Name]) || !slices.Equal(o.Rules[0].Verbs, []string{"get"})) {
			t.Errorf("%s may %+v", o.Metadata.Name, o.Rules)
		}
		if o.Kind != "Deployment" {
			continue
		}
		seen++
		name := o.Metadata.Name
		pod := at(o.Spec, "template", "spec")
		if token := at(pod, "automountServiceAccountToken"); token != (reads[name] != nil) {
			t.Errorf("%s has a token: %v", name, token)
		}
		wantPod(t, name, pod)
		notes, _ := at(o.Spec, "template", "metadata", "annotations").(map[string]any)
		for key, want := range map[string]string{"app-id": name, "app-port": "3000", "config": "docket", "enabled": "true", "metrics-port": "9091",
			"api-token-secret": "docket-dapr-api", "app-token-secret": "docket-dapr-app", "disable-builtin-k8s-secret-store": "true",
			"max-body-size": "64Mi", "sidecar-seccomp-profile-type": "RuntimeDefault"} {
			if notes["dapr.io/"+key] != want {
				t.Errorf("%s: dapr.io/%s is %v, want %s", name, key, notes["dapr.io/"+key], want)
			}
		}
		if at(o.Spec, "strategy", "rollingUpdate", "maxUnavailable") != 0.0 || at(o.Spec, "minReadySeconds") != 30.0 || at(o.Spec, "replicas") != nil {
			t.Errorf("%s is rolled by %v, after %v s, replicas %v beside an autoscaler", name, at(o.Spec, "strategy"), at(o.Spec, "minReadySeconds"), at(o.Spec, "replicas"))
		}
	}
	if seen != len(services) {
		t.Errorf("%d deployments", seen)
	}
	for _, kind := range []string{"PodDisruptionBudget", "HorizontalPodAutoscaler", "NetworkPolicy", "Service", "ServiceAccount"} {
		if n := len(slices.DeleteFunc(slices.Clone(all), func(o kube) bool { return o.Kind != kind })); n != len(services) {
			t.Errorf("%d objects of kind %s, want one for each service", n, kind)
		}
	}
}

func wantPod(t *testing.T, name string, pod any) {
	t.Helper()
	container := at(pod, "containers", 0)
	for what, ok := range map[string]bool{
		"runs as root":            at(pod, "securityContext", "runAsNonRoot") == true && at(pod, "securityContext", "runAsUser") == 65532.0,
		"has no seccomp":          at(pod, "securityContext", "seccompProfile", "type") == "RuntimeDefault",
		"may gain privileges":     at(container, "securityContext", "allowPrivilegeEscalation") == false,
		"may write to its root":   at(container, "securityContext", "readOnlyRootFilesystem") == true,
		"has capabilities":        at(container, "securityContext", "capabilities", "drop", 0) == "ALL",
		"lives by something":      at(container, "livenessProbe", "httpGet", "path") == "/healthz",
		"is ready by nothing":     at(container, "readinessProbe", "httpGet", "path") == "/readyz",
		"stops at once":           at(container, "lifecycle", "preStop", "sleep", "seconds") == 10.0,
		"is killed too early":     at(pod, "terminationGracePeriodSeconds") == 45.0,
		"ends before its sidecar": at(container, "env", 2, "name") == "DOCKET_LINGER" && at(container, "env", 2, "value") == "15s",
		"is not spread":           at(pod, "topologySpreadConstraints", 1, "topologyKey") == "kubernetes.io/hostname",
		"has no limit of memory":  at(container, "resources", "limits", "memory") != nil,
		"has no token for Dapr":   at(container, "env", 0, "name") == "DAPR_API_TOKEN" && at(container, "env", 0, "valueFrom", "secretKeyRef", "name") == "docket-dapr-api",
		"cannot tell who calls":   at(container, "env", 1, "name") == "APP_API_TOKEN" && at(container, "env", 1, "valueFrom", "secretKeyRef", "name") == "docket-dapr-app",
	} {
		if !ok {
			t.Errorf("%s %s", name, what)
		}
	}
}

// backend is told who may sign in, in the form that it reads.
func TestProvidersReachBackend(t *testing.T) {
	provider := openid.Settings{ID: "work", Name: "the company", Kind: openid.OpenIDConnect, Issuer: "https://id.example.org", ClientID: "docket", LinkByEmail: true}
	list, err := json.Marshal([]openid.Settings{provider})
	if err != nil {
		t.Fatal(err)
	}
	out, errs, err := template(t, "backend", "--set-json", "settings.oidc="+string(list), "--set", "settings.signUp=invitation")
	if err != nil {
		t.Fatal(err, errs)
	}
	env := map[any]any{}
	for _, o := range objects(t, out) {
		if o.Kind == "Deployment" {
			for _, v := range at(o.Spec, "template", "spec", "containers", 0, "env").([]any) {
				env[at(v, "name")] = at(v, "value")
			}
		}
	}
	text, _ := env["DOCKET_OIDC"].(string)
	got, err := openid.Parse([]byte(text))
	if err != nil || len(got) != 1 || got[0] != provider {
		t.Errorf("DOCKET_OIDC is %q, read as %v (%v), want %v", text, got, err, provider)
	}
	if env["DOCKET_SIGN_UP"] != "invitation" {
		t.Errorf("DOCKET_SIGN_UP is %v, want invitation", env["DOCKET_SIGN_UP"])
	}
}

// What is behind a proxy believes it, and only then: a client could write the header itself. Google's appends two entries.
func TestTheDoorKnowsItsProxy(t *testing.T) {
	for _, c := range []struct {
		files []string
		want  []any
	}{
		{[]string{"values-minikube.yaml"}, []any{"--trust-proxy=false", "--proxy-hops=1", "--behind-tls=false"}},
		{[]string{"values-cloud.yaml"}, []any{"--trust-proxy=true", "--proxy-hops=1", "--behind-tls=true"}},
		{[]string{"values-cloud.yaml", "values-gke.yaml"}, []any{"--trust-proxy=true", "--proxy-hops=2", "--behind-tls=true"}},
	} {
		all := rendered(t, append([]string{"docket"}, c.files...)...)
		i := slices.IndexFunc(all, func(o kube) bool { return o.Kind == "Deployment" && o.Metadata.Name == "frontend" })
		if i < 0 {
			t.Fatalf("%v: there is no frontend", c.files)
		}
		if args, _ := at(all[i].Spec, "template", "spec", "containers", 0, "args").([]any); !slices.Equal(args, c.want) {
			t.Errorf("%v: frontend has %v, want %v", c.files, args, c.want)
		}
	}
}

// Behind a Gateway with TLS docket is served on the listener that ends it alone, and the other one sends users there: by the least specific
// path there is, so that cert-manager's route for a challenge goes before it. Without TLS docket is served on every listener.
func TestTheGatewayServesNothingInTheClear(t *testing.T) {
	gke := []string{"--values", "deploy/helm/docket/values-cloud.yaml", "--values", "deploy/helm/docket/values-gke.yaml"}
	for _, c := range []struct {
		args []string
		want map[string]any // the listener of each route
	}{
		{gke, map[string]any{"frontend": "https", "frontend-redirect": "http"}},
		{append(gke, "--set", "frontend.gateway.httpsListener=tls,frontend.gateway.httpListener="), map[string]any{"frontend": "tls"}},
		{append(gke, "--set", "frontend.settings.behindTLS=false"), map[string]any{"frontend": nil}},
	} {
		out, errs, err := template(t, "docket", c.args...)
		if err != nil {
			t.Fatal(err, errs)
		}
		listeners := map[string]any{}
		for _, o := range objects(t, out) {
			if o.Kind != "HTTPRoute" {
				continue
			}
			listeners[o.Metadata.Name] = at(o.Spec, "parentRefs", 0, "sectionName")
			if at(o.Spec, "parentRefs", 0, "name") != "docket" || at(o.Spec, "hostnames", 0) != "docket.example.com" {
				t.Errorf("%s is at %v of %v", o.Metadata.Name, at(o.Spec, "hostnames"), at(o.Spec, "parentRefs"))
			}
			want := []any{map[string]any{
				"matches": []any{map[string]any{"path": map[string]any{"type": "PathPrefix", "value": "/"}}},
				"filters": []any{map[string]any{"type": "RequestRedirect", "requestRedirect": map[string]any{"scheme": "https", "statusCode": 301.0}}},
			}}
			if o.Metadata.Name == "frontend-redirect" && !reflect.DeepEqual(o.Spec["rules"], want) {
				t.Errorf("without TLS users get %v, want %v", o.Spec["rules"], want)
			}
		}
		if !reflect.DeepEqual(listeners, c.want) {
			t.Errorf("%v: the routes are on %v, want %v", c.args, listeners, c.want)
		}
	}
}

// Both brokers have the topics of deploy/kafka, with its partitions.
func TestBrokersHaveTheTopics(t *testing.T) {
	declared := objects(t, text(t, root+"/deploy/kafka/topics.yaml"))
	plain, _, err := template(t, "kafka")
	if err != nil {
		t.Fatal(err)
	}
	cloud := rendered(t, "kafka", "values-cloud.yaml")
	for _, want := range declared {
		if !strings.Contains(plain, "declare_topic "+want.Metadata.Name+" --partitions "+fmt.Sprint(at(want.Spec, "partitions"))+" --replicas 1 --topic-config retention.ms="+at(want.Spec, "config", "retention.ms").(string)+"\n") {
			t.Errorf("Redpanda does not get %s", want.Metadata.Name)
		}
		if !slices.ContainsFunc(cloud, func(o kube) bool { return o.Kind == "KafkaTopic" && equal(t, o, want) }) {
			t.Errorf("Strimzi does not get %s", want.Metadata.Name)
		}
	}
}

// The alert on consumers that are behind has its metric in a cloud: Strimzi runs the exporter, for every group and topic that the
// alert asks for, and those are the subscriptions that replicas share.
//
// [Task]: T086, T088
func TestTheExporterTellsWhatTheAlertAsksFor(t *testing.T) {
	cloud := rendered(t, "kafka", "values-cloud.yaml")
	i := slices.IndexFunc(cloud, func(o kube) bool { return o.Kind == "Kafka" })
	if i < 0 {
		t.Fatal("there is no Kafka")
	}
	exporter := func(field string) *regexp.Regexp {
		pattern, _ := at(cloud[i].Spec, "kafkaExporter", field).(string)
		return regexp.MustCompile(pattern) // as the exporter does: it has to bear its own ends
	}
	m := regexp.MustCompile(`kafka_consumergroup_lag\{consumergroup=~"(.+?)",topic=~"(.+?)"\}`).FindStringSubmatch(text(t, root+"/deploy/observability/alerts.yaml"))
	if m == nil {
		t.Fatal("no alert asks for kafka_consumergroup_lag")
	}
	for what, c := range map[string]struct {
		told, asked *regexp.Regexp
		of          func(kube) []string
	}{
		"group": {exporter("groupRegex"), regexp.MustCompile("^(" + m[1] + ")$"), func(o kube) []string { return o.Scopes }},
		"topic": {exporter("topicRegex"), regexp.MustCompile("^(" + m[2] + ")$"), func(o kube) []string { return []string{at(o.Spec, "topic").(string)} }},
	} {
		for _, o := range objects(t, text(t, root+"/deploy/dapr/subscriptions.yaml")) {
			for _, name := range c.of(o) {
				if at(o.Spec, "pubsubname") == "pubsub" && (!c.told.MatchString(name) || !c.asked.MatchString(name)) {
					t.Errorf("%s %s: the exporter tells of it: %t, the alert asks for it: %t", what, name, c.told.MatchString(name), c.asked.MatchString(name))
				}
			}
		}
		for _, other := range []string{"backend-0192", "task-updates", "task-events-dead-audit"} {
			if c.told.MatchString(other) {
				t.Errorf("the exporter tells of the %s %s, which nobody has to read", what, other)
			}
		}
	}
}

// What cannot work is refused while it is rendered, before anything has changed, and the reason names the value.
func TestRefusals(t *testing.T) {
	for _, c := range []struct{ chart, set, want string }{
		{"docket", "backend.replica=2", "replica"},
		{"docket", "postgres.enabled=true", "postgres"},
		{"docket", "backend.replicas=two", "replicas"},
		{"docket", "backend.autoscaling.enabled=yes", "enabled"},
		{"docket", "backend.replicas=-1", "replicas"},
		{"docket", "backend.autoscaling.enabled=true,backend.replicas=0", "backend: replicas is 0 and autoscaling.enabled is true"},
		{"docket", "audit.autoscaling.enabled=true,audit.autoscaling.minReplicas=5,audit.autoscaling.maxReplicas=4", "audit: autoscaling.minReplicas is 5"},
		{"docket", "frontend.rollout.gracePeriodSeconds=25", "frontend: rollout.gracePeriodSeconds is 25: it must be at least 35"},
		{"docket", "frontend.ingress.enabled=true", "host"},
		{"docket", "frontend.service.nodePort=80", "nodePort"},
		{"frontend", "settings.proxyHops=0", "proxyHops"},
		{"docket", "frontend.service.type=LoadBalancer", "frontend: service.type is LoadBalancer and settings.trustProxy is true"},
		{"frontend", "service.type=NodePort,ingress.enabled=true,ingress.host=docket.example.com", "frontend: service.type is NodePort and settings.trustProxy is true"},
		{"frontend", "gateway.httpsListener=", "httpsListener"},
		{"docket", "global.imagePrefix=ghcr.io/you", "imagePrefix"},
		{"docket", "backend.image.digest=sha256:12", "digest"},
		{"docket", "backend.logLevel=trace", "logLevel"},
		{"audit", "resources.memoryLimitMiB=1Gi", "memoryLimitMiB"},
		{"notification", "settings.smtpPort=0", "smtpPort"},
		{"backend", "settings.signUp=anybody", "signUp"},
		{"backend", "settings.oidc[0].id=work", "issuer"},
		{"notification", "settings.smtpTLS=sometimes", "smtpTLS"},
		{"kafka", "kind=nats", "kind"},
		{"kafka", "kind=strimzi,strimzi.replicas=1", "replicationFactor is 3"},
	} {
		out, errs, err := template(t, c.chart, "--set", c.set)
		if err == nil || !strings.Contains(errs, c.want) {
			t.Errorf("%s with %s: %v, want %q in:\n%s", c.chart, c.set, err, c.want, errs)
		}
		if out != "" {
			t.Errorf("%s with %s is rendered in spite of it", c.chart, c.set)
		}
	}
}

// A port for users goes together with what is in front of it: nothing that is believed, or an HTTP proxy.
func TestPortsForUsers(t *testing.T) {
	for _, set := range []string{"settings.trustProxy=false", "service.httpProxy=true"} {
		out, errs, err := template(t, "frontend", "--set", "service.type=LoadBalancer,"+set)
		if err != nil || !slices.ContainsFunc(objects(t, out), func(o kube) bool { return o.Kind == "Service" && o.Metadata.Name == "frontend-public" }) {
			t.Errorf("with %s there is no frontend-public: %v\n%s", set, err, errs)
		}
	}
}

// A cluster that has Dapr but not the secrets is told which one is missing. Offline nobody can look, so everything is missing.
func TestAMissingSecretIsNamed(t *testing.T) {
	for _, chart := range []string{"docket", "backend"} {
		_, errs, err := template(t, chart, "--api-versions", "dapr.io/v1alpha1")
		if err == nil || !regexp.MustCompile(`there is no secret "docket-[a-z-]+" in namespace "tasks", with [a-zA-Z]+: create it first`).MatchString(errs) {
			t.Errorf("%s: %v\n%s", chart, err, errs)
		}
	}
}

// The check itself finds what it is for.
func TestTheCheckFinds(t *testing.T) {
	check := tool(t, "charts")
	const budget = "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: a}\nspec: {maxUnavailable: 1}\n"
	for want, in := range map[string]string{
		"unknown field":     strings.ReplaceAll(budget, "maxUnavailable", "maxUnavailabel"),
		"cannot unmarshal":  strings.ReplaceAll(budget, "spec: {maxUnavailable: 1}", "spec: 1"),
		"already set":       strings.ReplaceAll(budget, "1}", "1, maxUnavailable: 2}"),
		"no kind":           strings.ReplaceAll(budget, "Budget", "Budgte"),
		"is there twice":    budget + "---\n" + budget,
		"nothing to check":  "# only a comment\n",
		"dapr.io/v1 Config": "apiVersion: dapr.io/v1\nkind: Configuration\nmetadata: {name: a}\n",
	} {
		if _, errs, err := run(t, []byte(in), check); err == nil || !strings.Contains(errs, want) {
			t.Errorf("want %q, got %v: %s", want, err, errs)
		}
	}
	if out, errs, err := run(t, []byte(budget), check); err != nil || out != "1 objects\n" {
		t.Errorf("%q %v: %s", out, err, errs)
	}
}
