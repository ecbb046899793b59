package dapr

import (
	"errors"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/docket-tasks/docket/host"
)

// What the texts of Dapr and PostgreSQL say of an outcome. An error that is not recognised says nothing: neither that it happened
// nor that it did not.
func TestCommitErrors(t *testing.T) {
	for text, want := range map[string]error{
		"failed saving state in state store statestore: possible etag mismatch. error from state store":                                    host.ErrConflict,
		"error while executing state transaction: no item was updated":                                                                     host.ErrConflict,
		"error while executing state transaction: ERROR: deadlock detected (SQLSTATE 40P01)":                                               host.ErrConflict,
		"error while executing state transaction: ERROR: cannot execute INSERT in a read-only transaction (SQLSTATE 25006)":                host.ErrUnavailable,
		"error while executing state transaction: failed to begin transaction: FATAL: the database system is starting up (SQLSTATE 57P03)": host.ErrUnavailable,
		"connection error: desc = \"transport: Error while dialing: dial tcp 127.0.0.1:50001: connect: connection refused\"":               host.ErrUnavailable,
		"error while executing state transaction: failed to commit transaction: unexpected EOF":                                            nil,
		"error while executing state transaction: failed to commit transaction: ERROR: terminating connection (SQLSTATE 57P01)":            nil,
		"error while executing state transaction: FATAL: terminating connection due to administrator command (SQLSTATE 57P01)":             nil,
		"error while executing state transaction: unexpected EOF":                                                                          nil,
		"context deadline exceeded":  nil,
		"a text that no version had": nil,
	} {
		err := commitError(status.Error(codes.Internal, text))
		for _, outcome := range []error{host.ErrConflict, host.ErrUnavailable, host.ErrTooLarge, host.ErrUnknown} {
			if errors.Is(err, outcome) != (outcome == want) { //nolint:errorlint // the sentinels themselves
				t.Errorf("%s: %v, want %v", text, err, want)
			}
		}
	}
	if err := commitError(status.Error(codes.ResourceExhausted, "trying to send message larger than max (5 vs. 4)")); !errors.Is(err, host.ErrTooLarge) {
		t.Errorf("too large: %v", err)
	}
	if commitError(nil) != nil {
		t.Error("no error is one")
	}
}
