package backend

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/docket-tasks/docket/host"
)

const (
	// segmentSize is how many task ids one segment of a list holds.
	segmentSize = 128
	// blockSize is how many changes one block of a list's log holds.
	blockSize = 64
	// blocksKept is how many blocks of the log are kept: a client that is further behind starts anew.
	blocksKept = 128
	// maxLive is the most tasks, not counting deleted ones, that a list may hold.
	maxLive = 100_000
	// readChunk bounds a bulk read, so that no answer of the store grows beyond a message's size.
	readChunk = 2_000
)

// head is the row every change of a list replaces under its ETag: whoever holds the head's ETag knows that
// nothing of the list has changed, so the other rows need none of their own.
type head struct {
	// Version counts the list's changes.
	Version int64 `json:"version"`
	// Segments is how many segments there are, and Last how many ids the last one holds.
	Segments int `json:"segments"`
	Last     int `json:"last"`
	// Live counts the tasks that are not deleted.
	Live int `json:"live"`
	// Purges counts removals of deleted tasks, which are no change of the list: a snapshot from before one is
	// loaded anew.
	Purges int `json:"purges"`
}

func decodeHead(it host.Item) (head, error) {
	var h head
	if !it.Exists() {
		return h, nil
	}
	if err := json.Unmarshal(it.Value, &h); err != nil {
		return h, fmt.Errorf("decode %s: %w", it.Key, err)
	}
	return h, nil
}

// logEntry is one change in a list's log: at list version Version the task reached TaskVersion.
type logEntry struct {
	Version     int64
	Task        string
	TaskVersion int64
}

// The log's blocks and the segments are lines of text, so that adding to one is appending bytes.

func appendLog(b []byte, e logEntry) []byte {
	b = strconv.AppendInt(b, e.Version, 10)
	b = append(b, ' ')
	b = append(b, e.Task...)
	b = append(b, ' ')
	b = strconv.AppendInt(b, e.TaskVersion, 10)
	return append(b, '\n')
}

func decodeLog(it host.Item) ([]logEntry, error) {
	var out []logEntry
	for line := range strings.Lines(string(it.Value)) {
		f := strings.Fields(line)
		if len(f) != 3 {
			return nil, fmt.Errorf("decode %s: line %q has %d fields, not 3", it.Key, line, len(f))
		}
		version, err1 := strconv.ParseInt(f[0], 10, 64)
		taskVersion, err2 := strconv.ParseInt(f[2], 10, 64)
		if err := errors.Join(err1, err2); err != nil {
			return nil, fmt.Errorf("decode %s: %w", it.Key, err)
		}
		out = append(out, logEntry{Version: version, Task: f[1], TaskVersion: taskVersion})
	}
	return out, nil
}

func appendID(b []byte, id string) []byte { return append(append(b, id...), '\n') }

func decodeSegment(it host.Item) []string { return strings.Fields(string(it.Value)) }

// removeID returns the segment without id.
func removeID(b []byte, id string) []byte {
	return bytes.Replace(bytes.Clone(b), []byte(id+"\n"), nil, 1)
}

// errLogGone says that the log no longer reaches back to the version asked for.
var errLogGone = errors.New("the log no longer reaches back that far")

// changesSince reads the changes of a list after version since up to version upTo, oldest first.
func changesSince(ctx context.Context, st host.State, list string, since, upTo int64) ([]logEntry, error) {
	if since >= upTo {
		return nil, nil
	}
	first, last := (since+1)/blockSize, upTo/blockSize
	if last-first >= blocksKept {
		return nil, errLogGone
	}
	var keys []string
	for b := first; b <= last; b++ {
		keys = append(keys, logKey(list, b))
	}
	blocks, err := st.GetBulk(ctx, keys)
	if err != nil {
		return nil, fmt.Errorf("read log of list %s: %w", list, err)
	}
	var out []logEntry
	for _, it := range blocks {
		entries, err := decodeLog(it)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if e.Version > since && e.Version <= upTo {
				out = append(out, e)
			}
		}
	}
	if int64(len(out)) != upTo-since {
		return nil, errLogGone
	}
	return out, nil
}

// readRecords reads the tasks named, in chunks; an absent one is nil.
func readRecords(ctx context.Context, st host.State, ids []string) ([]*record, error) {
	out := make([]*record, 0, len(ids))
	for len(ids) > 0 {
		n := min(len(ids), readChunk)
		keys := make([]string, n)
		for i, id := range ids[:n] {
			keys[i] = taskKey(id)
		}
		items, err := st.GetBulk(ctx, keys)
		if err != nil {
			return nil, fmt.Errorf("read %d tasks: %w", n, err)
		}
		for _, it := range items {
			r, err := decodeRecord(it)
			if err != nil {
				return nil, err
			}
			out = append(out, r)
		}
		ids = ids[n:]
	}
	return out, nil
}

// readSegments reads the ids of a list's tasks in order of creation.
func readSegments(ctx context.Context, st host.State, list string, from, n int) ([]string, error) {
	keys := make([]string, 0, n)
	for i := range n {
		keys = append(keys, segmentKey(list, from+i))
	}
	var ids []string
	for len(keys) > 0 {
		c := min(len(keys), readChunk)
		items, err := st.GetBulk(ctx, keys[:c])
		if err != nil {
			return nil, fmt.Errorf("read segments of list %s: %w", list, err)
		}
		for _, it := range items {
			ids = append(ids, decodeSegment(it)...)
		}
		keys = keys[c:]
	}
	return ids, nil
}
