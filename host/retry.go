package host

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// maxAttempts bounds how often [Retry] meets other changes before it gives up.
const maxAttempts = 64

// Retry runs try, which reads, works out a change and commits it, again as long as it meets [ErrConflict]: somebody
// else was faster. The pauses in between are random and grow up to 32 ms, so that nobody starves. The error is that of
// try, or [ErrUnavailable] after 64 conflicts or where ctx ends in a pause.
func Retry(ctx context.Context, try func() error) error {
	for attempt := range maxAttempts {
		if err := try(); !errors.Is(err, ErrConflict) {
			return err
		}
		select {
		case <-time.After(rand.N(time.Duration(min(attempt+1, 16)) * 2 * time.Millisecond)):
		case <-ctx.Done():
			return fmt.Errorf("%w (%w)", ErrUnavailable, ctx.Err())
		}
	}
	return fmt.Errorf("%w: %d attempts met other changes", ErrUnavailable, maxAttempts)
}
