package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/coder/websocket"

	"github.com/docket-tasks/docket/event"
	"github.com/docket-tasks/docket/event/eventtest"
)

// frame is one message of the WebSocket.
type frame struct {
	Type        string           `json:"type"` // hello, update, reset, reminder, filters
	ListID      string           `json:"list_id"`
	ListVersion int64            `json:"list_version"`
	Update      event.TaskUpdate `json:"update"`
	Reminder    event.Reminder   `json:"reminder"`
	// FiltersVersion is in hello and filters.
	FiltersVersion int64 `json:"filters_version"`
}

// task is the task that an update carries.
func (f frame) task(t *testing.T) (i item) {
	t.Helper()
	if err := json.Unmarshal(f.Update.Task, &i); err != nil {
		t.Fatalf("task of update %s: %v", f.Update.EventID, err)
	}
	return i
}

// socket is an open WebSocket.
type socket struct {
	t    *testing.T
	conn *websocket.Conn
	seen []frame // all that was read
}

// dial opens the WebSocket with the query given, such as "?since=3".
func (c *client) dial(query string, header http.Header) (*socket, *http.Response, error) {
	if header == nil {
		header = http.Header{}
	}
	c.identify(header)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, res, err := websocket.Dial(ctx, c.d.socket()+query, &websocket.DialOptions{HTTPHeader: header})
	if err != nil {
		return nil, res, err
	}
	conn.SetReadLimit(1 << 20)
	s := &socket{t: c.t, conn: conn}
	c.sockets = append(c.sockets, s)
	return s, res, nil
}

// listen opens the WebSocket and takes its hello.
func (c *client) listen(query string) *socket {
	c.t.Helper()
	s, _, err := c.dial(query, nil)
	if err != nil {
		c.t.Fatalf("open the WebSocket: %v", err)
	}
	if f := s.next(); f.Type != "hello" || f.ListID != c.id {
		c.t.Fatalf("the first frame is %+v, want hello of list %s", f, c.id)
	}
	return s
}

// refused returns the status with which the WebSocket is refused.
func (c *client) refused(query string, header http.Header) int {
	c.t.Helper()
	_, res, err := c.dial(query, header)
	if err == nil || res == nil {
		c.t.Fatalf("the WebSocket was not refused: %v", err)
	}
	return res.StatusCode
}

// read reads one frame; the error is that of the connection.
func (s *socket) read() (f frame, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, b, err := s.conn.Read(ctx)
	if err != nil {
		return f, err
	}
	if err := json.Unmarshal(b, &f); err != nil {
		s.t.Errorf("frame %s: %v", b, err)
	}
	if err := f.validate(); err != nil {
		s.t.Errorf("frame %s: %v", b, err)
	}
	s.seen = append(s.seen, f)
	return f, nil
}

// validate holds what the frame carries to the schema of the topic it comes from.
func (f frame) validate() error {
	switch f.Type {
	case "hello", "reset", "filters":
		return nil
	case "update":
		b, err := f.Update.Encode("/backend", "")
		if err != nil {
			return err
		}
		return eventtest.Validate(event.TopicUpdates, b)
	case "reminder":
		b, err := f.Reminder.Encode("/backend", "")
		if err != nil {
			return err
		}
		return eventtest.Validate(event.TopicReminders, b)
	}
	return fmt.Errorf("a frame of type %q", f.Type)
}

func (s *socket) next() frame {
	s.t.Helper()
	f, err := s.read()
	if err != nil {
		s.t.Fatalf("read the WebSocket: %v; seen so far: %+v", err, s.seen)
	}
	return f
}

// await reads until a frame is the one that is waited for.
func (s *socket) await(want func(frame) bool) frame {
	s.t.Helper()
	for {
		if f := s.next(); want(f) {
			return f
		}
	}
}

// reach reads until the list is at version.
func (s *socket) reach(version int64) {
	s.t.Helper()
	s.await(func(f frame) bool { return f.Type == "update" && f.Update.ListVersion >= version })
}

// created waits for the task that continues parent, in place n of its series.
func (s *socket) created(parent item, n int) item {
	s.t.Helper()
	f := s.await(func(f frame) bool {
		if f.Type != "update" || f.Update.Action != "created" && f.Update.Action != "restored" {
			return false
		}
		i := f.task(s.t)
		return i.RecurrenceParentID != nil && *i.RecurrenceParentID == parent.ID && *i.OccurrenceNumber == n
	})
	return f.task(s.t)
}

// reminder waits for the reminder of a task.
func (s *socket) reminder(of item) event.Reminder {
	s.t.Helper()
	return s.await(func(f frame) bool { return f.Type == "reminder" && f.Reminder.TaskID == of.ID }).Reminder
}

// closed reads until the other side has closed, and returns why.
func (s *socket) closed() websocket.StatusCode {
	s.t.Helper()
	for {
		if _, err := s.read(); err != nil {
			return websocket.CloseStatus(err)
		}
	}
}
