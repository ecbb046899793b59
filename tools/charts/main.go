// Command charts checks rendered charts without a cluster: every object that Kubernetes knows is decoded strictly by its own
// types, so that a field that does not exist, one of a wrong type and one that is there twice are found; objects of Dapr, Strimzi
// and the Gateway API are held to the kinds that docket uses.
//
//	helm template docket deploy/helm/docket | charts
//
// It prints what it has found, and exits with 1 where something is wrong. In the same module is helm itself.
//
// [Task]: T077, T078, T079, T080, T081
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	kyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"
)

// others are the kinds that a cluster gets by what is installed in it, each with the versions that docket is written for.
var others = []string{
	"dapr.io/v1alpha1 Component", "dapr.io/v1alpha1 Configuration", "dapr.io/v1alpha1 Resiliency", "dapr.io/v2alpha1 Subscription",
	"kafka.strimzi.io/v1 Kafka", "kafka.strimzi.io/v1 KafkaNodePool", "kafka.strimzi.io/v1 KafkaTopic",
	"gateway.networking.k8s.io/v1 HTTPRoute",
}

func main() {
	n, err := check(os.Stdin)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("%d objects\n", n)
}

// check reads YAML documents and returns how many objects there are, and all that is wrong with them.
func check(in io.Reader) (n int, err error) {
	strict := serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	docs := kyaml.NewYAMLReader(bufio.NewReader(in))
	seen := map[string]bool{}
	for {
		doc, more := docs.Read()
		if errors.Is(more, io.EOF) {
			break
		}
		if more != nil {
			return n, more
		}
		var o unstructured.Unstructured
		if bad := yaml.UnmarshalStrict(doc, &o.Object); bad != nil {
			err = errors.Join(err, fmt.Errorf("%w in\n%s", bad, doc))
			continue
		}
		if len(o.Object) == 0 {
			continue // only comments
		}
		n++
		kind := o.GetAPIVersion() + " " + o.GetKind()
		name := kind + " " + o.GetName()
		if seen[name] {
			err = errors.Join(err, fmt.Errorf("%s: is there twice", name))
		}
		seen[name] = true
		if slices.Contains(others, kind) {
			continue
		}
		if _, _, bad := strict.Decode(doc, nil, nil); bad != nil {
			err = errors.Join(err, fmt.Errorf("%s: %w", name, bad))
		}
	}
	if n == 0 {
		return 0, errors.Join(err, errors.New("there is nothing to check"))
	}
	return n, err
}
