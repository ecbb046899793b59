// Package rules holds deploy/observability/alerts.yaml to what it promises, in Prometheus' own engine: each alert comes when it
// should, with the labels that tell what it is about, and not before. A module of its own, for the engine is large: `make rules`.
//
// [Task]: T083, T088
package rules

import (
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/promqltest"
)

const file = "../../deploy/observability/alerts.yaml"

// example is what Prometheus has read, once a minute from the start, and what an alert says of it after 40 minutes.
type example struct {
	alert  string
	series []string
	fires  string // labels and value; "" is silence
}

// requests is a histogram in which one request a second takes no longer than le, in seconds.
func requests(name, labels, le string) []string {
	return []string{
		fmt.Sprintf(`%s_bucket{%s,le="%s"} 0+60x60`, name, labels, le),
		fmt.Sprintf(`%s_bucket{%s,le="+Inf"} 0+60x60`, name, labels),
	}
}

// slow is one in which all take longer than le.
func slow(name, labels, le string) []string {
	return []string{
		fmt.Sprintf(`%s_bucket{%s,le="%s"} 0x60`, name, labels, le),
		fmt.Sprintf(`%s_bucket{%s,le="+Inf"} 0+60x60`, name, labels),
	}
}

var (
	latency = "docket_http_request_duration_seconds"
	route   = `namespace="n",service="backend",route="GET /api/tasks",pod="p"`
	socket  = `namespace="n",service="backend",route="GET /ws",pod="p"`
)

var examples = []example{
	{"DocketDown", []string{`up{job="docket",app="audit"} 0x60`}, `up{job="docket",app="audit"} 0`},
	{"DocketDown", []string{`up{job="docket",app="audit"} 1x60`, `up{job="other"} 0x60`}, ``},
	{"DocketErrors", []string{latency + `_count{service="backend",status="200",pod="a"} 0+95x60`, latency + `_count{service="backend",status="503",pod="b"} 0+5x60`},
		`{service="backend"} 0.05`},
	{"DocketErrors", []string{latency + `_count{service="backend",status="200"} 0+600x60`, latency + `_count{service="backend",status="503"} 0+1x60`,
		latency + `_count{service="backend",status="404"} 0+300x60`}, ``},
	{"DocketSlow", slow(latency, route, "5"), `{namespace="n",service="backend"} 5`},
	{"DocketSlow", requests(latency, route, "0.005"), ``},
	{"DocketSlow", slow(latency, socket, "5"), ``},
	{"DocketWritesFailing", []string{`docket_writes_failing{service="audit"} 1x60`, `docket_writes_failing{service="backend"} 0x60`}, `{service="audit"} 1`},
	{"DocketThrottling", []string{`docket_rate_limited_total{by="address"} 0+120x60`, `docket_rate_limited_total{by="account"} 0+30x60`}, `{by="address"} 2`},
	{"DocketOutboxOld", []string{`docket_outbox_oldest_seconds{app="backend",pod="a"} 0+60x60`, `docket_outbox_oldest_seconds{app="backend",pod="b"} 1x60`},
		`{app="backend",pod="a"} 2400`},
	{"DocketOutboxFilling", []string{`docket_outbox_window_used{app="backend"} 1000x60`, `docket_outbox_window_used{app="audit"} 500x60`}, `{app="backend"} 1000`},
	{"DocketOutboxFull", []string{`docket_outbox_full_total{app="backend",pod="a"} 0+5x60`, `docket_outbox_full_total{app="audit"} 7x60`}, `{app="backend"} 25`},
	{"DocketSlotLost", []string{`docket_outbox_slots_lost_total{app="backend",pod="a"} 0+1x60`, `docket_outbox_slots_lost_total{app="audit"} 1x60`}, `{app="backend"} 30`},
	{"DocketDeadLetters", []string{`docket_deliveries_total{app="audit",topic="task-events",outcome="dead"} 0+1x60`,
		`docket_deliveries_total{app="audit",topic="task-events",outcome="ok"} 0+60x60`}, `{app="audit",topic="task-events"} 15`},
	{"DocketDeadLetters", []string{`docket_dead_letters_total{group="audit/task-events"} 0+2x60`}, `{group="audit/task-events"} 30`},
	{"DocketDeadLetters", []string{`docket_dead_letters_total{group="audit/task-events"} 3x60`}, ``},
	{"DocketParked", []string{`docket_deliveries_total{app="audit",topic="task-events",outcome="parked"} 0+1x60`}, `{app="audit",topic="task-events"} 10`},
	{"DocketParked", []string{`docket_parked{group="audit/task-events"} 4x60`, `docket_parked{group="notification/reminders"} 0x60`}, `{group="audit/task-events"} 4`},
	{"DocketConsumerLag", []string{`docket_consumer_lag{group="audit/task-events"} 20000x60`}, `{group="audit/task-events"} 20000`},
	{"DocketConsumerLag", []string{`kafka_consumergroup_lag{consumergroup="audit",topic="task-events",partition="0"} 6000x60`,
		`kafka_consumergroup_lag{consumergroup="audit",topic="task-events",partition="1"} 6000x60`,
		`kafka_consumergroup_lag{consumergroup="other",topic="clicks",partition="1"} 60000x60`}, `{consumergroup="audit",topic="task-events"} 12000`},
	// A replica of backend that is gone leaves a group behind, which nobody reads for any more.
	{"DocketConsumerLag", []string{`kafka_consumergroup_lag{consumergroup="backend-0192",topic="reminders",partition="0"} 0+1000x60`}, ``},
	{"DocketAuditBehind", slow("docket_audit_delay_seconds", `pod="a"`, "300"), `{} 300`},
	{"DocketAuditBehind", requests("docket_audit_delay_seconds", `pod="a"`, "0.5"), ``},
	{"DocketRemindersLate", slow("docket_reminder_lateness_seconds", `pod="a"`, "10"), `{} 10`},
	{"DocketRemindersLate", requests("docket_reminder_lateness_seconds", `pod="a"`, "0.5"), ``},
	{"DocketJobsLate", slow("docket_job_lateness_seconds", `app="backend"`, "32"), `{app="backend"} 32`},
	{"DocketJobsFailing", []string{`docket_jobs_total{app="backend",outcome="error"} 0+1x60`, `docket_jobs_total{app="backend",outcome="ok"} 0+60x60`}, `{app="backend"} 10`},
	{"DocketNotificationsFailing", []string{`docket_notifications_total{channel="email",outcome="failed"} 0+1x60`,
		`docket_notifications_total{channel="email",outcome="delivered"} 0+1x60`, `docket_notifications_total{channel="push",outcome="failed"} 0x60`,
		`docket_notifications_total{channel="push",outcome="delivered"} 0+9x60`}, `{channel="email"} 0.5`},
	{"DocketRestarting", []string{`process_start_time_seconds{job="docket",app="audit",pod="a"} 0+300x60`, `process_start_time_seconds{job="docket",app="backend"} 7x60`},
		`{app="audit"} 29`},
	{"DocketFileDescriptors", []string{`process_open_fds{job="docket",app="backend"} 900x60`, `process_max_fds{job="docket",app="backend"} 1000x60`}, `{app="backend"} 0.9`},
}

func TestAlerts(t *testing.T) {
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	groups, errs := rulefmt.Parse(b, false, model.UTF8Validation, parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	engine := promqltest.NewTestEngine(t, false, 5*time.Minute, 100_000)
	fired := map[string]bool{}
	for _, g := range groups.Groups {
		for _, rule := range g.Rules {
			for _, e := range examples {
				if e.alert != rule.Alert {
					continue
				}
				fired[e.alert] = fired[e.alert] || e.fires != ""
				t.Run(e.alert, func(t *testing.T) {
					expr := strings.Join(strings.Fields(rule.Expr), " ")
					promqltest.RunTest(t, "load 1m\n  "+strings.Join(e.series, "\n  ")+"\n\neval instant at 40m "+expr+"\n  "+e.fires+"\n", engine)
				})
			}
			if !fired[rule.Alert] {
				t.Errorf("no example of %s", rule.Alert)
			}
		}
	}
	for _, e := range examples {
		if _, known := fired[e.alert]; !known {
			t.Errorf("there is no alert %s", e.alert)
		}
	}
}
