package audit

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/host"
)

// maxErasure is how many versions one request may ask to be erased.
const maxErasure = 1024

// erasure asks for the contents of a list's events to be erased, because its owner's account was deleted.
type erasure struct {
	ListID string `json:"list_id"`
	// From and To are the first and the last version meant.
	From int64 `json:"from"`
	To   int64 `json:"to"`
}

// serveErasure serves POST /internal/erasures. It answers how many of the versions have not arrived yet: they are to be asked
// for again.
func (s *service) serveErasure(w http.ResponseWriter, r *http.Request) {
	var in erasure
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, edge.MaxBody)).Decode(&in); err != nil ||
		in.ListID == "" || in.From < 1 || in.To < in.From || in.To-in.From >= maxErasure {
		edge.WriteProblem(w, r, edge.NewProblem(http.StatusBadRequest, "validation_failed",
			fmt.Sprintf("the body is no erasure: list_id, and at most %d versions with from and to are needed", maxErasure)))
		return
	}
	missing, err := s.erase(r.Context(), in)
	if err != nil {
		edge.WriteProblem(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]int{"missing": missing}) // a caller that is gone asks again
}

// erase does so. What was erased before stays as it is, so it can be done again; pointers hold ids only.
func (s *service) erase(ctx context.Context, in erasure) (missing int, err error) {
	t := s.trail(name{ofList, in.ListID})
	for lo := in.From; lo <= in.To; lo += window {
		items, err := t.read(ctx, min(in.To, lo+window-1), lo)
		if err != nil {
			return missing, err
		}
		var ops []host.Op
		for _, item := range items {
			if !item.Exists() {
				missing++
				continue
			}
			e, err := DecodeEntry(item.Value)
			if err != nil {
				return missing, fmt.Errorf("%s: %w", item.Key, err)
			}
			if e.Erased() {
				continue
			}
			value, err := e.erased().encode()
			if err != nil {
				return missing, err
			}
			ops = append(ops, host.Replace(item.Key, value, item.ETag))
		}
		if len(ops) == 0 {
			continue
		}
		if err := s.state.Commit(ctx, host.Tx{Ops: ops}); err != nil {
			return missing, fmt.Errorf("erase entries of list %s: %w", in.ListID, err)
		}
		s.metrics.erased.Add(float64(len(ops)))
		s.log.InfoContext(ctx, "entries erased", "list_id", in.ListID, "entries", len(ops))
	}
	return missing, nil
}

// nothing is the payload of an entry that was erased; every event has a task in its own.
const nothing = "{}"

// Erased tells whether the entry's contents were taken out when the account was deleted: ids, type and times are left.
func (e Entry) Erased() bool { return string(e.Payload.RawMessage) == nothing }

// erased returns the entry without what was done, and without the name of who did it.
func (e Entry) erased() Entry {
	var by edge.Actor
	if json.Unmarshal(e.Actor.RawMessage, &by) != nil { // one of a version to come
		by = edge.Actor{}
	}
	by.Name = ""
	actor, err := json.Marshal(by)
	if err != nil {
		panic(fmt.Sprintf("encode actor: %v", err)) // three strings
	}
	e.Payload, e.Actor = Payload{json.RawMessage(nothing)}, Actor{actor}
	return e
}
