package local

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// tools are the programs that are built from source.
type tools struct{ daprd, sentry, placement, scheduler, kafka string }

// build makes what has not been made from the same sources before: minutes the first time, milliseconds later.
func build(ctx context.Context, root string) (tools, error) {
	dapr, kafka := filepath.Join(root, "bin", "dapr"), filepath.Join(root, "bin", "kafka")
	const stamp = "-s -w -X github.com/dapr/dapr/pkg/buildinfo.version="
	version, err := required(filepath.Join(root, "tools", "daprd", "go.mod"), "github.com/dapr/dapr")
	if err != nil {
		return tools{}, err
	}
	err = errors.Join(
		once(ctx, dapr, filepath.Join(root, "tools", "daprd"), stamp+strings.TrimPrefix(version, "v"),
			".", "github.com/dapr/dapr/cmd/sentry", "github.com/dapr/dapr/cmd/placement", "github.com/dapr/dapr/cmd/scheduler"),
		once(ctx, kafka, filepath.Join(root, "tools", "kafka"), "-s -w", "."),
	)
	bin := func(dir, name string) string { return filepath.Join(dir, name) }
	return tools{bin(dapr, "daprd"), bin(dapr, "sentry"), bin(dapr, "placement"), bin(dapr, "scheduler"), bin(kafka, "kafka")}, err
}

// once builds packages of a module into a folder, unless the folder says that it has them from just these sources. Tests of
// several packages may ask at the same time: the first builds.
func once(ctx context.Context, into, module, ldflags string, packages ...string) error {
	sum, err := sourcesOf(module)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(into, 0o755); err != nil {
		return err
	}
	unlock, err := lock(filepath.Join(into, ".lock"))
	if err != nil {
		return err
	}
	defer unlock()
	made := filepath.Join(into, ".sources")
	if have, err := os.ReadFile(made); err == nil && string(have) == sum {
		return nil
	}
	args := append([]string{"build", "-trimpath", "-ldflags", ldflags, "-o", into + string(filepath.Separator)}, packages...)
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Env = module, append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-buildvcs=false", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", module, err, out)
	}
	return os.WriteFile(made, []byte(sum), 0o644)
}

// sourcesOf is a digest of a module's own files.
func sourcesOf(module string) (string, error) {
	files, err := filepath.Glob(filepath.Join(module, "*"))
	if err != nil {
		return "", err
	}
	digest := sha256.New()
	for _, f := range files {
		if ext := filepath.Ext(f); ext != ".go" && ext != ".mod" && ext != ".sum" || strings.HasSuffix(f, "_test.go") {
			continue
		}
		b, err := os.ReadFile(f)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(digest, "%s %d\n", filepath.Base(f), len(b))
		digest.Write(b)
	}
	return hex.EncodeToString(digest.Sum(nil)), nil
}

// required is the version of a library that a go.mod asks for.
func required(gomod, path string) (string, error) {
	b, err := os.ReadFile(gomod)
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(strings.TrimPrefix(line, "require ")); len(f) >= 2 && f[0] == path {
			return f[1], nil
		}
	}
	return "", fmt.Errorf("%s does not require %s", gomod, path)
}
