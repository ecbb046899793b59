package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/coder/websocket"
	"github.com/spf13/cobra"
)

const (
	// firstPause and longestPause bound the wait before connecting again; it doubles in between.
	firstPause   = 250 * time.Millisecond
	longestPause = 30 * time.Second
	// pingEvery is how often the connection is tried; one that does not answer within tryTime is given up.
	pingEvery = 30 * time.Second
	// maxFrame bounds one message: a task is below 64 KiB.
	maxFrame = 1 << 20
)

func watchCommand(o *options) *cobra.Command {
	c := &cobra.Command{
		Use: "watch", Short: "Show changes and reminders as they happen", Args: cobra.NoArgs,
		Long: `Shows every change of your tasks, and every reminder, as it happens, until ctrl-c. After a lost connection it goes
on where it was: what it has missed of a task is one line, with the task as it is then, and reminders of that time are
in docket inbox alone. docket history has every change by itself. With --json each line is a message as the server
sends it.

In a pipe each line is time, what, task id and title, separated by tabs.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := o.open(cmd)
			if err != nil {
				return err
			}
			w := watcher{session: s, since: -1, titles: map[string]string{}}
			return w.run(cmd.Context())
		},
	}
	jsonFlag(c)
	return c
}

// watcher follows one list.
type watcher struct {
	*session
	// since is the version up to which changes were shown, negative before the first connection.
	since int64
	// titles are those of the tasks seen, for what tells only an id.
	titles map[string]string
	told   bool
}

// message is what the server sends over /ws.
type message struct {
	Type        string `json:"type"`
	ListVersion int64  `json:"list_version"`
	Update      struct {
		Action      string          `json:"action"`
		TaskID      string          `json:"task_id"`
		Task        json.RawMessage `json:"task"`
		ListVersion int64           `json:"list_version"`
		Timestamp   time.Time       `json:"timestamp"`
	} `json:"update"`
	Reminder struct {
		TaskID    string    `json:"task_id"`
		Message   string    `json:"message"`
		Timestamp time.Time `json:"timestamp"`
	} `json:"reminder"`
}

// run connects until ctx ends, which is how watching is meant to end. The first connection has to succeed: a
// wrong address or token is said at once.
func (w *watcher) run(ctx context.Context) error {
	if err := w.home(ctx); err != nil {
		return err
	}
	pause := firstPause
	for {
		before := w.since
		err := w.follow(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, errSignedOut):
			return err
		case w.since > before:
			pause = firstPause
		}
		fmt.Fprintf(w.errs, "docket: connection lost, trying again in %v: %v\n", pause, err)
		timer := time.NewTimer(pause/2 + rand.N(pause/2+1))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil
		}
		pause = min(2*pause, longestPause)
	}
}

var errSignedOut = errors.New("the server has ended the connection: the token was revoked")

// follow shows what one connection brings until it breaks.
func (w *watcher) follow(ctx context.Context) error {
	url := w.server + "/ws"
	if w.since >= 0 {
		url += "?since=" + strconv.FormatInt(w.since, 10)
	}
	conn, err := w.dial(ctx, url)
	if err != nil {
		return err
	}
	defer func() { _ = conn.CloseNow() }()
	conn.SetReadLimit(maxFrame)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go keepAlive(ctx, conn)
	for {
		_, b, err := conn.Read(ctx)
		if err != nil {
			if closed, ok := errors.AsType[websocket.CloseError](err); ok && closed.Reason == "signed out" {
				return errSignedOut
			}
			return err
		}
		var m message
		if err := json.Unmarshal(b, &m); err != nil {
			return fmt.Errorf("read message: %w", err)
		}
		if w.asJSON {
			w.print(b)
		}
		if err := w.show(ctx, m); err != nil {
			return err
		}
	}
}

// keepAlive ends a connection whose other side is gone without a word.
func keepAlive(ctx context.Context, conn *websocket.Conn) {
	tick := time.NewTicker(pingEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		limited, cancel := context.WithTimeout(ctx, tryTime)
		err := conn.Ping(limited)
		cancel()
		if err != nil {
			_ = conn.CloseNow()
			return
		}
	}
}

// dial connects.
func (w *watcher) dial(ctx context.Context, url string) (*websocket.Conn, error) {
	limited, cancel := context.WithTimeout(ctx, tryTime)
	defer cancel()
	conn, res, err := websocket.Dial(limited, url, &websocket.DialOptions{
		HTTPClient: w.http, HTTPHeader: http.Header{"Authorization": {"Bearer " + w.token}},
	})
	if err == nil {
		return conn, nil
	}
	if res != nil && res.StatusCode >= 400 {
		body, _ := io.ReadAll(io.LimitReader(res.Body, 1<<16))
		if res.StatusCode == http.StatusUnauthorized {
			return nil, fmt.Errorf("%w (%w)", errSignedOut, w.problem(res, body))
		}
		return nil, w.problem(res, body)
	}
	return nil, w.unreachable(err)
}

// show writes one message and notes how far it brings us.
func (w *watcher) show(ctx context.Context, m message) error {
	switch m.Type {
	case "hello":
		if !w.told {
			w.told = true
			fmt.Fprintf(w.errs, "watching %s; ctrl-c ends it\n", w.server)
		}
		if w.since < 0 {
			w.since = m.ListVersion
		}
	case "reset":
		w.since = m.ListVersion
		fmt.Fprintln(w.errs, "docket: too much has changed to tell one by one; `docket ls` shows how it is now")
	case "update":
		w.since = max(w.since, m.Update.ListVersion)
		if w.asJSON {
			return nil
		}
		title, err := w.title(ctx, m)
		if err != nil {
			return err
		}
		w.happened(m.Update.Timestamp, m.Update.Action, m.Update.TaskID, title)
	case "reminder":
		if !w.asJSON {
			w.happened(m.Reminder.Timestamp, "reminder", m.Reminder.TaskID, m.Reminder.Message)
		}
	}
	return nil
}

// title is the task's title, which a deletion does not bring along.
func (w *watcher) title(ctx context.Context, m message) (string, error) {
	id := m.Update.TaskID
	if len(m.Update.Task) > 0 && string(m.Update.Task) != "null" {
		t, err := decodeTask(m.Update.Task)
		if err != nil {
			return "", err
		}
		w.titles[id] = t.Title
		return t.Title, nil
	}
	if title, known := w.titles[id]; known {
		delete(w.titles, id)
		return title, nil
	}
	t, err := w.byID(ctx, id)
	if err != nil && ExitCode(err) == unreachable {
		return "", err
	}
	return t.Title, nil // empty for one that is gone for good
}

// happened writes one line.
func (w *watcher) happened(at time.Time, what, id, title string) {
	if at.IsZero() {
		at = time.Now()
	}
	w.now = time.Now()
	if w.plain() {
		w.line(w.moment(at), clean(what), id, clean(title))
		return
	}
	st := green
	if what == "reminder" {
		st = cyan
	}
	at = at.In(w.zone)
	fixed := at.Format("15:04:05") + "  " + strings.Repeat(" ", max(0, 9-len(what)))
	w.line(w.paint(dim, fixed) + w.paint(st, clean(what)) + "  " + cut(clean(title), max(20, w.width-21)))
}
