// Package eventtest holds events to their JSON Schemas in api/, in tests: [Validate] one, [Checked] every one that
// a service publishes.
//
// [Task]: T025
package eventtest

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/docket-tasks/docket/api"
	"github.com/docket-tasks/docket/event"
	"github.com/docket-tasks/docket/host"
)

// The schema files refer to each other by relative names; this is where they seem to lie.
const base = "file:///api/"

// NewCompiler returns a compiler that knows every schema file in api/ by its address, see [Address], and asserts formats.
func NewCompiler() (*jsonschema.Compiler, error) {
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	c.UseLoader(nowhere{})
	names, err := fs.Glob(api.Events, "*.schema.json")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		b, err := api.Events.ReadFile(name)
		if err != nil {
			return nil, err
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		if err := c.AddResource(Address(name), doc); err != nil {
			return nil, fmt.Errorf("add %s: %w", name, err)
		}
	}
	return c, nil
}

// Address is the address of a file in api/ for references to it.
func Address(name string) string { return base + strings.TrimPrefix(name, "./") }

// nowhere refuses references that lead out of api/.
type nowhere struct{}

func (nowhere) Load(url string) (any, error) { return nil, fmt.Errorf("%s is not in api/", url) }

var envelope = sync.OnceValues(func() (*jsonschema.Schema, error) {
	c, err := NewCompiler()
	if err != nil {
		return nil, err
	}
	return c.Compile(Address("cloudevent.schema.json"))
})

// Validate tells what is wrong with an encoded event for the topic: against its schema, and in what no schema can
// say, that the envelope repeats what the data says.
func Validate(topic string, data []byte) error {
	schema, err := envelope()
	if err != nil {
		return err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return fmt.Errorf("event on %s: %w", topic, err)
	}
	if err := schema.Validate(doc); err != nil {
		return fmt.Errorf("event on %s: %w", topic, err)
	}
	attributes := doc.(map[string]any)
	if err := repeats(attributes, attributes["data"].(map[string]any)); err != nil {
		return fmt.Errorf("event on %s: %w", topic, err)
	}
	if want := topicOf(attributes["type"].(string)); want != topic {
		return fmt.Errorf("event on %s: type %v belongs on %s", topic, attributes["type"], want)
	}
	return nil
}

func topicOf(typ string) string {
	switch {
	case event.Type(typ).Known():
		return event.TopicTasks
	case typ == "task.update":
		return event.TopicUpdates
	default: // the schema knows one more
		return event.TopicReminders
	}
}

func repeats(attributes, data map[string]any) error {
	id := "event_id"
	if attributes["type"] == "reminder.due" {
		id = "notification_id"
	}
	pairs := [][2]string{{"id", id}, {"subject", "task_id"}, {"time", "timestamp"}}
	for _, p := range pairs {
		if attributes[p[0]] != data[p[1]] {
			return fmt.Errorf("attribute %s is %v, but %s is %v", p[0], attributes[p[0]], p[1], data[p[1]])
		}
	}
	ids := []any{data["task_id"]}
	if payload, ok := data["payload"].(map[string]any); ok {
		if id, ok := payload["task_id"]; ok {
			ids = append(ids, id)
		}
		ids = append(ids, payload["task"].(map[string]any)["id"])
	} else if task, ok := data["task"].(map[string]any); ok {
		ids = append(ids, task["id"])
	}
	for _, id := range ids[1:] {
		if id != ids[0] {
			return fmt.Errorf("task_id is %v, but the task's is %v", ids[0], id)
		}
	}
	return nil
}

// Checked returns s, failing the test at each commit with a message on one of the three topics that is not valid or
// does not carry the event's own id and the key that orders its topic.
func Checked(t testing.TB, s host.State) host.State { return checked{State: s, t: t} }

type checked struct {
	host.State
	t testing.TB
}

func (c checked) Commit(ctx context.Context, tx host.Tx) error {
	for _, m := range tx.Messages {
		if err := check(m); err != nil {
			c.t.Errorf("commit of an invalid message: %v\n%s", err, m.Data)
		}
	}
	return c.State.Commit(ctx, tx)
}

func check(m host.Message) error {
	if err := Validate(m.Topic, m.Data); err != nil {
		return err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(m.Data))
	if err != nil {
		return err
	}
	attributes := doc.(map[string]any)
	if m.ID != attributes["id"] {
		return fmt.Errorf("message id is %q, but the event's is %v", m.ID, attributes["id"])
	}
	// Open clients want one list in order; every other consumer is content with one task in order, and can
	// handle the tasks of a list side by side.
	ordered := "task_id"
	if m.Topic == event.TopicUpdates {
		ordered = "list_id"
	}
	if key := attributes["data"].(map[string]any)[ordered]; m.Key != key {
		return fmt.Errorf("message key is %q: it must be %v", m.Key, key)
	}
	return nil
}
