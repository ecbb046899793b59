package e2e

import (
	"cmp"
	"net/http"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// need is what a route asks of its caller.
type need int

const (
	needNothing need = iota
	needRead
	needWrite
	needSession // and no token
	needAll     // a credential that may all its user may
	needAdmin
)

// rule is who may use one operation of the API.
type rule struct {
	need need
	// others is what everybody but the owner gets for what is the owner's; 0 where the caller can name only their own.
	others int
	// answer is what those get who may, where that is not a success; 0 where it is.
	answer int
	// path is the path to ask for, with what the request is about made by the owner for this one request; and its body.
	path func(m *matrix) (path string, body any)
}

// caller is one kind of caller. Their credential is made anew for each operation, as some end it.
type caller struct {
	name string
	as   func(m *matrix) *client
	// valid credentials are those that docket must know; what follows is of these.
	valid, owner, session bool
	may                   need // needRead, needWrite or needAdmin
	all                   bool // all that its user may
}

var callers = []caller{
	{name: "anonymous", as: func(m *matrix) *client { return m.ada.as("") }},
	{name: "unknown token", as: func(m *matrix) *client { return m.ada.as("dkt_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA") }},
	{name: "expired token", as: func(m *matrix) *client { return m.expired }},
	{name: "deleted token", as: func(m *matrix) *client { return m.deleted }},
	{name: "revoked session", as: func(m *matrix) *client { return m.revoked }},
	{name: "deleted account's token", as: func(m *matrix) *client { return m.goneToken }},
	{name: "deleted account's session", as: func(m *matrix) *client { return m.goneSession }},
	{name: "read token", as: func(m *matrix) *client { return m.read }, valid: true, owner: true, may: needRead},
	{name: "write token", as: func(m *matrix) *client { return m.ada }, valid: true, owner: true, may: needWrite, all: true},
	{name: "owner", as: func(m *matrix) *client { return m.ada.signIn() }, valid: true, owner: true, session: true, may: needWrite, all: true},
	{name: "other user", as: func(m *matrix) *client { return m.bob.signIn() }, valid: true, session: true, may: needWrite, all: true},
	{name: "other user's token", as: func(m *matrix) *client { return m.bob }, valid: true, may: needWrite, all: true},
	{name: "administrator", as: func(m *matrix) *client { return m.w.admin.signIn() }, valid: true, session: true, may: needAdmin, all: true},
	{name: "admin token", as: func(m *matrix) *client { return m.w.admin }, valid: true, may: needAdmin, all: true},
	{name: "administrator's write token", as: func(m *matrix) *client { return m.adminWrite }, valid: true, may: needWrite},
}

// status is what the caller gets where those who may are answered with the status success.
func (r rule) status(c caller, success int) int {
	switch {
	case r.need == needNothing:
		return success
	case !c.valid:
		return http.StatusUnauthorized
	case r.need > needRead && c.may == needRead,
		r.need == needAll && !c.all,
		r.need == needAdmin && c.may != needAdmin:
		return http.StatusForbidden
	case r.need == needSession && !c.session:
		return http.StatusBadRequest
	case r.others != 0 && !c.owner:
		return r.others
	}
	return success
}

// Every operation of api/openapi.json is asked for by every kind of caller. One without a rule fails the test, as does
// a refusal that changed something of the owner's or an answer that tells another of it.
func TestAuthorizationMatrix(t *testing.T) {
	onEmbedded(t, func(t *testing.T, w *world) {
		m := newMatrix(t, w)
		known := map[string]bool{}
		for path, item := range api.doc.Paths.Map() {
			for method, op := range item.Operations() {
				known[op.OperationID] = true
				r, ok := rules[op.OperationID]
				if !ok {
					t.Errorf("%s %s (%s) has no rule: say in rules who may use it", method, path, op.OperationID)
					continue
				}
				if method != http.MethodGet && r.need == needRead {
					t.Errorf("%s changes something and yet needs no more than a read token", op.OperationID)
				}
				m.ask(r, method, op)
			}
		}
		for id := range rules {
			if !known[id] {
				t.Errorf("the rule of %s is for no operation", id)
			}
		}
	})
}

// ask has every caller make the operation's request: first those who are to be refused, and must change nothing.
func (m *matrix) ask(r rule, method string, op *openapi3.Operation) {
	m.t.Helper()
	success := cmp.Or(r.answer, succeeds(op))
	var refused, admitted []func()
	for _, c := range callers {
		want := r.status(c, success)
		if want == success {
			admitted = append(admitted, func() { // as who signs in only now: another before may have ended all sessions
				path, body := r.path(m)
				who := c.as(m)
				m.hold(c, op, who.do(method, path, body, m.shown(who)...), want)
			})
			continue
		}
		who := c.as(m)
		path, body := r.path(m)
		refused = append(refused, func() { m.hold(c, op, who.do(method, path, body), want).problem() })
	}
	before := m.state()
	for _, request := range refused {
		request()
	}
	if after := m.state(); after != before {
		m.t.Errorf("%s: every request was to be refused, and yet one has changed\n%s\nto\n%s", op.OperationID, before, after)
	}
	for _, request := range admitted {
		request()
	}
}

// hold holds an answer to what the rule says of its caller.
func (m *matrix) hold(c caller, op *openapi3.Operation, a *answer, want int) *answer {
	m.t.Helper()
	if a.status != want {
		m.t.Errorf("%s as %s: %d, want %d: %s", op.OperationID, c.name, a.status, want, short(a.body))
	}
	if !c.owner && m.tells(a) {
		m.t.Errorf("%s as %s tells of what is another's: %s", op.OperationID, c.name, a.body)
	}
	return a
}

// succeeds is the status by which the operation says that it was carried out.
func succeeds(op *openapi3.Operation) int {
	for status := 200; status < 300; status++ {
		if op.Responses.Status(status) != nil {
			return status
		}
	}
	return 0
}
