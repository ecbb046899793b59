package docket_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// licences are those that docket may use, each with a phrase of its text. All but the MPL ask no more than to be named.
var licences = []struct{ name, phrase string }{
	{"Apache-2.0", "apache license version 2.0"},
	{"MIT", "permission is hereby granted, free of charge, to any person obtaining a copy"},
	{"BSD", "redistribution and use in source and binary forms, with or without modification, are permitted"},
	{"MPL-2.0", "mozilla public license version 2.0"},
	{"Unlicense", "this is free and unencumbered software released into the public domain"},
	{"ISC", "permission to use, copy, modify, and/or distribute this software for any purpose with or without fee"},
	{"ISC", "permission to use, copy, modify, and distribute this software for any purpose with or without fee"},
}

// Every module that docket is built from has a licence that docket may use; one that only tests use may have the MPL
// besides, as it is not passed on.
func TestLicencesOfModules(t *testing.T) {
	built := modules(t, "-deps", "./...")
	if len(built) < 20 {
		t.Fatalf("only %d modules", len(built))
	}
	for path, dir := range modules(t, "-deps", "-test", "./...") {
		_, passedOn := built[path]
		if licence := licenceIn(t, dir); licence == "" || passedOn && licence == "MPL-2.0" {
			t.Errorf("%s: its licence in %s is %q, which is not on the list (passed on: %t)", path, dir, licence, passedOn)
		}
	}
}

// modules are the folders of the modules that go list finds, by their paths.
func modules(t *testing.T, args ...string) map[string]string {
	t.Helper()
	list := []string{"list", "-f", "{{with .Module}}{{if not .Main}}{{.Path}}\t{{.Dir}}{{end}}{{end}}"}
	out, err := exec.Command("go", append(list, args...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	dirs := map[string]string{}
	for line := range strings.Lines(string(out)) {
		if path, dir, ok := strings.Cut(strings.TrimSpace(line), "\t"); ok {
			dirs[path] = dir
		}
	}
	return dirs
}

// licenceIn is the name of the licence in the folder, empty where none is known.
func licenceIn(t *testing.T, dir string) string {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		name := strings.ToLower(f.Name())
		if f.IsDir() || !strings.HasPrefix(name, "licen") && !strings.HasPrefix(name, "copying") {
			continue
		}
		b, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		text := strings.Join(strings.Fields(strings.ToLower(string(b))), " ")
		for _, l := range licences {
			if strings.Contains(strings.ReplaceAll(text, "license, version", "license version"), l.phrase) {
				return l.name
			}
		}
	}
	return ""
}

// What the web client ships may have the licences of shipped; what it is only built and tested with is not passed on.
var (
	shipped = []string{"MIT", "ISC", "0BSD", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0"}
	builds  = append([]string{"MIT-0", "(MIT OR CC0-1.0)", "CC0-1.0", "CC-BY-4.0", "BlueOak-1.0.0", "MPL-2.0", "Python-2.0"}, shipped...)
)

// Every package in the web client's lock file has a licence that docket may use.
func TestLicencesOfPackages(t *testing.T) {
	b, err := os.ReadFile("web/package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	var lock struct {
		Packages map[string]struct {
			License string `json:"license"`
			Dev     bool   `json:"dev"`
		} `json:"packages"`
	}
	if err := json.Unmarshal(b, &lock); err != nil {
		t.Fatal(err)
	}
	delete(lock.Packages, "") // the web client itself
	count := 0
	for path, p := range lock.Packages {
		allowed := shipped
		if p.Dev {
			allowed = builds
		} else {
			count++
		}
		if !slices.Contains(allowed, p.License) {
			t.Errorf("%s: the licence %q is not on the list (dev: %t)", path, p.License, p.Dev)
		}
	}
	if count == 0 {
		t.Error("the lock file has no package that is shipped")
	}
}
