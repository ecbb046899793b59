package backend

import (
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/docket-tasks/docket/services/backend/account"
	"github.com/docket-tasks/docket/task"
)

// The memory for lists is bounded by the oldest being let go of, empty ones among them; one in use stays whole.
func TestSnapshotsAreBounded(t *testing.T) {
	f := start(t)
	const room = 10
	s := newSnapshots(f.node.Host(Name).State, account.New(account.Config{Now: time.Now, Logger: f.log}, f.node.Host(Name).State, nil), room*snapshotBytes, newMetrics(prometheus.NewRegistry()))
	first := s.get("list 0")
	for i := range 10 * room {
		if err := s.refresh(t.Context(), s.get(fmt.Sprintf("list %d", i)), head{}, account.User{TimeZone: "UTC"}); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(s.lists); n != room || s.order.Len() != room || s.bytes != room*snapshotBytes {
		t.Errorf("%d lists, %d in order, %d bytes", n, s.order.Len(), s.bytes)
	}
	if s.get("list 0") == first {
		t.Error("the list used longest ago is still there")
	}
	q, err := task.ParseQuery(nil)
	if err != nil {
		t.Fatal(err)
	}
	if page, err := first.index.Find(q); err != nil || page.Total != 0 {
		t.Errorf("who still held it found %+v %v", page, err)
	}
}
