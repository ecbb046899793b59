// Package web holds the web client. Its build goes to dist, which is not in git; without one, a page stands in
// that can sign in and show the list of tasks, so that Go builds and tests need no Node.
//
// [Task]: T001
package web

import (
	"embed"
	"io/fs"
)

//go:embed dist placeholder
var embedded embed.FS

// FS is the web client as built: index.html and what it needs.
var FS = choose()

func choose() fs.FS {
	folder := "placeholder"
	if _, err := fs.Stat(embedded, "dist/index.html"); err == nil {
		folder = "dist"
	}
	chosen, err := fs.Sub(embedded, folder)
	if err != nil {
		panic(err) // the folder's name above is not a valid path
	}
	return chosen
}
