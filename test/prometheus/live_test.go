//go:build prometheus

package prometheus

import (
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// scrapes is how many the panels' rates are made of.
const scrapes = 15

// TestPrometheus runs everything that needs a Prometheus against one of them.
func TestPrometheus(t *testing.T) {
	s := startStack(t)
	startLoad(t)
	eventually(t, "enough scrapes", func() (bool, string) {
		n, err := s.value(`sum_over_time(up{job="odin"}[5m])`)
		return err == nil && n >= scrapes, fmt.Sprint(n, " of them, ", err)
	})
	t.Run("no alert fires in health", s.healthy)
	t.Run("a scrape has as many series as the page says", s.cardinality)
	for name, board := range dashboards(t) {
		t.Run("every panel of "+name+" shows something", func(t *testing.T) { s.panels(t, &board) })
	}
	t.Run("an alert fires and resolves", s.alert)
	took, err := s.value(`max_over_time(scrape_duration_seconds{job="odin"}[5m])`)
	t.Logf("the longest scrape of all: %v s (%v)", took, err)
}

// healthy wants no alert; what a busy machine delays may have come and gone.
func (s *stack) healthy(t *testing.T) {
	eventually(t, "no alert fires", func() (bool, string) {
		firing, err := s.firing()
		return err == nil && len(firing) == 0, fmt.Sprint(firing, err)
	})
}

// cardinality holds what Prometheus stores against the formula of METRICS.md.
func (s *stack) cardinality(t *testing.T) {
	m := regexp.MustCompile(`series = (\d+) \+ (\d+) × workers \+ (\d+) × partitions`).FindStringSubmatch(read(t, metricsPage))
	if m == nil {
		t.Fatal("the page has no formula")
	}
	eventually(t, "the formula holds", func() (bool, string) {
		expr := fmt.Sprintf(`%s + %s * odin_workers + %s * odin_partitions - on (instance) scrape_samples_scraped{job="odin"}`, m[1], m[2], m[3])
		off, err := s.value(expr)
		return err == nil && off == 0, fmt.Sprint("off by ", off, ", ", err)
	})
}

// panels evaluates every expression of a dashboard as Grafana would.
func (s *stack) panels(t *testing.T, board *dashboard) {
	variables := strings.NewReplacer("$instance", ".+", "$__rate_interval", strconv.Itoa(scrapes)+"s")
	n := 0
	for _, p := range board.Panels {
		for _, target := range p.Targets {
			n++
			eventually(t, p.Title+" shows something", func() (bool, string) {
				value, err := s.value(variables.Replace(target.Expr))
				return err == nil && !math.IsNaN(value), fmt.Sprint(target.Expr, ": ", value, ", ", err)
			})
		}
	}
	t.Logf("%s: %d expressions", board.Title, n)
}

// alert freezes a worker until Alertmanager has told of it, then thaws it.
func (s *stack) alert(t *testing.T) {
	const name, worker = "OdinWorkerDown", "1"
	pid := s.pid(t, 1)
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	thaw := func() { _ = syscall.Kill(pid, syscall.SIGCONT) }
	t.Cleanup(thaw)
	eventually(t, "the alert fires", func() (bool, string) {
		firing, err := s.firing()
		for i := range firing {
			if a := &firing[i]; a.is(name, worker) {
				if a.Annotations["runbook_url"] != runbookURL+strings.ToLower(name) || !strings.HasPrefix(a.Annotations["description"], "Worker 1 on 127.0.0.1:") {
					t.Errorf("it says %v", a.Annotations)
				}
				return true, ""
			}
		}
		return false, fmt.Sprint(firing, err)
	})
	eventually(t, "Alertmanager tells that it fires", func() (bool, string) { return s.received.heard(name, worker, "firing"), "" })
	thaw()
	eventually(t, "the alert resolves", func() (bool, string) {
		firing, err := s.firing()
		return err == nil && len(firing) == 0, fmt.Sprint(firing, err)
	})
	eventually(t, "Alertmanager tells that it resolved", func() (bool, string) { return s.received.heard(name, worker, "resolved"), "" })
}

// pid is that of the worker in a slot.
func (s *stack) pid(t *testing.T, slot int) int {
	t.Helper()
	body, err := get(s.operator + "/api/status")
	if err != nil {
		t.Fatal(err)
	}
	var status struct{ Workers []struct{ PID int } }
	if err := json.Unmarshal(body, &status); err != nil || len(status.Workers) <= slot {
		t.Fatalf("no worker %d: %v, %s", slot, err, body)
	}
	return status.Workers[slot].PID
}

// firing lists the alerts that fire, by Prometheus' API.
func (s *stack) firing() (all []alert, err error) {
	body, err := get(s.prometheus + "/api/v1/alerts")
	if err != nil {
		return nil, err
	}
	var answer struct{ Data struct{ Alerts []alert } }
	err = json.Unmarshal(body, &answer)
	for _, a := range answer.Data.Alerts {
		if a.State == "firing" {
			all = append(all, a)
		}
	}
	return all, err
}

// value evaluates an expression now: the first of its values that is a number,
// NaN if it has none. An answer without a series is an error.
func (s *stack) value(expr string) (float64, error) {
	body, err := get(s.prometheus + "/api/v1/query?query=" + url.QueryEscape(expr))
	if err != nil {
		return 0, err
	}
	var answer struct {
		Data struct{ Result []struct{ Value [2]any } }
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return 0, err
	}
	if len(answer.Data.Result) == 0 {
		return 0, fmt.Errorf("no series")
	}
	for _, series := range answer.Data.Result {
		v, err := strconv.ParseFloat(fmt.Sprint(series.Value[1]), 64)
		if err != nil {
			return 0, err
		}
		if !math.IsNaN(v) {
			return v, nil
		}
	}
	return math.NaN(), nil
}

// TestPromtool has Prometheus' own tool judge what odind says and what is
// deployed.
func TestPromtool(t *testing.T) {
	promtool := variable(t, "PROMTOOL")
	for _, check := range []struct {
		name, stdin string
		args        []string
		silent      bool
	}{
		{"configuration and rules", "", []string{"check", "config", configFile}, false},
		{"rules, with their style", "", []string{"check", "rules", "--lint=all", "--lint-fatal", rulesFile}, false},
		{"tests of the rules", "", []string{"test", "rules", rulesTest}, false},
		{"metrics", variable(t, "ODIN_DEMO_OPERATOR") + "/metrics", []string{"check", "metrics"}, true},
	} {
		t.Run(check.name, func(t *testing.T) {
			cmd := exec.Command(promtool, check.args...)
			if check.stdin != "" {
				body, err := get(check.stdin)
				if err != nil {
					t.Fatal(err)
				}
				cmd.Stdin = strings.NewReader(string(body))
			}
			out, err := cmd.CombinedOutput()
			if err != nil || check.silent && len(out) > 0 {
				t.Errorf("promtool %v: %v\n%s", check.args, err, out)
			}
		})
	}
}
