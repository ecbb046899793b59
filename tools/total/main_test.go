package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestCounts reads what gotestsum and Vitest write; a report that breaks off is an error, not a lower number.
func TestCounts(t *testing.T) {
	reports := map[string]string{
		"go.xml": `<testsuites tests="3"><testsuite name="a"><testcase name="A"></testcase><testcase name="B"><failure message="x">y</failure></testcase>
			<testcase name="D"><failure message="at first">y</failure></testcase><testcase name="D"></testcase>
			<testcase name="C"><skipped message="z"></skipped></testcase></testsuite></testsuites>`,
		"web.xml":   `<?xml version="1.0"?><testsuites><testsuite name="b.ts"><testcase name="a &gt; b"/><testcase name="c"><error/></testcase></testsuite></testsuites>`,
		"short.xml": `<testsuites><testsuite name="b.ts"><testcase name="a"/>`,
	}
	var got counts
	for _, name := range []string{"go.xml", "web.xml"} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(reports[name]), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := got.read(path); err != nil {
			t.Fatal(err)
		}
	}
	if want := (counts{passed: 3, failed: 2, skipped: 1}); got != want || got.String() != "3 passed, 2 failed, 1 skipped" {
		t.Errorf("counts = %v, want %v", got, want)
	}
	path := filepath.Join(t.TempDir(), "short.xml")
	if err := os.WriteFile(path, []byte(reports["short.xml"]), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{path, path + ".none"} {
		if err := new(counts).read(name); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
