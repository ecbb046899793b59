package manifests

import (
	"context"
	"testing"

	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/host/embedded"
)

// newNode returns a host for services that only have to say what they subscribe to.
func newNode(t *testing.T) func(service string) host.Host {
	t.Helper()
	node, err := embedded.Open(t.Context(), embedded.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := node.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return node.Host
}
