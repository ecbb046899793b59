package docket_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// SECURITY.md names tests for each threat, and they exist.
func TestThreatsHaveTests(t *testing.T) {
	page, err := os.ReadFile("SECURITY.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "|---|---|---|\n")
	table, _, _ = strings.Cut(table, "\n\n")
	named := regexp.MustCompile("`([^`]+_test\\.go)` ((?:Test|Fuzz)\\w+)")
	rows := strings.Split(strings.TrimSpace(table), "\n")
	if len(rows) < 10 {
		t.Fatalf("SECURITY.md has %d threats", len(rows))
	}
	for _, row := range rows {
		columns := strings.Split(strings.Trim(row, "| "), " | ")
		if len(columns) != 3 {
			t.Errorf("not who, how and test: %s", row)
			continue
		}
		tests := named.FindAllStringSubmatch(columns[2], -1)
		if len(tests) != len(strings.Split(columns[2], ", ")) {
			t.Errorf("%s: want `file_test.go` TestName, and commas between, in %q", columns[0], columns[2])
		}
		for _, m := range tests {
			if code, err := os.ReadFile(m[1]); err != nil || !strings.Contains(string(code), "\nfunc "+m[2]+"(") {
				t.Errorf("%s: there is no %s in %s", columns[0], m[2], m[1])
			}
		}
	}
}
