package docket_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

// requirements is how many numbers the mission has: T001 to T093.
const requirements = 93

// docs/requirements.md has every number in exactly one of its tables, and what it says is met can be found.
func TestRequirements(t *testing.T) {
	page, err := os.ReadFile("docs/requirements.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(page), "\n## Met\n")
	met, open, ok2 := strings.Cut(rest, "\n## Not yet\n")
	if !ok || !ok2 {
		t.Fatal("docs/requirements.md lacks the headings Met and Not yet")
	}
	row := regexp.MustCompile(`(?m)^\| (T\d{3}) \| (.*)$`)
	path := regexp.MustCompile("`([^`]+)`")
	seen := map[string]int{}
	for _, m := range row.FindAllStringSubmatch(met, -1) {
		seen[m[1]]++
		where := strings.Split(m[2], "|")[0]
		paths := path.FindAllStringSubmatch(where, -1)
		if len(paths) == 0 {
			t.Errorf("%s is met, but nothing says where", m[1])
		}
		for _, p := range paths {
			if _, err := os.Stat(p[1]); err != nil {
				t.Errorf("%s: %s does not exist", m[1], p[1])
			}
		}
	}
	for _, m := range row.FindAllStringSubmatch(open, -1) {
		seen[m[1]]++
	}
	for n := 1; n <= requirements; n++ {
		if number := fmt.Sprintf("T%03d", n); seen[number] != 1 {
			t.Errorf("%s is in %d rows", number, seen[number])
		}
		delete(seen, fmt.Sprintf("T%03d", n))
	}
	for number := range seen {
		t.Errorf("there is no requirement %s", number)
	}
}
