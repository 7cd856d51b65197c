package config

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite docs/CONFIGURATION.md")

const pagePath = "../../docs/CONFIGURATION.md"

func TestPageIsTheTable(t *testing.T) {
	t.Parallel()
	var page bytes.Buffer
	if err := Page(&page); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(pagePath, page.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	committed, err := os.ReadFile(pagePath)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(committed, page.Bytes()) {
		t.Error("docs/CONFIGURATION.md is not what the table says: go test ./internal/config -run Page -update")
	}
}

func TestPageHasEveryKey(t *testing.T) {
	t.Parallel()
	var page bytes.Buffer
	if err := Page(&page); err != nil {
		t.Fatal(err)
	}
	for _, k := range Keys() {
		if n := strings.Count(page.String(), "\n| `"+k.Name+"` | `"+k.Env()+"`"); n != 1 {
			t.Errorf("%s has %d rows", k.Name, n)
		}
	}
	for line := range strings.Lines(page.String()) {
		if bars := strings.Count(line, "|") - strings.Count(line, "\\|"); strings.HasPrefix(line, "|") && bars != 7 {
			t.Errorf("a row of %d bars: %s", bars, line)
		}
	}
}

// TestPageExampleLoads takes the page's example at its word, but for the
// files that it names.
func TestPageExampleLoads(t *testing.T) {
	_, rest, _ := strings.Cut(pageHead, "```yaml\n")
	example, _, _ := strings.Cut(rest, "```")
	example = strings.Replace(example, "/etc/odin/password", writeFile(t, "password", "x"), 1)
	example = strings.Replace(example, "/etc/odin/ca.pem", writeFile(t, "ca.pem", "x"), 1)
	c, _, err := inFile(t, example, Input{})
	if err != nil {
		t.Fatal(err)
	}
	if c.Limits.HistoryBytesMax != 512<<20 || c.Routes[1].Channel != "{header:account}.balances" || c.Kafka.SASL.Password.Reveal() != "x" {
		t.Errorf("the example gives %v", c)
	}
}

// TestPageMistakesAreReal compares the page's error messages with what Load
// says.
func TestPageMistakesAreReal(t *testing.T) {
	_, _, err := inFile(t, "listen: :3001\nworkers: 0\n", Input{Env: []string{"ODIN_LISTN=x"}})
	if err == nil {
		t.Fatal("no mistake")
	}
	for line := range strings.SplitSeq(err.Error(), "\n") {
		if !strings.Contains(pageHead, "    "+line+"\n") {
			t.Errorf("the page lacks %q", line)
		}
	}
}

func TestReport(t *testing.T) {
	t.Parallel()
	c, origins := load(t, Input{Flags: map[string]string{"brokers": "a:1,b:2"}, Env: []string{"ODIN_NODE=n7", "WS_MAX_KAFKA_RATE=25"}})
	var out strings.Builder
	if err := Report(&out, *c, origins); err != nil {
		t.Fatal(err)
	}
	for _, want := range [][]string{
		{"node", "n7", "ODIN_NODE"},
		{"kafka.brokers", "a:1", "--brokers"},
		{"b:2", "--brokers"},
		{"origins", `""`, OriginDefault},
		{"routes", "odin.trades", "→", "{key}.trade", "(close,", "normal)", OriginDefault},
		{"limits.request_bytes_max", "256KiB", OriginDefault},
		{"limits.fetch_records_per_s_max", "25", "WS_MAX_KAFKA_RATE"},
		{"limits.deliver_records_per_s_max", "0", OriginDefault},
	} {
		if !hasLine(out.String(), want) {
			t.Errorf("no line %v in\n%s", want, out.String())
		}
	}
	for line := range strings.Lines(out.String()) {
		if strings.HasSuffix(line, " \n") {
			t.Errorf("a line ends in a space: %q", line)
		}
	}
}

func hasLine(text string, fields []string) bool {
	for line := range strings.Lines(text) {
		if strings.Join(strings.Fields(line), "\t") == strings.Join(fields, "\t") {
			return true
		}
	}
	return false
}

// FuzzFile: whatever the file holds, Load returns, names a place for
// every mistake, and keeps the whole within its bounds.
func FuzzFile(f *testing.F) {
	f.Add([]byte(wholeFile))
	for _, wrong := range wrongFiles {
		f.Add([]byte(wrong.text))
	}
	f.Add([]byte("a: &a [*a]\nroutes: &r [*r]\nkafka: &k {sasl: *k}\n? {x: y}\n: z\n"))
	f.Add([]byte("limits: {topics_max: 1}"))
	f.Add([]byte("%YAML 1.1\n--- !!map\n!!str listen: !!binary aGk=\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		l := loader{in: Input{Host: host()}, table: Keys(), origins: Origins{}}
		l.defaults()
		l.yaml("f", data)
		l.computed()
		problems := check(&l.config, l.origins, l.problems)
		for _, p := range problems {
			if !strings.HasPrefix(p.Place, "f:") || p.What == "" {
				t.Errorf("problem %+v of %q", p, data)
			}
			if len(p.String()) > 2*problemShown+len(p.Place)+16 {
				t.Errorf("a problem of %d bytes of %q", len(p.String()), data)
			}
		}
		if len(problems) == 0 && len(l.config.String()) > jsonMax {
			t.Errorf("too large a configuration of %q", data)
		}
	})
}
