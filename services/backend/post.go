package backend

import (
	"context"
	"fmt"
	"net/http"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/services/backend/account"
)

// post has notification send a letter, which is with the mail server when it returns nil.
func (s *Service) post(ctx context.Context, l account.Letter) error {
	status, err := edge.Invoke(ctx, s.client("notification"), http.MethodPost, "http://notification/internal/letters", l, nil)
	if status == http.StatusUnprocessableEntity {
		err = fmt.Errorf("%w: %w", account.ErrLetterRefused, err)
	}
	return err
}
