// Command total reads the JUnit reports of all test runners and prints one line that counts the tests in them. It exits
// with 1 if one has failed or a report cannot be read.
//
//	go run ./tools/total report.xml...
//
// [Task]: T007, T008
package main

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
)

type counts struct{ passed, failed, skipped int }

func main() {
	var all counts
	for _, name := range os.Args[1:] {
		if err := all.read(name); err != nil {
			fmt.Fprintln(os.Stderr, "total:", err)
			all.failed++ // a runner that left no readable report has not passed
		}
	}
	fmt.Println(all)
	if all.failed > 0 || all.passed == 0 {
		os.Exit(1)
	}
}

func (c counts) String() string {
	line := fmt.Sprintf("%d passed, %d failed", c.passed, c.failed)
	if c.skipped > 0 {
		line += fmt.Sprintf(", %d skipped", c.skipped)
	}
	return line
}

// read adds the test cases of one report, whatever suites they are in.
func (c *counts) read(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // only read
	tests := map[string]counts{}
	defer func() {
		for _, runs := range tests {
			c.add(runs)
		}
	}()
	decoder := xml.NewDecoder(f)
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		start, ok := token.(xml.StartElement)
		if !ok || start.Name.Local != "testcase" {
			continue
		}
		var test struct {
			Class   string    `xml:"classname,attr"`
			Name    string    `xml:"name,attr"`
			Failure *struct{} `xml:"failure"`
			Error   *struct{} `xml:"error"`
			Skipped *struct{} `xml:"skipped"`
		}
		if err := decoder.DecodeElement(&test, &start); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		runs := tests[test.Class+"\x00"+test.Name]
		switch {
		case test.Failure != nil || test.Error != nil:
			runs.failed++
		case test.Skipped != nil:
			runs.skipped++
		default:
			runs.passed++
		}
		tests[test.Class+"\x00"+test.Name] = runs
	}
}

// add adds the runs of one test. One that was run once more and passed then has passed.
func (c *counts) add(runs counts) {
	c.passed += runs.passed
	c.skipped += runs.skipped
	if runs.passed == 0 {
		c.failed += min(runs.failed, 1)
	}
}
