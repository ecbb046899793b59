package e2e

import "fmt"

// newPassword is everybody's password, and stays it.
var newPassword = object{"password": "marble-otter-quiet-lantern", "old_password": "marble-otter-quiet-lantern"}

// rules says of every operation, by its id, who may use it.
var rules = map[string]rule{
	"about":   {need: needNothing, path: at("/api/about", nil)},
	"sign-in": {need: needNothing, path: func(m *matrix) (string, any) { return "/api/session", object{"code": m.ada.code()} }},

	"get-sign-in-options": {need: needNothing, path: at("/api/session/options", nil)},
	"sign-up": {need: needNothing, path: func(m *matrix) (string, any) {
		_, code := m.invitation()
		return "/api/accounts", object{"name": fmt.Sprintf("guest %d", m.next()), "password": "marble-otter-quiet-lantern", "invitation": code}
	}},
	"list-invitations":  {need: needAdmin, path: at("/api/invitations", nil)},
	"create-invitation": {need: needAdmin, path: at("/api/invitations", object{})},
	"delete-invitation": {need: needAdmin, path: func(m *matrix) (string, any) {
		id, _ := m.invitation()
		return "/api/invitations/" + id, nil
	}},

	"get-me":    {need: needRead, path: at("/api/me", nil)},
	"export":    {need: needRead, path: at("/api/me/export", nil)},
	"delete-me": {need: needAll, path: at("/api/me", object{"password": "nobody's"}), answer: 400}, // or the caller is gone
	"delete-user": {need: needAdmin, path: func(m *matrix) (string, any) {
		id, _ := m.guest()
		return "/api/users/" + id, nil
	}},
	"update-me": {need: needWrite, path: at("/api/me", object{"locale": "en"})},

	"list-tokens":  {need: needRead, path: at("/api/tokens", nil)},
	"create-token": {need: needWrite, path: at("/api/tokens", object{"name": "made", "scope": "read"})},
	"delete-token": {need: needWrite, others: 404, path: func(m *matrix) (string, any) {
		id, _ := m.ada.mint("write", nil)
		return "/api/tokens/" + id, nil
	}},
	"create-user": {need: needAdmin, path: func(m *matrix) (string, any) {
		return "/api/users", object{"name": fmt.Sprintf("user %d", m.next())}
	}},
	"start-openid": {need: needNothing, path: at("/api/session/openid/start", object{"provider": "there"})},
	"finish-openid": {need: needNothing, path: func(m *matrix) (string, any) {
		return "/api/session/openid/finish", m.comeBack(m.ada.as("").post("/api/session/openid/start", object{"provider": "there", "invitation": m.invited()}))
	}},
	"list-connections":  {need: needRead, path: at("/api/me/connections", nil)},
	"create-connection": {need: needSession, path: at("/api/me/connections", object{"provider": "there"})},
	"delete-connection": {need: needAll, others: 404, path: func(m *matrix) (string, any) { return "/api/me/connections/" + m.connection(), nil }},

	"start-passkey-sign-in": {need: needNothing, path: at("/api/session/passkey/start", nil)},
	"finish-passkey-sign-in": {need: needNothing, path: func(m *matrix) (string, any) {
		return "/api/session/passkey/finish", m.touch()
	}},
	"list-passkeys": {need: needRead, path: at("/api/me/passkeys", nil)},
	"start-passkey": {need: needSession, path: func(m *matrix) (string, any) {
		m.unguard()
		return "/api/me/passkeys/start", object{"password": newPassword["password"]}
	}},
	"create-passkey": {need: needSession, path: at("/api/me/passkeys", object{"attempt": "nobody's", "credential": object{}}), answer: 400}, // or each has one more
	"rename-passkey": {need: needAll, others: 404, path: func(m *matrix) (string, any) {
		return "/api/me/passkeys/" + m.passkey(), object{"name": "phone"}
	}},
	"delete-passkey":       {need: needAll, others: 404, path: func(m *matrix) (string, any) { return "/api/me/passkeys/" + m.passkey(), nil }},
	"delete-user-passkeys": {need: needAdmin, path: func(m *matrix) (string, any) { return "/api/users/" + m.bob.id + "/passkeys", nil }},

	"list-access":       {need: needRead, path: at("/api/me/access", nil)},
	"get-second-factor": {need: needRead, path: at("/api/me/second-factor", nil)},
	"enrol-second-factor": {need: needAll, path: func(m *matrix) (string, any) {
		m.unguard()
		return "/api/me/second-factor", object{"password": newPassword["password"]}
	}},
	"confirm-second-factor": {need: needAll, others: 404, path: func(m *matrix) (string, any) {
		id, code := m.enrol()
		return "/api/me/second-factor/" + id + "/confirm", object{"code": code}
	}},
	"disable-second-factor": {need: needAll, others: 404, path: func(m *matrix) (string, any) {
		return "/api/me/second-factor/disable", object{"password": newPassword["password"], "code": m.recoveryCode()}
	}},
	"renew-recovery-codes": {need: needAll, others: 404, path: func(m *matrix) (string, any) {
		return "/api/me/second-factor/recovery-codes", object{"password": newPassword["password"], "code": m.recoveryCode()}
	}},
	"delete-user-second-factor": {need: needAdmin, path: func(m *matrix) (string, any) { return "/api/users/" + m.ada.id + "/second-factor", nil }},

	"find-users": {need: needAdmin, path: at("/api/users?name=Ada", nil)},
	"set-user-password": {need: needAdmin, path: func(m *matrix) (string, any) {
		return "/api/users/" + m.ada.id + "/password", object{"password": newPassword["password"]}
	}},
	"create-password-reset": {need: needAdmin, path: func(m *matrix) (string, any) {
		return "/api/users/" + m.ada.id + "/password-reset", nil
	}},
	"reset-password": {need: needNothing, path: func(m *matrix) (string, any) {
		var reset struct {
			Code string `json:"code"`
		}
		m.w.admin.post("/api/users/"+m.ada.id+"/password-reset", nil).want(201).into(&reset)
		return "/api/password/reset", object{"code": reset.Code, "password": newPassword["password"]}
	}},
	"forgot-password":    {need: needNothing, path: at("/api/password/forgotten", object{"account": "nobody"})},
	"set-password":       {need: needAll, path: at("/api/me/password", newPassword)},
	"list-sessions":      {need: needRead, path: at("/api/sessions", nil)},
	"end-other-sessions": {need: needWrite, path: at("/api/sessions", nil)},
	"end-session": {need: needWrite, others: 404, path: func(m *matrix) (string, any) {
		var open []struct {
			ID      string `json:"id"`
			Current bool   `json:"current"`
		}
		m.ada.signIn().get("/api/sessions").want(200).into(&open)
		return "/api/sessions/" + open[len(open)-1].ID, nil
	}},
	"create-sign-in-code": {need: needAll, path: at("/api/session/link", nil)},
	"sign-out":            {need: needSession, path: at("/api/session", nil)},

	"list-tasks":         {need: needRead, path: at("/api/tasks", nil)},
	"create-task":        {need: needWrite, path: at("/api/tasks", object{"title": "Mine"})},
	"batch-tasks":        {need: needWrite, path: at("/api/tasks/batch", object{"changes": []object{{"op": "create", "body": object{"title": "Mine"}}}})},
	"parse-task":         {need: needWrite, path: at("/api/tasks/parse", object{"quick": "Mine tomorrow"})},
	"preview-recurrence": {need: needWrite, path: at("/api/recurrence/preview", object{"recurrence_pattern": "daily"})},
	"get-task":           {need: needRead, others: 404, path: onTask("", nil)},
	"update-task":        {need: needWrite, others: 404, path: onTask("", object{"title": "Changed"})},
	"delete-task":        {need: needWrite, others: 404, path: onTask("", nil)},
	"change-tags":        {need: needWrite, others: 404, path: onTask("/tags", object{"tags": []string{"new"}})},
	"complete-task":      {need: needWrite, others: 404, path: onTask("/complete", nil)},
	"list-reminders":     {need: needRead, others: 404, path: onTask("/reminders", nil)},
	"reopen-task": {need: needWrite, others: 404, path: func(m *matrix) (string, any) {
		return m.ada.step(m.task(), "complete").path() + "/reopen", nil
	}},
	"restore-task": {need: needWrite, others: 404, path: func(m *matrix) (string, any) {
		path := m.task().path()
		m.ada.do("DELETE", path, nil).want(204)
		return path + "/restore", nil
	}},
	"get-task-history": {need: needRead, others: 404, path: func(m *matrix) (string, any) { return m.late.path() + "/history", nil }},
	"list-audit":       {need: needRead, path: func(m *matrix) (string, any) { return "/api/audit?task_id=" + m.late.ID, nil }},

	"list-filters":  {need: needRead, path: at("/api/filters", nil)},
	"create-filter": {need: needWrite, path: at("/api/filters", object{"name": "Mine", "query": object{}})},
	"get-filter":    {need: needRead, others: 404, path: onFilter(nil)},
	"update-filter": {need: needWrite, others: 404, path: onFilter(object{"name": "Renamed"})},
	"delete-filter": {need: needWrite, others: 404, path: onFilter(nil)},
	"order-filters": {need: needWrite, others: 409, path: func(m *matrix) (string, any) {
		m.ada.post("/api/filters", m.filterBody()).want(201)
		var all []savedFilter
		m.ada.get("/api/filters").want(200).into(&all)
		ids := []string{}
		for _, f := range all {
			ids = append([]string{f.ID}, ids...)
		}
		return "/api/filters/order", object{"ids": ids}
	}},

	"list-notifications": {need: needRead, path: at("/api/notifications", nil)},
	"read-notification":  {need: needWrite, others: 404, path: func(m *matrix) (string, any) { return "/api/notifications/" + m.told + "/read", nil }},
	"snooze-notification": {need: needWrite, others: 404, path: func(m *matrix) (string, any) {
		return "/api/notifications/" + m.told + "/snooze", object{"minutes": 60}
	}},
	"get-push-key":            {need: needRead, path: at("/api/push/key", nil)},
	"list-push-subscriptions": {need: needRead, path: at("/api/push/subscriptions", nil)},
	"put-push-subscription":   {need: needWrite, path: func(m *matrix) (string, any) { return "/api/push/subscriptions", m.browser() }},
	"delete-push-subscription": {need: needWrite, others: 404, path: func(m *matrix) (string, any) {
		var made struct {
			ID string `json:"id"`
		}
		m.ada.do("PUT", "/api/push/subscriptions", m.phone).want(200).into(&made)
		return "/api/push/subscriptions/" + made.ID, nil
	}},
}

// at is a request that is the same for every caller.
func at(path string, body any) func(*matrix) (string, any) {
	return func(*matrix) (string, any) { return path, body }
}

// onTask is a request about a new task of the owner.
func onTask(below string, body any) func(*matrix) (string, any) {
	return func(m *matrix) (string, any) { return m.task().path() + below, body }
}

// onFilter is a request about a new filter of the owner.
func onFilter(body any) func(*matrix) (string, any) {
	return func(m *matrix) (string, any) {
		var made savedFilter
		m.ada.post("/api/filters", m.filterBody()).want(201).into(&made)
		return "/api/filters/" + made.ID, body
	}
}
