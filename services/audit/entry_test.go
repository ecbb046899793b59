package audit

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// An entry is appended member by member; it must be what encoding/json would make of it.
func TestEncodeEntry(t *testing.T) {
	at := time.Date(2026, 3, 31, 9, 0, 0, 0, time.UTC)
	for name, e := range map[string]Entry{
		"plain":      {LogID: "l", EventID: "e", EventType: "task.created", TaskID: "t", UserID: "u", ListID: "u", ListVersion: 1, EventTimestamp: at, ReceivedAt: at},
		"fractions":  {EventTimestamp: at.Add(120 * time.Millisecond), ReceivedAt: at.Add(7 * time.Millisecond), ListVersion: 1 << 60},
		"other zone": {EventTimestamp: at.In(time.FixedZone("", 19800)), ReceivedAt: at},
		"odd text":   {EventType: "task.<b>&", UserID: "ä\"\\\n\x7f", ListID: "\u2028\xff", EventTimestamp: at, ReceivedAt: at},
	} {
		t.Run(name, func(t *testing.T) {
			e.Actor.RawMessage = json.RawMessage(`{"kind":"user","id":"u","name":"Ada"}`)
			e.Payload.RawMessage = json.RawMessage(`{"task":{"title":"é","later":[1,2]}}`)
			want, err := json.Marshal(struct {
				Entry
				// These hide the fields of Entry, and come last.
				Actor   json.RawMessage `json:"actor"`
				Payload json.RawMessage `json:"payload"`
			}{e, e.Actor.RawMessage, e.Payload.RawMessage})
			if err != nil {
				t.Fatal(err)
			}
			got, err := e.encode()
			if diff := cmp.Diff(string(want), string(got)); err != nil || diff != "" {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestEncodeEntryOfNoTime(t *testing.T) {
	e := Entry{EventID: "e", EventTimestamp: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}
	if _, err := e.encode(); err == nil || !strings.Contains(err.Error(), "encode entry of event e") {
		t.Errorf("a year of five digits: error %v", err)
	}
}
