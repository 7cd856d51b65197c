package prometheus

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

const (
	deploy      = "../../deploy/"
	rulesFile   = deploy + "prometheus/odin.rules.yml"
	rulesTest   = deploy + "prometheus/odin.rules.test.yml"
	configFile  = deploy + "prometheus/prometheus.yml"
	runbook     = "../../docs/OPERATIONS.md"
	metricsPage = "../../docs/METRICS.md"
	runbookURL  = "https://github.com/odin-ws/odin/blob/main/docs/OPERATIONS.md#"
)

// rule is one of a rules file, an alert or a recording.
type rule struct {
	Alert, Record, Expr, For string
	Labels, Annotations      map[string]string
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func rules(t *testing.T) (all []rule) {
	t.Helper()
	var file struct{ Groups []struct{ Rules []rule } }
	if err := yaml.Unmarshal([]byte(read(t, rulesFile)), &file); err != nil {
		t.Fatal(err)
	}
	for _, g := range file.Groups {
		all = append(all, g.Rules...)
	}
	if len(all) < 20 {
		t.Fatalf("only %d rules", len(all))
	}
	return all
}

func alerts(t *testing.T) []rule {
	t.Helper()
	return slices.DeleteFunc(rules(t), func(r rule) bool { return r.Alert == "" })
}

func TestAlertsSayWhatTheyHaveTo(t *testing.T) {
	seen := map[string]bool{}
	for _, a := range alerts(t) {
		if !strings.HasPrefix(a.Alert, "Odin") || seen[a.Alert] {
			t.Errorf("the name %s is another's, or there twice", a.Alert)
		}
		seen[a.Alert] = true
		if !slices.Contains([]string{"critical", "warning", "info"}, a.Labels["severity"]) {
			t.Errorf("%s: severity %q", a.Alert, a.Labels["severity"])
		}
		if s := a.Annotations["summary"]; s == "" || strings.Contains(s, "{{") || len(s) > 80 {
			t.Errorf("%s: summary %q: one short line without values, so that notifications group", a.Alert, s)
		}
		if d := a.Annotations["description"]; !strings.Contains(d, "$labels.instance") {
			t.Errorf("%s: the description names no instance: %q", a.Alert, d)
		}
		if want := runbookURL + strings.ToLower(a.Alert); a.Annotations["runbook_url"] != want {
			t.Errorf("%s: runbook_url %q, want %q", a.Alert, a.Annotations["runbook_url"], want)
		}
	}
}

// Each alert has its paragraph, in the order of the rules, with the severity and
// the time that the rule has, and each paragraph has its alert.
func TestEveryAlertHasItsParagraph(t *testing.T) {
	_, section, _ := strings.Cut(read(t, runbook), "\n## Alerts\n")
	section, _, _ = strings.Cut(section, "\n## ")
	paragraphs := regexp.MustCompile(`(?m)^### (\w+)\n((?:.+\n)+)`).FindAllStringSubmatch(section, -1)
	all := alerts(t)
	if len(paragraphs) != len(all) {
		t.Errorf("%d paragraphs for %d alerts", len(paragraphs), len(all))
	}
	for i, p := range paragraphs[:min(len(paragraphs), len(all))] {
		a, text := all[i], p[2]
		if p[1] != a.Alert {
			t.Fatalf("paragraph %d is of %s, the alert is %s", i, p[1], a.Alert)
		}
		if !strings.HasPrefix(text, "*"+a.Labels["severity"]) || a.For == "" != strings.HasPrefix(text, "*"+a.Labels["severity"]+".*") {
			t.Errorf("%s is %s, after %q: %.40s", a.Alert, a.Labels["severity"], a.For, text)
		}
		if !strings.Contains(text, "**Look at**") || !strings.Contains(text, "**Do") {
			t.Errorf("%s: nothing to look at, or to do", a.Alert)
		}
	}
}

func TestEveryAlertIsTested(t *testing.T) {
	text := read(t, rulesTest)
	for _, a := range alerts(t) {
		if !strings.Contains(text, fmt.Sprintf(`alertname="%s"`, a.Alert)) {
			t.Errorf("%s fires in no case of %s", a.Alert, rulesTest)
		}
	}
}

// What rules, dashboards and pages name is measured, or recorded by a rule.
func TestWhatIsNamedIsMeasured(t *testing.T) {
	known := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `(odin_\\w+)` \\| (\\w+)").FindAllStringSubmatch(read(t, metricsPage), -1) {
		known[m[1]] = true
		if m[2] == "histogram" {
			known[m[1]+"_bucket"], known[m[1]+"_sum"], known[m[1]+"_count"] = true, true, true
		}
	}
	for _, r := range rules(t) {
		known[r.Record] = true
	}
	name := regexp.MustCompile(`\bodin[_:][a-z_:0-9]+[a-z0-9]`)
	files := append(globbed(t, deploy+"*/*"), globbed(t, "../../docs/*.md")...)
	for _, file := range files {
		for _, found := range name.FindAllString(read(t, file), -1) {
			if !known[found] {
				t.Errorf("%s names %s, which isn't measured", file, found)
			}
		}
	}
}

func globbed(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %v", pattern, err)
	}
	return files
}

// dashboard is what the tests want to know of a dashboard of Grafana.
type dashboard struct {
	UID, Title string
	Panels     []panel
	Templating struct {
		List []struct{ Name, Type string }
	}
}

type panel struct {
	ID                       int
	Type, Title, Description string
	Datasource               struct{ UID string }
	GridPos                  struct{ X, Y, W, H int }
	FieldConfig              struct{ Defaults struct{ Unit string } }
	Targets                  []target
}

type target struct{ RefID, Expr, LegendFormat string }

func dashboards(t *testing.T) map[string]dashboard {
	t.Helper()
	all := map[string]dashboard{}
	for _, file := range globbed(t, deploy+"grafana/*.json") {
		var d dashboard
		if err := json.Unmarshal([]byte(read(t, file)), &d); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all[filepath.Base(file)] = d
	}
	return all
}

func TestDashboardsAreWhole(t *testing.T) {
	all := dashboards(t)
	for _, name := range []string{"overview.json", "kafka.json", "workers.json", "clients.json"} {
		d := all[name]
		if d.UID != "odin-"+strings.TrimSuffix(name, ".json") || d.Title == "" || len(d.Panels) < 10 {
			t.Errorf("%s: uid %s, title %q, %d panels", name, d.UID, d.Title, len(d.Panels))
		}
		if list := d.Templating.List; len(list) == 0 || list[0].Name != "datasource" || list[0].Type != "datasource" {
			t.Errorf("%s has no variable for the data source", name)
		}
		ids, taken := map[int]bool{}, map[[2]int]string{}
		for _, p := range d.Panels {
			if ids[p.ID] {
				t.Errorf("%s: two panels have the id %d", name, p.ID)
			}
			ids[p.ID] = true
			p.settle(t, name, taken)
			p.check(t, name)
		}
	}
}

// settle wants the panel's place to be free and within the width of 24.
func (p *panel) settle(t *testing.T, board string, taken map[[2]int]string) {
	t.Helper()
	g := p.GridPos
	if g.W < 1 || g.H < 1 || g.X < 0 || g.X+g.W > 24 {
		t.Errorf("%s: %q stands at %+v", board, p.Title, g)
	}
	for x := g.X; x < g.X+g.W; x++ {
		for y := g.Y; y < g.Y+g.H; y++ {
			if other, ok := taken[[2]int{x, y}]; ok {
				t.Fatalf("%s: %q lies on %q", board, p.Title, other)
			}
			taken[[2]int{x, y}] = p.Title
		}
	}
}

func (p *panel) check(t *testing.T, board string) {
	t.Helper()
	if p.Title == "" || p.Type == "row" {
		if p.Title == "" || len(p.Targets) > 0 {
			t.Errorf("%s: panel %d: title %q, %d targets", board, p.ID, p.Title, len(p.Targets))
		}
		return
	}
	if p.Description == "" || p.Datasource.UID != "${datasource}" || len(p.Targets) == 0 {
		t.Errorf("%s: %q: description %q, data source %q, %d targets", board, p.Title, p.Description, p.Datasource.UID, len(p.Targets))
	}
	if (p.Type == "timeseries" || p.Type == "stat") && p.FieldConfig.Defaults.Unit == "" {
		t.Errorf("%s: %q has no unit", board, p.Title)
	}
	for _, target := range p.Targets {
		if !strings.Contains(target.Expr, `instance=~"$instance"`) && !strings.Contains(target.Expr, "ALERTS") {
			t.Errorf("%s: %q is not of the chosen instance: %s", board, p.Title, target.Expr)
		}
		if p.Type == "timeseries" && target.LegendFormat == "" {
			t.Errorf("%s: %q has no legend", board, p.Title)
		}
	}
}
