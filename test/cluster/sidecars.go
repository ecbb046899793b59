package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"time"
)

// stranger is an app with a sidecar that no file of docket knows: its own pod is docket itself, all in one process, which is
// something that runs.
const stranger = `apiVersion: v1
kind: Pod
metadata:
  name: stranger
  labels: {app: stranger}
  annotations: {dapr.io/enabled: "true", dapr.io/app-id: stranger, dapr.io/sidecar-seccomp-profile-type: RuntimeDefault, dapr.io/disable-builtin-k8s-secret-store: "true"}
spec:
  automountServiceAccountToken: false
  securityContext: {runAsNonRoot: true, runAsUser: 65532, seccompProfile: {type: RuntimeDefault}}
  containers:
    - name: stranger
      image: %s
      imagePullPolicy: IfNotPresent
      command: [/docket, serve, --host, embedded, --data, /data/docket]
      securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
      volumeMounts: [{name: data, mountPath: /data}]
  volumes: [{name: data, emptyDir: {}}]
`

// question is one request to the API of a sidecar, and the status that its answer must have.
type question struct {
	of, path string
	want     int
	why      string
}

var questions = []question{
	{"audit", "/v1.0/invoke/backend/method/internal/keys", 200, "audit may have the keys that identities are checked with"},
	{"audit", "/v1.0/invoke/backend/method/api/tasks", 403, "audit may not ask for tasks"},
	{"frontend", "/v1.0/invoke/backend/method/internal/users/someone", 403, "frontend may not read users past the API"},
	{"recurring-task", "/v1.0/invoke/backend/method/internal/keys", 403, "recurring-task may not have the keys"},
	{"stranger", "/v1.0/invoke/backend/method/internal/keys", 403, "who is not listed may do nothing"},
	{"stranger", "/v1.0/invoke/backend/method/api/tasks", 403, "who is not listed may do nothing"},
	{"stranger", "/v1.0/invoke/audit/method/api/audit", 403, "who is not listed may do nothing"},
}

// components are what each sidecar has; those of frontend and of a stranger have none.
var components = map[string][]string{
	"backend": {"broadcast", "pubsub", "secrets", "statestore"}, "notification": {"pubsub", "secrets", "statestore"},
	"recurring-task": {"pubsub", "secrets", "statestore"}, "audit": {"pubsub", "secrets", "statestore"}, "frontend": nil, "stranger": nil,
}

// sidecars asks each sidecar for its components and the questions above, and one without its token.
func (r *run) sidecars(ctx context.Context) (err error) {
	image, err := r.kubectl(ctx, "get", "deployment", "frontend", "--output", "jsonpath={.spec.template.spec.containers[0].image}")
	if err != nil {
		return err
	}
	if _, err := r.command(ctx, false, nil, "sh", "-c", "kubectl --namespace $NAMESPACE apply -f - <<'E'\n"+fmt.Sprintf(stranger, image)+"E\n"); err != nil {
		return err
	}
	defer func() {
		_, gone := r.kubectl(context.WithoutCancel(ctx), "delete", "pod", "stranger", "--wait", "--grace-period=1")
		err = errors.Join(err, gone)
	}()
	if _, err := r.kubectl(ctx, "wait", "--for=condition=Ready", "pod/stranger", "--timeout=2m"); err != nil {
		return err
	}
	token, err := r.kubectl(ctx, "get", "secret", "docket-dapr-api", "--output", "go-template={{.data.token | base64decode}}")
	if err != nil {
		return err
	}
	for app, want := range components {
		if err := r.ask(ctx, app, token, want); err != nil {
			return err
		}
	}
	return nil
}

// ask speaks to one sidecar through a forwarded port.
func (r *run) ask(ctx context.Context, app, token string, want []string) error {
	forwarding, stop := context.WithCancel(ctx)
	defer stop()
	target := "deployment/" + app
	if app == "stranger" {
		target = "pod/stranger"
	}
	base, err := r.forward(forwarding, target)
	if err != nil {
		return err
	}
	status, body, err := get(ctx, base+"/v1.0/metadata", token)
	if err != nil || status != http.StatusOK {
		return fmt.Errorf("%s: metadata: %d %s %w", app, status, body, err)
	}
	var metadata struct {
		Components []struct{ Name string } `json:"components"`
	}
	if err := json.Unmarshal(body, &metadata); err != nil {
		return err
	}
	var have []string
	for _, c := range metadata.Components {
		have = append(have, c.Name)
	}
	if slices.Sort(have); !slices.Equal(have, want) {
		return fmt.Errorf("the sidecar of %s has the components %q, want %q", app, have, want)
	}
	fmt.Printf("%s has the components %q\n", app, have)
	if app == "audit" {
		if status, _, err := get(ctx, base+"/v1.0/metadata", "guess"); err != nil || status != http.StatusUnauthorized {
			return fmt.Errorf("with a wrong token the sidecar of audit answers %d, %w", status, err)
		}
	}
	for _, q := range questions {
		if q.of != app {
			continue
		}
		status, body, err := get(ctx, base+q.path, token)
		if err != nil || status != q.want {
			return fmt.Errorf("%s asks for %s: %d %s, %w; want %d: %s", app, q.path, status, body, err, q.want, q.why)
		}
		fmt.Printf("%s asks for %s: %d\n", app, q.path, status)
	}
	return nil
}

// forward forwards a local port to that of a sidecar until ctx ends, and returns its address.
func (r *run) forward(ctx context.Context, target string) (base string, err error) {
	cmd := exec.CommandContext(ctx, "kubectl", "--namespace", r.namespace, "port-forward", target, ":3500")
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	in := bufio.NewReader(out)
	line, err := in.ReadString('\n')
	go func() {
		_, _ = io.Copy(io.Discard, in)
		_ = cmd.Wait() // it ends with ctx
	}()
	m := regexp.MustCompile(`127\.0\.0\.1:\d+`).FindString(line)
	if m == "" {
		return "", fmt.Errorf("kubectl port-forward %s says %q, %w", target, strings.TrimSpace(line), err)
	}
	return "http://" + m, nil
}

func get(ctx context.Context, url, token string) (status int, body []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Dapr-Api-Token", token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, err
	}
	body, err = io.ReadAll(res.Body)
	return res.StatusCode, body, errors.Join(err, res.Body.Close())
}
