package local_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/docket-tasks/docket/deploy/local"
)

// Every server of a machine starts on a new folder, survives a kill and is gone after a stop.
func TestMachine(t *testing.T) {
	local.Require(t)
	for _, kind := range []string{local.Fake, ""} {
		t.Run("broker "+kind, func(t *testing.T) {
			ctx := t.Context()
			m, err := local.Start(ctx, local.Options{Root: "../..", Dir: t.TempDir(), Broker: kind})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(m.Stop)
			t.Log(m.BrokerName())
			s, err := m.Space(ctx, local.SpaceOptions{Name: "docket"})
			if err != nil {
				t.Fatal(err)
			}
			c, err := s.Sidecar("audit")
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Start(ctx); err != nil {
				t.Fatal(err)
			}
			for _, p := range []*local.Process{m.Postgres, m.Broker, m.Sentry, m.Placement, m.Scheduler, c.Process} {
				p.Kill()
				if err := p.Start(ctx); err != nil {
					t.Errorf("%s after a kill: %v", p.Name, err)
				}
			}
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1:"+c.Getenv("DAPR_HTTP_PORT")+"/v1.0/metadata", nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("dapr-api-token", c.Getenv("DAPR_API_TOKEN"))
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			var said strings.Builder
			if err := res.Write(&said); err != nil {
				t.Fatal(err)
			}
			for _, component := range []string{"pubsub", "statestore", "secrets"} {
				if !strings.Contains(said.String(), `"name":"`+component+`"`) {
					t.Errorf("the sidecar lacks %s: %s", component, said.String())
				}
			}
			if strings.Contains(said.String(), `"name":"broadcast"`) {
				t.Error("audit has the component broadcast, which is not in its scope")
			}
		})
	}
}
