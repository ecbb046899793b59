// Package api holds the contract with the world outside: what the services answer (openapi.json), what they publish
// (the JSON Schemas of the events) and what clients hear on the WebSocket (asyncapi.yaml). The files are the source;
// this package only lets Go read the ones that describe events.
//
// [Task]: T015, T043, T067
package api

import "embed"

// Events are the files that describe the events: asyncapi.yaml and every *.schema.json, at the root.
//
//go:embed asyncapi.yaml *.schema.json
var Events embed.FS
