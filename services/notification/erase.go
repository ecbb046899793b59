package notification

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/host"
)

// serveErasure serves POST /internal/erasures: a user's account was deleted, and nothing of it is to stay.
func (s *service) serveErasure(w http.ResponseWriter, r *http.Request) {
	var in struct {
		UserID string `json:"user_id"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, edge.MaxBody)).Decode(&in); err != nil || in.UserID == "" {
		edge.WriteProblem(w, r, edge.NewProblem(http.StatusBadRequest, "validation_failed", "the body is no erasure: user_id is needed"))
		return
	}
	if err := s.erase(r.Context(), in.UserID); err != nil {
		edge.WriteProblem(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// erase removes the user's inbox, block by block, and the browsers they have subscribed. The inbox's head goes last, so that
// what was cut short can be done again. Attempts that are still to come find nothing to deliver.
func (s *service) erase(ctx context.Context, user string) error {
	item, err := s.state.Get(ctx, headKey(user))
	if err != nil {
		return fmt.Errorf("read inbox of %s: %w", user, err)
	}
	var h head
	if err := decode(item, &h); err != nil {
		return err
	}
	routes := map[string]bool{}
	for _, c := range s.channels {
		routes[c.Name()] = true
	}
	for n := int64(0); n*blockSize < h.Count; n++ {
		if err := s.eraseBlock(ctx, user, n, routes); err != nil {
			return err
		}
	}
	ops, err := s.push.subscriptions.erasure(ctx, user)
	if err != nil {
		return err
	}
	for route := range routes {
		ops = append(ops, host.Delete(goneKey(user, route)))
	}
	if item.Exists() {
		ops = append(ops, host.Remove(headKey(user), item.ETag))
	}
	return s.remove(ctx, user, ops)
}

// eraseBlock removes a block with the notifications of its entries, and adds the routes they took.
func (s *service) eraseBlock(ctx context.Context, user string, n int64, routes map[string]bool) error {
	item, err := s.state.Get(ctx, blockKey(user, n))
	if err != nil || !item.Exists() {
		return err
	}
	var entries []entry
	if err := decode(item, &entries); err != nil {
		return err
	}
	for _, e := range entries {
		for _, route := range e.Routes {
			routes[route] = true
		}
	}
	return s.remove(ctx, user, removal(user, n, entries))
}

// removal returns the operations that remove a block and the notifications of its entries, the block last.
func removal(user string, n int64, entries []entry) []host.Op {
	var ops []host.Op
	for _, e := range entries {
		for _, id := range e.ids() {
			ops = append(ops, host.Delete(recordKey(id)))
		}
	}
	return append(ops, host.Delete(blockKey(user, n)))
}

// remove carries out the operations in their order, in commits that are not too large.
func (s *service) remove(ctx context.Context, user string, ops []host.Op) error {
	for part := range slices.Chunk(ops, maxDeletes) {
		if err := s.state.Commit(ctx, host.Tx{Ops: part}); err != nil {
			return fmt.Errorf("remove from the inbox of %s: %w", user, err)
		}
	}
	return nil
}

// erasure returns the operations that remove the user's subscriptions. A browser that somebody else has subscribed since is
// theirs.
func (b *subscriptions) erasure(ctx context.Context, user string) ([]host.Op, error) {
	item, err := b.state.Get(ctx, pushKey(user))
	if err != nil {
		return nil, fmt.Errorf("read push subscriptions of %s: %w", user, err)
	}
	var list []subscription
	if err := decode(item, &list); err != nil || !item.Exists() {
		return nil, err
	}
	ops := []host.Op{host.Remove(item.Key, item.ETag)}
	for _, sub := range list {
		item, err := b.state.Get(ctx, pushOwnerKey(sub.ID))
		if err != nil {
			return nil, fmt.Errorf("read owner of push subscription: %w", err)
		}
		var owner string
		if err := decode(item, &owner); err != nil {
			return nil, err
		}
		if owner == user {
			ops = append(ops, host.Remove(item.Key, item.ETag))
		}
	}
	return ops, nil
}
