package backend

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/host"
	"github.com/docket-tasks/docket/services/backend/account"
	"github.com/docket-tasks/docket/services/backend/filter"
)

// What a deleted account leaves behind is erased by jobs, in rounds that each begin anew: every step finds what is still there,
// so a round that was cut short, or met something that came in late, costs nothing but another one. The list's head goes
// first. It is closed under its ETag, and from then on no change of the list can commit: its version is final, and it names
// every event that audit has, or will have, to take the contents out of. The closed head stays for good, without the tasks.

const (
	// eraseEvery is how long after a round that found something missing the next one comes; it doubles up to eraseRarely.
	eraseEvery  = account.Settles
	eraseRarely = time.Hour
	// eraseGivesUp is longer than any topic keeps an event (7 days).
	eraseGivesUp = 8 * 24 * time.Hour
	// eraseSpan is how many versions of a list one request to audit is about.
	eraseSpan = 1024
	// erasedAtOnce is how many tasks one commit removes.
	erasedAtOnce = 64
)

// onDeletion erases what is left of a deleted account, here and in the services that keep something of it.
func (s *Service) onDeletion(ctx context.Context, d account.Deletion) error {
	if err := s.accounts.Erase(ctx, d.UserID); err != nil {
		return err
	}
	if err := s.state.Commit(ctx, host.Tx{Ops: []host.Op{host.Delete(filter.Key(d.UserID))}}); err != nil {
		return fmt.Errorf("erase filters of user %s: %w", d.UserID, err)
	}
	version, err := s.eraseList(ctx, d.UserID)
	if err != nil {
		return fmt.Errorf("erase list %s: %w", d.UserID, err)
	}
	missing, err := s.eraseHistory(ctx, d.UserID, version)
	if err != nil {
		return fmt.Errorf("erase history of list %s: %w", d.UserID, err)
	}
	if _, err := edge.Invoke(ctx, s.client("notification"), http.MethodPost, "http://notification/internal/erasures", map[string]string{"user_id": d.UserID}, nil); err != nil {
		return fmt.Errorf("erase inbox of user %s: %w", d.UserID, err)
	}
	return s.eraseAgain(ctx, d, missing)
}

// eraseAgain schedules the next round, unless this one was late enough to have met all that was under way, and found every
// event.
func (s *Service) eraseAgain(ctx context.Context, d account.Deletion, missing int) error {
	now := s.now()
	switch since := now.Sub(d.At); {
	case missing == 0 && since >= account.Settles:
		s.log.InfoContext(ctx, "account erased", "user_id", d.UserID)
		return nil
	case since >= eraseGivesUp:
		s.log.ErrorContext(ctx, "events of a deleted account have never reached audit", "user_id", d.UserID, "events", missing)
		return nil
	}
	wait := min(eraseEvery<<min(d.Round, 10), eraseRarely)
	d.Round++
	if err := s.state.Commit(ctx, host.Tx{Jobs: []host.JobIntent{d.Job(now.Add(wait))}}); err != nil {
		return fmt.Errorf("schedule another erasure of user %s: %w", d.UserID, err)
	}
	return nil
}

// eraseList closes a list, removes its tasks and all rows but the head, and returns its version.
func (s *Service) eraseList(ctx context.Context, list string) (version int64, err error) {
	h, etag, err := s.closeList(ctx, list)
	if err != nil {
		return 0, err
	}
	if h.Segments > 0 { // or else it was erased in a round before, or never used
		if err := s.eraseRows(ctx, list, h, etag); err != nil {
			return 0, err
		}
	}
	return h.Version, s.eraseEarlierHeads(ctx, list)
}

func (s *Service) eraseRows(ctx context.Context, list string, h head, etag string) error {
	for n := range h.Segments {
		if err := s.eraseSegment(ctx, list, h, n); err != nil {
			return err
		}
	}
	empty := head{Version: h.Version, Purges: h.Purges + 1, closed: true}
	ops := []host.Op{host.Replace(headKey(list), empty.encode(), etag)}
	open := h.Version / blockSize
	for block := max(0, open-blocksKept); block <= open; block++ {
		ops = append(ops, host.Delete(logKey(list, block)))
	}
	s.snapshots.drop(list)
	return s.state.Commit(ctx, host.Tx{Ops: ops})
}

// eraseEarlierHeads writes the head as often as a host may keep what it was.
func (s *Service) eraseEarlierHeads(ctx context.Context, list string) error {
	for range host.EarlierValues {
		err := host.Retry(ctx, func() error {
			h, etag, err := heads{s.state}.read(ctx, list)
			if err != nil {
				return err
			}
			return s.state.Commit(ctx, host.Tx{Ops: []host.Op{host.Replace(headKey(list), h.encode(), etag)}})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// closeList returns the list's head, closed, with its ETag. A list that there was nothing in gets a head by it: a change that
// is under way would otherwise begin it.
func (s *Service) closeList(ctx context.Context, list string) (h head, etag string, err error) {
	err = host.Retry(ctx, func() (err error) {
		if h, etag, err = (heads{s.state}).read(ctx, list); err != nil || h.closed {
			return err
		}
		h.close()
		if err := s.state.Commit(ctx, host.Tx{Ops: []host.Op{host.Replace(headKey(list), h.encode(), etag)}}); err != nil {
			return err
		}
		return host.ErrConflict // look again: its ETag is another now
	})
	return h, etag, err
}

// eraseSegment removes the tasks of a segment, with what they were put off to, and then the segment. The marks of reminders that
// were sent stay until they expire: they hold nothing but ids and times.
func (s *Service) eraseSegment(ctx context.Context, list string, h head, n int) error {
	ids, err := readSegments(ctx, s.state, list, h, n, n+1)
	if err != nil {
		return err
	}
	for part := range slices.Chunk(ids, erasedAtOnce) {
		records, err := readRecords(ctx, s.state, part)
		if err != nil {
			return err
		}
		var tx host.Tx
		for i, id := range part {
			tx.Ops = append(tx.Ops, host.Delete(taskKey(id)), host.Delete(snoozesKey(id)))
			tx.Jobs = append(tx.Jobs, cancelReminders(records[i])...)
		}
		if err := s.state.Commit(ctx, tx); err != nil {
			return err
		}
	}
	return s.state.Commit(ctx, host.Tx{Ops: []host.Op{host.Delete(segmentKey(list, n))}})
}

// eraseHistory has audit take the contents out of every event of a list up to its version, and returns how many it has not
// got yet.
func (s *Service) eraseHistory(ctx context.Context, list string, version int64) (missing int, err error) {
	client := s.client("audit")
	for from := int64(1); from <= version; from += eraseSpan {
		var answer struct {
			Missing int `json:"missing"`
		}
		span := map[string]any{"list_id": list, "from": from, "to": min(version, from+eraseSpan-1)}
		if _, err := edge.Invoke(ctx, client, http.MethodPost, "http://audit/internal/erasures", span, &answer); err != nil {
			return missing, err
		}
		missing += answer.Missing
	}
	return missing, nil
}
