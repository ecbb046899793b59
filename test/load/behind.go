package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/docket-tasks/docket/deploy/local"
	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/services/notification"
)

// The rows behind Dapr. Requests go to the port of one replica of backend, with the identity that the frontend would send
// along; the rows through the frontend stand beside them.
const (
	sidecarWriters = 32

	daprAlone  = "create, 1 client, p50, against a 4-operation transaction"
	daprQuiet  = "create, 1 client, each once audit has the one before, p50, against the same"
	daprSpread = "create in 32 lists, 32 clients, until audit has all, against transaction + publish + delete"
	daprInList = "create in one list, 32 clients, against 32 lists"
	daprList   = "list 50 of 10,000, 16 clients, against single gets of state"
	daprDoor   = "create in 32 lists, 32 clients, through the frontend, until audit has all"
	daprPage   = "list 50 of 10,000, 16 clients, through the frontend"
	daprAudit  = "commit to audit entry visible, p99"
	daprSocket = "change to WebSocket on the other replica, p99"
)

var daprReminders = []struct {
	count int
	work  string
	goal  float64
}{
	{100, "100 reminders due at one moment: due to inbox, p99", 1},
	{1000, "1,000 reminders due at one moment: due to inbox, p99", 4},
}

// behindDapr measures docket behind Dapr: two replicas of backend, one of each other service, on PostgreSQL and the broker that
// deploy/local finds. The bare side of a row is what no program on Dapr could do without, through the sidecar of the same
// replica of backend, by Dapr's own client: values of the same sizes, in the same store and on the same broker (sequence.go).
func behindDapr(ctx context.Context, b *bench) (err error) {
	m, err := local.Start(ctx, local.Options{Root: ".", Dir: b.dir})
	if err != nil {
		return err
	}
	defer m.Stop()
	space, err := m.Space(ctx, local.SpaceOptions{Name: "docket", Topics: []string{bareTopic}})
	if err != nil {
		return err
	}
	binary, err := filepath.Abs(b.binary)
	if err != nil {
		return err
	}
	d, err := space.Docket(local.DocketOptions{Binary: binary, Replicas: map[string]int{"backend": 2}, Args: []string{"--log-level", "error"}})
	if err != nil {
		return err
	}
	if err := d.Start(ctx); err != nil {
		return err
	}
	b.progress("%s; %s", m.BrokerName(), d.Count())
	s, err := newBehind(ctx, b, d)
	if err != nil {
		return err
	}
	defer s.sequence.close()
	for _, part := range []func(context.Context, *bench) error{s.writes, s.lists, s.delays, s.reminders} {
		if err := part(ctx, b); err != nil {
			return err
		}
	}
	return nil
}

// behind is docket behind Dapr with its users, and the bare sequence.
type behind struct {
	installed *local.Docket
	door      *docket // by the frontend
	port      *docket // the port of a replica of backend
	users     []user  // one for each writer
	hot       user    // with a list that all write
	long      user    // with 10,000 tasks
	bodies    [][]byte
	sequence  *sequence
}

func newBehind(ctx context.Context, b *bench, d *local.Docket) (*behind, error) {
	token, err := os.ReadFile(d.OwnerTokenFile())
	if err != nil {
		return nil, err
	}
	s := &behind{installed: d,
		door: &docket{process: &process{addr: strings.TrimPrefix(d.Gateway(), "http://")}, owner: user{token: strings.TrimSpace(string(token))}},
		port: &docket{process: &process{addr: d.Running["backend"][0].Users}},
	}
	us, err := s.door.users(ctx, sidecarWriters+2)
	if err != nil {
		return nil, err
	}
	s.users, s.hot, s.long = us[:sidecarWriters], us[sidecarWriters], us[sidecarWriters+1]
	for i := range 1000 {
		body, err := json.Marshal(draft{Title: fmt.Sprintf("Call the plumber %04d", i), Description: "about the tap in the kitchen",
			Priority: "high", Tags: []string{"home"}, Due: fmt.Sprintf("%d-03-31T09:00:00Z", year)})
		if err != nil {
			return nil, err
		}
		s.bodies = append(s.bodies, body)
	}
	for _, l := range []struct {
		user
		tasks int
	}{{s.long, b.size(listSize, 2000)}, {s.hot, 1000}} { // at one replica: large batches of one list at both would be in each other's way
		known, err := s.identities(ctx, []user{l.user})
		if err != nil {
			return nil, err
		}
		if _, err := s.port.create(ctx, known[0], drafts(l.tasks, 1)); err != nil {
			return nil, fmt.Errorf("load tasks: %w", err)
		}
	}
	s.sequence, err = newSequence(ctx, d)
	return s, err
}

// identities are what the frontend exchanges the tokens of users for; they are good for a minute.
func (s *behind) identities(ctx context.Context, users []user) ([]user, error) {
	out := make([]user, len(users))
	sidecar := s.installed.Running["frontend"][0].Sidecar
	return out, parallel(8, len(users), func(i int) error {
		body, err := json.Marshal(edge.IdentityRequest{Token: users[i].token})
		if err != nil {
			return err
		}
		url := fmt.Sprintf("http://127.0.0.1:%d/v1.0/invoke/backend/method/internal/identity", sidecar.HTTPPort)
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
		if err != nil {
			return err
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("dapr-api-token", sidecar.Getenv("DAPR_API_TOKEN"))
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		var answer edge.IdentityAnswer
		err = json.NewDecoder(res.Body).Decode(&answer)
		out[i].token = answer.JWT
		if err == nil && answer.JWT == "" {
			err = fmt.Errorf("exchange a token: %s", res.Status)
		}
		return errors.Join(err, res.Body.Close())
	})
}

// creates has clients create tasks for users at an address until all of it is in the audit log, and returns how many a second.
func (s *behind) creates(at *docket, users []user, count int) measure {
	return func(ctx context.Context) (float64, error) {
		senders := users
		if at == s.port {
			var err error
			if senders, err = s.identities(ctx, users); err != nil {
				return 0, err
			}
		}
		w := &writeSides{docket: at, bodies: s.bodies}
		l := load{addr: at.addr, clients: sidecarWriters, count: count, next: w.next("/api/tasks", senders)}
		before, err := s.kept(ctx)
		if err != nil {
			return 0, err
		}
		return untilAudited(ctx, l, users, s.door, func(ctx context.Context) error { return s.untilKept(ctx, before+float64(count)) })
	}
}

// kept is how many events audit says that it has kept. To ask for that costs less than to ask for the log of each list.
func (s *behind) kept(ctx context.Context) (float64, error) {
	audit := &process{addr: strings.TrimPrefix(s.installed.Running["audit"][0].Ops(), "http://")}
	m, err := audit.metrics(ctx)
	return m[`docket_audit_events_total{outcome="kept"}`], err
}

func (s *behind) untilKept(ctx context.Context, events float64) error {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		if n, err := s.kept(ctx); err != nil || n >= events {
			return err
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
	return errors.New("audit has not kept all events")
}

func (s *behind) writes(ctx context.Context, b *bench) error {
	one, many := b.size(500, 200), b.size(4000, 1200)
	if err := b.compare(ctx, row{work: daprAlone, unit: "ms", least: 1 / 1.6, less: true}, s.alone(one, false), s.sequence.transaction(one)); err != nil {
		return err
	}
	quiet := row{work: daprQuiet, unit: "ms", least: 1 / 1.6, less: true, goal: true}
	if err := b.compare(ctx, quiet, s.alone(b.size(200, 60), true), s.sequence.transaction(one)); err != nil {
		return err
	}
	if err := b.compare(ctx, row{work: daprSpread, unit: "/s", least: 0.5}, s.creates(s.port, s.users, many), s.sequence.whole(many)); err != nil {
		return err
	}
	if err := b.compare(ctx, row{work: daprInList, unit: "/s", least: 0.8}, s.creates(s.port, []user{s.hot}, many), s.creates(s.port, s.users, many)); err != nil {
		return err
	}
	if !b.wants(daprDoor) {
		return nil
	}
	rate, err := s.creates(s.door, s.users, many)(ctx)
	if err == nil {
		b.goal(daprDoor, "/s", rate, 0)
	}
	return err
}

// alone creates tasks one after the other and returns the median time, in milliseconds. What a change sets going in all the
// other processes shares the processors with the next change; with apart set, the next one waits until the audit log has the
// one before, outside of what is measured: that is what a request takes of itself.
func (s *behind) alone(count int, apart bool) measure {
	return func(ctx context.Context) (float64, error) {
		us, err := s.identities(ctx, s.users[:1])
		if err != nil {
			return 0, err
		}
		c, err := dial(ctx, s.port.addr)
		if err != nil {
			return 0, err
		}
		defer c.Close()
		var times []float64
		for i := range count {
			req := request(http.MethodPost, "/api/tasks", us[0].token, s.bodies[i%len(s.bodies)])
			began := time.Now()
			res, err := c.do(req)
			if err != nil {
				return 0, err
			}
			times = append(times, milliseconds(time.Since(began)))
			if !apart {
				continue
			}
			if _, err := s.door.audited(ctx, s.users[0], res.listVersion); err != nil {
				return 0, err
			}
		}
		return median(times), nil
	}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func (s *behind) lists(ctx context.Context, b *bench) error {
	turn := time.Duration(b.size(3000, 1000)) * time.Millisecond
	pages := func(at *docket) measure {
		return func(ctx context.Context) (float64, error) {
			us := []user{s.long}
			if at == s.port {
				var err error
				if us, err = s.identities(ctx, us); err != nil {
					return 0, err
				}
			}
			var requests [][]byte
			for _, q := range byDue() {
				requests = append(requests, request(http.MethodGet, "/api/tasks?"+q, us[0].token, nil))
			}
			l := load{addr: at.addr, clients: readers, time: turn, next: func(_, n int) []byte { return requests[n%len(requests)] }}
			n, took, err := l.run(ctx)
			return float64(n) / took.Seconds(), err
		}
	}
	if err := b.compare(ctx, row{work: daprList, unit: "/s", least: 0.6}, pages(s.port), s.sequence.gets(turn)); err != nil || !b.wants(daprPage) {
		return err
	}
	rate, err := pages(s.door)(ctx)
	if err == nil {
		b.goal(daprPage, "/s", rate, 0)
	}
	return err
}

// delays measures one change after the other: until its audit entry is visible, and until a socket at the other replica has it.
func (s *behind) delays(ctx context.Context, b *bench) error {
	changes := b.size(300, 100)
	if b.wants(daprAudit) {
		var times []float64
		for i := range changes {
			res, err := s.door.call(ctx, s.hot, http.MethodPost, "/api/tasks", json.RawMessage(s.bodies[i]), nil)
			if err != nil {
				return err
			}
			committed := time.Now()
			if _, err := s.door.audited(ctx, s.hot, res.listVersion); err != nil {
				return err
			}
			times = append(times, milliseconds(time.Since(committed)))
		}
		b.goal(daprAudit, "ms", percentile99(times), 250)
	}
	if !b.wants(daprSocket) {
		return nil
	}
	other, err := openSocket(ctx, s.installed.Running["backend"][1].Users, s.hot)
	if err != nil {
		return err
	}
	defer other.Close()
	if _, err := other.frame(); err != nil { // hello
		return err
	}
	var times []float64
	for i := range changes {
		if i%100 == 0 { // before the identity expires
			if us, err := s.identities(ctx, []user{s.hot}); err != nil {
				return err
			} else {
				s.port.owner = us[0]
			}
		}
		began := time.Now()
		if _, err := s.port.call(ctx, s.port.owner, http.MethodPost, "/api/tasks", json.RawMessage(s.bodies[i]), nil); err != nil {
			return err
		}
		if _, err := other.frame(); err != nil {
			return err
		}
		times = append(times, milliseconds(time.Since(began)))
	}
	b.goal(daprSocket, "ms", percentile99(times), 150)
	return nil
}

// reminders lets many come due at one moment, and asks the inbox when each was there.
func (s *behind) reminders(ctx context.Context, b *bench) error {
	for _, r := range daprReminders {
		if !b.wants(r.work) {
			continue
		}
		late, err := s.burst(ctx, r.count)
		if err != nil {
			return fmt.Errorf("%s: %w", r.work, err)
		}
		b.goal(r.work, "s", late, r.goal)
	}
	return nil
}

// burst returns the 99th percentile of the time from the moment that n reminders are due to their being in the inbox, in seconds.
func (s *behind) burst(ctx context.Context, n int) (float64, error) {
	us, err := s.door.users(ctx, 1)
	if err != nil {
		return 0, err
	}
	due := time.Now().Add(8*time.Second + time.Duration(n)*10*time.Millisecond).Truncate(time.Second)
	tasks := make([]draft, n)
	for i := range tasks {
		tasks[i] = draft{Title: fmt.Sprintf("Take the cake out %05d", i), Due: due.UTC().Format(time.RFC3339), Reminders: []int{0}}
	}
	if _, err := s.door.create(ctx, us[0], tasks); err != nil {
		return 0, err
	}
	if time.Now().After(due) {
		return 0, errors.New("the tasks were not there in time: the machine is too busy")
	}
	for deadline := due.Add(patience); time.Now().Before(deadline); {
		items, err := s.inbox(ctx, us[0])
		if err != nil {
			return 0, err
		}
		if len(items) >= n {
			var late []float64
			for _, it := range items {
				late = append(late, it.CreatedAt.Sub(it.ScheduledTime.Time).Seconds())
			}
			return percentile99(late), nil
		}
		if err := pause(ctx, 200*time.Millisecond); err != nil {
			return 0, err
		}
	}
	return 0, fmt.Errorf("not all of %d reminders came", n)
}

// inbox reads all notifications of a user.
func (s *behind) inbox(ctx context.Context, u user) (all []notification.InboxItem, err error) {
	for path := "/api/notifications?limit=200"; path != ""; {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.door.addr+path, nil)
		if err != nil {
			return nil, err
		}
		req.Header.Set("Authorization", "Bearer "+u.token)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return nil, err
		}
		var page []notification.InboxItem
		err = errors.Join(json.NewDecoder(res.Body).Decode(&page), res.Body.Close())
		if err != nil {
			return nil, err
		}
		all, path = slices.Concat(all, page), ""
		if next, _, more := strings.Cut(res.Header.Get("Link"), `>; rel="next"`); more {
			path = next[strings.LastIndex(next, "<")+1:]
		}
	}
	return all, nil
}
