package host_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/docket-tasks/docket/host"
)

// A conflict is tried again, whatever else comes back is the outcome, and a conflict that does not end is an outage.
//
// [Task]: T019
func TestRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conflict := fmt.Errorf("commit: %w", host.ErrConflict)
		for _, want := range []error{nil, host.ErrUnknown} {
			tries := 0
			err := host.Retry(t.Context(), func() error {
				if tries++; tries < 10 {
					return conflict
				}
				return want
			})
			if tries != 10 || !errors.Is(err, want) {
				t.Errorf("after %d tries %v, want %v after 10", tries, err, want)
			}
		}
		if err := host.Retry(t.Context(), func() error { return conflict }); !errors.Is(err, host.ErrUnavailable) {
			t.Errorf("a conflict that does not end: %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		err := host.Retry(ctx, func() error { cancel(); return conflict })
		if !errors.Is(err, host.ErrUnavailable) || !errors.Is(err, context.Canceled) {
			t.Errorf("a caller that left: %v", err)
		}
	})
}
