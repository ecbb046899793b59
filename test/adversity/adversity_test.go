// Package adversity puts docket behind Dapr into the conditions that operators meet: a sidecar, a broker or a component that is
// not there, a password that is wrong, messages that nobody can read or that a newer version wrote, items that are too large.
// Each has to be said clearly, change nothing by halves, and be over when its cause is.
//
// [Task]: T010, T011, T012, T021
package adversity

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/docket-tasks/docket/deploy/local"
)

// patience bounds failures, not successes.
const patience = time.Minute

// world is docket behind Dapr, not started.
type world struct {
	*local.Docket
	machine *local.Machine
	token   string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	local.Require(t)
	dir, err := os.MkdirTemp("", "docket-adversity-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	binary := filepath.Join(dir, "bin", "docket")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "../../cmd/docket")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build docket: %v\n%s", err, out)
	}
	m, err := local.Start(t.Context(), local.Options{Root: "../..", Dir: dir, Broker: local.Fake})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Stop)
	space, err := m.Space(t.Context(), local.SpaceOptions{Name: "docket"})
	if err != nil {
		t.Fatal(err)
	}
	d, err := space.Docket(local.DocketOptions{Binary: binary})
	if err != nil {
		t.Fatal(err)
	}
	return &world{Docket: d, machine: m}
}

// start starts docket and finds the first user's token.
func (w *world) start(t *testing.T) {
	t.Helper()
	if err := w.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.signIn(t)
}

func (w *world) signIn(t *testing.T) {
	t.Helper()
	b, err := os.ReadFile(w.OwnerTokenFile())
	if err != nil {
		t.Fatal(err)
	}
	w.token = strings.TrimSpace(string(b))
}

// ask makes a request at the frontend.
func (w *world) ask(t *testing.T, method, path string, body any) (status int, answer []byte) {
	t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, w.Gateway()+path, bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+w.token)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // read to its end
	if answer, err = io.ReadAll(res.Body); err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, answer
}

// create makes a task, which has to succeed.
func (w *world) create(t *testing.T, title string) {
	t.Helper()
	if status, answer := w.ask(t, http.MethodPost, "/api/tasks", map[string]string{"title": title}); status != http.StatusCreated {
		t.Fatalf("create: %d %s", status, answer)
	}
}

// audited waits until the creation of a task of that title is in the audit log.
func (w *world) audited(t *testing.T, title string) {
	t.Helper()
	eventually(t, title+" in the audit log", func() bool {
		status, answer := w.ask(t, http.MethodGet, "/api/audit?limit=200", nil)
		return status == http.StatusOK && bytes.Contains(answer, []byte(`"`+title+`"`))
	})
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	limit, tick := time.After(patience), time.NewTicker(50*time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-limit:
			t.Fatalf("gave up waiting: %s", what)
		case <-tick.C:
		}
	}
}

// says waits until a process has said all of the words.
func says(t *testing.T, p *local.Process, words ...string) {
	t.Helper()
	eventually(t, fmt.Sprintf("%s says %q", p.Name, words), func() bool {
		b, err := os.ReadFile(p.LogFile)
		if err != nil {
			return false
		}
		for _, word := range words {
			if !strings.Contains(string(b), word) {
				return false
			}
		}
		return true
	})
}

func TestStarts(t *testing.T) {
	w := newWorld(t)
	audit, back := w.Running["audit"][0], w.Running["backend"][0]
	launch := func(p *local.Process) {
		t.Helper()
		if err := p.Launch(); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("with a wrong database password", func(t *testing.T) {
		right := w.DSN()
		wrong := strings.Replace(right, "password=", "password=not", 1)
		if err := w.SetSecret("docket-postgresql", "connectionString", wrong); err != nil {
			t.Fatal(err)
		}
		launch(audit.Sidecar.Process)
		launch(audit.App)
		says(t, audit.Sidecar.Process, "statestore", "password authentication failed")
		says(t, audit.App, "waiting for the Dapr sidecar")
		<-audit.Sidecar.Exited()
		if err := w.SetSecret("docket-postgresql", "connectionString", right); err != nil {
			t.Fatal(err)
		}
		if err := audit.Sidecar.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := audit.App.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		audit.Stop()
	})
	t.Run("without a component", func(t *testing.T) {
		if err := w.RemoveManifest("pubsub.yaml"); err != nil {
			t.Fatal(err)
		}
		launch(audit.Sidecar.Process)
		launch(audit.App)
		says(t, audit.App, `no component "pubsub"`)
		<-audit.App.Exited()
		audit.Sidecar.Stop()
		manifest, err := os.ReadFile("../../deploy/dapr/pubsub.yaml")
		if err != nil {
			t.Fatal(err)
		}
		if err := w.WriteManifest("pubsub.yaml", manifest); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("before its sidecar", func(t *testing.T) {
		launch(back.App)
		says(t, back.App, "waiting for the Dapr sidecar")
		if err := back.Sidecar.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := back.App.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		back.Stop()
	})
	t.Run("while the broker is away", func(t *testing.T) {
		w.machine.Broker.Stop()
		started := make(chan error, 1)
		go func() { started <- w.Start(t.Context()) }()
		says(t, back.Sidecar.Process, "pubsub", "connection refused") // it ends, and is started again until the broker is there
		if err := w.machine.Broker.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := <-started; err != nil {
			t.Fatal(err)
		}
		w.signIn(t)
		w.machine.Broker.Stop()
		w.create(t, "Made while the broker was away")
		if err := w.machine.Broker.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.audited(t, "Made while the broker was away")
		w.noDeadLetters(t)
	})
}

// noDeadLetters demands that no service has refused a message for good.
func (w *world) noDeadLetters(t *testing.T) {
	t.Helper()
	for _, service := range []string{"audit", "recurring-task", "notification"} {
		if letters := w.deadLetters(t, service); letters != "" {
			t.Errorf("dead letters of %s: %s", service, letters)
		}
	}
}

// command runs a command of docket beside a replica of the service.
func (w *world) command(t *testing.T, service string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), w.Binary, args...)
	cmd.Env = append(os.Environ(), w.Running[service][0].Sidecar.Env()...)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("docket %q: %v\n%s", args, err, said.String())
	}
	return strings.TrimSpace(string(out))
}

func (w *world) deadLetters(t *testing.T, service string) string {
	t.Helper()
	return w.command(t, service, "deadletter", "list", service)
}

// publish has backend's sidecar publish bytes as they are, as a message of that id, or as a stranger would where that is empty.
func (w *world) publish(t *testing.T, topic, id string, data []byte) {
	t.Helper()
	c := w.Running["backend"][0].Sidecar
	url := fmt.Sprintf("http://127.0.0.1:%d/v1.0/publish/pubsub/%s?metadata.rawPayload=true", c.HTTPPort, topic)
	if id != "" {
		url += "&metadata.content-type=application/cloudevents%2Bjson&metadata.docket-id=" + id + "&metadata.docket-key=" + id + "&metadata.partitionKey=" + id
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/cloudevents+json")
	req.Header.Set("dapr-api-token", c.Getenv("DAPR_API_TOKEN"))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode/100 != 2 {
		t.Fatalf("publish: %s", res.Status)
	}
}

func TestMessages(t *testing.T) {
	w := newWorld(t)
	w.start(t)
	t.Run("that a newer version wrote are kept with all they say", func(t *testing.T) {
		golden, err := os.ReadFile("../../event/testdata/task.created.v1.json")
		if err != nil {
			t.Fatal(err)
		}
		newer := strings.NewReplacer(`"task.created"`, `"task.archived"`, `"payload":{`, `"payload":{"shelf":"top",`).Replace(string(golden))
		w.publish(t, "task-events", "newer-1", []byte(newer))
		eventually(t, "the entry of the newer event", func() bool {
			kept, err := w.Query(context.WithoutCancel(t.Context()), w.Name,
				`select convert_from(value, 'UTF8') from docket_state where key like 'audit||audit/018f2c00-%/1'`)
			if err != nil {
				t.Fatal(err)
			}
			return strings.Contains(kept, `"task.archived"`) && strings.Contains(kept, `"shelf":"top"`)
		})
		w.noDeadLetters(t)
	})
	t.Run("that nobody can read become dead letters and delay nobody", func(t *testing.T) {
		w.publish(t, "task-events", "poison-1", []byte(`{"specversion":"1.0","id":"poison-1","type":"task.created","source":"backend","data":{"list_version":"not a number"}}`))
		w.publish(t, "task-events", "", []byte(`{"id":"stranger","specversion":"1.0","type":"x","source":"elsewhere"}`))
		w.publish(t, "task-events", "", []byte(`not even JSON`))
		for n := range 24 { // more than there are partitions
			w.create(t, fmt.Sprintf("After the poison %d", n))
		}
		for n := range 24 {
			w.audited(t, fmt.Sprintf("After the poison %d", n))
		}
		eventually(t, "the dead letter", func() bool { return strings.Contains(w.deadLetters(t, "audit"), "poison-1") })
		if n := strings.Count(w.deadLetters(t, "audit"), "\n"); n != 0 {
			t.Errorf("audit has %d more dead letters", n)
		}
		says(t, w.Running["audit"][0].App, "a message that docket has not sent goes to the dead letters")
	})
}

func TestTooLarge(t *testing.T) {
	w := newWorld(t)
	w.start(t)
	before := w.count(t)
	status, answer := w.ask(t, http.MethodPost, "/api/tasks", map[string]string{"title": "x", "description": strings.Repeat("x", 70<<10)})
	if status != http.StatusRequestEntityTooLarge {
		t.Errorf("a body of 70 KiB: %d %s, want 413", status, answer)
	}
	if n := w.count(t); n != before {
		t.Errorf("a refused task has changed the list: %d and %d tasks", before, n)
	}
	// The largest batch is more than the largest message: it goes as several commits, whole.
	type change struct {
		Op   string            `json:"op"`
		Body map[string]string `json:"body"`
	}
	var changes []change
	for n := range 200 {
		changes = append(changes, change{"create", map[string]string{"title": fmt.Sprint("Large ", n), "description": strings.Repeat("ä", 2000)}})
	}
	status, answer = w.ask(t, http.MethodPost, "/api/tasks/batch", map[string]any{"changes": changes})
	if status != http.StatusOK || bytes.Count(answer, []byte(`"status":201`)) != len(changes) {
		t.Errorf("a batch of %d large tasks: %d %.300s", len(changes), status, answer)
	}
	if n := w.count(t); n != before+len(changes) {
		t.Errorf("%d tasks after the batch, want %d", n, before+len(changes))
	}
	w.audited(t, "Large 199")
	w.noDeadLetters(t)
}

// count is how many tasks the first user has.
func (w *world) count(t *testing.T) int {
	t.Helper()
	status, answer := w.ask(t, http.MethodGet, "/api/tasks?limit=200", nil)
	var tasks []json.RawMessage
	if err := json.Unmarshal(answer, &tasks); status != http.StatusOK || err != nil {
		t.Fatalf("list: %d %v", status, err)
	}
	return len(tasks)
}
