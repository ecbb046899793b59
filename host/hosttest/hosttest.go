// Package hosttest is the conformance suite of the port: every host must pass it, and a service may rely on what it
// shows and on nothing else. There is a test for each guarantee in the package comment of host.
//
// Hosts may repeat and reorder deliveries where the contract lets them, so the tests only claim what it promises.
//
// [Task]: T019, T020, T021
package hosttest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/docket-tasks/docket/host"
)

// Cluster is a host under test with data of its own. Its methods fail the test rather than return an error.
type Cluster interface {
	// Start brings the services to life on the cluster's data: first, or again after Stop or Kill.
	Start(t *testing.T, services ...host.Service)
	// Host is what a service lives on. It is valid from Start to Stop or Kill.
	Host(service string) host.Host
	// Stop ends all services gracefully.
	Stop(t *testing.T)
	// Kill ends them as kill -9 does: what is in memory is gone, nothing is written any more.
	Kill(t *testing.T)
	// Outage makes the store refuse commits until the function returned is called.
	Outage(t *testing.T) (end func())
	// DeadLetters are the messages of a topic that a service refused for good.
	DeadLetters(t *testing.T, service, topic string) []host.Message
}

// Hot tells which keys of the suite's services are hot.
func Hot(key string) bool { return strings.HasPrefix(key, "hot/") }

// Run runs the suite; open makes a cluster with no data, which lasts as long as its test.
func Run(t *testing.T, open func(t *testing.T) Cluster) {
	for name, test := range map[string]func(*testing.T, Cluster){
		"State/KeysBelongToTheService":            keysBelongToTheService,
		"State/AbsentIsNoError":                   absentIsNoError,
		"State/BulkKeepsTheOrderAskedFor":         bulkKeepsTheOrder,
		"State/ReadsAreNeverOlderThanAnAck":       readsAreCurrent,
		"State/AllOrNothing":                      allOrNothing,
		"State/Conflicts":                         conflicts,
		"State/ETagsNeverComeBack":                etagsNeverComeBack,
		"State/OneOfManyCreates":                  oneOfManyCreates,
		"State/NoUpdateIsLost":                    noUpdateIsLost,
		"State/HotKeys":                           hotKeys,
		"State/ItemsExpire":                       itemsExpire,
		"State/Limits":                            limits,
		"State/ProgrammingErrors":                 programmingErrors,
		"State/CancelledBeforeItBegan":            cancelledBeforeItBegan,
		"State/AcknowledgedSurvivesKill":          acknowledgedSurvivesKill,
		"Messages/EveryGroupGetsEach":             everyGroupGetsEach,
		"Messages/OrderPerKey":                    orderPerKey,
		"Messages/NoneOfAFailedCommit":            noneOfAFailedCommit,
		"Messages/FailingIsRepeatedWithoutLimit":  failingIsRepeated,
		"Messages/FailingDelaysOnlyItsKey":        failingDelaysOnlyItsKey,
		"Messages/PanicIsAnError":                 panicIsAnError,
		"Messages/PermanentIsADeadLetter":         permanentIsADeadLetter,
		"Messages/RepeatedAfterKill":              repeatedAfterKill,
		"Messages/FailingSurvivesKillInOrder":     failingSurvivesKill,
		"Messages/DeliveredAfterAnIdleRestart":    deliveredAfterRestart,
		"Messages/SlowConsumerHoldsUpNobody":      slowConsumer,
		"Messages/ManyMoreThanFitInMemory":        backlog,
		"Messages/EveryIsNewestOn":                everyIsNewestOn,
		"Messages/HandlersCommit":                 handlersCommit,
		"Messages/HandlersReadWhatCameWithThem":   handlersRead,
		"Jobs/NeverEarlyAtLeastOnce":              jobsNeverEarly,
		"Jobs/PastIsAtOnce":                       jobsPast,
		"Jobs/RepeatedAfterAnError":               jobsRepeated,
		"Jobs/Replaced":                           jobsReplaced,
		"Jobs/ReplacedWhileFiring":                jobsReplacedWhileFiring,
		"Jobs/Cancelled":                          jobsCancelled,
		"Jobs/NoneOfAFailedCommit":                jobsOfAFailedCommit,
		"Jobs/SurviveKill":                        jobsSurviveKill,
		"Jobs/ManyAtOnce":                         jobsManyAtOnce,
		"Outage/NothingHappensAndItRecovers":      outage,
		"Outage/NothingBecomesADeadLetter":        outageWhileHandling,
		"Shutdown/WhatHasBegunIsFinished":         stopFinishes,
		"Shutdown/DrainComesFirst":                drainComesFirst,
		"Shutdown/NothingIsLostByARestart":        restartLosesNothing,
		"Client/RuntimeAndPublic":                 clientRoutes,
		"Client/RequestsArriveWhole":              clientRequest,
		"Client/BodiesStream":                     clientStreams,
		"Client/LargeBodies":                      clientLargeBodies,
		"Client/CancellationReachesTheHandler":    clientCancellation,
		"Client/ClosingTheBodyReachesTheHandler":  clientCloses,
		"Client/LeavingEarlyReachesTheHandler":    clientLeaves,
		"Client/AHandlerThatPanicsIsAServerError": clientPanic,
		"Client/AnAnswerThatBreaksOffIsAnError":   clientBrokenOff,
		"Client/UnknownServiceIsAnError":          clientUnknown,
		"Forward/RequestAndAnswerAreWhole":        forwardWhole,
		"Forward/AnAnswerThatBreaksOffIsAnError":  forwardBrokenOff,
		"Forward/CancellationReachesTheHandler":   forwardCancellation,
		"Forward/UnknownServiceIsAnError":         forwardUnknown,
		"Secrets/NotConfigured":                   noSecret,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

// patience is how long a test waits for what must come; it guards against hanging and claims nothing about speed.
const patience = 45 * time.Second

// await returns the next value of ch.
func await[T any](t *testing.T, ch <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(patience):
		t.Fatalf("still waiting for %s", what)
		panic("not reached")
	}
}

func commit(t *testing.T, s host.State, tx host.Tx) {
	t.Helper()
	if err := s.Commit(t.Context(), tx); err != nil {
		t.Fatalf("commit: %v", err)
	}
}

func put(t *testing.T, s host.State, key, value string) {
	t.Helper()
	commit(t, s, host.Tx{Ops: []host.Op{host.Put(key, []byte(value))}})
}

func get(t *testing.T, s host.State, key string) host.Item {
	t.Helper()
	it, err := s.Get(t.Context(), key)
	if err != nil {
		t.Fatalf("get %s: %v", key, err)
	}
	return it
}

func wantValue(t *testing.T, s host.State, key, want string) {
	t.Helper()
	if it := get(t, s, key); !it.Exists() || string(it.Value) != want {
		t.Errorf("%s = %q (exists %t), want %q", key, it.Value, it.Exists(), want)
	}
}

func wantAbsent(t *testing.T, s host.State, key string) {
	t.Helper()
	if it := get(t, s, key); it.Exists() || it.Value != nil {
		t.Errorf("%s = %q, want it absent", key, it.Value)
	}
}

func wantErr(t *testing.T, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("error %v, want %v", got, want)
	}
}

func message(topic, key, id string) host.Message {
	return host.Message{Topic: topic, Key: key, ID: id, Data: []byte("data of " + id)}
}

func send(t *testing.T, s host.State, ms ...host.Message) {
	t.Helper()
	commit(t, s, host.Tx{Messages: ms})
}

// inbox collects what handlers get, in the order of arrival, and signals each new thing.
type inbox[T any] struct {
	mu      sync.Mutex
	got     []T
	changed chan struct{}
}

func newInbox[T any]() *inbox[T] { return &inbox[T]{changed: make(chan struct{})} }

func (b *inbox[T]) add(v T) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.got = append(b.got, v)
	close(b.changed)
	b.changed = make(chan struct{})
}

// until waits until enough says so of what has arrived, and returns that.
func (b *inbox[T]) until(t *testing.T, what string, enough func([]T) bool) []T {
	t.Helper()
	got, ok := b.wait(patience, enough)
	if !ok {
		t.Fatalf("still waiting for %s; so far %.500s", what, fmt.Sprint(got))
	}
	return got
}

// within tells whether enough has said so after at most that time.
func (b *inbox[T]) within(limit time.Duration, enough func([]T) bool) bool {
	_, ok := b.wait(limit, enough)
	return ok
}

func (b *inbox[T]) wait(limit time.Duration, enough func([]T) bool) (got []T, ok bool) {
	timeout := time.After(limit)
	for {
		b.mu.Lock()
		got, changed := append([]T(nil), b.got...), b.changed
		b.mu.Unlock()
		if enough(got) {
			return got, true
		}
		select {
		case <-changed:
		case <-timeout:
			return got, false
		}
	}
}

// consumer is a service that notes each message of a topic.
func consumer(name, topic string, mode host.Mode, in *inbox[host.Message]) host.Service {
	return subscriber(name, topic, mode, func(_ context.Context, m host.Message) error {
		in.add(m)
		return nil
	})
}

func subscriber(name, topic string, mode host.Mode, handle func(context.Context, host.Message) error) host.Service {
	return host.Service{Name: name, Subscriptions: []host.Subscription{{Topic: topic, Mode: mode, Handle: handle}}}
}

// has tells whether every one of the ids is among the messages.
func has(ids ...string) func([]host.Message) bool {
	return func(got []host.Message) bool {
		for _, id := range ids {
			found := false
			for _, m := range got {
				found = found || m.ID == id
			}
			if !found {
				return false
			}
		}
		return true
	}
}

// firsts are the distinct ids of a key's messages in the order of their first arrival.
func firsts(got []host.Message, key string) []string {
	var ids []string
	seen := map[string]bool{}
	for _, m := range got {
		if m.Key == key && !seen[m.ID] {
			seen[m.ID] = true
			ids = append(ids, m.ID)
		}
	}
	return ids
}
