package eventtest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/oasdiff/yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/docket-tasks/docket/api"
	"github.com/docket-tasks/docket/event"
	"github.com/docket-tasks/docket/event/eventtest"
)

// document returns asyncapi.yaml as a JSON document.
func document(t *testing.T) map[string]any {
	t.Helper()
	b, err := api.Events.ReadFile("asyncapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var raw any
	if _, err := yaml.Unmarshal(b, &raw, yaml.DecodeOpts{}); err != nil {
		t.Fatal(err)
	}
	if b, err = json.Marshal(raw); err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return doc.(map[string]any)
}

func member(t *testing.T, doc any, path ...string) any {
	t.Helper()
	for i, name := range path {
		object, ok := doc.(map[string]any)
		if doc = object[name]; !ok || doc == nil {
			t.Fatalf("there is no %s", strings.Join(path[:i+1], "/"))
		}
	}
	return doc
}

// Every reference leads to something: within the document, or to a schema file that compiles.
//
// [Task]: T067
func TestAsyncAPIReferencesResolve(t *testing.T) {
	doc := document(t)
	c, err := eventtest.NewCompiler()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	var walk func(at string, v any)
	walk = func(at string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for name, value := range v {
				walk(at+"/"+name, value)
			}
			if ref, ok := v["$ref"].(string); ok {
				seen++
				if local, ok := strings.CutPrefix(ref, "#/"); ok {
					member(t, doc, strings.Split(local, "/")...)
				} else if _, err := c.Compile(eventtest.Address(ref)); err != nil {
					t.Errorf("%s: %v", at, err)
				}
			}
		case []any:
			for i, value := range v {
				walk(fmt.Sprint(at, "/", i), value)
			}
		}
	}
	walk("", doc)
	if seen < 15 {
		t.Errorf("only %d references found", seen)
	}
}

// The document names the topics of the package event and no others, each channel has the messages it should, and
// every message has examples that its own schema accepts.
//
// [Task]: T067
func TestAsyncAPIExamplesValidate(t *testing.T) {
	doc := document(t)
	topics := map[string]string{}
	for _, channel := range member(t, doc, "channels").(map[string]any) {
		address := member(t, channel, "address").(string)
		for name := range member(t, channel, "messages").(map[string]any) {
			topics[name] = address
		}
	}
	want := map[string]string{"taskEvent": event.TopicTasks, "taskUpdate": event.TopicUpdates, "reminderDue": event.TopicReminders,
		"hello": "/ws", "update": "/ws", "reset": "/ws", "reminder": "/ws", "filters": "/ws"}
	if fmt.Sprint(topics) != fmt.Sprint(want) {
		t.Errorf("messages and their channels: %v, want %v", topics, want)
	}
	c, err := eventtest.NewCompiler()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.AddResource(eventtest.Address("asyncapi.yaml"), doc); err != nil {
		t.Fatal(err)
	}
	for name, message := range member(t, doc, "components", "messages").(map[string]any) {
		at := "#/components/messages/" + name + "/payload"
		if _, wrapped := member(t, message, "payload").(map[string]any)["schema"]; wrapped {
			at += "/schema"
		}
		schema, err := c.Compile(eventtest.Address("asyncapi.yaml") + at)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, example := range member(t, message, "examples").([]any) {
			payload := member(t, example, "payload").(map[string]any)
			if err := schema.Validate(payload); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			payload["nonsense"] = true
			if schema.Validate(payload) == nil {
				t.Errorf("%s: an unknown field is valid", name)
			}
			delete(payload, "nonsense")
			if topic := want[name]; topic != "/ws" {
				b, err := json.Marshal(payload)
				if err != nil {
					t.Fatal(err)
				}
				if err := eventtest.Validate(topic, b); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
	}
}
