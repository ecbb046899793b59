package notification

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/docket-tasks/docket/event"
	"github.com/docket-tasks/docket/host"
)

// Everything lies under keys that can be computed:
//
//	inbox/<user>               head: how many entries there were, are, and are unread
//	inbox/<user>/<n>           block n: entries 64n … 64n+63, oldest first
//	notification/<id>          one notification on one route, with its attempts
//	gone/<user>/<route>        the other side has said that it is gone for good
//	push/<user>                the browsers that the user has subscribed
//	push-owner/<subscription>  the user it belongs to
//	vapid-private-key          the key of Web Push, where Secrets holds none
//
// A route is a channel's name, with ":" and the target where the channel has several.

// blockSize is how many entries a block holds.
const blockSize = 64

func headKey(user string) string           { return "inbox/" + user }
func blockKey(user string, n int64) string { return "inbox/" + user + "/" + strconv.FormatInt(n, 10) }
func recordKey(id string) string           { return "notification/" + id }
func goneKey(user, route string) string    { return "gone/" + user + "/" + route }

func pushKey(user string) string              { return "push/" + user }
func pushOwnerKey(subscription string) string { return "push-owner/" + subscription }

func routeOf(channel, target string) string {
	if target == "" {
		return channel
	}
	return channel + ":" + target
}

func splitRoute(route string) (channel, target string) {
	channel, target, _ = strings.Cut(route, ":")
	return channel, target
}

// head is the state of one user's inbox. Entries are numbered from 0, and a number never changes its meaning.
type head struct {
	// Count is how many entries there ever were: the number of the next one.
	Count int64 `json:"count"`
	// First is the oldest block that still belongs to the inbox.
	First int64 `json:"first"`
	// Unread counts the entries kept that are not read.
	Unread int64 `json:"unread"`
}

// oldest is the number of the oldest entry kept.
func (h head) oldest() int64 { return h.First * blockSize }

// entry is one reminder in the inbox.
type entry struct {
	ReminderID string `json:"reminder_id"`
	// Routes are those it was sent on besides the inbox.
	Routes []string `json:"routes,omitempty"`
	Read   bool     `json:"read,omitempty"`
}

// ids are the entry's notifications, that of the inbox first.
func (e entry) ids() []string {
	ids := []string{event.NotificationID(e.ReminderID, InApp)}
	for _, route := range e.Routes {
		ids = append(ids, event.NotificationID(e.ReminderID, route))
	}
	return ids
}

// record is a notification as it is stored.
type record struct {
	Notification
	// Number is the entry's in the inbox.
	Number int64 `json:"number"`
	// Trace is the trace context of the reminder, for attempts long after it.
	Trace string `json:"trace,omitempty"`
}

// gone says that a route leads nowhere as long as the user's settings are those of a version.
type gone struct {
	UserVersion int64  `json:"user_version"`
	Answer      string `json:"answer"`
}

// decode reads a stored value; what is absent leaves v as it is.
func decode(item host.Item, v any) error {
	if !item.Exists() {
		return nil
	}
	if err := json.Unmarshal(item.Value, v); err != nil {
		return fmt.Errorf("decode %s: %w", item.Key, err)
	}
	return nil
}

// encode writes what is only ever made of strings, numbers and times, which cannot fail.
func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("encode %T: %v", v, err))
	}
	return b
}
