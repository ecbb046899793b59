package edge

import (
	"context"
	"log/slog"
	"net/http"
)

// Actor is who did something: the person, or the token or service that acted for them.
type Actor struct {
	Kind string `json:"kind" enum:"user,token,service" doc:"What acted"`
	ID   string `json:"id" doc:"Id of the user, token or service"`
	Name string `json:"name" doc:"Its name when it acted"`
}

// What a [Principal] may do.
const (
	// ScopeRead allows the safe methods (RFC 9110 section 9.2.1) only.
	ScopeRead = "read"
	// ScopeWrite allows every method.
	ScopeWrite = "write"
)

// Principal is the verified caller of a request.
type Principal struct {
	// UserID is whose data the request is about.
	UserID string
	Actor  Actor
	// Admin may manage users: the user is an administrator, and the session or API token may be used for that.
	Admin bool
	// Scope is [ScopeRead] or [ScopeWrite].
	Scope string
	// Session is the id of the session or API token that the identity came from.
	Session string
}

// record is what edge knows about one request or event. There is one key for all of it, so that a request that
// one service makes of another in the same process can never inherit its caller's principal: the callee's
// [Handler] puts a fresh record in front. A record is never reused: handlers may keep the context.
type record struct {
	trace     string
	principal Principal
	known     bool
	log       *slog.Logger
}

type recordKey struct{}

func recordOf(ctx context.Context) *record {
	rec, _ := ctx.Value(recordKey{}).(*record)
	return rec
}

// with returns ctx with a changed copy of its record.
func with(ctx context.Context, change func(*record)) context.Context {
	var next record
	if rec := recordOf(ctx); rec != nil {
		next = *rec
	}
	change(&next)
	return context.WithValue(ctx, recordKey{}, &next)
}

// WithPrincipal returns a context that carries p.
func WithPrincipal(ctx context.Context, p Principal) context.Context {
	return with(ctx, func(rec *record) { rec.principal, rec.known = p, true })
}

// PrincipalOf returns the verified caller of the request that ctx belongs to; false where nobody was verified.
func PrincipalOf(ctx context.Context) (Principal, bool) {
	rec := recordOf(ctx)
	if rec == nil || !rec.known {
		return Principal{}, false
	}
	return rec.principal, true
}

// Caller returns the verified caller, or a 401 [Problem] should a route stand behind no [Verifier].
func Caller(ctx context.Context) (Principal, error) {
	p, ok := PrincipalOf(ctx)
	if !ok {
		return p, NewProblem(http.StatusUnauthorized, "unauthorized", "a bearer token is required")
	}
	return p, nil
}

// LoggerOf returns the logger of the service that handles ctx; its lines carry the trace_id if logged with ctx.
func LoggerOf(ctx context.Context) *slog.Logger {
	if rec := recordOf(ctx); rec != nil && rec.log != nil {
		return rec.log
	}
	return slog.Default()
}
