package account

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"testing"

	"github.com/docket-tasks/docket/edge"
	"github.com/docket-tasks/docket/host"
)

// mint makes a token of the scope with the credential.
func (st *site) mint(with edge.IdentityRequest, scope string) edge.IdentityRequest {
	st.t.Helper()
	var made NewTokenAnswer
	st.call(with, http.MethodPost, "/api/tokens", `{"name":"`+scope+`","scope":"`+scope+`"}`).want(st.t, http.StatusCreated, &made)
	if made.Scope != scope {
		st.t.Errorf("asked for %s, got %s", scope, made.Scope)
	}
	return edge.IdentityRequest{Token: made.Secret}
}

// What is for administrators needs one, and a token for it; and no token makes another that may more.
func TestScopes(t *testing.T) {
	st := newSite(t)
	_, me := st.first()
	read, write, admin := st.mint(me, "read"), st.mint(me, "write"), st.mint(me, "admin")
	st.call(admin, http.MethodPost, "/api/users", `{"name":"Ann"}`).want(t, http.StatusCreated, nil)
	for name, id := range map[string]edge.IdentityRequest{"read": read, "write": write} {
		for path, body := range map[string]string{"/api/users": `{"name":"Eve"}`, "/api/tokens": `{"name":"x","scope":"admin"}`, "/api/session/link": ""} {
			if res := st.call(id, http.MethodPost, path, body); res.status != http.StatusForbidden {
				t.Errorf("%s: POST %s: %d %s", name, path, res.status, res.body)
			}
		}
	}
	st.call(write, http.MethodPost, "/api/tokens", `{"name":"x","scope":"write"}`).want(t, http.StatusCreated, nil)
	st.call(admin, http.MethodPost, "/api/session/link", "").want(t, http.StatusCreated, nil)

	var bob NewUserAnswer
	st.call(me, http.MethodPost, "/api/users", `{"name":"Bob"}`).want(t, http.StatusCreated, &bob)
	bobs := edge.IdentityRequest{Token: bob.Token}
	st.call(bobs, http.MethodPost, "/api/tokens", `{"name":"x","scope":"admin"}`).wantProblem(t, http.StatusForbidden, "forbidden", "scope")
	st.call(bobs, http.MethodPost, "/api/session/link", "").want(t, http.StatusCreated, nil)
	if got := st.scopes(bobs); !slices.Equal(got, []string{"write"}) {
		t.Errorf("Bob's scopes: %v", got)
	}
	if got := st.scopes(me); !slices.Equal(got, []string{"admin", "read", "write", "admin", "write"}) {
		t.Errorf("mine: %v", got)
	}
}

func (st *site) scopes(with edge.IdentityRequest) []string {
	st.t.Helper()
	var list []Token
	st.call(with, http.MethodGet, "/api/tokens", "").want(st.t, http.StatusOK, &list)
	var out []string
	for _, token := range list {
		out = append(out, token.Scope)
	}
	return out
}

// A token from before there was the scope admin may what it could, and is shown as what it is.
func TestTokenFromBeforeScopes(t *testing.T) {
	st := newSite(t)
	u, me := st.first()
	st.strip(tokenKey(hash(me.Token)), tokensKey(u.ID))
	if got := st.scopes(me); !slices.Equal(got, []string{"admin"}) {
		t.Errorf("scopes %v", got)
	}
	var bob NewUserAnswer
	st.call(me, http.MethodPost, "/api/users", `{"name":"Bob"}`).want(t, http.StatusCreated, &bob)
	st.strip(tokenKey(hash(bob.Token)), tokensKey(bob.User.ID))
	if got := st.scopes(edge.IdentityRequest{Token: bob.Token}); !slices.Equal(got, []string{"write"}) {
		t.Errorf("scopes of Bob's, who is no administrator: %v", got)
	}
}

// strip takes out of the rows what older versions did not write.
func (st *site) strip(tokenKey, tokensKey string) {
	st.t.Helper()
	items, err := st.host.State.GetBulk(st.t.Context(), []string{tokenKey, tokensKey})
	if err != nil {
		st.t.Fatal(err)
	}
	var row map[string]any
	var list []map[string]any
	if err := json.Unmarshal(items[0].Value, &row); err != nil {
		st.t.Fatal(err)
	}
	if err := json.Unmarshal(items[1].Value, &list); err != nil {
		st.t.Fatal(err)
	}
	if row["admin"] == nil || list[0]["admin"] == nil {
		st.t.Fatalf("nothing to take out of %v and %v", row, list)
	}
	delete(row, "admin")
	delete(list[0], "admin")
	tx := host.Tx{Ops: []host.Op{host.Replace(tokenKey, encode(row), items[0].ETag), host.Replace(tokensKey, encode(list), items[1].ETag)}}
	if err := st.host.State.Commit(context.WithoutCancel(st.t.Context()), tx); err != nil {
		st.t.Fatal(err)
	}
}
