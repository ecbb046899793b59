package web

import (
	"io/fs"
	"strings"
	"testing"
)

// TestPageIsComplete looks up each file that the page names, be it the stand-in's or the build's.
func TestPageIsComplete(t *testing.T) {
	page, err := fs.ReadFile(FS, "index.html")
	if err != nil {
		t.Fatal(err)
	}
	named := 0
	for _, attribute := range []string{`src="/`, `href="/`} {
		for _, after := range strings.Split(string(page), attribute)[1:] {
			path, _, _ := strings.Cut(after, `"`)
			if _, err := fs.Stat(FS, path); err != nil {
				t.Errorf("the page names /%s: %v", path, err)
			}
			named++
		}
	}
	if named == 0 {
		t.Errorf("the page names no script:\n%s", page)
	}
	if strings.Contains(string(page), "<style") || strings.Contains(string(page), "onload=") {
		t.Error("the page holds inline code, which its Content-Security-Policy forbids")
	}
}
