package main

import (
	"strings"
	"testing"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/engine"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/fake"
)

// cluster has the objects given, whatever their kind, as resources of Strimzi's topics.
type cluster []runtime.Object

func (c cluster) GetClientFor(string, string) (dynamic.NamespaceableResourceInterface, bool, error) {
	topics := schema.GroupVersionResource{Group: "kafka.strimzi.io", Version: "v1", Resource: "kafkatopics"}
	return fake.NewSimpleDynamicClient(runtime.NewScheme(), c...).Resource(topics), true, nil
}

// A topic that has more partitions than are declared keeps them in an upgrade: Strimzi refuses to take any away, and what waits for the
// topics to be ready would wait in vain. One that has fewer gets those that are declared.
//
// [Task]: T077
func TestTopicsKeepTheirPartitions(t *testing.T) {
	topic := func(name string, partitions int64) runtime.Object {
		return &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "kafka.strimzi.io/v1", "kind": "KafkaTopic",
			"metadata": map[string]any{"name": name, "namespace": "docket"}, "spec": map[string]any{"partitions": partitions},
		}}
	}
	chart, err := loader.Load("../../deploy/helm/kafka")
	if err != nil {
		t.Fatal(err)
	}
	set := map[string]any{"kind": "strimzi"}
	values, err := util.ToRenderValues(chart, set, common.ReleaseOptions{Name: "kafka", Namespace: "docket"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	files, err := engine.RenderWithClientProvider(chart, values, cluster{topic("task-events", 12), topic("reminders", 1)})
	if err != nil {
		t.Fatal(err)
	}
	rendered := ""
	for name, file := range files {
		if strings.HasSuffix(name, "/strimzi.yaml") {
			rendered = file
		}
	}
	if _, err := check(strings.NewReader(rendered)); err != nil {
		t.Error(err)
	}
	for name, want := range map[string]string{"task-events": "12", "reminders": "6", "task-updates": "2"} {
		_, rest, _ := strings.Cut(rendered, "\n  name: "+name+"\n")
		if spec, _, _ := strings.Cut(rest, "\n---"); !strings.Contains(spec+"\n", "\n  partitions: "+want+"\n") {
			t.Errorf("%s is to have %s partitions:\n%s", name, want, rest)
		}
	}
}
