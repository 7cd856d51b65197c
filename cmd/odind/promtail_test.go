package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/odin-ws/odin/cmd/internal/clitest"
)

// Promtail and Loki don't run here. What they would do with the log is read out
// of the configuration, which may use no more than this test understands.

const (
	promtailFile = "../../deploy/loki/promtail.yaml"
	logsPage     = "../../docs/LOGS.md"
)

// promtail is its configuration, as far as ours uses it.
type promtail struct {
	Server struct {
		Address string `yaml:"http_listen_address"`
		HTTP    int    `yaml:"http_listen_port"`
		GRPC    int    `yaml:"grpc_listen_port"`
	}
	Positions struct{ Filename string }
	Clients   []struct{ URL string }
	Scrapes   []struct {
		Job     string `yaml:"job_name"`
		Journal struct {
			Path    string
			MaxAge  time.Duration `yaml:"max_age"`
			Matches string
			Labels  map[string]string
		}
		Relabel []struct {
			Source []string `yaml:"source_labels"`
			Target string   `yaml:"target_label"`
		} `yaml:"relabel_configs"`
		Stages []stage `yaml:"pipeline_stages"`
	} `yaml:"scrape_configs"`
}

// stage is one of a pipeline: one of these.
type stage struct {
	JSON *struct {
		Expressions   map[string]string
		DropMalformed bool `yaml:"drop_malformed"`
	}
	Timestamp *struct {
		Source, Format string
		OnFailure      string `yaml:"action_on_failure"`
	}
	Labels map[string]*string
}

// configuration reads the file, and wants to understand all of it.
func configuration(t *testing.T) (c promtail) {
	t.Helper()
	text, err := os.ReadFile(promtailFile)
	if err != nil {
		t.Fatal(err)
	}
	in := yaml.NewDecoder(bytes.NewReader(text))
	in.KnownFields(true)
	if err := in.Decode(&c); err != nil {
		t.Fatal(err)
	}
	if len(c.Scrapes) != 1 || len(c.Clients) != 1 {
		t.Fatalf("%+v", c)
	}
	return c
}

// labelled is what a pipeline makes of a line.
type labelled struct {
	labels map[string]string
	at     time.Time
}

// through sends a line through the stages, as Promtail does: what a stage finds
// stays for those behind it.
func through(t *testing.T, stages []stage, line string) labelled {
	t.Helper()
	found, out := map[string]any{}, labelled{labels: map[string]string{}}
	for _, s := range stages {
		switch {
		case s.JSON != nil:
			var fields map[string]any
			if json.Unmarshal([]byte(line), &fields) != nil {
				continue // not malformed enough to be dropped
			}
			for name, expression := range s.JSON.Expressions {
				if value, ok := fields[expression]; ok { // a JMESPath of one name
					found[name] = value
				}
			}
		case s.Timestamp != nil:
			text, ok := found[s.Timestamp.Source].(string)
			if !ok {
				continue
			}
			at, err := time.Parse(time.RFC3339Nano, text)
			if err != nil || s.Timestamp.Format != "RFC3339Nano" {
				t.Errorf("%q: no time of the form %s: %v", line, s.Timestamp.Format, err)
			}
			out.at = at
		case s.Labels != nil:
			for name, source := range s.Labels {
				if source != nil {
					t.Errorf("label %s is taken from %s: this test knows only its own name", name, *source)
				}
				if value, ok := found[name]; ok {
					out.labels[name] = fmt.Sprint(value)
				}
			}
		}
	}
	return out
}

// aNight is the log of an odind that saw a few things, in JSON.
func aNight(t *testing.T) string {
	t.Helper()
	d := bin.StartDemo(t, "--rate", "50", "--log-format", "json", "--log-level", "debug")
	if err := syscall.Kill(d.Children()[0], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	clitest.Eventually(t, "the worker is replaced", func() bool { return strings.Count(d.Stderr(), `"msg":"worker ready"`) == 3 })
	d.Signal(syscall.SIGQUIT)
	clitest.Eventually(t, "stacks of all processes", func() bool { return strings.Count(d.Stderr(), "\ngoroutine 1 [") == 3 })
	d.Signal(syscall.SIGTERM)
	if code, _ := d.Wait(); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	return d.Stderr()
}

// Every line of the log gets through: labels that are few, and its own time.
func TestPipelineTakesTheLog(t *testing.T) {
	t.Parallel()
	scrape := configuration(t).Scrapes[0]
	if scrape.Journal.Matches != "_SYSTEMD_UNIT=odind.service" || scrape.Journal.Labels["job"] != "odin" || len(scrape.Relabel) != 1 {
		t.Errorf("%+v", scrape)
	}
	if _, err := os.Stat("../../systemd/odind.service"); err != nil {
		t.Error(err)
	}
	levels, workers, plain := map[string]int{}, map[string]int{}, 0
	for line := range strings.Lines(aNight(t)) {
		got := through(t, scrape.Stages, strings.TrimSuffix(line, "\n"))
		if got.at.IsZero() {
			plain++
			if len(got.labels) > 0 {
				t.Errorf("%q: %v without a time", line, got.labels)
			}
			continue
		}
		levels[got.labels["level"]]++
		workers[got.labels["worker"]]++
	}
	for level := range levels {
		if !slices.Contains([]string{"DEBUG", "INFO", "WARN", "ERROR"}, level) {
			t.Errorf("the level %q", level)
		}
	}
	for worker := range workers {
		if !slices.Contains([]string{"", "0", "1"}, worker) {
			t.Errorf("the worker %q", worker)
		}
	}
	if levels["INFO"] == 0 || levels["ERROR"] == 0 || levels["DEBUG"] == 0 || workers[""] == 0 || workers["0"] == 0 || plain == 0 {
		t.Errorf("levels %v, workers %v, %d lines of stacks", levels, workers, plain)
	}
}

// labelsMax are the labels that there may be: each value of each is a stream.
var labelsMax = []string{"instance", "job", "level", "worker"}

func TestLabelsAreFew(t *testing.T) {
	t.Parallel()
	scrape := configuration(t).Scrapes[0]
	labels := []string{scrape.Relabel[0].Target}
	for name := range scrape.Journal.Labels {
		labels = append(labels, name)
	}
	for _, s := range scrape.Stages {
		for name := range s.Labels {
			labels = append(labels, name)
		}
	}
	slices.Sort(labels)
	if !slices.Equal(labels, labelsMax) {
		t.Errorf("the labels are %v, want %v", labels, labelsMax)
	}
}

// What the page asks Loki speaks of labels, fields and lines that there are.
func TestQuestionsMakeSense(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(logsPage)
	if err != nil {
		t.Fatal(err)
	}
	page := string(text)
	_, questions, _ := strings.Cut(page, "```logql\n")
	questions, _, _ = strings.Cut(questions, "```")
	n := 0
	for question := range strings.Lines(questions) {
		n++
		for _, m := range regexp.MustCompile(`\{([^}]*)\}`).FindAllStringSubmatch(question, -1) {
			for _, matcher := range strings.Split(m[1], ", ") {
				if name, _, _ := strings.Cut(matcher, "="); !slices.Contains(labelsMax, name) {
					t.Errorf("%s: no label %s", question, name)
				}
			}
		}
		for _, m := range regexp.MustCompile(`by \((\w+)\)`).FindAllStringSubmatch(question, -1) {
			if !slices.Contains(labelsMax, m[1]) {
				t.Errorf("%s: no label %s", question, m[1])
			}
		}
		for _, m := range regexp.MustCompile(`\| (\w+)="`).FindAllStringSubmatch(question, -1) {
			if !strings.Contains(page, "| `"+m[1]+"`") {
				t.Errorf("%s: no field %s", question, m[1])
			}
		}
		for _, m := range regexp.MustCompile(`\|= "([^"]*)"`).FindAllStringSubmatch(question, -1) {
			if !strings.Contains(page, "| `"+m[1]+"` |") {
				t.Errorf("%s: no line %q", question, m[1])
			}
		}
		if strings.Count(question, "(") != strings.Count(question, ")") || strings.Count(question, `"`)%2 != 0 {
			t.Errorf("%s does not close what it opens", question)
		}
	}
	if n < 5 {
		t.Errorf("only %d questions", n)
	}
}
