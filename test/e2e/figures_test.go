package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/VictoriaMetrics/metricsql"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	prometheus "github.com/prometheus/common/model"

	"github.com/oasdiff/yaml"
)

// exports are the series that docket has, by name: the labels of each.
type exports struct {
	mu     sync.Mutex
	series map[string][]map[string]string
}

// elsewhere are the metrics that alerts and panels may ask for besides, with their labels.
var elsewhere = map[string][]map[string]string{
	"up":                      {{}},                                                  // Prometheus itself
	"kafka_consumergroup_lag": {{"consumergroup": "", "topic": "", "partition": ""}}, // Kafka Exporter, which Strimzi brings along
}

// fromTarget are the labels that every series gets on its way into Prometheus: see podmonitor.yaml.
var fromTarget = []string{"job", "instance", "namespace", "pod", "app"}

// read adds what the address tells.
func (x *exports) read(t *testing.T, address string) {
	t.Helper()
	res, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	parser := expfmt.NewTextParser(prometheus.UTF8Validation)
	families, err := parser.TextToMetricFamilies(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", address, res.Status, err)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for name, family := range families {
		names := []string{name}
		if family.GetType() == dto.MetricType_HISTOGRAM {
			names = []string{name + "_bucket", name + "_sum", name + "_count"}
		}
		for _, metric := range family.GetMetric() {
			labels := map[string]string{}
			for _, l := range metric.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			for i, n := range names {
				if i == 0 && len(names) > 1 {
					labels["le"] = ""
				}
				x.series[n] = append(x.series[n], labels)
			}
		}
	}
}

// Every alert and every panel asks for metrics that docket exports on one of its hosts, by labels that they have and values that
// occur. What it says of a series names labels that the series still has then.
//
// [Task]: T083, T088
func TestAlertsAndPanelsAskForWhatIsExported(t *testing.T) {
	x := &exports{series: map[string][]map[string]string{}}
	t.Run("export", func(t *testing.T) {
		scenario(t, func(t *testing.T, w *world) {
			c := w.user("Ada", "UTC")
			it := c.create(object{"title": "a reminder", "due_date": soon(), "reminder_minutes": []int{0}})
			c.notified(it)
			for _, address := range w.figures() {
				x.read(t, address)
			}
		})
	})
	for name, series := range elsewhere {
		if _, ours := x.series[name]; ours {
			t.Errorf("%s is docket's own", name)
		}
		x.series[name] = series
	}
	dir := filepath.Join("..", "..", "deploy", "observability")
	asked := append(alerts(t, filepath.Join(dir, "alerts.yaml")), panels(t, filepath.Join(dir, "dashboard.json"))...)
	if len(asked) < 40 {
		t.Fatalf("only %d expressions", len(asked))
	}
	for _, wrong := range []query{
		{expr: `docket_nothing > 0`}, {expr: `docket_writes_failing{colour="red"}`}, {expr: `docket_deliveries_total{outcome="deaf"}`},
		{expr: `sum by (colour) (docket_sockets)`}, {expr: `sum(docket_sockets`}, {expr: `docket_sockets`, text: "{{colour}}"},
	} {
		if len(x.check(wrong)) == 0 {
			t.Errorf("nothing is found wrong with %q", wrong)
		}
	}
	for _, q := range asked {
		for _, problem := range x.check(q) {
			t.Errorf("%s: %s\n%s", q.of, problem, q.expr)
		}
	}
}

// query is an expression, the alert or panel it belongs to, and what that says of its series.
type query struct{ of, expr, text string }

func alerts(t *testing.T, file string) (out []query) {
	t.Helper()
	var rules struct {
		Groups []struct {
			Rules []struct {
				Alert, Expr string
				Annotations map[string]string
			}
		}
	}
	b, err := os.ReadFile(file)
	if err == nil {
		_, err = yaml.Unmarshal(b, &rules, yaml.DecodeOpts{})
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range rules.Groups {
		for _, r := range g.Rules {
			out = append(out, query{"alert " + r.Alert, r.Expr, fmt.Sprint(r.Annotations)})
		}
	}
	return out
}

func panels(t *testing.T, file string) (out []query) {
	t.Helper()
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr, LegendFormat string }
		}
	}
	b, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(b, &dashboard)
	}
	if err != nil {
		t.Fatal(err)
	}
	variables := strings.NewReplacer("$__rate_interval", "1m", "$namespace", ".*")
	for _, p := range dashboard.Panels {
		for _, target := range p.Targets {
			out = append(out, query{"panel " + p.Title, variables.Replace(target.Expr), target.LegendFormat})
		}
	}
	return out
}

var mentioned = regexp.MustCompile(`\{\{ *(?:\$labels\.)?([a-z_]+)`)

// check returns what is wrong with an expression.
func (x *exports) check(q query) (problems []string) {
	expr, err := metricsql.Parse(q.expr)
	if err != nil {
		return []string{err.Error()}
	}
	left := slices.Clone(fromTarget)
	metricsql.VisitAll(expr, func(e metricsql.Expr) {
		switch e := e.(type) {
		case *metricsql.MetricExpr:
			problems = append(problems, x.selects(e)...)
		case *metricsql.AggrFuncExpr:
			left = append(left, e.Modifier.Args...)
			problems = append(problems, x.groups(e)...)
		}
	})
	for _, m := range mentioned.FindAllStringSubmatch(q.text, -1) {
		if !slices.Contains(left, m[1]) {
			problems = append(problems, "says {{"+m[1]+"}}, which its series do not have")
		}
	}
	return problems
}

// selects checks the names and values of a selector.
func (x *exports) selects(e *metricsql.MetricExpr) (problems []string) {
	for _, filters := range e.LabelFilterss {
		series := x.series[filters[0].Value]
		if filters[0].Label != "__name__" || len(series) == 0 {
			problems = append(problems, "nobody exports "+filters[0].Value)
			continue
		}
		for _, f := range filters[1:] {
			found := slices.ContainsFunc(series, func(labels map[string]string) bool {
				value, has := labels[f.Label]
				return has && (value == f.Value || f.IsRegexp || f.IsNegative || value == "" && elsewhere[filters[0].Value] != nil)
			})
			if !found && !slices.Contains(fromTarget, f.Label) {
				problems = append(problems, fmt.Sprintf("%s has no %s that is %q", filters[0].Value, f.Label, f.Value))
			}
		}
	}
	return problems
}

// groups checks that each label of a grouping is one of a metric within it.
func (x *exports) groups(e *metricsql.AggrFuncExpr) (problems []string) {
	have := slices.Clone(fromTarget)
	metricsql.VisitAll(e, func(inner metricsql.Expr) {
		if m, ok := inner.(*metricsql.MetricExpr); ok && len(m.LabelFilterss) > 0 {
			for _, labels := range x.series[m.LabelFilterss[0][0].Value] {
				for label := range labels {
					have = append(have, label)
				}
			}
		}
	})
	for _, label := range e.Modifier.Args {
		if !slices.Contains(have, label) {
			problems = append(problems, "groups by "+label+", which nothing in it has")
		}
	}
	return problems
}
