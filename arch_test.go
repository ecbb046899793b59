// Package docket_test holds the rules of the repository that a document alone would let drift.
//
// [Task]: T001, T007
package docket_test

import (
	"bufio"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/docket-tasks/docket"

// source is one Go file of the repository.
type source struct {
	path    string // with slashes, from the root
	dir     string // "." for the root
	imports []string
	file    *ast.File
	test    bool
}

// sources parses every Go file of the main module. It reads the files itself: a test built on the output of the
// go command would be cached as passing when a file is added.
func sources(t *testing.T) []source {
	t.Helper()
	var out []source
	fset := token.NewFileSet()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); path != "." && (strings.HasPrefix(name, ".") || name == "testdata" || name == "node_modules" || isModule(path)) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		f, err := parser.ParseFile(fset, path, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		s := source{path: filepath.ToSlash(path), dir: filepath.ToSlash(filepath.Dir(path)), file: f, test: strings.HasSuffix(path, "_test.go")}
		for _, i := range f.Imports {
			p, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			s.imports = append(s.imports, p)
		}
		out = append(out, s)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func isModule(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil
}

// layer says what the files of a folder may import besides the standard library.
type layer struct {
	dir string // this folder and, unless a longer one is listed, those below
	may []string
}

// layers is the import rule of ARCHITECTURE.md. An entry of may is a folder of this repository (with everything
// below it) or a library.
var layers = []layer{
	{"task", nil},
	{"quick", nil},
	{"event", []string{"github.com/google/uuid"}},
	{"event/eventtest", []string{"api", "event", "host", "github.com/santhosh-tekuri/jsonschema"}},
	{"ical", []string{"task"}},
	{"host", nil},
	{"host/combine", []string{"host"}},
	{"host/embedded", []string{"host", "modernc.org/", "github.com/prometheus/client_golang", "golang.org/x/sys"}},
	{"host/dapr", []string{"host", "host/dapr/outbox", "host/combine", "github.com/dapr/go-sdk", "google.golang.org/grpc",
		"github.com/google/uuid", "github.com/prometheus/client_golang", "golang.org/x/sync"}},
	{"host/dapr/outbox", []string{"host", "golang.org/x/sync/errgroup"}},
	{"host/hosttest", []string{"host"}},
	{"edge", []string{"host", "go.opentelemetry.io/otel", "github.com/danielgtaylor/huma", "github.com/golang-jwt/jwt", "github.com/prometheus/client_golang", "golang.org/x/sync"}},
	{"services/backend/openid", []string{"github.com/coreos/go-oidc", "golang.org/x/oauth2", "golang.org/x/sync/singleflight"}},
	{"services/backend/passkey", []string{"github.com/go-webauthn/webauthn"}},
	{"services/backend", append([]string{
		"services/backend", "ical", "github.com/coder/websocket", "github.com/google/uuid", "golang.org/x/text",
		"golang.org/x/crypto/argon2",
	}, serviceMay...)},
	{"services/audit", append([]string{"golang.org/x/sync/errgroup"}, serviceMay...)},
	{"services/recurring", serviceMay},
	{"services/notification", append([]string{"github.com/wneessen/go-mail", "github.com/google/uuid", "github.com/SherClockHolmes/webpush-go"}, serviceMay...)},
	{"services/frontend", append([]string{"golang.org/x/sync", "golang.org/x/time"}, serviceMay...)},
	{"web", nil},
}

// serviceMay is what every service may import: never another service nor a concrete host.
var serviceMay = []string{"task", "quick", "event", "host", "host/combine", "edge",
	"github.com/danielgtaylor/huma", "github.com/prometheus/client_golang"}

// concrete are the folders below host that only cmd may choose between.
var concrete = []string{"host/embedded", "host/dapr", "host/hosttest"}

// Who may import whom. Tests may use the hosts and test libraries besides.
func TestImportRule(t *testing.T) {
	for _, s := range sources(t) {
		l, ok := layerOf(s.dir)
		if !ok || s.test {
			continue
		}
		for _, imp := range s.imports {
			if !allowed(l, imp) {
				t.Errorf("%s imports %s: %s may import only %v", s.path, imp, l.dir, l.may)
			}
		}
	}
}

func layerOf(dir string) (best layer, ok bool) {
	for _, l := range layers {
		if within(dir, l.dir) && len(l.dir) >= len(best.dir) {
			best, ok = l, true
		}
	}
	return best, ok
}

func allowed(l layer, imp string) bool {
	own, isOwn := strings.CutPrefix(imp, module+"/")
	if !isOwn {
		return !strings.Contains(strings.Split(imp, "/")[0], ".") ||
			slices.ContainsFunc(l.may, func(m string) bool { return strings.HasPrefix(imp, m) })
	}
	if slices.ContainsFunc(concrete, func(c string) bool { return within(own, c) }) && !within(l.dir, own) {
		return slices.Contains(l.may, own)
	}
	return within(own, l.dir) || slices.ContainsFunc(l.may, func(m string) bool { return within(own, m) })
}

func within(dir, of string) bool { return dir == of || strings.HasPrefix(dir, of+"/") }

// A service cannot tell which host it runs on, so it has no word for one.
func TestServicesDoNotKnowTheirHost(t *testing.T) {
	word := regexp.MustCompile(`(?i)embedded|standalone|\bdapr\b`)
	for _, s := range sources(t) {
		if !strings.HasPrefix(s.dir, "services/") || s.test {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.Ident:
				if word.MatchString(n.Name) {
					t.Errorf("%s: the name %s tells of a host", s.path, n.Name)
				}
			case *ast.BasicLit:
				if n.Kind == token.STRING && word.MatchString(n.Value) {
					t.Errorf("%s: the text %s tells of a host", s.path, n.Value)
				}
			}
			return true
		})
	}
}

// Only main begins a context of its own: everything below is given one.
func TestContextsBeginInMain(t *testing.T) {
	for _, s := range sources(t) {
		if s.test || s.path == "cmd/docket/main.go" || s.path == "deploy/local/run/main.go" || strings.HasPrefix(s.dir, "test/") {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if ok && fmt.Sprint(sel.X) == "context" && (sel.Sel.Name == "Background" || sel.Sel.Name == "TODO") {
				t.Errorf("%s uses context.%s", s.path, sel.Sel.Name)
			}
			return true
		})
	}
}

// Every package says what it is, and which requirements it meets.
func TestPackageComments(t *testing.T) {
	comments := map[string]string{}
	for _, s := range sources(t) {
		if _, seen := comments[s.dir]; !seen {
			comments[s.dir] = ""
		}
		if s.file.Doc != nil && (!s.test || s.dir == "." || strings.HasPrefix(s.dir, "test/")) {
			comments[s.dir] += s.file.Doc.Text()
		}
	}
	for dir, c := range comments {
		switch {
		case c == "":
			t.Errorf("package %s has no comment", dir)
		case !regexp.MustCompile(`\[Task\]: T\d`).MatchString(c):
			t.Errorf("the comment of package %s names no requirement", dir)
		}
	}
}

// A Go file of this project has at most 600 lines.
func TestFileSizes(t *testing.T) {
	for _, s := range sources(t) {
		f, err := os.Open(s.path)
		if err != nil {
			t.Fatal(err)
		}
		lines := 0
		for sc := bufio.NewScanner(f); sc.Scan(); {
			lines++
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		if lines > 600 {
			t.Errorf("%s has %d lines", s.path, lines)
		}
	}
}
