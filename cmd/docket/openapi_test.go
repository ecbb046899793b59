package main

import (
	"bytes"
	"os"
	"testing"
)

// api/openapi.json is what the code says of itself.
func TestOpenAPIIsFresh(t *testing.T) {
	want, err := openAPI()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../api/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("api/openapi.json has drifted from the code: run make generate")
	}
}
