// Package pushservice stands in for the push services that browsers' makers run, and for the browsers behind them. It
// speaks their protocol in earnest: it takes messages as RFC 8030 has it, verifies who sent them by RFC 8292, and opens
// them with the subscription's private key by RFC 8291. What a test wants to know it gets from Go or over HTTP:
//
//	POST /subscriptions               {"applicationServerKey": "…"} → a subscription, as PushSubscription.toJSON() writes it
//	GET  /subscriptions/{id}/messages?after=N   waits for more than N messages, 10 seconds at most, and lists them all
//	PUT  /subscriptions/{id}/answer   {"status": 429, "retry_after": "60", "times": 2}: how to answer the next messages
//	POST /push/{id}                   the endpoint: application servers send here
//
// [Task]: T052
package pushservice

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Service is a push service. The zero Service is ready.
type Service struct {
	mu            sync.Mutex
	subscriptions map[string]*subscription
}

// subscription is one browser's.
type subscription struct {
	id string
	// server is the application server's public key: nobody else may send.
	server   []byte
	private  *ecdh.PrivateKey
	auth     []byte
	messages []Message
	changed  chan struct{} // closed when a message comes
	answers  []Answer
}

// Message is one that was accepted.
type Message struct {
	Payload string `json:"payload"`
	TTL     int    `json:"ttl"` // seconds
	Urgency string `json:"urgency"`
	Topic   string `json:"topic"`
	// Contact is the subject of the sender's token.
	Contact string `json:"contact"`
}

// Answer is one that is given in place of taking a message.
type Answer struct {
	Status     int    `json:"status"`
	RetryAfter string `json:"retry_after,omitempty"`
	// Times is how often it is given; 0 means once.
	Times int `json:"times,omitempty"`
}

// Subscription is what a browser hands to the page, as JSON.
type Subscription struct {
	Endpoint       string            `json:"endpoint"`
	ExpirationTime *float64          `json:"expirationTime"`
	Keys           map[string]string `json:"keys"`
}

// ID is the name of the subscription at its service.
func (s Subscription) ID() string { return s.Endpoint[strings.LastIndexByte(s.Endpoint, '/')+1:] }

// Subscribe makes a subscription at the service, which can be reached at origin, for the application server of that
// key: base64url of an uncompressed point of P-256.
func (s *Service) Subscribe(origin, serverKey string) (Subscription, error) {
	key, err := base64.RawURLEncoding.DecodeString(serverKey)
	if err != nil {
		return Subscription{}, err
	}
	if _, err := ecdh.P256().NewPublicKey(key); err != nil {
		return Subscription{}, err
	}
	private, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		return Subscription{}, err
	}
	sub := &subscription{id: rand.Text(), server: key, private: private, auth: make([]byte, 16), changed: make(chan struct{})}
	rand.Read(sub.auth) // never fails (crypto/rand since Go 1.24)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.subscriptions == nil {
		s.subscriptions = map[string]*subscription{}
	}
	s.subscriptions[sub.id] = sub
	return Subscription{Endpoint: origin + "/push/" + sub.id, Keys: map[string]string{
		"p256dh": base64.RawURLEncoding.EncodeToString(private.PublicKey().Bytes()),
		"auth":   base64.RawURLEncoding.EncodeToString(sub.auth),
	}}, nil
}

var errNone = errors.New("there is no such subscription")

// Answer makes the service answer the next messages to a subscription like this, one answer after the other.
func (s *Service) Answer(id string, answers ...Answer) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	sub := s.subscriptions[id]
	if sub == nil {
		return errNone
	}
	for _, a := range answers {
		for range max(1, a.Times) {
			sub.answers = append(sub.answers, a)
		}
	}
	return nil
}

// Messages returns what has come for a subscription, once that is more than after, or when ctx ends.
func (s *Service) Messages(ctx context.Context, id string, after int) ([]Message, error) {
	for {
		s.mu.Lock()
		sub := s.subscriptions[id]
		if sub == nil {
			s.mu.Unlock()
			return nil, errNone
		}
		messages, changed := sub.messages, sub.changed
		s.mu.Unlock()
		if len(messages) > after {
			return messages, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return messages, nil
		}
	}
}

// ServeHTTP implements http.Handler.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /push/{id}", s.push)
	mux.HandleFunc("POST /subscriptions", s.subscribe)
	mux.HandleFunc("GET /subscriptions/{id}/messages", s.listMessages)
	mux.HandleFunc("PUT /subscriptions/{id}/answer", s.setAnswer)
	mux.ServeHTTP(w, r)
}

func origin(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

func (s *Service) subscribe(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Key string `json:"applicationServerKey"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	sub, err := s.Subscribe(origin(r), in.Key)
	if err != nil {
		http.Error(w, "applicationServerKey: "+err.Error(), http.StatusBadRequest)
		return
	}
	reply(w, http.StatusCreated, sub)
}

// longPoll is how long a caller waits for a message.
const longPoll = 10 * time.Second

func (s *Service) listMessages(w http.ResponseWriter, r *http.Request) {
	after, err := strconv.Atoi(r.FormValue("after"))
	if err != nil {
		after = -1
	}
	ctx, cancel := context.WithTimeout(r.Context(), longPoll)
	defer cancel()
	messages, err := s.Messages(ctx, r.PathValue("id"), after)
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	reply(w, http.StatusOK, append([]Message{}, messages...))
}

func (s *Service) setAnswer(w http.ResponseWriter, r *http.Request) {
	var in Answer
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || in.Status < 200 || in.Status > 599 {
		http.Error(w, "give a status from 200 to 599", http.StatusBadRequest)
		return
	}
	if err := s.Answer(r.PathValue("id"), in); err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // an error means that the caller is gone
}
