// Package manifests holds the manifests of deploy/dapr to what the code does: each subscription to its topics, each invocation
// to the access control, and everything to the one rule that state is never retried. It holds deploy/docker to the services there are.
//
// [Task]: T010, T011, T012, T013, T072, T073, T074, T075, T076
package manifests

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/oasdiff/yaml"

	"github.com/docket-tasks/docket/event"
	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/services/audit"
	"github.com/docket-tasks/docket/services/backend"
	"github.com/docket-tasks/docket/services/frontend"
	"github.com/docket-tasks/docket/services/notification"
	"github.com/docket-tasks/docket/services/recurring"
)

// The forms of the manifests, with the fields used here (Dapr's CRDs have more): decoding is strict.
type (
	meta struct {
		APIVersion string            `json:"apiVersion"`
		Kind       string            `json:"kind"`
		Metadata   map[string]any    `json:"metadata"`
		Scopes     []string          `json:"scopes"`
		Auth       map[string]string `json:"auth"`
	}
	component struct {
		meta
		Spec struct {
			Type        string  `json:"type"`
			Version     string  `json:"version"`
			InitTimeout string  `json:"initTimeout"`
			Metadata    []value `json:"metadata"`
		} `json:"spec"`
	}
	value struct {
		Name         string `json:"name"`
		Value        string `json:"value"`
		SecretKeyRef *struct {
			Name string `json:"name"`
			Key  string `json:"key"`
		} `json:"secretKeyRef"`
	}
	subscription struct {
		meta
		Spec struct {
			Pubsub string `json:"pubsubname"`
			Topic  string `json:"topic"`
			Routes struct {
				Default string `json:"default"`
			} `json:"routes"`
			DeadLetter string            `json:"deadLetterTopic"`
			Metadata   map[string]string `json:"metadata"`
			Bulk       struct {
				Enabled            bool `json:"enabled"`
				MaxMessagesCount   int  `json:"maxMessagesCount"`
				MaxAwaitDurationMs int  `json:"maxAwaitDurationMs"`
			} `json:"bulkSubscribe"`
		} `json:"spec"`
	}
	resiliency struct {
		meta
		Spec struct {
			Policies struct {
				Timeouts map[string]string `json:"timeouts"`
				Retries  map[string]retry  `json:"retries"`
			} `json:"policies"`
			Targets struct {
				Components map[string]map[string]policies `json:"components"`
				Apps       map[string]policies            `json:"apps"`
			} `json:"targets"`
		} `json:"spec"`
	}
	retry struct {
		Policy      string            `json:"policy"`
		Duration    string            `json:"duration"`
		MaxInterval string            `json:"maxInterval"`
		MaxRetries  *int              `json:"maxRetries"`
		Matching    map[string]string `json:"matching"`
	}
	policies struct {
		Timeout string `json:"timeout"`
		Retry   string `json:"retry"`
	}
	feature struct {
		Name    string `json:"name"`
		Enabled bool   `json:"enabled"`
	}
	configuration struct {
		meta
		Spec struct {
			Features []feature         `json:"features"`
			Tracing  map[string]string `json:"tracing"`
			Secrets  struct {
				Scopes []struct {
					StoreName      string   `json:"storeName"`
					DefaultAccess  string   `json:"defaultAccess"`
					AllowedSecrets []string `json:"allowedSecrets"`
				} `json:"scopes"`
			} `json:"secrets"`
			AccessControl struct {
				DefaultAction string   `json:"defaultAction"`
				TrustDomain   string   `json:"trustDomain"`
				Policies      []policy `json:"policies"`
			} `json:"accessControl"`
			NameResolution map[string]any `json:"nameResolution"`
		} `json:"spec"`
	}
	policy struct {
		AppID         string      `json:"appId"`
		Namespace     string      `json:"namespace"`
		TrustDomain   string      `json:"trustDomain"`
		DefaultAction string      `json:"defaultAction"`
		Operations    []operation `json:"operations"`
	}
	operation struct {
		Name   string   `json:"name"`
		Verbs  []string `json:"httpVerb"`
		Action string   `json:"action"`
	}
	topic struct {
		meta
		Spec struct {
			Partitions int               `json:"partitions"`
			Config     map[string]string `json:"config"`
		} `json:"spec"`
	}
)

func strict(d *json.Decoder) *json.Decoder {
	d.DisallowUnknownFields()
	return d
}

// dir is where the manifests are.
const dir = "../../deploy/dapr"

// read decodes every document of a file; a field that the form does not have is an error.
func read[T any](t *testing.T, file string) (docs []T) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(file)))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(b, []byte("# ")) || !regexp.MustCompile(`(?m)^# \[Task\]: T\d`).Match(b) {
		t.Errorf("%s does not begin with what it is for and the requirements it meets", file)
	}
	for _, doc := range bytes.Split(b, []byte("\n---\n")) {
		var d T
		if _, err := yaml.Unmarshal(doc, &d, yaml.DecodeOpts{}, strict); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		docs = append(docs, d)
	}
	return docs
}

// services are all services, as they describe themselves to a host.
func services(t *testing.T) []host.Service {
	t.Helper()
	node := newNode(t)
	back := backend.New(t.Context(), backend.Config{}, node(backend.Name))
	t.Cleanup(func() { back.Drain(t.Context()) })
	rec := recurring.New(recurring.Config{}, node(recurring.Name))
	aud := audit.New(t.Context(), audit.Config{}, node(audit.Name))
	t.Cleanup(func() { aud.Drain(t.Context()) })
	not, err := notification.New(notification.Config{}, node(notification.Name))
	if err != nil {
		t.Fatal(err)
	}
	return []host.Service{back, rec, not, aud}
}

var names = []string{backend.Name, recurring.Name, notification.Name, audit.Name, frontend.Name}

// Every file of the folder is one of those that are tested here.
func TestEveryManifestIsTested(t *testing.T) {
	known := []string{"broadcast.yaml", "configuration.yaml", "jobs.yaml", "pubsub.yaml", "resiliency.yaml", "secrets.yaml",
		"statestore.yaml", "subscriptions.yaml"}
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	for i, f := range files {
		files[i] = filepath.Base(f)
	}
	if err != nil || !slices.Equal(files, known) {
		t.Errorf("manifests here: %q, %v; tested are %q", files, err, known)
	}
}

func TestComponents(t *testing.T) {
	types := map[string]string{
		"pubsub.yaml": "pubsub.kafka v1", "broadcast.yaml": "pubsub.kafka v1", "statestore.yaml": "state.postgresql v2",
		"secrets.yaml": "secretstores.kubernetes v1", "local/secrets.yaml": "secretstores.local.file v1",
	}
	for file, want := range types {
		for _, c := range read[component](t, file) {
			if name := strings.TrimSuffix(filepath.Base(file), ".yaml"); c.Metadata["name"] != name || c.Kind != "Component" {
				t.Errorf("%s: %s %v, want a component named %s", file, c.Kind, c.Metadata, name)
			}
			if got := c.Spec.Type + " " + c.Spec.Version; got != want {
				t.Errorf("%s: is %s, want %s", file, got, want)
			}
			for _, app := range c.Scopes {
				if !slices.Contains(names, app) {
					t.Errorf("%s: %q is in its scope, which is no service", file, app)
				}
			}
			for _, v := range c.Spec.Metadata {
				secret := regexp.MustCompile(`(?i)password|connection|brokers`).MatchString(v.Name)
				if secret != (v.SecretKeyRef != nil) && !strings.HasPrefix(v.Name, "sasl") && v.Name != "authType" && v.Name != "disableTls" {
					t.Errorf("%s: %s is a secret: %t, and comes from one: %t", file, v.Name, secret, v.SecretKeyRef != nil)
				}
				if strings.HasPrefix(v.Name, "outbox") {
					t.Errorf("%s: sets %s; docket has an outbox of its own", file, v.Name)
				}
				if v.Name == "cleanupInterval" && strings.HasPrefix(v.Value, "0") {
					t.Errorf("%s: what has expired would never go away", file)
				}
			}
		}
	}
}

// The two components on Kafka differ in who shares a message, and in nothing else.
func TestBroadcastIsPubsubForEveryReplica(t *testing.T) {
	differ := []string{"consumerID", "initialOffset", "consumeRetryEnabled"}
	strip := func(c component) (out []value) {
		for _, v := range c.Spec.Metadata {
			if !slices.Contains(differ, v.Name) {
				out = append(out, v)
			}
		}
		return out
	}
	broadcast := read[component](t, "broadcast.yaml")[0]
	if !slices.ContainsFunc(broadcast.Spec.Metadata, func(v value) bool { return v.Name == "consumeRetryEnabled" && v.Value == "false" }) {
		t.Error("the component repeats a broadcast that fails, and nothing else comes meanwhile")
	}
	shared, every := strip(read[component](t, "pubsub.yaml")[0]), strip(broadcast)
	if len(shared) != len(every) {
		t.Fatalf("%d settings and %d", len(shared), len(every))
	}
	for i, v := range shared {
		if v.Name != every[i].Name || v.Value != every[i].Value || (v.SecretKeyRef == nil) != (every[i].SecretKeyRef == nil) ||
			v.SecretKeyRef != nil && *v.SecretKeyRef != *every[i].SecretKeyRef {
			t.Errorf("%+v and %+v", v, every[i])
		}
	}
}

// What services subscribe to is subscribed for them, on topics that are declared, each with the dead letters of its own.
func TestSubscriptions(t *testing.T) {
	declared := map[string]int{}
	for _, tp := range read[topic](t, "../kafka/topics.yaml") {
		declared[tp.Metadata["name"].(string)] = tp.Spec.Partitions
	}
	want := map[string]bool{}
	for _, s := range services(t) {
		for _, sub := range s.Subscriptions {
			kind := "pubsub"
			if sub.Mode == host.Every {
				kind = "broadcast"
			}
			want[s.Name+" "+kind+" "+sub.Topic] = true
		}
	}
	used := map[string]bool{event.TopicTasks: true, event.TopicUpdates: true, event.TopicReminders: true}
	for _, s := range read[subscription](t, "subscriptions.yaml") {
		if len(s.Scopes) != 1 {
			t.Errorf("%v is for %q: one service each", s.Metadata, s.Scopes)
			continue
		}
		app := s.Scopes[0]
		key := app + " " + s.Spec.Pubsub + " " + s.Spec.Topic
		if !want[key] {
			t.Errorf("nobody asks for %q", key)
		}
		delete(want, key)
		if route := "/events/" + s.Spec.Pubsub + "/" + s.Spec.Topic; s.Spec.Routes.Default != route {
			t.Errorf("%s: delivered to %q, want %q", key, s.Spec.Routes.Default, route)
		}
		dead := ""
		if s.Spec.Pubsub == "pubsub" {
			dead = s.Spec.Topic + "-dead-" + app
			used[dead] = true
		}
		if s.Spec.DeadLetter != dead {
			t.Errorf("%s: its dead letters go to %q, want %q", key, s.Spec.DeadLetter, dead)
		}
		if raw := s.Spec.Metadata["rawPayload"] == "true"; !s.Spec.Bulk.Enabled || !raw {
			t.Errorf("%s: in bulk: %t, as it was published: %t, want both", key, s.Spec.Bulk.Enabled, raw)
		}
	}
	for key := range want {
		t.Errorf("%q is not subscribed", key)
	}
	for name := range used {
		want := 6
		if name == event.TopicUpdates { // every replica reads all of it
			want = 2
		}
		if declared[name] != want {
			t.Errorf("topic %s is declared with %d partitions, want %d", name, declared[name], want)
		}
		delete(declared, name)
	}
	for name := range declared {
		t.Errorf("topic %s is declared, but nobody uses it", name)
	}
}

// A transaction that is tried again after its answer was lost meets its own writes: nothing may retry state.
func TestNothingRetriesState(t *testing.T) {
	store := read[component](t, "statestore.yaml")[0].Metadata["name"].(string)
	for _, r := range read[resiliency](t, "resiliency.yaml") {
		if p, targeted := r.Spec.Targets.Components[store]; targeted {
			t.Errorf("%s is the target of %v", store, p)
		}
		// A time limit that is reached is followed by another try, of which the request's body is gone.
		for app, p := range r.Spec.Targets.Apps {
			if p.Timeout != "" {
				t.Errorf("invocations of %s are repeated after %s", app, p.Timeout)
			}
		}
		// A policy of a reserved name applies to every target that has none of its own.
		for name := range r.Spec.Policies.Retries {
			if strings.HasPrefix(name, "Default") || strings.HasPrefix(name, "DaprBuiltIn") {
				t.Errorf("the retry %s applies to the state store as well", name)
			}
		}
		if p := r.Spec.Policies.Retries[r.Spec.Targets.Components["pubsub"]["inbound"].Retry]; p.MaxRetries == nil || *p.MaxRetries != -1 {
			t.Errorf("deliveries are tried again %v times, want without limit: an outage must not fill the dead letters", p.MaxRetries)
		}
	}
}

// Jobs need no component: what there is to set is the scheduler's. Each value is one of its flags (deploy/local passes them).
func TestJobs(t *testing.T) {
	type values struct {
		Scheduler struct {
			ReplicaCount            int    `json:"replicaCount"`
			EtcdCompactionMode      string `json:"etcdCompactionMode"`
			EtcdCompactionRetention string `json:"etcdCompactionRetention"`
			EtcdSpaceQuota          string `json:"etcdSpaceQuota"`
			Workers                 int    `json:"workers"`
		} `json:"dapr_scheduler"`
	}
	for _, v := range read[values](t, "jobs.yaml") {
		if v.Scheduler.Workers < 1 || v.Scheduler.EtcdSpaceQuota == "" {
			t.Errorf("the scheduler's values are %+v", v.Scheduler)
		}
	}
}

// Who is not named may do nothing, a service reads no secret but its own, and a change restarts no sidecar.
func TestConfiguration(t *testing.T) {
	docs := append(read[configuration](t, "configuration.yaml"), read[configuration](t, "local/configuration.yaml")...)
	c, here := docs[0], docs[1]
	if c.Spec.AccessControl.DefaultAction != "deny" || c.Spec.Tracing["samplingRate"] == "" || c.Spec.NameResolution != nil {
		t.Errorf("access is %q by default, traces %v, names by %v", c.Spec.AccessControl.DefaultAction, c.Spec.Tracing, c.Spec.NameResolution)
	}
	if here.Spec.AccessControl.Policies != nil || here.Spec.NameResolution["component"] != "sqlite" {
		t.Errorf("on one machine: %+v", here.Spec)
	}
	if !slices.Equal(c.Spec.Features, []feature{{"HotReload", false}}) {
		t.Errorf("features are %+v", c.Spec.Features)
	}
	for _, s := range c.Spec.Secrets.Scopes {
		if s.StoreName != "secrets" || s.DefaultAccess != "deny" || !slices.Equal(s.AllowedSecrets, []string{"docket"}) {
			t.Errorf("secrets: %+v", s)
		}
	}
	var callers []string
	for _, p := range c.Spec.AccessControl.Policies {
		callers = append(callers, p.AppID)
		if p.DefaultAction != "deny" || p.Namespace != "docket" || p.TrustDomain != c.Spec.AccessControl.TrustDomain {
			t.Errorf("%s: %+v", p.AppID, p)
		}
		for _, o := range p.Operations {
			if o.Action == "allow" && (slices.Contains(o.Verbs, "*") || !regexp.MustCompile(`^/(api/(\*\*|audit|notifications)|internal/[a-z]+(/\*)?)$`).MatchString(o.Name)) {
				t.Errorf("%s may %v %s, which is more than a service asks for", p.AppID, o.Verbs, o.Name)
			}
		}
	}
	slices.Sort(callers)
	want := slices.Sorted(slices.Values(names))
	if !slices.Equal(callers, want) {
		t.Errorf("callers are %q, want %q", callers, want)
	}
}
