package dapr

import (
	"errors"
	"fmt"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/docket-tasks/docket/host"
)

// Dapr tells most errors of a store apart by their text alone. This file is the one place that looks at it; the texts are those
// of Dapr 1.18 and of its component state.postgresql v2, which the conformance suite meets.

var conflicts = []string{
	"possible etag mismatch", // an ETag did not match
	"no item was updated",    // create-if-absent found the key
	"SQLSTATE 40P01",         // a deadlock: PostgreSQL rolled this transaction back
	"SQLSTATE 40001",
}

// committing is the text of an error of COMMIT itself: it may have happened.
const committing = "failed to commit transaction"

// unsent are the texts of errors before anything was sent to the store.
var unsent = []string{
	"Error while dialing",         // no sidecar
	"failed to begin transaction", // the component got no connection
	"failed to connect to",        // the same, for a single operation
	"state stores not configured", // no component at all
	stateStore + " is not found",  // or not this one
	stateStore + " is not configured",
}

// inDoubt are the texts of errors that a database reports as it stops or breaks, whatever it was at.
var inDoubt = []string{"SQLSTATE 57P", "SQLSTATE 08"}

// commitError says what an error of a transaction means for its outcome: see [outbox.Store].
func commitError(err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	switch {
	case errors.Is(err, errDead):
		return err
	case contains(text, conflicts):
		return fmt.Errorf("%w (%w)", host.ErrConflict, err)
	case codeOf(err) == codes.ResourceExhausted && strings.Contains(text, "larger than max"):
		return fmt.Errorf("%w (%w)", host.ErrTooLarge, err)
	case strings.Contains(text, committing):
	case contains(text, unsent),
		strings.Contains(text, "(SQLSTATE ") && !contains(text, inDoubt): // a statement was refused, so all are rolled back
		return fmt.Errorf("%w (%w)", host.ErrUnavailable, err)
	}
	return fmt.Errorf("the sidecar cannot say whether the transaction happened: %w", err)
}

func readError(err error) error {
	return fmt.Errorf("read state: %w (%w)", host.ErrUnavailable, err)
}

func secretAbsent(err error) bool { return strings.Contains(err.Error(), "not found") }

func contains(text string, parts []string) bool {
	for _, p := range parts {
		if strings.Contains(text, p) {
			return true
		}
	}
	return false
}

// codeOf is the gRPC code of an error or of one that it wraps.
func codeOf(err error) codes.Code {
	for ; err != nil; err = errors.Unwrap(err) {
		if s, ok := status.FromError(err); ok {
			return s.Code()
		}
	}
	return codes.OK
}

// untouched tells of what a sidecar says of an invocation whether the service cannot have seen it: there was no connection to the other
// sidecar to send it on. (That the other one has none to its service proves nothing: such an error may be that of another call, see
// DESIGN.md.)
func untouched(said string) bool { return strings.Contains(said, "transport: Error while dialing") }
