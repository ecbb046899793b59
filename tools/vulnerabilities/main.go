// Vulnerabilities looks for known vulnerabilities in what docket is built from, in the newest state of Go's own database:
//
//	go run . ../..
//
// The database is asked of the module proxy, as golang.org/x/vulndb, so that nothing but the proxy has to be reached. A module with a
// vulnerability in code that docket can reach is a failure. One in the standard library is only told: which Go builds docket is decided where
// it is built, and the toolchain that go.mod names is used wherever the go command may choose one.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/vuln/scan"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: vulnerabilities DIR, the folder of the module to look at")
	}
	if err := run(context.Background(), os.Args[1]); err != nil {
		log.Fatalf("vulnerabilities: %v", err)
	}
}

func run(ctx context.Context, dir string) error {
	db, err := database(ctx)
	if err != nil { // a proxy that is away is no weakness of docket
		fmt.Printf("Go's database of vulnerabilities cannot be fetched, so none were looked up: %v\n", err)
		return nil
	}
	var out bytes.Buffer
	look := scan.Command(ctx, "-C", dir, "-format", "json", "-db", "file://"+filepath.Join(db.Dir, "data", "osv"), "./...")
	look.Stdout = &out
	if err := look.Start(); err != nil {
		return err
	}
	if err := look.Wait(); err != nil {
		return err
	}
	reached, err := read(&out)
	if err != nil {
		return err
	}
	return judge(os.Stdout, db.Version, reached)
}

// module is what `go mod download -json` tells of one.
type module struct{ Version, Dir, Error string }

// database fetches the newest database of vulnerabilities.
func database(ctx context.Context) (module, error) {
	var m module
	out, failed := exec.CommandContext(ctx, "go", "mod", "download", "-json", "golang.org/x/vulndb@latest").Output()
	if err := json.Unmarshal(out, &m); err != nil {
		return m, fmt.Errorf("fetching the database: %w", errors.Join(failed, err))
	}
	if m.Error != "" {
		return m, fmt.Errorf("fetching the database: %s", m.Error)
	}
	return m, nil
}

// vulnerability is one that docket's code can reach.
type vulnerability struct{ ID, Summary, Module, Found, Fixed string }

// read returns the vulnerabilities that the code can reach from the messages of govulncheck, sorted by their names.
func read(r io.Reader) ([]vulnerability, error) {
	summaries, reached := map[string]string{}, map[string]vulnerability{}
	for in := json.NewDecoder(r); ; {
		var message struct {
			OSV     *struct{ ID, Summary string }
			Finding *struct {
				OSV   string
				Fixed string `json:"fixed_version"`
				Trace []struct{ Module, Version, Function string }
			}
		}
		err := in.Decode(&message)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("reading what was found: %w", err)
		}
		if o := message.OSV; o != nil {
			summaries[o.ID] = o.Summary
		}
		// A trace begins with the vulnerable symbol; it names a function only where the code can reach it.
		if f := message.Finding; f != nil && len(f.Trace) > 0 && f.Trace[0].Function != "" {
			reached[f.OSV] = vulnerability{ID: f.OSV, Module: f.Trace[0].Module, Found: f.Trace[0].Version, Fixed: f.Fixed}
		}
	}
	var all []vulnerability
	for id, v := range reached {
		v.Summary = summaries[id]
		all = append(all, v)
	}
	slices.SortFunc(all, func(a, b vulnerability) int { return strings.Compare(a.ID, b.ID) })
	return all, nil
}

// judge tells of each vulnerability, and returns an error if one is in a module.
func judge(w io.Writer, database string, reached []vulnerability) error {
	inModules := 0
	for _, v := range reached {
		mend := "not mended yet"
		if v.Fixed != "" {
			mend = "mended in " + v.Fixed
		}
		fmt.Fprintf(w, "%s %s@%s (%s): %s, https://pkg.go.dev/vuln/%s\n", v.ID, v.Module, v.Found, mend, v.Summary, v.ID)
		if v.Module != "stdlib" {
			inModules++
		}
	}
	fmt.Fprintf(w, "%d known vulnerabilities can be reached in modules, %d in this Go's standard library (database %s)\n",
		inModules, len(reached)-inModules, database)
	if inModules > 0 {
		return fmt.Errorf("%d in modules: raise their versions in go.mod", inModules)
	}
	return nil
}
