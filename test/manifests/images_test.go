package manifests

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// images is deploy/docker, with the file that says what a build sees.
const images = "../../deploy/docker"

// stage is one FROM of the Dockerfile and the instructions that follow it.
type stage struct {
	from, name, body string
}

func dockerfile(t *testing.T) (arguments string, stages []stage) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(images, "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	from := regexp.MustCompile(`(?m)^FROM (?:--platform=\$BUILDPLATFORM )?(\S+) AS (\S+)$`)
	at := from.FindAllSubmatchIndex(b, -1)
	if len(at) != strings.Count(string(b), "\nFROM ") {
		t.Fatal("a stage of the Dockerfile has no name")
	}
	for i, m := range at {
		end := len(b)
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		stages = append(stages, stage{string(b[m[2]:m[3]]), string(b[m[4]:m[5]]), string(b[m[1]:end])})
	}
	return string(b[:at[0][0]]), stages
}

// Each service has a target that starts it, and a build without a target makes the image with all of them.
func TestEveryServiceHasAnImage(t *testing.T) {
	_, stages := dockerfile(t)
	entries := map[string]string{}
	entry := regexp.MustCompile(`(?m)^ENTRYPOINT (.*)$`)
	for _, s := range stages {
		if m := entry.FindStringSubmatch(s.body); m != nil {
			entries[s.name] = m[1]
		}
	}
	want := map[string]string{"docket": `["/docket"]`}
	for _, name := range names {
		want[name] = `["/docket", "serve", "` + name + `"]`
	}
	for name, command := range want {
		if entries[name] != command {
			t.Errorf("the target %s starts %q, want %q", name, entries[name], command)
		}
		delete(entries, name)
	}
	if len(entries) > 0 {
		t.Errorf("images that belong to no service: %v", entries)
	}
	if last := stages[len(stages)-1].name; last != "docket" {
		t.Errorf("a build without a target makes %s, want docket", last)
	}
}

// Every image comes from a base that is pinned by its digest and can be another, and runs as a numbered user without rights.
func TestImagesRunWithoutRights(t *testing.T) {
	arguments, stages := dockerfile(t)
	argument := regexp.MustCompile(`^\$\{([A-Z_]+)\}$`)
	var known []string
	for _, s := range stages {
		if m := argument.FindStringSubmatch(s.from); m != nil {
			if !regexp.MustCompile(`\nARG ` + m[1] + `=\S+:\S+@sha256:[0-9a-f]{64}\n`).MatchString(arguments) {
				t.Errorf("the base of %s, %s, is no argument with a tag and a digest as default", s.name, m[1])
			}
		} else if !slices.Contains(known, s.from) {
			t.Errorf("%s comes from %s: want an argument or an earlier stage", s.name, s.from)
		}
		known = append(known, s.name)
		hasUser := strings.Contains(s.body, "\nUSER ")
		if s.name == "base" && !strings.Contains(s.body, "\nUSER 65532:65532\n") || s.name != "base" && hasUser {
			t.Errorf("%s: the user is set once, in base, to 65532:65532", s.name)
		}
	}
}

// A build sees every folder whose Go packages the binary is made of, and no secret or data that happens to lie in the root.
func TestBuildsSeeTheSources(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(images, "Dockerfile.dockerignore"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(b), "\n")
	if !slices.Contains(lines, "*") {
		t.Error("everything is sent that is not named: want * first")
	}
	imported := regexp.MustCompile(`"github\.com/docket-tasks/docket/([a-z]+)[/"]`)
	for _, pattern := range []string{"cmd/*/*.go", "cmd/*/*/*.go", "edge/*.go", "services/*/*.go", "services/*/*/*.go", "host/*/*.go", "event/*.go"} {
		files, err := filepath.Glob(filepath.Join("../..", filepath.FromSlash(pattern)))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range imported.FindAllSubmatch(source, -1) {
				if !slices.Contains(lines, "!"+string(m[1])) {
					t.Errorf("%s needs %s, which a build does not see", file, m[1])
				}
			}
		}
	}
}
