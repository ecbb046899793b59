package main

import (
	"bytes"
	"strings"
	"testing"
)

// What govulncheck prints, shortened: one vulnerability that is called, one that is only imported, one of the standard library.
const messages = `
{"config": {"protocol_version": "v1.0.0"}}
{"osv": {"id": "GO-2026-0001", "summary": "Memory without end"}}
{"osv": {"id": "GO-2026-0002", "summary": "Never called"}}
{"osv": {"id": "GO-2026-0003", "summary": "A race"}}
{"finding": {"osv": "GO-2026-0001", "fixed_version": "v1.2.0", "trace": [{"module": "example.org/m", "version": "v1.1.0"}]}}
{"finding": {"osv": "GO-2026-0001", "fixed_version": "v1.2.0", "trace": [{"module": "example.org/m", "version": "v1.1.0", "function": "Read"}, {"module": "docket", "function": "main"}]}}
{"finding": {"osv": "GO-2026-0002", "trace": [{"module": "example.org/n", "version": "v0.1.0"}]}}
{"finding": {"osv": "GO-2026-0003", "fixed_version": "v1.26.9", "trace": [{"module": "stdlib", "version": "v1.26.8", "function": "Serve"}]}}
`

func TestReachedVulnerabilities(t *testing.T) {
	reached, err := read(strings.NewReader(messages))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := judge(&out, "v0", reached); err == nil || !strings.Contains(err.Error(), "1 in modules") {
		t.Errorf("judged as %v, want a failure for the one in a module", err)
	}
	want := `GO-2026-0001 example.org/m@v1.1.0 (mended in v1.2.0): Memory without end, https://pkg.go.dev/vuln/GO-2026-0001
GO-2026-0003 stdlib@v1.26.8 (mended in v1.26.9): A race, https://pkg.go.dev/vuln/GO-2026-0003
1 known vulnerabilities can be reached in modules, 1 in this Go's standard library (database v0)
`
	if got := out.String(); got != want {
		t.Errorf("told\n%s\nwant\n%s", got, want)
	}
	if err := judge(&out, "v0", reached[1:]); err != nil {
		t.Errorf("the standard library's alone: %v, want no failure", err)
	}
}

func TestBrokenOutput(t *testing.T) {
	if _, err := read(strings.NewReader(`{"osv": {`)); err == nil {
		t.Error("half a message was taken for the end")
	}
}
